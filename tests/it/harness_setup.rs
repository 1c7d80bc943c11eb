//! What `setup` writes into the person's files, and takes out again.

use serde_json::{Value, json};

use crate::harness::{call, denied, guarded, write};
use crate::support::{Run, Sandbox};

/// Two domains, of which one is ada's.
const RULES: &str =
    "[domains.api]\npath = 'api'\nagent = 'ada'\n\n[domains.web]\npath = 'web'\nagent = 'bob'\n";

#[test]
fn settings_get_the_hooks_and_lose_them_without_another_byte_changed() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let s = guarded(RULES);
    let files = [
        ("claude", ".claude/settings.json"),
        ("codex", ".codex/hooks.json"),
        ("gemini", ".gemini/settings.json"),
        ("cursor", ".cursor/hooks.json"),
    ];
    let texts = ["{}\n", "{\r\n\t\"a\": [1,2], // c\r\n\t\"hooks\": {}\r\n}", "{\"x\":{\"y\":null}}"];
    for (harness, file) in files {
        let path = s.repo().join(file);
        let setup = |more: &str| s.comm(&format!("setup harness {harness} {more}"));
        setup("--dry-run").succeeds();
        assert!(!path.exists());
        assert_eq!(setup("").succeeds().stdout, format!("{file} created\n"));
        let fresh: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert!(fresh["hooks"].as_object().unwrap().len() == 4, "{fresh}");
        assert_eq!(setup("").succeeds().stdout, format!("{file} unchanged\n"));
        assert_eq!(setup("--remove").succeeds().stdout, format!("{file} removed\n"));
        assert!(!path.exists() && !path.parent().unwrap().exists());
        setup("--remove").succeeds();
        for text in texts {
            write(s.repo(), file, text);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
            setup("").succeeds();
            let with = std::fs::read_to_string(&path).unwrap();
            assert!(with.contains(&format!("git comm hook pre-edit --harness {harness}")), "{with}");
            let dry = setup("--remove --dry-run").succeeds().stdout;
            assert!(dry.starts_with(&format!("{file} would be edited\n-")), "{dry}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), with);
            setup("--remove").succeeds();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        }
        for broken in ["{", "[]", "", "{\"hooks\":3}", "\u{0}"] {
            write(s.repo(), file, broken);
            let refused = setup("").exits(128);
            assert!(
                refused.stderr.contains(file) && refused.stderr.contains("cannot be edited"),
                "{}",
                refused.stderr
            );
            assert_eq!(std::fs::read_to_string(&path).unwrap(), broken);
        }
        std::fs::remove_file(&path).unwrap();
        // A link is followed within the worktree and not out of it.
        write(s.repo(), "shared.json", "{}\n");
        symlink("../shared.json", &path).unwrap();
        setup("").succeeds();
        assert!(std::fs::symlink_metadata(&path).unwrap().is_symlink());
        assert!(std::fs::read_to_string(s.repo().join("shared.json")).unwrap().contains("git comm hook"));
        setup("--remove").succeeds();
        assert_eq!(std::fs::read_to_string(s.repo().join("shared.json")).unwrap(), "{}\n");
        std::fs::remove_file(&path).unwrap();
        let outside = s.root().join("outside.json");
        std::fs::write(&outside, "{}\n").unwrap();
        symlink(&outside, &path).unwrap();
        setup("").exits(128);
        assert_eq!(std::fs::read_to_string(&outside).unwrap(), "{}\n");
        std::fs::remove_file(&path).unwrap();
    }
}

#[test]
fn the_installed_command_is_one_that_runs() {
    let s = guarded(RULES);
    s.comm("setup harness claude --local").succeeds();
    let settings: Value =
        serde_json::from_slice(&std::fs::read(s.repo().join(".claude/settings.local.json")).unwrap())
            .unwrap();
    let entry = &settings["hooks"]["PreToolUse"][0];
    assert_eq!(entry["matcher"], "Edit|Write|MultiEdit|NotebookEdit");
    let command = entry["hooks"][0]["command"].as_str().unwrap();
    let words: Vec<&str> = command.strip_prefix("git comm hook ").unwrap().split(' ').collect();
    let input = json!({ "tool_name": "Write", "tool_input": { "file_path": "web/x" } }).to_string();
    denied(&call(&s, s.repo(), Some("ada"), &words, input.as_bytes()));
    s.comm("setup harness codex --local").exits(129);
}

#[test]
fn the_persons_files_are_not_for_agents() {
    let s = guarded(RULES);
    for words in ["setup harness claude", "setup agents-md", "setup harness claude --remove"] {
        let refused = s.as_agent("ada", words).exits(5);
        assert!(refused.stderr.contains("the person's"), "{}", refused.stderr);
        let mut command = s.command();
        command.env("CLAUDECODE", "1").args(words.split(' '));
        Run::of(&command.output().unwrap(), words).exits(5);
    }
    assert_eq!(s.git("status --porcelain").stdout, "");
}

#[test]
fn agents_md_gets_a_block_and_claude_md_an_import() {
    use std::os::unix::fs::symlink;
    let s = Sandbox::new();
    let read = |name: &str| std::fs::read_to_string(s.repo().join(name)).unwrap();
    s.comm("setup agents-md").succeeds();
    assert!(read("AGENTS.md").lines().count() <= 25);
    assert!(!s.repo().join("CLAUDE.md").exists());
    s.comm("setup agents-md --remove").succeeds();
    assert_eq!(s.git("status --porcelain").stdout, "", "nothing is left");
    for text in ["", "# Mine\n", "no end", "a\r\nb\r\n"] {
        for name in ["AGENTS.md", "CLAUDE.md"] {
            write(s.repo(), name, text);
        }
        s.comm("setup agents-md").succeeds();
        assert!(read("AGENTS.md").contains("git comm prime") && read("CLAUDE.md").contains("\n@AGENTS.md"));
        let both = (read("AGENTS.md"), read("CLAUDE.md"));
        s.comm("setup agents-md").succeeds();
        assert_eq!((read("AGENTS.md"), read("CLAUDE.md")), both);
        s.comm("setup agents-md --remove").succeeds();
        assert_eq!((read("AGENTS.md").as_str(), read("CLAUDE.md").as_str()), (text, text));
    }
    write(s.repo(), "CLAUDE.md", "see @AGENTS.md\n");
    s.comm("setup agents-md").succeeds();
    assert_eq!(read("CLAUDE.md"), "see @AGENTS.md\n");
    let edited = read("AGENTS.md").replace("to change it, ask", "change it");
    write(s.repo(), "AGENTS.md", &edited);
    for words in ["setup agents-md", "setup agents-md --remove"] {
        let refused = s.comm(words).exits(5);
        assert!(refused.stderr.contains("was edited"), "{}", refused.stderr);
        assert_eq!(read("AGENTS.md"), edited);
    }
    // One may be a link to the other.
    std::fs::remove_file(s.repo().join("CLAUDE.md")).unwrap();
    write(s.repo(), "AGENTS.md", "one\n");
    symlink("AGENTS.md", s.repo().join("CLAUDE.md")).unwrap();
    s.comm("setup agents-md").succeeds();
    assert_eq!(read("CLAUDE.md").matches("git-comm:begin").count(), 1);
    s.comm("setup agents-md --remove").succeeds();
    assert_eq!(read("CLAUDE.md"), "one\n");
    assert!(s.repo().join("CLAUDE.md").is_symlink());
}

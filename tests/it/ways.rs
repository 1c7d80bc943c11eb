//! Ways to a commit that went past the gate once, or were stopped by it
//! without a reason.

use std::os::unix::fs::PermissionsExt;

use crate::commits::{git_as, guarded, guarded_in, write};
use crate::hooks_support::RULES;
use crate::support::{Run, Sandbox, split};

const NOT_HERS: &str = "web/w.txt: domain web, agent bob";

/// What bob committed in his domain, on the branch `bobs`.
fn bobs(s: &Sandbox) {
    git_as(s, None, "checkout -q -b bobs").succeeds();
    write(s, "web/w.txt", "bob's own\n");
    git_as(s, Some("bob"), "commit -q -a -m bobs").succeeds();
    git_as(s, None, "checkout -q -").succeeds();
}

#[test]
fn a_pick_is_judged_wherever_git_notes_it() {
    for s in Sandbox::of_each_ref_format() {
        guarded_in(&s, RULES);
        bobs(&s);
        let run = git_as(&s, Some("ada"), "cherry-pick bobs");
        assert_ne!(run.code, 0, "{}", run.stdout);
        assert!(run.stderr.contains(NOT_HERS), "{}", run.stderr);
    }
}

/// Another hook, such as one that formats, may stage more behind ours.
#[test]
fn what_another_hook_stages_is_judged() {
    let s = guarded(RULES);
    let hook = s.repo().join(".git/hooks/pre-commit");
    let ours = std::fs::read_to_string(&hook).unwrap_or_else(|_| "#!/bin/sh\n".to_owned());
    std::fs::write(&hook, format!("{ours}\ngit add -u\n")).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    write(&s, "api/a.txt", "mine\n");
    git_as(&s, Some("ada"), "add api").succeeds();
    write(&s, "web/w.txt", "not mine\n");
    let run = git_as(&s, Some("ada"), "commit -q -m formatted").exits(1);
    assert!(run.stderr.contains(NOT_HERS), "{}", run.stderr);
}

/// What ada's commit with this configuration and this message becomes.
fn message(s: &Sandbox, settings: &[&str], editor: Option<&str>, words: &str) -> (i32, String) {
    let mut command = s.bare_command("git", s.repo());
    command.env("GIT_COMM_AGENT", "ada").env("GIT_AUTHOR_NAME", "ada");
    let editor = editor.map_or_else(
        || "true".to_owned(),
        |text| {
            let path = s.root().join("editor");
            std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
            path.display().to_string()
        },
    );
    command.env("GIT_EDITOR", editor);
    for setting in settings {
        command.args(["-c", setting]);
    }
    write(s, "api/a.txt", &format!("{settings:?}{words}\n"));
    let run = Run::of(&command.args(split(words)).output().unwrap(), words);
    (run.code, git_as(s, None, "log -1 --format=%B").stdout)
}

#[test]
fn settings_of_messages_do_not_lose_the_claim() {
    let s = guarded(RULES);
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    let typed = Some("sed -i '1s/^/typed\\n/' \"$1\"");
    for (settings, editor, words) in [
        (&["core.commentChar=;"][..], typed, "commit -q -a -v"),
        (&["core.commentChar=auto"], None, "commit -q -a -v -e -m '#1 typed'"),
        (&[], None, "commit -q -a -m '#12: typed'"),
        (&["trailer.ifmissing=doNothing"], None, "commit -q -a -m typed"),
    ] {
        if let Some((key, value)) = settings.iter().find_map(|s| s.split_once('=')) {
            git_as(&s, None, &format!("config {key} '{value}'")).succeeds();
        }
        let (code, text) = message(&s, settings, editor, words);
        assert_eq!(code, 0, "{settings:?}");
        assert!(text.contains("typed\n") && text.contains("\nComm-Task: bd-1\nComm-Fence: "), "{text}");
        if let Some((key, _)) = settings.iter().find_map(|s| s.split_once('=')) {
            git_as(&s, None, &format!("config --unset {key}")).succeeds();
        }
    }
    git_as(&s, None, "config trailer.separators =").succeeds();
    let (_, text) = message(&s, &[], None, "commit -q -a -m typed");
    assert!(text.contains("\nComm-Task: bd-1\nComm-Fence: "), "{text}");
    s.comm("ci --base HEAD~5").succeeds();
}

#[test]
fn an_empty_message_makes_no_commit() {
    let s = guarded(RULES);
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    for (settings, words) in
        [(&[][..], "commit -q -a"), (&[], "commit -q -a -v"), (&[], "commit -q -a -m ''")]
    {
        let (code, text) = message(&s, settings, Some(": > \"$1\""), words);
        assert_ne!(code, 0, "{words}");
        assert_eq!(text.trim(), "rules", "{words}");
    }
    let (code, _) = message(&s, &[], None, "commit -q -a");
    assert_ne!(code, 0, "nothing was typed");
}

#[test]
fn people_mend_rules_that_cannot_be_read() {
    let s = guarded(RULES);
    let broken = |text: &str| {
        write(&s, "comm.toml", text);
        git_as(&s, None, "commit -q --no-verify -a -m broken").succeeds();
        write(&s, "comm.toml", RULES);
        git_as(&s, None, "add -A").succeeds();
    };
    broken("[domains.api]\nscop = 'x'\n");
    git_as(&s, Some("ada"), "commit -q -m mended").exits(1);
    git_as(&s, None, "commit -q -m mended").succeeds();
    broken("[");
    write(&s, "comm.toml", "]");
    git_as(&s, None, "commit -q -a -m worse").exits(1);
    // A folder in their place stops nobody for good.
    std::fs::remove_file(s.repo().join("comm.toml")).unwrap();
    write(&s, "comm.toml/x", "x");
    git_as(&s, None, "add -A").succeeds();
    git_as(&s, None, "commit -q --no-verify -m folder").succeeds();
    git_as(&s, None, "rm -q -r comm.toml").succeeds();
    write(&s, "comm.toml", RULES);
    git_as(&s, None, "add -A").succeeds();
    git_as(&s, None, "commit -q -m mended").succeeds();
}

#[test]
fn no_agent_puts_a_folder_in_the_place_of_rules() {
    let s = Sandbox::new();
    write(&s, "comm.toml/x", "x");
    git_as(&s, Some("ada"), "add -A").succeeds();
    let run = git_as(&s, Some("ada"), "commit -q -m folder").exits(1);
    assert!(run.stderr.contains("the rules are in no agent's scope"), "{}", run.stderr);
    #[cfg(unix)]
    {
        git_as(&s, None, "rm -q -r --cached comm.toml").succeeds();
        std::fs::remove_dir_all(s.repo().join("comm.toml")).unwrap();
        std::os::unix::fs::symlink("#", s.repo().join("comm.toml")).unwrap();
        git_as(&s, Some("ada"), "add -A").succeeds();
        let run = git_as(&s, Some("ada"), "commit -q -m link").exits(1);
        assert!(run.stderr.contains("the rules are in no agent's scope"), "{}", run.stderr);
    }
}

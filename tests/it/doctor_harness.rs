//! The check-up of harness files.

use std::os::unix::fs::symlink;

use crate::doctor::{faults, fine, note};
use crate::support::{Run, Sandbox, program, split};

/// A repository in which git finds the program as `git comm`.
struct Home {
    s: Sandbox,
    path: String,
}

impl Home {
    fn new() -> Self {
        let s = Sandbox::new();
        let bin = s.root().join("bin");
        std::fs::create_dir(&bin).unwrap();
        symlink(program(), bin.join("git-comm")).unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        Self { s, path }
    }

    fn comm(&self, words: &str) -> Run {
        let mut command = self.s.command();
        command.env("PATH", &self.path).args(split(words));
        Run::of(&command.output().unwrap(), words)
    }

    fn write(&self, name: &str, text: &str) {
        crate::harness::write(self.s.repo(), name, text);
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.s.repo().join(name)).unwrap()
    }

    fn commit(&self) {
        self.s.git("add -A -f").succeeds();
        self.s.git("commit -q --allow-empty --no-verify -m files").succeeds();
    }

    /// What the line of this subject says when all is well.
    #[track_caller]
    fn fine(&self) -> String {
        let report = self.comm("doctor --json").succeeds().json();
        assert!(faults(&report, "harness").is_empty(), "{report}");
        let line = report["checks"].as_array().unwrap().iter().find(|c| c["name"] == "harness").unwrap();
        line["what"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn noted(&self, what: &str, remedy: &str) {
        let report = self.comm("doctor --json").succeeds().json();
        let told = faults(&report, "harness");
        let is_told = |fault: &serde_json::Value| {
            fault["what"].as_str().unwrap().contains(what)
                && fault["remedy"].as_str().unwrap().contains(remedy)
        };
        assert!(told.iter().any(is_told), "{what} -> {remedy}: {told:?}");
    }
}

#[test]
fn settings_are_in_order_until_somebody_changes_them() {
    let h = Home::new();
    assert_eq!(h.fine(), "none set up");
    for (harness, file) in [
        ("claude", ".claude/settings.json"),
        ("codex", ".codex/hooks.json"),
        ("gemini", ".gemini/settings.json"),
        ("cursor", ".cursor/hooks.json"),
    ] {
        h.comm(&format!("setup harness {harness}")).succeeds();
        h.noted(&format!("not committed, so that new worktrees lack it: {file}"), "git add -f");
        h.commit();
        assert_eq!(h.fine(), format!("{file} as written"));
        let good = h.read(file);
        let setup =
            format!("git comm setup harness {harness} --remove, then git comm setup harness {harness}");
        for (from, to, what) in [
            (
                format!("git comm hook pre-edit --harness {harness}"),
                "git comm hook pre-edit".to_owned(),
                "calls pre-edit by another command",
            ),
            ("\"timeout\": 10".into(), "\"timeout\": 99".into(), "calls pre-edit in another way"),
        ] {
            h.write(file, &good.replacen(&from, &to, 1));
            h.noted(what, &setup);
        }
        h.write(file, &good.replacen("\"matcher\": \"", "\"matcher\": \"None|", 1));
        h.noted("calls pre-edit for other tools", &setup);
        h.write(file, &good.replacen("git comm hook turn", "echo", 1));
        h.noted("does not call turn", &format!("git comm setup harness {harness}"));
        h.write(file, "{");
        h.noted(&format!("`{file}` cannot be read"), "by hand");
        h.write(file, "{}\n");
        h.commit();
        assert_eq!(h.fine(), "none set up");
        std::fs::remove_file(h.s.repo().join(file)).unwrap();
        h.commit();
    }
    h.comm("setup harness claude --local").succeeds();
    h.write(".gitignore", ".claude/settings.local.json\n");
    h.commit();
    assert_eq!(h.fine(), ".claude/settings.local.json as written");
}

#[test]
fn hooks_that_are_called_twice_or_switched_off_are_told() {
    let h = Home::new();
    h.comm("setup harness claude").succeeds();
    h.commit();
    let good = h.read(".claude/settings.json");
    let mut twice: serde_json::Value = serde_json::from_str(&good).unwrap();
    let entry = twice["hooks"]["PreToolUse"][0].clone();
    twice["hooks"]["PreToolUse"].as_array_mut().unwrap().push(entry);
    h.write(".claude/settings.json", &twice.to_string());
    h.noted("calls pre-edit 2 times", "--remove");
    h.write(".claude/settings.json", &good.replacen('{', "{\"disableAllHooks\": true,", 1));
    h.noted("switches all hooks off", "take `disableAllHooks` out of it");
}

#[test]
fn the_command_must_be_this_program() {
    let h = Home::new();
    h.comm("setup harness claude").succeeds();
    h.commit();
    let report = h.s.comm("doctor --json").exits(1).json();
    assert!(
        faults(&report, "harness")[0]["what"].as_str().unwrap().contains("git finds no such program"),
        "{report}"
    );
    h.s.git("config alias.comm '!true'").succeeds();
    fine(&h.s, "harness");
    h.s.git("config --unset alias.comm").succeeds();
    let other = h.s.root().join("bin/git-comm");
    std::fs::remove_file(&other).unwrap();
    symlink("/bin/true", &other).unwrap();
    h.noted("not this program", "before it on PATH");
}

#[test]
fn the_texts_for_agents_are_looked_at() {
    let h = Home::new();
    h.comm("setup agents-md").succeeds();
    h.noted("not committed, so that new worktrees lack it: AGENTS.md", "git add -f -- AGENTS.md");
    h.commit();
    assert_eq!(h.fine(), "AGENTS.md as written");
    let good = h.read("AGENTS.md");
    h.write("AGENTS.md", &good.replace("to change it, ask", "change it"));
    h.noted("`AGENTS.md` has a block that was edited", "git comm setup agents-md");
    h.write("AGENTS.md", &good.replace("<!-- git-comm:end -->", ""));
    h.noted("`AGENTS.md` has a block without an end", "git comm setup agents-md");
    h.write("AGENTS.md", &good);
    h.write("CLAUDE.md", "mine\n");
    h.commit();
    h.noted("`CLAUDE.md` does not import AGENTS.md", "git comm setup agents-md");
    h.comm("setup agents-md").succeeds();
    h.commit();
    assert_eq!(h.fine(), "AGENTS.md, CLAUDE.md as written");
    // One may be a link to the other.
    std::fs::remove_file(h.s.repo().join("CLAUDE.md")).unwrap();
    symlink("AGENTS.md", h.s.repo().join("CLAUDE.md")).unwrap();
    h.commit();
    assert_eq!(h.fine(), "AGENTS.md as written");
    // Ignored files are not committed either.
    h.s.git("rm -q --cached AGENTS.md").succeeds();
    h.write(".gitignore", "AGENTS.md\n");
    h.s.git("commit -q --no-verify -m ignore").succeeds();
    note_uncommitted(&h);
}

#[track_caller]
fn note_uncommitted(h: &Home) {
    note(&h.s, "harness", "not committed", "git add -f -- AGENTS.md");
}

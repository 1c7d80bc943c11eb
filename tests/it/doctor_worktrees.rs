//! The check-up of worktrees: each must be there, somebody's, and judged.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::doctor::{faults, fine, note, red};
use crate::support::{Run, Sandbox, split};
use crate::worktrees::{comm_in, place};

const RULES: &str = "[domains.api]\npath = 'api'\nagent = 'ada'\n[domains.web]\npath = 'web'\n\n[commit]\npeople = ['kai@example.com']\n";

/// A repository with rules, a task, and ada's worktree for it.
fn bound() -> Sandbox {
    let s = Sandbox::new();
    s.as_agent("ada", "agent register --domain api").succeeds();
    s.add("one");
    std::fs::write(s.repo().join("comm.toml"), RULES).unwrap();
    s.git("add comm.toml").succeeds();
    s.git("commit -q -m rules").succeeds();
    s.comm("worktree add one --agent ada --domain api --task bd-1").succeeds();
    s
}

fn git_in(s: &Sandbox, dir: &Path, words: &str) -> Run {
    Run::of(&s.bare_command("git", dir).args(split(words)).output().unwrap(), words)
}

/// Makes a file look as old as this.
pub(crate) fn set_back(path: &Path, seconds: u64) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    let now = file.metadata().unwrap().modified().unwrap();
    file.set_modified(now - Duration::from_secs(seconds)).unwrap();
}

#[test]
fn worktrees_in_order_are_one_line() {
    let s = bound();
    assert_eq!(fine(&s, "worktrees"), "1 linked, in order");
    let inside = comm_in(&s, &place(&s, "one"), "doctor --json").succeeds().json();
    assert_eq!(faults(&inside, "worktrees"), [] as [Value; 0], "{inside}");
}

#[test]
fn a_worktree_whose_folder_is_gone_is_told() {
    let s = bound();
    std::fs::rename(place(&s, "one"), s.root().join("elsewhere")).unwrap();
    note(&s, "worktrees", "one: its folder is gone", "git comm worktree prune");
    std::fs::write(s.repo().join(".git/worktrees/one/locked"), "a disk").unwrap();
    note(&s, "worktrees", "one: its folder is gone, and it is locked", "git worktree unlock");
}

#[test]
fn a_worktree_that_leads_nowhere_or_is_damaged_is_told() {
    let s = bound();
    let stray = s.repo().join(".git/worktrees/stray");
    std::fs::create_dir(&stray).unwrap();
    let dir = std::fs::File::open(&stray).unwrap();
    dir.set_modified(std::time::SystemTime::now() - Duration::from_secs(60)).unwrap();
    note(&s, "worktrees", "leads to no worktree", "git worktree prune");
    std::fs::write(stray.join("locked"), "initializing").unwrap();
    dir.set_modified(std::time::SystemTime::now() - Duration::from_secs(60)).unwrap();
    s.git("worktree prune").succeeds();
    note(&s, "worktrees", "leads to no worktree", "rm -r ");
    std::fs::remove_dir_all(&stray).unwrap();
    std::fs::write(s.repo().join(".git/worktrees/one/HEAD"), "").unwrap();
    red(&s, "worktrees", "one: git does not know it as a worktree");
    std::fs::write(s.repo().join(".git/worktrees/one/HEAD"), "ref: refs/heads/one\n").unwrap();
    std::fs::write(s.repo().join(".git/worktrees/one/config.worktree"), "[core\n").unwrap();
    red(&s, "worktrees", "one: cannot be opened");
}

#[test]
fn an_addition_that_died_is_told_and_undone() {
    let s = bound();
    // As a killed `worktree add` leaves it: the note, git's lock, the folder.
    git_in(&s, s.repo(), "worktree add -q --no-checkout -b two ../repo.worktrees/two").succeeds();
    let lock = s.repo().join(".git/worktrees/two/locked");
    std::fs::write(&lock, "initializing").unwrap();
    set_back(&lock, 4_000);
    note(&s, "worktrees", "two: its `git worktree add` died half-way", "git worktree unlock");
    let note_path = s.repo().join(".git/comm-node/adding/0123456789abcdef");
    std::fs::create_dir_all(note_path.parent().unwrap()).unwrap();
    let head = s.git("rev-parse HEAD").stdout;
    let path = place(&s, "two");
    let text =
        serde_json::json!({ "path": path, "branch": "two", "base": head.trim(), "makes_parent": false });
    std::fs::write(&note_path, text.to_string()).unwrap();
    assert!(!s.comm("doctor").succeeds().stdout.contains("never finished"), "it may just begin");
    set_back(&note_path, 60);
    note(&s, "worktrees", "never finished, its `worktree add` died", "doctor --fix");
    let fixed = s.comm("doctor --fix").succeeds();
    assert!(fixed.stdout.contains("fixed  worktrees"), "{}", fixed.stdout);
    assert!(!path.exists() && !note_path.exists());
    assert_eq!(fine(&s, "worktrees"), "1 linked, in order");
}

#[test]
fn bindings_to_what_is_not_there_are_told() {
    let s = bound();
    let at = place(&s, "one");
    let bind = |words: &str| git_in(&s, &at, &format!("config --worktree {words}")).succeeds();
    let check = |key: &str, value: &str, what: &str| {
        let before = bind(&format!("--get {key}")).stdout;
        bind(&format!("{key} {value}"));
        note(&s, "worktrees", what, "config --worktree");
        bind(&format!("{key} {}", before.trim()));
    };
    check("comm.task", "bd-2", "one: bound to task `bd-2`, which does not exist; did you mean `bd-1`?");
    check("comm.domain", "web", "bound to domain `web`, and comm.toml gives `ada` api");
    bind("comm.domain wbe");
    red(
        &s,
        "worktrees",
        "bound to domain `wbe`, which is not in comm.toml, so that nothing can be committed there; did you mean `web`?",
    );
    bind("comm.domain api");
    bind("comm.agent adaa");
    note(
        &s,
        "worktrees",
        "bound to agent `adaa`, whom nobody has seen; did you mean `ada`?",
        "agent register",
    );
    s.as_agent("cy", "agent register").succeeds();
    s.as_agent("cy", "agent retire").succeeds();
    bind("comm.agent cy");
    note(&s, "worktrees", "bound to agent `cy`, who has retired", "config --worktree comm.agent");
    bind("comm.agent dan");
    s.as_agent("dan", "agent register").succeeds();
    s.change_record("agents/dan", |record| record["state"]["person"] = true.into());
    red(&s, "worktrees", "bound to agent `dan`, which is a person's name");
    bind("comm.agent 'A B'");
    red(&s, "settings", "`comm.agent` of worktree `one` means nothing as `A B`");
    bind("comm.agent ada");
    bind("comm.tsak bd-1");
    note(&s, "settings", "there is no `comm.tsak`", "--unset-all comm.tsak");
}

#[test]
fn two_worktrees_with_one_agent_or_task_are_told() {
    let s = bound();
    s.comm("worktree add two --agent bob").succeeds();
    let bind = |words: &str| git_in(&s, &place(&s, "two"), &format!("config --worktree {words}")).succeeds();
    bind("comm.task bd-1");
    note(&s, "worktrees", "one, two: 2 worktrees are bound to task `bd-1`", "comm.task");
    bind("--unset comm.task");
    bind("comm.agent ada");
    note(&s, "worktrees", "one, two: 2 worktrees are bound to agent `ada`", "comm.agent");
}

#[test]
fn a_worktree_whose_hooks_do_not_fire_is_red() {
    let s = bound();
    // As husky leaves it: a folder that only the main worktree has.
    let hooks = s.repo().join(".husky/_");
    std::fs::create_dir_all(&hooks).unwrap();
    std::fs::write(hooks.join(".gitignore"), "*\n").unwrap();
    s.git("config core.hooksPath .husky/_").succeeds();
    s.comm("hook install").succeeds();
    assert_eq!(fine(&s, "worktrees"), "1 linked, in order");
    std::fs::remove_dir_all(place(&s, "one").join(".husky")).unwrap();
    red(&s, "worktrees", "one: `pre-commit` would not fire there: not installed");
    s.comm("hook install").succeeds();
    s.comm("doctor").succeeds();
    // Or its own configuration leads elsewhere.
    git_in(&s, &place(&s, "one"), "config --worktree core.hooksPath /nowhere").succeeds();
    red(&s, "worktrees", "one: `pre-commit` would not fire there");
    // Where nothing is to be kept, it is worth a note.
    s.git("rm -q --cached comm.toml").succeeds();
    s.git("commit -q -m none").succeeds();
    note(&s, "worktrees", "one: `pre-commit` would not fire there", "git comm hook install");
}

#[test]
fn configuration_of_a_worktree_that_is_not_read_is_red() {
    let s = bound();
    s.git("config extensions.worktreeConfig false").succeeds();
    red(&s, "worktrees", "one: its own configuration is not read");
    let report = comm_in(&s, &place(&s, "one"), "doctor --json").exits(1).json();
    let told = faults(&report, "settings");
    assert!(told[0]["what"].as_str().unwrap().contains("is not read"), "{report}");
}

/// A worktree off a remote's trunk has the rules once they are pushed.
#[test]
fn a_worktree_without_rules_is_told_what_helps() {
    let s = Sandbox::new();
    git_in(&s, s.root(), "clone -q --bare repo hub.git").succeeds();
    s.git("remote add origin ../hub.git").succeeds();
    s.git("push -q -u origin main").succeeds();
    std::fs::write(s.repo().join("comm.toml"), RULES).unwrap();
    s.comm("setup agents-md").succeeds();
    let add =
        |name: &str| s.comm(&format!("worktree add {name} --agent {name} --domain api")).succeeds().stderr;
    let told = add("one");
    assert!(
        told.contains(
            "it lacks `comm.toml`, `AGENTS.md`, which the main worktree has: commit or copy them, and git push\n"
        ),
        "{told}"
    );
    red(&s, "worktrees", "one: bound to domain `api`, and neither its HEAD nor the trunk has a comm.toml");
    s.git("add -A").succeeds();
    s.git("commit -q -m rules").succeeds();
    let told = add("two");
    let helps = "it lacks `comm.toml`, `AGENTS.md`, which the main worktree has committed, but `origin/main` does not have: git push origin main, then in the new worktree: git merge origin/main\n";
    assert!(told.contains(helps), "{told}");
    red(&s, "worktrees", "one, two: bound to domain `api`, and neither");
    s.git("checkout -q -b elsewhere").succeeds();
    s.git("commit -q --allow-empty -m more").succeeds();
    let told = add("three");
    assert!(told.contains("`origin/main` does not have: bring them there, then"), "{told}");
    s.git("checkout -q main").succeeds();
    s.git("push -q").succeeds();
    assert_eq!(add("four"), "");
    let report = s.comm("doctor --json").json();
    assert!(!report.to_string().contains("neither its HEAD"), "{report}");
}

//! Joining: a clone adopts the board that its remote has.

use std::path::{Path, PathBuf};

use crate::support::refusal::is_refusal;
use crate::support::{Run, Sandbox, program, split};

/// A clone of the sandbox's repository, and the program run in it.
fn clone(s: &Sandbox, name: &str) -> PathBuf {
    let at = s.root().join(name);
    s.git(&format!("clone -q . {}", at.display())).succeeds();
    at
}

fn comm(s: &Sandbox, at: &Path, words: &str) -> Run {
    Run::of(&s.bare_command(program(), at).args(split(words)).output().unwrap(), words)
}

#[test]
fn a_clone_adopts_the_board_of_its_remote() {
    let s = Sandbox::new();
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    let at = clone(&s, "clone");
    comm(&s, &at, "add two").exits(128);
    let adopted = comm(&s, &at, "init").succeeds();
    assert!(adopted.stdout.starts_with("adopted the board of `origin`: "), "{}", adopted.stdout);
    let list = comm(&s, &at, "list --json").succeeds().json();
    assert_eq!(list["tasks"][0]["id"], "bd-1");
    assert_eq!(list["tasks"][0]["claim"]["agent"], "ada");
    assert_eq!(comm(&s, &at, "add two").succeeds().stdout, "bd-2\n");
    let again = comm(&s, &at, "init --json").succeeds().json();
    assert_eq!(again["adopted"], false);
}

#[test]
fn two_boards_are_refused_with_the_ways_out() {
    let s = Sandbox::new();
    let at = clone(&s, "clone");
    comm(&s, &at, "init --new").succeeds();
    let refused = comm(&s, &at, "init").exits(1);
    assert!(refused.stderr.contains("and `origin` has board"), "{}", refused.stderr);
    assert!(refused.stderr.contains("git comm init --remove --refs"), "{}", refused.stderr);
}

#[test]
fn a_board_that_took_the_place_of_ours_at_the_remote_is_another_one() {
    let s = Sandbox::new();
    let at = clone(&s, "clone");
    comm(&s, &at, "init").succeeds();
    for name in s.git("for-each-ref --format=%(refname) refs/comm-node").stdout.lines() {
        s.git(&format!("update-ref -d {name}")).succeeds();
    }
    s.comm("init --new").succeeds();
    let refused = comm(&s, &at, "init").exits(1);
    assert!(refused.stderr.contains("and `origin` has board"), "{}", refused.stderr);
}

#[test]
fn a_board_that_came_over_in_part_does_not_count() {
    let s = Sandbox::new();
    s.add("one");
    let at = clone(&s, "clone");
    let git = |words: &str| Run::of(&s.bare_command("git", &at).args(split(words)).output().unwrap(), words);
    // In the way of a task.
    git("update-ref refs/comm-node/tasks/bd-1/x HEAD").succeeds();
    comm(&s, &at, "init").exits(6);
    git("rev-parse -q --verify refs/comm-node/meta").exits(1);
    git("update-ref -d refs/comm-node/tasks/bd-1/x").succeeds();
    comm(&s, &at, "init").succeeds();
    assert_eq!(comm(&s, &at, "list --json").succeeds().json()["tasks"][0]["id"], "bd-1");
}

#[test]
fn a_remote_that_cannot_be_asked_makes_no_second_board() {
    let s = Sandbox::with_init(&[]);
    s.git("remote add origin ../nowhere").succeeds();
    s.comm("init").exits(3);
    s.git("rev-parse -q --verify refs/comm-node/meta").exits(1);
    s.comm("init --new").succeeds();
    let warned = s.comm("init").succeeds();
    assert!(warned.stderr.contains("cannot be asked"), "{}", warned.stderr);
}

#[test]
fn a_remote_without_a_board_leaves_the_clone_to_make_one() {
    let s = Sandbox::with_init(&[]);
    let at = clone(&s, "clone");
    let told = "origin has no board; if another clone has it, push it from there first\nmade board ";
    let dry = comm(&s, &at, "init --dry-run").succeeds();
    assert!(dry.stdout.starts_with("would make a board "), "{}", dry.stdout);
    let made = comm(&s, &at, "init").succeeds();
    assert!(made.stdout.starts_with(told), "{}", made.stdout);
    let again = comm(&s, &at, "init").succeeds();
    assert!(again.stdout.starts_with("found board "), "{}", again.stdout);
    let other = clone(&s, "other");
    let alone = comm(&s, &other, "init --new").succeeds();
    assert!(alone.stdout.starts_with("made board "), "it was not asked: {}", alone.stdout);
}

/// What can be typed there is said, not what would fail.
#[test]
fn a_clone_without_the_board_says_that_it_has_none() {
    let s = Sandbox::new();
    s.add("one");
    let at = clone(&s, "clone");
    let told = "there is no board here; git comm init adopts the one that a remote has\n";
    assert_eq!(comm(&s, &at, "status").succeeds().stdout, format!("0 tasks: {told}"));
    assert_eq!(comm(&s, &at, "ready").exits(1).stdout, format!("0 ready: {told}"));
    assert_eq!(comm(&s, &at, "list").succeeds().stdout, format!("0 tasks: {told}"));
    assert_eq!(comm(&s, &at, "ready --json").exits(1).json()["next"], "git comm init");
    for words in ["next", "claim 1", "show 1", "show bd-1", "show", "close 1", "renew", "log bd-1"] {
        let refused = comm(&s, &at, &format!("--agent ada {words}"));
        is_refusal(&refused, 128, "this repository has no board yet", words);
        assert!(refused.stderr.contains("your remote has, or make one: git comm init"), "{}", refused.stderr);
    }
    comm(&s, &at, "init").succeeds();
    comm(&s, &at, "--agent ada claim 1").succeeds();
    comm(&s, &at, "show 2").exits(4);
    let alone = Sandbox::with_init(&[]);
    assert!(alone.comm("status").succeeds().stdout.contains("add the first with git comm add TITLE"));
    alone.comm("show 1").exits(4);
}

/// Whoever leaves without having tidied up is told what stays, and how it
/// goes.
#[test]
fn leaving_says_what_stays_and_how_it_goes() {
    let s = Sandbox::new();
    s.comm("setup agents-md").succeeds();
    s.comm("setup harness claude").succeeds();
    std::fs::write(s.repo().join("comm.toml"), "[domains.api]\npath = 'api'\n").unwrap();
    s.git("add -A").succeeds();
    s.git("commit -q -m rules").succeeds();
    s.comm("worktree add ada --agent ada --domain api").succeeds();
    s.git("worktree add -q ../mine").succeeds();
    let mine = s.root().join("mine");
    let git_in =
        |words: &str| Run::of(&s.bare_command("git", &mine).args(split(words)).output().unwrap(), words);
    git_in("config --worktree user.name Me").succeeds();
    assert!(!s.comm("init --remove --dry-run").succeeds().stdout.contains("left: "));
    s.as_agent("ada", "init --remove --refs").exits(5);
    let dry = s.as_person("init --remove --refs --dry-run").succeeds().stdout;
    let told = s.as_person("init --remove --refs").succeeds().stdout;
    let lines = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| line.strip_prefix("left: ")).map(str::to_owned).collect()
    };
    assert_eq!(lines(&dry), lines(&told), "the dry run says the same");
    let told = lines(&told);
    let whats: Vec<&str> = told.iter().map(|line| line.split_once(": ").unwrap().0).collect();
    let expected = [
        "comm.*, user.name, user.email in worktree ada",
        "what `git comm setup agents-md` wrote",
        "what `git comm setup harness claude` wrote",
        "comm.toml",
        "extensions.worktreeConfig, which worktrees with settings of their own need",
    ];
    assert_eq!(whats, expected);
    for line in &told[..4] {
        let how = line.split_once(": ").unwrap().1.split(", then").next().unwrap();
        match how.strip_prefix("git comm ") {
            Some(words) => s.comm(words).succeeds(),
            None => {
                Run::of(&s.bare_command("sh", s.repo()).args(["-ec", how]).output().unwrap(), how).succeeds()
            }
        };
    }
    let ada = std::fs::read_to_string(s.repo().join(".git/worktrees/ada/config.worktree")).unwrap();
    assert_eq!(ada.replace("[user]", "").trim(), "");
    assert_eq!(git_in("config user.name").stdout, "Me\n", "a name that nobody bound is left alone");
    for file in ["AGENTS.md", ".claude/settings.json", "comm.toml"] {
        assert!(!s.repo().join(file).exists(), "{file}");
    }
}

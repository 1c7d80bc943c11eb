//! The check-up of sessions and local state.

use std::path::PathBuf;

use crate::doctor::{faults, fine, note, red};
use crate::doctor_worktrees::set_back;
use crate::support::{Run, Sandbox, has_tool, program, seamed_program, split};

fn state(s: &Sandbox, name: &str) -> PathBuf {
    let path = s.repo().join(".git/comm-node").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    path
}

/// Mends, and says so about this subject.
#[track_caller]
fn fixes(s: &Sandbox, name: &str) {
    let report = s.comm("doctor --fix --json").succeeds().json();
    let fixed = report["checks"].as_array().unwrap().iter().any(|c| c["name"] == name && c["fixed"] == true);
    assert!(fixed, "{report}");
    fine(s, name);
}

#[test]
fn what_commands_left_is_told_and_cleared() {
    let s = Sandbox::new();
    for name in ["tmp/0123456789abcdef", "keys/.0123456789abcdef", "pending/none", "stale/0123456789abcdef"] {
        let path = state(&s, name);
        std::fs::write(&path, "").unwrap();
        fine(&s, "state");
        set_back(&path, 100_000);
        note(&s, "state", "1 file of commands that died", "doctor --fix");
        fixes(&s, "state");
        assert!(!path.exists(), "{name}");
    }
    // What looks at a worktree or at what can be written, and dies.
    for path in ["comm-node/index-AbCdEf/index", "refs/.comm-node-probe-1", "objects/.comm-node-probe-1"] {
        let path = s.repo().join(".git").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "").unwrap();
        set_back(&path, 100_000);
        if let Some(dir) = path.parent().filter(|dir| dir.ends_with("index-AbCdEf")) {
            let made = std::time::SystemTime::now() - std::time::Duration::from_secs(100_000);
            std::fs::File::open(dir).unwrap().set_modified(made).unwrap();
        }
        fixes(&s, "state");
        assert!(!path.exists(), "{}", path.display());
    }
    let hook = s.repo().join(".git/hooks/pre-commit.git-comm-0123456789abcdef");
    let own = s.repo().join(".git/hooks/pre-commit.0123456789abcdef");
    for path in [&hook, &own] {
        std::fs::write(path, "").unwrap();
        set_back(path, 100_000);
    }
    fixes(&s, "state");
    assert!(!hook.exists() && s.repo().join(".git/hooks/pre-commit").exists());
    assert!(own.exists(), "it is somebody's");
}

#[test]
fn old_notes_are_told_and_cleared() {
    let s = Sandbox::new();
    s.add("one");
    fine(&s, "state");
    let keys: Vec<PathBuf> = std::fs::read_dir(state(&s, "keys/x").parent().unwrap())
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert_eq!(keys.len(), 1);
    set_back(&keys[0], 40 * 86_400);
    note(&s, "state", "1 note older than 30 days", "doctor --fix");
    fixes(&s, "state");
    assert!(!keys[0].exists());
}

#[test]
fn writes_without_an_outcome_are_told_and_settled() {
    let s = Sandbox::new();
    s.add("one");
    let name = "refs/comm-node/tasks/bd-1";
    let tip = s.git(&format!("rev-parse {name}")).stdout.trim().to_owned();
    let put = |expected: &str, next: &str| {
        let path = state(&s, &format!("pending/{next}"));
        std::fs::write(&path, format!("{name}\n{expected}\n{next}\n")).unwrap();
        set_back(&path, 60);
        path
    };
    let known = put("-", &tip);
    note(&s, "state", "1 note of writes whose outcome is known", "doctor --fix");
    fixes(&s, "state");
    assert!(!known.exists());
    let open = put(&tip, &"1".repeat(tip.len()));
    note(&s, "state", "may or may not have been written: refs/comm-node/tasks/bd-1", "decides");
    s.comm("doctor --fix").succeeds();
    assert!(open.exists(), "it may yet be written");
}

#[test]
fn sessions_in_order_are_one_line() {
    let s = Sandbox::new();
    s.add("one");
    s.as_agent("ada", "agent register").succeeds();
    s.as_agent("ada", "claim bd-1").succeeds();
    assert_eq!(fine(&s, "sessions"), "1 at work, 1 remembered");
}

#[test]
fn a_memory_that_cannot_be_read_is_told_and_cleared() {
    let s = Sandbox::new();
    let path = state(&s, "sessions/0123456789abcdef");
    std::fs::write(&path, "{\"beat").unwrap();
    fine(&s, "sessions");
    set_back(&path, 60);
    note(&s, "sessions", "what 1 session remembers cannot be read: 0123456789abcdef", "doctor --fix");
    let reader = std::fs::File::open(&path).unwrap();
    reader.lock().unwrap();
    s.comm("doctor --fix").succeeds();
    assert!(path.exists(), "a command has it");
    drop(reader);
    fixes(&s, "sessions");
    assert!(!path.exists());
}

#[test]
fn a_claim_that_its_session_forgot_is_told() {
    let s = Sandbox::new();
    s.add("one");
    s.as_agent("ada", "agent register").succeeds();
    s.as_agent("ada", "claim bd-1").succeeds();
    std::fs::remove_dir_all(state(&s, "sessions")).unwrap();
    note(&s, "sessions", "that no session remembers, so that nothing renews it: ada bd-1", "git comm claim");
    s.as_agent("ada", "claim bd-1").succeeds();
    fine(&s, "sessions");
}

#[test]
fn a_session_that_was_superseded_is_told_until_it_knows() {
    let s = Sandbox::new();
    s.add("one");
    s.as_agent("ada", "claim bd-1 --ttl 60s").succeeds();
    let later = |agent: &str, words: &str| {
        let mut command = s.bare_command(seamed_program(), s.repo());
        command.env("GIT_COMM_AGENT", agent);
        command.env("GIT_COMM_TEST_WALL", "+600").env("GIT_COMM_TEST_BOOT", "+600");
        Run::of(&command.args(split(words)).output().unwrap(), words)
    };
    let report = later("ada", "doctor --json").succeeds().json();
    assert!(faults(&report, "work")[0]["what"].as_str().unwrap().contains("ran out on bd-1"), "{report}");
    later("bob", "claim bd-1").succeeds();
    note(&s, "sessions", "1 claim superseded and not told yet", "git comm agent heartbeat");
    later("ada", "agent heartbeat").exits(5);
    let report = later("ada", "doctor --json").succeeds().json();
    let told: Vec<_> = faults(&report, "sessions")
        .into_iter()
        .filter(|f| f["what"].as_str().unwrap().contains("superseded"))
        .collect();
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn a_worktree_that_several_work_in_is_told() {
    let s = Sandbox::new();
    s.as_agent("ada", "agent register").succeeds();
    fine(&s, "sessions");
    let mut second = s.agent_command("ada");
    second.env("GIT_COMM_SESSION", "two").args(["agent", "register"]);
    Run::of(&second.output().unwrap(), "second").succeeds();
    note(&s, "sessions", "worktree `repo` is shared by 2 sessions of ada", "git comm worktree add");
    s.as_agent("bob", "agent register").succeeds();
    note(&s, "sessions", "worktree `repo` is shared by 2 agents: ada, bob", "git comm worktree add");
}

#[test]
fn a_lock_that_git_left_is_red() {
    let s = Sandbox::new();
    s.comm("worktree add ada").succeeds();
    let linked = ["worktrees/ada/index", "worktrees/ada/HEAD"];
    for name in ["index", "config", "packed-refs", "HEAD"].iter().chain(&linked) {
        let lock = s.repo().join(format!(".git/{name}.lock"));
        std::fs::write(&lock, "").unwrap();
        fine(&s, "locks");
        set_back(&lock, 4_000);
        red(&s, "locks", &format!("{name}.lock"));
        s.comm("doctor --fix").exits(1);
        assert!(lock.exists(), "git may be at work");
        std::fs::remove_file(&lock).unwrap();
    }
}

/// A check-up that dies while it looks whether anything can be written.
#[test]
fn a_check_up_that_is_killed_leaves_nothing_that_git_minds() {
    if !has_tool("strace", &["-V"]) {
        return;
    }
    let s = Sandbox::new();
    for step in 1..=8 {
        let mut command = s.bare_command("strace", s.repo());
        let inject = format!("inject=unlink,unlinkat:signal=KILL:when={step}");
        command.args(["-o", "/dev/null", "-e", "trace=unlink,unlinkat", "-e", &inject]);
        let _ = command.arg(program()).arg("doctor").output().unwrap();
    }
    assert_eq!(s.git("for-each-ref").succeeds().stderr, "");
    s.git("fsck --strict").succeeds();
    s.git("gc -q --prune=now").succeeds();
}

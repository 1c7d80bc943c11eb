//! The check-up: green from a good set-up, red with the remedy from each bad
//! one.

use serde_json::Value;

use crate::faults::Mount;
use crate::support::{Run, Sandbox, program};

/// The named check of a report.
fn check(report: &serde_json::Value, name: &str) -> (String, String) {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().filter(|c| c["name"] == name).max_by_key(|c| c["status"] == "red");
    let found = found.unwrap_or_else(|| panic!("no check `{name}` in {report}"));
    let remedy = found["remedy"].as_str().unwrap();
    assert!(found["status"] != "red" || !remedy.is_empty(), "{found} has no remedy");
    (found["status"].as_str().unwrap().to_owned(), found["what"].as_str().unwrap().to_owned())
}

/// What is not in order about a subject, the worst first.
#[track_caller]
pub(crate) fn faults(report: &Value, name: &str) -> Vec<Value> {
    let all = report["checks"].as_array().unwrap();
    let of_name: Vec<&Value> = all.iter().filter(|c| c["name"] == name).collect();
    assert!(!of_name.is_empty(), "no check `{name}` in {report}");
    let faults: Vec<Value> = of_name.into_iter().filter(|c| c["status"] != "ok").cloned().collect();
    for fault in &faults {
        assert_ne!(fault["remedy"], "", "{fault} has no remedy");
    }
    faults
}

/// What the one line of a subject says in which all is well.
#[track_caller]
pub(crate) fn fine(s: &Sandbox, name: &str) -> String {
    let report = s.comm("doctor --json").json();
    assert!(faults(&report, name).is_empty(), "{report}");
    check(&report, name).1
}

#[track_caller]
fn told(report: &Value, name: &str, status: &str, what: &str, remedy: &str) {
    let faults = faults(report, name);
    let has = |fault: &Value, key: &str, part: &str| fault[key].as_str().unwrap().contains(part);
    let is_told = faults
        .iter()
        .any(|fault| fault["status"] == status && has(fault, "what", what) && has(fault, "remedy", remedy));
    assert!(is_told, "no {status} `{what}` -> `{remedy}` in {faults:#?}");
}

/// Something is worth a note, and nothing is red.
#[track_caller]
pub(crate) fn note(s: &Sandbox, name: &str, what: &str, remedy: &str) {
    told(&s.comm("doctor --json").succeeds().json(), name, "note", what, remedy);
}

#[track_caller]
pub(crate) fn red(s: &Sandbox, name: &str, fragment: &str) {
    told(&s.comm("doctor --json").exits(1).json(), name, "red", fragment, "");
}

#[test]
fn a_good_set_up_is_green() {
    let s = Sandbox::new();
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    s.as_agent("ada", "msg send --to bob hi").succeeds();
    let report = s.comm("doctor --json").succeeds().json();
    assert_eq!(report["red"], 0);
    assert!(check(&report, "records").1.contains("versions intact"), "{report}");
}

#[test]
fn from_an_empty_start_it_says_what_is_missing() {
    let s = Sandbox::with_init(&[]);
    red(&s, "board", "there is none");
    let mut outside = s.bare_command(program(), s.root());
    let report = Run::of(&outside.args(["doctor", "--json"]).output().unwrap(), "outside").exits(1).json();
    assert_eq!(check(&report, "repository").0, "red");
    let mut without_git = s.command();
    without_git.env("PATH", "/nonexistent").args(["doctor", "--json"]);
    let report = Run::of(&without_git.output().unwrap(), "no git").exits(1).json();
    assert_eq!(check(&report, "git").0, "red");
}

#[test]
fn every_damaged_record_is_red() {
    let s = Sandbox::new();
    s.add("one");
    s.add("two");
    std::fs::write(s.repo().join(".git/refs/comm-node/tasks/bd-1"), "").unwrap();
    red(&s, "records", "refs/comm-node/tasks/bd-1");
    s.comm("edit bd-2 --title changed").succeeds();
    let first = s.git("rev-parse refs/comm-node/tasks/bd-2~1").stdout.trim().to_owned();
    std::fs::remove_file(s.repo().join(format!(".git/objects/{}/{}", &first[..2], &first[2..]))).unwrap();
    std::fs::remove_dir_all(s.repo().join(".git/comm-node/keep")).unwrap();
    std::fs::remove_file(s.repo().join(".git/refs/comm-node/tasks/bd-1")).unwrap();
    red(&s, "records", "refs/comm-node/tasks/bd-2");
}

#[test]
fn a_version_out_of_order_is_red() {
    let s = Sandbox::new();
    s.add("one");
    let tip = s.git("rev-parse refs/comm-node/tasks/bd-1").stdout.trim().to_owned();
    let message = s.git(&format!("log -1 --format=%B {tip}")).stdout;
    // The same version again on top of itself: its number does not grow.
    std::fs::write(s.root().join("message"), message).unwrap();
    let tree = s.git(&format!("rev-parse {tip}^{{tree}}")).stdout.trim().to_owned();
    let next = s.git(&format!("commit-tree {tree} -p {tip} -F ../message")).succeeds().stdout;
    s.git(&format!("update-ref refs/comm-node/tasks/bd-1 {}", next.trim())).succeeds();
    red(&s, "records", "refs/comm-node/tasks/bd-1");
}

#[test]
fn a_cycle_that_came_from_elsewhere_is_red() {
    let s = Sandbox::new();
    s.add("one");
    s.add("two --dep bd-1");
    let deps = s.record("tasks/bd-2")["state"]["deps"].clone();
    s.change_record("tasks/bd-1", |record| {
        record["state"]["deps"] = deps;
        record["state"]["deps"][0]["id"] = "bd-2".into();
    });
    red(&s, "work", "bd-1, bd-2 can never start: a cycle");
}

#[test]
fn a_lock_that_was_left_is_found_and_cleared() {
    let s = Sandbox::new();
    s.add("one");
    let lock = s.repo().join(".git/refs/comm-node/tasks/bd-1.lock");
    std::fs::write(&lock, "").unwrap();
    s.comm("doctor").succeeds();
    let file = std::fs::File::options().write(true).open(&lock).unwrap();
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(60)).unwrap();
    red(&s, "locks", "bd-1.lock");
    let fixed = s.comm("doctor --fix").succeeds();
    assert!(fixed.stdout.contains("fixed"), "{}", fixed.stdout);
    assert!(!lock.exists());
    s.comm("doctor").succeeds();
}

#[test]
fn a_mirror_that_would_destroy_records_is_red_and_made_safe() {
    let s = Sandbox::new();
    s.git("remote add origin ../other").succeeds();
    s.git("config remote.origin.fetch +refs/*:refs/*").succeeds();
    red(&s, "remotes", "would overwrite the records");
    s.comm("doctor --fix").succeeds();
    s.git("config remote.origin.mirror true").succeeds();
    red(&s, "remotes", "mirrors everything");
}

#[test]
fn an_agent_checks_as_an_agent() {
    let s = Sandbox::new();
    s.comm("doctor --as-agent").exits(1);
    s.as_agent("ada", "doctor --as-agent").succeeds();
}

#[test]
fn hooks_that_would_not_fire_are_red_where_there_are_rules() {
    let s = Sandbox::new();
    let report = s.comm("doctor --json").succeeds().json();
    assert_eq!(check(&report, "hooks").0, "ok", "{report}");
    s.comm("hook remove").succeeds();
    let report = s.comm("doctor --json").succeeds().json();
    assert_eq!(check(&report, "hooks").0, "note", "{report}");
    std::fs::write(s.repo().join("comm.toml"), "[domains.api]\n").unwrap();
    s.git("add comm.toml").succeeds();
    s.git("commit -q -m rules").succeeds();
    red(&s, "hooks", "would not fire here");
    s.comm("hook install").succeeds();
    s.comm("doctor").succeeds();
}

#[test]
fn rules_that_cannot_be_read_are_red() {
    let s = Sandbox::new();
    std::fs::write(s.repo().join("comm.toml"), "[domains.api]\nscop = 'x'\n").unwrap();
    s.git("add comm.toml").succeeds();
    s.git("commit -q --no-verify -m rules").succeeds();
    red(&s, "rules", "comm.toml:2:1: unknown key `scop`");
}

/// Every subject says something, and what is red is what is expected.
#[track_caller]
fn subjects(report: &Value, red: &[&str]) {
    for name in [
        "git",
        "repository",
        "writable",
        "locks",
        "clock",
        "remotes",
        "settings",
        "identity",
        "board",
        "records",
        "work",
        "rules",
        "hooks",
        "worktrees",
        "harness",
        "sessions",
        "state",
    ] {
        faults(report, name);
    }
    let all = report["checks"].as_array().unwrap();
    let found: Vec<&str> =
        all.iter().filter(|c| c["status"] == "red").map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(found, red, "{report:#}");
}

#[test]
fn every_kind_of_repository_is_looked_at() {
    for init in [&[][..], &["--bare"], &["--object-format=sha256"]] {
        let s = Sandbox::with_init(init);
        subjects(&s.comm("doctor --json").exits(1).json(), &["board"]);
        s.comm("init").succeeds();
        s.add("one");
        subjects(&s.comm("doctor --json").succeeds().json(), &[]);
    }
    let s = Sandbox::with_init(&[]);
    // On a branch without a commit.
    s.git("checkout -q --orphan unborn").succeeds();
    s.comm("init").succeeds();
    subjects(&s.comm("doctor --json").succeeds().json(), &[]);
    if let Some(s) = Sandbox::reftable() {
        s.add("one");
        subjects(&s.comm("doctor --json").succeeds().json(), &[]);
        assert!(check(&s.comm("doctor --json").json(), "repository").1.contains("refs by git"));
    }
}

#[test]
fn where_nothing_can_be_written_the_rest_is_still_looked_at() {
    let s = Sandbox::new();
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    let git = s.repo().join(".git");
    let Some(_mount) = Mount::new(&["--bind"], &git, &git) else { return };
    let remount = std::process::Command::new("mount").args(["-o", "remount,bind,ro"]).arg(&git).status();
    assert!(remount.unwrap().success());
    for words in ["doctor --json", "doctor --fix --json"] {
        let report = s.comm(words).exits(1).json();
        subjects(&report, &["writable"]);
        assert!(check(&report, "clock").1.contains("could not be asked"), "{report}");
    }
}

#[test]
fn a_board_in_order_is_one_screen() {
    let s = Sandbox::new();
    let text = s.comm("doctor").succeeds().stdout;
    assert!(text.lines().count() <= 24, "{text}");
    assert!(text.ends_with("17 checks ok\n"), "{text}");
    for line in text.lines() {
        assert!(line.len() <= 120, "{line}");
    }
}

//! A session that lost its claim is told so, and told no longer than it helps.

use crate::commits::{git_as, guarded, write};
use crate::hooks_support::RULES;
use crate::support::Sandbox;

/// Ada held bd-1 and was told that the person took it; bd-2 is open.
fn lost_by_ada(s: &Sandbox) {
    s.add("one");
    s.add("two");
    s.as_agent("ada", "claim bd-1").succeeds();
    s.as_person("steal bd-1 --reason 'it hangs'").succeeds();
    s.as_agent("ada", "agent heartbeat").exits(5);
}

/// Rules under which a commit needs a claim, and a change to commit.
fn claims_required() -> Sandbox {
    let s = guarded(&format!("{RULES}require_claim = true\n"));
    write(&s, "api/a.txt", "more");
    s
}

/// What a commit of ada's is refused with.
fn refused_commit(s: &Sandbox) -> String {
    git_as(s, Some("ada"), "commit -q -a -m late").exits(1).stderr
}

#[test]
fn what_was_handed_back_is_not_lost() {
    let s = claims_required();
    lost_by_ada(&s);
    s.as_person("handover bd-1 --to ada --reason 'go on'").succeeds();
    let beat = s.as_agent("ada", "agent heartbeat").succeeds().stdout;
    assert!(!beat.contains("lost"), "{beat}");
    let doctor = s.as_agent("ada", "doctor --json").stdout;
    assert!(!doctor.contains("superseded"), "{doctor}");
    git_as(&s, Some("ada"), "commit -q -a -m 'gone on'").succeeds();
    // It is not ended under the grant of before.
    let late = s.as_agent("ada", "close bd-1").exits(5).stderr;
    assert!(late.contains("is at token 3, not at token 1") && late.contains("git comm show bd-1"), "{late}");
    s.as_agent("ada", "renew bd-1 --token 1").exits(5);
    s.as_agent("ada", "renew bd-1").succeeds();
    write(&s, "api/a.txt", "still more");
    git_as(&s, Some("ada"), "commit -q -a -m 'taken up'").succeeds();
    s.as_agent("ada", "close bd-1").succeeds();
}

#[test]
fn a_loss_is_forgotten_once_it_is_told_and_past() {
    for then in [
        &["claim bd-2", "release bd-2"][..],
        &["claim bd-2", "close bd-2"],
        &["cancel bd-2"],
        // By somebody else: the task itself is over.
        &[],
    ] {
        let s = claims_required();
        lost_by_ada(&s);
        let refused = refused_commit(&s);
        assert!(refused.contains("was taken over by kai-conductor (token 2)"), "{refused}");
        for act in then {
            s.as_agent("ada", act).succeeds();
        }
        if then.is_empty() {
            s.as_person("close bd-1").succeeds();
        }
        s.as_agent("ada", "agent heartbeat").succeeds();
        let refused = refused_commit(&s);
        assert!(refused.contains("`ada` holds no task"), "{then:?}: {refused}");
        s.as_agent("ada", "close").exits(4);
        // A late completion stays one.
        s.as_agent("ada", "close bd-1").exits(5);
    }
}

#[test]
fn a_refused_commit_has_told_the_loss() {
    let s = claims_required();
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    s.as_person("cancel bd-1").succeeds();
    let refused = refused_commit(&s);
    assert!(refused.contains("was taken over by kai-conductor"), "{refused}");
    let refused = refused_commit(&s);
    assert!(refused.contains("`ada` holds no task"), "{refused}");
}

#[test]
fn without_an_id_too_a_superseded_holder_is_told_so() {
    let s = Sandbox::new();
    s.as_agent("bob", "agent register").succeeds();
    lost_by_ada(&s);
    let named = s.as_agent("ada", "close bd-1").exits(5).stderr;
    for act in ["close", "fail", "release", "renew", "handover --to bob"] {
        assert_eq!(s.as_agent("ada", act).exits(5).stderr, named, "{act}");
    }
    s.as_agent("ada", "show").exits(4);
    s.as_agent("ada", "next").succeeds();
    s.as_agent("ada", "close").succeeds();
    s.as_agent("ada", "close").exits(4);
}

#[test]
fn the_log_says_what_was_refused_for_want_of_a_claim() {
    let s = claims_required();
    refused_commit(&s);
    let log = s.comm("log --kind refused").succeeds().stdout;
    let line = log.lines().next().unwrap();
    assert!(line.ends_with("claim: `ada` holds no task, and commits here are made under one"), "{log}");
    // Where files were refused, they are what it was.
    write(&s, "web/w.txt", "smuggled");
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    refused_commit(&s);
    let log = s.comm("log --kind refused -n 1").succeeds().stdout;
    assert!(log.lines().next().unwrap().ends_with("scope: web/w.txt"), "{log}");
}

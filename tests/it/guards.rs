//! What a decision rests on beside the record that it changes: none of it may
//! change between the read and the swap.
//!
//! Each test stops a process there, changes one thing, and lets it go on.

use std::process::Command;

use crate::support::race::{Halted, race, race_gated};
use crate::support::{Sandbox, rounds, split};

fn agent(s: &Sandbox, name: &str, words: &str) -> Command {
    let mut command = s.agent_command(name);
    command.args(split(words));
    command
}

fn halted(s: &Sandbox, words: &str) -> Halted {
    Halted::before_swap(s, agent(s, "ada", words))
}

#[test]
fn a_pause_stops_a_claim_that_was_decided_before_it() {
    for s in Sandbox::of_each_ref_format() {
        for (scope, words) in [("all", "claim bd-1"), ("ada", "next"), ("domain:api", "claim bd-1")] {
            s.add("'Must not start' --domain api");
            let claim = halted(&s, words);
            s.as_person(&format!("pause {scope} --reason 'look first'")).succeeds();
            let refused = claim.go_on().exits(5);
            assert!(refused.stderr.contains("is paused by kai-conductor: look first"), "{}", refused.stderr);
            assert_eq!(s.task("bd-1")["state"], "open");
            s.as_person(&format!("resume {scope}")).succeeds();
        }
        assert!(s.grants("bd-1").is_empty());
        s.as_agent("ada", "claim bd-1").succeeds();
    }
}

#[test]
fn the_end_of_a_pause_and_a_pause_of_others_stop_nobody() {
    for s in Sandbox::of_each_ref_format() {
        let (one, two) = (s.add("one"), s.add("two"));
        let claim = halted(&s, &format!("claim {one}"));
        s.as_person("pause bob").succeeds();
        claim.go_on().succeeds();
        let claim = halted(&s, &format!("claim {two}"));
        s.as_person("resume bob").succeeds();
        claim.go_on().succeeds();
    }
}

#[test]
fn a_newer_format_stops_a_claim_that_was_decided_under_the_older_one() {
    for s in Sandbox::of_each_ref_format() {
        let id = s.add("'Decided under format 1'");
        let claim = halted(&s, &format!("claim {id}"));
        let mut meta = s.records("meta").pop().unwrap();
        meta["state"]["format"] = 99.into();
        let moved = s.plain_version("meta", meta, &"cd".repeat(16)).status().unwrap();
        assert!(moved.success());
        let refused = claim.go_on();
        assert!(refused.code != 0 && refused.stderr.contains("format"), "{refused:?}");
        assert!(s.grants(&id).is_empty());
    }
}

#[test]
fn a_task_whose_blocker_is_reopened_is_not_granted() {
    for s in Sandbox::of_each_ref_format() {
        let first = s.add("first");
        let second = s.add(&format!("second --dep {first}"));
        for (end, words) in [("close", format!("claim {second}")), ("cancel", "next".to_owned())] {
            s.comm(&format!("{end} {first}")).succeeds();
            let claim = halted(&s, &words);
            s.comm(&format!("reopen {first}")).succeeds();
            s.as_agent("bob", &format!("claim {first}")).succeeds();
            claim.go_on().exits(1);
            assert_eq!(s.task(&second)["state"], "open");
            s.as_agent("bob", &format!("release {first}")).succeeds();
        }
        assert!(s.grants(&second).is_empty());
    }
}

#[test]
fn a_task_that_begins_to_wait_or_is_assigned_is_not_granted() {
    for s in Sandbox::of_each_ref_format() {
        let (open, task) = (s.add("open"), s.add("wanted"));
        for (change, expected) in [
            (format!("dep add {task} {open}"), "waits for"),
            (format!("edit {task} --assignee bob"), "is assigned to bob"),
            (format!("cancel {task}"), "is already cancelled"),
        ] {
            let claim = halted(&s, &format!("claim {task}"));
            s.comm(&change).succeeds();
            let refused = claim.go_on().exits(1);
            assert!(refused.stderr.contains(expected), "{}", refused.stderr);
            // Undone, so that the next change meets a task that is free.
            let _ = s.comm(&format!("dep remove {task} {open}"));
            s.comm(&format!("edit {task} --assignee ''")).succeeds();
        }
        assert!(s.grants(&task).is_empty());
    }
}

#[test]
fn what_does_not_matter_to_a_claim_does_not_stop_it() {
    for s in Sandbox::of_each_ref_format() {
        let first = s.add("first");
        let second = s.add(&format!("second --dep {first}"));
        s.comm(&format!("close {first}")).succeeds();
        let claim = halted(&s, &format!("claim {second} --json"));
        s.comm(&format!("comment {first} 'Well done'")).succeeds();
        s.comm(&format!("comment {second} 'Go on'")).succeeds();
        assert_eq!(claim.go_on().succeeds().json()["granted"], true);
        let kinds: Vec<_> = s.chain(&second).into_iter().map(|v| v["event"]["type"].clone()).collect();
        assert_eq!(kinds, ["create", "comment", "claim"]);
    }
}

#[test]
fn dependency_edits_that_cross_close_no_cycle() {
    for s in Sandbox::of_each_ref_format() {
        let (a, b, c) = (s.add("a"), s.add("b"), s.add("c"));
        for (verb, undo) in [("dep add", "dep remove"), ("edit", "edit")] {
            let wait = |from: &str, to: &str| match verb {
                "edit" => format!("edit {from} --parent {to}"),
                _ => format!("dep add {from} {to}"),
            };
            let edit = halted(&s, &wait(&a, &b));
            s.comm(&wait(&b, &a)).succeeds();
            let refused = edit.go_on().exits(1);
            assert!(refused.stderr.contains(&format!("{a} -> {b} -> {a}")), "{}", refused.stderr);
            // Farther away: the cycle would run through a third task.
            let edit = halted(&s, &wait(&a, &c));
            s.comm(&wait(&c, &b)).succeeds();
            let refused = edit.go_on().exits(1);
            assert!(refused.stderr.contains(&format!("{a} -> {c} -> {b} -> {a}")), "{}", refused.stderr);
            for (from, to) in [(&b, &a), (&c, &b)] {
                match undo {
                    "edit" => s.comm(&format!("edit {from} --parent ''")).succeeds(),
                    _ => s.comm(&format!("dep remove {from} {to}")).succeeds(),
                };
            }
        }
    }
}

#[test]
fn of_edits_that_would_close_a_cycle_together_one_is_refused() {
    for s in Sandbox::of_each_ref_format() {
        for round in 0..rounds(4, 60) {
            let ids: Vec<String> = (0..4).map(|n| s.add(&format!("'Link {n} of round {round}'"))).collect();
            let edits: Vec<Command> = (0..4)
                .map(|n| {
                    agent(&s, &format!("agent-{n}"), &format!("dep add {} {}", ids[n], ids[(n + 1) % 4]))
                })
                .collect();
            let runs = if round.is_multiple_of(2) { race(edits) } else { race_gated(&s, edits) };
            assert_eq!(runs.iter().filter(|run| run.code == 0).count(), 3, "{runs:#?}");
            assert_eq!(runs.iter().filter(|run| run.code == 1).count(), 1, "{runs:#?}");
        }
        let shape = s.comm("dep shape --json").succeeds().json();
        assert_eq!(shape["cycles"].as_array().unwrap().len(), 0, "{shape}");
    }
}

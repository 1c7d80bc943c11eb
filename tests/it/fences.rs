//! Who may act on a claim: whoever holds it under the token in force, through
//! renewal, release, hand-over, theft and reopening.

use std::process::Command;

use serde_json::json;

use crate::support::race::{Halted, race, race_gated};
use crate::support::{Run, Sandbox, rounds, split};

/// A task that ada holds under token 1.
fn held_by_ada() -> (Sandbox, String) {
    let s = Sandbox::new();
    let id = s.add("'Held by ada'");
    s.as_agent("ada", &format!("claim {id}")).succeeds();
    (s, id)
}

/// What a holder does with its claim.
const ACTS: [&str; 5] = ["close", "fail", "release", "renew", "handover --to cyd"];

/// Ada, who held the task, is refused everything, and nothing is written.
#[track_caller]
fn ada_is_superseded(s: &Sandbox, id: &str, by: &str) {
    s.as_agent("cyd", "agent register").succeeds();
    let before = s.chain(id).len();
    for act in ACTS {
        let refused = s.as_agent("ada", &format!("{act} {id}")).exits(5);
        assert!(refused.stderr.contains(&format!("was taken over by {by}")), "{act}: {}", refused.stderr);
    }
    assert_eq!(s.chain(id).len(), before);
}

#[test]
fn a_renewal_keeps_the_token_and_moves_the_end() {
    let (s, id) = held_by_ada();
    let before = s.task(&id)["claim"].clone();
    s.as_agent("ada", "renew --ttl 2h").succeeds();
    let after = s.task(&id)["claim"].clone();
    assert_eq!((&after["token"], &after["nonce"]), (&before["token"], &before["nonce"]));
    assert!(after["expires_at"].as_str() > before["expires_at"].as_str(), "{after}");
    s.as_agent("ada", &format!("renew {id} --token 1")).succeeds();
    s.as_agent("ada", &format!("renew {id} --token 2")).exits(5);
    s.as_agent("bob", &format!("renew {id}")).exits(5);
    s.as_agent("bob", "renew").exits(4);
}

#[test]
fn a_stranger_cannot_end_a_claim() {
    let (s, id) = held_by_ada();
    s.as_agent("bob", "agent register").succeeds();
    s.as_agent("cyd", "agent register").succeeds();
    let before = s.chain(&id).len();
    for act in ACTS {
        let refused = s.as_agent("bob", &format!("{act} {id}")).exits(5);
        assert!(refused.stderr.contains("is held by ada, not by bob"), "{act}: {}", refused.stderr);
        // Naming the right token does not make it one's own.
        if !act.starts_with("handover") {
            s.as_agent("bob", &format!("{act} {id} --token 1")).exits(5);
        }
    }
    s.as_agent("bob", &format!("cancel {id}")).exits(5);
    s.as_agent("bob", &format!("steal {id} --reason mine")).exits(5);
    s.as_agent("bob", &format!("reopen {id}")).exits(1);
    s.comm(&format!("close {id}")).exits(5);
    assert_eq!(s.chain(&id).len(), before);
}

#[test]
fn a_release_gives_the_task_to_whoever_comes_next_under_a_new_token() {
    let (s, id) = held_by_ada();
    s.as_agent("ada", "release --reason 'out of my depth'").succeeds();
    s.as_agent("ada", &format!("release {id}")).succeeds();
    assert_eq!(s.chain(&id).len(), 3, "a repeated release is none");
    assert_eq!(s.task(&id)["state"], "open");
    s.as_agent("bob", &format!("claim {id}")).succeeds();
    assert_eq!(s.token(&id), 2);
    s.as_agent("ada", &format!("close {id}")).exits(5);
    s.as_agent("ada", &format!("release {id}")).exits(5);
    s.as_agent("bob", &format!("close {id} --token 1")).exits(5);
    s.as_agent("bob", &format!("close {id} --token 2")).succeeds();
}

#[test]
fn a_hand_over_is_a_grant_that_its_receiver_takes_up() {
    let (s, id) = held_by_ada();
    s.as_agent("ada", &format!("handover {id} --to bob")).exits(4);
    s.as_agent("bob", "agent register").succeeds();
    s.as_agent("ada", &format!("handover {id} --to bob --reason 'your subject'")).succeeds();
    assert_eq!(s.token(&id), 2);
    s.as_agent("cyd", &format!("claim {id}")).exits(1);
    s.as_agent("ada", &format!("claim {id}")).exits(1);
    s.as_agent("ada", &format!("close {id}")).exits(5);
    // `next` offers what was handed over before anything else.
    s.add("'More urgent' -p 0");
    let taken = s.as_agent("bob", "next --json").succeeds().json();
    assert_eq!((&taken["task"]["id"], &taken["granted"]), (&id.clone().into(), &true.into()));
    assert_eq!(s.token(&id), 3);
    s.as_agent("bob", &format!("close {id}")).succeeds();
}

#[test]
fn one_session_takes_up_what_was_handed_over() {
    for round in 0..rounds(3, 50) {
        let (s, id) = held_by_ada();
        s.as_agent("bob", "agent register").succeeds();
        s.as_agent("ada", &format!("handover {id} --to bob")).succeeds();
        let claim = |session: usize| {
            let mut command = s.agent_command("bob");
            command.args(["claim", &id]).env("GIT_COMM_SESSION", session.to_string());
            command
        };
        let claims: Vec<Command> = (0..8).map(claim).collect();
        let runs = if round.is_multiple_of(2) { race(claims) } else { race_gated(&s, claims) };
        assert_eq!(runs.iter().filter(|run| run.code == 0).count(), 1, "{runs:#?}");
        assert_eq!(runs.iter().filter(|run| run.code == 1).count(), 7, "{runs:#?}");
        assert_eq!(s.grants(&id).len(), 3);
    }
}

#[test]
fn a_holder_is_superseded_by_the_person_and_stays_so() {
    for then in ["renew", "release", "close", "cancel", "handover --to bob"] {
        let (s, id) = held_by_ada();
        s.as_agent("bob", "agent register").succeeds();
        s.as_person(&format!("steal {id}")).exits(129);
        s.as_person(&format!("steal {id} --reason 'it hangs'")).succeeds();
        assert_eq!(s.token(&id), 2);
        ada_is_superseded(&s, &id, "kai-conductor");
        s.as_person(&format!("{then} {id}")).succeeds();
        ada_is_superseded(&s, &id, if then.contains("bob") { "bob" } else { "kai-conductor" });
    }
}

#[test]
fn a_cancelled_claim_is_over_for_its_holder() {
    let (s, id) = held_by_ada();
    s.as_person(&format!("cancel {id}")).succeeds();
    assert_eq!(s.token(&id), 2);
    ada_is_superseded(&s, &id, "kai-conductor");
    s.comm(&format!("reopen {id}")).succeeds();
    ada_is_superseded(&s, &id, "kai-conductor");
    s.as_agent("ada", &format!("claim {id}")).succeeds();
    assert_eq!(s.token(&id), 4);
    s.as_agent("ada", &format!("close {id}")).succeeds();
}

#[test]
fn a_reopened_task_has_left_its_closers_token_behind() {
    let (s, id) = held_by_ada();
    s.as_agent("ada", "close").succeeds();
    assert_eq!(s.token(&id), 1, "a close belongs to the claim that it ends");
    s.as_agent("bob", &format!("reopen {id} --reason 'it does not build'")).succeeds();
    assert_eq!(s.token(&id), 2);
    s.as_agent("ada", &format!("close {id} --token 1")).exits(5);
    s.as_agent("bob", &format!("claim {id}")).succeeds();
    s.as_agent("ada", &format!("close {id}")).exits(5);
    assert_eq!(s.token(&id), 3);
}

#[test]
fn a_holder_superseded_between_its_read_and_its_swap_is_refused() {
    for s in Sandbox::of_each_ref_format() {
        s.as_agent("cyd", "agent register").succeeds();
        for act in ACTS {
            let id = s.add(&format!("'To {act} too late'"));
            s.as_agent("ada", &format!("claim {id}")).succeeds();
            let mut command = s.agent_command("ada");
            command.args(split(act)).arg(&id);
            let late = Halted::before_swap(&s, command);
            s.as_person(&format!("steal {id} --reason 'it hangs'")).succeeds();
            let refused = late.go_on().exits(5);
            assert!(refused.stderr.contains("was taken over by kai-conductor"), "{}", refused.stderr);
            assert_eq!(s.chain(&id).len(), 3);
        }
    }
}

/// Another session of ada.
fn other_session(s: &Sandbox, words: &str) -> Run {
    let mut command = s.agent_command("ada");
    let output = command.args(split(words)).env("GIT_COMM_SESSION", "other").output().unwrap();
    Run::of(&output, &format!("[ada, other session] git comm {words}"))
}

#[test]
fn another_session_of_the_holder_is_a_stranger() {
    let (s, id) = held_by_ada();
    s.as_agent("cyd", "agent register").succeeds();
    other_session(&s, &format!("claim {id}")).exits(1);
    for act in ACTS {
        other_session(&s, &format!("{act} {id}")).exits(5);
    }
    assert_eq!(s.chain(&id).len(), 2);
}

#[test]
fn a_session_superseded_by_another_of_its_agent_is_refused() {
    for then in ["renew", "release", "close"] {
        let (s, id) = held_by_ada();
        s.as_agent("bob", "agent register").succeeds();
        s.as_agent("ada", "agent register").succeeds();
        // Away from the first session and back to the agent, not to it.
        s.as_person(&format!("steal {id} --reason 'it hangs'")).succeeds();
        s.as_person(&format!("handover {id} --to ada")).succeeds();
        other_session(&s, &format!("claim {id}")).succeeds();
        other_session(&s, &format!("{then} {id}")).succeeds();
        ada_is_superseded(&s, &id, "ada");
    }
}

#[test]
fn an_equal_token_of_another_grant_is_not_ones_own() {
    let s = Sandbox::new();
    let id = s.add("'Granted twice, in two histories'");
    // In the other history the first token was granted to somebody who is
    // done; it comes in place of ours.
    let mut other = s.chain(&id).remove(0);
    let nonce = "ef".repeat(16);
    other["event"] = json!({ "type": "close" });
    other["state"]["token_floor"] = 1.into();
    other["state"]["phase"] = json!({
        "state": "done",
        "fence": { "token": 1, "nonce": nonce },
        "outcome": { "by": "rival", "at": other["at"] },
    });
    let moves = s.plain_version(&format!("tasks/{id}"), other, &nonce);
    s.as_agent("ada", &format!("claim {id}")).succeeds();
    assert_eq!(s.token(&id), 1);
    // Without the value that it expects, git moves the ref from anywhere.
    let forced: Vec<_> = moves.get_args().take(3).collect();
    assert!(s.bare_command("git", s.repo()).args(forced).status().unwrap().success());
    ada_is_superseded(&s, &id, "rival");
}

#[test]
fn a_session_remembers_every_claim_that_it_made_at_once() {
    for round in 0..rounds(3, 50) {
        let s = Sandbox::new();
        let ids: Vec<String> = (0..8).map(|n| s.add(&format!("'Claimed with others {n}'"))).collect();
        let claim = |id: &String| {
            let mut command = s.agent_command("ada");
            command.args(["claim", id]);
            command
        };
        let claims = ids.iter().map(claim).collect::<Vec<_>>();
        for run in if round.is_multiple_of(2) { race(claims) } else { race_gated(&s, claims) } {
            run.succeeds();
        }
        for id in &ids {
            s.as_person(&format!("steal {id} --reason 'it hangs'")).succeeds();
            s.as_person(&format!("close {id}")).succeeds();
            s.as_agent("ada", &format!("close {id}")).exits(5);
        }
    }
}

#[test]
fn a_task_that_waits_again_is_not_taken_over() {
    let s = Sandbox::new();
    s.add("first");
    s.add("second --dep bd-1");
    s.comm("close bd-1").succeeds();
    s.as_agent("ada", "claim bd-2 --ttl 1s").succeeds();
    s.comm("reopen bd-1").succeeds();
    // Refused as held first, then as waiting.
    let waiting = loop {
        let refused = s.as_agent("bob", "claim bd-2").exits(1);
        if !refused.stderr.contains("is held by") {
            break refused;
        }
    };
    assert!(waiting.stderr.contains("waits for bd-1 (open)"), "{}", waiting.stderr);
    s.comm("close bd-1").succeeds();
    s.as_agent("bob", "claim bd-2").succeeds();
}

#[test]
fn a_loss_is_told_until_the_session_takes_other_work() {
    let s = Sandbox::new();
    s.add("one");
    s.add("two");
    s.as_agent("ada", "claim bd-1 --ttl 1s").succeeds();
    let taken = loop {
        let taken = s.as_agent("bob", "claim bd-1");
        if taken.code == 0 {
            break taken;
        }
    };
    assert!(taken.stdout.contains("taken over from ada"), "{}", taken.stdout);
    let late = s.as_agent("ada", "close bd-1").exits(5);
    assert!(late.stderr.contains("taken over by bob"), "{}", late.stderr);
    assert!(!late.stderr.contains("warning"), "said once: {}", late.stderr);
    for _ in 0..2 {
        let beat = s.as_agent("ada", "agent heartbeat").exits(5);
        assert!(beat.stdout.contains("you lost `bd-1` to bob"), "{}", beat.stdout);
    }
    s.as_agent("ada", "claim bd-2").succeeds();
    s.as_agent("ada", "agent heartbeat").succeeds();
    s.as_agent("bob", "release bd-1").succeeds();
    s.as_agent("ada", "close bd-1").exits(5);
}

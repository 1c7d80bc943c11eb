//! Clocks that jump, stand still or are wrong: one holder all the same, and
//! tokens and times that only grow.
//!
//! These tests move the clocks of the program through the seam of its debug
//! build; nothing here waits.

use std::process::Command;

use crate::support::race::{Halted, race, race_gated};
use crate::support::{Run, Sandbox, rounds, seamed_program, split};

/// A clock: what the wall says, and what the time since boot is. `+N`, `-N`
/// or `@N`, in seconds.
#[derive(Clone, Copy, Debug)]
struct Clock {
    wall: &'static str,
    boot: &'static str,
    /// The boot that it counts from.
    boot_id: &'static str,
}

/// A clock on the boot that most of a test happens on.
fn clock(wall: &'static str, boot: &'static str) -> Clock {
    Clock { wall, boot, boot_id: "first" }
}

/// A clock that shows this many seconds, on both.
fn at(seconds: u32) -> Clock {
    let text = |n: u32| -> &'static str { Box::leak(format!("@{n}").into_boxed_str()) };
    clock(text(1_800_000_000 + seconds), text(1_000 + seconds))
}

/// The same after a restart, at which the time since boot began again.
fn rebooted_at(seconds: u32) -> Clock {
    let boot: &'static str = Box::leak(format!("@{seconds}").into_boxed_str());
    Clock { boot, boot_id: "second", ..at(seconds) }
}

fn command(s: &Sandbox, clock: Clock, agent: &str, words: &str) -> Command {
    let mut command = s.bare_command(seamed_program(), s.repo());
    command.env("GIT_COMM_AGENT", agent).args(split(words));
    command.env("GIT_COMM_TEST_WALL", clock.wall).env("GIT_COMM_TEST_BOOT", clock.boot);
    command.env("GIT_COMM_TEST_BOOT_ID", clock.boot_id);
    command
}

fn run(s: &Sandbox, clock: Clock, agent: &str, words: &str) -> Run {
    Run::of(
        &command(s, clock, agent, words).output().unwrap(),
        &format!("[{agent}, {clock:?}] git comm {words}"),
    )
}

/// As [`run`], from another session of the agent.
fn run_in(s: &Sandbox, session: &str, clock: Clock, agent: &str, words: &str) -> Run {
    let output = command(s, clock, agent, words).env("GIT_COMM_SESSION", session).output().unwrap();
    Run::of(&output, &format!("[{agent} in {session}, {clock:?}] git comm {words}"))
}

/// Wall clocks that are wrong in every way: an hour ahead, an hour behind,
/// standing still, in another century, at the beginning of time.
const WALLS: [&str; 6] = ["+0", "+3600", "-3600", "@1700000000", "@4070908800", "@0"];

#[test]
fn one_of_sixteen_with_different_clocks_wins() {
    let s = Sandbox::new();
    for round in 0..rounds(6, 100) {
        let id = s.add(&format!("'Wanted in round {round}'"));
        let claim = |n: usize| {
            let clock = clock(WALLS[(n + round) % WALLS.len()], "@1000");
            command(&s, clock, &format!("agent-{n}"), &format!("claim {id}"))
        };
        let claims = (0..16).map(claim).collect();
        let runs = if round.is_multiple_of(2) { race(claims) } else { race_gated(&s, claims) };
        assert_eq!(runs.iter().filter(|run| run.code == 0).count(), 1, "{runs:#?}");
        assert_eq!(runs.iter().filter(|run| run.code == 1).count(), 15, "{runs:#?}");
        assert_eq!(s.grants(&id).len(), 1);
    }
}

#[test]
fn one_of_sixteen_takers_with_different_clocks_wins() {
    let s = Sandbox::new();
    for round in 0..rounds(6, 100) {
        let id = s.add(&format!("'Left in round {round}'"));
        let held = clock(WALLS[round % WALLS.len()], "@1000");
        run(&s, held, "gone", &format!("claim {id} --ttl 60s")).succeeds();
        let claim = |n: usize| {
            let clock = clock(WALLS[n % WALLS.len()], "@1061");
            command(&s, clock, &format!("agent-{n}"), &format!("claim {id}"))
        };
        let claims = (0..16).map(claim).collect();
        let runs = if round.is_multiple_of(2) { race(claims) } else { race_gated(&s, claims) };
        assert_eq!(runs.iter().filter(|run| run.code == 0).count(), 1, "{runs:#?}");
        assert_eq!(s.grants(&id).len(), 2);
        assert_eq!(s.token(&id), 2);
        run(&s, held, "gone", &format!("close {id}")).exits(5);
    }
}

#[test]
fn a_life_under_jumping_clocks_has_growing_tokens_and_times() {
    for (number, first) in WALLS.into_iter().enumerate() {
        let s = Sandbox::new();
        let id = s.add("'A life'");
        let mut walls = WALLS.into_iter().cycle().skip(number + 1);
        let mut next = |boot| clock(walls.next().unwrap(), boot);
        run(&s, clock(first, "@1000"), "ada", &format!("claim {id} --ttl 60s")).succeeds();
        run(&s, next("@1059"), "bob", &format!("claim {id}")).exits(1);
        run(&s, next("@1061"), "bob", &format!("claim {id} --ttl 60s")).succeeds();
        run(&s, next("@1062"), "ada", &format!("renew {id}")).exits(5);
        run(&s, next("@1063"), "bob", &format!("renew {id}")).succeeds();
        run(&s, next("@1064"), "bob", &format!("comment {id} 'What time is it?'")).succeeds();
        run(&s, next("@1065"), "bob", &format!("release {id}")).succeeds();
        run(&s, next("@1066"), "cyd", &format!("claim {id}")).succeeds();
        run(&s, next("@1067"), "cyd", &format!("close {id}")).succeeds();
        run(&s, next("@1068"), "dan", &format!("reopen {id}")).succeeds();
        run(&s, next("@1069"), "dan", &format!("claim {id}")).succeeds();
        // Reading the chain checks that everything in it grows.
        assert_eq!(s.chain(&id).len(), 10, "every accepted event is there");
        assert_eq!(s.token(&id), 5);
        for loser in ["ada", "bob"] {
            run(&s, next("@1070"), loser, &format!("close {id}")).exits(5);
        }
    }
}

#[test]
fn no_wall_clock_ends_or_extends_a_lease_on_the_boot_that_granted_it() {
    let s = Sandbox::new();
    for (number, held) in WALLS.into_iter().enumerate() {
        let id = s.add(&format!("'Held {number}'"));
        run(&s, clock(held, "@1000"), "ada", &format!("claim {id} --ttl 60s")).succeeds();
        for wall in WALLS {
            run(&s, clock(wall, "@1059"), "bob", &format!("claim {id}")).exits(1);
        }
        run(&s, clock(WALLS[(number + 3) % 6], "@1060"), "bob", &format!("claim {id}")).succeeds();
        assert_eq!(s.grants(&id).len(), 2);
    }
}

#[test]
fn a_sign_of_life_counts_for_the_session_that_gave_it() {
    let s = Sandbox::new();
    let id = s.add("'Held by one of two sessions'");
    let take = |seconds| run(&s, at(seconds), "bob", &format!("claim {id}"));
    run_in(&s, "one", at(0), "ada", &format!("claim {id} --ttl 60s")).succeeds();
    run_in(&s, "one", at(50), "ada", "agent heartbeat").succeeds();
    take(100).exits(1);
    // Session `one` is dead from here on, the other is not.
    run_in(&s, "two", at(100), "ada", "agent heartbeat").succeeds();
    run_in(&s, "two", at(101), "ada", "status").succeeds();
    run_in(&s, "two", at(102), "ada", &format!("comment {id} 'I am here'")).succeeds();
    take(109).exits(1);
    take(111).succeeds();
    run_in(&s, "one", at(112), "ada", &format!("close {id}")).exits(5);
    run_in(&s, "two", at(112), "ada", &format!("close {id}")).exits(5);
}

#[test]
fn every_verb_of_a_holder_is_a_sign_of_life_once_a_third_of_its_lease_has_passed() {
    let s = Sandbox::new();
    let id = s.add("'Held by a busy agent'");
    run(&s, at(0), "ada", &format!("claim {id} --ttl 60s")).succeeds();
    let beats = || s.records("agents/ada").len();
    let at_first = beats();
    run(&s, at(19), "ada", "status").succeeds();
    assert_eq!(beats(), at_first);
    run(&s, at(21), "ada", "status").succeeds();
    assert_eq!(beats(), at_first + 1);
    run(&s, at(80), "bob", &format!("claim {id}")).exits(1);
    run(&s, at(82), "bob", &format!("claim {id}")).succeeds();
}

#[test]
fn a_sign_of_life_between_a_takers_read_and_its_swap_stops_it() {
    for words in ["claim bd-1", "next"] {
        for s in Sandbox::of_each_ref_format() {
            let id = s.add("'Not abandoned'");
            run(&s, at(0), "ada", &format!("claim {id} --ttl 60s")).succeeds();
            let taker = Halted::before_swap(&s, command(&s, at(61), "bob", words));
            run(&s, at(61), "ada", "agent heartbeat").succeeds();
            taker.go_on().exits(1);
            assert_eq!(s.task(&id)["claim"]["agent"], "ada");
            assert_eq!(s.grants(&id).len(), 1);
        }
    }
}

#[test]
fn a_sign_of_life_of_another_session_does_not_stop_a_taker() {
    for s in Sandbox::of_each_ref_format() {
        let id = s.add("'Abandoned by one session'");
        run_in(&s, "one", at(0), "ada", &format!("claim {id} --ttl 60s")).succeeds();
        let taker = Halted::before_swap(&s, command(&s, at(61), "bob", &format!("claim {id}")));
        run_in(&s, "two", at(61), "ada", "agent heartbeat").succeeds();
        taker.go_on().succeeds();
        assert_eq!(s.task(&id)["claim"]["agent"], "bob");
    }
}

#[test]
fn after_a_restart_a_lease_is_watched_for_its_whole_length() {
    let s = Sandbox::new();
    let id = s.add("'Held before the restart'");
    run(&s, at(0), "ada", &format!("claim {id} --ttl 60s")).succeeds();
    let take = |clock| run(&s, clock, "bob", &format!("claim {id}"));
    // First seen here: the end and the allowance for wrong clocks have passed,
    // but nobody has watched.
    let early = take(rebooted_at(100)).exits(1);
    assert!(early.stderr.contains("it can be taken at 2027-01-15T08:02:40Z"), "{}", early.stderr);
    // What says nothing of the holder does not start the wait over.
    run(&s, rebooted_at(120), "cyd", &format!("comment {id} 'Is anybody there?'")).succeeds();
    run(&s, rebooted_at(130), "cyd", &format!("edit {id} -p 0")).succeeds();
    run_in(&s, "two", rebooted_at(140), "ada", "agent heartbeat").succeeds();
    let early = take(rebooted_at(159)).exits(1);
    assert!(early.stderr.contains("it can be taken at 2027-01-15T08:02:40Z"), "{}", early.stderr);
    take(rebooted_at(160)).succeeds();
    assert_eq!(s.token(&id), 2);
    run(&s, rebooted_at(161), "ada", &format!("close {id}")).exits(5);
}

#[test]
fn a_wall_clock_set_forward_does_not_shorten_the_watch() {
    let s = Sandbox::new();
    let id = s.add("'Held before the restart'");
    run(&s, at(0), "ada", &format!("claim {id} --ttl 60s")).succeeds();
    let set_forward = |seconds| Clock { wall: "@4070908800", ..rebooted_at(seconds) };
    run(&s, set_forward(1), "bob", &format!("claim {id}")).exits(1);
    run(&s, set_forward(60), "bob", &format!("claim {id}")).exits(1);
    run(&s, set_forward(61), "bob", &format!("claim {id}")).succeeds();
}

#[test]
fn a_renewal_or_the_holders_own_sign_of_life_starts_the_wait_over() {
    for words in ["agent heartbeat", "renew"] {
        let s = Sandbox::new();
        let id = s.add("'Held across the restart'");
        run(&s, at(0), "ada", &format!("claim {id} --ttl 60s")).succeeds();
        run(&s, rebooted_at(100), "bob", &format!("claim {id}")).exits(1);
        run(&s, rebooted_at(120), "ada", words).succeeds();
        run(&s, rebooted_at(160), "bob", &format!("claim {id}")).exits(1);
        run(&s, rebooted_at(179), "bob", &format!("claim {id}")).exits(1);
        run(&s, rebooted_at(181), "bob", &format!("claim {id}")).succeeds();
    }
}

#[test]
fn a_lease_that_ran_out_and_was_not_taken_still_lets_its_holder_finish() {
    let s = Sandbox::new();
    for verb in ["close", "fail"] {
        let id = s.add(&format!("'To {verb} late'"));
        run(&s, at(0), "ada", &format!("claim {id} --ttl 60s")).succeeds();
        let done = run(&s, at(500), "ada", &format!("{verb} {id}")).succeeds();
        assert!(verb != "close" || done.stdout.contains("late"), "{}", done.stdout);
        let last = s.chain(&id).pop().unwrap();
        assert_eq!(last["event"]["late"], true);
        assert_eq!(last["state"]["phase"]["outcome"]["late"], true);
        assert_eq!(s.token(&id), 1, "it ends under its own claim");
    }
    let id = s.add("'In time'");
    run(&s, at(0), "ada", &format!("claim {id} --ttl 60s")).succeeds();
    run(&s, at(59), "ada", &format!("close {id}")).succeeds();
    assert_eq!(s.chain(&id).pop().unwrap()["event"].get("late"), None);
}

#[test]
fn a_holder_takes_up_its_own_expired_lease_under_the_same_token() {
    let s = Sandbox::new();
    let id = s.add("'Slept too long'");
    run(&s, at(0), "ada", &format!("claim {id} --ttl 60s")).succeeds();
    let again = run(&s, at(100), "ada", &format!("claim {id} --ttl 60s --json")).succeeds().json();
    assert_eq!(again["granted"], false);
    assert_eq!(s.token(&id), 1);
    run(&s, at(159), "bob", &format!("claim {id}")).exits(1);
    run(&s, at(161), "bob", &format!("claim {id}")).succeeds();
}

#[test]
fn a_superseded_holder_is_refused_whatever_the_clocks_say() {
    for after in ["claimed", "released", "closed", "failed", "reopened"] {
        let s = Sandbox::new();
        let id = s.add("'Taken over'");
        run(&s, at(0), "ada", &format!("claim {id} --ttl 60s")).succeeds();
        run(&s, at(61), "bob", &format!("claim {id} --ttl 1h")).succeeds();
        for verb in match after {
            "released" => &["release"][..],
            "closed" => &["close"],
            "failed" => &["fail"],
            "reopened" => &["close", "reopen"],
            _ => &[],
        } {
            run(&s, at(70), "bob", &format!("{verb} {id}")).succeeds();
        }
        let before = s.chain(&id).len();
        for wall in WALLS {
            // Also where the boot clock says that the lease still runs.
            for boot in ["@1001", "@1080"] {
                for verb in ["close", "fail", "release", "renew", "handover --to bob"] {
                    let words = format!("{verb} {id}");
                    let refused = run(&s, clock(wall, boot), "ada", &words).exits(5);
                    assert!(refused.stderr.contains("was taken over by bob"), "{after}: {}", refused.stderr);
                }
            }
        }
        assert_eq!(s.chain(&id).len(), before);
    }
}

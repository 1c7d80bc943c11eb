//! A task's life, told through the command line.

use crate::support::Sandbox;

#[test]
fn a_task_is_claimed_by_one_and_closed_by_its_holder() {
    let s = Sandbox::new();
    assert_eq!(s.add("'Write the parser' -p 1"), "bd-1");
    s.as_agent("ada", "claim bd-1").succeeds();
    let refused = s.as_agent("bob", "claim bd-1").exits(1);
    assert!(refused.stderr.starts_with("error: task `bd-1` is held by ada until "), "{}", refused.stderr);
    assert!(refused.stderr.contains("\n\nhint: "), "{}", refused.stderr);
    s.as_agent("bob", "close bd-1").exits(5);
    s.as_agent("ada", "close").succeeds();
    assert_eq!(s.task("bd-1")["state"], "done");
    s.as_agent("ada", "close bd-1").succeeds();
    s.as_agent("bob", "claim bd-1").exits(1);
}

#[test]
fn what_waits_is_not_ready_until_what_it_waits_for_is_done() {
    let s = Sandbox::new();
    s.add("first");
    s.add("second --dep bd-1");
    let ready = |s: &Sandbox| -> Vec<String> {
        let tasks = s.comm("ready --json").json()["tasks"].clone();
        tasks.as_array().unwrap().iter().map(|t| t["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ready(&s), ["bd-1"]);
    s.as_agent("ada", "claim bd-2").exits(1);
    s.as_agent("ada", "next").succeeds();
    s.as_agent("ada", "fail bd-1").succeeds();
    assert!(ready(&s).is_empty(), "failed does not unblock");
    s.comm("reopen bd-1").succeeds();
    s.comm("cancel bd-1").succeeds();
    assert_eq!(ready(&s), ["bd-2"], "cancelled does");
}

#[test]
fn a_cycle_is_refused_and_printed() {
    let s = Sandbox::new();
    s.add("a");
    s.add("b --dep bd-1");
    s.add("c --dep bd-2");
    let refused = s.comm("dep add bd-1 bd-3").exits(1);
    assert!(refused.stderr.contains("bd-1 -> bd-3 -> bd-2 -> bd-1"), "{}", refused.stderr);
    s.comm("dep add bd-1 bd-1").exits(1);
}

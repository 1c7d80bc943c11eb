//! Everything that says when a lease ends says the same: its end as heartbeats
//! have moved it, and none once it is over.

use serde_json::Value;

use crate::support::{Run, Sandbox, seamed_program, split};

/// Runs the program at this second, on the first boot or after it.
fn at(s: &Sandbox, second: u32, boot: &str, agent: &str, words: &str) -> Run {
    let mut command = s.bare_command(seamed_program(), s.repo());
    command.env("GIT_COMM_AGENT", agent).env("GIT_COMM_TEST_BOOT_ID", boot);
    command.env("GIT_COMM_TEST_WALL", format!("@{}", 1_800_000_000 + second));
    command.env("GIT_COMM_TEST_BOOT", format!("@{}", 1_000 + second));
    Run::of(&command.args(split(words)).output().unwrap(), words).succeeds()
}

/// A time on the day that these tests happen.
fn time(clock: &str) -> Value {
    format!("2027-01-15T{clock}.000000Z").into()
}

/// The end of the lease on bd-1, as everything says that only looks.
fn ends(s: &Sandbox, second: u32) -> Vec<Value> {
    let json = |words: &str| at(s, second, "first", "bob", &format!("{words} --json")).json();
    let agents = json("agent list")["agents"].as_array().unwrap().clone();
    let ada = agents.into_iter().find(|a| a["name"] == "ada").unwrap();
    vec![
        ada["holds"][0]["expires_at"].clone(),
        json("show bd-1")["task"]["claim"]["expires_at"].clone(),
        json("list")["tasks"][0]["claim"]["expires_at"].clone(),
        json("search one")["tasks"][0]["claim"]["expires_at"].clone(),
        json("edit bd-1 --priority 2")["task"]["claim"]["expires_at"].clone(),
    ]
}

fn claimed() -> Sandbox {
    let s = Sandbox::new();
    s.add("one");
    at(&s, 0, "first", "ada", "claim bd-1 --ttl 60s");
    s
}

#[test]
fn a_heartbeat_moves_the_end_that_is_told() {
    let s = claimed();
    assert_eq!(ends(&s, 10), vec![time("08:01:00"); 5]);
    at(&s, 30, "first", "ada", "agent heartbeat");
    assert_eq!(ends(&s, 70), vec![time("08:01:30"); 5]);
    let next = at(&s, 70, "first", "ada", "next --json").json();
    assert_eq!(next["task"]["claim"]["expires_at"], time("08:01:30"));
}

#[test]
fn a_lease_that_is_over_has_no_end_and_its_holder_a_new_one() {
    let s = claimed();
    assert_eq!(ends(&s, 60), vec![Value::Null; 5]);
    let next = at(&s, 100, "first", "ada", "next --json --ttl 60s").json();
    assert_eq!(next["task"]["claim"]["expires_at"], time("08:02:40"));
}

#[test]
fn after_a_restart_no_end_is_told_that_has_passed() {
    let s = claimed();
    let next = at(&s, 600, "second", "ada", "next").stdout;
    assert!(next.contains("until 08:11Z"), "{next}");
}

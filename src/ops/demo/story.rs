//! The story: three agents build a tea shop, and one of them dies.

use std::time::Duration;

use serde_json::Value;

use super::super::error::{Error, Exit};
use super::Beat;
use super::stage::{PERSON, Stage};
use crate::exec::own::{Ended, Running};

const AGENTS: [&str; 3] = ["ada", "bob", "cleo"];
/// The one that dies.
const BOB: &str = "bob";
/// The one that takes over.
const CLEO: &str = "cleo";
const ADA: &str = "ada";

/// Each task: title, domain, what it waits for.
const TASKS: [(&str, &str, &[&str]); 6] = [
    ("Agree on what an order looks like", "api", &[]),
    ("Take orders and answer with the price", "api", &["bd-1"]),
    ("Show the menu and send an order", "web", &["bd-1"]),
    ("Describe orders for other programs", "docs", &["bd-1"]),
    ("Try an order from page to kitchen", "web", &["bd-2", "bd-3"]),
    ("Announce the shop", "docs", &["bd-4", "bd-5"]),
];

/// Bob's lease: short enough to see it end, long enough that a slow machine
/// renews it in time.
const LEASE: Duration = Duration::from_secs(4);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often we look whether Bob's lease is over before we say that it never
/// ends: four times its length.
const LOOKS: u32 = 80;

const DONE: i32 = Exit::Done as i32;
const NO: i32 = Exit::No as i32;
const NOT_YOURS: i32 = Exit::NotYours as i32;

/// Plays all acts.
pub(super) fn play(stage: &mut Stage<'_>) -> Result<(), Error> {
    let head = stage.git(&["rev-parse", "HEAD"])?;
    plan(stage)?;
    race_for_one(stage)?;
    let (worker, lost) = race_for_three(stage)?;
    die(stage, worker, &lost)?;
    take_over(stage, &lost)?;
    come_back(stage, &lost)?;
    finish(stage)?;
    look_back(stage, &lost, &head)
}

fn plan(stage: &mut Stage<'_>) -> Result<(), Error> {
    stage.act("A repository becomes a board");
    stage.say("Kim plans a tea shop: an API, a web page and its docs. Some tasks wait for others.");
    stage.run(PERSON, &["init"], DONE)?;
    for (number, (title, domain, deps)) in TASKS.iter().enumerate() {
        let mut args = vec!["add", *title, "--domain", *domain];
        for dep in *deps {
            args.extend(["--dep", *dep]);
        }
        let added = stage.run(PERSON, &args, DONE)?;
        let id = format!("bd-{}", number + 1);
        stage.check(added.stdout.trim() == id, || format!("task `{title}` did not become {id}"))?;
    }
    stage.run(PERSON, &["ready"], DONE)?;
    let ready = ids(&stage.json(&["ready"])?);
    stage.check(ready == ["bd-1"], || format!("ready is {ready:?}, not bd-1 alone"))
}

fn race_for_one(stage: &mut Stage<'_>) -> Result<(), Error> {
    stage.act("Three agents want one task");
    stage.say(
        "Ada, Bob and Cleo are separate processes, started at the same time. One swap of a ref decides.",
    );
    let ended = stage.race(&AGENTS, &["claim", "bd-1"])?;
    let winners: Vec<&str> =
        AGENTS.into_iter().zip(&ended).filter(|(_, e)| e.code == Some(DONE)).map(|(who, _)| who).collect();
    let [winner] = winners[..] else {
        return Err(stage.misbehaved(format!("bd-1 was granted to {winners:?}")));
    };
    for (who, ended) in AGENTS.into_iter().zip(&ended).filter(|(who, _)| *who != winner) {
        stage.check_code(who, "git comm claim bd-1", ended, NO)?;
        let told = ended.stderr.contains(&format!("held by {winner}"));
        stage.check(told, || format!("{who} was not told that {winner} holds bd-1"))?;
    }
    check_holder(stage, "bd-1", winner, 1)?;
    stage.say("The others were told who has it and what to do. The winner finishes it.");
    stage.run(winner, &["close", "--reason", "docs/orders.md says it"], DONE)?;
    Ok(())
}

/// Gives back Bob's process and his task.
fn race_for_three(stage: &mut Stage<'_>) -> Result<(Running, String), Error> {
    stage.act("Three tasks are ready, and everyone gets one");
    stage.say("All three ask for the best task at once. Bob takes a lease of 4 s and keeps renewing it.");
    let lease = format!("{}s", LEASE.as_secs());
    let mut bob = stage.start(BOB, &["demo", "--work", &lease])?;
    let mut others = Vec::new();
    for who in [ADA, CLEO] {
        others.push((who, stage.start(who, &["next"])?));
    }
    let first = line_of(stage, &mut bob, "next")?;
    let ended = Ended { code: Some(DONE), stdout: first, stderr: String::new() };
    let line = format!("git comm next --ttl {lease}");
    let mut all = vec![(BOB, line, ended)];
    for (who, running) in others {
        let ended = running.finish().map_err(|error| stage.misbehaved(error))?;
        all.push((who, "git comm next".to_owned(), ended));
    }
    all.sort_by_key(|(who, ..)| *who);
    for (who, line, ended) in &all {
        stage.tell(Beat::Ran { who, line, ended });
        stage.check_code(who, line, ended, DONE)?;
    }
    let claimed = stage.json(&["list", "--state", "claimed"])?;
    let mut held = holders(&claimed);
    held.sort();
    let holders: Vec<&str> = held.iter().map(|(holder, _)| holder.as_str()).collect();
    stage.check(holders == AGENTS, || format!("three tasks are held by {holders:?}"))?;
    let mut taken = ids(&claimed);
    taken.sort();
    stage.check(taken == ["bd-2", "bd-3", "bd-4"], || format!("{taken:?} were taken"))?;
    let lost = held.into_iter().find(|(holder, _)| holder == BOB).map(|(_, id)| id).unwrap_or_default();
    Ok((bob, lost))
}

fn die(stage: &mut Stage<'_>, mut worker: Running, lost: &str) -> Result<(), Error> {
    stage.act("Bob dies");
    let renewed = line_of(stage, &mut worker, "renew")?;
    let ended = Ended { code: Some(DONE), stdout: renewed, stderr: String::new() };
    stage.tell(Beat::Ran { who: BOB, line: "git comm renew", ended: &ended });
    stage.say("While Bob renews, nobody else gets that task.");
    let refused = stage.run(CLEO, &["claim", lost], NO)?;
    stage.check(refused.stderr.contains("held by bob"), || "Cleo was not told that Bob holds it".into())?;
    stage.say(&format!(
        "Bob is process {}. It is killed (kill -9), so it can neither release the task nor say why.",
        worker.pid()
    ));
    worker.kill().map_err(|error| stage.misbehaved(format!("Bob cannot be killed: {error}")))?;
    check_holder(stage, lost, BOB, 1)
}

fn take_over(stage: &mut Stage<'_>, lost: &str) -> Result<(), Error> {
    stage.act("The lease runs out, and Cleo takes over");
    stage.say("No server watches and nobody cleans up. Ada and Cleo finish their own tasks meanwhile.");
    for who in [ADA, CLEO] {
        stage.run(who, &["close"], DONE)?;
    }
    let mut looks = 0;
    while !ids(&stage.json(&["ready"])?).iter().any(|id| id == lost) {
        if looks == LOOKS {
            return Err(stage.misbehaved(format!("{lost} is not ready long after its lease ran out")));
        }
        looks += 1;
        stage.env.wait(LOOK_EVERY);
    }
    let taken = stage.run(CLEO, &["claim", lost], DONE)?;
    stage.check(taken.stdout.contains("taken over from bob"), || "the claim is no take-over".into())?;
    check_holder(stage, lost, CLEO, 2)
}

fn come_back(stage: &mut Stage<'_>, lost: &str) -> Result<(), Error> {
    stage.act("Bob comes back, and is too late");
    stage.say("A new process of Bob still believes in the old claim. The fencing token says no.");
    let refused = stage.run(BOB, &["close", lost], NOT_YOURS)?;
    stage.check(refused.stderr.contains("taken over by cleo"), || "Bob was not told who has it".into())?;
    check_holder(stage, lost, CLEO, 2)?;
    stage.say("Bob does what the hint says, and Cleo reads it.");
    let text = "the first half works; the refusals are missing";
    stage.run(BOB, &["msg", "send", "--to", CLEO, text], DONE)?;
    let read = stage.run(CLEO, &["inbox"], DONE)?;
    stage.check(read.stdout.contains(text), || "the message did not arrive".into())?;
    let left = stage.json_as(CLEO, &["inbox"])?["total"].as_u64();
    stage.check(left == Some(0), || "a message that was read is still unread".into())?;
    stage.run(CLEO, &["close", "--reason", "finished what bob began"], DONE)?;
    Ok(())
}

fn finish(stage: &mut Stage<'_>) -> Result<(), Error> {
    stage.act("The rest, in the order that it can be done");
    stage.say(
        "All three keep asking. Exit code 1 says that nothing is ready yet; whoever gets a task finishes it.",
    );
    let mut rounds = 0;
    loop {
        let open = stage.json(&["list"])?["total"].as_u64();
        if open == Some(0) {
            break;
        }
        if rounds == TASKS.len() {
            return Err(stage.misbehaved("the tasks never end"));
        }
        rounds += 1;
        let ended = stage.quiet_race(&AGENTS, &["next"])?;
        let mut granted = 0;
        for (who, ended) in AGENTS.into_iter().zip(&ended) {
            if ended.code == Some(NO) {
                continue;
            }
            granted += 1;
            stage.tell(Beat::Ran { who, line: "git comm next", ended });
            stage.check_code(who, "git comm next", ended, DONE)?;
            stage.run(who, &["close"], DONE)?;
        }
        // One task becomes ready at a time by now.
        stage.check(granted == 1, || format!("one task was ready, and {granted} were granted"))?;
    }
    for number in 1..=TASKS.len() {
        let task = stage.task(&format!("bd-{number}"))?;
        stage.check(task["state"] == "done", || format!("bd-{number} is {}, not done", task["state"]))?;
    }
    Ok(())
}

fn look_back(stage: &mut Stage<'_>, lost: &str, head: &str) -> Result<(), Error> {
    stage.act("What is left, as plain git sees it");
    stage.say("A task is a ref and its history a chain of commits. Work tree and branch are as they were.");
    let name = format!("refs/comm-node/tasks/{lost}");
    let log = stage.show_git(&["log", "--oneline", &name])?;
    let lines: Vec<&str> =
        log.lines().filter_map(|line| line.split_once(' ').map(|(_, text)| text)).collect();
    // Newest first: the claim of Cleo above the one of Bob.
    let steps = [
        format!("close {lost} by cleo"),
        format!("claim {lost}: cleo"),
        format!("renew {lost}: bob"),
        format!("claim {lost}: bob"),
        format!("create {lost}: "),
    ];
    let mut left = lines.iter();
    for step in steps {
        let found = left.any(|line| line.starts_with(&step));
        stage.check(found, || format!("the history of {lost} lacks `{step}` in its place: {lines:?}"))?;
    }
    let status = stage.show_git(&["status", "--short", "--branch"])?;
    stage.check(status == "## main\n", || format!("the work tree was touched: {status}"))?;
    let head_now = stage.git(&["rev-parse", "HEAD"])?;
    stage.check(head_now == head, || "the branch was moved".into())?;
    // Ends with an error if an object or a ref is broken.
    stage.git(&["fsck", "--strict", "--no-dangling", "--no-progress"])?;
    stage.run(PERSON, &["status"], DONE)?;
    let done = stage.json(&["status"])?["counts"]["done"].as_u64();
    stage.check(done == Some(6), || format!("the status counts {done:?} tasks as done, not 6"))
}

/// Checks in the record who holds a task, and under which token.
fn check_holder(stage: &mut Stage<'_>, id: &str, agent: &str, token: u64) -> Result<(), Error> {
    let task = stage.task(id)?;
    let claim = &task["claim"];
    let holds = claim["agent"] == agent && claim["token"] == token;
    stage.check(holds, || format!("{id} should be held by {agent} with token {token}: {claim}"))
}

/// The next line of a working agent.
fn line_of(stage: &mut Stage<'_>, worker: &mut Running, verb: &str) -> Result<String, Error> {
    let line = worker.next_line().map_err(|error| stage.misbehaved(error))?;
    stage.check(line.is_some(), || format!("Bob's `git comm {verb}` did not end with 0"))?;
    Ok(line.unwrap_or_default())
}

fn ids(answer: &Value) -> Vec<String> {
    let rows = answer["tasks"].as_array().map(Vec::as_slice).unwrap_or_default();
    rows.iter().filter_map(|task| task["id"].as_str().map(str::to_owned)).collect()
}

/// Who holds which task.
fn holders(answer: &Value) -> Vec<(String, String)> {
    let rows = answer["tasks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let pair =
        |task: &Value| Some((task["claim"]["agent"].as_str()?.to_owned(), task["id"].as_str()?.to_owned()));
    rows.iter().filter_map(pair).collect()
}

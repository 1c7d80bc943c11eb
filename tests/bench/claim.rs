//! What a claim costs, against git moving the ref and no more.

use crate::board::{Pair, free_task};
use crate::measure::{Comparison, Cost, Effort, compare};
use crate::report::Row;

/// Tasks on the board, and those of them that wait for nothing.
const TASKS: usize = 20;
const FREE: usize = 15;

/// A claim as an agent makes it several times an hour.
pub(crate) fn process(effort: &Effort) -> Vec<Row> {
    let compared = claims(&Pair::with_tasks(TASKS, "process"), effort.of(25), |c| c.cpu);
    vec![Row::of_times("claim, process / update-ref, CPU", &compared, 1.8)]
}

/// Waiting for the disk is part of a claim that survives a power cut.
pub(crate) fn power(effort: &Effort) -> Vec<Row> {
    let compared = claims(&Pair::with_tasks(TASKS, "power"), effort.of(15), |c| c.wall);
    vec![Row::of_times("claim, power / update-ref, wall", &compared, 4.0)]
}

fn claims(pair: &Pair, batches: usize, which: fn(&Cost) -> f64) -> Comparison {
    let task = |run: usize| free_task(run % FREE);
    let release = |run: usize| {
        let released = pair.verb("ada", &format!("release bd-{}", task(run))).output().unwrap();
        assert!(released.status.success(), "{released:?}");
    };
    // The first claim of a session gives a heartbeat too: not here. It also
    // shows that what is timed is granted, and that git moves its ref.
    let granted = pair.ours.as_agent("ada", "claim bd-1 --json").succeeds().json();
    assert_eq!(granted["granted"], true);
    release(0);
    let before = pair.plain_ref(1);
    assert!(pair.update_ref(1, 1).status().unwrap().success());
    assert_ne!(pair.plain_ref(1), before);
    compare(
        batches,
        which,
        |run| pair.verb("ada", &format!("claim bd-{}", task(run))),
        |run| pair.update_ref(task(run), run),
        release,
    )
}

/// The first claim of a session also writes the agent's record.
pub(crate) fn process_with_heartbeat(effort: &Effort) -> Vec<Row> {
    let pair = Pair::with_tasks(TASKS, "process");
    let task = |run: usize| free_task(run % FREE);
    // Each run is the first of a session of an agent that registered before.
    let in_session = |run: usize, words: &str, session: &str| {
        let mut command = pair.verb(&format!("agent-{run}"), words);
        command.env("GIT_COMM_SESSION", session);
        command
    };
    let batches = effort.of(25);
    for run in 0..batches * 10 {
        assert!(in_session(run, "agent register", "before").output().unwrap().status.success());
    }
    let claim = |run: usize| in_session(run, &format!("claim bd-{}", task(run)), "work");
    let release = |run: usize| {
        let released = in_session(run, &format!("release bd-{}", task(run)), "work").output().unwrap();
        assert!(released.status.success(), "{released:?}");
    };
    let compared = compare(batches, |c| c.cpu, claim, |run| pair.update_ref(task(run), run), release);
    let agents = pair.ours.comm("agent list --json").succeeds().json();
    assert_eq!(agents["agents"][0]["sessions"], 2, "the claim gave no heartbeat");
    vec![Row::of_times("claim and heartbeat, process / update-ref, CPU", &compared, 2.5)]
}

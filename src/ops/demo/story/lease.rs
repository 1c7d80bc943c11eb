//! What becomes of a task whose holder dies.

use std::time::Duration;

use super::super::Beat;
use super::super::stage::Stage;
use super::{ADA, BOB, CLEO, DONE, Held, NO, NOT_YOURS, check_holder, check_trailers, commit, ids, work};
use crate::exec::own::{Ended, Running};
use crate::ops::error::Error;

/// Bob's lease: short enough to see it end, long enough that a slow machine
/// renews it in time.
pub(super) const LENGTH: Duration = Duration::from_secs(4);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often we look whether Bob's lease is over before we say that it never
/// ends: four times its length.
const LOOKS: u32 = 80;

pub(super) fn die(stage: &mut Stage<'_>, mut worker: Running, held: &Held) -> Result<(), Error> {
    stage.act("Bob dies");
    let lost = held.by(BOB);
    let renewed = line_of(stage, &mut worker, "renew")?;
    let ended = Ended { code: Some(DONE), stdout: renewed, stderr: String::new() };
    stage.tell(Beat::Ran { who: BOB, line: "git comm renew", ended: &ended });
    commit(stage, BOB, lost, &[0], "The first half")?;
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

pub(super) fn take_over(stage: &mut Stage<'_>, held: &Held) -> Result<(), Error> {
    stage.act("The lease runs out, and Cleo takes over");
    let lost = held.by(BOB);
    stage.say("No server watches and nobody cleans up. Ada and Cleo finish their own tasks meanwhile.");
    stage.run(ADA, &["close"], DONE)?;
    commit(stage, CLEO, held.by(CLEO), &[0, 1], work(stage, held.by(CLEO))?.title)?;
    stage.run(CLEO, &["close"], DONE)?;
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
    check_holder(stage, lost, CLEO, 2)?;
    stage.say("What Bob had committed is on his branch.");
    stage.run_git(CLEO, &["merge", "-q", "--no-edit", BOB], DONE)?;
    check_trailers(stage, CLEO, lost)
}

pub(super) fn come_back(stage: &mut Stage<'_>, held: &Held) -> Result<(), Error> {
    stage.act("Bob comes back, and is too late");
    let lost = held.by(BOB);
    stage.say("A new process of Bob still believes in the old claim. The fencing token says no, twice.");
    let refused = stage.run(BOB, &["close", lost], NOT_YOURS)?;
    stage.check(refused.stderr.contains("taken over by cleo"), || "Bob was not told who has it".into())?;
    let work = work(stage, lost)?;
    stage.append(BOB, work.file, work.halves[1])?;
    let refused = stage.run_git(BOB, &["commit", "-qam", "The second half"], NO)?;
    stage.check(refused.stderr.contains("taken over by cleo"), || "Bob's commit was not told why".into())?;
    check_holder(stage, lost, CLEO, 2)
}

pub(super) fn hand_over(stage: &mut Stage<'_>, held: &Held) -> Result<(), Error> {
    stage.act("Bob says what is missing, and Cleo finishes it");
    let lost = held.by(BOB);
    let text = "the first half works; the refusals are missing";
    stage.run(BOB, &["msg", "send", "--to", CLEO, text], DONE)?;
    stage.run_git(BOB, &["restore", "."], DONE)?;
    let read = stage.run(CLEO, &["inbox"], DONE)?;
    stage.check(read.stdout.contains(text), || "the message did not arrive".into())?;
    let left = stage.json_as(CLEO, &["inbox"])?["total"].as_u64();
    stage.check(left == Some(0), || "a message that was read is still unread".into())?;
    commit(stage, CLEO, lost, &[1], work(stage, lost)?.title)?;
    stage.run(CLEO, &["close", "--reason", "finished what bob began"], DONE)?;
    Ok(())
}

/// The next line of a working agent.
pub(super) fn line_of(stage: &mut Stage<'_>, worker: &mut Running, verb: &str) -> Result<String, Error> {
    let line = worker.next_line().map_err(|error| stage.misbehaved(error))?;
    stage.check(line.is_some(), || format!("Bob's `git comm {verb}` did not end with 0"))?;
    Ok(line.unwrap_or_default())
}

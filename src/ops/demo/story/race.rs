//! Who gets what, when all want it at once.

use serde_json::Value;

use super::super::Beat;
use super::super::stage::Stage;
use super::{ADA, AGENTS, BOB, CLEO, DONE, Held, NO, check_holder, ids, lease, rows};
use crate::exec::own::{Ended, Running};
use crate::ops::error::Error;

pub(super) fn for_one(stage: &mut Stage<'_>) -> Result<(), Error> {
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

/// Gives back Bob's process, and who holds what.
pub(super) fn for_three(stage: &mut Stage<'_>) -> Result<(Running, Held), Error> {
    stage.act("Three tasks are ready, and everyone gets one");
    stage.say("All ask for the best task of their domain. Bob takes a lease of 4 s and keeps renewing it.");
    let lease = format!("{}s", lease::LENGTH.as_secs());
    let mut bob = stage.start(BOB, &["demo", "--work", &lease])?;
    let mut others = Vec::new();
    for who in [ADA, CLEO] {
        others.push((who, stage.start(who, &["next"])?));
    }
    let first = lease::line_of(stage, &mut bob, "next")?;
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
    let held = Held(held);
    stage.check(held.by(ADA) == "bd-2", || "the task of the API is not Ada's".into())?;
    Ok((bob, held))
}

/// Who holds which task.
fn holders(answer: &Value) -> Vec<(String, String)> {
    let pair =
        |task: &Value| Some((task["claim"]["agent"].as_str()?.to_owned(), task["id"].as_str()?.to_owned()));
    rows(answer, "tasks").iter().filter_map(pair).collect()
}

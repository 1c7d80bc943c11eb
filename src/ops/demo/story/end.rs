//! The rest of the work, and what is left to see.

use super::super::stage::{PERSON, Stage};
use super::{ADA, AGENTS, BOB, CLEO, DONE, DORA, Held, NO, PLAN, borders, commit, rows, work};
use crate::ops::error::Error;

/// The file that is changed behind the hooks.
const SMUGGLED: &str = "web/shop.js";
/// Commits that the agents make: one for each of five tasks, Ada's second, the
/// half of one that Bob made, and the merge of that half.
const COMMITS: u64 = 8;

pub(super) fn finish(stage: &mut Stage<'_>) -> Result<(), Error> {
    stage.act("The rest, in the order that it can be done");
    stage.say("One task of the web page is ready now. Exit code 1 says that there is none for the others.");
    let ended = stage.race(&AGENTS, &["next"])?;
    let granted = AGENTS.into_iter().zip(&ended).filter(|(_, ended)| ended.code == Some(DONE));
    let granted: Vec<&str> = granted.map(|(who, _)| who).collect();
    let [winner @ (BOB | CLEO)] = granted[..] else {
        return Err(stage.misbehaved(format!("one task of the web page was ready, and {granted:?} got one")));
    };
    for (who, ended) in AGENTS.into_iter().zip(&ended).filter(|(who, _)| *who != winner) {
        stage.check_code(who, "git comm next", ended, NO)?;
    }
    commit(stage, winner, "bd-5", &[0, 1], work(stage, "bd-5")?.title)?;
    stage.run(winner, &["close"], DONE)?;
    stage.say("The last is for the docs. Dora joins with a worktree that has its task from the start.");
    let args = ["worktree", "add", DORA, "--agent", DORA, "--domain", "docs", "--task", "bd-6"];
    borders::add(stage, DORA, &args)?;
    commit(stage, DORA, "bd-6", &[0, 1], work(stage, "bd-6")?.title)?;
    stage.run(DORA, &["close"], DONE)?;
    for number in 1..=PLAN.len() {
        let task = stage.task(&format!("bd-{number}"))?;
        stage.check(task["state"] == "done", || format!("bd-{number} is {}, not done", task["state"]))?;
    }
    Ok(())
}

pub(super) fn judge_again(stage: &mut Stage<'_>, start: &str) -> Result<(), Error> {
    stage.act("CI judges the commits again");
    let head = stage.git(&["rev-parse", "HEAD"])?;
    stage.check(head.trim() == start, || "coordination moved Kim's branch".into())?;
    stage.say("Kim merges all branches. Each commit of an agent names its claim, and each claim its agent.");
    stage.run_git(PERSON, &["merge", "-q", "--no-ff", "--no-edit", ADA, BOB, CLEO, DORA], DONE)?;
    stage.run(PERSON, &["ci", "--base", "HEAD~1"], DONE)?;
    let verdict = stage.json(&["ci", "--base", "HEAD~1"])?;
    for (gate, judged) in rows(&verdict, "gates").iter().zip([COMMITS + 1, COMMITS, COMMITS + 1]) {
        let passed = gate["checked"] == judged && gate["status"] == "pass";
        stage.check(passed, || format!("CI did not let all of the agents' work pass: {gate}"))?;
    }
    stage.say("A hook can be skipped. Ada does, and CI finds it.");
    stage.append(ADA, SMUGGLED, "// a shortcut\n")?;
    stage.run_git(ADA, &["commit", "-qam", "A shortcut", "--no-verify"], DONE)?;
    stage.run(PERSON, &["ci", "--base", "main", "--head", ADA], NO)?;
    let verdict = stage.json(&["ci", "--base", "main", "--head", ADA])?;
    let smuggled = stage.git_as(ADA, &["rev-parse", "HEAD"])?;
    let claim = rows(&verdict, "gates").iter().find(|gate| gate["name"] == "claim");
    let found = claim.map(|gate| rows(gate, "findings")).unwrap_or_default();
    let found = found.iter().any(|finding| finding["commit"] == smuggled.trim());
    stage.check(found, || format!("CI did not find the commit: {verdict}"))
}

pub(super) fn look_back(stage: &mut Stage<'_>, held: &Held) -> Result<(), Error> {
    stage.act("What is left, as plain git sees it");
    let lost = held.by(BOB);
    stage.say("A task is a ref and its history a chain of commits. Each refusal is on the record, too.");
    let name = format!("refs/comm-node/tasks/{lost}");
    let log = stage.run_git(PERSON, &["log", "--oneline", &name], DONE)?.stdout;
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
    stage.run(PERSON, &["log", "--kind", "violation"], DONE)?;
    let refused = stage.json(&["log", "--kind", "violation"])?;
    let by_ada = rows(&refused, "events").iter().filter(|event| event["agent"] == ADA).count();
    stage.check(by_ada == 3, || format!("{by_ada} refusals of Ada are on the record, not 3"))?;
    let status = stage.run_git(PERSON, &["status", "--short", "--branch"], DONE)?.stdout;
    stage.check(status == "## main\n", || format!("the work tree was touched: {status}"))?;
    // Ends with an error if an object or a ref is broken.
    stage.git(&["fsck", "--strict", "--no-dangling", "--no-progress"])?;
    stage.run(PERSON, &["status"], DONE)?;
    let done = stage.json(&["status"])?["counts"]["done"].as_u64();
    stage.check(done == Some(6), || format!("the status counts {done:?} tasks as done, not 6"))
}

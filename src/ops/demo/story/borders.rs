//! Worktrees with a domain, and what happens at its borders.

use std::path::Path;

use serde_json::{Value, json};

use super::super::Beat;
use super::super::stage::{PERSON, Stage};
use super::{ADA, DOMAINS, DONE, Held, NO, check_trailers, rows, work};
use crate::exec::own::Ended;
use crate::ops::error::Error;

/// A file of another domain.
const FOREIGN: &str = "web/index.html";

pub(super) fn make_worktrees(stage: &mut Stage<'_>) -> Result<(), Error> {
    stage.act("Each agent gets a worktree of its own");
    stage.say("A worktree says who works in it and for which domain. A commit that cannot succeed shows that its hook fires.");
    for (who, domain) in DOMAINS {
        add(stage, who, &["worktree", "add", who, "--agent", who, "--domain", domain])?;
    }
    Ok(())
}

/// Makes a worktree and lets `who` work in it.
pub(super) fn add(stage: &mut Stage<'_>, who: &'static str, args: &[&str]) -> Result<(), Error> {
    let added = stage.run(PERSON, args, DONE)?;
    let fires = added.stdout.lines().any(|line| line.split_whitespace().eq(["hook", "fires"]));
    stage.check(fires, || format!("no hook fires in the worktree of {who}"))?;
    let all = stage.json(&["worktree", "list"])?;
    let found = rows(&all, "worktrees").iter().find(|worktree| worktree["agent"] == who);
    let Some(path) = found.and_then(|worktree| worktree["path"].as_str()) else {
        return Err(stage.misbehaved(format!("no worktree is bound to {who}")));
    };
    stage.settle(who, path.into());
    let asked = stage.json_as(who, &["whoami"])?;
    stage.check(asked["name"] == who && asked["kind"] == "agent", || format!("{who} is taken for {asked}"))
}

pub(super) fn keep_ada_in(stage: &mut Stage<'_>, held: &Held) -> Result<(), Error> {
    stage.act("Ada is kept to her own files");
    let own = work(stage, held.by(ADA))?;
    stage.say(&format!("Before Ada's harness edits {FOREIGN} it asks the hook, in JSON. The answer says:"));
    let (answer, line) = pre_edit(stage, FOREIGN)?;
    let decision = &answer["hookSpecificOutput"];
    let reason = decision["permissionDecisionReason"].as_str().unwrap_or_default().to_owned();
    let stdout = format!("{}\n{reason}\n", decision["permissionDecision"].as_str().unwrap_or_default());
    let ended = Ended { code: Some(DONE), stdout, stderr: String::new() };
    stage.tell(Beat::Ran { who: ADA, line: &line, ended: &ended });
    stage.check(decision["permissionDecision"] == "deny", || format!("the edit was not denied: {answer}"))?;
    check_told(stage, &reason)?;
    let (answer, _) = pre_edit(stage, own.file)?;
    stage.check(answer.is_null(), || format!("an edit in Ada's own files was not let pass: {answer}"))?;

    stage.say("She writes it all the same, and commits it with her own work. Git's hook refuses.");
    stage.append(ADA, FOREIGN, "<!-- a shortcut -->\n")?;
    for half in own.halves {
        stage.append(ADA, own.file, half)?;
    }
    let before = stage.git_as(ADA, &["rev-parse", "HEAD"])?;
    let refused = stage.run_git(ADA, &["commit", "-qam", own.title], NO)?;
    check_told(stage, &refused.stderr)?;
    let after = stage.git_as(ADA, &["rev-parse", "HEAD"])?;
    stage.check(before == after, || "the refused commit was made".into())?;

    stage.say("Without that file it goes through, and names the claim it was made under.");
    stage.run_git(ADA, &["restore", FOREIGN], DONE)?;
    stage.run_git(ADA, &["commit", "-qam", own.title], DONE)?;
    stage.run_git(ADA, &["log", "-1", "--format=%an: %B"], DONE)?;
    check_trailers(stage, ADA, held.by(ADA))
}

/// What others may import of the kitchen, and what they may not.
const PUBLIC: &str = "\n\nfrom kitchen import has\n";
const INNER: &str = "\n\nfrom kitchen.stock import SHELF\n";

pub(super) fn stop_an_import(stage: &mut Stage<'_>, held: &Held) -> Result<(), Error> {
    stage.act("An import does not cross the border");
    let own = work(stage, held.by(ADA))?.file;
    stage.say("Into a file of her own Ada imports the kitchen's insides. Git's hook reads what staged code imports.");
    stage.append(ADA, own, INNER)?;
    let before = stage.git_as(ADA, &["rev-parse", "HEAD"])?;
    let refused = stage.run_git(ADA, &["commit", "-qam", "Sell only what is there"], NO)?;
    let told =
        ["B003", "kitchen/stock.py", "domain kitchen", "owner Kim"].map(|word| refused.stderr.contains(word));
    stage.check(told == [true; 4], || "Ada was not told what her import leads to".into())?;
    stage.check(refused.stderr.contains("__init__.py"), || "Ada was not told the public way".into())?;
    let after = stage.git_as(ADA, &["rev-parse", "HEAD"])?;
    stage.check(before == after, || "the commit with the import was made".into())?;

    stage.say("The refusal names the public way. She asks whether it is open, and takes it.");
    stage.run(ADA, &["boundary", "explain", own, "kitchen/__init__.py"], DONE)?;
    stage.run_git(ADA, &["restore", "--staged", "--worktree", own], DONE)?;
    stage.append(ADA, own, PUBLIC)?;
    stage.run_git(ADA, &["commit", "-qam", "Sell only what is there"], DONE)?;
    check_trailers(stage, ADA, held.by(ADA))
}

/// Checks that a refusal says whose file it is and whom to ask.
fn check_told(stage: &mut Stage<'_>, refusal: &str) -> Result<(), Error> {
    let whose = format!("{FOREIGN}: domain web, owner Kim");
    stage.check(refusal.contains(&whose), || "Ada was not told whose file it is".into())?;
    let asks = refusal.contains("who works there: git comm msg send --to ");
    stage.check(asks, || "Ada was not told whom to ask".into())
}

/// Asks as Ada's harness asks before it edits a file: what was answered, null
/// if nothing, and the command.
fn pre_edit(stage: &mut Stage<'_>, file: &str) -> Result<(Value, String), Error> {
    let args = ["hook", "pre-edit", "--harness", "claude"];
    let call = call(stage.dir_of(ADA), file).to_string();
    let mut running = stage.start(ADA, &args)?;
    let asked = running.send(&call).and_then(|()| running.finish());
    let ended = asked.map_err(|error| stage.misbehaved(error))?;
    let line = super::super::stage::typed("git comm", &args);
    stage.check_code(ADA, &line, &ended, DONE)?;
    if ended.stdout.is_empty() {
        return Ok((Value::Null, line));
    }
    let answer = serde_json::from_str(&ended.stdout);
    Ok((answer.map_err(|error| stage.misbehaved(format!("`{line}` answers no JSON: {error}")))?, line))
}

/// What Claude Code writes to its hooks before its tool `Edit`.
fn call(worktree: &Path, file: &str) -> Value {
    json!({
        "session_id": "00893aaf-19fa-41d2-8238-13269b9b3ca0",
        "transcript_path": worktree.join(".transcript.jsonl"),
        "cwd": worktree,
        "permission_mode": "default",
        "hook_event_name": "PreToolUse",
        "tool_name": "Edit",
        "tool_input": {
            "file_path": worktree.join(file),
            "old_string": "Tea shop",
            "new_string": "Tea house",
            "replace_all": false,
        },
    })
}

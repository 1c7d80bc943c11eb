//! What each of git's hooks asks us.
//!
//! git runs different hooks for different ways to a commit, so that the same
//! judgement is asked for from several places, once for each commit.

use std::path::Path;

use crate::git::Present;
use crate::ops::Context;
use crate::ops::ci::{self, FENCE, TASK};
use crate::ops::commit::{self, Passed};
use crate::ops::error::Error;
use crate::ops::identity::Who;
use crate::ops::rules;

/// Before a commit is made of the index: `git commit`, `git am`.
pub fn before_commit(context: &Context<'_>, hook: &str) -> Result<Passed, Error> {
    note(context, hook);
    if is_replay(context)? {
        return Ok(Passed::default());
    }
    commit::judge_staged(context)
}

/// Before a commit is made with the message in `file`: `git commit`,
/// `git am`, and `git merge`, which runs no other hook that could judge it.
pub fn with_message(context: &Context<'_>, hook: &str, file: &Path) -> Result<(), Error> {
    note(context, hook);
    // Before a patch is applied nothing can be compared: a rebase leaves the
    // message as it was.
    if is_replay(context)? || (hook == "applypatch-msg" && context.store.repo().is_rebasing()) {
        return Ok(());
    }
    // Once more for `git commit`: other hooks that ran before the commit may
    // have staged files.
    if hook == "commit-msg" {
        commit::judge_staged(context)?;
    }
    name_claim(context, file)
}

/// Before the message in `file` is edited. For `git cherry-pick`, `git revert`
/// and `git rebase` this is the only hook there is, and for a commit that
/// `amends` another the only one that can know.
pub fn prepare_message(context: &Context<'_>, file: &Path, amends: bool) -> Result<(), Error> {
    note(context, "prepare-commit-msg");
    let repo = context.store.repo();
    if is_replay(context)? {
        return Ok(());
    }
    let applies = repo.is_rebasing() || repo.is_picking()? || is_revert(file);
    if !(amends || applies) {
        return Ok(());
    }
    if amends {
        commit::judge_amended(context)?
    } else {
        commit::judge_staged(context)?
    };
    name_claim(context, file)
}

/// Whether git makes a commit once more that was allowed where it was made.
/// In a rebase everything else is a new commit, and judged as one.
fn is_replay(context: &Context<'_>) -> Result<bool, Error> {
    let repo = context.store.repo();
    if !repo.is_rebasing() {
        return Ok(false);
    }
    let Some(commit) = repo.replayed() else { return Ok(false) };
    Ok(repo.is_replay_of(commit)? && ci::allows(context, commit)?)
}

fn note(context: &Context<'_>, hook: &str) {
    context.store.repo().note_fired(hook, context.store.env().now());
}

/// git leaves no other sign of a revert without conflicts.
fn is_revert(file: &Path) -> bool {
    let text = std::fs::read(file).unwrap_or_default();
    text.split(|&b| b == b'\n').any(|line| line.starts_with(b"This reverts commit "))
}

/// Adds the trailers that name the claim which the commit is made under.
fn name_claim(context: &Context<'_>, file: &Path) -> Result<(), Error> {
    let rules = rules::current(context)?;
    let Who::Agent(name) = context.identity.committer(&context.store, &rules)? else { return Ok(()) };
    let author = context.identity.as_agent(&context.store, name);
    if let Some((task, fence)) = commit::current_grant(context, &author)? {
        let fence = format!("{}:{}", fence.token, fence.nonce);
        let trailers = [(TASK, task.as_str()), (FENCE, fence.as_str())];
        context.store.repo().set_trailers(file, &trailers, Present::Replaced)?;
    }
    Ok(())
}

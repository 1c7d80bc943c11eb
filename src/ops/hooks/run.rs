//! What each of git's hooks asks us.
//!
//! git runs different hooks for different ways to a commit, so that the same
//! judgement is asked for from several places, once for each commit.

use std::path::Path;

use crate::config::Config;
use crate::git::{Oid, Present};
use crate::model::names::AgentName;
use crate::ops::Context;
use crate::ops::ci::{self, FENCE, TASK};
use crate::ops::commit::{self, Passed};
use crate::ops::error::Error;
use crate::ops::identity::Who;
use crate::ops::rules;

/// Before a commit is made of the index: `git commit`, `git am`.
pub fn before_commit(context: &Context<'_>, hook: &str) -> Result<Passed, Error> {
    note(context, hook);
    match replayed(context)? {
        Some(Replayed { is_same: true, .. }) => {
            commit::judge_replayed(context, false)?;
            Ok(Passed::default())
        }
        other => commit::judge_staged(context, under(&other)),
    }
}

/// Before a commit is made with the message in `file`: `git commit`,
/// `git am`, and `git merge`, which runs no other hook that could judge it.
pub fn with_message(context: &Context<'_>, hook: &str, file: &Path) -> Result<(), Error> {
    note(context, hook);
    // Before a patch is applied nothing can be compared: a rebase leaves the
    // message as it was.
    if hook == "applypatch-msg" && context.store.repo().is_rebasing() {
        return Ok(());
    }
    let replayed = replayed(context)?;
    if let Some(Replayed { commit, is_same: true, .. }) = replayed {
        return keep_claim(context, commit, file);
    }
    // Once more for `git commit`: other hooks that ran before the commit may
    // have staged files.
    if hook == "commit-msg" && is_amending(context) {
        commit::judge_amended(context, under(&replayed))?;
    } else if hook == "commit-msg" {
        commit::judge_staged(context, under(&replayed))?;
    }
    // But for a merge, the hook before said what there is to say.
    if context.store.repo().merge_heads().is_empty() {
        context.notices.borrow_mut().clear();
    }
    name_claim(context, file)
}

/// Before the message in `file` is edited. For `git cherry-pick`, `git revert`
/// and `git rebase` this is the only hook there is, and for a commit that
/// `amends` another the only one that can know.
pub fn prepare_message(context: &Context<'_>, file: &Path, amends: bool) -> Result<(), Error> {
    note(context, "prepare-commit-msg");
    let repo = context.store.repo();
    let applies = repo.is_rebasing() || repo.is_picking()? || is_revert(file);
    if !(amends || applies) {
        return Ok(());
    }
    let replayed = replayed(context)?;
    // What becomes part of the commit before is judged with it.
    let joins = repo.is_rebasing() && repo.replayed().is_some_and(|(_, joins)| joins);
    if replayed.as_ref().is_some_and(|replayed| replayed.is_same) {
        return commit::judge_replayed(context, amends || joins);
    }
    if amends || joins {
        commit::judge_amended(context, under(&replayed))?
    } else {
        commit::judge_staged(context, under(&replayed))?
    };
    name_claim(context, file)
}

/// A commit that git makes once more, and that was allowed where it was made.
struct Replayed {
    commit: Oid,
    /// Whether nothing about it was changed.
    is_same: bool,
    /// Where it was changed: who made it, under a claim.
    holder: Option<AgentName>,
}

/// What git makes once more in a rebase. Everything else there is a new
/// commit, and judged as one.
fn replayed(context: &Context<'_>) -> Result<Option<Replayed>, Error> {
    let repo = context.store.repo();
    if !repo.is_rebasing() || context.identity.is_no_agent(&context.store)? {
        return Ok(None);
    }
    let Some((commit, joins)) = repo.replayed() else { return Ok(None) };
    if !ci::allows(context, commit)? {
        return Ok(None);
    }
    let is_same = repo.is_replay_of(commit)? && (!joins || ci::allows_joined(context, commit)?);
    let holder = if is_same { None } else { ci::holder(context, commit)? };
    Ok(Some(Replayed { commit, is_same, holder }))
}

/// The agent that needs no claim of now to commit what it committed before.
fn under(replayed: &Option<Replayed>) -> Option<&AgentName> {
    replayed.as_ref().and_then(|replayed| replayed.holder.as_ref())
}

/// Keeps the claim that a commit names where its message is written anew.
fn keep_claim(context: &Context<'_>, commit: Oid, file: &Path) -> Result<(), Error> {
    let Some(named) = ci::named(context, commit)? else { return Ok(()) };
    let trailers = [(TASK, named[0].as_str()), (FENCE, named[1].as_str())];
    Ok(context.store.repo().set_trailers(file, &trailers, Present::Kept)?)
}

/// Whether the commit takes the place of HEAD. git tells its hooks so only
/// where no message was given; what was typed tells it always, where the
/// system shows it.
fn is_amending(context: &Context<'_>) -> bool {
    let amends = |word: &&String| word.len() >= "--am".len() && "--amend".starts_with(word.as_str());
    let is_git = |line: &&Vec<String>| line.first().is_some_and(|name| name.ends_with("git"));
    let above = context.store.env().commands_above();
    above.iter().filter(is_git).any(|line| line.iter().take_while(|word| *word != "--").any(|w| amends(&w)))
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
    // Whether they can be read was judged before.
    let rules = match rules::current(context) {
        Err(Error::Rules { .. }) => Config::default(),
        other => other?,
    };
    let Who::Agent(name) = context.identity.committer(&context.store, &rules)? else { return Ok(()) };
    let author = context.identity.as_agent(&context.store, name);
    if let Some((task, fence)) = commit::current_grant(context, &author)? {
        let fence = format!("{}:{}", fence.token, fence.nonce);
        let trailers = [(TASK, task.as_str()), (FENCE, fence.as_str())];
        context.store.repo().set_trailers(file, &trailers, Present::Replaced)?;
    }
    Ok(())
}

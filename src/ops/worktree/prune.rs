//! Removing the worktrees that nobody needs any more.

use std::path::Path;

use super::loss::Target;
use super::place::real;
use super::remove::{Gone, Removed, Stopped, take_away};
use crate::git::{Trunk, Worktree};
use crate::model::names::TaskId;
use crate::ops::Context;
use crate::ops::board::Board;
use crate::ops::error::Error;
use crate::text::escape;

/// What was removed and what was not.
#[derive(Debug, Default)]
pub struct Pruned {
    /// The worktrees that were removed.
    pub removed: Vec<Removed>,
    /// Those that stay, each with the reasons.
    pub left: Vec<(Worktree, Vec<String>)>,
}

/// Removes every linked worktree whose task is closed and whose work is on a
/// remote or on the trunk, and forgets those whose folder is gone and that
/// left nothing behind.
pub fn prune(context: &Context<'_>, dir: &Path) -> Result<Pruned, Error> {
    context.identity.author(&context.store)?;
    let repo = context.store.repo();
    let _lock = repo.lock_worktrees()?;
    super::add::settle_unfinished(context)?;
    let board = Board::load(&context.store)?;
    let trunk = repo.trunk()?;
    let here = real(dir);
    let mut pruned = Pruned::default();
    for worktree in repo.worktrees()?.into_iter().filter(|w| !w.is_main) {
        let judged = judge(context, &board, trunk.as_ref(), &here, worktree.clone());
        match judged {
            Ok(Ok(removed)) => pruned.removed.push(removed),
            Ok(Err(reasons)) => pruned.left.push((worktree, reasons)),
            // One that cannot be looked at stays, and does not keep the
            // others from being looked at.
            Err(error) => pruned.left.push((worktree, vec![error.to_string()])),
        }
    }
    Ok(pruned)
}

type Judged = Result<Removed, Vec<String>>;

fn judge(
    context: &Context<'_>,
    board: &Board,
    trunk: Option<&Trunk>,
    here: &Path,
    worktree: Worktree,
) -> Result<Judged, Error> {
    let target = Target::open(context, board, worktree)?;
    let mut reasons = target.loss(Some(trunk))?.reasons();
    if here.starts_with(&target.worktree.path) {
        reasons.push("you are in it".into());
    }
    if !target.worktree.missing {
        reasons.extend(still_needed(board, &target));
    }
    if !reasons.is_empty() {
        return Ok(Err(reasons));
    }
    match take_away(context, &target, None) {
        Ok(Gone { branch_deleted, saved, released }) => {
            let branch = target.binding.branch.clone();
            let worktree = target.worktree;
            let (kept, copied) = (None, None);
            Ok(Ok(Removed { worktree, branch, branch_deleted, kept, copied, saved, released }))
        }
        Err(Stopped { error: Error::No { what, .. }, .. }) => Ok(Err(vec![what])),
        Err(stopped) => Err(stopped.error),
    }
}

/// Why somebody may still want to work there.
fn still_needed(board: &Board, target: &Target<'_>) -> Option<String> {
    if let Some(held) = target.held.first() {
        return Some(format!("{} holds {} there", held.agent, held.task));
    }
    let Some(task) = &target.bound.task else { return Some("it is bound to no task".into()) };
    let shown = escape::clipped(task, 64);
    let state = task.parse::<TaskId>().ok().and_then(|id| Some(board.tasks.get(&id)?.state.phase.state));
    match state {
        Some(state) if state.is_closed() => None,
        Some(state) => Some(format!("{shown} is {state}")),
        None => Some(format!("{shown} is unknown here")),
    }
}

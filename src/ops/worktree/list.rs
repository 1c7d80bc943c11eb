//! What worktrees there are, whose they are, and how they stand.

use crate::git::{Binding, Repo, Trunk, Worktree};
use crate::model::lease::Lease;
use crate::model::names::{AgentName, TaskId};
use crate::ops::Context;
use crate::ops::board::Board;
use crate::ops::error::Error;
use crate::ops::identity;
use crate::store::Store;
use crate::text::time::Timestamp;

/// One worktree.
#[derive(Debug)]
pub struct Line {
    /// The worktree.
    pub worktree: Worktree,
    /// Its branch and commit.
    pub binding: Binding,
    /// The agent that it is bound to, as configured.
    pub agent: Option<String>,
    /// The domain that it is bound to, as configured.
    pub domain: Option<String>,
    /// The task that it is bound to, else one that is held there.
    pub task: Option<String>,
    /// When the lease on that task ends, if it is held there.
    pub expires_at: Option<Timestamp>,
    /// Changes that no commit holds; none if its folder is gone.
    pub dirty: Option<usize>,
    /// Commits ahead of the trunk, and behind it.
    pub ahead_behind: Option<(usize, usize)>,
}

/// All worktrees.
#[derive(Debug)]
pub struct Listing {
    /// A line each, the main one first.
    pub lines: Vec<Line>,
    /// What they are compared with.
    pub trunk: Option<Trunk>,
    /// Now.
    pub now: Timestamp,
    /// Records that could not be read.
    pub damaged: Vec<crate::store::StoreError>,
}

/// Looks at every worktree.
pub fn list(context: &Context<'_>) -> Result<Listing, Error> {
    let repo = context.store.repo();
    let board = Board::load(&context.store)?;
    let trunk = repo.trunk()?;
    let mut lines = Vec::new();
    for worktree in repo.worktrees()? {
        // One that goes while we look is no error.
        if let Ok(line) = line(context, &board, trunk.as_ref(), worktree.clone()) {
            lines.push(line);
        } else if worktree.git_dir.exists() {
            lines.push(line_of_broken(worktree));
        }
    }
    Ok(Listing { lines, trunk, now: board.now(), damaged: board.damaged })
}

fn line(
    context: &Context<'_>,
    board: &Board,
    trunk: Option<&Trunk>,
    worktree: Worktree,
) -> Result<Line, Error> {
    let env = context.store.env();
    let store = Store::open(Repo::open_at(&worktree.git_dir, env)?, env)?;
    let repo = store.repo();
    let bound = Bound::of(&store);
    let held = bound.held(&store, board);
    let task = bound.task.clone().or_else(|| held.first().map(ToString::to_string));
    let expires_at = held.iter().find(|id| Some(id.as_str()) == task.as_deref()).and_then(|id| {
        match board.lease(&store, id) {
            Some(Lease::Live { until } | Lease::Watched { until }) => Some(until),
            _ => None,
        }
    });
    Ok(Line {
        binding: repo.binding()?,
        dirty: if worktree.missing { None } else { Some(repo.dirt()?.count()) },
        ahead_behind: trunk.map(|trunk| repo.ahead_behind(trunk)).transpose()?.flatten(),
        agent: bound.agent,
        domain: bound.domain,
        task,
        expires_at,
        worktree,
    })
}

fn line_of_broken(worktree: Worktree) -> Line {
    Line {
        worktree: Worktree { missing: true, ..worktree },
        binding: Binding::default(),
        agent: None,
        domain: None,
        task: None,
        expires_at: None,
        dirty: None,
        ahead_behind: None,
    }
}

/// What the configuration of a worktree binds it to.
pub(super) struct Bound {
    pub(super) agent: Option<String>,
    pub(super) domain: Option<String>,
    pub(super) task: Option<String>,
    /// The branch that was made with it.
    pub(super) branch: Option<String>,
}

impl Bound {
    pub(super) fn of(store: &Store<'_>) -> Self {
        let get = |key: &str| store.repo().config(key).filter(|value| !value.is_empty());
        Self {
            agent: get("comm.agent"),
            domain: get("comm.domain"),
            // By its own file alone: what holds for all binds none of them,
            // and lets none be removed.
            task: store.repo().own_bound("task"),
            branch: store.repo().own_bound("branch"),
        }
    }

    /// The tasks that are held from this worktree: by its session, and the
    /// one that it is bound to by any session of its agent.
    pub(super) fn held(&self, store: &Store<'_>, board: &Board) -> Vec<TaskId> {
        let is_here = |agent: &AgentName, session: &str| identity::session(store, agent) == session;
        let held = board.tasks.iter().filter(|(id, version)| {
            let is_bound = |agent: &AgentName| {
                self.task.as_deref() == Some(id.as_str()) && self.agent.as_deref() == Some(agent.as_str())
            };
            let claim = version.state.phase.claim.as_ref();
            claim.is_some_and(|claim| is_here(&claim.agent, &claim.session) || is_bound(&claim.agent))
        });
        held.map(|(id, _)| id.clone()).collect()
    }
}

//! What would be lost with a worktree.

use std::path::PathBuf;

use super::list::Bound;
use super::place::shown;
use crate::git::{Binding, Repo, Trunk, Worktree};
use crate::model::names::{AgentName, TaskId};
use crate::ops::Context;
use crate::ops::board::Board;
use crate::ops::error::{Error, plural};
use crate::ops::identity::{Claimed, Who};
use crate::text::escape;
use crate::text::glob::Names;

/// Names of what tools make again, ignored or not worth keeping. Whatever
/// else git ignores is somebody's: an `.env`, a database, notes.
const DISPOSABLE: &[&str] = &[
    "target",
    "node_modules",
    "build",
    "dist",
    "out",
    "venv",
    ".venv",
    "__pycache__",
    ".cache",
    ".gradle",
    ".next",
    ".turbo",
    ".tox",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".husky/_",
    "*.o",
    "*.pyc",
    "*.class",
    ".DS_Store",
];
/// How many ignored files are named.
const NAMED: usize = 4;

/// What would be lost.
#[derive(Debug, Default)]
pub(super) struct Loss {
    /// What no branch can hold, or what must be decided first.
    pub(super) firm: Vec<String>,
    /// Repositories in it that hold work of their own.
    pub(super) inner: Vec<String>,
    /// What a branch can hold.
    pub(super) keepable: Vec<String>,
    /// Files that git ignores and nothing makes again, relative to its top.
    pub(super) ignored: Vec<PathBuf>,
}

impl Loss {
    pub(super) fn is_none(&self) -> bool {
        self.reasons().is_empty()
    }

    /// Every one, for people.
    pub(super) fn reasons(&self) -> Vec<String> {
        let mut reasons = [&self.firm[..], &self.inner, &self.keepable].concat();
        let named: Vec<String> =
            self.ignored.iter().take(NAMED).map(|path| escape::clipped(&shown(path), 80)).collect();
        if let Some(rest) = self.ignored.len().checked_sub(named.len()).filter(|_| !named.is_empty()) {
            let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
            let files = plural(self.ignored.len(), "file");
            reasons.push(format!("{files} that git ignores: {}{more}", named.join(", ")));
        }
        reasons
    }
}

/// A linked worktree with all that is known of it.
pub(super) struct Target<'e> {
    pub(super) worktree: Worktree,
    pub(super) inside: Context<'e>,
    pub(super) binding: Binding,
    pub(super) bound: Bound,
    pub(super) held: Vec<Held<'e>>,
    disposable: Names,
}

/// A claim that is held from a worktree.
pub(super) struct Held<'e> {
    pub(super) task: TaskId,
    pub(super) agent: AgentName,
    /// The holder's own view, by which it can be given back.
    pub(super) holder: Context<'e>,
}

/// Names of what is ignored and made again, with those that are configured.
pub(super) fn disposable(repo: &Repo) -> Result<Names, Error> {
    let configured = repo.config_all("comm.disposable");
    let words = configured.iter().flat_map(|value| value.split_whitespace());
    Names::new(DISPOSABLE.iter().copied().chain(words)).map_err(|error| {
        let hint = "names and patterns with blanks between: git config comm.disposable '*.log tmp'";
        Error::usage(format!("in `comm.disposable`: {error}"), hint)
    })
}

impl<'e> Target<'e> {
    pub(super) fn open(context: &Context<'e>, board: &Board, worktree: Worktree) -> Result<Self, Error> {
        let claimed = Claimed { agent: None, as_person: false };
        let inside = Context::open_at(&worktree.git_dir, context.store.env(), &claimed)?;
        let bound = Bound::of(&inside.store);
        let mut held = Vec::new();
        for task in bound.held(&inside.store, board) {
            let claim = board.tasks.get(&task).and_then(|v| v.state.phase.claim.as_ref());
            let Some(agent) = claim.map(|claim| claim.agent.clone()) else { continue };
            // A person comes without an agent's name.
            let is_caller =
                !matches!(context.identity.who, Who::Agent(_)) && context.identity.name() == Some(&agent);
            let named = (!is_caller).then(|| agent.to_string());
            let claimed = Claimed { agent: named, as_person: false };
            let holder = Context::open_at(&worktree.git_dir, context.store.env(), &claimed)?;
            held.push(Held { task, agent, holder });
        }
        let binding = inside.store.repo().binding()?;
        let disposable = disposable(inside.store.repo())?;
        Ok(Self { worktree, inside, binding, bound, held, disposable })
    }

    pub(super) fn repo(&self) -> &Repo {
        self.inside.store.repo()
    }

    /// What would be lost with it. `published`: commits count as safe only on
    /// a remote or on the trunk, not on just another branch.
    pub(super) fn loss(&self, published: Option<Option<&Trunk>>) -> Result<Loss, Error> {
        let repo = self.repo();
        let mut loss = Loss::default();
        if let Some(why) = &self.worktree.locked {
            let why = if why.is_empty() { String::new() } else { format!(": {}", escape::clipped(why, 80)) };
            loss.firm.push(format!("it is locked{why}"));
        }
        if let Some(what) = repo.under_way() {
            loss.firm.push(format!("{what} is under way"));
        }
        let mut nested = Vec::new();
        // Also where it is ignored: git would take the folder with the rest.
        for other in self.repo().worktrees()? {
            if other.path != self.worktree.path && other.path.starts_with(&self.worktree.path) {
                loss.firm.push(format!("the worktree `{}` lies in it", escape::clipped(&other.name(), 60)));
                nested.push(other.path);
            }
        }
        for name in repo.unpushed_submodules()? {
            loss.firm.push(format!("submodule `{name}` holds commits that are on no remote"));
        }
        if self.worktree.missing {
            if !repo.is_index_committed()? {
                loss.firm.push("its folder is gone, and its index holds what no commit does".into());
            }
        } else {
            self.look_inside(&nested, &mut loss)?;
        }
        // A folder that is gone takes no branch with it.
        let own = self.binding.branch.as_deref().filter(|_| !self.worktree.missing);
        let commits = match published {
            Some(trunk) if !self.worktree.missing => repo.commits_unpublished(trunk)?,
            _ => repo.commits_only_here(own)?,
        };
        if commits > 0 {
            let on = match &self.binding.branch {
                Some(branch) => format!("of `{}`", escape::line(branch)),
                None => "of a detached HEAD".into(),
            };
            let commits = plural(commits, "commit");
            loss.keepable.push(match published {
                Some(_) => format!("{commits} {on} on no remote and not on the trunk"),
                None => format!("{commits} {on} on no other branch and no remote"),
            });
        }
        Ok(loss)
    }

    /// What is in its folder; `nested` are worktrees there, told already.
    fn look_inside(&self, nested: &[PathBuf], loss: &mut Loss) -> Result<(), Error> {
        let repo = self.repo();
        let dirt = repo.dirt_thorough()?;
        if dirt.conflicts > 0 {
            loss.firm.push(plural(dirt.conflicts, "file") + " with conflicts");
        }
        for name in dirt.inner.iter().take(NAMED) {
            loss.inner.push(format!("`{name}` is a repository with content of its own"));
        }
        for path in repo.inner_repositories()? {
            let name = shown(&path);
            let is_told = dirt.inner.iter().any(|told| told.trim_end_matches('/') == name)
                || nested.contains(&self.worktree.path.join(&path));
            if is_told || loss.inner.len() >= NAMED {
                continue;
            }
            if let Some(what) = repo.inner_loss(&path, &self.disposable)? {
                loss.inner.push(format!("`{name}` is a repository {what}"));
            }
        }
        loss.ignored = repo.ignored_files(&self.disposable)?;
        for (count, what) in
            [(dirt.staged, "staged"), (dirt.unstaged, "unstaged"), (dirt.untracked, "untracked")]
        {
            if count > 0 {
                loss.keepable.push(plural(count, &format!("{what} file")));
            }
        }
        Ok(())
    }
}

//! Removing a worktree without losing what is in it.
//!
//! Everything is looked at first; then git removes it and looks again, so
//! that what appears in between is found, too.

use std::path::Path;

use super::Context;
use super::board::Board;
use super::claims;
use super::error::{Error, plural};
use super::identity::{Claimed, Who};
use super::worktree_list::Bound;
use super::worktree_place::{check_name, default_root, real, shown};
use crate::git::{Binding, Kept, Oid, Repo, Trunk, Worktree};
use crate::model::names::{AgentName, TaskId};
use crate::text::escape;

/// A worktree that was removed.
#[derive(Debug)]
pub struct Removed {
    /// The worktree.
    pub worktree: Worktree,
    /// The branch that it had.
    pub branch: Option<String>,
    /// Whether that branch, which was made with it, held nothing of its own
    /// and went with it.
    pub branch_deleted: bool,
    /// The branch that its state was kept on, and the commit.
    pub kept: Option<(String, Oid)>,
    /// The tasks that were held from it and are open again.
    pub released: Vec<TaskId>,
}

/// What would be lost.
#[derive(Debug, Default)]
pub(super) struct Loss {
    /// What no branch can hold, or what must be decided first.
    pub(super) firm: Vec<String>,
    /// What a branch can hold.
    pub(super) keepable: Vec<String>,
}

impl Loss {
    pub(super) fn is_none(&self) -> bool {
        self.firm.is_empty() && self.keepable.is_empty()
    }
}

/// A linked worktree with all that is known of it.
pub(super) struct Target<'e> {
    pub(super) worktree: Worktree,
    pub(super) inside: Context<'e>,
    pub(super) binding: Binding,
    pub(super) bound: Bound,
    pub(super) held: Vec<Held<'e>>,
}

/// A claim that is held from a worktree.
pub(super) struct Held<'e> {
    pub(super) task: TaskId,
    pub(super) agent: AgentName,
    /// The holder's own view, by which it can be given back.
    holder: Context<'e>,
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
        Ok(Self { worktree, inside, binding, bound, held })
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
        // Also where it is ignored: git would take the folder with the rest.
        for other in self.repo().worktrees()? {
            if other.path != self.worktree.path && other.path.starts_with(&self.worktree.path) {
                loss.firm.push(format!("the worktree `{}` lies in it", escape::clipped(&other.name(), 60)));
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
            let dirt = repo.dirt_thorough()?;
            if dirt.conflicts > 0 {
                loss.firm.push(plural(dirt.conflicts, "file") + " with conflicts");
            }
            for name in dirt.inner.iter().take(4) {
                loss.firm.push(format!("`{name}` is a repository with content of its own"));
            }
            for (count, what) in
                [(dirt.staged, "staged"), (dirt.unstaged, "unstaged"), (dirt.untracked, "untracked")]
            {
                if count > 0 {
                    loss.keepable.push(plural(count, &format!("{what} file")));
                }
            }
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
}

/// Removes the worktree that `target` names: its name, its branch or its
/// folder, seen from `dir`. With `keep`, what would be lost goes onto a new
/// branch of that name.
pub fn remove(
    context: &Context<'_>,
    dir: &Path,
    target: &Path,
    keep: Option<&str>,
) -> Result<Removed, Error> {
    context.identity.author(&context.store)?;
    let repo = context.store.repo();
    let _lock = repo.lock_worktrees()?;
    super::worktree::settle_unfinished(context)?;
    let board = Board::load(&context.store)?;
    let worktree = find(context, dir, target)?;
    refuse_inside(dir, &worktree)?;
    let target = Target::open(context, &board, worktree)?;
    refuse_holder(context, &board, &target)?;
    if let Some(branch) = keep {
        refuse_branch(repo, branch)?;
    }
    let loss = target.loss(None)?;
    let stays = !loss.firm.is_empty() || (keep.is_none() && !loss.keepable.is_empty());
    if stays {
        return Err(would_lose(&target, loss));
    }
    let kept = match keep {
        Some(branch) => Some(keep_on(context, &target, branch)?),
        None => None,
    };
    let removed = take_away(context, &target, kept.as_ref().map(|(_, kept)| kept));
    if let (Err(_), Some((branch, kept))) = (&removed, &kept) {
        // It stays where it was, so nothing needs to be kept elsewhere.
        target.repo().stand_back(kept, target.binding.branch.as_deref())?;
        repo.delete_branch(branch, kept.commit)?;
    }
    let (branch_deleted, released) = removed?;
    let kept = kept.map(|(branch, kept)| (branch, kept.commit));
    Ok(Removed {
        branch: target.binding.branch.clone(),
        worktree: target.worktree,
        branch_deleted,
        kept,
        released,
    })
}

fn find(context: &Context<'_>, dir: &Path, target: &Path) -> Result<Worktree, Error> {
    let repo = context.store.repo();
    let all = repo.worktrees()?;
    let path = real(&dir.join(target));
    let text = target.to_str().unwrap_or_default();
    let mut found: Vec<&Worktree> = all.iter().filter(|w| real(&w.path) == path).collect();
    if found.is_empty() {
        found = all.iter().filter(|w| !text.is_empty() && w.name() == text).collect();
    }
    if found.is_empty() {
        for worktree in all.iter().filter(|w| !w.is_main) {
            let binding = Repo::open_at(&worktree.git_dir, context.store.env())?.binding()?;
            if binding.branch.as_deref() == Some(text) {
                found.push(worktree);
            }
        }
    }
    let name = shown(target);
    match found.as_slice() {
        [] => Err(Error::Unknown { what: "worktree", name, meant: None }),
        [one] if one.is_main => Err(Error::No {
            kind: "main_worktree",
            what: format!("`{name}` is the main worktree, which is the repository itself"),
            reasons: Vec::new(),
            hint: "see the others: git comm worktree list".into(),
        }),
        [one] => Ok((*one).clone()),
        many => Err(Error::No {
            kind: "ambiguous",
            what: format!("{} are called `{name}`", plural(many.len(), "worktree")),
            reasons: many.iter().map(|w| shown(&w.path)).collect(),
            hint: "name it by its folder".into(),
        }),
    }
}

fn refuse_inside(dir: &Path, worktree: &Worktree) -> Result<(), Error> {
    if !real(dir).starts_with(&worktree.path) {
        return Ok(());
    }
    Err(Error::No {
        kind: "inside",
        what: format!("you are in `{}`", escape::line(&worktree.name())),
        reasons: Vec::new(),
        hint: "go to another worktree first".into(),
    })
}

/// An agent does not take the ground from under another that works there.
fn refuse_holder(context: &Context<'_>, board: &Board, target: &Target<'_>) -> Result<(), Error> {
    let Who::Agent(caller) = &context.identity.who else { return Ok(()) };
    let is_live = |id: &TaskId| board.lease(&context.store, id).is_some_and(|lease| !lease.is_expired());
    match target.held.iter().find(|held| held.agent != *caller && is_live(&held.task)) {
        None => Ok(()),
        Some(Held { task: id, agent: holder, .. }) => Err(Error::Identity {
            what: format!("`{holder}` holds `{id}` in `{}`", escape::line(&target.worktree.name())),
            hint: format!("ask: git comm msg send --to {holder} TEXT"),
        }),
    }
}

fn refuse_branch(repo: &Repo, branch: &str) -> Result<(), Error> {
    let name = crate::git::RefName::new(format!("refs/heads/{branch}"));
    let Some(name) = name.ok().filter(|_| !branch.starts_with('-') && branch != "HEAD") else {
        let what = format!("`{}` cannot name a branch", escape::clipped(branch, 80));
        return Err(Error::usage(what, "see: git help check-ref-format"));
    };
    match repo.read_ref(&name)? {
        None => Ok(()),
        Some(_) => Err(taken(branch)),
    }
}

fn taken(branch: &str) -> Error {
    Error::No {
        kind: "taken",
        what: format!("there is already a branch `{}`", escape::line(branch)),
        reasons: Vec::new(),
        hint: "name a new one: --keep BRANCH".into(),
    }
}

fn would_lose(target: &Target<'_>, loss: Loss) -> Error {
    let name = target.worktree.name();
    let hint = if loss.firm.is_empty() {
        format!("keep it on a new branch: git comm worktree remove {} --keep BRANCH", escape::line(&name))
    } else if target.worktree.missing {
        "if the folder was moved: git worktree repair NEW-FOLDER".into()
    } else {
        "finish or undo that there first".into()
    };
    let reasons = loss.firm.into_iter().chain(loss.keepable).collect();
    Error::No {
        kind: "would_lose",
        what: format!("worktree `{}` holds work that would be lost", escape::line(&name)),
        reasons,
        hint,
    }
}

/// Puts the state of the worktree onto a new branch.
fn keep_on(context: &Context<'_>, target: &Target<'_>, branch: &str) -> Result<(String, Kept), Error> {
    let repo = target.repo();
    let is_dirty = !target.worktree.missing && !repo.dirt_thorough()?.is_clean();
    let kept = if is_dirty {
        let board = context.store.meta().and_then(|m| m.boards.first().cloned()).unwrap_or_default();
        let who = context.identity.name().map_or_else(|| "nobody".to_owned(), ToString::to_string);
        let mail = format!("{who}@{board}.invalid");
        repo.keep_state((&who, &mail), &escape::line(&target.worktree.name()))?
    } else {
        match repo.kept_head()? {
            Some(kept) => kept,
            None => return Err(Error::usage("there is no commit to keep", "git comm worktree remove NAME")),
        }
    };
    if !repo.create_branch(branch, kept.commit, "kept by git comm worktree remove")? {
        return Err(taken(branch));
    }
    match repo.stand_on(&kept) {
        Ok(true) => Ok((branch.to_owned(), kept)),
        other => {
            repo.delete_branch(branch, kept.commit)?;
            other?;
            Err(changed(target))
        }
    }
}

fn changed(target: &Target<'_>) -> Error {
    Error::No {
        kind: "changed",
        what: format!("worktree `{}` changed while it was looked at", escape::line(&target.worktree.name())),
        reasons: Vec::new(),
        hint: "see that nobody works there, then try again".into(),
    }
}

/// Lets git remove the worktree, which looks again; then what was bound to it
/// goes: its claims, and its branch if that holds nothing of its own.
pub(super) fn take_away(
    context: &Context<'_>,
    target: &Target<'_>,
    kept: Option<&Kept>,
) -> Result<(bool, Vec<TaskId>), Error> {
    let repo = context.store.repo();
    let force = target.repo().has_submodules()?;
    if force {
        // git would not look: what changed since is found here or nowhere.
        let dirt =
            if target.worktree.missing { Default::default() } else { target.repo().dirt_thorough()? };
        let settled = kept.is_some() || target.loss(None)?.is_none();
        if !dirt.is_clean() || !settled {
            return Err(changed(target));
        }
    }
    if let Some(why) = repo.remove_worktree(&target.worktree.path, force)? {
        tracing::debug!(%why, "git refused");
        return Err(changed(target));
    }
    let branch_deleted = delete_own_branch(repo, target).unwrap_or_else(|error| {
        context.notice(format!("its branch is left: {error}"));
        false
    });
    if let Some(parent) = target.worktree.path.parent()
        && default_root(repo, context.store.env()).is_ok_and(|root| root == parent)
        && repo.main_worktree().is_ok_and(|main| main.is_some())
    {
        // Only if that was the last one there.
        let _ = std::fs::remove_dir(parent);
    }
    Ok((branch_deleted, release(context, target)))
}

/// Deletes the branch that was made with the worktree, if the trunk holds
/// all of it.
fn delete_own_branch(repo: &Repo, target: &Target<'_>) -> Result<bool, Error> {
    let (Some(branch), Some(trunk)) = (&target.bound.branch, repo.trunk()?) else { return Ok(false) };
    let is_trunk = trunk.name.as_str().ends_with(&format!("/{branch}"));
    if is_trunk || target.binding.branch.as_ref() != Some(branch) || check_name(branch).is_err() {
        return Ok(false);
    }
    let name = crate::git::RefName::new(format!("refs/heads/{branch}"))?;
    let Some(tip) = repo.read_ref(&name)? else { return Ok(false) };
    if !repo.is_merged(tip, &trunk)? {
        return Ok(false);
    }
    repo.delete_branch(branch, tip)?;
    Ok(true)
}

/// Opens the tasks again that were held from the worktree. What cannot be
/// given back lapses by itself.
fn release(context: &Context<'_>, target: &Target<'_>) -> Vec<TaskId> {
    let mut released = Vec::new();
    for Held { task, holder, .. } in &target.held {
        match claims::release(holder, task, "its worktree was removed", None) {
            Ok(_) => released.push(task.clone()),
            Err(error) => context.notice(format!("`{task}` is still claimed: {error}")),
        }
    }
    released
}

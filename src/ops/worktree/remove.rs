//! Removing a worktree without losing what is in it.
//!
//! Everything is looked at first; then git removes it and looks again, so
//! that what appears in between is found, too.

use std::path::{Path, PathBuf};

use super::copy::copy_out;
use super::loss::{Held, Loss, Target};
use super::place::{check_name, default_root, real, shown};
use crate::git::{Kept, Oid, Removal, Repo, Saved, Worktree};
use crate::model::names::TaskId;
use crate::ops::Context;
use crate::ops::board::Board;
use crate::ops::claims;
use crate::ops::error::{Error, plural};
use crate::ops::identity::Who;
use crate::text::escape;

/// What becomes of files that git ignores and nothing makes again.
#[derive(Clone, Debug, Default)]
pub enum Ignored {
    /// The worktree stays because of them.
    #[default]
    Stay,
    /// They are copied to this folder.
    Copy(PathBuf),
    /// They go with it.
    Drop,
}

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
    /// The folder that ignored files were copied to.
    pub copied: Option<PathBuf>,
    /// Where commits are that only its reflog and its own refs named.
    pub saved: Option<Saved>,
    /// The tasks that were held from it and are open again.
    pub released: Vec<TaskId>,
}

/// Removes the worktree that `target` names: its name, its branch or its
/// folder, seen from `dir`. With `keep`, what would be lost goes onto a new
/// branch of that name, except what git ignores.
pub fn remove(
    context: &Context<'_>,
    dir: &Path,
    target: &Path,
    keep: Option<&str>,
    ignored: &Ignored,
) -> Result<Removed, Error> {
    context.identity.author(&context.store)?;
    let repo = context.store.repo();
    let _lock = repo.lock_worktrees()?;
    super::add::settle_unfinished(context)?;
    let board = Board::load(&context.store)?;
    let worktree = find(context, dir, target)?;
    refuse_inside(dir, &worktree)?;
    let target = Target::open(context, &board, worktree)?;
    refuse_holder(context, &board, &target)?;
    if let Some(branch) = keep {
        refuse_branch(repo, branch)?;
    }
    let mut loss = target.loss(None)?;
    let files = match ignored {
        Ignored::Stay => Vec::new(),
        Ignored::Copy(_) | Ignored::Drop => std::mem::take(&mut loss.ignored),
    };
    if keep.is_some() {
        loss.keepable.clear();
    }
    if !loss.is_none() {
        return Err(would_lose(&target, &loss));
    }
    let copies = match ignored {
        Ignored::Copy(to) if !files.is_empty() => {
            Some(copy_out(&target.worktree.path, &files, &dir.join(to))?)
        }
        _ => None,
    };
    let taken = take_keeping(context, &target, keep);
    if let (Err(stopped), Some(copies)) = (&taken, &copies) {
        stopped.undo(context, &shown(&copies.to), || {
            copies.undo();
            Ok(())
        })?;
    }
    let (kept, gone) = taken.map_err(|stopped| stopped.error)?;
    let kept = kept.map(|(branch, kept)| (branch, kept.commit));
    Ok(Removed {
        branch: target.binding.branch.clone(),
        worktree: target.worktree,
        branch_deleted: gone.branch_deleted,
        kept,
        copied: copies.map(|copies| copies.to),
        saved: gone.saved,
        released: gone.released,
    })
}

type Taken = (Option<(String, Kept)>, Gone);

/// Takes the worktree away once its state is on the branch `keep`.
fn take_keeping(context: &Context<'_>, target: &Target<'_>, keep: Option<&str>) -> Result<Taken, Stopped> {
    let kept = match keep {
        Some(branch) => Some(keep_on(context, target, branch)?),
        None => None,
    };
    let gone = take_away(context, target, kept.as_ref().map(|(_, kept)| kept));
    if let (Err(stopped), Some((branch, kept))) = (&gone, &kept) {
        stopped.undo(context, branch, || {
            target.repo().stand_back(kept, target.binding.branch.as_deref())?;
            Ok(context.store.repo().delete_branch(branch, kept.commit)?)
        })?;
    }
    Ok((kept, gone?))
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
            // One that cannot be opened is not the one that is meant.
            let opened = Repo::open_at(&worktree.git_dir, context.store.env());
            let binding = opened.and_then(|repo| repo.binding());
            if binding.is_ok_and(|binding| binding.branch.as_deref() == Some(text)) {
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

fn would_lose(target: &Target<'_>, loss: &Loss) -> Error {
    let name = target.worktree.name();
    let mut again = format!("git comm worktree remove {}", escape::line(&name));
    if !loss.keepable.is_empty() {
        again.push_str(" --keep BRANCH");
    }
    if !loss.ignored.is_empty() {
        again.push_str(" --keep-ignored DIR");
    }
    let hint = if !loss.firm.is_empty() && target.worktree.missing {
        "if the folder was moved: git worktree repair NEW-FOLDER".into()
    } else if !loss.firm.is_empty() {
        "finish or undo that there first".into()
    } else if !loss.inner.is_empty() {
        "push from there, or move it out of the worktree: mv".into()
    } else if loss.keepable.is_empty() {
        format!("move them out of it, or have them copied: {again}")
    } else {
        format!("keep it on a new branch: {again}")
    };
    Error::No {
        kind: "would_lose",
        what: format!("worktree `{}` holds work that would be lost", escape::line(&name)),
        reasons: loss.reasons(),
        hint,
    }
}

/// Puts the state of the worktree onto a new branch.
fn keep_on(context: &Context<'_>, target: &Target<'_>, branch: &str) -> Result<(String, Kept), Error> {
    let repo = target.repo();
    let is_dirty = !target.worktree.missing && !repo.dirt_thorough()?.is_clean();
    let kept = if is_dirty {
        let (who, mail) = author(context);
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

/// What went with a worktree, and what became of it.
pub(super) struct Gone {
    pub(super) branch_deleted: bool,
    pub(super) saved: Option<Saved>,
    pub(super) released: Vec<TaskId>,
}

/// A removal that did not happen.
pub(super) struct Stopped {
    pub(super) error: Error,
    /// Whether the worktree is as it was.
    is_whole: bool,
}

impl<E: Into<Error>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self { error: error.into(), is_whole: true }
    }
}

impl Stopped {
    /// Undoes what was kept in `place`, if the worktree still has it itself.
    fn undo(
        &self,
        context: &Context<'_>,
        place: &str,
        undo: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.is_whole {
            return undo();
        }
        context.notice(format!("what was kept stays in {}", escape::line(place)));
        Ok(())
    }
}

/// Lets git remove the worktree, which looks again; then what was bound to it
/// goes: its claims, and its branch if that holds nothing of its own. What
/// only its reflog and its own refs named is saved before.
pub(super) fn take_away(
    context: &Context<'_>,
    target: &Target<'_>,
    kept: Option<&Kept>,
) -> Result<Gone, Stopped> {
    let repo = context.store.repo();
    let branch = own_branch(repo, target)?;
    let strays = target.repo().strays(branch.as_ref().map(|(name, _)| name.as_str()), None)?;
    let (who, mail) = author(context);
    let saved = repo.save_strays((&who, &mail), &escape::line(&target.worktree.name()), &strays)?;
    if let Err(stopped) = take_folder(context, target, kept) {
        if let Some(saved) = &saved {
            stopped.undo(context, saved.name.as_str(), || Ok(repo.unsave_strays(saved)?))?;
        }
        return Err(stopped);
    }
    let branch_deleted = delete_own_branch(repo, branch).unwrap_or_else(|error| {
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
    Ok(Gone { branch_deleted, saved, released: release(context, target) })
}

/// Who signs what is kept.
fn author(context: &Context<'_>) -> (String, String) {
    let board = context.store.meta().and_then(|m| m.boards.first().cloned()).unwrap_or_default();
    let who = context.identity.name().map_or_else(|| "nobody".to_owned(), ToString::to_string);
    let mail = format!("{who}@{board}.invalid");
    (who, mail)
}

fn take_folder(context: &Context<'_>, target: &Target<'_>, kept: Option<&Kept>) -> Result<(), Stopped> {
    let repo = context.store.repo();
    let force = target.repo().has_submodules()?;
    if force {
        // git would not look: what changed since is found here or nowhere.
        let dirt =
            if target.worktree.missing { Default::default() } else { target.repo().dirt_thorough()? };
        let mut loss = target.loss(None)?;
        // Those were copied, or may go.
        loss.ignored.clear();
        if kept.is_some() {
            loss.keepable.clear();
        }
        if !dirt.is_clean() || !loss.is_none() {
            return Err(changed(target).into());
        }
    }
    match repo.remove_worktree(&target.worktree, force) {
        Ok(Removal::Done) => Ok(()),
        Ok(Removal::Partly(why)) => {
            context.notice(format!("not all of `{}` could be deleted: {why}", shown(&target.worktree.path)));
            Ok(())
        }
        Ok(Removal::Refused(why)) => {
            tracing::debug!(%why, "git refused");
            Err(changed(target).into())
        }
        Err(error) => Err(Stopped { error: error.into(), is_whole: false }),
    }
}

/// The branch that was made with the worktree, and its tip, if the trunk
/// holds all of it.
fn own_branch(repo: &Repo, target: &Target<'_>) -> Result<Option<(String, Oid)>, Error> {
    let (Some(branch), Some(trunk)) = (&target.bound.branch, repo.trunk()?) else { return Ok(None) };
    let is_trunk = trunk.name.as_str().ends_with(&format!("/{branch}"));
    if is_trunk || target.binding.branch.as_ref() != Some(branch) || check_name(branch).is_err() {
        return Ok(None);
    }
    let name = crate::git::RefName::new(format!("refs/heads/{branch}"))?;
    let Some(tip) = repo.read_ref(&name)? else { return Ok(None) };
    Ok(repo.is_merged(tip, &trunk)?.then(|| (branch.clone(), tip)))
}

/// Deletes it, unless another worktree has it, too.
fn delete_own_branch(repo: &Repo, branch: Option<(String, Oid)>) -> Result<bool, Error> {
    let Some((branch, tip)) = branch else { return Ok(false) };
    if repo.is_checked_out(&branch)? {
        return Ok(false);
    }
    repo.delete_branch(&branch, tip)?;
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

//! Taking our blocks out of hook files, and what was made for them.

use std::collections::BTreeSet;
use std::path::Path;

use super::block::{self, NoEnd};
use super::shim::{self, HOOKS};
use super::{Action, Done, beside, no_end};
use crate::git::{HookFile, Repo};
use crate::ops::error::Error;

/// Takes our blocks out of every hook file that may hold one: where git looks
/// now, where it looks without `core.hooksPath`, and where managers put what
/// they found.
pub(super) fn take_out(worktrees: &[Repo], done: &mut Done) -> Result<(), Error> {
    let mut folders = BTreeSet::new();
    for repo in worktrees {
        folders.insert(repo.common_dir().join("hooks"));
        folders.insert(repo.hooks_folder()?.path);
        folders.extend(repo.work_tree().map(|tree| tree.join(".husky/_")));
    }
    let Some(repo) = worktrees.first() else { return Ok(()) };
    for folder in &folders {
        let mut made = 0;
        for hook in HOOKS {
            let path = folder.join(hook);
            for path in [beside(&path, "legacy"), beside(&path, "old"), path] {
                made = made.max(strip_file(repo, hook, &path, done)?);
            }
        }
        if made > 0 && !done.dry_run {
            delete_folders(folder, made)?;
        }
    }
    Ok(())
}

/// Says how many folders were made for the file.
fn strip_file(repo: &Repo, hook: &str, path: &Path, done: &mut Done) -> Result<usize, Error> {
    let HookFile::File { bytes, mode } = Repo::hook_file(path)? else { return Ok(0) };
    let Some(found) = block::find(&bytes, hook).map_err(|NoEnd| no_end(path))? else { return Ok(0) };
    let rest = shim::without_block(&bytes, &found);
    match &rest {
        None => done.add(Action::Delete, path, "only ran git-comm"),
        Some(_) => done.add(Action::Change, path, "git-comm taken out"),
    }
    if !done.dry_run {
        match rest {
            None => Repo::delete_hook(path)?,
            Some(rest) => {
                repo.write_hook(path, &rest, Some(shim::mode_before(&found).unwrap_or(mode)))?;
            }
        }
    }
    Ok(found.folders())
}

/// Deletes folders that were made for our files, as far as they are empty.
fn delete_folders(folder: &Path, count: usize) -> Result<(), Error> {
    let ignore = folder.join(".gitignore");
    let only_that = std::fs::read_dir(folder)
        .is_ok_and(|mut entries| entries.all(|e| e.is_ok_and(|e| e.file_name() == ".gitignore")));
    if only_that && std::fs::read(&ignore).is_ok_and(|bytes| bytes == b"*\n") {
        Repo::delete_hook(&ignore)?;
    }
    folder.ancestors().take(count).all(Repo::delete_empty);
    Ok(())
}

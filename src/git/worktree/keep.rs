//! Keeps the state of a worktree on a branch, and removes worktrees.
//!
//! A kept state is a commit of all files as they are; its second parent is a
//! commit of the index. `git stash apply BRANCH` brings both back.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::{Ended, branch_ref};
use crate::git::fsx;
use crate::git::lock::lock_of;
use crate::git::process::{Running, failed};
use crate::git::{GitError, Oid, RefName, Repo, Worktree};

/// The state of a worktree in one commit.
pub struct Kept {
    /// The commit; HEAD's own where nothing was uncommitted.
    pub commit: Oid,
    head: Option<Oid>,
    /// The index of that commit, and the one that it was made from.
    indexes: Option<(tempfile::TempDir, Vec<u8>)>,
}

/// What came of a removal. An error says that git broke off in the middle.
pub enum Removal {
    /// It is gone.
    Done,
    /// It is no worktree any more, but not all of its folder could be
    /// deleted, and why.
    Partly(String),
    /// Nothing was touched, and why.
    Refused(String),
}

impl Repo {
    /// Writes the files of this worktree and its index as commits.
    /// `who` is a name and a mail address.
    pub fn keep_state(&self, who: (&str, &str), name: &str) -> Result<Kept, GitError> {
        let head = self.head()?;
        let dir = self.inspection_index()?;
        let index = dir.path().join("index");
        let seen = fs::read(self.git_dir.join("index")).unwrap_or_default();
        // An entry that was only announced is none yet; its file is kept.
        let staged = self.tree_of(&index)?;
        let args = ["add", "--all", "--sparse", "--", ":/"];
        self.run_here(Some(&index), &["core.safecrlf=false", "advice.addEmbeddedRepo=false"], &args, None)?
            .ok()?;
        let files = self.tree_of(&index)?;
        let parents: Vec<Oid> = head.into_iter().collect();
        let staged = self.commit_tree(who, staged, &parents, &format!("index of worktree {name}"))?;
        let parents: Vec<Oid> = head.into_iter().chain([staged]).collect();
        let commit = self.commit_tree(who, files, &parents, &format!("files of worktree {name}"))?;
        Ok(Kept { commit, head, indexes: Some((dir, seen)) })
    }

    fn tree_of(&self, index: &Path) -> Result<Oid, GitError> {
        let ended = self.run_here(Some(index), &[], &["write-tree"], None)?;
        match ended.text() {
            Some(hex) => self.parse_oid(&hex),
            None => Err(ended.error()),
        }
    }

    pub(super) fn commit_tree(
        &self,
        (name, email): (&str, &str),
        tree: Oid,
        parents: &[Oid],
        message: &str,
    ) -> Result<Oid, GitError> {
        let mut command = self.git(&["commit.gpgSign=false"])?;
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), name).env(format!("GIT_{role}_EMAIL"), email);
            command.env_remove(format!("GIT_{role}_DATE"));
        }
        command.args(["commit-tree", "-m", message]);
        for parent in parents {
            command.args(["-p", &parent.to_string()]);
        }
        command.arg(tree.to_string());
        let ended = Ended::of(command, "commit-tree")?;
        match ended.text() {
            Some(hex) => self.parse_oid(&hex),
            None => Err(ended.error()),
        }
    }

    /// Makes a branch whose objects no prune takes; false if there is one of
    /// this name.
    pub fn create_branch(&self, branch: &str, at: Oid, reason: &str) -> Result<bool, GitError> {
        let name = branch_ref(branch)?;
        let absent = "0".repeat(self.oid_hex_len());
        let mut command = self.git(&[])?;
        command.args([
            "update-ref",
            "--create-reflog",
            "-m",
            reason,
            name.as_str(),
            &at.to_string(),
            &absent,
        ]);
        let ended = Ended::of(command, "update-ref")?;
        if ended.is_success() {
            if let Err(error) = self.pack_kept(&name) {
                self.delete_branch(branch, at)?;
                return Err(error);
            }
            return Ok(true);
        }
        if self.read_ref(&name)?.is_some() { Ok(false) } else { Err(ended.error()) }
    }

    /// Puts what only `name` leads to into a pack. A `git prune` that looked
    /// around before there was this ref deletes loose objects only; what it
    /// took already is missed here, while the worktree still has it.
    pub(super) fn pack_kept(&self, name: &RefName) -> Result<(), GitError> {
        let exclude = format!("--exclude={}", name.as_str());
        let args =
            ["rev-list", "--objects", "--single-worktree", name.as_str(), "--not", &exclude, "--all", "--"];
        let listed = self.git_output(&args)?;
        if listed.is_empty() {
            return Ok(());
        }
        let mut command = self.git(&[])?;
        command.args(["pack-objects", "-q"]).arg(self.objects_dir.join("pack/pack"));
        let (status, _, stderr) = Running::start(command, "pack-objects")?.exchange(&listed)?;
        if status.success() { Ok(()) } else { Err(failed("pack-objects", status, &stderr)) }
    }

    /// Lets this worktree stand on its kept state, so that git finds nothing
    /// in it that is not committed. False if HEAD or index have moved since.
    pub fn stand_on(&self, kept: &Kept) -> Result<bool, GitError> {
        let Some((dir, seen)) = &kept.indexes else { return Ok(true) };
        if !self.replace_index(&dir.path().join("index"), seen)? {
            return Ok(false);
        }
        let mut args = ["update-ref", "--no-deref", "-m", "keep", "HEAD"].map(str::to_owned).to_vec();
        args.extend([Some(kept.commit), kept.head].iter().flatten().map(ToString::to_string));
        if self.run_here(None, &[], &args, None)?.is_success() {
            return Ok(true);
        }
        self.restore_index(dir, seen).map(|()| false)
    }

    /// Puts HEAD and index back as they were before [`Repo::stand_on`].
    pub fn stand_back(&self, kept: &Kept, branch: Option<&str>) -> Result<(), GitError> {
        let Some((dir, seen)) = &kept.indexes else { return Ok(()) };
        match (branch, kept.head) {
            (Some(branch), _) => {
                let name = branch_ref(branch)?;
                self.run_here(None, &[], &["symbolic-ref", "-m", "keep", "HEAD", name.as_str()], None)?
                    .ok()?;
            }
            (None, Some(head)) => {
                let args = ["update-ref", "--no-deref", "-m", "keep", "HEAD", &head.to_string()];
                self.run_here(None, &[], &args, None)?.ok()?;
            }
            (None, None) => {}
        }
        self.restore_index(dir, seen)
    }

    fn restore_index(&self, dir: &tempfile::TempDir, seen: &[u8]) -> Result<(), GitError> {
        let now = fs::read(self.git_dir.join("index")).unwrap_or_default();
        let path = dir.path().join("before");
        fs::write(&path, seen).map_err(|err| GitError::write(&path, err))?;
        self.replace_index(&path, &now).map(|_| ())
    }

    /// Replaces the index under its lock, if it still has this content.
    fn replace_index(&self, next: &Path, seen: &[u8]) -> Result<bool, GitError> {
        let path = self.git_dir.join("index");
        let lock = lock_of(&path);
        let bytes = fs::read(next).map_err(|err| GitError::read(next, err))?;
        let mut file = match fsx::create_new(&lock, 0o666) {
            Ok(file) => file,
            // A git at work there, or one that died.
            Err(err) if err.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(GitError::Locked { path: lock, holder: None, waited: Duration::ZERO });
            }
            Err(err) => return Err(GitError::write(&lock, err)),
        };
        let replaced = file.write_all(&bytes).and_then(|()| {
            if fs::read(&path).unwrap_or_default() != seen {
                return Ok(false);
            }
            fs::rename(&lock, &path).map(|()| true)
        });
        if !matches!(replaced, Ok(true)) {
            let _ = fs::remove_file(&lock);
        }
        replaced.map_err(|err| GitError::write(&path, err))
    }

    /// Lets git remove a linked worktree, which looks again itself for what
    /// would be lost. `force`: it has submodules, which git never removes
    /// otherwise.
    pub fn remove_worktree(&self, worktree: &Worktree, force: bool) -> Result<Removal, GitError> {
        let mut command = self.git(&["status.showUntrackedFiles=all", "core.untrackedCache=false"])?;
        command.args(["worktree", "remove"]);
        if force {
            command.arg("--force");
        }
        command.arg("--").arg(&worktree.path);
        let ended = Ended::of(command, "worktree remove")?;
        if ended.is_success() {
            return Ok(Removal::Done);
        }
        let why = ended.stderr.lines().last().unwrap_or_default();
        let why = why.trim_start_matches("fatal: ").trim_start_matches("error: ");
        let why = crate::text::escape::clipped(why, 200);
        if !worktree.git_dir.exists() {
            return Ok(Removal::Partly(why));
        }
        // It dies before it touches anything, or not at all.
        if ended.code() == Some(128) { Ok(Removal::Refused(why)) } else { Err(ended.error()) }
    }

    /// The state of a worktree in which nothing is uncommitted.
    pub fn kept_head(&self) -> Result<Option<Kept>, GitError> {
        Ok(self.head()?.map(|commit| Kept { commit, head: Some(commit), indexes: None }))
    }
}

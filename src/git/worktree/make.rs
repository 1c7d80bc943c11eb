//! Makes a worktree with a branch of its own, and unmakes one that was not
//! finished.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::guard::Adding;
use super::{Ended, Worktree, branch_ref, path_of};
use crate::git::fsx;
use crate::git::process::Inherited;
use crate::git::{GitError, Oid, Repo};
use crate::text::glob::Names;

/// A worktree that is to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewWorktree {
    /// Its folder, absolute; nothing is there yet.
    pub path: PathBuf,
    /// Its branch, without `refs/heads/`; there is none of this name yet.
    pub branch: String,
    /// The commit that both start from, as digits.
    pub base: String,
    /// The agent that it is for.
    pub agent: Option<String>,
    /// The task that is claimed in it.
    pub task: Option<String>,
    /// Whether the folder around it is made, too.
    pub makes_parent: bool,
}

/// What the names of folders for other indexes start with.
pub(in crate::git) const TEMPORARY_INDEX: &str = "index-";
/// Content up to this length is compared when an unfinished check-out is
/// undone.
const LIMIT: usize = 256 << 20;

impl Repo {
    /// Makes the worktree and its branch, without files. The answer stands
    /// for "not finished yet" until it is told otherwise.
    pub fn make_worktree(&self, new: &NewWorktree, disposable: &Names) -> Result<Adding, GitError> {
        let adding = self.note_adding(new)?;
        let inherited = Inherited::new(&adding.file).map_err(|err| GitError::write(&new.path, err))?;
        let mut command = self.git(&[&self.reflog_setting()])?;
        command.args(["worktree", "add", "-q", "--no-checkout", "--no-track", "-b", &new.branch, "--"]);
        command.arg(&new.path).arg(&new.base);
        let ended = Ended::of(command, "worktree add");
        drop(inherited);
        match ended.and_then(Ended::ok) {
            Ok(_) => Ok(adding),
            Err(error) => {
                // git undoes what it began, but not the branch.
                self.unmake_worktree(new, disposable)?;
                adding.finish()?;
                Err(error)
            }
        }
    }

    /// Fills this new worktree with the files of its commit.
    pub fn check_out(&self, adding: &Adding) -> Result<(), GitError> {
        let path = self.work_tree.clone().unwrap_or_default();
        let inherited = Inherited::new(&adding.file).map_err(|err| GitError::write(&path, err))?;
        let mut command = self.git(&[&self.reflog_setting()])?;
        // A partial clone fetches what it lacks.
        command.env_remove("GIT_NO_LAZY_FETCH").arg("--git-dir").arg(&self.git_dir);
        command.arg("--work-tree").arg(&path).current_dir(&path);
        command.args(["reset", "--hard", "-q", "--no-recurse-submodules"]);
        let ended = Ended::of(command, "reset");
        drop(inherited);
        ended?.ok().map(|_| ())
    }

    /// Records of moved refs are the user's safety net: as configured.
    fn reflog_setting(&self) -> String {
        let value = self.config("core.logAllRefUpdates").unwrap_or_else(|| "true".into());
        format!("core.logAllRefUpdates={value}")
    }

    /// Removes what is left of a worktree that was not finished: its folder
    /// unless there is content of somebody's in it, its git directory, and
    /// its branch unless that has moved. Says what was left and why.
    pub fn unmake_worktree(&self, new: &NewWorktree, disposable: &Names) -> Result<Option<String>, GitError> {
        let base = self.parse_oid(&new.base)?;
        let found = self.worktrees()?.into_iter().find(|w| !w.is_main && w.path == new.path);
        if let Some(found) = found {
            if let Some(why) = self.what_came_after(&found, base, disposable)? {
                return Ok(Some(why));
            }
            // Killed at any point, this begins again: what is deleted counts
            // as not checked out yet, until its link makes it a folder that
            // is gone, and the git directory goes all at once.
            if !found.missing {
                remove_folder(&found.path)?;
            }
            self.remove_git_dir(&found.git_dir)?;
        }
        // git makes the folder before it links it; only an empty one is ours.
        remove_dead_link(&new.path);
        let _ = fs::remove_dir(&new.path);
        if let (true, Some(parent)) = (new.makes_parent, new.path.parent()) {
            let _ = fs::remove_dir(parent);
        }
        let branch = branch_ref(&new.branch)?;
        if self.read_ref(&branch)? == Some(base) && !self.is_checked_out(&new.branch)? {
            self.delete_branch(&new.branch, base)?;
        }
        Ok(None)
    }

    /// What somebody left in a worktree that was not finished.
    fn what_came_after(
        &self,
        found: &Worktree,
        base: Oid,
        disposable: &Names,
    ) -> Result<Option<String>, GitError> {
        let Ok(made) = Self::open_at(&found.git_dir, &self.env) else {
            // git died before it was one: then nobody can have worked there.
            let has = |name: &str| found.git_dir.join(name).exists();
            let is_used = has("index") || has("logs") || has("config.worktree");
            return Ok(is_used.then(|| "it cannot be read".into()));
        };
        if !found.missing {
            return made.foreign_content(base, disposable);
        }
        // Moved by hand, perhaps: what its git directory holds is nowhere else.
        if made.holds_commits(base)? {
            return Ok(Some("it holds commits".into()));
        }
        let is_committed = made.is_index_committed()?;
        Ok((!is_committed).then(|| "its folder is gone, and its index holds what no commit does".into()))
    }

    fn holds_commits(&self, base: Oid) -> Result<bool, GitError> {
        let has_moved = self.head()?.is_some_and(|head| head != base);
        Ok(has_moved || !self.strays(None, Some(base))?.is_empty())
    }

    /// Deletes the git directory of a worktree: at once it is none any more.
    fn remove_git_dir(&self, git_dir: &Path) -> Result<(), GitError> {
        let aside = self.tmp_dir().join(fsx::random_name(&self.env, git_dir)?);
        match fsx::with_dir(&self.tmp_dir(), self.shared, || fs::rename(git_dir, &aside)) {
            Ok(_) => remove_tree(&aside),
            Err(err) if err.kind() == std::io::ErrorKind::CrossesDevices => remove_tree(git_dir),
            Err(err) => Err(GitError::write(git_dir, err)),
        }
    }

    /// Content of this worktree that its check-out from `base` did not bring.
    fn foreign_content(&self, base: Oid, disposable: &Names) -> Result<Option<String>, GitError> {
        if self.holds_commits(base)? {
            return Ok(Some("it holds commits".into()));
        }
        let index = self.temporary_index()?;
        let index_path = index.path().join("index");
        self.run_here(Some(&index_path), &[], &["read-tree", &base.to_string()], None)?.ok()?;
        self.run_here(Some(&index_path), &[], &["update-index", "-q", "--refresh"], None)?.answer()?;
        let args = ["diff-files", "--raw", "-z", "--no-renames", "--abbrev=64", "--ignore-submodules=all"];
        let out = self.run_here(Some(&index_path), &[], &args, None)?.ok()?;
        let mut fields = out.split(|&b| b == 0);
        while let (Some(entry), Some(path)) = (fields.next().filter(|e| !e.is_empty()), fields.next()) {
            if !self.is_beginning(entry, path)? {
                return Ok(Some(format!("`{}` was changed there", crate::text::escape::bytes(path))));
            }
        }
        let args = ["ls-files", "--others", "--exclude-standard", "-z"];
        let out = self.run_here(Some(&index_path), &[], &args, None)?.ok()?;
        if let Some(path) = out.split(|&b| b == 0).find(|path| !path.is_empty()) {
            return Ok(Some(format!("`{}` was made there", crate::text::escape::bytes(path))));
        }
        let unseen = self.ignored_beside(Some(&index_path), disposable)?;
        let unseen = unseen.into_iter().chain(self.inner_repositories()?).next();
        let shown = |path: PathBuf| crate::text::escape::bytes(path.as_os_str().as_encoded_bytes());
        Ok(unseen.map(|path| format!("`{}` was made there", shown(path))))
    }

    /// Whether a file that differs is gone, or the beginning of what was
    /// being written when the check-out broke off.
    fn is_beginning(&self, entry: &[u8], path: &[u8]) -> Result<bool, GitError> {
        let entry = String::from_utf8_lossy(entry);
        let mut fields = entry.split(' ').skip(2);
        let (oid, status) = (fields.next().unwrap_or_default(), fields.nth(1).unwrap_or_default());
        if status == "D" {
            return Ok(true);
        }
        let (Some(tree), Some(path)) = (&self.work_tree, path_of(path)) else { return Ok(false) };
        let path = tree.join(path);
        // A check-out makes no links where files were, and a pipe never ends.
        let is_plain = |meta: fs::Metadata| meta.is_file() && meta.len() <= LIMIT as u64;
        if !fs::symlink_metadata(&path).is_ok_and(is_plain) {
            return Ok(false);
        }
        let Ok(found) = fs::read(path) else { return Ok(false) };
        Ok(self.read_blob(self.parse_oid(oid)?, LIMIT)?.starts_with(&found))
    }

    /// Whether some worktree has this branch.
    pub fn is_checked_out(&self, branch: &str) -> Result<bool, GitError> {
        for worktree in self.worktrees()? {
            let binding = Self::open_at(&worktree.git_dir, &self.env).and_then(|repo| repo.binding());
            let has_it = match binding {
                Ok(binding) => binding.branch.as_deref() == Some(branch),
                // One that cannot be opened has what its file says.
                Err(_) => {
                    let head = fs::read_to_string(worktree.git_dir.join("HEAD")).unwrap_or_default();
                    head.trim_end().strip_prefix("ref: refs/heads/") == Some(branch)
                }
            };
            if has_it {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Deletes a branch that is still at `tip`, with its settings.
    pub fn delete_branch(&self, branch: &str, tip: Oid) -> Result<(), GitError> {
        let name = branch_ref(branch)?;
        let mut command = self.git(&[])?;
        command.args(["update-ref", "-d", name.as_str(), &tip.to_string()]);
        Ended::of(command, "update-ref")?.ok()?;
        let section = format!("branch.{branch}");
        if !self.config_has_section(&section)? {
            return Ok(());
        }
        let mut command = self.git(&[])?;
        command.args(["config", "--local", "--remove-section", &section]);
        Ended::of(command, "config")?.ok().map(|_| ())
    }

    fn config_has_section(&self, section: &str) -> Result<bool, GitError> {
        let mut command = self.git(&[])?;
        command.args(["config", "--local", "-z", "--name-only", "--list"]);
        let out = Ended::of(command, "config")?.ok()?;
        let prefix = format!("{section}.");
        Ok(out
            .split(|&b| b == 0)
            .any(|key| key.strip_prefix(prefix.as_bytes()).is_some_and(|rest| !rest.contains(&b'.'))))
    }

    /// A directory for an index that is not the worktree's.
    pub(super) fn temporary_index(&self) -> Result<tempfile::TempDir, GitError> {
        let dir = &self.state_dir;
        let made = crate::git::fsx::with_dir(dir, self.shared, || {
            tempfile::TempDir::with_prefix_in(TEMPORARY_INDEX, dir)
        });
        made.map(|(dir, _)| dir).map_err(|err| GitError::write(dir, err))
    }
}

/// Deletes a worktree's folder, its link to the git directory last.
fn remove_folder(path: &Path) -> Result<(), GitError> {
    for entry in fs::read_dir(path).map_err(|err| GitError::read(path, err))? {
        let entry = entry.map_err(|err| GitError::read(path, err))?;
        if entry.file_name() == ".git" {
            continue;
        }
        let at = entry.path();
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let deleted = if is_dir { fs::remove_dir_all(&at) } else { fs::remove_file(&at) };
        deleted.map_err(|err| GitError::write(&at, err))?;
    }
    let link = path.join(".git");
    // The folder itself goes last, if nothing new is in it.
    fs::remove_file(&link).map_err(|err| GitError::write(&link, err))
}

/// Deletes the link to a git directory that is not there, where nothing else
/// is in the folder: git died while it wrote it.
fn remove_dead_link(folder: &Path) {
    let link = folder.join(".git");
    let is_alone = fs::read_dir(folder)
        .is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == ".git")));
    let leads_nowhere = || {
        let is_file = fs::symlink_metadata(&link).is_ok_and(|meta| meta.is_file());
        let text = is_file.then(|| fs::read(&link).ok()).flatten();
        let to = |text: &[u8]| super::path_in(text.strip_prefix(b"gitdir: ")?, folder);
        text.is_some_and(|text| to(&text).is_none_or(|path| !path.exists()))
    };
    if is_alone && leads_nowhere() {
        let _ = fs::remove_file(&link);
    }
}

fn remove_tree(path: &Path) -> Result<(), GitError> {
    match fs::remove_dir_all(path) {
        Err(err) if err.kind() != std::io::ErrorKind::NotFound => Err(GitError::write(path, err)),
        _ => Ok(()),
    }
}

/// Copies an index with its time, by which git tells files that may have
/// changed since they were last looked at.
pub(super) fn copy_index(from: &Path, to: &Path) -> std::io::Result<()> {
    let modified = fs::metadata(from)?.modified()?;
    fs::copy(from, to)?;
    File::options().write(true).open(to)?.set_modified(modified)
}

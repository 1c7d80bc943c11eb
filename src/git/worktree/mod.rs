//! The worktrees of a repository: where they are and which branch they have.
//!
//! Read from `<common>/worktrees/*`, because git does not print the names of
//! those directories, and a worktree whose folder is gone is one, too.

mod config;
mod guard;
mod ignored;
mod keep;
mod make;
mod probe;
mod state;
mod strays;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use super::process::{Running, failed};
use super::{GitError, Oid, RefName, Repo};

pub use guard::{Adding, Unfinished};
pub use keep::{Kept, Removal};
pub use make::NewWorktree;
pub(super) use make::TEMPORARY_INDEX;
pub use probe::{PROBE, answer_probe};
pub use state::Dirt;
pub use strays::{Saved, Strays};

/// One worktree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worktree {
    /// Its git directory: HEAD, index and configuration of its own.
    pub git_dir: PathBuf,
    /// Its folder.
    pub path: PathBuf,
    /// Whether it is the one that `git init` or `git clone` made.
    pub is_main: bool,
    /// Why it is locked, if it is; empty if nobody said why.
    pub locked: Option<String>,
    /// Its folder is gone, or is not its own any more.
    pub missing: bool,
}

/// What HEAD of a worktree says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// Its branch, without `refs/heads/`; none if detached.
    pub branch: Option<String>,
    /// Its commit; none on an unborn branch.
    pub head: Option<Oid>,
}

impl Worktree {
    /// What it is called: the last component of its path.
    pub fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

impl Repo {
    /// The folder of the main worktree; none if the repository is bare.
    pub fn main_worktree(&self) -> Result<Option<PathBuf>, GitError> {
        if self.is_main_worktree() && self.work_tree.is_some() {
            return Ok(self.work_tree.clone());
        }
        Ok(Self::open_at(&self.common_dir, &self.env)?.work_tree)
    }

    /// Whether this handle is on the main worktree, or on none.
    pub fn is_main_worktree(&self) -> bool {
        self.git_dir == self.common_dir
    }

    /// All worktrees, the main one first, the others by the names of their
    /// git directories.
    pub fn worktrees(&self) -> Result<Vec<Worktree>, GitError> {
        let mut found = Vec::new();
        if let Some(path) = self.main_worktree()? {
            let git_dir = self.common_dir.clone();
            found.push(Worktree { git_dir, path, is_main: true, locked: None, missing: false });
        }
        let dir = self.common_dir.join("worktrees");
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(found),
            Err(err) => return Err(GitError::read(&dir, err)),
        };
        let mut dirs: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        dirs.sort();
        found.extend(dirs.into_iter().filter_map(linked));
        Ok(found)
    }

    /// Branch and commit of this worktree.
    pub fn binding(&self) -> Result<Binding, GitError> {
        let named = self.run_here(None, &[], &["symbolic-ref", "-q", "HEAD"], None)?;
        let branch = named.text().and_then(|name| Some(name.strip_prefix("refs/heads/")?.to_owned()));
        Ok(Binding { branch, head: self.head()? })
    }

    /// Runs git in this worktree, whatever the caller's environment says,
    /// with another index if one is given.
    pub(super) fn run_here<A: AsRef<OsStr>>(
        &self,
        index: Option<&Path>,
        settings: &[&str],
        args: &[A],
        input: Option<&[u8]>,
    ) -> Result<Ended, GitError> {
        let what = args.first().map(|arg| arg.as_ref().to_string_lossy().into_owned()).unwrap_or_default();
        let mut command = self.git(settings)?;
        // The last `--git-dir` counts.
        command.arg("--git-dir").arg(&self.git_dir);
        if let Some(tree) = self.work_tree.as_ref().filter(|tree| tree.is_dir()) {
            command.arg("--work-tree").arg(tree).current_dir(tree);
        }
        if let Some(index) = index {
            command.env("GIT_INDEX_FILE", index);
        }
        command.env("GIT_OPTIONAL_LOCKS", "0").args(args);
        let (status, out, stderr) = Running::start(command, &what)?.exchange(input.unwrap_or_default())?;
        Ok(Ended { what, status, out, stderr })
    }
}

/// A git command that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    what: String,
    status: ExitStatus,
    pub(super) out: Vec<u8>,
    pub(super) stderr: String,
}

impl Ended {
    /// Runs a command to its end.
    pub(super) fn of(command: Command, what: &str) -> Result<Self, GitError> {
        let (status, out, stderr) = Running::start(command, what)?.exchange(b"")?;
        Ok(Self { what: what.to_owned(), status, out, stderr })
    }

    pub(super) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    pub(super) fn is_success(&self) -> bool {
        self.status.success()
    }

    /// What it printed, if it succeeded.
    pub(super) fn ok(self) -> Result<Vec<u8>, GitError> {
        if self.status.success() { Ok(self.out) } else { Err(self.error()) }
    }

    /// As [`Ended::ok`]; none if it ended with 1, which for a question is no.
    pub(super) fn answer(self) -> Result<Option<Vec<u8>>, GitError> {
        match self.status.code() {
            Some(0) => Ok(Some(self.out)),
            Some(1) => Ok(None),
            _ => Err(self.error()),
        }
    }

    /// The one line that it printed, if it succeeded and printed any.
    pub(super) fn text(&self) -> Option<String> {
        let text = std::str::from_utf8(&self.out).ok().filter(|_| self.status.success())?.trim_end();
        (!text.is_empty()).then(|| text.to_owned())
    }

    pub(super) fn error(&self) -> GitError {
        failed(&self.what, self.status, &self.stderr)
    }
}

/// The worktree that a directory below `<common>/worktrees` is of.
fn linked(git_dir: PathBuf) -> Option<Worktree> {
    let link = path_in(&fs::read(git_dir.join("gitdir")).ok()?, &git_dir)?;
    let path = link.parent()?.to_owned();
    let back = fs::read(&link).ok().and_then(|text| path_in(text.strip_prefix(b"gitdir: ")?, &path));
    let real = |path: &Path| fs::canonicalize(path).ok();
    let missing = back.is_none_or(|back| real(&back) != real(&git_dir));
    let locked = fs::read(git_dir.join("locked")).ok();
    let locked = locked.map(|text| String::from_utf8_lossy(&text).trim().to_owned());
    Some(Worktree { git_dir, path, is_main: false, locked, missing })
}

/// The path that git wrote into a file, made absolute.
fn path_in(text: &[u8], base: &Path) -> Option<PathBuf> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    if text.is_empty() {
        return None;
    }
    let path = base.join(path_of(text)?);
    // Relative links go up through our own directory; a folder that is gone
    // cannot be resolved by the file system.
    let parent = path.parent().and_then(|parent| fs::canonicalize(parent).ok());
    match (parent, path.file_name()) {
        (Some(parent), Some(name)) => Some(parent.join(name)),
        _ => Some(lexical(&path)),
    }
}

fn lexical(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                out.pop();
            }
            std::path::Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(unix)]
pub(super) fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    Some(PathBuf::from(OsStr::from_bytes(bytes)))
}

#[cfg(not(unix))]
pub(super) fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    std::str::from_utf8(bytes).ok().map(PathBuf::from)
}

/// The full name of a branch; refuses what git would take for an option.
pub(super) fn branch_ref(branch: &str) -> Result<RefName, GitError> {
    if branch.starts_with('-') || branch == "HEAD" {
        return Err(GitError::InvalidRefName { name: crate::text::escape::clipped(branch, 120) });
    }
    RefName::new(format!("refs/heads/{branch}"))
}

//! What git is doing when it runs a hook, and when it last ran one.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::{Backend, GitError, Repo, fsx};
use crate::text::time::Timestamp;

impl Repo {
    /// Whether git applies a commit of another branch.
    pub fn is_picking(&self) -> Result<bool, GitError> {
        if self.git_dir().join("CHERRY_PICK_HEAD").exists() {
            return Ok(true);
        }
        // Other storages keep it with the refs.
        Ok(self.backend != Backend::Files
            && self.git_here(&["rev-parse", "-q", "--verify", "CHERRY_PICK_HEAD"], None)?.is_some())
    }

    fn fired_path(&self, hook: &str) -> PathBuf {
        self.git_dir().join("comm-node").join("fired").join(hook)
    }

    /// Notes that git ran a hook of this worktree. Where that cannot be
    /// written, nothing is noted.
    pub fn note_fired(&self, hook: &str, at: Timestamp) {
        let path = self.fired_path(hook);
        let write = || fs::write(&path, format!("{}\n", at.micros()));
        if let Err(error) = fsx::with_dir(fsx::parent(&path), self.shared, write) {
            tracing::debug!(%error, "not noted that a hook fired");
        }
    }

    /// When git last ran a hook of this worktree.
    pub fn fired_at(&self, hook: &str) -> Option<Timestamp> {
        let text = fs::read_to_string(self.fired_path(hook)).ok()?;
        text.trim().parse().ok().map(Timestamp::from_micros)
    }

    /// Forgets when hooks of this worktree ran.
    pub fn forget_fired(&self) -> Result<bool, GitError> {
        let folder = self.git_dir().join("comm-node").join("fired");
        match fs::remove_dir_all(&folder) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(err) => Err(GitError::write(&folder, err)),
            Ok(()) => {
                // A linked worktree has nothing else there.
                let _ = fs::remove_dir(fsx::parent(&folder));
                Ok(true)
            }
        }
    }
}

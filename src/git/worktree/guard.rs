//! Who changes worktrees right now, and what was left by those who died.
//!
//! Whoever adds a worktree notes it in a file and holds a lock on that file,
//! which ends with the process (and with the git that it started). A note
//! whose lock is free is of an addition that was never finished.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::make::NewWorktree;
use crate::git::fsx::{self, Identity};
use crate::git::{GitError, Repo};

/// How long to wait for others that add or remove worktrees.
const PATIENCE: Duration = Duration::from_secs(60);
/// A note is a path, two names and an id.
const LIMIT: u64 = 64 * 1024;

/// An addition that is under way.
pub struct Adding {
    pub(super) file: File,
    path: PathBuf,
}

/// An addition that its process did not live to finish.
pub struct Unfinished {
    note: Adding,
    /// What was to be made.
    pub new: NewWorktree,
}

impl Adding {
    /// The worktree is whole, or is gone again: there is nothing to undo.
    pub fn finish(self) -> Result<(), GitError> {
        let removed = fs::remove_file(&self.path).and_then(|()| fsx::sync_dir(fsx::parent(&self.path)));
        removed.map_err(|err| GitError::write(&self.path, err))
    }
}

impl Unfinished {
    /// What was made has been dealt with.
    pub fn settle(self) -> Result<(), GitError> {
        self.note.finish()
    }
}

impl Repo {
    /// Lets one process at a time add and remove worktrees.
    pub fn lock_worktrees(&self) -> Result<File, GitError> {
        self.lock_file("worktrees.lock")
    }

    /// Takes the lock on a file of the state directory; it ends with the file
    /// handle, and with the process.
    pub(in crate::git) fn lock_file(&self, name: &str) -> Result<File, GitError> {
        let path = self.state_dir.join(name);
        let started = self.env.instant();
        let file = self.open_state_file(&path)?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => {
                    let waited = self.env.instant().duration_since(started);
                    if waited > PATIENCE {
                        return Err(GitError::Locked { path, holder: None, waited });
                    }
                    self.env.sleep_jittered(Duration::from_millis(20));
                }
                Err(TryLockError::Error(err)) => return Err(GitError::write(&path, err)),
            }
        }
    }

    fn open_state_file(&self, path: &Path) -> Result<File, GitError> {
        let open = || OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let opened = fsx::with_dir(fsx::parent(path), self.shared, open);
        opened.map(|(file, _)| file).map_err(|err| GitError::write(path, err))
    }

    /// Notes what is about to be made. The caller holds the worktrees' lock.
    pub(super) fn note_adding(&self, new: &NewWorktree) -> Result<Adding, GitError> {
        let dir = self.state_dir.join("adding");
        let path = dir.join(fsx::random_name(&self.env, &dir)?);
        let mut file = self.open_state_file(&path)?;
        let text = serde_json::to_vec(new).map_err(|err| GitError::write(&path, err.into()))?;
        let locked = file.try_lock().map_err(std::io::Error::from);
        locked.and_then(|()| file.write_all(&text)).map_err(|err| GitError::write(&path, err))?;
        Ok(Adding { file, path })
    }

    /// The additions whose processes have died. The caller holds the
    /// worktrees' lock, under which every note is made.
    pub fn unfinished(&self) -> Result<Vec<Unfinished>, GitError> {
        let dir = self.state_dir.join("adding");
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(err) => return Err(GitError::read(&dir, err)),
        };
        let mut found = Vec::new();
        for path in entries.flatten().map(|entry| entry.path()) {
            let Ok(mut file) = OpenOptions::new().read(true).write(true).open(&path) else { continue };
            if file.try_lock().is_err() || !is_at(&file, &path) {
                continue;
            }
            let mut text = Vec::new();
            let read = file.seek(SeekFrom::Start(0)).and_then(|_| (&file).take(LIMIT).read_to_end(&mut text));
            read.map_err(|err| GitError::read(&path, err))?;
            let note = Adding { file, path };
            match serde_json::from_slice(&text) {
                Ok(new) => found.push(Unfinished { note, new }),
                // It died before the note was whole, so before it did anything.
                Err(_) => note.finish()?,
            }
        }
        Ok(found)
    }
}

/// Whether the file is still the one at `path`: its owner may have finished
/// after we opened it.
fn is_at(file: &File, path: &Path) -> bool {
    let found = file.metadata().map(|meta| Identity::of(&meta));
    found.is_ok_and(|found| Identity::at(path).is_ok_and(|at| at == found))
}

//! What a session remembers of itself between commands: when it last gave a
//! sign of life, and what it was granted.
//!
//! Local, and never the truth: the records decide who holds what. It only
//! says when the next heartbeat is due and lets a holder that lost its claim
//! be told so in plain words.
//!
//! Every claim writes it, so it is changed in place, under a lock: replacing
//! the file costs an inode each time, which on some file systems is a third
//! of what a claim costs.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Store;
use crate::model::names::TaskId;
use crate::model::stamp::{BootStamp, Fence};
use crate::text::time::Timestamp;

/// One session's memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// When it last gave a sign of life, on the wall clock.
    pub beat_at: Option<Timestamp>,
    /// And on the boot clock.
    pub beat_boot: Option<BootStamp>,
    /// What it was granted and has not given back.
    pub held: BTreeMap<TaskId, Held>,
}

/// A grant as remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Its fence.
    pub fence: Fence,
    /// Length of the lease, in seconds.
    pub ttl: u64,
    /// The session was told that it lost this claim.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
    /// And took or ended other work since. A late completion is still refused, but
    /// what the session does now is no longer that lost work.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub past: bool,
}

impl Presence {
    /// Remembers a grant. Losses that the session was told of are past now.
    pub fn grant(&mut self, id: &TaskId, fence: Fence, ttl: u64) {
        self.settle();
        self.held.insert(id.clone(), Held { fence, ttl, lost: false, past: false });
    }

    /// Forgets a grant that the session ended. Losses that it was told of are
    /// past now.
    pub fn end(&mut self, id: &TaskId) {
        self.settle();
        self.held.remove(id);
    }

    fn settle(&mut self) {
        for held in self.held.values_mut() {
            held.past |= held.lost;
        }
    }

    /// Remembers that the session was told of a loss.
    pub fn lose(&mut self, id: &TaskId) {
        if let Some(held) = self.held.get_mut(id) {
            held.lost = true;
        }
    }

    /// Whether a heartbeat is due: something is held, and a third of the
    /// shortest lease has passed since the last sign of life.
    pub fn is_due(&self, now: Timestamp, boot: Option<&BootStamp>) -> bool {
        let Some(ttl) = self.held.values().filter(|h| !h.lost).map(|h| h.ttl).min() else { return false };
        let third = Duration::from_secs(ttl) / 3;
        let silent = match (&self.beat_boot, boot, self.beat_at) {
            (Some(then), Some(now), _) if then.id == now.id => {
                Duration::from_millis(now.ms.saturating_sub(then.ms))
            }
            (None, None, Some(then)) => now.since(then),
            _ => return true,
        };
        silent >= third
    }
}

impl Store<'_> {
    fn presence_path(&self, session: &str) -> PathBuf {
        self.repo.state_dir().join("sessions").join(session)
    }

    /// What `session` remembers; nothing if it never held anything here.
    pub fn presence(&self, session: &str) -> Option<Presence> {
        let mut file = File::open(self.presence_path(session)).ok()?;
        self.wait_for(|| file.try_lock_shared()).ok()?;
        read(&mut file).ok()?.0
    }

    /// Changes what `session` remembers, if that can be kept.
    pub fn remember(&self, session: &str, change: impl FnOnce(&mut Presence)) {
        if let Err(error) = self.try_remember(&self.presence_path(session), change) {
            tracing::debug!(%error, "presence not kept");
        }
    }

    fn try_remember(&self, path: &Path, change: impl FnOnce(&mut Presence)) -> io::Result<()> {
        let mut file = self.open_presence(path)?;
        self.wait_for(|| file.try_lock())?;
        let (before, len) = read(&mut file)?;
        let mut after = before.clone().unwrap_or_default();
        change(&mut after);
        if before.as_ref() == Some(&after) {
            return Ok(());
        }
        let mut bytes = serde_json::to_vec(&after)?;
        // Blanks instead of cutting the file: one write, or none if this
        // process dies.
        bytes.resize(bytes.len().max(len), b' ');
        file.rewind()?;
        file.write_all(&bytes)
    }

    /// Opens the file, and makes it where it is not there yet.
    fn open_presence(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.create(true).truncate(false);
        match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.repo.create_state_dir(path.parent().unwrap_or(path))?;
                options.open(path)
            }
            other => other,
        }
    }

    /// Waits for another command of the same session, which holds the lock
    /// for less than a millisecond unless it is stopped.
    fn wait_for(&self, lock: impl Fn() -> Result<(), TryLockError>) -> io::Result<()> {
        for _ in 0..50 {
            match lock() {
                Err(TryLockError::WouldBlock) => self.env.sleep_jittered(Duration::from_millis(2)),
                Err(TryLockError::Error(error)) => return Err(error),
                Ok(()) => return Ok(()),
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }
}

/// What the file says, and how long it is. What is no presence counts as
/// none.
fn read(file: &mut File) -> io::Result<(Option<Presence>, usize)> {
    let mut bytes = Vec::with_capacity(512);
    file.read_to_end(&mut bytes)?;
    Ok((serde_json::from_slice(&bytes).ok(), bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Env;
    use crate::git::Repo;

    #[test]
    fn what_is_forgotten_leaves_no_rest_and_what_is_damaged_counts_as_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let init = std::process::Command::new("git").args(["init", "-q"]).arg(dir.path()).status();
        assert!(init.unwrap().success());
        let env = Env::from_process();
        let store = Store::open(Repo::open_at(dir.path(), &env).unwrap(), &env).unwrap();
        assert_eq!(store.presence("s"), None);
        let fence = Fence { token: 1, nonce: "n".repeat(32) };
        let ids: Vec<TaskId> = ["bd-1", "bd-2"].map(|id| id.parse().unwrap()).into();
        for id in &ids {
            store.remember("s", |p| {
                p.held.insert(id.clone(), Held { fence: fence.clone(), ttl: 60, lost: false, past: false });
            });
        }
        assert_eq!(store.presence("s").unwrap().held.len(), 2);
        for (left, id) in [(1, &ids[0]), (0, &ids[1])] {
            store.remember("s", |p| {
                p.held.remove(id);
            });
            assert_eq!(store.presence("s").unwrap().held.len(), left);
        }
        std::fs::write(store.presence_path("s"), b"{\"beat_at\":").unwrap();
        assert_eq!(store.presence("s"), None);
        store.remember("s", |p| {
            p.held.insert(ids[0].clone(), Held { fence: fence.clone(), ttl: 60, lost: false, past: false });
        });
        assert_eq!(store.presence("s").unwrap().held.len(), 1);
    }
}

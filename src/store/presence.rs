//! What a session remembers of itself between commands: when it last gave a
//! sign of life, and what it was granted.
//!
//! Local, and never the truth: the records decide who holds what. It only
//! says when the next heartbeat is due and lets a holder that lost its claim
//! be told so in plain words.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Store;
use super::sight::replace;
use crate::model::names::TaskId;
use crate::model::stamp::{BootStamp, Fence};
use crate::text::time::Timestamp;

/// How long to wait for another command of the same session.
const PATIENCE: Duration = Duration::from_secs(2);

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
}

impl Presence {
    /// Whether a heartbeat is due: something is held, and a third of the
    /// shortest lease has passed since the last sign of life.
    pub fn is_due(&self, now: Timestamp, boot: Option<&BootStamp>) -> bool {
        let Some(ttl) = self.held.values().map(|h| h.ttl).min() else { return false };
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
        let bytes = std::fs::read(self.presence_path(session)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Changes what `session` remembers, if that can be kept.
    pub fn remember(&self, session: &str, change: impl FnOnce(&mut Presence)) {
        // An agent may run several commands at once: none must forget what
        // another has just been granted.
        let _lock = self.lock_presence(session);
        let before = self.presence(session);
        let mut after = before.clone().unwrap_or_default();
        change(&mut after);
        if before.as_ref() != Some(&after)
            && let Err(error) = replace(&self.presence_path(session), &after)
        {
            tracing::debug!(%error, "presence not kept");
        }
    }

    /// Keeps this session's other commands from changing its memory. None
    /// where that cannot be had: a memory is not worth failing for.
    fn lock_presence(&self, session: &str) -> Option<File> {
        let path = self.presence_path(session).with_extension("lock");
        let open = || File::options().create(true).truncate(false).write(true).open(&path);
        let file = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::create_dir_all(path.parent()?).ok()?;
                open().ok()?
            }
            other => other.ok()?,
        };
        let started = self.env.instant();
        loop {
            match file.try_lock() {
                Ok(()) => return Some(file),
                Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => {
                    self.env.sleep_jittered(Duration::from_millis(1));
                }
                Err(_) => return None,
            }
        }
    }
}

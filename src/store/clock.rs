//! The hybrid logical clock of a clone.
//!
//! Kulkarni et al., "Logical Physical Clocks" (2014): a new time is the wall
//! clock, but later than everything that this clone has written or read. The
//! newest time is kept in the store-wide lock's file, where each swap writes
//! it under the lock, so that what a process does after it has seen another's
//! result is always later, even if the wall clock stands still or goes back.

use std::time::Duration;

use super::{Store, StoreError};
use crate::text::time::Timestamp;

/// How far ahead of the wall clock a record's time is believed.
const AHEAD: Duration = Duration::from_secs(86_400);

impl Store<'_> {
    /// A time later than `parent` and everything written in this clone.
    pub(super) fn tick(&self, parent: Option<Timestamp>) -> Timestamp {
        let newest = self.repo.newest_stamp().and_then(|text| text.parse::<Timestamp>().ok());
        let floor = newest.max(parent);
        let now = self.env.now();
        floor.map_or(now, |floor| now.max(floor.tick()))
    }

    /// What the clone's clock moves on to with a version of time `at`.
    ///
    /// A version must be later than the one it replaces, whatever that says.
    /// But a record that claims to be of next year, from another clone's wrong
    /// clock or a hostile hand, must not take all times of this one with it.
    pub(super) fn noted(&self, at: Timestamp) -> Timestamp {
        let now = self.env.now();
        let is_ahead = |time: Timestamp| time.since(now) > AHEAD;
        // Read only where it matters: this is on the way of every write.
        let newest = || self.repo.newest_stamp().and_then(|text| text.parse::<Timestamp>().ok());
        if is_ahead(at) && !newest().is_some_and(is_ahead) { now } else { at }
    }

    /// 128 random bits, in hexadecimal.
    pub(super) fn nonce(&self) -> Result<String, StoreError> {
        let mut bytes = [0u8; 16];
        self.env
            .random(&mut bytes)
            .map_err(|source| StoreError::Local { path: "the system's random numbers".into(), source })?;
        Ok(hex(&bytes))
    }
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

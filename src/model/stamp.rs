//! Who writes a version, when, and the number nobody else has.

use serde::{Deserialize, Serialize};

use super::names::AgentName;
use crate::text::time::Timestamp;

/// The marks of one version of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Hybrid logical clock: wall time, but later than anything the writer
    /// had seen (Kulkarni et al., "Logical Physical Clocks", 2014, with the
    /// counter carried in the microseconds).
    pub at: Timestamp,
    /// 128 random bits as 32 hexadecimal digits.
    pub nonce: String,
    /// The clone that writes.
    pub clone: String,
    /// Who writes.
    pub agent: AgentName,
    /// The writer's session: a digest of agent, clone, worktree and
    /// `GIT_COMM_SESSION`.
    pub session: String,
}

/// What proves that a claim is still the one that was granted.
///
/// Tokens alone can tie between clones that were apart; the nonce of the
/// granting version cannot. Every check compares both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// Grows with every grant of the task.
    pub token: u64,
    /// Nonce of the version that granted.
    pub nonce: String,
}

/// A reading of the clock that runs from boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootStamp {
    /// Which boot.
    pub id: String,
    /// Milliseconds since it.
    pub ms: u64,
}

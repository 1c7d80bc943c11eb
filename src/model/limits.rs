//! How large things may be, checked when written and when read.

/// Title of a task, in characters.
pub const TITLE: usize = 500;
/// Description of a task, in bytes.
pub const DESCRIPTION: usize = 256 * 1024;
/// One comment, message or note, in bytes.
pub const BODY: usize = 64 * 1024;
/// A reason (close, steal, cancel, pause), in bytes.
pub const REASON: usize = 4 * 1024;
/// Labels on a task.
pub const LABELS: usize = 64;
/// Dependencies of a task.
pub const DEPS: usize = 256;
/// Longest lease, in seconds (30 days).
pub const TTL_SECONDS: u64 = 30 * 86_400;
/// Shortest lease, in seconds.
pub const TTL_MIN_SECONDS: u64 = 1;
/// A key that makes a retry harmless, in bytes.
pub const KEY: usize = 200;
/// A whole record version as stored in its commit, in bytes.
pub const RECORD: usize = 1024 * 1024;
/// A state or an event above this is stored as a blob in the tree, in bytes.
pub const INLINE: usize = 16 * 1024;
/// Sessions remembered of one agent; the longest silent is forgotten first.
pub const SESSIONS: usize = 64;
/// Findings of one refusal that are kept on the record.
pub const FINDINGS: usize = 20;
/// Tasks that one dependency edit may have to look at.
pub const CYCLE_WALK: usize = 20_000;

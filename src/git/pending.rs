//! Attempts whose outcome was not known when their process ended.
//!
//! A note is written before somebody else (git, a remote) is asked to move a
//! ref and removed once the answer is known. What is left over names a
//! commit that may or may not have been published.

use std::fs;
use std::path::PathBuf;

use super::{GitError, Oid, RefName, Repo};

/// An attempt that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The ref that was to move.
    pub name: RefName,
    /// What it was expected to name.
    pub expected: Option<Oid>,
    /// What it was to name.
    pub next: Oid,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `next` is part of the ref's history.
    Applied,
    /// The ref has left `expected` without `next`: it never will be.
    NotApplied,
    /// The ref is still at `expected`: the attempt may yet succeed.
    Undecided,
}

/// How far back an attempt is looked for.
const MAX_STEPS: usize = 1_000;
/// Notes are a few lines; a larger file is none.
const MAX_NOTE: u64 = 4 * 1024;

impl Repo {
    fn pending_path(&self, next: Oid) -> PathBuf {
        self.state_dir.join("pending").join(next.to_string())
    }

    /// Notes an attempt before it is begun.
    pub fn note_pending(&self, pending: &Pending) -> Result<(), GitError> {
        let path = self.pending_path(pending.next);
        let expected = pending.expected.map_or_else(|| "-".to_owned(), |oid| oid.to_string());
        let text = format!("{}\n{expected}\n{}\n", pending.name.as_str(), pending.next);
        self.put_state_file(&path, text.as_bytes()).map_err(|err| GitError::write(&path, err))
    }

    /// Removes the note of an attempt whose outcome is known.
    pub fn settle_pending(&self, next: Oid) {
        // A note that stays costs one more look later.
        let _ = fs::remove_file(self.pending_path(next));
    }

    /// The attempts whose outcome nobody learned, in no order. Files that
    /// are no notes are passed over.
    pub fn pending(&self) -> Vec<Pending> {
        let entries = fs::read_dir(self.state_dir.join("pending"));
        entries.into_iter().flatten().flatten().filter_map(|entry| self.read_pending(&entry)).collect()
    }

    fn read_pending(&self, entry: &fs::DirEntry) -> Option<Pending> {
        if entry.metadata().ok()?.len() > MAX_NOTE {
            return None;
        }
        let text = fs::read_to_string(entry.path()).ok()?;
        let mut lines = text.lines();
        let name = RefName::new(lines.next()?).ok()?;
        let expected = match lines.next()? {
            "-" => None,
            hex => Some(self.parse_oid(hex).ok()?),
        };
        let next = self.parse_oid(lines.next()?).ok()?;
        Some(Pending { name, expected, next })
    }

    /// Whether an attempt to move `name` from `expected` to `next` succeeded.
    pub fn resolve(&self, name: &RefName, expected: Option<Oid>, next: Oid) -> Result<Outcome, GitError> {
        let now = self.read_ref(name)?;
        if now == expected {
            return Ok(if now == Some(next) { Outcome::Applied } else { Outcome::Undecided });
        }
        match now {
            Some(tip) if self.reaches(tip, next, MAX_STEPS)? => Ok(Outcome::Applied),
            _ => Ok(Outcome::NotApplied),
        }
    }
}

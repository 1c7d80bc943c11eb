//! Do the imports of a tree keep to the rules?

pub mod baseline;
pub mod book;
pub mod change;
pub mod check;
pub mod explain;
pub mod graph;
pub mod init;
pub mod scope;
mod sources;
mod tree;

use self::sources::Sources;
use crate::gate::code;
use crate::gate::finding::Finding;
use crate::git::{Entry, Repo};

/// Reads trees, and each content once however many trees have it.
pub struct Reader<'r> {
    repo: &'r Repo,
    sources: Sources<'r>,
    ends: bool,
}

impl<'r> Reader<'r> {
    /// A reader of this repository that has read nothing yet.
    pub fn new(repo: &'r Repo) -> Self {
        Self { repo, sources: Sources::new(repo), ends: false }
    }

    /// A reader for the last thing that this process does. What it builds is
    /// left to the system, which takes it back at once: taking it apart value
    /// by value costs a sixth of a check.
    pub fn last(repo: &'r Repo) -> Self {
        Self { ends: true, ..Self::new(repo) }
    }

    /// The repository that it reads.
    pub fn repo(&self) -> &'r Repo {
        self.repo
    }
}

fn unreadable(entry: &Entry, why: &str) -> Finding {
    let what = format!("what it imports is not known: {why}");
    Finding::new(code::UNREADABLE, entry.path.clone(), what, "mend the file".into())
}

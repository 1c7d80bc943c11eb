//! Which file imports which, and whether it may.
//!
//! Pure: the files of one tree and what each of them imports go in, findings
//! come out. Imports are resolved from those files alone, never from packages
//! that happen to be installed.

pub mod files;
pub mod judge;
pub mod resolve;

use crate::syntax::Import;

/// What an import leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A file of the tree.
    File(String),
    /// A package from elsewhere, by its name.
    Package(String),
    /// What comes with the language itself, and names that are no modules.
    Builtin,
    /// Something that should be here and is not.
    Missing,
}

/// An import with what it leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The file that it stands in.
    pub from: String,
    /// As it is written.
    pub import: Import,
    /// What it leads to.
    pub target: Target,
}

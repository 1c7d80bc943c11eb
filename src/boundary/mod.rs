//! Which file imports which, and whether it may.
//!
//! Pure: the files of one tree and what each of them imports go in, findings
//! come out. Imports are resolved from those files alone, never from packages
//! that happen to be installed.

mod chains;
mod cycles;
pub mod derive;
pub mod excuses;
pub mod files;
mod graph;
mod groups;
mod instead;
pub mod judge;
pub mod links;
mod owners;
pub mod picture;
pub mod resolve;
pub mod rules;
pub mod unused;
pub mod weaker;

use std::rc::Rc;

use crate::syntax::Import;

/// A map whose keys are hashed fast: ten thousands of paths and imports are
/// looked up many times each.
type HashMap<K, V> = std::collections::HashMap<K, V, foldhash::fast::RandomState>;

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

impl Target {
    /// What kind of thing it is, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Package(_) => "package",
            Self::Builtin => "builtin",
            Self::Missing => "missing",
        }
    }

    /// The path of a file, the name of a package; else empty.
    pub fn name(&self) -> &str {
        match self {
            Self::File(name) | Self::Package(name) => name,
            Self::Builtin | Self::Missing => "",
        }
    }
}

/// One import of those of a source, which are shared by all its edges.
#[derive(Clone, Debug)]
pub struct Listed {
    all: Rc<[Import]>,
    at: usize,
}

impl Listed {
    /// The import at `at`, which must be one of the list.
    fn new(all: &Rc<[Import]>, at: usize) -> Self {
        Self { all: all.clone(), at }
    }
}

impl From<Import> for Listed {
    fn from(import: Import) -> Self {
        Self { all: Rc::new([import]), at: 0 }
    }
}

impl std::ops::Deref for Listed {
    type Target = Import;

    fn deref(&self) -> &Import {
        &self.all[self.at]
    }
}

impl PartialEq for Listed {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Listed {}

impl PartialOrd for Listed {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Listed {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (**self).cmp(&**other)
    }
}

/// An import with what it leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The file that it stands in.
    pub from: Rc<str>,
    /// As it is written.
    pub import: Listed,
    /// What it leads to.
    pub target: Target,
}

impl Edge {
    /// What it leads to as rules and reports name it: a path, `pkg:NAME`, and
    /// for what is missing the import as it is written.
    pub fn destination(&self) -> String {
        match &self.target {
            Target::File(path) => path.clone(),
            Target::Package(name) => format!("{}{name}", crate::gate::pattern::PACKAGE),
            Target::Builtin | Target::Missing => self.import.specifier.clone(),
        }
    }
}

/// Something about the tree itself that whoever judges it should know: a
/// setting that cannot be read, or names what is not there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The file that it is about.
    pub path: String,
    /// The line that it is on, from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong, in one line.
    pub what: String,
    /// Whether imports may have been missed or misjudged by it, so that no
    /// commit passes with it. Else it is a warning.
    pub stops: bool,
}

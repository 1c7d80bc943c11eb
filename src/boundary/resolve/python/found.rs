//! What a module name leads to.

use super::folders::Place;

/// What a module name leads to.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// A module with a file.
    Module(String),
    /// A package: its folder and its `__init__`.
    Package(String, String),
    /// Folders without a file.
    Namespace(Vec<String>),
    /// Folders without a file, below one that merely may be a root.
    Guess(Vec<String>),
    /// Something that comes with the language.
    Builtin,
    /// Something from elsewhere.
    Elsewhere,
    /// Nothing, though it belongs to this folder.
    Missing(String),
}

impl From<Place<'_>> for Found {
    fn from(place: Place<'_>) -> Self {
        match place {
            Place::File(file) => Self::Module(file.to_owned()),
            Place::Package { folder, init } => Self::Package(folder, init.to_owned()),
            Place::Namespace(folders) => Self::Namespace(folders),
        }
    }
}

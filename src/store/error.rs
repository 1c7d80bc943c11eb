//! What can go wrong with records.

use crate::git::GitError;
use crate::model::names::InvalidName;

/// A record could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// git or the file system.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A record that is not what its ref promises.
    #[error("record `{name}` is damaged: {reason}")]
    Damaged {
        /// The ref.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A record of a format that this program does not know.
    #[error("`{name}` has format {format}, newer than this git-comm knows ({})", crate::model::board::FORMAT)]
    Newer {
        /// The ref.
        name: String,
        /// Its format.
        format: u64,
    },
    /// Others moved the record each time that this process tried.
    #[error("`{name}` was moved by others {attempts} times in a row")]
    Contended {
        /// The ref.
        name: String,
        /// How often this process tried.
        attempts: u32,
    },
    /// What was to be written is larger than a record may be.
    #[error("a version of `{name}` would take {len} bytes, over the limit of {limit}")]
    TooLarge {
        /// The ref.
        name: String,
        /// Its size, in bytes.
        len: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A name that no ref can have.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A setting that means nothing.
    #[error("`{key}` is `{value}`, not {allowed}")]
    Config {
        /// The setting.
        key: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// A local file beside the records.
    #[error("cannot write `{path}`")]
    Local {
        /// Where.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

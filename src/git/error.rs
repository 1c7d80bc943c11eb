//! What can go wrong with a repository, with the values a caller would want.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Oid, RefName};
use crate::text::escape;

/// A repository could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// No repository at or above the directory.
    #[error("no git repository at or above `{}`", shown(.dir))]
    NotARepository {
        /// Where the search began.
        dir: PathBuf,
    },
    /// The repository belongs to somebody else and `safe.directory` does not name it.
    #[error("the repository at `{}` is owned by somebody else, and safe.directory does not list it", shown(.dir))]
    Untrusted {
        /// Where the search began.
        dir: PathBuf,
    },
    /// The repository is there, but its layout or configuration cannot be read.
    #[error("the repository at `{}` cannot be opened: {reason}", shown(.dir))]
    Unopenable {
        /// Where the search began.
        dir: PathBuf,
        /// What gix said, escaped.
        reason: String,
    },
    /// A lock stayed taken for as long as we wait.
    #[error("`{}` is locked{}, waited {} s", shown(.path), by(*.holder), .waited.as_secs())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Process that noted itself as the holder, where one is known.
        holder: Option<u32>,
        /// How long we waited.
        waited: Duration,
    },
    /// The file system refused a write.
    #[error("cannot write `{}`", shown(.path))]
    Unwritable {
        /// What was to be written.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
    /// A ref has moved, and whether that survives a power cut is unknown.
    #[error("ref `{name}` has moved, but `{}` cannot be made durable", shown(.path))]
    NotDurable {
        /// The ref, which names its new value.
        name: RefName,
        /// What could not be synchronised.
        path: PathBuf,
        /// The failure.
        source: io::Error,
    },
    /// A ref exists and names no object.
    #[error("ref `{name}` is damaged: {reason}")]
    DamagedRef {
        /// The ref.
        name: String,
        /// What is wrong with it, escaped.
        reason: String,
    },
    /// A ref cannot exist beside another one whose name is its directory.
    #[error("ref `{name}` cannot exist beside `{other}`")]
    NameConflict {
        /// The ref that was to be written.
        name: RefName,
        /// The ref, or directory of refs, in its way.
        other: String,
    },
    /// An object is in no object store of this repository, nor among its kept links.
    #[error("object {oid} is missing{}", of(.name))]
    Missing {
        /// The object.
        oid: Oid,
        /// The ref that names it, where that is known.
        name: Option<RefName>,
    },
    /// An object has another type than its place demands.
    #[error("object {oid} is a {actual}, not a {expected}")]
    WrongKind {
        /// The object.
        oid: Oid,
        /// The type that was asked for.
        expected: &'static str,
        /// The type that it has.
        actual: String,
    },
    /// An object is larger than the caller accepts; its content was not read.
    #[error("object {oid} has {size} bytes, more than the limit of {limit}")]
    TooLarge {
        /// The object.
        oid: Oid,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: usize,
    },
    /// An object is there and cannot be decoded.
    #[error("object {oid} is damaged: {reason}")]
    DamagedObject {
        /// The object.
        oid: Oid,
        /// What is wrong with it, escaped.
        reason: String,
    },
    /// A text is no name of a ref.
    #[error("`{name}` is not a valid ref name")]
    InvalidRefName {
        /// The text, escaped.
        name: String,
    },
    /// A text is no object id of this repository.
    #[error("`{text}` is not an object id of this repository")]
    InvalidOid {
        /// The text, escaped.
        text: String,
    },
    /// Content that git would not store.
    #[error("not a valid commit: {reason}")]
    InvalidDraft {
        /// What is wrong with it.
        reason: String,
    },
    /// git is not on PATH.
    #[error("no `git` program on PATH")]
    NoGit,
    /// The git program answered with an error.
    #[error("`git {what}` {status}: {stderr}")]
    Command {
        /// Subcommand that was run.
        what: String,
        /// How it ended.
        status: String,
        /// What it said, escaped and bounded.
        stderr: String,
    },
    /// Any other failure of the file system.
    #[error("cannot read or write `{}`", shown(.path))]
    Io {
        /// What was touched.
        path: PathBuf,
        /// The failure.
        source: io::Error,
    },
}

/// What a caller does about a [`GitError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitErrorClass {
    /// There is no such thing: check the name or the directory.
    NotFound,
    /// Locked for now: try again.
    Busy,
    /// What is stored is broken: stop and report.
    Damaged,
    /// The file system refuses writes: stop and report.
    Unwritable,
    /// Wrong call or broken environment.
    Fatal,
}

impl GitError {
    /// The kind of reaction that the error asks for.
    pub fn class(&self) -> GitErrorClass {
        match self {
            Self::NotARepository { .. } => GitErrorClass::NotFound,
            Self::Locked { .. } => GitErrorClass::Busy,
            Self::DamagedRef { .. }
            | Self::NameConflict { .. }
            | Self::Missing { .. }
            | Self::WrongKind { .. }
            | Self::TooLarge { .. }
            | Self::DamagedObject { .. } => GitErrorClass::Damaged,
            Self::Unwritable { .. } | Self::NotDurable { .. } => GitErrorClass::Unwritable,
            Self::Command { stderr, .. } if tells_refusal(stderr) => GitErrorClass::Unwritable,
            // A disk that fails may fail on a read first.
            Self::Io { source, .. } if refuses_writes(source) => GitErrorClass::Unwritable,
            Self::Untrusted { .. }
            | Self::Unopenable { .. }
            | Self::InvalidRefName { .. }
            | Self::InvalidOid { .. }
            | Self::InvalidDraft { .. }
            | Self::NoGit
            | Self::Command { .. }
            | Self::Io { .. } => GitErrorClass::Fatal,
        }
    }

    /// A failed write to `path`: [`GitError::Unwritable`] where the file
    /// system refuses, [`GitError::Io`] for anything else.
    pub fn write(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        if refuses_writes(&source) { Self::Unwritable { path, source } } else { Self::Io { path, source } }
    }

    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

fn refuses_writes(err: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    // EIO has no kind of its own; it is 5 on every Unix.
    matches!(err.kind(), ReadOnlyFilesystem | PermissionDenied | StorageFull | QuotaExceeded)
        || (cfg!(unix) && err.raw_os_error() == Some(5))
}

/// Whether git was refused a write, in its words.
fn tells_refusal(stderr: &str) -> bool {
    ["No space left", "Out of diskspace", "Disk quota exceeded", "Read-only file system"]
        .iter()
        .any(|words| stderr.contains(words))
}

fn shown(path: &Path) -> String {
    escape::bytes(path.as_os_str().as_encoded_bytes())
}

fn by(holder: Option<u32>) -> String {
    holder.map_or_else(String::new, |pid| format!(" by process {pid}"))
}

fn of(name: &Option<RefName>) -> String {
    name.as_ref().map_or_else(String::new, |name| format!(" (ref `{name}`)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_one_whoever_finds_it() {
        for (stderr, class) in [
            ("fatal: unable to write loose object file: No space left on device", GitErrorClass::Unwritable),
            ("fatal: sha1 file 'x' write error. Out of diskspace", GitErrorClass::Unwritable),
            ("error: could not lock config file x: Read-only file system", GitErrorClass::Unwritable),
            ("git@example.com: Permission denied (publickey).", GitErrorClass::Fatal),
        ] {
            let what = "add".to_owned();
            let error = GitError::Command { what, status: "ended with 128".into(), stderr: stderr.into() };
            assert_eq!(error.class(), class, "{stderr}");
        }
    }
}

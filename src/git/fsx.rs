//! The few file system moves that the rest is built from.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::GitError;
use super::shared::Shared;
use crate::env::Env;

/// What tells one file from another, and from itself after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) dev: u64,
    pub(super) ino: u64,
    /// Nanoseconds since the epoch, on the file system's clock.
    pub(super) mtime: i128,
}

impl Identity {
    #[cfg(unix)]
    pub(super) fn of(meta: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let mtime = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
        Self { dev: meta.dev(), ino: meta.ino(), mtime }
    }

    // Without inodes the creation time has to do; it only ever makes us wait
    // longer for a lock, never break one.
    #[cfg(not(unix))]
    pub(super) fn of(meta: &fs::Metadata) -> Self {
        let nanos = |time: io::Result<std::time::SystemTime>| {
            time.ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok()).map_or(0, |d| d.as_nanos())
        };
        let created = u64::try_from(nanos(meta.created()) & u128::from(u64::MAX)).unwrap_or(0);
        Self { dev: 0, ino: created, mtime: i128::try_from(nanos(meta.modified())).unwrap_or(0) }
    }

    /// Identity of what `path` names, symbolic links not followed.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&fs::symlink_metadata(path)?))
    }
}

/// Creates `path` exclusively.
pub(super) fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(mode);
    }
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}

/// Creates `dir` and what is missing above it, and returns the directories
/// that were created, outermost first.
pub(super) fn create_dirs(dir: &Path, shared: Shared) -> io::Result<Vec<PathBuf>> {
    let mut missing = Vec::new();
    let mut made = Vec::new();
    let mut at = dir;
    // gc may remove an empty directory between two of our steps; each round
    // starts from what is there now.
    for _ in 0..64 {
        match fs::create_dir(at) {
            Ok(()) => {
                shared.adjust_dir(at).or_else(|err| match err.kind() {
                    io::ErrorKind::NotFound => Ok(()),
                    _ => Err(err),
                })?;
                made.push(at.to_owned());
            }
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {
                if !at.is_dir() && fs::symlink_metadata(at).is_ok() {
                    return Err(io::ErrorKind::NotADirectory.into());
                }
            }
            Err(err) if err.kind() == io::ErrorKind::NotFound => {
                let Some(parent) = at.parent() else { return Err(err) };
                missing.push(at);
                at = parent;
                continue;
            }
            Err(err) => return Err(err),
        }
        match missing.pop() {
            Some(next) => at = next,
            None => return Ok(made),
        }
    }
    Err(io::Error::new(io::ErrorKind::NotFound, "the directory keeps vanishing"))
}

/// Runs `create` and, while it finds no directory, makes `dir` and repeats.
pub(super) fn with_dir<T>(
    dir: &Path,
    shared: Shared,
    mut create: impl FnMut() -> io::Result<T>,
) -> io::Result<(T, Vec<PathBuf>)> {
    let mut made = Vec::new();
    for _ in 0..32 {
        match create() {
            Err(err) if err.kind() == io::ErrorKind::NotFound => made.extend(create_dirs(dir, shared)?),
            other => return other.map(|value| (value, made)),
        }
    }
    Err(io::Error::new(io::ErrorKind::NotFound, "the directory keeps vanishing"))
}

/// Puts a file with this content in place, whole or not at all. Without
/// `replaces`, one that is there already is an error.
pub(super) fn put_file(
    env: &Env,
    shared: Shared,
    path: &Path,
    content: &[u8],
    replaces: bool,
) -> io::Result<()> {
    let dir = parent(path);
    let mut name = [0u8; 8];
    env.random(&mut name)?;
    let temp = dir.join(format!(".{:016x}", u64::from_le_bytes(name)));
    let write = || {
        let (mut file, _) = with_dir(dir, shared, || create_new(&temp, 0o666))?;
        shared.adjust_file(&file)?;
        file.write_all(content)?;
        if replaces {
            return fs::rename(&temp, path);
        }
        match fs::hard_link(&temp, path) {
            Err(err) if cannot_link(&err) && fs::symlink_metadata(path).is_err() => fs::rename(&temp, path),
            other => other,
        }
    };
    let result = write();
    if result.is_err() || !replaces {
        let _ = fs::remove_file(&temp);
    }
    result
}

/// Makes the entries of `dir` durable.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

/// Whether a hard link failed for a reason that will not go away: the file
/// system has none, another one holds the target, or the kernel's policy
/// forbids it.
pub(super) fn cannot_link(err: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, TooManyLinks, Unsupported};
    matches!(err.kind(), CrossesDevices | PermissionDenied | TooManyLinks | Unsupported)
}

/// Length of a random name.
pub(super) const RANDOM: usize = 16;

/// Random hexadecimal digits.
pub(super) fn random_name(env: &Env, near: &Path) -> Result<String, GitError> {
    let mut bytes = [0u8; 8];
    env.random(&mut bytes).map_err(|err| GitError::read(near, err))?;
    Ok(format!("{:016x}", u64::from_le_bytes(bytes)))
}

/// The parent of a path that we built ourselves, which always has one.
pub(super) fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

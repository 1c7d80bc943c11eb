//! The store-wide lock: one `flock` under which every swap happens.
//!
//! The kernel releases it when its holder dies. What the holder was doing is
//! noted in the file: whoever takes the lock next knows that the noted ref
//! lock, if that very file is still there, belongs to a process that is
//! dead, and removes it at once instead of waiting for it to grow old.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::fsx::{self, Identity};
use super::{GitError, RefName, Repo};

const MAGIC: &str = "git-comm 1";
const STAMP: usize = 32;
const NAME: usize = 256;
/// Length of the record: fixed, so that a write replaces all of the old one.
const LENGTH: usize = 512;
/// How long to wait for the holder before its pid is reported.
const PATIENCE: Duration = Duration::from_secs(30);

/// The lock, held until it is dropped.
pub(super) struct StoreLock {
    pub(super) file: File,
    path: PathBuf,
    record: Record,
}

/// What the lock file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Record {
    pid: u32,
    stamp: String,
    /// The ref lock that is about to be taken, and the ref.
    pending: Option<(Identity, String)>,
}

impl Repo {
    fn lock_path(&self) -> PathBuf {
        self.state_dir.join("lock")
    }

    /// The greatest stamp that a swap in this repository carried.
    pub fn newest_stamp(&self) -> Option<String> {
        let mut raw = [0u8; LENGTH];
        let file = File::open(self.lock_path()).ok()?;
        read_at_start(&file, &mut raw).ok()?;
        Record::parse(&raw).map(|record| record.stamp).filter(|stamp| !stamp.is_empty())
    }

    /// Takes the lock, and removes the ref lock of a holder that died.
    pub(super) fn lock_store(&self) -> Result<StoreLock, GitError> {
        let path = self.lock_path();
        let started = self.env.instant();
        let mut file = self.open_lock(&path)?;
        let mut pause = Duration::from_micros(200);
        loop {
            match file.try_lock() {
                Ok(()) if is_unlinked(&file) => file = self.open_lock(&path)?,
                Ok(()) => break,
                Err(fs::TryLockError::WouldBlock) => {
                    let waited = self.env.instant().duration_since(started);
                    if waited > PATIENCE {
                        let holder = read_record(&file).map(|record| record.pid);
                        return Err(GitError::Locked { path, holder, waited });
                    }
                    self.env.sleep_jittered(pause);
                    pause = (pause * 2).min(Duration::from_millis(20));
                }
                Err(fs::TryLockError::Error(err)) => return Err(GitError::write(&path, err)),
            }
        }
        let record = read_record(&file).unwrap_or_default();
        let lock = StoreLock { file, path, record };
        lock.clear_predecessor(self);
        Ok(lock)
    }

    fn open_lock(&self, path: &Path) -> Result<File, GitError> {
        let open = || {
            let mut options = OpenOptions::new();
            options.read(true).write(true);
            match options.open(path) {
                Err(err) if err.kind() == io::ErrorKind::NotFound => {}
                other => return other,
            }
            let file = options.create(true).truncate(false).open(path)?;
            self.shared.adjust_file(&file)?;
            Ok(file)
        };
        let opened = fsx::with_dir(&self.state_dir, self.shared, open);
        opened.map(|(file, _)| file).map_err(|err| GitError::write(path, err))
    }
}

impl StoreLock {
    /// Notes who holds the lock, the newest stamp, and which ref lock is
    /// about to be taken.
    pub(super) fn note(
        &mut self,
        repo: &Repo,
        stamp: &str,
        pending: Option<(Identity, &RefName)>,
    ) -> Result<(), GitError> {
        let is_stamp = stamp.len() <= STAMP && stamp.bytes().all(|b| b.is_ascii_graphic());
        if is_stamp && stamp > self.record.stamp.as_str() {
            self.record.stamp = stamp.to_owned();
        }
        self.record.pid = repo.env.pid();
        self.record.pending = pending
            .filter(|(_, name)| name.as_str().len() <= NAME)
            .map(|(identity, name)| (identity, name.as_str().to_owned()));
        write_at_start(&self.file, &self.record.encode()).map_err(|err| GitError::write(&self.path, err))
    }

    /// We hold the lock, so whoever noted a ref lock has ended. The file is
    /// the one that was noted only if device, inode and time all agree:
    /// inodes are used again.
    fn clear_predecessor(&self, repo: &Repo) {
        let Some((noted, name)) = &self.record.pending else { return };
        let Ok(name) = RefName::new(name.as_str()) else { return };
        let path = lock_of(&repo.ref_path(&name));
        if Identity::at(&path).is_ok_and(|found| found == *noted) {
            match fs::remove_file(&path) {
                Ok(()) => tracing::warn!(%name, pid = self.record.pid, "removed the lock of a dead process"),
                Err(err) => tracing::warn!(%name, %err, "cannot remove the lock of a dead process"),
            }
        }
    }
}

/// The lock file of a ref, as git names it.
pub(super) fn lock_of(path: &Path) -> PathBuf {
    let mut lock = path.as_os_str().to_owned();
    lock.push(".lock");
    lock.into()
}

impl Record {
    fn encode(&self) -> Vec<u8> {
        let (identity, name) = match &self.pending {
            Some((identity, name)) => (*identity, name.as_str()),
            None => (Identity { dev: 0, ino: 0, mtime: 0 }, ""),
        };
        let Identity { dev, ino, mtime } = identity;
        let mut text = format!(
            "{MAGIC}\npid {:010}\nstamp {:STAMP$}\nfile {dev:016x} {ino:016x} {mtime:032x}\nref {name:NAME$}\n",
            self.pid, self.stamp
        );
        while text.len() < LENGTH {
            text.push('\n');
        }
        text.into_bytes()
    }

    fn parse(raw: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(raw).ok()?;
        let mut lines = text.lines();
        if lines.next()? != MAGIC {
            return None;
        }
        let pid = lines.next()?.strip_prefix("pid ")?.parse().ok()?;
        let stamp = lines.next()?.strip_prefix("stamp ")?.trim_end().to_owned();
        let mut file = lines.next()?.strip_prefix("file ")?.split(' ');
        let dev = u64::from_str_radix(file.next()?, 16).ok()?;
        let ino = u64::from_str_radix(file.next()?, 16).ok()?;
        let mtime = i128::from_str_radix(file.next()?, 16).ok()?;
        let name = lines.next()?.strip_prefix("ref ")?.trim_end().to_owned();
        let pending = (!name.is_empty()).then_some((Identity { dev, ino, mtime }, name));
        Some(Self { pid, stamp, pending })
    }
}

fn read_record(file: &File) -> Option<Record> {
    let mut raw = [0u8; LENGTH];
    read_at_start(file, &mut raw).ok()?;
    Record::parse(&raw)
}

#[cfg(unix)]
fn is_unlinked(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|meta| meta.nlink() == 0)
}

#[cfg(not(unix))]
fn is_unlinked(_: &File) -> bool {
    false
}

#[cfg(unix)]
fn read_at_start(file: &File, buffer: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, 0)
}

#[cfg(unix)]
fn write_at_start(file: &File, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, 0)
}

#[cfg(not(unix))]
fn read_at_start(mut file: &File, buffer: &mut [u8]) -> io::Result<()> {
    use std::io::{Read, Seek};
    file.seek(io::SeekFrom::Start(0))?;
    file.read_exact(buffer)
}

#[cfg(not(unix))]
fn write_at_start(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    use std::io::{Seek, Write};
    file.seek(io::SeekFrom::Start(0))?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_one_length_and_come_back() {
        let identity = Identity { dev: 1, ino: u64::MAX, mtime: 1 << 61 };
        let full =
            Record { pid: u32::MAX, stamp: "9".repeat(STAMP), pending: Some((identity, "r".repeat(NAME))) };
        for record in [full, Record::default()] {
            let raw = record.encode();
            assert_eq!(raw.len(), LENGTH);
            assert_eq!(Record::parse(&raw), Some(record));
        }
        assert_eq!(Record::parse(b"garbage"), None);
    }
}

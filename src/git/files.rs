//! Moves a ref that is a loose file.
//!
//! In this order, and each step for a hole that was forced open: the new
//! value is prepared outside of all locks; the store-wide lock is taken and
//! says which file will be the ref's lock; that file is linked to
//! `<ref>.lock`, which git respects; only then is the ref read, loose before
//! packed; the lock is renamed to the ref; the directory is made durable
//! after the lock is released and before the caller is told.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::foreign::Foreign;
use super::fsx::{self, Identity};
use super::lock::{StoreLock, lock_of};
use super::{Durability, GitError, Oid, RefName, Repo, Swap, Swapped};

/// Tries for what should not happen twice, such as a vanished directory.
const TRIES: usize = 32;

/// The new value, in a file that becomes the lock and then the ref.
struct Prepared {
    path: PathBuf,
    identity: Identity,
    /// Removed when dropped: the ref keeps the content under its own name.
    value: String,
}

impl Drop for Prepared {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// The lock on the ref, removed when dropped unless it became the ref.
struct RefLock {
    path: PathBuf,
    is_ours: bool,
}

impl Drop for RefLock {
    fn drop(&mut self) {
        if self.is_ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}

enum Attempt {
    Done(Swapped, Vec<PathBuf>),
    Foreign,
    Again,
}

impl Repo {
    pub(super) fn swap_file(&self, swap: &Swap<'_>) -> Result<Swapped, GitError> {
        let path = self.ref_path(swap.name);
        let prepared = self.prepare(swap.next, swap.durability)?;
        let mut foreign = Foreign::default();
        let mut tries = 0;
        loop {
            match self.attempt(swap, &path, &prepared, &foreign)? {
                Attempt::Done(Swapped::Moved, made) => {
                    if swap.durability == Durability::Power {
                        self.sync_ref(swap.name, &path, &made)?;
                    }
                    return Ok(Swapped::Moved);
                }
                Attempt::Done(answer, _) => return Ok(answer),
                Attempt::Foreign => self.wait_for(&lock_of(&path), &mut foreign)?,
                Attempt::Again if tries < TRIES => {
                    tries += 1;
                    self.env.sleep_jittered(Duration::from_millis(2));
                }
                Attempt::Again => {
                    let source = io::Error::new(io::ErrorKind::NotFound, "its directory keeps vanishing");
                    return Err(GitError::read(&path, source));
                }
            }
        }
    }

    fn prepare(&self, next: Oid, durability: Durability) -> Result<Prepared, GitError> {
        let dir = self.tmp_dir();
        let path = dir.join(fsx::random_name(&self.env, &dir)?);
        let value = format!("{next}\n");
        let write = || -> io::Result<Identity> {
            let (mut file, _) = fsx::with_dir(&dir, self.shared, || fsx::create_new(&path, 0o666))?;
            self.shared.adjust_file(&file)?;
            file.write_all(value.as_bytes())?;
            if durability == Durability::Power {
                file.sync_all()?;
            }
            Ok(Identity::of(&file.metadata()?))
        };
        match write() {
            Ok(identity) => Ok(Prepared { path, identity, value }),
            Err(err) => {
                let _ = fs::remove_file(&path);
                Err(GitError::write(&path, err))
            }
        }
    }

    fn attempt(
        &self,
        swap: &Swap<'_>,
        path: &Path,
        prepared: &Prepared,
        foreign: &Foreign,
    ) -> Result<Attempt, GitError> {
        // Dropped last: whoever takes it next must not meet our ref lock.
        let mut store = self.lock_store()?;
        store.note(self, swap.stamp, Some((prepared.identity, swap.name)))?;
        if foreign.is_stale {
            self.set_aside(&lock_of(path), foreign)?;
        }
        let (mut lock, made) = match self.lock_ref(swap, path, prepared, &mut store) {
            Ok(locked) => locked,
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists => return Ok(Attempt::Foreign),
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Attempt::Again),
            Err(err) if err.kind() == io::ErrorKind::NotADirectory => {
                return Err(self.conflict(swap.name, path));
            }
            Err(err) => return Err(GitError::write(&lock_of(path), err)),
        };
        if let Some(answer) = self.judge(swap)? {
            return Ok(Attempt::Done(answer, Vec::new()));
        }
        self.require_object(swap)?;
        if let Some(on_locked) = swap.on_locked {
            on_locked()?;
        }
        match self.publish(&lock.path, path, swap.name)? {
            None => lock.is_ours = false,
            // The kernel said no, perhaps after it was done.
            Some(err) => match self.read_ref(swap.name)? {
                Some(now) if self.reaches(now, swap.next, 8)? => {}
                _ if err.kind() == io::ErrorKind::NotFound => return Ok(Attempt::Again),
                _ => return Err(GitError::write(path, err)),
            },
        }
        Ok(Attempt::Done(Swapped::Moved, made))
    }

    /// Takes `<ref>.lock`, and says which directories had to be made for it.
    fn lock_ref(
        &self,
        swap: &Swap<'_>,
        path: &Path,
        prepared: &Prepared,
        store: &mut StoreLock,
    ) -> io::Result<(RefLock, Vec<PathBuf>)> {
        let lock = lock_of(path);
        let dir = fsx::parent(path);
        match fsx::with_dir(dir, self.shared, || fs::hard_link(&prepared.path, &lock)) {
            Ok(((), made)) => Ok((RefLock { path: lock, is_ours: true }, made)),
            Err(err) if fsx::cannot_link(&err) => {
                let (mut file, made) = fsx::with_dir(dir, self.shared, || fsx::create_new(&lock, 0o666))?;
                let guard = RefLock { path: lock, is_ours: true };
                let identity = Identity::of(&file.metadata()?);
                store.note(self, swap.stamp, Some((identity, swap.name))).map_err(io::Error::other)?;
                self.shared.adjust_file(&file)?;
                file.write_all(prepared.value.as_bytes())?;
                if swap.durability == Durability::Power {
                    file.sync_all()?;
                }
                Ok((guard, made))
            }
            Err(err) => Err(err),
        }
    }

    /// Renames the lock to the ref; the refusal of the kernel, if it came to one.
    fn publish(&self, lock: &Path, path: &Path, name: &RefName) -> Result<Option<io::Error>, GitError> {
        match fs::rename(lock, path) {
            Ok(()) => Ok(None),
            Err(_) if path.is_dir() => {
                // Left by refs below this name that were deleted or packed.
                if remove_empty_dirs(path, 32).is_err() {
                    return Err(GitError::NameConflict { name: name.clone(), other: format!("{name}/") });
                }
                Ok(fs::rename(lock, path).err())
            }
            Err(err) => Ok(Some(err)),
        }
    }

    fn conflict(&self, name: &RefName, path: &Path) -> GitError {
        let other =
            path.ancestors().skip(1).find(|dir| fs::symlink_metadata(dir).is_ok_and(|meta| !meta.is_dir()));
        let other =
            other.and_then(|dir| dir.strip_prefix(&self.common_dir).ok()).unwrap_or(Path::new("refs"));
        let other = crate::text::escape::bytes(other.as_os_str().as_encoded_bytes());
        GitError::NameConflict { name: name.clone(), other }
    }

    /// Makes the move of a ref durable, and the directories made for it.
    fn sync_ref(&self, name: &RefName, path: &Path, made: &[PathBuf]) -> Result<(), GitError> {
        let failed =
            |path: &Path, source| GitError::NotDurable { name: name.clone(), path: path.to_owned(), source };
        let dir = fsx::parent(path);
        match fsx::sync_dir(dir) {
            // git packed the ref and removed the directory: it is durable
            // when packed-refs is.
            Err(err) if err.kind() == io::ErrorKind::NotFound => {
                let packed = self.common_dir.join("packed-refs");
                let synced = fs::File::open(&packed).and_then(|file| file.sync_all());
                synced.and_then(|()| fsx::sync_dir(&self.common_dir)).map_err(|err| failed(&packed, err))?;
            }
            other => other.map_err(|err| failed(dir, err))?,
        }
        for dir in made {
            match fsx::sync_dir(fsx::parent(dir)) {
                Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(failed(dir, err)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Removes a tree of directories that holds nothing else.
fn remove_empty_dirs(dir: &Path, depth: usize) -> io::Result<()> {
    if depth > 0 {
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                remove_empty_dirs(&entry.path(), depth - 1)?;
            }
        }
    }
    fs::remove_dir(dir)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Fixture, name, swap};

    #[test]
    fn the_lock_of_a_dead_process_is_removed_at_once() {
        let fixture = Fixture::new();
        let repo = fixture.open();
        let (dead, task) = (name("tasks/dead"), name("tasks/bd-1"));
        let one = repo.some_commit("one", &[]);
        // Die after the link and before the rename: everything a killed
        // process leaves is the note, the lock and the temporary file.
        let prepared = repo.prepare(one, Durability::Process).unwrap();
        let path = repo.ref_path(&dead);
        fs::create_dir_all(fsx::parent(&path)).unwrap();
        fs::hard_link(&prepared.path, lock_of(&path)).unwrap();
        let mut store = repo.lock_store().unwrap();
        store.note(&repo, "", Some((prepared.identity, &dead))).unwrap();
        drop(store);
        std::mem::forget(prepared);

        let started = repo.env.instant();
        assert_eq!(repo.move_ref(&task, None, one), Swapped::Moved);
        assert!(!lock_of(&path).exists(), "whoever comes next cleans up, for any ref");
        assert_eq!(repo.move_ref(&dead, None, one), Swapped::Moved);
        assert!(started.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn a_lock_that_reuses_a_noted_inode_is_not_ours() {
        let fixture = Fixture::new();
        let repo = fixture.open();
        let task = name("tasks/bd-1");
        let path = lock_of(&repo.ref_path(&task));
        fs::create_dir_all(fsx::parent(&path)).unwrap();
        fs::write(&path, "").unwrap();
        let mut identity = Identity::at(&path).unwrap();
        identity.mtime -= 1;
        repo.lock_store().unwrap().note(&repo, "", Some((identity, &task))).unwrap();
        drop(repo.lock_store().unwrap());
        assert!(path.exists());
    }

    #[test]
    fn nothing_is_left_behind() {
        let fixture = Fixture::new();
        let repo = fixture.open();
        let task = name("tasks/bd-1");
        let one = repo.some_commit("one", &[]);
        assert_eq!(repo.move_ref(&task, None, one), Swapped::Moved);
        assert_eq!(repo.move_ref(&task, None, one), Swapped::Lost);
        let refuse = || Err(GitError::NoGit);
        assert!(repo.swap(&Swap { on_locked: Some(&refuse), ..swap(&task, Some(one), one) }).is_err());
        assert_eq!(fs::read_dir(repo.tmp_dir()).unwrap().count(), 0);
        assert!(!lock_of(&repo.ref_path(&task)).exists());
    }

    #[test]
    #[cfg(unix)]
    fn files_get_the_bits_of_a_shared_repository() {
        use std::os::unix::fs::PermissionsExt;
        let fixture = Fixture::init(&["--shared=group"]);
        let repo = fixture.open();
        let one = repo.write_commit(&crate::git::testing::draft("one", &[]), Durability::Power).unwrap();
        assert_eq!(repo.move_ref(&name("tasks/bd-1"), None, one), Swapped::Moved);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let path = repo.ref_path(&name("tasks/bd-1"));
        assert_eq!(mode(&path) & 0o660, 0o660);
        assert_eq!(mode(fsx::parent(&path)) & 0o2770, 0o2770);
        assert_eq!(mode(&repo.loose_path(one)) & 0o777, 0o444);
        assert_eq!(mode(fsx::parent(&repo.loose_path(one))) & 0o2770, 0o2770);
        assert_eq!(mode(&repo.state_dir()) & 0o2770, 0o2770);
        assert_eq!(mode(&repo.state_dir().join("lock")) & 0o660, 0o660);
    }
}

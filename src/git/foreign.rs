//! Waits for the ref lock of somebody else, and breaks one that was left.
//!
//! git leaves `<ref>.lock` behind when it is killed and never clears it.
//! Breaking by age alone destroys locks that are alive, so a lock must be
//! old on the file system's own clock *and* the same file as before.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::fsx::{self, Identity};
use super::{GitError, Repo};
use crate::text::escape;

/// A lock that git left is broken at this age, on the file system's clock.
const STALE: Duration = Duration::from_secs(10);
/// How long to wait for a lock that stays.
const PATIENCE: Duration = Duration::from_secs(15);

/// Somebody else's lock, watched for change.
#[derive(Default)]
pub(super) struct Foreign {
    since: Option<Instant>,
    seen: Option<Identity>,
    pub(super) is_stale: bool,
}

impl Foreign {
    /// One that is known to be left.
    pub(super) fn found(lock: Identity) -> Self {
        Self { since: None, seen: Some(lock), is_stale: true }
    }
}

impl Repo {
    /// Waits for somebody else's lock to go, or to be old enough to break.
    pub(super) fn wait_for(&self, lock: &Path, foreign: &mut Foreign) -> Result<(), GitError> {
        let since = *foreign.since.get_or_insert_with(|| self.env.instant());
        let waited = self.env.instant().duration_since(since);
        if waited > PATIENCE {
            return Err(GitError::Locked { path: lock.to_owned(), holder: None, waited });
        }
        let found = Identity::at(lock).ok();
        if let (Some(found), true) = (found, foreign.seen == found) {
            let age = self.file_system_now()? - found.mtime;
            foreign.is_stale = age >= i128::try_from(STALE.as_nanos()).unwrap_or(i128::MAX);
        } else {
            foreign.is_stale = false;
        }
        foreign.seen = found;
        if !foreign.is_stale {
            self.env.sleep_jittered(Duration::from_millis(if waited.as_millis() < 200 { 5 } else { 100 }));
        }
        Ok(())
    }

    /// Moves a stale lock out of the way. Kept, not deleted: if its owner
    /// lives after all, somebody may want to know.
    pub(super) fn set_aside(&self, lock: &Path, foreign: &Foreign) -> Result<(), GitError> {
        let dir = self.state_dir.join("stale");
        let aside = dir.join(fsx::random_name(&self.env, &dir)?);
        match fsx::with_dir(&dir, self.shared, || {
            // Gone by itself is as good.
            if fs::symlink_metadata(lock).is_err() { Ok(()) } else { fs::rename(lock, &aside) }
        }) {
            Ok(_) => {}
            Err(err) => return Err(GitError::write(lock, err)),
        }
        let Ok(moved) = Identity::at(&aside) else { return Ok(()) };
        if Some(moved) == foreign.seen {
            let lock = escape::bytes(lock.as_os_str().as_encoded_bytes());
            tracing::warn!(lock, "set a stale lock aside");
        } else if fs::hard_link(&aside, lock).is_ok() {
            // Another, younger lock was taken meanwhile: give it back.
            let _ = fs::remove_file(&aside);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::Swapped;
    use crate::git::lock::lock_of;
    use crate::git::testing::{Fixture, name, swap};
    use std::time::SystemTime;

    fn set_back(path: &Path, seconds: u64) {
        let file = fs::File::options().write(true).open(path).unwrap();
        let now: SystemTime = fs::metadata(path).unwrap().modified().unwrap();
        file.set_modified(now - Duration::from_secs(seconds)).unwrap();
    }

    #[test]
    fn a_foreign_lock_is_set_aside_only_when_it_is_old() {
        let fixture = Fixture::new();
        let repo = fixture.open();
        let task = name("tasks/bd-1");
        let one = repo.some_commit("one", &[]);
        let path = lock_of(&repo.ref_path(&task));
        fs::create_dir_all(fsx::parent(&path)).unwrap();
        fs::write(&path, "young").unwrap();
        set_back(&path, 7);
        let started = repo.env.instant();
        assert_eq!(repo.move_ref(&task, None, one), Swapped::Moved);
        let waited = started.elapsed();
        assert!(waited > Duration::from_secs(2) && waited < Duration::from_secs(8), "{waited:?}");
        let stale: Vec<_> = fs::read_dir(repo.state_dir().join("stale")).unwrap().flatten().collect();
        assert_eq!(fs::read(stale[0].path()).unwrap(), b"young");
    }

    #[test]
    fn a_lock_that_git_holds_and_renews_is_reported() {
        let fixture = Fixture::new();
        let repo = fixture.open();
        let task = name("tasks/bd-1");
        let one = repo.some_commit("one", &[]);
        let path = lock_of(&repo.ref_path(&task));
        fs::create_dir_all(fsx::parent(&path)).unwrap();
        fs::write(&path, "").unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let env = crate::env::Env::from_process();
                // Ends by itself should the swap panic.
                for _ in 0..400 {
                    let fresh = path.with_extension("fresh");
                    fs::write(&fresh, "").unwrap();
                    fs::rename(&fresh, &path).unwrap();
                    env.sleep_jittered(Duration::from_millis(100));
                    if done.load(std::sync::atomic::Ordering::Relaxed) {
                        break;
                    }
                }
            });
            let err = repo.swap(&swap(&task, None, one)).unwrap_err();
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(matches!(&err, GitError::Locked { path: locked, .. } if *locked == path), "{err}");
        });
    }
}

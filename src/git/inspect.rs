//! What a check-up of a repository needs to know, and may mend.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::foreign::Foreign;
use super::fsx::Identity;
use super::{GitError, Repo};
use crate::env::Env;

/// What the names of files start with that prove that a folder can be
/// written. git takes no name with a dot in front for a ref.
pub(super) const WRITE_PROBE: &str = ".comm-node-probe-";

/// A ref lock that somebody holds or left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundLock {
    /// The lock file.
    pub path: PathBuf,
    /// Its age on the file system's clock.
    pub age: Duration,
    /// Which file it is.
    identity: Identity,
}

/// A remote, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Its name.
    pub name: String,
    /// Its fetch refspecs.
    pub fetch: Vec<String>,
    /// Whether pushes mirror everything.
    pub mirror: bool,
}

impl Remote {
    /// Whether a fetch would overwrite our records with the remote's: a
    /// refspec maps all refs onto themselves and none takes ours out.
    pub fn overwrites_records(&self) -> bool {
        let maps_all = self.fetch.iter().any(|spec| {
            let spec = spec.strip_prefix('+').unwrap_or(spec);
            spec.split_once(':').is_some_and(|(from, to)| {
                from == to && from.ends_with('*') && "refs/comm-node/".starts_with(from.trim_end_matches('*'))
            })
        });
        let spared = |prefix: &str| self.fetch.iter().any(|s| s.strip_prefix('^') == Some(prefix));
        maps_all && !(spared("refs/comm-node/*") && spared("refs/comm-node-remote/*"))
    }
}

/// Version of the git program on PATH: major, minor, patch.
pub fn git_version(env: &Env) -> Result<(u32, u32, u32), GitError> {
    let text = super::process::version_text(env)?;
    let number = text.split_whitespace().nth(2).unwrap_or_default();
    let mut parts = number.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    Ok((next(), next(), next()))
}

impl Repo {
    /// Locks on records' refs, oldest first.
    pub fn record_locks(&self) -> Result<Vec<FoundLock>, GitError> {
        let mut paths = Vec::new();
        let mut dirs = vec![self.common_dir.join("refs/comm-node")];
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => dirs.push(entry.path()),
                    Ok(_) if entry.path().extension().is_some_and(|e| e == "lock") => {
                        paths.push(entry.path())
                    }
                    _ => {}
                }
            }
        }
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.file_system_now()?;
        let mut locks: Vec<FoundLock> = paths
            .into_iter()
            .filter_map(|path| {
                let identity = Identity::at(&path).ok()?;
                let age = Duration::from_nanos(u64::try_from(now - identity.mtime).unwrap_or(0));
                Some(FoundLock { path, age, identity })
            })
            .collect();
        locks.sort_by_key(|lock| std::cmp::Reverse(lock.age));
        Ok(locks)
    }

    /// Moves a lock that was left behind out of the way, unless it is gone
    /// or another one since it was found.
    pub fn clear_lock(&self, lock: &FoundLock) -> Result<(), GitError> {
        if Identity::at(&lock.path).is_ok_and(|found| found == lock.identity) {
            self.set_aside(&lock.path, &Foreign::found(lock.identity))?;
        }
        Ok(())
    }

    /// Proves that records can be written here: makes and removes a file in
    /// each folder that a write needs.
    pub fn probe_writable(&self) -> Result<(), GitError> {
        self.file_system_now()?;
        for dir in [self.objects_dir.clone(), self.common_dir.join("refs")] {
            let path = dir.join(format!("{WRITE_PROBE}{}", self.env.pid()));
            let touch = fs::write(&path, "").and_then(|()| fs::remove_file(&path));
            touch.map_err(|err| GitError::write(&path, err))?;
        }
        Ok(())
    }

    /// How far the file system's clock is from this machine's, in
    /// microseconds; positive when it is ahead.
    pub fn clock_offset(&self) -> Result<i64, GitError> {
        let theirs = i64::try_from(self.file_system_now()? / 1_000).unwrap_or(i64::MAX);
        Ok(theirs.saturating_sub(self.env.now().micros()))
    }

    /// The remotes, as configured.
    pub fn remotes(&self) -> Vec<Remote> {
        let config = self.gix.config_snapshot();
        let names = self.remote_names();
        let remote = |name: String| {
            let fetch = self.config_all(&format!("remote.{name}.fetch"));
            let mirror = config.boolean(format!("remote.{name}.mirror").as_str()) == Some(true);
            Remote { name, fetch, mirror }
        };
        names.into_iter().map(remote).collect()
    }

    /// Takes our records out of a fetch that maps all refs onto themselves.
    pub fn spare_records(&self, remote: &Remote) -> Result<(), GitError> {
        let key = format!("remote.{}.fetch", remote.name);
        for spec in ["^refs/comm-node/*", "^refs/comm-node-remote/*"] {
            if !remote.fetch.iter().any(|f| f == spec) {
                self.git_here(&["config", "--add", &key, spec], None)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Fixture;

    #[test]
    fn a_mirror_refspec_is_found_and_made_safe() {
        let f = Fixture::new();
        f.git(&["remote", "add", "origin", "../other"]);
        assert!(!f.open().remotes()[0].overwrites_records());
        f.git(&["config", "remote.origin.fetch", "+refs/*:refs/*"]);
        let remotes = f.open().remotes();
        assert!(remotes[0].overwrites_records());
        f.open().spare_records(&remotes[0]).unwrap();
        let remotes = f.open().remotes();
        assert!(!remotes[0].overwrites_records(), "{remotes:?}");
        f.open().spare_records(&remotes[0]).unwrap();
        assert_eq!(f.open().remotes()[0].fetch.len(), 3);
    }

    #[test]
    fn a_mirror_is_one_however_it_is_said() {
        let f = Fixture::new();
        f.git(&["remote", "add", "origin", "../other"]);
        for (value, mirrors) in [("true", true), ("yes", true), ("1", true), ("off", false), ("0", false)] {
            f.git(&["config", "remote.origin.mirror", value]);
            assert_eq!(f.open().remotes()[0].mirror, mirrors, "{value}");
        }
    }

    #[test]
    fn the_version_of_git_is_read() {
        assert!(git_version(&Env::from_process()).unwrap() >= (2, 39, 0));
    }

    #[test]
    fn locks_are_found_with_their_age() {
        let f = Fixture::new();
        let dir = f.root().join(".git/refs/comm-node/tasks");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("bd-1.lock"), "").unwrap();
        let locks = f.open().record_locks().unwrap();
        assert_eq!(locks.len(), 1);
        assert!(locks[0].age < Duration::from_secs(60));
        f.open().probe_writable().unwrap();
    }

    #[test]
    fn a_lock_that_was_taken_again_meanwhile_stays() {
        let f = Fixture::new();
        let dir = f.root().join(".git/refs/comm-node/tasks");
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("bd-1.lock");
        let repo = f.open();
        fs::write(&path, "left").unwrap();
        let found = repo.record_locks().unwrap().remove(0);
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        // Another one of the very same age.
        fs::write(dir.join("other"), "live").unwrap();
        fs::File::options().write(true).open(dir.join("other")).unwrap().set_modified(modified).unwrap();
        fs::rename(dir.join("other"), &path).unwrap();
        repo.clear_lock(&found).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"live");
        let found = repo.record_locks().unwrap().remove(0);
        repo.clear_lock(&found).unwrap();
        assert!(!path.exists());
        repo.clear_lock(&found).unwrap();
    }
}

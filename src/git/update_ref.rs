//! Moves a ref in a format that only git knows, by `git update-ref`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::time::Duration;

use super::foreign::Foreign;
use super::fsx;
use super::lock::lock_of;
use super::process::{Inherited, Running, failed};
use super::{Durability, GitError, Guard, Oid, Pending, RefName, Repo, Swap, Swapped};
use crate::text::escape;

/// Tries while git reports its own lock as taken.
const TRIES: u32 = 4;

/// How one transaction ended.
enum Ended {
    Well,
    Badly(GitError),
}

impl Repo {
    pub(super) fn read_ref_by_git(&self, name: &RefName) -> Result<Option<Oid>, GitError> {
        // The pattern also matches refs below the name.
        self.for_each_ref(name.as_str())?.remove(name).transpose()
    }

    pub(super) fn list_refs_by_git(&self, prefix: &str) -> Result<super::Listed, GitError> {
        // A pattern ends at a slash; what is finer is sifted here.
        let dir = prefix.rsplit_once('/').map_or("refs", |(dir, _)| dir);
        if dir != "refs" && RefName::new(dir).is_err() {
            return Ok(Vec::new());
        }
        let found = self.for_each_ref(dir)?;
        Ok(found.into_iter().filter(|(name, _)| name.as_str().starts_with(prefix)).collect())
    }

    fn for_each_ref(&self, pattern: &str) -> Result<BTreeMap<RefName, Result<Oid, GitError>>, GitError> {
        let format = "--format=%(objectname) %(refname) %(symref)";
        let out = self.git_output(&["for-each-ref", format, pattern])?;
        let mut found = BTreeMap::new();
        for line in out.split(|&b| b == b'\n') {
            let Ok(line) = std::str::from_utf8(line) else { continue };
            let mut fields = line.splitn(3, ' ');
            let (Some(hex), Some(name), Some(symref)) = (fields.next(), fields.next(), fields.next()) else {
                continue;
            };
            let Ok(name) = RefName::new(name) else { continue };
            let oid = match self.parse_oid(hex) {
                Ok(oid) if symref.is_empty() => Ok(oid),
                Ok(_) => Err("it is symbolic"),
                Err(_) => Err("it holds no object id"),
            };
            let oid = oid
                .map_err(|reason| GitError::DamagedRef { name: name.to_string(), reason: reason.to_owned() });
            found.insert(name, oid);
        }
        Ok(found)
    }

    pub(super) fn swap_by_git(&self, swap: &Swap<'_>) -> Result<Swapped, GitError> {
        let mut foreign = Foreign::default();
        let mut tries = 0;
        loop {
            tries += 1;
            let mut store = self.lock_store()?;
            store.note(self, swap.stamp, None)?;
            let lock = self.lock_of_git(swap.name);
            if foreign.is_stale {
                // A git of ours would hold the store's lock with us.
                self.set_aside(&lock, &foreign)?;
                foreign = Foreign::default();
            }
            if let Some(answer) = self.judge_checks(swap)? {
                return Ok(answer);
            }
            self.require_object(swap)?;
            let pending = Pending { name: swap.name.clone(), expected: swap.expected, next: swap.next };
            self.note_pending(&pending)?;
            let ended = {
                let _inherited =
                    Inherited::new(&store.file).map_err(|err| GitError::read(&self.state_dir, err))?;
                self.transact(swap)
            };
            let answer = match ended {
                Ok(Ended::Well) => Some(Swapped::Moved),
                // What git says is for people; what is stored is the answer.
                Ok(Ended::Badly(err)) => self.tell(swap, err)?,
                // Called off by the caller, or we could not talk to git: the
                // transaction was not told to commit.
                Err(err) => {
                    self.settle_pending(swap.next);
                    return Err(err);
                }
            };
            if let Some(answer) = answer {
                self.settle_pending(swap.next);
                return Ok(answer);
            }
            if tries >= TRIES {
                self.settle_pending(swap.next);
                return Err(GitError::Locked {
                    path: lock,
                    holder: None,
                    waited: Duration::from_secs(5) * tries,
                });
            }
            drop(store);
            self.env.sleep_jittered(Duration::from_millis(50));
            // A git that was killed left it, or one that lives will remove it.
            while fs::symlink_metadata(&lock).is_ok() && !foreign.is_stale {
                if let Err(err) = self.wait_for(&lock, &mut foreign) {
                    self.settle_pending(swap.next);
                    return Err(err);
                }
            }
        }
    }

    /// The lock that git takes to move the ref: a reftable has one for all.
    fn lock_of_git(&self, name: &RefName) -> PathBuf {
        let tables = self.common_dir.join("reftable");
        if tables.is_dir() { tables.join("tables.list.lock") } else { lock_of(&self.ref_path(name)) }
    }

    fn transact(&self, swap: &Swap<'_>) -> Result<Ended, GitError> {
        let mut settings = vec!["reftable.lockTimeout=5000", "core.filesRefLockTimeout=5000"];
        if swap.durability == Durability::Power {
            settings.push("core.fsync=all");
        }
        let mut command = self.git(&settings)?;
        command.args(["update-ref", "--stdin", "-z"]);
        let zeros = "0".repeat(self.oid_hex_len());
        let old = |expected: Option<Oid>| expected.map_or_else(|| zeros.clone(), |oid| oid.to_string());
        let mut input = String::from("start\0");
        for guard in swap.guards {
            if let Guard::Ref { name, expected } = guard {
                input.push_str(&format!("option no-deref\0verify {}\0{}\0", name.as_str(), old(*expected)));
            }
        }
        let (name, next) = (swap.name.as_str(), swap.next);
        input.push_str(&format!("option no-deref\0update {name}\0{next}\0{}\0", old(swap.expected)));
        input.push_str("prepare\0");
        let mut running = Running::start(command, "update-ref")?;
        running.send(input.as_bytes())?;
        if let Some(on_locked) = swap.on_locked {
            // Only after git holds its locks; without "prepare: ok" it has
            // ended and its status tells why.
            let mut lines = BufReader::new(&mut running.stdout).lines();
            let is_prepared = lines.by_ref().map_while(Result::ok).any(|line| line == "prepare: ok");
            drop(lines);
            if is_prepared {
                on_locked()?;
            }
        }
        // From here on git may have moved the ref, whatever we hear of it.
        let ended = running.send(b"commit\0").and_then(|()| running.finish());
        Ok(match ended {
            Ok((status, _)) if status.success() => Ended::Well,
            Ok((status, stderr)) => Ended::Badly(failed("update-ref", status, &stderr)),
            Err(err) => Ended::Badly(err),
        })
    }

    /// The answer after git failed, from what is stored now. `None`: locked,
    /// try again.
    fn tell(&self, swap: &Swap<'_>, err: GitError) -> Result<Option<Swapped>, GitError> {
        let now = self.read_ref(swap.name)?;
        // Where git says that the old value differed, nothing was written;
        // with any other end it may have been killed after the commit.
        if let Some(tip) = now
            && now != swap.expected
            && !is_mismatch(&err)
            && self.reaches(tip, swap.next, 8)?
        {
            return Ok(Some(Swapped::Moved));
        }
        if now != swap.expected {
            return Ok(Some(Swapped::Lost));
        }
        for guard in swap.guards {
            if let Guard::Ref { name, expected } = guard
                && self.read_ref(name)? != *expected
            {
                return Ok(Some(Swapped::GuardMoved));
            }
        }
        match &err {
            GitError::Command { stderr, .. } if is_unwritable(stderr) => {
                let path = fsx::parent(&self.lock_of_git(swap.name)).to_owned();
                Err(GitError::Unwritable { path, source: io::Error::other(err.to_string()) })
            }
            GitError::Command { stderr, .. } if is_locked(stderr) => {
                tracing::debug!(stderr = escape::line(stderr).as_ref(), "refs are locked");
                Ok(None)
            }
            _ => Err(err),
        }
    }
}

/// Whether the file system refused git: in a reftable it does not say why.
fn is_unwritable(stderr: &str) -> bool {
    ["transaction failure", "I/O error", "No space left", "Read-only file system", "Permission denied"]
        .iter()
        .any(|text| stderr.contains(text))
}

/// Whether git gave up on a lock, in the words of either format.
fn is_locked(stderr: &str) -> bool {
    [".lock", "data is locked", "cannot lock references"].iter().any(|text| stderr.contains(text))
}

fn is_mismatch(err: &GitError) -> bool {
    let GitError::Command { stderr, .. } = err else { return false };
    ["but expected", "reference already exists", "unable to resolve reference"]
        .iter()
        .any(|text| stderr.contains(text))
}

//! What commands that died left in local state, and what may go.
//!
//! Only looks, and deletes what it is told to. A file is left over when it is
//! too old for the command that made it to be still at work.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::hooks::TEMPORARY_HOOK;
use super::inspect::WRITE_PROBE;
use super::worktree::NewWorktree;
use super::worktree::TEMPORARY_INDEX;
use super::{GitError, Oid, Outcome, Pending, Repo, Worktree, fsx, lock};

/// No command works on one temporary file for longer.
const TEMPORARY: Duration = Duration::from_secs(3_600);
/// How long locks that were set aside are kept for whoever misses them.
const SET_ASIDE: Duration = Duration::from_secs(86_400);
/// No swap takes longer, and a note of a new worktree is locked much sooner.
const UNDER_WAY: Duration = Duration::from_secs(10);
/// What git writes into the lock of a worktree that it is just adding.
const BEING_ADDED: &str = "initializing";
/// No check-out takes longer.
const ADDS: Duration = Duration::from_secs(600);

impl Repo {
    /// How long ago a file was written; none if it is not there.
    fn age(&self, path: &Path) -> Option<Duration> {
        let written = fs::symlink_metadata(path).and_then(|meta| meta.modified()).ok()?;
        let written = written.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let now = Duration::from_micros(u64::try_from(self.env.now().micros()).unwrap_or(0));
        Some(now.saturating_sub(written))
    }

    fn is_older(&self, path: &Path, than: Duration) -> bool {
        self.age(path).is_some_and(|age| age >= than)
    }

    /// Temporary files of commands that died, and locks that were set aside
    /// long ago.
    pub fn leftovers(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        self.collect(&self.state_dir, 2, &mut found);
        let hooks = self.common_dir.join("hooks");
        found.extend(entries(&hooks).into_iter().filter(|path| is_temporary_hook(path)));
        for dir in [self.objects_dir.clone(), self.common_dir.join("refs")] {
            let is_probe = |path: &PathBuf| path.file_name().is_some_and(|name| starts(name, WRITE_PROBE));
            found.extend(entries(&dir).into_iter().filter(is_probe));
        }
        found.retain(|path| self.is_older(path, TEMPORARY));
        let aside = entries(&self.state_dir.join("stale"));
        found.extend(aside.into_iter().filter(|path| self.is_older(path, SET_ASIDE)));
        found.sort();
        found
    }

    fn collect(&self, dir: &Path, depth: usize, found: &mut Vec<PathBuf>) {
        let all_are = dir.ends_with("comm-node/tmp");
        for path in entries(dir) {
            let is_dir = fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_dir());
            if all_are || is_temporary(&path) {
                found.push(path);
            } else if is_dir && depth > 0 && !path.ends_with("keep") && !path.ends_with("stale") {
                self.collect(&path, depth - 1, found);
            } else if dir.ends_with("comm-node/pending") && self.pending_named(&path).is_none() {
                found.push(path);
            }
        }
    }

    /// Deletes something of local state. That it is gone is as good.
    pub fn delete_left(&self, path: &Path) -> Result<(), GitError> {
        let is_dir = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir());
        let deleted = if is_dir { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        match deleted {
            Err(err) if err.kind() != std::io::ErrorKind::NotFound => Err(GitError::write(path, err)),
            _ => Ok(()),
        }
    }

    fn pending_named(&self, path: &Path) -> Option<Oid> {
        let name = path.file_name()?.to_str()?;
        let oid = self.parse_oid(name).ok()?;
        self.pending().iter().any(|note| note.next == oid).then_some(oid)
    }

    /// The swaps whose outcome nobody has noted since, with that outcome.
    pub fn unsettled(&self) -> Vec<(Pending, Result<Outcome, GitError>)> {
        let dir = self.state_dir.join("pending");
        let mut notes = self.pending();
        notes.retain(|note| self.is_older(&dir.join(note.next.to_string()), UNDER_WAY));
        notes
            .into_iter()
            .map(|note| {
                let outcome = self.resolve(&note.name, note.expected, note.next);
                (note, outcome)
            })
            .collect()
    }

    /// The worktrees whose making began in a process that has died. Only
    /// looks: what is just beginning is not touched.
    pub fn never_finished(&self) -> Vec<PathBuf> {
        let notes = entries(&self.state_dir.join("adding")).into_iter();
        let dead = notes.filter(|note| {
            // Who makes a note locks it at once; a shared lock between the
            // two would keep it from that.
            self.is_older(note, UNDER_WAY)
                && File::open(note).is_ok_and(|file| file.try_lock_shared().is_ok())
        });
        let made = dead.map(|note| {
            let new = fs::read(&note).ok().and_then(|text| serde_json::from_slice::<NewWorktree>(&text).ok());
            new.map_or(note, |new| new.path)
        });
        made.collect()
    }

    /// Whether the lock on a worktree was left by a `git worktree add` that
    /// died: git takes it away when it has filled the folder.
    pub fn is_half_added(&self, worktree: &Worktree) -> bool {
        worktree.locked.as_deref() == Some(BEING_ADDED)
            && self.is_older(&worktree.git_dir.join("locked"), ADDS)
    }

    /// Directories among those of the worktrees that lead to none.
    pub fn stray_worktrees(&self) -> Result<Vec<PathBuf>, GitError> {
        let known: Vec<PathBuf> = self.worktrees()?.into_iter().map(|worktree| worktree.git_dir).collect();
        let mut found = entries(&self.common_dir.join("worktrees"));
        found.retain(|path| path.is_dir() && !known.contains(path) && self.is_older(path, UNDER_WAY));
        Ok(found)
    }

    /// Locks of git's own that stop everybody, with their age: of the
    /// packed refs, the configuration, the tables of refs; and those that
    /// stop one worktree: of its index and HEAD.
    pub fn old_git_locks(&self) -> Vec<(PathBuf, Duration)> {
        let mut files: Vec<PathBuf> = ["packed-refs", "config", "reftable/tables.list"]
            .iter()
            .map(|name| self.common_dir.join(name))
            .collect();
        let mut dirs = entries(&self.common_dir.join("worktrees"));
        dirs.push(self.common_dir.clone());
        files.extend(dirs.iter().flat_map(|dir| [dir.join("index"), dir.join("HEAD")]));
        let locks = files.iter().map(|file| lock::lock_of(file));
        locks.filter_map(|lock| self.age(&lock).filter(|age| *age >= ADDS).map(|age| (lock, age))).collect()
    }

    /// Files of local state in a folder of it that are older than this.
    pub fn state_older(&self, folder: &str, than: Duration) -> Vec<PathBuf> {
        let mut found = entries(&self.state_dir.join(folder));
        found.retain(|path| !is_temporary(path) && self.is_older(path, than));
        found
    }

    /// Where git would find the program that it runs for `git NAME`: among
    /// its own, then on PATH.
    pub fn program_of(&self, name: &str) -> Result<Option<PathBuf>, GitError> {
        let own = self.git_output(&["--exec-path"])?;
        let own = PathBuf::from(String::from_utf8_lossy(&own).trim_end());
        let path = self.env.path_var("PATH").unwrap_or_default();
        let file = if cfg!(windows) { format!("git-{name}.exe") } else { format!("git-{name}") };
        let mut places = std::iter::once(own).chain(std::env::split_paths(&path));
        Ok(places.by_ref().map(|dir| dir.join(&file)).find(|path| Self::is_runnable(path)))
    }

    /// Whether HEAD of this worktree names a ref or a commit. Without, git
    /// takes its folder for no repository.
    pub fn has_head(&self) -> bool {
        let text = fs::read_to_string(self.git_dir.join("HEAD")).unwrap_or_default();
        text.starts_with("ref: refs/") || self.parse_oid(text.trim()).is_ok()
    }

    /// Whether this worktree's own configuration is there and not read,
    /// because the extension for it is off.
    pub fn ignores_own_config(&self) -> bool {
        let is_on = self.gix.config_snapshot().boolean("extensions.worktreeConfig") == Some(true);
        !is_on && self.git_dir.join("config.worktree").metadata().is_ok_and(|meta| meta.len() > 0)
    }
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    all.sort();
    all
}

fn starts(name: &std::ffi::OsStr, with: &str) -> bool {
    name.as_encoded_bytes().starts_with(with.as_bytes())
}

fn is_random(name: &str) -> bool {
    name.len() == fsx::RANDOM && name.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether a file of local state is one that is being written, by its name.
fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.strip_prefix('.').is_some_and(|rest| is_random(rest) || rest.starts_with("tmp"))
        || name.starts_with(TEMPORARY_INDEX)
}

/// A hook that was being written, as [`Repo::write_hook`] names it.
fn is_temporary_hook(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.rsplit_once(TEMPORARY_HOOK).is_some_and(|(_, end)| is_random(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Fixture;

    fn put(path: &Path, text: &str, age: u64) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        let file = File::options().write(true).open(path).unwrap();
        let now = file.metadata().unwrap().modified().unwrap();
        file.set_modified(now - Duration::from_secs(age)).unwrap();
    }

    #[test]
    fn only_what_is_old_and_temporary_is_left_over() {
        let f = Fixture::new();
        let repo = f.open();
        let state = repo.state_dir();
        let hour = 4_000;
        let old = [
            "tmp/0123456789abcdef",
            "keys/.0123456789abcdef",
            "told/.tmpAbC",
            "pending/half",
            ".0123456789abcdef",
        ];
        for name in old {
            put(&state.join(name), "", hour);
        }
        put(&state.join("stale/a"), "", 90_000);
        for name in ["tmp/fedcba9876543210", "keys/.fedcba9876543210"] {
            put(&state.join(name), "", 0);
        }
        for name in ["clone", "keys/00000000000000000000000000000000", "sessions/abc", "keep/1/x", "stale/b"]
        {
            put(&state.join(name), "", hour);
        }
        let mut found: Vec<PathBuf> =
            repo.leftovers().iter().map(|path| path.strip_prefix(&state).unwrap().to_owned()).collect();
        found.sort();
        let mut expected: Vec<PathBuf> = old.iter().chain(&["stale/a"]).map(PathBuf::from).collect();
        expected.sort();
        assert_eq!(found, expected);
        for path in repo.leftovers() {
            repo.delete_left(&path).unwrap();
            repo.delete_left(&path).unwrap();
        }
        assert!(repo.leftovers().is_empty());
    }

    #[test]
    fn a_worktree_that_is_being_made_is_not_unfinished() {
        let f = Fixture::new();
        let repo = f.open();
        let note = repo.state_dir().join("adding/0");
        let text = r#"{"path":"/x/y","branch":"y","base":"0","makes_parent":false}"#;
        put(&note, text, 0);
        assert!(repo.never_finished().is_empty(), "it may just begin");
        put(&note, text, 60);
        assert_eq!(repo.never_finished(), [Path::new("/x/y")]);
        let maker = File::open(&note).unwrap();
        maker.try_lock().unwrap();
        assert!(repo.never_finished().is_empty(), "its maker lives");
    }
}

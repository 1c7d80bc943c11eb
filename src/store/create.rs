//! Making a record, so that a retried request makes no second one.
//!
//! A request has a key. Which task it made is noted beside the store under
//! the store-wide lock, just before the task's ref moves; a note counts only
//! if the task it names really was made by the version it names, so a process
//! killed between the two leaves a note without effect.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cell::Once;
use super::sight::replace;
use super::{Author, Decision, Store, StoreError, Version, Watched, task_ref};
use crate::git::GitError;
use crate::model::names::TaskId;
use crate::model::stamp::Stamp;
use crate::model::task::Task;
use crate::text::time::Timestamp;

/// What makes a request recognisable, and for how long.
#[derive(Clone, Debug)]
pub struct Key {
    /// One word, safe as a file name.
    pub digest: String,
    /// A later request with the same key is another one.
    pub lasts: Duration,
}

#[derive(Debug, Serialize, Deserialize)]
struct Note {
    task: TaskId,
    nonce: String,
    at: Timestamp,
}

/// What came of a creation.
#[derive(Debug)]
pub enum Created {
    /// This call made it.
    New(Box<Version<Task>>),
    /// A request with the same key made this one before.
    Before(TaskId),
    /// The id is taken by another task.
    Taken,
}

impl Store<'_> {
    /// Makes the task `id`, unless its id is taken or `key` was used.
    pub fn create_task<E: From<StoreError>>(
        &self,
        id: &TaskId,
        author: &Author,
        key: &Key,
        summary: &str,
        mut make: impl FnMut(&Stamp) -> Result<Made, E>,
    ) -> Result<Created, E> {
        let path = self.repo.state_dir().join("keys").join(&key.digest);
        let note = |stamp: &Stamp| {
            let note = Note { task: id.clone(), nonce: stamp.nonce.clone(), at: stamp.at };
            replace(&self.repo, &path, &note).map_err(|source| GitError::write(&path, source))
        };
        let is_used = || self.made_by(&path, key.lasts).is_some();
        let once = Once { is_used: &is_used, note: &note };
        let updated =
            self.update_once(id.as_str(), author, self.durability(), Some(&once), |before, stamp| {
                if let Some(made) = self.made_by(&path, key.lasts) {
                    return Ok::<_, E>(Decision::Keep(Created::Before(made)));
                }
                if before.is_some() {
                    return Ok(Decision::Keep(Created::Taken));
                }
                let Made { event, task, guards } = make(stamp)?;
                let summary = summary.to_owned();
                Ok(Decision::Write { event, state: task, summary, guards, result: Created::Taken })
            })?;
        match (updated.written, updated.version) {
            (true, Some(version)) => Ok(Created::New(Box::new(version))),
            _ => Ok(updated.result),
        }
    }

    /// The task that a request with this key made, if it was made lately.
    fn made_by(&self, path: &Path, lasts: Duration) -> Option<TaskId> {
        let note: Note = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        let now = self.env.now();
        if now.since(note.at).max(note.at.since(now)) > lasts {
            return None;
        }
        let name = task_ref(&note.task).ok()?;
        let tip = self.repo.read_ref(&name).ok()??;
        let tip: Version<Task> = self.version(&name, note.task.as_str(), tip).ok()?;
        let mut versions = self.back(&name, note.task.as_str(), tip).map_while(Result::ok);
        versions.any(|version| version.head.nonce == note.nonce).then_some(note.task)
    }

    /// Drops notes of requests that were made long ago. A file that another
    /// process is just writing under a name of its own is not a note yet.
    pub fn sweep_keys(&self) {
        let dir: PathBuf = self.repo.state_dir().join("keys");
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let is_note = entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit()));
            if !is_note {
                continue;
            }
            let note: Option<Note> =
                std::fs::read(entry.path()).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            if note.is_none_or(|n| self.env.now().since(n.at) > Duration::from_secs(86_400)) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

/// The first version of a task.
pub struct Made {
    /// Its event.
    pub event: Value,
    /// Its state.
    pub task: Task,
    /// Refs that were looked at.
    pub guards: Vec<Watched>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Env;
    use crate::git::Repo;

    #[test]
    fn a_sweep_takes_old_notes_and_nothing_that_is_being_written() {
        let dir = tempfile::tempdir().unwrap();
        let init = std::process::Command::new("git").args(["init", "-q"]).arg(dir.path()).status();
        assert!(init.unwrap().success());
        let env = Env::from_process();
        let store = Store::open(Repo::open(dir.path(), &env).unwrap(), &env).unwrap();
        let keys = store.repo.state_dir().join("keys");
        std::fs::create_dir_all(&keys).unwrap();
        let note = |name: &str, age: u64| {
            let at = env.now().minus(Duration::from_secs(age));
            let note = Note { task: "bd-1".parse().unwrap(), nonce: "n".into(), at };
            std::fs::write(keys.join(name), serde_json::to_vec(&note).unwrap()).unwrap();
        };
        let (old, young, being_written) = ("0".repeat(32), "1".repeat(32), "0123456789abcdef");
        note(&old, 100_000);
        note(&young, 100);
        std::fs::write(keys.join(being_written), "").unwrap();
        store.sweep_keys();
        assert!(!keys.join(old).exists());
        assert!(keys.join(young).exists() && keys.join(being_written).exists());
    }
}

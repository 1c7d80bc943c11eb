//! Deletes every record and our own state: what leaving for good means.

use std::fs;
use std::io;

use super::process::{Running, failed};
use super::{GitError, Repo};

/// Where refs of ours are.
const OURS: [&str; 2] = ["refs/comm-node", "refs/comm-node-remote"];

impl Repo {
    /// The names of all refs that are ours.
    pub fn own_refs(&self) -> Result<Vec<String>, GitError> {
        let mut args = vec!["for-each-ref", "--format=%(refname)"];
        args.extend(OURS);
        let out = self.git_output(&args)?;
        Ok(String::from_utf8_lossy(&out).lines().map(str::to_owned).collect())
    }

    /// Deletes all refs that are ours, by git in one transaction, then the
    /// folder of our state. Nobody else moves a record meanwhile.
    pub fn delete_all_records(&self) -> Result<(), GitError> {
        let lock = self.lock_store()?;
        let mut command = self.git(&["core.fsync=all", "reftable.lockTimeout=5000"])?;
        command.args(["update-ref", "--no-deref", "--stdin", "-z"]);
        let input: String = self.own_refs()?.iter().map(|name| format!("delete {name}\0\0")).collect();
        let (status, _, stderr) = Running::start(command, "update-ref")?.exchange(input.as_bytes())?;
        if !status.success() {
            return Err(failed("update-ref", status, &stderr));
        }
        let state = self.state_dir();
        let deleted = fs::remove_dir_all(&state);
        drop(lock);
        match deleted {
            Err(err) if err.kind() != io::ErrorKind::NotFound => Err(GitError::write(&state, err)),
            _ => Ok(()),
        }
    }
}

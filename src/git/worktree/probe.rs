//! Does git run our hook here? Asked of git itself.

use std::path::Path;
use std::process::Stdio;

use crate::git::{GitError, Repo};

/// Variable that names the file in which the hook answers a probe.
pub const PROBE: &str = "GIT_COMM_PROBE";

impl Repo {
    /// Begins a commit in this worktree and sees whether the hook answers.
    ///
    /// No commit can come of it: nothing is staged in its index, its message
    /// is empty, the hook itself ends a probe, and it would have to be signed
    /// by a program that does not exist.
    pub fn probe_hook(&self) -> Result<bool, GitError> {
        let Some(tree) = &self.work_tree else { return Ok(false) };
        let dir = self.temporary_index()?;
        let (index, answer) = (dir.path().join("index"), dir.path().join("answer"));
        std::fs::write(&answer, "").map_err(|err| GitError::write(&answer, err))?;
        self.run_here(Some(&index), &[], &["read-tree", "HEAD"], None)?.ok()?;
        let mut command = self.git_program()?;
        command.current_dir(tree).env("GIT_INDEX_FILE", &index).env(PROBE, &answer);
        for setting in ["gpg.format=openpgp", "gpg.program=/nonexistent", "gpg.openpgp.program=/nonexistent"]
        {
            command.args(["-c", setting]);
        }
        command.args(["commit", "-q", "-S", "-m", ""]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let broken = |err: std::io::Error| GitError::Command {
            what: "commit".into(),
            status: format!("could not be started: {err}"),
            stderr: String::new(),
        };
        command.status().map_err(broken)?;
        let answered = std::fs::metadata(&answer).map_err(|err| GitError::read(&answer, err))?;
        Ok(answered.len() > 0)
    }
}

/// Answers a probe: a line in a file that the asker made.
pub fn answer_probe(file: &Path, line: &str) -> std::io::Result<()> {
    use std::io::Write;
    // Never creates one: the variable may come from anywhere.
    let mut file = std::fs::OpenOptions::new().append(true).open(file)?;
    writeln!(file, "{line}")
}

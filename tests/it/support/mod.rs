//! What every test stands on: a repository of its own, nothing from the
//! machine, commands as a user types them.

#![allow(dead_code)]

pub(crate) mod faults;
pub(crate) mod hold;
mod plumbing;
pub(crate) mod race;
mod records;
pub(crate) mod refusal;
pub(crate) mod rust;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
pub(crate) fn program() -> PathBuf {
    std::env::var_os("GIT_COMM_BIN")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_git-comm")), PathBuf::from)
}

/// Copies the program to `path`. Not by this process: a test that forks just
/// then would hold the copy open for writing, and such a file cannot be run.
pub(crate) fn copy_program(path: &Path) {
    assert!(Command::new("cp").arg(program()).arg(path).status().unwrap().success());
}

/// The build with the clock seam, which only debug builds have.
pub(crate) fn seamed_program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_git-comm"))
}

/// Whether the full counts are asked for.
pub(crate) fn is_full() -> bool {
    std::env::var_os("GIT_COMM_FULL").is_some_and(|v| v == "1")
}

/// `full` rounds where the full counts are asked for, else `small`.
pub(crate) fn rounds(small: usize, full: usize) -> usize {
    if is_full() { full } else { small }
}

/// Whether `tool` can be run; where the full counts are asked for, it must.
pub(crate) fn has_tool(tool: &str, probe: &[&str]) -> bool {
    let found = Command::new(tool).args(probe).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = found.is_ok_and(|s| s.success());
    assert!(found || !is_full(), "`{tool}` is needed for the full run");
    if !found {
        eprintln!("SKIPPED: `{tool}` is not there");
    }
    found
}

/// A temporary folder with a repository and an empty home.
pub(crate) struct Sandbox {
    root: TempDir,
    repo: PathBuf,
}

impl Sandbox {
    /// An ordinary repository with one commit and a board.
    pub(crate) fn new() -> Self {
        let sandbox = Self::with_init(&[]);
        sandbox.comm("init").succeeds();
        sandbox
    }

    /// A repository made by `git init` with these arguments, with one commit,
    /// without a board.
    pub(crate) fn with_init(args: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let repo = root.path().join("repo");
        std::fs::create_dir(root.path().join("home")).unwrap();
        let sandbox = Self { root, repo };
        let mut init = vec!["init", "-q", "-b", "main"];
        init.extend(args);
        let repo = sandbox.repo.to_str().unwrap().to_owned();
        init.push(&repo);
        let status = sandbox.bare_command("git", sandbox.root.path()).args(init).status().unwrap();
        assert!(status.success());
        if !args.contains(&"--bare") {
            sandbox.git("commit -q --allow-empty -m start").succeeds();
        }
        sandbox
    }

    /// The repository's folder.
    pub(crate) fn repo(&self) -> &Path {
        &self.repo
    }

    /// The folder around it, and around `home`.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// A command with a clean environment, run in `dir`.
    pub(crate) fn bare_command(&self, program: impl Into<OsString>, dir: &Path) -> Command {
        let mut command = Command::new(program.into());
        command
            .current_dir(dir)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.root.path().join("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Kai Conductor")
            .env("GIT_AUTHOR_EMAIL", "kai@example.com")
            .env("GIT_COMMITTER_NAME", "Kai Conductor")
            .env("GIT_COMMITTER_EMAIL", "kai@example.com")
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .stdin(Stdio::null());
        command
    }

    /// The program, run in the repository by nobody in particular (a script
    /// under the git identity), not started yet.
    pub(crate) fn command(&self) -> Command {
        self.bare_command(program(), &self.repo)
    }

    /// Runs the program with words as a shell splits them (quotes count).
    #[must_use]
    pub(crate) fn comm(&self, words: &str) -> Run {
        self.run(self.command().args(split(words)), &format!("git comm {words}"))
    }

    /// As [`Sandbox::comm`], as an agent.
    #[must_use]
    pub(crate) fn as_agent(&self, agent: &str, words: &str) -> Run {
        self.run(self.agent_command(agent).args(split(words)), &format!("[{agent}] git comm {words}"))
    }

    /// The program as an agent, not started yet.
    pub(crate) fn agent_command(&self, agent: &str) -> Command {
        let mut command = self.command();
        command.env("GIT_COMM_AGENT", agent);
        command
    }

    /// Runs git in the repository.
    #[must_use]
    pub(crate) fn git(&self, words: &str) -> Run {
        self.run(self.bare_command("git", &self.repo).args(split(words)), &format!("git {words}"))
    }

    /// Adds a task and says its id.
    pub(crate) fn add(&self, words: &str) -> String {
        self.comm(&format!("add {words}")).succeeds().stdout.trim().to_owned()
    }

    /// One task as JSON.
    pub(crate) fn task(&self, id: &str) -> Value {
        self.comm(&format!("show {id} --json")).succeeds().json()["task"].clone()
    }

    fn run(&self, command: &mut Command, what: &str) -> Run {
        Run::of(&command.output().unwrap(), what)
    }
}

/// How a command ended.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    what: String,
}

impl Run {
    /// From what a process left.
    pub(crate) fn of(output: &Output, what: &str) -> Self {
        Self {
            // A process that a signal ended has no code.
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            what: what.to_owned(),
        }
    }

    /// It ended with 0.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        self.exits(0)
    }

    /// It ended with this code; a refusal said what and what to type.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "`{}`\n{}{}", self.what, self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked"), "`{}`\n{}", self.what, self.stderr);
        self
    }

    /// Its standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("`{}`: {e}\n{}", self.what, self.stdout))
    }
}

/// Splits as a shell does: blanks separate, quotes hold together.
pub(crate) fn split(words: &str) -> Vec<String> {
    let (mut out, mut word, mut quote, mut open) = (Vec::new(), String::new(), None, false);
    for c in words.chars() {
        match quote {
            Some(q) if c == q => quote = None,
            Some(_) => word.push(c),
            None if c == '\'' || c == '"' => (quote, open) = (Some(c), true),
            None if c.is_whitespace() => {
                if open || !word.is_empty() {
                    out.push(std::mem::take(&mut word));
                }
                open = false;
            }
            None => word.push(c),
        }
    }
    if open || !word.is_empty() {
        out.push(word);
    }
    out
}

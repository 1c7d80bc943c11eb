//! Runs the git program.
//!
//! Found once on PATH and called by its absolute path, with an explicit
//! repository, without the variables that would point it at another one, and
//! without hooks or monitors of the repository's choosing.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

use super::{GitError, Repo};
use crate::env::Env;
use crate::text::escape;

/// `git rev-parse --local-env-vars`, and what would change our answers.
const CLEARED: [&str; 21] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_QUARANTINE_PATH",
    "GIT_REFLOG_ACTION",
    "GIT_TRACE",
    "GIT_REF_PARANOIA",
];
/// Pairs of `GIT_CONFIG_KEY_<n>` that are cleared at most.
const MAX_PAIRS: usize = 256;
const MAX_STDERR: u64 = 64 * 1024;
/// 100,000 refs of the longest names that occur.
const MAX_STDOUT: u64 = 64 << 20;

impl Repo {
    /// The git program without the caller's repository variables, as a user
    /// in the right directory would run it: hooks and settings are in force.
    pub(super) fn git_program(&self) -> Result<Command, GitError> {
        let program = match self.git.get() {
            Some(program) => program,
            None => {
                let found = find_git(&self.env)?;
                self.git.get_or_init(|| found)
            }
        };
        let mut command = Command::new(program);
        for name in CLEARED {
            command.env_remove(name);
        }
        let pairs =
            self.env.var("GIT_CONFIG_COUNT").and_then(|count| count.parse::<usize>().ok()).unwrap_or(0);
        for number in 0..pairs.min(MAX_PAIRS) {
            command.env_remove(format!("GIT_CONFIG_KEY_{number}"));
            command.env_remove(format!("GIT_CONFIG_VALUE_{number}"));
        }
        // Objects and history as they are, not as somebody here shows them.
        command.env("GIT_NO_REPLACE_OBJECTS", "1").env("GIT_GRAFT_FILE", self.state_dir.join("no-grafts"));
        command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0");
        Ok(command)
    }

    /// A git command on this repository, ready for its arguments.
    pub(super) fn git(&self, settings: &[&str]) -> Result<Command, GitError> {
        let mut command = self.git_program()?;
        command.env("GIT_NO_LAZY_FETCH", "1");
        command.arg("--git-dir").arg(&self.common_dir);
        let always = [
            "core.hooksPath=/dev/null",
            // Hooks that the configuration names are in no folder.
            "hook.reference-transaction.enabled=false",
            "hook.post-index-change.enabled=false",
            "core.fsmonitor=false",
            "core.logAllRefUpdates=false",
        ];
        for setting in always.iter().chain(settings) {
            command.arg("-c").arg(setting);
        }
        command.current_dir(&self.common_dir);
        Ok(command)
    }

    /// Runs a git command that only reads, and returns what it printed.
    pub(super) fn git_output(&self, args: &[&str]) -> Result<Vec<u8>, GitError> {
        let mut command = self.git(&[])?;
        command.args(args);
        output(command, args.first().copied().unwrap_or_default())
    }
}

/// Runs a git command without input, and returns what it printed.
pub(super) fn output(command: Command, what: &str) -> Result<Vec<u8>, GitError> {
    let (status, out, stderr) = Running::start(command, what)?.exchange(b"")?;
    if status.success() { Ok(out) } else { Err(failed(what, status, &stderr)) }
}

/// A git process with all three pipes.
pub(super) struct Running {
    what: String,
    child: Child,
    pub(super) stdin: Option<ChildStdin>,
    pub(super) stdout: ChildStdout,
    /// Drained by a thread of its own: a pipe that fills up would stop git.
    stderr: Option<JoinHandle<Vec<u8>>>,
}

impl Running {
    pub(super) fn start(mut command: Command, what: &str) -> Result<Self, GitError> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let broken =
            |status: String| GitError::Command { what: what.to_owned(), status, stderr: String::new() };
        let mut child = command.spawn().map_err(|err| broken(format!("could not be started: {err}")))?;
        match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (stdin, Some(stdout), Some(stderr)) => {
                let stderr = Some(std::thread::spawn(move || drain(stderr)));
                Ok(Self { what: what.to_owned(), child, stdin, stdout, stderr })
            }
            _ => Err(broken("has no pipes".to_owned())),
        }
    }

    /// Hands the process input. That it ended before reading it all is no
    /// error here: its status tells why.
    pub(super) fn send(&mut self, input: &[u8]) -> Result<(), GitError> {
        let Some(stdin) = &mut self.stdin else { return Ok(()) };
        match stdin.write_all(input).and_then(|()| stdin.flush()) {
            Err(err) if err.kind() != io::ErrorKind::BrokenPipe => Err(self.broken(err)),
            _ => Ok(()),
        }
    }

    /// Hands the process all of its input while its output is read within
    /// bounds, and waits for the end. One after the other would stop both as
    /// soon as either pipe is full.
    pub(super) fn exchange(mut self, input: &[u8]) -> Result<(ExitStatus, Vec<u8>, String), GitError> {
        let stdin = self.stdin.take();
        let stdout = &mut self.stdout;
        let mut out = Vec::new();
        let (sent, read) = std::thread::scope(|scope| {
            let sender = (!input.is_empty())
                .then(|| scope.spawn(move || stdin.map_or(Ok(()), |mut stdin| stdin.write_all(input))));
            let read = stdout.by_ref().take(MAX_STDOUT + 1).read_to_end(&mut out);
            // What is too much is dropped, and must not stop the input.
            let read = read.and_then(|_| io::copy(stdout, &mut io::sink()));
            (sender.and_then(|sender| sender.join().ok()).unwrap_or(Ok(())), read)
        });
        match (sent, read) {
            // It ended before it read all: its status tells why.
            (Err(err), _) if err.kind() != io::ErrorKind::BrokenPipe => return Err(self.broken(err)),
            (_, Err(err)) => return Err(self.broken(err)),
            _ => {}
        }
        if out.len() as u64 > MAX_STDOUT {
            return Err(self.broken(io::Error::other("printed more than we read")));
        }
        let (status, stderr) = self.finish()?;
        Ok((status, out, stderr))
    }

    /// Closes the input and waits for the end.
    pub(super) fn finish(mut self) -> Result<(ExitStatus, String), GitError> {
        drop(self.stdin.take());
        let stderr = self.stderr.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let status = self.child.wait();
        let status = status.map_err(|err| self.broken(err))?;
        Ok((status, escape::clipped(String::from_utf8_lossy(&stderr).trim(), 2_000)))
    }

    fn broken(&self, err: io::Error) -> GitError {
        GitError::Command {
            what: self.what.clone(),
            status: format!("broke off: {err}"),
            stderr: String::new(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Without its commit line a transaction ends undone; reap the process.
        drop(self.stdin.take());
        let _ = io::copy(&mut self.stdout, &mut io::sink());
        let _ = self.child.wait();
    }
}

/// The beginning of what git says; the rest is read and dropped.
fn drain(mut stderr: ChildStderr) -> Vec<u8> {
    let mut text = Vec::new();
    let read = stderr.by_ref().take(MAX_STDERR).read_to_end(&mut text);
    let _ = read.and_then(|_| io::copy(&mut stderr, &mut io::sink()));
    text
}

pub(super) fn failed(what: &str, status: ExitStatus, stderr: &str) -> GitError {
    let status = match status.code() {
        Some(code) => format!("ended with {code}"),
        None => "was killed".to_owned(),
    };
    GitError::Command { what: what.to_owned(), status, stderr: stderr.to_owned() }
}

/// Lets children inherit `file` until dropped.
///
/// A lock that a child inherits stays taken until the child ends, even when
/// we are killed: nobody else moves refs while an orphaned git still may.
pub(super) struct Inherited<'a>(#[allow(dead_code)] &'a File);

impl<'a> Inherited<'a> {
    #[cfg(unix)]
    pub(super) fn new(file: &'a File) -> io::Result<Self> {
        rustix::io::fcntl_setfd(file, rustix::io::FdFlags::empty())?;
        Ok(Self(file))
    }

    #[cfg(not(unix))]
    pub(super) fn new(file: &'a File) -> io::Result<Self> {
        Ok(Self(file))
    }
}

#[cfg(unix)]
impl Drop for Inherited<'_> {
    fn drop(&mut self) {
        let _ = rustix::io::fcntl_setfd(self.0, rustix::io::FdFlags::CLOEXEC);
    }
}

/// Whether git itself would work in `dir`, with the environment as it is.
pub(super) fn git_accepts(dir: &Path, env: &Env) -> bool {
    let Ok(program) = find_git(env) else { return false };
    let mut command = Command::new(program);
    command.args(["rev-parse", "--git-dir"]).current_dir(dir);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What `git version` says.
pub(super) fn version_text(env: &Env) -> Result<String, GitError> {
    let mut command = Command::new(find_git(env)?);
    command.arg("version");
    Ok(String::from_utf8_lossy(&output(command, "version")?).into_owned())
}

pub(super) fn find_git(env: &Env) -> Result<PathBuf, GitError> {
    let path = env.path_var("PATH").ok_or(GitError::NoGit)?;
    let name = if cfg!(windows) { "git.exe" } else { "git" };
    std::env::split_paths(&path)
        // A relative entry would run whatever lies in the repository.
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(name))
        .find(|program| is_executable(program))
        .ok_or(GitError::NoGit)
}

#[cfg(unix)]
fn is_executable(program: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(program).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(program: &Path) -> bool {
    program.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Fixture;

    #[test]
    #[cfg(unix)]
    fn a_child_keeps_the_lock_that_it_inherited() {
        let fixture = Fixture::new();
        let repo = fixture.open();
        let store = repo.lock_store().unwrap();
        let inherited = Inherited::new(&store.file).unwrap();
        let mut child = Command::new("sleep").arg("1").spawn().unwrap();
        drop(inherited);
        drop(store);
        let started = repo.env.instant();
        drop(repo.lock_store().unwrap());
        assert!(started.elapsed().as_millis() > 500);
        child.wait().unwrap();
    }

    /// Both are more than a pipe holds.
    #[test]
    fn input_and_output_are_of_any_length() {
        let (done, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let input = vec![b'x'; 4 << 20];
            let (status, out, _) =
                Running::start(Command::new("cat"), "cat").unwrap().exchange(&input).unwrap();
            let _ = done.send(status.success() && out == input);
        });
        assert_eq!(
            ended.recv_timeout(std::time::Duration::from_secs(60)),
            Ok(true),
            "they wait for each other"
        );
        let ended = Running::start(Command::new("true"), "true").unwrap().exchange(&vec![b'x'; 1 << 20]);
        assert!(ended.unwrap().0.success(), "that it read nothing is no error");
    }

    #[test]
    fn what_git_says_is_reported_escaped() {
        let fixture = Fixture::new();
        let err = fixture.open().git_output(&["for-each-ref", "--sort=\u{1b}[31mred"]).unwrap_err();
        let text = err.to_string();
        assert!(text.contains("ended with") && !text.contains('\u{1b}'), "{text}");
    }
}

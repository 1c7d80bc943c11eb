//! System calls that fail, or kill whoever makes them, by `strace`.
//!
//! Every point is hit by its ordinal, so that nothing is left to luck: the
//! calls of one run are counted, then the same run is repeated from the same
//! state once for each of them.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;

use super::{Run, Sandbox, program, split};

/// One system call of a run: the `nth` of its name.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) nth: usize,
    /// Its line in the trace.
    pub(crate) text: String,
}

impl Call {
    /// Whether it makes a hard link.
    pub(crate) fn is_link(&self) -> bool {
        matches!(self.name.as_str(), "link" | "linkat")
    }

    /// Whether the call may change what is stored, or make it durable.
    pub(crate) fn is_write(&self) -> bool {
        match self.name.as_str() {
            "openat" => ["O_CREAT", "O_WRONLY", "O_RDWR"].iter().any(|flag| self.text.contains(flag)),
            // Not what is said to the caller.
            "write" => !["write(1,", "write(2,"].iter().any(|start| self.text.starts_with(start)),
            name => {
                ["pwrite64", "link", "linkat", "symlink", "rename", "renameat", "renameat2", "mkdir"]
                    .contains(&name)
                    || ["mkdirat", "fsync", "fdatasync", "unlink", "unlinkat", "ftruncate", "flock", "rmdir"]
                        .contains(&name)
            }
        }
    }
}

/// At most about `small` of `calls`, evenly; all of them in a full run.
pub(crate) fn sample(calls: Vec<Call>, small: usize) -> Vec<Call> {
    if super::is_full() {
        return calls;
    }
    let step = calls.len().div_ceil(small).max(1);
    calls.into_iter().step_by(step).collect()
}

/// A repository whose stored state can be taken back, again and again, to
/// what it was when the scene was set.
pub(crate) struct Scene {
    pub(crate) sandbox: Sandbox,
    saved: TempDir,
    has_links: bool,
}

/// What a file system without hard links says to whoever asks for one.
const NO_LINKS: &str = "inject=link,linkat:error=EPERM";

impl Scene {
    pub(crate) fn new(sandbox: Sandbox) -> Self {
        let saved = tempfile::tempdir().unwrap();
        copy_into(&sandbox.repo().join(".git"), saved.path());
        Self { sandbox, saved, has_links: true }
    }

    /// Whether hard links can be made.
    pub(crate) fn has_links(&self) -> bool {
        self.has_links
    }

    /// As if the repository were on a file system without hard links.
    pub(crate) fn without_links(self) -> Self {
        Self { has_links: false, ..self }
    }

    /// Takes the stored state back. The directory itself stays, so that the
    /// clone keeps its identity.
    pub(crate) fn reset(&self) {
        let git = self.git_dir();
        for entry in fs::read_dir(&git).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
        copy_into(self.saved.path(), &git);
    }

    pub(crate) fn git_dir(&self) -> PathBuf {
        self.sandbox.repo().join(".git")
    }

    /// Runs the program as `agent`.
    pub(crate) fn run(&self, agent: &str, words: &str) -> Run {
        if self.has_links {
            return self.sandbox.as_agent(agent, words);
        }
        Run::of(&self.strace(agent, &["-e", "trace=link,linkat"], words).output().unwrap(), words)
    }

    fn trace_file(&self) -> PathBuf {
        self.sandbox.root().join("trace")
    }

    fn strace(&self, agent: &str, options: &[&str], words: &str) -> Command {
        let mut command = self.sandbox.bare_command("strace", self.sandbox.repo());
        command.arg("-o").arg(self.trace_file()).args(options);
        if !self.has_links {
            command.args(["-e", NO_LINKS]);
        }
        command.arg(program()).args(split(words));
        command.env("GIT_COMM_AGENT", agent);
        command
    }

    /// The calls that the run makes itself, in order. The state is taken back
    /// before and after.
    pub(crate) fn calls(&self, agent: &str, words: &str) -> Vec<Call> {
        self.reset();
        let output = self.strace(agent, &[], words).output().unwrap();
        Run::of(&output, words).succeeds().stdout.clear();
        self.reset();
        parse(&fs::read_to_string(self.trace_file()).unwrap())
    }

    /// Runs from the saved state and kills the program as it enters `call`.
    pub(crate) fn kill_at(&self, agent: &str, words: &str, call: &Call) -> Killed {
        self.reset();
        let (trace, inject) = options(call, "signal=KILL", false);
        let output = self.strace(agent, &["-e", &trace, "-e", &inject], words).output().unwrap();
        let what = format!("{words} killed at {} {}: {}", call.name, call.nth, call.text);
        Killed { was_killed: output.status.signal() == Some(9), run: Run::of(&output, &what), what }
    }

    /// Runs from the saved state with `call`, and where `onward` is set all
    /// later ones of its name, failing with `errno`. Says whether any did.
    pub(crate) fn fail_at(
        &self,
        agent: &str,
        words: &str,
        call: &Call,
        errno: &str,
        onward: bool,
    ) -> (Run, bool) {
        self.reset();
        let (trace, inject) = options(call, &format!("error={errno}"), onward);
        let output = self.strace(agent, &["-e", &trace, "-e", &inject], words).output().unwrap();
        let was_hit = fs::read_to_string(self.trace_file()).unwrap().contains("INJECTED");
        let tail = if onward { "and later ones" } else { "" };
        let what = format!("{words} with {errno} at {} {} {tail}: {}", call.name, call.nth, call.text);
        (Run::of(&output, &what), was_hit)
    }

    /// A folder with a `git` that hands over to the real one, its
    /// `update-ref` killed as it enters `call`; the trace of every
    /// `update-ref` without one.
    pub(crate) fn git_that_dies(&self, call: Option<&Call>) -> PathBuf {
        let real = which("git");
        let options = match call {
            None => String::new(),
            Some(call) => {
                let (trace, inject) = options(call, "signal=KILL", false);
                format!("-e {trace} -e {inject}")
            }
        };
        let dir = self.sandbox.root().join("bin");
        fs::create_dir_all(&dir).unwrap();
        let (trace, real) = (self.trace_file().display().to_string(), real.display().to_string());
        let script = format!(
            "#!/bin/sh\ncase \" $* \" in *' update-ref '*) exec strace -o '{trace}' {options} '{real}' \"$@\";; esac\nexec '{real}' \"$@\"\n"
        );
        let path = dir.join("git");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        dir
    }

    /// The calls of the last traced `update-ref`.
    pub(crate) fn traced_calls(&self) -> Vec<Call> {
        parse(&fs::read_to_string(self.trace_file()).unwrap())
    }

    /// Runs the program as `agent`, with the programs in `bin` before others.
    pub(crate) fn run_with(&self, bin: &Path, agent: &str, words: &str) -> Run {
        let mut path = std::ffi::OsString::from(bin);
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = self.sandbox.agent_command(agent);
        Run::of(&command.env("PATH", path).args(split(words)).output().unwrap(), words)
    }

    /// How many versions of records have `subject` in theirs, as plain git tells it. A
    /// record that git cannot read fails the test.
    #[track_caller]
    pub(crate) fn versions(&self, subject: &str) -> usize {
        let log = self.sandbox.git("log --format=%s --glob=refs/comm-node/*").succeeds().stdout;
        log.lines().filter(|line| line.contains(subject)).count()
    }

    /// git finds nothing wrong with the repository.
    #[track_caller]
    pub(crate) fn is_sound(&self, what: &str) {
        let run = self.sandbox.git("fsck --strict --no-dangling");
        assert_eq!(run.code, 0, "{what}: git fsck: {}{}", run.stdout, run.stderr);
    }

    /// The locks on refs that are there. Those on single tables of a reftable
    /// do not count: git leaves them when it is killed, and packs around them.
    pub(crate) fn locks(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        walk(&self.git_dir(), &mut |path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.ends_with(".lock") && !name.ends_with(".ref.lock") {
                found.push(path.to_owned());
            }
        });
        found
    }
}

/// How long a command may take after a kill, in seconds: the oldest lock that
/// it may have to wait for, and itself.
const PATIENCE: f64 = 11.0;

impl Scene {
    /// A command went on in time, as this machine is now: where other work
    /// slows every command down, it may slow this one.
    #[track_caller]
    pub(crate) fn went_on_in_time(&self, seconds: f64, what: &str) {
        if seconds < PATIENCE {
            return;
        }
        let (_, usual) = timed(|| self.run("bob", "agent heartbeat"));
        assert!(seconds < PATIENCE + 20.0 * usual, "{what} took {seconds:.1} s; {usual:.2} s is usual now");
    }
}

/// How a run ended that was to be killed.
pub(crate) struct Killed {
    /// Whether it came to the call at all.
    pub(crate) was_killed: bool,
    /// What it had said by then.
    pub(crate) run: Run,
    pub(crate) what: String,
}

/// Runs `act` and says how many seconds it took.
pub(crate) fn timed<T>(act: impl FnOnce() -> T) -> (T, f64) {
    let started = Instant::now();
    let result = act();
    (result, started.elapsed().as_secs_f64())
}

fn options(call: &Call, fault: &str, onward: bool) -> (String, String) {
    let plus = if onward { "+" } else { "" };
    (
        format!("trace={},/^link(at)?$", call.name),
        format!("inject={}:{fault}:when={}{plus}", call.name, call.nth),
    )
}

fn parse(trace: &str) -> Vec<Call> {
    let mut seen = std::collections::HashMap::<&str, usize>::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let Some((name, _)) = line.split_once('(') else { continue };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            continue;
        }
        let nth = seen.entry(name).or_default();
        *nth += 1;
        calls.push(Call { name: name.to_owned(), nth: *nth, text: line.chars().take(160).collect() });
    }
    calls
}

pub(crate) fn which(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|p| p.is_file()).unwrap()
}

/// Calls `act` for each file below `dir`; what vanishes meanwhile is passed
/// over.
pub(crate) fn walk(dir: &Path, act: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&entry.path(), act);
        } else {
            act(&entry.path());
        }
    }
}

/// Copies what is in `from` into `to`, which exists.
fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_into(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

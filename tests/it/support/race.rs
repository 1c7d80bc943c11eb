//! Processes that meet: started at one instant, held back until all have
//! read, or stopped between their read and their swap.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::PipeWriter;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use super::{Run, Sandbox};

/// Nothing here takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `is_so` holds; a hang is a failure that says what for.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Programs that are started, each blocked on one pipe in front of its first
/// instruction.
pub(crate) struct Racers {
    children: Vec<Child>,
    barrier: PipeWriter,
}

impl Racers {
    /// Starts a process for each command.
    pub(crate) fn line_up(commands: impl IntoIterator<Item = Command>) -> Self {
        let (reader, barrier) = std::io::pipe().unwrap();
        let start = |command: Command| {
            let mut shell = Command::new("sh");
            shell.args(["-c", "read _; exec \"$0\" \"$@\" </dev/null"]).arg(command.get_program());
            shell.args(command.get_args()).env_clear().stdin(reader.try_clone().unwrap());
            shell.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
            shell.current_dir(command.get_current_dir().unwrap());
            shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        Self { children: commands.into_iter().map(start).collect(), barrier }
    }

    /// Lets them go, without waiting for them.
    pub(crate) fn go(self) -> Running {
        drop(self.barrier);
        Running(self.children)
    }
}

/// Programs that run.
pub(crate) struct Running(Vec<Child>);

impl Running {
    /// How each of them ended, in the order of the commands.
    pub(crate) fn finish(self) -> Vec<Run> {
        let ended = self.0.into_iter().enumerate().map(|(number, child)| {
            let run = Run::of(&child.wait_with_output().unwrap(), &format!("racer {number}"));
            assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
            run
        });
        ended.collect()
    }
}

/// Runs all commands at once.
pub(crate) fn race(commands: impl IntoIterator<Item = Command>) -> Vec<Run> {
    Racers::line_up(commands).go().finish()
}

/// Runs all commands so that each has read the board and written its version
/// before the first of them can swap.
pub(crate) fn race_gated(sandbox: &Sandbox, commands: Vec<Command>) -> Vec<Run> {
    let gate = Gate::close(sandbox);
    let count = commands.len();
    let running = Racers::line_up(commands).go();
    gate.wait_for_versions(count);
    gate.open();
    running.finish()
}

/// The store-wide lock, held by the test: the program reads and writes
/// objects, but swaps nothing.
pub(crate) struct Gate {
    lock: File,
    kept: PathBuf,
    before: BTreeSet<String>,
}

impl Gate {
    pub(crate) fn close(sandbox: &Sandbox) -> Self {
        let state = sandbox.common_dir().join("comm-node");
        let lock = File::options().write(true).open(state.join("lock")).unwrap();
        lock.lock().unwrap();
        let kept = state.join("keep");
        let before = versions(&kept);
        Self { lock, kept, before }
    }

    /// Waits until `count` versions were written since the gate was closed:
    /// whoever wrote one has read all that it decides by.
    #[track_caller]
    pub(crate) fn wait_for_versions(&self, count: usize) {
        wait_until("versions behind the gate", || self.written().len() >= count);
    }

    /// The versions that were written since the gate was closed.
    fn written(&self) -> Vec<String> {
        versions(&self.kept).difference(&self.before).cloned().collect()
    }

    pub(crate) fn open(self) {
        self.lock.unlock().unwrap();
    }
}

/// Objects that the program wrote and still keeps, without the empty tree.
fn versions(kept: &Path) -> BTreeSet<String> {
    let entries = |dir: &Path| std::fs::read_dir(dir).into_iter().flatten().flatten();
    let names = entries(kept).flat_map(|bucket| {
        entries(&bucket.path()).map(|entry| entry.file_name().into_string().unwrap()).collect::<Vec<_>>()
    });
    let trees = ["4b825dc642cb6eb9a060e54bf8d69288fbee4904", "6ef19b41225c5369f1c104d45d8d85efa9b057b5"];
    names.filter(|name| !name.contains('.') && !trees.iter().any(|tree| name.starts_with(tree))).collect()
}

/// A program that was stopped after it read the board and wrote its version,
/// and before it could take the lock to swap it.
#[must_use]
pub(crate) struct Halted {
    /// The version that it wrote.
    pub(crate) version: String,
    child: Option<Child>,
    what: String,
}

impl Halted {
    #[track_caller]
    pub(crate) fn before_swap(sandbox: &Sandbox, mut command: Command) -> Self {
        let gate = Gate::close(sandbox);
        let what = format!("halted {:?}", command.get_args().collect::<Vec<_>>());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait_until("a version before the swap", || {
            assert!(child.try_wait().unwrap().is_none(), "{what}: it ended without writing");
            gate.written().first().is_some_and(|version| sandbox.has_loose(version))
        });
        kill_process(pid_of(&child), Signal::STOP).unwrap();
        let (_, status) = waitpid(Some(pid_of(&child)), WaitOptions::UNTRACED).unwrap().unwrap();
        assert!(status.stopped(), "{what}: it ended");
        let version = gate.written().remove(0);
        gate.open();
        Self { version, child: Some(child), what }
    }

    /// Lets it go on, and waits for its end.
    pub(crate) fn go_on(mut self) -> Run {
        let child = self.child.take().unwrap();
        kill_process(pid_of(&child), Signal::CONT).unwrap();
        Run::of(&child.wait_with_output().unwrap(), &self.what)
    }
}

impl Drop for Halted {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The process of a child that was not waited for.
pub(crate) fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap()
}

/// Runs git with these arguments in a loop for as long as `body` runs.
pub(crate) fn beside<T>(sandbox: &Sandbox, git: &[&str], body: impl FnOnce() -> T) -> T {
    struct Stop<'a>(&'a AtomicBool);
    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let (done, ran) = (AtomicBool::new(false), AtomicUsize::new(0));
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let mut command = sandbox.bare_command("git", sandbox.repo());
                let status = command.args(git).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
                ran.fetch_add(usize::from(status.success()), Ordering::Relaxed);
            }
        });
        // Also when `body` panics: the scope waits for the loop.
        let _stop = Stop(&done);
        body()
    });
    assert!(ran.into_inner() > 0, "`git {}` never succeeded", git.join(" "));
    result
}

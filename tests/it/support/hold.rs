//! A program held at one system call: strace delays it by far longer than
//! any test takes, and is killed to let it happen.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::race::wait_until;
use super::{Run, Sandbox, has_tool};

/// A program that is about to enter a system call.
#[must_use]
pub(crate) struct Held {
    child: Option<Child>,
    log: PathBuf,
    what: String,
}

impl Held {
    /// Starts `command` and waits until it is about to enter one of `calls`
    /// (as strace names them, by commas) with one of `paths`. None where there
    /// is no strace.
    #[track_caller]
    pub(crate) fn at(sandbox: &Sandbox, calls: &str, paths: &[&str], command: &Command) -> Option<Self> {
        if !has_tool("strace", &["-D", "true"]) {
            return None;
        }
        let log = tempfile::Builder::new().prefix("strace").tempfile_in(sandbox.root()).unwrap();
        let log = log.into_temp_path().keep().unwrap();
        let mut strace = Command::new("strace");
        // With -D the program is our child, and strace somebody else's.
        strace.args(["-D", "-qq", "-o"]).arg(&log);
        for path in paths {
            strace.args(["-P", path]);
        }
        strace.arg("-e").arg(format!("trace={calls}"));
        strace.arg("-e").arg(format!("inject={calls}:delay_enter=600000000:when=1"));
        strace.arg(command.get_program()).args(command.get_args()).env_clear();
        strace.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
        strace.current_dir(command.get_current_dir().unwrap()).stdin(Stdio::null());
        let child = strace.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let what = format!("held {:?}", command.get_args().collect::<Vec<_>>());
        let mut held = Self { child: Some(child), log, what };
        wait_until(&format!("{} at {calls} of {paths:?}", held.what), || {
            let ended = held.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "{}: it ended without {calls} of {paths:?}", held.what);
            std::fs::metadata(&held.log).is_ok_and(|meta| meta.len() > 0)
        });
        Some(held)
    }

    /// Lets it go on, and waits for its end.
    #[track_caller]
    pub(crate) fn go_on(mut self) -> Run {
        let child = self.child.take().unwrap();
        release(&child);
        Run::of(&child.wait_with_output().unwrap(), &self.what)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            release(child);
            let _ = child.wait();
        }
    }
}

/// Kills the tracer, whereupon the kernel lets the program go on.
fn release(child: &Child) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    let status = status.unwrap_or_default();
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:")?.trim().parse().ok());
    if let Some(tracer) = tracer.and_then(Pid::from_raw) {
        let _ = kill_process(tracer, Signal::KILL);
    }
}

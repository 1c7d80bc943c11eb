//! Runs this program's own binary as separate processes.
//!
//! What several agents do to one repository is only shown, and only tested,
//! by several processes: within one, a lock, a cache or an open file could
//! make a broken exclusion look right. Knows neither verbs nor records.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::env::Env;

/// This program's binary, and the variables that its processes get.
#[derive(Clone, Debug)]
pub struct Own {
    program: PathBuf,
    vars: Option<BTreeMap<OsString, OsString>>,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; none if it was killed.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said on standard error.
    pub stderr: String,
}

impl Own {
    /// Processes that get these variables and no others.
    pub fn with_vars(env: &Env, vars: BTreeMap<OsString, OsString>) -> io::Result<Self> {
        Ok(Self { program: env.program()?, vars: Some(vars) })
    }

    /// Processes that get the variables of this one.
    pub fn inheriting(env: &Env) -> io::Result<Self> {
        Ok(Self { program: env.program()?, vars: None })
    }

    /// Starts a process in `dir`, with `more` variables.
    pub fn start(&self, dir: &Path, more: &[(&str, &str)], args: &[&str]) -> io::Result<Running> {
        let mut command = Command::new(&self.program);
        if let Some(vars) = &self.vars {
            command.env_clear().envs(vars);
        }
        command.args(args).current_dir(dir).envs(more.iter().copied());
        // Its input stays open until we end, so that a process that waits
        // for the end of it ends with us.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("the process has no output"))?;
        Ok(Running { child, stdout: BufReader::new(stdout) })
    }

    /// Runs a process to its end.
    pub fn run(&self, dir: &Path, more: &[(&str, &str)], args: &[&str]) -> io::Result<Ended> {
        self.start(dir, more, args)?.finish()
    }
}

/// A process that was started; dropping it kills it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    /// Its id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Hands it input. That it ended before reading it all is no error here:
    /// its exit code tells why.
    pub fn send(&mut self, input: &str) -> io::Result<()> {
        let Some(stdin) = &mut self.child.stdin else { return Ok(()) };
        match stdin.write_all(input.as_bytes()).and_then(|()| stdin.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    /// Waits for the next line that it prints, without its line feed. None
    /// once it printed its last.
    pub fn next_line(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line)?;
        Ok((read > 0).then(|| line.trim_end_matches('\n').to_owned()))
    }

    /// Closes its input and waits for its end.
    pub fn finish(mut self) -> io::Result<Ended> {
        drop(self.child.stdin.take());
        let stderr = self.child.stderr.take();
        // Both are read at once: a pipe that fills up would stop the process.
        let said = std::thread::spawn(move || {
            let mut text = Vec::new();
            stderr.map_or(Ok(0), |mut stderr| stderr.read_to_end(&mut text)).map(|_| text)
        });
        let mut printed = Vec::new();
        self.stdout.read_to_end(&mut printed)?;
        let said = said.join().map_err(|_| io::Error::other("its errors could not be read"))??;
        let status = self.child.wait()?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Ended { code: status.code(), stdout: text(printed), stderr: text(said) })
    }

    /// Ends it the hard way (SIGKILL on Unix): nothing of it runs any more.
    pub fn kill(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(|_| ())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

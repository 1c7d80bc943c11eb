//! Nobody reads the answer, or it cannot be written.

use std::fs::File;
use std::process::{Command, Stdio};

use crate::support::faults::walk;
use crate::support::{Run, Sandbox, split};

fn board() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.add("'a first task'");
    sandbox.as_agent("bob", "msg send --to ada 'read me'").succeeds();
    sandbox
}

/// Where the answer goes.
#[derive(Clone, Copy, Debug)]
enum Sink {
    /// A pipe whose reader is gone.
    Closed,
    /// `/dev/full`.
    Full,
    /// `>&-`.
    Missing,
    /// `/dev/null`.
    Null,
}

fn run_into(sandbox: &Sandbox, sink: Sink, words: &str) -> Run {
    let command = |program: &str| {
        let mut command = sandbox.bare_command(program, sandbox.repo());
        command.env("GIT_COMM_AGENT", "ada").stderr(Stdio::piped());
        command
    };
    let program = crate::support::program();
    let with = |mut command: Command, stdout: Stdio| {
        let child = command.args(split(words)).stdout(stdout).spawn().unwrap();
        child.wait_with_output().unwrap()
    };
    let direct = || command(program.to_str().unwrap());
    let output = match sink {
        Sink::Closed => {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            with(direct(), writer.into())
        }
        Sink::Full => with(direct(), File::options().write(true).open("/dev/full").unwrap().into()),
        Sink::Null => with(direct(), Stdio::null()),
        Sink::Missing => {
            let mut shell = command("sh");
            shell.args(["-c", "exec \"$0\" \"$@\" >&-"]).arg(&program);
            with(shell, Stdio::null())
        }
    };
    Run::of(&output, &format!("{words} into {sink:?}"))
}

const EVERY_SINK: [Sink; 4] = [Sink::Closed, Sink::Full, Sink::Missing, Sink::Null];

#[test]
fn an_answer_that_nobody_reads_is_no_panic() {
    let words = [
        "--version",
        "--help",
        "help claim",
        "claim -h",
        "list",
        "list --json",
        "ready",
        "show bd-1",
        "status",
        "log",
        "whoami",
        "setup completions bash",
        "setup man --stdout",
        "claim bd-1",
        "show bd-99",
        "show bd-99 --json",
    ];
    for words in words {
        for sink in EVERY_SINK {
            let sandbox = board();
            let run = run_into(&sandbox, sink, words);
            assert!(!run.stderr.contains("panicked"), "{words} {sink:?}: {}", run.stderr);
            let expected = match sink {
                _ if words.contains("bd-99") => 4,
                Sink::Full => 6,
                _ => 0,
            };
            assert_eq!(run.code, expected, "{words} {sink:?}: {}", run.stderr);
            if run.code == 6 {
                assert!(
                    run.stderr.starts_with("error: ") && run.stderr.contains("\n\nhint: "),
                    "{}",
                    run.stderr
                );
            }
            walk(&sandbox.repo().join(".git/refs"), &mut |path| {
                assert!(path.extension().is_none_or(|e| e != "lock"), "{path:?}");
            });
        }
    }
}

/// What was asked is done although the answer is lost, and the retry says so.
#[test]
fn a_claim_whose_answer_is_lost_holds() {
    for sink in EVERY_SINK {
        let sandbox = board();
        run_into(&sandbox, sink, "claim bd-1");
        let again = sandbox.as_agent("ada", "claim bd-1 --json").succeeds().json();
        assert_eq!(again["granted"], false, "{sink:?}");
    }
}

#[test]
fn messages_that_nobody_saw_stay_unread() {
    for sink in EVERY_SINK {
        for words in ["inbox", "inbox --json"] {
            let sandbox = board();
            let run = run_into(&sandbox, sink, words);
            assert!(!run.stderr.contains("panicked"), "{words} {sink:?}: {}", run.stderr);
            let expected = if matches!(sink, Sink::Full) { 6 } else { 0 };
            assert_eq!(run.code, expected, "{words} {sink:?}: {}", run.stderr);
            let shown = sandbox.as_agent("ada", "inbox").succeeds().stdout;
            assert!(shown.contains("read me"), "{words} {sink:?}: {shown}");
            let shown = sandbox.as_agent("ada", "inbox").succeeds().stdout;
            assert!(!shown.contains("read me"), "{words} {sink:?}: {shown}");
        }
    }
}

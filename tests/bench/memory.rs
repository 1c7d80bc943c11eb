//! The most memory that any verb takes.

use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};

use crate::measure::Effort;
use crate::report::{Bound, Row};
use crate::support::{Sandbox, program, split};

/// Verbs that look at everything, and those that agents use most; what these
/// change at the end disturbs no later row.
const VERBS: [&str; 20] = [
    "prime",
    "doctor",
    "status",
    "whoami",
    "list -n 0",
    "list -n 0 --json",
    "ready -n 0",
    "ready -n 0 --json",
    "show bd-500",
    "search parser",
    "dep tree bd-500",
    "dep shape",
    "log -n 0",
    "log -n 0 --json",
    "agent list",
    "inbox",
    "next",
    "comment bd-500 'Look at the lexer first'",
    "add 'One more part'",
    "close",
];

/// Thirty agents on one machine ask at once.
pub(crate) fn all(effort: &Effort) -> Vec<Row> {
    let board = effort.thousand();
    let peaks = VERBS.iter().map(|verb| (peak_of(board, &split(verb)), *verb));
    let (peak, verb) = peaks.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
    vec![Row {
        figure: format!("resident memory, 1,000 tasks: most is {verb}"),
        measured: format!("{peak:.1} MiB"),
        baseline: String::new(),
        value: peak,
        bound: Bound::Figure(30.0, " MiB"),
    }]
}

/// The most memory that a verb of ada's takes, in MiB.
pub(crate) fn peak_of(sandbox: &Sandbox, words: &[String]) -> f64 {
    let mut command = sandbox.bare_command(std::env::current_exe().unwrap(), sandbox.repo());
    command.env("GIT_COMM_AGENT", "ada").arg("--peak").arg(program()).args(words);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    let kib: u32 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    f64::from(kib) / 1024.0
}

/// Runs a command and prints its peak in KiB. In a process of its own,
/// because the system only tells the largest of all children.
pub(crate) fn print_peak_of(command: &[String]) {
    let (program, args) = command.split_first().unwrap();
    let status = Command::new(program).args(args).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss();
    println!("{}", if cfg!(target_os = "macos") { peak / 1024 } else { peak });
}

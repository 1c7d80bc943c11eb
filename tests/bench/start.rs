//! What it costs to start the program at all.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::measure::{Effort, compare};
use crate::report::Row;
use crate::support::program;

/// Every hook and every call of an agent pays this first.
pub(crate) fn version(effort: &Effort) -> Vec<Row> {
    let ours = |_| {
        let mut command = Command::new(program());
        command.arg("--version").stdin(Stdio::null());
        command
    };
    let answer = ours(0).output().unwrap();
    assert!(answer.stdout.starts_with(b"git-comm "), "{answer:?}");
    let nothing = ["/bin/true", "/usr/bin/true"].into_iter().find(|path| Path::new(path).exists()).unwrap();
    let compared = compare(
        effort.of(40),
        |c| c.cpu,
        ours,
        |_| {
            let mut command = Command::new(nothing);
            command.stdin(Stdio::null());
            command
        },
        |_| (),
    );
    vec![Row::of_times("git-comm --version / true, CPU", &compared, 2.5)]
}

//! What it costs to ask what is ready.

use crate::measure::{Effort, THOUSAND, compare};
use crate::report::Row;
use crate::support::split;

/// Every agent asks between any two tasks. git prints the same records
/// without looking at them.
pub(crate) fn ready(effort: &Effort) -> Vec<Row> {
    let board = effort.thousand();
    let answer = board.as_agent("ada", "ready --json").succeeds().json();
    assert_eq!(answer["total"], THOUSAND - THOUSAND / 4);
    let plain = "for-each-ref '--format=%(contents)' refs/comm-node";
    assert!(board.git(plain).succeeds().stdout.len() > THOUSAND * 500);
    let compared = compare(
        effort.of(15),
        |c| c.cpu,
        |_| {
            let mut command = board.agent_command("ada");
            command.arg("ready");
            command
        },
        |_| {
            let mut command = board.bare_command("git", board.repo());
            command.args(split(plain));
            command
        },
        |_| (),
    );
    vec![Row::of_times("ready, 1,000 packed tasks / for-each-ref, CPU", &compared, 1.5)]
}

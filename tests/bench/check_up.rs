//! What it costs to check the whole set-up.

use std::process::Stdio;

use crate::measure::{Effort, cost_of, median};
use crate::report::{Bound, Row};

/// The person who wonders, and each agent that is told to look.
pub(crate) fn doctor(effort: &Effort) -> Vec<Row> {
    let board = effort.thousand();
    let verdict = board.comm("doctor --json").succeeds().json();
    assert_eq!(verdict["red"], 0, "{verdict}");
    let records = verdict["checks"].to_string();
    assert!(records.contains("1000 tasks") || records.contains("1,000 tasks"), "{records}");
    let costs = (0..effort.of(10)).map(|_| {
        let mut command = board.command();
        command.arg("doctor").stdin(Stdio::null());
        cost_of(&mut command).cpu
    });
    let cpu = median(costs.collect());
    vec![Row {
        figure: "doctor, 1,000 tasks, CPU".to_owned(),
        measured: format!("{:.0} ms", cpu * 1e3),
        baseline: String::new(),
        value: cpu,
        bound: Bound::Figure(1.0, " s"),
    }]
}

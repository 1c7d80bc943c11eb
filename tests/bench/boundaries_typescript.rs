//! Whoever adopts boundaries waits once for a check of everything.

use std::process::Command;

use crate::measure::{Comparison, Effort, cost_of, median};
use crate::report::Row;
use crate::support::{Sandbox, program};

/// The sources of three packages, checked as a whole with nothing remembered.
pub(crate) fn cold(effort: &Effort) -> Vec<Row> {
    let sandbox = Sandbox::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/differential/typescript.py");
    let prepared = Command::new("python3").arg(script).arg("--prepare").arg(sandbox.root()).output().unwrap();
    assert!(prepared.status.success(), "{}", String::from_utf8_lossy(&prepared.stderr));
    let peer: Vec<String> = serde_json::from_slice(&prepared.stdout).unwrap();
    let repository = sandbox.root().join("repository");
    let ours = || {
        let mut command = sandbox.bare_command(program(), &repository);
        command.args(["boundary", "check"]);
        command
    };
    let theirs = || {
        let mut command = Command::new(&peer[0]);
        command.args(&peer[1..]).current_dir(&repository);
        command
    };
    let checked = String::from_utf8(ours().output().unwrap().stdout).unwrap();
    assert!(checked.contains(", 0 findings"), "{checked}");
    let cruised: serde_json::Value = serde_json::from_slice(&theirs().output().unwrap().stdout).unwrap();
    let modules = cruised["modules"].as_array().unwrap().len();
    let files: usize = checked.split_whitespace().next().unwrap().parse().unwrap();
    assert!(files > 500 && modules >= files, "{files} files, {modules} modules");

    assert!(repository.join(".git/comm-node/cache/imports").exists(), "what is kept lies elsewhere");
    let (mut all_ours, mut all_theirs) = (Vec::new(), Vec::new());
    for _ in 0..effort.of(5) {
        let cold = |_| {
            // Nothing is known yet.
            let _ = std::fs::remove_file(repository.join(".git/comm-node/cache/imports"));
            cost_of(&mut ours()).cpu
        };
        let cost: f64 = (0..5).map(cold).sum();
        all_ours.push(cost / 5.0);
        all_theirs.push(cost_of(&mut theirs()).cpu);
    }
    let (ours, baseline) = (median(all_ours), median(all_theirs));
    let compared = Comparison { ours, baseline, ratio: ours / baseline };
    vec![Row::of_times("boundary check, TypeScript / dependency-cruiser, CPU", &compared, 0.03)]
}

//! The figures that must hold, each against git doing the same in the same run.
//!
//! `cargo bench --bench figures` prints a row per figure; words after `--`
//! choose rows by their names, `--quick` measures less of each. Nothing here
//! fails because of a figure: machines differ and are noisy. What fails is a
//! command that did not do what is being timed.

// A measurement may stop at the first surprise, and lives in the real
// environment.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods
)]

#[cfg(unix)]
mod board;
#[cfg(unix)]
mod boundaries;
#[cfg(unix)]
mod boundaries_python;
#[cfg(unix)]
mod boundaries_rust;
#[cfg(unix)]
mod boundaries_typescript;
#[cfg(unix)]
mod check_up;
#[cfg(unix)]
mod claim;
#[cfg(unix)]
mod gates;
#[cfg(unix)]
mod list;
#[cfg(unix)]
mod measure;
#[cfg(unix)]
mod memory;
#[cfg(unix)]
mod report;
#[cfg(unix)]
mod start;
#[cfg(unix)]
#[path = "../it/support/mod.rs"]
mod support;
#[cfg(unix)]
mod tokens;
#[cfg(unix)]
mod writers;

#[cfg(unix)]
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(("--peak", command)) = args.split_first().map(|(a, rest)| (a.as_str(), rest)) {
        return memory::print_peak_of(command);
    }
    // Cargo passes --bench when it is benches that are run, and not when
    // `cargo test --all-targets` happens to build them.
    if !args.iter().any(|a| a == "--bench") {
        return println!("run with: cargo bench --bench figures");
    }
    let quick = args.iter().any(|a| a == "--quick");
    let words: Vec<&str> = args.iter().map(String::as_str).filter(|a| !a.starts_with('-')).collect();
    // Away from where the tests have just removed thousands of files: ext4
    // passes over inodes that were freed in the last minutes one by one, at
    // several times the cost of making a file.
    let _ = tempfile::env::override_temp_dir(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")));
    let effort = measure::Effort::new(quick);
    report::print_machine();
    for (name, measure) in ROWS {
        if words.is_empty() || words.iter().any(|word| name.contains(word)) {
            report::print_rows(&measure(&effort));
        }
    }
}

#[cfg(unix)]
type Measure = fn(&measure::Effort) -> Vec<report::Row>;

/// Rows by the names that choose them.
#[cfg(unix)]
const ROWS: &[(&str, Measure)] = &[
    ("version", start::version),
    ("claim", claim::process),
    ("claim-heartbeat", claim::process_with_heartbeat),
    ("claim-power", claim::power),
    ("writers", writers::all),
    ("pre-commit", gates::pre_commit),
    ("pre-edit", gates::pre_edit),
    ("boundary-warm", boundaries::warm),
    ("boundary-commit", boundaries::pre_commit),
    ("boundary-python", boundaries_python::cold),
    ("boundary-rust", boundaries_rust::cold),
    ("boundary-typescript", boundaries_typescript::cold),
    ("ready", list::ready),
    ("prime", tokens::prime),
    ("doctor", check_up::doctor),
    ("memory", memory::all),
    ("tokens", tokens::all),
];

#[cfg(not(unix))]
fn main() {
    println!("the figures are measured on Unix systems only");
}

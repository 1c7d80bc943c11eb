//! End-to-end tests: the real program, the real git, real processes.
//!
//! One binary, one module per subject. `GIT_COMM_BIN` names another build of
//! the program to test (CI tests the release build); `GIT_COMM_FULL=1` runs
//! the full counts and makes a missing tool a failure instead of a skip.

// A test may stop at the first surprise, and lives in the real environment.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods
)]

mod boundaries;
mod boundaries_excuses;
mod boundaries_guide;
mod boundaries_range;
mod boundaries_rules;
mod boundary_changes;
mod boundary_explain;
mod boundary_formats;
mod boundary_graph;
mod boundary_hostile;
mod boundary_init;
mod boundary_links;
mod ci;
#[cfg(debug_assertions)] // The clocks can be moved in debug builds only.
mod clocks;
mod commits;
mod compat;
mod damage;
mod demo;
mod docs;
mod doctor;
mod doctor_harness;
mod doctor_settings;
mod doctor_state;
mod doctor_worktrees;
mod faults;
mod fences;
mod filters;
mod foreign_domains;
mod format;
mod guards;
mod handed;
mod harness;
mod harness_setup;
mod hooks;
mod hooks_managers;
mod hooks_matrix;
mod hooks_status;
mod hooks_support;
mod identity;
mod joining;
mod kills;
mod layers;
#[cfg(debug_assertions)]
mod lease_ends;
mod losses;
mod messages;
mod output;
mod prime;
mod python_slices;
mod races;
mod readme;
mod rebases;
mod refusals;
mod rust_slices;
mod scanned;
mod schema;
mod setup;
mod shared;
mod stories;
mod support;
mod sync;
mod sync_hostile;
mod tasks;
mod untouched;
mod violations;
mod ways;
mod windows;
mod worktree_kept;
mod worktree_kills;
mod worktree_losses;
mod worktrees;

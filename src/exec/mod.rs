//! Runs programs other than git.

pub mod own;

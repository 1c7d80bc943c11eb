//! What the gates share: whose a file is, what was found, how it is said.
//!
//! Pure: paths and rules in, findings out. Nothing here reads a repository.

pub mod allowance;
pub mod baseline;
pub mod code;
pub mod finding;
pub mod pattern;
pub mod scope;

//! The `git-comm` binary.
fn main() {}

//! Objects and refs of one repository: read, write, and swap exclusively.
//!
//! The only code that knows gix or runs the git program. gix is used for
//! opening, configuration and objects; refs are read and written here,
//! because an exclusive update beside `git gc` needs the ref read again
//! *after* its lock is held (`docs/architecture.md`, refs). Nothing here
//! knows records, commands or output.

mod commit;
mod discover;
mod error;
mod files;
mod foreign;
mod fsx;
mod keep;
mod lock;
mod loose;
mod objects;
mod oid;
mod open;
mod packed;
mod pending;
mod plain;
mod process;
mod refname;
mod refs;
mod remotes;
mod repo;
mod shared;
mod stored;
mod swap;
mod update_ref;

#[cfg(test)]
mod testing;

pub use commit::{Commit, CommitDraft};
pub use error::{GitError, GitErrorClass};
pub use oid::Oid;
pub use pending::{Outcome, Pending};
pub use plain::plain_git;
pub use refname::RefName;
pub use repo::{Backend, Durability, Repo};
pub use swap::{Guard, Swap, Swapped};

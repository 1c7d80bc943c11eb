//! Objects and refs of one repository: read, write, and swap exclusively.
//!
//! The only code that knows gix or runs the git program. gix is used for
//! opening, configuration and objects; refs are read and written here,
//! because an exclusive update beside `git gc` needs the ref read again
//! *after* its lock is held (`docs/architecture.md`, refs). Nothing here
//! knows records, commands or output.

mod changes;
mod commit;
mod discover;
mod error;
mod files;
mod foreign;
mod fsx;
mod hooks;
mod hooks_fired;
mod hooks_refs;
mod inspect;
mod keep;
mod leftovers;
mod listing;
mod lock;
mod loose;
mod merging;
mod message;
mod network;
mod objects;
mod oid;
mod open;
mod origins;
mod packed;
mod pending;
mod plain;
mod process;
mod refname;
mod refs;
mod remotes;
mod replay;
mod repo;
mod settings;
mod shared;
mod status;
mod stored;
mod swap;
mod trunk;
mod update_ref;
mod worktree;

#[cfg(test)]
mod testing;

pub use changes::{Change, Ranged};
pub use commit::{Commit, CommitDraft};
pub use error::{GitError, GitErrorClass};
pub use hooks::{GitVersion, HookFile, HooksFolder, Owner, RUNS};
pub use inspect::{FoundLock, Remote, git_version};
pub use listing::Entry;
pub use message::Present;
pub use network::{Push, Pushed};
pub use oid::Oid;
pub use origins::{Scope, Setting};
pub use pending::{Outcome, Pending};
pub use plain::{PlainEnd, plain_git};
pub use refname::RefName;
pub use refs::Listed;
pub use repo::{Backend, Durability, Repo};
pub use swap::{Guard, Swap, Swapped};
pub use trunk::Trunk;
pub use worktree::{
    Adding, Binding, Dirt, Kept, NewWorktree, PROBE, Removal, Saved, Strays, Unfinished, Worktree,
    answer_probe,
};

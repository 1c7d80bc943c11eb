//! Worktrees: one for each agent, and none removed with what is only there.

mod add;
mod copy;
mod list;
mod loss;
mod place;
mod prune;
mod remove;

pub(super) use add::settle_unfinished;
pub use add::{Added, PROBE, Request, add, answer_probe};
pub use list::{Line, Listing, list};
pub(super) use place::default_root;
pub use place::shown;
pub use prune::{Pruned, prune};
pub use remove::{Ignored, Removed, remove};

//! Installing git's hooks: hook install, remove, status.

use clap::Args;

use super::app::{App, Outcome};
use crate::ops::error::Exit;
use crate::ops::hooks;
use crate::render::hooks as view;

/// Install the hooks, or repair them
#[derive(Args)]
pub(super) struct ChangeArgs {
    /// Say what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn install(args: ChangeArgs, app: &mut App<'_>) -> Outcome {
    let done = hooks::install(app.context()?, args.dry_run)?;
    app.show(&view::done(&done))?;
    Ok(exit(&done))
}

pub(super) fn remove(args: ChangeArgs, app: &mut App<'_>) -> Outcome {
    let done = hooks::remove(app.context()?, args.dry_run)?;
    app.show(&view::done(&done))?;
    Ok(exit(&done))
}

/// A hook that is missing leaves commits unjudged: that is no success.
pub(super) fn exit(done: &hooks::Done) -> Exit {
    if done.refused.is_empty() { Exit::Done } else { Exit::No }
}

/// Would the hooks fire in this worktree
#[derive(Args)]
pub(super) struct StatusArgs {}

pub(super) fn status(_: StatusArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let status = hooks::status::status(context)?;
    let now = context.store.env().now();
    app.show(&view::status(&status, now))?;
    Ok(if status.all_fire() { Exit::Done } else { Exit::No })
}

//! Sharing records with other clones.

use clap::Args;

use super::app::{App, Outcome};
use crate::ops::error::Exit;
use crate::ops::sync;
use crate::render::sync as view;

/// Share records with a remote: fetch, bring together, push
#[derive(Args)]
pub(super) struct SyncArgs {
    /// The remote; else comm.hub, else that of the branch
    #[arg(value_name = "REMOTE")]
    remote: Option<String>,
    /// Say what would move, and move nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn sync(args: SyncArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let remote = sync::remote(context, args.remote.as_deref())?;
    let synced = sync::sync(context, &remote, args.dry_run)?;
    app.show(&view::synced(&synced, args.dry_run))?;
    Ok(if synced.unsent > 0 { Exit::Retry } else { Exit::Done })
}

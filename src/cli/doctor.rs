//! The check-up.

use clap::Args;

use super::app::{App, Outcome};
use crate::ops::doctor::{self, Asked, Level};
use crate::ops::error::Exit;
use crate::ops::identity::Claimed;
use crate::render;

/// Check the whole set-up
#[derive(Args)]
pub(super) struct DoctorArgs {
    /// Mend what can be mended without a choice
    #[arg(long)]
    fix: bool,
    /// Check as an agent: it must have a name and be able to write
    #[arg(long)]
    as_agent: bool,
    /// Bring the records to the newest format
    #[arg(long)]
    migrate: bool,
}

pub(super) fn doctor(args: DoctorArgs, app: &mut App<'_>) -> Outcome {
    let claimed = Claimed { agent: app.global.agent.clone(), as_person: app.global.as_person };
    // There is one format so far, so a board is always at the newest.
    let asked = Asked { fix: args.fix || args.migrate, as_agent: args.as_agent };
    let checks = doctor::doctor(&app.dir()?, app.env, &claimed, asked);
    let is_red = checks.iter().any(|check| check.level == Level::Red);
    app.show(&render::doctor::board(&checks))?;
    Ok(if is_red { Exit::No } else { Exit::Done })
}

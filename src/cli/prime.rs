//! What an agent reads at its start.

use clap::Args;

use super::app::{App, Outcome};
use crate::ops::error::{Error, Exit};
use crate::ops::prime as gathering;
use crate::render::prime as view;

/// What an agent needs at its start
#[derive(Args)]
pub(super) struct PrimeArgs {
    /// At most N tokens, estimated
    #[arg(long, value_name = "N", default_value_t = view::BUDGET)]
    budget: usize,
}

pub(super) fn prime(args: PrimeArgs, app: &mut App<'_>) -> Outcome {
    // It is run at every start, wherever that is: without a repository or a
    // board there is nothing to say.
    let context = match app.context() {
        Err(error) if is_no_repository(&error) => return Ok(Exit::Done),
        other => other?,
    };
    if let Some(found) = gathering::prime(context)? {
        app.show(&view::prime(&found, args.budget))?;
    }
    Ok(Exit::Done)
}

pub(super) fn is_no_repository(error: &Error) -> bool {
    error.kind() == "not_a_repository"
}

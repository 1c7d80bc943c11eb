//! Claims: claim, next, renew, release, handover, steal, close, fail, cancel,
//! reopen.

use clap::Args;

use super::app::{App, Outcome};
use super::tasks::each;
use crate::model::claiming::Ending;
use crate::model::names::{AgentName, TaskId};
use crate::model::task::State;
use crate::ops::error::{Error, Exit};
use crate::ops::tasks::Changes;
use crate::ops::{Context, claims, next as best, resolve};
use crate::render::tasks as view;
use crate::text::time::Span;

/// Claim a task
#[derive(Args)]
pub(super) struct ClaimArgs {
    /// The task
    id: String,
    /// How long to hold it unless renewed (30m, or comm.ttl)
    #[arg(long, value_name = "SPAN")]
    ttl: Option<Span>,
    /// Refuse if you hold it already
    #[arg(long)]
    once: bool,
}

pub(super) fn claim(args: ClaimArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let id = resolve::task(context, &args.id)?;
    let ttl = claims::ttl(context, args.ttl.map(|s| s.0))?;
    let granted = claims::claim(context, &id, ttl, args.once)?;
    let answer = view::granted(&granted, context.store.env().now());
    app.show(&answer)?;
    Ok(Exit::Done)
}

/// Claim the best task that you can start
#[derive(Args)]
pub(super) struct NextArgs {
    /// How long to hold it unless renewed (30m, or comm.ttl)
    #[arg(long, value_name = "SPAN")]
    ttl: Option<Span>,
    /// Another one, although you hold one
    #[arg(long)]
    another: bool,
}

pub(super) fn next(args: NextArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let ttl = claims::ttl(context, args.ttl.map(|s| s.0))?;
    let granted = best::next(context, ttl, args.another)?;
    let answer = view::granted(&granted, context.store.env().now());
    app.show(&answer)?;
    Ok(Exit::Done)
}

/// Hold your task for longer
#[derive(Args)]
pub(super) struct RenewArgs {
    /// The task; without it the one that you hold, or were handed
    id: Option<String>,
    /// How long from now (as long as before)
    #[arg(long, value_name = "SPAN")]
    ttl: Option<Span>,
    /// Only if the claim still has this token
    #[arg(long, value_name = "N")]
    token: Option<u64>,
}

pub(super) fn renew(args: RenewArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let id = resolve::task_to_renew(context, args.id.as_deref())?;
    let version = claims::renew(context, &id, args.ttl.map(|s| s.0), args.token)?;
    let now = context.store.env().now();
    let until = version.state.phase.claim.as_ref().map(|c| c.expires_at.short(now)).unwrap_or_default();
    let answer = view::changed(context, format!("renewed {id} until {until}"), &id, &version, true);
    app.show(&answer)?;
    Ok(Exit::Done)
}

/// Give a task back
#[derive(Args)]
pub(super) struct ReleaseArgs {
    /// The task; without it the one that you hold
    id: Option<String>,
    /// Why
    #[arg(short, long, default_value = "", hide_default_value = true)]
    reason: String,
    /// Only if the claim still has this token
    #[arg(long, value_name = "N")]
    token: Option<u64>,
}

pub(super) fn release(args: ReleaseArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let id = resolve::task_to_act_on(context, args.id.as_deref())?;
    let version = claims::release(context, &id, &args.reason, args.token)?;
    let answer = view::changed(context, format!("released {id}"), &id, &version, true);
    app.show(&answer)?;
    Ok(Exit::Done)
}

/// Give your task to another agent
#[derive(Args)]
pub(super) struct HandoverArgs {
    /// The task; without it the one that you hold
    id: Option<String>,
    /// To whom
    #[arg(long, value_name = "AGENT")]
    to: AgentName,
    /// Why
    #[arg(short, long, default_value = "", hide_default_value = true)]
    reason: String,
    /// How long it has to take it up (30m, or comm.ttl)
    #[arg(long, value_name = "SPAN")]
    ttl: Option<Span>,
}

pub(super) fn handover(args: HandoverArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let id = resolve::task_to_act_on(context, args.id.as_deref())?;
    let ttl = claims::ttl(context, args.ttl.map(|s| s.0))?;
    let version = claims::handover(context, &id, &args.to, &args.reason, ttl)?;
    let answer = view::changed(context, format!("handed {id} to {}", args.to), &id, &version, true);
    app.show(&answer)?;
    Ok(Exit::Done)
}

/// Take a task from its holder
#[derive(Args)]
pub(super) struct StealArgs {
    /// The task
    id: String,
    /// Why
    #[arg(short, long)]
    reason: String,
    /// How long to hold it unless renewed (30m, or comm.ttl)
    #[arg(long, value_name = "SPAN")]
    ttl: Option<Span>,
}

pub(super) fn steal(args: StealArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let id = resolve::task(context, &args.id)?;
    let ttl = claims::ttl(context, args.ttl.map(|s| s.0))?;
    let granted = claims::steal(context, &id, &args.reason, ttl)?;
    let answer = view::granted(&granted, context.store.env().now());
    app.show(&answer)?;
    Ok(Exit::Done)
}

/// Finish tasks
#[derive(Args)]
pub(super) struct CloseArgs {
    /// The tasks; without them the one that you hold
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// What came of it
    #[arg(short, long, default_value = "", hide_default_value = true)]
    reason: String,
    /// Only if the claim still has this token
    #[arg(long, value_name = "N")]
    token: Option<u64>,
}

pub(super) fn close(args: CloseArgs, app: &mut App<'_>) -> Outcome {
    end(app, &args.ids, Ending::Close, &args.reason, args.token)
}

pub(super) fn fail(args: CloseArgs, app: &mut App<'_>) -> Outcome {
    end(app, &args.ids, Ending::Fail, &args.reason, args.token)
}

/// End or reopen tasks
#[derive(Args)]
pub(super) struct CancelArgs {
    /// The tasks
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// Why
    #[arg(short, long, default_value = "", hide_default_value = true)]
    reason: String,
}

pub(super) fn cancel(args: CancelArgs, app: &mut App<'_>) -> Outcome {
    end(app, &args.ids, Ending::Cancel, &args.reason, None)
}

pub(super) fn reopen(args: CancelArgs, app: &mut App<'_>) -> Outcome {
    end(app, &args.ids, Ending::Reopen, &args.reason, None)
}

fn end(app: &mut App<'_>, texts: &[String], ending: Ending, reason: &str, token: Option<u64>) -> Outcome {
    let context = app.context()?;
    let ids = match texts {
        [] => vec![resolve::task_to_act_on(context, None)?],
        texts => resolve::tasks(context, texts)?,
    };
    each(app, &ids, |context, id| {
        let (version, changed) = claims::end(context, id, ending, reason, token)?;
        let state = version.state.phase.state;
        let late = version.state.phase.outcome.as_ref().is_some_and(|o| o.late);
        let text = match (changed, ending) {
            (false, _) => format!("{id} is {state} already"),
            (true, Ending::Close) if late => format!("closed {id}, late: its lease had run out"),
            (true, Ending::Close) => format!("closed {id}"),
            (true, Ending::Fail) => format!("failed {id}; what waits for it stays blocked"),
            (true, Ending::Cancel) => format!("cancelled {id}"),
            (true, Ending::Reopen) => format!("reopened {id}"),
        };
        Ok(view::changed(context, text, id, &version, changed))
    })
}

/// What agents type who know other tools: edit, claim and change the state
/// in one call.
pub(super) fn update(
    app: &mut App<'_>,
    ids: &[TaskId],
    changes: &Changes,
    claim: bool,
    status: Option<&str>,
) -> Outcome {
    enum Then {
        Claim,
        End(Ending),
        Nothing,
    }
    let then = match status {
        None if claim => Then::Claim,
        Some("in_progress" | "claimed") => Then::Claim,
        Some("closed" | "done") => Then::End(Ending::Close),
        Some("open") => Then::End(Ending::Reopen),
        Some("failed") => Then::End(Ending::Fail),
        Some("cancelled") => Then::End(Ending::Cancel),
        None => Then::Nothing,
        Some(other) => {
            return Err(Error::usage(
                format!("`{}` is no state that can be set", crate::text::escape::clipped(other, 40)),
                "git comm claim, release, close, fail, cancel, reopen",
            ));
        }
    };
    let plain = changes.edit.is_empty() && changes.parent.is_none();
    each(app, ids, |context: &Context<'_>, id| {
        let edited = if plain { None } else { Some(crate::ops::tasks::edit(context, id, changes)?) };
        match then {
            Then::Claim => {
                let granted = claims::claim(context, id, claims::ttl(context, None)?, false)?;
                Ok(view::granted(&granted, context.store.env().now()))
            }
            // What is held is given back rather than reopened.
            Then::End(Ending::Reopen)
                if crate::ops::tasks::read(context, id)?.state.phase.state == State::Claimed =>
            {
                let version = claims::release(context, id, "", None)?;
                Ok(view::changed(context, format!("released {id}"), id, &version, true))
            }
            Then::End(ending) => {
                let (version, changed) = claims::end(context, id, ending, "", None)?;
                let text = format!("{id} is {}", version.state.phase.state);
                Ok(view::changed(context, text, id, &version, changed))
            }
            Then::Nothing => {
                let version = crate::ops::tasks::read(context, id)?;
                let changed = edited.as_ref().is_some_and(|e| e.1);
                Ok(view::changed(context, format!("edited {id}"), id, &version, changed))
            }
        }
    })
}

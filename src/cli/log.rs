//! The log: what happened, and notes.

use clap::Args;
use serde_json::json;

use super::app::{App, Outcome};
use super::input::Body;
use crate::model::names::{AgentName, DomainName};
use crate::ops::error::{Error, Exit};
use crate::ops::history::{self, Filter};
use crate::ops::{messages, resolve};
use crate::render::{answer, events};
use crate::text::escape;
use crate::text::time::{Span, Timestamp};

/// What happened
#[derive(Args)]
pub(super) struct LogArgs {
    /// Only about this task
    id: Option<String>,
    /// Only written by this agent
    #[arg(long = "by", value_name = "AGENT")]
    by: Option<AgentName>,
    /// Only of this kind of record (task, agent, message, note) or event (claim, close, violation, ...); may be repeated
    #[arg(long, value_delimiter = ',')]
    kind: Vec<String>,
    /// Only what names this domain: as its agent's, as the owner of files touched or imported, as a task's
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<DomainName>,
    /// Only since this time, or so long ago: 2026-01-31T09:00:00Z or 2h
    #[arg(long, value_name = "TIME|SPAN")]
    since: Option<String>,
    /// The newest N; 0 for all
    #[arg(short = 'n', long = "limit", value_name = "N", default_value = "20")]
    limit: usize,
}

pub(super) fn log(args: LogArgs, app: &mut App<'_>) -> Outcome {
    let now = app.env.now();
    let since = args.since.as_deref().map(|text| since(text, now)).transpose()?;
    let context = app.context()?;
    let task = args.id.as_deref().map(|id| resolve::task(context, id)).transpose()?;
    let filter = Filter { task, agent: args.by, kinds: args.kind, domain: args.domain, since };
    let limit = if args.limit == 0 { usize::MAX } else { args.limit };
    let (happened, damaged) = history::log(context, &filter, limit)?;
    app.show_all_but(&events::log(&happened), &damaged)
}

fn since(text: &str, now: Timestamp) -> Result<Timestamp, Error> {
    if let Ok(span) = text.parse::<Span>() {
        return Ok(now.minus(span.0));
    }
    text.parse().map_err(|_| {
        let what = format!("`{}` is neither a time nor a length of time", escape::clipped(text, 40));
        Error::usage(what, "such as --since 2026-01-31T09:00:00Z or --since 2h")
    })
}

/// Write a note into the log
#[derive(Args)]
pub(super) struct NoteArgs {
    #[command(flatten)]
    body: Body,
    /// Task that it is about
    #[arg(long, value_name = "ID")]
    task: Option<String>,
    /// Word that makes a retry of this call harmless for a day
    #[arg(long)]
    key: Option<String>,
}

pub(super) fn note(args: NoteArgs, app: &mut App<'_>) -> Outcome {
    let dir = app.dir()?;
    let body = args.body.read(&dir)?;
    let context = app.context()?;
    let task = args.task.as_deref().map(|id| resolve::task(context, id)).transpose()?;
    let (link, written) = messages::note(context, task.as_ref(), &body, args.key.as_deref())?;
    let text =
        if written { format!("noted {}", link.id()) } else { format!("{} was noted already", link.id()) };
    app.show(&answer::line(text, json!({ "id": link.id(), "written": written })))?;
    Ok(Exit::Done)
}

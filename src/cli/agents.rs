//! Agents: register, heartbeat, list, retire.

use clap::Args;
use serde_json::json;

use super::app::{App, Outcome};
use crate::model::names::{AgentName, DomainName};
use crate::ops::agents::{self, Introduction};
use crate::ops::board::Board;
use crate::ops::error::Exit;
use crate::render::answer;

/// Announce yourself
#[derive(Args)]
pub(super) struct RegisterArgs {
    /// Your name (else --agent, GIT_COMM_AGENT or comm.agent)
    name: Option<String>,
    /// Domain whose tasks you take
    #[arg(long)]
    domain: Option<DomainName>,
    /// What you do there, in a few words
    #[arg(long)]
    role: Option<String>,
    /// Model that you run on
    #[arg(long)]
    model: Option<String>,
}

pub(super) fn register(args: RegisterArgs, app: &mut App<'_>) -> Outcome {
    if args.name.is_some() {
        app.global.agent = args.name;
    }
    let context = app.context()?;
    let says = Introduction { domain: args.domain, role: args.role, model: args.model };
    let version = agents::register(context, &says)?;
    let name = context.identity.name().map(ToString::to_string).unwrap_or_default();
    let source = context.identity.source;
    let domain = version.state.domain.as_ref().map(|d| format!(", domain {d}")).unwrap_or_default();
    let mut text = format!("registered {name}{domain}");
    if source == "--agent" {
        text.push_str(&format!("; say so in each call: GIT_COMM_AGENT={name} or --agent {name}"));
    }
    let json = json!({ "name": name, "domain": version.state.domain, "session": context.identity.session });
    app.show(&answer::line(text, json))?;
    Ok(Exit::Done)
}

/// Say that you are alive
#[derive(Args)]
pub(super) struct HeartbeatArgs {}

pub(super) fn heartbeat(_: HeartbeatArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let (_, lost) = agents::heartbeat(context)?;
    let name = context.identity.name().map(ToString::to_string).unwrap_or_default();
    app.show(&answer::heartbeat(&name, &lost))?;
    Ok(if lost.is_empty() { Exit::Done } else { Exit::NotYours })
}

/// Who is there
#[derive(Args)]
pub(super) struct ListArgs {}

pub(super) fn list(_: ListArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let board = Board::load(&context.store)?;
    let lines = agents::list(context, &board);
    app.show_all_but(&answer::agents(&lines, board.now()), &board.damaged)
}

/// Leave for good
#[derive(Args)]
pub(super) struct RetireArgs {
    /// The agent; without it you
    name: Option<AgentName>,
}

pub(super) fn retire(args: RetireArgs, app: &mut App<'_>) -> Outcome {
    let name = agents::retire(app.context()?, args.name.as_ref())?;
    app.show(&answer::line(format!("retired {name}"), json!({ "name": name })))?;
    Ok(Exit::Done)
}

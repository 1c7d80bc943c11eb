//! The board: init, status, whoami, pause, resume.

use clap::Args;
use serde_json::json;

use super::app::{App, Outcome};
use crate::model::board::Scope;
use crate::ops::board::Board;
use crate::ops::error::Exit;
use crate::ops::{control, given, hooks, init as making, join, status as glance};
use crate::render::{answer, hooks as hooks_view, status as view};

/// Make the board of this repository
#[derive(Args)]
pub(super) struct InitArgs {
    /// What task ids start with
    #[arg(long)]
    prefix: Option<String>,
    /// Make a board of this clone's own, without asking the remotes for one
    #[arg(long)]
    new: bool,
    /// Install no git hooks
    #[arg(long)]
    no_hooks: bool,
    /// Say what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Take the hooks out again
    #[arg(long, conflicts_with_all = ["prefix", "new", "no_hooks"])]
    remove: bool,
    /// Delete every record of this clone too (the person)
    #[arg(long, requires = "remove")]
    refs: bool,
}

pub(super) fn init(args: InitArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    if args.remove {
        let left = making::leave(context, args.refs, args.dry_run)?;
        app.show(&hooks_view::left(&left))?;
        return Ok(Exit::Done);
    }
    let prefix = args.prefix.as_deref();
    let found = if args.new || args.dry_run { join::Found::Same } else { join::look(context)? };
    let done = if args.dry_run { making::preview(context, prefix) } else { making::init(context, prefix)? };
    if let Some(asked) = prefix.filter(|asked| *asked != done.prefix) {
        context
            .notice(format!("`{asked}` was not taken: the ids of this board start with `{}`", done.prefix));
    }
    let hooks = if args.no_hooks { None } else { Some(hooks::install(context, args.dry_run)?) };
    app.show(&answer::initialised(&done, &found, hooks.as_ref(), args.dry_run))?;
    Ok(hooks.as_ref().map_or(Exit::Done, super::hooks::exit))
}

/// The board at a glance
#[derive(Args)]
pub(super) struct StatusArgs {}

pub(super) fn status(_: StatusArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let board = Board::load(&context.store)?;
    let status = glance::status(context, &board);
    app.show_all_but(&view::status(&status), &board.damaged)
}

/// Who you are to the board
#[derive(Args)]
pub(super) struct WhoamiArgs {}

pub(super) fn whoami(_: WhoamiArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let board = Board::load(&context.store)?;
    let (mut held, mut handed) = (Vec::new(), Vec::new());
    if let Some(name) = context.identity.name() {
        held.extend(board.held_by(name, &context.identity.session).iter().map(ToString::to_string));
        handed = given::waiting(context, &board.tasks, name);
    }
    let answer = answer::whoami(&context.identity, context.store.clone_id(), &held, &handed);
    app.show(&answer)?;
    Ok(Exit::Done)
}

/// Let agents claim nothing
#[derive(Args)]
pub(super) struct PauseArgs {
    /// Whom: all, domain:NAME or an agent
    #[arg(default_value = "all")]
    scope: Scope,
    /// Why
    #[arg(short, long, default_value = "", hide_default_value = true)]
    reason: String,
}

pub(super) fn pause(args: PauseArgs, app: &mut App<'_>) -> Outcome {
    let changed = control::pause(app.context()?, &args.scope, &args.reason)?;
    let text = if changed { "paused" } else { "already paused:" };
    let json = json!({ "scope": args.scope.to_string(), "changed": changed });
    app.show(&answer::line(
        format!("{text} {}; go on with: git comm resume {}", args.scope, args.scope),
        json,
    ))?;
    Ok(Exit::Done)
}

/// Let them go on
#[derive(Args)]
pub(super) struct ResumeArgs {
    /// Whom: all, domain:NAME or an agent
    #[arg(default_value = "all")]
    scope: Scope,
}

pub(super) fn resume(args: ResumeArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let changed = control::resume(context, &args.scope)?;
    let text = if changed {
        format!("resumed {}", args.scope)
    } else {
        not_paused(context, &args.scope.to_string())
    };
    let json = json!({ "scope": args.scope.to_string(), "changed": changed });
    app.show(&answer::line(text, json))?;
    Ok(Exit::Done)
}

/// What is paused instead.
fn not_paused(context: &crate::ops::Context<'_>, scope: &str) -> String {
    let control = context.store.control();
    let paused: Vec<&str> = control.pauses.keys().map(String::as_str).collect();
    match paused.is_empty() {
        true => format!("{scope} is not paused"),
        false => format!("{scope} is not paused; these are: {}", paused.join(", ")),
    }
}

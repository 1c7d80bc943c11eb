//! Edges between tasks: add, remove, tree, shape.

use clap::Args;

use super::app::{App, Outcome};
use crate::model::task::DepType;
use crate::ops::board::Board;
use crate::ops::deps::Wanted;
use crate::ops::error::Exit;
use crate::ops::resolve;
use crate::ops::tasks::{self, Changes};
use crate::render::tasks as view;

/// Let a task wait for another
#[derive(Args)]
pub(super) struct AddArgs {
    /// The task that waits
    id: String,
    /// What it waits for
    #[arg(value_name = "[TYPE:]ID", required = true)]
    on: Vec<Wanted>,
    /// Type: blocks, related, parent or discovered-from
    #[arg(short = 't', long = "type", value_name = "TYPE")]
    kind: Option<DepType>,
}

pub(super) fn add(args: AddArgs, app: &mut App<'_>) -> Outcome {
    let wanted = with_kind(args.on, args.kind);
    let changes = Changes { add_deps: wanted.clone(), ..Changes::default() };
    change(app, &args.id, &changes, &wanted, true)
}

/// Let a task wait no more
#[derive(Args)]
pub(super) struct RemoveArgs {
    /// The task that waits
    id: String,
    /// What it waits for
    #[arg(value_name = "[TYPE:]ID", required = true)]
    on: Vec<Wanted>,
    /// Type: blocks, related, parent or discovered-from
    #[arg(short = 't', long = "type", value_name = "TYPE")]
    kind: Option<DepType>,
}

pub(super) fn remove(args: RemoveArgs, app: &mut App<'_>) -> Outcome {
    let wanted = with_kind(args.on, args.kind);
    let changes = Changes { remove_deps: wanted.clone(), ..Changes::default() };
    change(app, &args.id, &changes, &wanted, false)
}

fn with_kind(wanted: Vec<Wanted>, kind: Option<DepType>) -> Vec<Wanted> {
    wanted.into_iter().map(|w| Wanted { kind: kind.unwrap_or(w.kind), id: w.id }).collect()
}

fn change(app: &mut App<'_>, id: &str, changes: &Changes, wanted: &[Wanted], added: bool) -> Outcome {
    let context = app.context()?;
    let id = resolve::task(context, id)?;
    let (version, changed) = tasks::edit(context, &id, changes)?;
    let verb = |kind: DepType| match kind {
        DepType::Blocks => "waits for",
        DepType::Related => "is related to",
        DepType::Parent => "is part of",
        DepType::DiscoveredFrom => "was found in",
    };
    let each: Vec<String> = wanted
        .iter()
        .map(|w| format!("{} {}", verb(w.kind), crate::text::escape::clipped(&w.id, 64)))
        .collect();
    let text = match (added, changed) {
        (true, true) => format!("{id} {}", each.join(", ")),
        (true, false) => format!("{id} {} already", each.join(", ")),
        (false, _) => format!("no longer: {id} {}", each.join(", ")),
    };
    let answer = view::changed(context, text, &id, &version, changed);
    app.show(&answer)?;
    Ok(Exit::Done)
}

/// What a task waits for
#[derive(Args)]
pub(super) struct TreeArgs {
    /// The task; without it the one that you hold
    id: Option<String>,
    /// What waits for it instead
    #[arg(long)]
    up: bool,
}

pub(super) fn tree(args: TreeArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let id = resolve::task_or_mine(context, args.id.as_deref())?;
    let board = Board::load(&context.store)?;
    app.show_all_but(&view::tree(&board.graph, &id, args.up), &board.damaged)
}

/// Critical path, width, what unblocks most
#[derive(Args)]
pub(super) struct ShapeArgs {}

pub(super) fn shape(_: ShapeArgs, app: &mut App<'_>) -> Outcome {
    let board = Board::load(&app.context()?.store)?;
    app.show_all_but(&view::shape(&board.graph), &board.damaged)
}

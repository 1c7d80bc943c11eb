//! A first `comm.toml`.

use clap::Args;
use serde_json::json;

use super::super::app::{App, Outcome};
use crate::ops::boundary::{graph, init as derive};
use crate::ops::error::{Exit, plural};
use crate::render::Answer;

/// Derive comm.toml from the code as it is
#[derive(Args)]
pub(crate) struct InitArgs {
    /// Write it; one that is there stays as it is
    #[arg(long)]
    write: bool,
}

pub(crate) fn init(args: InitArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let seen = graph::look(context, None)?;
    let derived = derive::of(context, &seen)?;
    let left = derived.left.len();
    if let Some(first) = derived.left.first() {
        let all = plural(left, "finding");
        context.notice(format!("no rule allows what is left, {all}: {first}"));
    }
    let next = "git add comm.toml && git comm boundary check";
    let mut json = json!({
        "text": derived.text, "domains": derived.domains, "left": left, "written": args.write,
    });
    let mut text = derived.text.clone();
    if args.write {
        derive::write(context, &derived.text)?;
        text = format!("wrote comm.toml with {}\nnext: {next}\n", plural(derived.domains, "domain"));
        json["next"] = next.into();
    }
    app.show(&Answer { text, json })?;
    Ok(Exit::Done)
}

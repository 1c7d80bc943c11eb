//! May this import that?

use clap::Args;

use super::super::app::{App, Outcome};
use crate::ops::boundary::{explain as ask, graph};
use crate::ops::error::Exit;
use crate::render::graph::explain as render;

/// May this import that, by which rule, and does it
#[derive(Args)]
pub(crate) struct ExplainArgs {
    /// A file, a folder or a domain
    from: String,
    /// A file, a folder, a domain, or a package (pkg:NAME)
    to: String,
    /// In the tree of this commit, under its own rules; else in what is staged
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
}

pub(crate) fn explain(args: ExplainArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let seen = graph::look(context, args.rev.as_deref())?;
    let explained = ask::explain(&seen, &seen.rules(context)?, &args.from, &args.to)?;
    app.show(&render::answer(&explained))?;
    Ok(if explained.allowed { Exit::Done } else { Exit::No })
}

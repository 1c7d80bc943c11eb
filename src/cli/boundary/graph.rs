//! The graph of imports.

use clap::Args;

use super::super::app::{App, Outcome};
use crate::ops::boundary::graph::{self as parts, Level};
use crate::ops::error::{Error, Exit, plural};
use crate::render::Answer;
use crate::render::graph::{self, Format};

/// Show which part of the code imports which
#[derive(Args)]
pub(crate) struct GraphArgs {
    /// Of the tree of this commit, under its own rules; else of what is staged
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    /// Between single files
    #[arg(long, conflicts_with_all = ["domains", "folders"])]
    files: bool,
    /// Between the domains of comm.toml (the default where it has any)
    #[arg(long, conflicts_with = "folders")]
    domains: bool,
    /// Between folders (else the default)
    #[arg(long)]
    folders: bool,
    /// How many levels of folders to tell apart; else as many as can be seen
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=32), requires = "folders")]
    depth: Option<u8>,
    /// Leave the numbers out, so that a picture changes only when a link comes or goes
    #[arg(long)]
    no_counts: bool,
}

/// What can still be seen in a picture.
const LARGEST: usize = 400;

pub(crate) fn graph(args: GraphArgs, app: &mut App<'_>) -> Outcome {
    let format = match app.global.format.as_deref() {
        Some("dot") => Some(Format::Dot),
        Some("mermaid") => Some(Format::Mermaid),
        Some("svg") => Some(Format::Svg),
        _ => None,
    };
    app.refuse_two_formats()?;
    let is_json = app.json();
    let context = app.context()?;
    let seen = parts::look(context, args.rev.as_deref())?;
    let depth = args.depth.map(usize::from);
    let level = match (args.files, args.domains, args.folders) {
        (true, ..) => Some(Level::Files),
        (_, true, _) => Some(Level::Domains),
        (.., true) => Some(Level::Folders(depth)),
        _ => None,
    };
    // Programs get every import unless they ask for parts.
    if is_json && matches!(level, None | Some(Level::Files)) {
        app.show(&Answer { text: String::new(), json: graph::edges_json(&seen.edges) })?;
        return Ok(Exit::Done);
    }
    let graph = parts::graph(context, &seen, level)?;
    let answer = match format {
        None => graph::table(&graph),
        Some(format) => {
            let (count, unit) = (graph.parts.parts.len(), graph.level.unit());
            let too_large = || {
                let what = format!("nobody can see {} in a picture", plural(count, unit));
                Error::usage(what, "git comm boundary graph --folders --depth 1 --format svg")
            };
            let is_seen = format != Format::Svg || count <= LARGEST;
            let text = is_seen.then(|| graph::draw(&graph, format, !args.no_counts)).flatten();
            Answer { text: text.ok_or_else(too_large)?, ..Answer::default() }
        }
    };
    app.show(&answer)?;
    Ok(Exit::Done)
}

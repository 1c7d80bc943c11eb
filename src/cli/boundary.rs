//! Boundaries: which file may import which.

mod explain;
mod graph;
mod init;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

pub(super) use self::explain::{ExplainArgs, explain};
pub(super) use self::graph::{GraphArgs, graph};
pub(super) use self::init::{InitArgs, init};
use super::app::{App, Outcome};
use crate::ops::boundary;
use crate::ops::boundary::{change, check};
use crate::ops::error::{Error, Exit};
use crate::render::{Answer, boundary as boundary_view};
use crate::text::escape;

/// Check that imports keep to the rules of comm.toml
#[derive(Args)]
pub(super) struct CheckArgs {
    /// What is staged (the default)
    #[arg(long, conflicts_with_all = ["rev", "range"])]
    staged: bool,
    /// The tree of this commit, under its own rules
    #[arg(long, value_name = "REV", conflicts_with = "range")]
    rev: Option<String>,
    /// Each commit of a range, under the rules of its base and its own
    #[arg(long, value_name = "A..B")]
    range: Option<String>,
    /// Report only what is in these files and folders
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

pub(super) fn check(args: CheckArgs, app: &mut App<'_>) -> Outcome {
    let dir = app.dir()?;
    let context = app.context()?;
    let repo = context.store.repo();
    let only = check::Only::new(repo, &dir, &args.paths)?;
    let report = match (&args.rev, &args.range) {
        (Some(rev), _) => {
            let commit = repo.resolve_rev(rev)?.ok_or_else(|| Error::unknown("revision", rev))?;
            only.report(change::tree(repo, commit)?)
        }
        (None, Some(range)) => {
            let Some((base, head)) = range.split_once("..").filter(|(_, head)| !head.starts_with('.')) else {
                let what = format!("`{}` is no range", escape::clipped(range, 80));
                return Err(Error::usage(what, "git comm boundary check --range BASE..HEAD"));
            };
            let rev = |rev: &str| {
                let rev = if rev.is_empty() { "HEAD" } else { rev };
                repo.resolve_rev(rev)?.ok_or_else(|| Error::unknown("revision", rev))
            };
            only.report_range(change::range(repo, rev(base)?, rev(head)?)?)
        }
        (None, None) => only.report(change::index(context)?),
    };
    app.report(&boundary_view::report(&report), &[boundary_view::standing(&report)])?;
    Ok(if report.passes() { Exit::Done } else { Exit::No })
}

/// Write the known violations, or make their list smaller
#[derive(Args)]
pub(super) struct BaselineArgs {}

pub(super) fn baseline(_: BaselineArgs, app: &mut App<'_>) -> Outcome {
    let written = boundary::baseline::write(app.context()?)?;
    app.show(&boundary_view::written(&written))?;
    Ok(Exit::Done)
}

/// Print the JSON schema of comm.toml
#[derive(Args)]
pub(super) struct SchemaArgs {}

pub(super) fn schema(_: SchemaArgs, app: &mut App<'_>) -> Outcome {
    let schema = crate::config::schema::schema();
    let text = crate::config::schema::text(&schema);
    app.show(&Answer { text, json: json!({ "schema": schema }) })?;
    Ok(Exit::Done)
}

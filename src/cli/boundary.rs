//! Boundaries: which file may import which.

mod explain;
mod graph;
mod init;

use clap::Args;
use serde_json::{Value, json};

pub(super) use self::explain::{ExplainArgs, explain};
pub(super) use self::graph::{GraphArgs, graph};
pub(super) use self::init::{InitArgs, init};
use super::app::{App, Outcome};
use crate::ops::error::{Error, Exit, plural};
use crate::ops::{boundary, rules};
use crate::render::Answer;
use crate::render::findings::Report;

/// Check that imports keep to the rules of comm.toml
#[derive(Args)]
pub(super) struct CheckArgs {
    /// What is staged (the default)
    #[arg(long, conflicts_with = "rev")]
    staged: bool,
    /// The tree of this commit, under its own rules
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
}

pub(super) fn check(args: CheckArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let repo = context.store.repo();
    let reader = boundary::Reader::new(repo);
    let checked = match &args.rev {
        Some(rev) => {
            let commit = repo.resolve_rev(rev)?.ok_or_else(|| Error::unknown("revision", rev))?;
            let own = rules::at(repo, Some(commit))?.unwrap_or_default();
            reader.commit(commit, &[&own])?
        }
        None => reader.staged(&[&rules::staged(repo)?])?,
    };
    let mut text = String::new();
    let mut findings: Vec<Value> = Vec::new();
    for finding in &checked.findings {
        text.push_str(&format!("{finding}\n  {}\n", finding.how));
        findings.push(json!({
            "code": finding.code, "file": finding.shown_path(), "line": finding.line,
            "what": finding.what, "how": finding.how,
        }));
    }
    let files: usize = checked.files.values().sum();
    text.push_str(&format!(
        "{} checked, {}, {}\n",
        plural(files, "file"),
        plural(checked.imports, "import"),
        plural(checked.findings.len(), "finding")
    ));
    let json = json!({ "files": checked.files, "imports": checked.imports, "findings": findings });
    let report = Report::new("boundary", files, "file", &checked.findings);
    app.report(&Answer { text, json }, &[report])?;
    // Nothing was looked at: that is no proof of anything.
    Ok(if checked.findings.is_empty() && files > 0 { Exit::Done } else { Exit::No })
}

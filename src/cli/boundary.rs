//! Boundaries: which file may import which.

use clap::Args;
use serde_json::{Value, json};

use super::app::{App, Outcome};
use crate::ops::error::{Error, Exit, plural};
use crate::ops::{boundary, rules};
use crate::render::Answer;
use crate::text::escape;

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
    app.show(&Answer { text, json })?;
    // Nothing was looked at: that is no proof of anything.
    Ok(if checked.findings.is_empty() && files > 0 { Exit::Done } else { Exit::No })
}

/// Show which file imports which
#[derive(Args)]
pub(super) struct GraphArgs {
    /// Of the tree of this commit; else of what is staged
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
}

pub(super) fn graph(args: GraphArgs, app: &mut App<'_>) -> Outcome {
    let context = app.context()?;
    let repo = context.store.repo();
    let commit = match &args.rev {
        Some(rev) => Some(repo.resolve_rev(rev)?.ok_or_else(|| Error::unknown("revision", rev))?),
        None => None,
    };
    let edges = boundary::Reader::new(repo).edges(commit)?;
    let mut text = String::new();
    for edge in edges.iter().filter(|edge| edge.target.kind() == "file") {
        text.push_str(&format!("{} -> {}\n", escape::line(&edge.from), escape::line(edge.target.name())));
    }
    let edges: Vec<Value> = edges
        .iter()
        .map(|edge| {
            json!({
                "from": edge.from, "line": edge.import.line, "import": edge.import.specifier,
                "kind": edge.import.kind.as_str(), "names": edge.import.names,
                "target": edge.target.kind(), "to": edge.target.name(),
            })
        })
        .collect();
    app.show(&Answer { text, json: json!({ "edges": edges }) })?;
    Ok(Exit::Done)
}

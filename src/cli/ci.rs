//! CI: the gates over a range of commits.

use clap::Args;
use serde_json::{Value, json};

use super::app::{App, Outcome};
use crate::ops::ci;
use crate::ops::error::Exit;
use crate::render::Answer;
use crate::render::columns::aligned;

/// Verify every gate over a range of commits
#[derive(Args)]
pub(super) struct CiArgs {
    /// The commit that the range starts after; its rules judge the range
    #[arg(long, value_name = "REV")]
    base: String,
    /// The last commit of the range
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    head: String,
}

pub(super) fn ci(args: CiArgs, app: &mut App<'_>) -> Outcome {
    let ci::Verdict { gates, note } = ci::judge(app.context()?, &args.base, &args.head)?;
    let errors = |gate: &ci::Gate| gate.findings.iter().filter(|finding| finding.is_error()).count();
    let status = |gate: &ci::Gate| match (gate.checked, errors(gate)) {
        (0, _) => "nothing to judge",
        (_, 0) => "pass",
        _ => "fail",
    };
    // What a gate does not look at needs no line, unless none looks at anything.
    let is_idle = gates.iter().all(|gate| gate.checked == 0);
    let rows: Vec<Vec<String>> = gates
        .iter()
        .filter(|gate| is_idle || gate.checked > 0)
        .map(|g| {
            let count = crate::ops::error::plural(g.checked, "commit");
            vec![
                g.name.to_owned(),
                status(g).to_owned(),
                count,
                crate::ops::error::plural(errors(g), "finding"),
            ]
        })
        .collect();
    let mut text = aligned(&rows);
    let mut objects: Vec<Value> = Vec::new();
    for gate in &gates {
        let mut findings = Vec::new();
        for finding in &gate.findings {
            let commit = finding.commit.clone().unwrap_or_default();
            let short = commit.get(..10).unwrap_or(&commit);
            let weight = if finding.is_error() { "" } else { "warning: " };
            text.push_str(&format!("\n{weight}{short} {}: {finding}\n", finding.code));
            for line in finding.details().iter().chain([&finding.how]) {
                text.push_str(&format!("  {line}\n"));
            }
            findings.push(json!({
                "code": finding.code, "severity": finding.severity.as_str(), "commit": commit,
                "file": finding.shown_path(), "line": finding.line,
                "what": finding.what, "how": finding.how,
            }));
        }
        objects.push(json!({ "name": gate.name, "status": status(gate), "checked": gate.checked, "findings": findings }));
    }
    if let Some(note) = &note {
        text.push_str(&format!("note: {note}\n"));
    }
    app.show(&Answer { text, json: json!({ "gates": objects, "note": note }) })?;
    let clean = gates.iter().all(|g| errors(g) == 0);
    Ok(if clean { Exit::Done } else { Exit::No })
}

//! What a check of imports found.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Answer;
use super::findings::{self, Found, Standing};
use crate::boundary::excuses::Excuse;
use crate::gate::finding::Finding;
use crate::ops::boundary::baseline::Written;
use crate::ops::boundary::check::Report;
use crate::ops::error::plural;
use crate::text::escape;

/// Suppressions that are listed; the rest is counted.
const LISTED: usize = 20;

/// What was found, for people and for programs.
pub fn report(report: &Report) -> Answer {
    let mut text = String::new();
    let (errors, warnings): (Vec<&Finding>, Vec<&Finding>) =
        report.findings.iter().partition(|finding| finding.is_error());
    for finding in &errors {
        text.push_str(&told(finding));
    }
    for finding in &warnings {
        text.push_str(&format!("warning: {}", told(finding)));
    }
    let mut suppressed = Vec::new();
    // One entry can stand for an import that breaks several rules.
    let mut entries = BTreeSet::new();
    for excused in &report.excused {
        match &excused.excuse {
            Excuse::Known => {
                let (_, path, target, kind) = excused.finding.identity();
                entries.insert((path, target, kind));
            }
            Excuse::Allowed(reason) => suppressed.push((&excused.finding, reason)),
        }
    }
    let known = entries.len();
    for (finding, reason) in suppressed.iter().take(LISTED) {
        let place = format!("{}:{}: {}", finding.shown_path(), finding.line, finding.code);
        text.push_str(&format!("suppressed: {place} {}\n", escape::line(reason)));
    }
    if suppressed.len() > LISTED {
        text.push_str(&format!("suppressed: {} more\n", suppressed.len() - LISTED));
    }
    if let Some(note) = &report.note {
        text.push_str(&format!("note: {}\n", escape::line(note)));
    }
    text.push_str(&summary(report, errors.len(), warnings.len(), suppressed.len(), known));
    let all = |findings: &[&Finding]| findings.iter().map(|finding| json(finding)).collect::<Vec<_>>();
    let suppressed: Vec<Value> = suppressed
        .iter()
        .map(|(finding, reason)| {
            let mut object = json(finding);
            object["suppressed"] = reason.as_str().into();
            object
        })
        .collect();
    let json = json!({
        "violations": all(&errors),
        "warnings": all(&warnings),
        "suppressed": suppressed,
        "known": known,
        "files_checked": report.files_checked(),
        "files": report.files,
        "imports": report.imports,
        "commits": report.commits,
        "note": report.note,
    });
    Answer { text, json }
}

/// The same for the formats of other programs.
pub fn standing(report: &Report) -> findings::Report<'_> {
    let (checked, unit) = (report.files_checked(), "file");
    let mut told = findings::Report::new("boundary", checked, unit, &report.findings);
    for excused in &report.excused {
        let standing = match &excused.excuse {
            Excuse::Known => Standing::Known,
            Excuse::Allowed(reason) => Standing::Suppressed(reason),
        };
        told.found.push(Found { finding: &excused.finding, standing });
    }
    told
}

/// A finding with all that is known of it.
fn told(finding: &Finding) -> String {
    let commit = finding.commit.as_deref().map(|commit| format!("{} ", commit.get(..10).unwrap_or(commit)));
    let mut text = format!("{}{finding}\n", commit.unwrap_or_default());
    for line in finding.details() {
        text.push_str(&format!("  {}\n", escape::line(&line)));
    }
    text.push_str(&format!("  {}\n", escape::line(&finding.how)));
    text
}

fn summary(report: &Report, errors: usize, warnings: usize, suppressed: usize, known: usize) -> String {
    let files = report.files_checked();
    let mut parts = vec![format!("{} checked", plural(files, "file")), plural(report.imports, "import")];
    if let Some(commits) = report.commits {
        parts.insert(0, plural(commits, "commit"));
    }
    parts.push(plural(errors, "finding"));
    for (count, what) in [(warnings, "warning"), (suppressed, "suppressed"), (known, "in the baseline")] {
        if count > 0 {
            parts.push(if what == "warning" { plural(count, what) } else { format!("{count} {what}") });
        }
    }
    let mut text = format!("{}\n", parts.join(", "));
    if files == 0 {
        text.push_str("nothing was looked at, so that nothing is proved\n");
    }
    text
}

/// A finding for programs.
fn json(finding: &Finding) -> Value {
    let crossing = finding.crossing.clone().unwrap_or_default();
    json!({
        "code": finding.code,
        "severity": finding.severity.as_str(),
        "file": finding.shown_path(),
        "line": finding.line,
        "commit": finding.commit,
        "import": crossing.import,
        "kind": crossing.kind,
        "target": crossing.target,
        "domain": crossing.domain,
        "owner": crossing.owner,
        "rule": crossing.rule,
        "rule_line": crossing.rule_line,
        "reason": crossing.reason,
        "instead": crossing.instead,
        "chain": crossing.chain,
        "what": finding.what,
        "how": finding.how,
    })
}

/// After `boundary baseline`.
pub fn written(written: &Written) -> Answer {
    let path = escape::line(&written.path);
    let known = plural(written.kept, "known violation");
    let mut text = match (written.is_new, written.removed) {
        (true, _) => format!("wrote {path} with {known}\n"),
        (false, 0) => format!("{path} stays as it is, with {known}\n"),
        (false, removed) => format!("took {removed} out of {path}, {known} left\n"),
    };
    if written.left > 0 {
        text.push_str(&format!("{} not in it: git comm boundary check\n", plural(written.left, "finding")));
    }
    text.push_str(&format!("next: git add {path}\n"));
    let json = json!({
        "path": written.path, "created": written.is_new, "kept": written.kept,
        "removed": written.removed, "left": written.left, "next": format!("git add {}", written.path),
    });
    Answer { text, json }
}

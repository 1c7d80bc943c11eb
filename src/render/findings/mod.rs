//! What gates found, in the formats that other programs read. A file for each
//! format; adding one takes a file and a line of [`print()`].

mod codes;
mod github;
mod junit;
mod sarif;

use crate::gate::finding::Finding;
use crate::text::escape;

/// What one gate looked at and found.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// The gate's name, as `ci` has it.
    pub gate: &'a str,
    /// How many things it looked at; none is no proof of anything.
    pub checked: usize,
    /// What they are, in the singular: `file`, `commit`.
    pub unit: &'a str,
    /// What it found, in the order to be told.
    pub found: Vec<Found<'a>>,
}

/// A finding, and what was known of it before.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// What was found.
    pub finding: &'a Finding,
    /// Whether it counts.
    pub standing: Standing<'a>,
}

/// Whether a finding counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// It does.
    New,
    /// It is in the baseline.
    Known,
    /// A comment in the source says why it is let pass.
    Suppressed(&'a str),
}

/// A format for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// SARIF 2.1.0, as code scanners exchange it.
    Sarif,
    /// JUnit XML, as test runners write it.
    Junit,
    /// Workflow commands of GitHub Actions, which become annotations.
    Github,
}

/// The whole document, with a final line feed.
pub fn print(format: Format, reports: &[Report<'_>]) -> String {
    match format {
        Format::Sarif => sarif::document(reports),
        Format::Junit => junit::document(reports),
        Format::Github => github::commands(reports),
    }
}

impl<'a> Report<'a> {
    /// The report of findings that all count.
    pub fn new(gate: &'a str, checked: usize, unit: &'a str, findings: &'a [Finding]) -> Self {
        let found = findings.iter().map(|finding| Found { finding, standing: Standing::New }).collect();
        Self { gate, checked, unit, found }
    }

    /// What it looked at, in words.
    fn counted(&self) -> String {
        format!("{} checked", crate::ops::error::plural(self.checked, self.unit))
    }
}

impl Found<'_> {
    /// Whether it stops what is judged.
    fn is_error(&self) -> bool {
        self.standing == Standing::New && self.finding.is_error()
    }

    /// What it is, where to have it done, and what is known besides, a line
    /// each.
    fn text(&self) -> String {
        let finding = self.finding;
        let lines = std::iter::once(finding.what.clone()).chain(finding.details());
        let lines = lines.chain((!finding.how.is_empty()).then(|| finding.how.clone()));
        lines.map(|line| escape::line(&line).into_owned()).collect::<Vec<_>>().join("\n")
    }

    /// Where it is, for people: the file with its line, else the commit.
    fn place(&self) -> String {
        let finding = self.finding;
        match (&finding.commit, finding.path.is_empty()) {
            (Some(commit), true) => commit.get(..10).unwrap_or(commit).to_owned(),
            (None, true) => String::new(),
            _ if finding.line > 0 => format!("{}:{}", finding.shown_path(), finding.line),
            _ => finding.shown_path(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A finding, as all tests of the formats make one.
    pub(super) fn finding(code: &'static str, path: &[u8], line: usize, what: &str) -> Finding {
        let how = "ask: git comm msg send --to person TEXT".to_owned();
        Finding::new(code, path, what.to_owned(), how).at(line)
    }
}

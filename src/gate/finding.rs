//! What a gate found.

use std::fmt;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It stops nobody, and is said.
    Warning,
    /// The gate stays shut.
    Error,
}

impl Severity {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing that a gate remarks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind it is: a word for programs, stable.
    pub code: &'static str,
    /// Whether it stops what was tried.
    pub severity: Severity,
    /// The file that it is about, as git has it; empty if it is about the
    /// commit itself.
    pub path: Vec<u8>,
    /// The line that it is on, from 1; 0 if it is about the file as a whole.
    pub line: usize,
    /// The commit that it is in, when a range is judged.
    pub commit: Option<String>,
    /// What is wrong, in one line.
    pub what: String,
    /// Whom to ask and how to get it done. Never a way around the gate.
    pub how: String,
    /// The import that it is about, if it is about one.
    pub crossing: Option<Box<Crossing>>,
}

/// An import that breaks a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crossing {
    /// As it is written.
    pub import: String,
    /// How the one file needs the other: `static`, `type`, `dynamic`, `mock`.
    pub kind: &'static str,
    /// What it leads to: a file, `pkg:NAME`, or for what is missing the import
    /// as it is written.
    pub target: String,
    /// The domain of the target; empty if it has none.
    pub domain: String,
    /// Whom to ask about that domain; empty if nobody is named.
    pub owner: String,
    /// The rule, as it is written; empty if none is.
    pub rule: String,
    /// The rule's line of `comm.toml`; 0 if none says so.
    pub rule_line: usize,
    /// Why there is the rule, in the words of who wrote it.
    pub reason: String,
    /// Public files from which the same is to be had.
    pub instead: Vec<String>,
    /// How one comes from the file to what it must not reach, or around a
    /// cycle: files, or domains of a cycle between domains.
    pub chain: Vec<String>,
}

impl Finding {
    /// A finding that stops what was tried, about a file as a whole.
    pub fn new(code: &'static str, path: impl Into<Vec<u8>>, what: String, how: String) -> Self {
        Self {
            code,
            severity: Severity::Error,
            path: path.into(),
            line: 0,
            commit: None,
            what,
            how,
            crossing: None,
        }
    }

    /// The same at a line, from 1.
    #[must_use]
    pub fn at(self, line: usize) -> Self {
        Self { line, ..self }
    }

    /// The same with another weight.
    #[must_use]
    pub fn weighing(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// Whether it stops what was tried.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The file for printing.
    pub fn shown_path(&self) -> String {
        crate::text::escape::bytes(&self.path)
    }

    /// More about it, a line each: the chain, the reason, what to use instead.
    pub fn details(&self) -> Vec<String> {
        let Some(crossing) = &self.crossing else { return Vec::new() };
        let mut lines = Vec::new();
        if !crossing.chain.is_empty() {
            lines.push(format!("chain: {}", crossing.chain.join(" -> ")));
        }
        if !crossing.reason.is_empty() {
            lines.push(format!("why: {}", crossing.reason));
        }
        if !crossing.instead.is_empty() {
            lines.push(format!("instead: {}", crossing.instead.join(", ")));
        }
        lines
    }

    /// What makes it the same finding in two trees: neither its line, nor how
    /// it is worded.
    pub fn identity(&self) -> (&'static str, &[u8], &str, &str) {
        match &self.crossing {
            Some(crossing) => (self.code, &self.path, &crossing.target, crossing.kind),
            None => (self.code, &self.path, &self.what, ""),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.is_empty() {
            true => f.write_str(&self.what),
            false if self.line > 0 => {
                write!(f, "{}:{}: {} {}", self.shown_path(), self.line, self.code, self.what)
            }
            // What is said of a file's scope needs no code to be understood.
            false if super::code::is_known(self.code) => {
                write!(f, "{}: {} {}", self.shown_path(), self.code, self.what)
            }
            false => write!(f, "{}: {}", self.shown_path(), self.what),
        }
    }
}

//! What a gate found.

use std::fmt;

/// One thing that a gate stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind it is: a word for programs, stable.
    pub code: &'static str,
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
}

impl Finding {
    /// The file for printing.
    pub fn shown_path(&self) -> String {
        crate::text::escape::bytes(&self.path)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.is_empty() {
            true => f.write_str(&self.what),
            false if self.line > 0 => {
                write!(f, "{}:{}: {} {}", self.shown_path(), self.line, self.code, self.what)
            }
            false => write!(f, "{}: {}", self.shown_path(), self.what),
        }
    }
}

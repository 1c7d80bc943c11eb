//! Agent harnesses: what they tell a hook, what they expect as an answer, and
//! where their settings are.
//!
//! Each harness is one file that says what is special about it; everything
//! else works on a [`Call`]. What was verified, and against which version, is
//! in `docs/harnesses.md`.

pub mod after;
pub mod block;
mod call;
pub mod check;
mod claude;
mod codex;
mod cursor;
pub mod edit;
mod files;
mod gemini;
mod jsonc;
mod merge;
mod patch;
mod place;
pub mod setup;
mod told;

pub use call::Call;
pub use files::{Change, Planned};

use serde_json::{Value, json};

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A session starts or resumes.
    SessionStart,
    /// A prompt was given.
    Turn,
    /// A file is about to be written.
    PreEdit,
    /// A shell command has run.
    PostShell,
}

impl Moment {
    /// All of them, in the order in which they are installed.
    pub const ALL: [Self; 4] = [Self::PreEdit, Self::PostShell, Self::SessionStart, Self::Turn];

    /// The verb that it runs.
    pub fn verb(self) -> &'static str {
        match self {
            Self::SessionStart => "session-start",
            Self::Turn => "turn",
            Self::PreEdit => "pre-edit",
            Self::PostShell => "post-bash",
        }
    }
}

/// What is special about one harness.
#[derive(Debug)]
pub struct Format {
    /// Its name, as `setup harness` takes it.
    pub name: &'static str,
    /// Its project's settings, relative to the top of the worktree.
    pub settings: &'static str,
    /// Settings that are not shared with others, where it has such.
    pub local_settings: Option<&'static str>,
    /// Its names for the moments, with what they are narrowed to: a pattern
    /// of tool names, or nothing.
    events: fn(Moment) -> (&'static str, Option<&'static str>),
    /// Tools that write files, with the fields that name them.
    edits: &'static [(&'static str, &'static [&'static str])],
    /// Tools whose input may hold a patch.
    patches: &'static [&'static str],
    /// Whether only this harness makes such a call.
    owns: fn(&Value) -> bool,
    /// The answer that stops an edit.
    deny: fn(reason: &str) -> Value,
    /// The answer that tells the model something.
    tell: fn(Moment, event: &str, text: &str) -> Value,
    /// What is printed when there is nothing to say.
    silence: &'static str,
    /// Seconds or milliseconds: how long a hook may take, as its settings
    /// count it.
    timeout: u64,
    /// Whether its settings list handlers directly, not in groups.
    flat: bool,
    /// Fields that a new settings file needs beside the hooks.
    preamble: fn() -> Vec<(&'static str, Value)>,
}

/// All harnesses.
pub const ALL: [&Format; 4] = [&claude::FORMAT, &codex::FORMAT, &gemini::FORMAT, &cursor::FORMAT];

/// The harness with this name.
pub fn named(name: &str) -> Option<&'static Format> {
    ALL.into_iter().find(|f| f.name == name)
}

impl Format {
    /// The printed answer that stops an edit.
    pub fn deny(&self, reason: &str) -> String {
        printed(&(self.deny)(reason))
    }

    /// The printed answer that tells the model something, or that there is
    /// nothing to say.
    pub fn tell(&self, moment: Moment, text: &str) -> String {
        if text.is_empty() {
            return self.silence().to_owned();
        }
        let (event, _) = (self.events)(moment);
        printed(&(self.tell)(moment, event, text))
    }

    /// The printed answer that changes nothing.
    pub fn silence(&self) -> &'static str {
        self.silence
    }
}

fn printed(answer: &Value) -> String {
    format!("{}\n", crate::text::json::printable(&answer.to_string()))
}

/// The deny answer that two harnesses share.
fn permission_denied(reason: &str) -> Value {
    json!({ "hookSpecificOutput": {
        "hookEventName": "PreToolUse",
        "permissionDecision": "deny",
        "permissionDecisionReason": reason,
    } })
}

/// The context answer that three harnesses share.
fn additional_context(_: Moment, event: &str, text: &str) -> Value {
    json!({ "hookSpecificOutput": { "hookEventName": event, "additionalContext": text } })
}

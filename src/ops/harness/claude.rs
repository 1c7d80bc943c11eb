//! Claude Code.

use super::{Format, Moment, additional_context, permission_denied};

pub(super) const FORMAT: Format = Format {
    name: "claude",
    settings: ".claude/settings.json",
    local_settings: Some(".claude/settings.local.json"),
    events,
    edits: &[
        ("Edit", &["file_path"]),
        ("Write", &["file_path"]),
        ("MultiEdit", &["file_path"]),
        ("NotebookEdit", &["notebook_path"]),
    ],
    patches: &["Bash"],
    // The others derive from its format, so it is what remains.
    owns: |_| false,
    deny: permission_denied,
    tell: additional_context,
    silence: "",
    timeout: 10,
    flat: false,
    preamble: Vec::new,
};

fn events(moment: Moment) -> (&'static str, Option<&'static str>) {
    match moment {
        Moment::SessionStart => ("SessionStart", None),
        Moment::Turn => ("UserPromptSubmit", None),
        Moment::PreEdit => ("PreToolUse", Some("Edit|Write|MultiEdit|NotebookEdit")),
        Moment::PostShell => ("PostToolUse", Some("Bash")),
    }
}

//! Codex CLI. Its answers are read with unknown fields refused, and an allow
//! without a rewritten input is an error: what is allowed prints nothing.

use super::{Format, Moment, additional_context, permission_denied};

pub(super) const FORMAT: Format = Format {
    name: "codex",
    settings: ".codex/hooks.json",
    local_settings: None,
    events,
    // Edits are patches; these two names only ever select hooks.
    edits: &[("Edit", &["file_path"]), ("Write", &["file_path"])],
    patches: &["apply_patch", "Bash", "shell", "local_shell", "shell_command", "exec_command"],
    owns: |call| call.get("turn_id").is_some() && call.get("model").is_some(),
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
        // A patch also arrives through the shell.
        Moment::PreEdit => ("PreToolUse", Some("apply_patch|Bash")),
        Moment::PostShell => ("PostToolUse", Some("Bash")),
    }
}

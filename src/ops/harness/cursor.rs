//! Cursor: editor and command line. It also runs the hooks of Claude Code's
//! settings, with calls of its own shape: what a call looks like decides how
//! it is answered, not how the hook was installed.

use serde_json::{Value, json};

use super::{Format, Moment};

const PATHS: &[&str] = &["file_path", "path", "target_file", "target_notebook", "notebook_path"];

pub(super) const FORMAT: Format = Format {
    name: "cursor",
    settings: ".cursor/hooks.json",
    local_settings: None,
    events,
    edits: &[
        ("Write", PATHS),
        ("StrReplace", PATHS),
        ("Edit", PATHS),
        ("MultiEdit", PATHS),
        ("Delete", PATHS),
        ("EditNotebook", PATHS),
        ("NotebookEdit", PATHS),
        ("TabWrite", PATHS),
        ("edit_file", PATHS),
        ("search_replace", PATHS),
        ("delete_file", PATHS),
    ],
    patches: &["ApplyPatch", "apply_patch", "Shell", "Bash"],
    owns: |call| {
        let event = call.get("hook_event_name").and_then(|e| e.as_str()).unwrap_or_default();
        call.get("cursor_version").is_some()
            || matches!(event, "preToolUse" | "postToolUse" | "sessionStart" | "beforeSubmitPrompt")
    },
    // The model was seen to get the text for the user, so both are the same.
    deny: |reason| json!({ "permission": "deny", "user_message": reason, "agent_message": reason }),
    tell,
    // The editor takes an empty answer for a broken hook.
    silence: "{}\n",
    timeout: 10,
    flat: true,
    preamble: || vec![("version", 1.into())],
};

fn events(moment: Moment) -> (&'static str, Option<&'static str>) {
    match moment {
        Moment::SessionStart => ("sessionStart", None),
        Moment::Turn => ("beforeSubmitPrompt", None),
        Moment::PreEdit => ("preToolUse", Some("Write|StrReplace|Edit|Delete|EditNotebook|ApplyPatch")),
        Moment::PostShell => ("postToolUse", Some("Shell")),
    }
}

fn tell(moment: Moment, _: &str, text: &str) -> Value {
    match moment {
        Moment::Turn => json!({ "continue": true, "additional_context": text }),
        _ => json!({ "additional_context": text }),
    }
}

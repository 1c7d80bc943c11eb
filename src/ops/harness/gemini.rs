//! Gemini CLI.

use serde_json::json;

use super::{Format, Moment, additional_context};

pub(super) const FORMAT: Format = Format {
    name: "gemini",
    settings: ".gemini/settings.json",
    local_settings: None,
    events,
    edits: &[("write_file", &["file_path"]), ("replace", &["file_path"])],
    patches: &["run_shell_command"],
    owns: |call| {
        let event = call.get("hook_event_name").and_then(|e| e.as_str()).unwrap_or_default();
        // Events that the others have too come with a time here.
        matches!(event, "BeforeTool" | "AfterTool" | "BeforeAgent")
            || (event == "SessionStart" && call.get("timestamp").is_some())
    },
    deny: |reason| json!({ "decision": "deny", "reason": reason }),
    tell: additional_context,
    silence: "",
    timeout: 10_000,
    flat: false,
    preamble: Vec::new,
};

fn events(moment: Moment) -> (&'static str, Option<&'static str>) {
    match moment {
        Moment::SessionStart => ("SessionStart", None),
        Moment::Turn => ("BeforeAgent", None),
        Moment::PreEdit => ("BeforeTool", Some("write_file|replace")),
        Moment::PostShell => ("AfterTool", Some("run_shell_command")),
    }
}

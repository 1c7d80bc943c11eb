//! The log.

use serde_json::{Value, json};

use super::Answer;
use super::columns::aligned;
use crate::ops::history::Happening;
use crate::text::escape;

/// Events, a line each, oldest first.
pub fn log(events: &[Happening]) -> Answer {
    let cells = |event: &Happening| {
        let head = &event.head;
        let subject = match event.kind {
            "message" | "note" => String::new(),
            _ => event.id.clone(),
        };
        vec![
            head.at.to_second(),
            head.agent.as_ref().map(ToString::to_string).unwrap_or_else(|| "merge".into()),
            escape::line(event.verb()).into_owned(),
            subject,
            escape::clipped(&gist(event), 80),
        ]
    };
    let mut text = aligned(&events.iter().map(cells).collect::<Vec<_>>());
    text.push_str(&format!("{}\n", crate::ops::error::plural(events.len(), "event")));
    let events: Vec<Value> = events.iter().map(json_of).collect();
    let total = events.len();
    Answer { text, json: json!({ "events": events, "total": total }) }
}

/// What is worth saying of an event in a few words.
fn gist(event: &Happening) -> String {
    let e = &event.head.event;
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    match event.verb() {
        "create" => text(e.get("title")),
        "comment" | "note" => text(e.get("body")),
        "send" => format!("to {}: {}", text(e.get("to")), text(e.get("body"))),
        "claim" | "steal" | "handover" => {
            let claim = e.get("claim");
            let until = text(claim.and_then(|c| c.get("expires_at")));
            let from = text(e.get("from"));
            let from = if from.is_empty() { from } else { format!(" from {from}") };
            let reason = text(e.get("reason"));
            let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
            format!(
                "{}{from} until {}{reason}",
                text(claim.and_then(|c| c.get("agent"))),
                until.get(11..16).map(|t| format!("{t}Z")).unwrap_or(until)
            )
        }
        "edit" => {
            let fields: Vec<&str> = e
                .as_object()
                .into_iter()
                .flatten()
                .map(|(k, _)| k.as_str())
                .filter(|k| *k != "type")
                .collect();
            fields.join(", ")
        }
        "pause" => format!("{}: {}", text(e.get("scope")), text(e.get("reason"))),
        "resume" => text(e.get("scope")),
        "refused" => {
            let findings = e.get("findings").and_then(Value::as_array);
            // Codes of imports are worth a word; the others only repeat the gate.
            let path = |f: &Value| match text(f.get("code")) {
                code if code.starts_with('B') => match text(f.get("target")) {
                    to if to.is_empty() => format!("{code} {}", text(f.get("path"))),
                    to => format!("{code} {} -> {to}", text(f.get("path"))),
                },
                _ => text(f.get("path")),
            };
            let paths: Vec<String> = findings.into_iter().flatten().map(path).collect();
            let what = if paths.is_empty() { text(e.get("what")) } else { paths.join(", ") };
            let what = if what.is_empty() { what } else { format!(": {what}") };
            format!("{}{what}", text(e.get("gate")))
        }
        _ => text(e.get("reason")),
    }
}

/// An event for programs: everything that its version stores but the state.
fn json_of(event: &Happening) -> Value {
    let head = &event.head;
    json!({
        "kind": event.kind,
        "id": event.id,
        "at": head.at,
        "agent": head.agent,
        "session": head.session,
        "clone": head.clone,
        "seq": head.seq,
        "commit": event.oid.to_string(),
        "event": head.event,
    })
}

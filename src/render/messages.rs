//! Messages. What another agent wrote is shown as quoted data with its
//! source, never as this program's own words.

use serde_json::{Value, json};

use super::Answer;
use crate::model::entry::Entry;
use crate::ops::messages::Inbox;
use crate::store::Link;
use crate::text::escape;
use crate::text::time::Timestamp;

/// The unread messages.
pub fn inbox(inbox: &Inbox, now: Timestamp) -> Answer {
    let mut text = String::new();
    for link in &inbox.messages {
        let (to, body) = parts(link);
        text.push_str(&format!(
            "{} {} from {} to {}\n",
            link.id(),
            link.version.head.at.short(now),
            from(link),
            escape::line(&to)
        ));
        for line in escape::block(body.trim_end()).lines() {
            text.push_str(&format!("> {line}\n"));
        }
    }
    let count = crate::ops::error::plural(inbox.messages.len(), "message");
    match inbox.more {
        0 => text.push_str(&format!("{count}\n")),
        more => text.push_str(&format!("{count}, {more} more; next: git comm inbox\n")),
    }
    let messages: Vec<Value> = inbox.messages.iter().map(json_of).collect();
    Answer {
        text,
        json: json!({ "messages": messages, "total": inbox.messages.len() + inbox.more, "more": inbox.more }),
    }
}

/// A message for programs.
pub fn json_of(link: &Link) -> Value {
    let (to, body) = parts(link);
    json!({
        "id": link.id(),
        "from": link.version.head.agent,
        "to": to,
        "at": link.version.head.at,
        "kind": "message",
        "body": body,
    })
}

fn parts(link: &Link) -> (String, String) {
    match link.entry() {
        Entry::Send { to, body, .. } => (to, body),
        Entry::Note { body, .. } => (String::new(), body),
        Entry::Refused { .. } | Entry::Unknown => (String::new(), String::new()),
    }
}

fn from(link: &Link) -> String {
    link.version.head.agent.as_ref().map(ToString::to_string).unwrap_or_default()
}

//! What answers look like: to people and models as short aligned text, to
//! programs as JSON. Knows neither arguments nor how answers come about.

pub mod answer;
pub mod boundary;
pub mod columns;
pub mod demo;
pub mod doctor;
pub mod document;
pub mod error;
pub mod events;
pub mod findings;
pub mod graph;
pub mod hooks;
pub mod markdown;
pub mod messages;
pub mod prime;
pub mod roff;
pub mod status;
pub mod sync;
pub mod tasks;
pub mod worktrees;
pub mod xml;

use serde_json::Value;

use crate::text::json;

/// An answer in both of its forms.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Text, with a final line feed unless empty.
    pub text: String,
    /// JSON object without the envelope's `v`.
    pub json: Value,
}

/// Version of the printed JSON: only ever added to.
pub const JSON_VERSION: u64 = 1;

/// The printed form of an answer's JSON.
pub fn envelope(json: &Value) -> String {
    let mut object = serde_json::Map::new();
    object.insert("v".into(), JSON_VERSION.into());
    if let Value::Object(fields) = json {
        object.extend(fields.iter().map(|(k, v)| (k.clone(), v.clone())));
    }
    let text = Value::Object(object).to_string();
    format!("{}\n", json::printable(&text))
}

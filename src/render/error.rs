//! How a request that ended without success is told.

use serde_json::json;

use super::envelope;
use crate::ops::error::Error;
use crate::text::escape;

/// Lines below an error before the rest is only counted.
const DETAILS: usize = 10;

/// For people: what, about which thing, what is true now; then what to type.
pub fn text(error: &Error) -> String {
    let mut out = format!("error: {}", escape::line(&error.to_string()));
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        let source_text = source.to_string();
        // A transparent error and its cause say the same.
        if !out.ends_with(&source_text) {
            out.push_str(": ");
            out.push_str(&escape::line(&source_text));
        }
        cause = source.source();
    }
    let details = error.details();
    for line in details.iter().take(DETAILS).flat_map(|detail| detail.split('\n')) {
        out.push_str(&format!("\n  {}", escape::line(line)));
    }
    if details.len() > DETAILS {
        out.push_str(&format!("\n  and {} more", details.len() - DETAILS));
    }
    out.push_str("\n\nhint: ");
    out.push_str(&escape::line(&error.hint()));
    out.push('\n');
    out
}

/// For programs.
pub fn json(error: &Error) -> String {
    let message = text(error);
    let message = message.strip_prefix("error: ").and_then(|m| m.split("\n\n").next()).unwrap_or_default();
    envelope(&json!({
        "error": {
            "kind": error.kind(),
            "message": message,
            "hint": escape::line(&error.hint()),
            "exit": error.exit().code(),
        }
    }))
}

//! What a sync did.

use serde_json::json;

use super::Answer;
use crate::ops::error::plural;
use crate::ops::sync::Synced;
use crate::text::escape;

/// The answer to `sync`.
pub fn synced(synced: &Synced, is_trial: bool) -> Answer {
    let counts = [
        (synced.received, "received"),
        (synced.merged, "merged"),
        (synced.sent, "sent"),
        (synced.healed, "restored there"),
    ];
    let moved: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let moved = if moved.is_empty() { "nothing to do".to_owned() } else { moved.join(", ") };
    let remote = escape::clipped(&synced.remote, 60);
    let adopted = if synced.adopted { ", board adopted" } else { "" };
    let would = if is_trial { " (not done)" } else { "" };
    let mut text = format!("{remote}: {moved}{adopted}{would}\n");
    for (old, new) in &synced.renamed {
        text.push_str(&format!("{old} is another task there: yours is {new} now\n"));
    }
    for (name, reason) in &synced.refused {
        text.push_str(&format!("refused {name}: {reason}\n"));
    }
    if !synced.refused.is_empty() {
        text.push_str(&format!("{} left as they are\n", plural(synced.refused.len(), "record")));
    }
    let refused: Vec<_> =
        synced.refused.iter().map(|(name, reason)| json!({ "ref": name, "reason": reason })).collect();
    let renamed: Vec<_> = synced.renamed.iter().map(|(old, new)| json!({ "from": old, "to": new })).collect();
    let json = json!({
        "remote": remote, "received": synced.received, "merged": synced.merged, "sent": synced.sent,
        "healed": synced.healed, "adopted": synced.adopted, "renamed": renamed, "refused": refused, "dry_run": is_trial,
    });
    Answer { text, json }
}

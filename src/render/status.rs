//! The board at a glance.

use serde_json::json;

use super::Answer;
use super::answer::{agent_cells, agent_json};
use super::columns::aligned;
use super::tasks::UNADOPTED;
use crate::ops::agents::Activity;
use crate::ops::status::Status;
use crate::text::escape;

/// Agents shown before the rest is only counted.
const AGENTS: usize = 30;

/// One screen: tasks by state, agents with what is left of their leases, what
/// waits for a person.
pub fn status(status: &Status) -> Answer {
    let counts: Vec<String> =
        status.counts.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{n} {name}")).collect();
    let mut text = format!(
        "{}: {}\n",
        crate::ops::error::plural(status.total, "task"),
        match (counts.is_empty(), status.is_unadopted) {
            (false, _) => counts.join(", "),
            (true, true) => UNADOPTED.into(),
            (true, false) => "add the first with git comm add TITLE".into(),
        }
    );
    let present: Vec<_> = status.agents.iter().filter(|a| a.activity != Activity::Retired).collect();
    if !present.is_empty() {
        text.push_str("\nagents\n");
        let rows: Vec<Vec<String>> = present
            .iter()
            .take(AGENTS)
            .map(|line| {
                let mut cells = agent_cells(line, status.now);
                cells[0].insert_str(0, "  ");
                cells
            })
            .collect();
        text.push_str(&aligned(&rows));
        if present.len() > AGENTS {
            text.push_str(&format!("  and {} more: git comm agent list\n", present.len() - AGENTS));
        }
    }
    if !status.waiting.is_empty() {
        text.push_str("\nfor a person\n");
        for line in &status.waiting {
            text.push_str(&format!("  {}\n", escape::clipped(line, 110)));
        }
    }
    let counts: serde_json::Map<String, serde_json::Value> =
        status.counts.iter().map(|(name, n)| ((*name).to_owned(), json!(n))).collect();
    let json = json!({
        "total": status.total,
        "counts": counts,
        "agents": status.agents.iter().map(agent_json).collect::<Vec<_>>(),
        "waiting": status.waiting,
        "now": status.now,
    });
    Answer { text, json }
}

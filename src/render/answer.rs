//! Short answers that need no view of their own.

use serde_json::{Value, json};

use super::Answer;
use crate::ops::agents::{Line, Lost};
use crate::ops::given::HandedOver;
use crate::ops::hooks;
use crate::ops::identity::{Identity, Who};
use crate::ops::init::Initialised;
use crate::ops::join::Found;
use crate::render::columns::aligned;
use crate::text::escape;
use crate::text::time::{Span, Timestamp};

/// A line, and JSON beside it.
pub fn line(text: impl Into<String>, json: Value) -> Answer {
    let mut text = text.into();
    if !text.is_empty() {
        text.push('\n');
    }
    Answer { text, json }
}

/// After `init`.
pub fn initialised(done: &Initialised, found: &Found, hooks: Option<&hooks::Done>, dry_run: bool) -> Answer {
    let ids = format!("(ids {}-1, {}-2, ...)", done.prefix, done.prefix);
    let mut text = match (done.created, dry_run) {
        (true, true) => format!("would make a board {ids}\n"),
        (true, false) => format!("made board {} {ids}\n", done.board),
        (false, _) => format!("found board {} {ids}\n", done.board),
    };
    if let Some(told) = found.told(done.created) {
        text.insert_str(0, &format!("{told}\n"));
    }
    if let Some(path) = &done.secret {
        text.push_str(&format!(
            "the person's secret is in {}\n",
            escape::bytes(path.to_string_lossy().as_bytes())
        ));
    }
    if let Some(hooks) = hooks {
        text.push_str(&super::hooks::changes(hooks));
    }
    text.push_str("next: git comm add TITLE\n");
    let mut json = json!({ "board": done.board, "prefix": done.prefix, "created": done.created, "adopted": found.is_adopted(), "next": "git comm add TITLE" });
    if let Some(hooks) = hooks {
        json["hooks"] = super::hooks::changes_json(hooks);
    }
    Answer { text, json }
}

/// Who asks.
pub fn whoami(identity: &Identity, clone: &str, held: &[String], handed: &[HandedOver]) -> Answer {
    let (kind, why) = match &identity.who {
        Who::Agent(_) => ("agent", ""),
        Who::Person(_) => ("person", ""),
        Who::Script(_) => ("script", ""),
        Who::Nobody(why) => ("nobody", *why),
    };
    let name = identity.name().map(ToString::to_string);
    let mut rows = vec![vec![kind.to_owned(), name.clone().unwrap_or_else(|| why.to_owned())]];
    if name.is_some() {
        rows.push(vec!["from".into(), identity.source.into()]);
        rows.push(vec!["session".into(), identity.session.clone()]);
    }
    rows.push(vec!["clone".into(), clone.to_owned()]);
    rows.push(vec!["worktree".into(), escape::line(&identity.worktree).into_owned()]);
    if !held.is_empty() {
        rows.push(vec!["holds".into(), held.join(" ")]);
    }
    let json = json!({
        "kind": kind, "name": name, "source": identity.source, "session": identity.session,
        "clone": clone, "worktree": identity.worktree, "holds": held,
        "handed_over": handed.iter().map(handed_json).collect::<Vec<_>>(),
    });
    let mut text = aligned(&rows);
    for handed in handed {
        text.push_str(&format!("{handed}\n"));
    }
    Answer { text, json }
}

/// A task that waits to be taken up, for programs.
pub fn handed_json(handed: &HandedOver) -> Value {
    json!({ "id": handed.task, "by": handed.by, "reason": handed.reason })
}

/// After a heartbeat.
pub fn heartbeat(name: &str, lost: &[Lost]) -> Answer {
    let mut text = format!("{name} is alive\n");
    for lost in lost {
        text.push_str(&format!("{lost}\n"));
    }
    let lost: Vec<Value> =
        lost.iter().map(|l| json!({ "id": l.task, "holder": l.holder, "token": l.token })).collect();
    Answer { text, json: json!({ "name": name, "lost": lost }) }
}

/// Everybody on the board.
pub fn agents(lines: &[Line], now: Timestamp) -> Answer {
    let mut text = aligned(&lines.iter().map(|l| agent_cells(l, now)).collect::<Vec<_>>());
    text.push_str(&format!("{}\n", crate::ops::error::plural(lines.len(), "agent")));
    let agents: Vec<Value> = lines.iter().map(agent_json).collect();
    Answer { text, json: json!({ "agents": agents, "total": lines.len() }) }
}

/// One agent as cells of a row.
pub fn agent_cells(line: &Line, now: Timestamp) -> Vec<String> {
    let left = |until: &Option<Timestamp>| match until {
        Some(until) => format!("{} left", Span(until.since(now))),
        None => "lease over".into(),
    };
    let holds: Vec<String> = line.holds.iter().map(|(id, until)| format!("{id} ({})", left(until))).collect();
    let seen = line.last_seen.map(|at| format!("seen {} ago", Span(now.since(at)))).unwrap_or_default();
    vec![
        line.name.to_string(),
        line.activity.as_str().to_owned(),
        line.agent.domain.as_ref().map(ToString::to_string).unwrap_or_default(),
        escape::clipped(&line.agent.model, 24),
        if holds.is_empty() { seen } else { holds.join(", ") },
    ]
}

/// One agent for programs.
pub fn agent_json(line: &Line) -> Value {
    let holds: Vec<Value> =
        line.holds.iter().map(|(id, until)| json!({ "id": id, "expires_at": until })).collect();
    json!({
        "name": line.name,
        "state": line.activity.as_str(),
        "person": line.is_person,
        "domain": line.agent.domain,
        "role": line.agent.role,
        "model": line.agent.model,
        "holds": holds,
        "last_seen": line.last_seen,
        "sessions": line.agent.sessions.len(),
    })
}

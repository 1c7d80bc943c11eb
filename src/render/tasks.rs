//! Tasks, one or many.

use serde_json::{Value, json};

use super::Answer;
use super::columns::aligned;
use crate::model::graph::{Blocker, Graph, Node};
use crate::model::names::TaskId;
use crate::model::task::{DepType, State, Task};
use crate::ops::Context;
use crate::ops::board::{self, Board};
use crate::ops::claims::Granted;
use crate::ops::given::Given;
use crate::store::{Store, Version};
use crate::text::escape;
use crate::text::time::{Span, Timestamp};

/// Widest row of a list, in columns: lists are read by those who pay for
/// every token.
const ROW: usize = 64;

/// What an empty answer says where the board is not in this clone.
pub const UNADOPTED: &str = "there is no board here; git comm init adopts the one that a remote has";

/// A task for programs. `until` is the end of the lease on it; none if it is
/// over. `ready` and `blocked_by` are derived from the board, and null where
/// the board was not read.
pub fn json_of(
    id: &TaskId,
    task: &Task,
    updated_at: Timestamp,
    until: Option<Timestamp>,
    board: Option<(&Board, bool)>,
) -> Value {
    let phase = &task.phase;
    let claim = phase.claim.as_ref().map(|claim| {
        json!({
            "agent": claim.agent,
            "token": phase.fence.token,
            "nonce": phase.fence.nonce,
            "granted_at": claim.granted_at,
            "expires_at": until,
            "provisional": false,
        })
    });
    let blocked_by =
        board.map(|(b, _)| b.graph.blocked_by(id).into_iter().map(|b| b.id.to_string()).collect::<Vec<_>>());
    json!({
        "id": id,
        "title": task.title,
        "state": phase.state,
        "priority": task.priority,
        "type": task.kind,
        "domain": task.domain,
        "assignee": task.assignee,
        "labels": task.labels,
        "claim": claim,
        "ready": board.map(|(_, ready)| ready),
        "blocked_by": blocked_by,
        "updated_at": updated_at,
    })
}

/// What a list is called and what to do next.
#[derive(Clone, Copy, Debug)]
pub struct ListStyle {
    /// What the tasks are, for the count: `ready`.
    pub what: &'static str,
    /// The next command, where there is one.
    pub next: Option<&'static str>,
    /// Whether states are shown.
    pub states: bool,
}

/// Tasks, a line each; at most `limit` of them.
pub fn list(
    store: &Store<'_>,
    board: &Board,
    ids: &[TaskId],
    ready: &[TaskId],
    limit: usize,
    style: ListStyle,
) -> Answer {
    let shown = &ids[..ids.len().min(limit)];
    let cells = |id: &TaskId| {
        let task = &board.tasks.get(id)?.state;
        let state =
            if style.states { condition(store, board, id, task, ready.contains(id)) } else { String::new() };
        let domain = task.domain.as_ref().map(ToString::to_string).unwrap_or_default();
        Some(vec![id.to_string(), format!("p{}", task.priority), state, domain, task.title.clone()])
    };
    let mut rows: Vec<Vec<String>> = shown.iter().filter_map(cells).collect();
    clip_last(&mut rows);
    let mut text = aligned(&rows);
    let count = if shown.len() < ids.len() {
        format!("{} of {} {}", shown.len(), ids.len(), style.what)
    } else {
        format!("{} {}", ids.len(), style.what)
    };
    text.push_str(&count);
    let next = if board.is_unadopted { Some("git comm init") } else { style.next };
    if board.is_unadopted && ids.is_empty() {
        text.push_str(&format!(": {UNADOPTED}"));
    } else if let (Some(next), false) = (next, ids.is_empty()) {
        text.push_str(&format!("; next: {next}"));
    }
    text.push('\n');
    let rows: Vec<Value> = shown
        .iter()
        .filter_map(|id| {
            let task = board.tasks.get(id)?;
            Some(json_of(id, &task.state, task.at, end(store, board, id), Some((board, ready.contains(id)))))
        })
        .collect();
    Answer { text, json: json!({ "tasks": rows, "total": ids.len(), "next": next }) }
}

/// Cuts the last cell so that a row fits.
fn clip_last(rows: &mut [Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |c: usize| {
        let widest = rows.iter().filter_map(|r| r.get(c)).map(String::len).max().unwrap_or(0);
        if widest == 0 { 0 } else { widest + 2 }
    };
    let before: usize = (0..columns.saturating_sub(1)).map(width).sum();
    for row in rows {
        if let Some(last) = row.last_mut() {
            *last = escape::clipped(last, ROW.saturating_sub(before).max(24));
        }
    }
}

/// A task's state in one word or two: with its holder, or as ready or blocked.
fn condition(store: &Store<'_>, board: &Board, id: &TaskId, task: &Task, ready: bool) -> String {
    match (task.phase.state, &task.phase.claim) {
        (State::Claimed, Some(claim)) => {
            let over = board.lease(store, id).is_some_and(crate::model::lease::Lease::is_expired);
            if over { format!("lapsed:{}", claim.agent) } else { claim.agent.to_string() }
        }
        (State::Open, _) if ready => "ready".into(),
        (State::Open, _) if task.defer_until.is_some_and(|until| until > board.now()) => "deferred".into(),
        (State::Open, _) if !board.graph.blocked_by(id).is_empty() => "blocked".into(),
        (state, _) => state.to_string(),
    }
}

/// After a claim.
pub fn granted(granted: &Granted, now: Timestamp) -> Answer {
    let task = &granted.version.state;
    let until = granted.until.short(now);
    let token = task.phase.fence.token;
    let id = &granted.id;
    let mut text = if granted.granted {
        format!("claimed {id} until {until}, token {token}")
    } else {
        format!("{id} is already yours until {until}, token {token}")
    };
    if let Some(from) = &granted.from {
        text.push_str(&format!(", taken over from {from}"));
    }
    text.push_str(&format!(": {}\n", escape::clipped(&task.title, 60)));
    let next = format!("git comm close {id}");
    let json = json!({
        "task": json_of(id, task, granted.version.head.at, Some(granted.until), None),
        "granted": granted.granted,
        "taken_from": granted.from,
        "next": next,
    });
    Answer { text, json }
}

/// After any other change of a task: a line, and the task.
pub fn changed(
    context: &Context<'_>,
    line: String,
    id: &TaskId,
    version: &Version<Task>,
    changed: bool,
) -> Answer {
    let until = board::until(context, id, &version.state);
    let task = json_of(id, &version.state, version.head.at, until, None);
    let json = json!({ "task": task, "changed": changed });
    super::answer::line(line, json)
}

/// One task with everything about it.
pub struct Detail<'a> {
    /// Its id.
    pub id: &'a TaskId,
    /// Its newest version.
    pub version: &'a Version<Task>,
    /// The board around it.
    pub board: &'a Board,
    /// Whether it could be started now.
    pub ready: bool,
    /// How it came to its holder, if somebody gave or took it.
    pub given: Option<&'a Given>,
    /// Its newest comments, oldest first: who, when, what.
    pub comments: &'a [(String, Timestamp, String)],
}

/// Shows one task.
pub fn detail(store: &Store<'_>, detail: &Detail<'_>) -> Answer {
    let Detail { id, version, board, ready, given, comments } = detail;
    let task = &version.state;
    let now = board.now();
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            rows.push(vec![name.to_owned(), value]);
        }
    };
    row("state", state_line(store, detail));
    if let Some(given) = given {
        row(if given.verb == "steal" { "stolen" } else { "handed" }, how_given(given));
    }
    let labels: Vec<String> = task.labels.iter().map(ToString::to_string).collect();
    let domain = task.domain.as_ref().map(|d| format!("  domain {d}")).unwrap_or_default();
    let labels = if labels.is_empty() { String::new() } else { format!("  labels {}", labels.join(" ")) };
    row("type", format!("{}  p{}{domain}{labels}", task.kind, task.priority));
    row("for", task.assignee.as_ref().map(ToString::to_string).unwrap_or_default());
    row("deferred", task.defer_until.map(|at| format!("until {}", at.to_second())).unwrap_or_default());
    for (name, kind) in [
        ("part of", DepType::Parent),
        ("waits for", DepType::Blocks),
        ("related", DepType::Related),
        ("found in", DepType::DiscoveredFrom),
    ] {
        let named = task.deps.iter().filter(|d| d.kind == kind);
        row(name, named.map(|d| with_state(&board.graph, &d.id)).collect::<Vec<_>>().join(", "));
    }
    let names = |nodes: Vec<&Node>| {
        nodes.iter().map(|n| format!("{} ({})", n.id, n.state)).collect::<Vec<_>>().join(", ")
    };
    row("blocks", names(board.graph.blocks(id)));
    row("parts", names(board.graph.children(id)));
    row("made", format!("{} by {}", task.created_at.short(now), task.created_by));
    let changed = version.head.agent.as_ref().map(|a| format!(" by {a}")).unwrap_or_default();
    row("changed", format!("{}{changed}", version.head.at.short(now)));
    let mut text = format!("{id}  {}\n{}", escape::line(&task.title), aligned(&rows));
    if !task.description.is_empty() {
        text.push_str(&format!("\n{}\n", escape::block(task.description.trim_end())));
    }
    if task.comments.count > 0 {
        text.push_str(&format!(
            "\n{}:\n",
            crate::ops::error::plural(usize::try_from(task.comments.count).unwrap_or(0), "comment")
        ));
        for (who, at, body) in *comments {
            let body = escape::block(body.trim_end()).replace('\n', "\n  ");
            text.push_str(&format!("{} {who}\n  {body}\n", at.short(now)));
        }
    }
    let mut json = json_of(id, task, version.head.at, end(store, board, id), Some((board, *ready)));
    if let Value::Object(fields) = &mut json {
        fields.insert("description".into(), task.description.clone().into());
        fields.insert(
            "deps".into(),
            json!(task.deps.iter().map(|d| json!({"type": d.kind, "id": d.id})).collect::<Vec<_>>()),
        );
        fields
            .insert("blocks".into(), json!(board.graph.blocks(id).iter().map(|n| &n.id).collect::<Vec<_>>()));
        fields.insert(
            "children".into(),
            json!(board.graph.children(id).iter().map(|n| &n.id).collect::<Vec<_>>()),
        );
        fields.insert("created_by".into(), json!(task.created_by));
        fields.insert("created_at".into(), json!(task.created_at));
        fields.insert("defer_until".into(), json!(task.defer_until));
        fields.insert("outcome".into(), json!(task.phase.outcome));
        let given = given.map(|g| json!({"type": g.verb, "by": g.by, "from": g.from, "reason": g.reason}));
        fields.insert("given".into(), json!(given));
        fields.insert("comment_count".into(), json!(task.comments.count));
        let comments: Vec<Value> =
            comments.iter().map(|(who, at, body)| json!({"by": who, "at": at, "body": body})).collect();
        fields.insert("comments".into(), comments.into());
    }
    Answer { text, json: json!({ "task": json }) }
}

/// When the lease on a task ends; none if nobody holds it, or if it is over.
fn end(store: &Store<'_>, board: &Board, id: &TaskId) -> Option<Timestamp> {
    board.lease(store, id)?.until()
}

fn state_line(store: &Store<'_>, detail: &Detail<'_>) -> String {
    let Detail { id, version, board, ready, .. } = detail;
    let phase = &version.state.phase;
    let now = board.now();
    let mut line = phase.state.to_string();
    if let Some(claim) = &phase.claim {
        line.push_str(&format!(" by {}", claim.agent));
        match end(store, board, id) {
            Some(until) => {
                line.push_str(&format!(" until {} ({} left)", until.short(now), Span(until.since(now))));
            }
            None => line.push_str(", lease over"),
        }
        line.push_str(&format!(", token {}", phase.fence.token));
    } else if *ready {
        line.push_str(", ready");
    } else if phase.state == State::Open && !board.graph.blocked_by(id).is_empty() {
        line.push_str(", blocked");
    }
    if let Some(outcome) = &phase.outcome {
        let late = if outcome.late { ", late" } else { "" };
        line.push_str(&format!("; last by {}{late}", outcome.by));
        if !outcome.reason.is_empty() {
            line.push_str(&format!(": {}", escape::clipped(&outcome.reason, 200)));
        }
    }
    line
}

/// From whom, by whom and why a task changed hands.
fn how_given(given: &Given) -> String {
    let by = given.by.as_ref().map(|by| format!("by {by}")).unwrap_or_default();
    let from = given.from.as_ref().filter(|from| given.by.as_ref() != Some(*from));
    let from = from.map(|from| format!("from {from} ")).unwrap_or_default();
    let reason = escape::clipped(&given.reason, 200);
    let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
    format!("{from}{by}{reason}")
}

fn with_state(graph: &Graph, id: &TaskId) -> String {
    match graph.get(id) {
        Some(node) => format!("{id} ({})", node.state),
        None => format!("{id} (unknown here)"),
    }
}

/// What a task waits for, or what waits for it, as an indented tree. A task
/// that was shown already is named, not followed again.
pub fn tree(graph: &Graph, root: &TaskId, up: bool) -> Answer {
    let mut text = String::new();
    let mut edges = Vec::new();
    let mut shown = std::collections::HashSet::new();
    let mut stack = vec![(root.clone(), 0usize)];
    while let Some((id, depth)) = stack.pop() {
        let again = !shown.insert(id.clone());
        let mark = if again && depth > 0 { " ..." } else { "" };
        text.push_str(&format!("{}{}{mark}\n", "  ".repeat(depth.min(40)), with_state(graph, &id)));
        if again {
            continue;
        }
        let next: Vec<TaskId> = if up {
            graph.blocks(&id).into_iter().map(|n| n.id.clone()).collect()
        } else {
            graph.get(&id).map(|n| n.blockers.clone()).unwrap_or_default()
        };
        for other in next.into_iter().rev() {
            let (from, to) = if up { (&other, &id) } else { (&id, &other) };
            edges.push(json!({ "from": from, "to": to }));
            stack.push((other, depth + 1));
        }
    }
    Answer { text, json: json!({ "root": root, "edges": edges }) }
}

/// The shape of the open work.
pub fn shape(graph: &Graph) -> Answer {
    let path = graph.critical_path();
    let width = graph.width();
    let mut first: Vec<(usize, &Node)> = graph
        .nodes()
        .iter()
        .filter(|n| !n.state.is_closed())
        .map(|n| (graph.unblocks(&n.id), n))
        .filter(|(count, _)| *count > 0)
        .collect();
    first.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.id.cmp(&b.1.id)));
    first.truncate(5);
    let cycles = graph.on_cycles();
    let names = |nodes: &[&Node], by: &str| nodes.iter().map(|n| n.id.as_str()).collect::<Vec<_>>().join(by);
    let mut rows = vec![
        vec![
            "critical path".to_owned(),
            format!("{} long: {}", path.len(), escape::clipped(&names(&path, " -> "), 200)),
        ],
        vec!["width".to_owned(), format!("{width} at once")],
    ];
    if !first.is_empty() {
        let text: Vec<String> = first.iter().map(|(count, n)| format!("{} ({count})", n.id)).collect();
        rows.push(vec!["unblock most".to_owned(), text.join(", ")]);
    }
    if !cycles.is_empty() {
        rows.push(vec![
            "never start".to_owned(),
            format!("{} (they wait for themselves)", names(&cycles, ", ")),
        ]);
    }
    let ids = |nodes: &[&Node]| nodes.iter().map(|n| n.id.to_string()).collect::<Vec<_>>();
    let json = json!({
        "critical_path": ids(&path),
        "width": width,
        "unblock_most": first.iter().map(|(count, n)| json!({"id": n.id, "count": count})).collect::<Vec<_>>(),
        "cycles": ids(&cycles),
    });
    Answer { text: aligned(&rows), json }
}

/// What keeps a task from starting, in words.
pub fn blockers(blockers: &[Blocker]) -> String {
    let word = |b: &Blocker| match b.state {
        Some(state) => format!("{} ({state})", b.id),
        None => format!("{} (unknown here)", b.id),
    };
    blockers.iter().map(word).collect::<Vec<_>>().join(", ")
}

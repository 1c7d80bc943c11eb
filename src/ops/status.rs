//! The board at a glance.

use super::Context;
use super::agents::{self, Activity, Line};
use super::board::Board;
use crate::model::names::TaskId;
use crate::model::ready::Taker;
use crate::model::task::State;
use crate::text::time::Timestamp;

/// What one screen shows.
#[derive(Debug)]
pub struct Status {
    /// Now.
    pub now: Timestamp,
    /// Whether there is no board here, although a remote may have one.
    pub is_unadopted: bool,
    /// Live tasks.
    pub total: usize,
    /// How many are in which condition, in the order of a task's life.
    pub counts: Vec<(&'static str, usize)>,
    /// Everybody.
    pub agents: Vec<Line>,
    /// What only a person can move.
    pub waiting: Vec<String>,
}

/// Looks over the board.
pub fn status(context: &Context<'_>, board: &Board) -> Status {
    let ready = board.ready(&context.store, &Taker::default());
    let count = |state: State| board.tasks.values().filter(|v| v.state.phase.state == state).count();
    let open = |id: &TaskId| board.tasks.get(id).is_some_and(|v| v.state.phase.state == State::Open);
    let ready_open = ready.iter().filter(|id| open(id)).count();
    let counts = vec![
        ("ready", ready_open),
        ("waiting", count(State::Open) - ready_open),
        ("claimed", count(State::Claimed)),
        ("review", count(State::Review)),
        ("done", count(State::Done)),
        ("failed", count(State::Failed)),
        ("cancelled", count(State::Cancelled)),
    ];
    let agents = agents::list(context, board);
    Status {
        now: board.now(),
        is_unadopted: board.is_unadopted,
        total: board.tasks.len(),
        counts,
        waiting: waiting(context, board, &agents),
        agents,
    }
}

/// What nobody but a person will move: work that failed and blocks other
/// work, tasks that wait for themselves or for nothing known, leases that ran
/// out, epics whose parts are finished, pauses.
fn waiting(context: &Context<'_>, board: &Board, agents: &[Line]) -> Vec<String> {
    let mut lines = Vec::new();
    if context.identity.is_person() {
        match super::messages::unread_count(context) {
            Ok(0) | Err(_) => {}
            Ok(count) => {
                lines.push(format!("{} unread: git comm inbox", super::error::plural(count, "message")))
            }
        }
    }
    for (scope, pause) in &context.store.control().pauses {
        let reason = if pause.reason.is_empty() { String::new() } else { format!(": {}", pause.reason) };
        lines.push(format!(
            "{scope} is paused by {} since {}{reason}",
            pause.by,
            pause.at.short(board.now())
        ));
    }
    for (id, version) in &board.tasks {
        let state = version.state.phase.state;
        let blocks = board.graph.blocks(id).len();
        if state == State::Failed && blocks > 0 {
            lines.push(format!("{id} failed and blocks {}", super::error::plural(blocks, "task")));
        }
        let unknown: Vec<String> = board
            .graph
            .blocked_by(id)
            .into_iter()
            .filter(|b| b.state.is_none())
            .map(|b| b.id.to_string())
            .collect();
        if !state.is_closed() && !unknown.is_empty() {
            lines.push(format!("{id} waits for {}, unknown here", unknown.join(", ")));
        }
        let children = board.graph.children(id);
        if !state.is_closed() && !children.is_empty() && children.iter().all(|c| c.state.is_closed()) {
            lines.push(format!("{id}: all {} parts are closed; close it", children.len()));
        }
    }
    let cycles: Vec<&str> = board.graph.on_cycles().iter().map(|n| n.id.as_str()).collect();
    if !cycles.is_empty() {
        lines.push(format!("{} can never start: a cycle", cycles.join(", ")));
    }
    for line in agents.iter().filter(|a| a.activity == Activity::Lost) {
        for (id, _) in &line.holds {
            lines.push(format!("{id}: the lease of {} ran out; git comm next takes it over", line.name));
        }
    }
    lines
}

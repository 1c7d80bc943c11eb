//! Which tasks may start, and which first.

use std::cmp::Reverse;

use super::graph::Graph;
use super::names::{AgentName, DomainName, TaskId};
use super::task::{State, Task};
use crate::text::time::Timestamp;

/// Whose ready work is asked for.
#[derive(Clone, Debug, Default)]
pub struct Taker {
    /// The agent; tasks assigned to others are not offered to it.
    pub agent: Option<AgentName>,
    /// Its domains; tasks of others are not offered to it. None: of all.
    pub domains: Vec<DomainName>,
}

/// Whether `task` may be started by `taker` now: nothing that it waits for is
/// unfinished, it is not deferred, it has no parts (those are the work), and
/// it is open or (`lease_expired`) its holder's lease has run out.
pub fn is_ready(
    graph: &Graph,
    id: &TaskId,
    task: &Task,
    lease_expired: bool,
    taker: &Taker,
    now: Timestamp,
) -> bool {
    let free = match task.phase.state {
        State::Open => true,
        State::Claimed => lease_expired,
        _ => false,
    };
    free && task.defer_until.is_none_or(|until| until <= now)
        && is_offered(task, taker)
        && graph.children(id).is_empty()
        && graph.blocked_by(id).is_empty()
}

/// Whether `task` is meant for `taker`: assigned to nobody else, and of no
/// other domain.
pub fn is_offered(task: &Task, taker: &Taker) -> bool {
    let assigned = match (&task.assignee, &taker.agent) {
        (Some(assignee), Some(agent)) => assignee == agent,
        _ => true,
    };
    let domain = task.domain.as_ref().is_none_or(|theirs| taker.domains.contains(theirs));
    assigned && (domain || taker.domains.is_empty())
}

/// The order in which ready tasks are offered: priority, then what unblocks
/// most, then age.
pub fn sort(graph: &Graph, ids: &mut [TaskId]) {
    ids.sort_by_cached_key(|id| {
        let node = graph.get(id);
        (
            node.map_or(u8::MAX, |n| n.priority),
            Reverse(graph.unblocks(id)),
            node.map(|n| n.created_at),
            id.clone(),
        )
    });
}

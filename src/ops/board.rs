//! The whole board in memory: tasks, agents, the graph, who still holds what.

use std::collections::BTreeMap;

use super::Context;
use super::error::Error;
use crate::model::agent::Agent;
use crate::model::graph::{Graph, Node};
use crate::model::lease::{self, Heartbeat, Lease, Observer};
use crate::model::names::{AgentName, TaskId};
use crate::model::ready::{self, Taker};
use crate::model::stamp::BootStamp;
use crate::model::task::{Claim, State, Task};
use crate::store::{Current, Store, StoreError, Watched, agent_ref, tasks_prefix};
use crate::text::time::Timestamp;

/// Everything that questions about the board need.
pub struct Board {
    /// Live tasks by id.
    pub tasks: BTreeMap<TaskId, Current<Task>>,
    /// Agents by name.
    pub agents: BTreeMap<AgentName, Current<Agent>>,
    /// What waits for what.
    pub graph: Graph,
    /// Records that could not be read.
    pub damaged: Vec<StoreError>,
    /// Whether it is empty because it is not here, although a remote may have
    /// it.
    pub is_unadopted: bool,
    /// Whose clocks leases are judged by.
    pub observer: Observer,
}

impl Board {
    /// Reads the board.
    pub fn load(store: &Store<'_>) -> Result<Self, Error> {
        let all = store.read_all::<TaskId, Task>(tasks_prefix())?;
        let (tasks, mut damaged) = (all.records, all.damaged);
        let all = store.read_all::<AgentName, Agent>("refs/comm-node/agents/")?;
        damaged.extend(all.damaged);
        damaged.extend(store.require_intact().err());
        let agents = all.records;
        let graph = Graph::new(tasks.iter().map(|(id, v)| Node::of(id.clone(), &v.state)).collect());
        let is_unadopted = store.is_unadopted();
        Ok(Self { tasks, agents, graph, damaged, is_unadopted, observer: store.observer() })
    }

    /// Now, as this board was read.
    pub fn now(&self) -> Timestamp {
        self.observer.now
    }

    /// Last sign of life of the session that holds `task`.
    pub fn heartbeat(&self, task: &Task) -> Option<&Heartbeat> {
        let claim = task.phase.claim.as_ref()?;
        self.agents.get(&claim.agent)?.state.heartbeat(&claim.session)
    }

    /// How the lease on a task stands; none if nobody holds it.
    pub fn lease(&self, store: &Store<'_>, id: &TaskId) -> Option<Lease> {
        let task = &self.tasks.get(id)?.state;
        let claim = task.phase.claim.as_ref()?;
        Some(judge(store, id, task, claim, self.heartbeat(task), &self.observer))
    }

    /// The tasks that `taker` could start now, best first.
    pub fn ready(&self, store: &Store<'_>, taker: &Taker) -> Vec<TaskId> {
        let mut ready: Vec<TaskId> = self
            .tasks
            .iter()
            .filter(|(id, v)| {
                let task = &v.state;
                let expired = task.phase.state == State::Claimed
                    && self.lease(store, id).is_some_and(Lease::is_expired);
                ready::is_ready(&self.graph, id, task, expired, taker, self.now())
            })
            .map(|(id, _)| id.clone())
            .collect();
        ready::sort(&self.graph, &mut ready);
        ready
    }

    /// The tasks that this session holds.
    pub fn held_by(&self, agent: &AgentName, session: &str) -> Vec<TaskId> {
        let mine = |v: &Current<Task>| v.state.phase.claim.as_ref().is_some_and(|c| c.is_of(agent, session));
        self.tasks.iter().filter(|(_, v)| mine(v)).map(|(id, _)| id.clone()).collect()
    }

    /// The error that an incomplete answer ends with, if it is incomplete.
    pub fn incomplete(&self) -> Option<Error> {
        incomplete(&self.damaged)
    }
}

/// The error that an incomplete answer ends with, if anything is damaged.
pub fn incomplete(damaged: &[StoreError]) -> Option<Error> {
    if damaged.is_empty() {
        return None;
    }
    Some(Error::Incomplete { reasons: damaged.iter().map(ToString::to_string).collect() })
}

/// The lease on one task as its claim stands, with the guard that keeps the
/// judgement true: the holder's record as it was read.
pub fn judge_one(context: &Context<'_>, id: &TaskId, task: &Task) -> Result<Option<(Lease, Watched)>, Error> {
    let Some(claim) = &task.phase.claim else { return Ok(None) };
    let store = &context.store;
    let holder = store.read::<Agent>(claim.agent.as_str())?;
    let guard = (agent_ref(&claim.agent)?, holder.as_ref().map(|h| h.oid));
    let heartbeat = holder.as_ref().and_then(|h| h.state.heartbeat(&claim.session));
    let lease = judge(store, id, task, claim, heartbeat, &store.observer());
    Ok(Some((lease, guard)))
}

/// When the lease on one task ends; none if nobody holds it, if it is over, or
/// if that cannot be told.
pub fn until(context: &Context<'_>, id: &TaskId, task: &Task) -> Option<Timestamp> {
    judge_one(context, id, task).ok()??.0.until()
}

/// Judges a lease. One that was granted elsewhere is noted when it is first
/// seen, because it can expire only after it was watched.
fn judge(
    store: &Store<'_>,
    id: &TaskId,
    task: &Task,
    claim: &Claim,
    heartbeat: Option<&Heartbeat>,
    observer: &Observer,
) -> Lease {
    let unseen = lease::judge(claim, heartbeat, None, observer);
    let boot = |stamp: Option<&BootStamp>| stamp.map(|s| s.id.clone());
    let here = claim.clone == observer.clone && boot(claim.boot.as_ref()) == boot(observer.boot.as_ref());
    if here || unseen.is_expired() {
        return unseen;
    }
    let sight = store.first_sight(id, &task.phase, claim, heartbeat);
    lease::judge(claim, heartbeat, Some(&sight), observer)
}

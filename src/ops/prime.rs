//! Everything that an agent needs at its start.

use super::board::Board;
use super::error::Error;
use super::given::{self, HandedOver};
use super::identity::Who;
use super::{Context, messages, rules};
use crate::model::lease::Lease;
use crate::model::names::{AgentName, TaskId};
use crate::model::ready::Taker;
use crate::text::time::Timestamp;

/// Tasks that are looked at in detail, of each kind.
const MOST: usize = 20;

/// What an agent needs to know.
#[derive(Debug)]
pub struct Prime {
    /// Its name; none if nobody is named.
    pub name: Option<AgentName>,
    /// `agent`, `person`, `script` or `nobody`.
    pub kind: &'static str,
    /// What it does, in a few words.
    pub role: String,
    /// The domains that it works for, each with its globs.
    pub domains: Vec<(String, Vec<String>)>,
    /// Whether the repository has rules.
    pub has_rules: bool,
    /// Whether a commit needs a claim.
    pub require_claim: bool,
    /// The task that the worktree is for.
    pub bound_task: Option<String>,
    /// The pause in force for it: its scope, by whom, why.
    pub paused: Option<(String, AgentName, String)>,
    /// Messages that wait.
    pub unread: usize,
    /// What it holds.
    pub held: Vec<Item>,
    /// What was handed to it and waits to be taken up.
    pub handed: Vec<HandedOver>,
    /// The best that it could start, best first.
    pub ready: Vec<Item>,
    /// How many it could start.
    pub ready_total: usize,
    /// Now.
    pub now: Timestamp,
    /// Why some of it is missing.
    pub missing: Vec<String>,
}

/// A task in short.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its id.
    pub id: TaskId,
    /// Its title: somebody's words.
    pub title: String,
    /// Whose words.
    pub by: AgentName,
    /// 0 (most urgent) to 4.
    pub priority: u8,
    /// End of the lease, if it is held.
    pub until: Option<Timestamp>,
}

/// Gathers it; none without a board.
pub fn prime(context: &Context<'_>) -> Result<Option<Prime>, Error> {
    let store = &context.store;
    if !store.has_board() {
        return Ok(None);
    }
    let identity = &context.identity;
    let kind = match &identity.who {
        Who::Agent(_) => "agent",
        Who::Person(_) => "person",
        Who::Script(_) => "script",
        Who::Nobody(_) => "nobody",
    };
    let mut missing = Vec::new();
    let repo = store.repo();
    // Rules that cannot be read are said, and stop nothing here.
    let found = repo.head().map_err(Error::from).and_then(|head| rules::at(repo, head));
    let rules = found.unwrap_or_else(|error| {
        missing.push(error.to_string());
        None
    });
    let has_rules = rules.is_some();
    let rules = rules.unwrap_or_default();
    let board = Board::load(store)?;
    missing.extend(board.incomplete().map(|error| error.to_string()));
    let name = match &identity.who {
        Who::Agent(name) => Some(name.clone()),
        _ => None,
    };
    let bound = match &name {
        Some(name) => rules::domains_of(store, &rules, name)?,
        None => Vec::new(),
    };
    let record = name.as_ref().and_then(|name| board.agents.get(name)).map(|v| v.state.clone());
    let role =
        bound.iter().find_map(|d| rules.domains.get(d)).map(|d| d.role.clone()).filter(|r| !r.is_empty());
    let globs = |domain| rules.domains.get(domain).map(|d| d.scope.clone()).unwrap_or_default();
    let paused = name.as_ref().and_then(|name| {
        let control = store.control();
        let (scope, pause) = control.pause_of(name, &bound)?;
        Some((scope, pause.by.clone(), pause.reason.clone()))
    });
    let held = name.as_ref().map(|name| board.held_by(name, &identity.session)).unwrap_or_default();
    let mut handed =
        name.as_ref().map(|name| given::waiting(context, &board.tasks, name)).unwrap_or_default();
    let taker = Taker { agent: name.clone(), domains: bound.clone() };
    // Whoever is paused is offered nothing.
    let mut ready = if paused.is_some() { Vec::new() } else { board.ready(store, &taker) };
    ready.retain(|id| !held.contains(id) && !handed.iter().any(|h| h.task == *id));
    handed.truncate(MOST);
    let item = |id: &TaskId| {
        let task = &board.tasks.get(id)?.state;
        let until = match board.lease(store, id) {
            Some(Lease::Live { until } | Lease::Watched { until }) => Some(until),
            _ => None,
        };
        Some(Item {
            id: id.clone(),
            title: task.title.clone(),
            by: task.created_by.clone(),
            priority: task.priority,
            until,
        })
    };
    Ok(Some(Prime {
        kind,
        role: role.or(record.map(|r| r.role)).unwrap_or_default(),
        domains: bound.iter().map(|d| (d.to_string(), globs(d))).collect(),
        has_rules,
        require_claim: rules.commit.require_claim,
        bound_task: repo.bound("task"),
        paused,
        unread: if name.is_some() { messages::unread_count(context).unwrap_or(0) } else { 0 },
        handed,
        held: held.iter().take(MOST).filter_map(item).collect(),
        ready: ready.iter().take(MOST).filter_map(item).collect(),
        ready_total: ready.len(),
        now: board.now(),
        name,
        missing,
    }))
}

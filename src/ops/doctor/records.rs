//! The records: every ref, every chain back to its first version, and what
//! the board says of the work.

use std::collections::{BTreeMap, HashSet};

use super::{Around, Check, or_fine, perhaps, some};
use crate::config::Config;
use crate::git::{Oid, RefName};
use crate::model::board::FORMAT;
use crate::model::lease::Lease;
use crate::model::names::{AgentName, TaskId};
use crate::ops::board::Board;
use crate::ops::error::{Error, plural};
use crate::ops::{Context, history, rules};
use crate::store::{PREFIX, StoreError};
use crate::text::similar;

pub(super) fn board(context: &Context<'_>) -> Check {
    if let Err(error) = context.store.require_intact() {
        return Check::of_error("board", &error.into());
    }
    match context.store.meta() {
        None => Check::red("board", "there is none", "git comm init"),
        Some(meta) => {
            let boards: Vec<&str> = meta.boards.iter().map(String::as_str).collect();
            Check::green("board", format!("{}, format {} of {FORMAT}", boards.join(" and "), meta.format))
        }
    }
}

/// What is shown of a long list of faults.
const SHOWN: usize = 5;

pub(super) fn records(context: &Context<'_>) -> Vec<Check> {
    let refs = match context.store.repo().list_refs(PREFIX) {
        Ok(refs) => refs,
        Err(error) => return vec![Check::of_error("records", &Error::from(error))],
    };
    let (mut versions, mut faults, mut unknown) = (0usize, Vec::new(), 0usize);
    let total = refs.len();
    for (name, tip) in refs {
        let Some(place) = history::place(&name) else {
            unknown += 1;
            continue;
        };
        match tip.map_err(StoreError::from).and_then(|tip| walk(context, &name, &place, tip)) {
            Ok(count) => versions += count,
            Err(error) => faults.push(error.to_string()),
        }
    }
    let newer = if unknown > 0 {
        format!(", {unknown} of kinds that this program does not know")
    } else {
        String::new()
    };
    if faults.is_empty() {
        let what = format!("{} with {} intact{newer}", plural(total, "record"), plural(versions, "version"));
        return vec![Check::green("records", what)];
    }
    let more = faults.len().saturating_sub(SHOWN);
    let mut checks: Vec<Check> = faults
        .into_iter()
        .take(SHOWN)
        .map(|fault| {
            Check::red("records", fault, "look at it with git log; restore the ref from another clone")
        })
        .collect();
    if more > 0 {
        checks.push(Check::red(
            "records",
            format!("{more} more records are damaged"),
            "git comm list names them",
        ));
    }
    checks
}

/// Reads a record back to its first version and counts the versions: each
/// must follow its parent by one, no earlier, with a nonce of its own.
fn walk(
    context: &Context<'_>,
    name: &RefName,
    place: &history::Place,
    tip: Oid,
) -> Result<usize, StoreError> {
    let damaged = |reason: String| StoreError::Damaged { name: name.to_string(), reason };
    let mut seen = HashSet::from([tip]);
    let mut nonces = HashSet::new();
    let mut queue = vec![(tip, None)];
    while let Some((oid, child)) = queue.pop() {
        let version = context.store.version_of::<history::Opaque>(name, place.stored, &place.id, oid)?;
        let head = &version.head;
        if !nonces.insert(head.nonce.clone()) {
            return Err(damaged(format!("two of its versions have one nonce, at {oid}")));
        }
        if let Some((seq, at)) = child
            && (head.seq >= seq
                || head.at > at
                || (version.parents.len() < 2 && head.seq + 1 != seq && seen.len() == nonces.len()))
        {
            return Err(damaged(format!("version {} at {oid} does not precede version {seq}", head.seq)));
        }
        if version.parents.is_empty() && head.seq != 1 {
            return Err(damaged(format!("its first version, {oid}, says that it is number {}", head.seq)));
        }
        for &parent in &version.parents {
            if seen.insert(parent) {
                queue.push((parent, Some((head.seq, head.at))));
            }
        }
    }
    Ok(nonces.len())
}

/// What keeps work from being done by whom it was meant for.
pub(super) fn work(around: &Around<'_, '_>) -> Vec<Check> {
    let Some(board) = &around.board else {
        return vec![Check::red("work", "the board cannot be read", "mend the records first")];
    };
    let store = &around.context.store;
    let mut faults = Vec::new();
    let cycles: Vec<&str> = board.graph.on_cycles().iter().map(|n| n.id.as_str()).collect();
    if !cycles.is_empty() {
        let what = format!("{} can never start: a cycle", some(&cycles));
        faults.push(Check::red("work", what, "git comm dep tree ID, then git comm dep remove ID OTHER"));
    }
    let is_lapsed = |id: &&TaskId| board.lease(store, id).is_some_and(Lease::is_expired);
    let lapsed: Vec<&str> = board.tasks.keys().filter(is_lapsed).map(TaskId::as_str).collect();
    if !lapsed.is_empty() {
        let what = format!("the lease ran out on {}", some(&lapsed));
        faults.push(Check::yellow("work", what, "git comm next takes it over"));
    }
    if let Ok(rules) = &around.rules {
        faults.extend(for_nobody(board, rules));
    }
    let agents = board.agents.values().filter(|v| v.state.retired_at.is_none()).count();
    or_fine("work", faults, format!("{}, {}", plural(board.tasks.len(), "task"), plural(agents, "agent")))
}

/// Tasks that are not ended, of domains that the rules do not know or for
/// agents that nobody knows: they are offered to no one.
fn for_nobody(board: &Board, rules: &Config) -> Vec<Check> {
    let mut domains: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut agents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let live = board.tasks.iter().filter(|(_, task)| !task.state.phase.state.is_closed());
    for (id, task) in live {
        if let Some(domain) = &task.state.domain
            && !rules.domains.all().is_empty()
            && rules.domains.get(domain).is_none()
        {
            domains.entry(domain.as_str()).or_default().push(id.as_str());
        }
        if let Some(agent) = &task.state.assignee {
            let here = board.agents.get(agent).is_some_and(|known| known.state.retired_at.is_none());
            if !here && rules::given_to(rules, agent).is_empty() {
                agents.entry(agent.as_str()).or_default().push(id.as_str());
            }
        }
    }
    let of_domains = domains.into_iter().map(|(domain, tasks)| {
        let known = rules.domains.all().iter().map(crate::gate::scope::Domain::shown);
        let meant = similar::nearest(domain, known);
        let what = format!("{}: domain `{domain}` is not in comm.toml{}", some(&tasks), perhaps(meant));
        Check::yellow(
            "work",
            what,
            format!("git comm edit {} --domain {}", tasks.join(" "), meant.unwrap_or("NAME")),
        )
    });
    let of_agents = agents.into_iter().map(|(agent, tasks)| {
        let meant =
            similar::nearest(agent, board.agents.keys().map(AgentName::as_str).filter(|k| *k != agent));
        let state = if board.agents.keys().any(|known| known.as_str() == agent) {
            "has retired"
        } else {
            "is unknown"
        };
        let what = format!("{}: assigned to `{agent}`, who {state}{}", some(&tasks), perhaps(meant));
        Check::yellow(
            "work",
            what,
            format!("git comm edit {} --assignee {}", tasks.join(" "), meant.unwrap_or("NAME")),
        )
    });
    of_domains.chain(of_agents).collect()
}

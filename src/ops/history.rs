//! Everything that happened, of all records and chains, in causal order.

use std::collections::HashSet;

use serde_json::Value;

use super::Context;
use super::error::Error;
use crate::git::{Oid, RefName};
use crate::model::names::{AgentName, DomainName, TaskId};
use crate::store::{Cell, Head, PREFIX, StoreError, Version};
use crate::text::time::Timestamp;

/// Which events a log shows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this task: its own events, and notes about it.
    pub task: Option<TaskId>,
    /// Written by this agent.
    pub agent: Option<AgentName>,
    /// Of one of these kinds: of record (`task`, `message`) or of event
    /// (`claim`, `note`).
    pub kinds: Vec<String>,
    /// That name this domain: as the one that its writer works for, as the
    /// owner of what was touched or imported, or as the one of a task.
    pub domain: Option<DomainName>,
    /// Not before this time.
    pub since: Option<Timestamp>,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Happening {
    /// `task`, `agent`, `message`, `note`, `meta` or `control`.
    pub kind: &'static str,
    /// Id of the record; for an entry of a chain its writer.
    pub id: String,
    /// Its commit.
    pub oid: Oid,
    /// Who, when and what.
    pub head: Head,
}

impl Happening {
    /// The word for what happened.
    pub fn verb(&self) -> &str {
        self.head.event.get("type").and_then(Value::as_str).unwrap_or("unknown")
    }
}

/// A state that is not looked at.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct Opaque(Value);

/// Where a record lives.
#[derive(Clone, Debug)]
pub struct Place {
    /// The word for its kind in answers.
    pub kind: &'static str,
    /// The word for its kind in stored versions.
    pub stored: &'static str,
    /// Its id.
    pub id: String,
}

/// A log and the records that could not be read.
pub type Log = (Vec<Happening>, Vec<StoreError>);

/// The events that pass `filter`, oldest first; the newest `limit` of them.
pub fn log(context: &Context<'_>, filter: &Filter, limit: usize) -> Result<Log, Error> {
    let store = &context.store;
    let (mut events, mut damaged) = (Vec::new(), Vec::new());
    for (name, tip) in store.repo().list_refs(PREFIX)? {
        let Some(place) = place(&name) else { continue };
        if !may_concern(filter, place.kind, &place.id) {
            continue;
        }
        match tip {
            Ok(tip) => walk(context, &name, &place, tip, filter, &mut events, &mut damaged),
            Err(error) => damaged.push(error.into()),
        }
    }
    events.sort_by(|a: &Happening, b: &Happening| {
        (a.head.at, &a.head.clone, &a.head.nonce).cmp(&(b.head.at, &b.head.clone, &b.head.nonce))
    });
    let from = events.len().saturating_sub(limit);
    Ok((events.split_off(from), damaged))
}

/// What a ref holds. None for kinds of a newer writer, which are left alone.
pub fn place(name: &RefName) -> Option<Place> {
    let rest = name.as_str().strip_prefix(PREFIX)?;
    let (family, id) = rest.split_once('/').unwrap_or((rest, rest));
    let (kind, stored, id) = match family {
        "tasks" => ("task", crate::model::task::Task::KIND, id),
        "agents" => ("agent", crate::model::agent::Agent::KIND, id),
        "meta" => ("meta", crate::model::board::Meta::KIND, id),
        "control" => ("control", crate::model::board::Control::KIND, id),
        "messages" => ("message", crate::model::entry::Chain::KIND, rest),
        "log" => ("note", crate::model::entry::Chain::KIND, rest),
        _ => return None,
    };
    Some(Place { kind, stored, id: id.to_owned() })
}

fn may_concern(filter: &Filter, kind: &str, id: &str) -> bool {
    match &filter.task {
        None => true,
        Some(task) => kind == "note" || (kind == "task" && id == task.as_str()),
    }
}

fn walk(
    context: &Context<'_>,
    name: &RefName,
    place: &Place,
    tip: Oid,
    filter: &Filter,
    events: &mut Vec<Happening>,
    damaged: &mut Vec<StoreError>,
) {
    let mut seen = HashSet::from([tip]);
    let mut queue = vec![tip];
    while let Some(oid) = queue.pop() {
        let version: Version<Opaque> = match context.store.version_of(name, place.stored, &place.id, oid) {
            Ok(version) => version,
            Err(error) => {
                damaged.push(error);
                continue;
            }
        };
        // A version is never older than the one before it.
        if filter.since.is_some_and(|since| version.head.at < since) {
            continue;
        }
        queue.extend(version.parents.iter().filter(|p| seen.insert(**p)));
        let event = Happening { kind: place.kind, id: place.id.clone(), oid, head: version.head };
        if passes(filter, &event) {
            events.push(event);
        }
    }
}

fn passes(filter: &Filter, event: &Happening) -> bool {
    let about = || event.head.event.get("task").and_then(Value::as_str);
    filter.task.as_ref().is_none_or(|task| {
        (event.kind == "task" && event.id == task.as_str()) || about() == Some(task.as_str())
    }) && filter.agent.as_ref().is_none_or(|agent| event.head.agent.as_ref() == Some(agent))
        && (filter.kinds.is_empty() || filter.kinds.iter().any(|kind| is_of(event, kind)))
        && filter.domain.as_ref().is_none_or(|domain| names(&event.head.event, domain.as_str()))
}

/// Whether an event is of a kind: of record, or of event. What a gate refused
/// is a violation by another word.
fn is_of(event: &Happening, kind: &str) -> bool {
    kind == event.kind || kind == event.verb() || (kind == "violation" && event.verb() == "refused")
}

/// Whether an event names a domain.
fn names(event: &Value, domain: &str) -> bool {
    let is = |value: Option<&Value>| value.and_then(Value::as_str) == Some(domain);
    let findings = event.get("findings").and_then(Value::as_array);
    is(event.get("domain"))
        || is(event.get("claim").and_then(|claim| claim.get("domain")))
        || findings
            .into_iter()
            .flatten()
            .any(|finding| is(finding.get("owner")) || is(finding.get("target_owner")))
}

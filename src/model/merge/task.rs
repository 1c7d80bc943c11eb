//! What of a task is more than a field.
//!
//! - Labels and edges are observed-remove sets: a removal takes what its
//!   writer saw, and no addition that it could not have seen (Shapiro,
//!   Preguiça, Baquero and Zawirski 2011).
//! - Comments are counted, each once.
//! - State, claim and outcome are one register, and never mixed. A change of
//!   it supersedes those that it follows. Among changes that did not know of
//!   each other the one whose fence the hub confirmed stands, then the higher
//!   token, then the earlier grant, then its nonce; under the standing fence
//!   the end beats the claim that it ends, and otherwise the last.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Change, History, greatest};
use crate::text::time::Timestamp;

/// Sets those fields.
pub(super) fn settle(history: &History, state: &mut Value) {
    let Some(state) = state.as_object_mut() else { return };
    put(state, "labels", labels(history));
    put(state, "deps", edges(history));
    comments(history, state);
    if let Some(phase) = phase(history) {
        state.insert("phase".to_owned(), phase.clone());
    }
    let floors = history.versions.iter().filter_map(|version| version.state.get("token_floor")?.as_u64());
    if let Some(floor) = floors.max() {
        state.insert("token_floor".to_owned(), floor.into());
    }
}

fn put(state: &mut Map<String, Value>, key: &str, items: Vec<Value>) {
    match items.is_empty() {
        true => state.remove(key),
        false => state.insert(key.to_owned(), items.into()),
    };
}

fn items<'v>(state: &'v Value, key: &str) -> &'v [Value] {
    state.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn labels(history: &History) -> Vec<Value> {
    let label = |value: &Value| value.as_str().map(str::to_owned);
    let kept = Observed::new(history, "labels", label, label);
    kept.survivors(history).into_iter().map(|added| added.value.clone()).collect()
}

/// By type, task and that task's first version; sorted as in every state.
fn edges(history: &History) -> Vec<Value> {
    let text = |edge: &Value, key: &str| edge.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let pair = |edge: &Value| Some((text(edge, "type"), text(edge, "id")));
    let whole = |edge: &Value| Some((text(edge, "type"), text(edge, "id"), text(edge, "root")));
    let kept = Observed::new(history, "deps", whole, pair).survivors(history);
    // A task is part of one other at most.
    let is_parent = |added: &&Added<'_>| added.value.get("type").and_then(Value::as_str) == Some("parent");
    let parent = greatest(kept.iter().filter(is_parent), |added| added.order).map(|added| added.value);
    let is_kept = |added: &Added<'_>| !is_parent(&added) || Some(added.value) == parent;
    let mut edges: Vec<Value> = kept.iter().filter(|a| is_kept(a)).map(|added| added.value.clone()).collect();
    edges.sort_by_key(|edge| (place_of(&text(edge, "type")), text(edge, "id"), text(edge, "root")));
    edges
}

/// Types of edges in the order of a state; unknown ones behind.
fn place_of(kind: &str) -> (usize, String) {
    let known = crate::model::task::DepType::ALL;
    let at = known.iter().position(|known| known.as_str() == kind);
    at.map_or((known.len(), kind.to_owned()), |at| (at, String::new()))
}

/// An element of a set, where it was put in.
#[derive(Clone, Copy)]
struct Added<'h> {
    /// The place of the version that did.
    place: usize,
    /// Where that is in the total order; the first version is before all.
    order: Option<(Timestamp, &'h str, &'h str)>,
    value: &'h Value,
}

/// A set whose removals take what they saw.
struct Observed<'h, K, R> {
    /// By what tells elements apart, each time that it was put in.
    added: BTreeMap<K, Vec<Added<'h>>>,
    /// By what a removal names, the places of removals.
    removed: BTreeMap<R, BTreeSet<usize>>,
    /// What a removal of this element names.
    names: BTreeMap<K, R>,
}

impl<'h, K: Ord + Clone, R: Ord + Clone> Observed<'h, K, R> {
    fn new(
        history: &'h History,
        key: &str,
        identity: impl Fn(&Value) -> Option<K>,
        named: impl Fn(&Value) -> Option<R>,
    ) -> Self {
        let mut all = Self { added: BTreeMap::new(), removed: BTreeMap::new(), names: BTreeMap::new() };
        let add = |all: &mut Self, value: &'h Value, place, order| {
            if let (Some(id), Some(name)) = (identity(value), named(value)) {
                all.added.entry(id.clone()).or_default().push(Added { place, order, value });
                all.names.insert(id, name);
            }
        };
        for value in history.first().map(|state| items(state, key)).unwrap_or_default() {
            add(&mut all, value, 0, None);
        }
        for change in history.changes() {
            let ids = |state: &Value| items(state, key).iter().filter_map(&identity).collect::<BTreeSet<K>>();
            let (before, after) = (ids(change.before), ids(change.after));
            if before == after {
                continue;
            }
            for value in items(change.after, key) {
                if identity(value).is_some_and(|id| !before.contains(&id)) {
                    add(&mut all, value, change.place, Some(change.order()));
                }
            }
            for value in items(change.before, key) {
                let is_gone = identity(value).is_some_and(|id| !after.contains(&id));
                if let Some(name) = named(value).filter(|_| is_gone) {
                    all.removed.entry(name).or_default().insert(change.place);
                }
            }
        }
        all
    }

    /// What is in the set in the end, sorted by identity: of each element the
    /// last that put it in and that no removal follows.
    fn survivors(&self, history: &History) -> Vec<Added<'h>> {
        let followed: BTreeMap<&R, Vec<bool>> =
            self.removed.iter().map(|(name, places)| (name, history.followed(places))).collect();
        let survives = |name: Option<&R>, added: &Added<'h>| {
            let followed = name.and_then(|name| followed.get(name));
            !followed.is_some_and(|followed| followed.get(added.place).copied().unwrap_or_default())
        };
        let last = |(id, added): (&K, &Vec<Added<'h>>)| {
            let name = self.names.get(id);
            greatest(added.iter().copied().filter(|added| survives(name, added)), |added| added.order)
        };
        self.added.iter().filter_map(last).collect()
    }
}

/// One for each that was added, and the last of them.
fn comments(history: &History, state: &mut Map<String, Value>) {
    let count = |state: &Value| {
        state.get("comments").and_then(|comments| comments.get("count")).and_then(Value::as_u64).unwrap_or(0)
    };
    let mut sum = history.first().map(count).unwrap_or(0);
    let mut last: Option<Change<'_>> = None;
    for change in history.changes() {
        let more = count(change.after).saturating_sub(count(change.before));
        sum = sum.saturating_add(more);
        if more > 0 {
            last = Some(change);
        }
    }
    let Some(last) = last.and_then(|change| change.after.get("comments")) else { return };
    let comments = state.entry("comments").or_insert_with(|| Value::Object(Map::new()));
    let Some(comments) = comments.as_object_mut() else { return };
    comments.insert("count".to_owned(), sum.into());
    for key in ["last_by", "last_at"] {
        if let Some(value) = last.get(key) {
            comments.insert(key.to_owned(), value.clone());
        }
    }
}

/// The register that stands.
fn phase(history: &History) -> Option<&Value> {
    let of = |state: &'_ Value| state.get("phase").cloned();
    let fence = |state: &Value| {
        let fence = state.get("phase")?.get("fence")?;
        Some((fence.get("token")?.as_u64()?, fence.get("nonce")?.as_str()?.to_owned()))
    };
    // When each fence was set; those of the first version before all.
    let mut set = BTreeMap::new();
    let mut changed = BTreeSet::new();
    for change in history.changes() {
        if of(change.before) != of(change.after) {
            changed.insert(change.place);
            if let Some(new) = fence(change.after).filter(|new| fence(change.before).as_ref() != Some(new)) {
                set.entry(new).or_insert(change.version.at);
            }
        }
    }
    let followed = history.followed(&changed);
    let standing = history.changes().filter(|change| {
        changed.contains(&change.place) && !followed.get(change.place).copied().unwrap_or(true)
    });
    let rank = |change: &Change<'_>| {
        let phase = change.after.get("phase");
        let is = |key: &str| phase.and_then(|phase| phase.get(key)).and_then(Value::as_bool) == Some(true);
        let has_ended = phase.and_then(|phase| phase.get("state")).and_then(Value::as_str) != Some("claimed");
        let (token, nonce) = fence(change.after).unwrap_or_default();
        let granted = set.get(&(token, nonce.clone())).copied();
        let order = change.order();
        (
            is("confirmed"),
            token,
            Reverse((granted, nonce)),
            has_ended,
            (order.0, order.1.to_owned(), order.2.to_owned()),
        )
    };
    let winner = greatest(standing, rank);
    winner.map_or_else(|| history.first(), |change| Some(change.after))?.get("phase")
}

//! Two histories of one record brought together.
//!
//! A merged state is a function of the set of versions that both tips reach,
//! and of nothing else: the order in which clones meet, and how they are
//! grouped, cannot matter. Every version but a merge changed something against
//! its parent; what it changed is folded in the total order of (`at`, `clone`,
//! `nonce`), which extends the causal one because the clock of a version is
//! later than that of its parent. Fields are last-writer registers, entries of
//! maps too; what needs more is in `task.rs`.
//!
//! Only what lies behind the newest version that all the others follow has to
//! be read: the state there is what the fold up to it gives.

mod task;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use serde_json::{Map, Value};

use crate::text::time::Timestamp;

/// The most versions that a merge looks at. Clones that wrote more to one
/// record while they were apart are not of this world.
pub const VERSIONS: usize = 100_000;

/// A version, as it is stored.
#[derive(Clone, Debug)]
pub struct Seen<K> {
    /// The versions that it follows.
    pub parents: Vec<K>,
    /// One more than that of the parent, or of the greater one.
    pub seq: u64,
    /// Hybrid logical clock.
    pub at: Timestamp,
    /// The clone that wrote it.
    pub clone: String,
    /// A number that no other version has.
    pub nonce: String,
    /// The board that it was written on.
    pub board: String,
    /// Whether it only brought two others together.
    pub is_merge: bool,
    /// The record after it.
    pub state: Value,
}

/// Why two histories cannot be brought together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmergeable {
    /// They have no version in common: two records of one name.
    #[error("they are two records of one name")]
    Unrelated,
    /// They are longer than anything that is ever written.
    #[error("they went apart more than {VERSIONS} versions ago")]
    TooLong,
    /// A version has more parents than it may.
    #[error("version {0} has {1} parents")]
    Parents(u64, usize),
    /// A version does not follow its parent in number or time.
    #[error("version {0} does not follow its parent")]
    OutOfOrder(u64),
}

/// What two tips reach behind the newest version that all of it follows. That
/// version is the first; parents come before what follows them.
#[derive(Clone, Debug)]
pub struct History {
    versions: Vec<Version>,
}

#[derive(Clone, Debug)]
struct Version {
    /// Places of the parents; none for the first.
    parents: Vec<usize>,
    at: Timestamp,
    clone: String,
    nonce: String,
    is_merge: bool,
    state: Value,
}

impl Version {
    /// What is before every beginning.
    fn nothing() -> Self {
        Self {
            parents: Vec::new(),
            at: Timestamp::from_micros(i64::MIN),
            clone: String::new(),
            nonce: String::new(),
            is_merge: false,
            state: Value::Object(Map::new()),
        }
    }
}

impl History {
    /// Reads back from two tips until one version is left that everything
    /// follows. Records that several clones begin, each for itself, may have
    /// none: where `begins_often` all of them follow nothing.
    ///
    /// Versions are taken by falling number, and no parent has a greater one
    /// than its child: once a single one waits, all that is unread lies behind
    /// it.
    pub fn between<K: Copy + Ord, E: From<Unmergeable>>(
        tips: [K; 2],
        begins_often: bool,
        mut read: impl FnMut(K) -> Result<Seen<K>, E>,
    ) -> Result<Self, E> {
        let mut known: BTreeMap<K, Seen<K>> = BTreeMap::new();
        let mut waiting = BinaryHeap::new();
        for tip in tips {
            if let std::collections::btree_map::Entry::Vacant(free) = known.entry(tip) {
                let seen = free.insert(read(tip)?);
                waiting.push((seen.seq, tip));
            }
        }
        let mut taken = Vec::new();
        let mut has_beginnings = false;
        while waiting.len() > 1 || has_beginnings && !waiting.is_empty() {
            let Some((_, key)) = waiting.pop() else { break };
            let (parents, seq, at, is_merge) = match known.get(&key) {
                Some(seen) => (seen.parents.clone(), seen.seq, seen.at, seen.is_merge),
                None => break,
            };
            match (parents.len(), is_merge) {
                (0, _) if begins_often => has_beginnings = true,
                (0, _) => return Err(Unmergeable::Unrelated.into()),
                (1, false) | (2, true) => {}
                (count, _) => return Err(Unmergeable::Parents(seq, count).into()),
            }
            for parent in parents {
                if !known.contains_key(&parent) {
                    if known.len() >= VERSIONS {
                        return Err(Unmergeable::TooLong.into());
                    }
                    let seen = read(parent)?;
                    waiting.push((seen.seq, parent));
                    known.insert(parent, seen);
                }
                let follows = known.get(&parent).is_some_and(|before| {
                    before.seq < seq && if is_merge { before.at <= at } else { before.at < at }
                });
                if !follows {
                    return Err(Unmergeable::OutOfOrder(seq).into());
                }
            }
            taken.push(key);
        }
        taken.extend(waiting.pop().map(|(_, key)| key));
        taken.reverse();
        let mut versions = Vec::with_capacity(taken.len() + 1);
        if has_beginnings {
            versions.push(Version::nothing());
        }
        let begin = versions.len();
        let place: BTreeMap<K, usize> =
            taken.iter().enumerate().map(|(at, key)| (*key, at + begin)).collect();
        for key in &taken {
            let Some(seen) = known.remove(key) else { continue };
            let mut parents: Vec<usize> =
                seen.parents.iter().filter_map(|parent| place.get(parent).copied()).collect();
            match versions.is_empty() {
                // What the first follows was not read, and is behind its state.
                true => parents.clear(),
                false if seen.parents.is_empty() => parents.push(0),
                false => {}
            }
            versions.push(Version {
                parents,
                at: seen.at,
                clone: seen.clone,
                nonce: seen.nonce,
                is_merge: seen.is_merge,
                state: seen.state,
            });
        }
        Ok(Self { versions })
    }

    /// The state of a record of this kind after all of it.
    pub fn state(&self, kind: &str) -> Value {
        let mut state = self.folded();
        match kind {
            "task" => task::settle(self, &mut state),
            "meta" => self.settle_board(&mut state),
            _ => {}
        }
        state
    }

    /// Each field as it was last written.
    fn folded(&self) -> Value {
        let mut state = self.first().cloned().unwrap_or_default();
        for (before, after) in self.changes().map(|change| (change.before, change.after)) {
            if let (Value::Object(into), Value::Object(before), Value::Object(after)) =
                (&mut state, before, after)
            {
                fold(into, before, after, &mut Vec::new());
            }
        }
        state
    }

    /// Numbers that are given never come back, and no board is forgotten.
    fn settle_board(&self, state: &mut Value) {
        let all = || self.versions.iter().map(|version| &version.state);
        let greatest = |key: &str| all().filter_map(|state| state.get(key)?.as_u64()).max();
        let (next, format) = (greatest("next"), greatest("format"));
        let boards: BTreeSet<&str> = all()
            .filter_map(|state| state.get("boards")?.as_array())
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let boards: Vec<Value> = boards.into_iter().map(Value::from).collect();
        let Some(state) = state.as_object_mut() else { return };
        state.insert("boards".to_owned(), boards.into());
        for (key, value) in [("next", next), ("format", format)] {
            if let Some(value) = value {
                state.insert(key.to_owned(), value.into());
            }
        }
    }

    fn first(&self) -> Option<&Value> {
        self.versions.first().map(|version| &version.state)
    }

    /// What was changed, in the total order.
    fn changes(&self) -> impl Iterator<Item = Change<'_>> {
        let mut changes: Vec<Change<'_>> =
            (1..self.versions.len()).filter_map(|at| self.change(at)).collect();
        changes.sort_by(|a, b| a.order().cmp(&b.order()));
        changes.into_iter()
    }

    /// What the version at this place changed; nothing if it is a merge.
    fn change(&self, place: usize) -> Option<Change<'_>> {
        let version = self.versions.get(place).filter(|version| !version.is_merge)?;
        let before = &self.versions.get(*version.parents.first()?)?.state;
        Some(Change { place, version, before, after: &version.state })
    }

    /// Those places that something in `marked` follows.
    fn followed(&self, marked: &BTreeSet<usize>) -> Vec<bool> {
        let mut followed = vec![false; self.versions.len()];
        for (place, version) in self.versions.iter().enumerate().rev() {
            let follows = followed.get(place).copied().unwrap_or_default() || marked.contains(&place);
            for &parent in version.parents.iter().filter(|_| follows) {
                if let Some(parent) = followed.get_mut(parent) {
                    *parent = true;
                }
            }
        }
        followed
    }
}

/// What one version changed.
#[derive(Clone, Copy, Debug)]
struct Change<'h> {
    place: usize,
    version: &'h Version,
    before: &'h Value,
    after: &'h Value,
}

impl<'h> Change<'h> {
    /// Its place in the total order.
    fn order(&self) -> (Timestamp, &'h str, &'h str) {
        (self.version.at, &self.version.clone, &self.version.nonce)
    }
}

/// Puts into a state what was changed from `before` to `after`, key by key.
fn fold<'v>(
    into: &mut Map<String, Value>,
    before: &'v Map<String, Value>,
    after: &'v Map<String, Value>,
    path: &mut Vec<&'v str>,
) {
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        into.remove(key);
    }
    for (key, value) in after {
        let old = before.get(key);
        if old == Some(value) {
            continue;
        }
        path.push(key);
        match (old, value, into.get_mut(key)) {
            (Some(Value::Object(old)), Value::Object(new), Some(Value::Object(into))) if !is_value(path) => {
                fold(into, old, new, path);
            }
            // Two that made a map at once each put something into it.
            (None, Value::Object(new), Some(Value::Object(into))) if is_map(path) => {
                fold(into, &Map::new(), new, &mut path.clone());
            }
            _ => {
                into.insert(key.clone(), value.clone());
            }
        }
        path.pop();
    }
}

/// Whether an object is always set as a whole, so that no merge pairs parts of
/// two.
fn is_value(path: &[&str]) -> bool {
    matches!(path, ["phase"] | ["pauses" | "sessions", _])
}

/// Whether an object holds one entry for each of something.
fn is_map(path: &[&str]) -> bool {
    matches!(path, ["pauses" | "sessions" | "cursors"])
}

/// What a merge of two versions is stamped with: a function of the two, so
/// that everyone who merges them makes one and the same version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeStamp {
    /// One more than the greater.
    pub seq: u64,
    /// The later.
    pub at: Timestamp,
    /// A digest of both.
    pub nonce: String,
    /// The board that it is on.
    pub board: String,
}

impl MergeStamp {
    /// Of two versions, given as (id in hexadecimal, `seq`, `at`, `board`).
    pub fn of(versions: [(&str, u64, Timestamp, &str); 2]) -> Self {
        let [(a, seq_a, at_a, board_a), (b, seq_b, at_b, board_b)] = versions;
        let (first, second) = if a <= b { (a, b) } else { (b, a) };
        Self {
            seq: seq_a.max(seq_b).saturating_add(1),
            at: at_a.max(at_b),
            nonce: crate::text::digest::digest(&["merge", first, second]),
            board: board_a.min(board_b).to_owned(),
        }
    }
}

/// The greatest by a key, with the first of equals.
fn greatest<T, R: Ord>(items: impl Iterator<Item = T>, rank: impl Fn(&T) -> R) -> Option<T> {
    items.enumerate().max_by_key(|(at, item)| (rank(item), Reverse(*at))).map(|(_, item)| item)
}

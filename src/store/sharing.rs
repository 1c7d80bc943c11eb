//! Records that came from another clone: how they stand to ours, whether they
//! are what they should be, and what the two become together.

use std::collections::{BTreeMap, BinaryHeap};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::codec::{self, MergeDraft, Source};
use super::{Store, StoreError};
use crate::git::{Durability, Oid, RefName, Swap, Swapped};
use crate::model::agent::Agent;
use crate::model::board::{Control, FORMAT, Meta};
use crate::model::entry::Chain;
use crate::model::merge::{History, MergeStamp, Seen, Unmergeable, VERSIONS};
use crate::model::names::{AgentName, TaskId};
use crate::model::task::Task;
use crate::text::escape;
use crate::text::time::Timestamp;

/// How far ahead of ours the clock of a version may be, in microseconds: a
/// day. A record that is further ahead would be the last to count for ever.
const AHEAD: i64 = 86_400 * 1_000_000;
/// The greatest number of a task that anybody comes to.
const NUMBERS: u64 = 1_000_000_000_000;
/// Boards that were ever brought together in one.
const BOARDS: usize = 64;

/// What a record is, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The word for it in stored versions.
    pub stored: &'static str,
    /// Its id.
    pub id: String,
    /// Whether two histories of it can be brought together; an entry of a
    /// chain is only ever appended by its clone.
    pub merges: bool,
}

/// How a version of ours stands to one of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They are one.
    Same,
    /// Theirs follows ours.
    Behind,
    /// Ours follows theirs.
    Ahead,
    /// Neither.
    Apart,
}

/// What a name below the prefix of records stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A record of a kind that is known.
    Known(Kind),
    /// Of a newer writer: carried, and not looked into.
    Newer,
    /// No name that is ever given.
    Invalid,
}

/// What a ref is, by its name.
pub fn named(name: &RefName) -> Named {
    let Some(rest) = name.as_str().strip_prefix(super::PREFIX) else { return Named::Invalid };
    let (family, id) = rest.split_once('/').unwrap_or((rest, rest));
    let known = |stored, id: &str, merges| Named::Known(Kind { stored, id: id.to_owned(), merges });
    let is_chain = || {
        let (agent, segment) = id.split_once('/')?;
        let (clone, number) = segment.split_once('.')?;
        let is_clone =
            clone.len() == 12 && clone.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let is_number = number.parse::<u64>().is_ok_and(|n| n > 0 && n.to_string() == number);
        (agent.parse::<AgentName>().is_ok() && is_clone && is_number).then_some(())
    };
    match family {
        "meta" | "control" if rest != family => Named::Invalid,
        "meta" => known("meta", "meta", true),
        "control" => known("control", "control", true),
        "tasks" if id.parse::<TaskId>().is_ok() => known("task", id, true),
        "agents" if id.parse::<AgentName>().is_ok() => known("agent", id, true),
        "messages" | "log" if is_chain().is_some() => known("chain", rest, false),
        "tasks" | "agents" | "messages" | "log" => Named::Invalid,
        _ => Named::Newer,
    }
}

impl Store<'_> {
    /// How `ours` stands to `theirs`. Both are versions of the record `name`.
    pub fn standing(
        &self,
        name: &RefName,
        kind: &Kind,
        ours: Oid,
        theirs: Oid,
    ) -> Result<Standing, StoreError> {
        if ours == theirs {
            return Ok(Standing::Same);
        }
        let (our, their) = (self.seen(name, kind, ours)?, self.seen(name, kind, theirs)?);
        Ok(if their.seq > our.seq && self.follows(name, kind, theirs, ours)? {
            Standing::Behind
        } else if our.seq > their.seq && self.follows(name, kind, ours, theirs)? {
            Standing::Ahead
        } else {
            Standing::Apart
        })
    }

    /// Whether `tip` is `version` or follows it.
    fn follows(&self, name: &RefName, kind: &Kind, tip: Oid, version: Oid) -> Result<bool, StoreError> {
        let least = self.seen(name, kind, version)?.seq;
        let mut found = false;
        self.walk_back(name, kind, tip, |oid, seen| {
            found |= oid == version;
            !found && seen.seq > least
        })?;
        Ok(found)
    }

    /// Visits versions by falling number, and goes on behind those for which
    /// `visit` says so.
    fn walk_back(
        &self,
        name: &RefName,
        kind: &Kind,
        tip: Oid,
        mut visit: impl FnMut(Oid, &Seen<Oid>) -> bool,
    ) -> Result<(), StoreError> {
        let mut known: BTreeMap<Oid, Seen<Oid>> = BTreeMap::new();
        let first = self.seen(name, kind, tip)?;
        let mut waiting = BinaryHeap::from([(first.seq, tip)]);
        known.insert(tip, first);
        while let Some((_, oid)) = waiting.pop() {
            let Some(seen) = known.get(&oid) else { continue };
            if !visit(oid, seen) {
                continue;
            }
            for parent in seen.parents.clone() {
                if known.contains_key(&parent) {
                    continue;
                }
                if known.len() >= VERSIONS {
                    return Err(self.unfit(name, Unmergeable::TooLong.to_string()));
                }
                let seen = self.seen(name, kind, parent)?;
                waiting.push((seen.seq, parent));
                known.insert(parent, seen);
            }
        }
        Ok(())
    }

    /// Whether everything that `tip` adds to what is known here is as writers
    /// make it. `known` is a version that was looked at before.
    pub fn validate(
        &self,
        name: &RefName,
        kind: &Kind,
        tip: Oid,
        known: Option<Oid>,
        boards: &[String],
    ) -> Result<(), StoreError> {
        let latest = Timestamp::from_micros(self.env.now().micros().saturating_add(AHEAD));
        let mut wrong = None;
        let mut versions: BTreeMap<Oid, (u64, Timestamp)> = BTreeMap::new();
        let mut links: Vec<(Oid, Vec<Oid>, bool)> = Vec::new();
        let mut roots = Vec::new();
        self.walk_back(name, kind, tip, |oid, seen| {
            versions.insert(oid, (seen.seq, seen.at));
            if Some(oid) == known {
                return false;
            }
            let parents = seen.parents.len();
            if parents == 0 {
                roots.push(oid);
            }
            let complaint = match () {
                () if parents == 0 && seen.seq != 1 => Some("its first version is not number 1".to_owned()),
                () if parents > 0 && parents != 1 + usize::from(seen.is_merge) => {
                    Some(format!("version {} has {parents} parents", seen.seq))
                }
                () if seen.is_merge && !kind.merges => Some("two writers appended to one chain".to_owned()),
                () if seen.at > latest => {
                    Some(format!("version {} is of {}, which is to come", seen.seq, seen.at))
                }
                () if !seen.board.is_empty() && !boards.contains(&seen.board) => {
                    Some(format!("version {} is of another board, `{}`", seen.seq, seen.board))
                }
                () => misshapen(kind, &seen.state)
                    .map(|reason| format!("the state of version {} is none: {reason}", seen.seq)),
            };
            if wrong.is_none() {
                wrong = complaint;
            }
            links.push((oid, seen.parents.clone(), seen.is_merge));
            true
        })?;
        if !begins_often(kind) && !roots.is_empty() {
            if let Some(known) = known {
                roots.push(self.root(name, kind, known)?);
            }
            roots.dedup();
            if roots.len() > 1 {
                wrong.get_or_insert_with(|| "it begins twice".to_owned());
            }
        }
        // The earlier first: a merge is made of what was looked at.
        for (oid, parents, is_merge) in links.into_iter().rev() {
            let Some(&(seq, at)) = versions.get(&oid) else { continue };
            let before: Vec<(u64, Timestamp)> =
                parents.iter().filter_map(|p| versions.get(p).copied()).collect();
            let greatest = before.iter().map(|(seq, _)| *seq).max();
            let follows = greatest.is_none_or(|greatest| seq == greatest.saturating_add(1))
                && before.iter().all(|&(_, earlier)| if is_merge { earlier <= at } else { earlier < at });
            if !follows {
                wrong.get_or_insert_with(|| format!("version {seq} does not follow the one before it"));
            }
            // Nobody writes one by hand, so that it can hold nothing new.
            if let ([ours, theirs], true, None) = (&parents[..], is_merge, &wrong)
                && self.merge(name, kind, *ours, *theirs, Durability::Process)? != oid
            {
                wrong = Some(format!("version {seq} is not what its parents make together"));
            }
        }
        wrong.map_or(Ok(()), |reason| Err(self.unfit(name, reason)))
    }

    /// Whether two versions begin differently, so that they are two records.
    pub fn are_unrelated(
        &self,
        name: &RefName,
        kind: &Kind,
        ours: Oid,
        theirs: Oid,
    ) -> Result<bool, StoreError> {
        Ok(self.root(name, kind, ours)? != self.root(name, kind, theirs)?)
    }

    /// Brings two versions together in one that follows both; the same two
    /// give the same one everywhere.
    pub fn merge(
        &self,
        name: &RefName,
        kind: &Kind,
        ours: Oid,
        theirs: Oid,
        durability: Durability,
    ) -> Result<Oid, StoreError> {
        // Every clone in which an agent works begins its record, and the
        // person's acts.
        let begins_often = matches!(kind.stored, "agent" | "control");
        let history = History::between([ours, theirs], begins_often, |oid| {
            self.seen(name, kind, oid).map_err(Apart::Store)
        })
        .map_err(|error| match error {
            Apart::Store(error) => error,
            Apart::Unmergeable(error) => self.unfit(name, error.to_string()),
        })?;
        let state = history.state(kind.stored);
        let (a, b) = (self.seen(name, kind, ours)?, self.seen(name, kind, theirs)?);
        let (first, second) = (ours.to_string(), theirs.to_string());
        let stamp = MergeStamp::of([(&first, a.seq, a.at, &a.board), (&second, b.seq, b.at, &b.board)]);
        let mut parents = [ours, theirs];
        parents.sort_by_key(Oid::to_string);
        let draft = MergeDraft { name, kind: kind.stored, id: &kind.id, stamp: &stamp, parents: &parents };
        codec::write_merge(&self.repo, &draft, &json!({ "type": "merge" }), &Written(&state), durability)
    }

    /// Points our ref at a version of another clone, if it still names what it
    /// did. The clone's clock moves on with it.
    pub fn take(
        &self,
        name: &RefName,
        kind: Option<&Kind>,
        ours: Option<Oid>,
        next: Oid,
    ) -> Result<Swapped, StoreError> {
        let at = match kind {
            Some(kind) => self.noted(self.seen(name, kind, next)?.at).to_string(),
            None => String::new(),
        };
        let swap = Swap {
            name,
            expected: ours,
            next,
            guards: &[],
            durability: self.durability,
            stamp: &at,
            on_locked: None,
        };
        Ok(self.repo.swap(&swap)?)
    }

    fn seen(&self, name: &RefName, kind: &Kind, oid: Oid) -> Result<Seen<Oid>, StoreError> {
        let version: super::Version<Value> =
            Source { repo: &self.repo, name, kind: kind.stored, id: &kind.id }.read(oid)?;
        let is_merge = version.head.event.get("type").and_then(Value::as_str) == Some("merge");
        Ok(Seen {
            parents: version.parents,
            seq: version.head.seq,
            at: version.head.at,
            clone: version.head.clone,
            nonce: version.head.nonce,
            board: version.head.board,
            is_merge,
            state: version.state,
        })
    }

    fn unfit(&self, name: &RefName, reason: String) -> StoreError {
        StoreError::Damaged { name: name.to_string(), reason }
    }
}

/// Whether every clone may begin a record of this kind: the one of an agent
/// that works there, and the person's acts.
fn begins_often(kind: &Kind) -> bool {
    matches!(kind.stored, "agent" | "control")
}

/// What is wrong with a board: what all clones take over must leave them able
/// to go on.
fn misshapen_board(state: &Value) -> Option<String> {
    let board = match Meta::deserialize(state) {
        Ok(board) => board,
        Err(error) => return Some(escape::clipped(&error.to_string(), 160)),
    };
    let is_id =
        |id: &String| id.len() == 16 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    match () {
        () if board.format > FORMAT => Some(format!("format {} is newer than this program's", board.format)),
        () if board.next > NUMBERS => Some(format!("task number {} is out of reach", board.next)),
        () if format!("{}-1", board.prefix).parse::<TaskId>().is_err() => {
            Some("its prefix is none".to_owned())
        }
        () if board.boards.len() > BOARDS || !board.boards.iter().all(is_id) => {
            Some("its boards are none".to_owned())
        }
        () => None,
    }
}

/// What is wrong with a state; a record that cannot be read must not take the
/// place of one that can.
fn misshapen(kind: &Kind, state: &Value) -> Option<String> {
    fn check<S: serde::de::DeserializeOwned>(state: &Value) -> Option<String> {
        S::deserialize(state).err().map(|error| escape::clipped(&error.to_string(), 160))
    }
    match kind.stored {
        "task" => check::<Task>(state),
        "agent" => check::<Agent>(state),
        "meta" => misshapen_board(state),
        "control" => check::<Control>(state),
        "chain" => check::<Chain>(state),
        _ => None,
    }
}

enum Apart {
    Store(StoreError),
    Unmergeable(Unmergeable),
}

impl From<Unmergeable> for Apart {
    fn from(error: Unmergeable) -> Self {
        Self::Unmergeable(error)
    }
}

/// A state with its keys in one order, whatever each clone read it from.
struct Written<'v>(&'v Value);

impl Serialize for Written<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(map) => {
                let mut sorted: Vec<_> = map.iter().collect();
                sorted.sort_by_key(|(key, _)| *key);
                serializer.collect_map(sorted.into_iter().map(|(key, value)| (key, Written(value))))
            }
            Value::Array(list) => serializer.collect_seq(list.iter().map(Written)),
            other => other.serialize(serializer),
        }
    }
}

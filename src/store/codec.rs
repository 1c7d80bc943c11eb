//! How a version is written into a commit and read from one.
//!
//! The message is a sentence for people, a blank line and one JSON object;
//! `docs/format.md` is the reference. What is too long for a message that
//! people page through is a blob in the commit's tree.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Author, StoreError};
use crate::git::{Commit, CommitDraft, Durability, GitError, Oid, RefName, Repo};
use crate::model::board::FORMAT;
use crate::model::limits;
use crate::model::merge::MergeStamp;
use crate::model::names::AgentName;
use crate::model::stamp::Stamp;
use crate::text::time::Timestamp;
use crate::text::{escape, json};

/// Everything of a version but its state.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Id of the board that it was written on.
    pub board: String,
    /// One more than the version before it.
    pub seq: u64,
    /// A number that no other version has.
    pub nonce: String,
    /// Hybrid logical clock.
    pub at: Timestamp,
    /// The clone that wrote it.
    pub clone: String,
    /// Who wrote it; nobody for a merge.
    pub agent: Option<AgentName>,
    /// The writer's session.
    pub session: String,
    /// What happened.
    pub event: Value,
}

/// One version of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Version<S> {
    /// Its commit.
    pub oid: Oid,
    /// The versions that it follows: none for the first, two for a merge.
    pub parents: Vec<Oid>,
    /// Who, when and what.
    pub head: Head,
    /// The record after it.
    pub state: S,
}

/// The newest version of a record without its event: all that a list needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Current<S> {
    /// Its commit.
    pub oid: Oid,
    /// When it was written.
    pub at: Timestamp,
    /// The record. Boxed, because lists move it about.
    pub state: Box<S>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "E: Deserialize<'de>, S: Deserialize<'de>"))]
struct StoredIn<'a, E, S> {
    v: u64,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    board: Cow<'a, str>,
    seq: u64,
    #[serde(borrow)]
    nonce: Cow<'a, str>,
    at: Timestamp,
    #[serde(borrow, default)]
    clone: Cow<'a, str>,
    agent: Option<AgentName>,
    #[serde(borrow, default)]
    session: Cow<'a, str>,
    event: E,
    state: S,
}

#[derive(Deserialize)]
struct VersionOnly {
    v: u64,
}

#[derive(Serialize)]
struct StoredOut<'a> {
    v: u64,
    kind: &'a str,
    id: &'a str,
    board: &'a str,
    seq: u64,
    nonce: &'a str,
    at: Timestamp,
    clone: &'a str,
    agent: Option<&'a AgentName>,
    session: &'a str,
    event: &'a RawValue,
    state: &'a RawValue,
}

/// In place of a value that is a blob in the tree.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InTree {
    file: String,
}

const EVENT_FILE: &str = "event.json";
const STATE_FILE: &str = "state.json";

/// Where a record is and what it must say that it is.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) repo: &'a Repo,
    pub(super) name: &'a RefName,
    pub(super) kind: &'a str,
    pub(super) id: &'a str,
}

impl Source<'_> {
    /// Reads the version `oid` of the record.
    pub(super) fn read<S: DeserializeOwned>(&self, oid: Oid) -> Result<Version<S>, StoreError> {
        Ok(self.read_with(oid, |_| ())?.0)
    }

    /// As [`Source::read`], with what `look` makes of the state's text.
    pub(super) fn read_with<S: DeserializeOwned, T>(
        &self,
        oid: Oid,
        look: impl FnOnce(&str) -> T,
    ) -> Result<(Version<S>, T), StoreError> {
        self.with_commit(oid, |commit| {
            let stored: StoredIn<'_, &RawValue, &RawValue> = self.parse(&commit)?;
            let in_tree = self.in_tree(&commit, stored.state, STATE_FILE)?;
            let text = in_tree.as_deref().unwrap_or_else(|| stored.state.get());
            let (state, looked) = (self.decode(text, "state")?, look(text));
            let event = self.value(&commit, stored.event, EVENT_FILE, "event")?;
            let head = Head {
                board: stored.board.into_owned(),
                seq: stored.seq,
                nonce: stored.nonce.into_owned(),
                at: stored.at,
                clone: stored.clone.into_owned(),
                agent: stored.agent,
                session: stored.session.into_owned(),
                event,
            };
            Ok((Version { oid, parents: commit.parents, head, state }, looked))
        })
    }

    /// Reads the version `oid` of the record, and not its event.
    pub(super) fn read_current<S: DeserializeOwned>(&self, oid: Oid) -> Result<Current<S>, StoreError> {
        self.with_commit(oid, |commit| {
            // Without files the state is in the message, and one pass over it
            // will do; an error is told by the way that looks closer.
            if self.repo.is_empty_tree(commit.tree)
                && let Ok(StoredIn { at, state, .. }) = self.parse::<IgnoredAny, Box<S>>(&commit)
            {
                return Ok(Current { oid, at, state });
            }
            let stored: StoredIn<'_, IgnoredAny, &RawValue> = self.parse(&commit)?;
            let state = Box::new(self.value(&commit, stored.state, STATE_FILE, "state")?);
            Ok(Current { oid, at: stored.at, state })
        })
    }

    /// The sentence for people of a version.
    pub(super) fn summary(&self, oid: Oid) -> Result<String, StoreError> {
        self.with_commit(oid, |commit| {
            let line = commit.message.split(|&byte| byte == b'\n').next().unwrap_or_default();
            Ok(String::from_utf8_lossy(line).into_owned())
        })
    }

    fn with_commit<T>(
        &self,
        oid: Oid,
        read: impl FnOnce(Commit<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let read = self.repo.with_commit(oid, limits::RECORD, read);
        read.map_err(|error| at_ref(error, self.name))?
    }

    fn parse<'c, E, S>(&self, commit: &Commit<'c>) -> Result<StoredIn<'c, E, S>, StoreError>
    where
        E: Deserialize<'c>,
        S: Deserialize<'c>,
    {
        let text = std::str::from_utf8(commit.message).map_err(|_| self.damaged("it is not UTF-8"))?;
        let json = text.split_once("\n\n").map(|(_, json)| json.trim_end());
        let json = json.ok_or_else(|| self.damaged("its message holds no record"))?;
        let newer = |format| StoreError::Newer { name: self.name.to_string(), format };
        let stored: StoredIn<'_, E, S> =
            serde_json::from_str(json).map_err(|error| match serde_json::from_str::<VersionOnly>(json) {
                // A newer format may have another shape altogether.
                Ok(VersionOnly { v }) if v > FORMAT => newer(v),
                _ => self.damaged(reason_of(&error)),
            })?;
        if stored.v > FORMAT {
            return Err(newer(stored.v));
        }
        if stored.kind != self.kind || stored.id != self.id {
            return Err(self.damaged(format!(
                "it says that it is {} `{}`",
                escape::clipped(&stored.kind, 40),
                escape::clipped(&stored.id, 80)
            )));
        }
        if stored.seq == 0 || stored.nonce.len() < 32 || stored.nonce.len() > 64 {
            return Err(self.damaged("its number or nonce is not one that is ever written"));
        }
        Ok(stored)
    }

    /// A value that is in the message, or in `file` of the tree.
    fn value<T: DeserializeOwned>(
        &self,
        commit: &Commit<'_>,
        stored: &RawValue,
        file: &str,
        what: &str,
    ) -> Result<T, StoreError> {
        let in_tree = self.in_tree(commit, stored, file)?;
        self.decode(in_tree.as_deref().unwrap_or_else(|| stored.get()), what)
    }

    fn decode<T: DeserializeOwned>(&self, text: &str, what: &str) -> Result<T, StoreError> {
        serde_json::from_str(text).map_err(|error| self.damaged(format!("its {what}: {}", reason_of(&error))))
    }

    fn in_tree(
        &self,
        commit: &Commit<'_>,
        stored: &RawValue,
        file: &str,
    ) -> Result<Option<String>, StoreError> {
        if stored.get().len() > 64 {
            return Ok(None);
        }
        match serde_json::from_str::<InTree>(stored.get()) {
            Ok(place) if place.file == file => {
                let bytes = self
                    .repo
                    .read_blob_at(commit.tree, file, limits::RECORD)
                    .map_err(|error| at_ref(error, self.name))?
                    .ok_or_else(|| self.damaged(format!("its tree holds no `{file}`")))?;
                String::from_utf8(bytes).map(Some).map_err(|_| self.damaged(format!("`{file}` is not UTF-8")))
            }
            _ => Ok(None),
        }
    }

    fn damaged(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Damaged { name: self.name.to_string(), reason: reason.into() }
    }
}

/// What is to be written.
pub(super) struct Draft<'a> {
    pub(super) name: &'a RefName,
    pub(super) kind: &'a str,
    pub(super) id: &'a str,
    pub(super) board: &'a str,
    pub(super) seq: u64,
    pub(super) stamp: &'a Stamp,
    pub(super) parent: Option<Oid>,
    pub(super) summary: &'a str,
    pub(super) event: &'a Value,
}

/// Who signs a merge.
const MERGER: (&str, &str) = ("git comm", "merge@git-comm.invalid");

/// A merge to be written.
pub(super) struct MergeDraft<'a> {
    pub(super) name: &'a RefName,
    pub(super) kind: &'a str,
    pub(super) id: &'a str,
    pub(super) stamp: &'a MergeStamp,
    pub(super) parents: &'a [Oid],
}

/// Everything of a version but its state, and who signs the commit.
struct Writing<'a> {
    name: &'a RefName,
    kind: &'a str,
    id: &'a str,
    board: &'a str,
    seq: u64,
    nonce: &'a str,
    at: Timestamp,
    clone: &'a str,
    agent: Option<&'a AgentName>,
    session: &'a str,
    event: &'a Value,
    parents: &'a [Oid],
    summary: &'a str,
    author: (&'a str, &'a str),
}

/// Writes a version as a commit, on no ref yet.
pub(super) fn write<S: Serialize>(
    repo: &Repo,
    draft: &Draft<'_>,
    state: &S,
    durability: Durability,
) -> Result<Oid, StoreError> {
    let email = format!("{}@{}.invalid", draft.stamp.agent, draft.stamp.clone);
    let parents: Vec<Oid> = draft.parent.into_iter().collect();
    let writing = Writing {
        name: draft.name,
        kind: draft.kind,
        id: draft.id,
        board: draft.board,
        seq: draft.seq,
        nonce: &draft.stamp.nonce,
        at: draft.stamp.at,
        clone: &draft.stamp.clone,
        agent: Some(&draft.stamp.agent),
        session: &draft.stamp.session,
        event: draft.event,
        parents: &parents,
        summary: draft.summary,
        author: (draft.stamp.agent.as_str(), &email),
    };
    write_version(repo, &writing, state, durability)
}

/// Writes a merge as a commit, on no ref yet. Nothing of whoever writes it is
/// in it.
pub(super) fn write_merge<S: Serialize>(
    repo: &Repo,
    draft: &MergeDraft<'_>,
    event: &Value,
    state: &S,
    durability: Durability,
) -> Result<Oid, StoreError> {
    let writing = Writing {
        name: draft.name,
        kind: draft.kind,
        id: draft.id,
        board: &draft.stamp.board,
        seq: draft.stamp.seq,
        nonce: &draft.stamp.nonce,
        at: draft.stamp.at,
        clone: "",
        agent: None,
        session: "",
        event,
        parents: draft.parents,
        summary: "merge",
        author: MERGER,
    };
    write_version(repo, &writing, state, durability)
}

/// Writes a version that there is once more, as that of another record.
pub(super) fn write_again(
    repo: &Repo,
    (name, kind, id): (&RefName, &str, &str),
    version: &Version<Value>,
    parents: &[Oid],
    summary: &str,
    durability: Durability,
) -> Result<Oid, StoreError> {
    let head = &version.head;
    let email = match &head.agent {
        Some(agent) => format!("{agent}@{}.invalid", head.clone),
        None => MERGER.1.to_owned(),
    };
    let writing = Writing {
        name,
        kind,
        id,
        board: &head.board,
        seq: head.seq,
        nonce: &head.nonce,
        at: head.at,
        clone: &head.clone,
        agent: head.agent.as_ref(),
        session: &head.session,
        event: &head.event,
        parents,
        summary,
        author: (head.agent.as_ref().map_or(MERGER.0, AgentName::as_str), &email),
    };
    write_version(repo, &writing, &version.state, durability)
}

fn write_version<S: Serialize>(
    repo: &Repo,
    writing: &Writing<'_>,
    state: &S,
    durability: Durability,
) -> Result<Oid, StoreError> {
    let impossible = |error: serde_json::Error| StoreError::Damaged {
        name: writing.name.to_string(),
        reason: format!("it cannot be written as JSON: {error}"),
    };
    let raw = |text: String| RawValue::from_string(text).map_err(impossible);
    // Escaped, because people page through these with plain git.
    let written = |text: String| json::printable(&text).into_owned();
    let event = written(serde_json::to_string(writing.event).map_err(impossible)?);
    let state = written(serde_json::to_string(state).map_err(impossible)?);
    let mut files: Vec<(&str, &[u8])> = Vec::new();
    let place = |file: &str| format!("{{\"file\":\"{file}\"}}");
    let (event_raw, state_raw);
    if event.len() > limits::INLINE {
        files.push((EVENT_FILE, event.as_bytes()));
        event_raw = raw(place(EVENT_FILE))?;
    } else {
        event_raw = raw(event.clone())?;
    }
    if state.len() > limits::INLINE {
        files.push((STATE_FILE, state.as_bytes()));
        state_raw = raw(place(STATE_FILE))?;
    } else {
        state_raw = raw(state.clone())?;
    }
    let stored = StoredOut {
        v: FORMAT,
        kind: writing.kind,
        id: writing.id,
        board: writing.board,
        seq: writing.seq,
        nonce: writing.nonce,
        at: writing.at,
        clone: writing.clone,
        agent: writing.agent,
        session: writing.session,
        event: &event_raw,
        state: &state_raw,
    };
    let json = serde_json::to_string(&stored).map_err(impossible)?;
    let largest = files.iter().map(|f| f.1.len()).max().unwrap_or(0).max(json.len() + 1024);
    if largest > limits::RECORD {
        return Err(StoreError::TooLarge {
            name: writing.name.to_string(),
            len: largest,
            limit: limits::RECORD,
        });
    }
    let message = format!("{}\n\n{json}\n", escape::line(writing.summary));
    Ok(repo.write_commit(
        &CommitDraft {
            parents: writing.parents,
            author_name: writing.author.0,
            author_email: writing.author.1,
            seconds: writing.at.seconds(),
            message: &message,
            files: &files,
        },
        durability,
    )?)
}

/// Marks a version with its writer.
pub(super) fn stamp(author: &Author, clone: &str, at: Timestamp, nonce: String) -> Stamp {
    Stamp { at, nonce, clone: clone.to_owned(), agent: author.agent.clone(), session: author.session.clone() }
}

/// An object error, said of the record that needs the object.
fn at_ref(error: GitError, name: &RefName) -> StoreError {
    match error {
        error @ (GitError::Missing { .. } | GitError::WrongKind { .. } | GitError::TooLarge { .. }) => {
            StoreError::Damaged { name: name.to_string(), reason: error.to_string() }
        }
        error => StoreError::Git(error),
    }
}

/// serde_json repeats the input in some messages, so it is escaped.
fn reason_of(error: &serde_json::Error) -> String {
    escape::clipped(&error.to_string(), 160)
}

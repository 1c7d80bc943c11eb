//! What can happen to a task, as stored in the version that it made.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};

use super::names::{AgentName, DomainName, Label, TaskType};
use super::stamp::{BootStamp, Fence};
use super::task::{Claim, Dep};
use crate::text::time::Timestamp;

/// An event of a task. Every argument is in it, so that a merge can apply it
/// to another history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TaskEvent {
    /// The first version.
    Create(Create),
    /// Fields, labels and edges changed.
    Edit(Edit),
    /// Somebody said something.
    Comment {
        /// What was said, in markdown.
        body: String,
        /// What makes a retry of it recognisable.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        key: String,
    },
    /// Granted to the claimer: it was open, or its lease had run out.
    Claim(Grant),
    /// Taken from its holder by the person.
    Steal(Grant),
    /// Given by its holder to another agent.
    Handover(Grant),
    /// The holder asked for more time.
    Renew {
        /// New length of the lease, in seconds.
        ttl: u64,
        /// New end on the wall clock.
        expires_at: Timestamp,
        /// New end on the holder's boot clock.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        boot: Option<BootStamp>,
    },
    /// The holder gave it back.
    Release(End),
    /// Finished.
    Close(End),
    /// Tried and not achieved.
    Fail(End),
    /// No longer wanted.
    Cancel(End),
    /// Back to open.
    Reopen(End),
    /// An event of a newer writer. Its effect is in the state it stored.
    #[serde(other)]
    Unknown,
}

impl TaskEvent {
    /// The word for it, as stored and as `log` shows it.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Edit(_) => "edit",
            Self::Comment { .. } => "comment",
            Self::Claim(_) => "claim",
            Self::Steal(_) => "steal",
            Self::Handover(_) => "handover",
            Self::Renew { .. } => "renew",
            Self::Release(_) => "release",
            Self::Close(_) => "close",
            Self::Fail(_) => "fail",
            Self::Cancel(_) => "cancel",
            Self::Reopen(_) => "reopen",
            Self::Unknown => "unknown",
        }
    }
}

/// What a new task starts with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Create {
    /// One line that says what is to be done.
    pub title: String,
    /// The rest, in markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What sort of work it is.
    #[serde(rename = "kind")]
    pub kind: TaskType,
    /// 0 (most urgent) to 4.
    pub priority: u8,
    /// Its labels.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub labels: BTreeSet<Label>,
    /// The domain that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<DomainName>,
    /// The only agent that may claim it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<AgentName>,
    /// Its edges.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deps: BTreeSet<Dep>,
    /// What makes a retry of it recognisable.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
}

/// Changed fields. Absent means unchanged; `null` means cleared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// New title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// New description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// New sort of work.
    #[serde(default, rename = "kind", skip_serializing_if = "Option::is_none")]
    pub kind: Option<TaskType>,
    /// New priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// New domain, or none.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub domain: Option<Option<DomainName>>,
    /// New assignee, or none.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub assignee: Option<Option<AgentName>>,
    /// New time before which it is not offered, or none.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub defer_until: Option<Option<Timestamp>>,
    /// Labels added.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub add_labels: BTreeSet<Label>,
    /// Labels removed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub remove_labels: BTreeSet<Label>,
    /// Edges added.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub add_deps: BTreeSet<Dep>,
    /// Edges removed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub remove_deps: BTreeSet<Dep>,
}

impl Edit {
    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// `null` is a value here, absence is not.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// A lease, as granted. Its fence is the token floor after it and the nonce
/// of the version that carries it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The lease.
    pub claim: Claim,
    /// The holder that it was taken from, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<AgentName>,
    /// Why, for a steal or a hand-over.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// The end of a phase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Why, in the decider's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The fence of the claim that it ends; absent when the decision was not
    /// made under one, which gives it a fence of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<Fence>,
    /// The lease had run out, but nobody had taken the task over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

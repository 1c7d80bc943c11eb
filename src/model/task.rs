//! A task and its claim, and how each event changes them.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::event::TaskEvent;
use super::names::{AgentName, DomainName, Label, TaskId, TaskType};
use super::stamp::{BootStamp, Fence, Stamp};
use crate::text::escape;
use crate::text::time::Timestamp;

/// The stored states. Ready and blocked are derived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nobody works on it.
    #[default]
    Open,
    /// Somebody holds it.
    Claimed,
    /// Closed, waiting for the verdicts that it demands.
    Review,
    /// Finished.
    Done,
    /// Tried and not achieved; what waits for it stays blocked.
    Failed,
    /// No longer wanted.
    Cancelled,
}

impl State {
    /// All states, in the order of a task's life.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Claimed, Self::Review, Self::Done, Self::Failed, Self::Cancelled];

    /// The word for it, as stored, printed and typed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Claimed => "claimed",
            Self::Review => "review",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nobody will work on it any more unless it is reopened.
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }

    /// Whether what waits for this task may start.
    pub fn unblocks(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|s| s.as_str() == text).ok_or_else(|| {
            format!("`{}` is no state: open claimed review done failed cancelled", escape::clipped(text, 40))
        })
    }
}

/// How one task hangs on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DepType {
    /// This task waits until the other is done or cancelled.
    Blocks,
    /// Worth knowing, no order.
    Related,
    /// The other is this task's epic, sprint, project or release.
    Parent,
    /// Found while working on the other.
    DiscoveredFrom,
}

impl DepType {
    /// All types.
    pub const ALL: [Self; 4] = [Self::Blocks, Self::Related, Self::Parent, Self::DiscoveredFrom];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::Related => "related",
            Self::Parent => "parent",
            Self::DiscoveredFrom => "discovered-from",
        }
    }
}

impl std::str::FromStr for DepType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "parent-child" {
            return Ok(Self::Parent);
        }
        Self::ALL.into_iter().find(|t| t.as_str() == text).ok_or_else(|| {
            format!(
                "`{}` is no type of dependency: blocks related parent discovered-from",
                escape::clipped(text, 40)
            )
        })
    }
}

/// An edge to another task. `root` is the id of that task's first commit, so
/// that the edge keeps its target when two clones gave two tasks one id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dep {
    /// What the edge means.
    #[serde(rename = "type")]
    pub kind: DepType,
    /// The other task.
    pub id: TaskId,
    /// First commit of the other task, in hexadecimal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub root: String,
}

/// A lease on a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Who holds it.
    pub agent: AgentName,
    /// The session that holds it; empty after a hand-over, until any session
    /// of the agent takes it up.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub session: String,
    /// The clone that it was granted in.
    pub clone: String,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// Length of the lease, in seconds.
    pub ttl: u64,
    /// When it ends on the wall clock, unless renewed or kept by heartbeats.
    pub expires_at: Timestamp,
    /// When it ends on the granting machine's boot clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<BootStamp>,
    /// The domain that the holder's worktree is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<DomainName>,
    /// Fields that a newer writer added.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Claim {
    /// Length of the lease.
    pub fn ttl(&self) -> Duration {
        Duration::from_secs(self.ttl)
    }

    /// Whether the claim belongs to this agent and session.
    pub fn is_of(&self, agent: &AgentName, session: &str) -> bool {
        self.agent == *agent && self.session == session
    }
}

/// How a task left the hands of its last holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Who decided.
    pub by: AgentName,
    /// When.
    pub at: Timestamp,
    /// Why, in the decider's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The lease had run out, but nobody had taken the task over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// Fields that a newer writer added.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// State, claim and outcome: one register, decided as one, so that no merge
/// pairs the state of one history with the holder of another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Where the task stands.
    pub state: State,
    /// The fence under which the register was last set.
    pub fence: Fence,
    /// Who holds it; present exactly when `state` is claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
    /// How it last ended or was given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Fields that a newer writer added.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// How many comments there are, and the last. The bodies are in the events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comments {
    /// How many.
    pub count: u64,
    /// Who wrote the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_by: Option<AgentName>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Timestamp>,
    /// Fields that a newer writer added.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Comments {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A task as it stands after an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// One line that says what is to be done.
    pub title: String,
    /// The rest, in markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What sort of work it is.
    #[serde(rename = "type")]
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
    /// Its edges to other tasks, sorted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deps: BTreeSet<Dep>,
    /// Not offered before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defer_until: Option<Timestamp>,
    /// State, claim and outcome.
    pub phase: Phase,
    /// The highest token ever granted. Never falls.
    pub token_floor: u64,
    /// Count of comments.
    #[serde(default, skip_serializing_if = "Comments::is_empty")]
    pub comments: Comments,
    /// Who made it.
    pub created_by: AgentName,
    /// When it was made.
    pub created_at: Timestamp,
    /// Fields that a newer writer added.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Task {
    /// The task that a `create` event makes.
    pub fn create(event: &super::event::Create, stamp: &Stamp) -> Self {
        Self {
            title: event.title.clone(),
            description: event.description.clone(),
            kind: event.kind.clone(),
            priority: event.priority,
            labels: event.labels.clone(),
            domain: event.domain.clone(),
            assignee: event.assignee.clone(),
            deps: event.deps.clone(),
            defer_until: None,
            phase: Phase { fence: Fence { token: 0, nonce: stamp.nonce.clone() }, ..Phase::default() },
            token_floor: 0,
            comments: Comments::default(),
            created_by: stamp.agent.clone(),
            created_at: stamp.at,
            extra: Map::new(),
        }
    }

    /// The task after `event`. The event was decided before: this only says
    /// what it does.
    pub fn apply(&mut self, event: &TaskEvent, stamp: &Stamp) {
        match event {
            TaskEvent::Create(create) => *self = Self::create(create, stamp),
            TaskEvent::Edit(edit) => self.edit(edit),
            TaskEvent::Comment { .. } => {
                self.comments.count = self.comments.count.saturating_add(1);
                self.comments.last_by = Some(stamp.agent.clone());
                self.comments.last_at = Some(stamp.at);
            }
            TaskEvent::Claim(grant) | TaskEvent::Steal(grant) | TaskEvent::Handover(grant) => {
                let fence = self.new_fence(stamp);
                self.phase = Phase {
                    state: State::Claimed,
                    fence,
                    claim: Some(grant.claim.clone()),
                    outcome: None,
                    extra: std::mem::take(&mut self.phase.extra),
                };
            }
            TaskEvent::Renew { ttl, expires_at, boot } => {
                if let Some(claim) = &mut self.phase.claim {
                    claim.ttl = *ttl;
                    claim.expires_at = *expires_at;
                    claim.boot.clone_from(boot);
                    // Renewing a hand-over takes it up.
                    claim.session.clone_from(&stamp.session);
                    claim.clone.clone_from(&stamp.clone);
                }
            }
            TaskEvent::Release(end) => self.end(State::Open, end, stamp),
            TaskEvent::Close(end) => self.end(State::Done, end, stamp),
            TaskEvent::Fail(end) => self.end(State::Failed, end, stamp),
            TaskEvent::Cancel(end) => self.end(State::Cancelled, end, stamp),
            TaskEvent::Reopen(end) => self.end(State::Open, end, stamp),
            TaskEvent::Unknown => {}
        }
    }

    /// Ends the phase. Under the fence of a current claim the fence stays, so
    /// that the end beats the claim; everything else takes a fence of its own.
    fn end(&mut self, state: State, end: &super::event::End, stamp: &Stamp) {
        let fence = match &end.under {
            Some(fence) => fence.clone(),
            None => self.new_fence(stamp),
        };
        self.phase = Phase {
            state,
            fence,
            claim: None,
            outcome: Some(Outcome {
                by: stamp.agent.clone(),
                at: stamp.at,
                reason: end.reason.clone(),
                late: end.late,
                extra: Map::new(),
            }),
            extra: std::mem::take(&mut self.phase.extra),
        };
    }

    fn new_fence(&mut self, stamp: &Stamp) -> Fence {
        // A hostile record may stand at the end; the nonce still tells grants apart.
        self.token_floor = self.token_floor.saturating_add(1);
        Fence { token: self.token_floor, nonce: stamp.nonce.clone() }
    }

    fn edit(&mut self, edit: &super::event::Edit) {
        if let Some(title) = &edit.title {
            self.title.clone_from(title);
        }
        if let Some(description) = &edit.description {
            self.description.clone_from(description);
        }
        if let Some(kind) = &edit.kind {
            self.kind.clone_from(kind);
        }
        if let Some(priority) = edit.priority {
            self.priority = priority;
        }
        if let Some(domain) = &edit.domain {
            self.domain.clone_from(domain);
        }
        if let Some(assignee) = &edit.assignee {
            self.assignee.clone_from(assignee);
        }
        if let Some(until) = &edit.defer_until {
            self.defer_until = *until;
        }
        for label in &edit.remove_labels {
            self.labels.remove(label);
        }
        self.labels.extend(edit.add_labels.iter().cloned());
        for dep in &edit.remove_deps {
            self.deps.retain(|d| !(d.kind == dep.kind && d.id == dep.id));
        }
        self.deps.extend(edit.add_deps.iter().cloned());
    }

    /// The task that this one is part of.
    pub fn parent(&self) -> Option<&Dep> {
        self.deps.iter().find(|d| d.kind == DepType::Parent)
    }

    /// The tasks that this one waits for.
    pub fn blockers(&self) -> impl Iterator<Item = &Dep> {
        self.deps.iter().filter(|d| d.kind == DepType::Blocks)
    }
}

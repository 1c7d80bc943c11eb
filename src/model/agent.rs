//! An agent as the others see it: who it is, its sessions' signs of life,
//! what it has read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lease::Heartbeat;
use super::limits;
use super::names::DomainName;
use super::stamp::Stamp;
use crate::text::time::Timestamp;

/// One place where an agent works: an agent's name in one clone, worktree
/// and (if set) `GIT_COMM_SESSION`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Last sign of life.
    pub heartbeat: Heartbeat,
    /// Name of the worktree: its folder's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub worktree: String,
    /// The machine.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// Fields that a newer writer added.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// The domain whose tasks it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<DomainName>,
    /// What it does there, in a few words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub role: String,
    /// The model that it runs on.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// When it announced itself; none if it merely showed signs of life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_at: Option<Timestamp>,
    /// When it left for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<Timestamp>,
    /// Its sessions by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sessions: BTreeMap<String, Session>,
    /// What it has read: the newest entry shown, by chain.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cursors: BTreeMap<String, String>,
    /// Fields that a newer writer added.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An event of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AgentEvent {
    /// It announced itself. Absent fields stay as they were.
    Register {
        /// The domain whose tasks it takes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        domain: Option<DomainName>,
        /// What it does there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<String>,
        /// The model that it runs on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// Its session's sign of life.
        session: Session,
    },
    /// A session is alive.
    Heartbeat {
        /// The sign of life.
        session: Session,
    },
    /// It was shown entries up to these, by chain.
    Read {
        /// Newest entry shown, by chain.
        cursors: BTreeMap<String, String>,
    },
    /// It left for good.
    Retire,
    /// An event of a newer writer. Its effect is in the state it stored.
    #[serde(other)]
    Unknown,
}

impl AgentEvent {
    /// The word for it.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Register { .. } => "register",
            Self::Heartbeat { .. } => "heartbeat",
            Self::Read { .. } => "read",
            Self::Retire => "retire",
            Self::Unknown => "unknown",
        }
    }
}

impl Agent {
    /// The agent after `event`.
    pub fn apply(&mut self, event: &AgentEvent, stamp: &Stamp) {
        match event {
            AgentEvent::Register { domain, role, model, session } => {
                if domain.is_some() {
                    self.domain.clone_from(domain);
                }
                if let Some(role) = role {
                    self.role.clone_from(role);
                }
                if let Some(model) = model {
                    self.model.clone_from(model);
                }
                self.registered_at.get_or_insert(stamp.at);
                self.retired_at = None;
                self.beat(session, stamp);
            }
            AgentEvent::Heartbeat { session } => self.beat(session, stamp),
            AgentEvent::Read { cursors } => {
                self.cursors.extend(cursors.iter().map(|(k, v)| (k.clone(), v.clone())));
            }
            AgentEvent::Retire => {
                self.retired_at = Some(stamp.at);
                self.sessions.clear();
            }
            AgentEvent::Unknown => {}
        }
    }

    fn beat(&mut self, session: &Session, stamp: &Stamp) {
        let extra = self.sessions.remove(&stamp.session).map(|old| old.extra).unwrap_or_default();
        let mut session = session.clone();
        for (key, value) in extra {
            session.extra.entry(key).or_insert(value);
        }
        self.sessions.insert(stamp.session.clone(), session);
        while self.sessions.len() > limits::SESSIONS {
            let silent = self.sessions.iter().min_by_key(|(_, s)| s.heartbeat.at).map(|(id, _)| id.clone());
            match silent {
                Some(id) => self.sessions.remove(&id),
                None => break,
            };
        }
    }

    /// Last sign of life of one session.
    pub fn heartbeat(&self, session: &str) -> Option<&Heartbeat> {
        self.sessions.get(session).map(|s| &s.heartbeat)
    }

    /// Last sign of life of any session.
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.sessions.values().map(|s| s.heartbeat.at).max()
    }
}

//! The board as a whole: its format and identity, and the person's acts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::names::{AgentName, DomainName, InvalidName};
use super::stamp::Stamp;
use crate::text::time::Timestamp;

/// The newest format that this program reads and writes.
pub const FORMAT: u64 = 1;

/// Prefix of task ids unless `init` was told another.
pub const PREFIX: &str = "bd";

/// The board's identity and format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Format of all records. An older program refuses a newer one.
    pub format: u64,
    /// Ids of the boards that were brought together here; usually one.
    pub boards: BTreeSet<String>,
    /// What task ids start with.
    pub prefix: String,
    /// Ids below this number are never issued again.
    pub next: u64,
    /// Fields that a newer writer added.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What a pause covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Every agent.
    All,
    /// One agent.
    Agent(AgentName),
    /// The agents and tasks of one domain.
    Domain(DomainName),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Agent(name) => write!(f, "agent:{name}"),
            Self::Domain(name) => write!(f, "domain:{name}"),
        }
    }
}

impl FromStr for Scope {
    type Err = InvalidName;

    /// `all`, `domain:NAME`, `agent:NAME` or an agent's `NAME`.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text == "all" {
            return Ok(Self::All);
        }
        match text.split_once(':') {
            Some(("domain", name)) => name.parse().map(Self::Domain),
            Some(("agent", name)) => name.parse().map(Self::Agent),
            _ => text.parse().map(Self::Agent),
        }
    }
}

/// A pause in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Who paused.
    pub by: AgentName,
    /// Since when.
    pub at: Timestamp,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Fields that a newer writer added.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The person's acts that are in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// Pauses by scope, as [`Scope`] prints.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pauses: BTreeMap<String, Pause>,
    /// Fields that a newer writer added.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An event of `control`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ControlEvent {
    /// Nobody in the scope may claim or commit.
    Pause {
        /// As [`Scope`] prints.
        scope: String,
        /// Why.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// The pause of exactly this scope is over.
    Resume {
        /// As [`Scope`] prints.
        scope: String,
    },
    /// An event of a newer writer. Its effect is in the state it stored.
    #[serde(other)]
    Unknown,
}

impl Control {
    /// The acts in force after `event`.
    pub fn apply(&mut self, event: &ControlEvent, stamp: &Stamp) {
        match event {
            ControlEvent::Pause { scope, reason } => {
                let pause = Pause {
                    by: stamp.agent.clone(),
                    at: stamp.at,
                    reason: reason.clone(),
                    extra: Map::new(),
                };
                self.pauses.insert(scope.clone(), pause);
            }
            ControlEvent::Resume { scope } => {
                self.pauses.remove(scope);
            }
            ControlEvent::Unknown => {}
        }
    }

    /// The pause that stops `agent` from working on a task of `domains`.
    pub fn pause_of<'a>(
        &self,
        agent: &AgentName,
        domains: impl IntoIterator<Item = &'a DomainName>,
    ) -> Option<(String, &Pause)> {
        let scopes = [Scope::All, Scope::Agent(agent.clone())];
        let domains = domains.into_iter().map(|d| Scope::Domain(d.clone()));
        scopes.into_iter().chain(domains).find_map(|scope| {
            let text = scope.to_string();
            self.pauses.get(&text).map(|pause| (text, pause))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_binds_its_scope_only() {
        let stamp = Stamp {
            at: Timestamp::default(),
            nonce: String::new(),
            clone: String::new(),
            agent: "kai".parse().unwrap(),
            session: String::new(),
        };
        let (ada, bob) = ("ada".parse().unwrap(), "bob".parse().unwrap());
        let api: DomainName = "api".parse().unwrap();
        let mut control = Control::default();
        let pause = |scope: &str| ControlEvent::Pause { scope: scope.into(), reason: String::new() };
        control.apply(&pause("agent:ada"), &stamp);
        control.apply(&pause("domain:api"), &stamp);
        assert_eq!(control.pause_of(&ada, []).map(|p| p.0).as_deref(), Some("agent:ada"));
        assert_eq!(control.pause_of(&bob, []), None);
        assert_eq!(control.pause_of(&bob, [&api]).map(|p| p.0).as_deref(), Some("domain:api"));
        control.apply(&ControlEvent::Resume { scope: "domain:api".into() }, &stamp);
        assert_eq!(control.pause_of(&bob, [&api]), None);
        assert_eq!("domain:api".parse::<Scope>().unwrap(), Scope::Domain(api));
    }

    #[test]
    fn a_pause_keeps_the_fields_of_a_newer_writer() {
        let text = r#"{"pauses":{"all":{"by":"kai","at":"2026-01-02T03:04:05.000000Z","x":1}},"y":2}"#;
        let control: Control = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&control).unwrap(), text);
    }
}

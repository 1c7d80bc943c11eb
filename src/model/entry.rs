//! Entries of append-only chains: messages and notes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::names::{AgentName, DomainName, InvalidName, TaskId};

/// Whom a message is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recipient {
    /// One agent (or the person, by name).
    Agent(AgentName),
    /// Every agent of a domain.
    Domain(DomainName),
    /// Everyone.
    All,
    /// Whoever conducts.
    Person,
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(name) => write!(f, "{name}"),
            Self::Domain(name) => write!(f, "domain:{name}"),
            Self::All => f.write_str("all"),
            Self::Person => f.write_str("person"),
        }
    }
}

impl FromStr for Recipient {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        match text {
            "all" => Ok(Self::All),
            "person" => Ok(Self::Person),
            _ => match text.strip_prefix("domain:") {
                Some(name) => name.parse().map(Self::Domain),
                None => text.parse().map(Self::Agent),
            },
        }
    }
}

impl Recipient {
    /// Whether a message to this recipient is for `reader`.
    pub fn includes(&self, reader: &Reader) -> bool {
        match self {
            Self::Agent(name) => *name == reader.name,
            Self::Domain(name) => reader.domains.contains(name),
            Self::All => true,
            Self::Person => reader.is_person,
        }
    }
}

/// Who opens an inbox.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Name.
    pub name: AgentName,
    /// Domains that it works in.
    pub domains: Vec<DomainName>,
    /// Whether it is the person rather than an agent.
    pub is_person: bool,
}

/// An entry of a chain, as its event stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Entry {
    /// A message.
    Send {
        /// Whom it is for, as [`Recipient`] prints.
        to: String,
        /// What it says, in markdown.
        body: String,
        /// What makes a retry of it recognisable.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        key: String,
    },
    /// A note in the log.
    Note {
        /// What it says.
        body: String,
        /// The task that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task: Option<TaskId>,
        /// What makes a retry of it recognisable.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        key: String,
    },
    /// A gate stopped something that the writer tried.
    Refused {
        /// Which gate.
        gate: String,
        /// What was refused and why, in a sentence.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        what: String,
        /// The domain that the writer works for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        domain: Option<DomainName>,
        /// What it found, at most [`super::limits::FINDINGS`] of them.
        findings: Vec<Refused>,
        /// How many it found.
        total: usize,
    },
    /// An entry of a newer writer.
    #[serde(other)]
    Unknown,
}

impl Entry {
    /// What makes a retry of it recognisable.
    pub fn key(&self) -> &str {
        match self {
            Self::Send { key, .. } | Self::Note { key, .. } => key,
            Self::Refused { .. } | Self::Unknown => "",
        }
    }
}

/// One thing that a gate stopped, on the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// What kind it is.
    pub code: String,
    /// The file, escaped for printing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The line, from 1; none if it is about the file as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The domain whose file it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<DomainName>,
    /// What an import leads to: a file, `pkg:NAME`, or the import as it is
    /// written; escaped for printing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// The domain of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_owner: Option<DomainName>,
}

/// The state of a chain: only how long it is. What it holds is its history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Entries so far, in this segment.
    pub entries: u64,
    /// Fields that a newer writer added.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reaches_whom_it_names() {
        let reader =
            Reader { name: "ada".parse().unwrap(), domains: vec!["api".parse().unwrap()], is_person: false };
        for (to, expected) in [
            ("ada", true),
            ("bob", false),
            ("all", true),
            ("domain:api", true),
            ("domain:ui", false),
            ("person", false),
        ] {
            assert_eq!(to.parse::<Recipient>().unwrap().includes(&reader), expected, "{to}");
        }
        assert!("domain:".parse::<Recipient>().is_err());
    }
}

//! Names that were checked once and can be trusted from then on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::text::{escape, name};

/// A text that is no name, with the rule it breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` cannot name {what}: {fault}")]
pub struct InvalidName {
    text: String,
    what: &'static str,
    fault: name::Fault,
}

macro_rules! name_type {
    ($(#[$doc:meta])* $type:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                match name::check(text) {
                    Ok(()) => Ok(Self(text.to_owned())),
                    Err(fault) => Err(InvalidName { text: escape::clipped(text, 80), what: $what, fault }),
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                name::check(&text).map_err(|fault| {
                    serde::de::Error::custom(format_args!("no name for {}: {fault}", $what))
                })?;
                Ok(Self(text))
            }
        }
    };
}

name_type!(
    /// Id of a task, such as `bd-12`; one component of its ref.
    TaskId, "a task");
name_type!(
    /// Name of an agent, or of the person (a slug of `user.name`).
    AgentName, "an agent");
name_type!(
    /// Name of a domain of the code.
    DomainName, "a domain");
name_type!(
    /// A label on a task.
    Label, "a label");
name_type!(
    /// What sort of work a task is: `task`, `bug`, `epic`, or one's own.
    TaskType, "a type");

impl TaskId {
    /// Whether this id starts with `prefix`, not cutting a number in two:
    /// `parser` matches `parser-7`, `bd-1` does not match `bd-12`. So a
    /// prefix that named one task never comes to mean a later one.
    pub fn has_prefix(&self, prefix: &str) -> bool {
        let digit = |b: Option<&u8>| b.is_some_and(u8::is_ascii_digit);
        !prefix.is_empty()
            && self.0.starts_with(prefix)
            && !(digit(prefix.as_bytes().last()) && digit(self.0.as_bytes().get(prefix.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_does_not_cut_a_number() {
        let id: TaskId = "bd-12".parse().unwrap();
        assert!(id.has_prefix("bd"));
        assert!(id.has_prefix("bd-12"));
        assert!(!id.has_prefix("bd-1"));
        assert!(!id.has_prefix(""));
    }

    #[test]
    fn a_bad_name_says_which_rule_it_breaks() {
        let error = "a\u{1b}b".parse::<TaskId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`a\\u{1b}b` cannot name a task: it may hold only a-z, 0-9, `.`, `_` and `-`"
        );
    }
}

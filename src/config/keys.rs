//! The keys below `comm.` in git's configuration: which there are, and which
//! values of them mean something.

use crate::model::limits;
use crate::model::names::{AgentName, DomainName, TaskId};
use crate::text::glob::Names;
use crate::text::similar;
use crate::text::time::Span;

/// A key, and what is wrong with a value of it, if anything.
type Rule = (&'static str, fn(&str) -> Option<String>);

const RULES: [Rule; 10] = [
    ("comm.agent", |value| name::<AgentName>(value)),
    ("comm.branch", |_| None),
    ("comm.disposable", |value| Names::new(value.split_whitespace()).err().map(|error| error.to_string())),
    ("comm.domain", |value| name::<DomainName>(value)),
    ("comm.durability", |value| one_of(value, &["power", "process"])),
    // git leaves the case of the middle part alone.
    ("comm.hooks.onFailure", |value| one_of(&value.to_ascii_lowercase(), &["block", "allow"])),
    ("comm.hub", |_| None),
    ("comm.task", |value| name::<TaskId>(value)),
    ("comm.ttl", ttl),
    ("comm.worktrees", |_| None),
];

/// All keys, as they are written.
pub fn all() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|(key, _)| *key)
}

/// What a key of git's configuration means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It is known, and so is its value.
    Known,
    /// It is known by this name, and its value means nothing: why.
    NoValue(&'static str, String),
    /// There is no such key; the one that was perhaps meant.
    NoKey(Option<&'static str>),
}

/// Judges a setting whose key is written as git compares it.
pub fn meaning(key: &str, value: &str) -> Meaning {
    match RULES.iter().find(|(known, _)| is_same(known, key)) {
        Some((known, fault)) => match fault(value) {
            Some(why) => Meaning::NoValue(known, why),
            None => Meaning::Known,
        },
        None => Meaning::NoKey(meant(key)),
    }
}

/// git ignores case but in the middle part.
fn is_same(known: &str, key: &str) -> bool {
    let middle =
        |text: &str| text.split_once('.').and_then(|(_, rest)| Some(rest.rsplit_once('.')?.0.to_owned()));
    known.eq_ignore_ascii_case(key) && middle(known) == middle(key)
}

/// The key that was perhaps meant: one that is spelt nearly so, or that ends
/// in the same word.
fn meant(key: &str) -> Option<&'static str> {
    let key = key.to_ascii_lowercase();
    let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let folded: Vec<(String, &'static str)> =
        all().map(|known| (known.to_ascii_lowercase(), known)).collect();
    let known = |folded_key: &str| folded.iter().find(|(f, _)| f == folded_key).map(|(_, known)| *known);
    let near = similar::nearest(&key, folded.iter().map(|(f, _)| f.as_str())).and_then(known);
    near.or_else(|| all().find(|known| last(known) == last(&key)))
}

/// An empty value counts as none.
fn name<N: std::str::FromStr<Err: std::fmt::Display>>(value: &str) -> Option<String> {
    if value.is_empty() { None } else { value.parse::<N>().err().map(|error| error.to_string()) }
}

fn one_of(value: &str, allowed: &[&str]) -> Option<String> {
    (!allowed.contains(&value)).then(|| format!("it is {}", allowed.join(" or ")))
}

fn ttl(value: &str) -> Option<String> {
    let seconds = match value.parse::<Span>() {
        Ok(span) => span.0.as_secs(),
        Err(error) => return Some(error.to_string()),
    };
    let fits = (limits::TTL_MIN_SECONDS..=limits::TTL_SECONDS).contains(&seconds);
    (!fits).then(|| "it is 1s to 30d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(key: &str, value: &str, expected: &str) {
        let told = match meaning(key, value) {
            Meaning::Known => "known".to_owned(),
            Meaning::NoValue(known, why) => format!("{known}: {why}"),
            Meaning::NoKey(meant) => format!("meant {}", meant.unwrap_or("nothing")),
        };
        assert_eq!(told, expected, "{key} = {value}");
    }

    #[test]
    fn what_means_something_is_known() {
        for (key, value) in [
            ("comm.agent", "ada"),
            ("comm.agent", ""),
            ("comm.branch", "feature/any thing"),
            ("comm.disposable", "*.log tmp"),
            ("comm.domain", "api"),
            ("comm.durability", "process"),
            ("comm.hooks.onfailure", "Block"),
            ("comm.hooks.onfailure", "allow"),
            ("comm.task", "bd-12"),
            ("comm.ttl", "1h30m"),
            ("comm.worktrees", "../trees"),
        ] {
            check(key, value, "known");
        }
    }

    #[test]
    fn a_value_without_meaning_is_told() {
        check(
            "comm.agent",
            "Ada L",
            "comm.agent: `Ada L` cannot name an agent: it does not start with a lower-case letter or digit",
        );
        check(
            "comm.disposable",
            "tmp [a",
            "comm.disposable: `[a` is no name and no pattern such as ui-*: unclosed character class; missing ']'",
        );
        check("comm.durability", "Power", "comm.durability: it is power or process");
        check("comm.durability", "", "comm.durability: it is power or process");
        check("comm.hooks.onfailure", "true", "comm.hooks.onFailure: it is block or allow");
        check("comm.ttl", "30", "comm.ttl: `30` is not a length of time such as 90s, 30m or 2h");
        check("comm.ttl", "31d", "comm.ttl: it is 1s to 30d");
    }

    #[test]
    fn a_misspelt_key_is_recognised() {
        check("comm.agnet", "ada", "meant comm.agent");
        check("comm.onfailure", "block", "meant comm.hooks.onFailure");
        check("comm.hook.onfailure", "block", "meant comm.hooks.onFailure");
        check("comm.Hooks.onfailure", "block", "meant comm.hooks.onFailure");
        check("comm.durabilty", "power", "meant comm.durability");
        check("comm.colour", "red", "meant nothing");
    }
}

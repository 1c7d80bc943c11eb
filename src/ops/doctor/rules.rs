//! `comm.toml`: what is committed, what lies beside it, whom it names.

use std::path::Path;

use super::{Around, Check, or_fine, perhaps, some};
use crate::config::Config;
use crate::gate::scope::RULES;
use crate::model::names::AgentName;
use crate::ops::board::Board;
use crate::ops::error::{Error, plural};
use crate::ops::{identity, rules};
use crate::text::{escape, similar};

pub(super) fn rules(around: &Around<'_, '_>) -> Vec<Check> {
    let mut faults = in_the_tree(around);
    let fine = match &around.rules {
        Err(error) => {
            faults.push(Check::red("rules", told(error), error.hint()));
            String::new()
        }
        Ok(rules) => {
            faults.extend(people(rules, around.board.as_ref()));
            faults.extend(around.board.as_ref().and_then(|board| strangers(rules, board)));
            match rules.domains.all().len() {
                0 => "no domains, as committed".into(),
                n => format!("{}, as committed", plural(n, "domain")),
            }
        }
    };
    or_fine("rules", faults, fine)
}

/// An error with every place in the file that it is about.
fn told(error: &Error) -> String {
    match error.details().as_slice() {
        [] => error.to_string(),
        details => format!("{error}: {}", details.join("; ")),
    }
}

/// The file in the working tree, where it is not what is committed, and
/// files that were perhaps meant to be it.
fn in_the_tree(around: &Around<'_, '_>) -> Vec<Check> {
    let Some(tree) = around.repo().work_tree() else { return Vec::new() };
    let mut faults: Vec<Check> = misspelt(tree).into_iter().collect();
    let is_committed = around.repo().uncommitted(&[RULES]).map(|names| names.is_empty());
    if is_committed.unwrap_or(true) {
        return faults;
    }
    let what = match std::fs::read(tree.join(RULES)).map(|text| rules::parse(&text)) {
        Ok(Err(error)) => format!("comm.toml here is not committed, and cannot be: {}", told(&error)),
        Ok(Ok(_)) => "comm.toml here is not committed; what is committed counts".into(),
        Err(_) => "comm.toml is gone from the working tree; what is committed counts".into(),
    };
    faults.push(Check::yellow("rules", what, "the person commits it: git add comm.toml, then git commit"));
    faults
}

/// A file beside `comm.toml` whose name is nearly that.
fn misspelt(tree: &Path) -> Option<Check> {
    let names = std::fs::read_dir(tree).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
    let found = names.iter().find(|name| {
        let bare = name.trim_start_matches('.').to_ascii_lowercase();
        let is_near =
            bare == RULES || matches!(bare.as_str(), "com.toml" | "comms.toml" | "comm.tml" | "comm.tom");
        *name != RULES && is_near
    })?;
    let what = format!("`{}` is not read: the rules are in `{RULES}`", escape::line(found));
    let remedy = if names.iter().any(|name| name == RULES) {
        format!("move what counts into {RULES}, and delete it")
    } else {
        format!("rename it to {RULES}, and commit that")
    };
    Some(Check::yellow("rules", what, remedy))
}

/// Whose commits need no trailers.
fn people(rules: &Config, board: Option<&Board>) -> Vec<Check> {
    let people = &rules.commit.people;
    if people.is_empty() {
        if rules.domains.all().is_empty() && !rules.commit.require_claim {
            return Vec::new();
        }
        let what = "`[commit] people` names nobody: `ci` finds every commit that a person makes";
        return vec![Check::yellow("rules", what, "name the people in comm.toml: people = [\"MAIL\"]")];
    }
    let of_board = board.into_iter().flat_map(|board| &board.agents);
    let of_board = of_board.filter(|(_, v)| !identity::is_person_record(&v.state)).map(|(name, _)| name);
    let of_rules = rules.domains.all().iter().filter_map(|domain| domain.agent.as_ref());
    let mut agents: Vec<&AgentName> = of_board.chain(of_rules).collect();
    agents.sort();
    agents.dedup();
    let is_person = |agent: &&AgentName| {
        let mail = |person: &str| {
            person
                .strip_prefix(agent.as_str())
                .is_some_and(|rest| rest.starts_with('@') && rest.ends_with(".invalid"))
        };
        people.iter().any(|person| person == agent.as_str() || mail(person))
    };
    let wrong: Vec<&str> = agents.into_iter().filter(is_person).map(AgentName::as_str).collect();
    if wrong.is_empty() {
        return Vec::new();
    }
    let what = format!("`[commit] people` names agents, whose commits `ci` then lets pass: {}", some(&wrong));
    vec![Check::red("rules", what, "take them out of comm.toml")]
}

/// Agents of the rules who have not come yet, or have left.
fn strangers(rules: &Config, board: &Board) -> Option<Check> {
    let named = rules.domains.all().iter().filter_map(|domain| domain.agent.as_ref());
    let is_here =
        |agent: &AgentName| board.agents.get(agent).is_some_and(|known| known.state.retired_at.is_none());
    let mut absent: Vec<&str> = named.filter(|agent| !is_here(agent)).map(AgentName::as_str).collect();
    absent.sort_unstable();
    absent.dedup();
    let first = *absent.first()?;
    let known = board.agents.keys().map(AgentName::as_str).filter(|known| *known != first);
    let meant = similar::nearest(first, known);
    let what = format!("not registered: {}{}", some(&absent), perhaps(meant));
    Some(Check::yellow("rules", what, format!("once it works here: git comm --agent {first} agent register")))
}

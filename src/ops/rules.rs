//! The rules in force, and the domain that they bind a caller to.

use super::Context;
use super::error::Error;
use crate::config::{Config, Fault};
use crate::gate::scope::RULES;
use crate::git::{Change, GitError, Oid, Repo};
use crate::model::agent::Agent;
use crate::model::names::{AgentName, DomainName};
use crate::store::Store;

/// The largest `comm.toml` that is read, in bytes.
const LIMIT: usize = 1024 * 1024;

/// The rules that a commit carries; none if it has no `comm.toml`.
pub fn at(repo: &Repo, commit: Option<Oid>) -> Result<Option<Config>, Error> {
    let Some(commit) = commit else { return Ok(None) };
    match repo.file_at(commit, RULES, LIMIT) {
        Ok(None) => Ok(None),
        Ok(Some(text)) => parse(&text).map(Some),
        Err(GitError::WrongKind { .. }) => Err(unreadable(NO_FILE)),
        Err(error) => Err(unread(error)),
    }
}

const NO_FILE: &str = "it is a folder or a link, and must be a file";

fn unreadable(what: impl Into<String>) -> Error {
    Error::Rules { faults: vec![Fault { line: 1, column: 1, what: what.into(), meant: None }] }
}

fn unread(error: GitError) -> Error {
    match error {
        GitError::TooLarge { size, limit, .. } => {
            unreadable(format!("it has {size} bytes, more than the limit of {limit}"))
        }
        other => other.into(),
    }
}

/// The rules with this content.
pub fn parse(text: &[u8]) -> Result<Config, Error> {
    Config::parse(text).map_err(|faults| Error::Rules { faults })
}

/// The domains that `agent` works for: those that the rules give it, else
/// the one that its worktree is bound to, else the one that it registered.
/// None means that no scope binds it.
pub fn domains_of(store: &Store<'_>, rules: &Config, agent: &AgentName) -> Result<Vec<DomainName>, Error> {
    let given = given_to(rules, agent);
    if !given.is_empty() {
        return Ok(given);
    }
    if let Some(bound) = bound_domain(store)? {
        return Ok(vec![bound]);
    }
    Ok(store.read::<Agent>(agent.as_str())?.and_then(|a| a.state.domain).into_iter().collect())
}

/// As [`domains_of`], for questions that are not about a commit. Rules that
/// cannot be read give nobody a domain; whoever judges by them says so.
pub fn works_in(context: &Context<'_>, agent: &AgentName) -> Result<Vec<DomainName>, Error> {
    let rules = match current(context) {
        Err(Error::Rules { .. }) => Config::default(),
        other => other?,
    };
    domains_of(&context.store, &rules, agent)
}

/// The domains that the rules give to an agent.
pub fn given_to(rules: &Config, agent: &AgentName) -> Vec<DomainName> {
    let domains = rules.domains.all().iter().filter(|d| d.agent.as_ref() == Some(agent));
    domains.filter_map(|d| d.name.clone()).collect()
}

/// The domain that this worktree is bound to.
pub fn bound_domain(store: &Store<'_>) -> Result<Option<DomainName>, Error> {
    Ok(store.repo().bound("domain").map(|text| text.parse()).transpose()?)
}

/// The rules that judge what is done here now: those at HEAD, and where HEAD
/// has none, as on a branch without history, those of the trunk.
pub fn in_force(repo: &Repo) -> Result<Option<Config>, Error> {
    match at(repo, repo.head()?)? {
        Some(rules) => Ok(Some(rules)),
        None => at(repo, repo.trunk()?.map(|trunk| trunk.tip)),
    }
}

/// The rules that are staged; none stand for no rules.
pub fn staged(repo: &Repo) -> Result<Config, Error> {
    let entries = repo.files_staged()?;
    let Some(entry) = entries.iter().find(|entry| are(&entry.path)) else { return Ok(Config::default()) };
    match entry.path == RULES.as_bytes() {
        true if entry.is_unmerged => Err(unreadable("it is in conflict")),
        true if entry.is_file => parse(&repo.read_blob(entry.oid, LIMIT).map_err(unread)?),
        _ => Err(unreadable(NO_FILE)),
    }
}

/// The rules that are staged, if these changes touch them.
pub fn among(repo: &Repo, changes: &[Change]) -> Result<Option<Config>, Error> {
    changes.iter().any(|change| are(&change.path)).then(|| staged(repo)).transpose()
}

/// Whether these changes put a folder or a link in the place of the rules.
pub fn are_replaced(changes: &[Change]) -> bool {
    let is_file = |change: &Change| change.path == RULES.as_bytes() && change.mode.starts_with("100");
    changes.iter().any(|change| are(&change.path) && change.oid.is_some() && !is_file(change))
}

/// Whether the rules are at this path, or a folder in their place.
fn are(path: &[u8]) -> bool {
    path.strip_prefix(RULES.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// As [`in_force`], for questions that are not about a commit.
pub fn current(context: &Context<'_>) -> Result<Config, Error> {
    Ok(in_force(context.store.repo())?.unwrap_or_default())
}

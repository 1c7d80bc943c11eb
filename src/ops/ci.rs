//! Were these commits allowed? The same gates over a range, because a hook
//! can be skipped.
//!
//! The base's rules judge every commit of the range, and each commit's own
//! rules judge it too. A commit names in its trailers the claim that it was
//! made under; the scope is that of the agent which held that claim.

use std::collections::HashMap;

use super::error::Error;
use super::{Context, commit, rules};
use crate::config::Config;
use crate::gate::finding::Finding;
use crate::git::{Oid, Ranged};
use crate::model::agent::Agent;
use crate::model::names::{AgentName, DomainName, TaskId};
use crate::model::task::{Claim, Task};
use crate::store::{Version, task_ref};
use crate::text::escape;

/// Trailer that names the task that a commit was made for.
pub const TASK: &str = "Comm-Task";
/// Trailer that names the fence of the claim that it was made under, as
/// `TOKEN:NONCE`.
pub const FENCE: &str = "Comm-Fence";

/// What one gate found.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Its name.
    pub name: &'static str,
    /// How many commits it judged.
    pub checked: usize,
    /// What it found.
    pub findings: Vec<Finding>,
}

/// Judges the commits of `base..head`.
pub fn judge(context: &Context<'_>, base: &str, head: &str) -> Result<Vec<Gate>, Error> {
    let repo = context.store.repo();
    if context.store.meta().is_none() {
        return Err(Error::Absent {
            what: "the board (refs/comm-node/*) is not in this clone".into(),
            hint: "fetch it first: git fetch origin 'refs/comm-node/*:refs/comm-node/*'".into(),
        });
    }
    let rev = |text: &str| repo.resolve_rev(text)?.ok_or_else(|| Error::unknown("revision", text));
    let (base, head) = (rev(base)?, rev(head)?);
    let base_rules = rules::at(repo, Some(base))?;
    let range = repo.range(base, head, &[TASK, FENCE])?;
    let mut claim = Gate { name: "claim", checked: range.len(), findings: Vec::new() };
    let mut scope = Gate { name: "scope", checked: 0, findings: Vec::new() };
    let Some(base_rules) = base_rules else {
        // Rules that the range itself brings judge its commits, too.
        claim.checked = 0;
        return Ok(vec![claim, scope]);
    };
    let mut grants = HashMap::new();
    for one in &range {
        let domains = match granted_domains(context, &base_rules, one, &mut grants)? {
            Ok(Some(domains)) => domains,
            Ok(None) => continue,
            Err(what) => {
                let how = "an agent commits under a claim: git comm next, then git commit with the hooks installed; the person keeps the list of people";
                claim.findings.push(finding("claim", one.oid, Vec::new(), what, how.into()));
                // What it changed is judged all the same, as far as its author
                // tells whose it is.
                authors_domains(context, &base_rules, one)?
            }
        };
        scope.checked += 1;
        let own = rules::at(repo, Some(one.oid))?;
        let mut found = commit::out_of_scope(&base_rules, &domains, &one.changes);
        for finding in own.iter().flat_map(|own| commit::out_of_scope(own, &domains, &one.changes)) {
            if !found.iter().any(|f| f.path == finding.path) {
                found.push(finding);
            }
        }
        scope.findings.extend(found.into_iter().map(|f| Finding { commit: Some(one.oid.to_string()), ..f }));
    }
    Ok(vec![claim, scope])
}

fn finding(code: &'static str, commit: Oid, path: Vec<u8>, what: String, how: String) -> Finding {
    Finding { code, path, commit: Some(commit.to_string()), what, how }
}

type Grants = HashMap<(TaskId, String), Option<Claim>>;

/// The domains whose files a commit may change: those of the agent that held
/// the claim it names. None: its author is one of the people. The text says
/// why neither can be told.
fn granted_domains(
    context: &Context<'_>,
    rules: &Config,
    one: &Ranged,
    grants: &mut Grants,
) -> Result<Result<Option<Vec<DomainName>>, String>, Error> {
    let [task, fence] = one.trailers.as_slice() else { return Ok(Err("its trailers cannot be read".into())) };
    if task.is_empty() && fence.is_empty() {
        let people = &rules.commit.people;
        if people.iter().any(|p| *p == one.author_name || *p == one.author_email) {
            return Ok(Ok(None));
        }
        let who = escape::clipped(&format!("{} <{}>", one.author_name, one.author_email), 80);
        return Ok(Err(format!("it names no claim, and {who} is not among `[commit] people`")));
    }
    let Ok(id) = task.parse::<TaskId>() else {
        return Ok(Err(format!("`{TASK}: {}` names no task", escape::clipped(task, 80))));
    };
    let key = (id.clone(), fence.clone());
    if !grants.contains_key(&key) {
        let grant = find_grant(context, &id, fence)?;
        grants.insert(key.clone(), grant);
    }
    match grants.get(&key).and_then(Option::as_ref) {
        Some(claim) => Ok(Ok(Some(domains_of(context, rules, claim)?))),
        None => Ok(Err(format!("`{FENCE}: {}` is no claim of `{id}`", escape::clipped(fence, 80)))),
    }
}

/// The domains of the agent that a commit's author names, if it names one:
/// worktrees that were made for agents commit under their names.
fn authors_domains(context: &Context<'_>, rules: &Config, one: &Ranged) -> Result<Vec<DomainName>, Error> {
    let Ok(agent) = one.author_name.parse::<AgentName>() else { return Ok(Vec::new()) };
    let given = rules::given_to(rules, &agent);
    if !given.is_empty() {
        return Ok(given);
    }
    let registered = context.store.read::<Agent>(agent.as_str())?.and_then(|a| a.state.domain);
    Ok(registered.into_iter().collect())
}

/// The claim of `id` that was granted under this fence.
fn find_grant(context: &Context<'_>, id: &TaskId, fence: &str) -> Result<Option<Claim>, Error> {
    let Some((token, nonce)) = fence.split_once(':') else { return Ok(None) };
    let Ok(token) = token.parse::<u64>() else { return Ok(None) };
    let name = task_ref(id)?;
    let mut next = context.store.tip(&name)?;
    while let Some(oid) = next {
        let version: Version<Task> = context.store.version(&name, id.as_str(), oid)?;
        let phase = &version.state.phase;
        if phase.fence.token == token
            && phase.fence.nonce == nonce
            && let Some(claim) = &phase.claim
        {
            return Ok(Some(claim.clone()));
        }
        next = version.parents.first().copied();
    }
    Ok(None)
}

fn domains_of(context: &Context<'_>, rules: &Config, claim: &Claim) -> Result<Vec<DomainName>, Error> {
    let given = rules::given_to(rules, &claim.agent);
    if !given.is_empty() {
        return Ok(given);
    }
    if let Some(domain) = &claim.domain {
        return Ok(vec![domain.clone()]);
    }
    let registered = |agent: &AgentName| -> Result<Option<DomainName>, Error> {
        Ok(context.store.read::<Agent>(agent.as_str())?.and_then(|a| a.state.domain))
    };
    Ok(registered(&claim.agent)?.into_iter().collect())
}

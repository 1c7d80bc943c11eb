//! Were these commits allowed? The same gates over a range, because a hook
//! can be skipped.
//!
//! The base's rules judge every commit of the range, and each commit's own
//! rules judge it too. A commit names in its trailers the claim that it was
//! made under; the scope is that of the agent which held that claim.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::boundary::Reader;
use super::boundary::book::Book;
use super::boundary::change::{Extent, committed};
use super::error::Error;
use super::identity::is_agent;
use super::{Context, commit, rules};
use crate::config::Config;
use crate::gate::finding::Finding;
use crate::gate::scope::RULES;
use crate::git::{Oid, Ranged};
use crate::model::agent::Agent;
use crate::model::names::{AgentName, DomainName, TaskId};
use crate::model::task::{Claim, Task};
use crate::store::{Version, task_ref, tasks_prefix};
use crate::text::escape;
use crate::text::time::Timestamp;

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

/// What was judged.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// What each gate found.
    pub gates: Vec<Gate>,
    /// Why nothing was judged, where that is so.
    pub note: Option<String>,
}

/// Judges the commits of `base..head`.
pub fn judge(context: &Context<'_>, base: &str, head: &str) -> Result<Verdict, Error> {
    let repo = context.store.repo();
    if !context.store.has_board() {
        return Err(Error::Absent {
            what: "the board (refs/comm-node/*) is not in this clone".into(),
            hint: "fetch it first: git fetch origin 'refs/comm-node/*:refs/comm-node/*'; the fleet's clone must have sent it: git comm sync".into(),
        });
    }
    let rev = |text: &str| repo.resolve_rev(text)?.ok_or_else(|| Error::unknown("revision", text));
    let (base_oid, head) = (rev(base)?, rev(head)?);
    let base_rules = rules::at(repo, Some(base_oid))?;
    let range = repo.range(base_oid, head, &[TASK, FENCE])?;
    if let Some(oid) = repo.cut_off(&range) {
        return Err(Error::Absent {
            what: format!("this clone has no history before {oid}, which is in the range"),
            hint: "fetch all of it: git fetch --unshallow (in CI: fetch-depth: 0)".into(),
        });
    }
    let mut claim = Gate { name: "claim", checked: 0, findings: Vec::new() };
    let mut scope = Gate { name: "scope", checked: 0, findings: Vec::new() };
    let Some(base_rules) = base_rules else {
        let base = escape::clipped(base, 60);
        let note = format!("`{base}` has no {RULES}, and the rules of the base are those that judge");
        return Ok(Verdict { gates: vec![claim, scope], note: Some(note) });
    };
    let mut boundary = Gate { name: "boundary", checked: 0, findings: Vec::new() };
    let book = Book::at(repo, Some(base_oid), base_rules.clone())?;
    let reader = Reader::new(repo);
    let mut grants = HashMap::new();
    for one in &range {
        if let Some(broken) = committed(&reader, &book, one, Extent::Change)? {
            boundary.checked += 1;
            let named = |f| Finding { commit: Some(one.oid.to_string()), ..f };
            boundary.findings.extend(broken.findings.into_iter().map(named));
        }
        claim.checked += 1;
        let Some(findings) = judge_one(context, &base_rules, one, &mut grants)? else { continue };
        scope.checked += 1;
        for finding in findings {
            let gate = if finding.code == claim.name { &mut claim } else { &mut scope };
            gate.findings.push(Finding { commit: Some(one.oid.to_string()), ..finding });
        }
    }
    Ok(Verdict { gates: vec![claim, scope, boundary], note: None })
}

/// Whether a commit that is made once more, as in a rebase, was allowed where
/// it was made: under the rules in force nothing is found in it.
pub fn allows(context: &Context<'_>, commit: Oid) -> Result<bool, Error> {
    let Some((rules, one)) = one_in_force(context, commit)? else { return Ok(false) };
    is_allowed(context, &rules, &one)
}

/// Whether a commit may become part of HEAD: what either changed is allowed
/// under the name and the claim of the other, one of which both get.
pub fn allows_joined(context: &Context<'_>, commit: Oid) -> Result<bool, Error> {
    let Some(head) = context.store.repo().head()? else { return Ok(false) };
    let Some((rules, mut one)) = one_in_force(context, commit)? else { return Ok(false) };
    let Some((_, mut head)) = one_in_force(context, head)? else { return Ok(false) };
    if one.trailers.iter().all(String::is_empty) != head.trailers.iter().all(String::is_empty) {
        return Ok(false);
    }
    std::mem::swap(&mut one.changes, &mut head.changes);
    Ok(is_allowed(context, &rules, &one)? && is_allowed(context, &rules, &head)?)
}

/// The task and the fence that a commit names, if it names both.
pub fn named(context: &Context<'_>, commit: Oid) -> Result<Option<[String; 2]>, Error> {
    let Some((_, one)) = one_in_force(context, commit)? else { return Ok(None) };
    let named: Result<[String; 2], _> = one.trailers.try_into();
    Ok(named.ok().filter(|named| named.iter().all(|value| !value.is_empty())))
}

/// The agent whose claim a commit names.
pub fn holder(context: &Context<'_>, commit: Oid) -> Result<Option<AgentName>, Error> {
    let Some([task, fence]) = named(context, commit)? else { return Ok(None) };
    let Ok(task) = task.parse::<TaskId>() else { return Ok(None) };
    Ok(find_grant(context, &task, &fence)?.map(|grant| grant.claim.agent))
}

/// The rules in force, and a commit as a range has it.
fn one_in_force(context: &Context<'_>, commit: Oid) -> Result<Option<(Config, Ranged)>, Error> {
    let repo = context.store.repo();
    let Some(head) = repo.head()? else { return Ok(None) };
    let Some(rules) = rules::in_force(repo)? else { return Ok(None) };
    Ok(repo.one(commit, &[TASK, FENCE], head)?.map(|one| (rules, one)))
}

fn is_allowed(context: &Context<'_>, rules: &Config, one: &Ranged) -> Result<bool, Error> {
    let findings = judge_one(context, rules, one, &mut HashMap::new())?;
    Ok(findings.is_none_or(|findings| findings.is_empty()))
}

/// What is wrong with one commit. None: it is a person's, who commits
/// anywhere.
fn judge_one(
    context: &Context<'_>,
    base: &Config,
    one: &Ranged,
    grants: &mut Grants,
) -> Result<Option<Vec<Finding>>, Error> {
    let mut findings = Vec::new();
    // Whoever commits: rules that cannot be read judge nobody.
    let own = match rules::at(context.store.repo(), Some(one.oid)) {
        Err(Error::Rules { .. }) if !one.changes.iter().any(|c| c.path == RULES.as_bytes()) => None,
        Err(Error::Rules { faults }) => {
            let what = faults.first().map_or_else(String::new, ToString::to_string);
            let how = "a later commit mends them; the person decides whether it may land".into();
            findings.push(Finding::new("rules", RULES, what, how));
            None
        }
        other => other?,
    };
    let domains = match granted_domains(context, base, one, grants)? {
        Ok(Some(domains)) => domains,
        Ok(None) if findings.is_empty() => return Ok(None),
        Ok(None) => return Ok(Some(findings)),
        Err(Unclaimed { what, is_unknown }) => {
            let mut how = "an agent commits under its own claim: git comm next, then git commit with the hooks installed; the person keeps the list of people".to_owned();
            if is_unknown {
                how.push_str("; or the board in this clone is older than the claim: fetch it again");
            }
            findings.push(Finding::new("claim", "", what, how));
            // What it changed is judged all the same, as far as its author
            // tells whose it is.
            authors_domains(context, base, one)?
        }
    };
    findings.extend(commit::out_of_scope(base, &domains, &one.changes));
    for finding in own.iter().flat_map(|own| commit::out_of_scope(own, &domains, &one.changes)) {
        if !findings.iter().any(|f| f.path == finding.path) {
            findings.push(finding);
        }
    }
    Ok(Some(findings))
}

/// A claim as a commit may name it.
#[derive(Clone, Debug)]
struct Grant {
    claim: Claim,
    /// When the task was granted to the next one, if it was.
    superseded: Option<Timestamp>,
}

/// Why a commit has no claim that it may name.
struct Unclaimed {
    what: String,
    /// Whether it names one that this clone's board does not have.
    is_unknown: bool,
}

impl From<String> for Unclaimed {
    fn from(what: String) -> Self {
        Self { what, is_unknown: false }
    }
}

/// How much later than its end a claim may still be named: clocks differ.
const LATE: Duration = Duration::from_secs(300);

type Grants = HashMap<(TaskId, String), Option<Grant>>;

/// The domains whose files a commit may change: those of the agent that held
/// the claim it names. None: its author is one of the people.
fn granted_domains(
    context: &Context<'_>,
    rules: &Config,
    one: &Ranged,
    grants: &mut Grants,
) -> Result<Result<Option<Vec<DomainName>>, Unclaimed>, Error> {
    let [task, fence] = one.trailers.as_slice() else {
        return Ok(Err("its trailers cannot be read".to_owned().into()));
    };
    if task.is_empty() && fence.is_empty() {
        let people = &rules.commit.people;
        let is_listed = people.iter().any(|p| *p == one.author_name || *p == one.author_email);
        // An agent may commit with the mail address of whoever runs it.
        let is_agents = match one.author_name.parse::<AgentName>() {
            Ok(author) => !people.contains(&one.author_name) && is_agent(&context.store, rules, &author)?,
            Err(_) => false,
        };
        if is_listed && !is_agents {
            return Ok(Ok(None));
        }
        let who = escape::clipped(&format!("{} <{}>", one.author_name, one.author_email), 80);
        return Ok(Err(format!("it names no claim, and {who} is not among `[commit] people`").into()));
    }
    let Ok(id) = task.parse::<TaskId>() else {
        return Ok(Err(format!("`{TASK}: {}` names no task", escape::clipped(task, 80)).into()));
    };
    let key = (id.clone(), fence.clone());
    if !grants.contains_key(&key) {
        let grant = find_grant(context, &id, fence)?;
        grants.insert(key.clone(), grant);
    }
    match grants.get(&key).and_then(Option::as_ref) {
        Some(grant) => match misused(context, rules, &id, grant, one)? {
            Some(what) => Ok(Err(what.into())),
            None => Ok(Ok(Some(domains_of(context, rules, &grant.claim)?))),
        },
        None => {
            let what = format!("`{FENCE}: {}` is no claim of `{id}`", escape::clipped(fence, 80));
            Ok(Err(Unclaimed { what, is_unknown: true }))
        }
    }
}

/// Why a commit may not name a claim that there was: it is another agent's,
/// or it was over when the commit was made.
fn misused(
    context: &Context<'_>,
    rules: &Config,
    id: &TaskId,
    grant: &Grant,
    one: &Ranged,
) -> Result<Option<String>, Error> {
    let holder = &grant.claim.agent;
    if let Ok(author) = one.author_name.parse::<AgentName>()
        && author != *holder
        // Who takes a task over may pick or mend what was made before.
        && one.committer_name != holder.as_str()
        && is_agent(&context.store, rules, &author)?
    {
        return Ok(Some(format!("`{author}` made it, and the claim of `{id}` that it names is {holder}'s")));
    }
    let authored = Timestamp::from_micros(one.authored.saturating_mul(1_000_000));
    match grant.superseded {
        Some(at) if authored.since(at) > LATE => Ok(Some(format!(
            "it was made after the claim of `{id}` that it names, {holder}'s, was superseded"
        ))),
        _ => Ok(None),
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
    if registered.is_some() {
        return Ok(registered.into_iter().collect());
    }
    // Else where its worktrees were bound to when it claimed what it holds.
    let tasks = context.store.read_all::<TaskId, Task>(tasks_prefix())?.records;
    let claims = tasks.into_values().filter_map(|task| task.state.phase.claim);
    let domains: BTreeSet<DomainName> =
        claims.filter(|claim| claim.agent == agent).filter_map(|claim| claim.domain).collect();
    Ok(domains.into_iter().collect())
}

/// The claim of `id` that was granted under this fence.
fn find_grant(context: &Context<'_>, id: &TaskId, fence: &str) -> Result<Option<Grant>, Error> {
    let Some((token, nonce)) = fence.split_once(':') else { return Ok(None) };
    let Ok(token) = token.parse::<u64>() else { return Ok(None) };
    let name = task_ref(id)?;
    let Some(tip) = context.store.tip(&name)? else { return Ok(None) };
    let tip: Version<Task> = context.store.version(&name, id.as_str(), tip)?;
    let mut superseded = None;
    for version in context.store.back(&name, id.as_str(), tip) {
        let version = version?;
        let phase = &version.state.phase;
        if phase.fence.token == token
            && phase.fence.nonce == nonce
            && let Some(claim) = &phase.claim
        {
            return Ok(Some(Grant { claim: claim.clone(), superseded }));
        }
        if phase.fence.token > token {
            superseded = Some(version.head.at);
        }
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

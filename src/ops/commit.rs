//! May this commit be made? Scope and claim, judged on what is staged.
//!
//! An agent's commit must pass under the rules in force and under its own, so that
//! none loosens the gate that judges it. People commit anywhere: the gate is
//! between agents.

use super::error::{Error, plural};
use super::identity::Who;
use super::refusing::{hint_for, on_record};
use super::{Context, boundary, losses, resolve, rules};
use crate::config::Config;
use crate::gate::finding::Finding;
use crate::gate::scope::{Owner, RULES};
use crate::git::Change;
use crate::model::names::{AgentName, DomainName, TaskId};
use crate::model::refusal::Refusal;
use crate::model::stamp::Fence;
use crate::store::Author;

/// What a commit was found to be made under.
#[derive(Clone, Debug, Default)]
pub struct Passed {
    /// Files that were judged.
    pub files: usize,
    /// The claim that it is made under.
    pub grant: Option<(TaskId, Fence)>,
}

/// Judges what is staged. A refusal is on the record before it is told. The
/// agent that it is made `under` the name of needs no claim of now.
pub fn judge_staged(context: &Context<'_>, under: Option<&AgentName>) -> Result<Passed, Error> {
    judge(context, context.store.repo().staged()?, under)
}

/// As [`judge_staged`], for a commit that takes HEAD's place: what HEAD
/// changed is then the caller's change.
pub fn judge_amended(context: &Context<'_>, under: Option<&AgentName>) -> Result<Passed, Error> {
    judge(context, context.store.repo().staged_to_amend()?, under)
}

fn is_agent(context: &Context<'_>) -> bool {
    let who = context.identity.committer(&context.store, &Config::default());
    matches!(who, Ok(Who::Agent(_)))
}

/// Judges the imports of a commit that is made once more on top of another:
/// it was allowed where it was made, and leads elsewhere here.
pub fn judge_replayed(context: &Context<'_>, amends: bool) -> Result<(), Error> {
    let repo = context.store.repo();
    let changes = if amends { repo.staged_to_amend()? } else { repo.staged()? };
    let Some(rules) = rules::in_force(repo)? else { return Ok(()) };
    let own = rules::among(repo, &changes)?;
    let Who::Agent(agent) = context.identity.committer(&context.store, &rules)? else { return Ok(()) };
    let author = context.identity.as_agent(&context.store, agent);
    let bound = rules::domains_of(&context.store, &rules, &author.agent)?;
    refuse_crossing(context, &rules, own.as_ref(), &changes, By::Agent(&author, &bound))
}

fn judge(context: &Context<'_>, changes: Vec<Change>, under: Option<&AgentName>) -> Result<Passed, Error> {
    let repo = context.store.repo();
    // Whoever commits: rules that cannot be read judge nobody.
    let own = match rules::among(repo, &changes) {
        // That they are in no agent's scope says more than what became of them.
        Err(Error::Rules { .. }) if rules::are_replaced(&changes) && is_agent(context) => {
            Some(Config::default())
        }
        other => other?,
    };
    let before = match (rules::in_force(repo), &own) {
        // Who commits anywhere mends them, and keeps to what they are made to.
        (Err(Error::Rules { .. }), Some(mended)) if context.identity.is_no_agent(&context.store)? => {
            refuse_crossing(context, mended, Some(mended), &changes, By::Person)?;
            return Ok(Passed { files: changes.len(), grant: None });
        }
        (other, _) => other?,
    };
    let judged_by = before.clone().unwrap_or_default();
    let who = context.identity.committer(&context.store, &judged_by)?;
    let by = if who.is_judged_by_both() { By::Unnamed } else { By::Person };
    let agent = match who {
        Who::Agent(name) => name,
        Who::Person(_) | Who::Script(_) => {
            refuse_crossing(context, &judged_by, own.as_ref(), &changes, by)?;
            return Ok(Passed { files: changes.len(), grant: None });
        }
        Who::Nobody(_) => {
            // A harness whose agent has no name, where names matter.
            let binds =
                before.as_ref().is_some_and(|c| !c.domains.all().is_empty() || c.commit.require_claim);
            if binds && matches!(by, By::Unnamed) {
                return context.identity.author(&context.store).map(|_| Passed::default());
            }
            refuse_crossing(context, &judged_by, own.as_ref(), &changes, by)?;
            return Ok(Passed { files: changes.len(), grant: None });
        }
    };
    let author = context.identity.as_agent(&context.store, agent);
    let before = judged_by;
    let grant = current_grant(context, &author)?;
    let bound = rules::domains_of(&context.store, &before, &author.agent)?;
    refuse_paused(context, &author, &bound)?;
    let requires = before.commit.require_claim || own.as_ref().is_some_and(|c| c.commit.require_claim);
    if requires && grant.is_none() && under != Some(&author.agent) {
        let what = format!("`{}` holds no task, and commits here are made under one", author.agent);
        on_record(context, &author, &bound, "claim", &what, &[]);
        let hint = "take one: git comm next".into();
        return Err(Error::Gate { what, findings: Vec::new(), hint });
    }
    let mut findings = out_of_scope(&before, &bound, &changes);
    if let Some(own) = &own {
        for finding in out_of_scope(own, &bound, &changes) {
            if !findings.iter().any(|f| f.path == finding.path) {
                findings.push(finding);
            }
        }
    }
    if findings.is_empty() {
        refuse_crossing(context, &before, own.as_ref(), &changes, By::Agent(&author, &bound))?;
        return Ok(Passed { files: changes.len(), grant });
    }
    let scope: Vec<&str> = bound.iter().map(DomainName::as_str).collect();
    let scope = if scope.is_empty() { String::new() } else { format!(" (domain {})", scope.join(", ")) };
    let what = format!(
        "{} of {} outside the scope of `{}`{scope}",
        findings.len(),
        plural(changes.len(), "staged file"),
        author.agent
    );
    let hint = hint_for(context, &before, &findings)?;
    on_record(context, &author, &bound, "scope", &what, &findings);
    Err(Error::Gate { what, findings, hint })
}

/// Who makes a change.
#[derive(Clone, Copy)]
enum By<'a> {
    /// An agent, and the domains that it works for.
    Agent(&'a Author, &'a [DomainName]),
    /// An agent without a name, which has no record.
    Unnamed,
    /// Somebody who commits anywhere.
    Person,
}

/// Refuses a change whose imports cross a border, whoever makes it: the rules
/// are about the code. What an agent tried is on the record.
fn refuse_crossing(
    context: &Context<'_>,
    in_force: &Config,
    own: Option<&Config>,
    changes: &[Change],
    by: By<'_>,
) -> Result<(), Error> {
    let is_agent = !matches!(by, By::Person);
    let broken = boundary::change::staged(context.store.repo(), in_force, own, changes, is_agent)?;
    let (findings, said): (Vec<Finding>, Vec<Finding>) =
        broken.findings.into_iter().partition(Finding::is_error);
    context.notices.borrow_mut().extend(said.iter().map(ToString::to_string));
    let Some(first) = findings.first() else { return Ok(()) };
    let imports = findings.iter().filter(|finding| finding.crossing.is_some()).count();
    let what = match imports {
        imports if imports == findings.len() => {
            format!(
                "{} of {} across a border",
                plural(imports, "import"),
                plural(changes.len(), "staged file")
            )
        }
        _ => format!("{} in {}", plural(findings.len(), "finding"), plural(changes.len(), "staged file")),
    };
    let hint = first.how.clone();
    if let By::Agent(author, bound) = by {
        on_record(context, author, bound, "boundary", &what, &findings);
    }
    Err(Error::Gate { what, findings, hint })
}

/// The changes that are not for an agent of the `bound` domains.
pub fn out_of_scope(rules: &Config, bound: &[DomainName], changes: &[Change]) -> Vec<Finding> {
    let judge = |change: &Change| {
        let finding = |what: String, how: String| Some(Finding::new("scope", change.path.clone(), what, how));
        if is_rules(&change.path) {
            return finding("the rules are in no agent's scope".into(), "ask the person".into());
        }
        // Where nobody drew borders there is nothing to cross.
        if bound.is_empty() || rules.domains.all().is_empty() {
            return None;
        }
        match rules.domains.owner(&change.path) {
            Owner::Domain(domain) if domain.name.as_ref().is_some_and(|n| bound.contains(n)) => None,
            Owner::Domain(domain) => {
                let mut whose = format!("domain {}", domain.shown());
                if let Some(agent) = &domain.agent {
                    whose.push_str(&format!(", agent {agent}"));
                }
                if !domain.owner.is_empty() {
                    whose.push_str(&format!(", owner {}", domain.owner));
                }
                let how = match domain.hint.as_str() {
                    "" => format!("ask: git comm msg send --to domain:{} TEXT", domain.shown()),
                    hint => hint.to_owned(),
                };
                finding(whose, how)
            }
            Owner::Nobody => finding("no domain's file".into(), "ask the person".into()),
            Owner::Tie(one, two) => finding(
                format!("claimed by both {} and {}", one.shown(), two.shown()),
                "ask the person to mend comm.toml".into(),
            ),
        }
    };
    changes.iter().filter_map(judge).collect()
}

/// Whether a file is the rules, or in a folder that takes their place.
fn is_rules(path: &[u8]) -> bool {
    path.strip_prefix(RULES.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

pub(super) fn refuse_paused(
    context: &Context<'_>,
    author: &Author,
    bound: &[DomainName],
) -> Result<(), Error> {
    context.store.require_intact()?;
    match context.store.control().pause_of(&author.agent, bound) {
        None => Ok(()),
        Some((scope, pause)) => {
            Err(Refusal::Paused { scope, by: pause.by.clone(), reason: pause.reason.clone() }.into())
        }
    }
}

/// The claim that a commit of this session is made under: that of the task
/// which the worktree is bound to, else of the one task that is held.
///
/// A session that has lost what it held is refused: what it is about to commit
/// was work on a task that is somebody else's now.
pub fn current_grant(context: &Context<'_>, author: &Author) -> Result<Option<(TaskId, Fence)>, Error> {
    let bound: Option<TaskId> = context.store.repo().bound("task").map(|t| t.parse()).transpose()?;
    let mut held = resolve::held(context, author)?;
    if held.is_empty() {
        // What was handed over is its receiver's, taken up or not.
        held = super::board::Board::load(&context.store)?.held_by(&author.agent, "");
    }
    let Some(task) = held.iter().find(|id| Some(*id) == bound.as_ref()).or(held.first()) else {
        losses::refuse(context, author)?;
        return Ok(None);
    };
    let fence = super::tasks::read(context, task)?.state.phase.fence;
    Ok(Some((task.clone(), fence)))
}

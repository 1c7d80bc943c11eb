//! May this edit be made? Judged before it happens, by the rules that will
//! judge its commit: HEAD's.
//!
//! A helper beside the gate, which is the commit: what cannot be judged here
//! is let through unless `comm.hooks.onFailure` is `block`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::call::{Call, absolute};
use super::place::{Place, Places, real};
use crate::config::Config;
use crate::env::Env;
use crate::gate::finding::Finding;
use crate::gate::scope::RULES;
use crate::git::{Change, Repo};
use crate::model::names::{DomainName, TaskId};
use crate::model::refusal::Refusal;
use crate::model::task::Task;
use crate::ops::error::Error;
use crate::ops::identity::Who;
use crate::ops::refusing::{hint_for, on_record};
use crate::ops::{Context, board, commit, rules};
use crate::store::Author;
use crate::text::escape;

/// Findings in one refusal before the rest is only counted.
const SHOWN: usize = 5;
/// Widest path in a refusal, in columns.
const WIDE: usize = 160;

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be made.
    Allowed,
    /// It may not; the text says why and how to get it done.
    Denied(String),
    /// It could not be judged; the text says why.
    Unjudged(String),
}

/// Whether what cannot be judged is denied here.
pub fn blocks_on_failure(repo: &Repo) -> bool {
    repo.config("comm.hooks.onFailure").is_some_and(|v| v.eq_ignore_ascii_case("block"))
}

/// As [`blocks_on_failure`], where only the folder is known.
pub fn blocks_at(dir: &Path, env: &Env) -> bool {
    Repo::open(dir, env).is_ok_and(|repo| blocks_on_failure(&repo))
}

/// The tops of the worktrees that the files of a call are in, but for the one
/// that the call was judged in: a harness may work somewhere else.
pub fn elsewhere(call: &Call, dir: &Path, judged: Option<&Repo>) -> BTreeSet<PathBuf> {
    let here = judged.and_then(|repo| std::fs::canonicalize(repo.work_tree()?).ok());
    let top =
        |path: &Path| path.ancestors().skip(1).find(|dir| dir.join(".git").exists()).map(Path::to_owned);
    let files = call.files.iter().map(|(from, path)| real(&absolute(dir, from, path)));
    files.filter_map(|path| top(&path)).filter(|top| Some(top) != here.as_ref()).collect()
}

/// Judges the edits of a call that works in `dir`. A refusal is on the record
/// before it is told.
pub fn judge(context: &Context<'_>, call: &Call, dir: &Path) -> Verdict {
    if let Some(why) = &call.broken {
        return Verdict::Unjudged(why.clone());
    }
    if call.files.is_empty() {
        return Verdict::Allowed;
    }
    match find(context, call, dir) {
        Ok(verdict) => verdict,
        Err(Error::Refused(refusal)) => Verdict::Denied(told(&refusal.to_string(), &[], &refusal.hint())),
        Err(error) => Verdict::Unjudged(error.to_string()),
    }
}

fn find(context: &Context<'_>, call: &Call, dir: &Path) -> Result<Verdict, Error> {
    let repo = context.store.repo();
    let rules = rules::in_force(repo)?;
    if rules.is_none() && !context.store.has_board() {
        return Ok(Verdict::Allowed);
    }
    let rules = rules.unwrap_or_default();
    let who = match context.identity.committer(&context.store, &rules) {
        // Whoever may not commit here.
        Err(Error::Identity { what, hint }) => {
            return Ok(Verdict::Denied(told(&format!("no edit is made here: {what}"), &[], &hint)));
        }
        other => other?,
    };
    let agent = match who {
        Who::Agent(name) => name,
        Who::Person(_) => return Ok(Verdict::Allowed),
        Who::Script(_) | Who::Nobody(_) => {
            let binds = !rules.domains.all().is_empty() || rules.commit.require_claim;
            return Ok(if binds {
                Verdict::Unjudged(
                    "no agent is named; set GIT_COMM_AGENT, or comm.agent in the worktree".into(),
                )
            } else {
                Verdict::Allowed
            });
        }
    };
    let Some(places) = Places::new(repo) else {
        return Ok(Verdict::Unjudged("there is no working tree here".into()));
    };
    let author = context.identity.as_agent(&context.store, agent);
    let bound = rules::domains_of(&context.store, &rules, &author.agent)?;
    commit::refuse_paused(context, &author, &bound)?;
    let (findings, hint) = findings(context, &rules, &bound, &places, call, dir)?;
    if !findings.is_empty() {
        let domains: Vec<&str> = bound.iter().map(DomainName::as_str).collect();
        let domains =
            if domains.is_empty() { String::new() } else { format!(" (domain {})", domains.join(", ")) };
        let what = format!("this edit is not for `{}`{domains}", author.agent);
        on_record(context, &author, &bound, "edit", &what, &findings);
        return Ok(Verdict::Denied(told(&what, &findings, &hint)));
    }
    match claim_missing(context, &author, &rules) {
        Ok(None) => Ok(Verdict::Allowed),
        Ok(Some((what, hint))) => {
            on_record(context, &author, &bound, "claim", &what, &[]);
            Ok(Verdict::Denied(told(&what, &[], &hint)))
        }
        Err(Error::Refused(refusal)) => {
            on_record(context, &author, &bound, "claim", &refusal.to_string(), &[]);
            Err(refusal.into())
        }
        Err(error) => Err(error),
    }
}

/// What is wrong with where the edits lead, and how to get them done.
fn findings(
    context: &Context<'_>,
    rules: &Config,
    bound: &[DomainName],
    places: &Places<'_>,
    call: &Call,
    dir: &Path,
) -> Result<(Vec<Finding>, String), Error> {
    let mut misplaced = Vec::new();
    let mut changes: Vec<Change> = Vec::new();
    for (from, path) in &call.files {
        for place in places.of(&absolute(dir, from, path)) {
            match place {
                Place::Inside(path) => {
                    // By whatever case: some file systems take them for one.
                    let path = if path.eq_ignore_ascii_case(RULES.as_bytes()) {
                        RULES.as_bytes().to_vec()
                    } else {
                        path
                    };
                    if !changes.iter().any(|c| c.path == path) {
                        changes.push(Change { path, ..Change::default() });
                    }
                }
                other => misplaced.push(misplacement(context, places, path, &other)?),
            }
        }
    }
    let mut findings = misplaced;
    let out_of_scope = commit::out_of_scope(rules, bound, &changes);
    let hint = match findings.first() {
        Some(first) => first.how.clone(),
        None => hint_for(context, rules, &out_of_scope)?,
    };
    findings.extend(out_of_scope);
    Ok((findings, hint))
}

fn misplacement(
    context: &Context<'_>,
    places: &Places<'_>,
    named: &Path,
    place: &Place,
) -> Result<Finding, Error> {
    let root = shown(places.root());
    let (what, how) = match place {
        Place::Git => ("git's own file".to_owned(), "ask the person".to_owned()),
        Place::Worktree(other) => {
            let name = other.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let who = worker(context, &name)?;
            let whose = who.as_ref().map(|w| format!(", where {w} works")).unwrap_or_default();
            let how = match who {
                Some(who) => {
                    format!("edit your own copy below {root}, or ask: git comm msg send --to {who} TEXT")
                }
                None => format!("edit your own copy below {root}"),
            };
            (format!("in another worktree, {}{whose}", shown(other)), how)
        }
        Place::Outside(_) | Place::Inside(_) => {
            (format!("outside of your worktree {root}"), "work inside it, or ask the person".to_owned())
        }
    };
    let path = escape::clipped(&named.to_string_lossy(), WIDE).into_bytes();
    Ok(Finding::new("place", path, what, how))
}

/// The agent whose last sign of life came from the worktree of this name.
fn worker(context: &Context<'_>, worktree: &str) -> Result<Option<String>, Error> {
    let board = board::Board::load(&context.store)?;
    let own = context.identity.name();
    let seen = board
        .agents
        .iter()
        .filter(|(name, _)| Some(*name) != own)
        .flat_map(|(name, agent)| agent.state.sessions.values().map(move |session| (name, session)));
    let here = seen.filter(|(_, session)| session.worktree == worktree);
    Ok(here.max_by_key(|(_, session)| session.heartbeat.at).map(|(name, _)| name.to_string()))
}

/// Why an edit here needs a claim that the caller does not have, and how to
/// get one.
fn claim_missing(
    context: &Context<'_>,
    author: &Author,
    rules: &Config,
) -> Result<Option<(String, String)>, Error> {
    let bound = context.store.repo().bound("task");
    let bound: Option<TaskId> = bound.map(|t| t.parse()).transpose()?;
    if bound.is_none() && !rules.commit.require_claim {
        return Ok(None);
    }
    let mut holder = None;
    if let Some(id) = &bound
        && let Some(version) = context.store.read::<Task>(id.as_str())?
        && let Some(claim) = version.state.phase.claim
    {
        if claim.is_of(&author.agent, &author.session) {
            return Ok(None);
        }
        holder = Some(claim.agent);
    }
    if commit::current_grant(context, author)?.is_some() {
        return Ok(None);
    }
    let agent = &author.agent;
    Ok(Some(match (bound, holder) {
        (Some(id), Some(holder)) if holder != *agent => (
            format!("this worktree is for `{id}`, which {holder} holds"),
            format!("ask: git comm msg send --to {holder} TEXT; or take other work: git comm next"),
        ),
        (Some(id), _) => (
            format!("this worktree is for `{id}`, which `{agent}` does not hold"),
            format!("take it: git comm claim {id}; or other work: git comm next"),
        ),
        (None, _) => (
            format!("`{agent}` holds no task, and edits here are made under one"),
            "take one: git comm next".to_owned(),
        ),
    }))
}

/// A refusal as the model reads it: what, which files, what to do.
fn told(what: &str, findings: &[Finding], hint: &str) -> String {
    let mut text = format!("git comm: {}", escape::line(what));
    for finding in findings.iter().take(SHOWN) {
        let path = escape::clipped(&String::from_utf8_lossy(&finding.path), WIDE);
        text.push_str(&format!("\n  {path}: {}", escape::line(&finding.what)));
    }
    if findings.len() > SHOWN {
        text.push_str(&format!("\n  and {} more", findings.len() - SHOWN));
    }
    text.push_str(&format!("\nhint: {}", escape::line(hint)));
    text
}

fn shown(path: &Path) -> String {
    escape::clipped(&path.to_string_lossy(), WIDE)
}

/// The refusal of a paused caller, for those who only ask.
pub fn pause_of(context: &Context<'_>, author: &Author, bound: &[DomainName]) -> Option<Refusal> {
    match commit::refuse_paused(context, author, bound) {
        Err(Error::Refused(refusal)) => Some(refusal),
        _ => None,
    }
}

//! Adding a worktree: a folder and a branch off fresh trunk, bound to an
//! agent, a domain and a task.
//!
//! Whole or not at all: what a failing step leaves is undone at once, what a
//! killed process leaves is undone by the next that adds or prunes.

pub use crate::git::PROBE;

use std::path::{Path, PathBuf};

use super::loss::disposable;
use super::place::{check_name, check_path, default_place, real, shown};
use crate::gate::scope::RULES;
use crate::git::{Adding, GitError, NewWorktree, Oid, RefName, Repo};
use crate::model::names::{AgentName, DomainName, TaskId};
use crate::ops::claims::{self, Granted};
use crate::ops::error::Error;
use crate::ops::identity::{Claimed, Who};
use crate::ops::{Context, harness, hooks, resolve, rules};
use crate::text::{escape, similar};

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Its name; else the task's id, else the agent's name.
    pub name: Option<String>,
    /// The agent that it is for; else the caller, if that is an agent.
    pub agent: Option<AgentName>,
    /// The domain that it is bound to.
    pub domain: Option<DomainName>,
    /// The task to claim in it.
    pub task: Option<String>,
    /// Where its branch starts; else the trunk.
    pub base: Option<String>,
    /// Its branch; else its name.
    pub branch: Option<String>,
    /// Its folder, absolute; else the usual place.
    pub path: Option<PathBuf>,
    /// Whether the caller shows that it is the person.
    pub as_person: bool,
}

/// A worktree that was added.
#[derive(Debug)]
pub struct Added {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub path: PathBuf,
    /// Its branch.
    pub branch: String,
    /// What the branch started from, as people say it.
    pub base: String,
    /// The commit that it started from.
    pub head: Oid,
    /// The agent that it is bound to.
    pub agent: Option<AgentName>,
    /// The domain that it is bound to.
    pub domain: Option<DomainName>,
    /// The session that commands in it have.
    pub session: String,
    /// The claim.
    pub granted: Option<Granted>,
    /// Whether git runs our hook there.
    pub hook: bool,
}

/// What was decided before anything was made.
struct Plan {
    name: String,
    task: Option<TaskId>,
    base: String,
    head: Oid,
    new: NewWorktree,
    claimed: Claimed,
}

/// Adds a worktree.
pub fn add(context: &Context<'_>, request: &Request) -> Result<Added, Error> {
    context.identity.author(&context.store)?;
    context.require_board()?;
    let (plan, adding) = {
        let plan = plan(context, request)?;
        let repo = context.store.repo();
        let _lock = repo.lock_worktrees()?;
        settle_unfinished(context)?;
        refuse_taken(repo, &plan.new)?;
        repo.enable_worktree_config()?;
        let adding = repo.make_worktree(&plan.new, &disposable(repo)?)?;
        (plan, adding)
    };
    let added = furnish(context, request, &plan, &adding);
    let added = added.and_then(|added| {
        adding.finish()?;
        Ok(added)
    });
    if added.is_err() {
        // The note is still there, and its lock is free now.
        let undone = context.store.repo().lock_worktrees().map_err(Error::from);
        if let Err(error) = undone.and_then(|_lock| settle_unfinished(context)) {
            context.notice(format!("what was begun could not be undone yet: {error}"));
        }
    }
    added
}

fn plan(context: &Context<'_>, request: &Request) -> Result<Plan, Error> {
    let repo = context.store.repo();
    if let (Some(domain), Who::Agent(agent)) = (&request.domain, &context.identity.who) {
        return Err(Error::Identity {
            what: format!("`{agent}` is an agent, and agents bind no domain (`{domain}`)"),
            hint: "ask the person: git comm msg send --to person TEXT".into(),
        });
    }
    if let Some(domain) = &request.domain {
        let known = rules::current(context)?;
        let all = known.domains.all();
        if !all.is_empty() && !all.iter().any(|d| d.name.as_ref() == Some(domain)) {
            let names = all.iter().filter_map(|d| d.name.as_ref());
            let meant = similar::nearest(domain.as_str(), names.map(DomainName::as_str));
            return Err(Error::Unknown {
                what: "domain",
                name: domain.to_string(),
                meant: meant.map(str::to_owned),
            });
        }
    }
    let caller = match &context.identity.who {
        Who::Agent(name) => Some(name.clone()),
        _ => None,
    };
    let agent = request.agent.clone().or(caller);
    let task = request.task.as_deref().map(|text| resolve::task(context, text)).transpose()?;
    if task.is_some() && agent.is_none() {
        context.identity.holder(&context.store)?;
    }
    let path = request.path.as_deref().map(real);
    let given = request.name.clone().or_else(|| task.as_ref().map(ToString::to_string));
    let given = given.or_else(|| agent.as_ref().map(ToString::to_string));
    let from_path = || path.as_ref()?.file_name()?.to_str().map(str::to_owned);
    let Some(name) = given.or_else(from_path) else {
        return Err(Error::usage("the worktree has no name", "git comm worktree add NAME"));
    };
    check_name(&name)?;
    let branch = request.branch.clone().unwrap_or_else(|| name.clone());
    let is_branch = !branch.starts_with('-') && RefName::new(format!("refs/heads/{branch}")).is_ok();
    if !is_branch || branch == "HEAD" {
        let what = format!("`{}` cannot name a branch", escape::clipped(&branch, 80));
        return Err(Error::usage(what, "see: git help check-ref-format"));
    }
    let path = match path {
        Some(path) => path,
        None => default_place(repo, context.store.env(), &name)?,
    };
    check_path(&path)?;
    let (base, head) = base(context, request)?;
    let new = NewWorktree {
        makes_parent: path.parent().is_some_and(|parent| !parent.exists()),
        path,
        branch,
        base: head.to_string(),
        agent: agent.as_ref().map(ToString::to_string),
        task: task.as_ref().map(ToString::to_string),
    };
    let claimed = Claimed { agent: agent.map(|a| a.to_string()), as_person: request.as_person };
    Ok(Plan { name, task, base, head, new, claimed })
}

/// The commit to start from, and its name: fresh trunk unless told otherwise.
fn base(context: &Context<'_>, request: &Request) -> Result<(String, Oid), Error> {
    let repo = context.store.repo();
    if let Some(rev) = &request.base {
        let head = repo.resolve_rev(rev)?.ok_or_else(|| Error::unknown("revision", rev))?;
        return Ok((rev.clone(), head));
    }
    if let Some(notice) = repo.fetch_trunk()? {
        context.notice(notice);
    }
    match repo.trunk()? {
        Some(trunk) => Ok((trunk.shown().to_owned(), trunk.tip)),
        None => Err(Error::usage("there is no commit to start from", "make the first one: git commit")),
    }
}

fn refuse_taken(repo: &Repo, new: &NewWorktree) -> Result<(), Error> {
    let no = |what: String, hint: &str| {
        Err(Error::No { kind: "taken", what, reasons: Vec::new(), hint: hint.to_owned() })
    };
    if new.path.symlink_metadata().is_ok() {
        return no(format!("`{}` is there already", shown(&new.path)), "another name, or: --path DIR");
    }
    if repo.worktrees()?.iter().any(|w| w.path == new.path) {
        let what = format!("`{}` is a worktree whose folder is gone", shown(&new.path));
        return no(what, "see why it is kept: git comm worktree prune");
    }
    let branch = RefName::new(format!("refs/heads/{}", new.branch))?;
    if repo.read_ref(&branch)?.is_some() {
        let what = format!("there is already a branch `{}`", escape::line(&new.branch));
        return no(what, "another name, or: --branch NAME");
    }
    Ok(())
}

/// Binds, fills, claims, and asks git whether the hook fires.
fn furnish(context: &Context<'_>, request: &Request, plan: &Plan, adding: &Adding) -> Result<Added, Error> {
    let env = context.store.env();
    let new = &plan.new;
    let repo = Repo::open_at(&new.path, env)?;
    let board = context.store.meta().and_then(|m| m.boards.first().cloned()).unwrap_or_default();
    let mail = new.agent.as_ref().map(|agent| format!("{agent}@{board}.invalid"));
    repo.set_worktree_config(&[
        ("comm.agent", new.agent.as_deref()),
        ("comm.domain", request.domain.as_ref().map(DomainName::as_str)),
        ("comm.task", new.task.as_deref()),
        ("comm.branch", Some(&new.branch)),
        ("user.name", new.agent.as_deref()),
        ("user.email", mail.as_deref()),
    ])?;
    repo.check_out(adding)?;
    let inside = Context::open_at(&new.path, env, &plan.claimed)?;
    let granted = match &plan.task {
        Some(task) => Some(claims::claim(&inside, task, claims::ttl(&inside, None)?, false)?),
        None => None,
    };
    hooks::extend(&inside)?;
    let hook = inside.store.repo().probe_hook()?;
    tell_lacking(context, plan)?;
    Ok(Added {
        name: plan.name.clone(),
        path: new.path.clone(),
        branch: new.branch.clone(),
        base: plan.base.clone(),
        head: plan.head,
        agent: new.agent.as_deref().map(str::parse).transpose()?,
        domain: request.domain.clone(),
        session: inside.identity.session,
        granted,
        hook,
    })
}

/// Says which files an agent there does without: the rules, and what `setup`
/// wrote in the main worktree. What is committed there is only to be brought
/// to where new worktrees start.
fn tell_lacking(context: &Context<'_>, plan: &Plan) -> Result<(), Error> {
    let repo = context.store.repo();
    let Some(main) = repo.main_worktree()? else { return Ok(()) };
    let main_repo = Repo::open_at(&main, context.store.env())?;
    let tip = main_repo.head()?;
    // Rules that cannot be read are told by whoever judges by them.
    let lacks = |commit| matches!(rules::at(repo, commit), Ok(None));
    let mut names = Vec::new();
    if lacks(Some(plan.head)) && (!lacks(tip) || main.join(RULES).is_file()) {
        names.push(RULES);
    }
    names.extend(harness::setup::lacking(&main, &plan.new.path));
    let pending = main_repo.uncommitted(&names)?;
    let is_pending = |name: &str| if name == RULES { lacks(tip) } else { pending.iter().any(|p| p == name) };
    let (pending, committed): (Vec<&str>, Vec<&str>) = names.into_iter().partition(|name| is_pending(name));
    let listed = |names: &[&str]| names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    let base = escape::clipped(&plan.base, 60);
    let trunk = repo.trunk()?.filter(|trunk| trunk.shown() == plan.base);
    let local = trunk.and_then(|trunk| repo.local_branch(&trunk));
    if !committed.is_empty() {
        // `origin/main` is what `git push origin main` moves.
        let helps = match &local {
            Some(local) if repo.read_ref(local)? == tip => format!("git push {}", base.replacen('/', " ", 1)),
            _ => "bring them there".to_owned(),
        };
        context.notice(format!(
            "it lacks {}, which the main worktree has committed, but `{base}` does not have: {helps}, then in the new worktree: git merge {base}",
            listed(&committed)
        ));
    }
    if !pending.is_empty() {
        let push = if local.is_some() { ", and git push" } else { "" };
        context.notice(format!(
            "it lacks {}, which the main worktree has: commit or copy them{push}",
            listed(&pending)
        ));
    }
    Ok(())
}

/// Undoes what additions left whose process failed or died. One that cannot
/// be undone now stays noted, and stops nobody. The caller holds the
/// worktrees' lock.
pub(in crate::ops) fn settle_unfinished(context: &Context<'_>) -> Result<(), Error> {
    let repo = context.store.repo();
    let disposable = disposable(repo)?;
    for unfinished in repo.unfinished()? {
        let new = &unfinished.new;
        release(context, new);
        let told = match repo.unmake_worktree(new, &disposable) {
            Ok(None) => None,
            Ok(Some(why)) => Some(format!("was never finished and is left as it is: {why}")),
            Err(error) => {
                context.notice(format!(
                    "`{}` was never finished and cannot be undone yet: {error}",
                    shown(&new.path)
                ));
                continue;
            }
        };
        if let Some(told) = told {
            context.notice(format!("`{}` {told}", shown(&new.path)));
        }
        unfinished.settle()?;
    }
    Ok(())
}

/// Gives back the task that was claimed in a worktree that is undone. One
/// that cannot be given back lapses by itself.
fn release(context: &Context<'_>, new: &NewWorktree) {
    let Some(Ok(task)) = new.task.as_deref().map(str::parse::<TaskId>) else { return };
    let claimed = Claimed { agent: new.agent.clone(), as_person: false };
    let Some(inside) = inside(&new.path, context, &claimed) else { return };
    let held = inside.identity.holder(&inside.store).and_then(|author| resolve::held(&inside, &author));
    if held.is_ok_and(|held| held.contains(&task))
        && let Err(error) = claims::release(&inside, &task, "its worktree could not be made", None)
    {
        context.notice(format!("`{task}` is still claimed: {error}"));
    }
}

fn inside<'e>(path: &Path, context: &Context<'e>, claimed: &Claimed) -> Option<Context<'e>> {
    match Context::open_at(path, context.store.env(), claimed) {
        Ok(inside) => Some(inside),
        Err(Error::Store(crate::store::StoreError::Git(GitError::NotARepository { .. }))) => None,
        Err(error) => {
            tracing::debug!(%error, "an unfinished worktree cannot be opened");
            None
        }
    }
}

/// Tells whoever began a commit to find out that the hook runs.
pub fn answer_probe(file: &Path) -> Result<(), Error> {
    let line = concat!("pre-commit git-comm ", env!("CARGO_PKG_VERSION"));
    let answered = crate::git::answer_probe(file, line);
    answered.map_err(|source| GitError::write(file, source).into())
}

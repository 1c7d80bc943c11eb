//! Worktrees: add, list, remove, prune.

use std::path::PathBuf;

use clap::Args;

use super::app::{App, Outcome};
use crate::model::names::{AgentName, DomainName};
use crate::ops::error::Exit;
use crate::ops::worktree::{self, Ignored};
use crate::render::worktrees as view;

/// Add a worktree
#[derive(Args)]
pub(super) struct AddArgs {
    /// Its name and branch (else the task's id, else the agent's name)
    name: Option<String>,
    /// The agent that it is for (else you, if you are one). Before the verb,
    /// --agent says who you are: git comm --agent YOU worktree add --agent A
    #[arg(id = "for", long = "agent", value_name = "A", value_parser = agent_name)]
    agent: Option<AgentName>,
    /// Bind it to this domain (not as an agent)
    #[arg(long, value_name = "D")]
    domain: Option<DomainName>,
    /// Claim this task in it, as that agent
    #[arg(long, value_name = "ID")]
    task: Option<String>,
    /// Start here, not at the remote's default branch
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Call the new branch so
    #[arg(long, value_name = "B")]
    branch: Option<String>,
    /// Its folder (else beside the main worktree, or in comm.worktrees)
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
}

pub(super) fn add(args: AddArgs, app: &mut App<'_>) -> Outcome {
    let path = match args.path {
        Some(path) => Some(app.dir()?.join(path)),
        None => None,
    };
    let request = worktree::Request {
        name: args.name,
        agent: args.agent,
        domain: args.domain,
        task: args.task,
        base: args.base,
        branch: args.branch,
        path,
        as_person: app.global.as_person,
    };
    let context = app.context()?;
    let added = worktree::add(context, &request)?;
    if let (Some(domain), None) = (&added.domain, &added.agent) {
        context.notice(format!("bound to domain {domain}, and to no agent: who works there says so itself"));
    }
    let answer = view::added(&added, context.store.env().now());
    app.show(&answer)?;
    Ok(Exit::Done)
}

/// Whose the worktrees are
#[derive(Args)]
pub(super) struct ListArgs {}

pub(super) fn list(_: ListArgs, app: &mut App<'_>) -> Outcome {
    let listing = worktree::list(app.context()?)?;
    app.show_all_but(&view::list(&listing), &listing.damaged)
}

/// Remove a worktree
#[derive(Args)]
pub(super) struct RemoveArgs {
    /// Its name, branch or folder
    #[arg(value_name = "NAME|PATH")]
    target: PathBuf,
    /// Keep what is uncommitted or unmerged on this new branch;
    /// git stash apply BRANCH brings uncommitted work back
    #[arg(long, value_name = "BRANCH")]
    keep: Option<String>,
    /// Copy files that git ignores to this new folder, with their paths;
    /// without it they are named, and the worktree stays. Not what tools make
    /// again (target, node_modules and such; more in comm.disposable), nor
    /// files that the main worktree has just so
    #[arg(long, value_name = "DIR", conflicts_with = "drop_ignored")]
    keep_ignored: Option<PathBuf>,
    /// Let files go that git ignores
    #[arg(long)]
    drop_ignored: bool,
}

pub(super) fn remove(args: RemoveArgs, app: &mut App<'_>) -> Outcome {
    let dir = app.dir()?;
    let ignored = match args.keep_ignored {
        Some(to) => Ignored::Copy(to),
        None if args.drop_ignored => Ignored::Drop,
        None => Ignored::Stay,
    };
    let keep = args.keep.as_deref();
    let removed = worktree::remove(app.context()?, &dir, &args.target, keep, &ignored)?;
    app.show(&view::removed(&removed))?;
    Ok(Exit::Done)
}

/// Remove worktrees whose task is closed and that hold nothing of their own
#[derive(Args)]
pub(super) struct PruneArgs {}

pub(super) fn prune(_: PruneArgs, app: &mut App<'_>) -> Outcome {
    let dir = app.dir()?;
    let pruned = worktree::prune(app.context()?, &dir)?;
    app.show(&view::pruned(&pruned))?;
    Ok(Exit::Done)
}

fn agent_name(text: &str) -> Result<AgentName, String> {
    crate::ops::identity::agent_name(text).map_err(|error| error.to_string())
}

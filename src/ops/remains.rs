//! What leaving does not take away, because it is the person's or somebody
//! else's too: each with the command that does.

use super::Context;
use super::doctor::typed;
use super::error::Error;
use super::harness::setup;
use crate::gate::scope::RULES;
use crate::git::{Repo, Scope};
use crate::text::escape;

/// Where removed worktrees' commits are kept.
const KEPT: &str = "refs/comm-kept/";

/// Something that is left, and how to take it away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remnant {
    /// What it is.
    pub what: String,
    /// The command.
    pub how: String,
}

/// All that is left.
pub fn remains(context: &Context<'_>) -> Result<Vec<Remnant>, Error> {
    let repo = context.store.repo();
    let mut found = bindings(context)?;
    for name in setup::installed_by(context) {
        let how = format!("git comm setup {name} --remove, then commit");
        found.push(Remnant { what: format!("what `git comm setup {name}` wrote"), how });
    }
    if repo.work_tree().is_some_and(|top| top.join(RULES).is_file()) {
        let how = format!("git rm -f {RULES}, then commit; if it was never added: rm {RULES}");
        found.push(Remnant { what: RULES.into(), how });
    }
    for remote in repo.remotes() {
        let shown = escape::clipped(&remote.name, 60);
        let name = typed(&shown);
        found.push(Remnant {
            what: format!("the board on {shown}, if it is there"),
            how: format!(
                "git ls-remote {name} 'refs/comm-node/*' | cut -f2 | xargs git push {name} --delete"
            ),
        });
    }
    if !repo.list_refs(KEPT)?.is_empty() {
        found.push(Remnant {
            what: "commits that only removed worktrees had".into(),
            how: format!("git for-each-ref --format='delete %(refname)' {KEPT} | git update-ref --stdin"),
        });
    }
    if repo.settings_of("extensions").iter().any(|s| s.key == "extensions.worktreeconfig") {
        found.push(Remnant {
            what: "extensions.worktreeConfig, which worktrees with settings of their own need".into(),
            how: "git config --unset extensions.worktreeConfig".into(),
        });
    }
    Ok(found)
}

/// What binds worktrees to their agents, in their own configuration.
fn bindings(context: &Context<'_>) -> Result<Vec<Remnant>, Error> {
    let mut found = Vec::new();
    for worktree in context.store.repo().worktrees()?.iter().filter(|w| !w.missing) {
        let Ok(repo) = Repo::open_at(&worktree.git_dir, context.store.env()) else { continue };
        let has = |key: &str| {
            let section = key.split('.').next().unwrap_or_default();
            repo.settings_of(section).iter().any(|s| s.scope == Scope::Worktree && s.key.starts_with(key))
        };
        if !has("comm.") {
            continue;
        }
        // A name of its own that is not an agent's is somebody's choice.
        let is_bound = repo.own_bound("agent").is_some();
        let users = ["user.name", "user.email"].into_iter().filter(|key| is_bound && has(key));
        let users: Vec<&str> = users.collect();
        let path = typed(&escape::bytes(worktree.path.as_os_str().as_encoded_bytes()));
        let config = format!("git -C {path} config --worktree");
        let mut how = format!("{config} --remove-section comm");
        for key in &users {
            how.push_str(&format!(" && {config} --unset {key}"));
        }
        let keys: Vec<&str> = std::iter::once("comm.*").chain(users).collect();
        let name = escape::clipped(&worktree.name(), 60);
        found.push(Remnant { what: format!("{} in worktree {name}", keys.join(", ")), how });
    }
    Ok(found)
}

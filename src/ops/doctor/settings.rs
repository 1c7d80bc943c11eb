//! The settings below `comm.` in git's configuration.

use super::{Check, or_fine, perhaps, shown, typed};
use crate::config::keys::{self, Meaning};
use crate::env::Env;
use crate::git::{Repo, Scope, Setting};
use crate::ops::error::plural;
use crate::ops::worktree::default_root;
use crate::text::escape;

/// What binds one worktree, and is wrong for all of them.
const OF_ONE: [&str; 4] = ["comm.agent", "comm.branch", "comm.domain", "comm.task"];

pub(super) fn settings(repo: &Repo, env: &Env) -> Vec<Check> {
    let all = repo.settings_of("comm");
    let mut faults: Vec<Check> = all.iter().filter_map(|setting| judge(setting, "")).collect();
    faults.extend(all.iter().filter(|s| s.scope < Scope::Worktree).filter_map(for_all));
    if let Ok(root) = default_root(repo, env)
        && all.iter().any(|s| s.key == "comm.worktrees" && !s.value.is_empty())
        && root.exists()
        && !root.is_dir()
    {
        let what = format!("`comm.worktrees`: `{}` is no folder", shown(&root));
        faults.push(Check::red("settings", what, "git config comm.worktrees DIR"));
    }
    if repo.ignores_own_config() {
        let what = format!(
            "`{}` is not read: extensions.worktreeConfig is off",
            shown(&repo.git_dir().join("config.worktree"))
        );
        faults.push(Check::red("settings", what, "git config extensions.worktreeConfig true"));
    }
    let fine = match all.len() {
        0 => "none of comm.* set".to_owned(),
        n => format!("{} of comm.* understood", plural(n, "value")),
    };
    or_fine("settings", faults, fine)
}

/// What is wrong with the settings that only this worktree has.
pub(super) fn of_one(repo: &Repo, name: &str) -> Vec<Check> {
    let own = repo.settings_of("comm").into_iter().filter(|setting| setting.scope == Scope::Worktree);
    own.filter_map(|setting| judge(&setting, &format!(" of worktree `{name}`"))).collect()
}

fn judge(setting: &Setting, whose: &str) -> Option<Check> {
    let place = place(setting);
    match keys::meaning(&setting.key, &setting.value) {
        Meaning::Known => None,
        Meaning::NoValue(key, why) => {
            let value = escape::clipped(&setting.value, 60);
            let what = format!("`{key}`{whose} means nothing as `{value}`, {place}: {why}");
            Some(Check::red("settings", what, with(setting, &format!("{key} VALUE"))))
        }
        Meaning::NoKey(meant) => {
            let key = escape::clipped(&setting.key, 60);
            let what = format!("there is no `{key}`, {place}{}", perhaps(meant));
            Some(Check::yellow("settings", what, with(setting, &format!("--unset-all {}", typed(&key)))))
        }
    }
}

/// A setting that says who or what every worktree is.
fn for_all(setting: &Setting) -> Option<Check> {
    let key = OF_ONE.into_iter().find(|key| *key == setting.key)?;
    if setting.value.is_empty() {
        return None;
    }
    let what = format!(
        "`{key}` holds for every worktree, {}: each is `{}`",
        place(setting),
        escape::clipped(&setting.value, 60)
    );
    let remedy = format!(
        "{}, then in its worktree: git config --worktree {key} VALUE",
        with(setting, &format!("--unset-all {key}"))
    );
    Some(Check::yellow("settings", what, remedy))
}

fn place(setting: &Setting) -> String {
    match (&setting.path, setting.scope) {
        (Some(path), _) => format!("in {}", shown(path)),
        (None, _) => "in the environment".into(),
    }
}

/// The command that changes a setting where it stands.
fn with(setting: &Setting, change: &str) -> String {
    match setting.scope.option() {
        Some(option) => format!("git config {option} {change}"),
        None => format!("take {} out of GIT_CONFIG_COUNT or git -c", escape::clipped(&setting.key, 60)),
    }
}

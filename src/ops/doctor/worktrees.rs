//! The worktrees: whether each is there, whose it is, whether its commits are
//! judged.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Around, Check, FIX, idle, or_fine, perhaps, settings, shown, some, typed, unguarded};
use crate::git::{Repo, Scope, Worktree};
use crate::model::names::{AgentName, DomainName, TaskId};
use crate::ops::error::{Error, plural};
use crate::ops::hooks::status as hooks_status;
use crate::ops::identity::is_person_record;
use crate::ops::{rules, worktree};
use crate::store::task_ref;
use crate::text::similar;

/// Worktrees with one fault are told in one line.
type Told = BTreeMap<(String, String), Vec<String>>;

/// What is found while looking at them one by one.
#[derive(Default)]
struct Found {
    faults: Vec<Check>,
    notes: Told,
    reds: Told,
    idle: BTreeMap<String, Vec<String>>,
    agents: BTreeMap<String, Vec<String>>,
    tasks: BTreeMap<String, Vec<String>>,
}

impl Found {
    fn note(&mut self, what: impl Into<String>, remedy: impl Into<String>, name: &str) {
        self.notes.entry((what.into(), remedy.into())).or_default().push(name.to_owned());
    }

    fn red(&mut self, what: impl Into<String>, remedy: impl Into<String>, name: &str) {
        self.reds.entry((what.into(), remedy.into())).or_default().push(name.to_owned());
    }
}

pub(super) fn worktrees(around: &Around<'_, '_>) -> Vec<Check> {
    let repo = around.repo();
    let mut found = Found::default();
    found.faults.extend(never_finished(around));
    let all = match repo.worktrees() {
        Ok(all) => all,
        Err(error) => return vec![Check::of_error("worktrees", &error.into())],
    };
    let dead = repo.never_finished();
    let linked = all.iter().filter(|w| !w.is_main).count();
    for worktree in all.iter().filter(|worktree| !dead.contains(&worktree.path)) {
        look(around, worktree, &mut found);
    }
    // git prunes none that is locked, as its own `worktree add` leaves one.
    let (locked, free): (Vec<PathBuf>, Vec<PathBuf>) =
        repo.stray_worktrees().unwrap_or_default().into_iter().partition(|dir| dir.join("locked").exists());
    for (stray, is_locked) in [(free, false), (locked, true)].iter().filter(|(stray, _)| !stray.is_empty()) {
        let names: Vec<String> = stray.iter().map(|path| shown(path)).collect();
        let typed: Vec<String> = names.iter().map(|name| typed(name)).collect();
        let remedy =
            if *is_locked { format!("rm -r {}", typed.join(" ")) } else { "git worktree prune".into() };
        let what = format!("leads to no worktree: {}", some(&names));
        found.faults.push(Check::yellow("worktrees", what, remedy));
    }
    let Found { mut faults, notes, reds, idle, agents, tasks, .. } = found;
    let line = |((what, _), names): (&(String, String), &Vec<String>)| format!("{}: {what}", some(names));
    faults.extend(reds.iter().map(|entry| Check::red("worktrees", line(entry), entry.0.1.clone())));
    faults.extend(notes.iter().map(|entry| Check::yellow("worktrees", line(entry), entry.0.1.clone())));
    for (why, names) in &idle {
        faults.push(unguarded(around, "worktrees", format!("{}: {why}", some(names))));
    }
    faults.extend(twice(&agents, "agent", "comm.agent"));
    faults.extend(twice(&tasks, "task", "comm.task"));
    let fine = match linked {
        0 => "none linked".into(),
        n => format!("{n} linked, in order"),
    };
    or_fine("worktrees", faults, fine)
}

/// Additions whose process died. The next that adds or prunes undoes them,
/// and so does `--fix`.
fn never_finished(around: &Around<'_, '_>) -> Option<Check> {
    let repo = around.repo();
    let dead: Vec<String> = repo.never_finished().iter().map(|path| shown(path)).collect();
    if dead.is_empty() {
        return None;
    }
    let what = format!("never finished, its `worktree add` died: {}", some(&dead));
    let check = Check::yellow("worktrees", what, FIX);
    if !around.fix {
        return Some(check);
    }
    let settled = repo
        .lock_worktrees()
        .map_err(Error::from)
        .and_then(|_lock| worktree::settle_unfinished(around.context));
    match settled {
        Ok(()) => Some(check.fixed_if(true)),
        Err(error) => Some(Check::of_error("worktrees", &error)),
    }
}

fn look(around: &Around<'_, '_>, worktree: &Worktree, found: &mut Found) {
    let name = crate::text::escape::clipped(&worktree.name(), 60);
    if worktree.missing {
        return match &worktree.locked {
            Some(_) => found.note(
                "its folder is gone, and it is locked",
                "is it on a disk that is not there? else: git worktree unlock, then git comm worktree prune",
                &name,
            ),
            None => found.note("its folder is gone", "git comm worktree prune", &name),
        };
    }
    if around.repo().is_half_added(worktree) {
        let path = typed(&shown(&worktree.path));
        found.note(
            "its `git worktree add` died half-way",
            format!("git worktree unlock {path}, then git worktree remove {path}"),
            &name,
        );
    }
    let repo = match Repo::open_at(&worktree.git_dir, around.context.store.env()) {
        Ok(repo) => repo,
        Err(error) => {
            return found.red(
                format!("cannot be opened: {error}"),
                "see that git works there: git status",
                &name,
            );
        }
    };
    if !repo.has_head() {
        let branch = "its HEAD is damaged: git symbolic-ref HEAD refs/heads/BRANCH, there";
        return found.red("git does not know it as a worktree", branch, &name);
    }
    let is_here = repo.git_dir() == around.repo().git_dir();
    if !is_here {
        found.faults.extend(settings::of_one(&repo, &name));
        if repo.ignores_own_config() {
            found.red(
                "its own configuration is not read",
                "git config extensions.worktreeConfig true",
                &name,
            );
        }
        judged(&repo, &name, found);
    }
    bindings(around, &repo, &name, found);
}

/// Whether hooks fire there. Where no setting makes a difference between
/// worktrees, one answer holds for all, and this worktree's own line has it.
fn judged(repo: &Repo, name: &str, found: &mut Found) {
    let own = |section: &str, key: &str| {
        repo.settings_of(section).iter().any(|s| s.key.starts_with(key) && s.scope == Scope::Worktree)
    };
    let folder = repo.config("core.hooksPath");
    let is_relative =
        folder.is_some_and(|path| !path.starts_with('~') && std::path::Path::new(&path).is_relative());
    if !is_relative && !own("core", "core.hookspath") && !own("hook", "hook.") {
        return;
    }
    let why = match hooks_status::of(repo) {
        Ok(hooks) => idle(&hooks.lines).map(|(hook, why)| format!("`{hook}` would not fire there: {why}")),
        Err(error) => Some(format!("hooks could not be looked at: {error}")),
    };
    if let Some(why) = why {
        found.idle.entry(why).or_default().push(name.to_owned());
    }
}

/// Whose it is, and whether they are known.
fn bindings(around: &Around<'_, '_>, repo: &Repo, name: &str, found: &mut Found) {
    let agent = repo.own_bound("agent").and_then(|text| text.parse::<AgentName>().ok());
    let task = repo.own_bound("task").and_then(|text| text.parse::<TaskId>().ok());
    let domain = repo.own_bound("domain").and_then(|text| text.parse::<DomainName>().ok());
    if let Some(agent) = &agent {
        of_agent(around, agent, domain.as_ref(), name, found);
        found.agents.entry(agent.to_string()).or_default().push(name.to_owned());
    }
    if let Some(task) = &task {
        let tip = task_ref(task).and_then(|name| around.context.store.tip(&name));
        if matches!(tip, Ok(None)) {
            let known = around.board.iter().flat_map(|board| board.tasks.keys()).map(TaskId::as_str);
            let what = format!(
                "bound to task `{task}`, which does not exist{}",
                perhaps(similar::nearest(task.as_str(), known))
            );
            found.note(what, "there: git config --worktree comm.task ID", name);
        }
        found.tasks.entry(task.to_string()).or_default().push(name.to_owned());
    }
    if let Some(domain) = &domain
        && matches!(rules::in_force(repo), Ok(None))
    {
        let what = format!(
            "bound to domain `{domain}`, and neither its HEAD nor the trunk has a comm.toml, so that no border holds there"
        );
        found.red(
            what,
            "commit comm.toml on the trunk (with a remote, git push), then there: git merge it",
            name,
        );
    }
    if let (Some(domain), Ok(rules)) = (&domain, &around.rules)
        && !rules.domains.all().is_empty()
        && rules.domains.get(domain).is_none()
    {
        let known = rules.domains.all().iter().map(crate::gate::scope::Domain::shown);
        let meant = perhaps(similar::nearest(domain.as_str(), known));
        let what = format!(
            "bound to domain `{domain}`, which is not in comm.toml, so that nothing can be committed there{meant}"
        );
        found.red(what, "the person, there: git config --worktree comm.domain NAME", name);
    }
}

fn of_agent(
    around: &Around<'_, '_>,
    agent: &AgentName,
    domain: Option<&DomainName>,
    name: &str,
    found: &mut Found,
) {
    const REBIND: &str = "there: git config --worktree comm.agent NAME";
    let given = around.rules.as_ref().ok().map(|rules| rules::given_to(rules, agent)).unwrap_or_default();
    if let Some(domain) = domain
        && !given.is_empty()
        && !given.contains(domain)
    {
        let given: Vec<&str> = given.iter().map(DomainName::as_str).collect();
        let what = format!(
            "bound to domain `{domain}`, and comm.toml gives `{agent}` {}, which counts",
            some(&given)
        );
        found.note(what, "there: git config --worktree --unset comm.domain", name);
    }
    let Some(board) = &around.board else { return };
    match board.agents.get(agent) {
        Some(known) if is_person_record(&known.state) => {
            found.red(format!("bound to agent `{agent}`, which is a person's name"), REBIND, name);
        }
        Some(known) if known.state.retired_at.is_some() => {
            found.note(
                format!("bound to agent `{agent}`, who has retired"),
                format!("git comm worktree remove {}; or {REBIND}", typed(name)),
                name,
            );
        }
        Some(_) => {}
        // The rules know it: their line says that it has not come yet.
        None if !given.is_empty() => {}
        None => {
            let others = board.agents.keys().map(AgentName::as_str);
            let meant = perhaps(similar::nearest(agent.as_str(), others));
            found.note(
                format!("bound to agent `{agent}`, whom nobody has seen{meant}"),
                "it is known once it works there: git comm agent register",
                name,
            );
        }
    }
}

/// Worktrees that are bound to the same.
fn twice(bound: &BTreeMap<String, Vec<String>>, what: &str, key: &str) -> Vec<Check> {
    let several = bound.iter().filter(|(_, names)| names.len() > 1);
    let check = |(to, names): (&String, &Vec<String>)| {
        let told = format!("{}: {} are bound to {what} `{to}`", some(names), plural(names.len(), "worktree"));
        Check::yellow("worktrees", told, format!("in all but one: git config --worktree {key} OTHER"))
    };
    several.map(check).collect()
}

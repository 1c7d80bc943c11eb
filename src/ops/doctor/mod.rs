//! Is everything in order? A board of green and red from an empty start.
//!
//! Each check stands alone: one that cannot be made says why and does not
//! keep the others from being made. Red lines say what to do about them.

mod machine;
mod records;

use std::path::Path;

use super::Context;
use super::error::Error;
use super::hooks_status;
use super::identity::{Claimed, Who};
use crate::env::Env;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// In order.
    Green,
    /// Works, but worth knowing.
    Yellow,
    /// Not in order.
    Red,
}

impl Level {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Green => "ok",
            Self::Yellow => "note",
            Self::Red => "red",
        }
    }
}

/// One line of the board.
#[derive(Clone, Debug)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it came out.
    pub level: Level,
    /// What is true now.
    pub what: String,
    /// What to do about it; empty when nothing is to be done.
    pub remedy: String,
    /// Whether `--fix` mended it just now.
    pub fixed: bool,
}

impl Check {
    fn green(name: &'static str, what: impl Into<String>) -> Self {
        Self { name, level: Level::Green, what: what.into(), remedy: String::new(), fixed: false }
    }

    fn yellow(name: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Yellow, remedy: remedy.into(), ..Self::green(name, what) }
    }

    fn red(name: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Red, remedy: remedy.into(), ..Self::green(name, what) }
    }

    fn of_error(name: &'static str, error: &Error) -> Self {
        let mut what = error.to_string();
        if let Some(cause) = std::error::Error::source(error) {
            what.push_str(&format!(": {cause}"));
        }
        Self::red(name, what, error.hint())
    }
}

/// What is asked of the check-up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    /// Mend what can be mended without a choice.
    pub fix: bool,
    /// Look as an agent would: it must have a name and be able to write.
    pub as_agent: bool,
}

/// Looks at everything around `dir`.
pub fn doctor(dir: &Path, env: &Env, claimed: &Claimed, asked: Asked) -> Vec<Check> {
    let mut checks = vec![machine::git(env)];
    let context = match Context::open(dir, env, claimed) {
        Ok(context) => context,
        Err(error) => {
            checks.push(Check::of_error("repository", &error));
            return checks;
        }
    };
    checks.push(machine::repository(&context));
    checks.push(machine::writable(&context));
    checks.push(machine::locks(&context, asked.fix));
    checks.push(machine::clock(&context));
    checks.extend(machine::remotes(&context, asked.fix));
    checks.push(identity(&context, asked.as_agent));
    checks.push(records::board(&context));
    checks.extend(records::records(&context));
    checks.extend(records::work(&context));
    checks.push(rules(&context));
    checks.push(hooks(&context));
    checks
}

/// Whether every hook would fire in this worktree. Where rules are to be
/// kept, one that does not is red.
fn hooks(context: &Context<'_>) -> Check {
    if context.store.repo().work_tree().is_none() {
        return Check::green("hooks", "no commits are made in a bare repository");
    }
    let lines = match hooks_status::status(context).map(|hooks| hooks.lines) {
        Ok(lines) => lines,
        Err(error) => return Check::of_error("hooks", &error),
    };
    if let Some(dead) = lines.iter().find(|line| !line.fires()) {
        let what = format!("`{}` would not fire here: {}", dead.hook, dead.why_not());
        let rules = super::rules::current(context).unwrap_or_default();
        let are_needed = !rules.domains.all().is_empty() || rules.commit.require_claim;
        let remedy = "git comm hook install";
        return if are_needed {
            Check::red("hooks", what, remedy)
        } else {
            Check::yellow("hooks", what, remedy)
        };
    }
    let fired = match lines.iter().filter_map(|line| line.fired_at).max() {
        Some(at) => format!("last fired {}", at.to_second()),
        None => "not fired in this worktree yet".into(),
    };
    Check::green("hooks", format!("{} would fire here, {fired}", super::error::plural(lines.len(), "hook")))
}

fn identity(context: &Context<'_>, as_agent: bool) -> Check {
    let register =
        "say which agent you are: GIT_COMM_AGENT=NAME, or comm.agent in the worktree's configuration";
    match &context.identity.who {
        Who::Nobody(why) => Check::red("identity", *why, register),
        Who::Agent(name) => {
            Check::green("identity", format!("agent {name}, from {}", context.identity.source))
        }
        other if as_agent => {
            let name = context.identity.name().map(ToString::to_string).unwrap_or_default();
            let kind = if matches!(other, Who::Person(_)) { "person" } else { "script" };
            Check::red("identity", format!("{kind} {name}, not an agent"), register)
        }
        Who::Person(name) => Check::green("identity", format!("person {name}")),
        Who::Script(name) => Check::green("identity", format!("script under the git identity {name}")),
    }
}

fn rules(context: &Context<'_>) -> Check {
    match super::rules::current(context) {
        Ok(rules) if rules.domains.all().is_empty() => {
            Check::green("rules", "no domains in comm.toml at HEAD")
        }
        Ok(rules) => Check::green(
            "rules",
            super::error::plural(rules.domains.all().len(), "domain") + " in comm.toml at HEAD",
        ),
        Err(error) => {
            let details = error.details().join("; ");
            Check::red("rules", format!("{error}: {details}"), error.hint())
        }
    }
}

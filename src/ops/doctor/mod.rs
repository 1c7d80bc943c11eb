//! Is everything in order? A board of green and red from an empty start.
//!
//! Each check stands alone: one that cannot be made says why and does not
//! keep the others from being made. Red lines say what to do about them.
//! What is fine takes one line for each subject.

mod harness;
mod machine;
mod records;
mod rules;
mod sessions;
mod settings;
mod state;
mod worktrees;

use std::path::Path;

use super::Context;
use super::board::Board;
use super::error::{Error, plural};
use super::hooks::status::{self as hooks_status, Line};
use super::identity::{Claimed, Who};
use crate::config::Config;
use crate::env::Env;
use crate::git::Repo;
use crate::store::StoreError;
use crate::text::escape;

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

    /// In order again, if it could be mended.
    fn fixed_if(self, fixed: bool) -> Self {
        if fixed { Self { fixed, ..Self::green(self.name, self.what) } } else { self }
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

/// What mends what is safe to mend.
const FIX: &str = "git comm doctor --fix";

/// What several checks look at, read once.
struct Around<'c, 'e> {
    context: &'c Context<'e>,
    board: Option<Board>,
    /// The rules in force.
    rules: Result<Config, Error>,
    fix: bool,
}

impl Around<'_, '_> {
    fn repo(&self) -> &Repo {
        self.context.store.repo()
    }

    /// Whether anything binds what an agent commits.
    fn has_rules(&self) -> bool {
        self.rules.as_ref().ok().is_none_or(|r| !r.domains.all().is_empty() || r.commit.require_claim)
    }
}

/// Looks at everything around `dir`.
pub fn doctor(dir: &Path, env: &Env, claimed: &Claimed, asked: Asked) -> Vec<Check> {
    let mut checks = vec![machine::git(env)];
    let repo = match Repo::open(dir, env) {
        Ok(repo) => repo,
        Err(error) => {
            checks.push(Check::of_error("repository", &error.into()));
            return checks;
        }
    };
    checks.push(machine::repository(&repo));
    let writable = machine::writable(&repo);
    let is_writable = writable.level == Level::Green;
    checks.push(writable);
    checks.extend(machine::locks(&repo, asked.fix));
    checks.push(machine::clock(&repo, env, is_writable));
    checks.extend(machine::remotes(&repo, asked.fix));
    checks.extend(settings::settings(&repo, env));
    let context = match Context::of(repo, env, claimed) {
        Ok(context) => context,
        Err(error) => {
            checks.extend(unopened(&error));
            return checks;
        }
    };
    checks.push(identity(&context, asked.as_agent));
    checks.push(records::board(&context));
    checks.extend(records::records(&context));
    let around = Around {
        board: Board::load(&context.store).ok(),
        rules: super::rules::current(&context),
        context: &context,
        fix: asked.fix,
    };
    checks.extend(records::work(&around));
    checks.extend(rules::rules(&around));
    checks.push(hooks(&around));
    checks.extend(worktrees::worktrees(&around));
    checks.extend(harness::harness(&around));
    checks.extend(sessions::sessions(&around));
    checks.extend(state::state(&around));
    checks
}

/// The records cannot even be opened: why, and that the rest was not looked
/// at.
fn unopened(error: &Error) -> Vec<Check> {
    let name = match error {
        Error::Name(_) | Error::Identity { .. } => "identity",
        Error::Store(StoreError::Config { .. }) => "settings",
        Error::Store(StoreError::Newer { .. } | StoreError::Damaged { .. }) => "board",
        _ => "repository",
    };
    let rest = "records, rules, hooks and worktrees were not looked at because of that";
    let mut checks =
        vec![Check::of_error(name, error), Check::yellow("rest", rest, "mend it, then: git comm doctor")];
    // A setting that means nothing was told with the others.
    checks.retain(|check| check.name != "settings");
    checks
}

/// The faults of a subject, or one line that says that all is well.
fn or_fine(name: &'static str, mut faults: Vec<Check>, fine: impl Into<String>) -> Vec<Check> {
    if faults.is_empty() {
        faults.push(Check::green(name, fine));
    }
    faults.sort_by_key(|check| std::cmp::Reverse(check.level));
    faults
}

/// A path for people.
fn shown(path: &Path) -> String {
    escape::bytes(path.as_os_str().as_encoded_bytes())
}

/// A word of a command as a shell takes it.
pub(in crate::ops) fn typed(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+@:=,".contains(&b);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Some of many names.
fn some<S: AsRef<str>>(names: &[S]) -> String {
    const SHOWN: usize = 5;
    let mut text = names
        .iter()
        .take(SHOWN)
        .map(|name| escape::clipped(name.as_ref(), 80))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

/// What was perhaps meant, to stand at the end of a line.
fn perhaps(meant: Option<&str>) -> String {
    meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default()
}

/// Whether every hook would fire in this worktree. Where rules are to be
/// kept, one that does not is red.
fn hooks(around: &Around<'_, '_>) -> Check {
    if around.repo().work_tree().is_none() {
        return Check::green("hooks", "no commits are made in a bare repository");
    }
    let lines = match hooks_status::of(around.repo()) {
        Ok(hooks) => hooks.lines,
        Err(error) => return Check::of_error("hooks", &error),
    };
    if let Some((hook, why)) = idle(&lines) {
        return unguarded(around, "hooks", format!("`{hook}` would not fire here: {why}"));
    }
    let fired = match lines.iter().filter_map(|line| line.fired_at).max() {
        Some(at) => format!("last fired {}", at.to_second()),
        None => "not fired in this worktree yet".into(),
    };
    Check::green("hooks", format!("{} would fire here, {fired}", plural(lines.len(), "hook")))
}

/// Which hook would not fire, and why.
fn idle(lines: &[Line]) -> Option<(&'static str, String)> {
    let dead = lines.iter().find(|line| !line.fires())?;
    Some((dead.hook, dead.why_not()))
}

/// Commits that no hook judges are red where there are rules to keep.
fn unguarded(around: &Around<'_, '_>, name: &'static str, what: String) -> Check {
    let remedy = "git comm hook install";
    if around.has_rules() { Check::red(name, what, remedy) } else { Check::yellow(name, what, remedy) }
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

#[cfg(test)]
mod tests {
    use super::typed;

    #[test]
    fn a_remedy_can_be_typed_whatever_the_name() {
        for (text, expected) in [
            ("/a/b-1.lock", "/a/b-1.lock"),
            ("", "''"),
            ("a b", "'a b'"),
            ("a;rm", "'a;rm'"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(typed(text), expected);
        }
    }
}

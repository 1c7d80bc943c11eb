//! Would the hooks fire here? Looked up as git does, not as we installed it.

use std::path::{Path, PathBuf};

use super::block;
use super::shim::{self, HOOKS};
use super::{calls_through, is_chained};
use crate::git::{HookFile, RUNS, Repo};
use crate::ops::Context;
use crate::ops::error::Error;
use crate::text::time::Timestamp;

/// How a hook came to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By an entry of git's configuration.
    Config,
    /// By our block in the hook file.
    Block,
    /// By a hook manager, which kept the file with our block and runs it.
    Manager,
    /// By a line that somebody wrote.
    Hand,
}

impl How {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Block => "block",
            Self::Manager => "manager",
            Self::Hand => "hand",
        }
    }
}

/// One way in which a hook is installed.
#[derive(Clone, Debug)]
pub struct Way {
    /// How.
    pub how: How,
    /// The file that says so.
    pub path: PathBuf,
    /// Why git does not run it in this worktree; none if it does.
    pub why_not: Option<String>,
}

/// One hook.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its name.
    pub hook: &'static str,
    /// The ways in which it is installed.
    pub ways: Vec<Way>,
    /// The file that git would run for it in this worktree.
    pub path: PathBuf,
    /// Whether that file exists.
    pub has_file: bool,
    /// The hook manager that wrote that file.
    pub manager: Option<&'static str>,
    /// When git last ran it in this worktree.
    pub fired_at: Option<Timestamp>,
}

impl Line {
    /// Whether git would run it in this worktree.
    pub fn fires(&self) -> bool {
        self.ways.iter().any(|way| way.why_not.is_none())
    }

    /// Why it would not fire; empty if it would.
    pub fn why_not(&self) -> String {
        if self.fires() {
            return String::new();
        }
        if let Some(why) = self.ways.iter().find_map(|way| way.why_not.clone()) {
            return why;
        }
        match (self.manager, self.has_file) {
            (Some(manager), _) => format!("not in the file that {manager} wrote"),
            (None, true) => "not in the hook that is there".into(),
            (None, false) => "not installed".into(),
        }
    }
}

/// The hooks of this worktree.
#[derive(Clone, Debug)]
pub struct Hooks {
    /// The git that was asked.
    pub git: String,
    /// The folder that it takes hook files from.
    pub folder: PathBuf,
    /// The value of `core.hooksPath` and its scope, where it is set.
    pub configured: Option<(String, String)>,
    /// One line for each hook.
    pub lines: Vec<Line>,
}

impl Hooks {
    /// Whether every hook would fire.
    pub fn all_fire(&self) -> bool {
        self.lines.iter().all(Line::fires)
    }
}

/// Looks up how each hook is installed and whether it would fire.
pub fn status(context: &Context<'_>) -> Result<Hooks, Error> {
    of(context.store.repo())
}

/// As [`status`], in the worktree of `repo`.
pub(in crate::ops) fn of(repo: &Repo) -> Result<Hooks, Error> {
    let version = repo.git_version()?;
    let folder = repo.hooks_folder()?;
    let settings = repo.hook_settings()?;
    let mut lines = Vec::new();
    for hook in HOOKS {
        let path = folder.path.join(hook);
        let file = Repo::hook_file(&path)?;
        let mut ways = Vec::new();
        if let Some(why_not) = by_config(hook, &settings) {
            let why_not = if version.runs_config_hooks() {
                why_not
            } else {
                Some(format!("git {} runs no hooks from its configuration, 2.54 does", version.text))
            };
            ways.push(Way { how: How::Config, path: repo.config_path(), why_not });
        }
        ways.extend(by_file(hook, &path, &file));
        let manager = match &file {
            HookFile::File { bytes, .. } => shim::manager(bytes, &path),
            _ => None,
        };
        let has_file = file != HookFile::Absent;
        lines.push(Line { hook, ways, path, has_file, manager, fired_at: repo.fired_at(hook) });
    }
    Ok(Hooks { git: version.text, folder: folder.path, configured: folder.configured, lines })
}

/// Whether the configuration names our hook, and then why git would not run
/// it, if it would not.
fn by_config(hook: &str, settings: &[(String, String)]) -> Option<Option<String>> {
    let name = shim::friendly(hook);
    let all = |key: String| settings.iter().filter(move |(k, _)| *k == key).map(|(_, value)| value.as_str());
    let command = all(format!("hook.{name}.command")).next_back()?;
    // An empty value clears the events before it.
    let events: Vec<&str> = all(format!("hook.{name}.event")).collect();
    let since = events.iter().rposition(|e| e.is_empty()).map_or(0, |i| i + 1);
    let is_off = |key: &str| {
        let last = all(key.to_owned()).next_back().map(str::to_ascii_lowercase);
        last.is_some_and(|v| matches!(v.as_str(), "false" | "no" | "off" | "0" | ""))
    };
    let off =
        [format!("hook.{name}.enabled"), format!("hook.{hook}.enabled")].into_iter().find(|k| is_off(k));
    Some(if !events[since..].contains(&hook) {
        Some(format!("hook.{name}.event does not name it"))
    } else if !command.contains("git-comm") || !command.contains(&format!("hook {hook}")) {
        Some(format!("hook.{name}.command runs something else"))
    } else {
        off.map(|key| format!("{key} is false"))
    })
}

fn by_file(hook: &str, path: &Path, file: &HookFile) -> Option<Way> {
    let way = |how, why_not| Some(Way { how, path: path.to_owned(), why_not });
    let (bytes, mode) = match file {
        HookFile::File { bytes, mode } => (bytes, *mode),
        HookFile::Link(_) if calls_through(path, hook) => return way(How::Hand, None),
        _ => return None,
    };
    let idle = (mode & RUNS == 0).then(|| "the file is not executable".to_owned());
    match block::find(bytes, hook) {
        Err(block::NoEnd) => way(How::Block, Some("the block has lost its last line".into())),
        Ok(Some(found)) if !found.intact => {
            way(How::Block, Some("the block was changed; git comm init repairs it".into()))
        }
        Ok(Some(_)) => way(How::Block, idle),
        Ok(None) if is_chained(path, bytes, hook) => way(How::Manager, idle),
        Ok(None) if shim::calls_by_hand(bytes, hook) => way(How::Hand, idle),
        Ok(None) => None,
    }
}

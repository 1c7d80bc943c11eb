//! Installing git's hooks and taking them out again.
//!
//! From git 2.54 on they are entries of the repository's configuration, which
//! stand beside every hook file; for an older git a marked block in the file
//! that it would run. Nothing outside the block is ever changed, and no file
//! that git tracks, or that other repositories may use.

mod block;
mod remove;
pub mod run;
mod shim;
pub mod status;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Context;
use super::error::Error;
use super::identity::Who;
use crate::git::{HookFile, HooksFolder, Owner, RUNS, Repo};
use block::{Block, NoEnd};
use remove::take_out;
use shim::{CONFIG, HOOKS};

/// What was done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It was made.
    Create,
    /// A block in it was added, changed or taken out.
    Change,
    /// It was deleted.
    Delete,
}

impl Action {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Change => "change",
            Self::Delete => "delete",
        }
    }
}

/// One file that was changed, or would be.
#[derive(Clone, Debug)]
pub struct Change {
    /// What was done.
    pub action: Action,
    /// The file.
    pub path: PathBuf,
    /// What about it.
    pub what: String,
}

/// A hook that could not be installed.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Which one.
    pub hook: &'static str,
    /// The file that git runs for it.
    pub path: PathBuf,
    /// Why it was left alone.
    pub why: String,
    /// What does the same by hand.
    pub by_hand: String,
}

/// What installing or removing did.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// Every file that was changed.
    pub changes: Vec<Change>,
    /// What was left alone though it should not be.
    pub refused: Vec<Refused>,
    /// Whether nothing was changed really.
    pub dry_run: bool,
}

impl Done {
    fn add(&mut self, action: Action, path: &Path, what: impl Into<String>) {
        self.changes.push(Change { action, path: path.to_owned(), what: what.into() });
    }
}

/// Installs the hooks in the way that the git at hand runs, and repairs what
/// was overwritten. Repeating it changes nothing.
pub fn install(context: &Context<'_>, dry_run: bool) -> Result<Done, Error> {
    let repo = context.store.repo();
    let program =
        context.store.env().program().ok().filter(|path| path.is_file()).ok_or_else(|| Error::Fatal {
            what: "the path of this program is unknown, and the hooks need it".into(),
            hint: "run it by its full path".into(),
        })?;
    let mut done = Done { dry_run, ..Done::default() };
    let by_config = repo.git_version()?.runs_config_hooks();
    let has_config = config_block(repo)?.is_some();
    if by_config {
        // Blocks that an older git needed would run a second time. Where both
        // are there already, both gits are in use.
        if !has_config {
            take_out(&worktrees(context)?, &mut done)?;
        }
        write_config(repo, &program, &mut done)?;
        return Ok(done);
    }
    if has_config {
        write_config(repo, &program, &mut done)?;
    }
    let shared = repo.hooks_folder()?;
    if !shared.is_relative() && repo.config("extensions.worktreeConfig").is_none() {
        write_files(repo, &shared, &program, &mut done)?;
        return Ok(done);
    }
    let mut seen = BTreeSet::new();
    for repo in &worktrees(context)? {
        let folder = repo.hooks_folder()?;
        if seen.insert(folder.path.clone()) {
            write_files(repo, &folder, &program, &mut done)?;
        }
    }
    Ok(done)
}

/// Installs the hooks in a new worktree whose folder of hooks is its own, if
/// they are installed in another one: there git finds none, and says nothing.
pub fn extend(context: &Context<'_>) -> Result<Done, Error> {
    let repo = context.store.repo();
    let folder = repo.hooks_folder()?;
    if !folder.is_relative() || repo.git_version()?.runs_config_hooks() {
        return Ok(Done::default());
    }
    for other in worktrees(context)?.iter().skip(1) {
        let path = other.hooks_folder()?.path.join(HOOKS[0]);
        if let HookFile::File { bytes, .. } = Repo::hook_file(&path)?
            && let Ok(Some(_)) = block::find(&bytes, HOOKS[0])
        {
            return install(context, false);
        }
    }
    Ok(Done::default())
}

/// Takes everything out that [`install`] put in. An agent may not: the hooks
/// bind it.
pub fn remove(context: &Context<'_>, dry_run: bool) -> Result<Done, Error> {
    refuse_agents(context)?;
    let mut done = Done { dry_run, ..Done::default() };
    let worktrees = worktrees(context)?;
    take_out(&worktrees, &mut done)?;
    strip_config(context.store.repo(), &mut done)?;
    if !dry_run {
        for repo in &worktrees {
            repo.forget_fired()?;
        }
    }
    Ok(done)
}

fn refuse_agents(context: &Context<'_>) -> Result<(), Error> {
    match &context.identity.who {
        Who::Agent(_) => context.identity.person("remove the hooks").map(|_| ()),
        // Whoever has no name at all is at least no agent.
        Who::Nobody(why) if !why.contains("user.name") => context.identity.author(&context.store).map(|_| ()),
        _ => Ok(()),
    }
}

/// The repository as each of its worktrees sees it, this one first. Those
/// whose folder is gone are left out.
fn worktrees(context: &Context<'_>) -> Result<Vec<Repo>, Error> {
    let (repo, env) = (context.store.repo(), context.store.env());
    let here = Repo::open_at(repo.git_dir(), env)?;
    let here = match repo.work_tree() {
        Some(tree) if here.work_tree().is_none() => Repo::open_at(tree, env).unwrap_or(here),
        _ => here,
    };
    let known = here.git_dir().to_owned();
    let mut all = vec![here];
    for top in repo.worktree_tops()? {
        if let Ok(other) = Repo::open_at(&top, env)
            && other.git_dir() != known
            && other.common_dir() == repo.common_dir()
        {
            all.push(other);
        }
    }
    Ok(all)
}

/// Our block in the shared configuration.
fn config_block(repo: &Repo) -> Result<Option<Block>, Error> {
    match Repo::hook_file(&real(&repo.config_path()))? {
        HookFile::File { bytes, .. } => {
            block::find(&bytes, CONFIG).map_err(|NoEnd| no_end(&repo.config_path()))
        }
        _ => Ok(None),
    }
}

fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn no_end(path: &Path) -> Error {
    let shown = crate::text::escape::bytes(path.as_os_str().as_encoded_bytes());
    Error::Fatal {
        what: format!("the git-comm block in `{shown}` has lost its last line"),
        hint: "delete the rest of it by hand, then: git comm init".into(),
    }
}

fn write_config(repo: &Repo, program: &Path, done: &mut Done) -> Result<(), Error> {
    let body = shim::config_body(program);
    if config_block(repo)?.is_some_and(|b| b.intact && b.body == body) {
        return Ok(());
    }
    done.add(Action::Change, &repo.config_path(), format!("hook.git-comm-* for {}", HOOKS.join(", ")));
    if done.dry_run {
        return Ok(());
    }
    repo.edit_config(|before| {
        let bare = without_config(before);
        Some(block::insert(&bare, bare.len(), CONFIG, &[], &body))
    })?;
    Ok(())
}

fn strip_config(repo: &Repo, done: &mut Done) -> Result<(), Error> {
    if config_block(repo)?.is_none() {
        return Ok(());
    }
    done.add(Action::Change, &repo.config_path(), "hook.git-comm-* taken out");
    if !done.dry_run {
        repo.edit_config(|before| Some(without_config(before)))?;
    }
    Ok(())
}

/// The configuration without our block, and without the keys that git put
/// behind it: they belong to its last section.
fn without_config(bytes: &[u8]) -> Vec<u8> {
    let Ok(Some(mut found)) = block::find(bytes, CONFIG) else { return bytes.to_vec() };
    for line in bytes[found.end..].split_inclusive(|&b| b == b'\n') {
        let first = line.iter().find(|b| !b.is_ascii_whitespace());
        if first.is_none_or(|&b| matches!(b, b'[' | b'#' | b';')) {
            break;
        }
        found.end += line.len();
    }
    block::strip(bytes, &found)
}

fn write_files(repo: &Repo, folder: &HooksFolder, program: &Path, done: &mut Done) -> Result<(), Error> {
    // Those that have to be made; the first file notes it.
    let mut folders = folder.path.ancestors().take_while(|at| !at.exists()).count();
    for hook in HOOKS {
        let path = folder.path.join(hook);
        let mut refuse = |why: String, call: String| {
            let by_hand = format!("{call}; or use git 2.54 or later, which needs no hook file");
            done.refused.push(Refused { hook, path: path.clone(), why, by_hand });
        };
        let call = format!("add the line: git-comm hook {hook} \"$@\" || exit");
        let file = Repo::hook_file(&path)?;
        let (before, found) = match &file {
            HookFile::Absent => (None, None),
            HookFile::Link(_) | HookFile::Odd if calls_through(&path, hook) => continue,
            HookFile::Link(to) => {
                refuse(format!("it is a link to {}", shown(to)), format!("there, {call}"));
                continue;
            }
            HookFile::Odd => {
                refuse("it is no file".into(), call);
                continue;
            }
            HookFile::File { bytes, mode } => {
                let found = block::find(bytes, hook).map_err(|NoEnd| no_end(&path))?;
                if found.is_none() && (shim::calls_by_hand(bytes, hook) || is_chained(&path, bytes, hook)) {
                    continue;
                }
                (Some((bytes.as_slice(), *mode)), found)
            }
        };
        // What it was before our block, so that a repair starts from there.
        let bare = match (&before, &found) {
            (Some((bytes, mode)), Some(found)) => shim::without_block(bytes, found)
                .map(|rest| (rest, shim::mode_before(found).unwrap_or(*mode))),
            (before, _) => before.map(|(bytes, mode)| (bytes.to_vec(), mode)),
        };
        let made = found.as_ref().map_or(folders, Block::folders);
        let bare = bare.as_ref().map(|(bytes, mode)| (bytes.as_slice(), *mode));
        let after = match shim::with_block(hook, program, &path, bare, made) {
            Ok(after) => after,
            Err(why) => {
                refuse(why, format!("run `git-comm hook {hook}` first in it, and end as that ended"));
                continue;
            }
        };
        if before.is_some_and(|(bytes, mode)| bytes == after && mode & RUNS != 0) {
            continue;
        }
        if let Some(why) = not_ours(repo, folder, &path)? {
            refuse(why, call);
            continue;
        }
        let action = if before.is_some() { Action::Change } else { Action::Create };
        let hides = folders > 0 && folder.owner == Owner::Worktree;
        let told = if hides { "; the folder is new, and git ignores it" } else { "" };
        done.add(action, &path, format!("runs git-comm hook {hook}{told}"));
        if !done.dry_run {
            let mode = before.map(|(_, mode)| mode | ((mode & 0o444) >> 2));
            repo.write_hook(&path, &after, mode)?;
            if hides {
                // As the tools do that make such a folder: git sees none of it.
                repo.write_hook(&folder.path.join(".gitignore"), b"*\n", Some(0o644))?;
            }
        }
        folders = 0;
    }
    Ok(())
}

/// Why a file is not for us to write: others use it, or git tracks it.
fn not_ours(repo: &Repo, folder: &HooksFolder, path: &Path) -> Result<Option<String>, Error> {
    let told = || match &folder.configured {
        Some((value, scope)) => format!("core.hooksPath = {value}, {scope}"),
        None => "a link".into(),
    };
    Ok(match folder.owner {
        Owner::Repository => None,
        Owner::Elsewhere => Some(format!("other repositories may use that folder ({})", told())),
        Owner::Worktree if !folder.path.exists() || repo.ignores(path)? => None,
        Owner::Worktree => Some(format!("git tracks it, or would ({})", told())),
    })
}

fn shown(path: &Path) -> String {
    crate::text::escape::bytes(path.as_os_str().as_encoded_bytes())
}

/// Whether the hook that git runs at `path` keeps the one that was there
/// before and runs it first, and that one holds our block.
fn is_chained(path: &Path, bytes: &[u8], hook: &str) -> bool {
    if !matches!(shim::manager(bytes, path), Some("pre-commit" | "prek")) {
        return false;
    }
    let kept = beside(path, "legacy");
    match Repo::hook_file(&kept) {
        Ok(HookFile::File { bytes, mode }) => {
            mode & RUNS != 0 && matches!(block::find(&bytes, hook), Ok(Some(found)) if found.intact)
        }
        _ => false,
    }
}

/// Whether what a link leads to calls our hook by hand.
fn calls_through(path: &Path, hook: &str) -> bool {
    matches!(Repo::hook_file(&real(path)), Ok(HookFile::File { bytes, mode })
        if mode & RUNS != 0 && shim::calls_by_hand(&bytes, hook))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

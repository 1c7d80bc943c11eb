//! Finds and opens a repository, as git would from the same directory.

use std::cell::{OnceCell, RefCell};
use std::path::{Path, PathBuf};

use gix::discover::upwards;
use gix::open::{Options, Permissions};
use gix::sec::{Trust, trust};

use super::shared::Shared;
use super::{Backend, GitError, Repo};
use crate::env::Env;
use crate::text::escape;

/// Extensions that say nothing about how refs are stored.
const HARMLESS: [&str; 6] =
    ["noop", "preciousobjects", "partialclone", "objectformat", "worktreeconfig", "relativeworktrees"];

impl Repo {
    /// Opens the repository of `dir`: `GIT_DIR` if it is set, else the
    /// nearest one upwards within `GIT_CEILING_DIRECTORIES`. Refuses one of
    /// another owner unless `safe.directory` lists it, as git does.
    pub fn open(dir: &Path, env: &Env) -> Result<Self, GitError> {
        let dir = absolute(dir, env);
        let Some(git_dir) = env.path_var("GIT_DIR") else {
            let found = upwards_from(&dir, env)?;
            let work_tree = match env.path_var("GIT_WORK_TREE") {
                Some(path) => Some(dir.join(path)),
                None => found.workdir().map(Path::to_owned),
            };
            return Self::from_gix(found, work_tree, &dir, env);
        };
        let found = exactly(&dir.join(git_dir), env)?;
        let work_tree = match env.path_var("GIT_WORK_TREE") {
            Some(path) => Some(dir.join(path)),
            None if found.config_snapshot().string("core.worktree").is_some() => {
                found.workdir().map(Path::to_owned)
            }
            None if found.is_bare() => None,
            // With GIT_DIR alone git takes the current directory for the top.
            None => Some(dir.clone()),
        };
        Self::from_gix(found, work_tree, &dir, env)
    }

    /// Opens exactly the repository at `dir` (a git directory or the top of
    /// a worktree), whatever `GIT_DIR` says: for a store beside the one that
    /// the user works in.
    pub fn open_at(dir: &Path, env: &Env) -> Result<Self, GitError> {
        let dir = absolute(dir, env);
        let found = exactly(&dir, env)?;
        let work_tree = found.workdir().map(Path::to_owned);
        Self::build(found, work_tree, None, &dir, env)
    }

    fn from_gix(
        found: gix::Repository,
        work_tree: Option<PathBuf>,
        dir: &Path,
        env: &Env,
    ) -> Result<Self, GitError> {
        match env.path_var("GIT_COMMON_DIR") {
            Some(common) => Self::build(found, work_tree, Some(dir.join(common)), dir, env),
            None => Self::build(found, work_tree, None, dir, env),
        }
    }

    fn build(
        found: gix::Repository,
        work_tree: Option<PathBuf>,
        common_override: Option<PathBuf>,
        dir: &Path,
        env: &Env,
    ) -> Result<Self, GitError> {
        let git_dir = absolute(found.git_dir(), env);
        // gix does not know GIT_COMMON_DIR: configuration, hash and objects
        // are then those of the directory that it names.
        let gix = match &common_override {
            Some(common) => exactly(common, env)?,
            None => found,
        };
        let common_dir = common_override.unwrap_or_else(|| absolute(gix.common_dir(), env));
        let common_dir = std::fs::canonicalize(&common_dir)
            .map_err(|err| GitError::Unopenable { dir: dir.to_owned(), reason: err.to_string() })?;
        let hash = gix.object_hash();
        let backend = backend(gix.config_snapshot().plumbing());
        let shared = gix.config_snapshot().string("core.sharedRepository").map(|value| value.to_string());
        Ok(Self {
            env: env.clone(),
            state_dir: common_dir.join("comm-node"),
            objects_dir: common_dir.join("objects"),
            git_dir,
            common_dir,
            work_tree,
            hash,
            backend,
            shared: Shared::parse(shared.as_deref()),
            gix,
            odb: OnceCell::new(),
            buffer: RefCell::new(Vec::new()),
            git: OnceCell::new(),
        })
    }
}

fn absolute(path: &Path, env: &Env) -> PathBuf {
    match env.cwd() {
        Some(cwd) if path.is_relative() => cwd.join(path),
        _ => path.to_owned(),
    }
}

fn options() -> Options {
    // Replace refs never apply to records, and looking them up costs a walk.
    // One slot: our own handle on the packs is opened when it is needed.
    Options::default()
        .permissions(Permissions::all())
        .config_overrides(["core.useReplaceRefs=false"])
        .object_store_slots(gix::odb::store::init::Slots::Given(1))
        .bail_if_untrusted(true)
}

fn exactly(dir: &Path, env: &Env) -> Result<gix::Repository, GitError> {
    // Who names a directory explicitly trusts it; git asks no more either.
    let options = options().with(Trust::Full).bail_if_untrusted(false);
    let found = gix::ThreadSafeRepository::open_opts(dir, options).map_err(|err| open_error(dir, &err))?;
    let _ = env;
    Ok(found.to_thread_local())
}

fn upwards_from(dir: &Path, env: &Env) -> Result<gix::Repository, GitError> {
    let limits = upwards::Options {
        ceiling_dirs: ceilings(env),
        match_ceiling_dir_or_error: false,
        cross_fs: env.var("GIT_DISCOVERY_ACROSS_FILESYSTEM").is_some_and(is_true),
        current_dir: env.cwd(),
        ..upwards::Options::default()
    };
    let trust = trust::Mapping { full: options(), reduced: options() };
    let found =
        gix::ThreadSafeRepository::discover_opts(dir, limits, trust).map_err(|err| open_error(dir, &err))?;
    Ok(found.to_thread_local())
}

fn is_true(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on")
}

/// `GIT_CEILING_DIRECTORIES` as git reads it: absolute ones only, symbolic
/// links resolved up to the first empty entry.
fn ceilings(env: &Env) -> Vec<PathBuf> {
    let Some(list) = env.path_var("GIT_CEILING_DIRECTORIES") else { return Vec::new() };
    let mut resolve = true;
    let mut dirs = Vec::new();
    for dir in std::env::split_paths(&list) {
        if dir.as_os_str().is_empty() {
            resolve = false;
        } else if dir.is_absolute() {
            dirs.push(if resolve { std::fs::canonicalize(&dir).unwrap_or(dir) } else { dir });
        }
    }
    dirs
}

fn backend(config: &gix::config::File) -> Backend {
    let own = |meta: &gix::config::file::Metadata| meta.source == gix::config::Source::Local;
    for section in config.sections_by_name_and_filter("extensions", own).into_iter().flatten() {
        for name in section.value_names() {
            let name = name.to_ascii_lowercase();
            let is_files =
                || section.value("refstorage").is_some_and(|value| value.eq_ignore_ascii_case(b"files"));
            let is_known = HARMLESS.contains(&name.as_str()) || (name == "refstorage" && is_files());
            if !is_known {
                return Backend::UpdateRef;
            }
        }
    }
    Backend::Files
}

fn open_error(dir: &Path, err: &gix::Error) -> GitError {
    let dir = dir.to_owned();
    if let Some(search) = err.downcast_any_ref::<upwards::Error>() {
        return match search {
            upwards::Error::NoTrustedGitRepository { .. } => GitError::Untrusted { dir },
            _ => GitError::NotARepository { dir },
        };
    }
    if err.is_permission_denied() && err.to_string().contains("unsafe") {
        return GitError::Untrusted { dir };
    }
    if err.is_not_found() {
        return GitError::NotARepository { dir };
    }
    GitError::Unopenable { dir, reason: escape::clipped(&err.to_string(), 400) }
}

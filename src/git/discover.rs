//! Finds a repository by gix, within the limits that git keeps.

use std::path::{Path, PathBuf};

use gix::discover::upwards;
use gix::open::{Options, Permissions};
use gix::sec::{Trust, trust};

use super::{GitError, process};
use crate::env::Env;
use crate::text::escape;

fn options() -> Options {
    // Replace refs never apply to records, and looking them up costs a walk.
    // One slot: our own handle on the packs is opened when it is needed.
    Options::default()
        .permissions(Permissions::all())
        .config_overrides(["core.useReplaceRefs=false"])
        .object_store_slots(gix::odb::store::init::Slots::Given(1))
        .bail_if_untrusted(true)
}

pub(super) fn exactly(dir: &Path) -> Result<gix::Repository, GitError> {
    // Who names a directory explicitly trusts it; git asks no more either.
    let options = options().with(Trust::Full).bail_if_untrusted(false);
    let found = gix::ThreadSafeRepository::open_opts(dir, options).map_err(|err| open_error(dir, &err))?;
    Ok(found.to_thread_local())
}

pub(super) fn upwards_from(dir: &Path, env: &Env) -> Result<gix::Repository, GitError> {
    match discover(dir, env, upwards::TrustPolicy::default(), true) {
        // gix reads safe.directory from files only, git also from the
        // environment and from `git -c`: what it accepts we accept.
        Err(GitError::Untrusted { .. }) if process::git_accepts(dir, env) => {
            discover(dir, env, upwards::TrustPolicy::Assume(Trust::Full), false)
        }
        other => other,
    }
}

fn discover(
    dir: &Path,
    env: &Env,
    policy: upwards::TrustPolicy,
    bail: bool,
) -> Result<gix::Repository, GitError> {
    let real = match env.path_var("GIT_CEILING_DIRECTORIES") {
        Some(_) => std::fs::canonicalize(dir).unwrap_or_else(|_| dir.to_owned()),
        None => PathBuf::new(),
    };
    let ceilings = ceilings(&real, env);
    // gix ignores a ceiling that leaves it nothing to search upwards.
    let is_here = || [real.join(".git"), real.clone()].iter().any(|path| gix::discover::is_git(path).is_ok());
    if ceilings.contains(&real) && !is_here() {
        return Err(GitError::NotARepository { dir: dir.to_owned() });
    }
    let limits = upwards::Options {
        trust: policy,
        ceiling_dirs: ceilings,
        match_ceiling_dir_or_error: false,
        cross_fs: env.var("GIT_DISCOVERY_ACROSS_FILESYSTEM").is_some_and(is_true),
        current_dir: env.cwd(),
        ..upwards::Options::default()
    };
    let options = || options().bail_if_untrusted(bail);
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
///
/// git stops below a ceiling, gix at it: the directory on the way down to
/// ours is what gix must be told.
fn ceilings(real: &Path, env: &Env) -> Vec<PathBuf> {
    let Some(list) = env.path_var("GIT_CEILING_DIRECTORIES") else { return Vec::new() };
    let mut resolve = true;
    let mut dirs = Vec::new();
    for ceiling in std::env::split_paths(&list) {
        if ceiling.as_os_str().is_empty() {
            resolve = false;
        } else if ceiling.is_absolute() {
            let ceiling = if resolve { std::fs::canonicalize(&ceiling).unwrap_or(ceiling) } else { ceiling };
            if let Some(first) = real.strip_prefix(&ceiling).ok().and_then(|rest| rest.components().next()) {
                dirs.push(ceiling.join(first));
            }
        }
    }
    dirs
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

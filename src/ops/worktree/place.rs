//! Where a worktree goes, and what it is called.

use std::path::{Component, Path, PathBuf};

use crate::env::Env;
use crate::git::Repo;
use crate::ops::error::Error;
use crate::text::{escape, name};

/// The folder for a worktree of this name, unless told otherwise: beside the
/// main worktree, or beside a bare repository; `comm.worktrees` overrides.
pub(super) fn default_place(repo: &Repo, env: &Env, name: &str) -> Result<PathBuf, Error> {
    Ok(real(&default_root(repo, env)?).join(name))
}

/// The folder that worktrees are made in.
pub(in crate::ops) fn default_root(repo: &Repo, env: &Env) -> Result<PathBuf, Error> {
    let main = repo.main_worktree()?.map(|main| real(&main));
    let common = repo.common_dir();
    if let Some(configured) = repo.config("comm.worktrees").filter(|text| !text.is_empty()) {
        let home = env.path_var("HOME");
        let configured = match (configured.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(configured),
        };
        let base = main.as_deref().or(common.parent()).unwrap_or(common);
        return Ok(real(&base.join(configured)));
    }
    let Some(main) = main else { return Ok(common.parent().unwrap_or(common).to_owned()) };
    let mut beside = main.into_os_string();
    beside.push(".worktrees");
    Ok(beside.into())
}

/// The path with symbolic links and `..` resolved as far as it exists.
pub(super) fn real(path: &Path) -> PathBuf {
    let mut rest = Vec::new();
    let mut at = path;
    loop {
        if let Ok(found) = std::fs::canonicalize(at) {
            return rest.iter().rev().fold(found, |path: PathBuf, part| match part {
                Component::ParentDir => path.parent().map(Path::to_owned).unwrap_or(path),
                Component::CurDir => path,
                part => path.join(part),
            });
        }
        let mut parts = at.components();
        match parts.next_back() {
            Some(part) => rest.push(part),
            None => return path.to_owned(),
        }
        at = parts.as_path();
    }
}

/// Refuses a name that would not do as a folder and as a branch everywhere.
pub(super) fn check_name(text: &str) -> Result<(), Error> {
    name::check(text).map_err(|fault| {
        let what = format!("`{}` cannot name a worktree: {fault}", escape::clipped(text, 80));
        Error::usage(what, "names are 1 to 64 of a-z 0-9 . _ - and start with a letter or digit")
    })
}

/// Refuses a path that cannot be written down faithfully.
pub(super) fn check_path(path: &Path) -> Result<(), Error> {
    let fine = path.to_str().is_some_and(|text| !text.chars().any(char::is_control));
    if fine && path.file_name().is_some() {
        return Ok(());
    }
    let what = format!("`{}` cannot be a worktree's folder", shown(path));
    Err(Error::usage(what, "name a folder in UTF-8 without control characters: --path DIR"))
}

/// A path for people.
pub fn shown(path: &Path) -> String {
    escape::bytes(path.as_os_str().as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_made_real_as_far_as_it_exists() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("there")).unwrap();
        assert_eq!(real(&root.join("there/../new/./x")), root.join("new/x"));
        assert_eq!(real(&root.join("none/../new")), root.join("new"));
        assert_eq!(real(&root.join("there")), root.join("there"));
    }
}

//! The files that tell agent harnesses and their agents of us.

use super::{Around, Check, or_fine, shown, some};
use crate::git::Repo;
use crate::ops::harness::check::{self, Installed};

pub(super) fn harness(around: &Around<'_, '_>) -> Vec<Check> {
    let repo = around.repo();
    let Some(root) = repo.work_tree().and_then(|tree| std::fs::canonicalize(tree).ok()) else {
        return vec![Check::green("harness", "no files are in a bare repository")];
    };
    let files = check::files(&root);
    let mut faults = Vec::new();
    for file in files.iter().filter(|file| !file.faults.is_empty()) {
        let what = format!("`{}` {}", file.name, file.faults.join("; "));
        faults.push(Check::yellow("harness", what, file.remedy.clone()));
    }
    if files.iter().any(|file| file.is_called) {
        faults.extend(program(around));
    }
    faults.extend(uncommitted(repo, &files));
    let names: Vec<&str> = files.iter().map(|file| file.name).collect();
    let fine =
        if names.is_empty() { "none set up".to_owned() } else { format!("{} as written", some(&names)) };
    or_fine("harness", faults, fine)
}

/// Whether the command that settings files call is this program.
fn program(around: &Around<'_, '_>) -> Option<Check> {
    let real = |path: &std::path::Path| std::fs::canonicalize(path).ok();
    let own = around.context.store.env().program().ok()?;
    let folder = own.parent().map(shown).unwrap_or_default();
    match around.repo().program_of("comm") {
        Err(error) => Some(Check::of_error("harness", &error.into())),
        Ok(None) if around.repo().config("alias.comm").is_some() => None,
        Ok(None) => {
            let what = "a harness calls `git comm`, and git finds no such program";
            Some(Check::red("harness", what, format!("put this folder on the PATH of harnesses: {folder}")))
        }
        Ok(Some(found)) if real(&found) != real(&own) => {
            let what = format!("a harness calls `git comm`, which is {}, not this program", shown(&found));
            Some(Check::yellow("harness", what, format!("put this folder before it on PATH: {folder}")))
        }
        Ok(Some(_)) => None,
    }
}

/// Worktrees are made from what is committed.
fn uncommitted(repo: &Repo, files: &[Installed]) -> Option<Check> {
    let shared: Vec<&str> = files.iter().filter(|file| file.is_shared).map(|file| file.name).collect();
    let names = match repo.uncommitted(&shared) {
        Ok(names) => names,
        Err(error) => return Some(Check::of_error("harness", &error.into())),
    };
    if names.is_empty() {
        return None;
    }
    let what = format!("not committed, so that new worktrees lack it: {}", some(&names));
    Some(Check::yellow("harness", what, format!("git add -f -- {}, then git commit", names.join(" "))))
}

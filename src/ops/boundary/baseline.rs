//! The known violations, written the first time and made smaller afterwards.

use std::collections::BTreeSet;
use std::io::Write;

use super::Reader;
use super::book::Book;
use super::check::Unneeded;
use super::scope::Scope;
use crate::gate::baseline::{Baseline, Key};
use crate::ops::Context;
use crate::ops::error::Error;
use crate::ops::rules;
use crate::text::escape;

/// What became of the baseline.
#[derive(Clone, Debug)]
pub struct Written {
    /// The file, relative to the root.
    pub path: String,
    /// Whether there was none before.
    pub is_new: bool,
    /// How many violations it names.
    pub kept: usize,
    /// How many it no longer names.
    pub removed: usize,
    /// How many violations there are that it does not name.
    pub left: usize,
}

/// Writes the baseline of what is staged: all violations where there was none
/// before, else those of the old entries that are still there. What was
/// before is what is staged, or HEAD's.
pub fn write(context: &Context<'_>) -> Result<Written, Error> {
    let repo = context.store.repo();
    let Some(root) = repo.work_tree() else {
        return Err(Error::Fatal {
            what: "a bare repository has no files to write to".into(),
            hint: "run it in a worktree".into(),
        });
    };
    let entries = repo.files_staged()?;
    let config = rules::staged(repo)?;
    let mut book = Book::of_entries(repo, config.clone(), &entries)?;
    if book.baseline.is_none() {
        book.baseline = Book::at(repo, repo.head()?, config)?.baseline;
    }
    let is_new = book.baseline.is_none() || book.fault().is_some();
    let old = book.baseline.clone().unwrap_or_default();
    let checked = Reader::new(repo).check(&entries, &[&book], &Scope::All, Unneeded::IfForbidden)?;
    let now: BTreeSet<&Key> = checked.keys.iter().collect();
    let kept: Vec<&Key> = now.iter().copied().filter(|key| is_new || old.line_of(key).is_some()).collect();
    let path = book.config.boundary.baseline.clone();
    put(&root.join(&path), &Baseline::text(kept.iter().copied())).map_err(|error| Error::Fatal {
        what: format!("{} cannot be written: {error}", escape::clipped(&path, 120)),
        hint: "let this process write to it".into(),
    })?;
    let errors = checked.errors().filter(|finding| crate::gate::code::can_be_excepted(finding.code)).count();
    let others = checked.errors().count() - errors;
    Ok(Written {
        path,
        is_new,
        kept: kept.len(),
        removed: old.len().saturating_sub(kept.len()),
        left: others + if is_new { 0 } else { errors },
    })
}

fn put(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".comm-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

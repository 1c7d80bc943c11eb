//! Local state: what commands that died left beside the records.

use std::time::Duration;

use super::{Around, Check, FIX, or_fine, shown};
use crate::git::{GitError, Outcome};
use crate::ops::error::{Error, plural};

/// Notes of this age are of no use to anybody.
const OLD: Duration = Duration::from_secs(30 * 86_400);

pub(super) fn state(around: &Around<'_, '_>) -> Vec<Check> {
    let mut faults = Vec::new();
    faults.extend(leftovers(around));
    faults.extend(unsettled(around));
    faults.extend(old_notes(around));
    or_fine("state", faults, "nothing left over")
}

fn leftovers(around: &Around<'_, '_>) -> Option<Check> {
    let repo = around.repo();
    let left = repo.leftovers();
    let first = left.first()?;
    let what = format!("{} of commands that died, such as {}", plural(left.len(), "file"), shown(first));
    Some(mended(around, what, || left.iter().try_for_each(|path| repo.delete_left(path))))
}

/// Swaps that were begun and whose outcome was never noted.
fn unsettled(around: &Around<'_, '_>) -> Vec<Check> {
    let repo = around.repo();
    let (mut known, mut open, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for (note, outcome) in repo.unsettled() {
        match outcome {
            Ok(Outcome::Applied | Outcome::NotApplied) => known.push(note.next),
            Ok(Outcome::Undecided) => open.push(note.name.to_string()),
            Err(error) => faults.push(Check::of_error("state", &Error::from(error))),
        }
    }
    if !known.is_empty() {
        let what = format!("{} of writes whose outcome is known", plural(known.len(), "note"));
        faults.push(mended(around, what, || {
            known.iter().for_each(|next| repo.settle_pending(*next));
            Ok(())
        }));
    }
    if !open.is_empty() {
        let what = format!(
            "{} may or may not have been written: {}",
            plural(open.len(), "change"),
            super::some(&open)
        );
        faults.push(Check::yellow("state", what, "the next change of it decides; look at it: git comm show"));
    }
    faults
}

/// Notes that make retries harmless or save words: they may go when they
/// are old, and are cleared now and then by themselves.
fn old_notes(around: &Around<'_, '_>) -> Option<Check> {
    let repo = around.repo();
    let old: Vec<_> =
        ["keys", "told", "sight"].iter().flat_map(|folder| repo.state_older(folder, OLD)).collect();
    if old.is_empty() {
        return None;
    }
    let what = format!("{} older than 30 days", plural(old.len(), "note"));
    Some(mended(around, what, || old.iter().try_for_each(|path| repo.delete_left(path))))
}

/// A fault that `--fix` mends.
fn mended(around: &Around<'_, '_>, what: String, mend: impl Fn() -> Result<(), GitError>) -> Check {
    if !around.fix {
        return Check::yellow("state", what, FIX);
    }
    match mend() {
        Ok(()) => Check::yellow("state", what, FIX).fixed_if(true),
        Err(error) => Check::of_error("state", &Error::from(error)),
    }
}

//! What a change breaks.
//!
//! A file that is added, removed or moved changes how others resolve their
//! imports, and so does a setting: then every file is judged. Else the files
//! that changed are all that can have become worse.

use std::collections::BTreeSet;

use super::{Checked, Reader};
use crate::boundary::files::is_setting;
use crate::config::Config;
use crate::gate::finding::Finding;
use crate::gate::scope::RULES;
use crate::git::{Change, Oid};
use crate::ops::error::Error;
use crate::syntax::{Import, Kind, Language};

/// A change that is, or is about to become, a commit.
#[derive(Clone, Copy, Debug)]
pub struct Changed<'c> {
    /// The commit; none: what is staged.
    pub commit: Option<Oid>,
    /// What it is made on top of, the first that it is compared with first.
    pub parents: &'c [Oid],
    /// The files in which it differs.
    pub changes: &'c [Change],
}

impl Reader<'_> {
    /// What is found in the files that a change touches, and elsewhere what
    /// was not found before it.
    pub fn broken_by(&self, changed: &Changed<'_>, rules: &[&Config]) -> Result<Vec<Finding>, Error> {
        let entries = match changed.commit {
            Some(commit) => self.repo.files_of(commit)?,
            None => self.repo.files_staged()?,
        };
        let alone = self.is_judged_alone(changed)?;
        let touched: BTreeSet<&[u8]> = changed.changes.iter().map(|change| &change.path[..]).collect();
        let checked = self.check(&entries, rules, alone.then_some(&touched))?;
        let (mut broken, elsewhere): (Vec<_>, Vec<_>) =
            checked.findings.into_iter().partition(|finding| touched.contains(&finding.path[..]));
        if !elsewhere.is_empty() {
            let before = match changed.parents.first() {
                Some(&parent) => self.commit(parent, rules)?,
                None => Checked::default(),
            };
            broken.extend(elsewhere.into_iter().filter(|finding| !before.findings.contains(finding)));
        }
        Ok(broken)
    }

    /// Whether no file but those of the change can be judged otherwise than
    /// before it.
    fn is_judged_alone(&self, changed: &Changed<'_>) -> Result<bool, Error> {
        // Of a merge the changes are those that nobody judged before; what
        // they are made to is neither parent.
        if changed.parents.len() != 1 {
            return Ok(false);
        }
        for change in changed.changes {
            let Ok(path) = std::str::from_utf8(&change.path) else { return Ok(false) };
            if !change.is_edit() || path == RULES || is_setting(path) || self.moves_modules(change)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether an edit changes which modules a Rust source has: paths of
    /// other files lead through them.
    fn moves_modules(&self, change: &Change) -> Result<bool, Error> {
        let (Some(Language::Rust), Some(before), Some(after)) =
            (Language::of(&change.path), change.old_oid, change.oid)
        else {
            return Ok(false);
        };
        let parts = |oid: Oid| -> Result<Option<Vec<Import>>, Error> {
            let read = self.sources.imports(oid, Language::Rust)?;
            let parts = |imports: &Vec<Import>| {
                let parts = imports.iter().filter(|import| import.kind == Kind::Part);
                parts.map(|import| Import { line: 0, ..import.clone() }).collect()
            };
            Ok(read.as_ref().as_ref().ok().map(parts))
        };
        Ok(parts(before)? != parts(after)?)
    }
}

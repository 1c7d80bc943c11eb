//! Which sources a change can make worse.
//!
//! A file that is added, removed or moved changes how others resolve their
//! imports, and so does a setting: then all sources of the languages that may
//! see it are judged. Else the files that changed are all.

use std::collections::{BTreeSet, HashSet};

use super::Reader;
use super::book::Book;
use crate::boundary::files::{folder_of, is_setting};
use crate::gate::scope::RULES;
use crate::git::{Change, Entry, Oid};
use crate::ops::error::Error;
use crate::syntax::{Import, Language};

/// The sources of a tree that are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope<'c> {
    /// Every one.
    All,
    /// Those that changed, those in some languages, by the names of these, and
    /// those that import files of other languages.
    Changed(BTreeSet<&'c [u8]>, BTreeSet<&'static str>),
}

impl Scope<'_> {
    /// Whether every source in a language is judged.
    pub fn has_all_of(&self, language: Language) -> bool {
        match self {
            Self::All => true,
            Self::Changed(_, languages) => languages.contains(language.as_str()),
        }
    }

    /// Whether a source is judged; `reaches_out` says whether it imports files
    /// of other languages.
    pub fn has(&self, path: &str, language: Language, reaches_out: impl FnOnce() -> bool) -> bool {
        match self {
            Self::All => true,
            Self::Changed(touched, languages) => {
                touched.contains(path.as_bytes())
                    || languages.contains(language.as_str())
                    || !languages.is_empty() && reaches_out()
            }
        }
    }
}

impl Reader<'_> {
    /// The sources that a change on top of `parents` can make worse.
    pub(super) fn scope_of<'c>(
        &self,
        entries: &[Entry],
        changes: &'c [Change],
        parents: &[Oid],
        books: &[&Book],
    ) -> Result<Scope<'c>, Error> {
        // Of a merge the changes are those that nobody judged before; what
        // they are made to is neither parent.
        if parents.len() != 1 || books.iter().any(|book| book.needs_whole_tree()) {
            return Ok(Scope::All);
        }
        let mut languages = BTreeSet::new();
        let mut folders = BTreeSet::new();
        for change in changes {
            let Ok(path) = std::str::from_utf8(&change.path) else { return Ok(Scope::All) };
            let is_rules = path == RULES || books.iter().any(|book| book.config.boundary.baseline == path);
            let is_file = |mode: &str| mode.starts_with("100") || mode == "000000";
            if is_rules || is_setting(path) || !is_file(&change.mode) || !is_file(&change.old_mode) {
                return Ok(Scope::All);
            }
            let language = Language::of(path.as_bytes());
            if !change.is_edit() {
                let Some(language) = language else { return Ok(Scope::All) };
                languages.extend(seen_by(language));
                folders.insert(folder_of(path));
            } else if self.moves_modules(change)? {
                languages.extend(seen_by(Language::Rust));
            } else if language.is_none() && (may_be_extended(path) || self.moves_scripts(change)?) {
                languages.extend(seen_by(Language::TypeScript));
            }
        }
        let touched: BTreeSet<&[u8]> = changes.iter().map(|change| change.path.as_slice()).collect();
        match folders.is_empty() || stays(entries, &touched, folders) {
            true => Ok(Scope::Changed(touched, languages)),
            // A folder that comes or goes is a module to some.
            false => Ok(Scope::All),
        }
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
                let parts = imports.iter().filter(|import| import.takes_in());
                parts.map(|import| Import { line: 0, ..import.clone() }).collect()
            };
            Ok(read.as_ref().ok().map(parts))
        };
        Ok(parts(before)? != parts(after)?)
    }

    /// Whether an edit changes what a file that is no source imports
    /// if it is run as one.
    fn moves_scripts(&self, change: &Change) -> Result<bool, Error> {
        let (Some(before), Some(after)) = (change.old_oid, change.oid) else { return Ok(false) };
        let parts = |oid: Oid| -> Result<_, Error> {
            let moved = |import: Import| Import { line: 0, ..import };
            Ok(self.sources.script(oid)?.map(|found| found.into_iter().map(moved).collect::<Vec<_>>()).ok())
        };
        let after = parts(after)?;
        Ok(after.is_none() || parts(before)? != after)
    }
}

/// The languages whose imports may lead to a source in this one. Python finds
/// extension modules by their Rust sources.
fn seen_by(language: Language) -> &'static [&'static str] {
    match language {
        Language::Python => &["Python"],
        Language::Rust => &["Python", "Rust"],
        Language::TypeScript | Language::Tsx => &["TypeScript/JavaScript"],
    }
}

/// Whether a configuration of TypeScript may extend a file of this name, which
/// then is none that settings have.
fn may_be_extended(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.contains(".json") || !name.contains('.')
}

/// Whether each of these folders has a file right in it that the change does
/// not touch.
fn stays(entries: &[Entry], touched: &BTreeSet<&[u8]>, mut folders: BTreeSet<&str>) -> bool {
    let known: HashSet<&str> = folders.iter().copied().collect();
    for entry in entries {
        let folder = std::str::from_utf8(&entry.path).map(folder_of).unwrap_or_default();
        if known.contains(folder) && !touched.contains(&entry.path[..]) {
            folders.remove(folder);
            if folders.is_empty() {
                return true;
            }
        }
    }
    false
}

/// Whether a source imports a file of another language by its name.
pub(super) fn reaches_out(imports: &[Import], language: Language) -> bool {
    let names = |import: &&Import| {
        let name = import.specifier.split(['?', '#']).next().unwrap_or_default().trim_matches('"');
        Language::of(name.as_bytes()).is_some_and(|other| other.as_str() != language.as_str())
    };
    match language {
        // `a.py` is a module named `py`.
        Language::Python => false,
        Language::Rust => {
            imports.iter().filter(|import| import.specifier.starts_with('"')).any(|i| names(&i))
        }
        Language::TypeScript | Language::Tsx => imports.iter().any(|import| names(&import)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seen_languages_are_called_as_they_are() {
        for language in [Language::Python, Language::Rust, Language::TypeScript, Language::Tsx] {
            assert!(seen_by(language).contains(&language.as_str()));
        }
    }

    #[test]
    fn what_a_configuration_extends_has_any_name() {
        for path in ["config/base.json", "base", "a/base.jsonc"] {
            assert!(may_be_extended(path), "{path}");
        }
        for path in ["docs/a.md", "a.d/notes.txt"] {
            assert!(!may_be_extended(path), "{path}");
        }
    }

    #[test]
    fn names_of_other_languages_reach_out() {
        let check = |language: Language, text: &str, expected: bool| {
            let imports = crate::syntax::imports(language, text.as_bytes()).unwrap();
            assert_eq!(reaches_out(&imports, language), expected, "{text}");
        };
        check(Language::Rust, "include_str!(\"../web/a.ts\");", true);
        check(Language::Rust, "include!(\"a.rs\");\nuse a::py;", false);
        check(Language::TypeScript, "import x from './a.py?raw'", true);
        check(Language::TypeScript, "import x from './a.js'\nimport './b.json'", false);
        check(Language::Python, "import a.rs", false);
    }
}

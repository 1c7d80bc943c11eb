//! Do the imports of a tree keep to the rules?

use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::collections::{BTreeMap, HashMap};

use super::error::Error;
use crate::boundary::files::{Files, is_setting};
use crate::boundary::{judge, resolve};
use crate::config::Config;
use crate::gate::finding::Finding;
use crate::git::{Change, Entry, GitErrorClass, Oid, Repo};
use crate::syntax::{self, Import, Language};

/// The largest setting that is read, in bytes.
const SETTING: usize = 4 << 20;

/// What was found in a tree.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// How many files were read, by language.
    pub files: BTreeMap<&'static str, usize>,
    /// How many imports they have.
    pub imports: usize,
    /// What breaks the rules.
    pub findings: Vec<Finding>,
}

/// Whether these rules say anything about imports.
pub fn has_rules(rules: &Config) -> bool {
    rules.domains.all().iter().any(|domain| {
        domain.allowed_imports.is_some() || !domain.forbidden_imports.is_empty() || !domain.public.is_empty()
    })
}

/// Reads trees, and each content once however many trees have it.
pub struct Reader<'r> {
    repo: &'r Repo,
    read: HashMap<(Oid, Language), Result<Vec<Import>, String>>,
}

impl<'r> Reader<'r> {
    /// A reader of this repository that has read nothing yet.
    pub fn new(repo: &'r Repo) -> Self {
        Self { repo, read: HashMap::new() }
    }

    /// Checks the tree of a commit.
    pub fn commit(&mut self, commit: Oid, rules: &[&Config]) -> Result<Checked, Error> {
        let entries = self.repo.files_of(commit)?;
        self.check(&entries, rules)
    }

    /// Checks what is staged.
    pub fn staged(&mut self, rules: &[&Config]) -> Result<Checked, Error> {
        let entries = self.repo.files_staged()?;
        self.check(&entries, rules)
    }

    /// Checks a tree under each of these rules; what breaks several is told
    /// once.
    fn check(&mut self, entries: &[Entry], rules: &[&Config]) -> Result<Checked, Error> {
        let mut checked = Checked::default();
        let mut files = Files::default();
        for entry in entries {
            let language = Language::of(&entry.path).filter(|_| entry.is_file);
            let Ok(path) = std::str::from_utf8(&entry.path) else {
                // No import can name it, but it may have some.
                if language.is_some() {
                    let why = "its name is not UTF-8, so that nothing can import it";
                    checked.findings.push(unreadable(entry, why));
                }
                continue;
            };
            files.paths.insert(path.to_owned());
            if entry.is_unmerged {
                if language.is_some() {
                    checked.findings.push(unreadable(entry, "it is in conflict"));
                }
                continue;
            }
            if entry.is_file && is_setting(path) {
                files.settings.insert(path.to_owned(), self.repo.read_blob(entry.oid, SETTING)?);
            }
            let Some(language) = language else { continue };
            *checked.files.entry(language.as_str()).or_default() += 1;
            match self.imports(entry.oid, language)? {
                Ok(imports) => {
                    checked.imports += imports.len();
                    files.imports.insert(path.to_owned(), imports.clone());
                }
                Err(why) => checked.findings.push(unreadable(entry, why)),
            }
        }
        let edges = resolve::resolve(&files);
        for rules in rules {
            for finding in judge::judge(&rules.domains, &edges) {
                if !checked.findings.contains(&finding) {
                    checked.findings.push(finding);
                }
            }
        }
        checked.findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
        Ok(checked)
    }

    fn imports(&mut self, oid: Oid, language: Language) -> Result<&Result<Vec<Import>, String>, Error> {
        let read = match self.read.entry((oid, language)) {
            Vacant(vacant) => vacant.insert(match self.repo.read_blob(oid, syntax::LIMIT) {
                Err(error) if error.class() == GitErrorClass::Damaged => Err(error.to_string()),
                Err(error) => return Err(error.into()),
                Ok(source) => syntax::imports(language, &source).map_err(|error| error.to_string()),
            }),
            Occupied(occupied) => occupied.into_mut(),
        };
        Ok(read)
    }
}

/// What a change breaks: what is found in the files that it touches, and
/// imports of other files that lead nowhere since. `before` checks the tree
/// that the change is made to; it is asked only if that matters.
pub fn broken_by(
    checked: Checked,
    changes: &[Change],
    before: impl FnOnce() -> Result<Checked, Error>,
) -> Result<Vec<Finding>, Error> {
    let touched = |finding: &Finding| changes.iter().any(|change| change.path == finding.path);
    let (mut broken, elsewhere): (Vec<_>, Vec<_>) = checked.findings.into_iter().partition(touched);
    let lost: Vec<Finding> = elsewhere.into_iter().filter(|f| f.code == judge::UNRESOLVED).collect();
    if !lost.is_empty() {
        let known = before()?.findings;
        broken.extend(lost.into_iter().filter(|finding| !known.contains(finding)));
    }
    Ok(broken)
}

fn unreadable(entry: &Entry, why: &str) -> Finding {
    Finding {
        code: judge::UNREADABLE,
        path: entry.path.clone(),
        line: 0,
        commit: None,
        what: format!("what it imports is not known: {why}"),
        how: "mend the file".into(),
    }
}

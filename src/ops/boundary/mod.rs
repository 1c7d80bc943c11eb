//! Do the imports of a tree keep to the rules?

mod tree;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use self::tree::Tree;
use super::error::Error;
use crate::boundary::resolve::{Options, Resolver};
use crate::boundary::{Edge, judge};
use crate::config::Config;
use crate::gate::finding::Finding;
use crate::git::{Change, Entry, GitErrorClass, Oid, Repo};
use crate::syntax::{self, Import, Language};

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

/// What a source imports, or why nobody knows.
type Read = Result<Vec<Import>, String>;

/// Reads trees, and each content once however many trees have it.
pub struct Reader<'r> {
    repo: &'r Repo,
    read: RefCell<HashMap<(Oid, Language), Read>>,
}

impl<'r> Reader<'r> {
    /// A reader of this repository that has read nothing yet.
    pub fn new(repo: &'r Repo) -> Self {
        Self { repo, read: RefCell::default() }
    }

    /// Checks the tree of a commit.
    pub fn commit(&self, commit: Oid, rules: &[&Config]) -> Result<Checked, Error> {
        self.check(&self.repo.files_of(commit)?, rules)
    }

    /// Checks what is staged.
    pub fn staged(&self, rules: &[&Config]) -> Result<Checked, Error> {
        self.check(&self.repo.files_staged()?, rules)
    }

    /// Every edge of the tree of a commit, or of what is staged.
    pub fn edges(&self, commit: Option<Oid>) -> Result<Vec<Edge>, Error> {
        let entries = match commit {
            Some(commit) => self.repo.files_of(commit)?,
            None => self.repo.files_staged()?,
        };
        let tree = Tree::new(self, &entries);
        let files = tree.files();
        let resolver = Resolver::new(&files, &Options::default());
        let edges = tree.sources().flat_map(|(path, _)| resolver.edges_of(path)).collect();
        tree.finish()?;
        Ok(edges)
    }

    /// Checks a tree under each of these rules; what breaks several is told
    /// once.
    fn check(&self, entries: &[Entry], rules: &[&Config]) -> Result<Checked, Error> {
        let mut checked = Checked::default();
        let tree = Tree::new(self, entries);
        let files = tree.files();
        let resolver = Resolver::new(&files, &Options::default());
        let mut edges = Vec::new();
        for (path, language) in tree.sources() {
            *checked.files.entry(language.as_str()).or_default() += 1;
            checked.imports += files.imports(path).len();
            edges.extend(resolver.edges_of(path));
        }
        checked.findings = tree.finish()?;
        for note in resolver.notes() {
            checked.findings.push(noted(note));
        }
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

    fn imports(&self, oid: Oid, language: Language) -> Result<Read, Error> {
        if let Some(known) = self.read.borrow().get(&(oid, language)) {
            return Ok(known.clone());
        }
        let read = match self.repo.read_blob(oid, syntax::LIMIT) {
            Err(error) if error.class() == GitErrorClass::Damaged => Err(error.to_string()),
            Err(error) => return Err(error.into()),
            Ok(source) => syntax::imports(language, &source).map_err(|error| error.to_string()),
        };
        self.read.borrow_mut().insert((oid, language), read.clone());
        Ok(read)
    }
}

fn noted(note: crate::boundary::Note) -> Finding {
    Finding {
        code: judge::UNREADABLE,
        path: note.path.into_bytes(),
        line: note.line,
        commit: None,
        what: note.what,
        how: "mend the file".into(),
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

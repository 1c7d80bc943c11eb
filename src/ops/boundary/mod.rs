//! Do the imports of a tree keep to the rules?

mod change;
pub mod explain;
pub mod graph;
pub mod init;
mod sources;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

pub use self::change::Changed;
use self::sources::Sources;
use self::tree::Tree;
use super::error::Error;
use crate::boundary::resolve::{Options, Resolver};
use crate::boundary::{Edge, judge};
use crate::config::Config;
use crate::gate::finding::Finding;
use crate::git::{Entry, Oid, Repo};

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
    sources: Sources<'r>,
}

impl<'r> Reader<'r> {
    /// A reader of this repository that has read nothing yet.
    pub fn new(repo: &'r Repo) -> Self {
        Self { repo, sources: Sources::new(repo) }
    }

    /// Checks the tree of a commit.
    pub fn commit(&self, commit: Oid, rules: &[&Config]) -> Result<Checked, Error> {
        self.check(&self.repo.files_of(commit)?, rules, None)
    }

    /// Checks what is staged.
    pub fn staged(&self, rules: &[&Config]) -> Result<Checked, Error> {
        self.check(&self.repo.files_staged()?, rules, None)
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
        self.sources.keep();
        Ok(edges)
    }

    /// Checks a tree, or `only` these files of it, under each of these rules;
    /// what breaks several is told once.
    fn check(
        &self,
        entries: &[Entry],
        rules: &[&Config],
        only: Option<&BTreeSet<&[u8]>>,
    ) -> Result<Checked, Error> {
        let mut checked = Checked::default();
        let tree = Tree::new(self, entries);
        let files = tree.files();
        let resolver = Resolver::new(&files, &Options::default());
        let mut edges = Vec::new();
        let is_judged = |path: &str| only.is_none_or(|only| only.contains(path.as_bytes()));
        for (path, language) in tree.sources().filter(|(path, _)| is_judged(path)) {
            *checked.files.entry(language.as_str()).or_default() += 1;
            checked.imports += files.imports(path).len();
            edges.extend(resolver.edges_of(path));
        }
        checked.findings = tree.finish()?;
        self.sources.keep();
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

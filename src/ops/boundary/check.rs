//! A whole tree, judged by one set of rules or several.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::Reader;
use super::book::Book;
use super::change::Range;
use super::scope::Scope;
use super::tree::Tree;
use crate::boundary::excuses::Excuses;
use crate::boundary::files::Files;
use crate::boundary::judge::{self, Excused, Input};
use crate::boundary::resolve::{Options, Resolver};
use crate::boundary::rules::Weight;
use crate::boundary::unused::unused;
use crate::boundary::{Edge, Note};
use crate::gate::allowance::Allowance;
use crate::gate::baseline::{Baseline, Key};
use crate::gate::code;
use crate::gate::finding::{Finding, Severity};
use crate::git::{Entry, Repo};
use crate::ops::error::Error;
use crate::syntax::Language;
use crate::text::escape;

/// What was found in a tree.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// The files that were read, each with its language and how many imports
    /// it has.
    pub sources: Vec<(String, &'static str, usize)>,
    /// What breaks the rules, and what there is to remark.
    pub findings: Vec<Finding>,
    /// What breaks them and passes.
    pub excused: Vec<Excused>,
    /// What makes each violation the same in another tree.
    pub keys: Vec<Key>,
}

impl Checked {
    /// What stops a commit.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.is_error())
    }

    /// Adds what is not known yet.
    fn add(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            let is_same =
                |known: &&mut Finding| known.line == finding.line && known.identity() == finding.identity();
            match self.findings.iter_mut().find(is_same) {
                Some(known) => known.severity = known.severity.max(finding.severity),
                None => self.findings.push(finding),
            }
        }
    }
}

impl Reader<'_> {
    /// Checks those sources of a tree that are in `scope` by each of these books; what
    /// breaks several is told once.
    /// The last is the tree's own: what nothing needs is told by that one, if
    /// it is `wanted`.
    pub fn check(
        &self,
        entries: &[Entry],
        books: &[&Book],
        scope: &Scope<'_>,
        wanted: Unneeded,
    ) -> Result<Checked, Error> {
        let mut checked = Checked::default();
        let tree = Tree::new(self, entries);
        let files = tree.files();
        let is_judged = |path: &str, language: Language| {
            let out = || tree.entry(path).is_none_or(|entry| self.sources.reaches_out(entry.oid, language));
            scope.has(path, language, out)
        };
        let judged: Vec<_> = tree.sources().filter(|(path, language)| is_judged(path, *language)).collect();
        let sources: Vec<&str> = judged.iter().map(|(path, _)| *path).collect();
        let mut counts = Vec::with_capacity(sources.len());
        let allowances = self.allowances_of(&tree, &judged)?;
        let mut found = Vec::new();
        let nothing = Baseline::default();
        // What books agree on is found once.
        let mut resolvers: Vec<(&[String], Resolver<'_>)> = Vec::new();
        for (i, book) in books.iter().enumerate() {
            found.extend(book.fault().cloned());
            let rules = &book.config.boundary;
            let roots = rules.python_roots.as_slice();
            let known = resolvers.iter().position(|(known, _)| *known == roots);
            let at = known.unwrap_or_else(|| {
                let is_whole = scope.has_all_of(Language::Rust);
                let options = Options { python_roots: roots.to_vec(), is_whole };
                resolvers.push((roots, Resolver::new(&files, &options)));
                resolvers.len() - 1
            });
            let Some((_, resolver)) = resolvers.get(at) else { continue };
            let wants_unneeded = i + 1 == books.len() && *scope == Scope::All && wanted.is_for(rules.unused);
            // What looks at imports one by one need not have all at once.
            let domains = &book.config.domains;
            let wants_all =
                rules.need_whole_graph(domains) || wants_unneeded && rules.need_all_imports(domains);
            let at_once = match wants_all {
                true => sources.len().max(1),
                false => 48,
            };
            let baseline = book.baseline.as_ref().unwrap_or(&nothing);
            let excuses = Excuses::new(allowances.iter().map(|(path, list)| (*path, list.clone())), baseline);
            let mut kept = Vec::new();
            for sources in sources.chunks(at_once) {
                let mut edges: Vec<Edge> = Vec::new();
                for path in sources {
                    let (imports, leading) = resolver.counted(path);
                    edges.extend(leading);
                    if i == 0 {
                        counts.push(imports);
                    }
                }
                let input = Input {
                    sources,
                    edges: &edges,
                    files: &files,
                    edges_of: &|path| resolver.edges_of(path),
                    is_whole: true,
                };
                let judged = judge::judge(&book.config.domains, rules, input, &excuses);
                found.extend(judged.findings);
                if i + 1 == books.len() {
                    checked.excused.extend(judged.excused);
                    checked.keys.extend(judged.keys);
                }
                if wants_all {
                    kept = edges;
                }
            }
            if wants_unneeded {
                let weight = rules.unused.severity().unwrap_or(Severity::Warning);
                let idle = unneeded(book, &files, &kept, &excuses);
                found.extend(idle.into_iter().map(|finding| finding.weighing(weight)));
            }
            found.extend(resolver.notes().into_iter().map(noted));
            if i + 1 == books.len() {
                found.extend(excuses.bare());
            }
        }
        if self.ends {
            std::mem::forget(resolvers);
        }
        self.sources.keep();
        found.extend(tree.finish()?);
        checked.add(found);
        for ((path, language), imports) in judged.iter().zip(counts) {
            checked.sources.push(((*path).to_owned(), language.as_str(), imports));
        }
        checked.findings.sort_by(|a, b| (&a.path, a.line, a.code).cmp(&(&b.path, b.line, b.code)));
        Ok(checked)
    }

    /// The suppressions of each source that has some.
    fn allowances_of<'t>(
        &self,
        tree: &Tree<'t, '_>,
        sources: &[(&'t str, Language)],
    ) -> Result<Vec<(&'t str, Vec<Allowance>)>, Error> {
        let mut found = Vec::new();
        for (path, language) in sources {
            let Some(entry) = tree.entry(path) else { continue };
            let list = self.sources.allowances(entry.oid, *language)?;
            if !list.is_empty() {
                found.push((*path, list));
            }
        }
        Ok(found)
    }
}

/// Whether rules, suppressions and baseline entries that nothing needs are
/// looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unneeded {
    /// As the rules say.
    Told,
    /// Only where they stop a commit.
    IfForbidden,
}

impl Unneeded {
    fn is_for(self, weight: Weight) -> bool {
        match self {
            Self::Told => weight != Weight::Nothing,
            Self::IfForbidden => weight == Weight::Forbid,
        }
    }
}

fn unneeded(book: &Book, files: &Files<'_>, edges: &[Edge], excuses: &Excuses<'_>) -> Vec<Finding> {
    let mut findings = unused(&book.config.domains, &book.config.boundary, files, edges);
    findings.extend(excuses.unneeded());
    let path = book.config.boundary.baseline.as_str();
    for (key, line) in excuses.unneeded_entries() {
        let to = if key.to.is_empty() { String::new() } else { format!(" -> {}", key.to) };
        let what =
            crate::text::escape::clipped(&format!("no violation is {} {}{to}", key.kind, key.from), 240);
        let how = "take it out: git comm boundary baseline".to_owned();
        findings.push(Finding::new(code::UNUSED, path, what, how).at(line));
    }
    findings
}

fn noted(note: Note) -> Finding {
    let severity = if note.stops { Severity::Error } else { Severity::Warning };
    let how = "mend the file".to_owned();
    Finding::new(code::UNREADABLE, note.path, note.what, how).at(note.line).weighing(severity)
}

/// The files and folders that a report is about.
pub struct Only {
    /// Relative to the root, without a slash at the end; none: all.
    paths: Vec<Vec<u8>>,
}

/// What is reported.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many files were read, by language.
    pub files: BTreeMap<&'static str, usize>,
    /// How many imports they have.
    pub imports: usize,
    /// How many commits were judged, of a range.
    pub commits: Option<usize>,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What passes by a comment or the baseline.
    pub excused: Vec<Excused>,
    /// Something about it as a whole.
    pub note: Option<String>,
}

impl Report {
    /// How many files were read.
    pub fn files_checked(&self) -> usize {
        self.files.values().sum()
    }

    /// Whether something was judged, and nothing stops it: no files prove
    /// nothing.
    pub fn passes(&self) -> bool {
        self.files_checked() > 0 && !self.findings.iter().any(Finding::is_error)
    }
}

impl Only {
    /// The paths as they are typed in `dir`.
    pub fn new(repo: &Repo, dir: &Path, paths: &[PathBuf]) -> Result<Self, Error> {
        let mut found = Vec::new();
        for path in paths {
            let shown = || escape::clipped(&path.to_string_lossy(), 120);
            let Some(root) = repo.work_tree() else {
                return Err(Error::usage(
                    "a bare repository has no paths to narrow by".to_owned(),
                    "leave the path out",
                ));
            };
            let place = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
            let mut full = place(dir);
            for part in path.components() {
                match part {
                    Component::CurDir => {}
                    Component::ParentDir => {
                        full.pop();
                    }
                    part => full.push(part),
                }
            }
            let below =
                full.strip_prefix(place(root)).or_else(|_| full.strip_prefix(root)).map_err(|_| {
                    Error::usage(
                        format!("`{}` is outside of this worktree", shown()),
                        "name a file or folder of it",
                    )
                })?;
            let parts: Vec<Vec<u8>> =
                below.components().map(|part| part.as_os_str().as_encoded_bytes().to_vec()).collect();
            found.push(parts.join(&b'/'));
        }
        Ok(Self { paths: found })
    }

    fn has(&self, path: &[u8]) -> bool {
        let is_below = |only: &Vec<u8>| {
            only.is_empty()
                || path
                    .strip_prefix(only.as_slice())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        self.paths.is_empty() || self.paths.iter().any(is_below)
    }

    /// Of a tree.
    pub fn report(&self, checked: Checked) -> Report {
        let mut files = BTreeMap::new();
        let mut imports = 0;
        for (path, language, count) in &checked.sources {
            if self.has(path.as_bytes()) {
                *files.entry(*language).or_default() += 1;
                imports += count;
            }
        }
        let Checked { mut findings, mut excused, .. } = checked;
        findings.retain(|finding| self.has(&finding.path));
        excused.retain(|excused| self.has(&excused.finding.path));
        Report { files, imports, commits: None, findings, excused, note: None }
    }

    /// Of a range.
    pub fn report_range(&self, range: Range) -> Report {
        let mut report = self.report(range.last);
        report.excused.clear();
        report.findings = range.findings;
        report.findings.retain(|finding| self.has(&finding.path));
        report.commits = Some(range.commits);
        report.note = range.note;
        report
    }
}

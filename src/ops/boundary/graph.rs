//! Which part of the code imports which, for pictures.

use std::collections::HashSet;

use super::Reader;
use super::book::Book;
use super::check::Unneeded;
use super::scope::Scope;
use super::tree::Tree;
use crate::boundary::Edge;
use crate::boundary::picture::group::{Folders, Parts, group};
use crate::boundary::resolve::{Options, Resolver};
use crate::config::Config;
use crate::gate::finding::Finding;
use crate::gate::scope::{Domains, Owner};
use crate::git::{Oid, Repo};
use crate::ops::error::{Error, plural};
use crate::ops::{Context, rules};

/// What counts as a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Each file.
    Files,
    /// The domains of `comm.toml`.
    Domains,
    /// Folders, so many levels below the one that all sources share; none for
    /// as many as can be seen.
    Folders(Option<usize>),
}

impl Level {
    /// The word for its parts, in the singular.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Files => "file",
            Self::Domains => "domain",
            Self::Folders(_) => "folder",
        }
    }
}

/// All imports of one tree.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The commit; none for what is staged.
    commit: Option<Oid>,
    /// Every file, sorted.
    pub paths: Vec<String>,
    /// Those that imports are read in, sorted.
    pub sources: Vec<String>,
    /// What they import.
    pub edges: Vec<Edge>,
    /// What could not be read, so that some imports are not known.
    pub unread: Vec<Finding>,
}

/// A graph, ready to be shown.
#[derive(Clone, Debug)]
pub struct Graph {
    /// What counts as a part.
    pub level: Level,
    /// The parts and their links.
    pub parts: Parts,
    /// How many sources are in none of the parts.
    pub left_out: usize,
}

impl Reader<'_> {
    /// All imports of the tree of a commit, or of what is staged.
    pub fn see(&self, commit: Option<Oid>) -> Result<Seen, Error> {
        let entries = match commit {
            Some(commit) => self.repo.files_of(commit)?,
            None => self.repo.files_staged()?,
        };
        let tree = Tree::new(self, &entries);
        let files = tree.files();
        // Whoever asks for the imports alone gets them under any rules.
        let rules = match rules_of(self.repo, commit) {
            Err(Error::Rules { .. }) => Config::default(),
            other => other?,
        };
        let options = Options { python_roots: rules.boundary.python_roots.clone(), is_whole: true };
        let resolver = Resolver::new(&files, &options);
        let sources: Vec<String> = tree.sources().map(|(path, _)| path.to_owned()).collect();
        let edges = sources.iter().flat_map(|path| resolver.edges_of(path)).collect();
        let paths = files.paths().iter().map(|path| path.to_string()).collect();
        let unread = tree.finish()?;
        self.sources.keep();
        Ok(Seen { commit, paths, sources, edges, unread })
    }
}

/// All imports at a revision, or of what is staged. The caller is told what
/// could not be read.
pub fn look(context: &Context<'_>, rev: Option<&str>) -> Result<Seen, Error> {
    let repo = context.store.repo();
    let commit = match rev {
        Some(rev) => Some(repo.resolve_rev(rev)?.ok_or_else(|| Error::unknown("revision", rev))?),
        None => None,
    };
    let seen = Reader::new(repo).see(commit)?;
    if let Some(first) = seen.unread.first() {
        context.notice(format!("{} could not be read: {first}", plural(seen.unread.len(), "file")));
    }
    Ok(seen)
}

impl Seen {
    /// The rules of the same tree.
    pub fn rules(&self, context: &Context<'_>) -> Result<Config, Error> {
        rules_of(context.store.repo(), self.commit)
    }

    /// The imports that break a rule and are not excused: file, line, and what
    /// they lead to.
    fn broken(
        &self,
        context: &Context<'_>,
        rules: &Config,
    ) -> Result<HashSet<(String, usize, String)>, Error> {
        let repo = context.store.repo();
        let entries = match self.commit {
            Some(commit) => repo.files_of(commit)?,
            None => repo.files_staged()?,
        };
        let book = Book::of_entries(repo, rules.clone(), &entries)?;
        let checked = Reader::new(repo).check(&entries, &[&book], &Scope::All, Unneeded::IfForbidden)?;
        let key = |finding: Finding| {
            let path = String::from_utf8(finding.path).ok()?;
            Some((path, finding.line, finding.crossing?.target))
        };
        Ok(checked.findings.into_iter().filter(Finding::is_error).filter_map(key).collect())
    }
}

fn rules_of(repo: &Repo, commit: Option<Oid>) -> Result<Config, Error> {
    match commit {
        Some(commit) => Ok(rules::at(repo, Some(commit))?.unwrap_or_default()),
        None => rules::staged(repo),
    }
}

/// The graph at a level; without one that of the domains, if there are any.
pub fn graph(context: &Context<'_>, seen: &Seen, level: Option<Level>) -> Result<Graph, Error> {
    let rules = seen.rules(context)?;
    let domains = &rules.domains;
    let has_domains = !domains.all().is_empty();
    let level = level.unwrap_or(if has_domains { Level::Domains } else { Level::Folders(None) });
    let sources: Vec<&str> = seen.sources.iter().map(String::as_str).collect();
    let broken = if rules.has_boundaries() { seen.broken(context, &rules)? } else { HashSet::new() };
    let breaks =
        |edge: &Edge| broken.contains(&(edge.from.to_string(), edge.import.line, edge.destination()));
    let parts = match level {
        Level::Domains if !has_domains => {
            let hint = "derive some from the code: git comm boundary init; or see its folders: git comm boundary graph --folders";
            return Err(Error::No {
                kind: "no_domains",
                what: "comm.toml has no domains".into(),
                reasons: Vec::new(),
                hint: hint.into(),
            });
        }
        Level::Domains => group(sources, &seen.edges, |path| domain_of(domains, path), breaks),
        Level::Files => group(sources, &seen.edges, |path| Some(path.to_owned()), breaks),
        Level::Folders(depth) => {
            let folders = Folders::new(&sources, depth);
            group(sources, &seen.edges, |path| Some(folders.of(path)), breaks)
        }
    };
    let shown: usize = parts.parts.iter().map(|part| part.files).sum();
    Ok(Graph { level, left_out: seen.sources.len().saturating_sub(shown), parts })
}

fn domain_of(domains: &Domains, path: &str) -> Option<String> {
    match domains.owner(path.as_bytes()) {
        Owner::Domain(domain) => Some(domain.shown().to_owned()),
        _ => None,
    }
}

//! The rules of one tree, with the violations that it knows of.

use std::collections::BTreeSet;

use crate::boundary::rules::Weight;
use crate::config::Config;
use crate::gate::baseline::{Baseline, Key};
use crate::gate::code;
use crate::gate::finding::{Finding, Severity};
use crate::git::{Entry, GitErrorClass, Oid, Repo};
use crate::ops::error::{Error, plural};

/// The largest baseline that is read, in bytes.
const LIMIT: usize = 32 << 20;
/// Added entries that are told one by one.
const TOLD: usize = 20;

/// `comm.toml` and the baseline that it names.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// The rules.
    pub config: Config,
    /// The known violations; none without the file.
    pub baseline: Option<Baseline>,
    /// Why the baseline cannot be read.
    fault: Option<Finding>,
}

impl Book {
    /// Rules without a baseline.
    pub fn new(config: Config) -> Self {
        Self { config, ..Self::default() }
    }

    /// Rules, with the baseline that a commit has.
    pub fn at(repo: &Repo, commit: Option<Oid>, config: Config) -> Result<Self, Error> {
        let Some(commit) = commit else { return Ok(Self { config, ..Self::default() }) };
        // The top of the tree is at hand; what lies deeper needs the listing.
        if !config.boundary.baseline.contains('/') {
            return match repo.file_at(commit, &config.boundary.baseline, LIMIT) {
                Ok(text) => Ok(Self::of_text(config, text)),
                Err(error) if error.class() == GitErrorClass::Damaged => {
                    Ok(Self::unreadable(config, 0, &error.to_string()))
                }
                Err(crate::git::GitError::WrongKind { .. }) => {
                    Ok(Self::unreadable(config, 0, "it is a folder or a link, and must be a file"))
                }
                Err(error) => Err(error.into()),
            };
        }
        Self::of_entries(repo, config, &repo.files_of(commit)?)
    }

    /// Rules, with the baseline among these files.
    pub fn of_entries(repo: &Repo, config: Config, entries: &[Entry]) -> Result<Self, Error> {
        let path = config.boundary.baseline.clone();
        let mut found = entries.iter().filter(|entry| entry.path == path.as_bytes());
        let Some(entry) = found.next() else { return Ok(Self::of_text(config, None)) };
        if entry.is_unmerged {
            return Ok(Self::unreadable(config, 0, "it is in conflict"));
        }
        if !entry.is_file {
            return Ok(Self::unreadable(config, 0, "it is a folder or a link, and must be a file"));
        }
        match repo.read_blob(entry.oid, LIMIT) {
            Ok(text) => Ok(Self::of_text(config, Some(text))),
            Err(error) if error.class() == GitErrorClass::Damaged => {
                Ok(Self::unreadable(config, 0, &error.to_string()))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn of_text(config: Config, text: Option<Vec<u8>>) -> Self {
        match text.map(|text| Baseline::parse(&text)).transpose() {
            Ok(baseline) => Self { config, baseline, fault: None },
            Err(fault) => Self::unreadable(config, fault.line, fault.what),
        }
    }

    fn unreadable(config: Config, line: usize, why: &str) -> Self {
        let what = format!("the baseline cannot be read: {why}");
        let how = "mend the file: git comm boundary baseline writes it anew".to_owned();
        let fault = Finding::new(code::UNREADABLE, config.boundary.baseline.as_str(), what, how).at(line);
        Self { config, baseline: Some(Baseline::default()), fault: Some(fault) }
    }

    /// Why the baseline cannot be read, if it cannot.
    pub fn fault(&self) -> Option<&Finding> {
        self.fault.as_ref()
    }

    /// These, without those that would say again what a later one says, and
    /// those that say nothing of imports.
    pub(super) fn differing<'b>(books: &[&'b Self]) -> Vec<&'b Self> {
        let is_repeated = |at: usize, book: &Self| books.iter().skip(at + 1).any(|later| book.is_same(later));
        let differing = books.iter().enumerate().filter(|(at, book)| !is_repeated(*at, book));
        differing.map(|(_, book)| *book).filter(|book| book.config.has_boundaries()).collect()
    }

    /// Whether both judge alike.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.config.is_same(&other.config) && self.baseline == other.baseline && self.fault == other.fault
    }

    /// Whether changed files are not enough to judge a change by it.
    pub(super) fn needs_whole_tree(&self) -> bool {
        let rules = &self.config.boundary;
        rules.need_whole_graph(&self.config.domains) || rules.unused == Weight::Forbid
    }

    /// What this one lets pass, and `before` did not.
    pub fn weaker_than(&self, before: &Self) -> Vec<Finding> {
        let mut findings = crate::boundary::weaker::weaker(
            (&before.config.domains, &before.config.boundary),
            (&self.config.domains, &self.config.boundary),
        );
        findings.extend(self.grown_since(before));
        findings
    }

    /// Whether it has a baseline where rules had none before. Where there were
    /// no rules there could be none.
    pub(super) fn begins_baseline(&self, before: &Self) -> bool {
        let has_entries = self.baseline.as_ref().is_some_and(|baseline| !baseline.is_empty());
        has_entries && before.baseline.is_none() && before.config.has_boundaries()
    }

    /// Entries of a new baseline that are none of the violations that there
    /// are: room for later ones.
    pub(super) fn unfounded(&self, now: &BTreeSet<Key>) -> Vec<Finding> {
        let entries = self.baseline.iter().flat_map(Baseline::entries);
        let added: Vec<_> = entries.filter(|(key, _)| !now.contains(key)).collect();
        self.added(&added)
    }

    /// Entries that the baseline has more.
    fn grown_since(&self, before: &Self) -> Vec<Finding> {
        let Some(baseline) = &self.baseline else { return Vec::new() };
        let Some(old) = &before.baseline else {
            if !self.begins_baseline(before) {
                return Vec::new();
            }
            let what = format!("is new, with {}", known(baseline.len()));
            return vec![self.grown(0, what).weighing(Severity::Warning)];
        };
        let added: Vec<_> = baseline.entries().filter(|(key, _)| old.line_of(key).is_none()).collect();
        self.added(&added)
    }

    fn grown(&self, line: usize, what: String) -> Finding {
        let how = "a baseline only shrinks: git comm boundary baseline".to_owned();
        Finding::new(code::GROWN, self.config.boundary.baseline.as_str(), what, how).at(line)
    }

    fn added(&self, added: &[(&Key, usize)]) -> Vec<Finding> {
        let told = added.iter().take(TOLD).map(|(key, line)| {
            let to = if key.to.is_empty() { String::new() } else { format!(" -> {}", key.to) };
            let what = format!("adds {}{to}", key.from);
            self.grown(*line, crate::text::escape::line(&what).into_owned())
        });
        let mut findings: Vec<Finding> = told.collect();
        if added.len() > TOLD {
            let more = plural(added.len() - TOLD, "entry").replace("entrys", "entries");
            findings.push(self.grown(0, format!("adds {more} more")));
        }
        findings
    }
}

fn known(count: usize) -> String {
    plural(count, "known violation")
}

//! A change, judged by the rules before it and its own: what it breaks, and
//! whether it makes the rules weaker.

use std::collections::BTreeSet;

use super::Reader;
use super::book::Book;
use super::check::{Checked, Unneeded};
use super::scope::Scope;
use crate::config::{Config, Fault};
use crate::gate::code;
use crate::gate::finding::{Finding, Severity};
use crate::gate::scope::RULES;
use crate::git::{Change, Entry, Oid, Ranged, Repo};
use crate::ops::error::Error;
use crate::ops::identity::Who;
use crate::ops::{Context, rules};

/// What was found in a change.
#[derive(Clone, Debug, Default)]
pub struct Broken {
    /// The whole tree that it makes.
    pub tree: Checked,
    /// What it breaks, and what there is to remark.
    pub findings: Vec<Finding>,
}

/// Judges what is staged by the rules in force and those that are staged with
/// it, if any. People overrule: only the staged ones judge them, and what
/// those let pass is said.
pub fn staged(
    repo: &Repo,
    in_force: &Config,
    own: Option<&Config>,
    changes: &[Change],
    is_agent: bool,
) -> Result<Broken, Error> {
    let parents: Vec<Oid> = repo.head()?.into_iter().chain(repo.merge_heads()).collect();
    // What two branches did may break together where nobody changed a thing.
    let is_empty = changes.is_empty() && parents.len() < 2;
    if is_empty || ![Some(in_force), own].into_iter().flatten().any(Config::has_boundaries) {
        return Ok(Broken::default());
    }
    let reader = Reader::last(repo);
    let head = match repo.head()? {
        Some(head) => Some(head),
        None => repo.trunk()?.map(|trunk| trunk.tip),
    };
    reader.sources.read_afresh(changes.iter().filter_map(|change| change.oid));
    let entries = repo.files_staged()?;
    let before = Book::at(repo, head, in_force.clone())?;
    let after = Book::of_entries(repo, own.unwrap_or(in_force).clone(), &entries)?;
    let mut weaker = reader.weakened(&before, &after, changes, &entries)?;
    if !is_agent {
        weaker.iter_mut().for_each(|finding| finding.severity = Severity::Warning);
    }
    let mut books = vec![&after];
    if is_agent {
        books.insert(0, &before);
    }
    let books = Book::differing(&books);
    let mut broken = reader.broken_by(&entries, changes, &parents, &books, Extent::Change)?;
    broken.findings.extend(weaker);
    Ok(broken)
}

/// How much of a tree is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What the change can make worse.
    Change,
    /// Every source, so that their number says how large the tree is.
    Tree,
}

/// Judges one commit of a range by the rules of the range's base and its own.
/// None: no rule is about imports.
pub fn committed(
    reader: &Reader<'_>,
    base: &Book,
    one: &Ranged,
    extent: Extent,
) -> Result<Option<Broken>, Error> {
    let repo = reader.repo();
    let touches_rules = one.changes.iter().any(|change| change.path == RULES.as_bytes());
    // Rules that cannot be read are found elsewhere; the base's still judge.
    let own = match rules::at(repo, Some(one.oid)) {
        Err(Error::Rules { .. }) => None,
        other => Some(other?.unwrap_or_default()),
    };
    let own = own.map(|own| Book::at(repo, Some(one.oid), own)).transpose()?;
    let books = Book::differing(&std::iter::once(base).chain(&own).collect::<Vec<_>>());
    if books.is_empty() && !touches_rules {
        return Ok(None);
    }
    let mut broken = Broken::default();
    if !books.is_empty() {
        broken = reader.broken_by(&repo.files_of(one.oid)?, &one.changes, &one.parents, &books, extent)?;
    }
    if let (Some(own), Some(&parent)) = (&own, one.parents.first()) {
        let before = match rules::at(repo, Some(parent)) {
            Err(Error::Rules { .. }) => Config::default(),
            other => other?.unwrap_or_default(),
        };
        let before = Book::at(repo, Some(parent), before)?;
        let people = &base.config.commit.people;
        let is_person = people.contains(&one.author_name) || people.contains(&one.author_email);
        for finding in reader.weakened(&before, own, &one.changes, &repo.files_of(one.oid)?)? {
            let severity = if is_person { Severity::Warning } else { finding.severity };
            broken.findings.push(finding.weighing(severity));
        }
    }
    Ok((!books.is_empty() || !broken.findings.is_empty()).then_some(broken))
}

impl Reader<'_> {
    /// What a change lets pass that was not before, where it touches what
    /// says so.
    fn weakened(
        &self,
        before: &Book,
        after: &Book,
        changes: &[Change],
        entries: &[Entry],
    ) -> Result<Vec<Finding>, Error> {
        let paths = [RULES, &before.config.boundary.baseline, &after.config.boundary.baseline];
        if !changes.iter().any(|change| paths.iter().any(|path| change.path == path.as_bytes())) {
            return Ok(Vec::new());
        }
        let mut findings = after.weaker_than(before);
        if after.begins_baseline(before) {
            // It lists what is broken already, and clears no way for more.
            let now = self.check(entries, &[after], &Scope::All, Unneeded::IfForbidden)?.keys;
            findings.extend(after.unfounded(&now.into_iter().collect()));
        }
        Ok(findings)
    }

    /// What a change breaks: what is found in the files that it touches, what
    /// there is to remark on them, and elsewhere what was not there before: files that import what is gone,
    /// ways and cycles that it closes.
    fn broken_by(
        &self,
        entries: &[Entry],
        changes: &[Change],
        parents: &[Oid],
        books: &[&Book],
        extent: Extent,
    ) -> Result<Broken, Error> {
        let touched: BTreeSet<&[u8]> = changes.iter().map(|change| change.path.as_slice()).collect();
        let scope = match extent {
            Extent::Tree => Scope::All,
            Extent::Change => self.scope_of(entries, changes, parents, books)?,
        };
        let mut checked = self.check(entries, books, &scope, Unneeded::IfForbidden)?;
        let found = std::mem::take(&mut checked.findings).into_iter();
        let (mut findings, mut elsewhere): (Vec<_>, Vec<_>) =
            found.partition(|finding| touched.contains(finding.path.as_slice()));
        elsewhere.retain(Finding::is_error);
        for &parent in parents {
            if elsewhere.is_empty() {
                break;
            }
            let before =
                self.check(&self.repo.files_of(parent)?, books, &Scope::All, Unneeded::IfForbidden)?;
            let known: BTreeSet<_> = before.findings.iter().map(Finding::identity).collect();
            // What led nowhere and now leads somewhere was no better before.
            let led_nowhere: BTreeSet<_> =
                before.findings.iter().filter(|f| f.code == code::UNRESOLVED).map(import_of).collect();
            elsewhere.retain(|finding| {
                let is_import = finding.crossing.is_some();
                let is_known = known.contains(&finding.identity())
                    || is_import && led_nowhere.contains(&import_of(finding));
                !is_known
            });
        }
        findings.extend(elsewhere);
        Ok(Broken { tree: checked, findings })
    }
}

/// The import that a finding is about.
fn import_of(finding: &Finding) -> (&[u8], &str) {
    (&finding.path, finding.crossing.as_ref().map_or("", |crossing| crossing.import.as_str()))
}

/// What was found in a range.
#[derive(Clone, Debug, Default)]
pub struct Range {
    /// How many commits were judged.
    pub commits: usize,
    /// The tree of the last one.
    pub last: Checked,
    /// What was found, each with its commit.
    pub findings: Vec<Finding>,
    /// Something about the range as a whole.
    pub note: Option<String>,
}

/// Judges every commit of `base..head` by the rules of `base` and its own.
pub fn range(repo: &Repo, base: Oid, head: Oid) -> Result<Range, Error> {
    let commits = repo.range(base, head, &[])?;
    if let Some(oid) = repo.cut_off(&commits) {
        return Err(Error::Absent {
            what: format!("this clone has no history before {oid}, which is in the range"),
            hint: "fetch all of it: git fetch --unshallow (in CI: fetch-depth: 0)".into(),
        });
    }
    let mut range = Range::default();
    let rules = rules::at(repo, Some(base))?;
    if rules.is_none() {
        range.note = Some(format!("{base} has no {RULES}: each commit is judged by its own rules only"));
    }
    let book = Book::at(repo, Some(base), rules.unwrap_or_default())?;
    let reader = Reader::new(repo);
    for (at, one) in commits.iter().enumerate() {
        let faults = match rules::at(repo, Some(one.oid)) {
            Err(Error::Rules { faults }) => faults,
            other => other.map(|_| Vec::new())?,
        };
        let unreadable = faults.iter().map(unreadable_rules);
        // What is there in the end is counted, whatever the last commit touches.
        let extent = if at + 1 == commits.len() { Extent::Tree } else { Extent::Change };
        let broken = committed(&reader, &book, one, extent)?.unwrap_or_default();
        range.commits += 1;
        range.last = broken.tree;
        let findings = unreadable.chain(broken.findings);
        range.findings.extend(findings.map(|f| Finding { commit: Some(one.oid.to_string()), ..f }));
    }
    Ok(range)
}

fn unreadable_rules(fault: &Fault) -> Finding {
    let how = "mend it in the commit itself".to_owned();
    Finding::new(code::UNREADABLE, RULES, fault.what.clone(), how).at(fault.line)
}

/// Checks all that is staged, as the hook will judge it for whoever asks: an
/// agent's also by the rules in force.
pub fn index(context: &Context<'_>) -> Result<Checked, Error> {
    let repo = context.store.repo();
    let own = rules::staged(repo)?;
    let in_force = match rules::in_force(repo) {
        // They are mended by what is staged.
        Err(Error::Rules { .. }) => None,
        other => other?,
    };
    let judged_by = in_force.as_ref().unwrap_or(&own);
    let who = context.identity.committer(&context.store, judged_by);
    let is_agent = who.as_ref().is_ok_and(Who::is_judged_by_both);
    let entries = repo.files_staged()?;
    let after = Book::of_entries(repo, own, &entries)?;
    let head = match repo.head()? {
        Some(head) => Some(head),
        None => repo.trunk()?.map(|trunk| trunk.tip),
    };
    let before = in_force.map(|rules| Book::at(repo, head, rules)).transpose()?;
    // The tree's own rules say what they do not need, even if they say nothing.
    let mut books = before.iter().filter(|before| is_agent && !before.is_same(&after)).collect::<Vec<_>>();
    books.push(&after);
    let mut checked = Reader::last(repo).check(&entries, &books, &Scope::All, Unneeded::Told)?;
    if let Some(before) = &before {
        let mut weaker = after.weaker_than(before);
        if after.begins_baseline(before) {
            weaker.extend(after.unfounded(&checked.keys.iter().cloned().collect()));
        }
        for finding in weaker {
            let severity = if is_agent { finding.severity } else { Severity::Warning };
            checked.findings.push(finding.weighing(severity));
        }
    }
    Ok(checked)
}

/// Checks the tree of a commit by its own rules.
pub fn tree(repo: &Repo, commit: Oid) -> Result<Checked, Error> {
    let own = rules::at(repo, Some(commit))?.unwrap_or_default();
    let book = Book::at(repo, Some(commit), own)?;
    Reader::last(repo).check(&repo.files_of(commit)?, &[&book], &Scope::All, Unneeded::Told)
}

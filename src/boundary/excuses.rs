//! What lets a violation pass: comments in the source, and the baseline.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use super::Edge;
use crate::gate::allowance::Allowance;
use crate::gate::baseline::{Baseline, Key};
use crate::gate::code;
use crate::gate::finding::Finding;

/// Why a violation passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Excuse {
    /// A comment allows it, for this reason.
    Allowed(String),
    /// It is in the baseline.
    Known,
}

/// The suppressions of the files that are judged and the baseline, and which
/// of them something needed.
pub struct Excuses<'x> {
    allowances: BTreeMap<&'x str, Vec<(Allowance, Cell<bool>)>>,
    baseline: &'x Baseline,
    needed: RefCell<BTreeSet<Key>>,
}

impl<'x> Excuses<'x> {
    /// The suppressions of each file, and the baseline.
    pub fn new(
        allowances: impl IntoIterator<Item = (&'x str, Vec<Allowance>)>,
        baseline: &'x Baseline,
    ) -> Self {
        let marked = |list: Vec<Allowance>| list.into_iter().map(|a| (a, Cell::new(false))).collect();
        let allowances = allowances.into_iter().filter(|(_, list)| !list.is_empty());
        Self {
            allowances: allowances.map(|(path, list)| (path, marked(list))).collect(),
            baseline,
            needed: RefCell::default(),
        }
    }

    /// Why an import may break the rule of this code, if it may.
    pub fn of(&self, code: &str, edge: &Edge) -> Option<Excuse> {
        self.at(code, &edge.from, Some(edge.import.line), &key(edge))
    }

    /// Why a file may be as it is, if it may: a suppression anywhere in it
    /// says so.
    pub fn of_file(&self, code: &'static str, path: &str) -> Option<Excuse> {
        self.at(code, path, None, &file_key(path))
    }

    fn at(&self, code: &str, path: &str, line: Option<usize>, key: &Key) -> Option<Excuse> {
        if !code::can_be_excepted(code) {
            return None;
        }
        for (allowance, is_needed) in self.allowances.get(path).into_iter().flatten() {
            let line = line.unwrap_or(allowance.covers);
            if allowance.is_for(line, code) && allowance.fault(code::can_be_excepted).is_none() {
                is_needed.set(true);
                return Some(Excuse::Allowed(allowance.reason.clone()));
            }
        }
        self.baseline.line_of(key)?;
        self.needed.borrow_mut().insert(key.clone());
        Some(Excuse::Known)
    }

    /// Suppressions that lack a reason or name no code.
    pub fn bare(&self) -> Vec<Finding> {
        self.each(|allowance, _| allowance.fault(code::can_be_excepted).map(|what| (code::BARE, what)))
    }

    /// Suppressions that nothing needed. What is judged by more than one set
    /// of rules needs one if any does.
    pub fn unneeded(&self) -> Vec<Finding> {
        self.each(|allowance, is_needed| {
            let is_idle = !is_needed && allowance.fault(code::can_be_excepted).is_none();
            let what = || format!("nothing needs the suppression of {}", allowance.codes.join(", "));
            is_idle.then(|| (code::UNUSED, what()))
        })
    }

    fn each(&self, judge: impl Fn(&Allowance, bool) -> Option<(&'static str, String)>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (path, list) in &self.allowances {
            for (allowance, is_needed) in list {
                if let Some((code, what)) = judge(allowance, is_needed.get()) {
                    let how = match code {
                        code::BARE => "say why in the comment, or take it out".to_owned(),
                        _ => "take it out".to_owned(),
                    };
                    findings.push(Finding::new(code, *path, what, how).at(allowance.line));
                }
            }
        }
        findings
    }

    /// Entries of the baseline that nothing needed, each with its line.
    pub fn unneeded_entries(&self) -> Vec<(Key, usize)> {
        let needed = self.needed.borrow();
        let idle = self.baseline.entries().filter(|(key, _)| !needed.contains(key));
        idle.map(|(key, line)| (key.clone(), line)).collect()
    }
}

/// What an import is known by in the baseline.
pub fn key(edge: &Edge) -> Key {
    Key { from: edge.from.to_string(), to: edge.destination(), kind: edge.import.kind.as_str().to_owned() }
}

/// What a file is known by in the baseline, where it is itself what is found.
pub fn file_key(path: &str) -> Key {
    Key { from: path.to_owned(), to: String::new(), kind: "file".to_owned() }
}

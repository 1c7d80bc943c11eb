//! Where else a name is to be had: a file that may be imported and hands on
//! what a forbidden one defines.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::files::Files;
use super::{Edge, Target};
use crate::syntax::Language;

/// How many violations are looked into. More have one cause.
const MOST: usize = 40;
/// How many files are asked for each.
const FILES: usize = 400;
/// How many times a name may be handed on.
const DEPTH: usize = 6;
/// How many are told.
const TOLD: usize = 3;

/// Looks for such files.
pub(super) struct Instead<'e> {
    files: &'e Files<'e>,
    edges_of: &'e dyn Fn(&str) -> Vec<Edge>,
    asked: Cell<usize>,
    edges: RefCell<HashMap<String, Rc<[Edge]>>>,
}

impl<'e> Instead<'e> {
    pub(super) fn new(files: &'e Files<'e>, edges_of: &'e dyn Fn(&str) -> Vec<Edge>) -> Self {
        Self { files, edges_of, asked: Cell::new(0), edges: RefCell::default() }
    }

    /// Files that may be imported in place of `target` for the names that
    /// `edge` takes from it.
    pub(super) fn of(&self, edge: &Edge, target: &str, may: impl Fn(&str) -> bool) -> Vec<String> {
        if self.asked.get() >= MOST {
            return Vec::new();
        }
        self.asked.set(self.asked.get() + 1);
        let Some(language) = Language::of(target.as_bytes()) else { return Vec::new() };
        let wanted = wanted(edge, target);
        let sources = self.files.sources().filter(|(_, other)| other.as_str() == language.as_str());
        let candidates = sources.map(|(path, _)| path).filter(|path| *path != target && may(path));
        let mut found: Vec<String> = candidates
            .take(FILES)
            .filter(|path| self.hands_on(path, target, &wanted))
            .map(|path| crate::text::escape::line(path).into_owned())
            .collect();
        found.truncate(TOLD);
        found
    }

    /// Whether `path` hands on all `wanted` names of `target`, perhaps by way
    /// of other files.
    fn hands_on(&self, path: &str, target: &str, wanted: &BTreeSet<String>) -> bool {
        let mut names: BTreeSet<String> = BTreeSet::new();
        let mut seen: BTreeSet<String> = BTreeSet::from([path.to_owned()]);
        let mut queue = vec![(path.to_owned(), DEPTH)];
        let mut is_any = false;
        while let Some((path, depth)) = queue.pop() {
            for edge in self.edges_of(&path).iter() {
                let Target::File(next) = &edge.target else { continue };
                if !is_handed_on(edge) {
                    continue;
                }
                if next == target {
                    is_any = true;
                    names.extend(taken(edge));
                } else if depth > 0 && seen.len() < FILES && seen.insert(next.clone()) {
                    queue.push((next.clone(), depth - 1));
                }
            }
        }
        let has = |name: &String| names.contains(name) || (names.contains("*") && name != "default");
        is_any && wanted.iter().all(has)
    }

    fn edges_of(&self, path: &str) -> Rc<[Edge]> {
        if let Some(known) = self.edges.borrow().get(path) {
            return known.clone();
        }
        let edges: Rc<[Edge]> = (self.edges_of)(path).into();
        self.edges.borrow_mut().insert(path.to_owned(), edges.clone());
        edges
    }
}

/// Whether whoever imports the file gets the names of this import too: in
/// Python those of a package's `__init__`.
fn is_handed_on(edge: &Edge) -> bool {
    let name = edge.from.rsplit('/').next().unwrap_or_default();
    edge.import.exported || matches!(name, "__init__.py" | "__init__.pyi")
}

/// The names that an import takes, in Rust the end of its path; `*` for all.
fn taken(edge: &Edge) -> Vec<String> {
    if !edge.import.names.is_empty() {
        return edge.import.names.clone();
    }
    match edge.import.specifier.rsplit_once("::") {
        Some((_, last)) => vec![last.to_owned()],
        None => Vec::new(),
    }
}

/// The names that must be handed on. Whoever takes all, or the module as
/// such, can use any of them.
fn wanted(edge: &Edge, target: &str) -> BTreeSet<String> {
    let file = target.rsplit('/').next().unwrap_or_default();
    let stem = file.split('.').next().unwrap_or_default();
    let folder = target.rsplit('/').nth(1).unwrap_or_default();
    let names = taken(edge).into_iter();
    let is_module = |name: &str| {
        name == "*" || name == stem || (matches!(stem, "__init__" | "mod" | "index") && name == folder)
    };
    names.filter(|name| !is_module(name)).collect()
}

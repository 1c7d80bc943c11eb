//! Rust: which module, of which crate, a path leads to.
//!
//! The first part of a path is looked up as rustc does: in the blocks and the
//! module around, with what they import, then among the crates that are
//! known by name. From there the path is followed as far as it names modules
//! with a file: that file is what is imported. What a module imports again is
//! not followed: the edge is to the module that the path names.
//!
//! A path that begins with a name which a `use` brings in is an edge only if
//! it leads to another file than that `use`.

mod manifest;
mod names;
mod tree;

use crate::boundary::HashMap;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::super::files::{Files, folder_of, join};
use super::super::{Note, Target};
use crate::syntax::Import;

use manifest::{Manifests, Package, folders};
use tree::{Id, Modules};

/// What a path stands for.
#[derive(Clone, Debug, Default)]
struct Meaning {
    modules: Vec<Id>,
    packages: Vec<String>,
    is_builtin: bool,
    /// Whether the modules are all of it: else it is something in them.
    is_whole: bool,
}

impl Meaning {
    fn modules(modules: Vec<Id>) -> Self {
        Self { modules, is_whole: true, ..Self::default() }
    }

    fn is_nothing(&self) -> bool {
        self.modules.is_empty() && self.packages.is_empty() && !self.is_builtin
    }

    fn add(&mut self, other: Self) {
        self.is_whole = (self.is_whole || self.is_nothing()) && other.is_whole;
        self.modules.extend(other.modules);
        self.packages.extend(other.packages);
        self.is_builtin |= other.is_builtin;
        self.modules.sort_unstable();
        self.modules.dedup();
    }
}

type Targets = Rc<[Target]>;
type ByName<T> = HashMap<String, T>;

/// Modules, and over how many globs their names come.
#[derive(Debug)]
struct Reach {
    nearest_first: Vec<(usize, Id)>,
    /// By module, where there are many.
    distance: HashMap<Id, usize>,
}

/// Where the code of a file is.
#[derive(Clone, Debug)]
struct Places {
    modules: Rc<[Id]>,
    /// Whether no crate has it.
    is_orphan: bool,
}

/// All crates of a tree.
pub(super) struct Crates<'f> {
    files: &'f Files<'f>,
    manifests: Manifests<'f>,
    modules: Modules<'f>,
    places: RefCell<HashMap<String, Places>>,
    /// What paths lead to, by place and by whether a `use` says them.
    known: RefCell<HashMap<(Id, bool), ByName<Targets>>>,
    /// What names stand for that modules import.
    imported: RefCell<HashMap<Id, ByName<(Meaning, bool)>>>,
    /// Whether files of other packages that take in a file are looked for.
    is_whole: bool,
    is_all_read: Cell<bool>,
    reached: RefCell<HashMap<Id, Rc<Reach>>>,
    globs: RefCell<HashMap<Id, Rc<[Id]>>>,
    steps: Cell<u32>,
    /// How often a search ended at a name that is being looked up.
    cuts: Cell<u32>,
    /// Names that are being looked up.
    pending: RefCell<Vec<(Id, String)>>,
}

impl<'f> Crates<'f> {
    pub(super) fn new(files: &'f Files<'f>, is_whole: bool) -> Self {
        Self {
            files,
            is_whole,
            manifests: Manifests::new(files),
            modules: Modules::new(files),
            places: RefCell::default(),
            known: RefCell::default(),
            imported: RefCell::default(),
            cuts: Cell::new(0),
            reached: RefCell::default(),
            globs: RefCell::default(),
            is_all_read: Cell::new(false),
            steps: Cell::new(0),
            pending: RefCell::default(),
        }
    }

    /// What was noticed about the tree.
    pub(super) fn notes(&self) -> Vec<Note> {
        let mut notes = self.manifests.notes();
        if self.modules.is_full.get() {
            let what =
                "its crates have more modules than are followed: files are parts of each other".to_owned();
            notes.push(Note { path: "Cargo.toml".to_owned(), line: 0, what, stops: true });
        }
        notes
    }

    pub(super) fn resolve(&self, from: &str, import: &Import) -> Vec<Target> {
        let places = self.places(from);
        let mut targets: Vec<Target> = Vec::new();
        if import.takes_in() {
            targets.extend(self.parts(from, import, &places));
        } else {
            for place in places.modules.iter() {
                let place = self.modules.within(*place, &import.within);
                targets.extend(self.targets(place, import).iter().cloned());
            }
            if places.is_orphan && targets.is_empty() {
                targets.extend(self.guess(from, import));
            }
            let is_path = import.names.is_empty();
            targets.retain(|target| !(is_path && target.name() == from && target.kind() == "file"));
        }
        targets.sort();
        targets.dedup();
        targets
    }

    fn targets(&self, place: Id, import: &Import) -> Rc<[Target]> {
        let is_use = !import.names.is_empty();
        // An `extern crate` means something else than a path.
        let is_crate = import.names.first().is_some_and(|name| name.starts_with("crate as "));
        let key = (place, is_use);
        if let Some(known) = self.known.borrow().get(&key).and_then(|paths| paths.get(&import.specifier))
            && !is_crate
        {
            return known.clone();
        }
        self.steps.set(names::STEPS);
        let found: Rc<[Target]> = if is_crate {
            let name = import.specifier.trim_start_matches(':');
            let root = self.modules.at(place, |module| module.root).unwrap_or(place);
            let meaning = if name == "self" { None } else { self.dependency(root, name) };
            self.shown(&meaning.unwrap_or_default()).into()
        } else {
            let (meaning, through) = self.path(place, &import.specifier, is_use);
            let mut targets = self.shown(&meaning);
            // What the `use` says need not be said again.
            if let Some(through) = through.filter(|_| !is_use) {
                let said = self.shown(&through);
                targets.retain(|target| !said.contains(target));
            }
            targets.into()
        };
        if !is_crate {
            let mut known = self.known.borrow_mut();
            known.entry(key).or_default().insert(import.specifier.clone(), found.clone());
        }
        found
    }

    fn shown(&self, meaning: &Meaning) -> Vec<Target> {
        let files = meaning.modules.iter().map(|id| Target::File(self.modules.file(*id).to_string()));
        let packages = meaning.packages.iter().map(|name| Target::Package(name.clone()));
        files.chain(packages).chain(meaning.is_builtin.then_some(Target::Builtin)).collect()
    }

    /// A module in another file, or a file that is included.
    fn parts(&self, from: &str, import: &Import, places: &Places) -> Vec<Target> {
        let is_module =
            !import.specifier.starts_with('"') || import.names.iter().any(|name| name.starts_with("as "));
        let is_optional = import.names.iter().any(|name| name == "?") || places.is_orphan;
        let mut found: Vec<Target> = Vec::new();
        if is_module {
            for place in places.modules.iter() {
                found.extend(self.modules.part(*place, from, import).map(Target::File));
            }
        } else {
            let file = import.specifier.trim_matches('"');
            let path = match file.strip_prefix("$CARGO_MANIFEST_DIR") {
                Some(rest) => {
                    let package = self.manifests.package_of(folder_of(from));
                    join(package.as_ref().map_or("", |package| &package.folder), rest)
                }
                // Of this machine and no other.
                None if file.starts_with('/') => return Vec::new(),
                None => join(folder_of(from), file),
            };
            found.extend(path.filter(|path| self.files.has(path)).map(Target::File));
        }
        if found.is_empty() && !is_optional {
            found.push(Target::Missing);
        }
        found
    }

    /// Every place that a file has in a crate.
    fn places(&self, file: &str) -> Places {
        if let Some(known) = self.places.borrow().get(file) {
            return known.clone();
        }
        let found = self.find(file);
        self.places.borrow_mut().insert(file.to_owned(), found.clone());
        found
    }

    fn find(&self, file: &str) -> Places {
        let folder = folder_of(file);
        let package = self.manifests.package_of(folder);
        let mut roots: Vec<(String, Option<Rc<Package>>)> = Vec::new();
        if let Some(package) = &package {
            roots.extend(package.roots.iter().map(|root| (root.clone(), Some(package.clone()))));
        }
        let placed = |modules: Vec<Id>| Places { modules: modules.into(), is_orphan: false };
        let mut found: Vec<Id> =
            roots.iter().flat_map(|(root, p)| self.by_name(file, root, p.as_ref())).collect();
        if !found.is_empty() {
            if self.is_whole {
                self.read_everything();
                found.extend(self.modules.known(file));
                found.sort_unstable();
                found.dedup();
            }
            return placed(found);
        }
        // Attributes may have put it anywhere.
        for (root, package) in &roots {
            self.modules.read_all(self.modules.root(root, package.as_ref()));
        }
        let found = self.modules.known(file);
        if !found.is_empty() {
            return placed(found);
        }
        if package.is_none() {
            // Other tools than Cargo keep to its names.
            for around in folders(folder) {
                for name in ["lib.rs", "main.rs"] {
                    let Some(root) = join(around, name).filter(|root| self.files.has(root)) else { continue };
                    let found = self.by_name(file, &root, None);
                    if !found.is_empty() {
                        return placed(found);
                    }
                }
            }
        }
        self.read_everything();
        let found = self.modules.known(file);
        if !found.is_empty() {
            return placed(found);
        }
        Places { modules: [self.modules.root(file, package.as_ref())].into(), is_orphan: true }
    }

    /// Reads every module of every package, once.
    fn read_everything(&self) {
        if !self.is_all_read.replace(true) {
            for package in self.manifests.all() {
                for root in &package.roots {
                    self.modules.read_all(self.modules.root(root, Some(&package)));
                }
            }
        }
    }

    /// The places of a file in one crate that its name leads to.
    fn by_name(&self, file: &str, root: &str, package: Option<&Rc<Package>>) -> Vec<Id> {
        if file == root {
            return vec![self.modules.root(root, package)];
        }
        let folder = folder_of(root);
        let rest = match folder {
            "" => Some(file),
            folder => file.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')),
        };
        let Some(rest) = rest.and_then(|rest| rest.strip_suffix(".rs")) else { return Vec::new() };
        let rest = rest.strip_suffix("/mod").unwrap_or(rest);
        let mut here = vec![self.modules.root(root, package)];
        for part in rest.split('/') {
            here = here.iter().flat_map(|id| self.modules.children(*id, part)).collect();
            if here.is_empty() {
                return here;
            }
        }
        here.retain(|id| *self.modules.file(*id) == *file);
        here
    }

    /// What a path in a file that no crate has would lead to if it were where
    /// its name says.
    fn guess(&self, from: &str, import: &Import) -> Option<Target> {
        let mut parts = import.specifier.split("::").peekable();
        let (mut folder, stem) = (folder_of(from), from.rsplit('/').next()?.strip_suffix(".rs")?);
        if !import.within.is_empty() || parts.next()? != "super" {
            return None;
        }
        if stem == "mod" {
            folder = folder_of(folder);
        }
        while parts.next_if_eq(&"super").is_some() {
            folder = folder_of(folder);
        }
        let mut found = [
            join(folder, "mod.rs"),
            Some(format!("{folder}.rs")),
            join(folder, "lib.rs"),
            join(folder, "main.rs"),
        ]
        .into_iter()
        .flatten()
        .find(|path| self.files.has(path));
        let mut folder = folder.to_owned();
        for part in parts {
            let Some(next) = tree::part(self.files, &folder, None, part) else { break };
            found = Some(next);
            folder = join(&folder, part)?;
        }
        found.map(Target::File)
    }
}

#[cfg(test)]
mod tests;

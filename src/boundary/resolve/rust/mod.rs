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
mod tree;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::super::files::{Files, folder_of, join};
use super::super::{Note, Target};
use crate::syntax::{Import, Kind};

use manifest::{Manifests, Package, folders};
use tree::{Id, Modules};

/// What comes with the language.
const BUILTIN: [&str; 5] = ["std", "core", "alloc", "proc_macro", "test"];
/// How many steps the search for one name may take.
const STEPS: u32 = 4096;
/// How many names may stand for each other.
const ALIASES: usize = 32;

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

type ByName<T> = HashMap<String, T>;
/// Modules, and over how many globs their names come.
type Reach = Rc<[(usize, Id)]>;

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
    known: RefCell<HashMap<(Id, bool), ByName<Rc<[Target]>>>>,
    /// What names stand for that modules import.
    imported: RefCell<HashMap<Id, ByName<(Meaning, bool)>>>,
    is_all_read: Cell<bool>,
    reached: RefCell<HashMap<Id, Reach>>,
    steps: Cell<u32>,
    /// How often a search ended at a name that is being looked up.
    cuts: Cell<u32>,
    /// Names that are being looked up.
    pending: RefCell<Vec<(Id, String)>>,
}

impl<'f> Crates<'f> {
    pub(super) fn new(files: &'f Files<'f>) -> Self {
        Self {
            files,
            manifests: Manifests::new(files),
            modules: Modules::new(files),
            places: RefCell::default(),
            known: RefCell::default(),
            imported: RefCell::default(),
            cuts: Cell::new(0),
            reached: RefCell::default(),
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
        if import.kind == Kind::Part {
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
        self.steps.set(STEPS);
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

    /// What a path means, and what the `use` is that it begins with.
    fn path(&self, place: Id, path: &str, is_use: bool) -> (Meaning, Option<Meaning>) {
        if let Some(name) = path.strip_prefix("extern ") {
            let root = self.root_of(place);
            return (self.external(root, name).unwrap_or_default(), None);
        }
        let root = self.root_of(place);
        let is_old = self.edition(root) < 2018;
        let mut parts = path.split("::");
        let first = parts.next().unwrap_or_default();
        let rest: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        match first {
            "crate" | "$crate" => (self.follow(vec![self.main_of(root)], &rest), None),
            "self" => {
                let own = self.modules.own(place);
                // A name that is imported here may be written so, too.
                match rest.first() {
                    Some(name) if self.modules.children(own, name).is_empty() => {
                        let (used, is_said) = self.used(own, name);
                        if used.is_nothing() {
                            (Meaning { modules: vec![own], ..Meaning::default() }, None)
                        } else {
                            (self.follow_all(used.clone(), &rest[1..]), is_said.then_some(used))
                        }
                    }
                    _ => (self.follow(vec![own], &rest), None),
                }
            }
            "super" => match self.modules.parent(place) {
                Some(parent) => (self.follow(vec![parent], &rest), None),
                None => (Meaning::default(), None),
            },
            "" => {
                let Some((name, rest)) = rest.split_first() else {
                    // `use ::*`
                    return (Meaning::modules(vec![root]), None);
                };
                let meaning = match is_old {
                    true => self.named(root, name).0,
                    false => self.external(root, name).unwrap_or_default(),
                };
                (self.follow_all(meaning, rest), None)
            }
            name => {
                let place = if is_use && is_old { root } else { place };
                let (meaning, is_imported) = self.named(place, name);
                let through = is_imported.then(|| meaning.clone());
                (self.follow_all(meaning, &rest), through)
            }
        }
    }

    fn root_of(&self, place: Id) -> Id {
        self.modules.at(place, |module| module.root).unwrap_or(place)
    }

    fn edition(&self, root: Id) -> u16 {
        self.modules.of_root(root, |own| own.package.as_ref().map_or(2021, |p| p.edition)).unwrap_or(2021)
    }

    /// The root that `crate` stands for: of a file that no crate has, that of
    /// the library beside it.
    fn main_of(&self, root: Id) -> Id {
        let file = self.modules.file(root);
        let package = self.modules.of_root(root, |own| own.package.clone()).flatten();
        match package {
            Some(package) if !package.roots.iter().any(|known| **known == *file) => {
                let main = package.library.as_ref().map(|(_, root)| root).or(package.roots.first());
                main.map_or(root, |main| self.modules.root(main, Some(&package)))
            }
            _ => root,
        }
    }

    /// Follows a path as far as it names modules.
    fn follow(&self, start: Vec<Id>, parts: &[&str]) -> Meaning {
        let mut here = start;
        for part in parts {
            let next: Vec<Id> = match *part {
                "super" => here.iter().filter_map(|id| self.modules.parent(*id)).collect(),
                "self" => continue,
                part => here.iter().flat_map(|id| self.modules.children(*id, part)).collect(),
            };
            if next.is_empty() {
                return Meaning { modules: here, ..Meaning::default() };
            }
            here = next;
        }
        Meaning::modules(here)
    }

    fn follow_all(&self, meaning: Meaning, parts: &[&str]) -> Meaning {
        // What is in a module and is none leads to no other.
        if parts.is_empty() || !meaning.is_whole || meaning.modules.is_empty() {
            return meaning;
        }
        let Meaning { modules, packages, is_builtin, .. } = meaning;
        let mut found = self.follow(modules, parts);
        found.packages = packages;
        found.is_builtin = is_builtin;
        found
    }

    /// What a name stands for at a place, and whether a `use` says so.
    fn named(&self, place: Id, name: &str) -> (Meaning, bool) {
        let mut at = place;
        loop {
            let children = self.modules.children(at, name);
            if !children.is_empty() {
                return (Meaning::modules(children), false);
            }
            let (mut used, is_said) = self.used(at, name);
            if !used.is_nothing() {
                // A function does not hide the crate that has its name.
                if !used.is_whole
                    && let Some(other) = self.external(self.root_of(place), name)
                {
                    used.add(other);
                    used.is_whole = false;
                    return (used, false);
                }
                return (used, is_said);
            }
            match self.modules.at(at, |module| module.is_block.then_some(module.parent)).flatten() {
                Some(around) => at = around,
                None => break,
            }
        }
        (self.external(self.root_of(place), name).unwrap_or_default(), false)
    }

    /// What a module imports by this name, and whether by just this name.
    fn used(&self, at: Id, name: &str) -> (Meaning, bool) {
        let mut found = Meaning::default();
        if let Some(known) = self.imported.borrow().get(&at).and_then(|names| names.get(name)) {
            return known.clone();
        }
        let is_pending = self.pending.borrow().iter().any(|(id, known)| *id == at && known == name);
        if is_pending || self.pending.borrow().len() > ALIASES || self.steps.get() == 0 {
            self.cuts.set(self.cuts.get().wrapping_add(1));
            return (found, false);
        }
        let cuts = self.cuts.get();
        self.steps.set(self.steps.get() - 1);
        self.pending.borrow_mut().push((at, name.to_owned()));
        for path in self.modules.uses(at, name) {
            found.add(self.path(at, &path, true).0);
        }
        let is_said = !found.is_nothing();
        if !is_said {
            let mut nearest = usize::MAX;
            for (distance, module) in self.reach(at).iter() {
                if *distance > nearest {
                    break;
                }
                let children = self.modules.children(*module, name);
                let mut there = Meaning::default();
                if children.is_empty() {
                    for path in self.modules.uses(*module, name) {
                        there.add(self.path(*module, &path, true).0);
                    }
                } else {
                    there = Meaning::modules(children);
                }
                if !there.is_nothing() {
                    nearest = *distance;
                    found.add(there);
                }
            }
        }
        let is_outermost = {
            let mut pending = self.pending.borrow_mut();
            pending.pop();
            pending.is_empty()
        };
        // What was cut short for an outer search is not all of it.
        if is_outermost || cuts == self.cuts.get() {
            let mut imported = self.imported.borrow_mut();
            imported.entry(at).or_default().insert(name.to_owned(), (found.clone(), is_said));
        }
        (found, is_said)
    }

    /// The modules whose names a module imports as they are, and over how many
    /// globs; the nearest first.
    fn reach(&self, from: Id) -> Reach {
        if let Some(known) = self.reached.borrow().get(&from) {
            return known.clone();
        }
        let cuts = self.cuts.get();
        let mut found: Vec<(usize, Id)> = vec![(0, from)];
        let mut seen = HashSet::from([from]);
        let mut next = 0;
        while let Some((distance, at)) = found.get(next).copied() {
            next += 1;
            for glob in self.modules.globs(at) {
                let meaning = self.path(at, &glob, true).0;
                for module in meaning.modules.iter().filter(|_| meaning.is_whole) {
                    if seen.insert(*module) {
                        found.push((distance + 1, *module));
                    }
                }
            }
        }
        found.remove(0);
        let found: Reach = found.into();
        if cuts == self.cuts.get() || self.pending.borrow().len() <= 1 {
            self.reached.borrow_mut().insert(from, found.clone());
        }
        found
    }

    /// A crate that is known by this name in another.
    fn external(&self, root: Id, name: &str) -> Option<Meaning> {
        let renamed = self.modules.of_root(root, |own| own.externs.get(name).cloned()).flatten();
        match renamed.as_deref() {
            Some("self") => Some(Meaning::modules(vec![root])),
            Some(renamed) => self.dependency(root, renamed),
            None => self.dependency(root, name),
        }
    }

    fn dependency(&self, root: Id, name: &str) -> Option<Meaning> {
        let builtin = BUILTIN.contains(&name).then(|| Meaning { is_builtin: true, ..Meaning::default() });
        let Some(package) = self.modules.of_root(root, |own| own.package.clone()).flatten() else {
            return builtin;
        };
        if let Some(dependency) = package.dependencies.get(name) {
            let local = dependency.folder.as_ref().and_then(|folder| self.manifests.package(folder));
            return match local.as_ref().and_then(|local| Some((local, local.library.as_ref()?))) {
                Some((local, (_, root))) => {
                    Some(Meaning::modules(vec![self.modules.root(root, Some(local))]))
                }
                None if builtin.is_some() => builtin,
                None => Some(Meaning { packages: vec![dependency.name.clone()], ..Meaning::default() }),
            };
        }
        // Every other crate of a package uses its library by name.
        match &package.library {
            Some((library, file)) if library == name && **file != *self.modules.file(root) => {
                Some(Meaning::modules(vec![self.modules.root(file, Some(&package))]))
            }
            // A package may be called otherwise than its library.
            _ => self.by_library(&package, name).or(builtin),
        }
    }

    /// A dependency in this tree whose library has a name of its own.
    fn by_library(&self, package: &Package, name: &str) -> Option<Meaning> {
        for dependency in package.dependencies.values() {
            let Some(folder) = &dependency.folder else { continue };
            let Some(local) = self.manifests.package(folder) else { continue };
            if let Some((_, root)) = local.library.as_ref().filter(|(library, _)| library == name) {
                return Some(Meaning::modules(vec![self.modules.root(root, Some(&local))]));
            }
        }
        None
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
        let found: Vec<Id> =
            roots.iter().flat_map(|(root, p)| self.by_name(file, root, p.as_ref())).collect();
        if !found.is_empty() {
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
        if !self.is_all_read.replace(true) {
            for package in self.manifests.all() {
                for root in &package.roots {
                    self.modules.read_all(self.modules.root(root, Some(&package)));
                }
            }
        }
        let found = self.modules.known(file);
        if !found.is_empty() {
            return placed(found);
        }
        Places { modules: [self.modules.root(file, package.as_ref())].into(), is_orphan: true }
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

//! What names and paths stand for, looked up as rustc does.

use std::collections::HashSet;
use std::rc::Rc;

use super::manifest::Package;
use super::tree::Id;
use super::{Crates, Meaning, Reach};
use crate::boundary::HashMap;

/// What comes with the language.
const BUILTIN: [&str; 5] = ["std", "core", "alloc", "proc_macro", "test"];
/// How many steps the search for one name may take.
pub(super) const STEPS: u32 = 4096;
/// How many modules are looked into one by one for a name.
const FEW: usize = 16;
/// How many names may stand for each other.
const ALIASES: usize = 32;

impl Crates<'_> {
    /// What a path means, and what the `use` is that it begins with.
    pub(super) fn path(&self, place: Id, path: &str, is_use: bool) -> (Meaning, Option<Meaning>) {
        if let Some(name) = path.strip_prefix("extern ") {
            let root = self.root_of(place);
            let meaning = match name {
                "self" => Some(Meaning::modules(vec![root])),
                name => self.external(root, name),
            };
            return (meaning.unwrap_or_default(), None);
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
                    Some(&"super") => (self.follow(vec![own], &rest), None),
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
            found = self.by_glob(at, name);
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

    /// What a module gets by this name from globs: of the nearest modules that
    /// have it.
    fn by_glob(&self, at: Id, name: &str) -> Meaning {
        // `use super::*` in thousands of modules: what they get is the same.
        if let [only] = *self.glob_targets(at) {
            let children = self.modules.children(only, name);
            return match children.is_empty() {
                true if only == at => Meaning::default(),
                true => self.used(only, name).0,
                false => Meaning::modules(children),
            };
        }
        let reach = self.reach(at);
        let mut found = Meaning::default();
        // Names are few and modules can be many, or the other way round.
        let mut nearest = usize::MAX;
        let mut look = |distance: usize, module: Id| {
            let there = self.own_name(module, name);
            if !there.is_nothing() {
                if distance < nearest {
                    found = Meaning::default();
                }
                nearest = distance;
                found.add(there);
            }
            nearest
        };
        if reach.nearest_first.len() <= FEW {
            for (distance, module) in &reach.nearest_first {
                if look(*distance, *module) < *distance {
                    break;
                }
            }
            return found;
        }
        let named = self.modules.named(name);
        let mut known: Vec<(usize, Id)> =
            named.iter().filter_map(|module| Some((*reach.distance.get(module)?, *module))).collect();
        known.sort_unstable();
        for (distance, module) in known {
            if look(distance, module) < distance {
                break;
            }
        }
        found
    }

    /// What a name stands for in a module, without its globs.
    fn own_name(&self, module: Id, name: &str) -> Meaning {
        let children = self.modules.children(module, name);
        if !children.is_empty() {
            return Meaning::modules(children);
        }
        let mut found = Meaning::default();
        for path in self.modules.uses(module, name) {
            found.add(self.path(module, &path, true).0);
        }
        found
    }

    /// The modules whose names a module imports as they are, and over how many
    /// globs; the nearest first.
    fn reach(&self, from: Id) -> Rc<Reach> {
        if let Some(known) = self.reached.borrow().get(&from) {
            return known.clone();
        }
        let cuts = self.cuts.get();
        let mut found: Vec<(usize, Id)> = vec![(0, from)];
        let mut seen = HashSet::from([from]);
        let mut next = 0;
        while let Some((distance, at)) = found.get(next).copied() {
            next += 1;
            for module in self.glob_targets(at).iter() {
                if seen.insert(*module) {
                    found.push((distance + 1, *module));
                }
            }
        }
        found.remove(0);
        let distance = match found.len() {
            0..=FEW => HashMap::default(),
            _ => found.iter().map(|(distance, module)| (*module, *distance)).collect(),
        };
        let found = Rc::new(Reach { nearest_first: found, distance });
        if cuts == self.cuts.get() || self.pending.borrow().len() <= 1 {
            self.reached.borrow_mut().insert(from, found.clone());
        }
        found
    }

    /// The modules that the globs of a module name.
    fn glob_targets(&self, at: Id) -> Rc<[Id]> {
        if let Some(known) = self.globs.borrow().get(&at) {
            return known.clone();
        }
        let cuts = self.cuts.get();
        let mut found = Vec::new();
        for glob in self.modules.globs(at) {
            let meaning = self.path(at, &glob, true).0;
            if meaning.is_whole {
                found.extend(meaning.modules);
            }
        }
        let found: Rc<[Id]> = found.into();
        if cuts == self.cuts.get() || self.pending.borrow().len() <= 1 {
            self.globs.borrow_mut().insert(at, found.clone());
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

    pub(super) fn dependency(&self, root: Id, name: &str) -> Option<Meaning> {
        let builtin = BUILTIN.contains(&name).then(|| Meaning { is_builtin: true, ..Meaning::default() });
        let Some(package) = self.modules.of_root(root, |own| own.package.clone()).flatten() else {
            return builtin;
        };
        if let Some(dependencies) = package.dependencies.get(name) {
            let mut found = Meaning::default();
            for dependency in dependencies {
                let local = dependency.folder.as_ref().and_then(|folder| self.manifests.package(folder));
                found.add(match local.as_ref().and_then(|local| Some((local, local.library.as_ref()?))) {
                    Some((local, (_, root))) => Meaning::modules(vec![self.modules.root(root, Some(local))]),
                    None if builtin.is_some() => builtin.clone().unwrap_or_default(),
                    None => Meaning { packages: vec![dependency.name.clone()], ..Meaning::default() },
                });
            }
            found.is_whole = !found.modules.is_empty();
            return Some(found);
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
        for dependency in package.dependencies.values().flatten() {
            let Some(folder) = &dependency.folder else { continue };
            let Some(local) = self.manifests.package(folder) else { continue };
            if let Some((_, root)) = local.library.as_ref().filter(|(library, _)| library == name) {
                return Some(Meaning::modules(vec![self.modules.root(root, Some(&local))]));
            }
        }
        None
    }
}

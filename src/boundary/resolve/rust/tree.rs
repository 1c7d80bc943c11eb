//! Modules of crates, each read when somebody looks into it.
//!
//! Where the file of a module lies is as rustc has it: below the folder of
//! the file that it is declared in, if that is a root, a `mod.rs` or named by
//! `#[path]`; else below a folder with the name of that file. Modules in
//! braces add their names, `#[path]` is relative to the folder reached so far.

use crate::boundary::HashMap;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::super::super::files::{Files, folder_of, join};
use super::manifest::Package;
use crate::syntax::Import;

/// Number of a module.
pub(super) type Id = usize;

/// A module, or a block with imports of its own.
#[derive(Debug)]
pub(super) struct Module {
    /// The root of its crate.
    pub(super) root: Id,
    /// What it stands in; itself of a root.
    pub(super) parent: Id,
    pub(super) file: Rc<str>,
    pub(super) is_block: bool,
    /// The folder that `#[path]` is relative to.
    folder: String,
    /// What the folder of its modules is called in that folder.
    below: Option<String>,
    is_read: bool,
    children: HashMap<String, Vec<Id>>,
    /// What names stand for here.
    uses: HashMap<String, Vec<Rc<str>>>,
    globs: Vec<Rc<str>>,
    /// How many files are around it.
    depth: usize,
}

/// A crate, by its root.
#[derive(Clone, Debug)]
pub(super) struct Crate {
    pub(super) package: Option<Rc<Package>>,
    /// Packages by what `extern crate` calls them.
    pub(super) externs: HashMap<String, String>,
}

/// The modules of all crates that were looked into.
pub(super) struct Modules<'f> {
    files: &'f Files<'f>,
    all: RefCell<Vec<Module>>,
    crates: RefCell<HashMap<Id, Crate>>,
    roots: RefCell<HashMap<String, Id>>,
    by_file: RefCell<HashMap<Rc<str>, Vec<Id>>>,
    /// Modules in the order in which they were read.
    order: RefCell<Vec<Id>>,
    /// Which modules have a name, of the first so many in that order.
    by_name: RefCell<(usize, HashMap<String, Vec<Id>>)>,
    /// Whether there were more modules than any project has.
    pub(super) is_full: Cell<bool>,
}

/// How deep files may be modules of each other.
const DEPTH: usize = 64;
/// How many modules a tree may have for each file.
const SHARE: usize = 64;

impl<'f> Modules<'f> {
    pub(super) fn new(files: &'f Files<'f>) -> Self {
        Self {
            files,
            all: RefCell::default(),
            crates: RefCell::default(),
            roots: RefCell::default(),
            by_file: RefCell::default(),
            order: RefCell::default(),
            by_name: RefCell::default(),
            is_full: Cell::new(false),
        }
    }

    /// The root of a crate.
    pub(super) fn root(&self, file: &str, package: Option<&Rc<Package>>) -> Id {
        if let Some(known) = self.roots.borrow().get(file) {
            return *known;
        }
        let id = self.all.borrow().len();
        self.crates.borrow_mut().insert(id, Crate { package: package.cloned(), externs: HashMap::default() });
        self.roots.borrow_mut().insert(file.to_owned(), id);
        self.add(id, id, file.into(), folder_of(file).to_owned(), None, false, 0)
    }

    #[allow(clippy::too_many_arguments)]
    fn add(
        &self,
        root: Id,
        parent: Id,
        file: Rc<str>,
        folder: String,
        below: Option<String>,
        is_within: bool,
        depth: usize,
    ) -> Id {
        let mut all = self.all.borrow_mut();
        let id = all.len();
        if !is_within {
            self.by_file.borrow_mut().entry(file.clone()).or_default().push(id);
        }
        all.push(Module {
            root,
            parent,
            file,
            is_block: false,
            folder,
            below,
            is_read: is_within,
            children: HashMap::default(),
            uses: HashMap::default(),
            globs: Vec::new(),
            depth,
        });
        id
    }

    /// Looks at a module, after it was read.
    pub(super) fn at<R>(&self, id: Id, look: impl FnOnce(&Module) -> R) -> Option<R> {
        self.read(id);
        self.all.borrow().get(id).map(look)
    }

    pub(super) fn file(&self, id: Id) -> Rc<str> {
        self.all.borrow().get(id).map_or_else(|| "".into(), |module| module.file.clone())
    }

    pub(super) fn of_root<R>(&self, root: Id, look: impl FnOnce(&Crate) -> R) -> Option<R> {
        self.read(root);
        self.crates.borrow().get(&root).map(look)
    }

    /// The modules of this name directly in a module.
    pub(super) fn children(&self, id: Id, name: &str) -> Vec<Id> {
        self.at(id, |module| module.children.get(name).cloned().unwrap_or_default()).unwrap_or_default()
    }

    pub(super) fn uses(&self, id: Id, name: &str) -> Vec<Rc<str>> {
        self.at(id, |module| module.uses.get(name).cloned().unwrap_or_default()).unwrap_or_default()
    }

    pub(super) fn globs(&self, id: Id) -> Vec<Rc<str>> {
        self.at(id, |module| module.globs.clone()).unwrap_or_default()
    }

    /// The modules that were read and have this name in them.
    pub(super) fn named(&self, name: &str) -> Vec<Id> {
        let (order, all) = (self.order.borrow(), self.all.borrow());
        let (upto, by_name) = &mut *self.by_name.borrow_mut();
        for id in order.get(*upto..).unwrap_or_default() {
            let Some(module) = all.get(*id) else { continue };
            for own in module.children.keys().chain(module.uses.keys()) {
                let known = by_name.entry(own.clone()).or_default();
                if known.last() != Some(id) {
                    known.push(*id);
                }
            }
        }
        *upto = order.len();
        by_name.get(name).cloned().unwrap_or_default()
    }

    /// The module around, without the blocks.
    pub(super) fn own(&self, mut id: Id) -> Id {
        let all = self.all.borrow();
        while let Some(module) = all.get(id).filter(|module| module.is_block) {
            id = module.parent;
        }
        id
    }

    pub(super) fn parent(&self, id: Id) -> Option<Id> {
        let id = self.own(id);
        let parent = self.all.borrow().get(id)?.parent;
        (parent != id).then_some(parent)
    }

    /// Where a place within a file is.
    pub(super) fn within(&self, mut id: Id, within: &[String]) -> Id {
        self.read(id);
        for step in within {
            let name = step.split(" \"").next().unwrap_or(step);
            let next = self.all.borrow().get(id).and_then(|module| {
                let list = module.children.get(name)?;
                let own = |child: &&Id| self.all.borrow().get(**child).is_some_and(|c| c.file == module.file);
                list.iter().find(own).copied()
            });
            let Some(next) = next else { return id };
            id = next;
        }
        id
    }

    /// Modules whose code is in this file, of those known so far.
    pub(super) fn known(&self, file: &str) -> Vec<Id> {
        self.by_file.borrow().get(file).cloned().unwrap_or_default()
    }

    /// Reads everything below a module.
    pub(super) fn read_all(&self, root: Id) {
        let mut queue = vec![root];
        while let Some(id) = queue.pop() {
            let below =
                self.at(id, |module| module.children.values().flatten().copied().collect::<Vec<Id>>());
            queue.extend(below.unwrap_or_default());
        }
    }

    /// The file that a part is in, which `from` says the module has.
    pub(super) fn part(&self, place: Id, from: &str, import: &Import) -> Option<String> {
        let start = {
            let all = self.all.borrow();
            let module = all.get(place)?;
            match *module.file == *from {
                true => (module.folder.clone(), module.below.clone()),
                // Included code has its modules beside itself.
                false => (folder_of(from).to_owned(), None),
            }
        };
        let (folder, below) = import.within.iter().fold(start, |at, step| inner(at, step));
        part(self.files, &folder, below.as_deref(), &import.specifier)
    }

    fn read(&self, id: Id) {
        let (file, folder, below) = {
            let mut all = self.all.borrow_mut();
            let Some(module) = all.get_mut(id).filter(|module| !module.is_read) else { return };
            module.is_read = true;
            (module.file.clone(), module.folder.clone(), module.below.clone())
        };
        self.order.borrow_mut().push(id);
        let mut queue = vec![(id, file, folder, below)];
        let mut seen = Vec::new();
        while let Some((id, file, folder, below)) = queue.pop() {
            if seen.contains(&file) || seen.len() > DEPTH {
                continue;
            }
            seen.push(file.clone());
            for import in self.files.imports(&file).iter() {
                let place = self.enter(id, (&folder, below.as_deref()), &import.within);
                let code = match import.takes_in() {
                    true => self.add_part(place, (&folder, below.as_deref()), &file, import),
                    false => {
                        self.add_use(place, import);
                        None
                    }
                };
                if let Some(code) = code {
                    self.by_file.borrow_mut().entry(code.clone()).or_default().push(place);
                    queue.push((place, code.clone(), folder_of(&code).to_owned(), None));
                }
            }
        }
    }

    /// The module at a place within a file, made if it is new.
    fn enter(&self, mut id: Id, start: (&str, Option<&str>), within: &[String]) -> Id {
        let mut at = (start.0.to_owned(), start.1.map(str::to_owned));
        for step in within {
            let name = step.split(" \"").next().unwrap_or(step);
            let is_block = name.starts_with('{');
            at = inner(at, step);
            let (known, root, file, depth) = {
                let all = self.all.borrow();
                let Some(module) = all.get(id) else { return id };
                let same = |child: &&Id| all.get(**child).is_some_and(|child| child.file == module.file);
                let known = module.children.get(name).and_then(|list| list.iter().find(same).copied());
                (known, module.root, module.file.clone(), module.depth)
            };
            id = known.unwrap_or_else(|| {
                let next = self.add(root, id, file, at.0.clone(), at.1.clone(), true, depth);
                self.order.borrow_mut().push(next);
                let mut all = self.all.borrow_mut();
                if let Some(module) = all.get_mut(next) {
                    module.is_block = is_block;
                }
                if let Some(module) = all.get_mut(id) {
                    module.children.entry(name.to_owned()).or_default().push(next);
                }
                next
            });
        }
        id
    }

    /// Adds a module in another file; gives the file whose code stands here.
    fn add_part(
        &self,
        place: Id,
        start: (&str, Option<&str>),
        file: &str,
        import: &Import,
    ) -> Option<Rc<str>> {
        let named = import.names.iter().find_map(|name| name.strip_prefix("as "));
        let quoted = import.specifier.strip_prefix('"');
        if quoted.is_some() && named.is_none() {
            let is_code = import.names.iter().any(|name| name == "*");
            let path = join(folder_of(file), quoted?.trim_end_matches('"'))?;
            return (is_code && self.files.has(&path)).then(|| path.into());
        }
        let name = named.unwrap_or(&import.specifier);
        let is_outermost = import.within.is_empty();
        let (root, folder, below, depth) = {
            let all = self.all.borrow();
            let module = all.get(place)?;
            let (folder, below) = match is_outermost {
                true => (start.0.to_owned(), start.1.map(str::to_owned)),
                false => (module.folder.clone(), module.below.clone()),
            };
            (module.root, folder, below, module.depth)
        };
        let child = part(self.files, &folder, below.as_deref(), &import.specifier)?;
        if self.all.borrow().len() > (self.files.paths().len() + 16) * SHARE {
            self.is_full.set(true);
            return None;
        }
        // What a file is part of cannot be a part of it.
        if depth >= DEPTH || self.is_around(place, &child) {
            return None;
        }
        let stem = child.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        let below = (quoted.is_none() && stem != "mod").then(|| name.to_owned());
        let parent = self.own(place);
        let next = self.add(
            root,
            parent,
            child.as_str().into(),
            folder_of(&child).to_owned(),
            below,
            false,
            depth + 1,
        );
        if let Some(module) = self.all.borrow_mut().get_mut(parent) {
            module.children.entry(name.to_owned()).or_default().push(next);
        }
        None
    }

    fn is_around(&self, mut id: Id, file: &str) -> bool {
        let all = self.all.borrow();
        while let Some(module) = all.get(id) {
            if *module.file == *file {
                return true;
            }
            if module.parent == id {
                return false;
            }
            id = module.parent;
        }
        false
    }

    fn add_use(&self, place: Id, import: &Import) {
        let called = import.names.first().map(String::as_str);
        let mut all = self.all.borrow_mut();
        let Some(module) = all.get_mut(place) else { return };
        let path = || Rc::from(import.specifier.as_str());
        if let Some(alias) = called.and_then(|name| name.strip_prefix("crate as ")) {
            let name = import.specifier.trim_start_matches(':').to_owned();
            // In the root it counts for the whole crate.
            if module.root == place {
                if let Some(own) = self.crates.borrow_mut().get_mut(&place) {
                    own.externs.insert(alias.to_owned(), name);
                }
            } else {
                let path = Rc::from(format!("extern {name}"));
                module.uses.entry(alias.to_owned()).or_default().push(path);
            }
        } else if called == Some("*") {
            module.globs.push(path());
        } else {
            let name = match called.and_then(|name| name.strip_prefix("as ")) {
                Some(alias) => alias,
                // A path in code is no import of a name.
                None => match called {
                    Some(name) => name,
                    None => return,
                },
            };
            module.uses.entry(name.to_owned()).or_default().push(path());
        }
    }
}

/// Where the modules of a module in braces are, by where those around it are.
fn inner((folder, below): (String, Option<String>), step: &str) -> (String, Option<String>) {
    match step.split_once(" \"") {
        _ if step.starts_with('{') => (folder, below),
        Some((_, path)) => (join(&folder, path.trim_end_matches('"')).unwrap_or_default(), None),
        None => {
            let own = below.unwrap_or_default();
            (join(&folder, &format!("{own}/{step}")).unwrap_or_default(), None)
        }
    }
}

/// The file of a module that is declared in this folder.
pub(super) fn part(files: &Files<'_>, folder: &str, below: Option<&str>, specifier: &str) -> Option<String> {
    if let Some(quoted) = specifier.strip_prefix('"') {
        return join(folder, quoted.trim_end_matches('"')).filter(|path| files.has(path));
    }
    let own = below.unwrap_or_default();
    let stem = join(folder, &format!("{own}/{specifier}"))?;
    [format!("{stem}.rs"), format!("{stem}/mod.rs")].into_iter().find(|path| files.has(path))
}

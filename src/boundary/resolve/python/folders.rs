//! The modules that lie in each folder, listed as they are asked for.

use crate::boundary::HashMap;
use std::cell::RefCell;
use std::rc::Rc;

use super::super::super::files::Files;

/// What one name stands for in a folder.
#[derive(Clone, Copy, Debug, Default)]
struct Module<'f> {
    source: Option<&'f str>,
    stub: Option<&'f str>,
    /// What an extension module is built from, or the module itself; the
    /// lower the better.
    extension: Option<(u8, &'f str)>,
    is_folder: bool,
}

type Listing<'f> = HashMap<&'f str, Module<'f>>;

/// A module that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place<'f> {
    /// A file.
    File(&'f str),
    /// A folder with `__init__`, which is told too.
    Package {
        /// The folder.
        folder: String,
        /// Its `__init__`.
        init: &'f str,
    },
    /// Folders without; there is no file for it.
    Namespace(Vec<String>),
}

/// Who asks: a source gets sources, a stub gets stubs, where there are both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct IsStub(pub(super) bool);

/// The folders of a tree.
pub(super) struct Folders<'f> {
    files: &'f Files<'f>,
    known: RefCell<HashMap<String, Rc<Listing<'f>>>>,
}

impl<'f> Folders<'f> {
    pub(super) fn new(files: &'f Files<'f>) -> Self {
        Self { files, known: RefCell::default() }
    }

    /// What `name` is in the first of these folders that have it, as Python
    /// looks for it: packages before modules before namespaces.
    pub(super) fn find(&self, folders: &[String], name: &str, who: IsStub) -> Option<Place<'f>> {
        let mut portions = Vec::new();
        for folder in folders {
            let Some(module) = self.listing(folder).get(name).copied() else { continue };
            let below = || inside(folder, name);
            if module.is_folder {
                let below = below();
                if let Some(init) = self.init(&below, who) {
                    return Some(Place::Package { folder: below, init });
                }
            }
            if let Some(file) = module.file(who) {
                return Some(Place::File(file));
            }
            if module.is_folder {
                portions.push(below());
            }
        }
        (!portions.is_empty()).then_some(Place::Namespace(portions))
    }

    /// The `__init__` of a folder.
    pub(super) fn init(&self, folder: &str, who: IsStub) -> Option<&'f str> {
        self.listing(folder).get("__init__")?.file(who)
    }

    /// A folder as a module.
    pub(super) fn place(&self, folder: &str, who: IsStub) -> Place<'f> {
        match self.init(folder, who) {
            Some(init) => Place::Package { folder: folder.to_owned(), init },
            None => Place::Namespace(vec![folder.to_owned()]),
        }
    }

    /// Whether modules lie in a folder itself.
    pub(super) fn hold_modules(&self, folder: &str) -> bool {
        self.listing(folder).values().any(|module| module.source.is_some())
    }

    /// Whether there is a source anywhere below a folder.
    pub(super) fn hold_sources(&self, folder: &str) -> bool {
        self.files.below(folder).any(|path| path.ends_with(".py") || path.ends_with(".pyi"))
    }

    fn listing(&self, folder: &str) -> Rc<Listing<'f>> {
        if let Some(known) = self.known.borrow().get(folder) {
            return known.clone();
        }
        let listing = Rc::new(self.list(folder));
        self.known.borrow_mut().insert(folder.to_owned(), listing.clone());
        listing
    }

    fn list(&self, folder: &str) -> Listing<'f> {
        let mut listing = Listing::default();
        let paths = self.files.paths();
        let start = inside(folder, "");
        let mut at = paths.partition_point(|path| &**path < start.as_str());
        while let Some(rest) = paths.get(at).and_then(|path| path.strip_prefix(&start)) {
            if let Some((name, _)) = rest.split_once('/') {
                listing.entry(name).or_default().is_folder = true;
                // The next byte after `/`: past all that lies below.
                let past = format!("{start}{name}0");
                let after = paths.get(at..).unwrap_or_default();
                at += after.partition_point(|path| &**path < past.as_str()).max(1);
                continue;
            }
            let path = paths.get(at).map_or("", |path| &**path);
            at += 1;
            let Some((name, end)) = rest.split_once('.') else { continue };
            let rank = match end {
                "py" => {
                    listing.entry(name).or_default().source = Some(path);
                    continue;
                }
                "pyi" => {
                    listing.entry(name).or_default().stub = Some(path);
                    continue;
                }
                "pyx" => 0,
                "pyx.in" | "pyx.tp" => 1,
                "c" | "cc" | "cpp" | "cxx" | "rs" => 3,
                _ if end.ends_with("so") || end.ends_with("pyd") => 2,
                _ => continue,
            };
            // What C code of a module is often called.
            let name = if rank == 3 { name.strip_suffix("module").unwrap_or(name) } else { name };
            let module = listing.entry(name).or_default();
            if module.extension.is_none_or(|(known, _)| rank < known) {
                module.extension = Some((rank, path));
            }
        }
        listing
    }
}

impl<'f> Module<'f> {
    fn file(&self, who: IsStub) -> Option<&'f str> {
        let extension = self.extension.map(|(_, path)| path);
        let cython = self.extension.filter(|(rank, _)| *rank == 0).map(|(_, path)| path);
        if who.0 {
            return self.stub.or(self.source).or(extension);
        }
        self.source.or(cython).or(self.stub).or(extension)
    }
}

/// A path in a folder.
pub(super) fn inside(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

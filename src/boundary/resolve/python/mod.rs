//! Python: absolute modules from their roots, relative ones from the package
//! that they stand in.
//!
//! A root is a folder that module names begin at. Python is told its roots
//! from outside, so they are taken from what projects say, then from how
//! files lie. Within the roots modules are found as Python finds them.

mod builtin;
mod calls;
mod folders;
mod found;
mod settings;
#[cfg(test)]
mod tests;

use crate::boundary::HashMap;
use std::cell::{OnceCell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;

use self::folders::{Folders, IsStub, Place, inside};
use self::found::Found;
use self::settings::Settings;
use super::super::files::{Files, folder_of};
use super::super::{Note, Target};
use super::ignored::Ignored;
use crate::syntax::{HERE, Import, PREFIX};

pub(super) struct Roots<'f> {
    files: &'f Files<'f>,
    folders: Folders<'f>,
    given: Vec<String>,
    settings: OnceCell<Settings>,
    /// The outermost packages of the tree, with the folders that they lie in.
    packages: OnceCell<HashMap<&'f str, Vec<&'f str>>>,
    protocols: OnceCell<HashMap<&'f str, &'f str>>,
    ignored: Ignored<'f>,
    scopes: RefCell<HashMap<(String, IsStub), Rc<Scope>>>,
}

/// Where files of one folder look for absolute modules.
struct Scope {
    who: IsStub,
    folder: String,
    /// Roots that come before the standard library.
    own: Vec<String>,
    /// Roots that may be some.
    likely: Vec<String>,
    found: RefCell<HashMap<String, Found>>,
}

/// Folders whose packages are material, seen only by what lies with them.
const APART: [&str; 14] = [
    "tests",
    "test",
    "testing",
    "testdata",
    "test_data",
    "fixtures",
    "examples",
    "example",
    "docs",
    "doc",
    "samples",
    "vendor",
    "third_party",
    "templates",
];

impl<'f> Roots<'f> {
    pub(super) fn new(files: &'f Files<'f>, given: &[String]) -> Self {
        Self {
            files,
            folders: Folders::new(files),
            given: given.to_vec(),
            settings: OnceCell::new(),
            packages: OnceCell::new(),
            protocols: OnceCell::new(),
            ignored: Ignored::new(files),
            scopes: RefCell::default(),
        }
    }

    /// What was noticed about the tree.
    pub(super) fn notes(&self) -> Vec<Note> {
        self.settings.get().map(|settings| settings.notes.clone()).unwrap_or_default()
    }

    pub(super) fn resolve(&self, from: &str, import: &Import) -> Vec<Target> {
        let is = |mark: &str| import.within.iter().any(|known| known == mark);
        let mut targets = match () {
            () if import.specifier.contains('/') => self.run(from, &import.specifier),
            () if is(PREFIX) => self.longest(from, import),
            () => self.module(from, import),
        };
        if is(HERE) {
            targets.retain(|target| matches!(target, Target::File(_)));
        }
        targets
    }

    /// What the name of a module leads to.
    fn module(&self, from: &str, import: &Import) -> Vec<Target> {
        let name = import.specifier.trim_start_matches('.');
        let level = import.specifier.len() - name.len();
        let who = IsStub(from.ends_with(".pyi"));
        if level == 0 {
            let Some(top) = name.split('.').next().filter(|top| !top.is_empty()) else { return Vec::new() };
            if builtin::is_loaded_first(top) {
                return vec![Target::Builtin];
            }
            let scope = self.scope(folder_of(from), who);
            let known = scope.found.borrow().get(name).cloned();
            let found = known.unwrap_or_else(|| {
                let found = self.absolute(&scope, name);
                scope.found.borrow_mut().insert(name.to_owned(), found.clone());
                found
            });
            let mut targets = self.targets(found, top, import, who);
            // Whether what a project says is so where it runs nobody knows.
            if self.renamed(name, who).is_some() {
                let plain = self.targets(self.lying(&scope, name), top, import, who);
                targets.extend(plain.into_iter().filter(|target| matches!(target, Target::File(_))));
            }
            return targets;
        }
        let mut folder = folder_of(from);
        for _ in 1..level {
            if folder.is_empty() {
                return missing(import);
            }
            folder = folder_of(folder);
        }
        let start = Found::from(self.folders.place(folder, who));
        let found = if name.is_empty() { start } else { self.below(start, name, who) };
        self.targets(found, "", import, who)
    }

    /// Goes down from a package, a part of the name at a time.
    fn below(&self, start: Found, path: &str, who: IsStub) -> Found {
        let mut here = start;
        for part in path.split('.') {
            let folders = match here {
                Found::Package(folder, _) => vec![folder],
                Found::Namespace(folders) | Found::Guess(folders) => folders,
                Found::Module(file) => return Found::Missing(file),
                other => return other,
            };
            match self.folders.find(&folders, part, who) {
                Some(place) => here = place.into(),
                None => return Found::Missing(folders.into_iter().next().unwrap_or_default()),
            }
        }
        here
    }

    /// A module by its full name.
    fn absolute(&self, scope: &Scope, name: &str) -> Found {
        self.renamed(name, scope.who).unwrap_or_else(|| self.lying(scope, name))
    }

    /// A module as files lie.
    fn lying(&self, scope: &Scope, name: &str) -> Found {
        let settings = self.settings();
        let (top, rest) = name.split_once('.').map_or((name, None), |(top, rest)| (top, Some(rest)));
        let down = |start: Found| match rest {
            Some(rest) => self.below(start, rest, scope.who),
            None => start,
        };
        let is_builtin = builtin::has(top);
        let mut failed = None;
        let (mut portions, mut is_guess) = (Vec::new(), true);
        for (root, is_own) in scope.roots(self.with_package(top, scope)) {
            if is_builtin && !is_own {
                continue;
            }
            if self.files.goes_astray(&inside(&root, top)) {
                return Found::Missing(root);
            }
            let is_here = scope.own.first().is_some_and(|own| *own == root);
            match self.top(&root, top, scope.who, is_here) {
                None => {}
                Some(Place::Namespace(folders)) => {
                    portions.extend(folders);
                    is_guess &= !is_own;
                }
                Some(place) => match down(place.into()) {
                    // Elsewhere there may be one that has it.
                    Found::Missing(folder) => {
                        failed.get_or_insert((folder, is_own));
                    }
                    found => return found,
                },
            }
        }
        if is_builtin {
            return Found::Builtin;
        }
        let from_elsewhere = || if builtin::had(top) { Found::Builtin } else { Found::Elsewhere };
        if let Some((folder, is_own)) = failed {
            let is_foreign = !is_own && settings.dependencies.contains(&top.to_lowercase());
            return if is_foreign { from_elsewhere() } else { Found::Missing(folder) };
        }
        if portions.is_empty() {
            return from_elsewhere();
        }
        match down(Found::Namespace(portions)) {
            Found::Namespace(folders) if !folders.iter().any(|folder| self.folders.hold_sources(folder)) => {
                from_elsewhere()
            }
            // A namespace may go on in another distribution, unless it is
            // where our modules lie.
            Found::Missing(folder) if is_guess || !self.folders.hold_modules(&folder) => from_elsewhere(),
            // Examples of `django` in a folder of that name are not what they
            // import, which is installed and has a file.
            Found::Namespace(folders) if is_guess => Found::Guess(folders),
            found => found,
        }
    }

    /// A top-level module in a root.
    fn top(&self, root: &str, top: &str, who: IsStub, is_here: bool) -> Option<Place<'f>> {
        let root = [root.to_owned()];
        if who.0
            && let Some(stubs @ Place::Package { .. }) =
                self.folders.find(&root, &format!("{top}-stubs"), who)
        {
            return Some(stubs);
        }
        let place = self.folders.find(&root, top, who)?;
        let file = match &place {
            Place::File(file) => file,
            Place::Package { init, .. } => init,
            Place::Namespace(_) => return Some(place),
        };
        // Stubs of something from elsewhere are no module of ours, and what
        // lies at the top under the name of a C file is none either.
        let is_module =
            file.ends_with(".py") || file.ends_with(".pyx") || who.0 || is_here && file.ends_with(".pyi");
        is_module.then_some(place)
    }

    /// A module in a folder that bears another name.
    fn renamed(&self, name: &str, who: IsStub) -> Option<Found> {
        let renamed = &self.settings().renamed;
        if renamed.is_empty() {
            return None;
        }
        let mut end = name.len();
        loop {
            let (start, rest) = name.split_at_checked(end)?;
            if let Some(folder) = renamed.get(start) {
                let place = match self.folders.place(folder, who) {
                    Place::Namespace(_) if !self.folders.hold_sources(folder) => {
                        self.folders.find(&[folder_of(folder).to_owned()], folder.rsplit('/').next()?, who)?
                    }
                    place => place,
                };
                let found = match rest.strip_prefix('.') {
                    Some(rest) => self.below(place.into(), rest, who),
                    None => place.into(),
                };
                return (!matches!(found, Found::Missing(_))).then_some(found);
            }
            end = start.rfind('.')?;
        }
    }

    /// The files behind what was found, and behind those names of it that are
    /// modules themselves.
    fn targets(&self, found: Found, top: &str, import: &Import, who: IsStub) -> Vec<Target> {
        let folders = match found {
            Found::Builtin => return vec![Target::Builtin],
            Found::Elsewhere => return vec![Target::Package(top.to_owned())],
            Found::Module(file) => return vec![Target::File(file)],
            Found::Missing(folder) => {
                let last = import.specifier.rsplit('.').next().unwrap_or_default();
                return self.absent(&folder, last, import, top);
            }
            Found::Package(ref folder, _) => std::slice::from_ref(folder),
            Found::Namespace(ref folders) | Found::Guess(ref folders) => folders,
        };
        let is_guess = matches!(found, Found::Guess(_));
        let init = match &found {
            Found::Package(_, init) => Some(init),
            _ => None,
        };
        let mut targets = Vec::new();
        let mut is_itself = import.names.is_empty();
        for name in &import.names {
            let place = if name == "*" { None } else { self.folders.find(folders, name, who) };
            match place {
                Some(Place::File(file)) => targets.push(Target::File(file.to_owned())),
                Some(Place::Package { init, .. }) => targets.push(Target::File(init.to_owned())),
                Some(Place::Namespace(_)) if init.is_none() => {}
                _ if init.is_some() || name == "*" => is_itself = true,
                _ if is_guess => targets.push(Target::Package(top.to_owned())),
                _ if top.is_empty() || folders.iter().any(|folder| self.folders.hold_modules(folder)) => {
                    let folder = folders.first().map_or("", String::as_str);
                    targets.extend(self.absent(folder, name, import, top));
                }
                _ => targets.push(Target::Package(top.to_owned())),
            }
        }
        if let Some(init) = init.filter(|_| is_itself) {
            targets.push(Target::File(init.clone()));
        }
        targets
    }

    /// What becomes of a module that a folder should have and has not.
    fn absent(&self, folder: &str, name: &str, import: &Import, top: &str) -> Vec<Target> {
        let path = inside(folder, name);
        // The file is ready for that.
        if !import.within.is_empty() {
            let mut parts = import.specifier.split('.').chain([name]).filter(|part| !part.is_empty());
            let is_astray = parts.any(|part| self.files.goes_astray(&inside(folder, part)));
            return if is_astray { vec![Target::Missing] } else { Vec::new() };
        }
        let settings = self.settings();
        for path in [format!("{path}.py"), format!("{path}/__init__.py")] {
            // What git leaves out is written by a tool, too; but where some
            // of a folder is here, the rest of it should be.
            let is_left_out = || self.ignored.has(&path) && !self.ignored.has(folder);
            if settings.generated.contains(&path) || is_left_out() {
                return vec![Target::File(path)];
            }
        }
        // The compiler of protocols names its modules after them.
        let protocol = name.strip_suffix("_pb2").or_else(|| name.strip_suffix("_pb2_grpc"));
        if let Some(file) = protocol.and_then(|stem| self.protocols().get(stem)) {
            return vec![Target::File((*file).to_owned())];
        }
        let is_built = |built: &String| {
            let path = format!("/{}", built.replace('.', "/"));
            format!("/{folder}/{name}").ends_with(&path) || built == name
        };
        if settings.built.iter().any(is_built) {
            return Vec::new();
        }
        if !top.is_empty() && self.is_shared(folder) {
            return vec![Target::Package(top.to_owned())];
        }
        missing(import)
    }

    /// Whether a package says that other distributions add to it.
    fn is_shared(&self, folder: &str) -> bool {
        self.folders.init(folder, IsStub(false)).is_some_and(|init| {
            self.files.imports(init).iter().any(|import| {
                import.specifier == "pkg_resources"
                    || import.specifier == "pkgutil" && import.names.iter().any(|name| name == "extend_path")
            })
        })
    }

    fn protocols(&self) -> &HashMap<&'f str, &'f str> {
        self.protocols.get_or_init(|| {
            let files: &'f Files<'f> = self.files;
            let stems = files.paths().iter().filter_map(|path| {
                let name = path.rsplit('/').next()?.strip_suffix(".proto")?;
                Some((name, &**path))
            });
            stems.collect()
        })
    }

    fn settings(&self) -> &Settings {
        self.settings.get_or_init(|| Settings::read(self.files, &self.given))
    }

    /// Folders elsewhere in the tree that have a package of this name.
    fn with_package(&self, top: &str, scope: &Scope) -> Vec<String> {
        let packages = self.packages.get_or_init(|| self.outermost());
        let roots = packages.get(top).map(Vec::as_slice).unwrap_or_default();
        let is_seen = |root: &&&str| {
            let apart = root.split('/').scan(0, |end, part| {
                *end += part.len() + 1;
                Some((part, *end - 1))
            });
            // Who lies in such a folder too sees it.
            apart
                .filter(|(part, _)| APART.contains(part))
                .all(|(_, end)| root.get(..end).is_some_and(|above| is_within(&scope.folder, above)))
        };
        roots.iter().filter(is_seen).map(|root| (*root).to_owned()).collect()
    }

    fn outermost(&self) -> HashMap<&'f str, Vec<&'f str>> {
        let files: &'f Files<'f> = self.files;
        let mut packages: HashMap<&str, Vec<&str>> = HashMap::default();
        let mut known: HashSet<&str> = HashSet::new();
        for path in files.paths() {
            if !path.ends_with("/__init__.py") && !path.ends_with("/__init__.pyi") {
                continue;
            }
            let folder = folder_of(path);
            let above = folder_of(folder);
            // Paths are sorted: what is above came first, unless its name
            // sorts before `__init__`.
            if !known.insert(folder) || self.is_package(above) {
                continue;
            }
            let name = folder.rsplit('/').next().unwrap_or(folder);
            packages.entry(name).or_default().push(above);
        }
        packages
    }

    fn is_package(&self, folder: &str) -> bool {
        self.files.has(&inside(folder, "__init__.py")) || self.files.has(&inside(folder, "__init__.pyi"))
    }

    /// Where files of a folder look.
    fn scope(&self, folder: &str, who: IsStub) -> Rc<Scope> {
        if let Some(known) = self.scopes.borrow().get(&(folder.to_owned(), who)) {
            return known.clone();
        }
        let scope = Rc::new(self.scope_of(folder, who));
        self.scopes.borrow_mut().insert((folder.to_owned(), who), scope.clone());
        scope
    }

    fn scope_of(&self, folder: &str, who: IsStub) -> Scope {
        let mut own = folder;
        while !own.is_empty() && self.is_package(own) {
            own = folder_of(own);
        }
        let declared = &self.settings().roots;
        // Without `__init__` it is a script, or part of a namespace.
        let is_name =
            |part: &str| !part.is_empty() && !part.contains(|c: char| !c.is_alphanumeric() && c != '_');
        let around = declared.iter().filter(|root| {
            let below = if root.is_empty() { None } else { own.strip_prefix(root.as_str()) };
            below.and_then(|below| below.strip_prefix('/')).is_some_and(|below| below.split('/').all(is_name))
                && !self.files.has(&inside(root, "pyproject.toml"))
                && !self.files.has(&inside(root, "setup.cfg"))
        });
        let first = around.max_by_key(|root| root.len()).map_or(own, String::as_str);
        let mut others: Vec<&String> = declared.iter().filter(|root| *root != first).collect();
        others.sort_by_key(|root| std::cmp::Reverse(shared(root, folder)));
        let roots: Vec<String> =
            std::iter::once(first.to_owned()).chain(others.into_iter().cloned()).collect();
        let mut likely = Vec::new();
        let mut above = own;
        loop {
            if !roots.iter().any(|root| root == above) {
                likely.push(above.to_owned());
            }
            if above.is_empty() {
                break;
            }
            above = folder_of(above);
        }
        Scope { who, folder: folder.to_owned(), own: roots, likely, found: RefCell::default() }
    }
}

impl Scope {
    /// Every root in turn, with whether it comes before the standard library.
    fn roots(&self, more: Vec<String>) -> impl Iterator<Item = (String, bool)> {
        let own = self.own.iter().map(|root| (root.clone(), true));
        let likely = self.likely.iter().cloned().chain(more).map(|root| (root, false));
        own.chain(likely)
    }
}

fn missing(import: &Import) -> Vec<Target> {
    if import.within.is_empty() { vec![Target::Missing] } else { Vec::new() }
}

/// Whether a folder is another or lies in it.
fn is_within(folder: &str, other: &str) -> bool {
    other.is_empty()
        || folder.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// How many parts two paths begin with alike.
fn shared(a: &str, b: &str) -> usize {
    a.split('/').zip(b.split('/')).take_while(|(a, b)| a == b).count()
}

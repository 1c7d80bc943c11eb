//! Packages as Cargo has them: which crates they are made of, and what other
//! packages are called in their code.
//!
//! The Cargo Book, "Cargo Targets", "Workspaces", "Specifying Dependencies",
//! "Overriding Dependencies". A manifest is read when a file near it is asked
//! for, and no other.

use crate::boundary::HashMap;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use toml::{Table, Value};

use super::super::super::Note;
use super::super::super::files::{Files, folder_of, join};

/// A package.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) folder: String,
    /// What the library is called in code, and its root.
    pub(super) library: Option<(String, String)>,
    /// The roots of all crates.
    pub(super) roots: Vec<String>,
    /// The year of the edition.
    pub(super) edition: u16,
    /// By what they are called in code; several where that depends on the
    /// platform or on what is built.
    pub(super) dependencies: HashMap<String, Vec<Dependency>>,
}

/// Another package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dependency {
    /// Its own name.
    pub(super) name: String,
    /// Its folder, of one in this tree.
    pub(super) folder: Option<String>,
}

/// The manifests of a tree.
pub(super) struct Manifests<'f> {
    files: &'f Files<'f>,
    tables: RefCell<HashMap<String, Option<Rc<Table>>>>,
    packages: RefCell<HashMap<String, Option<Rc<Package>>>>,
    nearest: RefCell<HashMap<String, Option<Rc<Package>>>>,
    notes: RefCell<Vec<Note>>,
}

impl<'f> Manifests<'f> {
    pub(super) fn new(files: &'f Files<'f>) -> Self {
        Self {
            files,
            tables: RefCell::default(),
            packages: RefCell::default(),
            nearest: RefCell::default(),
            notes: RefCell::default(),
        }
    }

    pub(super) fn notes(&self) -> Vec<Note> {
        self.notes.borrow().clone()
    }

    /// The package that a folder belongs to: that of the nearest manifest
    /// which is one of a package.
    pub(super) fn package_of(&self, folder: &str) -> Option<Rc<Package>> {
        if let Some(known) = self.nearest.borrow().get(folder) {
            return known.clone();
        }
        let mut found = None;
        for around in folders(folder) {
            found = self.package(around);
            if found.is_some() {
                break;
            }
        }
        self.nearest.borrow_mut().insert(folder.to_owned(), found.clone());
        found
    }

    /// Every package of the tree.
    pub(super) fn all(&self) -> Vec<Rc<Package>> {
        let manifests =
            self.files.paths().iter().filter(|path| path.rsplit('/').next() == Some("Cargo.toml"));
        manifests.filter_map(|path| self.package(folder_of(path))).collect()
    }

    /// The package in this folder.
    pub(super) fn package(&self, folder: &str) -> Option<Rc<Package>> {
        if let Some(known) = self.packages.borrow().get(folder) {
            return known.clone();
        }
        let found = self.table(folder).and_then(|manifest| self.read(folder, &manifest)).map(Rc::new);
        self.packages.borrow_mut().insert(folder.to_owned(), found.clone());
        found
    }

    fn table(&self, folder: &str) -> Option<Rc<Table>> {
        if let Some(known) = self.tables.borrow().get(folder) {
            return known.clone();
        }
        let path = join(folder, "Cargo.toml")?;
        let found = self.files.setting(&path).and_then(|content| {
            let text = std::str::from_utf8(&content).map_err(|_| (0, "it is not UTF-8 text".to_owned()));
            let table = text.and_then(|text| {
                let line = |error: &toml::de::Error| {
                    let before = error.span().and_then(|span| text.get(..span.start));
                    before.map_or(0, |before| before.matches('\n').count() + 1)
                };
                text.parse::<Table>().map_err(|error| (line(&error), error.message().to_owned()))
            });
            match table {
                Ok(table) => Some(Rc::new(table)),
                Err((line, why)) => {
                    let what = format!("which crates there are is not known: {why}");
                    self.notes.borrow_mut().push(Note { path, line, what, stops: true });
                    None
                }
            }
        });
        self.tables.borrow_mut().insert(folder.to_owned(), found.clone());
        found
    }

    fn read(&self, folder: &str, manifest: &Table) -> Option<Package> {
        let package = own_table(manifest)?;
        let name = text_at(package, "name")?;
        let workspace = self.workspace(folder, manifest, package);
        let shared = workspace.as_ref().and_then(|(_, table)| table_at(table, "workspace"));
        let inherited =
            || shared.and_then(|s| table_at(s, "package")).and_then(|package| text_at(package, "edition"));
        let edition = match package.get("edition") {
            Some(Value::String(edition)) => edition.parse().unwrap_or(2015),
            Some(_) => inherited().and_then(|edition| edition.parse().ok()).unwrap_or(2015),
            None => 2015,
        };
        let library = library(self.files, folder, name, manifest);
        let mut roots = roots(self.files, folder, name, edition, manifest);
        roots.extend(library.iter().map(|(_, root)| root.clone()));
        let mut dependencies: HashMap<String, Vec<Dependency>> = HashMap::default();
        for table in dependency_tables(manifest) {
            for (alias, value) in table {
                let found = dependency(folder, alias, value, workspace.as_ref(), manifest);
                let known = dependencies.entry(alias.replace('-', "_")).or_default();
                if !known.contains(&found) {
                    known.push(found);
                }
            }
        }
        Some(Package {
            folder: folder.to_owned(),
            library,
            roots: roots.into_iter().collect(),
            edition,
            dependencies,
        })
    }

    /// The manifest with the settings of the workspace, and its folder.
    fn workspace(&self, folder: &str, manifest: &Table, package: &Table) -> Option<(String, Rc<Table>)> {
        if manifest.contains_key("workspace") {
            return Some((folder.to_owned(), self.table(folder)?));
        }
        if let Some(named) = text_at(package, "workspace") {
            let root = join(folder, named)?;
            let table = self.table(&root)?;
            return Some((root, table));
        }
        for around in folders(folder).skip(1) {
            let Some(table) = self.table(around) else { continue };
            let Some(workspace) = table_at(&table, "workspace") else { continue };
            let is_below = |list: &str| {
                let entries = workspace.get(list).and_then(Value::as_array).into_iter().flatten();
                entries.filter_map(Value::as_str).any(|entry| {
                    join(around, entry).is_some_and(|entry| {
                        folder
                            .strip_prefix(&entry)
                            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                    })
                })
            };
            if !is_below("exclude") || is_below("members") {
                return Some((around.to_owned(), table));
            }
        }
        None
    }
}

/// A folder and all around it, up to the root.
pub(super) fn folders(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |at| (!at.is_empty()).then(|| folder_of(at)))
}

fn table_at<'t>(table: &'t Table, key: &str) -> Option<&'t Table> {
    table.get(key).and_then(Value::as_table)
}

fn text_at<'t>(table: &'t Table, key: &str) -> Option<&'t str> {
    table.get(key).and_then(Value::as_str)
}

/// What a manifest says of its package.
fn own_table(manifest: &Table) -> Option<&Table> {
    table_at(manifest, "package").or_else(|| table_at(manifest, "project"))
}

/// Every table of dependencies: of all kinds, also those of one platform.
fn dependency_tables(manifest: &Table) -> Vec<&Table> {
    let kinds =
        ["dev-dependencies", "dev_dependencies", "build-dependencies", "build_dependencies", "dependencies"];
    let targets =
        table_at(manifest, "target").into_iter().flatten().filter_map(|(_, value)| value.as_table());
    let places: Vec<&Table> = targets.chain([manifest]).collect();
    kinds.iter().flat_map(|kind| places.iter().filter_map(|place| table_at(place, kind))).collect()
}

fn dependency(
    folder: &str,
    alias: &str,
    value: &Value,
    workspace: Option<&(String, Rc<Table>)>,
    manifest: &Table,
) -> Dependency {
    let is_inherited = value.get("workspace").and_then(Value::as_bool) == Some(true);
    let shared = workspace.filter(|_| is_inherited).and_then(|(folder, table)| {
        let value = table_at(table, "workspace").and_then(|w| table_at(w, "dependencies"))?.get(alias)?;
        Some((folder.as_str(), value))
    });
    let (base, value) = shared.unwrap_or((folder, value));
    let name = value.get("package").and_then(Value::as_str).unwrap_or(alias);
    let own = value.get("path").and_then(Value::as_str).and_then(|path| join(base, path));
    // Only the manifest at the root of a workspace can replace packages.
    let (root, patches) =
        workspace.map_or((folder, manifest), |(folder, table)| (folder.as_str(), table.as_ref()));
    let patched = || {
        let sources = table_at(patches, "patch").into_iter().flatten().filter_map(|(_, s)| s.as_table());
        sources.flatten().find_map(|(key, patch)| {
            let patched = patch.get("package").and_then(Value::as_str).unwrap_or(key);
            join(root, patch.get("path").and_then(Value::as_str).filter(|_| patched == name)?)
        })
    };
    // `"name:version" = { path = ".." }`, also after a source and a `#`.
    let replaced = || {
        table_at(patches, "replace").into_iter().flatten().find_map(|(key, other)| {
            let key = key.rsplit('#').next().unwrap_or(key);
            let replaced = key.split([':', '@']).next().unwrap_or(key);
            join(root, other.get("path").and_then(Value::as_str).filter(|_| replaced == name)?)
        })
    };
    Dependency { name: name.to_owned(), folder: own.or_else(patched).or_else(replaced) }
}

/// What the library of a package is called in code, and its root.
fn library(files: &Files<'_>, folder: &str, name: &str, manifest: &Table) -> Option<(String, String)> {
    let table = table_at(manifest, "lib");
    let text = |key: &str| table.and_then(|t| text_at(t, key));
    // It is looked for unless that is off, or where it is named.
    let is_looked_for = own_table(manifest).and_then(|p| p.get("autolib")).and_then(Value::as_bool);
    if table.is_none() && is_looked_for == Some(false) {
        return None;
    }
    let root = join(folder, text("path").unwrap_or("src/lib.rs"))?;
    let name = text("name").unwrap_or(name).replace('-', "_");
    files.has(&root).then_some((name, root))
}

/// The roots of the crates of a package, beside its library.
fn roots(files: &Files<'_>, folder: &str, name: &str, edition: u16, manifest: &Table) -> BTreeSet<String> {
    let mut roots = BTreeSet::new();
    let mut add = |path: &str| {
        let found = join(folder, path).filter(|path| files.has(path));
        found.is_some_and(|path| {
            roots.insert(path);
            true
        })
    };
    let package = own_table(manifest);
    match package.and_then(|p| p.get("build")) {
        Some(Value::String(path)) => {
            add(path);
        }
        Some(Value::Array(paths)) => {
            for path in paths.iter().filter_map(Value::as_str) {
                add(path);
            }
        }
        Some(Value::Boolean(false)) => {}
        _ => {
            add("build.rs");
        }
    }
    for (key, place) in [("bin", "src/bin"), ("test", "tests"), ("example", "examples"), ("bench", "benches")]
    {
        let named: Vec<&Table> = manifest
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_table)
            .collect();
        for table in &named {
            if let Some(path) = text_at(table, "path") {
                add(path);
            } else if let Some(own) = text_at(table, "name") {
                let is_main = key == "bin" && (own == name || edition == 2015);
                let _ = add(&format!("{place}/{own}.rs"))
                    || add(&format!("{place}/{own}/main.rs"))
                    || is_main && add("src/main.rs")
                    || key == "bin" && edition == 2015 && add(&format!("src/{own}.rs"));
            }
        }
        let auto = match key {
            "bench" => "autobenches".to_owned(),
            key => format!("auto{key}s"),
        };
        let auto = package.and_then(|p| p.get(&auto)).and_then(Value::as_bool);
        // The first edition looks for others only where none is named.
        if !auto.unwrap_or(edition > 2015 || named.is_empty()) {
            continue;
        }
        // One of a name that is taken is none.
        let is_free = |name: &str| !named.iter().any(|table| text_at(table, "name") == Some(name));
        if key == "bin" && is_free(name) {
            add("src/main.rs");
        }
        let Some(below) = join(folder, place) else { continue };
        for path in files.below(&below) {
            let rest = path.get(below.len() + 1..).unwrap_or_default();
            let stem = rest.strip_suffix("/main.rs").or_else(|| rest.strip_suffix(".rs"));
            if stem.is_some_and(|stem| !stem.contains('/') && !stem.starts_with('.') && is_free(stem)) {
                add(&format!("{place}/{rest}"));
            }
        }
    }
    roots
}

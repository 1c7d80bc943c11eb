//! Rust: the tree of modules of every crate, and paths through it.
//!
//! The Rust Reference: a module in another file lies beside the file of its
//! parent if that is a root or a `mod.rs`, else in a folder of the parent's
//! name; as `NAME.rs` or `NAME/mod.rs`.

use std::collections::{BTreeMap, BTreeSet};

use toml::Table;

use super::super::files::{Files, folder_of, join};
use super::super::{Note, Target};
use crate::syntax::{Import, Kind};

/// What comes with the language.
const BUILTIN: [&str; 5] = ["std", "core", "alloc", "proc_macro", "test"];

/// A package of Cargo.
#[derive(Clone, Debug, Default)]
struct Package {
    /// What the library is called in code, and its root.
    library: Option<(String, String)>,
    /// What dependencies are called in code, and the packages' own names.
    dependencies: BTreeMap<String, String>,
}

/// A module that is a file: where it is in its crate.
#[derive(Clone, Debug)]
struct Place {
    /// Number of its package.
    package: usize,
    /// The root of its crate.
    root: String,
    /// Its path from the root.
    path: Vec<String>,
}

/// All crates of a tree.
pub(super) struct Crates<'f> {
    files: &'f Files<'f>,
    packages: Vec<Package>,
    /// Where the modules are that are files. One file may be in two crates.
    places: BTreeMap<String, Vec<Place>>,
    /// The file of each module, by root and path.
    modules: BTreeMap<(String, Vec<String>), String>,
}

impl<'f> Crates<'f> {
    pub(super) fn new(files: &'f Files<'f>) -> Self {
        let mut crates =
            Self { files, packages: Vec::new(), places: BTreeMap::new(), modules: BTreeMap::new() };
        let manifests: Vec<(String, Table)> = files
            .settings_named("Cargo.toml")
            .filter_map(|(folder, content)| {
                Some((folder.to_owned(), std::str::from_utf8(&content).ok()?.parse::<Table>().ok()?))
            })
            .collect();
        let workspace = |folder: &str| -> Option<&Table> {
            let mut at = Some(folder);
            while let Some(folder) = at {
                let found = manifests.iter().find(|(f, t)| f == folder && t.contains_key("workspace"));
                if let Some((_, table)) = found {
                    return table.get("workspace")?.as_table();
                }
                at = (!folder.is_empty()).then(|| folder_of(folder));
            }
            None
        };
        for (folder, manifest) in &manifests {
            let Some(name) = manifest.get("package").and_then(|p| p.get("name")).and_then(|n| n.as_str())
            else {
                continue;
            };
            let number = crates.packages.len();
            let package = Package {
                library: library(files, folder, name, manifest),
                dependencies: dependencies(manifest, workspace(folder)),
            };
            crates.packages.push(package);
            for root in roots(files, folder, manifest) {
                crates.grow(number, &root);
            }
        }
        crates
    }

    /// Follows the modules from the root of a crate.
    fn grow(&mut self, package: usize, root: &str) {
        let mut seen = BTreeSet::new();
        let mut queue = vec![(root.to_owned(), Vec::<String>::new())];
        while let Some((file, path)) = queue.pop() {
            if !seen.insert((file.clone(), path.clone())) || path.len() > 64 {
                continue;
            }
            self.modules.insert((root.to_owned(), path.clone()), file.clone());
            self.places.entry(file.clone()).or_default().push(Place {
                package,
                root: root.to_owned(),
                path: path.clone(),
            });
            for import in self.files.imports(&file).iter() {
                if import.kind != Kind::Part {
                    continue;
                }
                let Target::File(child) = self.part(&file, import) else { continue };
                let name = match import.specifier.strip_prefix('"') {
                    None => import.specifier.clone(),
                    // What `include!` brings is no module; its code belongs here.
                    Some(_) => {
                        child.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned()
                    }
                };
                let below = path.iter().chain(&import.within).cloned().chain([name]).collect();
                queue.push((child, below));
            }
        }
    }

    /// The file of a module that `from` says it has.
    fn part(&self, from: &str, import: &Import) -> Target {
        let folder = folder_of(from);
        let stem = from.rsplit('/').next().unwrap_or(from).trim_end_matches(".rs");
        let is_root = self.places.get(from).is_some_and(|places| places.iter().any(|p| p.path.is_empty()));
        let own = if is_root || stem == "mod" { folder.to_owned() } else { format!("{folder}/{stem}") };
        let own = own.trim_start_matches('/');
        let candidates = match import.specifier.strip_prefix('"') {
            Some(quoted) => {
                let file = quoted.trim_end_matches('"');
                let inline = import.within.join("/");
                // Within a module in braces the path is from its folder.
                let base = if inline.is_empty() { folder.to_owned() } else { format!("{own}/{inline}") };
                vec![join(&base, file)]
            }
            None => {
                let below: Vec<&str> =
                    import.within.iter().map(String::as_str).chain([import.specifier.as_str()]).collect();
                let below = below.join("/");
                vec![join(own, &format!("{below}.rs")), join(own, &format!("{below}/mod.rs"))]
            }
        };
        let found = candidates.into_iter().flatten().find(|path| self.files.has(path));
        found.map_or(Target::Missing, Target::File)
    }

    /// What was noticed about the tree.
    pub(super) fn notes(&self) -> Vec<Note> {
        Vec::new()
    }

    pub(super) fn resolve(&self, from: &str, import: &Import) -> Vec<Target> {
        vec![self.target(from, import)]
    }

    fn target(&self, from: &str, import: &Import) -> Target {
        if import.kind == Kind::Part {
            return self.part(from, import);
        }
        let Some(place) = self.places.get(from).and_then(|places| places.first()) else {
            return Target::Builtin;
        };
        let mut parts: Vec<&str> = import.specifier.split("::").collect();
        let mut here: Vec<String> = place.path.iter().chain(&import.within).cloned().collect();
        match parts.first() {
            Some(&"crate") => {
                parts.remove(0);
                self.inside(&place.root, Vec::new(), &parts)
            }
            Some(&("self" | "super")) => {
                while let Some(&first) = parts.first() {
                    match first {
                        "self" => {}
                        "super" if here.pop().is_none() => return Target::Missing,
                        "super" => {}
                        _ => break,
                    }
                    parts.remove(0);
                }
                self.inside(&place.root, here, &parts)
            }
            // Of the global path.
            Some(&"") => parts.get(1).map_or(Target::Builtin, |name| self.named(place, name, &parts[2..])),
            Some(&first) => {
                // A module here hides a crate of its name.
                let child: Vec<String> = here.iter().cloned().chain([first.to_owned()]).collect();
                if self.modules.contains_key(&(place.root.clone(), child)) {
                    return self.inside(&place.root, here, &parts);
                }
                self.named(place, first, &parts[1..])
            }
            None => Target::Builtin,
        }
    }

    /// The file of the deepest module along a path from `base`.
    fn inside(&self, root: &str, base: Vec<String>, parts: &[&str]) -> Target {
        let mut path = base;
        path.extend(parts.iter().map(|&part| part.to_owned()));
        loop {
            if let Some(file) = self.modules.get(&(root.to_owned(), path.clone())) {
                return Target::File(file.clone());
            }
            if path.pop().is_none() {
                return Target::Missing;
            }
        }
    }

    /// Something in a crate that is known by this name here.
    fn named(&self, place: &Place, name: &str, rest: &[&str]) -> Target {
        let package = &self.packages[place.package];
        // A binary, a test or an example uses its own library.
        if let Some((library, root)) = &package.library
            && library == name
            && *root != place.root
        {
            return self.inside(root, Vec::new(), rest);
        }
        let Some(wanted) = package.dependencies.get(name) else {
            return Target::Builtin;
        };
        let member = self
            .packages
            .iter()
            .find(|p| p.library.as_ref().is_some_and(|(library, _)| *library == wanted.replace('-', "_")));
        match member.and_then(|p| p.library.as_ref()) {
            Some((_, root)) => self.inside(root, Vec::new(), rest),
            None if BUILTIN.contains(&name) => Target::Builtin,
            None => Target::Package(wanted.clone()),
        }
    }
}

/// What the library of a package is called in code, and its root.
fn library(files: &Files<'_>, folder: &str, name: &str, manifest: &Table) -> Option<(String, String)> {
    let table = manifest.get("lib").and_then(|lib| lib.as_table());
    let text = |key: &str| table.and_then(|t| t.get(key)).and_then(|v| v.as_str());
    let root = join(folder, text("path").unwrap_or("src/lib.rs"))?;
    let name = text("name").map_or_else(|| name.replace('-', "_"), str::to_owned);
    files.has(&root).then_some((name, root))
}

/// The roots of all crates of a package.
fn roots(files: &Files<'_>, folder: &str, manifest: &Table) -> Vec<String> {
    let mut roots = Vec::new();
    let mut add = |path: &str| roots.extend(join(folder, path).filter(|path| files.has(path)));
    let text = |table: &Table, key: &str| table.get(key).and_then(|v| v.as_str()).map(str::to_owned);
    let lib = manifest.get("lib").and_then(|lib| lib.as_table());
    add(&lib.and_then(|lib| text(lib, "path")).unwrap_or_else(|| "src/lib.rs".to_owned()));
    add("src/main.rs");
    let build = manifest.get("package").and_then(|p| p.as_table()).and_then(|p| text(p, "build"));
    add(&build.unwrap_or_else(|| "build.rs".to_owned()));
    for (key, place) in [("bin", "src/bin"), ("test", "tests"), ("example", "examples"), ("bench", "benches")]
    {
        for table in manifest.get(key).and_then(|v| v.as_array()).into_iter().flatten() {
            let Some(table) = table.as_table() else { continue };
            match (text(table, "path"), text(table, "name")) {
                (Some(path), _) => add(&path),
                (None, Some(name)) => {
                    add(&format!("{place}/{name}.rs"));
                    add(&format!("{place}/{name}/main.rs"));
                }
                (None, None) => {}
            }
        }
        let below = if folder.is_empty() { place.to_owned() } else { format!("{folder}/{place}") };
        for path in files.below(&below) {
            let rest = &path[below.len() + 1..];
            let is_root = rest.ends_with(".rs") && !rest.contains('/')
                || rest.strip_suffix("/main.rs").is_some_and(|name| !name.contains('/'));
            if is_root {
                add(&format!("{place}/{rest}"));
            }
        }
    }
    roots.sort();
    roots.dedup();
    roots
}

/// What dependencies are called in code, and the packages' own names.
fn dependencies(manifest: &Table, workspace: Option<&Table>) -> BTreeMap<String, String> {
    let mut tables = Vec::new();
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    for kind in kinds {
        tables.extend(manifest.get(kind).and_then(|t| t.as_table()));
    }
    for target in manifest.get("target").and_then(|t| t.as_table()).into_iter().flatten() {
        for kind in kinds {
            tables.extend(target.1.get(kind).and_then(|t| t.as_table()));
        }
    }
    let renamed = |value: &toml::Value| value.get("package").and_then(|v| v.as_str()).map(str::to_owned);
    let mut found = BTreeMap::new();
    for (name, value) in tables.into_iter().flatten() {
        let inherited = value.get("workspace").and_then(toml::Value::as_bool) == Some(true);
        let shared = || workspace?.get("dependencies")?.get(name).and_then(renamed);
        let package = renamed(value).or_else(|| if inherited { shared() } else { None });
        found.insert(name.replace('-', "_"), package.unwrap_or_else(|| name.clone()));
    }
    found
}

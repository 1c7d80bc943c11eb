//! `package.json`: which packages a tree has, and what they let others import.

use crate::boundary::HashMap;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::Value;

use super::super::super::Note;
use super::super::super::files::{Files, folder_of, join};
use super::super::{glob, jsonc};
use super::config::matched;
use super::overrides;

/// Folders whose packages are samples, where no workspace says otherwise.
const SAMPLES: [&str; 9] = [
    "node_modules",
    "fixtures",
    "__fixtures__",
    "test",
    "tests",
    "__tests__",
    "testdata",
    "template",
    "templates",
];

/// A package of the tree.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) folder: String,
    pub(super) name: String,
    pub(super) manifest: Value,
    /// What it puts in place of dependencies, wherever they stand.
    overrides: Vec<(String, String)>,
}

impl Package {
    /// What it says of another package, by the kinds of dependency.
    pub(super) fn dependency(&self, name: &str) -> Option<&str> {
        ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"]
            .iter()
            .find_map(|kind| self.manifest.get(kind)?.get(name)?.as_str())
    }
}

/// The packages of a tree, read as they are needed.
pub(super) struct Packages<'f> {
    files: &'f Files<'f>,
    read: RefCell<HashMap<String, Option<Rc<Package>>>>,
    /// The members of the workspaces, by the folder of their root and name.
    members: RefCell<HashMap<Option<String>, Rc<Members>>>,
    notes: RefCell<BTreeSet<Note>>,
}

type Members = BTreeMap<String, Rc<Package>>;

impl<'f> Packages<'f> {
    pub(super) fn new(files: &'f Files<'f>) -> Self {
        Self { files, read: RefCell::default(), members: RefCell::default(), notes: RefCell::default() }
    }

    pub(super) fn notes(&self) -> Vec<Note> {
        self.notes.borrow().iter().cloned().collect()
    }

    /// The package in a folder.
    pub(super) fn at(&self, folder: &str) -> Option<Rc<Package>> {
        if let Some(known) = self.read.borrow().get(folder) {
            return known.clone();
        }
        let path = join(folder, "package.json")?;
        let package = self.files.setting(&path).map(|content| {
            let manifest = jsonc::strict(&content).unwrap_or_else(|(line, what)| {
                let what = format!("it is no JSON: {what}");
                self.notes.borrow_mut().insert(Note { path, line, what, stops: true });
                Value::Null
            });
            let name = manifest.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            let mut overrides = overrides::of(&manifest);
            let settings = join(folder, "pnpm-workspace.yaml").and_then(|path| self.files.setting(&path));
            if let Some(settings) = settings {
                let text = String::from_utf8_lossy(&settings);
                overrides.extend(overrides::of_yaml(&text));
                if let Some(line) = unread_yaml(&text) {
                    let path = join(folder, "pnpm-workspace.yaml").unwrap_or_default();
                    let what = "no entry, so that nobody knows which packages there are".to_owned();
                    self.notes.borrow_mut().insert(Note { path, line, what, stops: true });
                }
            }
            Rc::new(Package { folder: folder.to_owned(), name, manifest, overrides })
        });
        self.read.borrow_mut().insert(folder.to_owned(), package.clone());
        package
    }

    /// The packages around a folder, the innermost first.
    pub(super) fn around<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = Rc<Package>> + 'a {
        let mut next = Some(folder);
        std::iter::from_fn(move || {
            let at = next?;
            next = (!at.is_empty()).then(|| folder_of(at));
            Some(self.at(at))
        })
        .flatten()
    }

    /// The packages of the tree that a file may mean by a name: which of them
    /// is up to the package manager.
    pub(super) fn named(&self, folder: &str, name: &str) -> Vec<Rc<Package>> {
        if let Some(own) = self.around(folder).find(|package| !package.name.is_empty())
            && own.name == name
        {
            return vec![own];
        }
        let mut found: Vec<Rc<Package>> = Vec::new();
        for (by, said) in self.said_of(folder, name) {
            let path = linked(&said).and_then(|path| join(&by.folder, path));
            let package = match path {
                Some(path) => self.linked(&path, name),
                // It has another name here.
                None => alias(&said).and_then(|real| self.members(folder).get(real).cloned()),
            };
            found.extend(package.filter(|package| found.iter().all(|other| other.folder != package.folder)));
        }
        if found.is_empty() {
            found.extend(self.members(folder).get(name).cloned());
        }
        found
    }

    /// The likeliest of them.
    pub(super) fn first(&self, folder: &str, name: &str) -> Option<Rc<Package>> {
        self.named(folder, name).into_iter().next()
    }

    /// What the packages around a folder say that a name is, each with the
    /// package that says it.
    pub(super) fn said_of(&self, folder: &str, name: &str) -> Vec<(Rc<Package>, String)> {
        let mut found = Vec::new();
        // One without a name has dependencies as well.
        for package in self.around(folder) {
            let mut said: Vec<String> = package
                .overrides
                .iter()
                .filter(|(key, _)| key == name)
                .map(|(_, said)| said.clone())
                .collect();
            said.extend(package.dependency(name).map(str::to_owned));
            for said in said {
                // `$other` is what is said of another.
                let said = match said.strip_prefix('$') {
                    Some(other) => package.dependency(other).unwrap_or_default().to_owned(),
                    None => said,
                };
                found.push((package.clone(), said));
            }
        }
        found
    }

    /// The package that a link to a folder makes, whether or not the folder
    /// says that it is one.
    fn linked(&self, folder: &str, name: &str) -> Option<Rc<Package>> {
        let bare = || Package {
            folder: folder.to_owned(),
            name: name.to_owned(),
            manifest: Value::Null,
            overrides: Vec::new(),
        };
        self.at(folder).or_else(|| self.files.has_folder(folder).then(|| Rc::new(bare())))
    }

    /// The members of the workspace around a folder; without one, every
    /// package of the tree that is no sample.
    fn members(&self, folder: &str) -> Rc<Members> {
        let workspace = self.around(folder).find_map(|package| {
            let patterns = self.patterns(&package);
            (!patterns.is_empty()).then(|| (package.folder.clone(), patterns))
        });
        let root = workspace.as_ref().map(|(root, _)| root.clone());
        if let Some(known) = self.members.borrow().get(&root) {
            return known.clone();
        }
        let mut members = Members::new();
        for path in self.files.paths() {
            let Some(folder) = path.strip_suffix("package.json") else { continue };
            if !(folder.is_empty() || folder.ends_with('/')) {
                continue;
            }
            let folder = folder.trim_end_matches('/');
            let is_member = match &workspace {
                Some((root, patterns)) => folder == root || is_member(root, patterns, folder),
                None => !folder.split('/').any(|part| SAMPLES.contains(&part)),
            };
            if let Some(package) = is_member.then(|| self.at(folder)).flatten() {
                members.entry(package.name.clone()).or_insert(package);
            }
        }
        members.remove("");
        let members = Rc::new(members);
        self.members.borrow_mut().insert(root, members.clone());
        members
    }

    /// The patterns of the workspace that a package is the root of.
    fn patterns(&self, package: &Package) -> Vec<String> {
        let said = package.manifest.get("workspaces");
        let said = said.and_then(|said| said.get("packages").unwrap_or(said).as_array());
        let mut patterns: Vec<String> =
            said.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        let path = join(&package.folder, "pnpm-workspace.yaml").unwrap_or_default();
        if let Some(content) = self.files.setting(&path) {
            patterns.extend(yaml_packages(&String::from_utf8_lossy(&content)));
        }
        patterns.iter().flat_map(|pattern| glob::expanded(pattern)).collect()
    }
}

/// The folder that a dependency is a link to.
fn linked(said: &str) -> Option<&str> {
    let is_path = |path: &&str| path.starts_with("./") || path.starts_with("../") || *path == "..";
    ["file:", "link:", "portal:"]
        .iter()
        .find_map(|kind| said.strip_prefix(kind))
        .or_else(|| said.strip_prefix("workspace:").filter(is_path))
        .or_else(|| Some(said).filter(is_path))
}

/// The package that a dependency is by another name: `npm:other@1`,
/// `workspace:other@*`.
fn alias(said: &str) -> Option<&str> {
    let is_npm = said.starts_with("npm:");
    let named = said.strip_prefix("npm:").or_else(|| said.strip_prefix("workspace:"))?;
    match named.rsplit_once('@').filter(|(name, _)| !name.is_empty()) {
        Some((name, _)) => Some(name),
        // `npm:^1.0` is a version of the package itself.
        None => {
            Some(named).filter(|name| is_npm && name.starts_with(|c: char| c == '@' || c.is_alphabetic()))
        }
    }
}

/// The name in the registry of a dependency that has another one here.
pub(super) fn real_name(said: &str) -> Option<&str> {
    said.starts_with("npm:").then(|| alias(said)).flatten()
}

fn is_member(root: &str, patterns: &[String], folder: &str) -> bool {
    let below = if root.is_empty() {
        Some(folder)
    } else {
        folder.strip_prefix(root).and_then(|r| r.strip_prefix('/'))
    };
    let Some(below) = below else { return false };
    if below.split('/').any(|part| part == "node_modules") {
        return false;
    }
    let mut member = false;
    for pattern in patterns {
        let (is, pattern) = pattern.strip_prefix('!').map_or((true, pattern.as_str()), |rest| (false, rest));
        if glob::matches(pattern.trim_end_matches('/'), below) {
            member = is;
        }
    }
    member
}

/// The first line of `pnpm-workspace.yaml` that begins nothing which such a
/// file has: at the top it is a map, in blocks or in brackets.
fn unread_yaml(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let code = line.split(" #").next().unwrap_or_default().trim_end();
        let is_top = depth == 0 && !code.starts_with([' ', '\t']);
        let is_key = code.split_once(':').is_some_and(|(key, rest)| {
            !key.trim().is_empty() && (rest.is_empty() || rest.starts_with([' ', '\t']))
        });
        let is_other = code.is_empty()
            || code.starts_with(['#', '{', '}', ']', '%'])
            || code.starts_with("- ")
            || matches!(code, "-" | "---" | "...");
        if is_top && !is_key && !is_other {
            return Some(at + 1);
        }
        let opened = code.matches(['[', '{']).count();
        depth = (depth + opened).saturating_sub(code.matches([']', '}']).count());
    }
    None
}

/// The list `packages` of `pnpm-workspace.yaml`.
fn yaml_packages(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or_default().trim_end();
        let trimmed = line.trim_start();
        let mut add = |item: &str| {
            let item = item.trim().trim_matches(['\'', '"']);
            if !item.is_empty() {
                found.push(item.to_owned());
            }
        };
        if let Some(rest) = line.strip_prefix("packages:") {
            inside = true;
            rest.trim().trim_matches(['[', ']']).split(',').for_each(&mut add);
        } else if let Some(item) = trimmed.strip_prefix("- ").filter(|_| inside) {
            add(item);
        } else if inside && trimmed.starts_with(['\'', '"', ']']) {
            trimmed.trim_matches(['[', ']']).split(',').for_each(&mut add);
        } else if !trimmed.is_empty() && !trimmed.starts_with('#') {
            inside = false;
        }
    }
    found
}

/// What `exports` or `imports` lead to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Exported {
    /// Under conditions that hold, in their order.
    pub(super) active: Vec<String>,
    /// Under others.
    pub(super) other: Vec<String>,
}

/// What a key of `exports` or `imports` leads to; none if no key is about it.
pub(super) fn exported(table: &Value, key: &str, holds: &dyn Fn(&str) -> bool) -> Option<Exported> {
    let is_sugar = match table {
        Value::Object(keys) => !keys.keys().any(|key| key.starts_with(['.', '#'])),
        _ => true,
    };
    if is_sugar {
        return (key == ".").then(|| leaves(table, "", holds));
    }
    if let Some(value) = table.get(key) {
        return Some(leaves(value, "", holds));
    }
    // The longest text before the star wins, then the longest pattern.
    let patterns = table.as_object()?.iter().filter_map(|(pattern, value)| {
        let folder = pattern.ends_with('/').then(|| format!("{pattern}*"));
        let star = matched(folder.as_deref().unwrap_or(pattern), key)?;
        let is_pattern = pattern.contains('*') || folder.is_some();
        let weight = (pattern.find('*').unwrap_or(pattern.len()), pattern.len());
        is_pattern.then_some((weight, star, value, folder.is_some()))
    });
    let (_, star, value, is_folder) = patterns.max_by_key(|(weight, ..)| *weight)?;
    let mut found = leaves(value, star, holds);
    if is_folder {
        for target in found.active.iter_mut().chain(&mut found.other) {
            target.push_str(star);
        }
    }
    Some(found)
}

fn leaves(value: &Value, star: &str, holds: &dyn Fn(&str) -> bool) -> Exported {
    let mut found = Exported::default();
    let mut stack = vec![(value, true)];
    while let Some((value, active)) = stack.pop() {
        match value {
            Value::String(target) => {
                let list = if active { &mut found.active } else { &mut found.other };
                list.push(target.replace('*', star));
            }
            Value::Array(values) => stack.extend(values.iter().rev().map(|value| (value, active))),
            Value::Object(conditions) => {
                stack.extend(conditions.iter().rev().map(|(name, value)| (value, active && holds(name))));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_are_read_as_node_reads_them() {
        let table = serde_json::json!({
            ".": { "node": { "import": "./a.mjs", "require": "./a.cjs" }, "default": "./a.js" },
            "./b": ["./b.js", null],
            "./c/*": "./src/c/*.ts",
            "./c/d/*.js": "./src/d/*.js",
            "./no/*": null,
            "./old/": "./older/",
        });
        let holds = |name: &str| matches!(name, "node" | "import" | "default");
        for (key, expected) in [
            (".", Some("./a.mjs ./a.js | ./a.cjs")),
            ("./b", Some("./b.js | ")),
            ("./c/x/y", Some("./src/c/x/y.ts | ")),
            ("./c/d/x.js", Some("./src/d/x.js | ")),
            ("./no/x", Some(" | ")),
            ("./old/x", Some("./older/x | ")),
            ("./e", None),
        ] {
            let told = exported(&table, key, &holds)
                .map(|found| format!("{} | {}", found.active.join(" "), found.other.join(" ")));
            assert_eq!(told.as_deref(), expected, "{key}");
        }
        let sugar = serde_json::json!({ "import": "./a.js" });
        assert_eq!(exported(&sugar, ".", &holds).unwrap().active, ["./a.js"]);
        assert_eq!(exported(&sugar, "./a", &holds), None);
    }

    #[test]
    fn packages_of_a_workspace_are_read_from_yaml() {
        for (text, expected) in [
            ("packages:\n  - 'a/*' # c\n  - \"!b\"\n\n  - c\ncatalog:\n  - d\n", &["a/*", "!b", "c"][..]),
            ("catalog: {}\npackages: ['a', \"b/*\"]\n", &["a", "b/*"]),
            ("packages:\n- a\n- b", &["a", "b"]),
            ("# packages:\n", &[]),
        ] {
            assert_eq!(yaml_packages(text), expected, "{text}");
        }
    }
}

//! `tsconfig.json` and `jsconfig.json`: which of them a file belongs to, and
//! what it says about modules.

use crate::boundary::HashMap;
use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use serde_json::Value;

use super::super::super::Note;
use super::super::super::files::{Files, folder_of, join};
use super::super::{glob, jsonc};

/// The most configurations that one leads to.
const LIMIT: usize = 200;

/// What a configuration comes to, together with those that it extends. Paths
/// are relative to the root of the tree.
#[derive(Debug, Default)]
pub(super) struct Config {
    /// Where modules that are not relative may be.
    pub(super) base: Option<String>,
    /// The most exact pattern first.
    pub(super) paths: Vec<Mapping>,
    /// Folders that are as one.
    pub(super) roots: Vec<String>,
    /// Folders that are made, each with those that its files come from.
    pub(super) made: Vec<Made>,
    /// Conditions of packages beside the usual ones.
    pub(super) conditions: Vec<String>,
    /// What may stand before the ending of a file.
    pub(super) suffixes: Vec<String>,
    /// The configurations that it refers to.
    references: Vec<String>,
    folder: String,
    listed: Option<Vec<String>>,
    include: Option<Vec<String>>,
    exclude: Vec<String>,
}

/// A folder that a compiler fills.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) folder: String,
    pub(super) from: Option<String>,
}

/// One pattern of `paths`.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) pattern: String,
    pub(super) targets: Vec<String>,
}

/// Every configuration, read as it is needed.
pub(super) struct Configs<'f> {
    files: &'f Files<'f>,
    raw: RefCell<HashMap<String, Rc<Value>>>,
    known: RefCell<HashMap<String, Rc<Config>>>,
    nearest: RefCell<HashMap<String, Option<String>>>,
    notes: RefCell<BTreeSet<Note>>,
}

impl<'f> Configs<'f> {
    pub(super) fn new(files: &'f Files<'f>) -> Self {
        Self {
            files,
            raw: RefCell::default(),
            known: RefCell::default(),
            nearest: RefCell::default(),
            notes: RefCell::default(),
        }
    }

    pub(super) fn notes(&self) -> Vec<Note> {
        self.notes.borrow().iter().cloned().collect()
    }

    /// The configuration that a file belongs to: the nearest, or the one
    /// among those that it refers to which has the file.
    pub(super) fn of(&self, from: &str, package: &dyn Fn(&str) -> Option<String>) -> Option<Rc<Config>> {
        let first = self.nearest(folder_of(from))?;
        let nearest = self.read(&first, package);
        if nearest.references.is_empty() || nearest.has(from) {
            return Some(nearest);
        }
        let mut seen = BTreeSet::from([first]);
        let mut queue: VecDeque<String> = nearest.references.iter().cloned().collect();
        while let Some(path) = queue.pop_front().filter(|_| seen.len() < LIMIT) {
            if !seen.insert(path.clone()) {
                continue;
            }
            let config = self.read(&path, package);
            if config.has(from) {
                return Some(config);
            }
            queue.extend(config.references.iter().cloned());
        }
        Some(nearest)
    }

    /// Those that say what is made below a folder: its own, by any name.
    pub(super) fn in_folder(
        &self,
        folder: &str,
        package: &dyn Fn(&str) -> Option<String>,
    ) -> Vec<Rc<Config>> {
        let start = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let paths = self.files.paths();
        let first = paths.partition_point(|path| &**path < start.as_str());
        let own = ["jsconfig", "tsconfig"].iter().flat_map(|name| {
            let start = format!("{start}{name}");
            let first = first + paths[first..].partition_point(|path| &**path < start.as_str());
            paths[first..].iter().take_while(move |path| path.starts_with(&start))
        });
        own.filter(|path| path.ends_with(".json") && folder_of(path) == folder)
            .map(|path| self.read(path, package))
            .collect()
    }

    fn nearest(&self, folder: &str) -> Option<String> {
        if let Some(known) = self.nearest.borrow().get(folder) {
            return known.clone();
        }
        let mut at = folder;
        let found = loop {
            let own = ["tsconfig.json", "jsconfig.json"].iter().filter_map(|name| join(at, name));
            if let Some(path) = own.into_iter().find(|path| self.files.has(path)) {
                break Some(path);
            }
            if at.is_empty() {
                break None;
            }
            at = folder_of(at);
        };
        self.nearest.borrow_mut().insert(folder.to_owned(), found.clone());
        found
    }

    fn note(&self, path: &str, line: usize, what: String, stops: bool) {
        self.notes.borrow_mut().insert(Note { path: path.to_owned(), line, what, stops });
    }

    fn raw(&self, path: &str) -> Rc<Value> {
        if let Some(known) = self.raw.borrow().get(path) {
            return known.clone();
        }
        let content = self.files.setting(path).unwrap_or_default();
        let value = jsonc::parse(&content).unwrap_or_else(|(line, what)| {
            self.note(path, line, format!("it is no JSON: {what}"), true);
            Value::Null
        });
        let value = Rc::new(value);
        self.raw.borrow_mut().insert(path.to_owned(), value.clone());
        value
    }

    /// A configuration and those that it extends, the one that counts most
    /// first.
    fn chain(&self, path: &str, package: &dyn Fn(&str) -> Option<String>) -> Vec<(String, Rc<Value>)> {
        let (mut chain, mut stack) = (Vec::new(), vec![path.to_owned()]);
        let mut seen = BTreeSet::new();
        while let Some(path) = stack.pop().filter(|_| chain.len() < LIMIT) {
            if !seen.insert(path.clone()) {
                continue;
            }
            let raw = self.raw(&path);
            let names = match raw.get("extends") {
                Some(Value::String(name)) => vec![name.as_str()],
                Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            };
            for name in names {
                match self.extended(folder_of(&path), name, package) {
                    Some(base) => stack.push(base),
                    None => {
                        let content = self.files.setting(&path).unwrap_or_default();
                        let at = memchr::memmem::find(&content, b"\"extends\"").unwrap_or_default();
                        let line = 1 + memchr::memchr_iter(b'\n', &content[..at]).count();
                        let name = crate::text::escape::clipped(name, 80);
                        self.note(
                            &path,
                            line,
                            format!("it extends `{name}`, which is not in this repository"),
                            false,
                        );
                    }
                }
            }
            chain.push((path, raw));
        }
        chain
    }

    /// The file that `extends` names.
    fn extended(&self, folder: &str, name: &str, package: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let in_file = |path: String| {
            let with = [path.clone(), format!("{path}.json"), format!("{path}/tsconfig.json")];
            with.into_iter().find(|path| self.files.has(path))
        };
        if name.starts_with('.') {
            return in_file(join(folder, name)?);
        }
        let parts = if name.starts_with('@') { 2 } else { 1 };
        let end = name.match_indices('/').nth(parts - 1).map_or(name.len(), |(at, _)| at);
        let (own, rest) = name.split_at(end);
        let folder = package(own)?;
        match rest.trim_start_matches('/') {
            "" => in_file(join(&folder, "tsconfig.json")?),
            rest => in_file(join(&folder, rest)?),
        }
    }

    fn read(&self, path: &str, package: &dyn Fn(&str) -> Option<String>) -> Rc<Config> {
        if let Some(known) = self.known.borrow().get(path) {
            return known.clone();
        }
        let config = Rc::new(Config::of_chain(path, &self.chain(path, package), self.files));
        self.known.borrow_mut().insert(path.to_owned(), config.clone());
        config
    }
}

impl Config {
    fn of_chain(path: &str, chain: &[(String, Rc<Value>)], files: &Files<'_>) -> Self {
        let own = folder_of(path);
        // As seen from the folder of the configuration that says it.
        let place = |folder: &str, path: &str| match path.strip_prefix("${configDir}") {
            Some(rest) => join(own, rest.trim_start_matches('/')),
            None => join(folder, path),
        };
        let top = |key: &str| chain.iter().find_map(|(path, raw)| Some((folder_of(path), raw.get(key)?)));
        let option = |key: &str| {
            chain
                .iter()
                .find_map(|(path, raw)| Some((folder_of(path), raw.get("compilerOptions")?.get(key)?)))
        };
        let folder = |key: &str| option(key).and_then(|(folder, value)| place(folder, value.as_str()?));
        let texts = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let places = |found: Option<(&str, &Value)>| -> Option<Vec<String>> {
            found.map(|(folder, value)| texts(value).iter().filter_map(|path| place(folder, path)).collect())
        };
        let base = folder("baseUrl");
        let mut paths = Vec::new();
        if let Some((said_in, Value::Object(mappings))) = option("paths") {
            let root = base.as_deref().unwrap_or(said_in);
            for (pattern, targets) in mappings {
                let targets = texts(targets).iter().filter_map(|target| place(root, target)).collect();
                paths.push(Mapping { pattern: pattern.clone(), targets });
            }
        }
        // What has no star wins, then the longest text before it.
        paths.sort_by_key(|m: &Mapping| std::cmp::Reverse(m.pattern.find('*').unwrap_or(usize::MAX)));
        let root = folder("rootDir");
        let made = ["outDir", "declarationDir"].iter().filter_map(|key| {
            let folder = folder(key)?;
            Some(Made { folder, from: root.clone() })
        });
        let references = top("references").map_or_else(Vec::new, |(folder, value)| {
            let named = value.as_array().into_iter().flatten().filter_map(|r| r.get("path")?.as_str());
            let named = named.filter_map(|path| place(folder, path)).map(|path| {
                if path.ends_with(".json") { path } else { join(&path, "tsconfig.json").unwrap_or_default() }
            });
            named.filter(|path| files.has(path)).collect()
        });
        Self {
            made: made.collect(),
            roots: places(option("rootDirs")).unwrap_or_default(),
            conditions: option("customConditions").map_or_else(Vec::new, |(_, value)| texts(value)),
            suffixes: option("moduleSuffixes").map_or_else(Vec::new, |(_, value)| texts(value)),
            references,
            folder: own.to_owned(),
            listed: places(top("files")),
            include: places(top("include")),
            exclude: places(top("exclude")).unwrap_or_default(),
            base,
            paths,
        }
    }

    /// Whether a file is one of those that it compiles.
    fn has(&self, path: &str) -> bool {
        if self.listed.iter().flatten().any(|listed| listed == path) {
            return true;
        }
        let included = match (&self.include, &self.listed) {
            (Some(include), _) => include.iter().any(|pattern| covers(pattern, path)),
            (None, Some(_)) => false,
            (None, None) => self.folder.is_empty() || covers(&self.folder, path),
        };
        included && !self.exclude.iter().any(|pattern| covers(pattern, path))
    }
}

/// Whether a pattern of `include` is about a path; one without wildcards in
/// its last part is a folder with all below it.
fn covers(pattern: &str, path: &str) -> bool {
    let last = pattern.rsplit('/').next().unwrap_or(pattern);
    if pattern.is_empty() || glob::matches(pattern, path) {
        return true;
    }
    if pattern.contains(['*', '?']) {
        return !last.contains(['*', '?']) && glob::matches(&format!("{pattern}/**"), path);
    }
    path.strip_prefix(pattern).is_some_and(|rest| rest.starts_with('/'))
}

/// What `*` stands for where the pattern matches.
pub(super) fn matched<'s>(pattern: &str, specifier: &'s str) -> Option<&'s str> {
    match pattern.split_once('*') {
        None => (pattern == specifier).then_some(""),
        Some((before, after)) if specifier.len() >= before.len() + after.len() => {
            specifier.strip_prefix(before)?.strip_suffix(after)
        }
        Some(_) => None,
    }
}

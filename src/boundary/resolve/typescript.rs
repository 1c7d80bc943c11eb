//! TypeScript and JavaScript: relative modules, the workspace's own packages,
//! and what `tsconfig.json` maps.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::files::{Files, folder_of, join};
use super::super::{Note, Target};
use crate::syntax::Import;

/// What may be left out at the end of a module's name, the first found wins.
const ENDINGS: [&str; 13] =
    ["", ".ts", ".tsx", ".d.ts", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json", ".d.mts", ".d.cts"];
/// What stands in an import for the source that it is compiled from.
const COMPILED: [(&str, &[&str]); 4] = [
    (".js", &[".ts", ".tsx", ".d.ts"]),
    (".jsx", &[".tsx"]),
    (".mjs", &[".mts", ".d.mts"]),
    (".cjs", &[".cts", ".d.cts"]),
];

/// Modules that come with the runtime.
const BUILTIN: [&str; 26] = [
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "crypto",
    "dns",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "querystring",
    "readline",
    "stream",
    "timers",
    "url",
    "util",
    "worker_threads",
    "zlib",
];

pub(super) struct Modules<'f> {
    files: &'f Files<'f>,
    /// The workspace's own packages, by name.
    packages: BTreeMap<String, (String, Value)>,
    /// What `paths` map, by the folder of the configuration.
    paths: BTreeMap<String, Vec<(String, Vec<String>)>>,
}

impl<'f> Modules<'f> {
    pub(super) fn new(files: &'f Files<'f>) -> Self {
        let mut packages = BTreeMap::new();
        for (folder, content) in files.settings_named("package.json") {
            let Ok(value) = serde_json::from_slice::<Value>(&content) else { continue };
            if let Some(name) = value.get("name").and_then(Value::as_str) {
                packages.insert(name.to_owned(), (folder.to_owned(), value.clone()));
            }
        }
        let mut paths = BTreeMap::new();
        for name in ["tsconfig.json", "jsconfig.json"] {
            for (folder, content) in files.settings_named(name) {
                paths.entry(folder.to_owned()).or_insert_with(|| mapped(folder, &content));
            }
        }
        Self { files, packages, paths }
    }

    /// What was noticed about the tree.
    pub(super) fn notes(&self) -> Vec<Note> {
        Vec::new()
    }

    pub(super) fn resolve(&self, from: &str, import: &Import) -> Vec<Target> {
        vec![self.target(from, import)]
    }

    fn target(&self, from: &str, import: &Import) -> Target {
        // A query says what a bundler makes of the file.
        let specifier = import.specifier.split(['?', '#']).next().unwrap_or_default();
        let specifier = if import.specifier.starts_with('#') { &import.specifier } else { specifier };
        if specifier.starts_with("./") || specifier.starts_with("../") || matches!(specifier, "." | "..") {
            let found = join(folder_of(from), specifier).and_then(|path| self.file(&path));
            return found.map_or(Target::Missing, Target::File);
        }
        if let Some(file) = self.mapped(from, specifier) {
            return Target::File(file);
        }
        let name = package_name(specifier);
        if specifier.starts_with("node:") || BUILTIN.contains(&name) {
            return Target::Builtin;
        }
        let Some((folder, manifest)) = self.packages.get(name) else {
            return Target::Package(name.to_owned());
        };
        let rest = specifier[name.len()..].trim_start_matches('/');
        let entry = if rest.is_empty() { self.entry(folder, manifest) } else { self.below(folder, rest) };
        entry.map_or(Target::Missing, Target::File)
    }

    fn file(&self, path: &str) -> Option<String> {
        for (compiled, sources) in COMPILED {
            if let Some(stem) = path.strip_suffix(compiled) {
                let source = sources.iter().map(|source| format!("{stem}{source}"));
                if let Some(found) = source.into_iter().find(|path| self.files.has(path)) {
                    return Some(found);
                }
            }
        }
        let with =
            |base: &str| ENDINGS.iter().map(|e| format!("{base}{e}")).find(|path| self.files.has(path));
        with(path).or_else(|| with(&join(path, "index")?))
    }

    /// The file that a package is when it is imported by its name.
    fn entry(&self, folder: &str, manifest: &Value) -> Option<String> {
        let named = ["source", "types", "typings", "module", "main"];
        let exports = manifest.get("exports").and_then(|e| first_text(e.get(".").unwrap_or(e)));
        let named = named.iter().filter_map(|key| manifest.get(key).and_then(Value::as_str));
        let entries = exports.into_iter().chain(named).chain(["index", "src/index"]);
        entries.filter_map(|entry| self.below(folder, entry)).next()
    }

    /// A file of a package, or the source that it is built from.
    fn below(&self, folder: &str, path: &str) -> Option<String> {
        let built = path.trim_start_matches("./");
        let source = ["dist/", "lib/", "build/", "out/"].iter().find_map(|out| built.strip_prefix(out));
        let sources = source.into_iter().flat_map(|rest| [format!("src/{rest}"), rest.to_owned()]);
        [built.to_owned(), format!("src/{built}")]
            .into_iter()
            .chain(sources)
            .filter_map(|path| self.file(&join(folder, &path)?))
            .next()
    }

    /// What the nearest configuration maps the module to.
    fn mapped(&self, from: &str, specifier: &str) -> Option<String> {
        let mut folder = folder_of(from);
        loop {
            if let Some(paths) = self.paths.get(folder) {
                return paths.iter().find_map(|(pattern, targets)| {
                    let star = matched(pattern, specifier)?;
                    targets.iter().find_map(|target| self.file(&target.replacen('*', star, 1)))
                });
            }
            if folder.is_empty() {
                return None;
            }
            folder = folder_of(folder);
        }
    }
}

/// What `*` stands for where the pattern matches.
fn matched<'s>(pattern: &str, specifier: &'s str) -> Option<&'s str> {
    match pattern.split_once('*') {
        None => (pattern == specifier).then_some(""),
        Some((before, after)) => specifier.strip_prefix(before)?.strip_suffix(after),
    }
}

/// `paths` and `baseUrl` of a configuration, relative to the root, the most
/// exact first.
fn mapped(folder: &str, content: &[u8]) -> Vec<(String, Vec<String>)> {
    let Some(config) = std::str::from_utf8(content).ok().and_then(jsonc) else { return Vec::new() };
    let options = config.get("compilerOptions");
    let base = options.and_then(|o| o.get("baseUrl")).and_then(Value::as_str);
    let root = join(folder, base.unwrap_or("."));
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    let Some(root) = root else { return found };
    for (pattern, targets) in
        options.and_then(|o| o.get("paths")).and_then(Value::as_object).into_iter().flatten()
    {
        let targets = targets.as_array().into_iter().flatten().filter_map(Value::as_str);
        found.push((pattern.clone(), targets.filter_map(|target| join(&root, target)).collect()));
    }
    found.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.find('*').unwrap_or(usize::MAX)));
    if base.is_some() {
        found
            .push(("*".to_owned(), vec![if root.is_empty() { "*".to_owned() } else { format!("{root}/*") }]));
    }
    found
}

/// The package's part of a module's name.
fn package_name(specifier: &str) -> &str {
    let parts = if specifier.starts_with('@') { 2 } else { 1 };
    let end = specifier.match_indices('/').nth(parts - 1).map_or(specifier.len(), |(at, _)| at);
    &specifier[..end]
}

/// The first text among conditions.
fn first_text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        Value::Object(conditions) => conditions.values().find_map(first_text),
        Value::Array(values) => values.iter().find_map(first_text),
        _ => None,
    }
}

/// JSON with comments and commas before closing brackets.
fn jsonc(text: &str) -> Option<Value> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.trim_start_matches('\u{feff}');
    while let Some(c) = rest.chars().next() {
        let taken = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if c == '"' {
            let end = string_end(rest);
            plain.push_str(&rest[..end]);
            end
        } else {
            if matches!(c, '}' | ']') {
                plain.truncate(plain.trim_end().trim_end_matches(',').len());
            }
            plain.push(c);
            c.len_utf8()
        };
        rest = &rest[taken..];
    }
    serde_json::from_str(&plain).ok()
}

/// Where the string that the text begins with ends.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

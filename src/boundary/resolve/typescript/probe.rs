//! Which file a path without all of its name means.

use crate::boundary::HashMap;
use std::cell::RefCell;

use super::super::super::files::{Files, join};
use super::package::Packages;

/// What may be left out at the end of a name, as TypeScript tries it; but what
/// runs comes before what only declares it.
const TYPESCRIPT: [&str; 13] = [
    ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json", ".d.ts", ".d.mts", ".d.cts",
    ".node",
];
/// As Node and the bundlers do.
const JAVASCRIPT: [&str; 13] = [
    ".js", ".json", ".node", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".mts", ".cts", ".d.ts", ".d.mts",
    ".d.cts",
];
/// Sources of other languages that bundlers know.
const OTHERS: [&str; 3] = [".vue", ".svelte", ".astro"];
/// What stands in an import for the source that it is compiled from, and for
/// its declaration.
const COMPILED: [(&str, &[&str], &str); 4] = [
    (".js", &[".ts", ".tsx"], ".d.ts"),
    (".jsx", &[".tsx", ".ts"], ".d.ts"),
    (".mjs", &[".mts"], ".d.mts"),
    (".cjs", &[".cts"], ".d.cts"),
];
/// What stands before the ending where each platform has a file of its own.
const PLATFORMS: [&str; 4] = [".native", ".ios", ".android", ".web"];

/// What says which file a package is, where nothing is exported: what runs
/// before what only declares it.
pub(super) const ENTRIES: [&str; 9] =
    ["main", "module", "browser", "react-native", "jsnext:main", "es2015", "types", "typings", "source"];

/// Whose rules hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Rules {
    TypeScript,
    JavaScript,
}

impl Rules {
    /// Those of a file.
    pub(super) fn of(path: &str) -> Self {
        let is_typescript = [".ts", ".tsx", ".mts", ".cts"].iter().any(|ending| path.ends_with(ending));
        if is_typescript { Self::TypeScript } else { Self::JavaScript }
    }
}

/// Finds files.
pub(super) struct Probe<'f> {
    files: &'f Files<'f>,
    known: RefCell<HashMap<String, [Option<Option<String>>; 2]>>,
}

impl<'f> Probe<'f> {
    pub(super) fn new(files: &'f Files<'f>) -> Self {
        Self { files, known: RefCell::default() }
    }

    /// The file that a path means: itself, with an ending, or what a folder
    /// offers.
    pub(super) fn file(&self, path: &str, rules: Rules, packages: &Packages<'_>) -> Option<String> {
        let slot = usize::from(rules == Rules::JavaScript);
        if let Some(known) = self.known.borrow().get(path).and_then(|known| known[slot].clone()) {
            return known;
        }
        let found = self.plain(path, rules).or_else(|| self.folder(path, rules, packages));
        let mut known = self.known.borrow_mut();
        known.entry(path.to_owned()).or_default()[slot] = Some(found.clone());
        found
    }

    /// A file by this path, without looking into folders.
    fn plain(&self, path: &str, rules: Rules) -> Option<String> {
        if path.is_empty() || path.ends_with('/') {
            return None;
        }
        let exact = || self.files.has(path).then(|| path.to_owned());
        match rules {
            Rules::JavaScript => exact().or_else(|| self.source_of(path)),
            Rules::TypeScript => self.source_of(path).or_else(exact),
        }
        .or_else(|| self.declaration_of(path))
        .or_else(|| self.with_ending(path, rules))
    }

    /// The source that a compiled file comes from.
    fn source_of(&self, path: &str) -> Option<String> {
        let (compiled, endings, _) = COMPILED.iter().find(|(compiled, ..)| path.ends_with(compiled))?;
        let stem = path.strip_suffix(compiled)?;
        endings.iter().map(|ending| format!("{stem}{ending}")).find(|path| self.files.has(path))
    }

    fn declaration_of(&self, path: &str) -> Option<String> {
        let (compiled, _, ending) = COMPILED.iter().find(|(compiled, ..)| path.ends_with(compiled))?;
        Some(format!("{}{ending}", path.strip_suffix(compiled)?)).filter(|path| self.files.has(path))
    }

    fn with_ending(&self, path: &str, rules: Rules) -> Option<String> {
        // All files that begin with the path and a dot lie side by side.
        let start = format!("{path}.");
        let paths = self.files.paths();
        let first = paths.partition_point(|known| &**known < start.as_str());
        if !paths.get(first).is_some_and(|known| known.starts_with(&start)) {
            return None;
        }
        let endings = if rules == Rules::TypeScript { &TYPESCRIPT } else { &JAVASCRIPT };
        endings
            .iter()
            .chain(&OTHERS)
            .map(|ending| format!("{path}{ending}"))
            .find(|path| self.files.has(path))
    }

    /// What a folder is when it is imported.
    fn folder(&self, path: &str, rules: Rules, packages: &Packages<'_>) -> Option<String> {
        let path = path.trim_end_matches('/');
        if !self.files.has_folder(path) {
            return None;
        }
        let own = (!path.is_empty()).then(|| packages.at(path)).flatten();
        let named = own.as_ref().and_then(|package| {
            let mut entries = ENTRIES.iter().filter_map(|key| package.manifest.get(key)?.as_str());
            entries.find_map(|entry| {
                let entry = join(path, entry).filter(|entry| entry != path)?;
                self.plain(&entry, rules).or_else(|| self.plain(&join(&entry, "index")?, rules))
            })
        });
        named.or_else(|| self.plain(&join(path, "index")?, rules))
    }

    /// The files for each platform by this path, where none is for all.
    pub(super) fn of_platforms(&self, path: &str, rules: Rules, suffixes: &[String]) -> Vec<String> {
        let own = suffixes.iter().map(String::as_str).filter(|suffix| !suffix.is_empty());
        let mut stems: Vec<String> = own.chain(PLATFORMS).map(|suffix| format!("{path}{suffix}")).collect();
        if let Some(folder) = self.files.has_folder(path).then(|| join(path, "index")).flatten() {
            stems.extend(PLATFORMS.map(|suffix| format!("{folder}{suffix}")));
        }
        let mut found: Vec<String> = stems.iter().filter_map(|stem| self.with_ending(stem, rules)).collect();
        // `./a.png` may be `./a@2x.png` alone.
        if let Some((stem, ending)) = path.rsplit_once('.').filter(|(_, ending)| !ending.contains('/')) {
            let scaled = ["@2x", "@3x"].map(|scale| format!("{stem}{scale}.{ending}"));
            found.extend(scaled.into_iter().filter(|path| self.files.has(path)));
        }
        found.dedup();
        found
    }
}

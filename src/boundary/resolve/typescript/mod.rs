//! TypeScript and JavaScript: relative modules, what `tsconfig.json` maps,
//! the workspace's own packages, and the sources of what a build makes.
//!
//! The rules are those of TypeScript, Node and the bundlers, but packages are
//! never looked for in `node_modules`: what is no package of the tree is one
//! from elsewhere.

mod built;
mod builtin;
mod config;
mod overrides;
mod package;
mod parts;
mod probe;
mod readings;
mod relayed;
mod replaced;
#[cfg(test)]
mod tests;

use crate::boundary::HashMap;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use self::config::{Config, Configs, matched};
use self::package::{Package, Packages, real_name};
use self::probe::{Probe, Rules};
use self::relayed::Data;
use self::replaced::Replaced;
use super::super::files::{Files, folder_of, join};
use super::super::{Note, Target};
use super::ignored::Ignored;
use crate::syntax::{Import, Kind};

/// What the name of a file may go on with.
const ENDINGS: [&str; 14] = [
    "",
    ".ts",
    ".tsx",
    ".d.ts",
    ".js",
    ".jsx",
    ".mjs",
    ".cjs",
    ".mts",
    ".cts",
    ".json",
    "/index.ts",
    "/index.tsx",
    "/index.js",
];

/// The name that the address of a file is taken by.
const URL: &str = "url";
/// What an import is within that names files by a pattern.
const GLOB: &str = "glob";
/// How often a name may lead to another.
const HOPS: usize = 8;

pub(super) struct Modules<'f> {
    files: &'f Files<'f>,
    probe: Probe<'f>,
    configs: Configs<'f>,
    packages: Packages<'f>,
    ignored: Ignored<'f>,
    /// What packages put in place of others, by folder.
    replaced: RefCell<HashMap<String, Option<Rc<Replaced>>>>,
    /// What is loaded by way of files that are no sources.
    relayed: RefCell<HashMap<String, Vec<Target>>>,
    relay_notes: RefCell<BTreeSet<Note>>,
    /// What was resolved before.
    known: RefCell<HashMap<Asked, Vec<Target>>>,
    /// The configuration of the last file: its imports come together.
    last: RefCell<(String, Option<Rc<Config>>)>,
}

/// What the answer for a name depends on.
type Asked = (String, String, Rules);

/// Who asks.
struct Asker<'a> {
    from: &'a str,
    folder: &'a str,
    rules: Rules,
}

impl<'f> Modules<'f> {
    pub(super) fn new(files: &'f Files<'f>) -> Self {
        Self {
            files,
            probe: Probe::new(files),
            configs: Configs::new(files),
            packages: Packages::new(files),
            ignored: Ignored::new(files),
            replaced: RefCell::default(),
            relayed: RefCell::default(),
            relay_notes: RefCell::default(),
            known: RefCell::default(),
            last: RefCell::default(),
        }
    }

    /// What was noticed about the tree.
    pub(super) fn notes(&self) -> Vec<Note> {
        let relayed = self.relay_notes.borrow().iter().cloned().collect();
        [self.configs.notes(), self.packages.notes(), relayed].concat()
    }

    pub(super) fn resolve(&self, from: &str, import: &Import) -> Vec<Target> {
        let asker = Asker { from, folder: folder_of(from), rules: Rules::of(from) };
        if import.within.first().is_some_and(|within| within == GLOB) {
            return self.matching(&asker, import);
        }
        let mut found = self.as_written(&asker, import);
        self.replace(&asker, &import.specifier, &mut found);
        self.relay(import, &mut found);
        // Tools do not agree on some signs: what any of them loads counts.
        let others = readings::others(&import.specifier).into_iter().filter(|other| is_relative(other));
        let others = others.filter_map(|other| self.file(&join(asker.folder, &other)?, asker.rules));
        for file in others.map(Target::File) {
            found.retain(|target| matches!(target, Target::File(_)));
            if !found.contains(&file) {
                found.push(file);
            }
        }
        // What is tried may find nothing.
        let is_astray =
            || join(asker.folder, &import.specifier).is_some_and(|path| self.files.goes_astray(&path));
        if !import.within.is_empty() && found.contains(&Target::Missing) && !is_astray() {
            found.retain(|target| *target != Target::Missing);
        }
        found
    }

    fn as_written(&self, asker: &Asker<'_>, import: &Import) -> Vec<Target> {
        if let Some(data) = Data::of(&import.specifier) {
            return self.run(asker, data);
        }
        // `loader!./file` says what a bundler makes of the file.
        let specifier = import.specifier.rsplit('!').next().unwrap_or_default();
        if is_relative(specifier) {
            let found = self.relative(asker, specifier);
            let is_address =
                import.names.len() == 1 && import.names[0] == URL && import.kind == Kind::Dynamic;
            // An address may be that of a file which is not there yet.
            return match found.as_slice() {
                [Target::Missing] if is_address && !is_source(specifier) => vec![Target::Builtin],
                _ => found,
            };
        }
        if builtin::is_builtin(specifier) || import.kind == Kind::Type && specifier == "node" {
            return vec![Target::Builtin];
        }
        // Files of one folder may belong to several configurations.
        let config = self.config(asker.from);
        let place = config.as_ref().map_or(0, |config| Rc::as_ptr(config).addr());
        let asked = (format!("{place:x} {}", asker.folder), specifier.to_owned(), asker.rules);
        if let Some(known) = self.known.borrow().get(&asked) {
            return known.clone();
        }
        let found = self.bare(asker, config.as_deref(), specifier, HOPS);
        self.known.borrow_mut().insert(asked, found.clone());
        found
    }

    fn config(&self, from: &str) -> Option<Rc<Config>> {
        if let (path, config) = &*self.last.borrow()
            && path == from
        {
            return config.clone();
        }
        let folder = folder_of(from);
        let named = |name: &str| self.packages.first(folder, name).map(|package| package.folder.clone());
        let config = self.configs.of(from, &named);
        self.last.replace((from.to_owned(), config.clone()));
        config
    }

    fn file(&self, path: &str, rules: Rules) -> Option<String> {
        self.probe.file(path, rules, &self.packages)
    }

    /// `./x`, `../x`.
    fn relative(&self, asker: &Asker<'_>, specifier: &str) -> Vec<Target> {
        let Some(path) = join(asker.folder, specifier) else { return vec![Target::Missing] };
        // `./x/` and `..` are folders, whatever files are called so.
        let is_folder = specifier.ends_with('/')
            || specifier.ends_with("/.")
            || specifier.ends_with("..")
            || specifier == ".";
        let probed = |path: &str| if is_folder { format!("{path}/") } else { path.to_owned() };
        if let Some(found) = self.file(&probed(&path), asker.rules) {
            return self.with_entries(&path, found, asker);
        }
        // A query says what a bundler makes of the file.
        let plain = specifier.split(['?', '#']).next().unwrap_or_default();
        let path =
            if plain.len() < specifier.len() { join(asker.folder, plain).unwrap_or(path) } else { path };
        if let Some(found) = self.file(&probed(&path), asker.rules) {
            return self.with_entries(&path, found, asker);
        }
        let config = self.config(asker.from);
        let suffixes = config.as_ref().map_or(&[][..], |config| &config.suffixes);
        let found = self.probe.of_platforms(&path, asker.rules, suffixes);
        if !found.is_empty() {
            return found.into_iter().map(Target::File).collect();
        }
        if let Some(found) =
            self.in_roots(asker, config.as_deref(), &path).or_else(|| self.source_of(&path, asker))
        {
            return vec![found];
        }
        vec![self.absent(asker, &path)]
    }

    /// The same path below another of the folders that are as one.
    fn in_roots(&self, asker: &Asker<'_>, config: Option<&Config>, path: &str) -> Option<Target> {
        let roots = &config?.roots;
        let own =
            roots.iter().filter(|root| built::below(root, path).is_some()).max_by_key(|root| root.len())?;
        let rest = built::below(own, path)?;
        let mut others = roots.iter().filter(|root| *root != own);
        if let Some(found) = others.clone().find_map(|root| self.file(&join(root, rest)?, asker.rules)) {
            return Some(Target::File(found));
        }
        // One that a tool fills may have it.
        let is_made = |root: &String| !self.files.has_folder(root) || self.ignored.has(root);
        others.any(is_made).then_some(Target::Builtin)
    }

    /// The source of a file that a build makes.
    fn source_of(&self, path: &str, asker: &Asker<'_>) -> Option<Target> {
        let owner = self.packages.around(folder_of(path)).find(|package| path != package.folder)?;
        self.built_from(&owner, path, asker.rules).map(Target::File)
    }

    fn built_from(&self, package: &Package, path: &str, rules: Rules) -> Option<String> {
        let folder = &package.folder;
        let configs = self.configs.in_folder(folder, &|name| {
            self.packages.first(folder, name).map(|package| package.folder.clone())
        });
        let made: Vec<_> = configs
            .iter()
            .flat_map(|config| config.made.iter().map(|made| (folder.as_str(), made)))
            .collect();
        built::sources(folder, path, &made).into_iter().find_map(|source| self.file(&source, rules))
    }

    /// What is not there: a tool makes it, or it is missing. So is what lies
    /// behind a link, which would be a way around every rule.
    fn absent(&self, asker: &Asker<'_>, path: &str) -> Target {
        if let Some((_, inside)) = path.rsplit_once("node_modules/") {
            return Target::Package(package_name(inside).to_owned());
        }
        // On some machines it is a file that is here under another spelling.
        let is_spelled_otherwise = || {
            let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
            let begins = [path, stem].into_iter();
            begins
                .flat_map(|begin| ENDINGS.map(|ending| format!("{begin}{ending}")))
                .any(|p| self.files.has_folded(&p))
        };
        match self.is_generated(asker, path) && !is_spelled_otherwise() {
            true => Target::Builtin,
            false => Target::Missing,
        }
    }

    fn is_generated(&self, asker: &Asker<'_>, path: &str) -> bool {
        if self.ignored.has(path) {
            let is_compiled = [".js", ".jsx", ".mjs", ".cjs"].iter().any(|ending| path.ends_with(ending));
            // Where all compiled files are ignored, it is the source that is
            // missing.
            if asker.rules == Rules::JavaScript || !is_compiled || self.ignored.has(folder_of(path)) {
                return true;
            }
        }
        let stem = [".js", ".jsx", ".mjs", ".cjs"].iter().find_map(|e| path.strip_suffix(e)).unwrap_or(path);
        // SvelteKit and React Router write types beside every route.
        let (folder, name) = stem.rsplit_once('/').unwrap_or(("", stem));
        if name == "$types" || folder == "+types" || folder.ends_with("/+types") {
            return true;
        }
        let endings: &[&str] = match asker.rules {
            Rules::TypeScript => &[".ts", ".tsx", ".d.ts", ".json"],
            Rules::JavaScript => &[".js", ".mjs", ".cjs", ".json", ".ts"],
        };
        let has = |path: String| self.ignored.has(&path);
        let index = endings.iter().take(2).map(|ending| format!("{stem}/index{ending}"));
        if endings.iter().map(|ending| format!("{stem}{ending}")).chain(index).any(has) {
            return true;
        }
        // What a configuration says that a compiler fills.
        let made = |package: Rc<Package>| {
            let folder = package.folder.as_str();
            let configs = self.configs.in_folder(folder, &|_| None);
            configs.iter().flat_map(|config| &config.made).any(|made| {
                made.folder != folder
                    && !made.folder.is_empty()
                    && built::below(&made.folder, path).is_some()
                    && !self.files.has_folder(&made.folder)
            })
        };
        self.packages.around(folder_of(path)).any(made)
    }

    /// What is not relative.
    fn bare(&self, asker: &Asker<'_>, config: Option<&Config>, specifier: &str, hops: usize) -> Vec<Target> {
        let mut mapped_to_nothing = false;
        if let Some(config) = config {
            for mapping in &config.paths {
                let Some(star) = matched(&mapping.pattern, specifier) else { continue };
                for target in &mapping.targets {
                    let path = target.replacen('*', star, 1);
                    let path = join("", path.split('?').next().unwrap_or_default()).unwrap_or_default();
                    if let Some(found) = self.file(&path, asker.rules) {
                        return vec![Target::File(found)];
                    }
                    if let Some(found) = self.source_of(&path, asker) {
                        return vec![found];
                    }
                    match self.absent(asker, &path) {
                        Target::Missing => mapped_to_nothing |= mapping.pattern != "*",
                        found if mapping.pattern != "*" => return vec![found],
                        _ => {}
                    }
                }
                // Only the most exact pattern counts.
                break;
            }
            if let Some(base) = &config.base
                && let Some(found) =
                    join(base, strip(specifier)).and_then(|path| self.file(&path, asker.rules))
            {
                return vec![Target::File(found)];
            }
        }
        if let Some(rest) = specifier.strip_prefix('/') {
            return vec![self.rooted(asker, strip(rest)).map_or(Target::Missing, Target::File)];
        }
        if specifier.starts_with('#') {
            return self.imported(asker, config, specifier, mapped_to_nothing, hops);
        }
        if let Some((scheme, rest)) = specifier.split_once(':') {
            let rest = rest.trim_start_matches('/');
            return vec![Target::Package(match scheme {
                "npm" | "jsr" => package_name(rest)
                    .rsplit_once('@')
                    .filter(|(n, _)| !n.is_empty())
                    .map_or(package_name(rest), |(n, _)| n)
                    .to_owned(),
                // A place on one machine.
                "file" => return vec![Target::Missing],
                _ => format!("{scheme}:{}", rest.split('/').next().unwrap_or_default()),
            })];
        }
        let specifier = strip(specifier);
        let name = package_name(specifier);
        let mut found = Vec::new();
        for package in self.packages.named(asker.folder, name) {
            let rest = specifier[name.len()..].trim_start_matches('/');
            found.extend(self.part(&package, rest, asker, config));
        }
        if !found.is_empty() {
            return found;
        }
        if let Some(rest) = ["@/", "~/", "~~/", "@@/"].iter().find_map(|alias| specifier.strip_prefix(alias))
        {
            // The alias that bundlers' templates give to the sources.
            return vec![self.rooted(asker, rest).map_or(Target::Missing, Target::File)];
        }
        let is_declared =
            || self.packages.around(asker.folder).any(|package| package.dependency(name).is_some());
        if mapped_to_nothing && !is_declared() {
            return vec![Target::Missing];
        }
        let said = self.packages.said_of(asker.folder, name);
        let real = said.iter().find_map(|(_, said)| real_name(said)).unwrap_or(name);
        vec![Target::Package(real.to_owned())]
    }

    /// A path from the root of the package, or of its sources.
    fn rooted(&self, asker: &Asker<'_>, path: &str) -> Option<String> {
        let folders =
            self.packages.around(asker.folder).map(|package| package.folder.clone()).chain([String::new()]);
        folders.into_iter().find_map(|folder| {
            let roots = ["src", "", "app", "public", "static"];
            roots.iter().find_map(|root| self.file(&join(&join(&folder, root)?, path)?, asker.rules))
        })
    }
}

/// Which conditions hold. Declarations count only where nothing runs.
fn holds(config: Option<&Config>) -> impl Fn(&str) -> bool + '_ {
    move |condition| match condition {
        "import" | "module" | "module-sync" | "node" | "default" | "development" | "source" => true,
        other => config.is_some_and(|config| config.conditions.iter().any(|own| own == other)),
    }
}

fn is_relative(specifier: &str) -> bool {
    specifier.starts_with("./") || specifier.starts_with("../") || matches!(specifier, "." | "..")
}

fn is_source(specifier: &str) -> bool {
    let plain = specifier.split(['?', '#']).next().unwrap_or_default();
    crate::syntax::Language::of(plain.as_bytes()).is_some()
}

/// Without what a bundler is told.
fn strip(specifier: &str) -> &str {
    specifier.split('?').next().unwrap_or_default()
}

/// The package's part of a module's name.
fn package_name(specifier: &str) -> &str {
    let parts = if specifier.starts_with('@') { 2 } else { 1 };
    let end = specifier.match_indices('/').nth(parts - 1).map_or(specifier.len(), |(at, _)| at);
    &specifier[..end]
}

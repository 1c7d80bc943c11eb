//! What packages of the tree let others import, and themselves by `#x`.
//!
//! Every branch counts: which of them is taken is up to whoever runs it, by
//! `require` or `import`, in a browser, in a build for production or with a
//! condition of their own.

use serde_json::Value;

use super::super::super::Target;
use super::super::super::files::join;
use super::super::glob;
use super::config::{Config, matched};
use super::package::{Package, exported};
use super::probe::ENTRIES;
use super::{Asker, Modules, built, builtin, holds};
use crate::syntax::Import;

impl Modules<'_> {
    /// `#x`, by `imports` of the package around.
    pub(super) fn imported(
        &self,
        asker: &Asker<'_>,
        config: Option<&Config>,
        specifier: &str,
        mapped_to_nothing: bool,
        hops: usize,
    ) -> Vec<Target> {
        let package =
            self.packages.around(asker.folder).find(|package| package.manifest.get("imports").is_some());
        let Some(package) = package else {
            // A tool's own, such as a framework makes.
            let name = specifier.split('/').next().unwrap_or(specifier);
            return vec![if mapped_to_nothing { Target::Missing } else { Target::Package(name.to_owned()) }];
        };
        let table = package.manifest.get("imports").unwrap_or(&Value::Null);
        let Some(found) = exported(table, specifier, &holds(config)) else { return vec![Target::Missing] };
        let targets = || found.active.iter().chain(&found.other).map(String::as_str);
        let mut all: Vec<Target> =
            self.among(&package, targets(), asker).into_iter().map(Target::File).collect();
        for other in targets().filter(|target| !target.starts_with(['.', '#', '/'])) {
            let found = match builtin::is_builtin(other) {
                true => vec![Target::Builtin],
                false if hops > 0 => self.bare(asker, config, other, hops - 1),
                false => Vec::new(),
            };
            let is_new = |target: &Target| !all.contains(target);
            let found: Vec<Target> = found.into_iter().filter(is_new).collect();
            all.extend(found);
        }
        // A branch that is not built is none of this tree's.
        if all.iter().any(|target| *target != Target::Missing) {
            all.retain(|target| *target != Target::Missing);
        }
        if all.is_empty() { vec![Target::Missing] } else { all }
    }

    /// A part of a package of the tree.
    pub(super) fn part(
        &self,
        package: &Package,
        rest: &str,
        asker: &Asker<'_>,
        config: Option<&Config>,
    ) -> Vec<Target> {
        let files = |found: Vec<String>| found.into_iter().map(Target::File).collect();
        let key = if rest.is_empty() { ".".to_owned() } else { format!("./{rest}") };
        let manifest = &package.manifest;
        let (mut targets, mut was_exported) = (Vec::new(), false);
        if let Some(table) = manifest.get("exports")
            && let Some(found) = exported(table, &key, &holds(config))
        {
            was_exported = !found.active.is_empty();
            targets.extend(found.active);
            targets.extend(found.other);
        }
        // Tools that know no `exports` take these.
        if rest.is_empty() {
            let entries = ENTRIES.iter().filter_map(|key| manifest.get(key)?.as_str());
            targets.extend(entries.map(|entry| format!("./{entry}")));
        }
        targets.extend(of_version(manifest, rest));
        let found = self.among(package, targets.iter().map(String::as_str), asker);
        if !found.is_empty() {
            return files(found);
        }
        let folder = &package.folder;
        let path = join(folder, if rest.is_empty() { "index" } else { rest });
        let Some(path) = path else { return vec![Target::Missing] };
        let found = self.file(&path, asker.rules).or_else(|| self.built_from(package, &path, asker.rules));
        let guessed = || built::guesses(folder, &key).iter().find_map(|path| self.file(path, asker.rules));
        if let Some(found) = found.or_else(guessed) {
            return files(vec![found]);
        }
        // What a tool makes of something else.
        let is_made = was_exported || rest.is_empty() || self.is_generated(asker, &path);
        vec![if is_made { Target::Package(package.name.clone()) } else { Target::Missing }]
    }

    /// What a path was found to be, and if it is a folder what else its
    /// `package.json` makes of it.
    pub(super) fn with_entries(&self, path: &str, found: String, asker: &Asker<'_>) -> Vec<Target> {
        let is_folder = found.strip_prefix(path).is_none_or(|rest| path.is_empty() || rest.starts_with('/'));
        let mut all = vec![found];
        if is_folder && let Some(package) = self.packages.at(path) {
            let entries = ENTRIES.iter().filter_map(|key| package.manifest.get(key)?.as_str());
            let entries: Vec<String> = entries.map(|entry| format!("./{entry}")).collect();
            let others = self.among(&package, entries.iter().map(String::as_str), asker);
            for other in others.into_iter().filter(|other| !is_declaration(other)) {
                if !all.contains(&other) {
                    all.push(other);
                }
            }
        }
        all.into_iter().map(Target::File).collect()
    }

    /// The files that a pattern names, but for those that it leaves out. None
    /// is fine.
    pub(super) fn matching(&self, asker: &Asker<'_>, import: &Import) -> Vec<Target> {
        let left_out = import.within.iter().filter_map(|pattern| pattern.strip_prefix('!'));
        let left_out: Vec<String> = left_out.flat_map(|pattern| self.patterns(asker, pattern)).collect();
        let mut found = Vec::new();
        for pattern in self.patterns(asker, &import.specifier) {
            let fixed = pattern.find(['*', '?', '[', '\\']).unwrap_or(pattern.len());
            let folder = pattern.get(..fixed).and_then(|start| start.rsplit_once('/'));
            let folder = folder.map_or("", |(folder, _)| folder);
            let named = self.files.below(folder).filter(|path| {
                glob::matches(&pattern, path)
                    && *path != asker.from
                    && !left_out.iter().any(|pattern| glob::matches(pattern, path))
            });
            found.extend(named.map(|path| Target::File(path.to_owned())));
        }
        if found.is_empty() {
            found.push(Target::Builtin);
        }
        found
    }

    /// What a pattern is as seen from the root of the tree; several, where it
    /// is not relative.
    fn patterns(&self, asker: &Asker<'_>, pattern: &str) -> Vec<String> {
        // `@(a|b)` and its like are as good as a star.
        let mut plain = pattern.to_owned();
        while let Some(open) = ["@(", "?(", "+(", "*(", "!("].iter().filter_map(|sign| plain.find(sign)).min()
        {
            let Some(close) = plain.get(open..).and_then(|rest| rest.find(')')) else { break };
            plain.replace_range(open..=open + close, "*");
        }
        let alias = ["@/", "~/", "/"].iter().find_map(|alias| plain.strip_prefix(alias));
        let roots: Vec<String> = match alias {
            None => vec![asker.folder.to_owned()],
            Some(_) => {
                let packages = self.packages.around(asker.folder).map(|package| package.folder.clone());
                let folders = packages.chain([String::new()]);
                folders
                    .flat_map(|folder| [join(&folder, "src"), Some(folder)].into_iter().flatten())
                    .collect()
            }
        };
        let rest = alias.unwrap_or(&plain);
        let seen =
            roots.iter().flat_map(|root| glob::expanded(rest).into_iter().filter_map(|p| join(root, &p)));
        seen.collect()
    }

    /// The files of the package that these are, or are made of, each once.
    /// Declarations count only where nothing runs.
    fn among<'t>(
        &self,
        package: &Package,
        targets: impl Iterator<Item = &'t str>,
        asker: &Asker<'_>,
    ) -> Vec<String> {
        let (mut found, mut declared) = (Vec::new(), Vec::new());
        for target in targets.filter(|target| target.starts_with('.')) {
            let Some(path) = join(&package.folder, target) else { continue };
            let file = match self.files.has(&path) {
                true => Some(path),
                false => {
                    self.file(&path, asker.rules).or_else(|| self.built_from(package, &path, asker.rules))
                }
            };
            let Some(file) = file else { continue };
            let list = if is_declaration(&file) { &mut declared } else { &mut found };
            if !list.contains(&file) {
                list.push(file);
            }
        }
        if found.is_empty() { declared } else { found }
    }
}

fn is_declaration(path: &str) -> bool {
    [".d.ts", ".d.mts", ".d.cts"].iter().any(|ending| path.ends_with(ending))
}

/// What `typesVersions` says for any version of TypeScript.
fn of_version(manifest: &Value, rest: &str) -> Vec<String> {
    let versions = manifest.get("typesVersions").and_then(Value::as_object);
    let mappings = versions.into_iter().flat_map(|versions| versions.values().filter_map(Value::as_object));
    let whole = || ["types", "typings"].iter().find_map(|key| manifest.get(key)?.as_str());
    let asked = if rest.is_empty() { whole().unwrap_or("index.d.ts") } else { rest };
    let asked = asked.trim_start_matches("./");
    let mut found = Vec::new();
    for (pattern, targets) in mappings.flatten() {
        let Some(star) = matched(pattern.trim_start_matches("./"), asked) else { continue };
        let targets = targets.as_array().into_iter().flatten().filter_map(Value::as_str);
        found.extend(targets.map(|target| format!("./{}", target.replacen('*', star, 1))));
    }
    found
}

//! What `package.json` has bundlers and loaders put in place of files and
//! modules: `browser`, `react-native`, `alias` and `_moduleAliases`.

use std::rc::Rc;

use serde_json::Value;

use super::super::super::Target;
use super::super::super::files::{folder_of, join};
use super::package::Package;
use super::probe::Rules;
use super::{Asker, HOPS, Modules};

/// Whom a replacement is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    /// Some tools; the others load what is named.
    Some,
    /// Everybody.
    All,
    /// Everybody, and it is a path.
    Paths,
}

/// The fields that replace.
const FIELDS: [(&str, For); 4] = [
    ("browser", For::Some),
    ("react-native", For::Some),
    ("alias", For::All),
    ("_moduleAliases", For::Paths),
];

/// What a package replaces.
#[derive(Debug)]
pub(super) struct Replaced {
    package: Rc<Package>,
    /// Files, each with what stands for it.
    files: Vec<(String, String)>,
    /// Modules by name, each with what stands for it.
    names: Vec<(String, String, For)>,
}

impl Modules<'_> {
    /// Adds what some tool loads in place of what was found.
    pub(super) fn replace(&self, asker: &Asker<'_>, specifier: &str, found: &mut Vec<Target>) {
        let mut more = Vec::new();
        for target in found.iter() {
            let Target::File(path) = target else { continue };
            let Some(replaced) = self.replaced_in(folder_of(path)) else { continue };
            for (_, with) in replaced.files.iter().filter(|(file, _)| file == path) {
                more.extend(self.stands_in(asker, &replaced.package, with, "", For::Some));
            }
        }
        if !super::is_relative(specifier)
            && let Some(replaced) = self.replaced_in(asker.folder)
        {
            for (name, with, whom) in &replaced.names {
                let Some(rest) = specifier.strip_prefix(name.as_str()) else { continue };
                if !rest.is_empty() && !rest.starts_with('/') && !name.ends_with('/') {
                    continue;
                }
                let instead = self.stands_in(asker, &replaced.package, with, rest, *whom);
                if *whom != For::Some && !instead.is_empty() {
                    found.retain(|target| matches!(target, Target::File(_)));
                }
                more.extend(instead);
            }
        }
        more.retain(|target| !found.contains(target));
        found.append(&mut more);
    }

    /// What a replacement leads to.
    fn stands_in(
        &self,
        asker: &Asker<'_>,
        package: &Package,
        with: &str,
        rest: &str,
        whom: For,
    ) -> Vec<Target> {
        let path = join(&package.folder, with).and_then(|path| join(&path, rest));
        let file = path.as_ref().and_then(|path| {
            self.file(path, asker.rules).or_else(|| self.built_from(package, path, asker.rules))
        });
        match (file, path) {
            (Some(file), _) => vec![Target::File(file)],
            (None, Some(path)) if whom == For::Paths => vec![self.absent(asker, &path)],
            _ if with.starts_with(['.', '/']) => Vec::new(),
            _ => self.bare(asker, None, &format!("{with}{rest}"), HOPS),
        }
    }

    /// What the package around a folder replaces, if anything.
    fn replaced_in(&self, folder: &str) -> Option<Rc<Replaced>> {
        if let Some(known) = self.replaced.borrow().get(folder) {
            return known.clone();
        }
        let replaces = |package: &Rc<Package>| {
            FIELDS.iter().any(|(field, _)| package.manifest.get(field).is_some_and(Value::is_object))
        };
        let own = self.packages.around(folder).find(replaces);
        let found = own.map(|package| {
            let known = self.replaced.borrow().get(&package.folder).cloned().flatten();
            known.unwrap_or_else(|| Rc::new(self.read_replaced(package)))
        });
        let mut known = self.replaced.borrow_mut();
        if let Some(found) = &found {
            known.insert(found.package.folder.clone(), Some(found.clone()));
        }
        known.insert(folder.to_owned(), found.clone());
        found
    }

    fn read_replaced(&self, package: Rc<Package>) -> Replaced {
        let (mut files, mut names) = (Vec::new(), Vec::new());
        for (field, whom) in FIELDS {
            for (key, with) in package.manifest.get(field).and_then(Value::as_object).into_iter().flatten() {
                // `false` is an empty module.
                let Some(with) = with.as_str() else { continue };
                if !key.starts_with("./") {
                    names.push((key.clone(), with.to_owned(), whom));
                }
                // Some write files without `./`.
                let Some(path) = join(&package.folder, key) else { continue };
                let file = self.file(&path, Rules::JavaScript);
                let file = file.or_else(|| self.built_from(&package, &path, Rules::JavaScript));
                files.extend(file.map(|file| (file, with.to_owned())));
            }
        }
        Replaced { package, files, names }
    }
}

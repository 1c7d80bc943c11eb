//! What imports lead to, as each language has it.

mod python;
mod rust;
mod typescript;

use super::files::Files;
use super::{Edge, Note, Target};
use crate::syntax::{Import, Language};

/// What the rules say about how imports are resolved.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Folders that Python's module names begin at, beside those that are
    /// found; relative to the root.
    pub python_roots: Vec<String>,
}

/// Resolves imports in one tree. Nothing is read before it is needed.
pub struct Resolver<'f> {
    files: &'f Files<'f>,
    crates: rust::Crates<'f>,
    packages: python::Roots<'f>,
    modules: typescript::Modules<'f>,
}

impl<'f> Resolver<'f> {
    /// A resolver for these files.
    pub fn new(files: &'f Files<'f>, options: &Options) -> Self {
        Self {
            files,
            crates: rust::Crates::new(files),
            packages: python::Roots::new(files, &options.python_roots),
            modules: typescript::Modules::new(files),
        }
    }

    /// What the imports of one source lead to.
    pub fn edges_of(&self, from: &str) -> Vec<Edge> {
        let Some(language) = Language::of(from.as_bytes()) else { return Vec::new() };
        let mut edges = Vec::new();
        for import in self.files.imports(from).iter() {
            let targets: Vec<Target> = match language {
                Language::Rust => self.crates.resolve(from, import),
                Language::Python => self.packages.resolve(from, import),
                Language::TypeScript | Language::Tsx => self.modules.resolve(from, import),
            };
            edges.extend(targets.into_iter().map(|target| edge(from, import, target)));
        }
        edges.sort();
        edges.dedup();
        edges
    }

    /// What was noticed on the way. Complete after all sources that matter
    /// were resolved.
    pub fn notes(&self) -> Vec<Note> {
        let mut notes = [self.crates.notes(), self.packages.notes(), self.modules.notes()].concat();
        notes.sort();
        notes.dedup();
        notes
    }
}

fn edge(from: &str, import: &Import, target: Target) -> Edge {
    Edge { from: from.to_owned(), import: import.clone(), target }
}

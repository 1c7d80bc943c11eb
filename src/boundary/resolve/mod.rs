//! What imports lead to, as each language has it.

mod python;
mod rust;
mod typescript;

use super::files::Files;
use super::{Edge, Target};
use crate::syntax::{Import, Language};

/// Resolves every import of every file.
pub fn resolve(files: &Files) -> Vec<Edge> {
    let crates = rust::Crates::new(files);
    let packages = python::Roots::new(files);
    let modules = typescript::Modules::new(files);
    let mut edges = Vec::new();
    for (from, imports) in &files.imports {
        let Some(language) = Language::of(from.as_bytes()) else { continue };
        for import in imports {
            let targets: Vec<Target> = match language {
                Language::Rust => vec![crates.resolve(from, import)],
                Language::Python => packages.resolve(from, import),
                Language::TypeScript | Language::Tsx => vec![modules.resolve(from, import)],
            };
            edges.extend(targets.into_iter().map(|target| edge(from, import, target)));
        }
    }
    edges.sort();
    edges.dedup();
    edges
}

fn edge(from: &str, import: &Import, target: Target) -> Edge {
    Edge { from: from.to_owned(), import: import.clone(), target }
}

//! What imports lead to, as each language has it.

mod glob;
mod ignored;
mod jsonc;
mod python;
mod rust;
mod typescript;

use std::rc::Rc;

use super::files::Files;
use super::{Edge, Listed, Note, Target};
use crate::syntax::Language;

/// What the rules say about how imports are resolved.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Folders that Python's module names begin at, beside those that are
    /// found; relative to the root.
    pub python_roots: Vec<String>,
    /// Whether all sources are resolved, so that it costs nothing to find out
    /// first what takes them in from afar.
    pub is_whole: bool,
}

/// The longest specifier that is looked up, in bytes: no system opens a file
/// by a longer path.
const LONGEST: usize = 4096;
/// The most folders, packages or modules that it may lead through.
const DEEPEST: usize = 256;

/// Whether nothing can have this name. An address with its data in it is one
/// by itself.
fn is_no_path(specifier: &str) -> bool {
    let steps = || specifier.bytes().filter(|byte| matches!(byte, b'/' | b'.' | b':')).count();
    !specifier.starts_with("data:")
        && specifier.len() > DEEPEST
        && (specifier.len() > LONGEST || steps() > 2 * DEEPEST)
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
            crates: rust::Crates::new(files, options.is_whole),
            packages: python::Roots::new(files, &options.python_roots),
            modules: typescript::Modules::new(files),
        }
    }

    /// What the imports of one source lead to.
    pub fn edges_of(&self, from: &str) -> Vec<Edge> {
        self.counted(from).1
    }

    /// How many imports a source has, and what they lead to.
    pub fn counted(&self, from: &str) -> (usize, Vec<Edge>) {
        let Some(language) = Language::of(from.as_bytes()) else { return (0, Vec::new()) };
        let (from, imports) = (Rc::<str>::from(from), self.files.imports(from));
        // In the order of the text, as the imports are.
        let mut edges = Vec::with_capacity(imports.len());
        for (at, import) in imports.iter().enumerate() {
            let from_path = &*from;
            let mut targets: Vec<Target> = match language {
                _ if is_no_path(&import.specifier) => vec![Target::Missing],
                Language::Rust => self.crates.resolve(from_path, import),
                Language::Python => self.packages.resolve(from_path, import),
                Language::TypeScript | Language::Tsx => self.modules.resolve(from_path, import),
            };
            for target in &mut targets {
                if let Target::File(path) = target {
                    let real = self.files.real(path);
                    if real != path {
                        *path = real.to_owned();
                    }
                }
            }
            targets.sort();
            targets.dedup();
            let edge = |target| Edge { from: from.clone(), import: Listed::new(&imports, at), target };
            edges.extend(targets.into_iter().map(edge));
        }
        (imports.len(), edges)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boundary::files::Content;
    use crate::syntax::{Import, Kind};

    /// One source in each language, with names of this many steps.
    struct Endless(usize);

    impl Content for Endless {
        fn imports(&self, path: &str) -> Vec<Import> {
            let step = match path.rsplit('.').next() {
                Some("py") => "a.",
                Some("rs") => "crate::a::",
                _ => "./a/../",
            };
            let import = |n| Import {
                line: 1,
                specifier: format!("{}x{n}", step.repeat(self.0)),
                names: Vec::new(),
                kind: Kind::Static,
                exported: false,
                within: Vec::new(),
            };
            (0..50).map(import).collect()
        }
        fn script(&self, _: &str) -> Option<Vec<Import>> {
            None
        }
        fn setting(&self, path: &str) -> Vec<u8> {
            match path {
                "Cargo.toml" => b"[package]\nname = 'x'\n[lib]\npath = 'x.rs'".to_vec(),
                ".gitignore" => (0..300).map(|n| format!("x{n}/**/y{n}\n")).collect::<String>().into(),
                _ => Vec::new(),
            }
        }
    }

    #[test]
    fn names_without_end_lead_nowhere_in_every_language() {
        let paths = vec![".gitignore", "Cargo.toml", "a/b.ts", "x.py", "x.rs", "x.ts"];
        for steps in [60, 250, 2_000, 100_000] {
            let content = Endless(steps);
            let files = Files::new(paths.clone(), &content);
            let resolver = Resolver::new(&files, &Options { python_roots: Vec::new(), is_whole: true });
            for path in ["x.ts", "x.py", "x.rs"] {
                let (count, edges) = resolver.counted(path);
                assert_eq!(count, 50);
                let is_file = |edge: &Edge| matches!(edge.target, Target::File(_));
                assert!(!edges.iter().any(is_file), "{path} with {steps} steps");
            }
        }
    }
}

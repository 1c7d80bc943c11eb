//! What calls import: names that end inside of a module, and files.

use super::super::super::Target;
use super::super::super::files::{folder_of, join};
use super::Roots;
use super::folders::inside;
use crate::syntax::{Import, READY};

impl Roots<'_> {
    /// The longest part of a name that is a module.
    pub(super) fn longest(&self, from: &str, import: &Import) -> Vec<Target> {
        let mut import = Import { within: vec![READY.to_owned()], ..import.clone() };
        loop {
            let targets = self.module(from, &import);
            if !targets.is_empty() {
                return targets;
            }
            match import.specifier.rfind('.') {
                Some(end) if end > 0 => import.specifier.truncate(end),
                _ => return targets,
            }
        }
    }

    /// The file at a path that is run, seen from the root or from the folder
    /// of the file that runs it.
    pub(super) fn run(&self, from: &str, path: &str) -> Vec<Target> {
        let found = ["", folder_of(from)].into_iter().find_map(|folder| {
            let path = join(folder, path)?;
            let main = inside(&path, "__main__.py");
            [path, main].into_iter().find(|path| self.files.has(path))
        });
        found.map(Target::File).into_iter().collect()
    }
}

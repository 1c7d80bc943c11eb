//! The files of one tree.

use std::collections::{BTreeMap, BTreeSet};

use crate::syntax::Import;

/// The files of one tree: their names, what sources import, and the content
/// of those that configure a language.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Every path, relative to the root, with `/`.
    pub paths: BTreeSet<String>,
    /// What each source imports.
    pub imports: BTreeMap<String, Vec<Import>>,
    /// The content of the files that configure a language.
    pub settings: BTreeMap<String, Vec<u8>>,
}

impl Files {
    /// Whether there is a file at this path.
    pub fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Whether there is a folder at this path, that is a file below it.
    pub fn has_folder(&self, path: &str) -> bool {
        if path.is_empty() {
            return !self.paths.is_empty();
        }
        let below = format!("{path}/");
        self.paths.range(below.clone()..).next().is_some_and(|first| first.starts_with(&below))
    }

    /// The files of this name, with the folder each lies in.
    pub fn settings_named<'f>(&'f self, name: &'f str) -> impl Iterator<Item = (&'f str, &'f [u8])> {
        self.settings.iter().filter_map(move |(path, content)| {
            let folder = path.strip_suffix(name)?;
            (folder.is_empty() || folder.ends_with('/')).then(|| (folder.trim_end_matches('/'), &content[..]))
        })
    }
}

/// Whether a file configures how a language finds its modules.
pub fn is_setting(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name, "Cargo.toml" | "package.json" | "pyproject.toml" | "setup.cfg" | "pnpm-workspace.yaml")
        || (name.starts_with("tsconfig") || name.starts_with("jsconfig")) && name.ends_with(".json")
}

/// The folder of a path; empty for the root.
pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `path` as seen from `folder`, without `.` and `..`; none if it leads out
/// of the tree.
pub fn join(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_within_the_tree() {
        assert_eq!(join("a/b", "../c").as_deref(), Some("a/c"));
        assert_eq!(join("", "./x//y").as_deref(), Some("x/y"));
        assert_eq!(join("a", "../../x"), None);
    }

    #[test]
    fn a_folder_is_where_files_are() {
        let files = Files { paths: ["a/b/c".into(), "ab".into()].into(), ..Files::default() };
        assert!(files.has_folder("a") && files.has_folder("a/b") && files.has_folder(""));
        assert!(!files.has_folder("ab") && !files.has_folder("a/b/c"));
    }
}

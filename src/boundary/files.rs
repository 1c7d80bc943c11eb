//! The files of one tree.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use foldhash::fast::RandomState;

use super::links::Links;
use crate::syntax::{Import, Kind, Language};

/// Where the content of files comes from, asked for as it is needed: a change
/// to ten files of ten thousand must not read them all.
pub trait Content {
    /// What a source imports; nothing for a file that could not be read,
    /// which is reported elsewhere.
    fn imports(&self, path: &str) -> Vec<Import>;
    /// What a file imports where it is run as JavaScript, whatever it is; none
    /// if nobody can tell.
    fn script(&self, path: &str) -> Option<Vec<Import>>;
    /// The bytes of a file that configures a language.
    fn setting(&self, path: &str) -> Vec<u8>;
}

/// The files of one tree: their names, what sources import, and the content
/// of those that configure a language.
pub struct Files<'c> {
    /// Every path, relative to the root, with `/`; sorted, none twice.
    paths: Vec<Cow<'c, str>>,
    /// The same, for the question that is asked most.
    known: HashSet<Cow<'c, str>, RandomState>,
    /// Those of files that configure a language; sorted.
    settings: Vec<String>,
    content: &'c dyn Content,
    /// Files behind links, each with the file that it is.
    aliases: BTreeMap<String, String>,
    /// Links that lead nowhere here.
    astray: BTreeSet<String>,
    /// Every path in lower case.
    folded: OnceCell<HashSet<String, RandomState>>,
    read: RefCell<HashMap<String, Rc<[u8]>>>,
}

impl<'c> Files<'c> {
    /// The files at `paths`.
    pub fn new(paths: Vec<impl Into<Cow<'c, str>>>, content: &'c dyn Content) -> Self {
        let mut paths: Vec<Cow<'c, str>> = paths.into_iter().map(Into::into).collect();
        if !paths.is_sorted() {
            paths.sort_unstable();
        }
        paths.dedup();
        let settings = paths.iter().filter(|path| is_setting(path)).map(|path| path.to_string()).collect();
        let known = paths.iter().cloned().collect();
        Self {
            paths,
            known,
            settings,
            content,
            aliases: BTreeMap::new(),
            astray: BTreeSet::new(),
            folded: OnceCell::new(),
            read: RefCell::default(),
        }
    }

    /// The files at `paths`, and those behind links.
    pub fn with_links(mut paths: Vec<Cow<'c, str>>, links: Links, content: &'c dyn Content) -> Self {
        let Links { aliases, astray } = links;
        paths.extend(aliases.keys().cloned().map(Cow::Owned));
        Self { aliases, astray, ..Self::new(paths, content) }
    }

    /// The file that a path is, which another one behind a link is too.
    pub fn real<'p>(&'p self, path: &'p str) -> &'p str {
        self.aliases.get(path).map_or(path, String::as_str)
    }

    /// Whether a link that leads nowhere here is what a path means, with an
    /// ending or without: where it leads on another machine nobody judges.
    pub fn goes_astray(&self, path: &str) -> bool {
        const BEHIND: [&str; 4] = [".", "/index.", "/__init__.", "/package.json"];
        self.astray.iter().any(|link| {
            let is_below = || path.strip_prefix(&**link).is_some_and(|rest| rest.starts_with('/'));
            let ending = || link.strip_prefix(path).unwrap_or_default();
            link == path || is_below() || BEHIND.iter().any(|behind| ending().starts_with(behind))
        })
    }

    /// Every path, sorted.
    pub fn paths(&self) -> &[Cow<'c, str>] {
        &self.paths
    }

    /// Whether there is a file at this path.
    pub fn has(&self, path: &str) -> bool {
        self.known.contains(path)
    }

    /// Whether a machine that does not tell large letters from small ones would
    /// find a file at this path.
    pub fn has_folded(&self, path: &str) -> bool {
        let fold = || self.paths.iter().map(|path| path.to_lowercase()).collect();
        self.folded.get_or_init(fold).contains(&path.to_lowercase())
    }

    /// Whether there is a folder at this path, that is a file below it.
    pub fn has_folder(&self, path: &str) -> bool {
        if path.is_empty() { !self.paths.is_empty() } else { self.below(path).next().is_some() }
    }

    /// The files below a folder, at any depth; all for the root.
    pub fn below<'f>(&'f self, folder: &str) -> impl Iterator<Item = &'f str> + use<'f, 'c> {
        let start = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let first = self.paths.partition_point(|path| &**path < start.as_str());
        let rest = self.paths.get(first..).unwrap_or_default();
        rest.iter().map(|path| &**path).take_while(move |path| path.starts_with(&start))
    }

    /// The sources in a language that imports are read in.
    pub fn sources(&self) -> impl Iterator<Item = (&str, Language)> {
        self.paths.iter().filter_map(|path| Some((&**path, Language::of(path.as_bytes())?)))
    }

    /// What a source imports. It is not kept: of a large tree it would not
    /// fit, and each source is asked for once or twice.
    pub fn imports(&self, path: &str) -> Rc<[Import]> {
        if !self.has(path) {
            return Rc::default();
        }
        let mut imports = self.content.imports(self.real(path));
        // A stub never runs.
        if path.ends_with(".pyi") {
            imports.iter_mut().for_each(|import| import.kind = Kind::Type);
        }
        imports.into()
    }

    /// What a file imports where it is run as JavaScript, whatever it is; none
    /// if nobody can tell.
    pub fn script(&self, path: &str) -> Option<Vec<Import>> {
        if self.has(path) { self.content.script(self.real(path)) } else { Some(Vec::new()) }
    }

    /// The content of a file that configures a language; none if there is no
    /// such file. Settings may name others, which can have any name.
    pub fn setting(&self, path: &str) -> Option<Rc<[u8]>> {
        if !self.has(path) {
            return None;
        }
        if let Some(known) = self.read.borrow().get(path) {
            return Some(known.clone());
        }
        let content: Rc<[u8]> = self.content.setting(self.real(path)).into();
        self.read.borrow_mut().insert(path.to_owned(), content.clone());
        Some(content)
    }

    /// The lists of what Python's installer is to install.
    pub fn requirements(&self) -> impl Iterator<Item = Rc<[u8]>> {
        self.settings.iter().filter(|path| is_requirements(path)).filter_map(|path| self.setting(path))
    }

    /// The settings of this name, each with the folder that it lies in.
    pub fn settings_named<'f>(&'f self, name: &'f str) -> impl Iterator<Item = (&'f str, Rc<[u8]>)> {
        self.settings.iter().filter_map(move |path| {
            let folder = path.strip_suffix(name)?;
            let is_named = folder.is_empty() || folder.ends_with('/');
            is_named.then(|| Some((folder.trim_end_matches('/'), self.setting(path)?))).flatten()
        })
    }
}

/// Whether a file lists what Python's installer is to install.
pub fn is_requirements(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_list = name.ends_with(".txt") || name.ends_with(".in");
    is_list && (name.starts_with("requirements") || folder.split('/').any(|part| part == "requirements"))
}

/// Whether a file configures how a language finds its modules.
pub fn is_setting(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    is_requirements(path)
        || matches!(
            name,
            "Cargo.toml"
                | "package.json"
                | "pyproject.toml"
                | "setup.cfg"
                | "pnpm-workspace.yaml"
                | ".gitignore"
        )
        || matches!(
            name,
            "setup.py"
                | "pytest.ini"
                | ".pytest.ini"
                | "tox.ini"
                | "mypy.ini"
                | ".mypy.ini"
                | "pyrightconfig.json"
                | "pyrefly.toml"
                | "ty.toml"
                | "hatch.toml"
                | "pytest.toml"
                | ".pytest.toml"
                | "ruff.toml"
                | ".ruff.toml"
        )
        || (name.contains("tsconfig") || name.contains("jsconfig")) && name.ends_with(".json")
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

    struct Nothing;

    impl Content for Nothing {
        fn imports(&self, _: &str) -> Vec<Import> {
            Vec::new()
        }
        fn script(&self, _: &str) -> Option<Vec<Import>> {
            None
        }
        fn setting(&self, _: &str) -> Vec<u8> {
            Vec::new()
        }
    }

    #[test]
    fn paths_are_joined_within_the_tree() {
        assert_eq!(join("a/b", "../c").as_deref(), Some("a/c"));
        assert_eq!(join("", "./x//y").as_deref(), Some("x/y"));
        assert_eq!(join("a", "../../x"), None);
    }

    struct Each;

    impl Content for Each {
        fn imports(&self, _: &str) -> Vec<Import> {
            crate::syntax::imports(Language::Python, b"import a\n__import__('b')").unwrap()
        }
        fn script(&self, _: &str) -> Option<Vec<Import>> {
            None
        }
        fn setting(&self, _: &str) -> Vec<u8> {
            Vec::new()
        }
    }

    #[test]
    fn a_stub_imports_for_types_only() {
        let files = Files::new(vec!["a.py", "a.pyi"], &Each);
        let kinds = |path| files.imports(path).iter().map(|import| import.kind).collect::<Vec<_>>();
        assert_eq!(kinds("a.py"), [Kind::Static, Kind::Dynamic]);
        assert_eq!(kinds("a.pyi"), [Kind::Type, Kind::Type]);
    }

    #[test]
    fn a_folder_is_where_files_are() {
        let files = Files::new(vec!["ab", "a/b/c", "a-b", "ab"], &Nothing);
        assert!(files.has_folder("a") && files.has_folder("a/b") && files.has_folder(""));
        assert!(!files.has_folder("ab") && !files.has_folder("a/b/c") && !files.has_folder("a/"));
        assert_eq!(files.below("a").collect::<Vec<_>>(), ["a/b/c"]);
        assert_eq!(files.paths(), ["a-b", "a/b/c", "ab"]);
    }
}

//! What `.gitignore` leaves out of the repository: a tool makes it, so that
//! nobody can miss it here.

use crate::boundary::HashMap;
use std::cell::RefCell;
use std::rc::Rc;

use super::super::files::{Files, folder_of};
use super::glob;

/// The most folders whose answer is remembered.
const REMEMBERED: usize = 20_000;

/// A line of a `.gitignore`.
struct Rule {
    pattern: String,
    keeps: bool,
    only_folders: bool,
    /// Whether it is about paths, not about names wherever they are.
    anchored: bool,
}

/// The ignore files of a tree, read as they are needed.
pub(super) struct Ignored<'f> {
    files: &'f Files<'f>,
    /// By folder; none where there is no such folder.
    rules: RefCell<HashMap<String, Option<Rc<[Rule]>>>>,
    /// Whether folders are left out, as far as was asked.
    folders: RefCell<HashMap<String, bool>>,
}

impl<'f> Ignored<'f> {
    pub(super) fn new(files: &'f Files<'f>) -> Self {
        Self { files, rules: RefCell::default(), folders: RefCell::default() }
    }

    /// Whether git leaves this path out, or a folder that it lies in.
    pub(super) fn has(&self, path: &str) -> bool {
        self.has_folder(folder_of(path)) || is_out_by(&self.lists(path), path, false)
    }

    fn has_folder(&self, folder: &str) -> bool {
        if folder.is_empty() {
            return false;
        }
        let mut known = self.folders.borrow_mut();
        if let Some(is_out) = known.get(folder) {
            return *is_out;
        }
        if known.len() > REMEMBERED {
            known.clear();
        }
        let lists = self.lists(folder);
        let mut is_out = false;
        for end in folder.match_indices('/').map(|(at, _)| at).chain([folder.len()]) {
            let part = &folder[..end];
            is_out = match known.get(part) {
                Some(is_out) => *is_out,
                None => is_out || is_out_by(&lists, part, true),
            };
            known.insert(part.to_owned(), is_out);
        }
        is_out
    }

    /// The rules that may be about a path, each list with where what its
    /// patterns are about begins. Below a folder that is not there is none.
    fn lists(&self, path: &str) -> Vec<(usize, Rc<[Rule]>)> {
        let begins = std::iter::once(0).chain(path.match_indices('/').map(|(at, _)| at + 1));
        let lists = begins.map_while(|below| Some((below, self.rules(path[..below].trim_end_matches('/'))?)));
        lists.filter(|(_, rules)| !rules.is_empty()).collect()
    }

    /// The lines of a folder's own file; none if there is no such folder.
    fn rules(&self, folder: &str) -> Option<Rc<[Rule]>> {
        if let Some(known) = self.rules.borrow().get(folder) {
            return known.clone();
        }
        let rules = self.files.has_folder(folder).then(|| {
            let path =
                if folder.is_empty() { ".gitignore".to_owned() } else { format!("{folder}/.gitignore") };
            let content = self.files.setting(&path);
            let text = content.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            text.lines().filter_map(Rule::new).collect()
        });
        self.rules.borrow_mut().insert(folder.to_owned(), rules.clone());
        rules
    }
}

fn is_out_by(lists: &[(usize, Rc<[Rule]>)], path: &str, is_folder: bool) -> bool {
    let mut is_out = false;
    for (below, rules) in lists {
        let Some(path) = path.get(*below..) else { continue };
        for rule in rules.iter().filter(|rule| is_folder || !rule.only_folders) {
            if rule.matches(path) {
                is_out = !rule.keeps;
            }
        }
    }
    is_out
}

impl Rule {
    fn new(line: &str) -> Option<Self> {
        let line = line.trim_end();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let (keeps, line) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let pattern = line.trim_end_matches('/');
        let anchored = pattern.contains('/');
        (!pattern.is_empty()).then(|| Self {
            pattern: pattern.trim_start_matches('/').to_owned(),
            keeps,
            only_folders: line.ends_with('/'),
            anchored,
        })
    }

    fn matches(&self, path: &str) -> bool {
        if self.anchored {
            glob::matches(&self.pattern, path)
        } else {
            glob::is_part(&self.pattern, path.rsplit('/').next().unwrap_or(path))
        }
    }
}

//! What `.gitignore` leaves out of the repository: a tool makes it, so that
//! nobody can miss it here.

use crate::boundary::HashMap;
use std::cell::RefCell;
use std::rc::Rc;

use super::super::files::Files;
use super::glob;

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
    rules: RefCell<HashMap<String, Rc<[Rule]>>>,
}

impl<'f> Ignored<'f> {
    pub(super) fn new(files: &'f Files<'f>) -> Self {
        Self { files, rules: RefCell::default() }
    }

    /// Whether git leaves this path out.
    pub(super) fn has(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| at);
        ends.map(|end| (&path[..end], true)).chain([(path, false)]).any(|(part, is_folder)| {
            let mut ignored = false;
            let folders = std::iter::once(0).chain(part.match_indices('/').map(|(at, _)| at + 1));
            for below in folders {
                let folder = part[..below].trim_end_matches('/');
                for rule in self.rules(folder).iter() {
                    if rule.matches(&part[below..]) && (is_folder || !rule.only_folders) {
                        ignored = !rule.keeps;
                    }
                }
            }
            ignored
        })
    }

    fn rules(&self, folder: &str) -> Rc<[Rule]> {
        if let Some(known) = self.rules.borrow().get(folder) {
            return known.clone();
        }
        let path = if folder.is_empty() { ".gitignore".to_owned() } else { format!("{folder}/.gitignore") };
        let content = self.files.setting(&path);
        let text = content.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
        let rules: Rc<[Rule]> = text.lines().filter_map(Rule::new).collect();
        self.rules.borrow_mut().insert(folder.to_owned(), rules.clone());
        rules
    }
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

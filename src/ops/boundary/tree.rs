//! The files of one tree, read as they are needed.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

use super::unreadable;
use crate::boundary::files::{Content, Files};
use crate::boundary::links::follow;
use crate::gate::finding::Finding;
use crate::git::{Entry, GitErrorClass};
use crate::ops::boundary::Reader;
use crate::ops::error::Error;
use crate::syntax::{Import, Language};

/// The largest setting that is read, in bytes.
const SETTING: usize = 4 << 20;
/// The longest target of a link, in bytes.
const LINK: usize = 4096;
/// Why nobody knows what a file that two branches changed says.
const IN_CONFLICT: &str = "it is in conflict";

/// The files of one commit or of the index.
pub(super) struct Tree<'t, 'r> {
    reader: &'t Reader<'r>,
    /// By path, sorted, none twice.
    entries: Vec<(&'t str, &'t Entry)>,
    failed: RefCell<Failed>,
}

/// What went wrong while files were read.
#[derive(Default)]
struct Failed {
    findings: Vec<Finding>,
    error: Option<Error>,
}

impl<'t, 'r> Tree<'t, 'r> {
    /// The tree with these entries. What nobody can read is found at once.
    pub(super) fn new(reader: &'t Reader<'r>, entries: &'t [Entry]) -> Self {
        let mut tree =
            Self { reader, entries: Vec::with_capacity(entries.len()), failed: RefCell::default() };
        for entry in entries {
            let is_source = entry.is_file && Language::of(&entry.path).is_some();
            let why = match std::str::from_utf8(&entry.path) {
                // No import can name it, but it may have some.
                Err(_) => "its name is not UTF-8, so that nothing can import it",
                Ok(path) => {
                    tree.entries.push((path, entry));
                    if !entry.is_unmerged {
                        continue;
                    }
                    IN_CONFLICT
                }
            };
            if is_source {
                tree.failed.get_mut().findings.push(unreadable(entry, why));
            }
        }
        if !tree.entries.is_sorted_by_key(|(path, _)| path) {
            tree.entries.sort_by_key(|(path, _)| *path);
        }
        // The sides of a conflict.
        tree.entries.dedup_by_key(|(path, _)| *path);
        tree
    }

    /// All files, ready to be resolved.
    pub(super) fn files(&self) -> Files<'_> {
        let links = self.links();
        if links.is_empty() {
            return Files::new(self.entries.iter().map(|(path, _)| *path).collect(), self);
        }
        let kept = self.entries.iter().filter(|(_, entry)| !entry.is_link).map(|(path, _)| *path);
        let files: Vec<&str> = kept.collect();
        let links = follow(&files, &links);
        Files::with_links(files.into_iter().map(Cow::Borrowed).collect(), links, self)
    }

    /// Where each symbolic link leads; one that cannot be read leads nowhere.
    fn links(&self) -> BTreeMap<&'t str, String> {
        let links = self.entries.iter().filter(|(_, entry)| entry.is_link);
        links
            .map(|(path, entry)| {
                let content = self.reader.repo.read_blob(entry.oid, LINK).unwrap_or_default();
                (*path, String::from_utf8(content).unwrap_or_else(|_| "/".to_owned()))
            })
            .map(|(path, target)| (path, if target.is_empty() { "/".to_owned() } else { target }))
            .collect()
    }

    /// The sources that can be read.
    pub(super) fn sources(&self) -> impl Iterator<Item = (&'t str, Language)> {
        self.entries.iter().filter_map(|(path, entry)| Some((*path, source(path, entry)?)))
    }

    /// What could not be read so far.
    pub(super) fn finish(&self) -> Result<Vec<Finding>, Error> {
        let mut failed = self.failed.borrow_mut();
        match failed.error.take() {
            Some(error) => Err(error),
            None => Ok(std::mem::take(&mut failed.findings)),
        }
    }

    /// The entry of a file.
    pub(super) fn entry(&self, path: &str) -> Option<&'t Entry> {
        let at = self.entries.binary_search_by_key(&path, |(path, _)| path).ok()?;
        Some(self.entries.get(at)?.1)
    }

    fn fail(&self, error: Error) {
        self.failed.borrow_mut().error.get_or_insert(error);
    }
}

impl Content for Tree<'_, '_> {
    fn imports(&self, path: &str) -> Vec<Import> {
        let Some(entry) = self.entry(path) else { return Vec::new() };
        let Some(language) = source(path, entry) else { return Vec::new() };
        match self.reader.sources.imports(entry.oid, language) {
            Ok(Ok(imports)) => return imports,
            Ok(Err(why)) => {
                let finding = unreadable(entry, &why);
                let mut failed = self.failed.borrow_mut();
                if !failed.findings.contains(&finding) {
                    failed.findings.push(finding);
                }
            }
            Err(error) => self.fail(error),
        }
        Vec::new()
    }

    fn script(&self, path: &str) -> Option<Vec<Import>> {
        let entry = self.entry(path).filter(|entry| entry.is_file && !entry.is_unmerged)?;
        match self.reader.sources.script(entry.oid) {
            Ok(read) => read.ok(),
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }

    fn setting(&self, path: &str) -> Vec<u8> {
        let Some(entry) = self.entry(path).filter(|entry| entry.is_file) else { return Vec::new() };
        if entry.is_unmerged {
            self.failed.borrow_mut().findings.push(unreadable(entry, IN_CONFLICT));
            return Vec::new();
        }
        match self.reader.repo.read_blob(entry.oid, SETTING) {
            Ok(content) => return content,
            Err(error) if error.class() == GitErrorClass::Damaged => {
                self.failed.borrow_mut().findings.push(unreadable(entry, &error.to_string()));
            }
            Err(error) => self.fail(error.into()),
        }
        Vec::new()
    }
}

fn source(path: &str, entry: &Entry) -> Option<Language> {
    Language::of(path.as_bytes()).filter(|_| entry.is_file && !entry.is_unmerged)
}

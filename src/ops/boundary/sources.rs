//! What sources import, read once however many trees have them, and kept for
//! the next time.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::git::{GitErrorClass, Oid, Repo};
use crate::ops::error::Error;
use crate::store::BlobCache;
use crate::syntax::encoded::{decode, encode};
use crate::syntax::fingerprint::FINGERPRINT;
use crate::syntax::{self, Import, Language};

/// What a source imports, or why nobody knows.
pub(super) type Read = Result<Vec<Import>, String>;

/// The sources of a repository, by their contents.
pub(super) struct Sources<'r> {
    repo: &'r Repo,
    kept: BlobCache<'r>,
    read: RefCell<HashMap<(Oid, Language), Rc<Read>>>,
}

impl<'r> Sources<'r> {
    /// Reads nothing yet.
    pub(super) fn new(repo: &'r Repo) -> Self {
        Self { repo, kept: BlobCache::new(repo, "imports", FINGERPRINT), read: RefCell::default() }
    }

    /// What the source with this content imports.
    pub(super) fn imports(&self, oid: Oid, language: Language) -> Result<Rc<Read>, Error> {
        if let Some(known) = self.read.borrow().get(&(oid, language)) {
            return Ok(known.clone());
        }
        let tag = tag(language);
        let read = match self.kept.get(tag, oid).and_then(|bytes| decode(&bytes)) {
            Some(read) => read,
            None => match self.repo.read_blob(oid, syntax::LIMIT) {
                // Not kept: what is missing or damaged now may come back.
                Err(error) if error.class() == GitErrorClass::Damaged => Err(error.to_string()),
                Err(error) => return Err(error.into()),
                Ok(source) => {
                    let read = syntax::imports(language, &source).map_err(|error| error.to_string());
                    self.kept.put(tag, oid, encode(&read));
                    read
                }
            },
        };
        let read = Rc::new(read);
        self.read.borrow_mut().insert((oid, language), read.clone());
        Ok(read)
    }

    /// Keeps what was read for the next time.
    pub(super) fn keep(&self) {
        self.kept.keep();
    }
}

fn tag(language: Language) -> u8 {
    match language {
        Language::Python => 1,
        Language::Rust => 2,
        Language::TypeScript => 3,
        Language::Tsx => 4,
    }
}

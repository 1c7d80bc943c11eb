//! What sources import, read once however many trees have them, and kept for
//! the next time.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::gate::allowance::{self, Allowance};
use crate::git::{GitErrorClass, Oid, Repo};
use crate::ops::error::Error;
use crate::store::BlobCache;
use crate::syntax::encoded::{decode, encode};
use crate::syntax::fingerprint::FINGERPRINT;
use crate::syntax::{self, Import, Language};

/// What a source imports, or why nobody knows.
pub(super) type Read = Result<Vec<Import>, String>;

/// What is known of a source: what it imports, and whether it may have
/// suppressions. Few have any, so that no more of them is kept.
type Seen = (Rc<Read>, bool);

/// The sources of a repository, by their contents.
pub(super) struct Sources<'r> {
    repo: &'r Repo,
    kept: BlobCache<'r>,
    seen: RefCell<HashMap<(Oid, Language), Seen>>,
}

/// Of what is kept here beside the imports.
const LAYOUT: u64 = 1;

impl<'r> Sources<'r> {
    /// Reads nothing yet.
    pub(super) fn new(repo: &'r Repo) -> Self {
        let kept = BlobCache::new(repo, "imports", FINGERPRINT.wrapping_add(LAYOUT));
        Self { repo, kept, seen: RefCell::default() }
    }

    /// What the source with this content imports.
    pub(super) fn imports(&self, oid: Oid, language: Language) -> Result<Rc<Read>, Error> {
        Ok(self.see(oid, language)?.0)
    }

    /// The suppressions in a source; none in one that cannot be read, which is
    /// reported elsewhere.
    pub(super) fn allowances(&self, oid: Oid, language: Language) -> Result<Vec<Allowance>, Error> {
        if !self.see(oid, language)?.1 {
            return Ok(Vec::new());
        }
        match self.repo.read_blob(oid, syntax::LIMIT) {
            Err(error) if error.class() == GitErrorClass::Damaged => Ok(Vec::new()),
            Err(error) => Err(error.into()),
            Ok(source) => Ok(allowance::read(&source)),
        }
    }

    fn see(&self, oid: Oid, language: Language) -> Result<Seen, Error> {
        if let Some(known) = self.seen.borrow().get(&(oid, language)) {
            return Ok(known.clone());
        }
        let tag = tag(language);
        let kept = self.kept.get(tag, oid);
        let kept = kept.as_deref().and_then(|bytes| bytes.split_first());
        let (read, is_marked) = match kept.and_then(|(mark, bytes)| Some((decode(bytes)?, *mark == 1))) {
            Some(seen) => seen,
            None => match self.repo.read_blob(oid, syntax::LIMIT) {
                // Not kept: what is missing or damaged now may come back.
                Err(error) if error.class() == GitErrorClass::Damaged => (Err(error.to_string()), false),
                Err(error) => return Err(error.into()),
                Ok(source) => {
                    let read = syntax::imports(language, &source).map_err(|error| error.to_string());
                    let is_marked = allowance::has_mark(&source);
                    let mut bytes = vec![u8::from(is_marked)];
                    bytes.extend(encode(&read));
                    self.kept.put(tag, oid, bytes);
                    (read, is_marked)
                }
            },
        };
        let seen = (Rc::new(read), is_marked);
        self.seen.borrow_mut().insert((oid, language), seen.clone());
        Ok(seen)
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

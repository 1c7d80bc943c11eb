//! What sources import, read once however many trees have them, and kept for
//! the next time.

use super::scope;
use crate::gate::allowance::{self, Allowance};
use crate::git::{GitErrorClass, Oid, Repo};
use crate::ops::error::Error;
use crate::store::BlobCache;
use crate::syntax::comments::in_comments;
use crate::syntax::encoded::{decode, encode};
use crate::syntax::fingerprint::FINGERPRINT;
use crate::syntax::{self, Import, Language};

/// What a source imports, or why nobody knows.
pub(super) type Read = Result<Vec<Import>, String>;

/// The sources of a repository, by their contents.
pub(super) struct Sources<'r> {
    repo: &'r Repo,
    /// Before the imports a byte: whether there are suppressions, and whether
    /// files of other languages are imported. Where there are some, then how
    /// many marks, and for each whether it is in a comment. Few sources have
    /// any, so that no more of them is kept.
    kept: BlobCache<'r>,
}

/// Of what is kept here beside the imports.
const LAYOUT: u64 = 3;

/// There are suppressions.
const MARKED: u8 = 1;
/// A file of another language is imported.
const REACHES_OUT: u8 = 2;

impl<'r> Sources<'r> {
    /// Reads nothing yet.
    pub(super) fn new(repo: &'r Repo) -> Self {
        Self { repo, kept: BlobCache::new(repo, "imports", FINGERPRINT.wrapping_add(LAYOUT)) }
    }

    /// Has these contents read, whatever was kept of them: what a commit brings
    /// is not judged by what somebody may have written there.
    pub(super) fn read_afresh(&self, contents: impl IntoIterator<Item = Oid>) {
        self.kept.find_out_afresh(contents);
    }

    /// What the source with this content imports.
    pub(super) fn imports(&self, oid: Oid, language: Language) -> Result<Read, Error> {
        let kept = self.kept.get(tag(language), oid, |bytes| decode(parts(bytes)?.1));
        kept.map_or_else(|| Ok(self.read(oid, language)?.0), Ok)
    }

    /// What a file with this content imports where it is run as JavaScript.
    pub(super) fn script(&self, oid: Oid) -> Result<Read, Error> {
        if let Some(kept) = self.kept.get(SCRIPT, oid, |bytes| decode(parts(bytes)?.1)) {
            return Ok(kept);
        }
        match self.repo.read_blob(oid, syntax::LIMIT) {
            Err(error) if error.class() == GitErrorClass::Damaged => Ok(Err(error.to_string())),
            Err(error) => Err(error.into()),
            Ok(content) => {
                let read = syntax::of_script(&content).map_err(|error| error.to_string());
                self.kept.put(SCRIPT, oid, [vec![0], encode(&read)].concat());
                Ok(read)
            }
        }
    }

    /// The suppressions in a source; none in one that cannot be read, which is
    /// reported elsewhere.
    pub(super) fn allowances(&self, oid: Oid, language: Language) -> Result<Vec<Allowance>, Error> {
        let kept = self.kept.get(tag(language), oid, |bytes| Some(parts(bytes)?.0.to_vec()));
        let marks = kept.map_or_else(|| Ok::<_, Error>(self.read(oid, language)?.1), Ok)?;
        if marks.is_empty() {
            return Ok(Vec::new());
        }
        match self.repo.read_blob(oid, syntax::LIMIT) {
            Err(error) if error.class() == GitErrorClass::Damaged => Ok(Vec::new()),
            Err(error) => Err(error.into()),
            Ok(source) => Ok(allowance::read(&source, |mark| marks.get(mark) == Some(&1))),
        }
    }

    /// Whether a source imports a file of another language; so it is assumed
    /// where nothing is known.
    pub(super) fn reaches_out(&self, oid: Oid, language: Language) -> bool {
        let kept = self.kept.get(tag(language), oid, |bytes| Some(bytes.first()? & REACHES_OUT != 0));
        kept.unwrap_or(true)
    }

    /// What a source imports, and for each mark whether it is in a comment.
    fn read(&self, oid: Oid, language: Language) -> Result<(Read, Vec<u8>), Error> {
        match self.repo.read_blob(oid, syntax::LIMIT) {
            // Not kept: what is missing or damaged now may come back.
            Err(error) if error.class() == GitErrorClass::Damaged => Ok((Err(error.to_string()), Vec::new())),
            Err(error) => Err(error.into()),
            Ok(source) => {
                let read = syntax::imports(language, &source).map_err(|error| error.to_string());
                let mut marks = Vec::new();
                if allowance::has_mark(&source) {
                    let found = in_comments(language, &source, allowance::MARK);
                    marks.extend(found.into_iter().take(allowance::MOST).map(u8::from));
                }
                let out = read.as_ref().is_ok_and(|imports| scope::reaches_out(imports, language));
                let is_marked = marks.contains(&1);
                let mut bytes = vec![if is_marked { MARKED } else { 0 } | if out { REACHES_OUT } else { 0 }];
                if is_marked {
                    bytes.extend(u16::try_from(marks.len()).unwrap_or_default().to_le_bytes());
                    bytes.extend(&marks);
                }
                bytes.extend(encode(&read));
                self.kept.put(tag(language), oid, bytes);
                Ok((read, marks))
            }
        }
    }

    /// Keeps what was read for the next time.
    pub(super) fn keep(&self) {
        self.kept.keep();
    }
}

/// What is kept of the marks, and of the imports.
fn parts(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (flags, rest) = bytes.split_first()?;
    if flags & MARKED == 0 {
        return Some((&[], rest));
    }
    let (count, rest) = rest.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_le_bytes(*count)))
}

/// What files that are no such source are kept by, if they are run.
const SCRIPT: u8 = 5;

fn tag(language: Language) -> u8 {
    match language {
        Language::Python => 1,
        Language::Rust => 2,
        Language::TypeScript => 3,
        Language::Tsx => 4,
    }
}

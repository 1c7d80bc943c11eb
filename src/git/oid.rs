//! Object ids.

use std::fmt;
use std::str::FromStr;

use super::GitError;
use crate::text::escape;

/// Id of an object, SHA-1 or SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(pub(super) gix::ObjectId);

impl Oid {
    /// Reads a full id in hexadecimal. The id of zeros names no object and
    /// is refused.
    pub(super) fn from_hex(hex: &[u8]) -> Option<Self> {
        let id = gix::ObjectId::from_hex(hex).ok()?;
        (!id.is_null()).then_some(Self(id))
    }

    /// The id as bytes: 20 of SHA-1, 32 of SHA-256.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The id made of `bytes`, if there are 20 or 32 of them.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        gix::ObjectId::try_from(bytes).ok().map(Self)
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({})", self.0)
    }
}

impl FromStr for Oid {
    type Err = GitError;

    fn from_str(text: &str) -> Result<Self, GitError> {
        Self::from_hex(text.as_bytes())
            .ok_or_else(|| GitError::InvalidOid { text: escape::clipped(text, 80) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_hashes_are_read_and_nothing_else() {
        for good in ["4b825dc642cb6eb9a060e54bf8d69288fbee4904", &"ab".repeat(32)] {
            assert_eq!(good.parse::<Oid>().unwrap().to_string(), good);
        }
        for bad in ["", "4b825d", "HEAD", &"0".repeat(40), &"0".repeat(64), &"g".repeat(40), &"a".repeat(41)]
        {
            assert!(bad.parse::<Oid>().is_err(), "{bad}");
        }
    }
}

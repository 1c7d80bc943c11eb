//! Objects: read commits and blobs, write record versions.
//!
//! Loose files are read here, because a version just written is one; packs
//! are read by gix. Neither ever asks a remote for what is missing.

use std::collections::HashMap;
use std::io;

use gix::objs::{Exists, Find, Kind};
use gix::odb::Header;
use gix::odb::pack::cache::DecodeEntry;

use super::loose::Found;
use super::{Commit, CommitDraft, Durability, GitError, Oid, Repo, commit};
use crate::text::escape;

impl Repo {
    /// Reads a commit of at most `limit` bytes.
    ///
    /// Type and size are judged before the content is inflated. An object
    /// that was pruned too early comes back from its kept link.
    pub fn read_commit(&self, oid: Oid, limit: usize) -> Result<Commit, GitError> {
        self.with_object(oid, Kind::Commit, limit, |raw| {
            Commit::parse(raw, self.oid_hex_len())
                .map_err(|reason| GitError::DamagedObject { oid, reason: reason.to_owned() })
        })
    }

    /// The raw bytes of a commit of at most `limit` bytes.
    pub fn read_commit_raw(&self, oid: Oid, limit: usize) -> Result<Vec<u8>, GitError> {
        self.with_object(oid, Kind::Commit, limit, |raw| Ok(raw.to_vec()))
    }

    /// Reads the regular file `file` of the top level of `tree`; `None` if
    /// the tree has no such entry.
    pub fn read_blob_at(&self, tree: Oid, file: &str, limit: usize) -> Result<Option<Vec<u8>>, GitError> {
        if tree.0 == gix::ObjectId::empty_tree(self.hash) {
            return Ok(None);
        }
        let entry = self.with_object(tree, Kind::Tree, limit.max(1 << 20), |raw| {
            for entry in gix::objs::TreeRefIter::from_bytes(raw, self.hash) {
                let entry = entry.map_err(|err| GitError::DamagedObject {
                    oid: tree,
                    reason: escape::clipped(&err.to_string(), 200),
                })?;
                if entry.filename == file.as_bytes() {
                    return Ok(Some((entry.mode.is_blob(), Oid(entry.oid.to_owned()))));
                }
            }
            Ok(None)
        })?;
        match entry {
            None => Ok(None),
            Some((true, blob)) => self.with_object(blob, Kind::Blob, limit, |raw| Ok(Some(raw.to_vec()))),
            Some((false, oid)) => {
                Err(GitError::WrongKind { oid, expected: "blob", actual: "tree or link".to_owned() })
            }
        }
    }

    /// Writes a commit and what it needs, as loose objects with kept links.
    pub fn write_commit(&self, draft: &CommitDraft<'_>, durability: Durability) -> Result<Oid, GitError> {
        let tree = if draft.files.is_empty() {
            self.write_empty_tree(durability)?
        } else {
            let mut entries = Vec::with_capacity(draft.files.len());
            for &(name, content) in draft.files {
                entries.push((name, self.write_object(Kind::Blob, content, durability)?));
            }
            self.write_object(Kind::Tree, &commit::encode_tree(&entries)?, durability)?
        };
        self.write_object(Kind::Commit, &draft.encode(tree)?, durability)
    }

    /// git knows the empty tree without its object, but other readers may
    /// not. Written once; after a gc has packed it, once more.
    fn write_empty_tree(&self, durability: Durability) -> Result<Oid, GitError> {
        let oid = Oid(gix::ObjectId::empty_tree(self.hash));
        if !self.loose_path(oid).exists() {
            self.write_object(Kind::Tree, b"", durability)?;
        }
        Ok(oid)
    }

    /// Whether the object is there, or could be linked back.
    pub fn has_object(&self, oid: Oid) -> Result<bool, GitError> {
        if self.loose_path(oid).exists() || self.odb()?.exists(&oid.0) {
            return Ok(true);
        }
        self.restore(oid)
    }

    /// Hands the content of an object to `read`, from a buffer that is used
    /// again.
    fn with_object<T>(
        &self,
        oid: Oid,
        kind: Kind,
        limit: usize,
        read: impl FnOnce(&[u8]) -> Result<T, GitError>,
    ) -> Result<T, GitError> {
        // A nested call finds the buffer taken and uses one of its own.
        let mut buffer = self.buffer.take();
        let result = self.fetch(oid, kind, limit, &mut buffer).and_then(|()| read(&buffer));
        self.buffer.replace(buffer);
        result
    }

    fn fetch(&self, oid: Oid, kind: Kind, limit: usize, out: &mut Vec<u8>) -> Result<(), GitError> {
        if self.try_loose(oid, kind, limit, out)? || self.try_packed(oid, kind, limit, out)? {
            return Ok(());
        }
        // Packed between the two looks, or pruned.
        if (self.restore(oid)? && self.try_loose(oid, kind, limit, out)?)
            || self.try_loose(oid, kind, limit, out)?
            || self.try_packed(oid, kind, limit, out)?
        {
            return Ok(());
        }
        Err(GitError::Missing { oid, name: None })
    }

    fn try_loose(&self, oid: Oid, kind: Kind, limit: usize, out: &mut Vec<u8>) -> Result<bool, GitError> {
        match self.read_loose(oid, kind, limit, out)? {
            Found::Absent => Ok(false),
            Found::Content => Ok(true),
            Found::Kind(actual) => Err(wrong_kind(oid, kind, actual)),
            Found::Large(size) => Err(GitError::TooLarge { oid, size, limit }),
            // A pack may hold it intact.
            Found::Damaged(reason) => match self.try_packed(oid, kind, limit, out) {
                Ok(true) => Ok(true),
                _ => Err(GitError::DamagedObject { oid, reason: escape::clipped(&reason, 200) }),
            },
        }
    }

    fn try_packed(&self, oid: Oid, kind: Kind, limit: usize, out: &mut Vec<u8>) -> Result<bool, GitError> {
        let damaged =
            |err: gix::Error| GitError::DamagedObject { oid, reason: escape::clipped(&err.to_string(), 200) };
        let odb = self.odb()?;
        let Some(header) = odb.try_header(&oid.0).map_err(damaged)? else { return Ok(false) };
        if header.kind() != kind {
            return Err(wrong_kind(oid, kind, header.kind()));
        }
        if header.size() > limit as u64 {
            return Err(GitError::TooLarge { oid, size: header.size(), limit });
        }
        Ok(odb.try_find(&oid.0, out).map_err(damaged)?.is_some())
    }

    fn odb(&self) -> Result<&gix::odb::Handle, GitError> {
        if let Some(odb) = self.odb.get() {
            return Ok(odb);
        }
        let options = gix::odb::store::init::Options {
            current_dir: Some(self.common_dir.clone()),
            ..gix::odb::store::init::Options::default()
        };
        let mut odb = gix::odb::at_opts(&self.objects_dir, self.hash, None, options)
            .map_err(|err: io::Error| GitError::read(&self.objects_dir, err))?;
        odb.set_pack_cache(|| Box::<DeltaBases>::default());
        Ok(self.odb.get_or_init(|| odb))
    }
}

fn wrong_kind(oid: Oid, expected: Kind, actual: Kind) -> GitError {
    let expected = match expected {
        Kind::Commit => "commit",
        Kind::Tree => "tree",
        Kind::Blob => "blob",
        Kind::Tag => "tag",
    };
    GitError::WrongKind { oid, expected, actual: actual.to_string() }
}

/// Inflated bases of deltas, so that a chain of versions is not inflated
/// once for each of its members. Emptied when it is full.
#[derive(Default)]
struct DeltaBases {
    entries: HashMap<(u32, u64), (Kind, Vec<u8>, usize)>,
    bytes: usize,
}

const MAX_BASE_BYTES: usize = 16 << 20;

impl DecodeEntry for DeltaBases {
    fn put(&mut self, pack_id: u32, offset: u64, data: &[u8], kind: Kind, compressed_size: usize) {
        if data.len() > MAX_BASE_BYTES / 16 {
            return;
        }
        if self.bytes + data.len() > MAX_BASE_BYTES {
            self.entries.clear();
            self.bytes = 0;
        }
        if self.entries.insert((pack_id, offset), (kind, data.to_vec(), compressed_size)).is_none() {
            self.bytes += data.len();
        }
    }

    fn get(&mut self, pack_id: u32, offset: u64, out: &mut Vec<u8>) -> Option<(Kind, usize)> {
        let (kind, data, compressed_size) = self.entries.get(&(pack_id, offset))?;
        out.clear();
        out.extend_from_slice(data);
        Some((*kind, *compressed_size))
    }
}

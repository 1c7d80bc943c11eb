//! Objects: read commits and blobs, write record versions.
//!
//! Loose files are read here, because a version just written is one; packs
//! are read by gix. Neither ever asks a remote for what is missing.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::io;

use gix::objs::{Exists, Find, Kind};
use gix::odb::Header;
use gix::odb::pack::cache::DecodeEntry;
use gix::odb::store::init::Slots;

use super::loose::Found;
use super::{Commit, CommitDraft, Durability, GitError, Oid, Repo, commit};
use crate::text::escape;

/// Larger commits of a user are not read, in bytes.
pub(super) const MAX_COMMIT: usize = 16 << 20;

/// Times that an object is linked back which a prune takes each time.
const RESTORES: usize = 16;

impl Repo {
    /// Hands a commit of at most `limit` bytes to `read`.
    ///
    /// What reading allocates is bounded whatever the object is. An object
    /// that was pruned too early comes back from its kept link.
    pub fn with_commit<T>(
        &self,
        oid: Oid,
        limit: usize,
        read: impl FnOnce(Commit<'_>) -> T,
    ) -> Result<T, GitError> {
        self.with_object(oid, Kind::Commit, limit, |raw| {
            Commit::parse(raw, self.oid_hex_len())
                .map(read)
                .map_err(|reason| GitError::DamagedObject { oid, reason: reason.to_owned() })
        })
    }

    /// The raw bytes of a commit of at most `limit` bytes.
    pub fn read_commit_raw(&self, oid: Oid, limit: usize) -> Result<Vec<u8>, GitError> {
        self.with_object(oid, Kind::Commit, limit, |raw| Ok(raw.to_vec()))
    }

    /// Reads a blob of at most `limit` bytes.
    pub fn read_blob(&self, oid: Oid, limit: usize) -> Result<Vec<u8>, GitError> {
        self.with_object(oid, Kind::Blob, limit, |raw| Ok(raw.to_vec()))
    }

    /// Reads the regular file `file` at the top of the commit's tree; `None`
    /// if it has no such entry.
    pub fn file_at(&self, commit: Oid, file: &str, limit: usize) -> Result<Option<Vec<u8>>, GitError> {
        let tree = self.with_object(commit, Kind::Commit, MAX_COMMIT, |raw| {
            let line = raw.split(|&b| b == b'\n').next().unwrap_or_default();
            let hex = line.strip_prefix(b"tree ").and_then(Oid::from_hex);
            hex.ok_or_else(|| GitError::DamagedObject {
                oid: commit,
                reason: "its first header is not `tree`".to_owned(),
            })
        })?;
        self.read_blob_at(tree, file, limit)
    }

    /// Whether this is the tree that holds nothing.
    pub fn is_empty_tree(&self, tree: Oid) -> bool {
        tree.0 == gix::ObjectId::empty_tree(self.hash)
    }

    /// Reads the regular file `file` of the top level of `tree`; `None` if
    /// the tree has no such entry.
    pub fn read_blob_at(&self, tree: Oid, file: &str, limit: usize) -> Result<Option<Vec<u8>>, GitError> {
        if self.is_empty_tree(tree) {
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
        Ok(self.is_stored(oid)? || self.restore(oid)?)
    }

    /// Whether the object is there.
    pub(super) fn is_stored(&self, oid: Oid) -> Result<bool, GitError> {
        Ok(self.loose_path(oid).exists() || self.thorough(self.packs()?)?.exists(&oid.0))
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
        // Where one object was packed the next is likely to be, and a look
        // into packs that are open costs less than a file that is not there.
        if self.packs_first.get() && self.packs()?.read_quickly(oid, kind, limit, out)? {
            return Ok(());
        }
        if self.try_loose(oid, kind, limit, out)? || self.try_packed(oid, kind, limit, out)? {
            return Ok(());
        }
        // Packed between the two looks, or pruned; and what is linked back can
        // be pruned again before it is read.
        for _ in 0..RESTORES {
            let is_kept = self.restore(oid)?;
            if self.try_loose(oid, kind, limit, out)? || self.try_packed(oid, kind, limit, out)? {
                return Ok(());
            }
            if !is_kept {
                break;
            }
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
        let packs = self.packs()?;
        let found = packs.read_quickly(oid, kind, limit, out)?
            || read_packed(self.thorough(packs)?, oid, kind, limit, out)?;
        self.packs_first.set(found);
        Ok(found)
    }

    fn packs(&self) -> Result<&Packs, GitError> {
        if let Some(packs) = self.packs.get() {
            return Ok(packs);
        }
        let mut quick = self.open_packs(Some(QUICK))?;
        quick.refresh_never();
        Ok(self.packs.get_or_init(|| Packs { quick, thorough: OnceCell::new() }))
    }

    fn thorough<'p>(&self, packs: &'p Packs) -> Result<&'p gix::odb::Handle, GitError> {
        if let Some(handle) = packs.thorough.get() {
            return Ok(handle);
        }
        let handle = self.open_packs(None)?;
        Ok(packs.thorough.get_or_init(|| handle))
    }

    fn open_packs(&self, alloc_limit_bytes: Option<usize>) -> Result<gix::odb::Handle, GitError> {
        let options = gix::odb::store::init::Options {
            // Room for the packs that appear while a long-lived process runs.
            slots: Slots::AsNeededByDiskState { multiplier: 2.0, minimum: 256 },
            current_dir: Some(self.common_dir.clone()),
            alloc_limit_bytes,
            ..gix::odb::store::init::Options::default()
        };
        let mut handle = gix::odb::at_opts(&self.objects_dir, self.hash, None, options)
            .map_err(|err: io::Error| GitError::read(&self.objects_dir, err))?;
        handle.set_pack_cache(|| Box::<DeltaBases>::default());
        Ok(handle)
    }
}

/// What decoding an object may allocate without a look at its size first: a
/// record with its delta bases takes far less.
const QUICK: usize = 4 << 20;

/// Two handles on the same packs.
pub(super) struct Packs {
    /// Decodes at once, within [`QUICK`], and does not look for packs that
    /// appeared since it was opened.
    quick: gix::odb::Handle,
    /// Looks for new packs before it calls an object missing. Opened for what
    /// the other does not find or refuses.
    thorough: OnceCell<gix::odb::Handle>,
}

impl Packs {
    /// Reads an object if that is possible in one pass. Finding its type and
    /// size first would inflate every delta twice.
    fn read_quickly(&self, oid: Oid, kind: Kind, limit: usize, out: &mut Vec<u8>) -> Result<bool, GitError> {
        let Ok(Some(object)) = self.quick.try_find(&oid.0, out) else { return Ok(false) };
        let (actual, size) = (object.kind, object.data.len());
        if actual != kind {
            return Err(wrong_kind(oid, kind, actual));
        }
        if size > limit {
            return Err(GitError::TooLarge { oid, size: size as u64, limit });
        }
        Ok(true)
    }
}

/// Reads an object from a pack, its type and size first.
fn read_packed(
    packs: &gix::odb::Handle,
    oid: Oid,
    kind: Kind,
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<bool, GitError> {
    let damaged =
        |err: gix::Error| GitError::DamagedObject { oid, reason: escape::clipped(&err.to_string(), 200) };
    let Some(header) = packs.try_header(&oid.0).map_err(damaged)? else { return Ok(false) };
    if header.kind() != kind {
        return Err(wrong_kind(oid, kind, header.kind()));
    }
    if header.size() > limit as u64 {
        return Err(GitError::TooLarge { oid, size: header.size(), limit });
    }
    Ok(packs.try_find(&oid.0, out).map_err(damaged)?.is_some())
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
    entries: HashMap<(u32, u64), Base>,
    /// Their contents, one after the other.
    contents: Vec<u8>,
}

struct Base {
    kind: Kind,
    start: usize,
    len: usize,
    compressed_size: usize,
}

const MAX_BASE_BYTES: usize = 16 << 20;

impl DecodeEntry for DeltaBases {
    fn put(&mut self, pack_id: u32, offset: u64, data: &[u8], kind: Kind, compressed_size: usize) {
        if data.len() > MAX_BASE_BYTES / 16 {
            return;
        }
        if self.contents.len() + data.len() > MAX_BASE_BYTES {
            self.entries.clear();
            self.contents.clear();
        }
        let base = Base { kind, start: self.contents.len(), len: data.len(), compressed_size };
        self.contents.extend_from_slice(data);
        self.entries.insert((pack_id, offset), base);
    }

    fn get(&mut self, pack_id: u32, offset: u64, out: &mut Vec<u8>) -> Option<(Kind, usize)> {
        let base = self.entries.get(&(pack_id, offset))?;
        let data = self.contents.get(base.start..base.start + base.len)?;
        out.clear();
        out.extend_from_slice(data);
        Some((base.kind, base.compressed_size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Fixture, draft, name};
    use crate::git::{GitErrorClass, Swapped};
    use std::fs;

    #[test]
    fn a_pruned_object_is_linked_back_when_it_is_read() {
        for args in [&[][..], &["--object-format=sha256"]] {
            let fixture = Fixture::init(args);
            let repo = fixture.open();
            let files: &[(&str, &[u8])] = &[("state", b"content")];
            let one =
                repo.write_commit(&CommitDraft { files, ..draft("one", &[]) }, Durability::Power).unwrap();
            fixture.git(&["prune", "--expire=now"]);
            assert!(!repo.loose_path(one).exists(), "nothing names it yet");
            let tree = repo.with_commit(one, 1_000, |c| c.tree).unwrap();
            let content = repo.read_blob_at(tree, "state", 1_000).unwrap();
            assert_eq!(content.as_deref(), Some(&b"content"[..]));
            fixture.git(&["prune", "--expire=now"]);
            assert_eq!(repo.move_ref(&name("tasks/bd-1"), None, one), Swapped::Moved);
            let _ = repo
                .with_commit(one, 1_000, |c| c.tree)
                .and_then(|t| repo.read_blob_at(t, "state", 1_000))
                .unwrap();
            fixture.git(&["fsck", "--strict"]);
        }
    }

    #[test]
    fn half_a_kept_file_is_not_linked_back() {
        let fixture = Fixture::new();
        let repo = fixture.open();
        let one = repo.some_commit("one", &[]);
        let whole = fs::read(repo.loose_path(one)).unwrap();
        for entry in fs::read_dir(repo.state_dir().join("keep")).unwrap().flatten() {
            let kept = entry.path().join(one.to_string());
            fs::remove_file(&kept).unwrap();
            fs::write(&kept, &whole[..whole.len() / 2]).unwrap();
        }
        fs::remove_file(repo.loose_path(one)).unwrap();
        assert!(matches!(repo.with_commit(one, 1_000, |_| ()), Err(GitError::Missing { .. })));
        assert!(!repo.has_object(one).unwrap());
        // The same content again is whole, whatever lay there.
        assert_eq!(repo.some_commit("one", &[]), one);
        assert!(repo.has_object(one).unwrap());
        fs::remove_file(repo.loose_path(one)).unwrap();
        assert!(repo.has_object(one).unwrap());
    }

    #[test]
    fn kind_and_size_are_judged_first() {
        let fixture = Fixture::new();
        fs::write(fixture.root().join("zeros"), vec![0u8; 3 << 20]).unwrap();
        let blob = fixture.git(&["hash-object", "-w", "zeros"]).parse().unwrap();
        let repo = fixture.open();
        let one = repo.some_commit(&"x".repeat(5_000), &[]);
        assert_eq!(repo.move_ref(&name("tasks/bd-1"), None, one), Swapped::Moved);
        fixture.git(&["update-ref", "refs/tags/blob", &Oid::to_string(&blob)]);
        for packed in [false, true] {
            if packed {
                fixture.git(&["repack", "-adq"]);
                assert!(!repo.loose_path(one).exists());
            }
            let err = repo.with_commit(blob, usize::MAX, |_| ()).unwrap_err();
            assert!(matches!(&err, GitError::WrongKind { actual, .. } if actual == "blob"), "{err}");
            let err = repo.with_commit(one, 5_000, |_| ()).unwrap_err();
            assert!(matches!(err, GitError::TooLarge { .. }), "{err}");
            assert_eq!(repo.with_commit(one, 6_000, |c| c.message.len()).unwrap(), 5_000);
            assert!(repo.has_object(one).unwrap());
        }
    }

    #[test]
    fn damaged_loose_objects_are_reported() {
        let fixture = Fixture::new();
        let repo = fixture.open();
        let one = repo.some_commit(&"text ".repeat(100), &[]);
        let path = repo.loose_path(one);
        let whole = fs::read(&path).unwrap();
        let mut longer = whole.clone();
        longer.truncate(whole.len() - 6);
        for damaged in [&b""[..], b"garbage", &whole[..1], &whole[..whole.len() / 2], &longer] {
            fs::remove_file(&path).unwrap();
            fs::write(&path, damaged).unwrap();
            let err = repo.with_commit(one, 10_000, |_| ()).unwrap_err();
            assert_eq!(err.class(), GitErrorClass::Damaged, "{err}");
        }
    }

    #[test]
    fn git_reads_what_we_write_and_the_other_way_round() {
        for args in [&[][..], &["--object-format=sha256"]] {
            let fixture = Fixture::init(args);
            let repo = fixture.open();
            let big = vec![7u8; 300_000];
            let files: &[(&str, &[u8])] = &[("state", &big), ("body", b""), ("a b", b"x")];
            let one = repo
                .write_commit(&CommitDraft { files, ..draft("é\n\n{}", &[]) }, Durability::Process)
                .unwrap();
            assert_eq!(
                fixture.git(&["log", "-1", "--format=%an %ae %at %s", &one.to_string()]),
                "ada ada@example.com 1700000000 é"
            );
            assert_eq!(fixture.git(&["cat-file", "-s", &format!("{one}:state")]), "300000");
            fixture.git(&["fsck", "--strict"]);
            let tree = fixture.git(&["rev-parse", &format!("{one}^{{tree}}")]);
            let two = fixture.git(&["commit-tree", &tree, "-p", &one.to_string(), "-m", "two"]);
            let two = repo.parse_oid(&two).unwrap();
            let tree = repo
                .with_commit(two, 1_000, |two| {
                    assert_eq!((two.author_name, two.message), (&b"a"[..], &b"two\n"[..]));
                    assert_eq!(two.parents, [one]);
                    two.tree
                })
                .unwrap();
            assert_eq!(repo.read_blob_at(tree, "state", 300_000).unwrap(), Some(big));
            assert_eq!(repo.read_blob_at(tree, "none", 10).unwrap(), None);
            assert!(matches!(repo.read_blob_at(tree, "state", 10), Err(GitError::TooLarge { .. })));
            let empty = repo.with_commit(repo.some_commit("x", &[]), 1_000, |c| c.tree).unwrap();
            assert_eq!(repo.read_blob_at(empty, "state", 10).unwrap(), None);
        }
    }

    #[test]
    fn what_is_missing_is_linked_back_before_its_kept_link_is_dropped() {
        let fixture = Fixture::new();
        let repo = fixture.open();
        let one = repo.some_commit("one", &[]);
        let two = repo.some_commit("two", &[one]);
        assert_eq!(repo.move_ref(&name("tasks/bd-1"), None, two), Swapped::Moved);
        fs::remove_file(repo.loose_path(one)).unwrap();
        for bucket in fs::read_dir(repo.state_dir().join("keep")).unwrap().flatten() {
            let bucket = fs::File::open(bucket.path()).unwrap();
            let now = bucket.metadata().unwrap().modified().unwrap();
            bucket.set_modified(now - std::time::Duration::from_secs(4_000)).unwrap();
        }
        repo.run_maintenance_keep();
        assert_eq!(fs::read_dir(repo.state_dir().join("keep")).unwrap().count(), 0);
        fixture.git(&["fsck", "--strict"]);
    }

    #[test]
    fn old_kept_links_are_dropped_and_young_ones_stay() {
        let fixture = Fixture::new();
        let repo = fixture.open();
        let one = repo.some_commit("one", &[]);
        let old = repo.state_dir().join("keep/1");
        fs::create_dir(&old).unwrap();
        fs::write(old.join("x"), "").unwrap();
        let now = fs::metadata(&old).unwrap().modified().unwrap();
        fs::File::open(&old).unwrap().set_modified(now - std::time::Duration::from_secs(4_000)).unwrap();
        repo.run_maintenance_keep();
        assert!(!old.exists());
        fs::remove_file(repo.loose_path(one)).unwrap();
        assert!(repo.has_object(one).unwrap());
    }
}

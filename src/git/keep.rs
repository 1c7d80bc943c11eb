//! Kept links: a second hard link to every object that we write.
//!
//! `git prune` can choose an object before a ref names it and remove it
//! after; checking again is no cure, because the check races as well. A link
//! outside the object store is out of its reach, and a missing object is
//! linked back from here when it is read. Buckets of ten minutes make
//! dropping old links the removal of whole directories.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gix::objs::Kind;

use super::loose::{self, Found};
use super::{Durability, GitError, Oid, Repo, fsx};

const BUCKET_SECONDS: i64 = 600;
/// A prune that chose its objects longer ago than this has ended.
const MAX_AGE: Duration = Duration::from_secs(3_600);

impl Repo {
    fn keep_dir(&self) -> PathBuf {
        self.state_dir.join("keep")
    }

    pub(super) fn tmp_dir(&self) -> PathBuf {
        self.state_dir.join("tmp")
    }

    /// Writes the bytes of a loose object where prune does not look.
    pub(super) fn keep_new(
        &self,
        oid: Oid,
        bytes: &[u8],
        durability: Durability,
    ) -> Result<PathBuf, GitError> {
        let mut dir = self.keep_dir();
        dir.push(self.env.now().seconds().div_euclid(BUCKET_SECONDS).to_string());
        let path = dir.join(oid.to_string());
        let mut at = path.clone();
        let mut result = self.write_kept(&dir, &at, bytes, durability);
        if result.as_ref().is_err_and(|err| err.kind() == io::ErrorKind::AlreadyExists) {
            // The same content before us, perhaps still being written, or
            // by somebody who died: ours replaces it whole.
            at = dir.join(format!("{oid}.{}", fsx::random_name(&self.env, &dir)?));
            result = self.write_kept(&dir, &at, bytes, durability).and_then(|()| fs::rename(&at, &path));
        }
        match result {
            Ok(()) => Ok(path),
            Err(err) => {
                let _ = fs::remove_file(&at);
                Err(GitError::write(&path, err))
            }
        }
    }

    fn write_kept(&self, dir: &Path, path: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
        let (mut file, _) = fsx::with_dir(dir, self.shared, || fsx::create_new(path, 0o444))?;
        self.shared.adjust_file(&file)?;
        file.write_all(bytes)?;
        if durability == Durability::Power { file.sync_all() } else { Ok(()) }
    }

    /// Links a missing object back into the object store, if we kept it, and
    /// with it every other kept one that is missing: what pruned the one may
    /// have pruned older versions, which nobody reads soon.
    pub(super) fn restore(&self, oid: Oid) -> Result<bool, GitError> {
        let Ok(buckets) = fs::read_dir(self.keep_dir()) else { return Ok(false) };
        let buckets: Vec<PathBuf> = buckets.flatten().map(|bucket| bucket.path()).collect();
        for bucket in &buckets {
            let kept = bucket.join(oid.to_string());
            if self.is_whole(oid, &kept) {
                self.link_object(oid, &kept, Durability::Power)?;
                tracing::warn!(%oid, "object was pruned, linked it back");
                for bucket in &buckets {
                    if let Err(error) = self.relink_missing(bucket) {
                        tracing::warn!(%error, "not every pruned object could be linked back");
                    }
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Links back what is kept in `bucket` and is in the object store no
    /// more. That also revives what lost a race, until git's next prune.
    fn relink_missing(&self, bucket: &Path) -> Result<(), GitError> {
        for entry in fs::read_dir(bucket).into_iter().flatten().flatten() {
            let name = entry.file_name();
            // Others are still being written, or were left half written.
            let Some(oid) = name.to_str().and_then(|name| Oid::from_hex(name.as_bytes())) else { continue };
            if !self.is_stored(oid)? && self.is_whole(oid, &entry.path()) {
                self.link_object(oid, &entry.path(), Durability::Power)?;
            }
        }
        Ok(())
    }

    /// Whether the file holds the object. A writer that died leaves part of
    /// one, which must not enter the object store.
    fn is_whole(&self, oid: Oid, kept: &Path) -> bool {
        let mut content = Vec::new();
        [Kind::Commit, Kind::Blob, Kind::Tree].into_iter().any(|kind| {
            let Ok(mut file) = fs::File::open(kept) else { return false };
            matches!(loose::inflate(&mut file, kind, 1 << 30, &mut content), Ok(Found::Content))
                && self.hash_of(kind, &content).is_ok_and(|hash| hash == oid)
        })
    }

    /// Drops kept links, and temporary files of writers that died, that are
    /// older than an hour on the file system's clock. Failures leave them
    /// for the next time.
    pub fn run_maintenance_keep(&self) {
        let Ok(now) = self.file_system_now() else { return };
        let is_old = |path: &Path| {
            let age = fsx::Identity::at(path).map(|identity| now - identity.mtime);
            age.is_ok_and(|age| age > i128::try_from(MAX_AGE.as_nanos()).unwrap_or(i128::MAX))
        };
        for entry in fs::read_dir(self.keep_dir()).into_iter().flatten().flatten() {
            // A version may have been pruned beneath newer ones, where nobody
            // has missed it yet: this is the last chance to bring it back.
            if is_old(&entry.path()) && self.relink_missing(&entry.path()).is_ok() {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        for entry in fs::read_dir(self.tmp_dir()).into_iter().flatten().flatten() {
            if is_old(&entry.path()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// The time on the clock of the file system that holds the repository,
    /// in nanoseconds: that of a file just created there.
    pub(super) fn file_system_now(&self) -> Result<i128, GitError> {
        let dir = self.tmp_dir();
        let path = dir.join(fsx::random_name(&self.env, &dir)?);
        let touch = || -> io::Result<i128> {
            let (file, _) = fsx::with_dir(&dir, self.shared, || fsx::create_new(&path, 0o600))?;
            let now = fsx::Identity::of(&file.metadata()?).mtime;
            fs::remove_file(&path)?;
            Ok(now)
        };
        touch().map_err(|err| GitError::write(&path, err))
    }
}

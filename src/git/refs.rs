//! Reads refs: the loose file first, then `packed-refs`.
//!
//! The order matters: git packs a ref before it removes the loose file, so
//! whoever looks in this order always sees one of the two. A file that is
//! there and names no object is damage, never an absent ref.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use super::packed::Packed;
use super::{Backend, GitError, Oid, RefName, Repo};

/// Directories of refs are this deep at most; deeper ones are not ours.
const MAX_DEPTH: usize = 32;

impl Repo {
    /// The object that the ref names, `None` if there is no such ref.
    pub fn read_ref(&self, name: &RefName) -> Result<Option<Oid>, GitError> {
        match self.backend {
            Backend::UpdateRef => self.read_ref_by_git(name),
            Backend::Files => match self.read_loose_ref(name)? {
                Some(oid) => Ok(Some(oid)),
                None => match self.open_packed()? {
                    Some(packed) => packed.find(name),
                    None => Ok(None),
                },
            },
        }
    }

    /// All refs whose name begins with `prefix`, sorted by name. A damaged
    /// one is an entry with its error.
    #[allow(clippy::type_complexity)]
    pub fn list_refs(&self, prefix: &str) -> Result<Vec<(RefName, Result<Oid, GitError>)>, GitError> {
        if self.backend == Backend::UpdateRef {
            return self.list_refs_by_git(prefix);
        }
        let mut found = BTreeMap::new();
        let dir = prefix.rsplit_once('/').map_or("", |(dir, _)| dir);
        // `..` in a prefix names nothing and must not lead out of here.
        if (dir == "refs" || RefName::new(dir).is_ok()) && prefix.starts_with("refs/") {
            self.walk(dir, prefix, MAX_DEPTH, &mut found)?;
        }
        if let Some(packed) = self.open_packed()? {
            packed.with_prefix(prefix, |name, oid| {
                found.entry(name).or_insert(oid);
            })?;
        }
        Ok(found.into_iter().collect())
    }

    fn walk(
        &self,
        dir: &str,
        prefix: &str,
        depth: usize,
        found: &mut BTreeMap<RefName, Result<Oid, GitError>>,
    ) -> Result<(), GitError> {
        let path = self.common_dir.join(dir);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(err) if is_absent(&err) => return Ok(()),
            Err(err) => return Err(GitError::read(&path, err)),
        };
        for entry in entries {
            let entry = entry.map_err(|err| GitError::read(&path, err))?;
            let file_name = entry.file_name();
            let Some(file_name) = file_name.to_str() else { continue };
            let name = format!("{dir}/{file_name}");
            if file_name.ends_with(".lock") || !(name.starts_with(prefix) || prefix.starts_with(&name)) {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if depth > 0 {
                    self.walk(&name, prefix, depth - 1, found)?;
                }
                continue;
            }
            let Ok(name) = RefName::new(name) else { continue };
            if !name.as_str().starts_with(prefix) {
                continue;
            }
            match self.read_loose_ref(&name) {
                // Packed since the directory was read: it is looked for there.
                Ok(None) => {}
                Ok(Some(oid)) => {
                    found.insert(name, Ok(oid));
                }
                Err(err) => {
                    found.insert(name, Err(err));
                }
            }
        }
        Ok(())
    }

    pub(super) fn open_packed(&self) -> Result<Option<Packed>, GitError> {
        Packed::open(&self.common_dir, self.oid_hex_len())
    }

    /// What the loose file of the ref says, `None` if there is none.
    pub(super) fn read_loose_ref(&self, name: &RefName) -> Result<Option<Oid>, GitError> {
        let damaged =
            |reason: &str| Err(GitError::DamagedRef { name: name.to_string(), reason: reason.to_owned() });
        let path = self.ref_path(name);
        let mut file = match open_no_follow(&path) {
            Ok(file) => file,
            Err(err) if is_absent(&err) => return Ok(None),
            Err(_) if fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_symlink()) => {
                return damaged("it is a symbolic link");
            }
            Err(err) => return Err(GitError::read(&path, err)),
        };
        let mut raw = [0u8; 256];
        let len = match file.read(&mut raw) {
            Ok(len) => len,
            // Refs live below it, or did; this name has none.
            Err(err) if err.kind() == io::ErrorKind::IsADirectory => return Ok(None),
            Err(err) => return Err(GitError::read(&path, err)),
        };
        let raw = &raw[..len];
        if raw.is_empty() {
            return damaged("its file is empty");
        }
        if raw.starts_with(b"ref:") {
            return damaged("it is symbolic");
        }
        let hex_len = self.oid_hex_len();
        let (hex, rest) = raw.split_at(hex_len.min(len));
        match Oid::from_hex(hex) {
            Some(oid) if hex.len() == hex_len && rest.first().is_none_or(u8::is_ascii_whitespace) => {
                Ok(Some(oid))
            }
            _ => damaged("its file holds no object id"),
        }
    }
}

fn is_absent(err: &io::Error) -> bool {
    // A parent that is a file: a ref of that name excludes ours.
    matches!(err.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(unix)]
fn open_no_follow(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    // Not blocking either: a FIFO in the place of a ref would hang us.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or(0);
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open_no_follow(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

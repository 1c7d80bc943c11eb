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

/// Refs by name, each with what it names or why that cannot be told.
pub type Listed = Vec<(RefName, Result<Oid, GitError>)>;

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
    pub fn list_refs(&self, prefix: &str) -> Result<Listed, GitError> {
        if self.backend == Backend::UpdateRef {
            return self.list_refs_by_git(prefix);
        }
        let mut found = BTreeMap::new();
        let dir = prefix.rsplit_once('/').map_or("", |(dir, _)| dir);
        // `..` in a prefix names nothing and must not lead out of here.
        if (dir == "refs" || RefName::new(dir).is_ok()) && prefix.starts_with("refs/") {
            self.walk(dir, prefix, MAX_DEPTH, &mut found)?;
        }
        let mut packed = Vec::new();
        if let Some(file) = self.open_packed()? {
            file.with_prefix(prefix, |name, oid| {
                if !found.contains_key(&name) {
                    packed.push((name, oid));
                }
            })?;
        }
        if packed.is_empty() {
            return Ok(found.into_iter().collect());
        }
        packed.extend(found);
        // Mostly sorted already, which this makes use of.
        packed.sort_by(|a, b| a.0.cmp(&b.0));
        packed.dedup_by(|a, b| a.0 == b.0);
        Ok(packed)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Fixture, name};
    use crate::git::{GitErrorClass, Swapped};

    #[test]
    fn what_names_no_object_is_damage_and_not_absence() {
        let fixture = Fixture::new();
        let repo = fixture.open();
        let one = repo.some_commit("one", &[]);
        let dir = repo.common_dir().join("refs/comm-node/tasks");
        fs::create_dir_all(&dir).unwrap();
        let zeros = "0".repeat(40);
        let cases: [(&str, &[u8]); 8] = [
            ("empty", b""),
            ("line-feed", b"\n"),
            ("garbage", b"\x00\xff not a ref"),
            ("symbolic", b"ref: refs/heads/main\n"),
            ("short", b"4b825dc642cb6eb9a060e54bf8d69288fbee490\n"),
            ("long", b"4b825dc642cb6eb9a060e54bf8d69288fbee4904a\n"),
            ("zeros", zeros.as_bytes()),
            ("padded", b" 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n"),
        ];
        for (task, content) in cases {
            fs::write(dir.join(task), content).unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("empty", dir.join("symlink")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("nowhere", dir.join("dangling")).unwrap();
        fs::create_dir_all(dir.join("directory/below")).unwrap();
        fs::write(dir.join("good.lock"), "").unwrap();
        assert_eq!(repo.move_ref(&name("tasks/good"), None, one), Swapped::Moved);

        let mut tasks: Vec<&str> = cases.iter().map(|(task, _)| *task).collect();
        if cfg!(unix) {
            tasks.extend(["symlink", "dangling"]);
        }
        for task in &tasks {
            let task = name(&format!("tasks/{task}"));
            let err = repo.read_ref(&task).unwrap_err();
            assert_eq!(err.class(), GitErrorClass::Damaged, "{err}");
            let swap = crate::git::testing::swap(&task, None, one);
            assert_eq!(repo.swap(&swap).unwrap_err().class(), GitErrorClass::Damaged, "{task}");
        }
        assert_eq!(repo.read_ref(&name("tasks/directory")).unwrap(), None);

        let listed = repo.list_refs("refs/comm-node/tasks/").unwrap();
        assert!(listed.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(listed.iter().filter(|(_, oid)| oid.is_err()).count(), tasks.len());
        let good: Vec<_> =
            listed.iter().filter_map(|(name, oid)| Some((name, *oid.as_ref().ok()?))).collect();
        assert_eq!(good, [(&name("tasks/good"), one)]);
    }

    #[test]
    fn a_list_is_what_git_lists() {
        for fixture in [Fixture::new(), Fixture::init(&["--ref-format=reftable"])] {
            let repo = fixture.open();
            let one = repo.some_commit("one", &[]);
            let two = repo.some_commit("two", &[]);
            for tail in ["tasks/a", "tasks/a-b", "tasks/b/c", "tasks.x", "agents/z", "meta"] {
                assert_eq!(repo.move_ref(&name(tail), None, one), Swapped::Moved);
            }
            fixture.git(&["pack-refs", "--all", "--prune"]);
            assert_eq!(repo.move_ref(&name("tasks/a"), Some(one), two), Swapped::Moved);
            assert_eq!(repo.move_ref(&name("tasks/c"), None, two), Swapped::Moved);
            let git = fixture.git(&["for-each-ref", "--format=%(objectname) %(refname)"]);
            for prefix in [
                "refs/",
                "refs/comm-node/",
                "refs/comm-node/tasks",
                "refs/comm-node/tasks/",
                "refs/comm-node/tasks/a",
            ] {
                let ours: Vec<_> =
                    repo.list_refs(prefix).unwrap().into_iter().map(|(n, o)| (n, o.unwrap())).collect();
                let theirs: Vec<_> = git
                    .lines()
                    .map(|line| line.split_once(' ').unwrap())
                    .filter(|(_, name)| name.starts_with(prefix))
                    .map(|(oid, name)| (RefName::new(name).unwrap(), oid.parse().unwrap()))
                    .collect();
                assert_eq!(ours, theirs, "{prefix}");
            }
            for nowhere in ["refs/comm-node/../../", "refs/none/", "", "refs"] {
                let _ = repo.list_refs(nowhere).unwrap();
            }
        }
    }

    #[test]
    fn names_that_exclude_each_other_are_refused() {
        let fixture = Fixture::new();
        let repo = fixture.open();
        let one = repo.some_commit("one", &[]);
        let refused = |tail: &str| {
            let err = repo.swap(&crate::git::testing::swap(&name(tail), None, one)).unwrap_err();
            assert!(matches!(err, GitError::NameConflict { .. }), "{tail}: {err}");
        };
        assert_eq!(repo.move_ref(&name("a/b"), None, one), Swapped::Moved);
        refused("a");
        refused("a/b/c");
        fixture.git(&["pack-refs", "--all", "--prune"]);
        refused("a");
        refused("a/b/c");
        // Directories that git left empty are in nobody's way.
        fs::create_dir_all(repo.common_dir().join("refs/comm-node/c/d/e")).unwrap();
        assert_eq!(repo.move_ref(&name("c"), None, one), Swapped::Moved);
        fixture.git(&["fsck", "--strict"]);
    }
}

//! The repository handle: where things are and how they are written.

use std::cell::{Cell, OnceCell, RefCell};
use std::path::{Path, PathBuf};

use super::fsx;
use super::objects::Packs;
use super::shared::Shared;
use super::{GitError, Oid, RefName};
use crate::env::Env;
use crate::text::escape;

/// How much must survive what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The end of this process, at any instant.
    Process,
    /// A power cut after the call returned.
    Power,
}

/// Who moves refs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// We do: loose files, and packed-refs for reading.
    Files,
    /// `git update-ref`: the format of the refs is one that only git knows.
    UpdateRef,
}

/// One repository. Cheap to open, meant to be opened once per process; not
/// shared between threads, which open one each.
pub struct Repo {
    pub(super) env: Env,
    pub(super) git_dir: PathBuf,
    pub(super) common_dir: PathBuf,
    pub(super) state_dir: PathBuf,
    pub(super) objects_dir: PathBuf,
    pub(super) work_tree: Option<PathBuf>,
    pub(super) hash: gix::hash::Kind,
    pub(super) backend: Backend,
    pub(super) shared: Shared,
    /// Kept for its configuration; its object database has no slots.
    pub(super) gix: gix::Repository,
    /// The packs, found when the first object is not loose.
    pub(super) packs: OnceCell<Packs>,
    /// Whether the object read before came from a pack.
    pub(super) packs_first: Cell<bool>,
    /// Reused for every object that is read.
    pub(super) buffer: RefCell<Vec<u8>>,
    /// The git program, looked up when it is first needed.
    pub(super) git: OnceCell<PathBuf>,
}

impl Repo {
    /// Directory that all worktrees share: objects, refs, our own state.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Directory of this worktree: its HEAD and index.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The checked-out files, absent in a bare repository.
    pub fn work_tree(&self) -> Option<&Path> {
        self.work_tree.as_deref()
    }

    /// Where local state that is no record lives: `<common>/comm-node`.
    pub fn state_dir(&self) -> PathBuf {
        self.state_dir.clone()
    }

    /// Makes a directory of local state and those above it, with the bits that
    /// a shared repository asks for.
    pub fn create_state_dir(&self, path: &Path) -> std::io::Result<()> {
        fsx::create_dirs(path, self.shared).map(|_| ())
    }

    /// Puts a file of local state in place, whole or not at all, with the
    /// directories above it and the bits that a shared repository asks for.
    pub fn put_state_file(&self, path: &Path, content: &[u8]) -> std::io::Result<()> {
        fsx::put_file(&self.env, self.shared, path, content, true)
    }

    /// As [`Repo::put_state_file`], but never in the place of another.
    pub fn create_state_file(&self, path: &Path, content: &[u8]) -> std::io::Result<()> {
        fsx::put_file(&self.env, self.shared, path, content, false)
    }

    /// Who moves this repository's refs.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Digits of an object id: 40 or 64.
    pub fn oid_hex_len(&self) -> usize {
        self.hash.len_in_hex()
    }

    /// Reads a full object id of this repository's hash.
    pub fn parse_oid(&self, hex: &str) -> Result<Oid, GitError> {
        match Oid::from_hex(hex.as_bytes()) {
            Some(oid) if hex.len() == self.oid_hex_len() => Ok(oid),
            _ => Err(GitError::InvalidOid { text: escape::clipped(hex, 80) }),
        }
    }

    /// Where the ref lives as a loose file.
    pub(super) fn ref_path(&self, name: &RefName) -> PathBuf {
        let base = if name.is_per_worktree() { &self.git_dir } else { &self.common_dir };
        base.join(name.as_str())
    }
}

//! Repositories for the tests of this layer, made by the real git.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{CommitDraft, Durability, Oid, RefName, Repo, Swap, Swapped};
use crate::env::Env;

pub(super) struct Fixture {
    _dir: tempfile::TempDir,
    root: PathBuf,
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self::init(&[])
    }

    /// A repository from `git init` with these arguments.
    pub(super) fn init(args: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("repo");
        std::fs::create_dir(&root).unwrap();
        let fixture = Self { _dir: dir, root };
        let mut all = vec!["init", "-q", "-b", "main"];
        all.extend(args);
        fixture.git(&all);
        fixture
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn open(&self) -> Repo {
        Repo::open(&self.root, &Env::from_process()).unwrap()
    }

    #[track_caller]
    pub(super) fn git(&self, args: &[&str]) -> String {
        let (ok, text) = self.try_git(args);
        assert!(ok, "git {args:?}: {text}");
        text
    }

    pub(super) fn try_git(&self, args: &[&str]) -> (bool, String) {
        let out = Command::new("git")
            .args(args)
            .current_dir(&self.root)
            .env_remove("GIT_DIR")
            .env_remove("GIT_INDEX_FILE")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "a")
            .env("GIT_AUTHOR_EMAIL", "a@example.com")
            .env("GIT_COMMITTER_NAME", "a")
            .env("GIT_COMMITTER_EMAIL", "a@example.com")
            .output()
            .unwrap();
        let text = if out.status.success() { &out.stdout } else { &out.stderr };
        (out.status.success(), String::from_utf8_lossy(text).trim().to_owned())
    }
}

impl Repo {
    /// A commit that no other call makes.
    pub(super) fn some_commit(&self, message: &str, parents: &[Oid]) -> Oid {
        self.write_commit(&draft(message, parents), Durability::Process).unwrap()
    }

    pub(super) fn move_ref(&self, name: &RefName, expected: Option<Oid>, next: Oid) -> Swapped {
        self.swap(&swap(name, expected, next)).unwrap()
    }
}

pub(super) fn draft<'a>(message: &'a str, parents: &'a [Oid]) -> CommitDraft<'a> {
    CommitDraft {
        parents,
        author_name: "ada",
        author_email: "ada@example.com",
        seconds: 1_700_000_000,
        message,
        files: &[],
    }
}

pub(super) fn swap(name: &RefName, expected: Option<Oid>, next: Oid) -> Swap<'_> {
    Swap { name, expected, next, guards: &[], durability: Durability::Process, stamp: "", on_locked: None }
}

pub(super) fn name(tail: &str) -> RefName {
    RefName::new(format!("refs/comm-node/{tail}")).unwrap()
}

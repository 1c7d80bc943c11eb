//! Every file of a commit or of the index.
//!
//! The index is read in place: to have git print it costs several times as
//! much as all else that a hook does. What is unusual about it (sparse
//! folders, a base that is not where it belongs) git reads.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;

use gix::index;

use super::{GitError, Oid, Repo};

/// A file as a tree or the index has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path, relative to the root, any bytes.
    pub path: Vec<u8>,
    /// Its content; of a submodule its commit.
    pub oid: Oid,
    /// Whether it is an ordinary file rather than a link or a submodule.
    pub is_file: bool,
    /// Whether it is a symbolic link; its content is where it leads.
    pub is_link: bool,
    /// Whether it is one side of a conflict that nobody has settled.
    pub is_unmerged: bool,
}

impl Repo {
    /// The files of a commit, in the order of their paths.
    pub fn files_of(&self, commit: Oid) -> Result<Vec<Entry>, GitError> {
        let commit = commit.to_string();
        let out = self.git_here(&["ls-tree", "-r", "-z", "--full-tree", &commit, "--"], None)?;
        // MODE TYPE OID TAB PATH
        self.entries(&out.unwrap_or_default(), 2, None)
    }

    /// The files of the index that git named to the hook, in the order of
    /// their paths. A file that is only intended to be added is in no commit
    /// yet, and not among them.
    pub fn files_staged(&self) -> Result<Vec<Entry>, GitError> {
        let path = self.index_path();
        let limit = index::decode::Options { thread_limit: Some(1), ..index::decode::Options::default() };
        // git does not look at the checksum either: `git fsck` does.
        let read = match std::fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            _ => index::File::at(path, self.hash, true, limit),
        };
        let intended = match &read {
            Ok(read) if !read.is_sparse() => return Ok(entries_of(read)),
            Ok(read) => intended(read),
            Err(_) => HashSet::new(),
        };
        let out = self.git_here(&["ls-files", "-s", "-z", "--full-name", "--", ":/"], None)?;
        // MODE OID STAGE TAB PATH
        let mut entries = self.entries(&out.unwrap_or_default(), 1, Some(2))?;
        entries.retain(|entry| !intended.contains(&entry.path));
        Ok(entries)
    }

    /// The index that git named to the hook, else the worktree's own.
    fn index_path(&self) -> PathBuf {
        match self.env.path_var("GIT_INDEX_FILE") {
            Some(index) => self.env.cwd().map_or(index.clone(), |cwd| cwd.join(&index)),
            None => self.git_dir.join("index"),
        }
    }

    fn entries(&self, out: &[u8], oid: usize, stage: Option<usize>) -> Result<Vec<Entry>, GitError> {
        let mut entries = Vec::new();
        for record in out.split(|&b| b == 0).filter(|record| !record.is_empty()) {
            let tab = record.iter().position(|&b| b == b'\t').ok_or_else(|| self.unexpected("ls-tree"))?;
            let head = std::str::from_utf8(&record[..tab]).map_err(|_| self.unexpected("ls-tree"))?;
            let fields: Vec<&str> = head.split(' ').collect();
            let field = |at: usize| fields.get(at).copied().ok_or_else(|| self.unexpected("ls-tree"));
            entries.push(Entry {
                path: record[tab + 1..].to_vec(),
                oid: self.parse_oid(field(oid)?)?,
                is_file: field(0)?.starts_with("100"),
                is_link: field(0)?.starts_with("120"),
                is_unmerged: match stage {
                    Some(stage) => field(stage)? != "0",
                    None => false,
                },
            });
        }
        Ok(entries)
    }
}

fn entries_of(read: &index::State) -> Vec<Entry> {
    use index::entry::{Flags, Mode};
    let paths = read.path_backing();
    let kept = read.entries().iter().filter(|entry| !entry.flags.contains(Flags::INTENT_TO_ADD));
    kept.map(|entry| Entry {
        path: entry.path_in(paths).to_vec(),
        oid: Oid(entry.id),
        is_file: matches!(entry.mode, Mode::FILE | Mode::FILE_EXECUTABLE),
        is_link: entry.mode == Mode::SYMLINK,
        is_unmerged: entry.stage_raw() != 0,
    })
    .collect()
}

/// What is only intended to be added.
fn intended(read: &index::State) -> HashSet<Vec<u8>> {
    let paths = read.path_backing();
    let is_intended = |entry: &&index::Entry| entry.flags.contains(index::entry::Flags::INTENT_TO_ADD);
    read.entries().iter().filter(is_intended).map(|entry| entry.path_in(paths).to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Fixture;

    /// The index as git prints it, less what is only intended.
    fn by_git(repo: &Repo) -> Vec<Entry> {
        let out = repo.git_here(&["ls-files", "-s", "-z", "--full-name", "--", ":/"], None).unwrap();
        let mut entries = repo.entries(&out.unwrap_or_default(), 1, Some(2)).unwrap();
        entries.retain(|entry| entry.path != b"intended");
        entries
    }

    #[track_caller]
    fn check(f: &Fixture, files: usize) {
        let repo = f.open();
        let staged = repo.files_staged().unwrap();
        assert_eq!(staged.len(), files);
        assert_eq!(staged, by_git(&repo));
    }

    fn with_files(args: &[&str]) -> Fixture {
        use std::os::unix::ffi::OsStrExt;
        let f = Fixture::init(args);
        for folder in ["kept", "left/deep"] {
            std::fs::create_dir_all(f.root().join(folder)).unwrap();
        }
        for name in [&b"a b"[..], b"kept/line\nfeed", b"left/deep/x", b"left/\xff", b"run"] {
            std::fs::write(f.root().join(std::ffi::OsStr::from_bytes(name)), name).unwrap();
        }
        std::os::unix::fs::symlink("run", f.root().join("link")).unwrap();
        f.git(&["add", "-A"]);
        f.git(&["update-index", "--chmod=+x", "run"]);
        f
    }

    #[test]
    fn a_fresh_repository_has_no_index_and_no_files() {
        check(&Fixture::new(), 0);
    }

    #[test]
    fn every_version_and_hash_of_an_index_is_read() {
        for args in [&[][..], &["--object-format=sha256"]] {
            let f = with_files(args);
            for version in ["2", "3", "4"] {
                f.git(&["update-index", "--index-version", version]);
                check(&f, 6);
            }
            std::fs::write(f.root().join("intended"), "later").unwrap();
            f.git(&["add", "-N", "intended"]);
            check(&f, 6);
        }
    }

    #[test]
    fn a_split_index_is_read_with_its_base() {
        let f = with_files(&[]);
        f.git(&["update-index", "--split-index"]);
        std::fs::write(f.root().join("run"), "changed").unwrap();
        std::fs::write(f.root().join("kept/new"), "new").unwrap();
        f.git(&["rm", "-q", "--cached", "a b"]);
        f.git(&["add", "-A", "kept", "run"]);
        let base =
            |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().starts_with("sharedindex.");
        assert!(std::fs::read_dir(f.root().join(".git")).unwrap().flatten().any(|e| base(&e)));
        check(&f, 6);
    }

    #[test]
    fn a_sparse_index_is_read_with_what_it_leaves_out() {
        let f = with_files(&[]);
        f.git(&["commit", "-q", "-m", "files"]);
        f.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "kept"]);
        let f_index = index::File::at(
            f.root().join(".git/index"),
            f.open().hash,
            true,
            index::decode::Options::default(),
        );
        assert!(f_index.unwrap().is_sparse());
        std::fs::write(f.root().join("intended"), "later").unwrap();
        f.git(&["add", "-N", "intended"]);
        check(&f, 6);
    }

    #[test]
    fn the_sides_of_a_conflict_and_other_repositories_are_told_apart() {
        let f = with_files(&[]);
        f.git(&["commit", "-q", "-m", "files"]);
        f.git(&["branch", "side"]);
        for (branch, text) in [("main", "ours"), ("side", "theirs")] {
            f.git(&["checkout", "-q", branch]);
            std::fs::write(f.root().join("run"), text).unwrap();
            f.git(&["commit", "-qam", text]);
        }
        assert!(!f.try_git(&["merge", "-q", "main"]).0);
        let commit = f.git(&["rev-parse", "HEAD"]);
        f.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},other")]);
        check(&f, 9);
        let staged = f.open().files_staged().unwrap();
        let told = |name: &[u8]| -> Vec<(bool, bool)> {
            staged.iter().filter(|e| e.path == name).map(|e| (e.is_file, e.is_unmerged)).collect()
        };
        assert_eq!(told(b"run"), [(true, true); 3]);
        assert_eq!((told(b"other"), told(b"link")), (vec![(false, false)], vec![(false, false)]));
    }

    #[test]
    fn an_index_that_cannot_be_read_is_no_empty_one() {
        let f = with_files(&[]);
        let path = f.root().join(".git/index");
        let whole = std::fs::read(&path).unwrap();
        for cut in [0, 7, 40, whole.len() / 2] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(f.open().files_staged().is_err(), "{cut}");
        }
    }
}

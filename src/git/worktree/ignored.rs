//! What git does not look at in a worktree, and deletes with it: files that
//! it ignores, and repositories that lie in it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{Ended, path_of};
use crate::git::{GitError, Oid, Repo};
use crate::text::glob::Names;

/// By which tools mark directories that they can fill again.
const CACHE_TAG: (&str, &[u8]) = ("CACHEDIR.TAG", b"Signature: 8a477f597d28d172789f06886806bc55");

impl Repo {
    /// The files that git ignores in this worktree, relative to its top.
    ///
    /// Left out are those that a tool makes again (a name of `disposable` is
    /// on their path, or a directory above is tagged as a cache), those that
    /// the main worktree has just so, links, and what lies in a repository.
    pub fn ignored_files(&self, disposable: &Names) -> Result<Vec<PathBuf>, GitError> {
        self.ignored_beside(None, disposable)
    }

    /// As [`Repo::ignored_files`], beside what another index tracks.
    pub(super) fn ignored_beside(
        &self,
        index: Option<&Path>,
        disposable: &Names,
    ) -> Result<Vec<PathBuf>, GitError> {
        let Some(top) = &self.work_tree else { return Ok(Vec::new()) };
        let args = ["ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"];
        let listed = self.run_here(index, &["core.untrackedCache=false"], &args, None)?.ok()?;
        let mut found = BTreeSet::new();
        for entry in listed.split(|&b| b == 0).filter(|entry| !entry.is_empty()) {
            // A directory comes with a slash at its end.
            let Some(path) = path_of(entry).map(|path| path.components().collect::<PathBuf>()) else {
                continue;
            };
            if !path.ancestors().any(|part| disposable.matches(part)) {
                collect(top, path, disposable, &mut found)?;
            }
        }
        let main = if self.is_main_worktree() { None } else { self.main_worktree()? };
        let mut files = Vec::new();
        for file in found {
            let twin = main.as_ref().and_then(|main| fs::canonicalize(main.join(&file)).ok());
            let twin = twin.filter(|twin| !twin.starts_with(top));
            if !twin.is_some_and(|twin| is_same(&twin, &top.join(&file))) {
                files.push(file);
            }
        }
        Ok(files)
    }

    /// The repositories that lie in this worktree, ignored or not, relative
    /// to its top; not those within them.
    pub fn inner_repositories(&self) -> Result<Vec<PathBuf>, GitError> {
        let Some(top) = &self.work_tree else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        let mut open = vec![PathBuf::new()];
        while let Some(dir) = open.pop() {
            let entries = entries_of(&top.join(&dir))?;
            if !dir.as_os_str().is_empty() && is_repository(&entries) {
                found.push(dir);
                continue;
            }
            let is_top = dir.as_os_str().is_empty();
            let dirs = entries.iter().filter(|(name, kind)| kind.is_dir() && !(is_top && is_git(name)));
            open.extend(dirs.map(|(name, _)| dir.join(name)));
        }
        found.sort();
        Ok(found)
    }

    /// What the repository at `path` of this worktree holds that goes with
    /// it and is nowhere else.
    pub fn inner_loss(&self, path: &Path, disposable: &Names) -> Result<Option<String>, GitError> {
        let Some(top) = &self.work_tree else { return Ok(None) };
        let Ok(inner) = Self::open_at(&top.join(path), &self.env) else {
            return Ok(Some("that cannot be read".into()));
        };
        let goes = [fs::canonicalize(top).ok(), fs::canonicalize(&self.git_dir).ok()];
        if !goes.iter().flatten().any(|dir| inner.common_dir.starts_with(dir)) {
            return Ok(Some("that is a worktree of one elsewhere".into()));
        }
        let had_state = inner.state_dir.exists();
        // A name above it stands for all that is ignored in it.
        let is_disposable = path.ancestors().any(|part| disposable.matches(part));
        let unreadable = |error| {
            tracing::debug!(%error, "a repository in a worktree cannot be judged");
            Some("that cannot be read".to_owned())
        };
        let lost = inner.own_loss(disposable, is_disposable).unwrap_or_else(unreadable);
        if !had_state {
            let _ = fs::remove_dir(&inner.state_dir);
        }
        Ok(lost)
    }

    fn own_loss(&self, disposable: &Names, is_disposable: bool) -> Result<Option<String>, GitError> {
        if self.worktrees()?.iter().any(|worktree| !worktree.is_main) {
            return Ok(Some("with worktrees of its own".into()));
        }
        let commits = self.commits_unpushed(&self.git_dir)?;
        if commits > 0 {
            let s = if commits == 1 { "" } else { "s" };
            return Ok(Some(format!("with {commits} commit{s} that no remote has")));
        }
        if let Some(what) = self.under_way() {
            return Ok(Some(format!("in which {what} is under way")));
        }
        if self.work_tree.is_none() {
            return Ok(None);
        }
        if !self.dirt_thorough()?.is_clean() {
            return Ok(Some("with uncommitted files".into()));
        }
        if !is_disposable && let Some(file) = self.ignored_files(disposable)?.first() {
            let file = crate::text::escape::bytes(file.as_os_str().as_encoded_bytes());
            return Ok(Some(format!("with the ignored file `{file}`")));
        }
        for path in self.inner_repositories()? {
            if self.inner_loss(&path, disposable)?.is_some() {
                let path = crate::text::escape::bytes(path.as_os_str().as_encoded_bytes());
                return Ok(Some(format!("in which another one, `{path}`, holds work")));
            }
        }
        Ok(None)
    }

    /// How many commits of the repository at `git_dir` none of its remotes
    /// has, as far as it knows; also those that only its reflogs name.
    pub(super) fn commits_unpushed(&self, git_dir: &Path) -> Result<usize, GitError> {
        let mut command = self.git(&[])?;
        command.arg("--git-dir").arg(git_dir);
        command.args(["rev-list", "--count", "--all", "--reflog", "--not", "--remotes"]);
        // The oldest commits of a shallow clone were all fetched.
        let shallow = fs::read_to_string(git_dir.join("shallow")).unwrap_or_default();
        let shallow = shallow.lines().filter_map(|line| Oid::from_hex(line.trim().as_bytes()));
        command.args(shallow.map(|oid| oid.to_string())).arg("--");
        let ended = Ended::of(command, "rev-list")?;
        ended.text().and_then(|text| text.parse().ok()).ok_or_else(|| ended.error())
    }
}

type Entry = (std::ffi::OsString, fs::FileType);

fn entries_of(dir: &Path) -> Result<Vec<Entry>, GitError> {
    let failed = |err| GitError::read(dir, err);
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        found.push((entry.file_name(), entry.file_type().map_err(failed)?));
    }
    Ok(found)
}

fn is_git(name: &std::ffi::OsStr) -> bool {
    name.eq_ignore_ascii_case(".git")
}

/// Whether a directory with these entries is a worktree, or a bare
/// repository or one's git directory.
fn is_repository(entries: &[Entry]) -> bool {
    let has = |wanted: &str| entries.iter().find(|(name, _)| name == wanted).map(|(_, kind)| kind);
    let is_bare = || {
        has("HEAD").is_some()
            && has("objects").is_some_and(|kind| !kind.is_file())
            && has("refs").is_some_and(|kind| !kind.is_file())
    };
    entries.iter().any(|(name, _)| is_git(name)) || is_bare()
}

/// The files at or below `path`, without those that are made again.
fn collect(
    top: &Path,
    path: PathBuf,
    disposable: &Names,
    found: &mut BTreeSet<PathBuf>,
) -> Result<(), GitError> {
    let at = top.join(&path);
    let kind = match fs::symlink_metadata(&at) {
        Ok(meta) => meta.file_type(),
        // Gone since git listed it.
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(err) => return Err(GitError::read(&at, err)),
    };
    if kind.is_file() {
        found.insert(path);
        return Ok(());
    }
    let mut open = if kind.is_dir() { vec![path] } else { Vec::new() };
    while let Some(dir) = open.pop() {
        let entries = entries_of(&top.join(&dir))?;
        if is_repository(&entries) || is_cache(&top.join(&dir)) {
            continue;
        }
        for (name, kind) in entries {
            let path = dir.join(name);
            if disposable.matches(&path) {
                continue;
            }
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() {
                found.insert(path);
            }
        }
    }
    Ok(())
}

fn is_cache(dir: &Path) -> bool {
    let mut start = Vec::new();
    let read = fs::File::open(dir.join(CACHE_TAG.0))
        .and_then(|file| file.take(CACHE_TAG.1.len() as u64).read_to_end(&mut start));
    read.is_ok() && start == CACHE_TAG.1
}

/// Whether both are files with the same content.
fn is_same(one: &Path, other: &Path) -> bool {
    let length = |path: &Path| fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file).map(|m| m.len());
    if length(one).is_none() || length(one) != length(other) {
        return false;
    }
    let (Ok(mut one), Ok(mut other)) = (fs::File::open(one), fs::File::open(other)) else { return false };
    let (mut here, mut there) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let Ok(read) = one.read(&mut here) else { return false };
        if other.read_exact(&mut there[..read]).is_err() || here[..read] != there[..read] {
            return false;
        }
        if read == 0 {
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Fixture;

    fn write(f: &Fixture, path: &str, text: &str) {
        let path = f.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn ignored_files_are_found_unless_they_are_made_again() {
        let f = Fixture::new();
        write(&f, ".gitignore", ".env\ncache/\nlocal/\ntarget/\n*.o\nlink\n");
        write(&f, "src/main.c", "");
        f.git(&["add", "-A"]);
        f.git(&["commit", "-q", "-m", "one"]);
        for path in [".env", "local/deep/notes.md", "src/main.o", "target/x", "local/target/x", "cache/x"] {
            write(&f, path, "x");
        }
        write(&f, "cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n# by a tool\n");
        let names = Names::new(["target"]).unwrap();
        let repo = f.open();
        let found = repo.ignored_files(&names).unwrap();
        assert_eq!(found, [".env", "local/deep/notes.md", "src/main.o"].map(PathBuf::from));
        let names = Names::new(["target", "*.o", "local"]).unwrap();
        assert_eq!(repo.ignored_files(&names).unwrap(), [PathBuf::from(".env")]);
    }

    #[test]
    fn a_file_that_the_main_worktree_has_too_is_not_the_only_one() {
        let f = Fixture::new();
        write(&f, ".gitignore", ".env\nother\n");
        f.git(&["add", "-A"]);
        f.git(&["commit", "-q", "-m", "one"]);
        f.git(&["worktree", "add", "-q", "../linked"]);
        let linked = f.root().parent().unwrap().join("linked");
        let repo = Repo::open_at(&linked, &crate::env::Env::from_process()).unwrap();
        let names = Names::new([]).unwrap();
        write(&f, ".env", "same");
        fs::write(linked.join(".env"), "same").unwrap();
        assert!(repo.ignored_files(&names).unwrap().is_empty());
        fs::write(linked.join(".env"), "sama").unwrap();
        assert_eq!(repo.ignored_files(&names).unwrap(), [PathBuf::from(".env")]);
        // A link into the worktree is no second copy.
        fs::write(linked.join("other"), "x").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(linked.join("other"), f.root().join("other")).unwrap();
        assert_eq!(repo.ignored_files(&names).unwrap().len(), 2);
    }

    #[test]
    fn repositories_are_found_wherever_they_lie_and_judged_by_what_only_they_hold() {
        let f = Fixture::new();
        write(&f, ".gitignore", "vendor/\n");
        write(&f, "src/file", "x");
        f.git(&["add", "-A"]);
        f.git(&["commit", "-q", "-m", "one"]);
        f.git(&["clone", "-q", ".", "vendor/clone"]);
        f.git(&["clone", "-q", "--bare", ".", "vendor/deep/hub.git"]);
        f.git(&["clone", "-q", "--depth=1", &format!("file://{}", f.root().display()), "vendor/shallow"]);
        f.git(&["init", "-q", "src"]);
        let repo = f.open();
        let names = Names::new([]).unwrap();
        let found = repo.inner_repositories().unwrap();
        assert_eq!(
            found,
            ["src", "vendor/clone", "vendor/deep/hub.git", "vendor/shallow"].map(PathBuf::from)
        );
        let loss = |path: &str| repo.inner_loss(Path::new(path), &names).unwrap();
        assert_eq!(loss("vendor/clone"), None);
        assert_eq!(loss("vendor/shallow"), None);
        assert_eq!(loss("vendor/deep/hub.git").unwrap(), "with 1 commit that no remote has");
        assert_eq!(loss("src").unwrap(), "with uncommitted files");
        // A commit that only the reflog has.
        let me = ["-c", "user.name=a", "-c", "user.email=a@b", "-C", "vendor/clone"];
        f.git(&[&me[..], &["commit", "-q", "--allow-empty", "-m", "two"]].concat());
        f.git(&["-C", "vendor/clone", "reset", "-q", "--hard", "HEAD~1"]);
        assert_eq!(loss("vendor/clone").unwrap(), "with 1 commit that no remote has");
        assert!(!f.root().join("vendor/clone/.git/comm-node").exists(), "nothing is left there");
        fs::write(f.root().join("vendor/shallow/.git/HEAD"), "broken").unwrap();
        assert_eq!(loss("vendor/shallow").unwrap(), "that cannot be read");
    }
}

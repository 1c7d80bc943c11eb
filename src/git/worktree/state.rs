//! What would be lost with a worktree: changes, commits, submodules.

use std::fs;
use std::path::{Path, PathBuf};

use super::make::copy_index;
use super::path_of;
use crate::git::{Backend, GitError, Oid, Repo, Trunk};
use crate::text::escape;

/// Changes that no commit holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dirt {
    /// Files whose index entry differs from HEAD.
    pub staged: usize,
    /// Tracked files that differ from the index.
    pub unstaged: usize,
    /// Files that are neither tracked nor ignored.
    pub untracked: usize,
    /// Files with conflicts.
    pub conflicts: usize,
    /// Repositories inside the worktree with content of their own that a
    /// commit of this one cannot hold.
    pub inner: Vec<String>,
}

impl Dirt {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.staged + self.unstaged + self.untracked + self.conflicts + self.inner.len()
    }

    /// Whether there are none.
    pub fn is_clean(&self) -> bool {
        self.count() == 0
    }

    fn parse(out: &[u8]) -> Self {
        let mut dirt = Self::default();
        for record in out.split(|&b| b == 0).filter(|record| !record.is_empty()) {
            let mut fields = record.splitn(2, |&b| b == b' ');
            let (kind, rest) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
            match kind {
                b"1" | b"2" => dirt.changed(rest),
                b"u" => dirt.conflicts += 1,
                b"?" if rest.ends_with(b"/") => dirt.inner.push(escape::bytes(rest)),
                b"?" => dirt.untracked += 1,
                _ => {}
            }
        }
        dirt
    }

    /// An entry `XY SUB MH MI MW HH HI PATH`.
    fn changed(&mut self, entry: &[u8]) {
        let mut fields = entry.splitn(8, |&b| b == b' ');
        let (xy, sub) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        self.staged += usize::from(xy.first().is_some_and(|&x| x != b'.'));
        // A submodule's own changes are told apart from another commit in it.
        let has_own = sub.first() == Some(&b'S') && (sub.get(2) == Some(&b'M') || sub.get(3) == Some(&b'U'));
        if has_own {
            self.inner.push(fields.nth(5).map(escape::bytes).unwrap_or_default());
        } else {
            self.unstaged += usize::from(xy.get(1).is_some_and(|&y| y != b'.'));
        }
    }
}

/// Files and directories that tell that something is under way.
const UNDER_WAY: [(&str, &str); 7] = [
    ("rebase-merge", "a rebase"),
    ("rebase-apply", "a rebase or am"),
    ("MERGE_HEAD", "a merge"),
    ("CHERRY_PICK_HEAD", "a cherry-pick"),
    ("REVERT_HEAD", "a revert"),
    ("sequencer", "a sequence of picks"),
    ("BISECT_LOG", "a bisection"),
];

impl Repo {
    /// The changes in this worktree that no commit holds. Settings that hide
    /// changes are not obeyed.
    pub fn dirt(&self) -> Result<Dirt, GitError> {
        self.dirt_of(None)
    }

    /// As [`Repo::dirt`], also in files that the index says not to look at.
    pub fn dirt_thorough(&self) -> Result<Dirt, GitError> {
        let index = self.inspection_index()?;
        self.dirt_of(Some(&index.path().join("index")))
    }

    fn dirt_of(&self, index: Option<&Path>) -> Result<Dirt, GitError> {
        let args = [
            "status",
            "--porcelain=v2",
            "-z",
            "--untracked-files=all",
            "--ignore-submodules=none",
            "--no-renames",
            "--no-ahead-behind",
        ];
        Ok(Dirt::parse(&self.run_here(index, &["core.untrackedCache=false"], &args, None)?.ok()?))
    }

    /// A copy of the index in which no file that exists is assumed to be
    /// unchanged or left out.
    pub(super) fn inspection_index(&self) -> Result<tempfile::TempDir, GitError> {
        let dir = self.temporary_index()?;
        let copy = dir.path().join("index");
        match copy_index(&self.git_dir.join("index"), &copy) {
            Ok(()) => {}
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(dir),
            Err(err) => return Err(GitError::write(&copy, err)),
        }
        let listed = self.run_here(Some(&copy), &[], &["ls-files", "-v", "-z"], None)?.ok()?;
        let mut hidden = Vec::new();
        for entry in listed.split(|&b| b == 0) {
            let [flag, b' ', path @ ..] = entry else { continue };
            let exists = || {
                let path = path_of(path).zip(self.work_tree.as_ref()).map(|(path, tree)| tree.join(path));
                path.is_some_and(|path| fs::symlink_metadata(path).is_ok())
            };
            if (flag.is_ascii_lowercase() || *flag == b'S') && exists() {
                hidden.extend(path);
                hidden.push(0);
            }
        }
        if !hidden.is_empty() {
            for flag in ["--no-assume-unchanged", "--no-skip-worktree"] {
                let args = ["update-index", flag, "-z", "--stdin"];
                self.run_here(Some(&copy), &[], &args, Some(&hidden))?.ok()?;
            }
        }
        Ok(dir)
    }

    /// What is under way in this worktree, such as a rebase.
    pub fn under_way(&self) -> Option<&'static str> {
        let is_noted = |name: &str| {
            // Elsewhere than in files some of them are refs.
            let is_ref = || self.run_here(None, &[], &["rev-parse", "-q", "--verify", name], None);
            self.git_dir.join(name).exists()
                || (self.backend != Backend::Files
                    && name.ends_with("_HEAD")
                    && is_ref().is_ok_and(|ended| ended.is_success()))
        };
        UNDER_WAY.iter().find(|(name, _)| is_noted(name)).map(|(_, what)| *what)
    }

    /// Whether the index holds nothing that HEAD does not.
    pub fn is_index_committed(&self) -> Result<bool, GitError> {
        if !self.git_dir.join("index").exists() {
            return Ok(true);
        }
        let Some(head) = self.head()? else { return Ok(false) };
        let args = ["diff-index", "--cached", "--quiet", "--ignore-submodules=none", &head.to_string(), "--"];
        Ok(self.run_here(None, &[], &args, None)?.answer()?.is_some())
    }

    /// How many commits of HEAD of this worktree no tag, no remote and no branch
    /// holds; `branch` does not count.
    pub fn commits_only_here(&self, branch: Option<&str>) -> Result<usize, GitError> {
        let mut known = Vec::new();
        if let Some(branch) = branch {
            known.push(format!("--exclude={branch}"));
        }
        known.extend(["--branches", "--tags", "--remotes"].map(str::to_owned));
        self.count_commits(&known)
    }

    /// How many commits of HEAD of this worktree are neither on a remote nor on the
    /// trunk.
    pub fn commits_unpublished(&self, trunk: Option<&Trunk>) -> Result<usize, GitError> {
        let mut known = vec!["--remotes".to_owned()];
        known.extend(trunk.map(|trunk| trunk.tip.to_string()));
        self.count_commits(&known)
    }

    fn count_commits(&self, known: &[String]) -> Result<usize, GitError> {
        let Some(head) = self.head()? else { return Ok(0) };
        let mut args = ["rev-list", "--count", &head.to_string(), "--not"].map(str::to_owned).to_vec();
        args.extend(known.iter().cloned());
        args.push("--".to_owned());
        let ended = self.run_here(None, &[], &args, None)?;
        match ended.text().and_then(|text| text.parse().ok()) {
            Some(count) => Ok(count),
            None => Err(ended.error()),
        }
    }

    /// How many commits HEAD of this worktree is ahead of the trunk, and how
    /// many behind it.
    pub fn ahead_behind(&self, trunk: &Trunk) -> Result<Option<(usize, usize)>, GitError> {
        let Some(head) = self.head()? else { return Ok(None) };
        let range = format!("{head}...{}", trunk.tip);
        let ended = self.run_here(None, &[], &["rev-list", "--left-right", "--count", &range, "--"], None)?;
        let numbers = ended.text().and_then(|text| {
            let (ahead, behind) = text.split_once('\t')?;
            Some((ahead.parse().ok()?, behind.parse().ok()?))
        });
        numbers.map(Some).ok_or_else(|| ended.error())
    }

    /// Whether `trunk` holds the commit.
    pub fn is_merged(&self, commit: Oid, trunk: &Trunk) -> Result<bool, GitError> {
        self.is_ancestor(commit, trunk.tip)
    }

    /// The submodules whose own repositories, which go with this worktree,
    /// hold commits that are on no remote.
    pub fn unpushed_submodules(&self) -> Result<Vec<String>, GitError> {
        let mut dirs = Vec::new();
        let modules = self.git_dir.join("modules");
        if !self.is_main_worktree() {
            find_repositories(&modules, &mut dirs);
        }
        let mut found = Vec::new();
        for dir in dirs {
            // One that cannot be looked at is not known to be pushed.
            if self.commits_unpushed(&dir).ok() != Some(0) {
                let name = dir.strip_prefix(&modules).unwrap_or(&dir);
                found.push(escape::bytes(name.as_os_str().as_encoded_bytes()));
            }
        }
        Ok(found)
    }

    /// Whether the index lists submodules, which `git worktree remove`
    /// refuses unless forced.
    pub fn has_submodules(&self) -> Result<bool, GitError> {
        if self.git_dir.join("modules").is_dir() {
            return Ok(true);
        }
        let listed = self.run_here(None, &[], &["ls-files", "-s", "-z"], None)?.ok()?;
        Ok(listed.split(|&b| b == 0).any(|entry| entry.starts_with(b"160000 ")))
    }
}

/// The git directories below `dir`, also those of submodules of submodules.
fn find_repositories(dir: &Path, found: &mut Vec<PathBuf>) {
    if dir.join("HEAD").exists() && dir.join("objects").is_dir() {
        found.push(dir.to_owned());
        return find_repositories(&dir.join("modules"), found);
    }
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        find_repositories(&entry.path(), found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Fixture;

    #[test]
    fn changes_are_counted_by_where_they_are() {
        let f = Fixture::new();
        for name in ["a", "b", "c"] {
            fs::write(f.root().join(name), name).unwrap();
        }
        f.git(&["add", "-A"]);
        f.git(&["commit", "-q", "-m", "one"]);
        let repo = f.open();
        assert!(repo.dirt_thorough().unwrap().is_clean());
        fs::write(f.root().join("a"), "changed").unwrap();
        f.git(&["add", "a"]);
        fs::write(f.root().join("b"), "changed").unwrap();
        fs::write(f.root().join("new"), "new").unwrap();
        f.git(&["init", "-q", "inner"]);
        let dirt = repo.dirt_thorough().unwrap();
        assert_eq!((dirt.staged, dirt.unstaged, dirt.untracked, dirt.conflicts), (1, 1, 1, 0));
        assert_eq!(dirt.inner, ["inner/"]);
    }

    #[test]
    fn changes_that_git_was_told_not_to_see_are_seen() {
        let f = Fixture::new();
        for name in ["a", "b", "c"] {
            fs::write(f.root().join(name), name).unwrap();
        }
        f.git(&["add", "-A"]);
        f.git(&["commit", "-q", "-m", "one"]);
        f.git(&["update-index", "--assume-unchanged", "a"]);
        f.git(&["update-index", "--skip-worktree", "b", "c"]);
        f.git(&["config", "status.showUntrackedFiles", "no"]);
        fs::remove_file(f.root().join("c")).unwrap();
        let repo = f.open();
        assert_eq!(repo.dirt_thorough().unwrap().count(), 0, "what is left out on purpose is no change");
        fs::write(f.root().join("a"), "A").unwrap();
        fs::write(f.root().join("b"), "B").unwrap();
        fs::write(f.root().join("new"), "new").unwrap();
        assert_eq!(f.git(&["status", "--porcelain"]), "");
        let dirt = repo.dirt_thorough().unwrap();
        assert_eq!((dirt.unstaged, dirt.untracked), (2, 1));
    }
}

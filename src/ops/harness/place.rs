//! Where a path leads, whatever it looks like: links followed, `..` resolved,
//! names that do not exist yet included.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::git::Repo;

/// More links than a kernel follows.
const LINKS: usize = 40;

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Into this worktree: the path as git has it.
    Inside(Vec<u8>),
    /// To git's own files.
    Git,
    /// Into another worktree of this repository, which is at this folder.
    Worktree(PathBuf),
    /// Somewhere else.
    Outside(PathBuf),
}

/// A worktree, ready to say where paths lead.
pub(super) struct Places<'r> {
    repo: &'r Repo,
    root: PathBuf,
}

impl<'r> Places<'r> {
    /// None without a working tree.
    pub(super) fn new(repo: &'r Repo) -> Option<Self> {
        let root = fs::canonicalize(repo.work_tree()?).ok()?;
        Some(Self { repo, root })
    }

    /// The top of the worktree.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Where the absolute `path` leads. `link/..` leads to one place for the
    /// kernel and to another for a program that shortens paths first; both
    /// are answered where they differ.
    pub(super) fn of(&self, path: &Path) -> Vec<Place> {
        let mut places = vec![self.place(&real(path))];
        let has_parent = path.components().any(|c| c == Component::ParentDir);
        if has_parent {
            let shortened = self.place(&real(&shortened(path)));
            if !places.contains(&shortened) {
                places.push(shortened);
            }
        }
        places
    }

    fn place(&self, real: &Path) -> Place {
        if real.starts_with(self.repo.common_dir()) || real.starts_with(self.repo.git_dir()) {
            return Place::Git;
        }
        let Ok(below) = real.strip_prefix(&self.root) else {
            return match self.worktree_around(real.ancestors().skip(1)) {
                Some(dir) => Place::Worktree(dir),
                None if real.components().any(|c| is_dot_git(&c)) => Place::Git,
                None => Place::Outside(real.to_owned()),
            };
        };
        if below.components().any(|c| is_dot_git(&c)) {
            return Place::Git;
        }
        let within = real.ancestors().skip(1).take_while(|dir| *dir != self.root);
        match self.worktree_around(within) {
            Some(dir) => Place::Worktree(dir),
            None => Place::Inside(as_git_has(below)),
        }
    }

    /// The nearest of these folders that is the top of a worktree of this
    /// repository.
    fn worktree_around<'p>(&self, dirs: impl Iterator<Item = &'p Path>) -> Option<PathBuf> {
        for dir in dirs {
            let link = dir.join(".git");
            let Ok(meta) = fs::symlink_metadata(&link) else { continue };
            let ours = if meta.is_file() {
                let text = fs::read_to_string(&link).unwrap_or_default();
                let named = text.strip_prefix("gitdir:").map(|t| real(&dir.join(t.trim())));
                named.is_some_and(|n| n.starts_with(self.repo.common_dir().join("worktrees")))
            } else {
                real(&link) == self.repo.common_dir()
            };
            // A repository of its own, such as a submodule, ends the search.
            return ours.then(|| dir.to_owned());
        }
        None
    }
}

/// `.git` by any name that some file system takes for it.
fn is_dot_git(component: &Component<'_>) -> bool {
    let Component::Normal(name) = component else { return false };
    let name: String =
        name.to_string_lossy().chars().filter(|&c| !crate::text::escape::is_unsafe(c)).collect();
    let name = name.to_ascii_lowercase();
    let name = name.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
    name == ".git" || name == "git~1"
}

/// Where `path` leads: every link followed, also one that leads nowhere yet.
pub(super) fn real(path: &Path) -> PathBuf {
    let mut steps: VecDeque<OsString> = path.components().map(|c| c.as_os_str().to_owned()).collect();
    let mut done = PathBuf::new();
    let mut links = 0;
    while let Some(step) = steps.pop_front() {
        match Path::new(&step).components().next() {
            Some(Component::ParentDir) => {
                done.pop();
            }
            Some(Component::Normal(_)) => {
                let next = done.join(&step);
                match fs::read_link(&next) {
                    Ok(target) if links < LINKS => {
                        links += 1;
                        for component in target.components().rev() {
                            steps.push_front(component.as_os_str().to_owned());
                        }
                    }
                    _ => done = next,
                }
            }
            Some(Component::RootDir | Component::Prefix(_)) => done.push(&step),
            Some(Component::CurDir) | None => {}
        }
    }
    true_case(done)
}

/// Where names differ only by case, the file's own name.
#[cfg(target_os = "linux")]
fn true_case(path: PathBuf) -> PathBuf {
    path
}

#[cfg(not(target_os = "linux"))]
fn true_case(path: PathBuf) -> PathBuf {
    for existing in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (fs::canonicalize(existing), path.strip_prefix(existing)) {
            return real.join(rest);
        }
    }
    path
}

/// The path with `..` taken for "one name less", as programs do that look at
/// the text alone.
fn shortened(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(unix)]
fn as_git_has(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().to_vec()
}

#[cfg(not(unix))]
fn as_git_has(path: &Path) -> Vec<u8> {
    path.to_string_lossy().replace('\\', "/").into_bytes()
}

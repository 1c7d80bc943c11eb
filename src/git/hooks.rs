//! Where git looks for hooks, what it runs there, and the files that decide.
//!
//! git itself is asked where it would look. Nothing here knows what our own
//! hooks contain.

use std::fs;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use super::{GitError, Repo, fsx};

/// The first version of git that runs hooks from its configuration.
const CONFIG_HOOKS: (u32, u32) = (2, 54);

/// A version of the git program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitVersion {
    /// As git says it, such as `2.47.3`.
    pub text: String,
    number: (u32, u32),
}

impl GitVersion {
    fn parse(said: &str) -> Self {
        let text = said.trim().strip_prefix("git version ").unwrap_or(said.trim());
        let mut parts = text.split(|c: char| !c.is_ascii_digit()).map(|p| p.parse().unwrap_or(0));
        let number = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        Self { text: crate::text::escape::clipped(text, 40), number }
    }

    /// Whether it runs `hook.<name>.command`.
    pub fn runs_config_hooks(&self) -> bool {
        self.number >= CONFIG_HOOKS
    }
}

/// Whose the folder is that git takes hooks from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The repository's: it lies in its common directory.
    Repository,
    /// The worktree's: files there may be tracked.
    Worktree,
    /// Somebody else's, who may use it for other repositories.
    Elsewhere,
}

/// The folder that git takes a worktree's hooks from.
#[derive(Clone, Debug)]
pub struct HooksFolder {
    /// Its path, absolute.
    pub path: PathBuf,
    /// Whose it is.
    pub owner: Owner,
    /// The value of `core.hooksPath` that named it, and the scope of that.
    pub configured: Option<(String, String)>,
}

impl HooksFolder {
    /// Whether every worktree has a folder of its own.
    pub fn is_relative(&self) -> bool {
        self.configured.as_ref().is_some_and(|(value, _)| Path::new(value).is_relative())
    }
}

/// What lies where git looks for a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookFile {
    /// Nothing.
    Absent,
    /// A symbolic link, with where it points.
    Link(PathBuf),
    /// Something that is no file, or one too large for a script.
    Odd,
    /// A file.
    File {
        /// Its content.
        bytes: Vec<u8>,
        /// Its permission bits.
        mode: u32,
    },
}

/// No script is larger, in bytes.
const LARGEST: u64 = 16 << 20;
/// What stands between the name of a hook that is being written and a number.
pub(super) const TEMPORARY_HOOK: &str = ".git-comm-";
/// Permission to run a file.
pub const RUNS: u32 = 0o111;

impl Repo {
    /// The version of git that runs here.
    pub fn git_version(&self) -> Result<GitVersion, GitError> {
        let out = self.git_output(&["version"])?;
        Ok(GitVersion::parse(&String::from_utf8_lossy(&out)))
    }

    /// The folder that git takes this worktree's hooks from.
    pub fn hooks_folder(&self) -> Result<HooksFolder, GitError> {
        let args = ["config", "-z", "--show-scope", "--type=path", "--get-all", "core.hooksPath"];
        let out = self.git_here(&args, None)?.unwrap_or_default();
        let out = String::from_utf8_lossy(&out);
        let mut fields = out.split('\0');
        let mut configured = None;
        while let (Some(scope), Some(value)) = (fields.next(), fields.next()) {
            // Our own call of git turns hooks off.
            if scope != "command" {
                configured = Some((value.to_owned(), scope.to_owned()));
            }
        }
        let path = match &configured {
            None => self.common_dir().join("hooks"),
            // git runs hooks at the top of the worktree.
            Some((value, _)) => plain(&self.work_tree().unwrap_or(self.git_dir()).join(value)),
        };
        let owner = self.owner_of(&path);
        Ok(HooksFolder { path, owner, configured })
    }

    fn owner_of(&self, path: &Path) -> Owner {
        let real = resolved(path);
        let tree = self.work_tree().map(resolved);
        if real.starts_with(self.common_dir()) {
            Owner::Repository
        } else if tree.is_some_and(|tree| real.starts_with(tree)) {
            Owner::Worktree
        } else {
            Owner::Elsewhere
        }
    }

    /// The tops of all worktrees, this one and those that are gone included.
    pub fn worktree_tops(&self) -> Result<Vec<PathBuf>, GitError> {
        let out = self.git_output(&["worktree", "list", "--porcelain", "-z"])?;
        let tops = out.split(|&b| b == 0).filter_map(|field| field.strip_prefix(b"worktree "));
        Ok(tops.map(path_of).collect())
    }

    /// Whether git ignores this path of the worktree. What is tracked is not
    /// ignored.
    pub fn ignores(&self, path: &Path) -> Result<bool, GitError> {
        let path = path.to_string_lossy();
        Ok(self.git_here(&["check-ignore", "-q", "--", &path], None)?.is_some())
    }

    /// Every value below `hook.`, as git reads them: name in lower case where
    /// git ignores case, and value.
    pub fn hook_settings(&self) -> Result<Vec<(String, String)>, GitError> {
        let out = self.git_here(&["config", "-z", "--get-regexp", r"^hook\."], None)?.unwrap_or_default();
        let entries = out.split(|&b| b == 0).filter(|e| !e.is_empty()).map(|entry| {
            let entry = String::from_utf8_lossy(entry);
            let (key, value) = entry.split_once('\n').unwrap_or((&entry, "true"));
            (key.to_owned(), value.to_owned())
        });
        Ok(entries.collect())
    }

    /// What lies at `path`.
    pub fn hook_file(path: &Path) -> Result<HookFile, GitError> {
        let failed = |err| GitError::read(path, err);
        let meta = match fs::symlink_metadata(path) {
            Err(err) if matches!(err.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(HookFile::Absent);
            }
            other => other.map_err(failed)?,
        };
        if meta.is_symlink() {
            return Ok(HookFile::Link(fs::read_link(path).map_err(failed)?));
        }
        if !meta.is_file() || meta.len() > LARGEST {
            return Ok(HookFile::Odd);
        }
        Ok(HookFile::File { bytes: fs::read(path).map_err(failed)?, mode: mode_of(&meta) })
    }

    /// Whether git would run what lies at `path`, links followed.
    pub fn is_runnable(path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|meta| meta.is_file() && (cfg!(windows) || mode_of(&meta) & RUNS != 0))
    }

    /// Puts a hook file in place, whole: git never runs half of one. Without
    /// a mode it gets that of a new program. Says whether the folder was made.
    pub fn write_hook(&self, path: &Path, bytes: &[u8], mode: Option<u32>) -> Result<bool, GitError> {
        let folder = fsx::parent(path);
        let failed = |err| GitError::write(path, err);
        let made = fsx::create_dirs(folder, self.shared).map_err(failed)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary =
            folder.join(format!("{name}{TEMPORARY_HOOK}{}", fsx::random_name(&self.env, folder)?));
        let written = fsx::create_new(&temporary, 0o777).and_then(|mut file| {
            file.write_all(bytes)?;
            match mode {
                Some(mode) => set_mode(&temporary, mode)?,
                None => self.shared.adjust_file(&file)?,
            }
            fs::rename(&temporary, path)
        });
        written.map_err(|err| {
            let _ = fs::remove_file(&temporary);
            failed(err)
        })?;
        Ok(!made.is_empty())
    }

    /// Deletes a hook file.
    pub fn delete_hook(path: &Path) -> Result<(), GitError> {
        match fs::remove_file(path) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => Err(GitError::write(path, err)),
            _ => Ok(()),
        }
    }

    /// Deletes a folder if nothing is in it.
    pub fn delete_empty(folder: &Path) -> bool {
        fs::remove_dir(folder).is_ok()
    }

    /// The configuration file that all worktrees share.
    pub fn config_path(&self) -> PathBuf {
        self.common_dir().join("config")
    }

    /// Rewrites the shared configuration under git's own lock. `change` gets
    /// its bytes and answers with the new ones, or none to leave it alone.
    pub fn edit_config(&self, change: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> Result<(), GitError> {
        // git writes through a link too.
        let path = resolved(&self.config_path());
        let failed = |err| GitError::write(&path, err);
        let lock = super::lock::lock_of(&path);
        let mut tries = 0;
        let mut file = loop {
            tries += 1;
            match fsx::create_new(&lock, 0o666) {
                Err(err) if err.kind() == io::ErrorKind::AlreadyExists && tries < 40 => {
                    self.env.sleep_jittered(std::time::Duration::from_millis(50));
                }
                Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {
                    let waited = std::time::Duration::from_secs(2);
                    return Err(GitError::Locked { path: lock, holder: None, waited });
                }
                other => break other.map_err(failed)?,
            }
        };
        let rewrite = || -> io::Result<bool> {
            let before = match fs::read(&path) {
                Err(err) if err.kind() == io::ErrorKind::NotFound => Vec::new(),
                other => other?,
            };
            let Some(after) = change(&before) else { return Ok(false) };
            file.write_all(&after)?;
            if let Ok(meta) = fs::metadata(&path) {
                set_mode(&lock, mode_of(&meta))?;
            }
            file.sync_all()?;
            fs::rename(&lock, &path)?;
            Ok(true)
        };
        // The closure is called once; naming it keeps one place that cleans up.
        let rewritten = rewrite();
        if !matches!(rewritten, Ok(true)) {
            let _ = fs::remove_file(&lock);
        }
        rewritten.map(|_| ()).map_err(failed)
    }
}

/// The path without `.` and `..`, as text decides it.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// The path with links followed as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    match (path.parent(), path.file_name()) {
        (Some(above), Some(name)) => resolved(above).join(name),
        _ => path.to_owned(),
    }
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(unix)]
fn mode_of(meta: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    meta.permissions().mode() & 0o7777
}

// Where no file has a bit for it, every hook runs.
#[cfg(not(unix))]
fn mode_of(_: &fs::Metadata) -> u32 {
    0o755
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Fixture;

    #[test]
    fn hooks_come_from_the_configuration_from_2_54_on() {
        for (said, runs) in [
            ("git version 2.39.5", false),
            ("git version 2.53.9.windows.1", false),
            ("git version 2.54.0-rc1", true),
            ("git version 2.55.GIT", true),
            ("git version 3.0", true),
            ("nonsense", false),
        ] {
            assert_eq!(GitVersion::parse(said).runs_config_hooks(), runs, "{said}");
        }
    }

    #[test]
    fn the_folder_is_where_git_says() {
        let f = Fixture::new();
        let folder = f.open().hooks_folder().unwrap();
        assert_eq!((folder.path.file_name().unwrap(), folder.owner), ("hooks".as_ref(), Owner::Repository));
        for (value, owner, end) in [
            (".husky/_", Owner::Worktree, ".husky/_"),
            ("../beside", Owner::Elsewhere, "beside"),
            (".git/x", Owner::Repository, ".git/x"),
            ("~/hooks", Owner::Elsewhere, "hooks"),
        ] {
            f.git(&["config", "core.hooksPath", value]);
            let folder = f.open().hooks_folder().unwrap();
            assert!(folder.path.ends_with(end) && folder.path.is_absolute(), "{:?}", folder.path);
            assert_eq!(folder.owner, owner, "{value}");
            assert_eq!(folder.configured.unwrap().1, "local");
        }
    }

    #[test]
    fn the_configuration_is_rewritten_under_gits_lock() {
        let f = Fixture::new();
        let repo = f.open();
        let lock = repo.config_path().with_extension("lock");
        repo.edit_config(|before| {
            assert!(lock.exists());
            Some([before, b"[a]\n\tb = c\n"].concat())
        })
        .unwrap();
        assert!(!lock.exists());
        assert_eq!(f.open().config("a.b").as_deref(), Some("c"));
        repo.edit_config(|_| None).unwrap();
        assert!(!lock.exists());
    }
}

//! Configuration of one worktree: `extensions.worktreeConfig`.
//!
//! With the extension on, `core.bare` and `core.worktree` of the common
//! configuration would bind every worktree, so they move to the main one's
//! `config.worktree`. That file is written first, where nothing reads it yet;
//! then one rename switches the extension on and takes the keys away.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::Ended;
use crate::git::foreign::Foreign;
use crate::git::fsx::{self, Identity};
use crate::git::lock::lock_of;
use crate::git::{GitError, Repo};

/// How often the edit starts again after somebody else's came in between.
const TRIES: usize = 8;

/// What the common configuration says about worktrees.
#[derive(Debug, PartialEq, Eq)]
struct Common {
    is_on: bool,
    bare: bool,
    worktree: Option<Vec<u8>>,
}

impl Repo {
    /// Lets every worktree have configuration of its own. At whatever point
    /// this is killed, the repository works, and the next call finishes it.
    pub fn enable_worktree_config(&self) -> Result<(), GitError> {
        // git follows a symbolic link to the file that it replaces.
        let path = self.common_dir.join("config");
        let path = fs::canonicalize(&path).map_err(|err| GitError::read(&path, err))?;
        if self.common_config(&path)?.is_settled() {
            return Ok(());
        }
        let _lock = self.lock_file("config.lock")?;
        let next = self.state_dir.join("config.next");
        self.clear_own_lock(&path, &next)?;
        for _ in 0..TRIES {
            let read = || fs::read(&path).map_err(|err| GitError::read(&path, err));
            let before = read()?;
            let common = self.common_config(&path)?;
            if common.is_settled() {
                return Ok(());
            }
            self.move_to_main(&common)?;
            self.write_next(&path, &before, &next, &common)?;
            let lock = self.link_lock(&path, &next)?;
            // Whoever edits holds the lock that is ours now.
            if read()? == before {
                fs::rename(&lock, &path).map_err(|err| GitError::write(&path, err))?;
                let _ = fs::remove_file(&next);
                return fsx::sync_dir(fsx::parent(&path)).map_err(|err| GitError::write(&path, err));
            }
            fs::remove_file(&lock).map_err(|err| GitError::write(&lock, err))?;
        }
        Err(GitError::Locked { path, holder: None, waited: std::time::Duration::ZERO })
    }

    /// Removes the lock of a process that died between linking and renaming:
    /// the lock is then the very file that it had prepared.
    fn clear_own_lock(&self, path: &Path, next: &Path) -> Result<(), GitError> {
        let lock = lock_of(path);
        if let (Ok(ours), Ok(found)) = (Identity::at(next), Identity::at(&lock))
            && ours == found
        {
            fs::remove_file(&lock).map_err(|err| GitError::write(&lock, err))?;
        }
        match fs::remove_file(next) {
            Err(err) if err.kind() != std::io::ErrorKind::NotFound => Err(GitError::write(next, err)),
            _ => Ok(()),
        }
    }

    /// Writes the whole new configuration beside the old one.
    fn write_next(&self, path: &Path, before: &[u8], next: &Path, common: &Common) -> Result<(), GitError> {
        let _ = fs::remove_file(next);
        let write = || -> std::io::Result<File> {
            let mut file = fsx::create_new(next, 0o666)?;
            file.set_permissions(fs::metadata(path)?.permissions())?;
            file.write_all(before)?;
            Ok(file)
        };
        let (file, _) = fsx::with_dir(&self.state_dir, self.shared, || match write() {
            Err(err) => {
                let _ = fs::remove_file(next);
                Err(err)
            }
            file => file,
        })
        .map_err(|err| GitError::write(next, err))?;
        drop(file);
        if common.bare {
            self.edit(next, &["--unset-all", "core.bare"])?;
        }
        if common.worktree.is_some() {
            self.edit(next, &["--unset-all", "core.worktree"])?;
        }
        self.edit(next, &["--replace-all", "extensions.worktreeConfig", "true"])?;
        // git replaced the file by another one.
        let synced = File::open(next).and_then(|file| file.sync_all());
        synced.map_err(|err| GitError::write(next, err))
    }

    /// Takes git's lock on the configuration by linking the prepared file to
    /// its place, which only one process can do.
    fn link_lock(&self, path: &Path, next: &Path) -> Result<PathBuf, GitError> {
        let lock = lock_of(path);
        let mut foreign = Foreign::default();
        loop {
            let taken = fs::hard_link(next, &lock)
                .or_else(|err| if fsx::cannot_link(&err) { copy_lock(next, &lock) } else { Err(err) });
            match taken {
                Ok(()) => return Ok(lock),
                Err(err) if err.kind() == std::io::ErrorKind::AlreadyExists => {
                    self.wait_for(&lock, &mut foreign)?;
                    if foreign.is_stale {
                        self.set_aside(&lock, &foreign)?;
                    }
                }
                Err(err) => return Err(GitError::write(&lock, err)),
            }
        }
    }

    /// Gives the main worktree, or the bare repository, the keys that are its
    /// own alone.
    fn move_to_main(&self, common: &Common) -> Result<(), GitError> {
        let path = self.common_dir.join("config.worktree");
        if common.bare {
            self.edit(&path, &["--replace-all", "core.bare", "true"])?;
        }
        if let Some(worktree) = &common.worktree {
            let value = super::path_of(worktree).unwrap_or_default();
            let args = ["--replace-all".as_ref(), "core.worktree".as_ref(), value.as_os_str()];
            self.edit(&path, &args)?;
        }
        if !common.is_on && path.exists() {
            // Perhaps left by a try that was killed, and not true any more.
            if !common.bare {
                self.edit(&path, &["--unset-all", "core.bare"])?;
            }
            if common.worktree.is_none() {
                self.edit(&path, &["--unset-all", "core.worktree"])?;
            }
        }
        Ok(())
    }

    fn common_config(&self, path: &Path) -> Result<Common, GitError> {
        let mut command = self.git(&[])?;
        command.args(["config", "--no-includes", "-z", "--list", "--file"]).arg(path);
        Ok(Common::parse(&Ended::of(command, "config")?.ok()?))
    }

    /// Sets keys of this worktree's own configuration, or removes them.
    pub fn set_worktree_config(&self, pairs: &[(&str, Option<&str>)]) -> Result<(), GitError> {
        let path = self.git_dir.join("config.worktree");
        for (key, value) in pairs {
            match value {
                Some(value) => self.edit(&path, &["--replace-all", key, value])?,
                None if path.exists() => self.edit(&path, &["--unset-all", key])?,
                None => {}
            }
        }
        Ok(())
    }

    fn edit<A: AsRef<std::ffi::OsStr>>(&self, path: &Path, args: &[A]) -> Result<(), GitError> {
        let mut command = self.git(&[])?;
        command.args(["config", "--file"]).arg(path).args(args);
        let ended = Ended::of(command, "config")?;
        // 5: what was to be removed was not there.
        if ended.is_success() || ended.code() == Some(5) { Ok(()) } else { Err(ended.error()) }
    }
}

impl Common {
    fn is_settled(&self) -> bool {
        self.is_on && !self.bare && self.worktree.is_none()
    }

    /// Reads what `git config -z --list` prints: a key, and after a line feed
    /// its value, if it has one.
    fn parse(text: &[u8]) -> Self {
        let mut common = Self { is_on: false, bare: false, worktree: None };
        for entry in text.split(|&b| b == 0) {
            let at = entry.iter().position(|&b| b == b'\n');
            let (key, value) = at.map_or((entry, None), |at| (&entry[..at], Some(&entry[at + 1..])));
            match key {
                b"extensions.worktreeconfig" => common.is_on = is_true(value),
                b"core.bare" => common.bare = is_true(value),
                b"core.worktree" => common.worktree = value.map(<[u8]>::to_vec),
                _ => {}
            }
        }
        common
    }
}

/// Without links the lock is a copy: a kill before the rename leaves one that
/// is broken when it is old.
fn copy_lock(next: &Path, lock: &Path) -> std::io::Result<()> {
    let bytes = fs::read(next)?;
    let mut file = fsx::create_new(lock, 0o666)?;
    file.write_all(&bytes).inspect_err(|_| {
        let _ = fs::remove_file(lock);
    })
}

/// A boolean as git reads it; a key without a value is true.
fn is_true(value: Option<&[u8]>) -> bool {
    let Some(value) = value else { return true };
    let value = String::from_utf8_lossy(value).to_ascii_lowercase();
    match value.as_str() {
        "true" | "yes" | "on" => true,
        "" | "false" | "no" | "off" => false,
        number => number.parse::<i64>().is_ok_and(|number| number != 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Env;
    use crate::git::testing::Fixture;

    #[test]
    fn a_bare_repository_and_its_worktrees_stay_what_they_are() {
        let f = Fixture::init(&["--bare"]);
        let tree = f.git(&["mktree"]);
        let one = f.git(&["commit-tree", "-m", "one", &tree]);
        f.git(&["update-ref", "refs/heads/main", &one]);
        f.git(&["worktree", "add", "-q", "../linked", "main"]);
        let linked = f.root().parent().unwrap().join("linked");
        let is_bare = |dir: &Path| f.git(&["-C", dir.to_str().unwrap(), "rev-parse", "--is-bare-repository"]);
        for _ in 0..2 {
            f.open().enable_worktree_config().unwrap();
            assert_eq!(is_bare(f.root()), "true");
            assert_eq!(is_bare(&linked), "false");
            assert_eq!(f.git(&["-C", linked.to_str().unwrap(), "status", "--porcelain"]), "");
            assert_eq!(f.open().work_tree(), None);
            assert!(Repo::open(&linked, &Env::from_process()).unwrap().work_tree().is_some());
        }
        let config = fs::read_to_string(f.root().join("config")).unwrap();
        assert!(!config.contains("bare") && config.contains("worktreeConfig = true"), "{config}");
        // Somebody puts it back: the next call moves it again.
        f.git(&["config", "--file", "config", "core.bare", "true"]);
        f.open().enable_worktree_config().unwrap();
        assert_eq!(is_bare(&linked), "false");
    }

    #[test]
    fn a_work_tree_elsewhere_stays_the_main_ones() {
        let f = Fixture::new();
        f.git(&["commit", "-q", "--allow-empty", "-m", "one"]);
        let elsewhere = f.root().parent().unwrap().join("else where");
        fs::create_dir(&elsewhere).unwrap();
        f.git(&["config", "core.worktree", elsewhere.to_str().unwrap()]);
        f.git(&["worktree", "add", "-q", "../linked"]);
        f.open().enable_worktree_config().unwrap();
        assert_eq!(f.git(&["rev-parse", "--show-toplevel"]), elsewhere.to_str().unwrap());
        let linked = f.root().parent().unwrap().join("linked");
        let top = f.git(&["-C", linked.to_str().unwrap(), "rev-parse", "--show-toplevel"]);
        assert_eq!(top, linked.to_str().unwrap());
    }

    #[test]
    fn a_lock_that_a_dead_process_linked_is_removed_and_a_foreign_one_waited_for() {
        let f = Fixture::new();
        let repo = f.open();
        let (config, next) = (repo.common_dir.join("config"), repo.state_dir.join("config.next"));
        fs::create_dir_all(&repo.state_dir).unwrap();
        let before = fs::read(&config).unwrap();
        fs::write(&next, b"half").unwrap();
        fs::hard_link(&next, lock_of(&config)).unwrap();
        repo.enable_worktree_config().unwrap();
        assert!(!lock_of(&config).exists() && !next.exists());
        let after = String::from_utf8(fs::read(&config).unwrap()).unwrap();
        assert!(after.starts_with(std::str::from_utf8(&before).unwrap()), "{after}");
        fs::write(&config, &before).unwrap();
        fs::write(lock_of(&config), b"git's").unwrap();
        std::thread::scope(|scope| {
            let other = scope.spawn(|| f.open().enable_worktree_config());
            fs::remove_file(lock_of(&config)).unwrap();
            other.join().unwrap().unwrap();
        });
        assert_eq!(f.git(&["config", "extensions.worktreeConfig"]), "true");
    }

    #[test]
    fn many_at_once_agree() {
        let f = Fixture::init(&["--bare"]);
        std::thread::scope(|scope| {
            for number in 0..8 {
                let f = &f;
                scope.spawn(move || {
                    f.open().enable_worktree_config().unwrap();
                    // git waits for no lock, so it may be told to come again.
                    let key = format!("test.n{number}");
                    while !f.try_git(&["config", "--file", "config", &key, "1"]).0 {}
                });
            }
        });
        let config = f.git(&["config", "--file", "config", "--list"]);
        assert_eq!(config.matches("test.n").count(), 8, "{config}");
        assert_eq!(config.matches("worktreeconfig").count(), 1, "{config}");
        assert!(!config.contains("core.bare"), "{config}");
    }

    #[test]
    fn booleans_are_those_of_git() {
        for (text, on) in [
            (&b"extensions.worktreeconfig"[..], true),
            (b"extensions.worktreeconfig\nYES", true),
            (b"extensions.worktreeconfig\n2", true),
            (b"extensions.worktreeconfig\n0", false),
            (b"extensions.worktreeconfig\n", false),
        ] {
            assert_eq!(Common::parse(text).is_on, on, "{}", String::from_utf8_lossy(text));
        }
        let common = Common::parse(b"core.worktree\n/a\nb\0core.bare\nfalse");
        assert_eq!(common.worktree.as_deref(), Some(&b"/a\nb"[..]));
        assert!(!common.bare);
    }
}

//! Opens a repository, as git would from the same directory.

use std::cell::{Cell, OnceCell, RefCell};
use std::path::{Path, PathBuf};

use super::discover::{exactly, upwards_from};
use super::shared::Shared;
use super::{Backend, GitError, Repo};
use crate::env::Env;

/// Extensions that say nothing about how refs are stored.
const HARMLESS: [&str; 6] =
    ["noop", "preciousobjects", "partialclone", "objectformat", "worktreeconfig", "relativeworktrees"];

impl Repo {
    /// Opens the repository of `dir`: `GIT_DIR` if it is set, else the
    /// nearest one upwards within `GIT_CEILING_DIRECTORIES`. Refuses one of
    /// another owner unless `safe.directory` lists it, as git does.
    pub fn open(dir: &Path, env: &Env) -> Result<Self, GitError> {
        let dir = absolute(dir, env);
        let Some(git_dir) = env.path_var("GIT_DIR") else {
            let found = upwards_from(&dir, env)?;
            let work_tree = match env.path_var("GIT_WORK_TREE") {
                Some(path) => Some(dir.join(path)),
                None => work_tree_of(&found),
            };
            return Self::from_gix(found, work_tree, &dir, env);
        };
        let found = exactly(&dir.join(git_dir))?;
        let work_tree = match env.path_var("GIT_WORK_TREE") {
            Some(path) => Some(dir.join(path)),
            None if found.config_snapshot().string("core.worktree").is_some() => {
                found.workdir().map(Path::to_owned)
            }
            None if found.is_bare() => None,
            // With GIT_DIR alone git takes the current directory for the top.
            None => Some(dir.clone()),
        };
        Self::from_gix(found, work_tree, &dir, env)
    }

    /// Opens exactly the repository at `dir` (a git directory or the top of
    /// a worktree), whatever `GIT_DIR` says: for a store beside the one that
    /// the user works in.
    pub fn open_at(dir: &Path, env: &Env) -> Result<Self, GitError> {
        let dir = absolute(dir, env);
        let found = exactly(&dir)?;
        let work_tree = work_tree_of(&found);
        Self::build(found, work_tree, None, &dir, env)
    }

    fn from_gix(
        found: gix::Repository,
        work_tree: Option<PathBuf>,
        dir: &Path,
        env: &Env,
    ) -> Result<Self, GitError> {
        match env.path_var("GIT_COMMON_DIR") {
            Some(common) => Self::build(found, work_tree, Some(dir.join(common)), dir, env),
            None => Self::build(found, work_tree, None, dir, env),
        }
    }

    fn build(
        found: gix::Repository,
        work_tree: Option<PathBuf>,
        common_override: Option<PathBuf>,
        dir: &Path,
        env: &Env,
    ) -> Result<Self, GitError> {
        // However the caller came here: sessions and links are told by it.
        let git_dir = absolute(found.git_dir(), env);
        let git_dir = std::fs::canonicalize(&git_dir).unwrap_or(git_dir);
        // gix does not know GIT_COMMON_DIR: configuration, hash and objects
        // are then those of the directory that it names.
        let gix = match &common_override {
            Some(common) => exactly(common)?,
            None => found,
        };
        let common_dir = common_override.unwrap_or_else(|| absolute(gix.common_dir(), env));
        let common_dir = std::fs::canonicalize(&common_dir)
            .map_err(|err| GitError::Unopenable { dir: dir.to_owned(), reason: err.to_string() })?;
        let hash = gix.object_hash();
        let backend = backend(gix.config_snapshot().plumbing());
        let shared = gix.config_snapshot().string("core.sharedRepository").map(|value| value.to_string());
        Ok(Self {
            env: env.clone(),
            state_dir: common_dir.join("comm-node"),
            objects_dir: common_dir.join("objects"),
            git_dir,
            common_dir,
            work_tree,
            hash,
            backend,
            shared: Shared::parse(shared.as_deref()),
            gix,
            packs: OnceCell::new(),
            packs_first: Cell::new(false),
            buffer: RefCell::new(Vec::new()),
            git: OnceCell::new(),
        })
    }
}

/// The folder of the files. A bare repository that a `.git` file beside it
/// leads to has none, although gix takes the file's folder for one.
fn work_tree_of(found: &gix::Repository) -> Option<PathBuf> {
    let is_linked = found.git_dir() != found.common_dir();
    let config = found.config_snapshot();
    let is_bare = config.boolean("core.bare") == Some(true) && config.string("core.worktree").is_none();
    if is_bare && !is_linked { None } else { found.workdir().map(Path::to_owned) }
}

fn absolute(path: &Path, env: &Env) -> PathBuf {
    match env.cwd() {
        Some(cwd) if path.is_relative() => cwd.join(path),
        _ => path.to_owned(),
    }
}

fn backend(config: &gix::config::File) -> Backend {
    let own = |meta: &gix::config::file::Metadata| meta.source == gix::config::Source::Local;
    for section in config.sections_by_name_and_filter("extensions", own).into_iter().flatten() {
        for name in section.value_names() {
            let name = name.to_ascii_lowercase();
            let is_files =
                || section.value("refstorage").is_some_and(|value| value.eq_ignore_ascii_case(b"files"));
            let is_known = HARMLESS.contains(&name.as_str()) || (name == "refstorage" && is_files());
            if !is_known {
                return Backend::UpdateRef;
            }
        }
    }
    Backend::Files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Fixture, name};
    use crate::git::{GitErrorClass, Swapped};

    #[test]
    fn worktrees_share_refs_and_state() {
        let fixture = Fixture::new();
        fixture.git(&["commit", "-q", "--allow-empty", "-m", "first"]);
        fixture.git(&["worktree", "add", "-q", "../linked"]);
        let main = fixture.open();
        let linked = fixture.root().parent().unwrap().join("linked");
        std::fs::create_dir(linked.join("below")).unwrap();
        let repo = Repo::open(&linked.join("below"), &Env::from_process()).unwrap();
        assert_eq!(repo.common_dir(), main.common_dir());
        assert_eq!(repo.state_dir(), main.common_dir().join("comm-node"));
        assert_eq!(repo.git_dir(), main.common_dir().join("worktrees/linked"));
        assert_eq!(repo.work_tree(), Some(linked.as_path()));
        let one = repo.some_commit("one", &[]);
        assert_eq!(repo.move_ref(&name("meta"), None, one), Swapped::Moved);
        assert_eq!(main.read_ref(&name("meta")).unwrap(), Some(one));
    }

    #[test]
    fn bare_repositories_have_no_work_tree() {
        let fixture = Fixture::init(&["--bare"]);
        let repo = fixture.open();
        assert_eq!((repo.work_tree(), repo.common_dir()), (None, fixture.root()));
        let one = repo.some_commit("one", &[]);
        assert_eq!(repo.move_ref(&name("meta"), None, one), Swapped::Moved);
        assert_eq!(
            Repo::open_at(fixture.root(), &Env::from_process()).unwrap().read_ref(&name("meta")).unwrap(),
            Some(one)
        );
    }

    #[test]
    fn a_bare_repository_behind_a_git_file_has_no_work_tree() {
        let fixture = Fixture::init(&["--bare"]);
        let beside = fixture.root().parent().unwrap();
        std::fs::write(beside.join(".git"), "gitdir: ./repo\n").unwrap();
        let open = || Repo::open(beside, &Env::from_process()).unwrap();
        assert_eq!((open().work_tree(), open().git_dir()), (None, fixture.root()));
        fixture.git(&["config", "--file", "config.worktree", "core.bare", "true"]);
        fixture.git(&["config", "extensions.worktreeConfig", "true"]);
        fixture.git(&["config", "--file", "config", "--unset", "core.bare"]);
        assert_eq!(open().work_tree(), None);
        assert_eq!(Repo::open_at(fixture.root(), &Env::from_process()).unwrap().work_tree(), None);
    }

    #[test]
    #[cfg(unix)]
    fn a_repository_is_the_same_through_a_symbolic_link() {
        let fixture = Fixture::new();
        let link = fixture.root().parent().unwrap().join("link");
        std::os::unix::fs::symlink(fixture.root(), &link).unwrap();
        let repo = Repo::open(&link, &Env::from_process()).unwrap();
        assert_eq!(repo.git_dir(), repo.common_dir());
    }

    #[test]
    fn the_backend_follows_the_extensions() {
        #[track_caller]
        fn check(settings: &[(&str, &str)], backend: Backend) {
            let fixture = Fixture::new();
            fixture.git(&["config", "core.repositoryFormatVersion", "1"]);
            for (key, value) in settings {
                fixture.git(&["config", key, value]);
            }
            assert_eq!(fixture.open().backend(), backend, "{settings:?}");
        }
        check(&[], Backend::Files);
        check(&[("extensions.refStorage", "files"), ("extensions.worktreeConfig", "true")], Backend::Files);
        check(&[("extensions.preciousObjects", "true")], Backend::Files);
        check(&[("extensions.somethingNew", "true")], Backend::UpdateRef);
        assert_eq!(Fixture::init(&["--ref-format=reftable"]).open().backend(), Backend::UpdateRef);
    }

    #[test]
    fn configuration_is_that_of_git() {
        let fixture = Fixture::new();
        fixture.git(&["config", "comm.agent", "one"]);
        fixture.git(&["config", "extensions.worktreeConfig", "true"]);
        fixture.git(&["config", "--worktree", "comm.agent", "two"]);
        fixture.git(&["config", "--add", "remote.o.fetch", "a"]);
        fixture.git(&["config", "--add", "remote.o.fetch", "b"]);
        std::fs::write(fixture.root().join("extra"), "[comm]\n\tflag\n").unwrap();
        fixture.git(&["config", "include.path", "../extra"]);
        let repo = fixture.open();
        assert_eq!(repo.config("comm.agent").as_deref(), Some("two"));
        assert_eq!(repo.config("COMM.Agent").as_deref(), Some("two"));
        assert_eq!(repo.config("comm.flag").as_deref(), Some("true"));
        assert_eq!(repo.config_all("remote.o.fetch"), ["a", "b"]);
        for absent in ["comm.none", "", ".", "x", "a.b.c.d", "comm.", "\0.\n"] {
            assert_eq!(repo.config(absent), None, "{absent:?}");
            assert_eq!(repo.config_all(absent), [""; 0]);
        }
    }

    #[test]
    fn no_repository_is_said_plainly() {
        let dir = tempfile::tempdir().unwrap();
        let env = Env::from_process();
        for missing in [dir.path().to_owned(), dir.path().join("none")] {
            let err = Repo::open(&missing, &env).err().unwrap();
            assert_eq!(err.class(), GitErrorClass::NotFound, "{err}");
        }
        std::fs::write(dir.path().join(".git"), "gitdir: nowhere\n").unwrap();
        assert!(Repo::open(dir.path(), &env).is_err());
        let fixture = Fixture::new();
        std::fs::write(fixture.root().join(".git/config"), "[core\n").unwrap();
        assert!(matches!(Repo::open(fixture.root(), &env), Err(GitError::Unopenable { .. })));
    }

    /// Not a test by itself: run as a child with an environment of its own,
    /// because this process must not change the one that all tests share.
    #[test]
    fn child() {
        let env = Env::from_process();
        if env.var("GIT_COMM_TEST_CHILD").is_none() {
            return;
        }
        match Repo::open(env.cwd().unwrap(), &env) {
            Ok(repo) => println!(
                "[{}|{}|{}|{}]",
                repo.git_dir().display(),
                repo.common_dir().display(),
                repo.work_tree().map_or_else(String::new, |path| path.display().to_string()),
                repo.config("comm.agent").unwrap_or_default(),
            ),
            Err(err) => println!("[{:?}]", err.class()),
        }
    }

    #[track_caller]
    fn check_in(dir: &Path, vars: &[(&str, &str)], expected: &str) {
        let out = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "git::open::tests::child", "--nocapture"])
            .env("GIT_COMM_TEST_CHILD", "1")
            .current_dir(dir)
            .env_remove("GIT_DIR")
            .envs(vars.iter().copied())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(text.contains(&format!("[{expected}]")), "{vars:?}: {text}");
    }

    #[test]
    fn the_environment_is_obeyed_as_git_obeys_it() {
        let (one, two) = (Fixture::new(), Fixture::new());
        let root = one.root().to_str().unwrap();
        let other = two.root().to_str().unwrap();
        let below = one.root().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        check_in(&below, &[], &format!("{root}/.git|{root}/.git|{root}|"));
        check_in(&below, &[("GIT_CEILING_DIRECTORIES", root)], "NotFound");
        let parent = one.root().join("a");
        check_in(&below, &[("GIT_CEILING_DIRECTORIES", parent.to_str().unwrap())], "NotFound");
        check_in(
            one.root(),
            &[("GIT_CEILING_DIRECTORIES", root)],
            &format!("{root}/.git|{root}/.git|{root}|"),
        );
        check_in(&below, &[("GIT_CEILING_DIRECTORIES", other)], &format!("{root}/.git|{root}/.git|{root}|"));
        let git_dir = format!("{other}/.git");
        check_in(&below, &[("GIT_DIR", &git_dir)], &format!("{git_dir}|{git_dir}|{root}/a/b|"));
        check_in(
            &below,
            &[("GIT_DIR", &git_dir), ("GIT_WORK_TREE", other)],
            &format!("{git_dir}|{git_dir}|{other}|"),
        );
        check_in(one.root(), &[("GIT_DIR", ".git")], &format!("{root}/.git|{root}/.git|{root}|"));
        check_in(&below, &[("GIT_DIR", "none")], "NotFound");
        let common = [("GIT_DIR", git_dir.as_str()), ("GIT_COMMON_DIR", &format!("{root}/.git"))];
        check_in(&below, &common, &format!("{git_dir}|{root}/.git|{root}/a/b|"));
        let config =
            [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "comm.agent"), ("GIT_CONFIG_VALUE_0", "x")];
        check_in(&below, &config, &format!("{root}/.git|{root}/.git|{root}|x"));
    }

    /// Only root can give a directory away.
    #[test]
    #[cfg(target_os = "linux")]
    fn the_repository_of_another_owner_is_refused() {
        let fixture = Fixture::new();
        let all = [fixture.root().to_owned(), fixture.root().join(".git")];
        if all.iter().any(|path| std::os::unix::fs::chown(path, Some(65_534), None).is_err()) {
            return;
        }
        let root = fixture.root().to_str().unwrap();
        check_in(fixture.root(), &[("GIT_CONFIG_GLOBAL", "/dev/null")], "Fatal");
        let safe =
            [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "safe.directory"), ("GIT_CONFIG_VALUE_0", root)];
        check_in(fixture.root(), &safe, &format!("{root}/.git|{root}/.git|{root}|"));
        check_in(fixture.root(), &[("GIT_DIR", ".git")], &format!("{root}/.git|{root}/.git|{root}|"));
    }
}

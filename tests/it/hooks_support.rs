//! What the tests of the hooks share: every git that can be had, and a
//! repository with two domains in which commits are judged.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::{Run, Sandbox, has_tool, is_full, program, split};

/// Ada works in `api`, bob in `web`.
pub(crate) const RULES: &str = "[domains.api]\npath = 'api'\nagent = 'ada'\nowner = 'Team API'\n\n[domains.web]\npath = 'web'\nagent = 'bob'\n\n[commit]\npeople = ['kai@example.com']\n";

/// One git program.
#[derive(Clone, Debug)]
pub(crate) struct Git {
    pub(crate) program: PathBuf,
    pub(crate) version: String,
    /// Whether it runs hooks from its configuration.
    pub(crate) by_config: bool,
}

impl Git {
    fn of(program: PathBuf) -> Option<Self> {
        let out = Command::new(&program).arg("version").output().ok()?;
        let version = String::from_utf8_lossy(&out.stdout).trim().strip_prefix("git version ")?.to_owned();
        let mut parts = version.split('.').map(|p| p.parse::<u32>().unwrap_or(0));
        let by_config = (parts.next()?, parts.next()?) >= (2, 54);
        Some(Self { program, version, by_config })
    }
}

/// Every git on PATH, and where they can be downloaded those of the oldest
/// Debian that has one we support, and of its unstable.
pub(crate) fn gits() -> &'static [Git] {
    static GITS: OnceLock<Vec<Git>> = OnceLock::new();
    GITS.get_or_init(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path)
            .map(|dir| dir.join("git"))
            .chain(of_debian("bookworm"))
            .chain(of_debian("sid"));
        let mut gits: Vec<Git> = Vec::new();
        for git in found.filter_map(Git::of) {
            if !gits.iter().any(|g| g.version == git.version) {
                gits.push(git);
            }
        }
        gits
    })
}

/// A git that needs hook files; none is a skip.
pub(crate) fn older() -> Option<&'static Git> {
    let found = gits().iter().find(|g| !g.by_config);
    if found.is_none() {
        eprintln!("SKIPPED: no git before 2.54 is there");
    }
    found
}

/// A git that runs hooks from its configuration; none is a skip.
pub(crate) fn newer() -> Option<&'static Git> {
    let found = gits().iter().find(|g| g.by_config);
    assert!(found.is_some() || !is_full(), "git 2.54 or later is needed for the full run");
    if found.is_none() {
        eprintln!("SKIPPED: no git from 2.54 on is there");
    }
    found
}

/// The git of a release of Debian, downloaded once for all runs.
fn of_debian(release: &str) -> Option<PathBuf> {
    if !(has_tool("apt-get", &["--version"]) && has_tool("dpkg", &["--version"])) {
        return None;
    }
    let root = cache().join(format!("git-from-{release}"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/git-from-debian.sh");
    let recipe = std::fs::read_to_string(&script).unwrap();
    let done = once(&root, &recipe, || {
        Command::new("sh").arg(&script).arg(&root).arg(release).output().is_ok_and(|o| o.status.success())
    });
    done.then(|| root.join("bin/git"))
}

/// The full run has the oldest git that we support.
#[test]
fn the_oldest_git_is_among_them() {
    assert!(!is_full() || gits().iter().any(|git| git.version.starts_with("2.39.")), "{:?}", gits());
}

/// Where downloads are kept between runs.
pub(crate) fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

/// Runs `make` for a folder that was not made by this recipe yet, one process
/// at a time. A failure is a skip, but not in the full run.
pub(crate) fn once(root: &Path, recipe: &str, make: impl FnOnce() -> bool) -> bool {
    let lock = std::fs::File::create(root.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let marker = root.join(".made");
    if std::fs::read_to_string(&marker).is_ok_and(|text| text == recipe) {
        return true;
    }
    let _ = std::fs::remove_dir_all(root);
    std::fs::create_dir_all(root).unwrap();
    let made = make();
    if made {
        std::fs::write(marker, recipe).unwrap();
    }
    assert!(made || !is_full(), "{} could not be downloaded", root.display());
    if !made {
        eprintln!("SKIPPED: {} could not be downloaded", root.display());
    }
    made
}

/// A repository, and the git that everything in it is done with.
pub(crate) struct World {
    pub(crate) s: Sandbox,
    path: OsString,
}

impl World {
    /// A repository with one commit and no board.
    pub(crate) fn new(git: &Git) -> Self {
        Self::with_init(git, &[])
    }

    pub(crate) fn with_init(git: &Git, args: &[&str]) -> Self {
        let s = Sandbox::with_init(args);
        let bin = s.root().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(&git.program, bin.join("git")).unwrap();
        let rest = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&rest))).unwrap();
        Self { s, path }
    }

    /// With a board, hooks, and the rules committed.
    pub(crate) fn guarded(git: &Git) -> Self {
        let w = Self::new(git);
        w.comm("init").succeeds();
        w.commit_rules();
        w
    }

    pub(crate) fn commit_rules(&self) {
        self.write("comm.toml", RULES);
        self.write("api/a.txt", "a\n");
        self.write("web/w.txt", "w\n");
        self.git("add comm.toml api web").succeeds();
        self.git("commit -q -m rules").succeeds();
    }

    /// A command with this git first on PATH, run in `dir`.
    pub(crate) fn command(&self, program: impl Into<OsString>, dir: &Path) -> Command {
        let mut command = self.s.bare_command(program, dir);
        command.env("PATH", &self.path);
        command
    }

    /// Works with another git from here on; says the PATH before.
    pub(crate) fn use_git(&mut self, git: &Git) -> OsString {
        let bin = self.s.root().join(format!("bin-{}", git.version));
        let _ = std::fs::create_dir(&bin);
        let _ = std::os::unix::fs::symlink(&git.program, bin.join("git"));
        let path = self.path_with(&bin);
        std::mem::replace(&mut self.path, path)
    }

    pub(crate) fn use_path(&mut self, path: OsString) {
        self.path = path;
    }

    /// The same PATH with another folder before it.
    pub(crate) fn path_with(&self, first: &Path) -> OsString {
        let rest = std::env::split_paths(&self.path);
        std::env::join_paths(std::iter::once(first.to_owned()).chain(rest)).unwrap()
    }

    #[must_use]
    pub(crate) fn comm(&self, words: &str) -> Run {
        self.comm_in(self.s.repo(), words)
    }

    #[must_use]
    pub(crate) fn comm_in(&self, dir: &Path, words: &str) -> Run {
        run(self.command(program(), dir).args(split(words)), words)
    }

    /// git as a person.
    #[must_use]
    pub(crate) fn git(&self, words: &str) -> Run {
        run(self.command("git", self.s.repo()).args(split(words)), words)
    }

    /// git as an agent.
    #[must_use]
    pub(crate) fn git_as(&self, agent: &str, words: &str) -> Run {
        self.git_in(self.s.repo(), agent, words)
    }

    #[must_use]
    pub(crate) fn git_in(&self, dir: &Path, agent: &str, words: &str) -> Run {
        run(self.agent_git(dir, agent).args(split(words)), &format!("[{agent}] git {words}"))
    }

    pub(crate) fn agent_git(&self, dir: &Path, agent: &str) -> Command {
        let mut command = self.command("git", dir);
        command.env("GIT_COMM_AGENT", agent).env("GIT_AUTHOR_NAME", agent);
        command.env("GIT_AUTHOR_EMAIL", format!("{agent}@agents.example"));
        command
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        write(&self.s.repo().join(path), text.as_bytes(), 0o644);
    }

    /// Ada commits in bob's domain, and cannot; in its own, and can.
    #[track_caller]
    pub(crate) fn is_guarded(&self, dir: &Path) {
        write(&dir.join("web/w.txt"), b"not mine\n", 0o644);
        let refused = self.git_in(dir, "ada", "commit -q -m outside web/w.txt");
        assert_ne!(refused.code, 0, "{}{}", refused.stdout, refused.stderr);
        assert!(refused.stderr.contains("web/w.txt: domain web"), "{}", refused.stderr);
        self.git_in(dir, "ada", "checkout -q HEAD -- web/w.txt").succeeds();
        self.git_in(dir, "ada", "commit -q --allow-empty -m inside").succeeds();
    }

    /// Ada commits in bob's domain, and nothing stops it.
    #[track_caller]
    pub(crate) fn is_unguarded(&self, dir: &Path) {
        write(&dir.join("web/w.txt"), b"not mine\n", 0o644);
        self.git_in(dir, "ada", "commit -q -m outside web/w.txt").succeeds();
        self.git_in(dir, "ada", "reset -q --hard HEAD~1").succeeds();
    }
}

pub(crate) fn run(command: &mut Command, what: &str) -> Run {
    Run::of(&command.output().unwrap(), what)
}

pub(crate) fn write(path: &Path, bytes: &[u8], mode: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Everything below `dir` that is the user's: names, modes, bytes, links.
/// Records, objects and what git itself rewrites are left out.
pub(crate) fn contents(dir: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    const NOT: [&str; 7] = ["objects", "logs", "comm-node", "index", "ORIG_HEAD", "COMMIT_EDITMSG", "refs"];
    let mut found = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(at) = dirs.pop() {
        for entry in std::fs::read_dir(&at).unwrap().flatten() {
            let path = entry.path();
            let meta = std::fs::symlink_metadata(&path).unwrap();
            if NOT.contains(&entry.file_name().to_str().unwrap_or_default()) {
                continue;
            }
            let bytes = if meta.is_dir() {
                dirs.push(path.clone());
                Vec::new()
            } else if meta.is_symlink() {
                std::fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
            } else {
                std::fs::read(&path).unwrap()
            };
            found.insert(path.strip_prefix(dir).unwrap().to_owned(), (meta.permissions().mode(), bytes));
        }
    }
    found
}

/// Fails naming the files in which two states differ.
#[track_caller]
pub(crate) fn same(before: &BTreeMap<PathBuf, (u32, Vec<u8>)>, after: &BTreeMap<PathBuf, (u32, Vec<u8>)>) {
    let all: std::collections::BTreeSet<&PathBuf> = before.keys().chain(after.keys()).collect();
    let text = |of: Option<&(u32, Vec<u8>)>| {
        of.map(|(m, b)| (format!("{m:o}"), String::from_utf8_lossy(b).into_owned()))
    };
    for path in all {
        assert_eq!(text(before.get(path)), text(after.get(path)), "{}", path.display());
    }
}

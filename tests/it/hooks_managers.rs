//! Beside the hook managers that people use: the real ones, downloaded by
//! version and hash, installed before and after ours.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::hooks_support::{Git, World, cache, contents, gits, once, run, same, write};
use crate::support::{has_tool, split};

/// A hook manager.
struct Manager {
    name: &'static str,
    /// The folder of its program.
    bin: PathBuf,
    /// Its configuration, which lets its hook write a file.
    config: (&'static str, &'static str),
    install: &'static str,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hook-managers").join(name)
}

/// Runs the steps in a folder, quietly, with this machine's settings.
fn steps(dir: &Path, steps: &[&str]) -> bool {
    steps.iter().all(|words| {
        let words = split(words);
        let out = Command::new(&words[0]).args(&words[1..]).current_dir(dir).output();
        out.is_ok_and(|out| {
            if !out.status.success() {
                eprintln!("{words:?}: {}", String::from_utf8_lossy(&out.stderr));
            }
            out.status.success()
        })
    })
}

fn from_npm() -> Option<PathBuf> {
    if !(has_tool("npm", &["--version"]) && has_tool("node", &["--version"])) {
        return None;
    }
    let root = cache().join("hook-managers-npm");
    let recipe = std::fs::read_to_string(fixture("package-lock.json")).unwrap();
    let made = once(&root, &recipe, || {
        for name in ["package.json", "package-lock.json"] {
            std::fs::copy(fixture(name), root.join(name)).unwrap();
        }
        steps(&root, &["npm ci --ignore-scripts --no-audit --no-fund"])
    });
    made.then(|| root.join("node_modules/.bin"))
}

fn from_pypi() -> Option<PathBuf> {
    if !has_tool("python3", &["-m", "venv", "--help"]) {
        return None;
    }
    let root = cache().join("hook-managers-pypi");
    let recipe = std::fs::read_to_string(fixture("requirements.txt")).unwrap();
    let install = format!(
        "venv/bin/pip install -q --require-hashes --only-binary :all: -r '{}'",
        fixture("requirements.txt").display()
    );
    let made = once(&root, &recipe, || steps(&root, &["python3 -m venv venv", &install]));
    made.then(|| root.join("venv/bin"))
}

fn husky() -> Option<Manager> {
    let config = (".husky/pre-commit", "echo ran >> theirs.log\n");
    Some(Manager { name: "husky", bin: from_npm()?, config, install: "husky" })
}

fn lefthook() -> Option<Manager> {
    let text = "pre-commit:\n  jobs:\n    - run: echo ran >> theirs.log\n";
    Some(Manager {
        name: "lefthook",
        bin: from_npm()?,
        config: ("lefthook.yml", text),
        install: "lefthook install --force",
    })
}

const PRE_COMMIT: (&str, &str) = (
    ".pre-commit-config.yaml",
    "repos:\n- repo: local\n  hooks:\n  - {id: log, name: log, language: system, entry: sh -c 'echo ran >> theirs.log', always_run: true, pass_filenames: false}\n",
);

fn pre_commit() -> Option<Manager> {
    Some(Manager { name: "pre-commit", bin: from_pypi()?, config: PRE_COMMIT, install: "pre-commit install" })
}

fn prek() -> Option<Manager> {
    Some(Manager { name: "prek", bin: from_pypi()?, config: PRE_COMMIT, install: "prek install" })
}

impl Manager {
    /// A repository with its configuration committed, and our board.
    fn world(&self, git: &Git) -> World {
        let w = World::new(git);
        w.comm("init --no-hooks").succeeds();
        w.write(self.config.0, self.config.1);
        w.write(".gitignore", "theirs.log\n.cache\n");
        w.git("add -A").succeeds();
        w.commit_rules();
        w
    }

    fn install(&self, w: &World, dir: &Path) {
        self.run(w, dir, self.install);
    }

    fn run(&self, w: &World, dir: &Path, words: &str) {
        let words = split(words);
        let mut command = w.command(self.bin.join(&words[0]), dir);
        command.env("PATH", w.path_with(&self.bin)).args(&words[1..]);
        run(&mut command, self.name).succeeds();
    }

    /// Both hooks run for ada's commit, and ours stops one outside its scope.
    #[track_caller]
    fn both_run(&self, w: &World, dir: &Path) {
        let log = dir.join("theirs.log");
        let _ = std::fs::remove_file(&log);
        let text = format!("{:?}\n", std::time::SystemTime::now());
        write(&dir.join("api/a.txt"), text.as_bytes(), 0o644);
        let mut command = w.agent_git(dir, "ada");
        command.env("PATH", w.path_with(&self.bin)).args(["commit", "-q", "-m", "both", "api/a.txt"]);
        run(&mut command, self.name).succeeds();
        assert_eq!(std::fs::read_to_string(&log).unwrap_or_default(), "ran\n", "{}", self.name);
        write(&dir.join("web/w.txt"), b"not mine\n", 0o644);
        let mut command = w.agent_git(dir, "ada");
        command.env("PATH", w.path_with(&self.bin)).args(["commit", "-q", "-m", "outside", "web/w.txt"]);
        let refused = run(&mut command, self.name);
        assert_ne!(refused.code, 0, "{}: {}", self.name, refused.stderr);
        assert!(
            format!("{}{}", refused.stdout, refused.stderr).contains("web/w.txt: domain web"),
            "{}: {}",
            self.name,
            refused.stderr
        );
        w.git_in(dir, "ada", "checkout -q HEAD -- web/w.txt").succeeds();
        let _ = std::fs::remove_file(&log);
    }

    /// What a person has without us, to compare with.
    fn files(&self, w: &World) -> std::collections::BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut files = contents(w.s.repo());
        files.retain(|path, _| !path.starts_with("api"));
        files
    }

    fn all(&self) {
        for git in gits() {
            eprintln!("{} with git {}", self.name, git.version);
            self.ours_after_theirs(git);
            self.theirs_after_ours(git);
        }
    }

    fn ours_after_theirs(&self, git: &Git) {
        let w = self.world(git);
        let repo = w.s.repo().to_owned();
        self.install(&w, &repo);
        let before = self.files(&w);
        w.comm("init").succeeds();
        self.both_run(&w, &repo);
        assert!(w.comm("init").succeeds().stdout.contains("nothing to change"), "{}", self.name);
        w.comm("hook status").succeeds();
        w.comm("init --remove").succeeds();
        same(&before, &self.files(&w));

        // Theirs once more, over ours: it goes on, or status says that it does not.
        w.comm("init").succeeds();
        self.install(&w, &repo);
        let status = w.comm("hook status --json").json();
        if git.by_config {
            assert_eq!(status["all_fire"], true, "{}: {status}", self.name);
        } else {
            assert_eq!(status["hooks"][0]["fires"], false, "{}: {status}", self.name);
            assert_eq!(status["hooks"][0]["manager"], self.name);
            w.comm("hook status").exits(1);
            w.comm("init").succeeds();
        }
        self.both_run(&w, &repo);
        w.comm("hook status").succeeds();
        w.comm("init --remove").succeeds();
        same(&before, &self.files(&w));
    }

    fn theirs_after_ours(&self, git: &Git) {
        let other = self.world(git);
        self.install(&other, other.s.repo());
        let before = self.files(&other);

        let w = self.world(git);
        let repo = w.s.repo().to_owned();
        w.comm("init").succeeds();
        self.install(&w, &repo);
        let fires = w.comm("hook status --json").json()["hooks"][0]["fires"].as_bool();
        match self.name {
            // These keep what they found, and run it first.
            "pre-commit" | "prek" => {
                assert_eq!(fires, Some(true), "{}", self.name);
                self.both_run(&w, &repo);
            }
            _ => assert_eq!(fires, Some(git.by_config), "{}", self.name),
        }
        w.comm("init").succeeds();
        self.both_run(&w, &repo);
        w.comm("hook status").succeeds();
        w.comm("init --remove").succeeds();
        let text = |files: std::collections::BTreeMap<PathBuf, (u32, Vec<u8>)>| {
            let roots = (w.s.root().display().to_string(), other.s.root().display().to_string());
            let plain = move |(path, (mode, bytes)): (PathBuf, (u32, Vec<u8>))| {
                let text =
                    String::from_utf8_lossy(&bytes).replace(&roots.0, "ROOT").replace(&roots.1, "ROOT");
                (path, (mode, text.into_bytes()))
            };
            let mut files: std::collections::BTreeMap<_, _> = files.into_iter().map(plain).collect();
            // Times of their own.
            files.retain(|path, _| !path.ends_with("lefthook.checksum") && !path.ends_with("COMMIT_EDITMSG"));
            files
        };
        same(&text(before), &text(self.files(&w)));
    }
}

#[test]
fn beside_husky() {
    let Some(manager) = husky() else { return };
    manager.all();
    // Its generated folder is missing in a linked worktree.
    for git in gits() {
        let w = manager.world(git);
        manager.install(&w, w.s.repo());
        w.comm("init").succeeds();
        w.git("worktree add -q ../linked").succeeds();
        let linked = w.s.root().join("linked");
        let fires = w.comm_in(&linked, "hook status --json").json()["all_fire"].as_bool();
        assert_eq!(fires, Some(git.by_config), "git {}", git.version);
        w.comm_in(&linked, "hook install").succeeds();
        w.is_guarded(&linked);
        assert_eq!(w.git_in(&linked, "ada", "status --porcelain").stdout, "");
        w.comm("init --remove").succeeds();
        assert!(!linked.join(".husky/_").exists());
        w.is_unguarded(&linked);
    }
}

#[test]
fn beside_lefthook() {
    if let Some(manager) = lefthook() {
        manager.all();
    }
}

#[test]
fn beside_pre_commit() {
    if let Some(manager) = pre_commit() {
        manager.all();
    }
}

#[test]
fn beside_prek() {
    if let Some(manager) = prek() {
        manager.all();
    }
}

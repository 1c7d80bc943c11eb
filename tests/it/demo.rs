//! The demo: it is run as a newcomer runs it, and must notice what is wrong.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{Run, Sandbox, program};

/// A demo that has not started yet: no identity, an empty home, and a
/// directory for temporary files of its own.
struct Newcomer {
    sandbox: Sandbox,
    temp: PathBuf,
}

impl Newcomer {
    fn new() -> Self {
        let sandbox = Sandbox::with_init(&[]);
        let temp = sandbox.root().join("temp");
        std::fs::create_dir(&temp).unwrap();
        Self { sandbox, temp }
    }

    /// Runs the program in `dir` with more variables than the bare minimum.
    fn run(&self, dir: &Path, more: &[(&str, &str)], args: &[&str]) -> Run {
        let mut command = self.sandbox.bare_command(program(), dir);
        for name in ["AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL"] {
            command.env_remove(format!("GIT_{name}"));
        }
        command.env("TMPDIR", &self.temp).envs(more.iter().copied()).args(args);
        Run::of(&command.output().unwrap(), &args.join(" "))
    }

    /// What lies in the directory for temporary files, and in the home.
    fn left(&self) -> Vec<String> {
        let dirs = [self.temp.clone(), self.sandbox.root().join("home")];
        dirs.iter()
            .flat_map(|dir| std::fs::read_dir(dir).unwrap())
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect()
    }

    /// A PATH on which git is a shell script with this body; `$GIT` is git.
    fn path_with_git(&self, body: &str) -> String {
        let dir = self.sandbox.root().join("bin");
        std::fs::create_dir(&dir).unwrap();
        let real = std::env::split_paths(&std::env::var_os("PATH").unwrap())
            .map(|dir| dir.join("git"))
            .find(|path| path.is_file())
            .unwrap();
        let script = dir.join("git");
        std::fs::write(&script, format!("#!/bin/sh\nGIT='{}'\n{body}\n", real.display())).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        format!("{}:/usr/bin:/bin", dir.display())
    }
}

#[test]
fn a_newcomer_outside_any_repository_sees_the_whole_story() {
    let it = Newcomer::new();
    let run = it.run(it.sandbox.root(), &[], &["demo"]).succeeds();
    assert_eq!(run.stderr, "");
    assert!(!run.stdout.contains('\u{1b}'), "plain when piped: {}", run.stdout);
    for fact in [
        "hook    fires",
        "agent   ada, domain api",
        "error: task `bd-1` is held by ",
        "(exit 1)",
        "git comm: this edit is not for `ada` (domain api)",
        "error: 1 of 2 staged files outside the scope of `ada` (domain api)",
        "web/index.html: domain web, owner Kim",
        "ask bob, who works there: git comm msg send --to bob TEXT",
        "1 import of 1 staged file across a border",
        "B003 imports kitchen/stock.py of domain kitchen, owner Kim",
        "yes: api/orders.py may import kitchen/__init__.py",
        "Comm-Task: bd-2\n       Comm-Fence: 1:",
        "It is killed (kill -9)",
        ", token 2, taken over from bob: ",
        " was taken over by cleo (token 2); your token was 1",
        "(exit 5)",
        "> the first half works; the refusals are missing",
        "git log --oneline refs/comm-node/tasks/bd-",
        "claim     pass  9 commits  0 findings",
        "claim: it names no claim, and ada <ada@",
        "6 tasks: 6 done",
        "All of it held: ",
    ] {
        assert!(run.stdout.contains(fact), "`{fact}` is missing in\n{}", run.stdout);
    }
    assert_eq!(it.left(), [""; 0], "it cleans up");

    // The picture in the README is of this story.
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/demo.svg");
    let picture = std::fs::read_to_string(picture).unwrap();
    let acts: Vec<&str> =
        run.stdout.lines().filter(|l| l.starts_with(|c| ('3'..='9').contains(&c))).collect();
    assert_eq!(acts.len(), 7);
    for act in acts {
        assert!(picture.contains(&format!(">{act}<")), "make it again with docs/make-demo-svg: {act}");
    }
}

#[test]
fn it_neither_touches_nor_hears_the_caller_and_keeps_what_it_is_asked_to() {
    let it = Newcomer::new();
    it.sandbox.comm("init").succeeds();
    let board = |dir: &Path| {
        let mut git = it.sandbox.bare_command("git", dir);
        Run::of(&git.args(["for-each-ref"]).output().unwrap(), "for-each-ref").succeeds().stdout
    };
    let before = (board(it.sandbox.repo()), it.sandbox.git("status --porcelain --ignored").stdout);
    let elsewhere = it.sandbox.repo().join(".git");
    let hostile = [
        ("GIT_DIR", elsewhere.to_str().unwrap()),
        ("GIT_WORK_TREE", it.sandbox.repo().to_str().unwrap()),
        ("GIT_INDEX_FILE", "/nonexistent/index"),
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "comm.ttl"),
        ("GIT_CONFIG_VALUE_0", "nonsense"),
        ("GIT_AUTHOR_NAME", "ada"),
        ("GIT_COMM_AGENT", "mallory"),
        ("GIT_COMM_SESSION", "other"),
        ("CLAUDECODE", "1"),
        ("NO_COLOR", "1"),
    ];
    let kept = it.sandbox.root().join("a shop");
    let run = it.run(it.sandbox.repo(), &hostile, &["demo", "--json", "--keep", "../a shop"]).succeeds();
    let answer = run.json();
    assert_eq!(answer["v"], 1);
    assert!(answer["checks"].as_u64().unwrap() > 50, "{answer}");

    assert_eq!(before, (board(it.sandbox.repo()), it.sandbox.git("status --porcelain --ignored").stdout));
    assert_eq!(it.left(), [""; 0], "only what is kept stays");

    // All of it is in the named directory; nothing lies beside it.
    let kept = kept.join("shop");
    let told = Path::new(answer["kept"].as_str().unwrap());
    assert_eq!(told.canonicalize().unwrap(), kept.canonicalize().unwrap());
    assert!(it.sandbox.root().join("a shop/shop.worktrees/dora/docs/orders.md").is_file());

    let told = it.run(&kept, &[], &["list", "--all", "--json"]).succeeds().json();
    let states: Vec<_> = told["tasks"].as_array().unwrap().iter().map(|t| t["state"].clone()).collect();
    assert_eq!(states, ["done"; 6]);
    assert!(board(&kept).contains("refs/comm-node/agents/cleo"));
    assert!(!board(&kept).contains("mallory"));
    assert!(kept.join("api/server.py").is_file());
}

#[test]
fn without_git_it_says_so() {
    let it = Newcomer::new();
    let empty = it.sandbox.root().join("home");
    let run = it.run(it.sandbox.root(), &[("PATH", empty.to_str().unwrap())], &["demo"]).exits(128);
    assert!(run.stderr.starts_with("error: no `git` program on PATH\n\nhint: "), "{}", run.stderr);
    assert_eq!(it.left(), [""; 0]);
}

#[test]
fn a_step_of_git_that_fails_ends_it_with_1() {
    let it = Newcomer::new();
    let path = it.path_with_git("case $1 in commit) exit 3;; esac; exec \"$GIT\" \"$@\"");
    let run = it.run(it.sandbox.root(), &[("PATH", &path)], &["demo"]).exits(1);
    assert!(run.stderr.contains("`git commit` ended with 3"), "{}", run.stderr);
    assert_eq!(it.left(), [""; 0], "it cleans up after a failure");
}

#[test]
fn a_step_of_the_program_that_fails_ends_it_with_1() {
    let it = Newcomer::new();
    // A ref below the name of a task leaves no room for the task.
    let path = it.path_with_git(
        "\"$GIT\" \"$@\" || exit; case $1 in commit) mkdir -p .git/refs/comm-node/tasks/bd-3 && \
         \"$GIT\" update-ref refs/comm-node/tasks/bd-3/x HEAD;; esac",
    );
    let run = it.run(it.sandbox.root(), &[("PATH", &path)], &["demo"]).exits(1);
    assert!(
        run.stderr.contains("error: the demo stopped in `A repository becomes a board`: "),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("of kim ended with "), "{}", run.stderr);
    assert_eq!(it.left(), [""; 0]);
}

#[test]
fn a_commit_that_no_hook_judges_ends_it_with_1() {
    let it = Newcomer::new();
    let path = it.path_with_git(
        "case $1 in commit) exec \"$GIT\" -c core.hooksPath=/nonexistent \"$@\";; esac; exec \"$GIT\" \"$@\"",
    );
    let run = it.run(it.sandbox.root(), &[("PATH", &path)], &["demo"]).exits(1);
    assert!(
        run.stderr.starts_with("error: the demo stopped in `Ada is kept to her own files`: "),
        "{}",
        run.stderr
    );
    assert_eq!(it.left(), [""; 0]);
}

#[test]
fn it_keeps_nothing_in_a_directory_that_is_in_use() {
    let it = Newcomer::new();
    let run = it.run(it.sandbox.root(), &[], &["demo", "--keep", "repo"]).exits(129);
    assert!(run.stderr.contains("is not empty"), "{}", run.stderr);
    let run = it.run(it.sandbox.repo(), &[], &["demo", "--keep", ".git/HEAD"]).exits(129);
    assert!(run.stderr.contains("cannot be used"), "{}", run.stderr);
    assert_eq!(it.sandbox.git("status --porcelain").stdout, "");
}

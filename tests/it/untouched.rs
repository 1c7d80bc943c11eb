//! Coordination leaves the user's own things alone: working tree, index,
//! HEAD, branches, tags, configuration, hooks.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::faults::walk;
use crate::support::{Run, Sandbox, program, split};

/// For each verb of the overview, calls that together do all that it does.
/// A verb without a row fails the test.
fn calls(verb: &str) -> &'static [&'static str] {
    match verb {
        "init" => &["init"],
        "status" => &["status", "status --json"],
        "whoami" => &["whoami"],
        "add" => &["add 'one more' -p 1 -l x --dep bd-1", "add --parent bd-1 'a part' -d text"],
        "list" => &["list --all", "list --json"],
        "ready" => &["ready"],
        "show" => &["show bd-1"],
        "search" => &["search first"],
        "edit" => &["edit bd-1 --title 'Another title' -p 0", "edit bd-1 --domain api"],
        "comment" => &["comment bd-1 'so it is'"],
        "defer" => &["defer bd-3 --for 2h", "defer bd-3 --now"],
        "dep add" => &["dep add bd-3 bd-2"],
        "dep remove" => &["dep remove bd-3 bd-2"],
        "dep tree" => &["dep tree bd-1"],
        "dep shape" => &["dep shape"],
        "claim" => &["claim bd-1", "claim bd-1 --once"],
        "next" => &["next", "next --another"],
        "renew" => &["renew bd-1 --ttl 1h"],
        "release" => &["release bd-1"],
        "handover" => &["claim bd-1", "handover bd-1 --to bob"],
        "steal" => &["--as-person steal bd-1 --reason test"],
        "close" => &["claim bd-2", "close bd-2"],
        "fail" => &["fail bd-3"],
        "cancel" => &["cancel bd-3"],
        "reopen" => &["reopen bd-2"],
        "agent register" => &["agent register --domain api"],
        "agent heartbeat" => &["agent heartbeat"],
        "agent list" => &["agent list"],
        "agent retire" => &["agent retire bob"],
        "msg send" => &["msg send --to bob hello"],
        "inbox" => &["inbox", "inbox --all"],
        "log" => &["log", "log bd-1"],
        "log note" => &["log note 'a thought'"],
        "pause" => &["--as-person pause all"],
        "resume" => &["--as-person resume all"],
        "doctor" => &["doctor", "doctor --json"],
        "prime" => &["prime"],
        "sync" => &["sync hub --dry-run", "sync hub", "sync hub --json"],
        "ci" => &["ci --base HEAD"],
        "boundary check" => &["boundary check", "boundary check --rev HEAD"],
        "boundary schema" => &["boundary schema"],
        // The baseline is what it is for.
        "boundary baseline" => &[],
        "boundary explain" => &["boundary explain a b"],
        "boundary init" => &["boundary init"],
        "boundary graph" => &["boundary graph", "boundary graph --rev HEAD"],
        "worktree list" => &["worktree list", "worktree list --json"],
        // Worktrees, branches and their configuration are what these are for.
        "worktree add" | "worktree remove" | "worktree prune" => &[],
        "hook status" => &["hook status"],
        // Hook files are what these are for.
        "hook install" | "hook remove" => &[],
        "hook pre-commit" => &["hook pre-commit"],
        "hook pre-applypatch" => &["hook pre-applypatch"],
        // They edit the message that git hands them.
        "hook prepare-commit-msg" | "hook commit-msg" | "hook applypatch-msg" => &[],
        "hook pre-edit" => &["hook pre-edit"],
        "hook post-bash" => &["hook post-bash"],
        "hook session-start" => &["hook session-start"],
        "hook turn" => &["hook turn"],
        // Settings files are what these are for.
        "setup harness" => &["setup harness claude --dry-run"],
        "setup agents-md" => &["setup agents-md --dry-run"],
        // Works in a repository of its own.
        "demo" => &[],
        "setup completions" => &["setup completions bash"],
        "setup man" => &["setup man --stdout", "setup man"],
        _ => panic!("`{verb}` is new: say here how it is called"),
    }
}

/// Every verb that the overview names.
fn verbs() -> Vec<String> {
    let overview = Command::new(program()).arg("--help").output().unwrap();
    let overview = String::from_utf8(overview.stdout).unwrap();
    let lines = overview.lines().filter_map(|line| line.strip_prefix("  "));
    let verbs: Vec<String> =
        lines.filter_map(|line| line.split("  ").next()).map(|verb| verb.trim().to_owned()).collect();
    assert!(verbs.len() > 30, "{overview}");
    verbs
}

/// A working tree to run in, the git directories that belong to it, and its
/// working trees.
struct Place {
    sandbox: Sandbox,
    at: PathBuf,
    /// Where refs and objects are.
    common: PathBuf,
    trees: Vec<PathBuf>,
}

impl Place {
    fn ordinary(init: &[&str]) -> Self {
        let sandbox = Sandbox::with_init(init);
        let at = sandbox.repo().to_owned();
        furnish(&sandbox, &at);
        let common = at.join(".git");
        Self { at: at.clone(), common, trees: vec![at], sandbox }
    }

    /// A bare repository with a worktree beside it.
    fn bare() -> Self {
        let seed = Self::ordinary(&[]);
        let root = seed.sandbox.root().to_owned();
        let (bare, at) = (root.join("bare.git"), root.join("tree"));
        let git = |dir: &Path, words: &str| git_in(&seed.sandbox, dir, words).succeeds();
        git(&root, "clone -q --bare repo bare.git");
        git(&bare, "remote remove origin");
        git(&bare, "worktree add -q ../tree main");
        fs::write(at.join("untracked"), "mine").unwrap();
        Self { at: at.clone(), common: bare, trees: vec![at], sandbox: seed.sandbox }
    }

    /// A linked worktree on a branch of its own.
    fn linked() -> Self {
        let main = Self::ordinary(&[]);
        let at = main.sandbox.root().join("linked");
        git_in(&main.sandbox, &main.at, "worktree add -q -b side ../linked").succeeds();
        let trees = vec![main.at.clone(), at.clone()];
        Self { at, common: main.common, trees, sandbox: main.sandbox }
    }

    fn submodule() -> Self {
        let outer = Self::ordinary(&[]);
        let inner = Self::ordinary(&[]);
        let from = inner.at.display().to_string();
        let git = |words: &str| git_in(&outer.sandbox, &outer.at, words).succeeds();
        git(&format!("-c protocol.file.allow=always submodule add -q '{from}' part"));
        git("commit -q -m 'With a part'");
        let at = outer.at.join("part");
        git_in(&outer.sandbox, &at, "remote remove origin").succeeds();
        let common = outer.at.join(".git/modules/part");
        Self { at, common, trees: vec![outer.at], sandbox: outer.sandbox }
    }

    fn run(&self, agent: &str, words: &str) -> Run {
        let mut command = self.sandbox.bare_command(program(), &self.at);
        if !words.starts_with("--as-person ") {
            command.env("GIT_COMM_AGENT", agent);
        }
        Run::of(&command.args(split(words)).output().unwrap(), &format!("[{agent}] {words}"))
    }

    /// Everything that is none of coordination's business.
    fn belongings(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut seen = BTreeMap::new();
        let ours =
            ["objects", "comm-node", "refs/comm-node", "refs/comm-node-remote", "reftable", "packed-refs"];
        let ours: Vec<PathBuf> = ours.iter().map(|name| self.common.join(name)).collect();
        let mut add = |path: &Path| {
            // Each worktree notes when its hooks fired beside its HEAD.
            let noted = path.components().any(|part| part.as_os_str() == "comm-node");
            if !noted && !ours.iter().any(|dir| path.starts_with(dir)) {
                let content = match fs::read_link(path) {
                    Ok(target) => target.into_os_string().into_encoded_bytes(),
                    Err(_) => fs::read(path).unwrap(),
                };
                seen.insert(path.to_owned(), content);
            }
        };
        walk(&self.common, &mut add);
        for tree in &self.trees {
            walk(tree, &mut add);
        }
        let git = |words: &str| {
            git_in(&self.sandbox, &self.at, words)
                .succeeds()
                .stdout
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let mut refs = git("for-each-ref --format='%(refname) %(objectname) %(symref)'");
        refs.retain(|line| {
            !line.starts_with("refs/comm-node/") && !line.starts_with("refs/comm-node-remote/")
        });
        seen.insert("(refs)".into(), refs.join("\n").into_bytes());
        // In a reftable they are beside the refs. Older gits cannot list them.
        let reflogs = git_in(&self.sandbox, &self.at, "reflog list");
        seen.insert("(reflogs)".into(), reflogs.stdout.into_bytes());
        seen.insert("(HEAD)".into(), git("rev-parse --symbolic-full-name HEAD").join("").into_bytes());
        seen.insert("(index)".into(), git("ls-files --stage --debug").join("\n").into_bytes());
        seen
    }
}

fn git_in(sandbox: &Sandbox, dir: &Path, words: &str) -> Run {
    let mut command = sandbox.bare_command("git", dir);
    Run::of(&command.args(split(words)).output().unwrap(), &format!("git {words}"))
}

/// A little of everything that a user may have: a staged file, a changed one,
/// an untracked one, a tag, a branch, a stash, a hook, settings.
fn furnish(sandbox: &Sandbox, at: &Path) {
    let git = |words: &str| git_in(sandbox, at, words).succeeds();
    fs::create_dir_all(at.join("src")).unwrap();
    fs::write(at.join("src/lib.rs"), "pub fn one() {}\n").unwrap();
    fs::write(at.join(".gitignore"), "target\n").unwrap();
    git("add .");
    git("commit -q -m 'Something'");
    git("branch other");
    git("tag -a -m 'A tag' v1");
    fs::write(at.join("src/lib.rs"), "pub fn two() {}\n").unwrap();
    git("stash -q");
    fs::write(at.join("src/lib.rs"), "pub fn three() {}\n").unwrap();
    fs::write(at.join("staged"), "staged\n").unwrap();
    git("add staged");
    fs::write(at.join("untracked"), "mine\n").unwrap();
    git("config core.logAllRefUpdates always");
    let hook = at.join(".git/hooks/reference-transaction");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\necho ran >> \"$(git rev-parse --show-toplevel)/hook-ran\"\n").unwrap();
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

/// Runs every verb and compares before and after.
#[track_caller]
fn no_verb_touches(place: &Place) {
    let board = place.run("ada", "init --json").succeeds().json()["board"].as_str().unwrap().to_owned();
    // As if init had run on a terminal.
    let secrets = place.sandbox.root().join("home/.local/state/git-comm/person");
    fs::create_dir_all(&secrets).unwrap();
    fs::write(secrets.join(board), "secret").unwrap();
    for title in ["'A first task'", "'A second task'", "'A third task'"] {
        place.run("ada", &format!("add {title}")).succeeds();
    }
    place.run("bob", "agent register").succeeds();
    let hub = place.sandbox.root().join("hub.git");
    let format = git_in(&place.sandbox, &place.at, "rev-parse --show-object-format").succeeds().stdout;
    let hub = hub.display();
    git_in(&place.sandbox, &place.at, &format!("init -q --bare --object-format={} {hub}", format.trim()))
        .succeeds();
    git_in(&place.sandbox, &place.at, &format!("remote add hub {hub}")).succeeds();
    let before = place.belongings();
    assert!(before.len() > 10);
    let mut done = 0;
    for verb in verbs() {
        for words in calls(&verb) {
            let run = place.run("ada", words);
            assert!(![128, 129].contains(&run.code), "{words}: {}", run.stderr);
            done += usize::from(run.code == 0);
            let after = place.belongings();
            for (path, content) in &before {
                let now = after.get(path).unwrap_or_else(|| panic!("`{words}` removed {}", path.display()));
                assert!(now == content, "`{words}` changed {}", path.display());
            }
            let new: Vec<_> = after.keys().filter(|path| !before.contains_key(*path)).collect();
            assert!(new.is_empty(), "`{words}` made {new:?}");
        }
    }
    assert!(done > 48, "{done}");
}

/// The whole story of a task works, and its records are where every worktree
/// of the repository finds them.
#[track_caller]
fn the_story_works(place: &Place) {
    let id = place.run("ada", "add 'The story'").succeeds().stdout.trim().to_owned();
    place.run("ada", &format!("claim {id}")).succeeds();
    place.run("bob", &format!("claim {id}")).exits(1);
    place.run("ada", &format!("close {id} --reason told")).succeeds();
    place.run("ada", "msg send --to bob 'It is told'").succeeds();
    assert!(place.run("bob", "inbox").succeeds().stdout.contains("It is told"));
    assert!(place.run("bob", "log").succeeds().stdout.contains(&id));
    assert!(place.run("bob", "status").succeeds().stdout.contains("done"));
    let name = format!("refs/comm-node/tasks/{id}");
    let mut git = place.sandbox.bare_command("git", &place.at);
    git.arg("--git-dir").arg(&place.common).args(["log", "--format=%an %s", &name]);
    let log = Run::of(&git.output().unwrap(), "git log").succeeds().stdout;
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 3, "{log}");
    assert!(lines[0].starts_with(&format!("ada close {id}")), "{log}");
    let fsck = git_in(&place.sandbox, &place.at, "fsck --strict --no-dangling");
    assert_eq!(fsck.code, 0, "{}", fsck.stderr);
}

#[track_caller]
fn check(place: &Place) {
    no_verb_touches(place);
    the_story_works(place);
}

#[test]
fn in_an_ordinary_repository() {
    check(&Place::ordinary(&[]));
}

#[test]
fn in_a_worktree_of_a_bare_repository() {
    check(&Place::bare());
}

#[test]
fn in_a_linked_worktree() {
    let place = Place::linked();
    check(&place);
    assert!(!place.sandbox.repo().join(".git/worktrees/linked/refs/comm-node").exists());
    // The main worktree sees the same board.
    let mut command = place.sandbox.bare_command(program(), place.sandbox.repo());
    let list = Run::of(&command.args(["list", "--all"]).output().unwrap(), "list").succeeds().stdout;
    assert!(list.contains("The story"), "{list}");
}

#[test]
fn in_a_submodule() {
    let place = Place::submodule();
    check(&place);
    assert!(!place.sandbox.repo().join(".git/refs/comm-node").exists(), "it has a board of its own");
}

#[test]
fn in_a_sha_256_repository() {
    check(&Place::ordinary(&["--object-format=sha256"]));
}

#[test]
fn in_a_reftable_repository() {
    check(&Place::ordinary(&["--ref-format=reftable"]));
}

#[test]
fn in_a_sha_256_reftable_repository() {
    check(&Place::ordinary(&["--ref-format=reftable", "--object-format=sha256"]));
}

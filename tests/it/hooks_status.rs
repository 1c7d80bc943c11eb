//! Whether the hooks fire: in which worktree, with which git, and why not.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::hooks_support::{World, contents, gits, newer, older, same, write};
use crate::support::is_full;

fn hook(w: &World, name: &str) -> PathBuf {
    w.s.repo().join(".git/hooks").join(name)
}

#[test]
fn status_tells_what_keeps_a_hook_from_firing() {
    let why = |w: &World| {
        let status = w.comm("hook status --json").exits(1).json();
        status["hooks"][0]["why_not"].as_str().unwrap_or_default().to_owned()
    };
    if let Some(git) = older() {
        let w = World::new(git);
        w.comm("init --no-hooks").succeeds();
        assert_eq!(why(&w), "not installed");
        w.comm("hook install").succeeds();
        let text = w.comm("hook status").succeeds().stdout;
        assert!(text.contains("pre-commit          block  never fired"), "{text}");
        w.commit_rules();
        assert!(!w.comm("hook status").succeeds().stdout.contains("pre-commit          block  never fired"));
        let path = hook(&w, "pre-commit");
        let whole = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, whole.replace("|| exit\n", "\n")).unwrap();
        assert!(why(&w).contains("the block was changed"));
        w.comm("init").succeeds();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(why(&w), "the file is not executable");
        w.comm("init").succeeds();
        w.is_guarded(w.s.repo());
        std::fs::write(&path, whole.replace("# <<<", "#")).unwrap();
        assert!(why(&w).contains("has lost its last line"));
        w.comm("init").exits(128);
        write(&path, b"#!/bin/sh\n", 0o755);
        assert_eq!(why(&w), "not in the hook that is there");
        w.git("config core.hooksPath /dev/null").succeeds();
        assert_eq!(why(&w), "not installed");
    }
    if let Some(git) = newer() {
        let w = World::guarded(git);
        w.git("config core.hooksPath /dev/null").succeeds();
        w.is_guarded(w.s.repo());
        for (key, value) in [
            ("hook.git-comm-pre-commit.enabled", "false"),
            ("hook.pre-commit.enabled", "false"),
            ("hook.git-comm-pre-commit.command", "true"),
            ("hook.git-comm-pre-commit.event", "''"),
        ] {
            w.git(&format!("config --add {key} {value}")).succeeds();
            assert!(why(&w).contains(key.rsplit_once('.').unwrap().1), "{key}: {}", why(&w));
            // The hook of the message judges all the same.
            w.is_guarded(w.s.repo());
            w.comm("init --remove").succeeds();
            let _ = w.git(&format!("config --unset-all {key}"));
            w.comm("init").succeeds();
            w.is_guarded(w.s.repo());
        }
    }
}

#[test]
fn two_gits_on_one_repository_are_both_guarded() {
    let (Some(old), Some(new)) = (older(), newer()) else { return };
    let mut w = World::guarded(new);
    w.is_guarded(w.s.repo());
    let newer_path = w.use_git(old);
    assert!(w.comm("hook status").exits(1).stdout.contains("runs no hooks from its configuration"));
    w.comm("init").succeeds();
    w.is_guarded(w.s.repo());
    // And neither takes away what the other one needs.
    w.use_path(newer_path);
    assert!(w.comm("init").succeeds().stdout.contains("nothing to change"));
    w.is_guarded(w.s.repo());
    w.comm("init --remove").succeeds();
    w.is_unguarded(w.s.repo());
    // After an upgrade blocks give way to the configuration.
    let newer_path = w.use_git(old);
    w.comm("init").succeeds();
    w.use_path(newer_path);
    w.comm("init").succeeds();
    assert!(!hook(&w, "pre-commit").exists());
    w.is_guarded(w.s.repo());
}

#[test]
fn worktrees_without_the_generated_folder_get_one() {
    let Some(git) = older() else { return };
    let w = World::new(git);
    w.comm("init --no-hooks").succeeds();
    w.commit_rules();
    w.git("config core.hooksPath .hooks/_").succeeds();
    write(&w.s.repo().join(".hooks/_/.gitignore"), b"*", 0o644);
    write(&w.s.repo().join(".hooks/_/pre-commit"), b"#!/bin/sh\necho theirs >&2\n", 0o755);
    w.git("worktree add -q ../first").succeeds();
    let (first, second) = (w.s.root().join("first"), w.s.root().join("second"));
    let before = (contents(w.s.repo()), contents(&first));
    w.comm("init").succeeds();
    w.is_guarded(w.s.repo());
    w.is_guarded(&first);
    assert_eq!(w.git_in(&first, "ada", "status --porcelain").stdout, "");
    // One that is made later tells, and is mended.
    w.git("worktree add -q ../second").succeeds();
    assert_eq!(w.comm_in(&second, "hook status --json").exits(1).json()["all_fire"], false);
    w.comm_in(&second, "hook install").succeeds();
    w.is_guarded(&second);
    w.comm("init --remove").succeeds();
    w.is_unguarded(&second);
    assert!(!second.join(".hooks").exists());
    let after = (contents(w.s.repo()), contents(&first));
    same(&before.1, &after.1);
    same(
        &before.0.into_iter().filter(|(p, _)| !p.starts_with(".git/worktrees")).collect(),
        &after.0.into_iter().filter(|(p, _)| !p.starts_with(".git/worktrees")).collect(),
    );
}

#[test]
fn bare_repositories_with_worktrees_and_submodules_are_guarded() {
    for git in gits() {
        let w = World::guarded(git);
        let root = w.s.root().to_owned();
        w.git("clone -q --bare . ../bare.git").succeeds();
        let bare = root.join("bare.git");
        w.git_in(&bare, "kai", "worktree add -q ../wt main").succeeds();
        w.comm_in(&root.join("wt"), "init").succeeds();
        w.is_guarded(&root.join("wt"));
        w.comm_in(&bare, "hook status").succeeds();
        w.comm_in(&bare, "init --remove").succeeds();
        w.is_unguarded(&root.join("wt"));

        w.git("init -q ../super").succeeds();
        let add = "-c protocol.file.allow=always submodule add -q ../repo 'sub module'";
        w.git_in(&root.join("super"), "kai", add).succeeds();
        let sub = root.join("super/sub module");
        w.comm_in(&sub, "init").succeeds();
        w.is_guarded(&sub);
        let status = w.comm_in(&sub, "hook status --json").succeeds().json();
        assert!(status["hooks"][0]["fired_at"].is_string());
        assert!(!root.join("super/.git/hooks/pre-commit").exists());
    }
}

#[test]
fn a_repository_without_a_hooks_folder_gets_none_for_good() {
    let Some(git) = older() else { return };
    let w = World::new(git);
    std::fs::remove_dir_all(w.s.repo().join(".git/hooks")).unwrap();
    w.comm("init").succeeds();
    w.commit_rules();
    w.is_guarded(w.s.repo());
    w.comm("init --remove").succeeds();
    assert!(!w.s.repo().join(".git/hooks").exists());
}

#[test]
fn what_the_program_asks_of_git_runs_no_hooks() {
    for git in gits().iter().filter(|g| g.version.as_str() >= "2.55") {
        let w = World::new(git);
        w.git("init -q --ref-format=reftable ../tables").succeeds();
        let tables = w.s.root().join("tables");
        for (key, value) in [("event", "reference-transaction"), ("command", "'echo fired >> ../fired'")] {
            w.git_in(&tables, "ada", &format!("config hook.theirs.{key} {value}")).succeeds();
        }
        w.comm_in(&tables, "init").succeeds();
        w.comm_in(&tables, "add one").succeeds();
        assert!(!w.s.root().join("fired").exists());
        w.git_in(&tables, "ada", "commit -q --allow-empty -m x").succeeds();
        assert!(w.s.root().join("fired").exists());
    }
}

#[test]
fn the_full_run_has_every_kind_of_git() {
    if is_full() {
        assert!(older().is_some() && newer().is_some());
    }
}

#[test]
fn a_worktree_that_is_added_gets_the_folder_that_others_have() {
    let Some(git) = older() else { return };
    for installed in [true, false] {
        let w = World::new(git);
        w.comm("init --no-hooks").succeeds();
        w.commit_rules();
        w.git("config core.hooksPath .hooks/_").succeeds();
        write(&w.s.repo().join(".hooks/_/.gitignore"), b"*", 0o644);
        if installed {
            w.comm("init").succeeds();
        }
        let added = w.comm("worktree add ada --agent ada --path ../added --json").succeeds().json();
        assert_eq!(added["worktree"]["hook"], installed, "{added}");
        let added = w.s.root().join("added");
        assert_eq!(added.join(".hooks").exists(), installed);
        if installed {
            w.is_guarded(&added);
            assert_eq!(w.git_in(&added, "ada", "status --porcelain").stdout, "");
        }
    }
}

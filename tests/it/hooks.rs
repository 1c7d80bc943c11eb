//! Installing git's hooks beside what is there, and leaving without a trace.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::hooks_support::{World, contents, gits, newer, older, run, same, write};
use crate::support::{Run, copy_program, has_tool, program, split};

fn hook(w: &World, name: &str) -> PathBuf {
    w.s.repo().join(".git/hooks").join(name)
}

/// Runs the program on a terminal, as a person does.
fn on_terminal(w: &World, words: &str) -> Run {
    let line = format!("{} {words}", program().display());
    run(w.command("script", w.s.repo()).args(["-qec", &line, "/dev/null"]), words)
}

/// Hooks as people have them: content and mode.
const FOUND: &[(&str, u32)] = &[
    ("#!/bin/sh\necho theirs\n", 0o755),
    ("#!/bin/sh\necho theirs", 0o755),
    ("#!/bin/sh", 0o700),
    ("#!/bin/sh\n", 0o755),
    ("echo no interpreter\n", 0o755),
    ("\n\n# only remarks", 0o755),
    ("", 0o755),
    ("", 0o644),
    ("#!/bin/sh -e\necho lines end in two\r\nexit 0 #\r\n", 0o755),
    ("#!/usr/bin/env bash\nset -euo pipefail\nexec true\n", 0o755),
    ("#!/bin/sh\necho not run\n", 0o644),
    ("#!/usr/bin/env python3\nprint('not run')", 0o600),
    ("#!/bin/sh\r\necho not run\r\n", 0o644),
    ("\u{feff}#!/bin/sh\necho\n", 0o755),
];

#[test]
fn hooks_that_are_there_come_back_to_the_byte() {
    let Some(git) = older() else { return };
    for (content, mode) in FOUND {
        let w = World::new(git);
        for name in ["pre-commit", "commit-msg"] {
            write(&hook(&w, name), content.as_bytes(), *mode);
        }
        let before = contents(w.s.repo());
        w.comm("init").succeeds();
        w.commit_rules();
        w.is_guarded(w.s.repo());
        let installed = contents(&w.s.repo().join(".git/hooks"));
        assert!(w.comm("init").succeeds().stdout.contains("nothing to change"), "{content:?}");
        same(&installed, &contents(&w.s.repo().join(".git/hooks")));
        w.comm("init --remove").succeeds();
        w.git("rm -q -r --cached comm.toml api web").succeeds();
        for path in ["comm.toml", "api/a.txt", "web/w.txt"] {
            std::fs::remove_file(w.s.repo().join(path)).unwrap();
        }
        for dir in ["api", "web"] {
            std::fs::remove_dir(w.s.repo().join(dir)).unwrap();
        }
        same(&before, &contents(w.s.repo()));
    }
}

#[test]
fn configurations_that_are_there_come_back_to_the_byte() {
    let Some(git) = newer() else { return };
    for ending in [
        "",
        "\n",
        "\n[x]\n\ty = z",
        "[alias]\r\n\tci = commit\r\n",
        "# remark",
        "[include]\n\tpath = x\n\n\n",
    ] {
        let w = World::new(git);
        let path = w.s.repo().join(".git/config");
        let mut config = std::fs::read(&path).unwrap();
        config.extend(ending.as_bytes());
        write(&path, &config, 0o600);
        write(&hook(&w, "pre-commit"), b"#!/usr/bin/env python3\n", 0o755);
        let before = contents(w.s.repo());
        let dry = w.comm("init --dry-run --json").succeeds().json();
        same(&before, &contents(w.s.repo()));
        let real = w.comm("init --json").succeeds().json();
        assert_eq!(dry["hooks"]["changes"], real["hooks"]["changes"]);
        assert!(w.comm("init").succeeds().stdout.contains("nothing to change"));
        w.comm("init --remove").succeeds();
        same(&before, &contents(w.s.repo()));
        // What others add meanwhile stays, what git adds to ours goes.
        w.comm("init").succeeds();
        w.git("config hook.git-comm-pre-commit.enabled false").succeeds();
        w.git("config later.key value").succeeds();
        w.comm("init --remove").succeeds();
        assert_eq!(w.git("config later.key").succeeds().stdout, "value\n");
        assert_eq!(w.git("config --get-regexp ^hook").code, 1);
    }
}

#[test]
fn a_hook_that_is_there_keeps_its_behaviour_and_its_status() {
    let Some(git) = older() else { return };
    for (content, status) in [
        ("#!/bin/sh\nexit 3\n", 1),
        ("#!/bin/sh\nexec sh -c 'exit 4'\n", 1),
        ("#!/bin/sh -eu\ntest \"$#\" = 0\ntest -z \"${comm-}\"\necho ran >> \"$0.log\"\n", 0),
        ("#!/usr/bin/env bash\nset -euo pipefail\ntrap 'echo ran >> \"$0.log\"' EXIT\nexit 0\n", 0),
        ("read -r line && exit 9\necho ran >> .git/hooks/pre-commit.log\n", 0),
    ] {
        let w = World::new(git);
        w.comm("init --no-hooks").succeeds();
        w.commit_rules();
        write(&hook(&w, "pre-commit"), content.as_bytes(), 0o755);
        w.comm("init").succeeds();
        assert_eq!(w.git("commit -q --allow-empty -m x").code, status, "{content}");
        if status == 0 {
            assert_eq!(std::fs::read_to_string(hook(&w, "pre-commit.log")).unwrap(), "ran\n", "{content}");
        }
        // Ours comes first: what it refuses does not reach the other.
        w.write("web/w.txt", "not mine\n");
        let refused = w.git_as("ada", "commit -q -a -m x").exits(1);
        assert!(refused.stderr.contains("outside the scope of `ada`"), "{}", refused.stderr);
        if status == 0 {
            assert_eq!(std::fs::read_to_string(hook(&w, "pre-commit.log")).unwrap(), "ran\n", "{content}");
        }
    }
}

#[test]
fn a_hook_that_git_did_not_run_is_not_run_now() {
    let Some(git) = older() else { return };
    let w = World::new(git);
    write(&hook(&w, "pre-commit"), b"#!/usr/bin/env python3\nraise SystemExit(7)\n", 0o644);
    w.comm("init").succeeds();
    w.commit_rules();
    w.is_guarded(w.s.repo());
}

#[test]
fn what_cannot_take_a_block_is_left_alone_and_told() {
    let Some(git) = older() else { return };
    let python = |w: &World| write(&hook(w, "pre-commit"), b"#!/usr/bin/env python3\nexit(0)\n", 0o755);
    let binary = |w: &World| write(&hook(w, "pre-commit"), b"\x7fELF\0\0", 0o755);
    let returns = |w: &World| write(&hook(w, "pre-commit"), b"#!/bin/sh\r\nexit 0\r\n", 0o755);
    let linked = |w: &World| {
        write(&w.s.repo().join("check.sh"), b"#!/bin/sh\n", 0o755);
        symlink("../../check.sh", hook(w, "pre-commit")).unwrap();
    };
    let dangling = |w: &World| symlink("nowhere", hook(w, "pre-commit")).unwrap();
    let tracked = |w: &World| {
        write(&w.s.repo().join(".githooks/pre-commit"), b"#!/bin/sh\n", 0o755);
        w.git("add .githooks").succeeds();
        w.git("config core.hooksPath .githooks").succeeds();
    };
    let shared = |w: &World| {
        write(&w.s.root().join("home/hooks/pre-commit"), b"#!/bin/sh\n", 0o755);
        w.git("config --global core.hooksPath ~/hooks").succeeds();
    };
    type Setup<'a> = &'a dyn Fn(&World);
    let cases: [(Setup<'_>, &str); 7] = [
        (&python, "it is a script for python3"),
        (&binary, "it is no script"),
        (&returns, "carriage return"),
        (&linked, "it is a link to ../../check.sh"),
        (&dangling, "it is a link to nowhere"),
        (&tracked, "git tracks it, or would (core.hooksPath = .githooks, local)"),
        (&shared, "other repositories may use that folder"),
    ];
    for (set_up, why) in cases {
        let w = World::new(git);
        set_up(&w);
        let before = contents(w.s.root());
        let told = w.comm("init").exits(1).stdout;
        assert!(told.contains(why) && told.contains("git-comm hook pre-commit"), "{told}");
        let refused = w.comm("hook install --json").exits(1).json();
        assert_eq!(refused["refused"][0]["hook"], "pre-commit");
        assert_eq!(w.comm("hook status --json").exits(1).json()["hooks"][0]["fires"], false);
        w.comm("init --remove").succeeds();
        same(&before, &contents(w.s.root()));
        // A newer git needs no file of theirs.
        if let Some(newer) = newer() {
            let w = World::new(newer);
            set_up(&w);
            w.comm("init").succeeds();
            assert_eq!(w.comm("hook status --json").succeeds().json()["all_fire"], true);
        }
    }
}

#[test]
fn lines_added_by_hand_count() {
    let Some(git) = older() else { return };
    let w = World::new(git);
    let line = |name: &str| format!("#!/bin/sh\n{} hook {name} \"$@\" || exit\n", program().display());
    for name in ["pre-commit", "prepare-commit-msg", "commit-msg", "applypatch-msg", "pre-applypatch"] {
        write(&w.s.repo().join(".githooks").join(name), line(name).as_bytes(), 0o755);
    }
    w.git("config core.hooksPath .githooks").succeeds();
    w.comm("init").succeeds();
    w.commit_rules();
    w.is_guarded(w.s.repo());
    let status = w.comm("hook status --json").succeeds().json();
    assert_eq!(status["hooks"][0]["installed"][0]["how"], "hand");
}

#[test]
fn without_the_program_commits_stop_and_say_what_to_do() {
    for git in gits() {
        let w = World::new(git);
        let folder = w.s.root().join("it's a folder");
        let copy = folder.join("git-comm");
        std::fs::create_dir(&folder).unwrap();
        copy_program(&copy);
        run(w.command(&copy, w.s.repo()).arg("init"), "init").succeeds();
        w.git("commit -q --allow-empty -m works").succeeds();
        std::fs::rename(&copy, folder.join("away")).unwrap();
        for agent in [None, Some("ada")] {
            let words = "commit -q --allow-empty -m missing";
            let stopped = agent.map_or_else(|| w.git(words), |a| w.git_as(a, words));
            assert_ne!(stopped.code, 0);
            for told in
                ["git-comm is neither on PATH nor at", "cargo install --path .", "git comm init --remove"]
            {
                assert!(stopped.stderr.contains(told), "{}", stopped.stderr);
            }
            let by_hand =
                if git.by_config { "git config --remove-section" } else { "delete the lines between" };
            assert!(stopped.stderr.contains(by_hand), "{}", stopped.stderr);
        }
        // PATH comes first.
        std::fs::rename(folder.join("away"), &copy).unwrap();
        let other = w.s.root().join("other");
        write(&other.join("git-comm"), b"#!/bin/sh\necho \"other $*\" >&2\nexit 1\n", 0o755);
        let mut command = w.command("git", w.s.repo());
        command.env("PATH", w.path_with(&other)).args(split("commit -q --allow-empty -m other"));
        let other = run(&mut command, "other").exits(1);
        assert!(other.stderr.contains("other hook pre-commit"), "{}", other.stderr);
    }
}

#[test]
fn the_hook_runs_under_every_shell() {
    let Some(git) = older() else { return };
    let w = World::guarded(git);
    w.write("web/w.txt", "not mine\n");
    w.git("add web").succeeds();
    for shell in [&["dash"][..], &["busybox", "sh"], &["bash", "--posix"], &["bash"], &["ksh"], &["zsh"]] {
        let probe: Vec<&str> = shell[1..].iter().copied().chain(["-c", ":"]).collect();
        let there = Command::new(shell[0]).args(&probe).status().is_ok_and(|s| s.success());
        if !there {
            eprintln!("SKIPPED: no {}", shell[0]);
            continue;
        }
        let mut command = w.command(shell[0], w.s.repo());
        command.env("GIT_COMM_AGENT", "ada").args(&shell[1..]).arg(hook(&w, "pre-commit"));
        let refused = run(&mut command, shell[0]).exits(5);
        assert!(refused.stderr.contains("web/w.txt: domain web"), "{}", refused.stderr);
    }
}

#[test]
fn only_a_person_or_a_script_takes_the_hooks_out() {
    for git in gits() {
        let w = World::guarded(git);
        let before = contents(w.s.repo());
        for words in ["init --remove", "hook remove", "init --remove --refs"] {
            w.comm(&format!("--agent ada {words}")).exits(5);
            let mut command = w.command(program(), w.s.repo());
            run(command.env("CLAUDECODE", "1").args(split(words)), words).exits(5);
        }
        w.comm("init --remove --refs").exits(5);
        same(&before, &contents(w.s.repo()));
        w.is_guarded(w.s.repo());
        let dry = w.comm("init --remove --dry-run").succeeds().stdout;
        assert!(dry.contains("would be changed"), "{dry}");
        same(&before, &contents(w.s.repo()));
        w.comm("hook remove").succeeds();
        w.is_unguarded(w.s.repo());
        assert!(w.comm("hook remove").succeeds().stdout.contains("nothing to change"));
        w.comm("list").succeeds();
    }
}

#[test]
fn leaving_for_good_leaves_no_trace() {
    if !has_tool("script", &["--version"]) {
        return;
    }
    for (git, format) in gits().iter().flat_map(|g| [(g, "files"), (g, "reftable")]) {
        let args: &[&str] = if format == "reftable" { &["--ref-format=reftable"] } else { &[] };
        // The sandbox is made by the first git on PATH, the rest by `git`.
        let knows = |of: &crate::hooks_support::Git| of.version.as_str() >= "2.45";
        if format == "reftable" && !(knows(git) && knows(&gits()[0])) {
            continue;
        }
        let w = World::with_init(git, args);
        let all = |w: &World| {
            let mut found = contents(&w.s.repo().join(".git"));
            found.retain(|path, _| !path.starts_with("reftable"));
            let refs = w.git("for-each-ref").succeeds().stdout;
            (found, refs, w.s.repo().join(".git/comm-node").exists())
        };
        let before = all(&w);
        on_terminal(&w, "init").succeeds();
        w.comm("add one").succeeds();
        w.comm("--agent ada claim bd-1").succeeds();
        let told = w.comm("--as-person init --remove --refs --json").succeeds().json();
        assert!(told["refs"].as_u64().unwrap() >= 3, "{told}");
        let after = all(&w);
        same(&before.0, &after.0);
        assert_eq!((before.1, before.2), (after.1, after.2));
        w.comm("list").exits(0);
    }
}

#[test]
fn the_answer_lists_what_was_changed() {
    let Some(git) = older() else { return };
    let w = World::new(git);
    let before = contents(w.s.repo());
    let dry = w.comm("init --dry-run --json").succeeds().json();
    assert_eq!((dry["created"].as_bool(), dry["hooks"]["dry_run"].as_bool()), (Some(true), Some(true)));
    same(&before, &contents(w.s.repo()));
    assert!(w.git("for-each-ref refs/comm-node").stdout.is_empty());
    let real = w.comm("init --json").succeeds().json();
    assert_eq!(dry["hooks"]["changes"], real["hooks"]["changes"]);
    let paths: Vec<&str> =
        real["hooks"]["changes"].as_array().unwrap().iter().map(|c| c["path"].as_str().unwrap()).collect();
    assert!(paths.iter().all(|p| Path::new(p).is_file()), "{paths:?}");
    let other = World::new(git);
    let before = contents(other.s.repo());
    assert!(other.comm("init --no-hooks --json").succeeds().json().get("hooks").is_none());
    same(&before, &contents(other.s.repo()));
}

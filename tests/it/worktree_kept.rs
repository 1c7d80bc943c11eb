//! Worktrees: what git does not look at when it removes one.

use crate::support::{Run, Sandbox};
use crate::worktrees::{assert_absent, comm_in, git, hooked, place, write};

/// A repository that ignores some names.
pub(crate) fn ignoring(patterns: &str) -> Sandbox {
    let s = hooked();
    write(&s.repo().join(".gitignore"), patterns);
    s.git("add .gitignore").succeeds();
    s.git("commit -q --no-verify -m ignore").succeeds();
    s
}

#[test]
fn ignored_files_stay_unless_tools_make_them_again_or_the_main_worktree_has_them() {
    let s = ignoring(".env\nlocal/\ntarget/\n*.log\n");
    let id = s.add("one");
    s.comm(&format!("worktree add ada --agent ada --task {id}")).succeeds();
    let inside = place(&s, "ada");
    comm_in(&s, &inside, &format!("close {id}")).succeeds();
    for path in [".env", "local/deep/notes.md", "target/debug/x", "run.log"] {
        write(&inside.join(path), path);
    }
    let refused = s.comm("worktree remove ada").exits(1).stderr;
    assert!(refused.contains("3 files that git ignores: .env, local/deep/notes.md, run.log\n"), "{refused}");
    assert!(refused.contains("remove ada --keep-ignored DIR") && !refused.contains("drop"), "{refused}");
    s.comm("worktree remove ada --keep wip").exits(1);
    let pruned = s.comm("worktree prune").succeeds().stdout;
    assert!(pruned.contains("3 files that git ignores"), "{pruned}");
    s.git("config comm.disposable '*.log other'").succeeds();
    write(&s.repo().join(".env"), ".env");
    let refused = s.comm("worktree remove ada").exits(1).stderr;
    assert!(refused.contains("1 file that git ignores: local/deep/notes.md\n"), "{refused}");
    // Where they may not go.
    s.comm("worktree remove ada --keep-ignored ../repo.worktrees/ada/copies").exits(129);
    s.comm("worktree remove ada --keep-ignored .").exits(1);
    s.comm("worktree remove ada --keep-ignored ../x --drop-ignored").exits(129);
    let removed = s.comm("worktree remove ada --keep-ignored ../copies --json").succeeds().json();
    let copies = s.root().join("copies");
    assert_eq!(removed["worktree"]["copied"], copies.to_str().unwrap());
    assert_eq!(std::fs::read_to_string(copies.join("local/deep/notes.md")).unwrap(), "local/deep/notes.md");
    assert_eq!(std::fs::read_dir(&copies).unwrap().count(), 1);
    assert_absent(&s, "ada");
    s.comm("worktree add ada").succeeds();
    write(&inside.join("local/notes.md"), "x");
    s.comm("worktree remove ada --drop-ignored").succeeds();
    assert_absent(&s, "ada");
    s.git("config comm.disposable '[a'").succeeds();
    s.comm("worktree add ada").exits(129);
}

#[test]
fn repositories_that_git_ignores_stay_with_the_commits_that_only_they_hold() {
    let s = ignoring("vendor/\ntarget/\n");
    s.comm("worktree add ada").succeeds();
    let inside = place(&s, "ada");
    s.git("clone -q . ../repo.worktrees/ada/vendor/lib").succeeds();
    s.git("clone -q . ../repo.worktrees/ada/target/lib").succeeds();
    s.git("clone -q --bare . ../repo.worktrees/ada/target/hub.git").succeeds();
    let me = "-c user.name=a -c user.email=a@b";
    git(&s, &inside.join("vendor/lib"), &format!("{me} commit -q --allow-empty -m one")).succeeds();
    write(&inside.join("target/lib/README"), "changed\n");
    for words in ["", " --keep wip", " --drop-ignored", " --keep-ignored ../copies"] {
        let refused = s.comm(&format!("worktree remove ada{words}")).exits(1).stderr;
        for what in [
            "`vendor/lib` is a repository with 1 commit that no remote has",
            "`target/lib` is a repository with uncommitted files",
            "`target/hub.git` is a repository with 3 commits that no remote has",
            "move it out of the worktree",
        ] {
            assert!(refused.contains(what), "{refused}");
        }
    }
    s.git("rev-parse -q --verify wip").exits(1);
    assert!(!s.root().join("copies").exists());
    // One whose remote has all of it goes.
    git(&s, &inside.join("vendor/lib"), "push -q origin HEAD:refs/heads/lib").succeeds();
    git(&s, &inside.join("target/lib"), "checkout -q README").succeeds();
    std::fs::rename(inside.join("target/hub.git"), s.root().join("hub.git")).unwrap();
    s.comm("worktree remove ada").succeeds();
    assert_absent(&s, "ada");
}

#[test]
fn commits_that_only_the_reflog_or_own_refs_name_are_saved() {
    let s = hooked();
    let me = "-c user.name=a -c user.email=a@b";
    let id = s.add("one");
    for (name, verb) in [("ada", "worktree remove ada"), ("bob", "worktree prune")] {
        s.comm(&format!("worktree add {name} --agent {name} --task {id}")).succeeds();
        let dir = place(&s, name);
        let commit = |words: &str| {
            git(&s, &dir, &format!("{me} commit -q --no-verify --allow-empty {words}")).succeeds();
            git(&s, &dir, "rev-parse HEAD").stdout.trim().to_owned()
        };
        let (one, two) = (format!("-m one-{name}"), format!("--amend -m two-{name}"));
        let mut lost = vec![commit(&one), commit(&two), commit("-m three")];
        git(&s, &dir, "update-ref refs/worktree/mine HEAD").succeeds();
        git(&s, &dir, "reset -q --hard main").succeeds();
        git(&s, &dir, "checkout -q --detach").succeeds();
        lost.push(commit(&format!("-m detached-{name}")));
        git(&s, &dir, &format!("checkout -q {name}")).succeeds();
        comm_in(&s, &dir, &format!("close {id}")).succeeds();
        let told = s.comm(verb).succeeds().stdout;
        assert!(told.contains(&format!("; 4 commits of its reflog in refs/comm-kept/{name}")), "{told}");
        assert_absent(&s, name);
        s.git("reflog expire --expire=now --all").succeeds();
        s.git("gc -q --prune=now").succeeds();
        let all = s.git(&format!("rev-list refs/comm-kept/{name}")).succeeds().stdout;
        assert!(lost.iter().all(|oid| all.contains(oid.as_str())), "{all}");
        s.comm(&format!("reopen {id}")).succeeds();
    }
    // Nothing is saved where nothing strays, and again under the same name.
    s.comm("worktree add eve").succeeds();
    let removed = s.comm("worktree remove eve --json").succeeds().json();
    assert_eq!(
        (&removed["worktree"]["saved"], &removed["worktree"]["saved_commits"]),
        (&().into(), &0.into())
    );
    let before = s.git("rev-parse refs/comm-kept/ada").stdout;
    s.comm("worktree add ada").succeeds();
    git(&s, &place(&s, "ada"), &format!("{me} commit -q --no-verify --allow-empty -m more")).succeeds();
    git(&s, &place(&s, "ada"), "reset -q --hard main").succeeds();
    let removed = s.comm("worktree remove ada --json").succeeds().json();
    assert_eq!(removed["worktree"]["saved"], "refs/comm-kept/ada");
    assert_eq!(s.git("rev-parse refs/comm-kept/ada^1").stdout, before);
}

/// What was kept is undone only where git has touched nothing: it deletes the
/// git directory even where it cannot delete all of the folder.
#[test]
fn what_was_kept_stays_when_git_breaks_off() {
    for (script, code, is_undone) in [
        ("exit 128", 1, true),
        ("\"$git\" \"$@\"; echo 'error: failed to delete' >&2; exit 255", 0, false),
        ("rm ../repo.worktrees/ada/README ../repo.worktrees/ada/new; kill -9 $$", 128, false),
    ] {
        let s = ignoring(".env\n");
        s.comm("worktree add ada").succeeds();
        let dir = place(&s, "ada");
        git(&s, &dir, "-c user.name=a -c user.email=a@b commit -q --no-verify --allow-empty -m lost")
            .succeeds();
        let lost = git(&s, &dir, "rev-parse HEAD").stdout;
        git(&s, &dir, "reset -q --hard main").succeeds();
        write(&dir.join("new"), "new\n");
        write(&dir.join(".env"), "secret\n");
        let real = s.bare_command("sh", s.repo()).args(["-c", "command -v git"]).output().unwrap();
        let real = String::from_utf8(real.stdout).unwrap();
        let shim = s.root().join("bin/git");
        let text = format!(
            "#!/bin/sh\ngit='{}'\ncase \"$*\" in *'worktree remove -- '*) cd '{}'; {script};; esac\nexec \"$git\" \"$@\"\n",
            real.trim(),
            s.repo().display()
        );
        write(&shim, &text);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&shim, mode).unwrap();
        let mut command = s.command();
        let path = format!("{}:{}", s.root().join("bin").display(), std::env::var("PATH").unwrap());
        command.env("PATH", path);
        command.args(["worktree", "remove", "ada", "--keep", "wip", "--keep-ignored", "../copies"]);
        let run = Run::of(&command.output().unwrap(), script).exits(code);
        let copy = s.root().join("copies/.env");
        if is_undone {
            s.git("rev-parse -q --verify wip").exits(1);
            s.git("rev-parse -q --verify refs/comm-kept/ada").exits(1);
            assert!(!copy.exists());
            assert_eq!(git(&s, &dir, "status --porcelain").stdout, "?? new\n");
            assert_eq!(git(&s, &dir, "symbolic-ref --short HEAD").stdout, "ada\n");
        } else {
            assert_eq!(s.git("show wip:new").stdout, "new\n", "{}", run.stderr);
            assert!(s.git("rev-list refs/comm-kept/ada").stdout.contains(lost.trim()));
            assert_eq!(std::fs::read_to_string(copy).unwrap(), "secret\n");
        }
    }
}

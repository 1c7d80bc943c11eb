//! Worktrees: an addition whose process dies.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use crate::support::{Run, Sandbox, has_tool, program, rounds, split};
use crate::worktrees::{assert_absent, git, hooked, listed, place, write};

/// Kills an addition and everything that it started: before or after each
/// git command that it runs.
#[test]
fn an_addition_that_is_killed_can_be_made_again() {
    const CALLS: usize = 13;
    let mut kills = 0;
    for step in 1..=rounds(CALLS, 2 * CALLS) {
        let (call, before) =
            if step <= CALLS { (step, step % 3 == 0) } else { (step - CALLS, step % 3 != 0) };
        let s = hooked();
        let id = s.add("one");
        // A git that counts its calls and kills the whole group at one.
        let bin = s.root().join("bin");
        let real = Run::of(
            &s.bare_command("sh", s.repo()).args(["-c", "command -v git"]).output().unwrap(),
            "command -v git",
        );
        let calls = s.root().join("calls");
        let (first, second) = if before { ("kill -9 0; ", "") } else { ("", "kill -9 0; ") };
        let hit = format!("[ $(wc -c < '{}') -eq {call} ]", calls.display());
        let script = format!(
            "#!/bin/sh\nprintf x >> '{calls}'\nif {hit}; then {first} '{real}' \"$@\"; {second} fi\nexec '{real}' \"$@\"\n",
            calls = calls.display(),
            real = real.stdout.trim(),
        );
        write(&bin.join("git"), &script);
        std::fs::set_permissions(bin.join("git"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let words = format!("worktree add ada --agent ada --task {id}");
        let mut command = s.command();
        command.env("PATH", path).args(split(&words)).stdout(Stdio::null()).stderr(Stdio::null());
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let killed = command.status().unwrap();
        // The repository works whatever is left in it.
        s.git("status --porcelain").succeeds();
        s.git("worktree list").succeeds();
        s.comm("worktree list").succeeds();
        s.git("config test.key value").succeeds();
        if killed.success() {
            continue;
        }
        kills += 1;
        s.comm(&words).succeeds();
        assert_eq!(std::fs::read_to_string(place(&s, "ada").join("README")).unwrap(), "hello\n");
        assert_eq!(listed(&s, "ada")["task"], id.as_str());
        assert!(listed(&s, "ada")["expires_at"].is_string());
        s.comm("worktree remove ada").succeeds();
        assert_absent(&s, "ada");
    }
    assert!(kills >= CALLS, "only {kills} were killed");
}

#[test]
fn content_that_came_after_a_kill_is_not_undone() {
    let s = hooked();
    write(&s.repo().join(".gitignore"), ".env\n");
    s.git("add .gitignore").succeeds();
    s.git("commit -q --no-verify -m ignore").succeeds();
    // One that git sees, and one that it ignores.
    for file in ["found", ".env"] {
        s.comm("worktree add ada --agent ada").succeeds();
        // As if it had been killed at its very end, and found by somebody.
        let note = serde_json::json!({
            "path": place(&s, "ada"), "branch": "ada", "base": s.git("rev-parse main").stdout.trim(),
            "agent": "ada", "task": null, "makes_parent": false,
        });
        let path = place(&s, "ada").join(file);
        write(&path, "precious");
        write(&s.repo().join(".git/comm-node/adding/0123456789abcdef"), &note.to_string());
        let next = s.comm(&format!("worktree add bob{}", file.len())).succeeds();
        let told = format!("was never finished and is left as it is: `{file}`");
        assert!(next.stderr.contains(&told), "{}", next.stderr);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
        let copies = format!("../copies{}", file.len());
        s.comm(&format!("worktree remove ada --keep kept{} --keep-ignored {copies}", file.len())).succeeds();
    }
}

#[test]
fn a_folder_whose_link_git_did_not_finish_is_made_anew() {
    for text in ["", "gitdir: ", "gitdir: /nowhere/.git/worktrees/ada\n"] {
        let s = hooked();
        never_finished(&s, "ada");
        write(&place(&s, "ada").join(".git"), text);
        s.comm("worktree add ada").succeeds();
        assert!(place(&s, "ada").join("README").exists());
    }
    // With anything beside it, it is somebody's.
    let s = hooked();
    never_finished(&s, "ada");
    write(&place(&s, "ada").join(".git"), "");
    write(&place(&s, "ada").join("file"), "x");
    s.comm("worktree add ada").exits(1);
    assert!(place(&s, "ada").join("file").exists());
}

/// A note of an addition whose process died at its very end.
fn never_finished(s: &Sandbox, name: &str) {
    let base = s.git("rev-parse main").stdout;
    let note = serde_json::json!({
        "path": place(s, name), "branch": name, "base": base.trim(), "makes_parent": false,
    });
    write(&s.repo().join(".git/comm-node/adding/0123456789abcdef"), &note.to_string());
}

#[test]
fn undoing_an_addition_can_be_killed_at_any_deletion() {
    if !has_tool("strace", &["-V"]) {
        return;
    }
    const CALLS: &str = "unlink,unlinkat,rmdir,rename";
    for step in (1..).step_by(rounds(2, 1)) {
        let s = hooked();
        s.comm("worktree add ada").succeeds();
        never_finished(&s, "ada");
        let inject = format!("inject={CALLS}:signal=KILL:when={step}");
        let mut command = s.bare_command("strace", s.repo());
        command.args(["-o", "/dev/null", "-e", &format!("trace={CALLS}"), "-e", &inject]);
        let ended = command.arg(program()).args(["worktree", "prune"]).output().unwrap().status;
        let what = format!("killed at deletion {step}");
        let again = s.comm("worktree add ada");
        assert_eq!(again.code, 0, "{what}: {}", again.stderr);
        s.comm("worktree remove ada").succeeds();
        assert_absent(&s, "ada");
        if ended.success() {
            assert!(step > 10, "only {step} deletions");
            return;
        }
    }
}

#[test]
fn what_only_the_git_directory_of_a_moved_folder_has_is_not_undone() {
    for (words, why) in [
        ("-c user.name=a -c user.email=a@b commit -q --no-verify -m work", "it holds commits"),
        ("rm -q --cached README", "its index holds what no commit does"),
    ] {
        let s = hooked();
        s.comm("worktree add ada").succeeds();
        never_finished(&s, "ada");
        let moved = s.root().join("moved");
        std::fs::rename(place(&s, "ada"), &moved).unwrap();
        write(&moved.join("new"), "staged\n");
        git(&s, &moved, "add new").succeeds();
        git(&s, &moved, "checkout -q --detach").succeeds();
        git(&s, &moved, words).succeeds();
        let told = s.comm("worktree add bob").succeeds().stderr;
        assert!(told.contains("was never finished and is left as it is") && told.contains(why), "{told}");
        s.git("gc -q --prune=now").succeeds();
        assert_eq!(git(&s, &moved, "show :new").succeeds().stdout, "staged\n");
        s.git("worktree repair ../moved").succeeds();
        s.git("fsck --strict --no-dangling").succeeds();
    }
}

#[test]
fn a_worktree_that_cannot_be_opened_stops_nobody() {
    let s = hooked();
    for words in ["ada", "bob --branch bobs", "cy"] {
        s.comm(&format!("worktree add {words}")).succeeds();
    }
    write(&s.repo().join(".git/worktrees/cy/config.worktree"), "[core\n");
    s.comm("worktree remove bobs").succeeds();
    assert_absent(&s, "bob");
    never_finished(&s, "ada");
    s.comm("worktree add dan").succeeds();
    s.comm("worktree add ada").succeeds();
    // Nor does one that cannot be undone.
    never_finished(&s, "cy");
    let told = s.comm("worktree add eve").succeeds().stderr;
    assert!(told.contains("cy` was never finished and is left as it is: it cannot be read"), "{told}");
    assert!(place(&s, "cy").join("README").exists());
}

#[test]
fn a_link_in_the_place_of_a_file_is_somebodys() {
    let s = hooked();
    s.comm("worktree add ada").succeeds();
    never_finished(&s, "ada");
    write(&s.root().join("elsewhere"), "hel");
    let link = place(&s, "ada").join("README");
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(s.root().join("elsewhere"), &link).unwrap();
    let told = s.comm("worktree add bob").succeeds().stderr;
    assert!(told.contains("left as it is: `README` was changed there"), "{told}");
    assert!(link.is_symlink());
}

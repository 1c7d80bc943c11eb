//! The windows in which git's own housekeeping could undo an exclusion or a
//! record, held open by stopping processes at the system call in question.

use std::process::Command;

use serde_json::Value;

use crate::support::hold::Held;
use crate::support::race::Halted;
use crate::support::{Run, Sandbox, split};
use crate::worktrees::{git, hooked, place, write};

fn agent(s: &Sandbox, name: &str, words: &str) -> Command {
    let mut command = s.agent_command(name);
    command.args(split(words));
    command
}

fn run(mut command: Command) -> Run {
    Run::of(&command.output().unwrap(), &format!("{command:?}"))
}

/// What lies in `packed-refs` when the window opens.
#[derive(Clone, Copy)]
enum Packed {
    Nothing,
    AnOlderVersion,
}

/// What happens to the directory that git's packing leaves empty.
#[derive(Clone, Copy)]
enum Directory {
    Vanishes,
    IsTouched,
}

const WINDOWS: [(Packed, Directory); 4] = [
    (Packed::Nothing, Directory::Vanishes),
    (Packed::Nothing, Directory::IsTouched),
    (Packed::AnOlderVersion, Directory::Vanishes),
    (Packed::AnOlderVersion, Directory::IsTouched),
];

/// Holds `words` when it is about to take the lock on the task's ref, lets
/// `rival` move the ref and git pack and prune it, then lets it go on. None
/// where processes cannot be held.
fn in_the_pack_refs_window(
    s: &Sandbox,
    id: &str,
    words: &str,
    (packed, directory): (Packed, Directory),
    rival: impl FnOnce() -> Command,
) -> Option<Run> {
    s.add("--id other 'Makes the directory'");
    if let Packed::AnOlderVersion = packed {
        s.git("pack-refs --all --prune").succeeds();
    }
    let rival = rival();
    let path = s.common_dir().join(format!("refs/comm-node/tasks/{id}"));
    let lock = format!("{}.lock", path.display());
    let held = Held::at(s, "linkat", &[&lock], &agent(s, "ada", words))?;
    run(rival).succeeds();
    s.git("pack-refs --all --prune").succeeds();
    assert!(!path.exists() && !path.parent().unwrap().exists(), "git did not prune");
    if let Directory::IsTouched = directory {
        s.git("update-ref refs/comm-node/tasks/touched HEAD").succeeds();
    }
    Some(held.go_on())
}

#[test]
fn a_claim_does_not_overwrite_one_that_was_packed_before_it_had_the_lock() {
    for window in WINDOWS {
        let s = Sandbox::new();
        let id = s.add("'Wanted by two'");
        let (nonce, rival) = s.plain_claim(&id, "rival");
        let Some(run) = in_the_pack_refs_window(&s, &id, &format!("claim {id}"), window, || rival) else {
            return;
        };
        let refused = run.exits(1);
        assert!(refused.stderr.contains("is held by rival"), "{}", refused.stderr);
        assert_eq!(s.grants(&id), [nonce]);
    }
}

#[test]
fn a_new_task_does_not_overwrite_one_that_was_packed_before_it_had_the_lock() {
    for window in WINDOWS {
        let s = Sandbox::new();
        let other = s.add("'A model for the rival'");
        let rival = || {
            let mut record: Value = s.chain(&other).remove(0);
            record["id"] = "twice".into();
            s.plain_version("tasks/twice", record, &"ab".repeat(16))
        };
        let words = "add --id twice 'Made by two'";
        let Some(run) = in_the_pack_refs_window(&s, "twice", words, window, rival) else { return };
        run.exits(1);
        let chain = s.chain("twice");
        assert_eq!(chain.len(), 1);
        assert_eq!(chain[0]["nonce"], "ab".repeat(16));
    }
}

#[test]
fn a_claim_survives_a_prune_that_chose_its_object_before_the_ref_moved() {
    let s = Sandbox::new();
    let id = s.add("'Nearly pruned'");
    let claim = Halted::before_swap(&s, agent(&s, "ada", &format!("claim {id}")));
    let version = claim.version.clone();
    let mut prune = s.bare_command("git", s.repo());
    prune.args(["prune", "--expire=now"]);
    // As git names it in the repository's folder.
    let object = format!(".git/{}", Sandbox::loose(&version));
    let Some(prune) = Held::at(&s, "unlink,unlinkat", &[&object], &prune) else { return };
    claim.go_on().succeeds();
    assert_eq!(s.git(&format!("rev-parse refs/comm-node/tasks/{id}")).succeeds().stdout.trim(), version);
    prune.go_on().succeeds();
    assert!(!s.has_loose(&version), "git did not remove the object");
    assert_eq!(s.task(&id)["claim"]["agent"], "ada");
    s.git("fsck --strict").succeeds();
    assert_eq!(s.grants(&id).len(), 1);
    s.as_agent("ada", &format!("close {id}")).succeeds();
}

#[test]
fn a_claim_whose_object_was_pruned_before_the_ref_moved_brings_it_back() {
    for s in Sandbox::of_each_ref_format() {
        let id = s.add("'Pruned early'");
        let claim = Halted::before_swap(&s, agent(&s, "ada", &format!("claim {id}")));
        s.git("prune --expire=now").succeeds();
        assert!(!s.has_loose(&claim.version), "git did not remove the object");
        claim.go_on().succeeds();
        s.git("fsck --strict").succeeds();
        assert_eq!(s.grants(&id).len(), 1);
    }
}

#[test]
fn versions_pruned_beneath_newer_ones_come_back_with_the_first_that_is_missed() {
    let s = Sandbox::new();
    let id = s.add("'Pruned in the middle'");
    let claim = Halted::before_swap(&s, agent(&s, "ada", &format!("claim {id}")));
    let version = claim.version.clone();
    let mut prune = s.bare_command("git", s.repo());
    prune.args(["prune", "--expire=now"]);
    let object = format!(".git/{}", Sandbox::loose(&version));
    let Some(prune) = Held::at(&s, "unlink,unlinkat", &[&object], &prune) else { return };
    claim.go_on().succeeds();
    for verb in ["renew", "renew", "close"] {
        s.as_agent("ada", &format!("{verb} {id}")).succeeds();
    }
    prune.go_on().succeeds();
    // The newest version goes the same way, if it did not just now.
    let tip = s.git(&format!("rev-parse refs/comm-node/tasks/{id}")).succeeds().stdout;
    let _ = std::fs::remove_file(s.common_dir().join(Sandbox::loose(tip.trim())));
    assert!(!s.has_loose(&version), "git did not remove the object");
    assert_eq!(s.task(&id)["state"], "done");
    s.git("fsck --strict").succeeds();
    assert_eq!(s.chain(&id).len(), 5);
}

#[test]
fn a_directory_that_gc_removes_under_a_new_object_is_made_again() {
    let s = Sandbox::new();
    let id = s.add("'Written while git tidies up'");
    // The empty tree lies in a pack now: it is written once more.
    s.git("gc -q").succeeds();
    let tree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
    assert!(!s.has_loose(tree));
    let dir = s.common_dir().join("objects/4b");
    let command = agent(&s, "ada", &format!("claim {id}"));
    let Some(claim) = Held::at(&s, "openat", &[dir.to_str().unwrap()], &command) else { return };
    assert!(s.has_loose(tree), "held before it was written");
    s.git("prune-packed -q").succeeds();
    assert!(!dir.exists(), "git did not remove the directory");
    claim.go_on().succeeds();
    assert_eq!(s.grants(&id).len(), 1);
    s.git("fsck --strict").succeeds();
}

#[test]
fn what_a_removal_keeps_survives_a_prune_that_looked_around_before() {
    let s = hooked();
    s.comm("worktree add ada").succeeds();
    let inside = place(&s, "ada");
    let me = "-c user.name=a -c user.email=a@b";
    git(&s, &inside, &format!("{me} commit -q --no-verify --allow-empty -m lost")).succeeds();
    let lost = git(&s, &inside, "rev-parse HEAD").stdout;
    git(&s, &inside, "reset -q --hard main").succeeds();
    write(&inside.join("new"), "precious\n");
    // What prune deletes first, before it comes to anything else.
    let first = (0..)
        .map(|n| format!("garbage {n}"))
        .find(|text| s.git_with(&["hash-object", "--stdin"], text.as_bytes()).starts_with("00"))
        .unwrap();
    let first = s.git_with(&["hash-object", "-w", "--stdin"], first.as_bytes());
    let mut prune = s.bare_command("git", s.repo());
    prune.args(["prune", "--expire=now"]);
    let object = format!(".git/{}", Sandbox::loose(&first));
    let Some(prune) = Held::at(&s, "unlink,unlinkat", &[&object], &prune) else { return };
    s.comm("worktree remove ada --keep kept").succeeds();
    prune.go_on().succeeds();
    assert!(!s.has_loose(&first), "git did not prune");
    assert_eq!(s.git("show kept:new").succeeds().stdout, "precious\n");
    assert!(s.git("rev-list refs/comm-kept/ada").succeeds().stdout.contains(lost.trim()));
    s.git("fsck --strict --no-dangling").succeeds();
    s.git("gc -q --prune=now").succeeds();
}

//! Worktrees: removed and pruned without losing work.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::{Run, Sandbox, rounds};
use crate::worktrees::{assert_absent, comm_in, git, hooked, place, write};

#[test]
fn removal_refuses_to_lose_work_and_keeps_it_where_told() {
    let s = hooked();
    let id = s.add("one");
    s.comm(&format!("worktree add ada --agent ada --task {id}")).succeeds();
    let inside = place(&s, "ada");
    write(&inside.join("README"), "staged\n");
    git(&s, &inside, "add README").succeeds();
    write(&inside.join("README"), "unstaged\n");
    write(&inside.join("dir/new"), "untracked\n");
    let refused = s.comm("worktree remove ada").exits(1);
    for what in ["1 staged file", "1 unstaged file", "1 untracked file"] {
        assert!(refused.stderr.contains(what), "{}", refused.stderr);
    }
    assert!(!refused.stderr.contains("--force"), "{}", refused.stderr);
    s.comm("worktree remove ada --keep main").exits(1);
    s.comm("worktree remove ada --keep 'a b'").exits(129);
    let removed = s.comm("worktree remove ada --keep wip --json").succeeds().json();
    assert_eq!(removed["worktree"]["kept"], "wip");
    assert_eq!(removed["worktree"]["released"][0], id.as_str());
    assert_absent(&s, "ada");
    assert_eq!(s.task(&id)["state"], "open");
    assert_eq!(s.git("show wip:README").stdout, "unstaged\n");
    assert_eq!(s.git("show wip^2:README").stdout, "staged\n");
    assert_eq!(s.git("show wip:dir/new").stdout, "untracked\n");
    // What was kept can be taken up again.
    s.git("stash apply -q --index wip").succeeds();
    assert_eq!(std::fs::read_to_string(s.repo().join("README")).unwrap(), "unstaged\n");
}

#[test]
fn commits_that_nothing_else_holds_stay() {
    let s = hooked();
    for name in ["ada", "loose", "twin"] {
        s.comm(&format!("worktree add {name}")).succeeds();
    }
    let commit = |name: &str| {
        git(
            &s,
            &place(&s, name),
            &format!("-c user.name=a -c user.email=a@b commit -q --no-verify --allow-empty -m {name}"),
        )
        .succeeds();
        git(&s, &place(&s, name), "rev-parse HEAD").stdout.trim().to_owned()
    };
    let tip = commit("ada");
    let refused = s.comm("worktree remove ada").exits(1);
    assert!(
        refused.stderr.contains("1 commit of `ada` on no other branch and no remote"),
        "{}",
        refused.stderr
    );
    git(&s, &place(&s, "twin"), &format!("reset -q --hard {tip}")).succeeds();
    let removed = s.comm("worktree remove ada --json").succeeds().json();
    assert_eq!(removed["worktree"]["branch_deleted"], false, "another branch has it, but the trunk does not");
    assert_eq!(s.git("rev-parse ada").stdout.trim(), tip);
    git(&s, &place(&s, "loose"), "checkout -q --detach").succeeds();
    let tip = commit("loose");
    s.comm("worktree remove loose").exits(1);
    s.comm("worktree remove loose --keep found").succeeds();
    assert_eq!(s.git("rev-parse found").stdout.trim(), tip);
}

#[test]
fn what_is_under_way_or_hidden_stays() {
    let s = hooked();
    s.comm("worktree add ada").succeeds();
    let inside = place(&s, "ada");
    let me = "-c user.name=a -c user.email=a@b -c core.hooksPath=/dev/null";
    // Told not to look.
    git(&s, &inside, "update-index --assume-unchanged README").succeeds();
    write(&inside.join("README"), "hidden\n");
    s.git("config status.showUntrackedFiles no").succeeds();
    assert!(s.comm("worktree remove ada").exits(1).stderr.contains("1 unstaged file"));
    s.comm("worktree remove ada --keep hidden").succeeds();
    assert_eq!(s.git("show hidden:README").stdout, "hidden\n");
    // A repository inside.
    s.comm("worktree add ada").succeeds();
    git(&s, &inside, "init -q inner").succeeds();
    let refused = s.comm("worktree remove ada --keep inner").exits(1);
    assert!(refused.stderr.contains("`inner/` is a repository"), "{}", refused.stderr);
    std::fs::remove_dir_all(inside.join("inner")).unwrap();
    // A merge with conflicts.
    write(&inside.join("README"), "ours\n");
    git(&s, &inside, &format!("{me} commit -q -a -m ours")).succeeds();
    write(&s.repo().join("README"), "theirs\n");
    s.git("commit -q --no-verify -a -m theirs").succeeds();
    assert_ne!(git(&s, &inside, &format!("{me} merge main")).code, 0);
    let refused = s.comm("worktree remove ada --keep merged").exits(1);
    assert!(refused.stderr.contains("a merge is under way"), "{}", refused.stderr);
    git(&s, &inside, "merge --abort").succeeds();
    s.git("worktree lock --reason 'on a stick' ../repo.worktrees/ada").succeeds();
    assert!(s.comm("worktree remove ada --keep it").exits(1).stderr.contains("it is locked: on a stick"));
    assert!(inside.join("README").exists());
}

#[test]
fn an_agent_does_not_remove_the_worktree_that_another_works_in() {
    let s = Sandbox::new();
    let id = s.add("one");
    s.comm(&format!("worktree add ada --agent ada --task {id}")).succeeds();
    let refused = s.as_agent("bob", "worktree remove ada").exits(5);
    assert!(refused.stderr.contains("git comm msg send --to ada"), "{}", refused.stderr);
    s.as_agent("ada", "worktree remove ada").succeeds();
    assert_eq!(s.task(&id)["state"], "open");
}

#[test]
fn submodules_keep_their_commits() {
    let s = hooked();
    s.git("init -q -b main ../lib").succeeds();
    let lib = s.root().join("lib");
    let me = "-c user.name=a -c user.email=a@b -c protocol.file.allow=always";
    git(&s, &lib, &format!("{me} commit -q --allow-empty -m lib")).succeeds();
    s.git("-c protocol.file.allow=always submodule add -q ../lib lib").succeeds();
    s.git("commit -q --no-verify -m lib").succeeds();
    s.comm("worktree add ada").succeeds();
    s.comm("worktree add bob").succeeds();
    s.comm("worktree remove bob").succeeds();
    let inside = place(&s, "ada");
    git(&s, &inside, &format!("{me} submodule update -q --init")).succeeds();
    // Uncommitted in it, then committed in it.
    write(&inside.join("lib/file"), "x");
    assert!(s.comm("worktree remove ada --keep it").exits(1).stderr.contains("`lib` is a repository"));
    git(&s, &inside.join("lib"), "add file").succeeds();
    git(&s, &inside.join("lib"), &format!("{me} commit -q -m work")).succeeds();
    let refused = s.comm("worktree remove ada --keep it").exits(1);
    assert!(
        refused.stderr.contains("submodule `lib` holds commits that are on no remote"),
        "{}",
        refused.stderr
    );
    git(&s, &inside.join("lib"), &format!("{me} push -q origin HEAD:refs/heads/work")).succeeds();
    s.comm("worktree remove ada --keep it").succeeds();
    assert!(!inside.exists());
    assert!(s.git("ls-tree it lib").stdout.starts_with("160000 commit "));
}

#[test]
fn prune_takes_only_what_is_finished() {
    let s = hooked();
    let ids: Vec<String> =
        ["done", "open", "dirty", "unmerged", "gone", "staged"].iter().map(|t| s.add(t)).collect();
    for (id, name) in ids.iter().zip(["done", "open", "dirty", "unmerged", "gone", "staged"]) {
        s.comm(&format!("worktree add {name} --agent {name} --task {id}")).succeeds();
        if name != "open" {
            comm_in(&s, &place(&s, name), &format!("close {id}")).succeeds();
        }
    }
    s.comm("worktree add unbound").succeeds();
    write(&place(&s, "dirty").join("new"), "x");
    git(&s, &place(&s, "unmerged"), "commit -q --no-verify --allow-empty -m work").succeeds();
    write(&place(&s, "staged").join("README"), "staged\n");
    git(&s, &place(&s, "staged"), "add README").succeeds();
    for name in ["gone", "staged"] {
        std::fs::rename(place(&s, name), s.root().join(format!("moved-{name}"))).unwrap();
    }
    let pruned = s.comm("worktree prune --json").succeeds().json();
    let names = |key: &str| -> BTreeSet<String> {
        let list = pruned[key].as_array().unwrap();
        list.iter().map(|w| w["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("removed"), BTreeSet::from(["done".into(), "gone".into()]), "{pruned}");
    let reasons: Vec<String> = pruned["left"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| format!("{} {}", w["name"], w["reasons"]))
        .collect();
    let expected = [
        ("dirty", "1 untracked file"),
        ("open", "open holds"),
        ("staged", "its index holds what no commit does"),
        ("unbound", "it is bound to no task"),
        ("unmerged", "1 commit of `unmerged` on no remote and not on the trunk"),
    ];
    for (reason, (name, what)) in reasons.iter().zip(expected) {
        assert!(reason.contains(name) && reason.contains(what), "{reason}");
    }
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    // A folder that was moved is taken up again, and is whole.
    s.git("worktree repair ../moved-staged").succeeds();
    assert_eq!(git(&s, &s.root().join("moved-staged"), "show :README").stdout, "staged\n");
    s.git("merge -q unmerged").succeeds();
    let pruned = s.comm("worktree prune").succeeds().stdout;
    assert!(pruned.contains("removed unmerged; its branch held nothing of its own"), "{pruned}");
}

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// The blobs that exist uncommitted or committed in the folder of a worktree:
/// of its files, and of its index.
fn content_of(s: &Sandbox, dir: &Path) -> BTreeSet<String> {
    let mut blobs = BTreeSet::new();
    for line in git(s, dir, "ls-files -s").succeeds().stdout.lines() {
        blobs.insert(line.split(' ').nth(1).unwrap().to_owned());
    }
    let files = git(s, dir, "ls-files -z --cached --others --exclude-standard").succeeds().stdout;
    for file in files.split('\0').filter(|f| dir.join(f).is_file()) {
        let oid = git(s, dir, &format!("hash-object -- '{file}'")).succeeds().stdout;
        blobs.insert(oid.trim().to_owned());
    }
    blobs
}

/// The blobs in the indexes of all linked worktrees, folder or not.
fn indexed(s: &Sandbox) -> BTreeSet<String> {
    let mut blobs = BTreeSet::new();
    let links = std::fs::read_dir(s.repo().join(".git/worktrees"));
    for link in links.into_iter().flatten().flatten() {
        let mut command = s.bare_command("git", s.repo());
        command.env("GIT_INDEX_FILE", link.path().join("index")).args(["ls-files", "-s"]);
        let listed = Run::of(&command.output().unwrap(), "ls-files").succeeds().stdout;
        blobs.extend(listed.lines().map(|line| line.split(' ').nth(1).unwrap().to_owned()));
    }
    blobs
}

/// Whatever is done with worktrees, in whatever order: no content that was in
/// one is ever lost.
#[test]
fn no_sequence_of_verbs_and_edits_loses_content() {
    for seed in 0..rounds(5, 30) {
        let s = hooked();
        let mut numbers = Numbers(0x9e37_79b9 + seed as u64);
        let mut told = Vec::new();
        // What was in a folder, and in its index, when it was moved away.
        let mut away: Vec<BTreeSet<String>> = Vec::new();
        let mut moved_files = BTreeSet::new();
        let mut fresh = 0;
        let names = ["a", "b"];
        for _ in 0..rounds(40, 60) {
            let name = names[numbers.below(names.len())];
            let dir = place(&s, name);
            let is_there = dir.join(".git").exists();
            let before: Vec<(PathBuf, BTreeSet<String>)> = names
                .iter()
                .map(|n| place(&s, n))
                .filter(|d| d.join(".git").exists())
                .map(|d| (d.clone(), content_of(&s, &d)))
                .collect();
            fresh += 1;
            let me = "-c user.name=a -c user.email=a@b";
            let file = ["README", "f0"][numbers.below(2)];
            let step = match numbers.below(24) {
                n if !is_there && n < 12 => {
                    // Half of them are for a task that is finished at once,
                    // so that prune may take them.
                    let id = s.add(&format!("t{fresh}"));
                    if n < 6 {
                        format!("worktree add {name} --branch {name}{fresh}")
                    } else {
                        s.comm(&format!("cancel {id}")).succeeds();
                        format!("worktree add {name} --branch {name}{fresh} --agent {name} --bind {id}")
                    }
                }
                0..=8 if is_there => {
                    write(&dir.join(file), &format!("{seed} {fresh}"));
                    "edit".into()
                }
                9..=12 if is_there => "git add -A".into(),
                13 if is_there => format!("git {me} commit -q --no-verify -a -m {fresh}"),
                14 if is_there => "git checkout -q --detach".into(),
                15 if is_there => {
                    let moved = s.root().join(format!("moved{fresh}"));
                    away.push(content_of(&s, &dir));
                    for file in ["README", "f0"].iter().filter(|f| dir.join(f).is_file()) {
                        let oid = git(&s, &dir, &format!("hash-object {file}")).succeeds().stdout;
                        moved_files.insert(oid.trim().to_owned());
                    }
                    std::fs::rename(&dir, &moved).unwrap();
                    "moved away".into()
                }
                16 => "git merge".into(),
                17 | 18 => format!("worktree remove {name}"),
                19..=21 => format!("worktree remove {name} --keep kept{fresh}"),
                _ => "worktree prune".into(),
            };
            told.push(format!("{name}: {step}"));
            let run = match step.strip_prefix("git ") {
                // The person takes the work into the trunk.
                Some("merge") => {
                    let branches = s.git("for-each-ref --format=%(refname) refs/heads").stdout;
                    for branch in branches.lines().filter(|b| *b != "refs/heads/main") {
                        let _ = s.git(&format!("merge -q -s ours --no-edit {branch}"));
                    }
                    None
                }
                Some(words) => Some(git(&s, &dir, words)),
                None if step.contains("--bind") => {
                    let (words, id) = step.split_once(" --bind ").unwrap();
                    let run = s.comm(words);
                    if run.code == 0 {
                        git(&s, &dir, &format!("config --worktree comm.task {id}")).succeeds();
                    }
                    Some(run)
                }
                None if step.starts_with("worktree") => Some(s.comm(&step)),
                None => None,
            };
            if let Some(run) = &run {
                assert!([0, 1, 4, 128].contains(&run.code), "{told:?}\n{}", run.stderr);
            }
            let by_ref = s.git("rev-list --objects --all").succeeds().stdout;
            let by_ref: BTreeSet<&str> = by_ref.lines().map(|l| l.split(' ').next().unwrap()).collect();
            let indexed = indexed(&s);
            for blobs in &away {
                let is_safe = |b: &String| {
                    by_ref.contains(b.as_str()) || indexed.contains(b) || moved_files.contains(b)
                };
                assert!(
                    blobs.iter().all(is_safe),
                    "seed {seed}: lost of a moved folder\n{}",
                    told.join("\n")
                );
            }
            for (dir, blobs) in before.iter().filter(|(d, _)| !d.exists() && step != "moved away") {
                let lost: Vec<&String> = blobs.iter().filter(|b| !by_ref.contains(b.as_str())).collect();
                assert!(lost.is_empty(), "seed {seed}: {} lost {lost:?}\n{}", dir.display(), told.join("\n"));
            }
        }
        s.git("fsck --strict --no-dangling").succeeds();
    }
}

#[test]
fn a_worktree_that_another_lies_in_stays_even_where_that_is_ignored() {
    let s = Sandbox::new();
    std::fs::write(s.repo().join(".gitignore"), "inner/\n").unwrap();
    s.git("add .gitignore").succeeds();
    s.git("commit -q -m ignore").succeeds();
    let outer = s.root().join("outer");
    s.comm(&format!("worktree add outer --path {}", outer.display())).succeeds();
    let inner = outer.join("inner/nested");
    s.comm(&format!("worktree add nested --path {}", inner.display())).succeeds();
    std::fs::write(inner.join("unsaved"), "work").unwrap();
    let refused = s.comm("worktree remove outer").exits(1);
    assert!(refused.stderr.contains("the worktree `nested` lies in it"), "{}", refused.stderr);
    s.comm("worktree prune").succeeds();
    assert!(inner.join("unsaved").exists());
}

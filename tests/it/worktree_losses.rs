//! Worktrees: removed and pruned without losing work.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::{Run, Sandbox, rounds};
use crate::worktree_kept::ignoring;
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
    // As a git leaves it that was killed.
    let lock = s.repo().join(".git/worktrees/ada/index.lock");
    write(&lock, "");
    let locked = s.comm("worktree remove ada --keep wip").exits(3).stderr;
    assert!(locked.contains("worktrees/ada/index.lock` is locked"), "{locked}");
    s.git("rev-parse -q --verify wip").exits(1);
    std::fs::remove_file(lock).unwrap();
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

/// What is in the folder of a worktree and in its git directory.
struct Content {
    /// The blobs of its files and of its index, and the commits that its
    /// reflog and its own refs name.
    objects: BTreeSet<String>,
    /// The content of the files that git ignores and nothing makes again.
    ignored: BTreeSet<String>,
    /// The commits of a repository in it that no remote has.
    inner: String,
}

/// The ids of more than zeros that a text has.
fn oids(text: &str) -> impl Iterator<Item = String> {
    let words = text.split_ascii_whitespace().filter(|w| w.len() == 40 && w.bytes().any(|b| b != b'0'));
    words.filter(|w| w.bytes().all(|b| b.is_ascii_hexdigit())).map(str::to_owned)
}

/// What the git directory of a linked worktree names.
fn named_by(s: &Sandbox, git_dir: &Path) -> BTreeSet<String> {
    let run = |args: &[&str]| {
        let mut command = s.bare_command("git", s.repo());
        command.env("GIT_INDEX_FILE", git_dir.join("index")).arg("--git-dir").arg(git_dir).args(args);
        Run::of(&command.output().unwrap(), &args.join(" ")).succeeds().stdout
    };
    let mut named: BTreeSet<String> = oids(&run(&["ls-files", "-s"])).collect();
    named.extend(oids(&run(&["for-each-ref", "--format=%(objectname)", "refs/worktree"])));
    for file in ["logs/HEAD", "ORIG_HEAD"] {
        named.extend(oids(&std::fs::read_to_string(git_dir.join(file)).unwrap_or_default()));
    }
    named
}

fn content_of(s: &Sandbox, dir: &Path) -> Content {
    let git_dir = git(s, dir, "rev-parse --absolute-git-dir").succeeds().stdout;
    let mut objects = named_by(s, Path::new(git_dir.trim()));
    let files = git(s, dir, "ls-files -z --cached --others --exclude-standard").succeeds().stdout;
    for file in files.split('\0').filter(|f| dir.join(f).is_file()) {
        let oid = git(s, dir, &format!("hash-object -- '{file}'")).succeeds().stdout;
        objects.insert(oid.trim().to_owned());
    }
    let ignored = std::fs::read_to_string(dir.join(".env")).into_iter().collect();
    let vendor = dir.join("vendor/lib");
    let inner = if vendor.is_dir() {
        git(s, &vendor, "rev-list --all --not --remotes").succeeds().stdout
    } else {
        String::new()
    };
    Content { objects, ignored, inner }
}

/// What the git directories of all linked worktrees name, folder or not.
fn named(s: &Sandbox) -> BTreeSet<String> {
    let links = std::fs::read_dir(s.repo().join(".git/worktrees"));
    links.into_iter().flatten().flatten().flat_map(|link| named_by(s, &link.path())).collect()
}

/// One step at random: what is typed, or what was done already.
fn step(s: &Sandbox, name: &str, fresh: &str, numbers: &mut Numbers) -> String {
    let dir = place(s, name);
    let is_there = dir.join(".git").exists();
    let me = "-c user.name=a -c user.email=a@b";
    let file = ["README", "f0"][numbers.below(2)];
    match numbers.below(44) {
        n if !is_there && n < 24 => {
            // Half of them are for a task that is finished at once, so that
            // prune may take them.
            let id = s.add(&format!("t{fresh}"));
            if n < 12 {
                return format!("worktree add {name} --branch {name}{fresh}");
            }
            s.comm(&format!("cancel {id}")).succeeds();
            format!("worktree add {name} --branch {name}{fresh} --agent {name} --bind {id}")
        }
        0..=4 if is_there => {
            write(&dir.join(file), fresh);
            "edit".into()
        }
        5..=7 if is_there => "git add -A".into(),
        8 | 9 if is_there => format!("git {me} commit -q --no-verify --allow-empty -a -m {fresh}"),
        10..=12 if is_there => format!("git {me} commit -q --no-verify --allow-empty --amend -m {fresh}"),
        13 | 14 if is_there => "git reset -q --hard main".into(),
        15 if is_there => "git checkout -q --detach".into(),
        16 if is_there => {
            let made = git(s, &dir, &format!("{me} commit-tree -m {fresh} HEAD^{{tree}}")).succeeds().stdout;
            format!("git update-ref refs/worktree/w {}", made.trim())
        }
        17..=19 if is_there => {
            write(&dir.join(".env"), fresh);
            "ignored file".into()
        }
        20 if is_there => {
            write(&dir.join("target/debug/made"), fresh);
            "build".into()
        }
        21 | 22 if is_there && dir.join("vendor").exists() => {
            std::fs::remove_dir_all(dir.join("vendor")).unwrap();
            "repository inside deleted".into()
        }
        21 if is_there => {
            git(s, &dir, "clone -q . vendor/lib").succeeds();
            let words = format!("{me} commit -q --allow-empty -m {fresh}");
            git(s, &dir.join("vendor/lib"), &words).succeeds();
            "repository inside".into()
        }
        23 if is_there => "moved away".into(),
        24 | 25 => "merge".into(),
        26..=29 => format!("worktree remove {name}"),
        30 | 31 => format!("worktree remove {name} --keep kept{fresh}"),
        32..=36 => format!("worktree remove {name} --keep kept{fresh} --keep-ignored ../copies/{fresh}"),
        37 => format!("worktree remove {name} --keep kept{fresh} --drop-ignored"),
        _ => "worktree prune".into(),
    }
}

/// Whatever is done with worktrees, in whatever order: no content that was in
/// one is ever lost.
#[test]
fn no_sequence_of_verbs_and_edits_loses_content() {
    for seed in 0..rounds(5, 30) {
        let s = ignoring(".env\nvendor/\ntarget/\n");
        let mut numbers = Numbers(0x9e37_79b9 + seed as u64);
        let mut told = Vec::new();
        // What was in a folder, and in its git directory, when it was moved
        // away.
        let mut away: Vec<BTreeSet<String>> = Vec::new();
        let mut moved_files = BTreeSet::new();
        let names = ["a", "b"];
        for fresh in 0..rounds(50, 60) {
            let name = names[numbers.below(names.len())];
            let fresh = format!("{seed}-{fresh}");
            let dir = place(&s, name);
            let step = step(&s, name, &fresh, &mut numbers);
            told.push(format!("{name}: {step}"));
            let there = names.iter().map(|n| place(&s, n)).filter(|d| d.join(".git").exists());
            let before: Vec<(PathBuf, Content)> = there.map(|d| (d.clone(), content_of(&s, &d))).collect();
            let run = match step.as_str() {
                // The person takes the work into the trunk.
                "merge" => {
                    let branches = s.git("for-each-ref --format=%(refname) refs/heads").stdout;
                    for branch in branches.lines().filter(|b| *b != "refs/heads/main") {
                        let _ = s.git(&format!("merge -q -s ours --no-edit {branch}"));
                    }
                    None
                }
                "moved away" => {
                    away.push(content_of(&s, &dir).objects);
                    for file in ["README", "f0", ".gitignore"].iter().filter(|f| dir.join(f).is_file()) {
                        let oid = git(&s, &dir, &format!("hash-object {file}")).succeeds().stdout;
                        moved_files.insert(oid.trim().to_owned());
                    }
                    std::fs::rename(&dir, s.root().join(format!("moved{fresh}"))).unwrap();
                    None
                }
                typed => match (typed.split_once(" --bind "), typed.strip_prefix("git ")) {
                    (Some((words, id)), _) => {
                        let run = s.comm(words);
                        if run.code == 0 {
                            git(&s, &dir, &format!("config --worktree comm.task {id}")).succeeds();
                        }
                        Some(run)
                    }
                    (None, Some(words)) => Some(git(&s, &dir, words)),
                    (None, None) if typed.starts_with("worktree") => Some(s.comm(typed)),
                    (None, None) => None,
                },
            };
            if let Some(run) = &run {
                assert!([0, 1, 4, 128].contains(&run.code), "{told:?}\n{}", run.stderr);
            }
            let by_ref = s.git("rev-list --objects --all").succeeds().stdout;
            let by_ref: BTreeSet<&str> = by_ref.lines().map(|l| l.split(' ').next().unwrap()).collect();
            let named = named(&s);
            let told = || format!("seed {seed}: {}", told.join("\n"));
            for objects in &away {
                let is_safe = |oid: &String| {
                    by_ref.contains(oid.as_str()) || named.contains(oid) || moved_files.contains(oid)
                };
                assert!(objects.iter().all(is_safe), "lost of a moved folder\n{}", told());
            }
            for (dir, content) in before.iter().filter(|(d, _)| !d.exists() && step != "moved away") {
                let is_lost = |oid: &&String| !by_ref.contains(oid.as_str());
                let lost: Vec<&String> = content.objects.iter().filter(is_lost).collect();
                assert!(lost.is_empty(), "{} lost {lost:?}\n{}", dir.display(), told());
                assert_eq!(content.inner, "", "{}", told());
                let copy = std::fs::read_to_string(s.root().join("copies").join(&fresh).join(".env"));
                let copied: BTreeSet<String> = copy.into_iter().collect();
                let is_fine = content.ignored == copied || step.contains("--drop-ignored");
                assert!(is_fine, "{:?} is lost\n{}", content.ignored, told());
            }
        }
        s.git("fsck --strict --no-dangling").succeeds();
    }
}

#[test]
fn nobody_prunes_the_ground_from_under_its_own_feet() {
    let s = hooked();
    let id = s.add("one");
    s.comm(&format!("worktree add ada --agent ada --task {id}")).succeeds();
    let inside = place(&s, "ada");
    comm_in(&s, &inside, &format!("close {id}")).succeeds();
    std::fs::create_dir(inside.join("below")).unwrap();
    let pruned = comm_in(&s, &inside.join("below"), "worktree prune").succeeds().stdout;
    assert!(pruned.contains("ada  you are in it"), "{pruned}");
    assert!(inside.join("README").exists());
    s.comm("worktree prune").succeeds();
    assert_absent(&s, "ada");
}

#[test]
fn a_branch_that_another_worktree_has_or_that_is_the_trunk_stays() {
    let s = hooked();
    s.comm("worktree add ada").succeeds();
    s.git("worktree add -q --force ../twin ada").succeeds();
    let removed = s.comm("worktree remove ada --json").succeeds().json();
    assert_eq!(removed["worktree"]["branch_deleted"], false);
    git(&s, &s.root().join("twin"), "rev-parse --verify ada").succeeds();
    // One that became the trunk when it was made.
    s.git("branch -q -m main other").succeeds();
    s.comm("worktree add bob --branch main --base other").succeeds();
    let removed = s.comm("worktree remove bob --json").succeeds().json();
    assert_eq!(removed["worktree"]["branch_deleted"], false);
    s.git("rev-parse --verify main").succeeds();
}

#[test]
fn what_is_set_for_all_binds_no_worktree() {
    let s = hooked();
    let id = s.add("one");
    s.comm(&format!("cancel {id}")).succeeds();
    s.git("worktree add -q ../mine").succeeds();
    s.git(&format!("config comm.task {id}")).succeeds();
    let pruned = s.comm("worktree prune").succeeds().stdout;
    assert!(pruned.contains("mine  it is bound to no task"), "{pruned}");
    assert!(s.root().join("mine/README").exists());
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

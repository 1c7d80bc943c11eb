//! Worktrees: made whole or not at all, and removed without losing work.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Run, Sandbox, is_full, program, rounds, split};

/// Where worktrees of the sandbox's repository go.
fn place(s: &Sandbox, name: &str) -> PathBuf {
    s.root().join("repo.worktrees").join(name)
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// git in some folder, as its configuration says who commits.
fn git(s: &Sandbox, dir: &Path, words: &str) -> Run {
    let mut command = s.bare_command("git", dir);
    for role in ["AUTHOR", "COMMITTER"] {
        command.env_remove(format!("GIT_{role}_NAME")).env_remove(format!("GIT_{role}_EMAIL"));
    }
    Run::of(&command.args(split(words)).output().unwrap(), &format!("git {words}"))
}

/// The program in some folder.
fn comm_in(s: &Sandbox, dir: &Path, words: &str) -> Run {
    Run::of(&s.bare_command(program(), dir).args(split(words)).output().unwrap(), words)
}

/// The lines of `worktree list`, by name.
fn listed(s: &Sandbox, name: &str) -> Value {
    let all = s.comm("worktree list --json").succeeds().json();
    let found = all["worktrees"].as_array().unwrap().iter().find(|w| w["name"] == name).cloned();
    found.unwrap_or(Value::Null)
}

/// A repository with a file, a board and our hook.
fn hooked() -> Sandbox {
    let s = Sandbox::new();
    write(&s.repo().join("README"), "hello\n");
    s.git("add README").succeeds();
    s.git("commit -q -m readme").succeeds();
    let path = s.repo().join(".git/hooks/pre-commit");
    write(&path, &format!("#!/bin/sh\nexec '{}' hook pre-commit\n", program().display()));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    s
}

/// Nothing of a worktree is left, and the repository is sound.
#[track_caller]
fn assert_absent(s: &Sandbox, name: &str) {
    assert!(!place(s, name).exists(), "{name}: its folder is left");
    assert_eq!(s.git(&format!("branch --list {name}")).stdout, "", "{name}: its branch is left");
    let links = s.repo().join(".git/worktrees").join(name);
    assert!(!links.exists(), "{name}: its git directory is left");
    let notes = s.repo().join(".git/comm-node/adding");
    assert!(!notes.exists() || std::fs::read_dir(notes).unwrap().next().is_none(), "{name}: a note is left");
    s.git("fsck --strict --no-dangling").succeeds();
}

#[test]
fn a_worktree_is_bound_claimed_and_its_hook_fires() {
    let s = hooked();
    write(&s.repo().join("comm.toml"), "[domains.api]\nscope = ['**']\n");
    s.git("add comm.toml").succeeds();
    s.git("commit -q --no-verify -m rules").succeeds();
    s.comm("worktree add ada --agent ada --domain web").exits(4);
    let id = s.add("'Write it'");
    let added =
        s.comm(&format!("worktree add ada --agent ada --domain api --task {id} --json")).succeeds().json();
    let added = &added["worktree"];
    assert_eq!(added["path"], place(&s, "ada").to_str().unwrap());
    for (key, value) in
        [("name", "ada"), ("branch", "ada"), ("agent", "ada"), ("domain", "api"), ("base", "main")]
    {
        assert_eq!(added[key], value, "{key}");
    }
    assert_eq!((&added["task"], &added["hook"]), (&Value::from(id.as_str()), &true.into()));
    let inside = place(&s, "ada");
    assert_eq!(std::fs::read_to_string(inside.join("README")).unwrap(), "hello\n");

    // The session that runs there later holds the claim, and needs no name.
    let who = comm_in(&s, &inside, "whoami --json").succeeds().json();
    assert_eq!((&who["name"], &who["source"]), (&"ada".into(), &"comm.agent".into()));
    assert_eq!(who["session"], added["session"]);
    assert_eq!(who["holds"][0], id.as_str());
    comm_in(&s, &inside, &format!("renew {id}")).succeeds();

    // Commits there are the agent's, not the person's.
    write(&inside.join("new"), "x");
    git(&s, &inside, "add new").succeeds();
    git(&s, &inside, "commit -q -m made").succeeds();
    let author = git(&s, &inside, "log -1 --format='%an %ae'").stdout;
    assert!(author.starts_with("ada ada@") && author.trim().ends_with(".invalid"), "{author}");
    assert_eq!(s.git("config user.name").code, 1, "the main worktree is nobody's");

    let line = listed(&s, "ada");
    assert_eq!((&line["task"], &line["ahead"], &line["behind"]), (&id.as_str().into(), &1.into(), &0.into()));
    assert_eq!(
        (&line["dirty"], &line["missing"], &line["locked"]),
        (&0.into(), &false.into(), &false.into())
    );
    assert!(line["expires_at"].is_string());
}

#[test]
fn a_probe_says_when_no_hook_fires_and_never_commits() {
    let s = hooked();
    let path = s.repo().join(".git/hooks/pre-commit");
    // One that passes, and another that makes the message and the change that
    // a probe lacks.
    write(&path, "#!/bin/sh\necho x > probe-made && git add probe-made\n");
    let message = s.repo().join(".git/hooks/prepare-commit-msg");
    write(&message, "#!/bin/sh\necho message > \"$1\"\n");
    std::fs::set_permissions(&message, std::fs::Permissions::from_mode(0o755)).unwrap();
    let tip = s.git("rev-parse main").stdout;
    let added = s.comm("worktree add one").succeeds().stdout;
    assert!(added.contains("no hook fires: git comm init"), "{added}");
    assert_eq!(git(&s, &place(&s, "one"), "rev-parse HEAD").stdout, tip, "nothing was committed");
    std::fs::remove_file(&path).unwrap();
    let added = s.comm("worktree add two --json").succeeds().json();
    assert_eq!(added["worktree"]["hook"], false);
}

#[test]
fn a_probe_is_no_way_around_the_gate() {
    let s = hooked();
    let answer = s.root().join("answer");
    write(&answer, "");
    write(&s.repo().join("README"), "changed");
    let mut command = s.bare_command("git", s.repo());
    command.env("GIT_COMM_PROBE", &answer).args(["commit", "-q", "-a", "-m", "smuggled"]);
    Run::of(&command.output().unwrap(), "commit").exits(1);
    assert!(std::fs::read_to_string(answer).unwrap().starts_with("pre-commit git-comm "));
}

#[test]
fn agents_bind_no_domain_and_agent_before_the_verb_is_the_caller() {
    let s = Sandbox::new();
    let refused = s.as_agent("bob", "worktree add one --agent ada --domain api").exits(5);
    assert!(refused.stderr.contains("agents bind no domain"), "{}", refused.stderr);
    s.comm("--agent bob worktree add one --agent ada --domain api").exits(5);
    s.comm("--agent=bob worktree add one --domain api").exits(5);
    assert_absent(&s, "one");
    let added = s.comm("--agent bob worktree add one --agent ada --json").succeeds().json();
    assert_eq!(added["worktree"]["agent"], "ada");
    let added = s.as_agent("bob", "worktree add two --json").succeeds().json();
    assert_eq!(added["worktree"]["agent"], "bob", "an agent adds one for itself");
    let refused = comm_in(&s, &place(&s, "one"), "worktree add three --agent eve --domain api").exits(5);
    assert!(refused.stderr.contains("`ada` is an agent"), "{}", refused.stderr);
    s.comm("worktree add bound --domain api").succeeds();
    let inside = git(&s, &place(&s, "bound"), "config --worktree --list").stdout;
    assert!(inside.contains("comm.domain=api") && !inside.contains("comm.agent"), "{inside}");
}

#[test]
fn nothing_of_the_callers_binding_is_handed_on() {
    let s = Sandbox::new();
    s.comm("worktree add ada --agent ada --domain api").succeeds();
    comm_in(&s, &place(&s, "ada"), "worktree add bob --agent bob").succeeds();
    let inside = git(&s, &place(&s, "bob"), "config --worktree --list").stdout;
    assert!(inside.contains("comm.agent=bob") && !inside.contains("comm.domain"), "{inside}");
}

#[test]
fn a_step_that_fails_leaves_nothing() {
    let s = hooked();
    let id = s.add("one");
    s.as_agent("bob", &format!("claim {id}")).succeeds();
    s.comm(&format!("worktree add ada --agent ada --task {id}")).exits(1);
    assert_absent(&s, "ada");
    s.comm("worktree add ada --agent ada --task bd-99").exits(4);
    s.comm("worktree add ada --base nothing").exits(4);
    s.comm("worktree add ada --base=--all").exits(4);
    assert_absent(&s, "ada");
    // A check-out that cannot be finished: its filter fails.
    s.git("config filter.f.clean cat").succeeds();
    s.git("config filter.f.smudge false").succeeds();
    s.git("config filter.f.required true").succeeds();
    write(&s.repo().join(".gitattributes"), "*.f filter=f\n");
    write(&s.repo().join("a.f"), "a");
    s.git("add -A").succeeds();
    s.git("commit -q -m filtered --no-verify").succeeds();
    let free = s.add("two");
    s.comm(&format!("worktree add ada --agent ada --task {free}")).exits(128);
    assert_absent(&s, "ada");
    assert_eq!(s.task(&free)["state"], "open");
    s.git("config filter.f.smudge cat").succeeds();
    s.comm(&format!("worktree add ada --agent ada --task {free}")).succeeds();
}

#[test]
fn names_that_would_not_do_everywhere_are_refused() {
    let s = Sandbox::new();
    for words in [
        "'a b'",
        "-- -x",
        "'a\nb'",
        "A",
        "..",
        "a/b",
        "a.lock",
        "x --branch 'a b'",
        "x --branch=-d",
        "x --branch a..b",
    ] {
        s.comm(&format!("worktree add {words}")).exits(129);
    }
    s.comm("worktree add").exits(129);
    s.comm("worktree add x --path 'line\nfeed'").exits(129);
    s.comm("worktree add x --path .").exits(1);
    let odd = s.root().join("-o dd é");
    s.comm("worktree add x --path '../-o dd é' --branch odd").succeeds();
    assert!(odd.join(".git").exists());
    assert_eq!(listed(&s, "-o dd é")["branch"], "odd");
    s.comm("worktree remove '../-o dd'").exits(4);
    s.comm("worktree remove -- '-o dd é'").succeeds();
    assert!(!odd.exists());
}

#[test]
fn a_branch_or_folder_that_is_there_is_left_alone() {
    let s = Sandbox::new();
    s.git("branch mine").succeeds();
    for words in ["mine", "other --branch main", "other --branch mine"] {
        let refused = s.comm(&format!("worktree add {words}")).exits(1);
        assert!(refused.stderr.contains("there is already a branch"), "{}", refused.stderr);
    }
    write(&place(&s, "there").join("file"), "x");
    s.comm("worktree add there").exits(1);
    assert_eq!(std::fs::read_to_string(place(&s, "there").join("file")).unwrap(), "x");
    s.git("rev-parse mine").succeeds();
}

#[test]
fn it_goes_where_it_is_told_and_is_found_from_anywhere() {
    let s = Sandbox::new();
    s.comm("worktree add one --agent ada").succeeds();
    let inside = place(&s, "one");
    std::fs::create_dir(inside.join("below")).unwrap();
    comm_in(&s, &inside.join("below"), "worktree add two").succeeds();
    assert!(place(&s, "two").join(".git").exists(), "beside the main worktree");
    comm_in(&s, s.root(), "-C repo.worktrees/one/below/.. worktree add three --path ../beside").succeeds();
    assert!(place(&s, "beside").join(".git").exists());
    s.git("config comm.worktrees ../elsewhere").succeeds();
    comm_in(&s, &inside, "worktree add four").succeeds();
    assert!(s.root().join("elsewhere/four/.git").exists());
    comm_in(&s, s.root(), "-C repo worktree remove ../elsewhere/four").succeeds();
    let refused = comm_in(&s, &inside, "worktree remove one").exits(1);
    assert!(refused.stderr.contains("you are in `one`"), "{}", refused.stderr);
    comm_in(&s, &inside, "worktree remove repo").exits(1);
    comm_in(&s, &inside, "worktree remove three").succeeds();
    s.comm("worktree remove nothing").exits(4);
}

#[test]
fn a_bare_repository_with_worktrees_beside_it_stays_whole() {
    let s = hooked();
    let proj = s.root().join("proj");
    std::fs::create_dir(&proj).unwrap();
    s.git("clone -q --bare . ../proj/.bare").succeeds();
    write(&proj.join(".git"), "gitdir: ./.bare\n");
    comm_in(&s, &proj, "init").succeeds();
    comm_in(&s, &proj, "worktree add one --agent ada").succeeds();
    comm_in(&s, &proj.join("one"), "worktree add two --agent bob").succeeds();
    comm_in(&s, &proj.join(".bare"), "worktree add three").succeeds();
    for name in ["one", "two", "three"] {
        let dir = proj.join(name);
        assert_eq!(git(&s, &dir, "rev-parse --is-bare-repository").stdout, "false\n");
        assert_eq!(git(&s, &dir, "status --porcelain").succeeds().stdout, "");
    }
    assert_eq!(git(&s, &proj, "rev-parse --is-bare-repository").stdout, "true\n");
    let list = comm_in(&s, &proj, "worktree list --json").succeeds().json();
    assert_eq!(list["total"], 3, "{list}");
    assert_eq!(list["trunk"], "origin/main");
    write(&proj.join("two/new"), "x");
    comm_in(&s, &proj, "worktree remove two").exits(1);
    comm_in(&s, &proj, "worktree remove two --keep kept").succeeds();
    assert_eq!(git(&s, &proj, "show kept:new").stdout, "x");
    comm_in(&s, &proj, "worktree remove one").succeeds();
    assert!(proj.join(".bare/HEAD").exists());
}

#[test]
fn every_kind_of_repository_has_worktrees() {
    for kind in ["--ref-format=reftable", "--object-format=sha256"] {
        let s = Sandbox::with_init(&[kind]);
        s.comm("init").succeeds();
        let id = s.add("one");
        s.comm(&format!("worktree add ada --agent ada --task {id}")).succeeds();
        write(&place(&s, "ada").join("new"), "x");
        let line = listed(&s, "ada");
        assert_eq!((&line["branch"], &line["dirty"]), (&"ada".into(), &1.into()), "{kind}");
        s.comm("worktree remove ada").exits(1);
        s.comm("worktree remove ada --keep kept").succeeds();
        assert_eq!(s.git("show kept:new").stdout, "x");
        assert_eq!(s.task(&id)["state"], "open");
        assert_eq!(listed(&s, "ada"), Value::Null);
        s.git("rev-parse -q --verify ada").exits(1);
    }
}

#[test]
fn the_branch_starts_from_what_the_remote_has_now() {
    let s = hooked();
    s.git("clone -q --bare . ../hub.git").succeeds();
    s.git("remote add origin ../hub.git").succeeds();
    s.git("clone -q ../hub.git ../other").succeeds();
    let other = s.root().join("other");
    Run::of(
        &s.bare_command("git", &other)
            .args(["commit", "-q", "--allow-empty", "-m", "newer"])
            .output()
            .unwrap(),
        "commit",
    )
    .succeeds();
    git(&s, &other, "push -q origin main").succeeds();
    let newer = git(&s, &other, "rev-parse HEAD").stdout;
    let added = s.comm("worktree add one --json").succeeds().json();
    assert_eq!(added["worktree"]["base"], "origin/main");
    assert_eq!(added["worktree"]["head"], newer.trim());
    assert_eq!(s.git("config --get branch.one.remote").code, 1, "its branch follows nothing");
    std::fs::rename(s.root().join("hub.git"), s.root().join("away")).unwrap();
    let added = s.comm("worktree add two --json").succeeds();
    assert!(added.stderr.contains("warning: remote `origin` was not fetched"), "{}", added.stderr);
    assert_eq!(added.json()["worktree"]["head"], newer.trim());
}

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

#[test]
fn many_agents_at_once_each_have_a_worktree_and_commit_in_it() {
    let s = hooked();
    let count = if is_full() { 28 } else { 6 };
    let ids: Vec<String> = (0..count).map(|n| s.add(&format!("task-{n}"))).collect();
    let spawn = |n: usize| {
        let words = format!("worktree add a{n} --agent a{n} --task {}", ids[n]);
        s.command().args(split(&words)).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let all: Vec<_> = (0..count).map(spawn).collect();
    for child in all {
        Run::of(&child.wait_with_output().unwrap(), "worktree add").succeeds();
    }
    let commit = |n: usize| {
        let dir = place(&s, &format!("a{n}"));
        write(&dir.join(format!("file-{n}")), "x");
        git(&s, &dir, "add -A").succeeds();
        let mut command = s.bare_command("git", &dir);
        for role in ["AUTHOR", "COMMITTER"] {
            command.env_remove(format!("GIT_{role}_NAME")).env_remove(format!("GIT_{role}_EMAIL"));
        }
        command.args(["commit", "-q", "-m", "work"]).stderr(Stdio::piped()).spawn().unwrap()
    };
    let all: Vec<_> = (0..count).map(commit).collect();
    for child in all {
        Run::of(&child.wait_with_output().unwrap(), "commit").succeeds();
    }
    let list = s.comm("worktree list --json").succeeds().json();
    let mut seen = BTreeSet::new();
    for line in list["worktrees"].as_array().unwrap().iter().filter(|w| w["main"] == false) {
        assert_eq!((&line["ahead"], &line["dirty"]), (&1.into(), &0.into()), "{line}");
        let author = s.git(&format!("log -1 --format=%an {}", line["branch"].as_str().unwrap())).stdout;
        assert_eq!(line["agent"], author.trim());
        assert!(line["expires_at"].is_string(), "{line}");
        seen.insert(line["task"].as_str().unwrap().to_owned());
    }
    assert_eq!(seen.len(), count);
    s.git("fsck --strict --no-dangling").succeeds();
    assert_eq!(s.git("config --get-all extensions.worktreeConfig").stdout, "true\n");
}

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
    s.comm("worktree add ada --agent ada").succeeds();
    // As if it had been killed at its very end, and found by somebody.
    let note = serde_json::json!({
        "path": place(&s, "ada"), "branch": "ada", "base": s.git("rev-parse main").stdout.trim(),
        "agent": "ada", "task": null, "makes_parent": false,
    });
    write(&place(&s, "ada").join("found"), "precious");
    write(&s.repo().join(".git/comm-node/adding/0123456789abcdef"), &note.to_string());
    let next = s.comm("worktree add bob").succeeds();
    assert!(next.stderr.contains("was never finished and is left as it is: `found`"), "{}", next.stderr);
    assert_eq!(std::fs::read_to_string(place(&s, "ada").join("found")).unwrap(), "precious");
    s.comm("worktree remove ada --keep found").succeeds();
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
                        s.git(&format!("merge -q -s ours --no-edit {branch}"));
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

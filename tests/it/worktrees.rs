//! Worktrees: made whole or not at all.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Run, Sandbox, is_full, program, split};

/// Where worktrees of the sandbox's repository go.
pub(crate) fn place(s: &Sandbox, name: &str) -> PathBuf {
    s.root().join("repo.worktrees").join(name)
}

pub(crate) fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// git in some folder, as its configuration says who commits.
pub(crate) fn git(s: &Sandbox, dir: &Path, words: &str) -> Run {
    let mut command = s.bare_command("git", dir);
    for role in ["AUTHOR", "COMMITTER"] {
        command.env_remove(format!("GIT_{role}_NAME")).env_remove(format!("GIT_{role}_EMAIL"));
    }
    Run::of(&command.args(split(words)).output().unwrap(), &format!("git {words}"))
}

/// The program in some folder.
pub(crate) fn comm_in(s: &Sandbox, dir: &Path, words: &str) -> Run {
    Run::of(&s.bare_command(program(), dir).args(split(words)).output().unwrap(), words)
}

/// The lines of `worktree list`, by name.
pub(crate) fn listed(s: &Sandbox, name: &str) -> Value {
    let all = s.comm("worktree list --json").succeeds().json();
    let found = all["worktrees"].as_array().unwrap().iter().find(|w| w["name"] == name).cloned();
    found.unwrap_or(Value::Null)
}

/// A repository with a file, a board and our hook.
pub(crate) fn hooked() -> Sandbox {
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
pub(crate) fn assert_absent(s: &Sandbox, name: &str) {
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
fn the_next_step_is_told_and_what_the_agent_there_lacks() {
    let s = hooked();
    let added = s.comm("worktree add one").succeeds();
    assert!(
        added.stdout.ends_with(&format!("\nnext: cd {}\n", place(&s, "one").display())),
        "{}",
        added.stdout
    );
    assert_eq!(added.stderr, "");
    let odd = s.root().join("it's");
    let added = s.comm("worktree add two --path \"../it's\" --json").succeeds().json();
    assert_eq!(added["next"], format!("cd '{}'", odd.display().to_string().replace('\'', "'\\''")));
    write(&s.repo().join("CLAUDE.md"), "mine\n");
    s.comm("setup agents-md").succeeds();
    s.comm("setup harness claude").succeeds();
    s.git("add CLAUDE.md").succeeds();
    s.git("commit -q --no-verify -m mine").succeeds();
    let added = s.comm("worktree add three").succeeds();
    let told =
        "it lacks `AGENTS.md`, `.claude/settings.json`, which the main worktree has: commit or copy them";
    assert!(added.stderr.contains(told) && added.stderr.lines().count() == 1, "{}", added.stderr);
    s.git("add -A").succeeds();
    s.git("commit -q --no-verify -m ours").succeeds();
    assert_eq!(s.comm("worktree add four").succeeds().stderr, "");
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

#[test]
fn a_bound_domain_says_which_work_and_which_messages_are_meant() {
    let s = Sandbox::new();
    s.add("ui --domain ui -p 0");
    s.add("api --domain api");
    for (agent, domain) in [("ada", "api"), ("bob", "ui")] {
        s.comm(&format!("worktree add {agent} --agent {agent} --domain {domain}")).succeeds();
    }
    let ada = place(&s, "ada");
    for verb in ["ready --json", "prime --json"] {
        let offered = comm_in(&s, &ada, verb).succeeds().json();
        let rows = offered["tasks"].as_array().or(offered["ready"].as_array()).unwrap();
        assert_eq!((rows.len(), rows[0]["id"].as_str()), (1, Some("bd-2")), "{verb}: {offered}");
    }
    assert_eq!(comm_in(&s, &ada, "next --json").succeeds().json()["task"]["id"], "bd-2");
    let none = comm_in(&s, &ada, "next --another").exits(1);
    assert!(none.stderr.starts_with("error: nothing is ready in domain api\n"), "{}", none.stderr);

    s.comm("msg send --to domain:api 'for the api'").succeeds();
    assert_eq!(comm_in(&s, &place(&s, "bob"), "inbox --json").succeeds().json()["total"], 0);
    let inbox = comm_in(&s, &ada, "inbox").succeeds();
    assert!(inbox.stdout.contains("> for the api\n"), "{}", inbox.stdout);
}

#[test]
fn a_refusal_names_who_works_in_a_worktree_of_the_domain() {
    let s = Sandbox::new();
    write(&s.repo().join("comm.toml"), "[domains.api]\npath = 'api'\n[domains.ui]\npath = 'ui'\n");
    git(&s, s.repo(), "add .").succeeds();
    s.git("commit -q --no-verify -m rules").succeeds();
    s.add("ui --domain ui");
    s.comm("worktree add bob --agent bob --domain ui --task bd-1").succeeds();
    s.comm("worktree add ada --agent ada --domain api").succeeds();
    let ada = place(&s, "ada");
    write(&ada.join("ui/page.txt"), "not ada's");
    git(&s, &ada, "add .").succeeds();
    let refused = git(&s, &ada, "commit -q -m outside").exits(1);
    assert!(refused.stderr.contains("hint: ask bob, who works there: "), "{}", refused.stderr);
}

#[test]
fn a_folder_of_worktrees_behind_a_link_is_none_the_worse() {
    let s = hooked();
    let id = s.add("one");
    s.as_agent("bob", &format!("claim {id}")).succeeds();
    let real = s.root().join("elsewhere");
    std::fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, s.root().join("repo.worktrees")).unwrap();
    s.comm(&format!("worktree add ada --agent ada --task {id}")).exits(1);
    assert_absent(&s, "ada");
    s.comm("worktree add ada").succeeds();
    assert!(real.join("ada/README").exists());
    s.comm("worktree remove ada").succeeds();
    assert_absent(&s, "ada");
}

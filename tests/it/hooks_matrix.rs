//! Every way to a commit, with every git that can be had.

use crate::hooks_support::{Git, RULES, World, gits, run, write};
use crate::support::split;

fn each(check: impl Fn(&World, &Git)) {
    for git in gits() {
        eprintln!("git {}", git.version);
        check(&World::guarded(git), git);
    }
}

fn head(w: &World) -> String {
    w.git("rev-parse HEAD").succeeds().stdout.trim().to_owned()
}

fn message(w: &World, rev: &str) -> String {
    w.git(&format!("log -1 --format=%B {rev}")).succeeds().stdout
}

/// `words` as ada makes no commit, whatever else it leaves behind.
#[track_caller]
fn refused(w: &World, words: &str) {
    let before = head(w);
    let run = w.git_as("ada", words);
    assert_ne!(run.code, 0, "`{words}` passed\n{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("outside the scope of `ada`"), "`{words}`: {}", run.stderr);
    assert_eq!(head(w), before, "`{words}`");
}

#[test]
fn commits_of_all_forms_are_judged() {
    each(|w, git| {
        let status = w.comm("hook status --json").succeeds().json();
        let how = if git.by_config { "config" } else { "block" };
        for hook in status["hooks"].as_array().unwrap() {
            assert_eq!(hook["installed"][0]["how"], how, "{hook}");
        }
        w.write("web/w.txt", "changed\n");
        refused(w, "commit -a -m all");
        refused(w, "commit -m path web/w.txt");
        refused(w, "commit -m path --only web/w.txt");
        w.git("checkout -q web/w.txt").succeeds();
        w.write("api/a.txt", "good\n");
        w.git_as("ada", "commit -q -a -m good").succeeds();
        w.write("web/w.txt", "smuggled\n");
        refused(w, "commit -a --amend --no-edit");
        w.git("add web/w.txt").succeeds();
        w.write("web/w.txt", "w\n");
        refused(w, "commit -m staged");
        w.git("reset -q --hard").succeeds();
        // A file of its own beside one of bob's.
        w.write("api/a.txt", "partial\n");
        w.write("web/w.txt", "left\n");
        w.git_as("ada", "commit -q -m only api/a.txt").succeeds();
        assert_eq!(w.git("show --format= --name-only HEAD").stdout, "api/a.txt\n");
    });
}

#[test]
fn merges_are_judged_by_what_they_add() {
    each(|w, _| {
        w.git("branch side").succeeds();
        w.write("web/w.txt", "by bob\n");
        w.git_as("bob", "commit -q -a -m bobs").succeeds();
        w.git("checkout -q side").succeeds();
        w.write("api/a.txt", "by ada\n");
        w.git_as("ada", "commit -q -a -m adas").succeeds();
        w.comm("--agent ada add one").succeeds();
        w.comm("--agent ada claim bd-1").succeeds();
        // What bob did comes in with the merge, and is bob's.
        w.git_as("ada", "merge -q --no-ff -m merged main").succeeds();
        assert_eq!(message(w, "HEAD").matches("Comm-Fence: 1:").count(), 1, "{}", message(w, "HEAD"));
        w.git("reset -q --hard HEAD~1").succeeds();
        w.git_as("ada", "merge -q --no-ff --no-commit main").succeeds();
        w.write("web/more.txt", "smuggled\n");
        w.git("add web").succeeds();
        refused(w, "commit -m merged");
        refused(w, "merge --continue");
        w.git("rm -q -f web/more.txt").succeeds();
        w.git_as("ada", "commit -q -m merged").succeeds();
    });
}

#[test]
fn a_merge_alone_needs_the_claim_that_commits_need() {
    each(|w, _| {
        w.write("comm.toml", &format!("{RULES}require_claim = true\n"));
        w.git("commit -q -a -m stricter").succeeds();
        w.git("checkout -q -b side HEAD~1").succeeds();
        w.write("notes", "person\n");
        w.git("add notes").succeeds();
        w.git("commit -q -m notes").succeeds();
        w.git("checkout -q main").succeeds();
        let before = head(w);
        let refused = w.git_as("ada", "merge -q -m merged side");
        assert!(refused.code != 0 && refused.stderr.contains("`ada` holds no task"), "{}", refused.stderr);
        assert_eq!(head(w), before);

        w.git("merge --abort").succeeds();
        w.comm("add one").succeeds();
        w.comm("--agent ada claim bd-1").succeeds();
        w.git_as("ada", "merge -q --no-edit side").succeeds();
        let named = w.git("log -1 --format=%(trailers)").stdout;
        assert!(named.starts_with("Comm-Task: bd-1\nComm-Fence: 1:"), "{named}");
        w.comm("ci --base HEAD~1").succeeds();
    });
}

#[test]
fn picks_and_reverts_are_judged() {
    each(|w, _| {
        w.git("checkout -q -b bobs").succeeds();
        w.write("web/w.txt", "by bob\n");
        w.git_as("bob", "commit -q -a -m bobs").succeeds();
        w.git("checkout -q -b adas main").succeeds();
        w.write("api/a.txt", "by ada\n");
        w.git_as("ada", "commit -q -a -m adas").succeeds();
        w.git("checkout -q main").succeeds();
        w.comm("--agent ada add one").succeeds();
        w.comm("--agent ada claim bd-1").succeeds();

        refused(w, "cherry-pick bobs");
        w.git("reset -q --hard").succeeds();
        refused(w, "cherry-pick -e bobs");
        w.git("reset -q --hard").succeeds();
        w.git_as("ada", "cherry-pick -x adas").succeeds();
        assert_eq!(message(w, "HEAD").matches("Comm-Task: bd-1").count(), 1, "{}", message(w, "HEAD"));
        w.git_as("ada", "revert --no-edit HEAD").succeeds();
        assert_eq!(message(w, "HEAD").matches("Comm-Task: bd-1").count(), 1, "{}", message(w, "HEAD"));

        w.git("merge -q bobs -m bobs").succeeds();
        refused(w, "revert --no-edit bobs");
        w.git("reset -q --hard").succeeds();
        refused(w, "revert --edit bobs");
        w.git("reset -q --hard").succeeds();
        // With conflicts git asks for a commit, and that is judged as any.
        w.write("web/w.txt", "again\n");
        w.git_as("bob", "commit -q -a -m again").succeeds();
        assert_ne!(w.git_as("ada", "revert --no-edit bobs").code, 0);
        w.write("web/w.txt", "w\n");
        w.git("add web").succeeds();
        refused(w, "revert --continue");
    });
}

#[test]
fn rebasing_replays_what_was_judged_and_keeps_its_trailers() {
    each(|w, _| {
        w.git("checkout -q -b adas").succeeds();
        w.comm("--agent ada add one").succeeds();
        w.comm("--agent ada claim bd-1").succeeds();
        for n in 0..2 {
            w.write("api/a.txt", &format!("{n}\n"));
            w.git_as("ada", &format!("commit -q -a -m {n}")).succeeds();
        }
        w.git("checkout -q main").succeeds();
        w.write("web/w.txt", "by bob\n");
        w.git_as("bob", "commit -q -a -m bobs").succeeds();
        w.git("checkout -q adas").succeeds();
        for form in
            ["rebase main", "rebase --apply --force-rebase main", "rebase --merge --force-rebase main"]
        {
            w.git_as("ada", form).succeeds();
            for rev in ["HEAD", "HEAD~1"] {
                let text = message(w, rev);
                assert_eq!(text.matches("Comm-Fence: 1:").count(), 1, "{form}: {text}");
            }
        }
        // What is changed on the way is a commit as any other.
        let mut command = w.agent_git(w.s.repo(), "ada");
        command.env("GIT_SEQUENCE_EDITOR", "sed -i 1s/pick/edit/").args(split("rebase -q -i main"));
        run(&mut command, "rebase -i").succeeds();
        w.write("web/w.txt", "smuggled\n");
        refused(w, "commit -a --amend --no-edit");
        w.git("rebase --abort").succeeds();
    });
}

#[test]
fn patches_are_judged() {
    each(|w, _| {
        let patch = |name: &str, file: &str, by: &str| {
            w.write(file, "patched\n");
            w.git_as(by, "commit -q -a -m patched").succeeds();
            let text = w.git("format-patch -1 --stdout").succeeds().stdout;
            write(&w.s.root().join(name), text.as_bytes(), 0o644);
            w.git("reset -q --hard HEAD~1").succeeds();
        };
        patch("bobs.patch", "web/w.txt", "bob");
        patch("adas.patch", "api/a.txt", "ada");
        w.comm("--agent ada add one").succeeds();
        w.comm("--agent ada claim bd-1").succeeds();
        refused(w, "am -q ../bobs.patch");
        w.git("am --abort").succeeds();
        w.git_as("ada", "am -q ../adas.patch").succeeds();
        assert_eq!(message(w, "HEAD").matches("Comm-Task: bd-1").count(), 1, "{}", message(w, "HEAD"));
    });
}

#[test]
fn linked_worktrees_and_git_dir_are_judged_too() {
    each(|w, _| {
        let linked = w.s.root().join("linked tree");
        w.git("worktree add -q -b other '../linked tree'").succeeds();
        w.is_guarded(&linked);
        w.is_guarded(w.s.repo());
        let status = w.comm_in(&linked, "hook status --json").succeeds().json();
        assert!(status["hooks"][0]["fired_at"].is_string(), "{status}");
        // GIT_DIR names the repository, and the work tree is said or implied.
        w.write("web/w.txt", "changed\n");
        for (git_dir, work_tree, dir) in [
            (w.s.repo().join(".git"), None, w.s.repo().to_owned()),
            (".git".into(), None, w.s.repo().to_owned()),
            (w.s.repo().join(".git"), Some(w.s.repo()), w.s.root().to_owned()),
            ("../.git".into(), Some(w.s.repo()), w.s.repo().join("api")),
        ] {
            let mut command = w.agent_git(&dir, "ada");
            command.env("GIT_DIR", &git_dir).args(["commit", "-q", "-a", "-m", "by GIT_DIR"]);
            if let Some(tree) = work_tree {
                command.env("GIT_WORK_TREE", tree);
            }
            let refused = run(&mut command, "GIT_DIR").exits(1);
            assert!(refused.stderr.contains("web/w.txt: domain web"), "{git_dir:?}: {}", refused.stderr);
        }
        let below = w.s.repo().join("api");
        assert_eq!(w.git_in(&below, "ada", "commit -q -a -m below").code, 1);
    });
}

#[test]
fn what_skips_the_hooks_is_not_stopped_and_found_by_ci() {
    each(|w, _| {
        w.comm("--agent ada add one").succeeds();
        w.comm("--agent ada claim bd-1").succeeds();
        w.write("web/w.txt", "skipped\n");
        w.git_as("ada", "commit -q -a --no-verify -m skipped").succeeds();
        w.comm("ci --base HEAD~1").exits(1);
    });
}

#[test]
fn what_a_rebase_takes_along_and_a_merge_throws_away_is_judged() {
    each(|w, _| {
        w.git("checkout -q -b adas").succeeds();
        w.comm("--agent ada add one").succeeds();
        w.comm("--agent ada claim bd-1").succeeds();
        w.write("api/a.txt", "by ada\n");
        w.git_as("ada", "commit -q -a -m adas").succeeds();
        w.git("checkout -q main").succeeds();
        w.write("web/w.txt", "by bob\n");
        w.git_as("bob", "commit -q -a -m bobs").succeeds();
        w.git("checkout -q adas").succeeds();
        refused(w, "merge -q -s ours -m thrown main");
        w.git("reset -q --hard").succeeds();
        let mut command = w.agent_git(w.s.repo(), "ada");
        command.env("GIT_SEQUENCE_EDITOR", "sed -i 1s/pick/edit/").args(split("rebase -q -i main"));
        run(&mut command, "rebase -i").succeeds();
        w.write("web/w.txt", "smuggled\n");
        w.git("add -A").succeeds();
        refused(w, "-c core.editor=true rebase --continue");
        w.git("rebase --abort").succeeds();
        w.git_as("ada", "merge -q -m merged main").succeeds();
        w.comm("ci --base main").succeeds();
    });
}

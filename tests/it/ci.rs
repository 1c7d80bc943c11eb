//! CI: what the hooks did not see, on the trees of the commits.

use crate::commits::{git_as, guarded, write};
use crate::hooks_support::RULES;
use crate::support::{Run, Sandbox, split};

/// A commit that skips the hooks, by `author`, with this message.
fn skipping(s: &Sandbox, author: &str, message: &str) {
    git_as(s, None, "add -A").succeeds();
    let mut command = s.bare_command("git", s.repo());
    command.env("GIT_AUTHOR_NAME", author).env("GIT_AUTHOR_EMAIL", format!("{author}@agents.example"));
    command.args(["commit", "-q", "--no-verify", "--allow-empty", "-m", message]);
    Run::of(&command.output().unwrap(), message).succeeds();
}

/// The trailers of HEAD.
fn trailers(s: &Sandbox) -> String {
    git_as(s, None, "log -1 --format=%(trailers:only)").succeeds().stdout.trim().to_owned()
}

/// What a gate found, as `FILE WHAT`.
fn found(s: &Sandbox, words: &str, gate: usize) -> Vec<String> {
    let run = s.comm(&format!("ci --json {words}"));
    let verdict = run.json();
    let findings = verdict["gates"][gate]["findings"].as_array().unwrap();
    assert_eq!(
        run.code == 0,
        verdict["gates"].as_array().unwrap().iter().all(|g| g["findings"] == serde_json::json!([]))
    );
    let told =
        |f: &serde_json::Value| format!("{} {}", f["file"].as_str().unwrap(), f["what"].as_str().unwrap());
    findings.iter().map(told).collect()
}

const CLAIM: usize = 0;
const SCOPE: usize = 1;

#[test]
fn ci_finds_what_skipped_the_hooks() {
    let s = guarded(RULES);
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    write(&s, "api/a.txt", "fine");
    git_as(&s, Some("ada"), "commit -q -a -m fine").succeeds();
    write(&s, "web/w.txt", "person");
    git_as(&s, None, "commit -q -a -m person").succeeds();
    s.comm("ci --base HEAD~2").succeeds();
    write(&s, "web/w.txt", "skipped");
    let fence = git_as(&s, None, "log -1 --format=%(trailers:only) HEAD~1").stdout;
    skipping(&s, "ada", &format!("skipped\n\n{}", fence.trim()));
    write(&s, "api/a.txt", "no trailers");
    git_as(&s, Some("ada"), "commit -q -a --no-verify -m none").succeeds();
    let verdict = s.comm("ci --base HEAD~4 --json").exits(1).json();
    let (claim, scope) = (&verdict["gates"][0], &verdict["gates"][1]);
    assert_eq!((claim["name"].as_str(), claim["status"].as_str()), (Some("claim"), Some("fail")));
    assert_eq!(claim["findings"].as_array().unwrap().len(), 1);
    write(&s, "web/w.txt", "no trailers either, and outside");
    write(&s, "comm.toml", "");
    git_as(&s, Some("ada"), "commit -q -a --no-verify -m both").succeeds();
    let both = s.comm("ci --base HEAD~1 --json").exits(1).json();
    let found = both["gates"][1]["findings"].as_array().unwrap();
    let files: Vec<_> = found.iter().map(|f| f["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["comm.toml", "web/w.txt"], "without a claim the author's scope is judged");
    assert_eq!(scope["findings"][0]["file"], "web/w.txt");
    assert_eq!(scope["checked"], 3, "all but the person's");
    s.comm("ci --base nowhere").exits(4);
}

#[test]
fn ci_without_the_board_is_incomplete_not_green() {
    let s = guarded(RULES);
    for name in s.git("for-each-ref --format=%(refname) refs/comm-node").stdout.lines() {
        s.git(&format!("update-ref -d {name}")).succeeds();
    }
    let absent = s.comm("ci --base HEAD").exits(6);
    let hint = "the fleet's clone must have sent it: git comm sync";
    assert!(absent.stderr.contains(hint), "{}", absent.stderr);
}

#[test]
fn a_board_older_than_the_claim_is_thought_of() {
    let s = guarded(RULES);
    s.add("one");
    let old = s.git("rev-parse refs/comm-node/tasks/bd-1").stdout.trim().to_owned();
    s.as_agent("ada", "claim bd-1").succeeds();
    write(&s, "api/a.txt", "ada's");
    git_as(&s, Some("ada"), "commit -q -a -m adas").succeeds();
    s.git(&format!("update-ref refs/comm-node/tasks/bd-1 {old}")).succeeds();
    let verdict = s.comm("ci --base HEAD~1 --json").exits(1).json();
    let finding = &verdict["gates"][CLAIM]["findings"][0];
    assert!(finding["what"].as_str().unwrap().ends_with("is no claim of `bd-1`"), "{finding}");
    let how = finding["how"].as_str().unwrap();
    assert!(how.ends_with("; or the board in this clone is older than the claim: fetch it again"), "{how}");
    skipping(&s, "ada", "without a claim");
    let verdict = s.comm("ci --base HEAD~1 --json").exits(1).json();
    let finding = &verdict["gates"][CLAIM]["findings"][0];
    assert!(!finding["how"].as_str().unwrap().contains("older"), "{finding}");
}

#[test]
fn a_claim_serves_its_holder_alone() {
    let s = guarded(RULES);
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    write(&s, "api/a.txt", "ada's");
    git_as(&s, Some("ada"), "commit -q -a -m adas").succeeds();
    let fence = trailers(&s);
    write(&s, "api/a.txt", "bob's");
    skipping(&s, "bob", &format!("under her claim\n\n{fence}"));
    let claim = found(&s, "--base HEAD~2", CLAIM);
    assert_eq!(claim.len(), 1, "{claim:?}");
    assert!(claim[0].contains("`bob` made it, and the claim of `bd-1` that it names is ada's"), "{claim:?}");
    let scope = found(&s, "--base HEAD~2", SCOPE);
    assert_eq!(scope, ["api/a.txt domain api, agent ada, owner Team API"], "bob's own scope judges it");
}

#[test]
fn a_claim_that_was_superseded_serves_no_later_commit() {
    let s = guarded(RULES);
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    write(&s, "api/a.txt", "in time");
    git_as(&s, Some("ada"), "commit -q -a -m 'in time'").succeeds();
    let fence = trailers(&s);
    s.as_agent("ada", "release bd-1").succeeds();
    s.as_agent("bob", "claim bd-1").succeeds();
    write(&s, "api/a.txt", "late");
    let mut command = s.bare_command("git", s.repo());
    command.env("GIT_AUTHOR_NAME", "ada").env("GIT_AUTHOR_EMAIL", "ada@agents.example");
    let hour = std::time::SystemTime::now() + std::time::Duration::from_secs(3_600);
    let hour = hour.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    command.env("GIT_AUTHOR_DATE", format!("{hour} +0000"));
    command.args(["commit", "-q", "-a", "--no-verify", "-m", &format!("late\n\n{fence}")]);
    Run::of(&command.output().unwrap(), "late").succeeds();
    let claim = found(&s, "--base HEAD~2", CLAIM);
    assert_eq!(claim.len(), 1, "{claim:?}");
    assert!(
        claim[0].contains("made after the claim of `bd-1` that it names, ada's, was superseded"),
        "{claim:?}"
    );
}

#[test]
fn a_merge_that_undoes_the_others_is_no_empty_one() {
    let s = guarded(RULES);
    s.add("one");
    git_as(&s, None, "checkout -q -b ours").succeeds();
    s.as_agent("ada", "claim bd-1").succeeds();
    write(&s, "api/a.txt", "ada's");
    git_as(&s, Some("ada"), "commit -q -a -m adas").succeeds();
    let fence = trailers(&s);
    git_as(&s, None, "checkout -q main").succeeds();
    write(&s, "web/w.txt", "bob's work");
    git_as(&s, None, "commit -q -a -m 'for bob'").succeeds();
    git_as(&s, None, "checkout -q ours").succeeds();
    // By its hooks, which git runs for a merge too.
    let refused = git_as(&s, Some("ada"), "merge -s ours -m merged main").exits(1);
    assert!(refused.stderr.contains("web/w.txt: domain web, agent bob"), "{}", refused.stderr);
    git_as(&s, None, "reset -q --hard").succeeds();
    // And in CI, where the hooks were skipped.
    git_as(&s, Some("ada"), "merge -q --no-verify -s ours -m merged main").succeeds();
    let amend = format!("merged\n\n{fence}");
    let mut command = s.bare_command("git", s.repo());
    command.env("GIT_AUTHOR_NAME", "ada").env("GIT_AUTHOR_EMAIL", "ada@agents.example");
    Run::of(
        &command
            .args(["commit", "-q", "--amend", "--no-verify", "--reset-author", "-m", &amend])
            .output()
            .unwrap(),
        "amend",
    )
    .succeeds();
    assert_eq!(found(&s, "--base main", SCOPE), ["web/w.txt domain web, agent bob"]);
    // What git makes of it by itself is nobody's change.
    git_as(&s, None, "reset -q --hard HEAD~1").succeeds();
    git_as(&s, Some("ada"), "merge -q -m merged main").succeeds();
    assert_eq!(found(&s, "--base main", SCOPE), [""; 0]);
}

#[test]
fn a_conflict_that_is_settled_as_the_trunk_has_it_is_nobodys_change() {
    let s = guarded(RULES);
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    git_as(&s, None, "checkout -q -b work").succeeds();
    // Ada builds on what bob had not landed yet.
    write(&s, "web/w.txt", "bob's first");
    git_as(&s, None, "commit -q -a -m 'from bob'").succeeds();
    git_as(&s, None, "checkout -q main").succeeds();
    write(&s, "web/w.txt", "bob's last");
    git_as(&s, None, "commit -q -a -m landed").succeeds();
    git_as(&s, None, "checkout -q work").succeeds();
    for (side, code) in [("ours", 1), ("theirs", 0)] {
        git_as(&s, Some("ada"), "merge -q main").exits(1);
        git_as(&s, Some("ada"), &format!("checkout -q --{side} web/w.txt")).succeeds();
        git_as(&s, Some("ada"), "add web/w.txt").succeeds();
        let run = git_as(&s, Some("ada"), "commit -q -m merged").exits(code);
        if code == 1 {
            assert!(run.stderr.contains("web/w.txt: domain web"), "{}", run.stderr);
            git_as(&s, Some("ada"), "merge --abort").succeeds();
        }
    }
    assert_eq!(found(&s, "--base main", SCOPE), [""; 0]);
}

#[test]
fn several_parents_are_merged_one_after_the_other() {
    let s = guarded(RULES);
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    for side in ["one", "two"] {
        git_as(&s, None, &format!("checkout -q -b {side} main")).succeeds();
        write(&s, &format!("web/{side}"), side);
        git_as(&s, None, "add -A").succeeds();
        git_as(&s, None, &format!("commit -q -m {side}")).succeeds();
    }
    git_as(&s, None, "checkout -q -b all main").succeeds();
    write(&s, "api/own", "own");
    git_as(&s, Some("ada"), "add -A").succeeds();
    git_as(&s, Some("ada"), "commit -q -m own").succeeds();
    git_as(&s, Some("ada"), "merge -q -m all one two").succeeds();
    assert_eq!(git_as(&s, None, "log -1 --format=%P").stdout.split_whitespace().count(), 3);
    assert_eq!(found(&s, "--base main", SCOPE), [""; 0]);
    let fence = trailers(&s);
    git_as(&s, None, "rm -q web/two").succeeds();
    git_as(&s, None, &format!("commit -q --amend --no-verify -m 'without\n\n{fence}'")).succeeds();
    assert_eq!(found(&s, "--base main", SCOPE), ["web/two domain web, agent bob"]);
}

#[test]
fn what_replaces_an_object_here_is_not_judged_in_its_place() {
    let s = guarded(RULES);
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    write(&s, "api/a.txt", "fine");
    git_as(&s, Some("ada"), "commit -q -a -m fine").succeeds();
    let (fine, fence) = (git_as(&s, None, "rev-parse HEAD").stdout.trim().to_owned(), trailers(&s));
    git_as(&s, None, "reset -q --hard HEAD~1").succeeds();
    write(&s, "web/w.txt", "smuggled");
    skipping(&s, "ada", &format!("smuggled\n\n{fence}"));
    git_as(&s, None, &format!("replace HEAD {fine}")).succeeds();
    assert_eq!(found(&s, "--base HEAD~1", SCOPE), ["web/w.txt domain web, agent bob"]);
    // Rules that somebody replaced do not judge.
    let wide = s.git_with(
        &["hash-object", "-w", "--stdin"],
        RULES.replace("path = 'api'", "scope = ['**']").as_bytes(),
    );
    git_as(&s, None, &format!("replace HEAD:comm.toml {wide}")).succeeds();
    write(&s, "web/w.txt", "under other rules");
    git_as(&s, Some("ada"), "commit -q -a -m smuggled").exits(1);
}

#[test]
fn a_base_without_rules_and_a_history_that_is_cut_off_are_said() {
    let s = guarded(RULES);
    let run = s.comm("ci --base HEAD~1").succeeds();
    assert!(run.stdout.contains("note: `HEAD~1` has no comm.toml"), "{}", run.stdout);
    assert!(s.comm("ci --base HEAD~1 --json").json()["note"].is_string());
    write(&s, "web/w.txt", "more");
    git_as(&s, None, "commit -q -a -m more").succeeds();
    let clone = s.root().join("clone");
    s.git(&format!("clone -q --depth 1 --no-local file://{} {}", s.repo().display(), clone.display()))
        .succeeds();
    let run = |words: &str| {
        let mut command = s.bare_command("git", &clone);
        Run::of(&command.args(crate::support::split(words)).output().unwrap(), words).succeeds()
    };
    run("fetch -q origin refs/comm-node/*:refs/comm-node/*");
    let base = s.git_with(&["commit-tree", "HEAD^{tree}", "-m", "elsewhere"], b"");
    run(&format!("fetch -q --depth 1 origin {base}"));
    let mut command = s.bare_command(crate::support::program(), &clone);
    let told = Run::of(&command.args(["ci", "--base", &base]).output().unwrap(), "ci").exits(6);
    assert!(told.stderr.contains("has no history before"), "{}", told.stderr);
    assert!(told.stderr.contains("fetch-depth: 0"), "{}", told.stderr);
}

#[test]
fn rules_that_cannot_be_read_are_found_where_they_came_in() {
    let s = guarded(RULES);
    s.add("one");
    write(&s, "comm.toml", "[domains.api]\nscop = 'x'\n");
    git_as(&s, None, "commit -q -a --no-verify -m broken").succeeds();
    write(&s, "comm.toml", RULES);
    git_as(&s, None, "commit -q -a --no-verify -m mended").succeeds();
    let scope = found(&s, "--base HEAD~2", SCOPE);
    assert_eq!(scope.len(), 1, "{scope:?}");
    assert!(scope[0].starts_with("comm.toml") && scope[0].contains("unknown key `scop`"), "{scope:?}");
}

#[test]
fn an_author_without_a_claim_is_held_to_where_its_worktree_was_bound() {
    let s = guarded(RULES);
    s.add("one");
    s.comm("worktree add wt --agent cy --domain api --task bd-1").succeeds();
    let dir = s.root().join("repo.worktrees/wt");
    std::fs::write(dir.join("web/w.txt"), "smuggled").unwrap();
    let mut command = s.bare_command("git", &dir);
    command.env("GIT_AUTHOR_NAME", "cy").args(["commit", "-q", "-a", "--no-verify", "-m", "skipped"]);
    Run::of(&command.output().unwrap(), "skipped").succeeds();
    assert_eq!(found(&s, "--base main --head wt", CLAIM).len(), 1);
    assert_eq!(found(&s, "--base main --head wt", SCOPE), ["web/w.txt domain web, agent bob"]);
}

/// What was made before a task was taken over stays its author's.
#[test]
fn who_takes_a_task_over_may_mend_what_was_made() {
    let s = guarded(RULES);
    s.add("one");
    s.as_agent("ada", "claim bd-1 --ttl 1s").succeeds();
    write(&s, "api/a.txt", "ada's");
    git_as(&s, Some("ada"), "commit -q -a -m adas").succeeds();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    s.as_agent("cy", "claim bd-1").succeeds();
    write(&s, "api/a.txt", "mended");
    let mut command = s.bare_command("git", s.repo());
    command.env("GIT_COMM_AGENT", "cy").env("GIT_COMMITTER_NAME", "cy");
    Run::of(&command.args(split("commit -q -a --amend --no-edit")).output().unwrap(), "amend").succeeds();
    assert_eq!(git_as(&s, None, "log -1 --format=%an:%cn").stdout, "ada:cy\n");
    s.comm("ci --base HEAD~1").succeeds();
}

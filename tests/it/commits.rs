//! The commit gate and its check in CI, through real commits.

use std::process::Command;

use crate::hooks_support::RULES;
use crate::support::{Run, Sandbox, split};

/// A repository with two domains and the hooks that init installs.
fn guarded(rules: &str) -> Sandbox {
    let s = Sandbox::new();
    write(&s, "comm.toml", rules);
    write(&s, "api/a.txt", "a");
    write(&s, "web/w.txt", "w");
    git_as(&s, None, "add -A").succeeds();
    git_as(&s, None, "commit -q -m rules").succeeds();
    s
}

fn write(s: &Sandbox, path: &str, text: &str) {
    let path = s.repo().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// git as a person runs it, or as an agent does.
fn git_as(s: &Sandbox, agent: Option<&str>, words: &str) -> Run {
    let mut command: Command = s.bare_command("git", s.repo());
    if let Some(agent) = agent {
        command.env("GIT_COMM_AGENT", agent);
        command.env("GIT_AUTHOR_NAME", agent).env("GIT_AUTHOR_EMAIL", format!("{agent}@agents.example"));
    }
    Run::of(&command.args(split(words)).output().unwrap(), words)
}

#[test]
fn an_agent_commits_inside_its_scope_only() {
    let s = guarded(RULES);
    write(&s, "api/b.txt", "b");
    git_as(&s, Some("ada"), "add -A").succeeds();
    git_as(&s, Some("ada"), "commit -q -m inside").succeeds();
    write(&s, "web/b.txt", "b");
    git_as(&s, Some("ada"), "add -A").succeeds();
    let refused = git_as(&s, Some("ada"), "commit -q -m outside").exits(1);
    assert!(refused.stderr.contains("web/b.txt: domain web, agent bob"), "{}", refused.stderr);
    assert!(refused.stderr.contains("git comm add TITLE --domain web"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("--no-verify"), "{}", refused.stderr);
    let log = s.comm("log --kind refused --json").json();
    assert_eq!(log["events"][0]["agent"], "ada");
    assert_eq!(log["events"][0]["event"]["findings"][0]["path"], "web/b.txt");
    assert_eq!(log["events"][0]["event"]["findings"][0]["owner"], "web");
    git_as(&s, Some("bob"), "commit -q -m bobs").succeeds();
}

#[test]
fn every_form_of_commit_is_judged() {
    let s = guarded(RULES);
    write(&s, "web/w.txt", "changed");
    git_as(&s, Some("ada"), "commit -q -a -m all").exits(1);
    git_as(&s, Some("ada"), "commit -q -m path web/w.txt").exits(1);
    git_as(&s, Some("ada"), "checkout -q web/w.txt").succeeds();
    git_as(&s, Some("ada"), "rm -q web/w.txt").succeeds();
    git_as(&s, Some("ada"), "commit -q -m removed").exits(1);
    git_as(&s, Some("ada"), "reset -q --hard").succeeds();
    git_as(&s, Some("ada"), "mv web/w.txt api/w.txt").succeeds();
    git_as(&s, Some("ada"), "commit -q -m moved").exits(1);
    git_as(&s, Some("ada"), "reset -q --hard").succeeds();
    write(&s, "api/a.txt", "good");
    git_as(&s, Some("ada"), "commit -q -a -m good").succeeds();
    write(&s, "web/w.txt", "smuggled");
    git_as(&s, Some("ada"), "commit -q -a --amend --no-edit").exits(1);
    // From a folder below, with GIT_DIR set as git sets it for hooks.
    let mut command = s.bare_command("git", &s.repo().join("api"));
    command.env("GIT_COMM_AGENT", "ada").args(["commit", "-q", "-a", "-m", "below"]);
    Run::of(&command.output().unwrap(), "below").exits(1);
    // What is staged counts, not what lies in the working tree.
    git_as(&s, Some("ada"), "add web/w.txt").succeeds();
    write(&s, "web/w.txt", "w");
    git_as(&s, Some("ada"), "commit -q -m staged").exits(1);
}

#[test]
fn rules_loosened_together_with_their_violation_do_not_help() {
    let s = guarded(RULES);
    write(&s, "comm.toml", &RULES.replace("path = 'api'", "scope = ['**']"));
    write(&s, "web/b.txt", "b");
    git_as(&s, Some("ada"), "add -A").succeeds();
    let refused = git_as(&s, Some("ada"), "commit -q -m loosened").exits(1);
    assert!(refused.stderr.contains("comm.toml: the rules are in no agent's scope"), "{}", refused.stderr);
    assert!(refused.stderr.contains("web/b.txt: domain web"), "{}", refused.stderr);
    git_as(&s, None, "commit -q -m 'a person may'").succeeds();
    write(&s, "comm.toml", "[domains.api]\nscop = 'x'\n");
    let refused = git_as(&s, None, "commit -q -a -m broken").exits(1);
    assert!(
        refused.stderr.contains("comm.toml:2:1: unknown key `scop`; did you mean `scope`?"),
        "{}",
        refused.stderr
    );
}

#[test]
fn where_a_claim_is_required_there_is_no_commit_without_one() {
    let s = guarded(&format!("{RULES}require_claim = true\n"));
    s.add("one");
    write(&s, "api/a.txt", "1");
    let refused = git_as(&s, Some("ada"), "commit -q -a -m early").exits(1);
    assert!(refused.stderr.contains("`ada` holds no task"), "{}", refused.stderr);
    s.as_agent("ada", "claim bd-1").succeeds();
    git_as(&s, Some("ada"), "commit -q -a -m held").succeeds();
    let message = git_as(&s, None, "log -1 --format=%B").stdout;
    assert!(message.contains("\nComm-Task: bd-1\nComm-Fence: 1:"), "{message}");
    git_as(&s, Some("ada"), "commit -q --amend -m 'said better'").succeeds();
    assert_eq!(git_as(&s, None, "log -1 --format=%B").stdout.matches("Comm-Fence").count(), 1);
}

#[test]
fn a_message_with_a_rule_across_it_still_names_its_claim() {
    let s = guarded(RULES);
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    write(&s, "api/a.txt", "ruled");
    git_as(&s, Some("ada"), "commit -q -a -m subject -m above -m '---' -m below").succeeds();
    let trailers = git_as(&s, None, "log -1 --format=%(trailers)").stdout;
    assert!(trailers.contains("Comm-Fence: 1:"), "{trailers}");
    s.comm("ci --base HEAD~1").succeeds();
}

#[test]
fn a_holder_that_lost_its_claim_commits_no_more() {
    let s = guarded(RULES);
    s.add("one");
    s.as_agent("ada", "claim bd-1 --ttl 1s").succeeds();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    s.as_agent("bob", "claim bd-1").succeeds();
    write(&s, "api/a.txt", "late");
    let refused = git_as(&s, Some("ada"), "commit -q -a -m late").exits(1);
    assert!(refused.stderr.contains("taken over by bob"), "{}", refused.stderr);
}

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
    let message = format!("skipped\n\n{}", fence.trim());
    let mut command = s.bare_command("git", s.repo());
    command.env("GIT_AUTHOR_NAME", "ada").env("GIT_AUTHOR_EMAIL", "ada@agents.example");
    command.args(["commit", "-q", "-a", "--no-verify", "-m", &message]);
    Run::of(&command.output().unwrap(), "skipped").succeeds();
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
    s.comm("ci --base HEAD").exits(6);
}

#[test]
fn the_example_of_the_guide_is_accepted() {
    let guide = include_str!("../../docs/comm-toml.md");
    let example = guide.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let s = guarded(example);
    s.comm("doctor").succeeds();
}

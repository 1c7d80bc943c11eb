//! Tasks through the command line: ids, retries, edits, edges, lists, JSON.

use crate::support::Sandbox;

/// The ids in a JSON answer's `tasks`.
fn ids(answer: &serde_json::Value) -> Vec<String> {
    answer["tasks"].as_array().unwrap().iter().map(|t| t["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn ids_are_numbered_above_every_other_and_may_be_chosen() {
    let s = Sandbox::new();
    assert_eq!(s.add("one"), "bd-1");
    assert_eq!(s.add("--id parser-7 two"), "parser-7");
    assert_eq!(s.add("--id bd-40 three"), "bd-40");
    assert_eq!(s.add("four"), "bd-41");
    s.comm("add --id bd-1 other").exits(1);
    assert_eq!(s.task("41")["title"], "four", "a number stands for an id");
    assert_eq!(s.task("parser")["title"], "two", "a prefix that only one task has");
    s.comm("show bd-4").exits(4);
}

#[test]
fn the_prefix_of_ids_is_the_boards() {
    let s = Sandbox::with_init(&[]);
    s.comm("init --prefix web").succeeds();
    assert_eq!(s.add("one"), "web-1");
    s.comm("init --prefix other").succeeds();
    assert_eq!(s.add("two"), "web-2", "init again changes nothing");
}

#[test]
fn a_retried_add_is_no_second_task() {
    let s = Sandbox::new();
    assert_eq!(s.add("same"), "bd-1");
    let again = s.comm("add same").succeeds();
    assert_eq!(again.stdout, "bd-1\n");
    assert!(again.stderr.contains("--key"), "{}", again.stderr);
    assert_eq!(s.add("same -p 0"), "bd-2", "another request");
    assert_eq!(s.add("same --key x"), "bd-3");
    assert_eq!(s.add("different --key x"), "bd-3", "the key decides");
    assert_eq!(s.as_agent("ada", "add same").succeeds().stdout, "bd-4\n", "another agent");
    s.as_agent("ada", "comment bd-1 hello").succeeds();
    s.as_agent("ada", "comment bd-1 hello").succeeds();
    s.as_agent("bob", "comment bd-1 hello").succeeds();
    assert_eq!(s.task("bd-1")["comment_count"], 2);
}

#[test]
fn a_retried_add_finds_its_task_after_it_was_edited() {
    let s = Sandbox::new();
    s.add("same");
    s.comm("edit bd-1 --title changed").succeeds();
    s.as_agent("ada", "claim bd-1").succeeds();
    assert_eq!(s.add("same"), "bd-1");
}

#[test]
fn an_edit_changes_what_it_names_and_nothing_else() {
    let s = Sandbox::new();
    s.add("old -p 3 -t bug -l one,two --domain api -d text --assignee ada");
    s.comm("edit bd-1 --title new --add-label three --remove-label one").succeeds();
    s.comm("edit bd-1 --domain '' --assignee ''").succeeds();
    let task = s.task("bd-1");
    assert_eq!(task["title"], "new");
    assert_eq!(task["labels"], serde_json::json!(["three", "two"]));
    assert_eq!((task["priority"].as_u64(), task["type"].as_str()), (Some(3), Some("bug")));
    assert!(task["domain"].is_null() && task["assignee"].is_null());
    assert_eq!(task["description"], "text");
    let tip = s.git("rev-parse refs/comm-node/tasks/bd-1").succeeds().stdout;
    s.comm("edit bd-1 --title new").succeeds();
    assert_eq!(s.git("rev-parse refs/comm-node/tasks/bd-1").stdout, tip, "no change, no version");
    s.comm("edit bd-1").exits(129);
}

#[test]
fn the_text_of_a_task_can_come_from_a_file() {
    let s = Sandbox::new();
    std::fs::write(s.root().join("task.md"), "The title\n\nAnd the *rest*\nof it.\n").unwrap();
    s.add("-F ../task.md");
    let task = s.task("bd-1");
    assert_eq!(task["title"], "The title");
    assert_eq!(task["description"], "And the *rest*\nof it.");
    s.add("'Own title' -F ../task.md");
    assert!(s.task("bd-2")["description"].as_str().unwrap().starts_with("The title"));
    s.comm("add -F ../missing.md").exits(129);
}

#[test]
fn ready_work_is_offered_by_priority_then_by_what_it_unblocks_then_by_age() {
    let s = Sandbox::new();
    s.add("old");
    s.add("unblocks");
    s.add("urgent -p 0");
    s.add("waits --dep bd-2");
    s.add("later -p 4");
    assert_eq!(ids(&s.comm("ready --json").json()), ["bd-3", "bd-2", "bd-1", "bd-5"]);
    let next = s.as_agent("ada", "next --json").succeeds().json();
    assert_eq!(next["task"]["id"], "bd-3");
    let same = s.as_agent("ada", "next --json").succeeds().json();
    assert_eq!((same["task"]["id"].as_str(), same["granted"].as_bool()), (Some("bd-3"), Some(false)));
    assert_eq!(s.as_agent("ada", "next --another --json").json()["task"]["id"], "bd-2");
}

#[test]
fn an_agent_is_offered_what_is_meant_for_it() {
    let s = Sandbox::new();
    s.add("ui --domain ui -p 0");
    s.add("bobs -p 1 --assignee bob");
    s.add("api --domain api");
    s.add("any -p 3");
    s.as_agent("ada", "agent register --domain api").succeeds();
    assert_eq!(ids(&s.as_agent("ada", "ready --json").json()), ["bd-3", "bd-4"]);
    assert_eq!(s.as_agent("ada", "next --json").json()["task"]["id"], "bd-3");
    s.as_agent("ada", "claim bd-2").exits(1);
    s.as_agent("bob", "claim bd-2").succeeds();
}

#[test]
fn a_task_with_parts_is_not_offered_and_a_deferred_one_neither() {
    let s = Sandbox::new();
    s.add("epic -t epic");
    s.add("part --parent bd-1");
    s.add("later");
    s.comm("defer bd-3 --for 1h").succeeds();
    assert_eq!(ids(&s.comm("ready --json").json()), ["bd-2"]);
    s.comm("defer bd-3 --now").succeeds();
    assert_eq!(ids(&s.comm("ready --json").json()), ["bd-2", "bd-3"]);
    assert_eq!(ids(&s.comm("list --parent bd-1 --json").json()), ["bd-2"]);
    s.comm("dep add bd-1 parent:bd-2").exits(1);
    s.comm("cancel bd-2").succeeds();
    assert!(s.comm("status").stdout.contains("bd-1: all 1 parts are closed"));
}

#[test]
fn lists_filter_and_say_how_many_they_left_out() {
    let s = Sandbox::new();
    for i in 0..12 {
        s.add(&format!("'task {i}' -l {}", if i % 2 == 0 { "even" } else { "odd" }));
    }
    s.comm("cancel bd-1").succeeds();
    s.as_agent("ada", "claim bd-3").succeeds();
    assert_eq!(ids(&s.comm("list -l even --json").json()).len(), 5);
    assert_eq!(ids(&s.comm("list --state cancelled --json").json()), ["bd-1"]);
    assert_eq!(ids(&s.as_agent("ada", "list --mine --json").json()), ["bd-3"]);
    assert!(s.comm("list -n 3").stdout.ends_with("3 of 11 tasks\n"));
    assert_eq!(ids(&s.comm("list --all -n 0 --json").json()).len(), 12);
    assert_eq!(ids(&s.comm("search TASK 11 --json").json()), ["bd-12", "bd-11"]);
    s.comm("search nowhere").exits(1);
}

#[test]
fn the_shape_of_the_work_is_told() {
    let s = Sandbox::new();
    s.add("a");
    s.add("b --dep bd-1");
    s.add("c --dep bd-2");
    s.add("d --dep bd-1");
    let shape = s.comm("dep shape --json").succeeds().json();
    assert_eq!(shape["critical_path"], serde_json::json!(["bd-1", "bd-2", "bd-3"]));
    assert_eq!(shape["width"], 2);
    assert_eq!(shape["unblock_most"][0]["id"], "bd-1");
    assert_eq!(shape["unblock_most"][0]["count"], 3);
    assert_eq!(s.comm("dep tree bd-3").stdout, "bd-3 (open)\n  bd-2 (open)\n    bd-1 (open)\n");
    assert!(s.comm("dep tree bd-1 --up").stdout.contains("  bd-4 (open)\n"));
    s.comm("dep remove bd-4 bd-1").succeeds();
    s.comm("dep remove bd-4 bd-1").exits(4);
    assert!(s.task("bd-4")["blocked_by"].as_array().unwrap().is_empty());
}

#[test]
fn several_tasks_in_one_call_and_one_refusal_stops_none() {
    let s = Sandbox::new();
    for title in ["a", "b", "c"] {
        s.add(title);
    }
    s.as_agent("bob", "claim bd-2").succeeds();
    s.as_agent("ada", "close bd-1 bd-2 bd-3").exits(5);
    assert_eq!(s.task("bd-1")["state"], "done");
    assert_eq!(s.task("bd-2")["state"], "claimed");
    assert_eq!(s.task("bd-3")["state"], "done");
}

#[test]
fn words_of_other_tools_work() {
    let s = Sandbox::new();
    s.comm("create 'A bug' -t bug -p 1 -d 'It breaks' --labels x,y --format json").succeeds();
    s.comm("create --title second --deps blocks:bd-1").succeeds();
    let claimed = s.as_agent("ada", "update bd-1 --claim --json").succeeds().json();
    assert_eq!(claimed["granted"], true);
    s.as_agent("bob", "update bd-1 --status in_progress").exits(1);
    s.as_agent("ada", "heartbeat bd-1").succeeds();
    s.as_agent("ada", "close bd-1 --reason 'Fixed it'").succeeds();
    assert_eq!(s.task("bd-1")["outcome"]["reason"], "Fixed it");
    s.as_agent("ada", "update bd-2 --status in_progress").succeeds();
    s.as_agent("ada", "update bd-2 --status open").succeeds();
    assert_eq!(s.task("bd-2")["state"], "open");
    s.comm("list --status open").succeeds();
    s.comm("dep add bd-2 bd-1").succeeds();
}

#[test]
fn plain_git_reads_a_tasks_history() {
    let s = Sandbox::new();
    s.add("'Write the parser'");
    s.as_agent("ada", "claim bd-1").succeeds();
    s.as_agent("ada", "comment bd-1 'half way'").succeeds();
    s.as_agent("ada", "close bd-1 --reason 'all green'").succeeds();
    let log = s.git("log --format='%an: %s' refs/comm-node/tasks/bd-1").succeeds().stdout;
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines[0], "ada: close bd-1 by ada: all green");
    assert_eq!(lines[1], "ada: comment bd-1: half way");
    assert!(lines[2].starts_with("ada: claim bd-1: ada until "), "{log}");
    assert_eq!(lines[3], "kai-conductor: create bd-1: Write the parser");
    let refs = s.git("for-each-ref --format='%(refname)' refs/comm-node").succeeds().stdout;
    assert!(refs.lines().any(|r| r == "refs/comm-node/tasks/bd-1"));
    s.git("fsck --strict").succeeds();
}

/// The rules say where an agent works, whether or not it said so itself.
#[test]
fn what_is_offered_follows_the_rules() {
    let s = crate::commits::guarded(crate::hooks_support::RULES);
    s.add("api --domain api -p 0");
    s.add("web --domain web");
    s.add("any -p 4");
    let titles = |agent: &str| -> Vec<String> {
        let ready = s.as_agent(agent, "ready --json").succeeds().json();
        ready["tasks"].as_array().unwrap().iter().map(|t| t["title"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(titles("ada"), ["api", "any"]);
    assert_eq!(titles("bob"), ["web", "any"]);
    assert_eq!(titles("eve"), ["api", "web", "any"]);
    let next = s.as_agent("bob", "next --json").succeeds().json();
    assert_eq!(next["task"]["title"], "web");
    s.as_agent("ada", "msg send --to domain:web 'see to it'").succeeds();
    assert!(s.as_agent("bob", "inbox").succeeds().stdout.contains("see to it"));
    assert!(!s.as_agent("eve", "inbox").stdout.contains("see to it"));
    s.as_agent("bob", "release").succeeds();
    s.as_agent("bob", "next --another").succeeds();
    let nothing = s.as_agent("bob", "next --another").succeeds();
    assert!(nothing.stdout.contains("any"), "{}", nothing.stdout);
    let nothing = s.as_agent("bob", "next --another").exits(1);
    assert!(nothing.stderr.contains("nothing is ready in domain web"), "{}", nothing.stderr);
}

/// What may be a slip of the finger is taken, and told.
#[test]
fn names_that_nobody_bears_are_told() {
    let s = crate::commits::guarded(crate::hooks_support::RULES);
    s.as_agent("carol", "agent register").succeeds();
    for (words, says) in [
        ("msg send --to carrol x", "nobody is known as `carrol`; did you mean `carol`?"),
        ("msg send --to zoe x", "nobody is known as `zoe` yet"),
        ("msg send --to domain:wbe x", "comm.toml has no domain `wbe`; did you mean `web`?"),
        ("add one --domain apis", "comm.toml has no domain `apis`; did you mean `api`?"),
        ("add two -a adaa", "nobody is known as `adaa`; did you mean `ada`?"),
        ("edit bd-1 --domain nowhere", "comm.toml has no domain `nowhere`"),
    ] {
        let run = s.comm(words).succeeds();
        assert!(run.stderr.contains(says), "{words}: {}", run.stderr);
    }
    let paused = s.as_person("pause carolle");
    assert!(paused.stderr.contains("did you mean `carol`?"), "{paused:?}");
    for words in [
        "msg send --to ada x",
        "msg send --to all x",
        "add three -a zoe --domain web",
        "msg send --to carol x",
    ] {
        assert_eq!(s.comm(words).succeeds().stderr, "", "{words}");
    }
}

#[test]
fn a_hand_over_is_of_what_is_held() {
    let s = Sandbox::new();
    s.add("one");
    s.as_agent("bob", "agent register").succeeds();
    s.as_agent("ada", "handover --to bob").exits(4);
    s.as_agent("ada", "claim bd-1").succeeds();
    s.as_agent("ada", "handover --to bob").succeeds();
    assert_eq!(s.task("bd-1")["claim"]["agent"], "bob");
}

/// What was asked for and not done is said.
#[test]
fn what_was_not_done_is_told() {
    let s = crate::commits::guarded(crate::hooks_support::RULES);
    s.add("'the first' --key same");
    let again = s.comm("add 'quite another' --key same").succeeds();
    assert!(
        again.stderr.contains("`bd-1`, another task, was added under the key `same` before"),
        "{}",
        again.stderr
    );
    let kept = s.comm("init --prefix other").succeeds();
    assert!(
        kept.stderr.contains("`other` was not taken: the ids of this board start with `bd`"),
        "{}",
        kept.stderr
    );
    let digits = s.comm("add --id 7 title").exits(129);
    assert!(digits.stderr.contains("an id of digits alone"), "{}", digits.stderr);
    s.as_person("pause domain:api").succeeds();
    let all = s.as_person("resume");
    assert!(all.stdout.contains("all is not paused; these are: domain:api"), "{all:?}");
    let refused = s.as_agent("ada", "pause").exits(5);
    assert!(refused.stderr.contains("and you are `ada` (GIT_COMM_AGENT)"), "{}", refused.stderr);
    let domain = s.comm("worktree add x --domain wbe").exits(4);
    assert!(domain.stderr.contains("did you mean `web`?"), "{}", domain.stderr);
    let alone = s.comm("worktree add y --domain web").succeeds();
    assert!(alone.stderr.contains("to no agent"), "{}", alone.stderr);
    s.as_person("resume domain:api").succeeds();
    s.as_agent("ada", "claim bd-1").succeeds();
    let mut other = s.agent_command("ada");
    other.env("GIT_COMM_SESSION", "2").args(["release", "bd-1"]);
    let other = crate::support::Run::of(&other.output().unwrap(), "release").exits(5);
    assert!(other.stderr.contains("is held by another session of ada"), "{}", other.stderr);
}

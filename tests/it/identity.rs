//! Who may do what: agents, the person, scripts, harnesses.

use std::process::Command;

use crate::support::{Run, Sandbox, has_tool, program};

/// Runs the program on a terminal, as a person does.
fn on_terminal(s: &Sandbox, words: &str) -> Run {
    let line = format!("{} {words}", program().display());
    let mut command: Command = s.bare_command("script", s.repo());
    command.args(["-qec", &line, "/dev/null"]);
    Run::of(&command.output().unwrap(), words)
}

#[test]
fn without_a_name_a_script_writes_tasks_but_holds_nothing() {
    let s = Sandbox::new();
    s.add("one");
    for words in ["claim bd-1", "next", "renew bd-1", "release bd-1"] {
        let refused = s.comm(words).exits(5);
        assert!(refused.stderr.contains("git comm agent register NAME"), "{}", refused.stderr);
    }
    s.as_agent("ada", "claim bd-1").succeeds();
    s.comm("close bd-1").exits(5);
    s.comm("comment bd-1 seen").succeeds();
    s.as_agent("ada", "release bd-1").succeeds();
    s.comm("close bd-1").succeeds();
}

#[test]
fn under_a_harness_a_caller_without_a_name_only_reads() {
    let s = Sandbox::new();
    s.add("one");
    let harness = |words: &[&str]| {
        let mut command = s.command();
        command.env("CLAUDECODE", "1").args(words);
        Run::of(&command.output().unwrap(), "harness")
    };
    harness(&["list"]).succeeds();
    harness(&["ready"]).succeeds();
    harness(&["add", "two"]).exits(5);
    harness(&["claim", "bd-1"]).exits(5);
    harness(&["--as-person", "pause"]).exits(5);
    harness(&["--agent", "ada", "claim", "bd-1"]).succeeds();
}

#[test]
fn the_persons_acts_need_a_terminal_or_the_secret_it_left() {
    if !has_tool("script", &["--version"]) {
        return;
    }
    let s = Sandbox::new();
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    for words in ["steal bd-1 --reason stuck", "pause", "resume"] {
        s.comm(words).exits(5);
        s.as_agent("ada", words).exits(5);
        s.comm(&format!("--as-person {words}")).exits(5);
    }
    on_terminal(&s, "init").succeeds();
    s.comm("--as-person pause --reason lunch").succeeds();
    let refused = s.as_agent("bob", "claim bd-1").exits(5);
    assert!(refused.stderr.contains("paused by kai-conductor: lunch"), "{}", refused.stderr);
    s.comm("--as-person resume").succeeds();
    let stolen = on_terminal(&s, "steal bd-1 --reason stuck");
    assert!(stolen.stdout.contains("taken over from ada"), "{}", stolen.stdout);
    s.as_agent("ada", "close bd-1").exits(5);
    assert_eq!(s.task("bd-1")["claim"]["agent"], "kai-conductor");
    on_terminal(&s, "release bd-1").succeeds();
    s.as_agent("ada", "claim bd-1").succeeds();
}

#[test]
fn a_paused_agent_is_told_so_even_where_there_is_no_work() {
    if !has_tool("script", &["--version"]) {
        return;
    }
    let s = Sandbox::new();
    on_terminal(&s, "init").succeeds();
    s.comm("--as-person pause").succeeds();
    s.as_agent("ada", "next").exits(5);
}

#[test]
fn no_name_of_an_agent_takes_the_persons_acts_from_it() {
    if !has_tool("script", &["--version"]) {
        return;
    }
    let s = Sandbox::new();
    s.add("one");
    s.as_agent("kai-conductor", "claim bd-1").succeeds();
    on_terminal(&s, "pause").succeeds();
    s.as_agent("ada", "next").exits(5);
    on_terminal(&s, "resume").succeeds();
    on_terminal(&s, "steal bd-1 --reason back").succeeds();
}

#[test]
fn a_pause_binds_hand_overs_and_the_domains_that_the_rules_give() {
    if !has_tool("script", &["--version"]) {
        return;
    }
    let s = Sandbox::new();
    std::fs::write(s.repo().join("comm.toml"), "[domains.api]\nagent = 'ada'\n").unwrap();
    s.git("add comm.toml").succeeds();
    s.git("commit -q -m rules").succeeds();
    s.add("one");
    s.add("two");
    s.as_agent("cid", "claim bd-2").succeeds();
    s.as_agent("bob", "agent register").succeeds();
    on_terminal(&s, "pause domain:api").succeeds();
    s.as_agent("ada", "claim bd-1").exits(5);
    on_terminal(&s, "pause bob").succeeds();
    s.as_agent("cid", "handover bd-2 --to bob").exits(5);
    on_terminal(&s, "resume bob").succeeds();
    s.as_agent("cid", "handover bd-2 --to bob").succeeds();
}

#[test]
fn a_name_is_an_agents_or_the_persons_never_both() {
    if !has_tool("script", &["--version"]) {
        return;
    }
    let s = Sandbox::new();
    s.add("one");
    on_terminal(&s, "claim bd-1").succeeds();
    s.as_agent("kai-conductor", "close bd-1").exits(5);
    let other = Sandbox::new();
    other.as_agent("kai-conductor", "agent register").succeeds();
    other.comm("add one").exits(5);
    other.comm("list").succeeds();
}

#[test]
fn an_agent_is_named_by_option_variable_or_configuration_in_that_order() {
    let s = Sandbox::new();
    let name = |command: &mut Command| {
        let run = Run::of(&command.args(["whoami", "--json"]).output().unwrap(), "whoami").succeeds().json();
        (run["kind"].as_str().unwrap().to_owned(), run["name"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(name(&mut s.command()), ("script".into(), "kai-conductor".into()));
    s.git("config comm.agent configured").succeeds();
    assert_eq!(name(&mut s.command()).1, "configured");
    assert_eq!(name(&mut s.agent_command("variable")).1, "variable");
    assert_eq!(name(s.agent_command("variable").args(["--agent", "option"])).1, "option");
    let mut nobody = s.command();
    s.git("config --unset comm.agent").succeeds();
    nobody.env_remove("GIT_AUTHOR_NAME");
    assert_eq!(name(&mut nobody).0, "nobody");
}

#[test]
fn agents_announce_themselves_and_are_listed_with_what_they_hold() {
    let s = Sandbox::new();
    s.add("one");
    s.comm("agent register ada --domain api --model m-1 --role backend").succeeds();
    s.as_agent("ada", "claim bd-1").succeeds();
    s.as_agent("bob", "agent heartbeat").succeeds();
    let list = s.comm("agent list --json").succeeds().json();
    let (ada, bob) = (&list["agents"][0], &list["agents"][1]);
    assert_eq!((ada["name"].as_str(), ada["state"].as_str()), (Some("ada"), Some("busy")));
    assert_eq!((ada["domain"].as_str(), ada["model"].as_str()), (Some("api"), Some("m-1")));
    assert_eq!(ada["holds"][0]["id"], "bd-1");
    assert_eq!((bob["name"].as_str(), bob["state"].as_str()), (Some("bob"), Some("idle")));
    s.as_agent("bob", "agent retire ada").exits(5);
    s.as_agent("ada", "agent retire").exits(129);
    s.as_agent("ada", "release").succeeds();
    s.as_agent("ada", "agent retire").succeeds();
    s.as_agent("bob", "handover bd-1 --to ada").exits(4);
}

/// Whoever sits at the terminal keeps its name, and gets it back.
#[test]
fn no_agent_locks_the_person_out() {
    if !has_tool("script", &["--version"]) {
        return;
    }
    let s = Sandbox::with_init(&[]);
    // Before the person made itself known, an agent may take its name.
    s.comm("init").succeeds();
    s.as_agent("kai-conductor", "agent register").succeeds();
    let refused = on_terminal(&s, "add one");
    assert_eq!(refused.code, 5);
    assert!(refused.stdout.contains("git comm agent retire kai-conductor"), "{}", refused.stdout);
    on_terminal(&s, "agent retire kai-conductor").succeeds();
    on_terminal(&s, "add one").succeeds();
    on_terminal(&s, "claim bd-1").succeeds();
    let refused = s.as_agent("kai-conductor", "agent register").exits(5);
    assert!(refused.stderr.contains("is the name of a person here"), "{}", refused.stderr);
    // From then on init keeps it.
    let s = Sandbox::with_init(&[]);
    on_terminal(&s, "init").succeeds();
    s.as_agent("kai-conductor", "agent register").exits(5);
    s.as_agent("kai-conductor", "add one").exits(5);
    assert_eq!(s.comm("agent list --json").json()["agents"], serde_json::json!([]));
}

#[test]
fn an_agent_has_a_name_of_its_own() {
    let s = Sandbox::new();
    for name in ["all", "person"] {
        let refused = s.as_agent(name, "agent register").exits(129);
        assert!(refused.stderr.contains("stands for somebody else"), "{}", refused.stderr);
        s.comm(&format!("worktree add x --agent {name}")).exits(129);
    }
}

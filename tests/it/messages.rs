//! Messages, notes and the log through the command line.

use crate::support::Sandbox;

fn bodies(answer: &serde_json::Value) -> Vec<String> {
    answer["messages"].as_array().unwrap().iter().map(|m| m["body"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_message_is_shown_once_to_whom_it_is_for() {
    let s = Sandbox::new();
    s.as_agent("ada", "agent register --domain api").succeeds();
    s.as_agent("bob", "msg send --to ada 'to ada'").succeeds();
    s.as_agent("bob", "msg send --to domain:api 'to the domain'").succeeds();
    s.as_agent("cid", "msg send --to all 'to all'").succeeds();
    s.as_agent("cid", "msg send --to dan 'to another'").succeeds();
    s.as_agent("cid", "msg send --to person 'to the person'").succeeds();
    let inbox = s.as_agent("ada", "inbox --json").succeeds().json();
    assert_eq!(bodies(&inbox), ["to ada", "to the domain", "to all"]);
    assert_eq!(inbox["messages"][0]["from"], "bob");
    assert!(bodies(&s.as_agent("ada", "inbox --json").json()).is_empty());
    assert_eq!(bodies(&s.as_agent("ada", "inbox --all --json").json()).len(), 3);
    s.as_agent("bob", "msg send --to ada later").succeeds();
    assert_eq!(bodies(&s.as_agent("ada", "inbox --peek --json").json()), ["later"]);
    assert_eq!(bodies(&s.as_agent("ada", "inbox --json").json()), ["later"]);
}

#[test]
fn a_bounded_inbox_leaves_the_rest_unread() {
    let s = Sandbox::new();
    for i in 0..7 {
        s.as_agent(if i % 2 == 0 { "bob" } else { "cid" }, &format!("msg send --to ada m{i}")).succeeds();
        s.as_agent("bob", &format!("msg send --to dan x{i}")).succeeds();
    }
    let mut seen = Vec::new();
    for expected_more in [4, 1, 0] {
        let inbox = s.as_agent("ada", "inbox -n 3 --json").succeeds().json();
        assert_eq!(inbox["more"], expected_more);
        seen.extend(bodies(&inbox));
    }
    assert_eq!(seen, ["m0", "m1", "m2", "m3", "m4", "m5", "m6"]);
}

#[test]
fn a_retried_send_is_no_second_message() {
    let s = Sandbox::new();
    for _ in 0..3 {
        s.as_agent("bob", "msg send --to ada same").succeeds();
    }
    s.as_agent("cid", "msg send --to ada same").succeeds();
    s.as_agent("bob", "msg send --to ada one --key k").succeeds();
    s.as_agent("bob", "msg send --to ada two --key k").succeeds();
    assert_eq!(bodies(&s.as_agent("ada", "inbox --json").json()), ["same", "same", "one"]);
}

#[test]
fn what_an_agent_wrote_is_shown_as_quoted_data() {
    let s = Sandbox::new();
    std::fs::write(s.root().join("body"), "line one\n\u{1b}[31merror: run this\u{202e}\n").unwrap();
    s.as_agent("bob", "msg send --to ada -F ../body").succeeds();
    let text = s.as_agent("ada", "inbox").succeeds().stdout;
    assert!(text.contains("from bob to ada\n> line one\n> \\u{1b}[31merror: run this\\u{202e}\n"), "{text}");
}

#[test]
fn many_senders_at_once_lose_nothing() {
    let s = Sandbox::new();
    let children: Vec<_> = (0..12)
        .map(|i| {
            let mut command = s.agent_command(["bob", "cid", "dan"][i % 3]);
            command.args(["msg", "send", "--to", "ada", &format!("message {i}")]);
            command.stdout(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let mut got = bodies(&s.as_agent("ada", "inbox --json").json());
    got.sort();
    let mut expected: Vec<String> = (0..12).map(|i| format!("message {i}")).collect();
    expected.sort();
    assert_eq!(got, expected);
}

#[test]
fn the_log_tells_everything_in_causal_order_and_filters() {
    let s = Sandbox::new();
    s.add("one");
    s.as_agent("ada", "claim bd-1").succeeds();
    s.as_agent("ada", "log note 'looks hard' --task bd-1").succeeds();
    s.as_agent("ada", "msg send --to bob help").succeeds();
    s.as_agent("ada", "close bd-1").succeeds();
    s.add("two");
    let verbs = |words: &str| -> Vec<String> {
        let log = s.comm(&format!("log --json {words}")).succeeds().json();
        let events = log["events"].as_array().unwrap();
        events.iter().map(|e| e["event"]["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(verbs(""), ["init", "create", "claim", "heartbeat", "note", "send", "close", "create"]);
    assert_eq!(verbs("bd-1"), ["create", "claim", "note", "close"]);
    assert_eq!(verbs("--by ada --kind task"), ["claim", "close"]);
    assert_eq!(verbs("--kind note,send"), ["note", "send"]);
    assert_eq!(verbs("-n 2"), ["close", "create"]);
    assert_eq!(verbs("--since 1h").len(), 8);
    assert!(verbs("--since 2099-01-01T00:00:00Z").is_empty());
    s.comm("log --since soon").exits(129);
    let at: Vec<String> = s.comm("log --json").json()["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["at"].as_str().unwrap().to_owned())
        .collect();
    assert!(at.windows(2).all(|w| w[0] < w[1]), "{at:?}");
}

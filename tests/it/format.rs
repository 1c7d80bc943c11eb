//! Another program reads and writes the records, knowing only
//! `docs/format.md` and plain git.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Stdio;

use serde_json::{Map, Value, json};

use crate::harness::call;
use crate::support::{Run, Sandbox, seamed_program};
use crate::worktrees::{place, write};

const CLONE: &str = "0123456789ab";
const SESSION: &str = "elsewhere";

/// A version as the document describes it.
struct Version {
    oid: String,
    envelope: Map<String, Value>,
    event: Value,
    state: Value,
}

/// Runs git with `input`; its answer without the line feed, if it is content.
fn git(s: &Sandbox, words: &[&str], input: &[u8]) -> Option<String> {
    let mut command = s.bare_command("git", s.repo());
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let out = child.wait_with_output().unwrap();
    out.status.success().then(|| String::from_utf8(out.stdout).unwrap().trim_end().to_owned())
}

#[track_caller]
fn must(s: &Sandbox, words: &[&str], input: &[u8]) -> String {
    git(s, words, input).unwrap_or_else(|| panic!("git {words:?}"))
}

fn full(name: &str) -> String {
    format!("refs/comm-node/{name}")
}

/// The version that a commit is.
fn parse(s: &Sandbox, oid: &str) -> Version {
    let message = must(s, &["show", "-s", "--format=%B", oid], b"");
    let (summary, json) = message.split_once("\n\n").unwrap();
    assert!(!summary.contains('\n') && !json.contains('\n'), "{message}");
    let mut envelope: Map<String, Value> = serde_json::from_str(json).unwrap();
    let mut large = |field: &str| {
        let value = envelope.remove(field).unwrap();
        match value.as_object().filter(|o| o.len() == 1).and_then(|o| o.get("file")?.as_str()) {
            None => value,
            Some(file) => {
                serde_json::from_str(&must(s, &["cat-file", "blob", &format!("{oid}:{file}")], b"")).unwrap()
            }
        }
    };
    let (event, state) = (large("event"), large("state"));
    Version { oid: oid.to_owned(), envelope, event, state }
}

fn read(s: &Sandbox, name: &str) -> Version {
    parse(s, &must(s, &["rev-parse", "--verify", &full(name)], b""))
}

fn history(s: &Sandbox, name: &str) -> Vec<Version> {
    must(s, &["rev-list", "--reverse", &full(name)], b"").lines().map(|oid| parse(s, oid)).collect()
}

fn nonce(s: &Sandbox, seed: &str) -> String {
    must(s, &["hash-object", "--stdin"], seed.as_bytes())[..32].to_owned()
}

/// One microsecond later, but within the same second.
fn tick(at: &str) -> String {
    let micros: u32 = at[20..26].parse().unwrap();
    format!("{}{:06}Z", &at[..20], (micros + 1).min(999_999))
}

/// Publishes a version of `name` after `before`, written by `agent`. Says
/// whether git moved the ref.
fn publish(
    s: &Sandbox,
    name: &str,
    kind: &str,
    before: Option<&Version>,
    agent: &str,
    event: Value,
    state: &Value,
) -> bool {
    let meta = read(s, "meta");
    let id = if kind == "chain" { name } else { name.rsplit('/').next().unwrap() };
    let at = before.map_or_else(|| meta.envelope["at"].clone(), |b| b.envelope["at"].clone());
    let at = tick(at.as_str().unwrap());
    let seq = before.map_or(1, |b| b.envelope["seq"].as_u64().unwrap() + 1);
    let own = if event["type"] == "claim" || event["type"] == "create" {
        fence_nonce(state)
    } else {
        nonce(s, &format!("{name}{seq}"))
    };
    let mut tree = String::new();
    let mut place = |field: &str, value: &Value| {
        if value.to_string().len() <= 16 * 1024 {
            return value.clone();
        }
        let blob = must(s, &["hash-object", "-w", "--stdin"], value.to_string().as_bytes());
        tree.push_str(&format!("100644 blob {blob}\t{field}.json\n"));
        json!({ "file": format!("{field}.json") })
    };
    let (event, state) = (place("event", &event), place("state", state));
    let record = json!({
        "v": 1, "kind": kind, "id": id, "board": meta.state["boards"][0], "seq": seq, "nonce": own, "at": at,
        "clone": CLONE, "agent": agent, "session": SESSION, "event": event, "state": state,
    });
    let tree = must(s, &["mktree"], tree.as_bytes());
    let mut words = vec!["commit-tree", &tree];
    if let Some(before) = before {
        words.extend(["-p", &before.oid]);
    }
    let commit = must(s, &words, format!("written by another program\n\n{record}\n").as_bytes());
    let zeros = "0".repeat(commit.len());
    let old = before.map_or(zeros.as_str(), |b| &b.oid);
    git(s, &["update-ref", &full(name), &commit, old], b"").is_some()
}

fn fence_nonce(state: &Value) -> String {
    state["phase"]["fence"]["nonce"].as_str().unwrap().to_owned()
}

/// A claim of `task` by `agent`, with its event.
fn claim(s: &Sandbox, task: &Version, agent: &str, (granted_at, expires_at): (&str, &str)) -> (Value, Value) {
    let mut state = task.state.clone();
    let token = state["token_floor"].as_u64().unwrap() + 1;
    let claim = json!({
        "agent": agent, "session": SESSION, "clone": CLONE, "granted_at": granted_at, "ttl": 60,
        "expires_at": expires_at,
    });
    state["token_floor"] = token.into();
    state["phase"] = json!({
        "state": "claimed", "fence": { "token": token, "nonce": nonce(s, &format!("grant {token}")) }, "claim": claim,
    });
    (json!({ "type": "claim", "claim": claim }), state)
}

const LONG_AGO: (&str, &str) = ("2020-01-01T00:00:00.000000Z", "2020-01-01T00:01:00.000000Z");
const FAR_AHEAD: (&str, &str) = ("2020-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z");

#[test]
fn another_program_reads_a_task() {
    let s = Sandbox::new();
    s.add("'Write the parser' -p 1 -l ui,api --domain web -d words");
    s.add("'Test it' --dep bd-1");
    s.as_agent("ada", "claim bd-1 --ttl 5m").succeeds();
    s.as_agent("ada", "comment bd-1 'half done'").succeeds();
    s.as_agent("ada", "close bd-1 --reason parsed").succeeds();

    let versions = history(&s, "tasks/bd-1");
    let types: Vec<&str> = versions.iter().map(|v| v.event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["create", "claim", "comment", "close"]);
    for (i, version) in versions.iter().enumerate() {
        let envelope = &version.envelope;
        assert_eq!(
            (&envelope["v"], &envelope["kind"], &envelope["id"]),
            (&json!(1), &json!("task"), &json!("bd-1"))
        );
        assert_eq!(envelope["seq"], i + 1);
        assert_eq!(envelope["board"], read(&s, "meta").state["boards"][0]);
        assert_eq!(envelope["nonce"].as_str().unwrap().len(), 32);
        assert!(i == 0 || envelope["at"].as_str() > versions[i - 1].envelope["at"].as_str());
    }
    let task = &versions[3].state;
    assert_eq!(task["labels"], json!(["api", "ui"]));
    assert_eq!(
        (&task["type"], &task["priority"], &task["domain"]),
        (&json!("task"), &json!(1), &json!("web"))
    );
    assert_eq!(versions[2].event["body"], "half done");
    assert_eq!((&task["comments"]["count"], &task["comments"]["last_by"]), (&json!(1), &json!("ada")));
    // The claim's fence is the floor and the granting version's nonce, and
    // what ended it was done under it.
    let fence = json!({ "token": 1, "nonce": versions[1].envelope["nonce"] });
    assert_eq!(versions[1].state["phase"]["fence"], fence);
    assert_eq!(versions[1].state["phase"]["claim"]["ttl"], 300);
    assert_eq!((&versions[3].event["under"], &task["phase"]["fence"]), (&fence, &fence));
    assert_eq!(
        (&task["phase"]["state"], &task["phase"]["outcome"]["reason"]),
        (&json!("done"), &json!("parsed"))
    );
    let edge = json!([{ "type": "blocks", "id": "bd-1", "root": versions[0].oid }]);
    assert_eq!(read(&s, "tasks/bd-2").state["deps"], edge);
}

#[test]
fn what_another_program_writes_counts() {
    let s = Sandbox::new();
    s.add("one");
    // A comment.
    let task = read(&s, "tasks/bd-1");
    let mut state = task.state.clone();
    state["comments"] = json!({ "count": 1, "last_by": "eve", "last_at": task.envelope["at"] });
    let event = json!({ "type": "comment", "body": "seen from elsewhere" });
    assert!(publish(&s, "tasks/bd-1", "task", Some(&task), "eve", event.clone(), &state));
    assert!(!publish(&s, "tasks/bd-1", "task", Some(&task), "eve", event, &state), "the ref has moved");
    assert_eq!(s.task("bd-1")["comments"][0]["body"], "seen from elsewhere");
    // A claim.
    let task = read(&s, "tasks/bd-1");
    let (event, state) = claim(&s, &task, "eve", FAR_AHEAD);
    assert!(publish(&s, "tasks/bd-1", "task", Some(&task), "eve", event, &state));
    let refused = s.as_agent("ada", "claim bd-1").exits(1);
    assert!(refused.stderr.starts_with("error: task `bd-1` is held by eve until "), "{}", refused.stderr);
    s.as_agent("ada", "close bd-1").exits(5);
    let shown = s.task("bd-1");
    assert_eq!((&shown["claim"]["agent"], &shown["claim"]["token"]), (&json!("eve"), &json!(1)));
    // A task, an agent, a message.
    let fence = json!({ "token": 0, "nonce": nonce(&s, "made") });
    let made = json!({
        "title": "from elsewhere", "type": "bug", "priority": 0, "phase": { "state": "open", "fence": fence },
        "token_floor": 0, "created_by": "eve", "created_at": "2026-01-01T00:00:00.000000Z",
        "deps": [{ "type": "blocks", "id": "bd-1" }],
    });
    let event = json!({ "type": "create", "title": "from elsewhere", "kind": "bug", "priority": 0 });
    assert!(publish(&s, "tasks/eve-7", "task", None, "eve", event, &made));
    assert_eq!(s.task("eve-7")["blocked_by"], json!(["bd-1"]));
    let session = json!({ "heartbeat": { "at": "2026-01-01T00:00:00.000000Z", "clone": CLONE } });
    let agent = json!({ "domain": "web", "registered_at": "2026-01-01T00:00:00.000000Z", "sessions": { SESSION: session } });
    let event = json!({ "type": "register", "domain": "web", "session": session });
    assert!(publish(&s, "agents/eve", "agent", None, "eve", event, &agent));
    let agents = s.comm("agent list --json").succeeds().json();
    assert_eq!(
        (&agents["agents"][0]["name"], &agents["agents"][0]["state"]),
        (&json!("eve"), &json!("busy"))
    );
    let chain = format!("messages/eve/{CLONE}.1");
    let event = json!({ "type": "send", "to": "ada", "body": "hello from elsewhere" });
    assert!(publish(&s, &chain, "chain", None, "eve", event, &json!({ "entries": 1 })));
    let inbox = s.as_agent("ada", "inbox --json").succeeds().json();
    assert_eq!(
        (&inbox["messages"][0]["from"], &inbox["messages"][0]["body"]),
        (&json!("eve"), &json!("hello from elsewhere"))
    );
    assert_eq!(read(&s, "agents/ada").state["cursors"], json!({ chain.as_str(): read(&s, &chain).oid }));
}

#[test]
fn a_lease_of_elsewhere_ends_as_described() {
    let s = Sandbox::new();
    s.add("one");
    let task = read(&s, "tasks/bd-1");
    let (event, state) = claim(&s, &task, "eve", LONG_AGO);
    assert!(publish(&s, "tasks/bd-1", "task", Some(&task), "eve", event, &state));
    // Over by its own time, but this clone has not watched it for 60 seconds.
    let claim_at = |boot: &str| {
        let mut command = s.bare_command(seamed_program(), s.repo());
        command.env("GIT_COMM_AGENT", "ada").env("GIT_COMM_TEST_BOOT", boot).args(["claim", "bd-1"]);
        Run::of(&command.output().unwrap(), "claim bd-1")
    };
    claim_at("@1000").exits(1);
    claim_at("@1059").exits(1);
    claim_at("@1060").succeeds();
    let taken = read(&s, "tasks/bd-1");
    assert_eq!((&taken.event["from"], &taken.state["phase"]["fence"]["token"]), (&json!("eve"), &json!(2)));
    assert_eq!(taken.envelope["nonce"], taken.state["phase"]["fence"]["nonce"]);
}

#[test]
fn large_values_are_in_the_tree() {
    let s = Sandbox::new();
    let text = "word ".repeat(20 * 1024);
    std::fs::write(s.repo().join("text"), &text).unwrap();
    s.add("one -F text");
    let task = read(&s, "tasks/bd-1");
    assert_eq!(task.state["description"], text.as_str());
    let listed = must(&s, &["ls-tree", "--name-only", &task.oid], b"");
    assert_eq!(listed.lines().collect::<Vec<_>>(), ["event.json", "state.json"]);
    // And the other way round.
    let mut state = task.state.clone();
    state["comments"] = json!({ "count": 1, "last_by": "eve", "last_at": task.envelope["at"] });
    let event = json!({ "type": "comment", "body": text });
    assert!(publish(&s, "tasks/bd-1", "task", Some(&task), "eve", event, &state));
    assert_eq!(s.task("bd-1")["comments"][0]["body"], text.as_str());
}

/// Adds a field of a newer writer to every object that may gain one.
fn grow(value: &mut Value, name: &str) {
    let closed = ["fence", "deps", "heartbeat", "boot", "cursors"].contains(&name);
    let Some(object) = value.as_object_mut().filter(|_| !closed) else { return };
    object.iter_mut().for_each(|(name, value)| grow(value, name));
    if !["sessions", "pauses"].contains(&name) {
        object.insert("x_newer".into(), json!([name, { "deep": null }]));
    }
}

/// How many such fields there are.
fn grown(value: &Value) -> usize {
    match value {
        Value::Array(values) => values.iter().map(grown).sum(),
        Value::Object(fields) => fields.iter().map(|(k, v)| if k == "x_newer" { 1 } else { grown(v) }).sum(),
        _ => 0,
    }
}

/// Lets a newer writer add fields to the record, then `act`; all are there.
#[track_caller]
fn check_kept(s: &Sandbox, name: &str, kind: &str, fields: usize, act: impl Fn()) {
    let before = read(s, name);
    let mut state = before.state.clone();
    grow(&mut state, "state");
    assert_eq!(grown(&state), fields, "{state}");
    assert!(publish(s, name, kind, Some(&before), "eve", json!({ "type": "newer_event", "x": 1 }), &state));
    let newer = read(s, name);
    act();
    let after = read(s, name);
    assert_ne!(after.oid, newer.oid, "the act wrote a version");
    assert_eq!(grown(&after.state), fields, "{}", after.state);
}

#[test]
fn fields_of_a_newer_writer_survive() {
    let s = Sandbox::new();
    s.add("one");
    s.add("two");
    s.as_agent("ada", "agent register --domain web").succeeds();
    s.as_agent("ada", "claim bd-1").succeeds();
    s.comm("comment bd-1 first").succeeds();
    let run = |words: &str| s.as_agent("ada", words).succeeds();
    // The state, its phase, claim and comments.
    check_kept(&s, "tasks/bd-1", "task", 4, || drop(run("comment bd-1 second")));
    check_kept(&s, "tasks/bd-1", "task", 4, || drop(run("edit bd-1 --title other -p 0 --add-label x")));
    check_kept(&s, "tasks/bd-1", "task", 4, || drop(run("dep add bd-1 bd-2")));
    check_kept(&s, "tasks/bd-1", "task", 4, || drop(run("renew bd-1 --ttl 9m")));
    run("close bd-1");
    check_kept(&s, "tasks/bd-1", "task", 4, || drop(run("comment bd-1 third")));
    // The state and its session.
    check_kept(&s, "agents/ada", "agent", 2, || drop(run("agent heartbeat")));
    check_kept(&s, "agents/ada", "agent", 2, || drop(run("agent register --role tester")));
    run("msg send --to all one");
    let chain = must(&s, &["for-each-ref", "--format=%(refname)", "refs/comm-node/messages"], b"");
    let chain = chain.strip_prefix("refs/comm-node/").unwrap();
    check_kept(&s, chain, "chain", 1, || drop(run("msg send --to all two")));
    let log = s.comm("log -n 0 --json").succeeds().json()["events"].to_string();
    assert!(log.contains("newer_event"), "{log}");
}

#[test]
fn refs_of_a_newer_writer_are_left_alone() {
    let s = Sandbox::new();
    s.add("one");
    let commit = must(&s, &["rev-parse", "HEAD"], b"");
    for name in ["reservations", "artifacts/web/api", "archive/0f"] {
        must(&s, &["update-ref", &full(name), &commit], b"");
    }
    for words in ["list", "status", "log", "inbox", "next --agent ada", "close --agent ada"] {
        s.comm(words).succeeds();
    }
    for name in ["reservations", "artifacts/web/api", "archive/0f"] {
        assert_eq!(must(&s, &["rev-parse", &full(name)], b""), commit);
    }
}

#[test]
fn every_stored_name_is_described() {
    let s = Sandbox::new();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/format.md")).unwrap();
    s.add("one -p 1 -l ui --domain web -a ada -d words");
    s.add("two --dep bd-1 --parent bd-1 --dep related:bd-1");
    s.as_agent("bob", "agent register --domain web --role tester --model m").succeeds();
    for words in [
        "edit bd-1 --title other --desc more -p 0 -t bug --add-label x --remove-label ui --domain '' --assignee ''",
        "dep remove bd-2 related:bd-1",
        "defer bd-1 --for 1s",
        "defer bd-1 --now",
        "comment bd-1 word",
        "claim bd-1",
        "renew bd-1",
        "handover bd-1 --to bob --reason tired",
        "agent heartbeat",
        "log note --task bd-1 noted",
        "msg send --to bob word",
    ] {
        s.as_agent("ada", words).succeeds();
    }
    for words in ["claim bd-1", "release bd-1 --reason no", "claim bd-1", "close bd-1 --reason yes", "inbox"]
    {
        s.as_agent("bob", words).succeeds();
    }
    for words in ["reopen bd-1", "cancel bd-1", "reopen bd-1 --reason again", "fail bd-1"] {
        s.comm(words).succeeds();
    }
    s.as_agent("ada", "agent retire").succeeds();
    // What worktrees and their hooks leave, a refusal, a loss.
    write(&s.repo().join("comm.toml"), "[domains.api]\npath = 'api'\n[domains.web]\npath = 'web'\n");
    s.git("add comm.toml").succeeds();
    s.git("commit -q -m rules").succeeds();
    let id = s.add("three --domain api");
    s.comm(&format!("worktree add cy --agent cy --domain api --task {id}")).succeeds();
    let inside = place(&s, "cy");
    write(&inside.join("web/w"), "x");
    crate::worktrees::git(&s, &inside, "add -A").succeeds();
    crate::worktrees::git(&s, &inside, "commit -q -m mine").exits(1);
    call(&s, &inside, Some("cy"), &["post-bash"], br#"{"tool_name":"Bash"}"#);
    for title in ["lost", "other"] {
        s.add(&format!("{title} --id {title}"));
    }
    s.as_agent("dan", "claim lost --ttl 1s").succeeds();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    s.as_agent("eve", "claim lost").succeeds();
    s.as_agent("dan", "agent heartbeat").exits(5);
    s.as_agent("dan", "claim other").succeeds();

    let mut names = BTreeSet::new();
    for name in must(&s, &["for-each-ref", "--format=%(refname)", "refs/comm-node"], b"").lines() {
        for version in history(&s, name.strip_prefix("refs/comm-node/").unwrap()) {
            collect(&Value::Object(version.envelope), &mut names);
            collect(&version.event, &mut names);
            collect(&version.state, &mut names);
            names.extend(["event", "state"].map(str::to_owned));
            names.insert(version.event["type"].as_str().unwrap().to_owned());
        }
    }
    let local = s.repo().join(".git/comm-node");
    let of_worktree = s.repo().join(".git/worktrees/cy/comm-node");
    for entry in [&local, &of_worktree].into_iter().flat_map(|dir| std::fs::read_dir(dir).unwrap()) {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            text.contains(&format!("`{name}`")) || text.contains(&format!("`{name}/")),
            "comm-node/{name}"
        );
    }
    for dir in ["sessions", "keys"] {
        for entry in std::fs::read_dir(local.join(dir)).unwrap().map(|e| e.unwrap()) {
            let content = std::fs::read(entry.path()).unwrap();
            if !content.is_empty() {
                collect(&serde_json::from_slice(&content).unwrap(), &mut names);
            }
        }
    }
    let missing: Vec<_> = names.iter().filter(|name| !text.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "not in docs/format.md: {missing:?}");
    assert!(names.len() > 80, "only {} names were stored", names.len());
}

#[test]
fn every_field_of_a_claim_is_described_where_claims_are() {
    let s = Sandbox::new();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/format.md")).unwrap();
    let told = text.lines().find(|line| line.starts_with("The **claim** has")).unwrap();
    s.add("one --domain web");
    s.git("config comm.domain web").succeeds();
    s.as_agent("ada", "claim bd-1").succeeds();
    let claim = read(&s, "tasks/bd-1").state["phase"]["claim"].clone();
    let fields = claim.as_object().unwrap();
    assert_eq!(fields["domain"], "web");
    for name in fields.keys() {
        assert!(told.contains(&format!("`{name}`")), "{name}: {told}");
    }
}

/// The names of all fields; of a map only what its values hold.
fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|v| collect(v, names)),
        Value::Object(fields) => {
            for (name, value) in fields {
                names.insert(name.clone());
                match value
                    .as_object()
                    .filter(|_| ["sessions", "cursors", "pauses", "held"].contains(&name.as_str()))
                {
                    Some(map) => map.values().for_each(|v| collect(v, names)),
                    None => collect(value, names),
                }
            }
        }
        _ => {}
    }
}

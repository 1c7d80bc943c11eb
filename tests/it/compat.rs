//! Other versions of this program, and other programs, on the same board.

use serde_json::{Value, json};

use crate::support::Sandbox;

/// Puts an unknown field into every object below `value`, named after its
/// place.
fn mark(value: &mut Value, place: &str, marked: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut().filter(|(key, _)| *key != "x_new") {
                mark(value, &format!("{place}/{key}"), marked);
            }
            // A map from names to names has no fields of its own.
            if !place.ends_with("/cursors") && !place.ends_with("/sessions") && !place.ends_with("/pauses") {
                fields.insert("x_new".into(), json!({ "at": place, "deep": [1, { "er": null }] }));
                marked.push(place.to_owned());
            }
        }
        Value::Array(items) => {
            for item in items {
                let id = item["id"].as_str().unwrap_or_default().to_owned();
                mark(item, &format!("{place}/{id}"), marked);
            }
        }
        _ => {}
    }
}

/// The places that still hold the unknown field.
fn marks(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(mark) = fields.get("x_new") {
                assert_eq!(mark["deep"], json!([1, { "er": null }]), "{mark}");
                found.push(mark["at"].as_str().unwrap().to_owned());
            }
            fields.iter().filter(|(key, _)| *key != "x_new").for_each(|(_, value)| marks(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| marks(item, found)),
        _ => {}
    }
}

/// A newer writer marks the record, this program changes it: every mark is
/// there but those in objects that the change replaced.
#[track_caller]
fn survives(sandbox: &Sandbox, record: &str, agent: &str, words: &str, replaced: &[&str]) {
    let mut expected = Vec::new();
    sandbox.change_record(record, |r| mark(&mut r["state"], "", &mut expected));
    assert!(expected.len() > 1, "{record} has no nested object");
    let before = sandbox.record(record)["seq"].clone();
    if agent.is_empty() {
        sandbox.comm(words).succeeds();
    } else {
        sandbox.as_agent(agent, words).succeeds();
    }
    let after = sandbox.record(record);
    assert_ne!(after["seq"], before, "`{words}` wrote nothing");
    let mut found = Vec::new();
    marks(&after["state"], &mut found);
    expected.retain(|place| !replaced.contains(&place.as_str()));
    found.sort();
    expected.sort();
    found.retain(|place| !replaced.contains(&place.as_str()));
    assert_eq!(found, expected, "`{words}`: {}", after["state"]);
}

/// A task with everything that a task can have.
fn rich() -> Sandbox {
    let s = Sandbox::new();
    s.add("'A first task'");
    s.add("'A second task'");
    s.add("'A third task' -l x --domain api -d text --dep related:bd-1 --dep related:bd-2");
    s.as_agent("bob", "agent register").succeeds();
    s.as_agent("ada", "claim bd-3").succeeds();
    s.as_agent("ada", "comment bd-3 hello").succeeds();
    s
}

#[test]
fn fields_of_a_newer_writer_survive_every_change_of_a_task() {
    let claim = ["/phase/claim", "/phase/claim/boot"];
    let fence = "/phase/fence";
    for (agent, words, replaced) in [
        ("", "edit bd-3 --title 'Another title' -p 0 --domain ui", &[][..]),
        ("", "edit bd-3 --add-label y --remove-label x", &[]),
        ("", "edit bd-3 -d 'Another text'", &[]),
        ("", "defer bd-3 --for 1h", &[]),
        ("bob", "comment bd-3 'it is so'", &[]),
        ("", "dep add bd-3 bd-1", &[]),
        ("", "dep remove bd-3 related:bd-1", &["/deps/bd-1"]),
        ("ada", "renew bd-3 --ttl 2h", &["/phase/claim/boot"]),
        ("ada", "release bd-3", &claim),
        ("ada", "close bd-3 --reason done", &claim),
        ("ada", "handover bd-3 --to bob", &[claim[0], claim[1], fence]),
    ] {
        survives(&rich(), "tasks/bd-3", agent, words, replaced);
    }
    let s = rich();
    s.as_agent("ada", "close bd-3").succeeds();
    survives(&s, "tasks/bd-3", "bob", "comment bd-3 'well done'", &[]);
    survives(&s, "tasks/bd-3", "bob", "reopen bd-3", &[fence, "/phase/outcome"]);
    survives(&s, "tasks/bd-3", "bob", "claim bd-3", &[fence, "/phase/outcome"]);
}

#[test]
fn fields_of_a_newer_writer_survive_heartbeats_and_readings() {
    let s = rich();
    s.as_agent("bob", "agent heartbeat").succeeds();
    let mut command = s.agent_command("bob");
    let other = command.args(["agent", "heartbeat"]).env("GIT_COMM_SESSION", "2").output().unwrap();
    assert!(other.status.success());
    let sessions = s.record("agents/bob")["state"]["sessions"].clone();
    let whoami = s.as_agent("bob", "whoami --json").succeeds().json();
    let own = whoami["session"].as_str().unwrap();
    assert_eq!(sessions.as_object().unwrap().len(), 2);
    let beat = format!("/sessions/{own}/heartbeat");
    let replaced = [beat.clone(), format!("{beat}/boot")];
    let replaced: Vec<&str> = replaced.iter().map(String::as_str).collect();
    survives(&s, "agents/bob", "bob", "agent heartbeat", &replaced);
    survives(&s, "agents/bob", "bob", "agent register --domain api", &replaced);
    s.as_agent("ada", "msg send --to bob hello").succeeds();
    survives(&s, "agents/bob", "bob", "inbox", &[]);
}

#[test]
fn fields_of_a_newer_writer_survive_the_persons_acts() {
    let s = Sandbox::new();
    let board = s.record("meta")["state"]["boards"][0].as_str().unwrap().to_owned();
    let secrets = s.root().join("home/.local/state/git-comm/person");
    std::fs::create_dir_all(&secrets).unwrap();
    std::fs::write(secrets.join(board), "secret").unwrap();
    s.comm("--as-person pause ada --reason lunch").succeeds();
    survives(&s, "control", "", "--as-person pause bob", &[]);
    survives(&s, "control", "", "--as-person resume bob", &["/pauses/agent:bob"]);
    s.as_agent("ada", "agent register").succeeds();
    s.add("'A task'");
    s.as_agent("ada", "claim bd-1").exits(5);
}

#[test]
fn events_of_a_newer_writer_are_shown_and_break_nothing() {
    let s = rich();
    for record in ["tasks/bd-3", "agents/bob"] {
        s.change_record(record, |r| r["event"] = json!({ "type": "teleport", "to": { "x": 1 } }));
    }
    s.as_agent("ada", "msg send --to bob hello").succeeds();
    let chain = s.git("for-each-ref --format=%(refname) refs/comm-node/messages").succeeds().stdout;
    let chain = chain.trim().strip_prefix("refs/comm-node/").unwrap().to_owned();
    s.change_record(&chain, |r| r["event"] = json!({ "type": "sing", "song": "la" }));

    let log = s.comm("log").succeeds().stdout;
    assert!(log.contains("teleport") && log.contains("sing"), "{log}");
    let verbs = s.comm("log --kind teleport --json").succeeds().json();
    assert!(verbs.to_string().matches("teleport").count() >= 2, "{verbs}");
    let show = s.comm("show bd-3").succeeds().stdout;
    assert!(show.contains("A third task") && show.contains("hello"), "{show}");
    assert!(s.as_agent("bob", "inbox").succeeds().stdout.contains("hello"));
    s.comm("list").succeeds();
    s.comm("status").succeeds();
    s.as_agent("ada", "close bd-3").succeeds();
    s.as_agent("ada", "msg send --to bob again").succeeds();
}

#[test]
fn kinds_of_a_newer_writer_are_left_alone() {
    let s = rich();
    let names = ["reservations", "artifacts/api/contract", "archive/3f", "zebra/one", "tasks-new/bd-3"];
    let mut before = Vec::new();
    for name in names {
        let oid = s.commit(None, b"of a newer kind\n\nnot even JSON\n");
        s.git(&format!("update-ref refs/comm-node/{name} {oid}")).succeeds();
        before.push(oid);
    }
    for words in ["list", "ready", "status", "log", "show bd-3", "agent list", "init"] {
        s.comm(words).succeeds();
    }
    s.as_agent("ada", "close bd-3").succeeds();
    for (name, oid) in names.iter().zip(before) {
        assert_eq!(s.git(&format!("rev-parse refs/comm-node/{name}")).stdout.trim(), oid, "{name}");
    }
}

#[test]
fn a_board_of_a_newer_format_is_refused() {
    for by_shape in [false, true] {
        let s = rich();
        s.change_record("meta", |r| {
            if by_shape {
                *r = json!({ "v": 2, "what": "nobody knows", "seq": 1 });
            } else {
                r["state"]["format"] = 2.into();
            }
        });
        let refs = s.git("for-each-ref").stdout;
        for words in ["list", "show bd-3", "add x", "claim bd-1", "init", "log", "status", "inbox"] {
            let run = s.as_agent("ada", words).exits(128);
            assert!(run.stderr.starts_with("error: `refs/comm-node/meta` has format 2"), "{}", run.stderr);
            assert!(run.stderr.contains("\n\nhint: upgrade"), "{}", run.stderr);
            assert_eq!(run.stdout, "");
        }
        assert_eq!(s.git("for-each-ref").stdout, refs);
        for words in ["--help", "--version", "setup completions bash"] {
            s.comm(words).succeeds();
        }
    }
}

/// One record of a newer format is that record's matter.
#[test]
fn a_record_of_a_newer_format_is_refused_and_the_others_work() {
    let s = rich();
    s.change_record("tasks/bd-1", |r| r["v"] = 2.into());
    for words in ["show bd-1", "edit bd-1 -p 0", "claim bd-1", "comment bd-1 text"] {
        let run = s.as_agent("bob", words).exits(128);
        assert!(run.stderr.contains("format 2") && run.stderr.contains("hint: upgrade"), "{}", run.stderr);
    }
    let list = s.comm("list").exits(6);
    assert!(list.stdout.contains("A second task") && list.stderr.contains("format 2"), "{list:?}");
    s.as_agent("bob", "claim bd-2").succeeds();
}

#[test]
fn what_is_large_goes_into_the_tree_and_comes_back() {
    let s = Sandbox::new();
    let long = "0123456789 äöü\n".repeat(4_000);
    let text = s.root().join("text");
    std::fs::write(&text, &long).unwrap();
    let body = "a comment\n".repeat(4_000);
    let comment = s.root().join("comment");
    std::fs::write(&comment, &body).unwrap();
    s.add(&format!("'A long one' -F {}", text.display()));
    s.comm(&format!("comment bd-1 -F {}", comment.display())).succeeds();
    s.as_agent("ada", "claim bd-1").succeeds();
    let names = s.git("ls-tree --name-only refs/comm-node/tasks/bd-1~1").stdout;
    assert_eq!(names, "event.json\nstate.json\n");
    assert_eq!(s.git("ls-tree --name-only refs/comm-node/tasks/bd-1").stdout, "state.json\n");
    let message = s.git("log -1 --format=%B refs/comm-node/tasks/bd-1").stdout;
    assert!(message.len() < 2_000, "{}", message.len());
    let task = s.task("bd-1");
    assert_eq!(task["description"].as_str().unwrap().trim(), long.trim());
    assert!(s.comm("show bd-1").succeeds().stdout.contains("a comment"));
    s.git("gc -q --prune=now").succeeds();
    assert_eq!(s.task("bd-1")["description"].as_str().unwrap().trim(), long.trim());
    // Small again, it is back in the message.
    s.comm("edit bd-1 -d short").succeeds();
    assert_eq!(s.git("ls-tree refs/comm-node/tasks/bd-1").stdout, "");
    s.git("fsck --strict").succeeds();
}

#[test]
fn plain_git_tells_who_when_and_what() {
    let s = Sandbox::new();
    s.add("'A task'");
    s.as_agent("ada", "claim bd-1").succeeds();
    s.as_agent("bob", "comment bd-1 'as it should be'").succeeds();
    s.as_agent("ada", "close bd-1 --reason 'it works'").succeeds();
    let log = s.git("log --format=%an|%ad|%s --date=format:%Y refs/comm-node/tasks/bd-1").stdout;
    let lines: Vec<Vec<&str>> = log.lines().map(|line| line.split('|').collect()).collect();
    assert_eq!(lines.len(), 4, "{log}");
    for (line, (who, what)) in lines.iter().zip([
        ("ada", "close bd-1 by ada: it works"),
        ("bob", "comment bd-1: as it should be"),
        ("ada", "claim bd-1: ada until "),
        ("kai-conductor", "create bd-1: A task"),
    ]) {
        assert_eq!(line[0], who, "{log}");
        assert!(line[1].parse::<u32>().unwrap() >= 2025, "{log}");
        assert!(line[2].starts_with(what), "{log}");
    }
    let shown = s.git("show refs/comm-node/tasks/bd-1").succeeds().stdout;
    let json = shown.lines().map(str::trim).find(|line| line.starts_with('{')).unwrap();
    let record: Value = serde_json::from_str(json).unwrap();
    assert_eq!(record["state"]["phase"]["state"], "done");
    assert_eq!(record["v"], 1);
    let board = s.git("for-each-ref --format=%(refname) refs/comm-node").stdout;
    assert!(board.contains("refs/comm-node/tasks/bd-1") && board.contains("refs/comm-node/meta"), "{board}");
}

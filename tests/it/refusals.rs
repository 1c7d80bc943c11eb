//! Bad input: each refusal says what, about which thing, what is true now and
//! what to type, changes nothing, and ends with its code.

use std::process::Command;

use serde_json::json;

use crate::support::refusal::{is_clean, is_refusal};
use crate::support::{Run, Sandbox, split};

/// Who calls.
#[derive(Clone, Copy, Debug)]
enum By {
    Agent(&'static str),
    /// Neither agent nor person.
    Script,
    /// A harness that names no agent.
    Harness,
}

const ADA: By = By::Agent("ada");
const BOB: By = By::Agent("bob");
const CY: By = By::Agent("cy");

/// Caller, arguments, exit code, part of the first line.
type Row = (By, &'static str, i32, &'static str);

/// On the board that [`board`] makes.
const ROWS: &[Row] = &[
    // No such thing, or several.
    (ADA, "show bd-99", 4, "there is no task `bd-99`"),
    (ADA, "claim bd-99", 4, "there is no task `bd-99`"),
    (ADA, "comment bd-99 text", 4, "there is no task `bd-99`"),
    (ADA, "edit bd-99 -p 0", 4, "there is no task `bd-99`"),
    (ADA, "close bd-99", 4, "there is no task `bd-99`"),
    (ADA, "dep add bd-1 bd-99", 4, "there is no task `bd-99`"),
    (ADA, "add x --dep bd-99", 4, "there is no task `bd-99`"),
    (ADA, "add x --parent bd-99", 4, "there is no task `bd-99`"),
    (ADA, "list --parent bd-99", 4, "there is no task `bd-99`"),
    (ADA, "log bd-99", 4, "there is no task `bd-99`"),
    (ADA, "show parser", 4, "`parser` could be parser-7, parser-8"),
    (ADA, "claim parser-", 4, "`parser-` could be parser-7, parser-8"),
    (ADA, "handover bd-2 --to zed", 4, "there is no agent `zed`"),
    (ADA, "agent retire zed", 5, "`ada` cannot retire `zed`"),
    (BOB, "show", 4, "you hold no task"),
    (BOB, "close", 4, "you hold no task"),
    // No ids.
    (ADA, "show -x", 129, "unexpected argument '-x'"),
    (ADA, "show -- -x", 129, "`-x` cannot name a task"),
    (ADA, "claim -- -x", 129, "`-x` cannot name a task"),
    (ADA, "show ..", 129, "`..` cannot name a task"),
    (ADA, "show a.", 129, "`a.` cannot name a task"),
    (ADA, "show a..b", 129, "`a..b` cannot name a task"),
    (ADA, "show a.lock", 129, "`a.lock` cannot name a task"),
    (ADA, "show a/b", 129, "`a/b` cannot name a task"),
    (ADA, "show nul", 129, "`nul` cannot name a task"),
    (ADA, "show ''", 129, "`` cannot name a task"),
    (ADA, "show BD-1", 129, "`BD-1` is no id"),
    (ADA, "claim BD-1", 129, "`BD-1` is no id"),
    (ADA, "show a\u{1b}[31mb", 129, "`a\\u{1b}[31mb` cannot name a task"),
    (ADA, "show a\u{202e}b", 129, "`a\\u{202e}b` cannot name a task"),
    (ADA, "show 'a\nb'", 129, "`a\\nb` cannot name a task"),
    (ADA, "show aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 129, "longer than 64"),
    (ADA, "add x --id BD-9", 129, "cannot name a task"),
    (ADA, "add x --id ../x", 129, "cannot name a task"),
    (ADA, "add x --id bd-1", 1, "there is already a task `bd-1`"),
    (ADA, "add x -l 'two words'", 129, "cannot name a label"),
    (ADA, "add x --domain API", 129, "cannot name a domain"),
    (ADA, "add x --assignee 'a b'", 129, "cannot name an agent"),
    (ADA, "msg send --to 'a b' hello", 129, "cannot name"),
    // The graph.
    (ADA, "dep add bd-1 bd-1", 1, "`bd-1` cannot wait for itself: bd-1 -> bd-1"),
    (ADA, "dep add bd-1 bd-4", 1, "`bd-1` cannot wait for itself: bd-1 -> bd-4 -> bd-1"),
    (ADA, "edit bd-1 --parent bd-1", 1, "cannot"),
    (ADA, "dep add bd-1 frob:bd-4", 129, "no type of dependency"),
    // Claims.
    (ADA, "claim bd-3", 1, "task `bd-3` is already done"),
    (ADA, "claim bd-4", 1, "task `bd-4` waits for bd-1 (open)"),
    (ADA, "claim bd-2 --once", 1, "task `bd-2` is already yours"),
    (BOB, "claim bd-2", 1, "task `bd-2` is held by ada until"),
    (BOB, "claim bd-5", 1, "task `bd-5` is assigned to ada"),
    (BOB, "release bd-2", 5, "task `bd-2` is held by ada, not by bob"),
    (BOB, "close bd-2", 5, "task `bd-2` is held by ada, not by bob"),
    (BOB, "fail bd-2", 5, "task `bd-2` is held by ada, not by bob"),
    (BOB, "cancel bd-2", 5, "task `bd-2` is held by ada, not by bob"),
    (BOB, "renew bd-2", 5, "task `bd-2` is held by ada, not by bob"),
    (BOB, "handover bd-2 --to bob", 5, "task `bd-2` is held by ada, not by bob"),
    (ADA, "renew bd-2 --token 99", 5, "task `bd-2` is at token 1, not at token 99"),
    (ADA, "close bd-2 --token 99", 5, "task `bd-2` is at token 1, not at token 99"),
    (ADA, "release bd-2 --token 99", 5, "task `bd-2` is at token 1, not at token 99"),
    (ADA, "renew bd-1", 1, "task `bd-1` is open and nobody holds it"),
    (ADA, "claim bd-1 --ttl soon", 129, "invalid value 'soon'"),
    (ADA, "claim bd-1 --ttl 0s", 129, "outside 1s to 30d"),
    (ADA, "claim bd-1 --ttl 31d", 129, "outside 1s to 30d"),
    // Text.
    (ADA, "add ''", 129, "title is empty"),
    (ADA, "add", 129, "title is empty"),
    (ADA, "add '  '", 129, "title is empty"),
    (ADA, "edit bd-1 --title ''", 129, "title is empty"),
    (ADA, "edit bd-1", 129, "nothing is to be changed"),
    (ADA, "comment bd-1 ''", 129, "comment is empty"),
    (ADA, "comment bd-1", 129, "comment is empty"),
    (ADA, "msg send --to bob ''", 129, "message is empty"),
    (ADA, "log note ''", 129, "note is empty"),
    (ADA, "add -F ../none", 129, "`../none` cannot be read"),
    (ADA, "add -F ../binary", 129, "`../binary` is not UTF-8"),
    (ADA, "comment bd-1 -F ../binary", 129, "`../binary` is not UTF-8"),
    (ADA, "comment bd-1 -F ../64k", 129, "comment has 65537 bytes, over the limit of 65536"),
    (ADA, "msg send --to bob -F ../64k", 129, "message has 65537 bytes, over the limit of 65536"),
    (ADA, "log note -F ../64k", 129, "note has 65537 bytes, over the limit of 65536"),
    (ADA, "add x -F ../257k", 129, "description has 263169 bytes, over the limit of 262144"),
    (ADA, "edit bd-1 -F ../257k", 129, "description has 263169 bytes, over the limit of 262144"),
    (ADA, "comment bd-1 -F ../3m", 129, "`../3m` has more than 2097152 bytes"),
    // Who.
    (By::Script, "claim bd-1", 5, "no agent is named"),
    (By::Script, "next", 5, "no agent is named"),
    (By::Script, "renew bd-2", 5, "no agent is named"),
    (By::Script, "release bd-2", 5, "no agent is named"),
    (By::Script, "close bd-2", 5, "no agent is named"),
    (By::Script, "agent register", 5, "no agent is named"),
    (By::Harness, "add x", 5, "agent harness"),
    (By::Harness, "comment bd-1 x", 5, "agent harness"),
    (By::Harness, "claim bd-1", 5, "agent harness"),
    (By::Harness, "next", 5, "agent harness"),
    (By::Harness, "msg send --to bob x", 5, "agent harness"),
    (By::Harness, "log note x", 5, "agent harness"),
    (By::Harness, "inbox", 5, "agent harness"),
    (By::Agent("kai-conductor"), "claim bd-1", 5, "`kai-conductor` is the name of a person here"),
    (By::Agent("kai-conductor"), "add x", 5, "`kai-conductor` is the name of a person here"),
    (ADA, "steal bd-1 --reason x", 5, "only the person may"),
    (ADA, "pause", 5, "only the person may"),
    (ADA, "resume agent:cy", 5, "only the person may"),
    (By::Script, "pause", 5, "only the person may"),
    (By::Script, "steal bd-2 --reason x", 5, "only the person may"),
    (CY, "claim bd-1", 5, "agent:cy is paused by kai-conductor: lunch"),
    (CY, "next", 5, "agent:cy is paused by kai-conductor: lunch"),
    (By::Agent("Ada"), "list", 129, "`Ada` cannot name an agent"),
    (By::Agent("a\u{1b}b"), "list", 129, "`a\\u{1b}b` cannot name an agent"),
    // The call.
    (ADA, "clam bd-1", 129, "there is no command `clam`"),
    (ADA, "fr\u{1b}ob", 129, "there is no command `fr\\u{1b}ob`"),
    (ADA, "dep", 129, "`dep` needs a command"),
    (ADA, "dep frob", 129, "`dep` has no command `frob`"),
    (ADA, "list --frob", 129, "unexpected argument '--frob'"),
    (ADA, "list --fr\u{1b}ob", 129, "unexpected argument"),
    (ADA, "claim", 129, "required arguments were not provided: <ID>"),
    (ADA, "msg send hello", 129, "required arguments were not provided: --to <WHOM>"),
    (ADA, "add x -p 9", 129, "priority is 0 (most urgent) to 4"),
    (ADA, "list --state frob", 129, "frob"),
    (ADA, "list -n many", 129, "invalid value 'many'"),
    (ADA, "log --since whenever", 129, "`whenever` is neither a time nor a length of time"),
    (ADA, "defer bd-1 --for ever", 129, "invalid value 'ever'"),
    (ADA, "init --prefix BD", 129, "cannot name a task"),
    (ADA, "-C /nowhere list", 128, "/nowhere"),
];

#[test]
fn an_unknown_verb_points_to_help_that_is_always_there() {
    let s = Sandbox::with_init(&[]);
    let refused = s.comm("frobnicate").exits(129);
    assert!(refused.stderr.ends_with("\nhint: git comm -h\n"), "{}", refused.stderr);
    s.comm("-h").succeeds();
    let refused = s.comm("seal bd-1").exits(129);
    assert!(!refused.stderr.contains("steal"), "{}", refused.stderr);
}

/// The board that the rows are about.
fn board() -> Sandbox {
    let s = Sandbox::new();
    for words in ["'A first task'", "'A held task'", "'A done task'", "'A waiting task' --dep bd-1"] {
        s.add(words);
    }
    s.add("'Another one' --assignee ada");
    s.add("'A parser' --id parser-7");
    s.add("'Another parser' --id parser-8");
    s.as_agent("ada", "claim bd-2").succeeds();
    s.as_agent("bob", "agent register").succeeds();
    s.as_agent("bob", "close bd-3").succeeds();
    s.as_agent("cy", "agent register").succeeds();
    let board = s.record("meta")["state"]["boards"][0].as_str().unwrap().to_owned();
    let secrets = s.root().join("home/.local/state/git-comm/person");
    std::fs::create_dir_all(&secrets).unwrap();
    std::fs::write(secrets.join(board), "secret").unwrap();
    s.comm("--as-person agent register").succeeds();
    s.comm("--as-person pause cy --reason lunch").succeeds();
    let write = |name: &str, content: &[u8]| std::fs::write(s.root().join(name), content).unwrap();
    write("binary", b"\xff\xfe");
    write("64k", &vec![b'x'; 64 * 1024 + 1]);
    write("257k", &vec![b'x'; 257 * 1024 + 1]);
    write("3m", &vec![b'x'; 3 << 20]);
    s
}

fn call(s: &Sandbox, by: By, words: &str, more: &[&str]) -> Run {
    let mut command = s.command();
    match by {
        By::Agent(name) => command.env("GIT_COMM_AGENT", name),
        By::Script => &mut command,
        By::Harness => command.env("CLAUDECODE", "1"),
    };
    run(command.args(split(words)).args(more), &format!("[{by:?}] {words:?}"))
}

fn run(command: &mut Command, what: &str) -> Run {
    Run::of(&command.output().unwrap(), what)
}

#[test]
fn bad_input_is_refused_in_so_many_words() {
    let s = board();
    let refs = s.git("for-each-ref").stdout;
    for &(by, words, code, says) in ROWS {
        let what = format!("{by:?} {words:?}");
        is_refusal(&call(&s, by, words, &[]), code, says, &what);
        let json = call(&s, by, words, &["--json"]);
        assert_eq!(json.code, code, "{what} --json: {}{}", json.stdout, json.stderr);
        is_clean(&json, &what);
        if !json.stdout.is_empty() {
            let told = json.json();
            assert_eq!(told["error"]["exit"], code, "{what}");
            assert!(told["error"]["hint"].as_str().is_some_and(|h| !h.is_empty()), "{what}: {told}");
            assert!(told["error"]["kind"].as_str().is_some_and(|k| !k.is_empty()), "{what}: {told}");
        } else {
            assert!(json.stderr.starts_with("error: "), "{what}: {}", json.stderr);
        }
        assert_eq!(s.git("for-each-ref").stdout, refs, "{what} changed something");
    }
    let title = format!("add {}", "x".repeat(501));
    is_refusal(&s.comm(&title), 129, "title has 501 characters, over the limit of 500", "a long title");
    is_refusal(
        &s.comm(&format!("edit bd-1 --title {}", "ä".repeat(501))),
        129,
        "title has 501 characters, over the limit of 500",
        "a long title",
    );
    let reason = format!("close bd-2 --reason {}", "x".repeat(4097));
    is_refusal(&s.as_agent("ada", &reason), 129, "reason has 4097 bytes", "a long reason");
    let key = format!("add x --key {}", "x".repeat(201));
    is_refusal(&s.comm(&key), 129, "key", "a long key");
    assert_eq!(s.git("for-each-ref").stdout, refs);
    // At the limit it is accepted.
    s.comm(&format!("add {}", "ä".repeat(500))).succeeds();
    std::fs::write(s.root().join("64k"), vec![b'x'; 64 * 1024]).unwrap();
    s.comm("comment bd-1 -F ../64k").succeeds();
}

/// Whatever a harness does not name may still look.
#[test]
fn reading_needs_no_identity() {
    let s = board();
    for words in ["list", "ready", "show bd-1", "search first", "status", "log", "agent list", "whoami"] {
        call(&s, By::Harness, words, &[]).succeeds();
        call(&s, By::Script, words, &[]).succeeds();
    }
}

#[test]
fn where_there_is_nothing_to_work_on_it_is_said() {
    let s = board();
    let outside = tempfile::tempdir().unwrap();
    for words in ["list", "status", "add x", "claim bd-1", "init", "inbox"] {
        let mut command = s.bare_command(crate::support::program(), outside.path());
        command.env("GIT_COMM_AGENT", "ada").env("GIT_CEILING_DIRECTORIES", outside.path().parent().unwrap());
        let run = run(command.args(split(words)), words);
        is_refusal(&run, 128, "no git repository at or above", words);
    }
    // A clone whose remote may have a board makes none by the way.
    let clone = Sandbox::with_init(&[]);
    clone.git(&format!("remote add origin {}", s.repo().display())).succeeds();
    for words in ["add x", "msg send --to bob x", "log note x", "agent register"] {
        is_refusal(&clone.as_agent("ada", words), 128, "this repository has no board yet", words);
    }
    assert_eq!(clone.git("for-each-ref refs/comm-node").stdout, "");
    for (key, says) in [("durability", "`comm.durability` is `frob`"), ("ttl", "comm.ttl")] {
        s.git(&format!("config comm.{key} frob")).succeeds();
        is_refusal(&s.as_agent("ada", "claim bd-1"), 129, says, key);
        s.git(&format!("config --unset comm.{key}")).succeeds();
    }
}

/// A superseded holder is told so, whatever it does.
#[test]
fn a_superseded_holder_is_refused() {
    let s = Sandbox::new();
    s.add("'A task'");
    s.as_agent("ada", "claim bd-1 --ttl 1h").succeeds();
    s.change_record("tasks/bd-1", |r| {
        let phase = &mut r["state"]["phase"];
        phase["fence"] = json!({ "token": 2, "nonce": "f".repeat(32) });
        phase["claim"]["agent"] = "bob".into();
        phase["claim"]["session"] = "f".repeat(16).into();
        r["state"]["token_floor"] = 2.into();
    });
    for words in ["close bd-1", "fail bd-1", "release bd-1", "renew bd-1"] {
        let run = s.as_agent("ada", words);
        is_refusal(&run, 5, "task `bd-1` was taken over by bob (token 2); your token was 1", words);
    }
}

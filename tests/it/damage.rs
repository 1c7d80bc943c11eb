//! Damaged records and hostile ones: refused, contained, never obeyed by a
//! terminal.

use serde_json::{Value, json};

use crate::commits::{git_as, guarded, write};
use crate::hooks_support::RULES;
use crate::support::refusal::{is_clean, is_refusal};
use crate::support::{Run, Sandbox};

/// What is wrong with the record of `bd-9`, and what is said of it.
type Damage = (&'static str, fn(&Sandbox), &'static str);

const NINTH: &str = "refs/comm-node/tasks/bd-9";

fn file(s: &Sandbox) -> std::path::PathBuf {
    s.repo().join(".git").join(NINTH)
}

fn point(s: &Sandbox, oid: &str) {
    s.git(&format!("update-ref {NINTH} {oid}")).succeeds();
}

fn message(s: &Sandbox, message: &[u8]) {
    let oid = s.commit(None, message);
    point(s, &oid);
}

/// A whole record of `bd-1`, changed.
fn like_the_first(s: &Sandbox, change: impl FnOnce(&mut Value)) {
    let mut record = s.record("tasks/bd-1");
    record["id"] = "bd-9".into();
    change(&mut record);
    message(s, format!("by another program\n\n{record}\n").as_bytes());
}

/// Of a loose file, which only one format of refs has.
const IN_FILES: &[Damage] = &[
    ("a corrupt file", |s| std::fs::write(file(s), "nonsense\n").unwrap(), "holds no object id"),
    ("an empty file", |s| std::fs::write(file(s), "").unwrap(), "its file is empty"),
    ("a symbolic link", |s| std::os::unix::fs::symlink("bd-1", file(s)).unwrap(), "symbolic link"),
    ("a missing object", |s| std::fs::write(file(s), "1".repeat(40)).unwrap(), "missing"),
];

const ANYWHERE: &[Damage] = &[
    (
        "a symbolic ref",
        |s| drop(s.git(&format!("symbolic-ref {NINTH} refs/heads/main")).succeeds()),
        "symbolic",
    ),
    ("a tree", |s| point(s, &s.git_with(&["mktree"], b"")), "is a tree, not a commit"),
    ("a blob", |s| point(s, &s.git_with(&["hash-object", "-w", "--stdin"], b"x")), "is a blob, not a commit"),
    (
        "a tag",
        |s| {
            s.git("tag -a -m x some-tag").succeeds();
            point(s, s.git("rev-parse refs/tags/some-tag").stdout.trim());
        },
        "is a tag, not a commit",
    ),
    ("a branch's commit", |s| point(s, s.git("rev-parse main").stdout.trim()), "its message holds no record"),
    ("no JSON", |s| message(s, b"one line\n\nand no JSON\n"), "tasks/bd-9` is damaged"),
    ("other JSON", |s| message(s, b"one line\n\n[1,2]\n"), "tasks/bd-9` is damaged"),
    ("nothing at all", |s| message(s, b""), "its message holds no record"),
    ("deep JSON", |s| message(s, format!("x\n\n{}\n", "[".repeat(100_000)).as_bytes()), "bd-9` is damaged"),
    ("bad UTF-8", |s| message(s, b"one line\n\n{\"v\":\"\xff\xfe\"}\n"), "it is not UTF-8"),
    ("another id", |s| like_the_first(s, |r| r["id"] = "bd-1".into()), "it says that it is task `bd-1`"),
    (
        "another kind",
        |s| like_the_first(s, |r| r["kind"] = "agent".into()),
        "it says that it is agent `bd-9`",
    ),
    (
        "an unsafe kind",
        |s| like_the_first(s, |r| r["kind"] = "a\u{1b}[31m\u{202e}".into()),
        "it says that it is a\\u{1b}[31m\\u{202e}",
    ),
    (
        "no state",
        |s| like_the_first(s, |r| drop(r.as_object_mut().unwrap().remove("state"))),
        "bd-9` is damaged",
    ),
    ("a state of another shape", |s| like_the_first(s, |r| r["state"] = json!([1])), "its state"),
    ("no number", |s| like_the_first(s, |r| r["seq"] = 0.into()), "number or nonce"),
    ("a short nonce", |s| like_the_first(s, |r| r["nonce"] = "1".into()), "number or nonce"),
    (
        "a commit of 2 MiB",
        |s| like_the_first(s, |r| r["state"]["description"] = "x".repeat(2 << 20).into()),
        "more than the limit",
    ),
    (
        "a state that is not in its tree",
        |s| like_the_first(s, |r| r["state"] = json!({ "file": "state.json" })),
        "its tree holds no `state.json`",
    ),
];

/// The damaged record is refused, the rest of the board works, and no answer
/// that leaves it out looks whole.
#[track_caller]
fn is_contained(s: &Sandbox, says: &str, what: &str) {
    let refs = s.git("for-each-ref").stdout;
    for words in ["show bd-9", "claim bd-9", "comment bd-9 x", "edit bd-9 -p 0", "close bd-9"] {
        is_refusal(&s.as_agent("ada", words), 6, says, &format!("{what}: {words}"));
    }
    for words in ["list", "ready", "status", "log", "search first", "list --json", "log --json"] {
        // A log tells what happened, and does not look at the state.
        if says == "its state" && words.starts_with("log") {
            continue;
        }
        let run = s.as_agent("ada", words);
        let what = format!("{what}: {words}");
        assert_eq!(run.code, 6, "{what}\n{}{}", run.stdout, run.stderr);
        is_clean(&run, &what);
        let healthy = if words == "status" { "1 ready" } else { "bd-1" };
        assert!(run.stdout.contains(healthy), "{what}: {}", run.stdout);
        assert!(run.stderr.contains(says), "{what}: {}", run.stderr);
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains("\n\nhint: "), "{what}");
    }
    assert_eq!(s.git("for-each-ref").stdout, refs, "{what}");
    s.as_agent("ada", "claim bd-1").succeeds();
    s.as_agent("ada", "release bd-1").succeeds();
    s.add("'one more'");
}

/// What binds everybody cannot be read: nothing is written, agents commit
/// nothing, and all else goes on.
#[test]
fn damage_to_what_binds_everybody_stops_only_what_it_binds() {
    for name in ["meta", "control"] {
        let s = guarded(RULES);
        s.add("'A first task'");
        let refname = format!("refs/comm-node/{name}");
        let blob = s.git_with(&["hash-object", "-w", "--stdin"], b"x");
        let good = s.git(&format!("rev-parse -q --verify {refname}")).stdout.trim().to_owned();
        s.git(&format!("update-ref {refname} {blob}")).succeeds();
        let refs = s.git("for-each-ref").stdout;
        for words in ["list", "ready", "status", "show bd-1", "list --json", "prime"] {
            let run = s.as_agent("ada", words);
            let told = run.stdout.contains("bd-1") || (words == "status" && run.stdout.contains("1 ready"));
            assert!(told, "{name} {words}: {}{}", run.stdout, run.stderr);
            is_clean(&run, words);
            if !matches!(words, "show bd-1" | "prime") {
                assert_eq!(run.code, 6, "{name} {words}");
                assert!(run.stderr.contains(&refname), "{name} {words}: {}", run.stderr);
            }
        }
        for words in [
            "add more",
            "claim bd-1",
            "next",
            "comment bd-1 x",
            "msg send --to bob x",
            "init",
            "agent register eve",
        ] {
            let run = s.as_agent("ada", words);
            is_refusal(&run, 6, &refname, &format!("{name}: {words}"));
            assert!(run.stderr.contains(&format!("git update-ref {refname}")), "{words}: {}", run.stderr);
        }
        assert_eq!(s.git("for-each-ref").stdout, refs, "{name}");
        write(&s, "api/a.txt", "more");
        git_as(&s, None, "add -A").succeeds();
        let refused = git_as(&s, Some("ada"), "commit -q -m agents").exits(1);
        assert!(refused.stderr.contains(&refname), "{name}: {}", refused.stderr);
        git_as(&s, None, "commit -q -m persons").succeeds();
        let doctor = s.comm("doctor").exits(1);
        assert!(doctor.stdout.contains(&refname) && doctor.stdout.contains("hooks"), "{}", doctor.stdout);
        if !good.is_empty() {
            s.git(&format!("update-ref {refname} {good}")).succeeds();
            s.as_agent("ada", "claim bd-1").succeeds();
            s.git(&format!("update-ref {refname} {blob}")).succeeds();
        }
        s.comm("init --remove").succeeds();
        git_as(&s, Some("ada"), "commit -q --allow-empty -m unjudged").succeeds();
    }
}

fn damaged(init: &[&str], damage: &Damage) {
    let s = Sandbox::with_init(init);
    s.comm("init").succeeds();
    s.add("'A first task'");
    damage.1(&s);
    is_contained(&s, damage.2, damage.0);
}

#[test]
fn a_damaged_record_is_contained() {
    for damage in IN_FILES.iter().chain(ANYWHERE) {
        damaged(&[], damage);
    }
}

#[test]
fn a_damaged_record_is_contained_in_a_reftable() {
    for damage in ANYWHERE {
        damaged(&["--ref-format=reftable"], damage);
    }
}

/// 1 GiB of zeros takes 1 MiB to store; reading it must not take more than
/// looking at its size does.
#[test]
fn a_blob_that_explodes_is_not_read() {
    let s = Sandbox::new();
    s.add("'A first task'");
    let mut command = s.bare_command("sh", s.repo());
    let size = crate::support::rounds(64 << 20, 1 << 30);
    command.args(["-c", &format!("head -c {size} /dev/zero | git hash-object -w --stdin")]);
    let blob = Run::of(&command.output().unwrap(), "hash-object").succeeds().stdout;
    let tree = s.git_with(&["mktree"], format!("100644 blob {}\tstate.json\n", blob.trim()).as_bytes());
    let mut record = s.record("tasks/bd-1");
    record["id"] = "bd-9".into();
    record["state"] = json!({ "file": "state.json" });
    let message = format!("by another program\n\n{record}\n");
    let oid = s.git_with(&["commit-tree", &tree], message.as_bytes());
    point(&s, &oid);
    is_contained(&s, "more than the limit", "an exploding blob");
    // With less memory than the blob has zeros.
    let mut command = s.bare_command("sh", s.repo());
    let limit = if size > (64 << 20) { 400_000 } else { 60_000 };
    command.args(["-c", &format!("ulimit -v {limit}; exec \"$0\" list")]).arg(crate::support::program());
    let run = Run::of(&command.output().unwrap(), "list in little memory");
    assert_eq!(run.code, 6, "{}{}", run.stdout, run.stderr);
}

/// Records that every verb looks at.
#[test]
fn a_damaged_board_is_said_to_be() {
    for name in ["meta", "control"] {
        let s = Sandbox::new();
        s.add("'A task'");
        std::fs::write(s.repo().join(".git/refs/comm-node").join(name), "").unwrap();
        for words in ["claim bd-1", "add x"] {
            let run = s.as_agent("ada", words);
            is_refusal(&run, 6, &format!("refs/comm-node/{name}"), words);
        }
        let list = s.as_agent("ada", "list");
        assert!(list.code == 6 && list.stdout.contains("A task"), "{name}: {list:?}");
    }
    let s = Sandbox::new();
    s.add("'A task'");
    s.as_agent("zed", "agent register").succeeds();
    s.as_agent("bob", "msg send --to ada 'hear me'").succeeds();
    s.as_agent("zed", "msg send --to ada 'hear me too'").succeeds();
    std::fs::write(s.repo().join(".git/refs/comm-node/agents/zed"), "").unwrap();
    let list = s.comm("list");
    assert!(list.code == 6 && list.stdout.contains("A task"), "{list:?}");
    s.as_agent("ada", "claim bd-1").succeeds();
    let chains = s.repo().join(".git/refs/comm-node/messages/zed");
    let chain = std::fs::read_dir(chains).unwrap().next().unwrap().unwrap().path();
    std::fs::write(chain, "").unwrap();
    let inbox = s.as_agent("ada", "inbox");
    assert!(inbox.code == 6 && inbox.stdout.contains("hear me"), "{inbox:?}");
    assert!(inbox.stderr.contains("messages/zed/"), "{inbox:?}");
}

/// Everything that another program may write and this one prints.
#[test]
fn nothing_printed_holds_what_a_terminal_obeys() {
    const EVIL: &str = "a\u{1b}]0;owned\u{7}\u{202e}b\u{200b}\u{2028}c\rd\u{9b}31m\u{e0041}e\u{0}";
    let s = Sandbox::new();
    s.add("'A first task' -d text");
    s.as_agent("ada", "claim bd-1").succeeds();
    s.as_agent("ada", "comment bd-1 hello").succeeds();
    s.as_agent("bob", "agent register --role r --model m").succeeds();
    s.as_agent("bob", "msg send --to ada hello").succeeds();
    s.as_agent("bob", "log note hello --task bd-1").succeeds();
    s.change_record("tasks/bd-1", |r| {
        r["event"]["body"] = EVIL.into();
        r["state"]["title"] = EVIL.into();
        r["state"]["description"] = EVIL.into();
        r["state"]["x"] = EVIL.into();
        r["session"] = EVIL.into();
        r["clone"] = EVIL.into();
        r["board"] = EVIL.into();
    });
    s.change_record("tasks/bd-1", |r| r["event"] = json!({ "type": EVIL, "reason": EVIL }));
    s.add("'A done task'");
    s.as_agent("bob", "close bd-2 --reason why").succeeds();
    s.change_record("tasks/bd-2", |r| {
        r["state"]["phase"]["outcome"]["reason"] = EVIL.into();
        r["event"]["reason"] = EVIL.into();
    });
    s.change_record("agents/bob", |r| {
        r["state"]["role"] = EVIL.into();
        r["state"]["model"] = EVIL.into();
        for session in r["state"]["sessions"].as_object_mut().unwrap().values_mut() {
            session["worktree"] = EVIL.into();
            session["host"] = EVIL.into();
        }
    });
    for family in ["messages", "log"] {
        let chain = s.git(&format!("for-each-ref --format=%(refname) refs/comm-node/{family}")).stdout;
        let chain = chain.trim().strip_prefix("refs/comm-node/").unwrap().to_owned();
        s.change_record(&chain, |r| {
            r["event"]["body"] = EVIL.into();
            r["event"]["key"] = EVIL.into();
        });
    }
    let pause = json!({ "by": "kai", "at": "2026-01-01T00:00:00.000000Z", "reason": EVIL });
    let mut control = s.record("meta");
    control["kind"] = "control".into();
    control["id"] = "control".into();
    control["seq"] = 1.into();
    control["state"] = json!({ "pauses": { "agent:cy": pause, EVIL: pause } });
    s.put_record("control", control);

    for words in [
        "list --all",
        "ready --all",
        "show bd-1",
        "show bd-2",
        "search a",
        "status",
        "log -n 0",
        "log bd-1",
        "agent list",
        "inbox --all",
        "dep tree bd-1",
        "dep shape",
        "whoami",
        "claim bd-1",
        "claim bd-2",
        "next",
        "comment bd-1 hello",
        "edit bd-1 -p 1",
        "renew bd-1",
        "release bd-1",
        "inbox",
    ] {
        for json in [false, true] {
            let run = s.as_agent("ada", &format!("{words}{}", if json { " --json" } else { "" }));
            assert!([0, 1].contains(&run.code), "{words}: {}", run.stderr);
            is_clean(&run, words);
            if json {
                run.json();
            }
        }
    }
    // It can be read, in its escaped form.
    assert!(s.comm("list --all").stdout.contains("\\u{1b}]0;owned"));
    is_refusal(&s.as_agent("cy", "claim bd-1"), 5, "agent:cy is paused by kai: a\\u{1b}", "a paused agent");
}

/// Another clone's wrong clock, or a hostile hand, must not take all times of
/// this clone with it.
#[test]
fn a_record_of_the_far_future_does_not_move_the_clock() {
    for future in ["2999-01-01T00:00:00.000000Z", "9999-12-30T22:00:00.999999Z"] {
        let s = Sandbox::new();
        s.add("'From the future'");
        s.change_record("tasks/bd-1", |r| r["at"] = future.into());
        s.as_agent("ada", "comment bd-1 'it is later than you think'").succeeds();
        s.as_agent("ada", "claim bd-1").succeeds();
        s.add("'From today'");
        let at = |id: &str| s.record(&format!("tasks/{id}"))["at"].as_str().unwrap().to_owned();
        assert_eq!(at("bd-1")[..4], future[..4]);
        assert!(at("bd-2").as_str() < "2500", "{}", at("bd-2"));
        s.comm("log").succeeds();
        s.as_agent("ada", "close bd-1").succeeds();
    }
}

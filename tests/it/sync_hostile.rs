//! A remote that holds what nobody writes.

use crate::sync::Fleet;

#[test]
fn records_that_nobody_writes_are_refused_and_stop_nothing_else() {
    let fleet = Fleet::new(2);
    fleet.comm(0, "add one").succeeds();
    fleet.settle();
    let meta = fleet.hub("rev-parse refs/comm-node/meta");
    let tree = fleet.hub("rev-parse refs/comm-node/meta^{tree}");
    // A task under another's name, a tree, a plain commit, names of no record.
    fleet.hub("update-ref refs/comm-node/tasks/bd-9 refs/comm-node/tasks/bd-1");
    fleet.hub(&format!("update-ref refs/comm-node/tasks/bd-8 {}", tree.trim()));
    fleet.hub(&format!("update-ref refs/comm-node/tasks/UPPER {}", meta.trim()));
    fleet.hub(&format!("update-ref refs/comm-node/log/ada/xyz.1 {}", meta.trim()));
    fleet.hub(&format!("update-ref refs/comm-node/tasks/bd-7 {}", meta.trim()));
    fleet.comm(1, "add two").succeeds();
    fleet.comm(0, "comment bd-1 said").succeeds();
    fleet.comm(0, "sync").succeeds();
    let synced = fleet.comm(1, "sync --json").succeeds().json();
    let refused: Vec<&str> =
        synced["refused"].as_array().unwrap().iter().map(|one| one["ref"].as_str().unwrap()).collect();
    assert_eq!(
        refused,
        [
            "refs/comm-node/log/ada/xyz.1",
            "refs/comm-node/tasks/UPPER",
            "refs/comm-node/tasks/bd-7",
            "refs/comm-node/tasks/bd-8",
            "refs/comm-node/tasks/bd-9"
        ],
        "{synced}"
    );
    assert_eq!((&synced["received"], &synced["sent"]), (&1.into(), &1.into()), "{synced}");
    let ours = fleet.git(1, "for-each-ref --format=%(refname) refs/comm-node/tasks");
    assert_eq!(ours, "refs/comm-node/tasks/bd-1\nrefs/comm-node/tasks/bd-2\n");
}

/// Puts a version with another JSON in the hub, on top of a record that the
/// clones have.
fn forge(fleet: &Fleet, name: &str, parents: &[&str], change: impl Fn(&mut serde_json::Value)) {
    let name = format!("refs/comm-node/{name}");
    let message = fleet.hub(&format!("log -1 --format=%B {name}"));
    let mut record: serde_json::Value =
        serde_json::from_str(message.split_once("\n\n").unwrap().1.trim()).unwrap();
    let seq = record["seq"].as_u64().unwrap();
    record["seq"] = (seq + 1).into();
    record["nonce"] = "f".repeat(32).into();
    let at = record["at"].as_str().unwrap().trim_end_matches('Z').to_owned();
    // A microsecond later.
    let micros: u64 = at[at.len() - 6..].parse().unwrap();
    record["at"] = format!("{}{:06}Z", &at[..at.len() - 6], (micros + 1) % 1_000_000).into();
    change(&mut record);
    let path = fleet.sandbox.root().join("message");
    std::fs::write(&path, format!("forged\n\n{record}\n")).unwrap();
    let parents: String = parents.iter().map(|parent| format!(" -p {parent}")).collect();
    let commit = fleet.hub(&format!("commit-tree -p {name}{parents} -F {} {name}^{{tree}}", path.display()));
    fleet.hub(&format!("update-ref {name} {}", commit.trim()));
}

#[test]
fn a_version_that_no_writer_makes_does_not_take_the_place_of_one() {
    for (reason, change) in [
        ("does not follow the one before it", (|r| r["seq"] = 9.into()) as fn(&mut serde_json::Value)),
        ("does not follow the one before it", |r| r["at"] = "2020-01-01T00:00:00.000000Z".into()),
        ("which is to come", |r| r["at"] = "2099-01-01T00:00:00.000000Z".into()),
        ("is of another board", |r| r["board"] = "0123456789abcdef".into()),
        ("the state of version 2 is none", |r| r["state"] = serde_json::json!({ "title": 7 })),
        ("has 1 parents", |r| r["event"] = serde_json::json!({ "type": "merge" })),
        ("it says that it is task `bd-2`", |r| r["id"] = "bd-2".into()),
        ("nonce", |r| r["nonce"] = "f".into()),
    ] {
        let fleet = Fleet::new(2);
        fleet.comm(0, "add one").succeeds();
        fleet.settle();
        forge(&fleet, "tasks/bd-1", &[], change);
        let own = fleet.git(1, "rev-parse refs/comm-node/tasks/bd-1");
        let synced = fleet.comm(1, "sync").succeeds().stdout;
        assert!(
            synced.contains("refused refs/comm-node/tasks/bd-1: ") && synced.contains(reason),
            "{synced}"
        );
        assert_eq!(fleet.git(1, "rev-parse refs/comm-node/tasks/bd-1"), own, "{reason}");
        assert_eq!(fleet.task(1, "bd-1")["title"], "one");
    }
    // One that keeps to all of it counts.
    let fleet = Fleet::new(2);
    fleet.comm(0, "add one").succeeds();
    fleet.settle();
    forge(&fleet, "tasks/bd-1", &[], |record| record["state"]["title"] = "other".into());
    assert_eq!(fleet.comm(1, "sync").succeeds().stdout, "origin: 1 received\n");
    assert_eq!(fleet.task(1, "bd-1")["title"], "other");
}

#[test]
fn a_merge_that_is_not_what_its_parents_make_is_refused() {
    let fleet = Fleet::new(2);
    fleet.comm(0, "add one").succeeds();
    fleet.settle();
    let base = fleet.hub("rev-parse refs/comm-node/tasks/bd-1");
    fleet.comm(0, "comment bd-1 said").succeeds();
    fleet.comm(0, "sync").succeeds();
    // A second parent of the same record, and a state of its own.
    fleet.hub(&format!("update-ref refs/comm-node/future/a {}", base.trim()));
    forge(&fleet, "tasks/bd-1", &[base.trim()], |record| {
        record["event"] = serde_json::json!({ "type": "merge" });
        record["state"]["phase"]["state"] = "done".into();
    });
    let synced = fleet.comm(1, "sync").succeeds().stdout;
    assert!(synced.contains("is not what its parents make together"), "{synced}");
    assert_eq!(fleet.task(1, "bd-1")["state"], "open");
    // A history that begins twice would part the clones for good.
    let fleet = Fleet::new(2);
    fleet.comm(0, "add one").succeeds();
    fleet.comm(0, "add two").succeeds();
    fleet.settle();
    let other = fleet.hub("rev-parse refs/comm-node/tasks/bd-2");
    forge(&fleet, "tasks/bd-1", &[other.trim()], |record| {
        record["event"] = serde_json::json!({ "type": "merge" });
    });
    let synced = fleet.comm(1, "sync").succeeds().stdout;
    assert!(synced.contains("refused refs/comm-node/tasks/bd-1: "), "{synced}");
}

#[test]
fn a_board_that_would_stop_every_clone_is_refused() {
    for change in [
        (|r| r["state"]["format"] = 999.into()) as fn(&mut serde_json::Value),
        |r| r["state"]["next"] = u64::MAX.into(),
        |r| r["state"]["prefix"] = "x/../y".into(),
        |r| r["state"]["boards"].as_array_mut().unwrap().push("nonsense".into()),
        |r| r["state"] = "none".into(),
    ] {
        let fleet = Fleet::new(2);
        fleet.comm(1, "add two").succeeds();
        forge(&fleet, "meta", &[], change);
        let synced = fleet.comm(1, "sync").succeeds().stdout;
        assert!(synced.starts_with("origin: 1 sent\nrefused refs/comm-node/meta: "), "{synced}");
        fleet.comm(1, "add three").succeeds();
    }
}

#[test]
fn a_clone_adopts_nothing_that_a_sync_would_refuse() {
    let fleet = Fleet::new(1);
    fleet.comm(0, "add one").succeeds();
    fleet.comm(0, "add two").succeeds();
    fleet.comm(0, "sync").succeeds();
    forge(&fleet, "tasks/bd-1", &[], |r| r["at"] = "2099-01-01T00:00:00.000000Z".into());
    fleet.hub("tag -a -m x forged refs/comm-node/tasks/bd-2");
    fleet.hub("update-ref refs/comm-node/tasks/bd-3 refs/tags/forged");
    let at = fleet.sandbox.root().join("late");
    fleet.git_at(
        fleet.sandbox.root(),
        &format!("clone -q {} {}", fleet.sandbox.repo().display(), at.display()),
    );
    let run = |words: &str| {
        let mut command = fleet.sandbox.bare_command(crate::support::program(), &at);
        crate::support::Run::of(&command.args(crate::support::split(words)).output().unwrap(), words)
    };
    let adopted = run("init").succeeds();
    let told = format!("{}{}", adopted.stdout, adopted.stderr);
    assert_eq!(told.matches("not adopted: ").count(), 2, "{told}");
    let tasks = fleet.git_at(&at, "for-each-ref --format=%(refname) refs/comm-node/tasks");
    assert_eq!(tasks, "refs/comm-node/tasks/bd-2\n");
}

#[test]
fn a_ref_that_is_no_record_stops_no_other() {
    let fleet = Fleet::new(2);
    let blob = fleet.hub("hash-object -w HEAD");
    let tip = fleet.hub("rev-parse refs/comm-node/meta");
    for (name, oid) in [("future/x", &blob), ("other/y", &tip)] {
        fleet.hub(&format!("update-ref refs/comm-node/{name} {}", oid.trim()));
    }
    fleet.comm(0, "add one").succeeds();
    let synced = fleet.comm(0, "sync").succeeds().stdout;
    assert!(synced.starts_with("origin: 1 received, 1 sent\nrefused refs/comm-node/future/x: "), "{synced}");
    // What a newer writer took back is not put there again.
    fleet.hub("update-ref -d refs/comm-node/other/y");
    fleet.comm(0, "comment bd-1 said").succeeds();
    assert!(fleet.comm(0, "sync").succeeds().stdout.starts_with("origin: 1 sent\n"));
    assert_eq!(fleet.hub("for-each-ref refs/comm-node/other"), "");
}

#[test]
fn a_hook_of_the_remote_that_refuses_is_told_by_the_exit_code() {
    let fleet = Fleet::new(1);
    let hook = fleet.sandbox.repo().join("hooks/update");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\ncase $1 in */bd-2) echo no; exit 1;; esac\n").unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    fleet.comm(0, "add one").succeeds();
    fleet.comm(0, "add two").succeeds();
    let refused = fleet.comm(0, "sync").exits(3).stdout;
    assert!(refused.starts_with("origin: 1 sent\nrefused refs/comm-node/tasks/bd-2: "), "{refused}");
}

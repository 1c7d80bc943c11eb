//! A process killed at any system call: what it acknowledged is stored, what
//! is stored is whole, and the next command works.

use std::os::unix::fs::MetadataExt;

use crate::support::Sandbox;
use crate::support::faults::{Call, Scene, sample, timed};
use crate::support::{has_tool, is_full};

/// A verb whose record is made once, however often it is asked for.
struct Verb {
    words: &'static str,
    /// What it says on standard output once the record is stored.
    says: &'static str,
    /// What the subject of its commit says and no other.
    subject: &'static str,
}

const CLAIM: Verb = Verb { words: "claim bd-1", says: "claimed bd-1", subject: "claim bd-1" };
const CLOSE: Verb = Verb { words: "close bd-2 --reason done", says: "closed bd-2", subject: "close bd-2" };
const COMMENT: Verb =
    Verb { words: "comment bd-1 'it is so'", says: "commented on bd-1", subject: "comment bd-1" };
const ADD: Verb = Verb { words: "add 'a third task'", says: "bd-3", subject: ": a third task" };
const SEND: Verb =
    Verb { words: "msg send --to bob 'well met'", says: "sent m-", subject: "message to bob: well met" };

fn scene(init: &[&str]) -> Scene {
    let sandbox = Sandbox::with_init(init);
    sandbox.comm("init").succeeds();
    sandbox.add("'a first task'");
    sandbox.add("'a second task'");
    sandbox.as_agent("ada", "claim bd-2").succeeds();
    Scene::new(sandbox)
}

/// Kills the verb at each of its own calls in turn.
#[track_caller]
fn sweep(init: &[&str], verb: &Verb, small: usize) {
    if has_tool("strace", &["-V"]) {
        sweep_in(&scene(init), verb, small);
    }
}

#[track_caller]
fn sweep_in(scene: &Scene, verb: &Verb, small: usize) {
    let calls = scene.calls("ada", verb.words);
    assert!(calls.len() > 50, "{calls:?}");
    let mut points: Vec<Call> =
        calls.iter().filter(|call| scene.has_links() || !call.is_link()).cloned().collect();
    if !is_full() {
        // The writes, and the end, where everything was acknowledged.
        points.retain(Call::is_write);
        points = sample(points, small);
        points.extend(calls.last().cloned());
    }
    let (mut killed, mut acknowledged) = (0, 0);
    for call in points {
        let outcome = scene.kill_at("ada", verb.words, &call);
        killed += usize::from(outcome.was_killed);
        let is_acknowledged = outcome.run.stdout.contains(verb.says);
        acknowledged += usize::from(is_acknowledged && outcome.was_killed);
        goes_on(scene, verb, is_acknowledged, &outcome.what);
    }
    eprintln!("{}: killed at {killed} calls, {acknowledged} of them after the acknowledgement", verb.words);
    assert!(killed > 5 && acknowledged > 0, "{}: {killed}", verb.words);
}

/// What was acknowledged is stored; asked again, the verb works, within
/// bounds, and makes no second record; nothing is torn or left locked.
#[track_caller]
fn goes_on(scene: &Scene, verb: &Verb, is_acknowledged: bool, what: &str) {
    if is_acknowledged {
        assert_eq!(scene.versions(verb.subject), 1, "{what}: acknowledged, but not stored");
    }
    let (again, seconds) = timed(|| scene.run("ada", verb.words));
    assert_eq!(again.code, 0, "{what}: asked again: {}{}", again.stdout, again.stderr);
    scene.went_on_in_time(seconds, &format!("{what}: asking again"));
    assert_eq!(scene.versions(verb.subject), 1, "{what}: asked again: {}", again.stdout);
    let (other, seconds) = timed(|| scene.run("bob", "log note 'life goes on'"));
    assert_eq!(other.code, 0, "{what}: the next writer: {}", other.stderr);
    scene.went_on_in_time(seconds, &format!("{what}: the next writer"));
    assert_eq!(scene.locks(), Vec::<std::path::PathBuf>::new(), "{what}");
    scene.is_sound(what);
}

#[test]
fn a_claim_survives_a_kill_at_any_call() {
    sweep(&["--template="], &CLAIM, 14);
}

#[test]
fn a_close_survives_a_kill_at_any_call() {
    sweep(&["--template="], &CLOSE, 14);
}

#[test]
fn a_comment_survives_a_kill_at_any_call() {
    sweep(&["--template="], &COMMENT, 14);
}

#[test]
fn a_task_survives_a_kill_at_any_call() {
    sweep(&["--template="], &ADD, 14);
}

#[test]
fn a_message_survives_a_kill_at_any_call() {
    sweep(&["--template="], &SEND, 14);
}

/// There a copy takes the place of each link: of the lock, of the object.
#[test]
fn without_hard_links_a_claim_survives_a_kill_at_any_call() {
    if !has_tool("strace", &["-V"]) {
        return;
    }
    let scene = scene(&["--template="]).without_links();
    let run = scene.run("ada", "claim bd-1").succeeds();
    assert!(run.stdout.contains("claimed bd-1"), "{}", run.stdout);
    let tip = scene.sandbox.git("rev-parse refs/comm-node/tasks/bd-1").succeeds().stdout;
    let object = scene.git_dir().join("objects").join(&tip[..2]).join(tip[2..].trim());
    assert_eq!(std::fs::metadata(object).unwrap().nlink(), 1, "the object is a copy");
    assert!(scene.calls("ada", "claim bd-1").iter().filter(|c| c.is_link()).count() >= 2);
    sweep_in(&scene, &CLAIM, 10);
}

const REFTABLE: &[&str] = &["--template=", "--ref-format=reftable"];

#[test]
fn a_claim_in_a_reftable_survives_a_kill_at_any_call() {
    sweep(REFTABLE, &CLAIM, 8);
}

#[test]
fn a_close_in_a_reftable_survives_a_kill_at_any_call() {
    sweep(REFTABLE, &CLOSE, 8);
}

#[test]
fn a_comment_in_a_reftable_survives_a_kill_at_any_call() {
    sweep(REFTABLE, &COMMENT, 8);
}

/// There git moves the ref: it is killed at each call while we live on.
#[test]
fn a_claim_survives_that_its_git_is_killed_at_any_call() {
    if !has_tool("strace", &["-V"]) {
        return;
    }
    let first = scene(REFTABLE);
    let bin = first.git_that_dies(None);
    first.run_with(&bin, "ada", "agent heartbeat").succeeds();
    let calls = first.traced_calls();
    assert!(calls.len() > 50, "{calls:?}");
    // Where git held its lock, the lock has to grow old: a few such points
    // suffice for a small run, and many wait at the same time in a full one.
    let locks = |c: &Call| c.text.contains("tables.list.lock") || c.name.starts_with("rename");
    let calls = if is_full() { calls } else { sample(calls.into_iter().filter(locks).collect(), 3) };
    std::thread::scope(|scope| {
        for part in calls.chunks(calls.len().div_ceil(12)) {
            scope.spawn(move || {
                let scene = scene(REFTABLE);
                for call in part {
                    scene.reset();
                    let bin = scene.git_that_dies(Some(call));
                    let run = scene.run_with(&bin, "ada", CLAIM.words);
                    let what = format!("git killed at {} {}: {}", call.name, call.nth, call.text);
                    assert!([0, 3, 6, 128].contains(&run.code), "{what}: {}{}", run.stdout, run.stderr);
                    assert!(!run.stderr.contains("panicked"), "{what}: {}", run.stderr);
                    goes_on(&scene, &CLAIM, run.stdout.contains(CLAIM.says), &what);
                }
            });
        }
    });
}

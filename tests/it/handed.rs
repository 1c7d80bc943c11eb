//! What the receiver of a hand-over is told, and what everybody can read of
//! why a task changed hands.

use std::io::Write;
use std::process::Stdio;

use crate::support::{Run, Sandbox};

const TOLD: &str = "bd-1 was handed to you by ada: needs css; take it up: git comm claim bd-1";

/// A task that ada handed to bob.
fn handed_to_bob() -> Sandbox {
    let s = Sandbox::new();
    s.add("'Style the page'");
    s.as_agent("bob", "agent register").succeeds();
    s.as_agent("ada", "claim bd-1").succeeds();
    s.as_agent("ada", "handover --to bob --reason 'needs css'").succeeds();
    s
}

/// What a harness's hook tells bob.
fn hook(s: &Sandbox, verb: &str) -> String {
    let mut command = s.agent_command("bob");
    command.args(["hook", verb]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"{}").unwrap();
    Run::of(&child.wait_with_output().unwrap(), verb).succeeds().stdout
}

#[test]
fn a_hand_over_is_told_to_its_receiver_until_it_is_taken_up() {
    let s = handed_to_bob();
    let whoami = s.as_agent("bob", "whoami").succeeds().stdout;
    assert!(whoami.lines().any(|line| line == TOLD), "{whoami}");
    let prime = s.as_agent("bob", "prime").succeeds().stdout;
    // Words of others stand in quotes there.
    let quoted = TOLD.replace("needs css", "\"needs css\"");
    assert!(prime.lines().any(|line| line == quoted), "{prime}");
    assert!(!prime.contains("nothing is ready"), "{prime}");
    assert!(hook(&s, "turn").contains(TOLD));
    assert!(hook(&s, "session-start").contains("bd-1 was handed to you by ada"));
    for verb in ["whoami", "prime"] {
        let json = s.as_agent("bob", &format!("{verb} --json")).succeeds().json();
        let handed = &json["handed_over"][0];
        assert_eq!((&handed["id"], &handed["by"]), (&"bd-1".into(), &"ada".into()), "{json}");
        assert_eq!(handed["reason"], "needs css");
        assert!(!s.as_agent("cyd", verb).succeeds().stdout.contains("handed to you"));
    }
    s.as_agent("bob", "claim bd-1").succeeds();
    for text in [s.as_agent("bob", "whoami").stdout, s.as_agent("bob", "prime").stdout, hook(&s, "turn")] {
        assert!(!text.contains("handed to you"), "{text}");
    }
}

#[test]
fn a_hand_over_is_its_receivers_task_to_show_and_to_renew() {
    let s = handed_to_bob();
    assert!(s.as_agent("bob", "show").succeeds().stdout.starts_with("bd-1 "));
    // Nothing that ends it is done to what the receiver has not taken up.
    s.as_agent("bob", "close").exits(4);
    s.as_agent("bob", "release").exits(4);
    let renewed = s.as_agent("bob", "renew").succeeds().stdout;
    assert!(renewed.starts_with("renewed bd-1 until "), "{renewed}");
    s.as_agent("bob", "close").succeeds();
    // What is held goes before what was handed over.
    for title in ["own", "ada's"] {
        s.add(&format!("\"{title}\""));
    }
    s.as_agent("bob", "claim bd-2").succeeds();
    s.as_agent("ada", "claim bd-3").succeeds();
    s.as_agent("ada", "handover --to bob").succeeds();
    assert!(s.as_agent("bob", "show").succeeds().stdout.starts_with("bd-2 "));
}

/// The lines of an answer that say this.
fn saying(text: &str, what: &str) -> Vec<String> {
    text.lines().filter(|line| line.contains(what)).map(str::to_owned).collect()
}

#[test]
fn why_a_task_changed_hands_can_be_read() {
    let s = handed_to_bob();
    let given = |id: &str| s.task(id)["given"].clone();
    for taken_up in [false, true] {
        if taken_up {
            s.as_agent("bob", "claim bd-1").succeeds();
            s.as_agent("bob", "comment bd-1 'I am at it'").succeeds();
        }
        let show = s.comm("show bd-1").succeeds().stdout;
        assert_eq!(saying(&show, "handed").len(), 1, "{show}");
        assert!(saying(&show, "handed")[0].ends_with("by ada: needs css"), "{show}");
        assert_eq!((&given("bd-1")["type"], &given("bd-1")["by"]), (&"handover".into(), &"ada".into()));
    }
    s.as_person("steal bd-1 --reason 'it hangs'").succeeds();
    let show = s.comm("show bd-1").succeeds().stdout;
    assert!(saying(&show, "stolen")[0].ends_with("from bob by kai-conductor: it hangs"), "{show}");
    assert_eq!(given("bd-1")["reason"], "it hangs");
    let log = s.comm("log bd-1").succeeds().stdout;
    for (verb, why) in [("handover", ": needs css"), ("steal", ": it hangs")] {
        assert!(saying(&log, verb)[0].ends_with(why), "{log}");
    }
    // Who took it itself was given it by nobody.
    s.as_person("release bd-1").succeeds();
    s.as_agent("cyd", "claim bd-1").succeeds();
    let show = s.comm("show bd-1").succeeds().stdout;
    assert!(!show.contains("handed") && !show.contains("stolen"), "{show}");
    assert!(given("bd-1").is_null());
}

//! What a verb leaves behind: records, objects and its own local files, and
//! nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::support::Sandbox;

/// Every file below `dir` with its content, but what is ours: the records,
/// the objects that they are made of, and the local files beside them.
fn files(dir: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(dir).unwrap().map(|e| e.unwrap()) {
        let path = entry.path();
        let is_ours = ["objects", "comm-node"].contains(&entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            if !is_ours {
                found.insert(path.display().to_string(), Vec::new());
                files(&path, found);
            }
        } else {
            found.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
}

fn snapshot(s: &Sandbox) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    files(s.root(), &mut found);
    found
}

#[test]
fn no_verb_touches_what_is_not_its_own() {
    let s = Sandbox::with_init(&[]);
    std::fs::write(s.repo().join("code.rs"), "fn main() {}\n").unwrap();
    std::fs::write(s.repo().join("draft"), "not added\n").unwrap();
    s.git("add code.rs").succeeds();
    s.git("branch other").succeeds();
    s.git("config extensions.worktreeConfig true").succeeds();
    // Each as [agent] words; an agent's name first, or `-` for nobody.
    let calls = [
        "- init",
        "- status",
        "ada whoami",
        "- add one",
        "- add two --dep bd-1",
        "- add three",
        "- add four",
        "- list",
        "- ready",
        "- show bd-1",
        "- search one",
        "- edit bd-1 -p 0",
        "- comment bd-1 word",
        "- defer bd-4 --for 1h",
        "- dep add bd-3 bd-1",
        "- dep tree bd-3",
        "- dep shape",
        "- dep remove bd-3 bd-1",
        "ada agent register --domain web",
        "bob agent register",
        "ada claim bd-1",
        "ada renew",
        "ada agent heartbeat",
        "ada release",
        "ada next",
        "ada handover bd-1 --to bob",
        "bob claim bd-1",
        "bob close bd-1",
        "bob claim bd-2",
        "bob fail bd-2",
        "- reopen bd-2",
        "- cancel bd-2",
        "ada agent list",
        "ada msg send --to bob word",
        "bob inbox",
        "- log",
        "ada log note word",
        "bob agent retire",
        "- pause all",
        "- resume all",
        "- steal bd-3 -r mine",
        "- setup completions bash",
        "- setup man --stdout",
    ];
    let before = snapshot(&s);
    let mut run = BTreeSet::new();
    for call in calls {
        let (agent, words) = call.split_once(' ').unwrap();
        // A refusal (the person's acts need a terminal) must leave no trace either.
        let ended = if agent == "-" { s.comm(words) } else { s.as_agent(agent, words) };
        let is_persons = ["pause", "resume", "steal"].contains(&words.split(' ').next().unwrap());
        ended.exits(if is_persons { 5 } else { 0 });
        let after = snapshot(&s);
        let changed: Vec<_> = after
            .iter()
            .filter(|(path, content)| before.get(*path) != Some(*content))
            .map(|(path, _)| path)
            .chain(before.keys().filter(|path| !after.contains_key(*path)))
            .collect();
        assert!(changed.is_empty(), "`{call}` changed {changed:?}");
        run.insert(words.to_owned());
    }
    // The demo's test compares more, and it takes its time.
    run.insert("demo".to_owned());
    for verb in verbs(&git_comm::cli::command(), "") {
        let is_run = run.iter().any(|words| format!("{words} ").starts_with(&format!("{verb} ")));
        assert!(is_run, "`{verb}` is not tried here");
    }
}

/// Every verb that can be run.
fn verbs(command: &clap::Command, before: &str) -> Vec<String> {
    let mut found = Vec::new();
    for sub in command.get_subcommands() {
        let name = format!("{before}{}", sub.get_name());
        found.extend(verbs(sub, &format!("{name} ")));
        let is_group = sub.has_subcommands() && sub.get_arguments().count() == 0;
        if !is_group {
            found.push(name);
        }
    }
    found
}

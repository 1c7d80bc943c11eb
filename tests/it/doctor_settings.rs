//! The check-up of settings and rules.

use crate::doctor::{faults, fine, note, red};
use crate::support::{Run, Sandbox};

fn commit(s: &Sandbox, rules: &str) {
    std::fs::write(s.repo().join("comm.toml"), rules).unwrap();
    s.git("add comm.toml").succeeds();
    s.git("commit -q --no-verify -m rules").succeeds();
}

const PEOPLE: &str = "[commit]\npeople = ['kai@example.com']\n";

#[test]
fn values_that_mean_nothing_are_red() {
    let s = Sandbox::new();
    for (key, value, why) in [
        ("comm.ttl", "soon", "is not a length of time"),
        ("comm.ttl", "31d", "it is 1s to 30d"),
        ("comm.durability", "Power", "it is power or process"),
        ("comm.hooks.onFailure", "true", "it is block or allow"),
        ("comm.agent", "'A B'", "cannot name an agent"),
        ("comm.domain", "'A B'", "cannot name a domain"),
        ("comm.task", "'A B'", "cannot name a task"),
        ("comm.worktrees", ".git/config", "is no folder"),
    ] {
        s.git(&format!("config {key} {value}")).succeeds();
        red(&s, "settings", &format!("`{key}`"));
        red(&s, "settings", why);
        s.git(&format!("config --unset {key}")).succeeds();
    }
    for (key, value) in [
        ("comm.ttl", "2h"),
        ("comm.durability", "process"),
        ("comm.hooks.onFailure", "block"),
        ("comm.worktrees", "../trees"),
    ] {
        s.git(&format!("config {key} {value}")).succeeds();
    }
    assert_eq!(fine(&s, "settings"), "4 values of comm.* understood");
}

#[test]
fn a_setting_that_stops_every_command_does_not_stop_the_check_up() {
    let s = Sandbox::new();
    s.git("config comm.durability none").succeeds();
    let report = s.comm("doctor --json").exits(1).json();
    assert_eq!(faults(&report, "settings").len(), 1, "{report}");
    assert!(faults(&report, "rest")[0]["what"].as_str().unwrap().contains("not looked at"), "{report}");
    s.git("config comm.durability power").succeeds();
    let mut command = s.command();
    command.args(["doctor", "--json", "--agent", "A B"]);
    let report = Run::of(&command.output().unwrap(), "--agent").exits(1).json();
    assert_eq!(faults(&report, "identity")[0]["status"], "red", "{report}");
}

#[test]
fn misspelt_keys_are_told_with_what_was_meant_and_where_they_stand() {
    let s = Sandbox::new();
    s.git("config comm.tll 1h").succeeds();
    note(&s, "settings", "there is no `comm.tll`, in ", "git config --local --unset-all comm.tll");
    note(&s, "settings", "; did you mean `comm.ttl`?", "comm.tll");
    s.git("config --unset comm.tll").succeeds();
    s.git("config --global comm.onFailure block").succeeds();
    note(&s, "settings", "did you mean `comm.hooks.onFailure`?", "git config --global");
    let mut command = s.command();
    command.env("GIT_CONFIG_PARAMETERS", "'comm.TTL'='soon' 'comm.Hooks.onFailure'='block'");
    let report = Run::of(&command.args(["doctor", "--json"]).output().unwrap(), "git -c").exits(1).json();
    let told = faults(&report, "settings");
    assert!(
        told[0]["what"].as_str().unwrap().contains("`comm.ttl` means nothing as `soon`, in the environment"),
        "{told:?}"
    );
    assert!(
        told.iter().any(|f| f["what"].as_str().unwrap().contains("there is no `comm.Hooks.onfailure`")),
        "{told:?}"
    );
}

#[test]
fn what_binds_one_worktree_is_not_set_for_all() {
    let s = Sandbox::new();
    s.git("config comm.task bd-1").succeeds();
    note(&s, "settings", "`comm.task` holds for every worktree", "git config --worktree comm.task");
    s.git("config --unset comm.task").succeeds();
    s.git("config extensions.worktreeConfig true").succeeds();
    s.git("config --worktree comm.task bd-1").succeeds();
    fine(&s, "settings");
}

#[test]
fn rules_that_are_not_committed_are_told() {
    let s = Sandbox::new();
    let write = |text: &str| std::fs::write(s.repo().join("comm.toml"), text).unwrap();
    write(PEOPLE);
    note(&s, "rules", "comm.toml here is not committed; what is committed counts", "git add comm.toml");
    write("[domains.api]\nscop = 'x'\n");
    note(&s, "rules", "comm.toml:2:1: unknown key `scop`; did you mean `scope`?", "git add comm.toml");
    commit(&s, PEOPLE);
    assert_eq!(fine(&s, "rules"), "no domains, as committed");
    write(&format!("# more\n{PEOPLE}"));
    note(&s, "rules", "comm.toml here is not committed", "git add comm.toml");
    std::fs::remove_file(s.repo().join("comm.toml")).unwrap();
    note(&s, "rules", "gone from the working tree", "git add comm.toml");
}

#[test]
fn rules_by_a_wrong_name_are_told() {
    let s = Sandbox::new();
    for name in ["Comm.toml", ".comm.toml", "com.toml"] {
        std::fs::write(s.repo().join(name), "").unwrap();
        note(&s, "rules", &format!("`{name}` is not read"), "rename it to comm.toml");
        std::fs::remove_file(s.repo().join(name)).unwrap();
    }
    commit(&s, PEOPLE);
    std::fs::write(s.repo().join("comms.toml"), "").unwrap();
    note(&s, "rules", "`comms.toml` is not read", "move what counts into comm.toml");
    std::fs::remove_file(s.repo().join("comms.toml")).unwrap();
    for name in ["Cargo.toml", "commit.toml", "comm.json"] {
        std::fs::write(s.repo().join(name), "").unwrap();
    }
    fine(&s, "rules");
}

#[test]
fn people_and_agents_of_the_rules_are_looked_at() {
    let s = Sandbox::new();
    commit(&s, "[domains.api]\npath = 'api'\n");
    note(&s, "rules", "`[commit] people` names nobody", "people = ");
    commit(&s, "[domains.api]\npath = 'api'\nagent = 'ada'\n[commit]\npeople = ['kai@example.com']\n");
    note(&s, "rules", "not registered: ada", "git comm --agent ada agent register");
    s.as_agent("ada", "agent register").succeeds();
    assert_eq!(fine(&s, "rules"), "1 domain, as committed");
    commit(&s, "[domains.api]\npath = 'api'\nagent = 'ada'\n[commit]\npeople = ['kai@example.com', 'ada']\n");
    red(&s, "rules", "`[commit] people` names agents");
}

#[test]
fn tasks_for_nobody_are_told() {
    let s = Sandbox::new();
    commit(&s, &format!("[domains.api]\npath = 'api'\nagent = 'ada'\n{PEOPLE}"));
    s.as_agent("ada", "agent register").succeeds();
    s.add("one --domain apy");
    note(
        &s,
        "work",
        "bd-1: domain `apy` is not in comm.toml; did you mean `api`?",
        "git comm edit bd-1 --domain api",
    );
    s.comm("edit bd-1 --domain api").succeeds();
    s.comm("edit bd-1 --assignee adda").succeeds();
    note(
        &s,
        "work",
        "bd-1: assigned to `adda`, who is unknown; did you mean `ada`?",
        "git comm edit bd-1 --assignee ada",
    );
    s.as_agent("bob", "agent register").succeeds();
    s.as_agent("bob", "agent retire").succeeds();
    s.comm("edit bd-1 --assignee bob").succeeds();
    note(&s, "work", "assigned to `bob`, who has retired", "--assignee");
    s.comm("edit bd-1 --assignee ada").succeeds();
    assert_eq!(fine(&s, "work"), "1 task, 1 agent");
}

//! Many processes want the same thing: exactly one gets it, nothing that was
//! acknowledged is lost.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::support::race::{Gate, Racers, beside, race, race_gated, wait_until};
use crate::support::{Run, Sandbox, rounds, split};

/// Processes that race for one thing.
const RACERS: usize = 16;

/// Agent number `number`, about to run the program.
fn agent(s: &Sandbox, number: usize, words: &str) -> Command {
    let mut command = s.agent_command(&format!("agent-{number}"));
    command.args(split(words));
    command
}

fn agents(s: &Sandbox, words: &str) -> Vec<Command> {
    (0..RACERS).map(|number| agent(s, number, words)).collect()
}

/// The answer to the one that was granted the task; all others were told no.
#[track_caller]
fn only_winner(s: &Sandbox, id: &str, runs: &[Run]) -> Value {
    let mut won = Vec::new();
    for run in runs {
        if run.code == 0 {
            let answer = run.json();
            assert_eq!(answer["granted"], true, "{answer}");
            won.push(answer);
        } else {
            assert_eq!(run.clone().exits(1).json()["error"]["kind"], "held", "{}", run.stdout);
        }
    }
    assert_eq!(won.len(), 1, "`{id}` was granted to: {won:#?}");
    let won = won.remove(0);
    // The winner's first heartbeat, which follows its grant, moves the end.
    let (now, told) = (s.task(id)["claim"].clone(), &won["task"]["claim"]);
    for field in ["agent", "token", "nonce", "granted_at"] {
        assert_eq!(now[field], told[field], "{field}");
    }
    won
}

/// Checks that the winner's grant is the only one on the task's record, after
/// so many others.
#[track_caller]
fn has_one_grant(s: &Sandbox, id: &str, won: &Value, after: usize) {
    let grants = s.grants(id);
    assert_eq!(grants.len(), after + 1, "{grants:?}");
    assert_eq!(won["task"]["claim"]["nonce"], grants[after]);
}

/// Sixteen processes race for one task in each round: in one round as they
/// come, in the next all of them read before the first can write.
fn race_for_tasks(s: &Sandbox, count: usize) -> Vec<(String, Value)> {
    let round = |round: usize| {
        let id = s.add(&format!("'Wanted in round {round}'"));
        let claims = agents(s, &format!("claim {id} --json"));
        let runs = if round.is_multiple_of(2) { race(claims) } else { race_gated(s, claims) };
        let won = only_winner(s, &id, &runs);
        (id, won)
    };
    (0..count).map(round).collect()
}

/// Checks the records of tasks that were raced for, when all is quiet.
fn check_records(s: &Sandbox, won: &[(String, Value)]) {
    // A version can be pruned by a gc that began before its ref moved; whoever
    // reads it brings it back.
    s.comm("log").succeeds();
    for (id, won) in won {
        has_one_grant(s, id, won, 0);
    }
    s.git("fsck --strict").succeeds();
}

/// Rounds in one repository: in a larger one each takes longer and shows no
/// more, and what runs beside them comes round less often.
const BATCH: usize = 50;

/// Rounds beside a git command that runs in a loop, or beside nothing.
fn race_beside(git: &[&str], count: usize, repository: impl Fn() -> Sandbox) {
    for begin in (0..count).step_by(BATCH) {
        let (s, count) = (repository(), BATCH.min(count - begin));
        let won = if git.is_empty() {
            race_for_tasks(&s, count)
        } else {
            beside(&s, git, || race_for_tasks(&s, count))
        };
        check_records(&s, &won);
    }
}

#[test]
fn one_of_sixteen_claims_a_task() {
    race_beside(&[], rounds(6, 500), Sandbox::new);
}

#[test]
fn one_of_sixteen_claims_a_task_while_git_packs_refs() {
    race_beside(&["pack-refs", "--all", "--prune"], rounds(6, 500), Sandbox::quick);
}

#[test]
fn one_of_sixteen_claims_a_task_while_git_collects_garbage() {
    race_beside(&["gc", "-q", "--prune=now"], rounds(6, 500), Sandbox::quick);
}

#[test]
fn one_of_sixteen_claims_a_task_in_a_reftable_repository() {
    if Sandbox::reftable().is_some() {
        race_beside(&[], rounds(4, 500), || Sandbox::reftable().unwrap());
    }
}

#[test]
fn one_of_sixteen_claims_a_task_beside_plain_git() {
    let plain = 4;
    let batches = (0..rounds(1, 5)).flat_map(|_| Sandbox::of_each_ref_format());
    for s in &batches.collect::<Vec<_>>() {
        for round in 0..rounds(4, BATCH) {
            let id = s.add(&format!("'Wanted in round {round}'"));
            let (nonces, moves): (Vec<_>, Vec<_>) =
                (0..plain).map(|n| s.plain_claim(&id, &format!("agent-{n}"))).unzip();
            let claims = (plain..RACERS).map(|n| agent(s, n, &format!("claim {id} --json")));
            let mut runs = if round.is_multiple_of(2) {
                race(moves.into_iter().chain(claims))
            } else {
                // Ours have all read when git comes.
                let moves = Racers::line_up(moves);
                let gate = Gate::close(s);
                let claims = Racers::line_up(claims).go();
                gate.wait_for_versions(RACERS - plain);
                let moves = moves.go();
                gate.open();
                let mut runs = moves.finish();
                runs.extend(claims.finish());
                runs
            };
            let claims = runs.split_off(plain);
            let moved: Vec<&String> =
                nonces.iter().zip(&runs).filter(|(_, r)| r.code == 0).map(|p| p.0).collect();
            match moved.as_slice() {
                [] => has_one_grant(s, &id, &only_winner(s, &id, &claims), 0),
                [nonce] => {
                    assert!(claims.iter().all(|run| run.code == 1), "{claims:#?}");
                    assert_eq!(s.grants(&id), [(*nonce).clone()]);
                }
                _ => panic!("git moved the ref from one value twice"),
            }
        }
        s.git("fsck --strict").succeeds();
    }
}

#[test]
fn one_of_sixteen_creates_a_task_by_name_while_git_packs_refs() {
    let s = Sandbox::quick();
    beside(&s, &["pack-refs", "--all", "--prune"], || {
        for round in 0..rounds(4, 200) {
            let runs = race(agents(&s, &format!("add --id named-{round} 'One of sixteen'")));
            let made: Vec<usize> = (0..RACERS).filter(|&n| runs[n].code == 0).collect();
            assert_eq!(made.len(), 1, "{runs:#?}");
            let chain = s.chain(&format!("named-{round}"));
            assert_eq!(chain.len(), 1);
            assert_eq!(chain[0]["agent"], format!("agent-{}", made[0]));
        }
    });
}

#[test]
fn sixteen_at_once_add_tasks_with_ids_of_their_own() {
    let s = Sandbox::quick();
    let count = rounds(2, 30);
    let mut ids = BTreeSet::new();
    for round in 0..count {
        for run in race(agents(&s, &format!("add 'Task of round {round}'"))) {
            let id = run.succeeds().stdout.trim().to_owned();
            assert!(ids.insert(id.clone()), "`{id}` was given twice");
        }
    }
    assert_eq!(ids.len(), count * RACERS);
    for id in ids {
        assert_eq!(s.chain(&id).len(), 1);
    }
}

/// Tasks whose holder has let its lease run out, on the real clock.
fn expired_tasks(s: &Sandbox, count: usize) -> Vec<String> {
    let ids: Vec<String> = (0..count).map(|n| s.add(&format!("'Left behind {n}'"))).collect();
    for id in &ids {
        s.as_agent("gone", &format!("claim {id} --ttl 1s")).succeeds();
    }
    wait_until("leases of one second run out", || {
        let ready = s.as_agent("watcher", "ready --json -n 1000").json();
        ready["total"] == count
    });
    ids
}

#[test]
fn one_of_sixteen_takes_over_an_expired_lease() {
    let s = Sandbox::quick();
    let ids = expired_tasks(&s, rounds(4, 200));
    for (round, id) in ids.iter().enumerate() {
        let claims = agents(&s, &format!("claim {id} --json"));
        let runs = if round.is_multiple_of(2) { race(claims) } else { race_gated(&s, claims) };
        let won = only_winner(&s, id, &runs);
        has_one_grant(&s, id, &won, 1);
        assert_eq!(won["taken_from"], "gone");
        assert_eq!(won["task"]["claim"]["token"], 2);
    }
    for id in &ids {
        s.as_agent("gone", &format!("close {id}")).exits(5);
    }
}

#[test]
fn sixteen_who_take_what_is_next_get_every_task_once() {
    let s = Sandbox::quick();
    let count = rounds(60, 500);
    let ids: BTreeSet<String> = (0..count).map(|n| s.add(&format!("'One of many {n}'"))).collect();
    let granted: Vec<String> = std::thread::scope(|scope| {
        let takers: Vec<_> = (0..RACERS)
            .map(|number| {
                let s = &s;
                scope.spawn(move || {
                    let mut granted = Vec::new();
                    loop {
                        let run = s.as_agent(&format!("agent-{number}"), "next --another --json");
                        if run.code != 0 {
                            assert_eq!(run.exits(1).json()["error"]["kind"], "nothing_ready");
                            return granted;
                        }
                        let answer = run.json();
                        assert_eq!(answer["granted"], true);
                        granted.push(answer["task"]["id"].as_str().unwrap().to_owned());
                    }
                })
            })
            .collect();
        takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect()
    });
    assert_eq!(granted.len(), count, "none is granted twice, none is left");
    assert_eq!(granted.into_iter().collect::<BTreeSet<_>>(), ids);
    for id in ids {
        assert_eq!(s.grants(&id).len(), 1, "{id}");
    }
}

#[test]
fn one_of_sixteen_processes_of_one_session_is_granted_the_task() {
    let s = Sandbox::quick();
    for round in 0..rounds(4, 100) {
        let id = s.add(&format!("'Wanted in round {round}'"));
        let claims = (0..RACERS).map(|_| agent(&s, 0, &format!("claim {id} --json"))).collect();
        let runs = if round.is_multiple_of(2) { race(claims) } else { race_gated(&s, claims) };
        let answers: Vec<Value> = runs.into_iter().map(|run| run.succeeds().json()).collect();
        assert_eq!(answers.iter().filter(|a| a["granted"] == true).count(), 1, "{answers:#?}");
        assert_eq!(answers.iter().filter(|a| a["granted"] == false).count(), RACERS - 1);
        let grants = s.grants(&id);
        assert_eq!(grants.len(), 1);
        assert!(answers.iter().all(|a| a["task"]["claim"]["nonce"] == grants[0]), "{answers:#?}");
    }
}

#[test]
fn one_of_sixteen_sessions_of_one_agent_is_granted_the_task() {
    let s = Sandbox::quick();
    for round in 0..rounds(4, 100) {
        let id = s.add(&format!("'Wanted in round {round}'"));
        let claim = |number: usize| {
            let mut command = agent(&s, 0, &format!("claim {id} --json"));
            command.env("GIT_COMM_SESSION", number.to_string());
            command
        };
        let claims = (0..RACERS).map(claim).collect();
        let runs = if round.is_multiple_of(2) { race(claims) } else { race_gated(&s, claims) };
        has_one_grant(&s, &id, &only_winner(&s, &id, &runs), 0);
    }
}

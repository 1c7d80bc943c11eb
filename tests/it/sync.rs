//! Sharing: clones and a remote come to the same records.

use std::path::{Path, PathBuf};

use crate::support::{Run, Sandbox, program, rounds, split};

/// Clones of one bare repository that share a board.
pub(crate) struct Fleet {
    pub(crate) sandbox: Sandbox,
    pub(crate) clones: Vec<PathBuf>,
}

impl Fleet {
    /// So many clones; the first made the board and sent it.
    pub(crate) fn new(clones: usize) -> Self {
        let sandbox = Sandbox::with_init(&["--bare"]);
        let hub = sandbox.repo().to_path_buf();
        let mut fleet = Self { sandbox, clones: Vec::new() };
        for n in 0..clones {
            let at = fleet.sandbox.root().join(format!("clone-{n}"));
            fleet.git_at(fleet.sandbox.root(), &format!("clone -q {} {}", hub.display(), at.display()));
            fleet.clones.push(at);
            fleet.git(n, "config comm.durability process");
            fleet.comm(n, if n == 0 { "init --new" } else { "init" }).succeeds();
            fleet.comm(n, "sync").succeeds();
        }
        fleet
    }

    pub(crate) fn comm(&self, clone: usize, words: &str) -> Run {
        self.run(clone, None, words)
    }

    pub(crate) fn agent(&self, clone: usize, agent: &str, words: &str) -> Run {
        self.run(clone, Some(agent), words)
    }

    fn run(&self, clone: usize, agent: Option<&str>, words: &str) -> Run {
        let mut command = self.sandbox.bare_command(program(), &self.clones[clone]);
        if let Some(agent) = agent {
            command.env("GIT_COMM_AGENT", agent);
        }
        Run::of(&command.args(split(words)).output().unwrap(), &format!("clone {clone}: {words}"))
    }

    pub(crate) fn git_at(&self, dir: &Path, words: &str) -> String {
        let out = self.sandbox.bare_command("git", dir).args(split(words)).output().unwrap();
        Run::of(&out, words).succeeds().stdout
    }

    pub(crate) fn git(&self, clone: usize, words: &str) -> String {
        self.git_at(&self.clones[clone], words)
    }

    /// In the remote.
    pub(crate) fn hub(&self, words: &str) -> String {
        self.git_at(self.sandbox.repo(), words)
    }

    pub(crate) fn records(&self, dir: &Path) -> String {
        self.git_at(dir, "for-each-ref --format='%(refname) %(objectname)' refs/comm-node")
    }

    /// Every clone syncs until nobody has anything to do; then all have the
    /// same.
    #[track_caller]
    pub(crate) fn settle(&self) {
        for _ in 0..3 {
            for clone in 0..self.clones.len() {
                self.comm(clone, "sync").succeeds();
            }
        }
        let hub = self.records(self.sandbox.repo());
        for clone in 0..self.clones.len() {
            assert_eq!(self.comm(clone, "sync").succeeds().stdout, "origin: nothing to do\n");
            assert_eq!(self.records(&self.clones[clone]), hub, "clone {clone}");
        }
    }

    #[track_caller]
    pub(crate) fn task(&self, clone: usize, id: &str) -> serde_json::Value {
        self.comm(clone, &format!("show {id} --json")).succeeds().json()["task"].clone()
    }
}

#[test]
fn clones_share_a_board() {
    let fleet = Fleet::new(2);
    fleet.agent(0, "ada", "add one").succeeds();
    let sent = fleet.agent(0, "ada", "sync").succeeds().stdout;
    assert!(sent.starts_with("origin: ") && sent.contains(" sent"), "{sent}");
    assert_eq!(fleet.comm(0, "sync origin").succeeds().stdout, "origin: nothing to do\n");
    let received = fleet.comm(1, "sync --json").succeeds().json();
    assert!(received["received"].as_u64().unwrap() >= 1 && received["sent"] == 0, "{received}");
    assert_eq!(fleet.task(1, "bd-1")["title"], "one");
    fleet.agent(1, "bob", "msg send --to ada hello").succeeds();
    fleet.settle();
    assert!(fleet.agent(0, "ada", "inbox").succeeds().stdout.contains("hello"));
}

#[test]
fn what_both_changed_is_brought_together_without_loss() {
    let fleet = Fleet::new(3);
    fleet.agent(0, "ada", "add one --label old").succeeds();
    fleet.settle();
    fleet.agent(0, "ada", "edit bd-1 --title first").succeeds();
    fleet.agent(0, "ada", "comment bd-1 'of ada'").succeeds();
    fleet.agent(1, "bob", "edit bd-1 --priority 0 --add-label new").succeeds();
    fleet.agent(1, "bob", "comment bd-1 'of bob'").succeeds();
    fleet.agent(2, "cy", "edit bd-1 --remove-label old --title last").succeeds();
    fleet.agent(2, "cy", "comment bd-1 'of cy'").succeeds();
    fleet.settle();
    for clone in 0..3 {
        let task = fleet.task(clone, "bd-1");
        assert_eq!((&task["title"], &task["priority"]), (&"last".into(), &0.into()), "{task}");
        assert_eq!(task["labels"], serde_json::json!(["new"]), "{task}");
        let shown = fleet.comm(clone, "show bd-1").succeeds().stdout;
        for said in ["of ada", "of bob", "of cy", "3 comments"] {
            assert!(shown.contains(said), "{said}: {shown}");
        }
    }
    let merges = fleet.hub("log --merges --format=%an,%s refs/comm-node/tasks/bd-1");
    assert!(!merges.is_empty() && merges.lines().all(|line| line == "git comm,merge"), "{merges}");
    fleet.hub("fsck --strict");
}

#[test]
fn of_two_claims_one_stands_everywhere_and_the_other_is_refused() {
    let fleet = Fleet::new(2);
    fleet.comm(0, "add one").succeeds();
    fleet.settle();
    fleet.agent(0, "ada", "claim bd-1").succeeds();
    fleet.agent(1, "bob", "claim bd-1").succeeds();
    fleet.settle();
    let holder = fleet.task(0, "bd-1")["claim"]["agent"].clone();
    assert_eq!(fleet.task(1, "bd-1")["claim"]["agent"], holder);
    let (wins, loses) = if holder == "ada" { ((0, "ada"), (1, "bob")) } else { ((1, "bob"), (0, "ada")) };
    fleet.agent(loses.0, loses.1, "close bd-1").exits(5);
    fleet.agent(wins.0, wins.1, "close bd-1").succeeds();
    fleet.settle();
    assert_eq!(fleet.task(loses.0, "bd-1")["state"], "done");
    assert_eq!(fleet.task(0, "bd-1")["token_floor"], fleet.task(1, "bd-1")["token_floor"]);
}

#[test]
fn an_agent_that_began_in_two_clones_is_one() {
    let fleet = Fleet::new(2);
    fleet.agent(0, "ada", "agent register --domain api --role builder").succeeds();
    fleet.agent(1, "ada", "agent register --model large").succeeds();
    fleet.agent(1, "ada", "agent heartbeat").succeeds();
    fleet.comm(0, "--as-person pause agent:bob").exits(5);
    fleet.settle();
    let agents = fleet.comm(0, "agent list --json").succeeds().json();
    assert_eq!(agents, fleet.comm(1, "agent list --json").succeeds().json());
    let ada = &agents["agents"][0];
    assert_eq!(
        (&ada["domain"], &ada["role"], &ada["model"]),
        (&"api".into(), &"builder".into(), &"large".into()),
        "{agents}"
    );
    let record = fleet.git(0, "log -1 --format=%B refs/comm-node/agents/ada");
    assert_eq!(record.matches("\"heartbeat\"").count(), 2, "{record}");
}

#[test]
fn of_two_tasks_with_one_id_the_later_to_come_gets_another() {
    let fleet = Fleet::new(3);
    fleet.agent(0, "ada", "add first").succeeds();
    fleet.agent(1, "bob", "add second").succeeds();
    fleet.agent(1, "bob", "comment bd-1 said").succeeds();
    fleet.agent(1, "bob", "add third").succeeds();
    fleet.agent(1, "bob", "dep add bd-2 bd-1").succeeds();
    fleet.agent(1, "bob", "claim bd-1").succeeds();
    fleet.comm(0, "sync").succeeds();
    let synced = fleet.agent(1, "bob", "sync").succeeds().stdout;
    assert!(synced.contains("bd-1 is another task there: yours is bd-1-"), "{synced}");
    fleet.settle();
    let list = fleet.comm(2, "list --json --all").succeeds().json();
    let titles: Vec<(String, String)> = list["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| (task["id"].as_str().unwrap().to_owned(), task["title"].as_str().unwrap().to_owned()))
        .collect();
    let new = titles.iter().find(|(_, title)| title == "second").unwrap().0.clone();
    assert!(new.starts_with("bd-1-") && new.len() == 13, "{titles:?}");
    assert!(titles.contains(&("bd-1".into(), "first".into())), "{titles:?}");
    // What waited for it does still, and it is as it was.
    assert_eq!(fleet.task(0, "bd-2")["blocked_by"], serde_json::json!([new]));
    let moved = fleet.task(0, &new);
    assert_eq!((&moved["claim"]["agent"], &moved["comment_count"]), (&"bob".into(), &1.into()), "{moved}");
    fleet.hub("fsck --strict");
}

#[test]
fn two_remotes_that_disagree_about_an_id_do_not_make_it_change_for_ever() {
    let fleet = Fleet::new(2);
    let other = fleet.sandbox.root().join("other.git");
    fleet.git(0, &format!("init -q --bare {}", other.display()));
    for clone in 0..2 {
        fleet.git(clone, &format!("remote add other {}", other.display()));
    }
    fleet.comm(0, "add 'of origin'").succeeds();
    fleet.comm(0, "sync origin").succeeds();
    fleet.comm(1, "add 'of other'").succeeds();
    fleet.comm(1, "sync other").succeeds();
    fleet.comm(1, "sync origin").succeeds();
    for _ in 0..3 {
        let told = fleet.comm(1, "sync other").succeeds().stdout;
        assert!(told.contains("it made way for another task before"), "{told}");
        assert_eq!(fleet.comm(1, "sync origin").succeeds().stdout, "origin: nothing to do\n");
    }
    let tasks = fleet.git(1, "for-each-ref --format=%(refname) refs/comm-node/tasks");
    assert_eq!(tasks.lines().count(), 2, "{tasks}");
}

#[test]
fn a_trial_moves_nothing() {
    let fleet = Fleet::new(2);
    fleet.comm(0, "add one").succeeds();
    let (hub, own) = (fleet.records(fleet.sandbox.repo()), fleet.records(&fleet.clones[0]));
    let said = fleet.comm(0, "sync --dry-run").succeeds().stdout;
    assert_eq!(said, "origin: 1 sent (not done)\n");
    assert_eq!((fleet.records(fleet.sandbox.repo()), fleet.records(&fleet.clones[0])), (hub, own));
    fleet.settle();
}

#[test]
fn a_remote_that_went_back_gets_back_what_it_lost() {
    let fleet = Fleet::new(2);
    fleet.comm(0, "add one").succeeds();
    fleet.comm(0, "comment bd-1 said").succeeds();
    fleet.settle();
    let all = fleet.records(fleet.sandbox.repo());
    fleet.hub("update-ref refs/comm-node/tasks/bd-1 refs/comm-node/tasks/bd-1~1");
    assert_eq!(fleet.comm(1, "sync").succeeds().stdout, "origin: 1 sent, 1 restored there\n");
    fleet.hub("update-ref -d refs/comm-node/tasks/bd-1");
    assert_eq!(fleet.comm(0, "sync").succeeds().stdout, "origin: 1 sent, 1 restored there\n");
    assert_eq!(fleet.records(fleet.sandbox.repo()), all);
}

#[test]
fn records_of_newer_writers_are_carried_as_they_are() {
    let fleet = Fleet::new(2);
    let new = fleet.git(0, "commit-tree -m new refs/comm-node/meta^{tree}");
    fleet.git(0, &format!("update-ref refs/comm-node/planets/mars {}", new.trim()));
    fleet.settle();
    assert_eq!(fleet.git(1, "rev-parse refs/comm-node/planets/mars"), new);
}

#[test]
fn a_remote_that_cannot_be_reached_is_told_and_nothing_is_lost() {
    let fleet = Fleet::new(1);
    fleet.comm(0, "add one").succeeds();
    fleet.git(0, "remote set-url origin ../nowhere");
    let offline = fleet.comm(0, "sync").exits(3);
    assert!(
        offline.stderr.starts_with("error: the remote `origin` cannot be reached: "),
        "{}",
        offline.stderr
    );
    fleet.comm(0, "sync nobody").exits(4);
    fleet.comm(0, "sync -- --upload-pack=touch").exits(4);
    fleet.comm(0, "show bd-1").succeeds();
}

#[test]
fn clones_that_sync_at_once_lose_nothing() {
    let fleet = Fleet::new(4);
    fleet.comm(0, "add shared").succeeds();
    fleet.settle();
    let rounds = rounds(3, 25);
    std::thread::scope(|scope| {
        for clone in 0..4 {
            let fleet = &fleet;
            scope.spawn(move || {
                let agent = format!("agent-{clone}");
                for round in 0..rounds {
                    fleet.agent(clone, &agent, &format!("add 'task {round} of {clone}'")).succeeds();
                    fleet.agent(clone, &agent, &format!("comment bd-1 'said {round} by {clone}'")).succeeds();
                    fleet.agent(clone, &agent, &format!("msg send --to all 'hello {round}'")).succeeds();
                    let synced = fleet.agent(clone, &agent, "sync");
                    // Somebody may have been faster each time.
                    assert!([0, 3].contains(&synced.code), "{}", synced.stderr);
                }
            });
        }
    });
    fleet.settle();
    let tasks =
        fleet.comm(0, "list --all -n 0 --json").succeeds().json()["tasks"].as_array().unwrap().clone();
    for clone in 0..4 {
        for round in 0..rounds {
            let title = format!("task {round} of {clone}");
            assert_eq!(tasks.iter().filter(|task| task["title"] == *title).count(), 1, "{title}");
        }
    }
    assert_eq!(fleet.task(1, "bd-1")["comment_count"], 4 * rounds);
    let sent = fleet.hub("rev-list --count --glob=refs/comm-node/messages");
    assert_eq!(sent.trim(), (4 * rounds).to_string());
    fleet.hub("fsck --strict");
}

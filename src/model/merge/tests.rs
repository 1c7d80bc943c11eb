use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::event::{Create, Edit, End, Grant, TaskEvent};
use crate::model::stamp::{Fence, Stamp};
use crate::model::task::{Claim, Dep, DepType, State, Task};
use crate::text::time::Timestamp;

/// What somebody does in one clone.
#[derive(Clone, Debug)]
enum Act {
    Title(u8),
    Priority(u8),
    Label(bool, u8),
    Edge(bool, u8),
    Parent(u8),
    Comment,
    /// Whether the hub was asked.
    Claim(bool),
    Renew,
    Release,
    Close,
    Cancel,
    Reopen,
    Unknown(u8),
}

#[derive(Clone, Debug)]
enum Step {
    Act(usize, Act),
    /// Both go on with what the two have.
    Meet(usize, usize),
    /// The first goes on with what the two have, the second does not know.
    Fetch(usize, usize),
}

#[derive(Clone, Debug, PartialEq)]
enum Failed {
    Merge(Unmergeable),
}

impl From<Unmergeable> for Failed {
    fn from(error: Unmergeable) -> Self {
        Self::Merge(error)
    }
}

/// Clones and everything that they ever wrote.
struct World {
    versions: Vec<Seen<usize>>,
    events: BTreeMap<usize, TaskEvent>,
    tips: Vec<usize>,
    clocks: Vec<i64>,
}

fn named<T: std::str::FromStr>(text: &str) -> T {
    text.parse().ok().unwrap()
}

fn stamp(clone: usize, at: i64, count: usize) -> Stamp {
    Stamp {
        at: Timestamp::from_micros(at),
        nonce: format!("{:032x}", count * 7919 % 1_000_003),
        clone: format!("c{clone}"),
        agent: named(&format!("agent-{clone}")),
        session: format!("s{clone}"),
    }
}

impl World {
    /// Clocks of the clones are apart by these seconds.
    fn new(skews: &[i64]) -> Self {
        let create = Create {
            title: "t".into(),
            description: String::new(),
            kind: named("task"),
            priority: 2,
            labels: BTreeSet::from([named("l0")]),
            domain: None,
            assignee: None,
            deps: BTreeSet::new(),
            key: String::new(),
        };
        let stamp = stamp(0, 1, 0);
        let root = Seen {
            parents: Vec::new(),
            seq: 1,
            at: stamp.at,
            clone: stamp.clone.clone(),
            nonce: stamp.nonce.clone(),
            board: String::new(),
            is_merge: false,
            state: serde_json::to_value(Task::create(&create, &stamp)).unwrap(),
        };
        Self {
            versions: vec![root],
            events: BTreeMap::new(),
            tips: vec![0; skews.len()],
            clocks: skews.iter().map(|skew| 1_000 + skew * 1_000_000).collect(),
        }
    }

    fn task(&self, version: usize) -> Task {
        serde_json::from_value(self.versions[version].state.clone()).unwrap()
    }

    fn act(&mut self, clone: usize, act: &Act) {
        let before = self.tips[clone];
        let mut task = self.task(before);
        let at = (self.clocks[clone] + 10).max(self.versions[before].at.micros() + 1);
        self.clocks[clone] = at;
        let stamp = stamp(clone, at, self.versions.len());
        let end = |under| End { under, ..End::default() };
        let edit = |edit: Edit| Some(TaskEvent::Edit(edit));
        let dep = |kind, n: &u8| Dep { kind, id: named(&format!("bd-{n}")), root: format!("r{n}") };
        let is_held = task.phase.state == State::Claimed;
        let under = is_held.then(|| task.phase.fence.clone());
        let mut confirmed = None;
        let event = match act {
            Act::Title(n) => edit(Edit { title: Some(format!("t{n}")), ..Edit::default() }),
            Act::Priority(n) => edit(Edit { priority: Some(n % 5), ..Edit::default() }),
            Act::Label(is_added, n) => {
                let label = BTreeSet::from([named(&format!("l{n}"))]);
                edit(match is_added {
                    true => Edit { add_labels: label, ..Edit::default() },
                    false => Edit { remove_labels: label, ..Edit::default() },
                })
            }
            Act::Edge(is_added, n) => {
                let deps = BTreeSet::from([dep(DepType::Blocks, n)]);
                edit(match is_added {
                    true => Edit { add_deps: deps, ..Edit::default() },
                    false => Edit { remove_deps: deps, ..Edit::default() },
                })
            }
            Act::Parent(n) => edit(Edit {
                remove_deps: task.parent().cloned().into_iter().collect(),
                add_deps: BTreeSet::from([dep(DepType::Parent, n)]),
                ..Edit::default()
            }),
            Act::Comment => Some(TaskEvent::Comment { body: "b".into(), key: String::new() }),
            Act::Claim(by_hub) if !is_held && !task.phase.state.is_closed() => {
                confirmed = Some(*by_hub);
                Some(TaskEvent::Claim(Grant {
                    claim: Claim {
                        agent: stamp.agent.clone(),
                        session: stamp.session.clone(),
                        clone: stamp.clone.clone(),
                        granted_at: stamp.at,
                        ttl: 60,
                        expires_at: stamp.at,
                        boot: None,
                        domain: None,
                        extra: Map::new(),
                    },
                    from: None,
                    reason: String::new(),
                }))
            }
            Act::Renew if is_held => Some(TaskEvent::Renew { ttl: 99, expires_at: stamp.at, boot: None }),
            Act::Release if is_held => Some(TaskEvent::Release(end(under))),
            Act::Close if !task.phase.state.is_closed() => Some(TaskEvent::Close(end(under))),
            Act::Cancel if !task.phase.state.is_closed() => Some(TaskEvent::Cancel(end(None))),
            Act::Reopen if task.phase.state.is_closed() => Some(TaskEvent::Reopen(end(None))),
            Act::Unknown(n) => {
                task.extra.insert(format!("new{}", n % 3), json!(n));
                Some(TaskEvent::Unknown)
            }
            _ => None,
        };
        let Some(event) = event else { return };
        let fence = task.phase.fence.clone();
        task.apply(&event, &stamp);
        let mut state = serde_json::to_value(&task).unwrap();
        // The hub's word holds for the fence that it was given for.
        let was_confirmed = self.versions[before].state["phase"]["confirmed"] == json!(true);
        if confirmed.unwrap_or(was_confirmed && task.phase.fence == fence) {
            state["phase"]["confirmed"] = json!(true);
        } else if let Some(phase) = state["phase"].as_object_mut() {
            phase.remove("confirmed");
        }
        self.events.insert(self.versions.len(), event);
        self.tips[clone] = self.versions.len();
        self.versions.push(Seen {
            parents: vec![before],
            seq: self.versions[before].seq + 1,
            at: stamp.at,
            clone: stamp.clone,
            nonce: stamp.nonce,
            board: String::new(),
            is_merge: false,
            state,
        });
    }

    fn history(&self, tips: [usize; 2]) -> History {
        History::between(tips, false, |key| Ok::<_, Failed>(self.versions[key].clone())).unwrap()
    }

    /// All that a version follows, and itself.
    fn reached(&self, tips: &[usize]) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut waiting = tips.to_vec();
        while let Some(next) = waiting.pop() {
            if reached.insert(next) {
                waiting.extend(&self.versions[next].parents);
            }
        }
        reached
    }

    /// The version that two tips become.
    fn merge(&mut self, a: usize, b: usize) -> usize {
        if self.reached(&[a]).contains(&b) {
            return a;
        }
        if self.reached(&[b]).contains(&a) {
            return b;
        }
        let parents = vec![a.min(b), a.max(b)];
        // The same pair is the same commit.
        if let Some(known) = self.versions.iter().position(|seen| seen.parents == parents) {
            return known;
        }
        let name = |key: usize| format!("{key:040x}");
        let (left, right) = (&self.versions[a], &self.versions[b]);
        let stamp =
            MergeStamp::of([(&name(a), left.seq, left.at, "b"), (&name(b), right.seq, right.at, "b")]);
        let state = self.history([a, b]).state("task");
        assert_eq!(state, self.history([b, a]).state("task"), "the sides are not alike");
        self.versions.push(Seen {
            parents,
            seq: stamp.seq,
            at: stamp.at,
            clone: String::new(),
            nonce: stamp.nonce,
            board: String::new(),
            is_merge: true,
            state,
        });
        self.versions.len() - 1
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Act(clone, ref act) => self.act(clone % self.tips.len(), act),
            Step::Meet(a, b) => {
                let (a, b) = (a % self.tips.len(), b % self.tips.len());
                let both = self.merge(self.tips[a], self.tips[b]);
                (self.tips[a], self.tips[b]) = (both, both);
            }
            Step::Fetch(a, b) => {
                let (a, b) = (a % self.tips.len(), b % self.tips.len());
                self.tips[a] = self.merge(self.tips[a], self.tips[b]);
            }
        }
    }

    /// The state by the whole history from the first version on.
    fn by_everything(&self, tips: &[usize]) -> Value {
        let reached: Vec<usize> = self.reached(tips).into_iter().collect();
        let versions = reached.iter().map(|&key| {
            let seen = &self.versions[key];
            Version {
                parents: seen.parents.iter().map(|p| reached.binary_search(p).unwrap()).collect(),
                at: seen.at,
                clone: seen.clone.clone(),
                nonce: seen.nonce.clone(),
                is_merge: seen.is_merge,
                state: seen.state.clone(),
            }
        });
        History { versions: versions.collect() }.state("task")
    }

    /// An element is there if somebody put it in and nobody who knew of that
    /// took it out.
    fn check_set(&self, tip: usize, reached: &BTreeSet<usize>, has: impl Fn(&Task) -> bool) {
        let changes = |key: &usize| {
            let seen = &self.versions[*key];
            let now = has(&self.task(*key));
            match seen.parents[..] {
                [] => now.then_some(true),
                [parent] => (has(&self.task(parent)) != now).then_some(now),
                _ => None,
            }
        };
        let by = |wanted| reached.iter().filter(move |key| changes(key) == Some(wanted));
        let is_taken_out = |added: &usize| by(false).any(|removed| self.reached(&[*removed]).contains(added));
        let is_in = by(true).any(|added| !is_taken_out(added));
        assert_eq!(has(&self.task(tip)), is_in);
    }

    /// What no merge may lose.
    fn check(&self, tip: usize) {
        let task = self.task(tip);
        let reached = self.reached(&[tip]);
        let events = || reached.iter().filter_map(|key| Some((key, self.events.get(key)?)));
        let comments = events().filter(|(_, event)| matches!(event, TaskEvent::Comment { .. })).count();
        assert_eq!(task.comments.count, comments as u64);
        let order = |key: &usize| {
            let seen = &self.versions[*key];
            (seen.at, seen.clone.clone(), seen.nonce.clone())
        };
        let mut edits: Vec<_> = events()
            .filter(|(key, _)| {
                let parent = self.versions[**key].parents[0];
                self.task(parent).title != self.task(**key).title
            })
            .collect();
        edits.sort_by_key(|(key, _)| order(key));
        let title = edits.last().map_or("t".to_owned(), |(key, _)| self.task(**key).title);
        assert_eq!(task.title, title);
        for n in 0..3 {
            let label = named(&format!("l{n}"));
            self.check_set(tip, &reached, |task| task.labels.contains(&label));
            let edge = Dep { kind: DepType::Blocks, id: named(&format!("bd-{n}")), root: format!("r{n}") };
            self.check_set(tip, &reached, |task| task.deps.contains(&edge));
        }
        for &key in &reached {
            let seen = self.task(key);
            assert!(seen.token_floor <= task.token_floor, "the floor fell");
            assert!(seen.phase.fence.token <= task.token_floor);
        }
        assert_eq!(task.phase.claim.is_some(), task.phase.state == State::Claimed);
        assert!(task.deps.iter().filter(|dep| dep.kind == DepType::Parent).count() <= 1);
        // A claim that the hub gave yields to nothing that did not know of it
        // and that the hub does not know.
        let is_confirmed = |key: &usize| self.versions[*key].state["phase"]["confirmed"] == json!(true);
        let followed_by_decision = |key: &usize| {
            reached.iter().any(|later| {
                later != key
                    && self.events.contains_key(later)
                    && self.reached(&[*later]).contains(key)
                    && self.task(*later).phase != self.task(self.versions[*later].parents[0]).phase
            })
        };
        let standing: Vec<Fence> = events()
            .filter(|(key, event)| matches!(event, TaskEvent::Claim(_)) && is_confirmed(key))
            .filter(|(key, _)| !followed_by_decision(key))
            .map(|(key, _)| self.task(*key).phase.fence)
            .collect();
        if !standing.is_empty() {
            assert!(is_confirmed(&tip), "a provisional decision beat one that the hub confirmed");
        }
    }
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0..4u8).prop_map(Act::Title),
        (0..5u8).prop_map(Act::Priority),
        (any::<bool>(), 0..3u8).prop_map(|(add, n)| Act::Label(add, n)),
        (any::<bool>(), 0..3u8).prop_map(|(add, n)| Act::Edge(add, n)),
        (0..3u8).prop_map(Act::Parent),
        Just(Act::Comment),
        any::<bool>().prop_map(Act::Claim),
        any::<bool>().prop_map(Act::Claim),
        Just(Act::Renew),
        Just(Act::Release),
        Just(Act::Close),
        Just(Act::Cancel),
        Just(Act::Reopen),
        (0..9u8).prop_map(Act::Unknown),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..5usize, act()).prop_map(|(clone, act)| Step::Act(clone, act)),
        1 => (0..5usize, 0..5usize).prop_map(|(a, b)| Step::Meet(a, b)),
        1 => (0..5usize, 0..5usize).prop_map(|(a, b)| Step::Fetch(a, b)),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]
    #[test]
    fn clones_agree_whatever_the_order_in_which_they_meet(
        steps in steps(),
        skews in prop::collection::vec(-3_600..3_600i64, 2..6),
        order in prop::collection::vec(any::<prop::sample::Index>(), 10),
    ) {
        let mut world = World::new(&skews);
        steps.iter().for_each(|step| world.step(step));
        let tips = world.tips.clone();
        let everything = world.by_everything(&tips);
        // One after the other, from either end.
        let forth = tips.iter().copied().reduce(|a, b| world.merge(a, b)).unwrap();
        let back = tips.iter().rev().copied().reduce(|a, b| world.merge(a, b)).unwrap();
        // In any grouping.
        let mut groups = tips.clone();
        let mut order = order.iter();
        while groups.len() > 1 {
            let (a, b) = (order.next().unwrap(), order.next().unwrap());
            let a = groups.swap_remove(a.index(groups.len()));
            let b = groups.swap_remove(b.index(groups.len()));
            let both = world.merge(a, b);
            groups.push(both);
        }
        for tip in [forth, back, groups[0]] {
            prop_assert_eq!(&world.versions[tip].state, &everything);
            world.check(tip);
        }
        // Merges of merges change nothing, and end.
        let again = world.merge(forth, back);
        prop_assert_eq!(&world.versions[again].state, &everything);
        prop_assert_eq!(world.merge(again, forth), again);
    }
}

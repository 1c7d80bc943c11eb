//! Who may take, keep and end a claim.

use super::lease::Lease;
use super::names::{AgentName, TaskId};
use super::refusal::Refusal;
use super::stamp::Fence;
use super::task::{State, Task};
use crate::text::time::Timestamp;

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// Name.
    pub agent: &'a AgentName,
    /// Session.
    pub session: &'a str,
    /// Whether it is the person.
    pub is_person: bool,
}

/// How a task can be granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grantable {
    /// Nobody holds it.
    Open,
    /// The lease of `from` has run out.
    TakeOver {
        /// The holder until now.
        from: AgentName,
    },
    /// It was handed over to the asker, who takes it up.
    HandedOver,
    /// The asker holds it already.
    Mine {
        /// Its lease has run out, but nobody took it.
        expired: bool,
    },
}

/// Whether `asker` may have the task, given how its lease stands. What the
/// task waits for and who is paused are looked at elsewhere.
pub fn may_claim(
    id: &TaskId,
    task: &Task,
    lease: Option<Lease>,
    asker: Asker<'_>,
    now: Timestamp,
) -> Result<Grantable, Refusal> {
    if let (Some(assignee), false) = (&task.assignee, asker.is_person)
        && assignee != asker.agent
    {
        return Err(Refusal::Assigned { task: id.clone(), assignee: assignee.clone() });
    }
    let claim = match (task.phase.state, &task.phase.claim) {
        (State::Open, _) => return Ok(Grantable::Open),
        (State::Claimed, Some(claim)) => claim,
        (state, _) => return Err(Refusal::Ended { task: id.clone(), state }),
    };
    let lease = lease.unwrap_or(Lease::Expired);
    if claim.is_of(asker.agent, asker.session) {
        return Ok(Grantable::Mine { expired: lease.is_expired() });
    }
    if claim.agent == *asker.agent && claim.session.is_empty() {
        return Ok(Grantable::HandedOver);
    }
    let other_session = claim.agent == *asker.agent;
    match Refusal::of_lease(id, &claim.agent, lease, now, other_session) {
        Some(refusal) => Err(refusal),
        None => Ok(Grantable::TakeOver { from: claim.agent.clone() }),
    }
}

/// What a caller names or remembers of the grant that it acts under.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grip<'a> {
    /// The token that it named.
    pub named: Option<u64>,
    /// The fence that its session remembers.
    pub remembered: Option<&'a Fence>,
}

/// Refuses whoever acts under a fence that is not the one in force.
pub fn check_fence(id: &TaskId, task: &Task, asker: Asker<'_>, grip: Grip<'_>) -> Result<(), Refusal> {
    let fence = &task.phase.fence;
    if let Some(named) = grip.named
        && named != fence.token
    {
        return Err(Refusal::StaleFence { task: id.clone(), fence: fence.clone(), named });
    }
    let Some(remembered) = grip.remembered else { return Ok(()) };
    if remembered == fence {
        return Ok(());
    }
    let claim = task.phase.claim.as_ref();
    if claim.is_some_and(|c| c.is_of(asker.agent, asker.session)) {
        // Granted anew to this very session; its memory is behind.
        return Ok(());
    }
    let stale = Refusal::StaleFence { task: id.clone(), fence: fence.clone(), named: remembered.token };
    if claim.is_some_and(|c| c.is_of(asker.agent, "")) {
        // Handed back to its agent, which has to take it up first: what it
        // did before may be undone or done by now.
        return Err(stale);
    }
    let holder = claim.map(|c| c.agent.clone()).or_else(|| task.phase.outcome.as_ref().map(|o| o.by.clone()));
    match holder {
        Some(holder) => Err(Refusal::Superseded {
            task: id.clone(),
            holder,
            fence: fence.clone(),
            held: remembered.token,
        }),
        None => Err(stale),
    }
}

/// The fence of the claim that `asker` holds on the task, or why it holds
/// none.
pub fn held_fence(id: &TaskId, task: &Task, asker: Asker<'_>) -> Result<Fence, Refusal> {
    match &task.phase.claim {
        None => Err(Refusal::NotHeld { task: id.clone(), state: task.phase.state }),
        Some(claim)
            if claim.agent == *asker.agent
                && (claim.session == asker.session || claim.session.is_empty()) =>
        {
            Ok(task.phase.fence.clone())
        }
        Some(claim) => Err(Refusal::Foreign {
            task: id.clone(),
            holder: claim.agent.clone(),
            agent: asker.agent.clone(),
            other_session: claim.agent == *asker.agent,
        }),
    }
}

/// How a task is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Finished.
    Close,
    /// Tried and not achieved.
    Fail,
    /// No longer wanted.
    Cancel,
    /// Back to open.
    Reopen,
}

impl Ending {
    /// The state that it leads to.
    pub fn state(self) -> State {
        match self {
            Self::Close => State::Done,
            Self::Fail => State::Failed,
            Self::Cancel => State::Cancelled,
            Self::Reopen => State::Open,
        }
    }

    /// The word for it.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Fail => "fail",
            Self::Cancel => "cancel",
            Self::Reopen => "reopen",
        }
    }

    fn participle(self) -> &'static str {
        match self {
            Self::Close => "closed",
            Self::Fail => "failed",
            Self::Cancel => "cancelled",
            Self::Reopen => "reopened",
        }
    }
}

/// What an ending is decided under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Under {
    /// The current claim's fence.
    Claim(Fence),
    /// No claim: it takes a fence of its own.
    Itself,
    /// It has ended so already: there is nothing to do.
    Already,
}

/// Whether `asker` may end the task so.
pub fn may_end(
    id: &TaskId,
    task: &Task,
    ending: Ending,
    asker: Asker<'_>,
    grip: Grip<'_>,
) -> Result<Under, Refusal> {
    let state = task.phase.state;
    if ending != Ending::Reopen {
        check_fence(id, task, asker, grip)?;
    }
    if state == ending.state() {
        return Ok(Under::Already);
    }
    let wrong = || Refusal::WrongState { task: id.clone(), state, verb: ending.participle() };
    match (ending, state) {
        (Ending::Reopen, State::Claimed) => Err(wrong()),
        (Ending::Reopen, _) => Ok(Under::Itself),
        (_, State::Claimed) => match held_fence(id, task, asker) {
            Ok(fence) => Ok(Under::Claim(fence)),
            // The person may end what is no longer wanted, whoever holds it.
            Err(_) if ending == Ending::Cancel && asker.is_person => Ok(Under::Itself),
            Err(refusal) => Err(refusal),
        },
        (_, State::Open | State::Review) => Ok(Under::Itself),
        (_, State::Done | State::Failed | State::Cancelled) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::{Create, End, Grant, TaskEvent};
    use crate::model::stamp::Stamp;
    use crate::model::task::Claim;
    use serde_json::Map;
    use std::collections::BTreeSet;

    fn stamp(agent: &str, nonce: &str) -> Stamp {
        Stamp {
            at: Timestamp::default(),
            nonce: nonce.into(),
            clone: "c".into(),
            agent: agent.parse().unwrap(),
            session: format!("{agent}-s"),
        }
    }

    fn grant(agent: &str) -> Grant {
        let claim = Claim {
            agent: agent.parse().unwrap(),
            session: format!("{agent}-s"),
            clone: "c".into(),
            granted_at: Timestamp::default(),
            ttl: 60,
            expires_at: Timestamp::from_micros(60_000_000),
            boot: None,
            domain: None,
            extra: Map::new(),
        };
        Grant { claim, from: None, reason: String::new() }
    }

    /// A task after some of: `claim:X`, `release`, `close`, `cancel`.
    fn task(story: &[&str]) -> Task {
        let create = Create {
            title: "t".into(),
            description: String::new(),
            kind: "task".parse().unwrap(),
            priority: 2,
            labels: BTreeSet::new(),
            domain: None,
            assignee: None,
            deps: BTreeSet::new(),
            key: String::new(),
        };
        let mut task = Task::create(&create, &stamp("kai", "n0"));
        for (i, step) in story.iter().enumerate() {
            let under = task.phase.claim.is_some().then(|| task.phase.fence.clone());
            let end = End { under, ..End::default() };
            let holder = task.phase.claim.as_ref().map_or("kai".into(), |c| c.agent.to_string());
            let (agent, event) = match step.split_once(':') {
                Some(("claim", agent)) => (agent.to_owned(), TaskEvent::Claim(grant(agent))),
                _ => match *step {
                    "release" => (holder, TaskEvent::Release(end)),
                    "close" => (holder, TaskEvent::Close(end)),
                    _ => (holder, TaskEvent::Cancel(end)),
                },
            };
            task.apply(&event, &stamp(&agent, &format!("n{}", i + 1)));
        }
        task
    }

    #[track_caller]
    fn check_claim(story: &[&str], agent: &str, lease: Option<Lease>, expected: &str) {
        let (agent, session) = (agent.parse().unwrap(), format!("{agent}-s"));
        let asker = Asker { agent: &agent, session: &session, is_person: false };
        let answer =
            match may_claim(&"t-1".parse().unwrap(), &task(story), lease, asker, Timestamp::default()) {
                Ok(grantable) => format!("{grantable:?}"),
                Err(refusal) => refusal.kind().to_owned(),
            };
        assert_eq!(answer, expected);
    }

    #[test]
    fn a_held_task_is_its_holders_until_the_lease_runs_out() {
        let live = Some(Lease::Live { until: Timestamp::default() });
        check_claim(&[], "ada", None, "Open");
        check_claim(&["claim:ada"], "bob", live, "held");
        check_claim(&["claim:ada"], "ada", live, "Mine { expired: false }");
        check_claim(&["claim:ada"], "bob", Some(Lease::Expired), "TakeOver { from: AgentName(\"ada\") }");
        check_claim(&["claim:ada", "release"], "bob", None, "Open");
        check_claim(&["claim:ada", "close"], "bob", None, "ended");
    }

    #[track_caller]
    fn check_end(story: &[&str], agent: &str, remembered: Option<u64>, ending: Ending, expected: &str) {
        let (agent, session) = (agent.parse().unwrap(), format!("{agent}-s"));
        let asker = Asker { agent: &agent, session: &session, is_person: false };
        let fence = remembered.map(|token| Fence { token, nonce: format!("n{token}") });
        let grip = Grip { named: None, remembered: fence.as_ref() };
        let answer = match may_end(&"t-1".parse().unwrap(), &task(story), ending, asker, grip) {
            Ok(under) => format!("{under:?}"),
            Err(refusal) => refusal.kind().to_owned(),
        };
        assert!(answer.starts_with(expected), "{answer} is not {expected}");
    }

    #[test]
    fn only_the_holder_under_the_fence_in_force_ends_a_claim() {
        check_end(&["claim:ada"], "ada", Some(1), Ending::Close, "Claim");
        check_end(&["claim:ada"], "bob", None, Ending::Close, "not_yours");
        check_end(&["claim:ada", "claim:bob"], "ada", Some(1), Ending::Close, "superseded");
        check_end(&["claim:ada", "claim:bob", "release"], "ada", Some(1), Ending::Close, "superseded");
        check_end(&["claim:ada", "claim:bob", "close"], "ada", Some(1), Ending::Close, "superseded");
        check_end(&["claim:ada", "close"], "ada", None, Ending::Close, "Already");
        check_end(&["claim:ada", "close"], "ada", None, Ending::Reopen, "Itself");
        check_end(&["claim:ada", "close"], "ada", None, Ending::Fail, "wrong_state");
        check_end(&[], "ada", None, Ending::Close, "Itself");
    }

    #[test]
    fn the_token_grows_with_every_grant_and_with_every_act_outside_one() {
        assert_eq!(task(&["claim:ada"]).phase.fence, Fence { token: 1, nonce: "n1".into() });
        let closed = task(&["claim:ada", "close"]);
        assert_eq!(
            closed.phase.fence,
            Fence { token: 1, nonce: "n1".into() },
            "a close stays under its claim"
        );
        assert_eq!(task(&["cancel"]).phase.fence, Fence { token: 1, nonce: "n1".into() });
        assert_eq!(task(&["claim:ada", "release", "claim:bob"]).token_floor, 2);
        let mut hostile = task(&[]);
        hostile.token_floor = u64::MAX;
        hostile.apply(&TaskEvent::Claim(grant("ada")), &stamp("ada", "n9"));
        assert_eq!(hostile.token_floor, u64::MAX, "it never falls");
    }
}

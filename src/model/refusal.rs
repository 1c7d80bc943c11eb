//! The answers "no", with what a caller needs to know to go on.
//!
//! No refusal names the way around it.

use super::lease::Lease;
use super::names::{AgentName, DomainName, TaskId};
use super::stamp::Fence;
use super::task::State;
use crate::text::escape;
use crate::text::time::Timestamp;

/// What kind of "no" it is, which decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The answer is no: choose something else.
    No,
    /// Not yours: stop and ask.
    NotYours,
    /// The call is wrong: fix it.
    Usage,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody holds it.
    #[error("task `{task}` is held by {holder} until {}", until.short(*now))]
    Held {
        /// Which.
        task: TaskId,
        /// Who.
        holder: AgentName,
        /// Until when, unless renewed.
        until: Timestamp,
        /// Now.
        now: Timestamp,
        /// The holder is the same agent in another session.
        other_session: bool,
    },
    /// Its lease has run out elsewhere, but its holder may be alive.
    #[error("task `{task}` is held by {holder}, whose lease has run out on another machine; it can be taken at {}", until.to_second())]
    Watched {
        /// Which.
        task: TaskId,
        /// Who.
        holder: AgentName,
        /// When it may be taken.
        until: Timestamp,
    },
    /// It is not open any more.
    #[error("task `{task}` is already {state}")]
    Ended {
        /// Which.
        task: TaskId,
        /// How it ended.
        state: State,
    },
    /// It is already in the state asked for by a different way.
    #[error("task `{task}` is {state}, so it cannot be {verb}")]
    WrongState {
        /// Which.
        task: TaskId,
        /// Its state.
        state: State,
        /// What was asked.
        verb: &'static str,
    },
    /// Something that it waits for is unfinished.
    #[error("task `{task}` waits for {}", blockers.join(", "))]
    Blocked {
        /// Which.
        task: TaskId,
        /// What it waits for, each with its state.
        blockers: Vec<String>,
    },
    /// It is for another agent.
    #[error("task `{task}` is assigned to {assignee}")]
    Assigned {
        /// Which.
        task: TaskId,
        /// To whom.
        assignee: AgentName,
    },
    /// The id is another task's.
    #[error("there is already a task `{task}`")]
    Taken {
        /// Which.
        task: TaskId,
    },
    /// Once was asked for, and it is held already.
    #[error("task `{task}` is already yours")]
    AlreadyYours {
        /// Which.
        task: TaskId,
    },
    /// The caller holds nothing here.
    #[error("task `{task}` is {state} and nobody holds it")]
    NotHeld {
        /// Which.
        task: TaskId,
        /// Its state.
        state: State,
    },
    /// Somebody else holds it, and the caller never did.
    #[error("task `{task}` is held by {}{holder}{}", if *other_session { "another session of " } else { "" }, if *other_session { String::new() } else { format!(", not by {agent}") })]
    Foreign {
        /// Which.
        task: TaskId,
        /// Who holds it.
        holder: AgentName,
        /// Who asked.
        agent: AgentName,
        /// The holder is the same agent in another session.
        other_session: bool,
    },
    /// The caller held it once; it was granted to another since.
    #[error("task `{task}` was taken over by {holder} (token {}); your token was {held}", fence.token)]
    Superseded {
        /// Which.
        task: TaskId,
        /// Who holds it now.
        holder: AgentName,
        /// The fence in force.
        fence: Fence,
        /// The token that the caller had.
        held: u64,
    },
    /// The caller named a fence that is not the one in force.
    #[error("task `{task}` is at token {}, not at token {named}", fence.token)]
    StaleFence {
        /// Which.
        task: TaskId,
        /// The fence in force.
        fence: Fence,
        /// The token that was named.
        named: u64,
    },
    /// The person paused this agent or domain.
    #[error("{scope} is paused by {by}{}{}", if reason.is_empty() { "" } else { ": " }, escape::clipped(reason, 160))]
    Paused {
        /// What is paused.
        scope: String,
        /// By whom.
        by: AgentName,
        /// Why.
        reason: String,
    },
    /// The edge would make a task wait for itself.
    #[error("`{task}` cannot wait for itself: {}", path.iter().map(TaskId::as_str).collect::<Vec<_>>().join(" -> "))]
    Cycle {
        /// The task that was to wait.
        task: TaskId,
        /// The cycle that the edge would close.
        path: Vec<TaskId>,
    },
    /// No task can be started now.
    #[error("nothing is ready{}", in_domains(domains))]
    NothingReady {
        /// The domains that were looked at; none is all.
        domains: Vec<DomainName>,
        /// How many tasks are open but wait.
        blocked: usize,
        /// How many are held.
        held: usize,
    },
    /// Something is larger than allowed.
    #[error("{what} has {len} {unit}, over the limit of {limit}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// How large it is.
        len: usize,
        /// How large it may be.
        limit: usize,
        /// In what.
        unit: &'static str,
    },
    /// Something that is needed is not there.
    #[error("{what} is empty")]
    Empty {
        /// What.
        what: &'static str,
    },
    /// A value outside its range.
    #[error("{what} is {value}, outside {range}")]
    OutOfRange {
        /// What.
        what: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        range: &'static str,
    },
}

fn in_domains(domains: &[DomainName]) -> String {
    let names: Vec<&str> = domains.iter().map(DomainName::as_str).collect();
    if names.is_empty() { String::new() } else { format!(" in domain {}", names.join(", ")) }
}

impl Refusal {
    /// What kind of "no" it is.
    pub fn class(&self) -> Class {
        match self {
            Self::Foreign { .. }
            | Self::Superseded { .. }
            | Self::StaleFence { .. }
            | Self::Paused { .. } => Class::NotYours,
            Self::TooLarge { .. } | Self::Empty { .. } | Self::OutOfRange { .. } => Class::Usage,
            _ => Class::No,
        }
    }

    /// A word for programs, stable.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Held { .. } => "held",
            Self::Watched { .. } => "watched",
            Self::Ended { .. } => "ended",
            Self::WrongState { .. } => "wrong_state",
            Self::Blocked { .. } => "blocked",
            Self::Assigned { .. } => "assigned",
            Self::Taken { .. } => "taken",
            Self::AlreadyYours { .. } => "already_yours",
            Self::NotHeld { .. } => "not_held",
            Self::Foreign { .. } => "not_yours",
            Self::Superseded { .. } => "superseded",
            Self::StaleFence { .. } => "stale_fence",
            Self::Paused { .. } => "paused",
            Self::Cycle { .. } => "cycle",
            Self::NothingReady { .. } => "nothing_ready",
            Self::TooLarge { .. } => "too_large",
            Self::Empty { .. } => "empty",
            Self::OutOfRange { .. } => "out_of_range",
        }
    }

    /// What to type next.
    pub fn hint(&self) -> String {
        match self {
            Self::Held { other_session: true, .. } => {
                "that is another session of yours; take other work: git comm next".into()
            }
            Self::Held { holder, .. } => {
                format!("take other work: git comm next; or ask: git comm msg send --to {holder} TEXT")
            }
            Self::Watched { .. } | Self::Assigned { .. } => "take other work: git comm next".into(),
            Self::Ended { task, state: State::Done | State::Cancelled | State::Failed } => {
                format!("to work on it again: git comm reopen {task}")
            }
            Self::Ended { task, .. } | Self::WrongState { task, .. } | Self::NotHeld { task, .. } => {
                format!("see it: git comm show {task}")
            }
            Self::Blocked { task, .. } => {
                format!("take other work: git comm next; see: git comm dep tree {task}")
            }
            Self::Taken { task } => format!("choose another id, or see it: git comm show {task}"),
            Self::AlreadyYours { task } => format!("go on with it: git comm show {task}"),
            Self::Foreign { other_session: true, .. } => {
                "that is another session of yours; act from the worktree that claimed it".into()
            }
            Self::Foreign { holder, .. } => format!("ask: git comm msg send --to {holder} TEXT"),
            Self::Superseded { holder, task, .. } => {
                format!("stop work on {task}; hand over what you have: git comm msg send --to {holder} TEXT")
            }
            Self::StaleFence { task, .. } => format!("stop work on it and look: git comm show {task}"),
            Self::Paused { .. } => "stop, and wait for the person: git comm inbox".into(),
            Self::Cycle { path, .. } => match path.as_slice() {
                [_, second, .., last] if second != last => {
                    format!("see what waits: git comm dep tree {second}")
                }
                _ => "name another task".into(),
            },
            Self::NothingReady { blocked: 0, held: 0, .. } => "add work: git comm add TITLE".into(),
            Self::NothingReady { blocked, held, .. } => {
                format!("{held} held, {blocked} waiting; see: git comm status")
            }
            Self::TooLarge { what: "title", .. } => {
                "put the rest into the description: git comm add -F FILE".into()
            }
            Self::TooLarge { .. } => "shorten it, or split it".into(),
            Self::Empty { what } => format!("give the {what} as an argument, or with -F FILE"),
            Self::OutOfRange { range, .. } => format!("use {range}"),
        }
    }

    /// The refusal that a live or watched lease calls for; none if it expired.
    pub fn of_lease(
        task: &TaskId,
        holder: &AgentName,
        lease: Lease,
        now: Timestamp,
        other_session: bool,
    ) -> Option<Self> {
        let (task, holder) = (task.clone(), holder.clone());
        match lease {
            Lease::Live { until } => Some(Self::Held { task, holder, until, now, other_session }),
            Lease::Watched { until } => Some(Self::Watched { task, holder, until }),
            Lease::Expired => None,
        }
    }
}

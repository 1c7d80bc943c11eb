//! Tasks that changed hands by somebody else's act: handed over by their
//! holder, or taken by the person. Why stands in the event alone.

use std::collections::BTreeMap;
use std::fmt;

use super::{Context, tasks};
use crate::model::event::{Grant, TaskEvent};
use crate::model::names::{AgentName, TaskId};
use crate::model::task::Task;
use crate::store::{Current, Version};
use crate::text::escape;

/// How a task came to whoever holds it.
#[derive(Clone, Debug)]
pub struct Given {
    /// `handover` or `steal`.
    pub verb: &'static str,
    /// Who gave or took it.
    pub by: Option<AgentName>,
    /// Who had it before, if somebody.
    pub from: Option<AgentName>,
    /// Why, in the words of who did it.
    pub reason: String,
}

/// How the task came to its holder; none if it took it itself, or if the
/// history does not tell.
pub fn of(context: &Context<'_>, id: &TaskId, version: &Version<Task>) -> Option<Given> {
    let holder = &version.state.phase.claim.as_ref()?.agent;
    for version in tasks::history(context, id, version).ok()? {
        let version = version.ok()?;
        let event = tasks::event_of(&version);
        let verb = event.verb();
        match event {
            TaskEvent::Handover(grant) | TaskEvent::Steal(grant) if grant.claim.agent == *holder => {
                let Grant { from, reason, .. } = grant;
                return Some(Given { verb, by: version.head.agent, from, reason });
            }
            // Whoever takes up what it was handed takes it from nobody.
            TaskEvent::Claim(grant) if grant.claim.agent == *holder && grant.from.is_none() => {}
            TaskEvent::Edit(_) | TaskEvent::Comment { .. } | TaskEvent::Renew { .. } | TaskEvent::Unknown => {
            }
            _ => return None,
        }
    }
    None
}

/// A task that was handed to an agent, which has not taken it up yet.
#[derive(Clone, Debug)]
pub struct HandedOver {
    /// The task.
    pub task: TaskId,
    /// Who handed it over.
    pub by: Option<AgentName>,
    /// Why, in the words of who did.
    pub reason: String,
}

impl fmt::Display for HandedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = escape::clipped(&self.reason, 160);
        let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
        write!(f, "{}{reason}; {}", self.by_whom(), self.next())
    }
}

impl HandedOver {
    /// What happened, without the words of who did it.
    pub fn by_whom(&self) -> String {
        let by = self.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        format!("{} was handed to you{by}", self.task)
    }

    /// What to type.
    pub fn next(&self) -> String {
        format!("take it up: git comm claim {}", self.task)
    }
}

/// The tasks among `all` that wait for `agent` to take them up.
pub fn waiting(
    context: &Context<'_>,
    all: &BTreeMap<TaskId, Current<Task>>,
    agent: &AgentName,
) -> Vec<HandedOver> {
    let waits = |task: &Task| task.phase.claim.as_ref().is_some_and(|c| c.is_of(agent, ""));
    let handed = |id: &TaskId| {
        let given = tasks::read(context, id).ok().and_then(|version| of(context, id, &version));
        let (by, reason) = given.map(|given| (given.by, given.reason)).unwrap_or_default();
        HandedOver { task: id.clone(), by, reason }
    };
    all.iter().filter(|(_, v)| waits(&v.state)).map(|(id, _)| handed(id)).collect()
}

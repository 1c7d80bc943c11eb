//! Claims that a session was granted and has no more.
//!
//! They stay remembered, because that is what refuses a late completion. Told
//! they are until the session takes up or ends other work, or the task is
//! over.

use super::Context;
use super::error::Error;
use crate::model::names::{AgentName, TaskId};
use crate::model::refusal::Refusal;
use crate::model::task::{Phase, Task};
use crate::store::{Author, Held};

/// A claim that was lost.
#[derive(Clone, Debug)]
pub(super) struct Loss {
    /// The task.
    pub task: TaskId,
    /// How the task stands now.
    pub phase: Phase,
    /// The grant as remembered.
    pub held: Held,
}

impl Loss {
    /// The refusal of what the session does as if it held the task.
    fn refusal(self, author: &Author) -> Refusal {
        let Self { task, phase, held } = self;
        let holder = phase.claim.map(|c| c.agent).or(phase.outcome.map(|o| o.by));
        let holder: AgentName = holder.unwrap_or_else(|| author.agent.clone());
        Refusal::Superseded { task, holder, fence: phase.fence, held: held.fence.token }
    }
}

/// What the session lost. Not among it is a task that was handed back to its
/// agent, which may take it up, and one that is over, once that was told.
pub(super) fn all(context: &Context<'_>, author: &Author) -> Result<Vec<Loss>, Error> {
    let store = &context.store;
    let remembered = store.presence(&author.session).map(|p| p.held).unwrap_or_default();
    let mut lost = Vec::new();
    for (task, held) in remembered.into_iter().filter(|(_, held)| !held.past) {
        let Some(version) = store.read::<Task>(task.as_str())? else { continue };
        let phase = version.state.phase;
        let mine = phase.claim.as_ref().is_some_and(|c| {
            c.agent == author.agent && (c.session == author.session || c.session.is_empty())
        });
        let is_over = held.lost && phase.state.is_closed();
        if !mine && !is_over && phase.fence != held.fence {
            lost.push(Loss { task, phase, held });
        }
    }
    Ok(lost)
}

/// Refuses a session that lost what it held, for whatever it does without
/// naming a task: it would be done for the lost one.
pub(super) fn refuse(context: &Context<'_>, author: &Author) -> Result<(), Error> {
    let Some(loss) = all(context, author)?.into_iter().next() else { return Ok(()) };
    context.store.remember(&author.session, |presence| presence.lose(&loss.task));
    Err(loss.refusal(author).into())
}

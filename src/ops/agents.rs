//! Agents announcing themselves and staying known.

use std::time::Duration;

use super::Context;
use super::board::Board;
use super::error::Error;
use super::losses::{self, Loss};
use super::tasks::{check_size, to_value};
use crate::git::Durability;
use crate::model::agent::{Agent, AgentEvent, Session};
use crate::model::lease::{Heartbeat, Lease};
use crate::model::names::{AgentName, DomainName, TaskId};
use crate::store::{Author, Decision, Presence, Version};
use crate::text::time::Timestamp;

/// What an agent says of itself.
#[derive(Clone, Debug, Default)]
pub struct Introduction {
    /// The domain whose tasks it takes.
    pub domain: Option<DomainName>,
    /// What it does there.
    pub role: Option<String>,
    /// The model that it runs on.
    pub model: Option<String>,
}

/// Announces the caller.
pub fn register(context: &Context<'_>, says: &Introduction) -> Result<Version<Agent>, Error> {
    let author = context.identity.holder(&context.store)?;
    for (what, text) in [("role", &says.role), ("model", &says.model)] {
        check_size(what, text.as_deref().unwrap_or_default(), 200)?;
    }
    context.require_board()?;
    let event = AgentEvent::Register {
        domain: says.domain.clone(),
        role: says.role.clone(),
        model: says.model.clone(),
        session: sign_of_life(context),
    };
    let version = write(context, &author, &event, context.store.durability())?;
    note_beat(context, &author);
    Ok(version)
}

/// Keeps the person's name for the person: no agent may take it from then on.
pub fn reserve(context: &Context<'_>) -> Result<(), Error> {
    let author = context.identity.author(&context.store)?;
    if !context.identity.is_person() || context.store.read::<Agent>(author.agent.as_str())?.is_some() {
        return Ok(());
    }
    let session = sign_of_life(context);
    let event = AgentEvent::Register { domain: None, role: None, model: None, session };
    write(context, &author, &event, context.store.durability()).map(|_| ())
}

/// A claim that the caller's session had and has no more.
#[derive(Clone, Debug)]
pub struct Lost {
    /// The task.
    pub task: TaskId,
    /// Who has it now, if somebody.
    pub holder: Option<AgentName>,
    /// The token in force.
    pub token: u64,
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.holder {
            Some(holder) => write!(f, "you lost `{}` to {holder} (token {})", self.task, self.token),
            None => write!(f, "you no longer hold `{}` (token {})", self.task, self.token),
        }
    }
}

/// Says that the caller is alive, and hears which of its claims were lost.
pub fn heartbeat(context: &Context<'_>) -> Result<(Version<Agent>, Vec<Lost>), Error> {
    let author = context.identity.holder(&context.store)?;
    context.require_board()?;
    let version = beat(context, &author)?;
    Ok((version, lost(context, &author, true)?))
}

/// A heartbeat of whoever asks, if one is due: a holder's every verb gives
/// one when a third of its lease has passed since the last. Losses become
/// notices. A verb that has done its work is not failed by a heartbeat that
/// cannot be written.
pub fn beat_in_passing(context: &Context<'_>) {
    let Some(name) = context.identity.name() else { return };
    if !context.store.has_board() || matches!(context.identity.who, super::identity::Who::Script(_)) {
        return;
    }
    let author = Author { agent: name.clone(), session: context.identity.session.clone() };
    let store = &context.store;
    let due = store
        .presence(&author.session)
        .is_some_and(|p| p.is_due(store.env().now(), store.boot_stamp().as_ref()));
    if !due {
        return;
    }
    match beat(context, &author).and_then(|_| lost(context, &author, false)) {
        Err(error) => tracing::warn!(%error, "no heartbeat"),
        Ok(lost) => {
            for lost in lost {
                context.notice(lost.to_string());
            }
        }
    }
}

fn beat(context: &Context<'_>, author: &Author) -> Result<Version<Agent>, Error> {
    let event = AgentEvent::Heartbeat { session: sign_of_life(context) };
    let version = write(context, author, &event, Durability::Process)?;
    note_beat(context, author);
    Ok(version)
}

fn note_beat(context: &Context<'_>, author: &Author) {
    let (at, boot) = (context.store.env().now(), context.store.boot_stamp());
    context.store.remember(&author.session, |presence| {
        presence.beat_at = Some(at);
        presence.beat_boot = boot;
    });
}

fn sign_of_life(context: &Context<'_>) -> Session {
    let store = &context.store;
    Session {
        heartbeat: Heartbeat {
            at: store.env().now(),
            clone: store.clone_id().to_owned(),
            boot: store.boot_stamp(),
        },
        worktree: context.identity.worktree.clone(),
        host: store.env().host(),
        extra: serde_json::Map::new(),
    }
}

fn write(
    context: &Context<'_>,
    author: &Author,
    event: &AgentEvent,
    durability: Durability,
) -> Result<Version<Agent>, Error> {
    let is_person = context.identity.is_person();
    let updated = context.store.update(
        author.agent.as_str(),
        author,
        durability,
        |before: Option<&Version<Agent>>, stamp| {
            let mut state = before.map(|v| v.state.clone()).unwrap_or_default();
            state.apply(event, stamp);
            if is_person {
                // Told apart from agents, so that it may come without a name.
                state.extra.insert("person".into(), true.into());
            }
            let summary = format!("{} {}", event.verb(), author.agent);
            let (event, guards) = (to_value(event), Vec::new());
            Ok::<_, Error>(Decision::Write { event, state, summary, guards, result: () })
        },
    )?;
    updated.version.ok_or_else(|| Error::unknown("agent", author.agent.as_str()))
}

/// The claims that the session lost, and (`again`) those that it was told of
/// before.
pub fn lost(context: &Context<'_>, author: &Author, again: bool) -> Result<Vec<Lost>, Error> {
    let mut lost = losses::all(context, author)?;
    lost.retain(|loss| again || !loss.held.lost);
    if !lost.is_empty() {
        let told = |presence: &mut Presence| lost.iter().for_each(|loss| presence.lose(&loss.task));
        context.store.remember(&author.session, told);
    }
    let told = |loss: Loss| Lost {
        task: loss.task,
        holder: loss.phase.claim.map(|c| c.agent),
        token: loss.phase.fence.token,
    };
    Ok(lost.into_iter().map(told).collect())
}

/// The caller, or another agent that holds nothing, leaves for good.
pub fn retire(context: &Context<'_>, name: Option<&AgentName>) -> Result<AgentName, Error> {
    let store = &context.store;
    let author = match &context.identity.who {
        // An agent that took the person's own name must not keep it so.
        super::identity::Who::Person(name) => {
            Author { agent: name.clone(), session: context.identity.session.clone() }
        }
        _ => context.identity.author(store)?,
    };
    let name = name.unwrap_or(&author.agent).clone();
    let own = context.identity.is_person() && name == author.agent;
    if name != author.agent && matches!(context.identity.who, super::identity::Who::Agent(_)) {
        return Err(Error::Identity {
            what: format!("`{}` cannot retire `{name}`", author.agent),
            hint: format!("ask it: git comm msg send --to {name} TEXT"),
        });
    }
    let board = Board::load(store)?;
    let holds = board.tasks.iter().find(|(id, v)| {
        let claim = v.state.phase.claim.as_ref();
        claim.is_some_and(|c| c.agent == name) && board.lease(store, id).is_some_and(|l| !l.is_expired())
    });
    if let Some((id, _)) = holds {
        return Err(Error::usage(
            format!("agent `{name}` holds `{id}`"),
            format!("give it back first: git comm release {id}"),
        ));
    }
    store.update(name.as_str(), &author, store.durability(), |before, stamp| {
        let before: &Version<Agent> = before.ok_or_else(|| Error::unknown("agent", name.as_str()))?;
        if before.state.retired_at.is_some() {
            return Ok::<_, Error>(Decision::Keep(()));
        }
        let mut state = before.state.clone();
        state.apply(&AgentEvent::Retire, stamp);
        if own {
            state.extra.insert("person".into(), true.into());
        }
        let (event, summary, guards) = (to_value(&AgentEvent::Retire), format!("retire {name}"), Vec::new());
        Ok(Decision::Write { event, state, summary, guards, result: () })
    })?;
    Ok(name)
}

/// What an agent does, as the others can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Seen lately, holds nothing.
    Idle,
    /// Holds a task.
    Busy,
    /// Its lease ran out, or it was not seen for long.
    Lost,
    /// Left for good.
    Retired,
}

impl Activity {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Busy => "busy",
            Self::Lost => "lost",
            Self::Retired => "retired",
        }
    }
}

/// One line about an agent.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its name.
    pub name: AgentName,
    /// What it does.
    pub activity: Activity,
    /// Whether it is a person.
    pub is_person: bool,
    /// What it said of itself.
    pub agent: Agent,
    /// What it holds, each with the end of its lease; none once that has run
    /// out.
    pub holds: Vec<(TaskId, Option<Timestamp>)>,
    /// When it was last seen.
    pub last_seen: Option<Timestamp>,
}

/// An agent that holds nothing is lost when it was silent for this long.
const SILENT: Duration = Duration::from_secs(3_600);

/// Everybody on the board: registered, seen, or holding something.
pub fn list(context: &Context<'_>, board: &Board) -> Vec<Line> {
    let mut names: std::collections::BTreeSet<AgentName> = board.agents.keys().cloned().collect();
    names.extend(board.tasks.values().filter_map(|v| v.state.phase.claim.as_ref().map(|c| c.agent.clone())));
    let line = |name: AgentName| {
        let agent = board.agents.get(&name).map(|v| (*v.state).clone()).unwrap_or_default();
        let mut holds = Vec::new();
        for (id, version) in &board.tasks {
            if version.state.phase.claim.as_ref().is_some_and(|c| c.agent == name) {
                let until = match board.lease(&context.store, id) {
                    Some(Lease::Live { until } | Lease::Watched { until }) => Some(until),
                    _ => None,
                };
                holds.push((id.clone(), until));
            }
        }
        let last_seen = agent.last_seen();
        let silent = last_seen.is_none_or(|at| board.now().since(at) > SILENT);
        let activity = if agent.retired_at.is_some() {
            Activity::Retired
        } else if holds.iter().any(|h| h.1.is_some()) {
            Activity::Busy
        } else if !holds.is_empty() || silent {
            Activity::Lost
        } else {
            Activity::Idle
        };
        let is_person = super::identity::is_person_record(&agent);
        Line { name, activity, is_person, agent, holds, last_seen }
    };
    // A person is no agent, unless it works like one.
    names.into_iter().map(line).filter(|line| !line.is_person || !line.holds.is_empty()).collect()
}

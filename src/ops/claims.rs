//! Taking, keeping and ending work.

use std::time::Duration;

use super::Context;
use super::board::{self};
use super::error::Error;
use super::tasks::{check_size, to_value};
use crate::model::agent::Agent;
use crate::model::claiming::{self, Asker, Ending, Grantable, Grip, Under};
use crate::model::event::{End, Grant, TaskEvent};
use crate::model::lease::Lease;
use crate::model::limits;
use crate::model::names::{AgentName, DomainName, TaskId};
use crate::model::refusal::Refusal;
use crate::model::stamp::{BootStamp, Fence, Stamp};
use crate::model::task::{Claim, State, Task};
use crate::store::{Author, Decision, Version, Watched, task_ref};
use crate::text::time::Timestamp;

/// Length of a lease, unless configured or asked otherwise.
pub const TTL: Duration = Duration::from_secs(30 * 60);

/// A claim that was granted, or was there already.
#[derive(Debug)]
pub struct Granted {
    /// The task.
    pub id: TaskId,
    /// Its newest version.
    pub version: Version<Task>,
    /// Whether this request was granted; false if it was the caller's before.
    pub granted: bool,
    /// The holder that it was taken from, if any.
    pub from: Option<AgentName>,
    /// When the lease ends, unless renewed.
    pub until: Timestamp,
}

/// The length of lease asked for, else configured, else 30 minutes.
pub fn ttl(context: &Context<'_>, asked: Option<Duration>) -> Result<Duration, Error> {
    let ttl = match (asked, context.store.repo().config("comm.ttl")) {
        (Some(ttl), _) => ttl,
        (None, Some(text)) => {
            text.parse::<crate::text::time::Span>()
                .map_err(|error| Error::usage(format!("`comm.ttl`: {error}"), "git config comm.ttl 30m"))?
                .0
        }
        (None, None) => TTL,
    };
    if (limits::TTL_MIN_SECONDS..=limits::TTL_SECONDS).contains(&ttl.as_secs()) {
        return Ok(ttl);
    }
    let value = crate::text::time::Span(ttl).to_string();
    Err(Refusal::OutOfRange { what: "the lease", value, range: "1s to 30d" }.into())
}

/// Claims a task: exactly one caller is granted it, however many race.
///
/// With `once`, a task that the caller holds already is refused.
pub fn claim(context: &Context<'_>, id: &TaskId, ttl: Duration, once: bool) -> Result<Granted, Error> {
    let author = context.identity.holder(&context.store)?;
    let granted = grant(context, &author, id, ttl)?;
    if once && !granted.granted {
        return Err(Refusal::AlreadyYours { task: id.clone() }.into());
    }
    if granted.granted {
        doubt_domain(context, &author.agent, &granted);
    }
    Ok(granted)
}

/// Says so if whoever was granted a task works in other domains than its.
fn doubt_domain(context: &Context<'_>, agent: &AgentName, granted: &Granted) {
    let (Some(domain), false) = (&granted.version.state.domain, context.identity.is_person()) else { return };
    let works_in = super::rules::works_in(context, agent).unwrap_or_default();
    if !works_in.is_empty() && !works_in.contains(domain) {
        let works_in: Vec<&str> = works_in.iter().map(DomainName::as_str).collect();
        context.notice(format!("{} is of domain {domain}; you work in {}", granted.id, works_in.join(", ")));
    }
}

/// One try at a task, without the heartbeat that may be due with it.
pub(super) fn grant(
    context: &Context<'_>,
    author: &Author,
    id: &TaskId,
    ttl: Duration,
) -> Result<Granted, Error> {
    let store = &context.store;
    let updated = store.update(id.as_str(), author, store.durability(), |before, stamp| {
        let before = before.ok_or_else(|| Error::unknown("task", id.as_str()))?;
        let task: &Task = &before.state;
        refuse_paused(context, author, task.domain.as_ref())?;
        let judged = board::judge_one(context, id, task)?;
        let lease = judged.as_ref().map(|(lease, _)| *lease);
        let asker = asker(context, author);
        let mut guards: Guards = judged.into_iter().map(|(_, guard)| guard).collect();
        let grantable = claiming::may_claim(id, task, lease, asker, store.env().now())?;
        // Whoever begins, or begins anew, waits for what the task waits for.
        if matches!(grantable, Grantable::Open | Grantable::TakeOver { .. }) {
            refuse_blocked(context, id, task, &mut guards)?;
        }
        let from = match grantable {
            Grantable::Mine { expired: false } => return Ok::<_, Error>(Decision::Keep((false, None))),
            Grantable::Mine { expired: true } => {
                return Ok(write(id, task, &renewal(context, ttl, stamp), stamp, Vec::new(), (false, None)));
            }
            Grantable::Open | Grantable::HandedOver => None,
            Grantable::TakeOver { from } => Some(from),
        };
        let claim = lease_for(context, author.agent.clone(), author.session.clone(), ttl, stamp)?;
        let event = TaskEvent::Claim(Grant { claim, from: from.clone(), reason: String::new() });
        Ok(write(id, task, &event, stamp, guards, (true, from)))
    })?;
    let version = updated.version.ok_or_else(|| Error::unknown("task", id.as_str()))?;
    let (granted, from) = updated.result;
    remember(context, author, id, &version.state);
    let until = end_of(context, id, &version.state, updated.written)?;
    Ok(Granted { id: id.clone(), version, granted, from, until })
}

/// When the lease on a held task ends: as just written, else as heartbeats
/// may have carried it beyond its stored end.
fn end_of(context: &Context<'_>, id: &TaskId, task: &Task, written: bool) -> Result<Timestamp, Error> {
    let judged = if written { None } else { board::judge_one(context, id, task)? };
    let stored = || task.phase.claim.as_ref().map(|c| c.expires_at).unwrap_or_default();
    Ok(judged.and_then(|(lease, _)| lease.until()).unwrap_or_else(stored))
}

type Guards = Vec<Watched>;

/// A decision to write `event` onto `task`.
fn write<T>(
    id: &TaskId,
    task: &Task,
    event: &TaskEvent,
    stamp: &Stamp,
    guards: Guards,
    result: T,
) -> Decision<Task, T> {
    let mut state = task.clone();
    state.apply(event, stamp);
    let summary = summary(id, event, stamp);
    Decision::Write { event: to_value(event), state, summary, guards, result }
}

/// The sentence for people: what, which, who, until when or why.
fn summary(id: &TaskId, event: &TaskEvent, stamp: &Stamp) -> String {
    let agent = &stamp.agent;
    let verb = event.verb();
    let because = |reason: &str| match reason {
        "" => String::new(),
        reason => format!(": {}", crate::text::escape::clipped(super::tasks::first_line(reason), 100)),
    };
    match event {
        TaskEvent::Claim(grant) | TaskEvent::Steal(grant) | TaskEvent::Handover(grant) => {
            let until = grant.claim.expires_at.short(stamp.at);
            let from = grant.from.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
            format!("{verb} {id}: {} until {until}{from}{}", grant.claim.agent, because(&grant.reason))
        }
        TaskEvent::Renew { expires_at, .. } => {
            format!("{verb} {id}: {agent} until {}", expires_at.short(stamp.at))
        }
        TaskEvent::Release(end)
        | TaskEvent::Close(end)
        | TaskEvent::Fail(end)
        | TaskEvent::Cancel(end)
        | TaskEvent::Reopen(end) => {
            let late = if end.late { ", late" } else { "" };
            format!("{verb} {id} by {agent}{late}{}", because(&end.reason))
        }
        _ => format!("{verb} {id}"),
    }
}

fn asker<'a>(context: &Context<'_>, author: &'a Author) -> Asker<'a> {
    Asker { agent: &author.agent, session: &author.session, is_person: context.identity.is_person() }
}

fn lease_for(
    context: &Context<'_>,
    agent: AgentName,
    session: String,
    ttl: Duration,
    stamp: &Stamp,
) -> Result<Claim, Error> {
    let now = context.store.env().now();
    let is_caller = context.identity.name() == Some(&agent);
    let domain = if is_caller { super::rules::bound_domain(&context.store)? } else { None };
    Ok(Claim {
        agent,
        session,
        clone: stamp.clone.clone(),
        granted_at: now,
        ttl: ttl.as_secs(),
        expires_at: now.plus(ttl),
        boot: boot_end(context, ttl),
        domain,
        extra: serde_json::Map::new(),
    })
}

/// The end of a lease that starts now, on the boot clock.
fn boot_end(context: &Context<'_>, ttl: Duration) -> Option<BootStamp> {
    let mut boot = context.store.boot_stamp()?;
    boot.ms = boot.ms.saturating_add(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX));
    Some(boot)
}

fn renewal(context: &Context<'_>, ttl: Duration, _: &Stamp) -> TaskEvent {
    let expires_at = context.store.env().now().plus(ttl);
    TaskEvent::Renew { ttl: ttl.as_secs(), expires_at, boot: boot_end(context, ttl) }
}

/// Refuses an agent that the person paused, or whose own domain, or that of
/// the task, is paused. The person's record is a guard of every write.
pub(super) fn refuse_paused(
    context: &Context<'_>,
    author: &Author,
    of_task: Option<&DomainName>,
) -> Result<(), Error> {
    if context.identity.is_person() {
        return Ok(());
    }
    context.store.require_intact()?;
    if context.store.control().pauses.is_empty() {
        return Ok(());
    }
    let own = super::rules::domains_of(&context.store, &super::rules::current(context)?, &author.agent)?;
    refuse_pause_of(context, &author.agent, of_task.into_iter().chain(&own))
}

fn refuse_pause_of<'d>(
    context: &Context<'_>,
    agent: &AgentName,
    domains: impl IntoIterator<Item = &'d DomainName>,
) -> Result<(), Error> {
    match context.store.control().pause_of(agent, domains) {
        None => Ok(()),
        Some((scope, pause)) => {
            Err(Refusal::Paused { scope, by: pause.by.clone(), reason: pause.reason.clone() }.into())
        }
    }
}

/// Refuses a task that waits for unfinished ones, each of which becomes a
/// guard: none may be reopened between the look and the grant.
fn refuse_blocked(context: &Context<'_>, id: &TaskId, task: &Task, guards: &mut Guards) -> Result<(), Error> {
    let mut blockers = Vec::new();
    for dep in task.blockers() {
        let other = context.store.read::<Task>(dep.id.as_str())?;
        guards.push((task_ref(&dep.id)?, other.as_ref().map(|v| v.oid)));
        match other.map(|v| v.state.phase.state) {
            Some(state) if state.unblocks() => {}
            Some(state) => blockers.push(format!("{} ({state})", dep.id)),
            None => blockers.push(format!("{} (unknown here)", dep.id)),
        }
    }
    if blockers.is_empty() {
        return Ok(());
    }
    Err(Refusal::Blocked { task: id.clone(), blockers }.into())
}

fn remember(context: &Context<'_>, author: &Author, id: &TaskId, task: &Task) {
    let claim = task.phase.claim.as_ref().filter(|c| c.is_of(&author.agent, &author.session));
    context.store.remember(&author.session, |presence| match claim {
        Some(claim) => {
            // Claiming again what is held already is no other work.
            if presence
                .held
                .get(id)
                .is_none_or(|held| held.fence != task.phase.fence || held.ttl != claim.ttl)
            {
                presence.grant(id, task.phase.fence.clone(), claim.ttl);
            }
        }
        None => presence.end(id),
    });
}

/// Gives the holder more time.
pub fn renew(
    context: &Context<'_>,
    id: &TaskId,
    ttl: Option<Duration>,
    grip: Option<u64>,
) -> Result<Version<Task>, Error> {
    let author = context.identity.holder(&context.store)?;
    let given = ttl;
    let (version, _) = change(context, &author, id, |task, stamp| {
        if task.phase.claim.as_ref().is_some_and(|c| c.is_of(&author.agent, "")) {
            // Takes up what was handed over, whatever this session held before.
            let grip = Grip { named: grip, remembered: None };
            claiming::check_fence(id, task, asker(context, &author), grip)?;
        } else {
            fence_of(context, &author, id, task, grip)?;
        }
        // Unless asked otherwise, as long as it was granted for.
        let before = task.phase.claim.as_ref().map(Claim::ttl);
        let ttl = self::ttl(context, given.or(before))?;
        Ok(Some(renewal(context, ttl, stamp)))
    })?;
    Ok(version)
}

/// The holder gives the task back.
pub fn release(
    context: &Context<'_>,
    id: &TaskId,
    reason: &str,
    grip: Option<u64>,
) -> Result<Version<Task>, Error> {
    let author = context.identity.holder(&context.store)?;
    check_size("reason", reason, limits::REASON)?;
    let (version, _) = change(context, &author, id, |task, _| {
        // First of all: a session that was superseded is told so even if
        // another session of its agent has given the task back.
        check_grip(context, &author, id, task, grip)?;
        if task.phase.state == State::Open
            && task.phase.outcome.as_ref().is_some_and(|o| o.by == author.agent)
        {
            return Ok(None);
        }
        let fence = claiming::held_fence(id, task, asker(context, &author))?;
        Ok(Some(TaskEvent::Release(End { reason: reason.to_owned(), under: Some(fence), late: false })))
    })?;
    Ok(version)
}

/// The holder gives the task to another agent.
pub fn handover(
    context: &Context<'_>,
    id: &TaskId,
    to: &AgentName,
    reason: &str,
    ttl: Duration,
) -> Result<Version<Task>, Error> {
    let author = context.identity.holder(&context.store)?;
    check_size("reason", reason, limits::REASON)?;
    let known = context.store.read::<Agent>(to.as_str())?;
    let receiver = match known {
        Some(agent) if agent.state.retired_at.is_none() => agent.state,
        _ => return Err(Error::unknown("agent", to.as_str())),
    };
    let domains: Vec<DomainName> =
        receiver.domain.into_iter().chain(super::rules::works_in(context, to)?).collect();
    let (version, _) = change(context, &author, id, |task, stamp| {
        // A hand-over is a grant: neither side may be paused.
        refuse_paused(context, &author, task.domain.as_ref())?;
        refuse_pause_of(context, to, task.domain.iter().chain(&domains))?;
        fence_of(context, &author, id, task, None)?;
        if *to == author.agent {
            return Err(Error::usage(
                format!("`{to}` holds `{id}` already"),
                "name another agent: --to AGENT",
            ));
        }
        let claim = lease_for(context, to.clone(), String::new(), ttl, stamp)?;
        let grant = Grant { claim, from: Some(author.agent.clone()), reason: reason.to_owned() };
        Ok(Some(TaskEvent::Handover(grant)))
    })?;
    Ok(version)
}

/// The person takes the task, whoever holds it.
pub fn steal(context: &Context<'_>, id: &TaskId, reason: &str, ttl: Duration) -> Result<Granted, Error> {
    let author = context.identity.person("take a task from its holder")?;
    super::tasks::check_body("reason", reason)?;
    check_size("reason", reason, limits::REASON)?;
    let mut from = None;
    let (version, granted) = change(context, &author, id, |task, stamp| {
        from = None;
        match (task.phase.state, &task.phase.claim) {
            (State::Open, _) => {}
            (State::Claimed, Some(claim)) if claim.is_of(&author.agent, &author.session) => return Ok(None),
            (State::Claimed, Some(claim)) => from = Some(claim.agent.clone()),
            (state, _) => return Err(Refusal::Ended { task: id.clone(), state }.into()),
        }
        let claim = lease_for(context, author.agent.clone(), author.session.clone(), ttl, stamp)?;
        Ok(Some(TaskEvent::Steal(Grant { claim, from: from.clone(), reason: reason.to_owned() })))
    })?;
    let until = end_of(context, id, &version.state, granted)?;
    Ok(Granted { id: id.clone(), version, granted, from, until })
}

/// Ends a task, or opens it again. Says whether anything changed.
pub fn end(
    context: &Context<'_>,
    id: &TaskId,
    ending: Ending,
    reason: &str,
    grip: Option<u64>,
) -> Result<(Version<Task>, bool), Error> {
    let store = &context.store;
    let author = context.identity.author(store)?;
    check_size("reason", reason, limits::REASON)?;
    change(context, &author, id, |task, _| {
        if task.phase.state == State::Claimed {
            // A script does not speak for whoever holds the task.
            context.identity.holder(store)?;
        }
        let held = remembered(context, &author, id);
        let grip = Grip { named: grip, remembered: held.as_ref() };
        let under = match claiming::may_end(id, task, ending, asker(context, &author), grip)? {
            Under::Already => return Ok(None),
            Under::Itself => None,
            Under::Claim(fence) => Some(fence),
        };
        let late =
            under.is_some() && board::judge_one(context, id, task)?.is_some_and(|(l, _)| l == Lease::Expired);
        let end = End { reason: reason.to_owned(), under, late };
        Ok(Some(match ending {
            Ending::Close => TaskEvent::Close(end),
            Ending::Fail => TaskEvent::Fail(end),
            Ending::Cancel => TaskEvent::Cancel(end),
            Ending::Reopen => TaskEvent::Reopen(end),
        }))
    })
}

/// The fence that the caller holds the task under. One whose session was
/// superseded, or that names another token than the one in force, is refused.
fn fence_of(
    context: &Context<'_>,
    author: &Author,
    id: &TaskId,
    task: &Task,
    named: Option<u64>,
) -> Result<Fence, Error> {
    check_grip(context, author, id, task, named)?;
    Ok(claiming::held_fence(id, task, asker(context, author))?)
}

/// Refuses a caller whose session was superseded, or that names another token
/// than the one in force.
fn check_grip(
    context: &Context<'_>,
    author: &Author,
    id: &TaskId,
    task: &Task,
    named: Option<u64>,
) -> Result<(), Error> {
    let held = remembered(context, author, id);
    let grip = Grip { named, remembered: held.as_ref() };
    Ok(claiming::check_fence(id, task, asker(context, author), grip)?)
}

fn remembered(context: &Context<'_>, author: &Author, id: &TaskId) -> Option<Fence> {
    context.store.presence(&author.session)?.held.remove(id).map(|held| held.fence)
}

/// Applies one event to a task, and says whether it did; none means that
/// nothing is to be done.
fn change(
    context: &Context<'_>,
    author: &Author,
    id: &TaskId,
    mut event: impl FnMut(&Task, &Stamp) -> Result<Option<TaskEvent>, Error>,
) -> Result<(Version<Task>, bool), Error> {
    let store = &context.store;
    let updated = store.update(id.as_str(), author, store.durability(), |before, stamp| {
        let before = before.ok_or_else(|| Error::unknown("task", id.as_str()))?;
        let task = &before.state;
        match event(task, stamp)? {
            None => Ok::<_, Error>(Decision::Keep(())),
            Some(event) => Ok(write(id, task, &event, stamp, Vec::new(), ())),
        }
    });
    if let Err(Error::Refused(Refusal::Superseded { .. })) = &updated {
        // Told now; the heartbeat that follows need not say it again.
        store.remember(&author.session, |presence| presence.lose(id));
    }
    let updated = updated?;
    let version = updated.version.ok_or_else(|| Error::unknown("task", id.as_str()))?;
    remember(context, author, id, &version.state);
    Ok((version, updated.written))
}

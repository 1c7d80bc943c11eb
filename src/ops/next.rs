//! Claiming the best task that the caller can start.

use std::time::Duration;

use super::Context;
use super::board::Board;
use super::claims::{Granted, grant, refuse_paused};
use super::error::Error;
use super::rules;
use crate::model::names::{AgentName, TaskId};
use crate::model::ready::Taker;
use crate::model::refusal::{Class, Refusal};
use crate::model::task::State;
use crate::store::Author;
use crate::text::digest;

/// How many times the whole list is tried again after every task on it went
/// to somebody else.
const ROUNDS: u32 = 12;

/// The agent as one who looks for work: the domains that it works in say what
/// is offered to it.
pub fn taker(context: &Context<'_>, board: &Board, agent: &AgentName) -> Result<Taker, Error> {
    // Where no task has a domain, whose it is need not be found out.
    let domains = if board.tasks.values().any(|v| v.state.domain.is_some()) {
        rules::works_in(context, agent)?
    } else {
        Vec::new()
    };
    Ok(Taker { agent: Some(agent.clone()), domains })
}

/// Claims the best task that the caller can start: what it holds already,
/// unless it asks for `another`.
pub fn next(context: &Context<'_>, ttl: Duration, another: bool) -> Result<Granted, Error> {
    let store = &context.store;
    let author = context.identity.holder(store)?;
    let mut board = Board::load(store)?;
    if board.is_unadopted {
        return Err(Error::NoBoard);
    }
    if !another && let Some(granted) = resume(context, &author, &board, ttl)? {
        return Ok(granted);
    }
    // Whoever is paused is told so, whether or not there is work.
    refuse_paused(context, &author, None)?;
    let taker = taker(context, &board, &author.agent)?;
    for round in 0..ROUNDS {
        if round > 0 {
            board = Board::load(store)?;
        }
        let ready = board.ready(store, &taker);
        if ready.is_empty() {
            break;
        }
        // The first try is the best task. Whoever lost a race for it starts
        // somewhere else, or thirty would queue behind each other.
        let offset = if round == 0 { 0 } else { offset(&author, ready.len()) };
        let tries = if round == 0 { 1 } else { ready.len() };
        for id in ready.iter().cycle().skip(offset).take(tries) {
            match grant(context, &author, id, ttl) {
                Ok(granted) if granted.granted => {
                    return Ok(granted);
                }
                Ok(_) => {}
                Err(Error::Refused(refusal)) if refusal.class() == Class::No => {}
                // A task of a paused domain; the others may be free.
                Err(Error::Refused(Refusal::Paused { scope, .. })) if scope.starts_with("domain:") => {}
                Err(error) => return Err(error),
            }
        }
    }
    let waits = |state| board.tasks.values().filter(|v| v.state.phase.state == state).count();
    if let Some(error) = board.incomplete() {
        return Err(error);
    }
    let (blocked, held) = (waits(State::Open), waits(State::Claimed));
    Err(Refusal::NothingReady { domains: taker.domains, blocked, held }.into())
}

/// What the caller holds already, or was handed.
fn resume(
    context: &Context<'_>,
    author: &Author,
    board: &Board,
    ttl: Duration,
) -> Result<Option<Granted>, Error> {
    let mut mine: Vec<TaskId> = board
        .tasks
        .iter()
        .filter(|(_, v)| {
            let claim = v.state.phase.claim.as_ref();
            claim.is_some_and(|c| {
                c.agent == author.agent && (c.session == author.session || c.session.is_empty())
            })
        })
        .map(|(id, _)| id.clone())
        .collect();
    crate::model::ready::sort(&board.graph, &mut mine);
    for id in mine {
        match grant(context, author, &id, ttl) {
            Ok(granted) => {
                return Ok(Some(granted));
            }
            Err(Error::Refused(refusal)) if refusal.class() == Class::No => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn offset(author: &Author, len: usize) -> usize {
    let digest = digest::digest(&[author.agent.as_str(), &author.session]);
    let number = u64::from_str_radix(digest.get(..15).unwrap_or_default(), 16).unwrap_or(0);
    usize::try_from(number % len.clamp(1, 64) as u64).unwrap_or(0)
}

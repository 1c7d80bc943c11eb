//! The sessions of this clone: what they remember, what the records say.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Around, Check, FIX, or_fine, some};
use crate::model::names::AgentName;
use crate::model::task::Claim;
use crate::ops::board::Board;
use crate::ops::error::{Error, plural};
use crate::ops::identity::is_person_record;
use crate::store::{Remembered, Store};

/// Who gave no sign of life for this long is not at work any more.
const AT_WORK: Duration = Duration::from_secs(30 * 60);

pub(super) fn sessions(around: &Around<'_, '_>) -> Vec<Check> {
    let store = &around.context.store;
    let all = store.remembered();
    let mut faults = Vec::new();
    faults.extend(broken(store, &all, around.fix));
    let mut at_work = 0;
    if let Some(board) = &around.board {
        faults.extend(stale(board, &all));
        faults.extend(forgetful(store, board, &all));
        let places = places(around, board);
        at_work = places.values().map(|who| who.len()).sum();
        faults.extend(places.iter().filter_map(|(place, who)| shared(place, who)));
    }
    let fine = format!("{at_work} at work, {} remembered", all.len());
    or_fine("sessions", faults, fine)
}

/// Files that hold nothing that can be read. Without them nothing is lost:
/// they count as empty.
fn broken(store: &Store<'_>, all: &[Remembered], fix: bool) -> Option<Check> {
    let broken: Vec<&Remembered> = all.iter().filter(|one| one.presence.is_none()).collect();
    let names: Vec<&str> = broken.iter().map(|one| one.session.as_str()).collect();
    if names.is_empty() {
        return None;
    }
    let what = format!("what {} remembers cannot be read: {}", plural(names.len(), "session"), some(&names));
    let check = Check::yellow("sessions", what, FIX);
    if !fix {
        return Some(check);
    }
    match broken.iter().try_for_each(|one| store.forget_broken(one)) {
        Ok(()) => Some(check.fixed_if(true)),
        Err(error) => Some(Check::of_error("sessions", &Error::from(error))),
    }
}

/// Sessions that still count on a claim which another has by now.
fn stale(board: &Board, all: &[Remembered]) -> Option<Check> {
    let mut lost = Vec::new();
    for one in all {
        for (id, held) in
            one.presence.iter().flat_map(|p| &p.held).filter(|(_, held)| !held.lost && !held.past)
        {
            let Some(task) = board.tasks.get(id) else { continue };
            let phase = &task.state.phase;
            // What was handed back to its agent waits to be taken up.
            let agent = |claim: &Claim| board.agents.get(&claim.agent);
            let is_its = |claim: &Claim| {
                agent(claim).is_some_and(|agent| agent.state.sessions.contains_key(&one.session))
            };
            let has = phase.claim.as_ref().is_some_and(|claim| {
                claim.session == one.session || (claim.session.is_empty() && is_its(claim))
            });
            if !has && phase.fence != held.fence {
                lost.push(format!("{} {id}", agent_of(board, &one.session)));
            }
        }
    }
    if lost.is_empty() {
        return None;
    }
    let what = format!("{} superseded and not told yet: {}", plural(lost.len(), "claim"), some(&lost));
    Some(Check::yellow("sessions", what, "each hears it with its next command, or: git comm agent heartbeat"))
}

fn agent_of(board: &Board, session: &str) -> String {
    let of = board.agents.iter().find(|(_, agent)| agent.state.sessions.contains_key(session));
    of.map_or_else(|| "a session's".to_owned(), |(name, _)| format!("{name}'s"))
}

/// Sessions that hold something here and do not remember it: no command of
/// theirs gives the heartbeats that keep it.
fn forgetful(store: &Store<'_>, board: &Board, all: &[Remembered]) -> Option<Check> {
    let mut forgotten = Vec::new();
    for (id, task) in &board.tasks {
        let Some(claim) = &task.state.phase.claim else { continue };
        let is_here = claim.clone == store.clone_id() && !claim.session.is_empty();
        let is_live = board.lease(store, id).is_some_and(|lease| !lease.is_expired());
        let is_kept = all.iter().any(|one| {
            one.session == claim.session && one.presence.as_ref().is_some_and(|p| p.held.contains_key(id))
        });
        if is_here && is_live && !is_kept {
            forgotten.push(format!("{} {id}", claim.agent));
        }
    }
    if forgotten.is_empty() {
        return None;
    }
    let what = format!(
        "{} that no session remembers, so that nothing renews it: {}",
        plural(forgotten.len(), "claim"),
        some(&forgotten)
    );
    Some(Check::yellow(
        "sessions",
        what,
        "its holder claims it again, which changes nothing else: git comm claim ID",
    ))
}

/// The agents at work in each worktree of this clone, once for each session.
/// They are on record by the names of folders: where two have one name,
/// nobody can tell.
fn places(around: &Around<'_, '_>, board: &Board) -> BTreeMap<String, Vec<AgentName>> {
    let store = &around.context.store;
    let mut places: BTreeMap<String, Vec<AgentName>> = BTreeMap::new();
    for (name, agent) in board.agents.iter().filter(|(_, agent)| !is_person_record(&agent.state)) {
        for (id, session) in &agent.state.sessions {
            let is_here = session.heartbeat.clone == store.clone_id() && !session.worktree.is_empty();
            let holds = board
                .held_by(name, id)
                .iter()
                .any(|task| board.lease(store, task).is_some_and(|l| !l.is_expired()));
            if is_here && (holds || board.now().since(session.heartbeat.at) < AT_WORK) {
                places.entry(session.worktree.clone()).or_default().push(name.clone());
            }
        }
    }
    let names: Vec<String> =
        around.repo().worktrees().unwrap_or_default().iter().map(|worktree| worktree.name()).collect();
    places.retain(|place, _| names.iter().filter(|name| *name == place).count() == 1);
    places
}

/// A worktree in which several work at once: they change one another's files
/// and index.
fn shared(place: &str, who: &[AgentName]) -> Option<Check> {
    if who.len() < 2 {
        return None;
    }
    let mut names: Vec<&str> = who.iter().map(AgentName::as_str).collect();
    names.dedup();
    let who = match names.as_slice() {
        [one] => format!("{} of {one}", plural(who.len(), "session")),
        several => format!("{}: {}", plural(several.len(), "agent"), some(several)),
    };
    let what = format!("worktree `{}` is shared by {who}", crate::text::escape::clipped(place, 60));
    Some(Check::yellow("sessions", what, "give each its own: git comm worktree add"))
}

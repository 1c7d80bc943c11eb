//! The records: every ref, every chain back to its first version, and what
//! the board says of the work.

use std::collections::HashSet;

use super::Check;
use crate::git::{Oid, RefName};
use crate::model::board::FORMAT;
use crate::ops::Context;
use crate::ops::board::Board;
use crate::ops::error::{Error, plural};
use crate::ops::history;
use crate::store::{PREFIX, StoreError};

pub(super) fn board(context: &Context<'_>) -> Check {
    if let Err(error) = context.store.require_intact() {
        return Check::of_error("board", &error.into());
    }
    match context.store.meta() {
        None => Check::red("board", "there is none", "git comm init"),
        Some(meta) => {
            let boards: Vec<&str> = meta.boards.iter().map(String::as_str).collect();
            Check::green("board", format!("{}, format {} of {FORMAT}", boards.join(" and "), meta.format))
        }
    }
}

/// What is shown of a long list of faults.
const SHOWN: usize = 5;

pub(super) fn records(context: &Context<'_>) -> Vec<Check> {
    let refs = match context.store.repo().list_refs(PREFIX) {
        Ok(refs) => refs,
        Err(error) => return vec![Check::of_error("records", &Error::from(error))],
    };
    let (mut versions, mut faults, mut unknown) = (0usize, Vec::new(), 0usize);
    let total = refs.len();
    for (name, tip) in refs {
        let Some(place) = history::place(&name) else {
            unknown += 1;
            continue;
        };
        match tip.map_err(StoreError::from).and_then(|tip| walk(context, &name, &place, tip)) {
            Ok(count) => versions += count,
            Err(error) => faults.push(error.to_string()),
        }
    }
    let newer = if unknown > 0 {
        format!(", {unknown} of kinds that this program does not know")
    } else {
        String::new()
    };
    if faults.is_empty() {
        let what = format!("{} with {} intact{newer}", plural(total, "record"), plural(versions, "version"));
        return vec![Check::green("records", what)];
    }
    let more = faults.len().saturating_sub(SHOWN);
    let mut checks: Vec<Check> = faults
        .into_iter()
        .take(SHOWN)
        .map(|fault| {
            Check::red("records", fault, "look at it with git log; restore the ref from another clone")
        })
        .collect();
    if more > 0 {
        checks.push(Check::red(
            "records",
            format!("{more} more records are damaged"),
            "git comm list names them",
        ));
    }
    checks
}

/// Reads a record back to its first version and counts the versions: each
/// must follow its parent by one, no earlier, with a nonce of its own.
fn walk(
    context: &Context<'_>,
    name: &RefName,
    place: &history::Place,
    tip: Oid,
) -> Result<usize, StoreError> {
    let damaged = |reason: String| StoreError::Damaged { name: name.to_string(), reason };
    let mut seen = HashSet::from([tip]);
    let mut nonces = HashSet::new();
    let mut queue = vec![(tip, None)];
    while let Some((oid, child)) = queue.pop() {
        let version = context.store.version_of::<history::Opaque>(name, place.stored, &place.id, oid)?;
        let head = &version.head;
        if !nonces.insert(head.nonce.clone()) {
            return Err(damaged(format!("two of its versions have one nonce, at {oid}")));
        }
        if let Some((seq, at)) = child
            && (head.seq >= seq
                || head.at > at
                || (version.parents.len() < 2 && head.seq + 1 != seq && seen.len() == nonces.len()))
        {
            return Err(damaged(format!("version {} at {oid} does not precede version {seq}", head.seq)));
        }
        if version.parents.is_empty() && head.seq != 1 {
            return Err(damaged(format!("its first version, {oid}, says that it is number {}", head.seq)));
        }
        for &parent in &version.parents {
            if seen.insert(parent) {
                queue.push((parent, Some((head.seq, head.at))));
            }
        }
    }
    Ok(nonces.len())
}

pub(super) fn work(context: &Context<'_>) -> Vec<Check> {
    let board = match Board::load(&context.store) {
        Ok(board) => board,
        Err(error) => return vec![Check::of_error("work", &error)],
    };
    let mut checks = Vec::new();
    let cycles: Vec<&str> = board.graph.on_cycles().iter().map(|n| n.id.as_str()).collect();
    if !cycles.is_empty() {
        let what = format!("{} can never start: a cycle", cycles.join(", "));
        checks.push(Check::red("work", what, "git comm dep tree ID, then git comm dep remove ID OTHER"));
    }
    let lapsed: Vec<String> = board
        .tasks
        .keys()
        .filter(|id| board.lease(&context.store, id).is_some_and(crate::model::lease::Lease::is_expired))
        .map(ToString::to_string)
        .collect();
    if !lapsed.is_empty() {
        let what = format!("the lease ran out on {}", lapsed.join(", "));
        checks.push(Check::yellow("work", what, "git comm next takes it over"));
    }
    if checks.is_empty() {
        let agents = board.agents.values().filter(|v| v.state.retired_at.is_none()).count();
        checks.push(Check::green(
            "work",
            format!("{}, {}", plural(board.tasks.len(), "task"), plural(agents, "agent")),
        ));
    }
    checks
}

//! Sharing records with a remote: fetch, check, bring together, push.
//!
//! What a remote has is fetched into names of our own, which are never the
//! truth. What it adds is checked, version by version, before our refs move;
//! a record that is not as writers make it is told, and stands in nobody's
//! way. What we have more goes up, each ref only from where it was seen; what
//! moved meanwhile is fetched again.

use std::collections::BTreeMap;

use super::error::Error;
use super::join::{self, TRACKING};
use super::{Context, renaming};
use crate::git::{Oid, Push, Pushed, RefName, Swapped};
use crate::model::names::TaskId;
use crate::store::sharing::{Kind, Named, Standing, named};
use crate::store::{PREFIX, StoreError, is_unwritable};
use crate::text::escape;

/// Fetches and pushes until somebody else must be faster every time.
const ROUNDS: usize = 12;
/// Tries for one ref that moves while it is brought together.
const TRIES: usize = 20;

/// What became of it.
#[derive(Clone, Debug, Default)]
pub struct Synced {
    /// The remote.
    pub remote: String,
    /// Records that came from it, or moved on here.
    pub received: usize,
    /// Records that both had changed.
    pub merged: usize,
    /// Records that it took.
    pub sent: usize,
    /// Records that it had lost and has again.
    pub healed: usize,
    /// Tasks that go on under another id, because another one has theirs: the
    /// id that both had, and the new one.
    pub renamed: Vec<(TaskId, TaskId)>,
    /// Records that cannot be taken or given, each with the reason.
    pub refused: Vec<(String, String)>,
    /// Records of ours that it did not take.
    pub unsent: usize,
    /// Whether there was no board here before.
    pub adopted: bool,
    /// Connections that were made.
    pub connections: usize,
}

/// The remote that a sync is with: the one that is named, or `comm.hub`, or
/// that of the branch.
pub fn remote(context: &Context<'_>, given: Option<&str>) -> Result<String, Error> {
    let repo = context.store.repo();
    let found =
        given.map(str::to_owned).or_else(|| repo.config("comm.hub")).or_else(|| repo.default_remote());
    let remote = found.ok_or_else(|| Error::Absent {
        what: "there is no remote to share records with".into(),
        hint: "git remote add origin URL, or git config comm.hub REMOTE".into(),
    })?;
    // The name becomes part of refs; a bare address gets none of its own yet.
    if repo.remotes().iter().any(|known| known.name == remote) {
        return Ok(remote);
    }
    Err(Error::unknown("remote", &remote))
}

/// Brings the records here and those of a remote together.
pub fn sync(context: &Context<'_>, remote: &str, is_trial: bool) -> Result<Synced, Error> {
    let mut synced = Synced { remote: remote.to_owned(), ..Synced::default() };
    context.store.require_intact()?;
    if !context.store.has_board() && !is_trial {
        synced.adopted = join::adopt_from(context, remote)?;
    }
    if !context.store.has_board() {
        return Err(Error::NoBoard);
    }
    for _ in 0..ROUNDS {
        if !round(context, remote, is_trial, &mut synced)? || is_trial {
            return Ok(synced);
        }
    }
    Err(Error::Offline {
        what: format!("`{}` moved each time before the push came", escape::clipped(remote, 60)),
        hint: "git comm sync".into(),
    })
}

/// Whether another round is needed.
fn round(context: &Context<'_>, remote: &str, is_trial: bool, synced: &mut Synced) -> Result<bool, Error> {
    let repo = context.store.repo();
    let theirs = their_refs(context, remote)?;
    synced.connections += 1;
    let tracking = format!("{TRACKING}{remote}/");
    let mut seen = listed(context, &tracking)?;
    let ours = listed(context, PREFIX)?;
    synced.refused.clear();
    synced.unsent = 0;
    let mut wanted = Vec::new();
    for (name, oid) in &theirs {
        match named(name) {
            Named::Invalid => {
                let reason = "no record has such a name".to_owned();
                synced.refused.push((escape::clipped(name.as_str(), 120), reason));
            }
            _ if ours.get(name) == Some(oid) || seen.get(name) == Some(oid) => {}
            _ => wanted.push((name, tracked(&tracking, name)?)),
        }
    }
    if !wanted.is_empty() {
        repo.fetch_into(remote, &wanted).map_err(|error| unreachable_remote(remote, &error.to_string()))?;
        synced.connections += 1;
    }
    one_board(context, remote, &theirs)?;
    let renamed = synced.renamed.len();
    let (mut pushes, mut healed) = (Vec::new(), 0);
    let boards: Vec<String> = context.store.meta().into_iter().flat_map(|meta| meta.boards).collect();
    for (name, &oid) in &theirs {
        if named(name) == Named::Invalid {
            continue;
        }
        let one = One { name, theirs: oid, ours: ours.get(name).copied(), seen: seen.get(name).copied() };
        match together(context, one, &boards, is_trial, synced) {
            Ok(Some(next)) => {
                healed += usize::from(went_back(context, name, seen.get(name).copied(), oid)?);
                pushes.push(Push { name: name.clone(), expected: Some(oid), next });
            }
            Ok(None) => {}
            // Whatever is wrong with one record is wrong with that one.
            Err(Error::Store(error)) if !is_unwritable(&error) => {
                synced.refused.push((name.to_string(), reason_of(&error)));
            }
            Err(error) => return Err(error),
        }
    }
    // Some have a new name by now.
    let ours = if synced.renamed.len() > renamed { listed(context, PREFIX)? } else { ours };
    for (name, &next) in ours.iter().filter(|(name, _)| !theirs.contains_key(*name)) {
        // What a newer writer took away is its business.
        let is_gone = named(name) == Named::Newer && seen.contains_key(name);
        if named(name) != Named::Invalid && !is_gone {
            healed += usize::from(seen.contains_key(name));
            pushes.push(Push { name: name.clone(), expected: None, next });
        }
    }
    if is_trial {
        synced.sent += pushes.len();
        return Ok(false);
    }
    // What it has and we have as well was seen too.
    seen.retain(|name, oid| theirs.get(name) == Some(oid));
    let is_new = |(name, oid): &(&RefName, &Oid)| ours.get(*name) == Some(*oid) && !seen.contains_key(*name);
    note(context, &tracking, theirs.iter().filter(is_new).map(|(name, oid)| (name, *oid)))?;
    if pushes.is_empty() {
        return Ok(false);
    }
    let answers =
        repo.push_refs(remote, &pushes).map_err(|error| unreachable_remote(remote, &error.to_string()))?;
    synced.connections += 1;
    let mut again = false;
    let mut moved = Vec::new();
    for (push, answer) in pushes.iter().zip(answers) {
        match answer {
            Pushed::Moved | Pushed::Already => moved.push((&push.name, push.next)),
            Pushed::Stale | Pushed::Unknown => again = true,
            Pushed::Refused(why) => {
                synced.unsent += 1;
                synced.refused.push((push.name.to_string(), escape::clipped(&why, 200)));
            }
        }
    }
    synced.sent += moved.len();
    synced.healed += healed;
    note(context, &tracking, moved.into_iter())?;
    Ok(again)
}

/// Whether a remote names an older version than it did.
fn went_back(context: &Context<'_>, name: &RefName, seen: Option<Oid>, theirs: Oid) -> Result<bool, Error> {
    let (Some(seen), Named::Known(kind)) = (seen, named(name)) else { return Ok(false) };
    Ok(context.store.standing(name, &kind, seen, theirs)? == Standing::Ahead)
}

/// A record, here and there.
#[derive(Clone, Copy)]
struct One<'n> {
    name: &'n RefName,
    theirs: Oid,
    ours: Option<Oid>,
    /// What the remote had when it was asked last.
    seen: Option<Oid>,
}

/// Brings our ref and theirs together; the answer is what they lack.
fn together(
    context: &Context<'_>,
    one: One<'_>,
    boards: &[String],
    is_trial: bool,
    synced: &mut Synced,
) -> Result<Option<Oid>, Error> {
    let store = &context.store;
    let Named::Known(kind) = named(one.name) else { return unknown(context, one, is_trial, synced) };
    let One { name, theirs, mut ours, .. } = one;
    for _ in 0..TRIES {
        let Some(own) = ours else {
            store.validate(name, &kind, theirs, None, boards)?;
            if is_trial || store.take(name, Some(&kind), None, theirs)? == Swapped::Moved {
                synced.received += 1;
                return Ok(None);
            }
            ours = store.tip(name)?;
            continue;
        };
        let next = match store.standing(name, &kind, own, theirs)? {
            Standing::Same => return Ok(None),
            Standing::Ahead => return Ok(Some(own)),
            Standing::Behind => {
                store.validate(name, &kind, theirs, Some(own), boards)?;
                theirs
            }
            Standing::Apart => {
                store.validate(name, &kind, theirs, None, boards)?;
                if kind.stored == "task" && store.are_unrelated(name, &kind, own, theirs)? {
                    if is_trial || renaming::make_way(context, name, &kind, own, theirs, synced)? {
                        return Ok(None);
                    }
                    ours = store.tip(name)?;
                    continue;
                }
                merged(context, name, &kind, own, theirs)?
            }
        };
        if is_trial || store.take(name, Some(&kind), Some(own), next)? == Swapped::Moved {
            let is_merge = next != theirs;
            synced.merged += usize::from(is_merge);
            synced.received += usize::from(!is_merge);
            return Ok(is_merge.then_some(next));
        }
        ours = store.tip(name)?;
    }
    Err(StoreError::Contended { name: name.to_string(), attempts: 20 }.into())
}

fn merged(context: &Context<'_>, name: &RefName, kind: &Kind, ours: Oid, theirs: Oid) -> Result<Oid, Error> {
    if !kind.merges {
        let reason = "another clone appended to it under the same name: this one is a copy, or that one is";
        return Err(StoreError::Damaged { name: name.to_string(), reason: reason.into() }.into());
    }
    Ok(context.store.merge(name, kind, ours, theirs, context.store.durability())?)
}

/// A record of a newer writer: carried as it is.
fn unknown(
    context: &Context<'_>,
    One { name, theirs, ours, seen }: One<'_>,
    is_trial: bool,
    synced: &mut Synced,
) -> Result<Option<Oid>, Error> {
    let repo = context.store.repo();
    repo.read_commit_raw(theirs, crate::model::limits::RECORD)?;
    let Some(own) = ours else {
        if is_trial || context.store.take(name, None, None, theirs)? == Swapped::Moved {
            synced.received += 1;
        }
        return Ok(None);
    };
    if own == theirs || repo.is_ancestor(theirs, own)? {
        return Ok((own != theirs && seen != Some(own)).then_some(own));
    }
    if !repo.is_ancestor(own, theirs)? {
        let reason = "it was changed here and there, and this program does not know how to join it";
        return Err(StoreError::Damaged { name: name.to_string(), reason: reason.into() }.into());
    }
    if is_trial || context.store.take(name, None, Some(own), theirs)? == Swapped::Moved {
        synced.received += 1;
    }
    Ok(None)
}

/// Two boards are not mixed by accident.
fn one_board(context: &Context<'_>, remote: &str, theirs: &BTreeMap<RefName, Oid>) -> Result<(), Error> {
    let name = crate::store::meta_ref()?;
    let (Some(&oid), Some(ours)) = (theirs.get(&name), context.store.meta()) else { return Ok(()) };
    // One that cannot be read is refused as any other record.
    let board: crate::store::Version<crate::model::board::Meta> =
        match context.store.version(&name, "meta", oid) {
            Ok(board) => board,
            Err(_) => return Ok(()),
        };
    if board.state.boards.is_disjoint(&ours.boards) {
        return Err(join::two_boards(&ours, &board.state, &escape::clipped(remote, 60)));
    }
    Ok(())
}

fn their_refs(context: &Context<'_>, remote: &str) -> Result<BTreeMap<RefName, Oid>, Error> {
    let refs = context.store.repo().remote_refs(remote, &format!("{PREFIX}*"));
    Ok(refs.map_err(|error| unreachable_remote(remote, &error.to_string()))?.into_iter().collect())
}

/// The refs below a prefix, by their names as records. Damaged ones are told
/// by whoever reads them.
fn listed(context: &Context<'_>, prefix: &str) -> Result<BTreeMap<RefName, Oid>, Error> {
    let refs = context.store.repo().list_refs(prefix)?.into_iter();
    let record = |(name, oid): (RefName, Result<Oid, _>)| {
        let rest = name.as_str().strip_prefix(prefix)?;
        Some((RefName::new(format!("{PREFIX}{rest}")).ok()?, oid.ok()?))
    };
    Ok(refs.filter_map(record).collect())
}

fn tracked(tracking: &str, name: &RefName) -> Result<RefName, Error> {
    let rest = name.as_str().strip_prefix(PREFIX).unwrap_or_default();
    Ok(RefName::new(format!("{tracking}{rest}"))?)
}

fn note<'n>(
    context: &Context<'_>,
    tracking: &str,
    seen: impl Iterator<Item = (&'n RefName, Oid)>,
) -> Result<(), Error> {
    let seen: Result<Vec<_>, Error> = seen.map(|(name, oid)| Ok((tracked(tracking, name)?, oid))).collect();
    Ok(context.store.repo().note_seen(&seen?)?)
}

fn unreachable_remote(remote: &str, why: &str) -> Error {
    // git's first line says it; what it said comes with its line ends escaped.
    let first = why.split(['\n', '\r']).next().unwrap_or_default();
    let first = first.split("\\n").next().unwrap_or_default().trim_end_matches("\\r");
    let why = escape::clipped(first, 200);
    Error::Offline {
        what: format!("the remote `{}` cannot be reached: {why}", escape::clipped(remote, 60)),
        hint: "try again when it can be; what was done here stays: git comm sync".into(),
    }
}

fn reason_of(error: &StoreError) -> String {
    match error {
        StoreError::Damaged { reason, .. } => escape::clipped(reason, 200),
        other => escape::clipped(&other.to_string(), 200),
    }
}

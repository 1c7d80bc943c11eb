//! Joining: a clone looks at its remotes first, and adopts the board that is
//! there instead of making a second one.

use super::Context;
use super::error::{Error, plural};
use crate::git::{Durability, RefName, Swap, Swapped};
use crate::model::board::Meta;
use crate::store::sharing::{Named, named};
use crate::store::{PREFIX, StoreError, Version};
use crate::text::escape;

/// Where fetched records are kept, apart from our own.
pub const TRACKING: &str = "refs/comm-node-remote/";

/// What the remotes have.
#[derive(Debug)]
pub enum Found {
    /// None of the remotes that were asked has a board.
    Nothing {
        /// Their names.
        asked: Vec<String>,
    },
    /// The board that this clone has already.
    Same,
    /// A board that was adopted just now.
    Adopted {
        /// The remote that has it.
        remote: String,
        /// How many records came over.
        records: usize,
    },
}

/// Looks at the remotes and adopts the board that one of them has.
///
/// A remote that cannot be asked is an error: it may have a board, and a
/// second one would split the work.
pub fn join(context: &Context<'_>) -> Result<Found, Error> {
    join_of(context, |_| true)
}

/// Adopts the board that this remote has, if it has one.
pub(super) fn adopt_from(context: &Context<'_>, remote: &str) -> Result<bool, Error> {
    Ok(join_of(context, |name| name == remote)?.is_adopted())
}

fn join_of(context: &Context<'_>, is_asked: impl Fn(&str) -> bool) -> Result<Found, Error> {
    context.store.require_intact()?;
    let repo = context.store.repo();
    let mut found = Found::Nothing { asked: Vec::new() };
    for remote in repo.remotes().into_iter().filter(|remote| is_asked(&remote.name)) {
        let shown = escape::clipped(&remote.name, 60);
        let refs = repo.remote_refs(&remote.name, &format!("{PREFIX}*")).map_err(|error| {
            let source = escape::clipped(&error.to_string(), 200);
            Error::Offline {
                what: format!("the remote `{shown}` cannot be asked whether it has a board: {source}"),
                hint: "try again when it can be reached; or start a board of this clone's own: git comm init --new".into(),
            }
        })?;
        if !refs.iter().any(|(name, _)| name.as_str() == "refs/comm-node/meta") {
            if let Found::Nothing { asked } = &mut found {
                asked.push(shown);
            }
            continue;
        }
        let tracking = format!("{TRACKING}{}/", remote.name);
        // What was fetched before may be of a board that is there no more.
        repo.fetch_refs(&remote.name, &[&format!("+{PREFIX}*:{tracking}*")])?;
        let theirs = their_board(context, &tracking)?;
        let name = crate::store::meta_ref()?;
        if let Named::Known(kind) = named(&name) {
            let boards: Vec<String> = theirs.state.boards.iter().cloned().collect();
            context.store.validate(&name, &kind, theirs.oid, None, &boards)?;
        }
        match context.store.meta() {
            Some(ours) if !ours.boards.is_disjoint(&theirs.state.boards) => found = Found::Same,
            Some(ours) => return Err(two_boards(&ours, &theirs.state, &shown)),
            None => {
                let boards: Vec<String> = theirs.state.boards.iter().cloned().collect();
                let records = adopt(context, &tracking, &boards)?;
                context.store.refresh()?;
                found = Found::Adopted { remote: shown, records };
            }
        }
    }
    Ok(found)
}

fn their_board(context: &Context<'_>, tracking: &str) -> Result<Version<Meta>, Error> {
    let name = RefName::new(format!("{tracking}meta"))?;
    let oid = context.store.tip(&name)?.ok_or(Error::NoBoard)?;
    let version: Version<Meta> = context.store.version(&name, "meta", oid)?;
    if version.state.format > crate::model::board::FORMAT {
        return Err(
            crate::store::StoreError::Newer { name: name.to_string(), format: version.state.format }.into()
        );
    }
    Ok(version)
}

pub(super) fn two_boards(ours: &Meta, theirs: &Meta, remote: &str) -> Error {
    let id = |meta: &Meta| meta.boards.first().cloned().unwrap_or_default();
    Error::TwoBoards { ours: id(ours), theirs: id(theirs), remote: remote.to_owned() }
}

/// Makes our refs from the fetched ones, the board last: until it is there,
/// nothing counts, and a second try goes on where the first ended.
fn adopt(context: &Context<'_>, tracking: &str, boards: &[String]) -> Result<usize, Error> {
    let repo = context.store.repo();
    let mut refs = repo.list_refs(tracking)?;
    refs.sort_by_key(|(name, _)| name.as_str().ends_with("/meta"));
    let mut records = 0;
    for (name, oid) in refs {
        let Some(rest) = name.as_str().strip_prefix(tracking) else { continue };
        let ours = RefName::new(format!("{PREFIX}{rest}"))?;
        let oid = oid?;
        let checked = match named(&ours) {
            Named::Known(kind) => context.store.validate(&ours, &kind, oid, None, boards),
            Named::Newer => Ok(()),
            Named::Invalid => {
                let reason = "no record has such a name".to_owned();
                Err(StoreError::Damaged { name: ours.to_string(), reason })
            }
        };
        // It stays where it is, and is told again by each `sync`.
        if let Err(error @ StoreError::Damaged { .. }) = checked {
            context.notice(format!("not adopted: {error}"));
            continue;
        }
        checked?;
        let swap = Swap {
            name: &ours,
            expected: None,
            next: oid,
            guards: &[],
            durability: Durability::Process,
            stamp: "",
            on_locked: None,
        };
        match repo.swap(&swap)? {
            Swapped::Moved => records += 1,
            // From an earlier try, or another process that joins as well.
            Swapped::Lost | Swapped::GuardMoved => {}
        }
    }
    Ok(records)
}

/// Looks at the remotes as [`join`] does. A clone that has its board already
/// does not need them.
pub fn look(context: &Context<'_>) -> Result<Found, Error> {
    match join(context) {
        Err(Error::Offline { what, .. }) if context.store.has_board() => {
            context.notice(what);
            Ok(Found::Same)
        }
        other => other,
    }
}

impl Found {
    /// Whether a board was adopted.
    pub fn is_adopted(&self) -> bool {
        matches!(self, Self::Adopted { .. })
    }

    /// What there is to say of it to a clone whose board was `made` just now,
    /// or was there.
    pub fn told(&self, made: bool) -> Option<String> {
        match self {
            Self::Adopted { remote, records } => {
                Some(format!("adopted the board of `{remote}`: {}", plural(*records, "record")))
            }
            Self::Nothing { asked } if made && !asked.is_empty() => {
                let have = if asked.len() == 1 { "has" } else { "have" };
                let who = asked.join(", ");
                Some(format!("{who} {have} no board; if another clone has it, push it from there first"))
            }
            Self::Nothing { .. } | Self::Same => None,
        }
    }
}

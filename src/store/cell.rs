//! Changing a record by compare-and-swap.

use std::time::Duration;

use serde_json::Value;

use super::codec::{self, Draft};
use super::unknown::Unknown;
use super::{Author, Cell, Head, Store, StoreError, Version, Watched, control_ref, meta_ref};
use crate::git::{Durability, GitError, Guard, Oid, Outcome, RefName, Swap, Swapped};
use crate::model::stamp::Stamp;

/// Tries before a caller is told to come back. Each lost try means that
/// another writer won, so this many writers can meet without harm.
const ATTEMPTS: u32 = 100;

/// What a rule made of the version that it was shown.
pub enum Decision<S, T> {
    /// Nothing is to be written.
    Keep(T),
    /// A new version.
    Write {
        /// What happened.
        event: Value,
        /// The record after it.
        state: S,
        /// The sentence for people.
        summary: String,
        /// Other refs that the rule looked at: the swap fails if one moved.
        guards: Vec<Watched>,
        /// What the caller wants to know.
        result: T,
    },
}

/// A request that must not be carried out twice. Both run under the
/// store-wide lock.
pub(super) struct Once<'a> {
    /// Whether it was carried out already.
    pub(super) is_used: &'a dyn Fn() -> bool,
    /// Notes that it is being carried out by the version with this stamp.
    pub(super) note: &'a dyn Fn(&Stamp) -> Result<(), GitError>,
}

/// What came of it.
#[derive(Debug)]
pub struct Updated<S, T> {
    /// The newest version; none if there is none and nothing was written.
    pub version: Option<Version<S>>,
    /// Whether this call wrote it.
    pub written: bool,
    /// What the rule said.
    pub result: T,
}

impl Store<'_> {
    /// Applies `decide` to the newest version of a record and publishes the
    /// result.
    ///
    /// `decide` runs again after each lost race, so it must only depend on
    /// what it is given and on what it names as guards. The stamp that it is
    /// given is the one that the version will carry.
    pub fn update<S: Cell, T, E: From<StoreError>>(
        &self,
        id: &str,
        author: &Author,
        durability: Durability,
        decide: impl FnMut(Option<&Version<S>>, &Stamp) -> Result<Decision<S, T>, E>,
    ) -> Result<Updated<S, T>, E> {
        self.update_once(id, author, durability, None, decide)
    }

    /// As [`Store::update`], with a key that lets the same request through
    /// only once: the write fails its guard when `once` was used meanwhile,
    /// and `decide` runs again.
    pub(super) fn update_once<S: Cell, T, E: From<StoreError>>(
        &self,
        id: &str,
        author: &Author,
        durability: Durability,
        once: Option<&Once<'_>>,
        mut decide: impl FnMut(Option<&Version<S>>, &Stamp) -> Result<Decision<S, T>, E>,
    ) -> Result<Updated<S, T>, E> {
        let name = S::ref_name(id).map_err(StoreError::from)?;
        self.require_intact()?;
        for attempt in 0..ATTEMPTS {
            let (before, unknown) = self.read_to_change::<S>(&name, id)?;
            let stamp = self.stamp(author, before.as_ref().map(|v| v.head.at))?;
            let (event, state, summary, guards, result) = match decide(before.as_ref(), &stamp)? {
                Decision::Keep(result) => return Ok(Updated { version: before, written: false, result }),
                Decision::Write { event, state, summary, guards, result } => {
                    (event, state, summary, guards, result)
                }
            };
            let seq = before.as_ref().map_or(1, |v| v.head.seq.saturating_add(1));
            let expected = before.map(|v| v.oid);
            let board = self.board_id();
            let draft = Draft {
                name: &name,
                kind: S::KIND,
                id,
                board: &board,
                seq,
                stamp: &stamp,
                parent: expected,
                summary: &summary,
                event: &event,
            };
            let oid = match unknown.and_then(|unknown| unknown.keep_in(&state)) {
                None => codec::write(&self.repo, &draft, &state, durability)?,
                Some(state) => codec::write(&self.repo, &draft, &state, durability)?,
            };
            match self.publish(&name, (expected, oid), &guards, &stamp, once, durability)? {
                Swapped::Moved => {
                    let head = Head {
                        board,
                        seq,
                        nonce: stamp.nonce,
                        at: stamp.at,
                        clone: stamp.clone,
                        agent: Some(stamp.agent),
                        session: stamp.session,
                        event,
                    };
                    self.tidy_sometimes(&oid);
                    let parents = expected.into_iter().collect();
                    let version = Version { oid, parents, head, state };
                    return Ok(Updated { version: Some(version), written: true, result });
                }
                Swapped::Lost => tracing::debug!(%name, attempt, "lost the race"),
                Swapped::GuardMoved => {
                    tracing::debug!(%name, attempt, "a guard moved");
                    self.refresh()?;
                }
            }
            self.env.sleep_jittered(Duration::from_micros(200 * u64::from(attempt.min(50))));
        }
        Err(StoreError::Contended { name: name.to_string(), attempts: ATTEMPTS }.into())
    }

    /// The newest version of a record, and what its state holds beyond what
    /// its type does.
    fn read_to_change<S: Cell>(
        &self,
        name: &RefName,
        id: &str,
    ) -> Result<(Option<Version<S>>, Option<Unknown>), StoreError> {
        let Some(oid) = self.repo.read_ref(name)? else { return Ok((None, None)) };
        let source = codec::Source { repo: &self.repo, name, kind: S::KIND, id };
        let (version, stored): (Version<S>, String) = source.read_with(oid, str::to_owned)?;
        let unknown = Unknown::of(&stored, &version.state);
        Ok((Some(version), unknown))
    }

    /// Clears what earlier writes left beside the store: about once in a
    /// hundred writes, so that no single one pays for it each time.
    fn tidy_sometimes(&self, written: &Oid) {
        // An object id is as good a die as any.
        if written.as_bytes().first().is_none_or(|&byte| byte > 2) {
            return;
        }
        self.repo.run_maintenance_keep();
        self.sweep_keys();
        for pending in self.repo.pending() {
            match self.repo.resolve(&pending.name, pending.expected, pending.next) {
                Ok(Outcome::Applied | Outcome::NotApplied) => self.repo.settle_pending(pending.next),
                Ok(Outcome::Undecided) => {}
                Err(error) => tracing::debug!(%error, "pending note not resolved"),
            }
        }
    }

    /// The durability that was configured, for what people rely on.
    pub fn durability(&self) -> Durability {
        self.durability
    }

    /// Marks for a new version that follows one written at `parent`.
    fn stamp(
        &self,
        author: &Author,
        parent: Option<crate::text::time::Timestamp>,
    ) -> Result<Stamp, StoreError> {
        Ok(codec::stamp(author, &self.clone, self.tick(parent), self.nonce()?))
    }

    /// Id of the board that versions are written on; empty while the version
    /// that makes the board is itself being written.
    fn board_id(&self) -> String {
        let snapshot = self.snapshot.borrow();
        snapshot.meta.as_ref().and_then(|m| m.state.boards.first().cloned()).unwrap_or_default()
    }

    /// Swaps the ref, with format and the person's acts among the guards.
    fn publish(
        &self,
        name: &RefName,
        (expected, next): (Option<Oid>, Oid),
        guards: &[Watched],
        stamp: &Stamp,
        once: Option<&Once<'_>>,
        durability: Durability,
    ) -> Result<Swapped, StoreError> {
        let _span = tracing::info_span!("swap", %name).entered();
        // It may have been read again since the write began.
        self.require_intact()?;
        let (meta, control) = (meta_ref()?, control_ref()?);
        let snapshot = self.snapshot.borrow();
        let own = [(&meta, snapshot.meta.as_ref().map(|m| m.oid)), (&control, snapshot.control_oid)];
        let mut guards: Vec<Guard<'_>> = own
            .into_iter()
            .chain(guards.iter().map(|(name, oid)| (name, *oid)))
            .filter(|(guard, _)| *guard != name)
            .map(|(name, expected)| Guard::Ref { name, expected })
            .collect();
        let is_unused = || Ok(once.is_none_or(|once| !(once.is_used)()));
        let note = || once.map_or(Ok(()), |once| (once.note)(stamp));
        if once.is_some() {
            guards.push(Guard::Check(&is_unused));
        }
        let at = self.noted(stamp.at).to_string();
        let on_locked = once.is_some().then_some(&note as &dyn Fn() -> Result<(), GitError>);
        let swap = Swap { name, expected, next, guards: &guards, durability, stamp: &at, on_locked };
        Ok(self.repo.swap(&swap)?)
    }
}

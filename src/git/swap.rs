//! Compare and swap of one ref.

use super::{Backend, Durability, GitError, Oid, RefName, Repo};

/// Something that must hold at the instant of the swap and is not written by it.
pub enum Guard<'a> {
    /// Another ref is still where it was read.
    Ref {
        /// The ref.
        name: &'a RefName,
        /// What it must name; `None`: it must not exist.
        expected: Option<Oid>,
    },
    /// Any other condition, evaluated under the store-wide lock.
    Check(&'a dyn Fn() -> Result<bool, GitError>),
}

/// One attempt to move a ref.
pub struct Swap<'a> {
    /// The ref.
    pub name: &'a RefName,
    /// What it must name; `None`: it must not exist.
    pub expected: Option<Oid>,
    /// What it shall name. The object must exist.
    pub next: Oid,
    /// What must hold besides.
    pub guards: &'a [Guard<'a>],
    /// What the answer must survive.
    pub durability: Durability,
    /// The writer's logical clock, at most 32 printable ASCII characters
    /// whose order is that of the clock; see [`Repo::newest_stamp`].
    pub stamp: &'a str,
    /// Run under the lock after all checks, just before the ref moves; its
    /// error calls the swap off.
    pub on_locked: Option<&'a dyn Fn() -> Result<(), GitError>>,
}

/// How an attempt ended. The last two mean "read again".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Swapped {
    /// The ref names `next`.
    Moved,
    /// The ref was not at `expected`.
    Lost,
    /// A guard did not hold.
    GuardMoved,
}

impl Repo {
    /// Points a ref at `next` only if it is still where the caller read it
    /// and all guards hold.
    ///
    /// Waits, within bounds, for others that hold the store's or the ref's
    /// lock.
    pub fn swap(&self, swap: &Swap<'_>) -> Result<Swapped, GitError> {
        match self.backend {
            Backend::Files => self.swap_file(swap),
            Backend::UpdateRef => self.swap_by_git(swap),
        }
    }

    /// Compares the ref and its guards with what is stored now; `None` if
    /// the ref may move. The caller holds the locks.
    pub(super) fn judge(&self, swap: &Swap<'_>) -> Result<Option<Swapped>, GitError> {
        // Every loose file before packed-refs: a guard's ref, which is not
        // locked, may be packed in between.
        let refs = swap.guards.iter().filter_map(|guard| match guard {
            Guard::Ref { name, expected } => Some((*name, *expected, Swapped::GuardMoved)),
            Guard::Check(_) => None,
        });
        let mut packed = Vec::new();
        for (name, expected, otherwise) in
            std::iter::once((swap.name, swap.expected, Swapped::Lost)).chain(refs)
        {
            match self.read_loose_ref(name)? {
                Some(oid) if Some(oid) == expected => {}
                Some(_) => return Ok(Some(otherwise)),
                None => packed.push((name, expected, otherwise)),
            }
        }
        if !packed.is_empty() {
            let file = self.open_packed()?;
            if let (Some(file), None) = (&file, swap.expected)
                && let Some(other) = file.conflict(swap.name)?
            {
                return Err(GitError::NameConflict { name: swap.name.clone(), other });
            }
            for (name, expected, otherwise) in packed {
                let found = match &file {
                    Some(file) => file.find(name)?,
                    None => None,
                };
                if found != expected {
                    return Ok(Some(otherwise));
                }
            }
        }
        self.judge_checks(swap)
    }

    pub(super) fn judge_checks(&self, swap: &Swap<'_>) -> Result<Option<Swapped>, GitError> {
        for guard in swap.guards {
            if let Guard::Check(check) = guard
                && !check()?
            {
                return Ok(Some(Swapped::GuardMoved));
            }
        }
        Ok(None)
    }

    /// A ref must never name what does not exist: that is corruption, while
    /// an object that no ref names is merely garbage.
    pub(super) fn require_object(&self, swap: &Swap<'_>) -> Result<(), GitError> {
        if self.has_object(swap.next)? {
            return Ok(());
        }
        Err(GitError::Missing { oid: swap.next, name: Some(swap.name.clone()) })
    }

    /// Whether `tip` is `oid` or descends from it within `steps` commits.
    pub(super) fn reaches(&self, tip: Oid, oid: Oid, steps: usize) -> Result<bool, GitError> {
        let mut seen = std::collections::HashSet::new();
        let mut queue = std::collections::VecDeque::from([tip]);
        while let Some(at) = queue.pop_front() {
            if at == oid {
                return Ok(true);
            }
            if seen.len() >= steps || !seen.insert(at) {
                continue;
            }
            queue.extend(self.with_commit(at, MAX_WALKED, |commit| commit.parents)?);
        }
        Ok(false)
    }
}

/// Commits met while looking for an ancestor are not larger.
const MAX_WALKED: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::{Fixture, name, swap};
    use crate::git::{GitErrorClass, Outcome};

    fn backends() -> [Fixture; 4] {
        [
            Fixture::new(),
            Fixture::init(&["--object-format=sha256"]),
            Fixture::init(&["--ref-format=reftable"]),
            Fixture::init(&["--ref-format=reftable", "--object-format=sha256"]),
        ]
    }

    #[test]
    fn a_ref_is_created_moved_and_lost() {
        for fixture in backends() {
            let repo = fixture.open();
            let task = name("tasks/bd-1");
            assert_eq!(repo.read_ref(&task).unwrap(), None);
            let one = repo.some_commit("one", &[]);
            let two = repo.some_commit("two", &[one]);
            assert_eq!(repo.move_ref(&task, Some(one), two), Swapped::Lost);
            assert_eq!(repo.move_ref(&task, None, one), Swapped::Moved);
            assert_eq!(repo.move_ref(&task, None, two), Swapped::Lost);
            assert_eq!(repo.move_ref(&task, Some(one), two), Swapped::Moved);
            assert_eq!(repo.move_ref(&task, Some(one), two), Swapped::Lost);
            assert_eq!(repo.read_ref(&task).unwrap(), Some(two));
            assert_eq!(fixture.git(&["rev-parse", task.as_str()]), two.to_string());
            fixture.git(&["fsck", "--strict"]);
            fixture.git(&["pack-refs", "--all", "--prune"]);
            assert_eq!(repo.read_ref(&task).unwrap(), Some(two));
            assert_eq!(repo.move_ref(&task, None, one), Swapped::Lost);
            let three = repo.some_commit("three", &[two]);
            assert_eq!(repo.move_ref(&task, Some(two), three), Swapped::Moved);
            assert_eq!(repo.resolve(&task, Some(one), two).unwrap(), Outcome::Applied);
            assert_eq!(
                repo.resolve(&task, None, repo.some_commit("other", &[])).unwrap(),
                Outcome::NotApplied
            );
            let four = repo.some_commit("four", &[three]);
            assert_eq!(repo.resolve(&task, Some(three), four).unwrap(), Outcome::Undecided);
            assert_eq!(repo.pending(), []);
        }
    }

    #[test]
    fn a_guard_that_moved_stops_the_swap() {
        for fixture in backends() {
            let repo = fixture.open();
            let (task, control) = (name("tasks/bd-1"), name("control"));
            let one = repo.some_commit("one", &[]);
            let two = repo.some_commit("two", &[]);
            let with =
                |guards: &[Guard<'_>], next| repo.swap(&Swap { guards, ..swap(&task, None, next) }).unwrap();
            assert_eq!(with(&[Guard::Ref { name: &control, expected: Some(one) }], two), Swapped::GuardMoved);
            assert_eq!(repo.move_ref(&control, None, one), Swapped::Moved);
            assert_eq!(with(&[Guard::Ref { name: &control, expected: None }], two), Swapped::GuardMoved);
            assert_eq!(with(&[Guard::Ref { name: &control, expected: Some(two) }], two), Swapped::GuardMoved);
            assert_eq!(with(&[Guard::Check(&|| Ok(false))], two), Swapped::GuardMoved);
            assert_eq!(repo.read_ref(&task).unwrap(), None);
            fixture.git(&["pack-refs", "--all", "--prune"]);
            let guards = [Guard::Ref { name: &control, expected: Some(one) }, Guard::Check(&|| Ok(true))];
            assert_eq!(with(&guards, two), Swapped::Moved);
        }
    }

    #[test]
    fn a_missing_object_is_never_published() {
        for fixture in backends() {
            let repo = fixture.open();
            let task = name("tasks/bd-1");
            let oid = repo.parse_oid(&"ab".repeat(repo.oid_hex_len() / 2)).unwrap();
            let err = repo.swap(&swap(&task, None, oid)).unwrap_err();
            assert_eq!(err.class(), GitErrorClass::Damaged, "{err}");
            assert_eq!(repo.read_ref(&task).unwrap(), None);
        }
    }

    #[test]
    fn what_runs_under_the_lock_can_call_it_off() {
        for fixture in backends() {
            let repo = fixture.open();
            let task = name("tasks/bd-1");
            let one = repo.some_commit("one", &[]);
            let refuse = || Err(GitError::NoGit);
            let off = Swap { on_locked: Some(&refuse), ..swap(&task, None, one) };
            assert!(matches!(repo.swap(&off), Err(GitError::NoGit)));
            assert_eq!(repo.read_ref(&task).unwrap(), None);
            let accept = || Ok(());
            let on =
                Swap { on_locked: Some(&accept), durability: Durability::Power, ..swap(&task, None, one) };
            assert_eq!(repo.swap(&on).unwrap(), Swapped::Moved);
        }
    }

    #[test]
    fn the_newest_stamp_only_grows() {
        let fixture = Fixture::new();
        let repo = fixture.open();
        assert_eq!(repo.newest_stamp(), None);
        let mut last = None;
        for (stamp, newest) in [("0002", "0002"), ("0001", "0002"), ("0003", "0003"), ("x y", "0003")] {
            let next = repo.some_commit(stamp, &[]);
            let task = name("tasks/bd-1");
            assert_eq!(repo.swap(&Swap { stamp, ..swap(&task, last, next) }).unwrap(), Swapped::Moved);
            assert_eq!(repo.newest_stamp().as_deref(), Some(newest));
            last = Some(next);
        }
    }

    /// Writers that each hold a handle of their own create the same ref.
    fn race(fixture: &Fixture, rounds: usize) {
        for round in 0..rounds {
            let task = name(&format!("tasks/bd-{round}"));
            let winners: usize = std::thread::scope(|scope| {
                let racers: Vec<_> = (0..8)
                    .map(|racer| {
                        let task = &task;
                        scope.spawn(move || {
                            let repo = fixture.open();
                            let next = repo.some_commit(&format!("{round} {racer}"), &[]);
                            usize::from(repo.move_ref(task, None, next) == Swapped::Moved)
                        })
                    })
                    .collect();
                racers.into_iter().map(|racer| racer.join().unwrap()).sum()
            });
            assert_eq!(winners, 1, "round {round}");
        }
    }

    #[test]
    fn one_of_eight_wins_each_round() {
        race(&Fixture::new(), 50);
    }

    #[test]
    fn one_of_eight_wins_each_round_in_reftable() {
        race(&Fixture::init(&["--ref-format=reftable"]), 12);
    }

    #[test]
    fn one_of_eight_wins_while_git_packs_and_prunes() {
        let fixture = Fixture::new();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    fixture.try_git(&["pack-refs", "--all", "--prune"]);
                }
            });
            race(&fixture, 50);
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        let repo = fixture.open();
        assert_eq!(repo.list_refs("refs/comm-node/tasks/").unwrap().len(), 50);
        fixture.git(&["fsck", "--strict"]);
    }
}

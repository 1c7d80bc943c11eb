//! The surroundings: git, the repository's storage, locks, clocks, remotes.

use std::time::Duration;

use super::Check;
use crate::env::Env;
use crate::git::{self, Backend};
use crate::ops::Context;
use crate::ops::error::{Error, plural};
use crate::text::escape;
use crate::text::time::{Span, Timestamp};

/// The oldest git that this program works with.
const OLDEST: (u32, u32, u32) = (2, 39, 0);

pub(super) fn git(env: &Env) -> Check {
    match git::git_version(env) {
        Err(error) => Check::red("git", error.to_string(), "install git 2.39 or newer, and have it on PATH"),
        Ok(version) => {
            let text = format!("{}.{}.{}", version.0, version.1, version.2);
            if version < OLDEST {
                Check::red("git", format!("{text} is older than 2.39"), "install git 2.39 or newer")
            } else {
                Check::green("git", text)
            }
        }
    }
}

pub(super) fn repository(context: &Context<'_>) -> Check {
    let repo = context.store.repo();
    let kind = match repo.work_tree() {
        None => "bare",
        Some(_) if repo.git_dir() != repo.common_dir() => "linked worktree",
        Some(_) => "worktree",
    };
    let storage = match repo.backend() {
        Backend::Files => "refs in files",
        Backend::UpdateRef => "refs by git (reftable or an extension)",
    };
    let hash = if repo.oid_hex_len() == 64 { "SHA-256" } else { "SHA-1" };
    let place = escape::bytes(repo.common_dir().to_string_lossy().as_bytes());
    Check::green("repository", format!("{kind} of {place}, {storage}, {hash}"))
}

pub(super) fn writable(context: &Context<'_>) -> Check {
    match context.store.repo().probe_writable() {
        Ok(()) => Check::green("writable", "records can be written"),
        Err(error) => Check::of_error("writable", &Error::from(error)),
    }
}

/// A lock younger than this may belong to somebody at work.
const STALE: Duration = Duration::from_secs(10);

pub(super) fn locks(context: &Context<'_>, fix: bool) -> Check {
    let repo = context.store.repo();
    let mut locks = match repo.record_locks() {
        Ok(locks) => locks,
        Err(error) => return Check::of_error("locks", &Error::from(error)),
    };
    locks.retain(|lock| lock.age >= STALE);
    let pending = repo.pending().len();
    let Some(oldest) = locks.first() else {
        return match pending {
            0 => Check::green("locks", "none left behind"),
            n => Check::yellow(
                "locks",
                format!("{} not settled", plural(n, "write")),
                "they settle with the next writes",
            ),
        };
    };
    let path = escape::bytes(oldest.path.to_string_lossy().as_bytes());
    let what =
        format!("{} left behind, the oldest {} ago: {path}", plural(locks.len(), "lock"), Span(oldest.age));
    if fix {
        let failed = locks.iter().filter(|lock| repo.clear_lock(lock).is_err()).count();
        if failed == 0 {
            return Check { fixed: true, ..Check::green("locks", what) };
        }
    }
    Check::red("locks", what, "git comm doctor --fix")
}

/// Farther apart than this, two clocks disagree.
const APART: Duration = Duration::from_secs(10);
/// Farther ahead than this, records are from a wrong clock.
const AHEAD: Duration = Duration::from_secs(86_400);

pub(super) fn clock(context: &Context<'_>) -> Check {
    let store = &context.store;
    let now = store.env().now();
    let newest = store.repo().newest_stamp().and_then(|text| text.parse::<Timestamp>().ok());
    if let Some(newest) = newest.filter(|newest| newest.since(now) > AHEAD) {
        let what = format!("records were written at {}, far ahead of this clock", newest.to_second());
        return Check::red("clock", what, "set the clock; leases still expire by the boot clock");
    }
    match store.repo().clock_offset() {
        Ok(offset) if Duration::from_micros(offset.unsigned_abs()) > APART => {
            let apart = Span(Duration::from_micros(offset.unsigned_abs()));
            Check::yellow(
                "clock",
                format!("the file system's clock is {apart} off"),
                "set both clocks by NTP",
            )
        }
        Err(error) => Check::of_error("clock", &Error::from(error)),
        Ok(_) if store.boot_stamp().is_none() => Check::yellow(
            "clock",
            "no clock that runs from boot; leases end by the wall clock and are watched first",
            "nothing to do on this platform",
        ),
        Ok(_) => Check::green("clock", "wall and boot clock"),
    }
}

pub(super) fn remotes(context: &Context<'_>, fix: bool) -> Vec<Check> {
    let repo = context.store.repo();
    let mut checks = Vec::new();
    for remote in repo.remotes() {
        let name = escape::clipped(&remote.name, 60);
        if remote.overwrites_records() {
            let what = format!("a fetch from `{name}` would overwrite the records with that remote's");
            if fix && repo.spare_records(&remote).is_ok() {
                checks.push(Check { fixed: true, ..Check::green("remotes", what) });
            } else {
                checks.push(Check::red("remotes", what, "git comm doctor --fix"));
            }
        }
        if remote.mirror {
            let what = format!("a push to `{name}` mirrors everything, records included, and deletes there");
            checks.push(Check::red("remotes", what, format!("git config --unset remote.{name}.mirror")));
        }
    }
    if checks.is_empty() {
        checks.push(Check::green("remotes", "none maps refs onto the records"));
    }
    checks
}

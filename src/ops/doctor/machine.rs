//! The surroundings: git, the repository's storage, locks, clocks, remotes.

use std::time::Duration;

use super::{Check, FIX, shown, typed};
use crate::env::Env;
use crate::git::{self, Backend, Repo};
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

pub(super) fn repository(repo: &Repo) -> Check {
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
    let place = shown(repo.common_dir());
    Check::green("repository", format!("{kind} of {place}, {storage}, {hash}"))
}

pub(super) fn writable(repo: &Repo) -> Check {
    match repo.probe_writable() {
        Ok(()) => Check::green("writable", "records can be written"),
        Err(error) => Check::of_error("writable", &Error::from(error)),
    }
}

/// A lock younger than this may belong to somebody at work.
const STALE: Duration = Duration::from_secs(10);

/// Locks of records that were left, and those of git that stop everybody.
pub(super) fn locks(repo: &Repo, fix: bool) -> Vec<Check> {
    let mut faults: Vec<Check> = of_git(repo).into_iter().collect();
    match repo.record_locks() {
        Err(error) => faults.push(Check::of_error("locks", &Error::from(error))),
        Ok(mut locks) => {
            locks.retain(|lock| lock.age >= STALE);
            if let Some(oldest) = locks.first() {
                let count = plural(locks.len(), "lock");
                let what =
                    format!("{count} left behind, the oldest {}: {}", ago(oldest.age), shown(&oldest.path));
                let is_fixed = fix && locks.iter().all(|lock| repo.clear_lock(lock).is_ok());
                faults.push(Check::red("locks", what, FIX).fixed_if(is_fixed));
            }
        }
    }
    super::or_fine("locks", faults, "none left behind")
}

/// git removes its locks itself, unless it was killed. It may be at work
/// after all, so that taking them away is for a person.
fn of_git(repo: &Repo) -> Option<Check> {
    let locks = repo.old_git_locks();
    let (oldest, age) = locks.iter().max_by_key(|(_, age)| *age)?;
    let what = format!("git left {} or is still at work: {}", ago(*age), shown(oldest));
    let all: Vec<String> = locks.iter().map(|(path, _)| typed(&shown(path))).collect();
    Some(Check::red("locks", what, format!("if no git runs here: rm {}", all.join(" "))))
}

fn ago(age: Duration) -> String {
    format!("{} ago", Span(age))
}

/// Farther apart than this, two clocks disagree.
const APART: Duration = Duration::from_secs(10);
/// Farther ahead than this, records are from a wrong clock.
const AHEAD: Duration = Duration::from_secs(86_400);

/// Whether times can be compared. Where nothing can be written, the file
/// system's clock cannot be asked.
pub(super) fn clock(repo: &Repo, env: &Env, is_writable: bool) -> Check {
    let now = env.now();
    let newest = repo.newest_stamp().and_then(|text| text.parse::<Timestamp>().ok());
    if let Some(newest) = newest.filter(|newest| newest.since(now) > AHEAD) {
        let what = format!("records were written at {}, far ahead of this clock", newest.to_second());
        return Check::red("clock", what, "set the clock; leases still expire by the boot clock");
    }
    match repo.clock_offset() {
        Ok(offset) if Duration::from_micros(offset.unsigned_abs()) > APART => {
            let apart = Span(Duration::from_micros(offset.unsigned_abs()));
            Check::yellow(
                "clock",
                format!("the file system's clock is {apart} off"),
                "set both clocks by NTP",
            )
        }
        Err(error) if is_writable => Check::of_error("clock", &Error::from(error)),
        _ if env.boot_time().is_none() => Check::yellow(
            "clock",
            "no clock that runs from boot; leases end by the wall clock and are watched first",
            "nothing to do on this platform",
        ),
        Err(_) => Check::green("clock", "wall and boot clock; the file system's could not be asked"),
        Ok(_) => Check::green("clock", "wall and boot clock"),
    }
}

/// Whether a fetch or push of this clone would destroy records.
pub(super) fn remotes(repo: &Repo, fix: bool) -> Vec<Check> {
    let mut faults = Vec::new();
    for remote in repo.remotes() {
        let name = escape::clipped(&remote.name, 60);
        if remote.overwrites_records() {
            let what = format!("a fetch from `{name}` would overwrite the records with that remote's");
            let is_fixed = fix && repo.spare_records(&remote).is_ok();
            faults.push(Check::red("remotes", what, FIX).fixed_if(is_fixed));
        }
        if remote.mirror {
            let what = format!("a push to `{name}` mirrors everything, records included, and deletes there");
            faults.push(Check::red(
                "remotes",
                what,
                format!("git config --unset {}", typed(&format!("remote.{name}.mirror"))),
            ));
        }
    }
    super::or_fine("remotes", faults, "none maps refs onto the records")
}

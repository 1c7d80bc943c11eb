//! Whether a lease still runs.
//!
//! Liveness is advice: it says when somebody else may take over. What
//! excludes a superseded holder is the fence, whatever the clocks say.
//!
//! On the machine, boot and repository that granted it, a lease is measured
//! on the boot clock alone, which no one can set. Anywhere else the wall
//! clock must have passed the end by [`SKEW`], *and* the holder must have
//! been seen unchanged for a whole lease on the observer's own boot clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::stamp::{BootStamp, Fence};
use super::task::{Claim, Phase};
use crate::text::time::Timestamp;

/// How far two machines' wall clocks may be apart.
pub const SKEW: Duration = Duration::from_secs(30);

/// Who looks, and when.
#[derive(Clone, Debug)]
pub struct Observer {
    /// Wall clock.
    pub now: Timestamp,
    /// Boot clock, where there is one.
    pub boot: Option<BootStamp>,
    /// The clone that looks.
    pub clone: String,
}

/// The last sign of life of the session that holds a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Wall clock.
    pub at: Timestamp,
    /// The clone that it was written in.
    pub clone: String,
    /// Boot clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<BootStamp>,
}

/// When an observer first saw a claim in the condition that it is in. Only
/// the fence and the holding session's heartbeat make a condition: a comment
/// or another session's heartbeat is no sign of this holder's life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    /// Fence of the claim.
    pub fence: Fence,
    /// End of the lease as stored, which a renewal moves.
    pub expires_at: Timestamp,
    /// Heartbeat of the holding session.
    pub heartbeat: Option<Heartbeat>,
    /// The observer's boot clock then.
    pub boot: Option<BootStamp>,
    /// The observer's wall clock then.
    pub at: Timestamp,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// It runs; `until` is its end on the observer's wall clock.
    Live {
        /// When it ends, unless renewed.
        until: Timestamp,
    },
    /// Its end has passed, but the holder was not watched for long enough.
    Watched {
        /// When it may be taken, if the holder stays silent.
        until: Timestamp,
    },
    /// It has run out.
    Expired,
}

impl Lease {
    /// When it ends, unless renewed or kept by heartbeats; none if it has.
    pub fn until(self) -> Option<Timestamp> {
        match self {
            Self::Live { until } | Self::Watched { until } => Some(until),
            Self::Expired => None,
        }
    }

    /// Whether the task may be taken over.
    pub fn is_expired(self) -> bool {
        self == Self::Expired
    }
}

/// Judges the claim of `phase` for `observer`, who first saw it as `sight`
/// says, given the last heartbeat of the session that holds it.
pub fn judge(
    claim: &Claim,
    heartbeat: Option<&Heartbeat>,
    sight: Option<&Sight>,
    observer: &Observer,
) -> Lease {
    let ttl = claim.ttl();
    if let Some(boot) = &observer.boot {
        let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        let here = |clone: &str, stamp: Option<&BootStamp>| {
            stamp.filter(|s| s.id == boot.id && clone == observer.clone).map(|s| s.ms)
        };
        let granted = here(&claim.clone, claim.boot.as_ref());
        let beaten =
            heartbeat.and_then(|h| here(&h.clone, h.boot.as_ref())).map(|ms| ms.saturating_add(ttl_ms));
        if let Some(end) = granted.max(beaten) {
            return match end.checked_sub(boot.ms) {
                None | Some(0) => Lease::Expired,
                Some(left) => Lease::Live { until: observer.now.plus(Duration::from_millis(left)) },
            };
        }
    }
    let end = heartbeat.map_or(claim.expires_at, |h| claim.expires_at.max(h.at.plus(ttl)));
    let end = end.plus(SKEW);
    if observer.now < end {
        return Lease::Live { until: end };
    }
    let watched = sight.map_or(Duration::ZERO, |s| watched_for(s, observer));
    match ttl.checked_sub(watched) {
        None | Some(Duration::ZERO) => Lease::Expired,
        Some(left) => Lease::Watched { until: observer.now.plus(left) },
    }
}

/// How long the observer has watched since `sight`: on the boot clock, or on
/// the wall clock where there is no boot clock. A reboot starts over.
fn watched_for(sight: &Sight, observer: &Observer) -> Duration {
    match (&sight.boot, &observer.boot) {
        (Some(then), Some(now)) if then.id == now.id => Duration::from_millis(now.ms.saturating_sub(then.ms)),
        (None, None) => observer.now.since(sight.at),
        _ => Duration::ZERO,
    }
}

/// The sight to remember: the old one while the condition is unchanged, else
/// a new one that starts now.
pub fn look(
    phase: &Phase,
    claim: &Claim,
    heartbeat: Option<&Heartbeat>,
    before: Option<Sight>,
    observer: &Observer,
) -> Sight {
    if let Some(sight) = before {
        let same_boot = sight.boot.as_ref().map(|b| &b.id) == observer.boot.as_ref().map(|b| &b.id);
        if same_boot
            && sight.fence == phase.fence
            && sight.expires_at == claim.expires_at
            && sight.heartbeat.as_ref() == heartbeat
        {
            return sight;
        }
    }
    Sight {
        fence: phase.fence.clone(),
        expires_at: claim.expires_at,
        heartbeat: heartbeat.cloned(),
        boot: observer.boot.clone(),
        at: observer.now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Map;

    const HOUR: u64 = 3_600_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn boot(id: &str, ms: u64) -> Option<BootStamp> {
        Some(BootStamp { id: id.into(), ms })
    }

    /// Granted at wall 0 and boot 1 h, for 60 s, in clone `c`, boot `b`.
    fn claim() -> Claim {
        Claim {
            agent: "ada".parse().unwrap(),
            session: "s".into(),
            clone: "c".into(),
            granted_at: at(0),
            ttl: 60,
            expires_at: at(60),
            boot: boot("b", HOUR + 60_000),
            domain: None,
            extra: Map::new(),
        }
    }

    #[track_caller]
    fn check(clone: &str, boot: Option<BootStamp>, now: i64, heartbeat: Option<Heartbeat>, expected: Lease) {
        let observer = Observer { now: at(now), boot, clone: clone.into() };
        assert_eq!(judge(&claim(), heartbeat.as_ref(), None, &observer), expected);
    }

    #[test]
    fn on_the_granting_boot_only_the_boot_clock_counts() {
        let live = |now: i64, left: i64| Lease::Live { until: at(now + left) };
        check("c", boot("b", HOUR + 10_000), 10, None, live(10, 50));
        // The wall clock an hour fast or slow changes nothing.
        check("c", boot("b", HOUR + 10_000), 3_610, None, live(3_610, 50));
        check("c", boot("b", HOUR + 60_000), -3_600, None, Lease::Expired);
    }

    #[test]
    fn a_heartbeat_of_the_session_extends_the_lease_by_a_ttl() {
        let beat = Heartbeat { at: at(50), clone: "c".into(), boot: boot("b", HOUR + 50_000) };
        check("c", boot("b", HOUR + 70_000), 70, Some(beat.clone()), Lease::Live { until: at(110) });
        check("c", boot("b", HOUR + 110_000), 110, Some(beat), Lease::Expired);
    }

    #[test]
    fn elsewhere_the_end_must_pass_by_the_skew_and_the_holder_be_watched_for_a_ttl() {
        check("d", boot("b", HOUR + 70_000), 70, None, Lease::Live { until: at(90) });
        check("c", boot("other", 5), 91, None, Lease::Watched { until: at(151) });
        let observer = |ms, now| Observer { now: at(now), boot: boot("other", ms), clone: "c".into() };
        let phase = Phase::default();
        let sight = look(&phase, &claim(), None, None, &observer(1_000, 91));
        let judged = |ms, now| judge(&claim(), None, Some(&sight), &observer(ms, now));
        assert_eq!(judged(31_000, 121), Lease::Watched { until: at(151) });
        assert_eq!(judged(61_000, 151), Lease::Expired);
        // A wall clock set forward a year does not shorten the watch.
        assert_eq!(judged(2_000, 31_536_000), Lease::Watched { until: at(31_536_059) });
    }

    #[test]
    fn only_a_changed_fence_renewal_or_heartbeat_restarts_the_watch() {
        let observer = |ms| Observer { now: at(100), boot: boot("other", ms), clone: "d".into() };
        let phase = Phase::default();
        let first = look(&phase, &claim(), None, None, &observer(1_000));
        assert_eq!(look(&phase, &claim(), None, Some(first.clone()), &observer(9_000)), first);
        let beat = Heartbeat { at: at(90), clone: "c".into(), boot: None };
        let again = look(&phase, &claim(), Some(&beat), Some(first.clone()), &observer(9_000));
        assert_ne!(again, first);
        let later = Phase { fence: Fence { token: 2, nonce: "n".into() }, ..Phase::default() };
        assert_ne!(look(&later, &claim(), None, Some(first.clone()), &observer(9_000)), first);
    }
}

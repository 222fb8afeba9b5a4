//! When a session lapses: a pure decision over elapsed times.
//!
//! All times are durations measured on a monotonic clock by the caller, so a jump of the wall
//! clock can neither end every session at once nor make one immortal.

use std::time::Duration;

use super::{StateKind, StopReason};

/// The limits of DESIGN: away (then frozen), total, and how long a stopped session is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Policy {
    /// No human input for this long freezes a session. Default 1 h.
    pub away: Duration,
    /// Frozen for this long stops it. Default 24 h.
    pub frozen: Duration,
    /// Reachable for this long in total stops it; `None` for no such limit.
    pub total: Option<Duration>,
    /// Stopped or failed for this long removes it. Default 7 days.
    pub remove_stopped: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            away: Duration::from_hours(1),
            frozen: Duration::from_hours(24),
            total: None,
            remove_stopped: Duration::from_hours(24 * 7),
        }
    }
}

/// What is known of one session, in elapsed times.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Facts {
    /// Its state.
    pub state: StateKind,
    /// Since it entered that state.
    pub in_state: Duration,
    /// Since the last human input, or since it became reachable if there was none.
    pub without_input: Duration,
    /// Since it last became reachable.
    pub since_ready: Duration,
}

/// What the reaper should do with a session now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Nothing.
    Keep,
    /// Freeze it: nobody is using it.
    Freeze,
    /// Stop it.
    Stop(StopReason),
    /// Remove it for good.
    Remove,
}

/// Why a session will end, and when.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Expiry {
    /// From now until the limit is reached.
    pub remaining: Duration,
    /// The limit that comes first.
    pub because: Limit,
}

/// The named limits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    /// No human input.
    Away,
    /// Frozen.
    Frozen,
    /// Total lifetime.
    Total,
    /// Kept after its stop.
    Kept,
}

impl Limit {
    /// The stable `snake_case` name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Frozen => "frozen",
            Self::Total => "total",
            Self::Kept => "kept",
        }
    }
}

/// Decides what to do with a session. Starting and stopping sessions are left alone: their own
/// deadlines end them.
#[must_use]
pub fn decide(facts: &Facts, policy: &Policy) -> Verdict {
    match expiry(facts, policy) {
        Some(Expiry { remaining: Duration::ZERO, because }) => match because {
            Limit::Away => Verdict::Freeze,
            Limit::Frozen => Verdict::Stop(StopReason::Away),
            Limit::Total => Verdict::Stop(StopReason::Total),
            Limit::Kept => Verdict::Remove,
        },
        Some(_) | None => Verdict::Keep,
    }
}

/// The next limit a session will reach if nobody does anything, or `None` if none applies.
#[must_use]
pub fn expiry(facts: &Facts, policy: &Policy) -> Option<Expiry> {
    let limit = |limit: Duration, elapsed: Duration, because| Expiry {
        remaining: limit.saturating_sub(elapsed),
        because,
    };
    let total = policy.total.map(|total| limit(total, facts.since_ready, Limit::Total));
    match facts.state {
        StateKind::Ready => sooner(total, limit(policy.away, facts.without_input, Limit::Away)),
        StateKind::Paused => sooner(total, limit(policy.frozen, facts.in_state, Limit::Frozen)),
        StateKind::Stopped | StateKind::Failed => {
            Some(limit(policy.remove_stopped, facts.in_state, Limit::Kept))
        }
        StateKind::Starting | StateKind::Stopping => None,
    }
}

/// The sooner of two limits; the hard one (the first) wins a tie, because it cannot be renewed.
fn sooner(hard: Option<Expiry>, soft: Expiry) -> Option<Expiry> {
    match hard {
        Some(hard) if hard.remaining <= soft.remaining => Some(hard),
        Some(_) | None => Some(soft),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: Policy = Policy {
        away: Duration::from_secs(3600),
        frozen: Duration::from_secs(86_400),
        total: Some(Duration::from_secs(36_000)),
        remove_stopped: Duration::from_secs(604_800),
    };

    fn facts(state: StateKind, in_state: u64, without_input: u64, since_ready: u64) -> Facts {
        let secs = Duration::from_secs;
        Facts {
            state,
            in_state: secs(in_state),
            without_input: secs(without_input),
            since_ready: secs(since_ready),
        }
    }

    #[test]
    fn each_limit_ends_a_session_at_its_second_and_not_before() {
        use StateKind::{Failed, Paused, Ready, Stopped};
        let table = [
            (facts(Ready, 3599, 3599, 3599), Verdict::Keep),
            (facts(Ready, 3600, 3600, 3600), Verdict::Freeze),
            (facts(Ready, 35_999, 10, 35_999), Verdict::Keep),
            (facts(Ready, 36_000, 10, 36_000), Verdict::Stop(StopReason::Total)),
            (facts(Ready, 36_000, 3600, 36_000), Verdict::Stop(StopReason::Total)),
            (facts(Paused, 100, 9000, 35_000), Verdict::Keep),
            (facts(Paused, 100, 9000, 36_000), Verdict::Stop(StopReason::Total)),
            (facts(Stopped, 604_799, 0, 0), Verdict::Keep),
            (facts(Stopped, 604_800, 0, 0), Verdict::Remove),
            (facts(Failed, 604_800, 0, 0), Verdict::Remove),
        ];
        for (facts, verdict) in table {
            assert_eq!(decide(&facts, &POLICY), verdict, "{facts:?}");
        }
        let endless = Policy { total: None, ..POLICY };
        assert_eq!(
            decide(&facts(Paused, 86_400, 90_000, 900_000), &endless),
            Verdict::Stop(StopReason::Away)
        );
        assert_eq!(decide(&facts(Ready, 900_000, 5, 900_000), &endless), Verdict::Keep);
    }

    proptest! {
        /// A virtual day: someone presses a key every so often. The session is frozen exactly
        /// when a gap reaches the limit, and never while the gaps are shorter.
        #[test]
        fn a_session_is_frozen_when_and_only_when_a_gap_reaches_the_limit(
            away in 2_u64..600,
            gaps in proptest::collection::vec(1_u64..700, 1..60),
        ) {
            let policy = Policy { away: Duration::from_secs(away), total: None, ..POLICY };
            let mut clock = 0;
            for gap in gaps {
                let mut frozen_after = None;
                for second in 1..=gap {
                    let now = facts(StateKind::Ready, clock + second, second, clock + second);
                    if decide(&now, &policy) == Verdict::Freeze {
                        frozen_after = Some(second);
                        break;
                    }
                }
                prop_assert_eq!(frozen_after, (gap >= away).then_some(away));
                if frozen_after.is_some() {
                    return Ok(());
                }
                clock += gap;
            }
        }

        #[test]
        fn pending_sessions_are_left_alone(in_state: u32, idle: u32) {
            for state in [StateKind::Starting, StateKind::Stopping] {
                let facts = facts(state, in_state.into(), idle.into(), idle.into());
                prop_assert_eq!(decide(&facts, &POLICY), Verdict::Keep);
            }
        }

        #[test]
        fn a_verdict_other_than_keep_means_that_no_time_remains(in_state: u32, idle: u32, ready: u32) {
            for state in StateKind::ALL {
                let facts = facts(state, in_state.into(), idle.into(), ready.into());
                let over = expiry(&facts, &POLICY).is_some_and(|expiry| expiry.remaining.is_zero());
                prop_assert_eq!(decide(&facts, &POLICY) != Verdict::Keep, over);
            }
        }
    }
}

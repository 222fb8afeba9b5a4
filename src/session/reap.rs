//! When a session lapses: a pure decision over elapsed times.
//!
//! Every time is a duration measured on a monotonic clock by the caller, so a jump of the wall
//! clock can neither end every session at once nor make one immortal. The one exception is what
//! is left until closing time, which *is* a time of the wall clock.
//!
//! Two clocks say that nobody uses a reachable session. *No input* runs since a human last did
//! something. *No viewer* runs since the last viewer was closed or a human did something,
//! whichever was later; it stands still while a viewer is open. Whichever limit comes first
//! freezes the session. A container at work (`busy`) puts both off, by a bounded time.

use std::time::Duration;

use super::{StateKind, StopReason, TemplateLimits};

/// The limits of DESIGN: away (then frozen), total, closing time, and how long a stopped session
/// is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Policy {
    /// No human input for this long freezes a session. Default 1 h.
    pub away: Duration,
    /// No viewer and no human input for this long freezes it; `None` for no such limit, the
    /// default.
    pub no_viewer: Option<Duration>,
    /// A container that uses at least this much CPU is busy; 100 is one core. 0, the default, is
    /// never.
    pub busy_cpu_percent: u32,
    /// A busy container is frozen this much later at most. Default 4 h.
    pub busy_max: Duration,
    /// Frozen for this long stops it. Default 24 h.
    pub frozen: Duration,
    /// Reachable for this long in total stops it; `None` for no such limit, the default.
    pub total: Option<Duration>,
    /// Asking for more time puts total and closing time off by this much. Zero: it may not be
    /// asked. Default 30 min.
    pub extend: Duration,
    /// The most that one start may be put off in all. Default 2 h.
    pub extend_max: Duration,
    /// Stopped or failed for this long removes it. Default 7 days.
    pub remove_stopped: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        let template = TemplateLimits::default();
        Self {
            away: Duration::from_hours(1),
            no_viewer: None,
            busy_cpu_percent: template.busy_cpu_percent,
            busy_max: template.busy_max,
            frozen: Duration::from_hours(24),
            total: None,
            extend: Duration::from_mins(30),
            extend_max: Duration::from_hours(2),
            remove_stopped: Duration::from_hours(24 * 7),
        }
    }
}

impl Policy {
    /// The policy of a template's sessions.
    #[must_use]
    pub fn with(self, template: &TemplateLimits) -> Self {
        Self {
            away: template.away.unwrap_or(self.away),
            total: template.total.or(self.total),
            busy_cpu_percent: template.busy_cpu_percent,
            busy_max: template.busy_max,
            ..self
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
    /// Since the last viewer was closed or a human did something, whichever was later; zero while
    /// a viewer is open.
    pub without_viewer: Duration,
    /// Since it last became reachable.
    pub since_ready: Duration,
    /// By how much its hard limits were put off because somebody asked.
    pub extended: Duration,
    /// Until closing time, extension included; `None` for no closing time.
    pub until_closing: Option<Duration>,
    /// Whether its container works at least as hard as the policy asks.
    pub busy: bool,
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
    /// No human input or no viewer, put off because the container is at work.
    Busy,
    /// Closing time.
    ClosingTime,
    /// Frozen.
    Frozen,
    /// Kept after its stop.
    Kept,
    /// No viewer.
    NoViewer,
    /// Total lifetime.
    Total,
}

impl Limit {
    /// The stable `snake_case` name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Busy => "busy",
            Self::ClosingTime => "closing_time",
            Self::Frozen => "frozen",
            Self::Kept => "kept",
            Self::NoViewer => "no_viewer",
            Self::Total => "total",
        }
    }

    /// Whether only asking for more time puts it off; the others go by use.
    #[must_use]
    pub fn is_hard(self) -> bool {
        match self {
            Self::ClosingTime | Self::Total => true,
            Self::Away | Self::Busy | Self::Frozen | Self::Kept | Self::NoViewer => false,
        }
    }
}

/// Decides what to do with a session. Starting and stopping sessions are left alone: their own
/// deadlines end them.
#[must_use]
pub fn decide(facts: &Facts, policy: &Policy) -> Verdict {
    match expiry(facts, policy) {
        Some(Expiry { remaining: Duration::ZERO, because }) => match because {
            Limit::Away | Limit::Busy | Limit::NoViewer => Verdict::Freeze,
            Limit::ClosingTime => Verdict::Stop(StopReason::ClosingTime),
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
    match facts.state {
        StateKind::Ready => sooner(hard(facts, policy), unused(facts, policy)),
        StateKind::Paused => sooner(hard(facts, policy), left(policy.frozen, facts.in_state, Limit::Frozen)),
        StateKind::Stopped | StateKind::Failed => {
            Some(left(policy.remove_stopped, facts.in_state, Limit::Kept))
        }
        StateKind::Starting | StateKind::Stopping => None,
    }
}

/// What asking for more time does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Extension {
    /// It puts the hard limits off by this much.
    Grant(Duration),
    /// It counts as input: the limit that comes first goes by use.
    Renew,
    /// Nothing: what may be granted was granted, or nothing may.
    Spent,
    /// It has no meaning: the session is not reachable.
    Unfit,
}

/// What asking for more time would do now. Only the limit that comes first is moved, so that
/// nobody spends on a limit that is hours away.
#[must_use]
pub fn extension(facts: &Facts, policy: &Policy) -> Extension {
    if facts.state != StateKind::Ready {
        return Extension::Unfit;
    }
    let grant = policy.extend.min(policy.extend_max.saturating_sub(facts.extended));
    match expiry(facts, policy) {
        Some(first) if first.because.is_hard() && grant.is_zero() => Extension::Spent,
        Some(first) if first.because.is_hard() => Extension::Grant(grant),
        Some(_) | None if policy.extend.is_zero() => Extension::Spent,
        Some(_) | None => Extension::Renew,
    }
}

/// How long a reachable session may stay unused, whether or not its container is at work.
#[must_use]
pub fn unused_for(facts: &Facts, policy: &Policy) -> Expiry {
    let away = left(policy.away, facts.without_input, Limit::Away);
    let no_viewer = policy.no_viewer.map(|limit| left(limit, facts.without_viewer, Limit::NoViewer));
    no_viewer.filter(|no_viewer| no_viewer.remaining < away.remaining).unwrap_or(away)
}

/// The same, put off while the container is at work.
fn unused(facts: &Facts, policy: &Policy) -> Expiry {
    if !facts.busy {
        return unused_for(facts, policy);
    }
    let later = Policy {
        away: policy.away.saturating_add(policy.busy_max),
        no_viewer: policy.no_viewer.map(|limit| limit.saturating_add(policy.busy_max)),
        ..*policy
    };
    Expiry { because: Limit::Busy, ..unused_for(facts, &later) }
}

/// The limit that holds whatever anybody does; closing time wins a tie.
fn hard(facts: &Facts, policy: &Policy) -> Option<Expiry> {
    let total =
        policy.total.map(|total| left(total.saturating_add(facts.extended), facts.since_ready, Limit::Total));
    let closing = facts.until_closing.map(|remaining| Expiry { remaining, because: Limit::ClosingTime });
    [closing, total].into_iter().flatten().min_by_key(|expiry| expiry.remaining)
}

fn left(limit: Duration, elapsed: Duration, because: Limit) -> Expiry {
    Expiry { remaining: limit.saturating_sub(elapsed), because }
}

/// The sooner of two limits; the hard one (the first) wins a tie, because it cannot be renewed.
fn sooner(hard: Option<Expiry>, soft: Expiry) -> Option<Expiry> {
    match hard {
        Some(hard) if hard.remaining <= soft.remaining => Some(hard),
        Some(_) | None => Some(soft),
    }
}

#[cfg(test)]
mod tests;

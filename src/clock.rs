//! The only place that reads the wall clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The longest that what has an end may last, in seconds: a hundred years.
pub const LONGEST_S: u64 = 3_153_600_000;

/// The present wall-clock time.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// The time `after` from `from`; saturates at the end of representable time.
#[must_use]
pub fn later(from: Timestamp, after: Duration) -> Timestamp {
    SignedDuration::try_from(after)
        .ok()
        .and_then(|after| from.checked_add(after).ok())
        .unwrap_or(Timestamp::MAX)
}

/// How long ago `then` was; zero if it lies in the future.
#[must_use]
pub fn since(then: Timestamp) -> Duration {
    Duration::try_from(now().duration_since(then)).unwrap_or_default()
}

/// How long until `then`; zero if it is past.
#[must_use]
pub fn until(then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now())).unwrap_or_default()
}

/// The time `before` ahead of `from`; `None` if that is not representable.
#[must_use]
pub fn earlier(from: Timestamp, before: Duration) -> Option<Timestamp> {
    SignedDuration::try_from(before).ok().and_then(|before| from.checked_sub(before).ok())
}

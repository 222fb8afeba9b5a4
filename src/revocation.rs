//! The end of a right, told to every open socket that lives by it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

/// Why the gateway closes a WebSocket (RFC 6455 §7.4; 4xxx are ours, DESIGN section 9).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CloseReason {
    /// The gateway is going down or being replaced; connect again.
    Drain,
    /// A fault on our side.
    Fault,
    /// The upstream is not there right now; try again in a moment.
    Later,
    /// The login ended: logged out, lapsed, password changed, user disabled.
    LoginEnded,
    /// The right to this session was withdrawn.
    Withdrawn,
    /// The session was stopped or removed.
    Gone,
    /// The session was frozen because nobody used it.
    Lapsed,
}

impl CloseReason {
    /// The WebSocket close code.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Drain => 1001,
            Self::Fault => 1011,
            Self::Later => 1013,
            Self::LoginEnded => 4401,
            Self::Withdrawn => 4403,
            Self::Gone => 4404,
            Self::Lapsed => 4408,
        }
    }

    /// The stable `snake_case` name, also sent as the close frame's text.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::Fault => "fault",
            Self::Later => "later",
            Self::LoginEnded => "login_ended",
            Self::Withdrawn => "withdrawn",
            Self::Gone => "gone",
            Self::Lapsed => "lapsed",
        }
    }
}

/// A right that can end once. Clones are the same right: whoever issued it keeps one to revoke
/// it with, every socket that lives by it holds one and waits for its end.
#[derive(Clone, Debug, Default)]
pub struct Revocation(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    reason: OnceLock<CloseReason>,
    ended: CancellationToken,
    /// How many places are taken.
    held: AtomicUsize,
}

/// One of the places that a right gives, taken until it is dropped.
#[derive(Debug)]
pub struct Place(Revocation);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.held.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Revocation {
    /// A right that is in force.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the right and wakes everyone who waits; the first reason stays.
    pub fn revoke(&self, reason: CloseReason) {
        let _ = self.0.reason.set(reason);
        self.0.ended.cancel();
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.0.ended.is_cancelled()
    }

    /// Why it has ended, if it has.
    #[must_use]
    pub fn reason(&self) -> Option<CloseReason> {
        self.0.reason.get().copied()
    }

    /// Takes one of `most` places for something that lasts; `None` while all are taken.
    #[must_use]
    pub fn place(&self, most: usize) -> Option<Place> {
        let next = |held: usize| (held < most).then_some(held + 1);
        self.0.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        Some(Place(self.clone()))
    }

    /// Waits for its end. **Cancel safety**: may be dropped and called again.
    pub async fn revoked(&self) -> CloseReason {
        self.0.ended.cancelled().await;
        *self.0.reason.get().expect("the reason is set before the token is cancelled")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_gives_so_many_places_and_one_again_that_was_left() {
        let right = Revocation::new();
        let (first, _second) = (right.place(2), right.clone().place(2));
        assert!(first.is_some() && right.place(2).is_none());
        drop(first);
        assert!(right.place(2).is_some());
        assert!(Revocation::new().place(0).is_none());
    }
}

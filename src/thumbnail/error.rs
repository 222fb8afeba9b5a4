//! Why there is no picture of a session's screen.

use std::time::Duration;

use thiserror::Error;

use crate::fault::{Answer, Fault};
use crate::language::Sentence;

/// Why there is nothing to see.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum ThumbnailError {
    /// Too many desktops are being looked at.
    #[error("too many desktops are being looked at")]
    Busy,
    /// The session is an app, not a desktop, or its template is gone.
    #[error("the session has no screen")]
    NoScreen,
    /// The session is not reachable.
    #[error("the session is not running")]
    NotRunning,
    /// The session was frozen before anybody looked.
    #[error("nobody looked at the session before it was frozen")]
    NotSeen,
    /// The desktop could not be looked at.
    #[error("the desktop could not be looked at: {why}")]
    Unseen {
        /// The error with its causes.
        why: String,
    },
}

impl Answer for ThumbnailError {
    fn fault(&self) -> Fault {
        match self {
            Self::Busy => Fault::Engine,
            Self::NoScreen | Self::NotRunning | Self::NotSeen => Fault::Downstream,
            Self::Unseen { .. } => Fault::Upstream,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Busy => "screens_busy",
            Self::NoScreen => "no_screen",
            Self::NotRunning => "not_running",
            Self::NotSeen => "not_seen",
            Self::Unseen { .. } => "screen_unseen",
        }
    }

    fn sentence(&self) -> Sentence {
        Sentence::of(match self {
            Self::Busy => "problem-screens-busy",
            Self::NoScreen => "problem-no-screen",
            Self::NotRunning => "problem-not-running",
            Self::NotSeen => "problem-not-seen",
            Self::Unseen { .. } => "problem-screen-unseen",
        })
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy => Some(Duration::from_secs(5)),
            Self::Unseen { .. } => Some(Duration::from_secs(30)),
            Self::NoScreen | Self::NotRunning | Self::NotSeen => None,
        }
    }
}

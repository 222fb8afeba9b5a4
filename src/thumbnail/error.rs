//! Why there is no picture of a session's screen.

use std::time::Duration;

use thiserror::Error;

use crate::fault::{Answer, Fault};

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

    fn public(&self) -> String {
        match self {
            Self::Busy => "Many screens are being looked at right now. Try again in a few seconds.",
            Self::NoScreen => "This machine is an app without a screen, so there is no picture of it.",
            Self::NotRunning => {
                "This machine is not running right now, so there is no picture of its screen."
            }
            Self::NotSeen => "This machine was frozen before a picture of its screen was taken.",
            Self::Unseen { .. } => "This machine does not show its screen right now.",
        }
        .to_owned()
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy => Some(Duration::from_secs(5)),
            Self::Unseen { .. } => Some(Duration::from_secs(30)),
            Self::NoScreen | Self::NotRunning | Self::NotSeen => None,
        }
    }
}

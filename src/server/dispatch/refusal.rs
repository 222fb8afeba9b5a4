//! What is refused before an edge sees it, or answered for a session that is not there now.

use std::time::Duration;

use crate::fault::{Answer, Fault};
use crate::language::Sentence;

/// When to ask again for a session that is not reachable yet.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// The host is not ours (RFC 9110 §15.5.20).
#[derive(Debug, thiserror::Error)]
#[error("the request is for a host that is not served here")]
pub(super) struct Misdirected;

impl Answer for Misdirected {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        "host_foreign"
    }

    fn sentence(&self) -> Sentence {
        Sentence::of("problem-host-foreign")
    }
}

/// A page's own request met a session that is on its way or at rest.
#[derive(Debug, thiserror::Error)]
#[error("the session is not reachable now")]
pub(super) struct NotReachable;

impl Answer for NotReachable {
    fn fault(&self) -> Fault {
        Fault::Engine
    }

    fn code(&self) -> &'static str {
        "session_not_reachable"
    }

    fn sentence(&self) -> Sentence {
        Sentence::of("problem-session-not-reachable")
    }

    fn retry_after(&self) -> Option<Duration> {
        Some(ASK_AGAIN)
    }
}

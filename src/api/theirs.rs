//! Failures as scripts of the replaced systems read them: their own members in the problem document.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::Refusal;
use crate::fault::{Answer, Fault};
use crate::language::Sentence;

/// The error of a request to this path. At an address of the kiosk orchestrator `{"error": …}` is in it,
/// at one of the per-user desktop manager `{"success": false, "error": …}`, wherever it comes from.
pub(super) fn worded(path: &str, error: Refusal) -> Refusal {
    let success = match path {
        "/access" | "/remove" | "/remove-all" | "/status" => None,
        "/api/v1/spawn" | "/api/v1/remove" => Some(false),
        _ => return error,
    };
    Arc::new(Worded { inner: error, success })
}

/// An error with a system's own members.
#[derive(Clone, Debug)]
struct Worded {
    inner: Refusal,
    success: Option<bool>,
}

impl fmt::Display for Worded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Error for Worded {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.inner.source()
    }
}

impl Answer for Worded {
    fn fault(&self) -> Fault {
        self.inner.fault()
    }

    fn code(&self) -> &'static str {
        self.inner.code()
    }

    fn sentence(&self) -> Sentence {
        self.inner.sentence()
    }

    fn retry_after(&self) -> Option<Duration> {
        self.inner.retry_after()
    }

    fn members(&self) -> Vec<(&'static str, Value)> {
        let error = match self.fault() {
            // Of our own bugs, nothing but that there is one.
            Fault::Internal => self.code().to_owned(),
            Fault::Downstream | Fault::Upstream | Fault::Engine | Fault::Store => self.public(),
        };
        let success = self.success.map(|success| ("success", success.into()));
        success.into_iter().chain([("error", error.into())]).collect()
    }

    fn field(&self) -> Option<&str> {
        self.inner.field()
    }

    fn allow(&self) -> Option<&str> {
        self.inner.allow()
    }
}

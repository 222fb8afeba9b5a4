//! Failures as scripts of the replaced systems read them: their own members in the problem document.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use serde_json::Value;
use thiserror::Error;

use super::Failure;
use crate::fault::{Answer, Fault};
use crate::language::Sentence;

/// What a handler fails with towards scripts of the kiosk orchestrator: `{"error": …}` is in it.
pub(super) struct Kiosks(Failure);

/// The same towards scripts of the per-user desktop manager: `{"success": false, "error": …}`.
pub(super) struct Managers(Failure);

impl<E: Into<Failure>> From<E> for Kiosks {
    fn from(error: E) -> Self {
        Self(Failure::from(Worded { inner: error.into(), success: None }))
    }
}

impl<E: Into<Failure>> From<E> for Managers {
    fn from(error: E) -> Self {
        Self(Failure::from(Worded { inner: error.into(), success: Some(false) }))
    }
}

impl IntoResponse for Kiosks {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl IntoResponse for Managers {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

/// An error with a system's own members.
#[derive(Clone, Debug, Error)]
#[error("{}", inner.0)]
struct Worded {
    inner: Failure,
    success: Option<bool>,
}

impl Answer for Worded {
    fn fault(&self) -> Fault {
        self.inner.0.fault()
    }

    fn code(&self) -> &'static str {
        self.inner.0.code()
    }

    fn sentence(&self) -> Sentence {
        self.inner.0.sentence()
    }

    fn retry_after(&self) -> Option<Duration> {
        self.inner.0.retry_after()
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
}

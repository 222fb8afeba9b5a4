//! How a handler fails: it hands the error on, and the caller of the API answers it once.

use std::sync::Arc;

use axum::response::IntoResponse;
use thiserror::Error;

use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::respond::NotFound;

/// Why a handler gives no answer of its own.
#[derive(Clone, Debug)]
pub(super) struct Failure(pub Arc<dyn Answer + Send + Sync>);

impl Failure {
    /// There is no such address.
    pub(super) fn not_found() -> Self {
        Self::from(NotFound)
    }
}

impl<E: Answer + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Arc::new(error))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> axum::response::Response {
        let mut response = axum::response::Response::default();
        response.extensions_mut().insert(self);
        response
    }
}

/// The document names nobody who could log in.
#[derive(Clone, Copy, Debug, Error)]
#[error("there is no such user")]
pub(super) struct NoUser;

impl Answer for NoUser {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        "grantee_unknown"
    }

    fn sentence(&self) -> Sentence {
        Sentence::of("problem-grantee-unknown")
    }
}

//! How a handler fails: it hands the error on, and the caller of the API answers it once.

use std::sync::Arc;

use axum::response::IntoResponse;
use http::StatusCode;
use thiserror::Error;

use crate::fault::{Answer, Fault};
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

    fn public(&self) -> String {
        "There is no user of this name. Check how it is spelled.".to_owned()
    }
}

/// A request that could not be read as what its address takes.
#[derive(Clone, Copy, Debug, Error)]
#[error("the request was refused with {status}")]
pub(super) struct Unreadable {
    /// What the router made of it.
    pub(super) status: StatusCode,
}

impl Answer for Unreadable {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        match self.status {
            StatusCode::METHOD_NOT_ALLOWED => "method",
            StatusCode::PAYLOAD_TOO_LARGE => "body_too_large",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "media_type",
            // The router's own refusals are an open set; all others are malformed input.
            _ => "malformed",
        }
    }

    fn public(&self) -> String {
        match self.status {
            StatusCode::METHOD_NOT_ALLOWED => "This address does not know that method.",
            StatusCode::PAYLOAD_TOO_LARGE => "The document is too large.",
            _ => {
                "The request could not be read; a parameter or the document is not as this address takes it."
            }
        }
        .to_owned()
    }
}

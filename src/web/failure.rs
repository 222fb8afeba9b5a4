//! How a handler fails: it hands the error on, and `respond` answers it once, outside.

use std::sync::Arc;

use axum::response::IntoResponse;
use http::StatusCode;
use thiserror::Error;

use super::next::NextPath;
use crate::fault::{Answer, Fault};
use crate::respond::NotFound;

/// Why a handler gives no answer of its own.
#[derive(Clone, Debug)]
pub enum Failure {
    /// Nobody is logged in; a browser goes to the login page and comes back.
    LoginNeeded(NextPath),
    /// An error to be answered and logged by `respond`.
    Error(Arc<dyn Answer + Send + Sync>),
}

impl Failure {
    /// There is no such address.
    pub fn not_found() -> Self {
        Self::from(NotFound)
    }
}

impl<E: Answer + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Error(Arc::new(error))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> axum::response::Response {
        let mut response = axum::response::Response::default();
        response.extensions_mut().insert(self);
        response
    }
}

/// A request that could not be read as what its address takes.
#[derive(Clone, Copy, Debug, Error)]
#[error("the request was refused with {status}")]
pub struct Unreadable {
    /// What the router made of it.
    pub status: StatusCode,
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
            StatusCode::METHOD_NOT_ALLOWED => {
                "This address cannot be used that way. Go back and use the buttons."
            }
            StatusCode::PAYLOAD_TOO_LARGE => "That was too much text. Go back and shorten it.",
            _ => "The form did not arrive as it should. Go back, reload the page and try again.",
        }
        .to_owned()
    }
}

//! How a handler fails: it hands the error on, and `respond` answers it once, outside.

use std::sync::Arc;

use axum::response::IntoResponse;

use super::next::NextPath;
use crate::fault::Answer;
use crate::respond::NotFound;

/// Why a handler gives no answer of its own.
#[derive(Clone, Debug)]
pub enum Failure {
    /// Nobody is logged in; a browser goes to the login page and comes back.
    LoginNeeded(NextPath),
    /// Their password is only for the first login; a browser goes to where they choose another one.
    PasswordNeeded,
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

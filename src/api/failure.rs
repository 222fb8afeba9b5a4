//! How a handler fails: it hands the error on, and the caller of the API answers it once.

use std::sync::Arc;

use axum::response::IntoResponse;
use thiserror::Error;

use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::respond::NotFound;
use crate::store::Scope;

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
pub(super) struct NoUser {
    /// Where the document does.
    pub(super) field: &'static str,
}

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

    fn field(&self) -> Option<&str> {
        Some(self.field)
    }
}

/// Somebody who does not administer wants a session for somebody else.
#[derive(Clone, Copy, Debug, Error)]
#[error("only administrators make sessions for others")]
pub(super) struct OwnerForeign;

impl Answer for OwnerForeign {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        "owner_foreign"
    }

    fn sentence(&self) -> Sentence {
        Sentence::of("problem-owner-foreign")
    }

    fn field(&self) -> Option<&str> {
        Some("owner")
    }
}

/// The address is there, but not for this method.
#[derive(Clone, Debug, Error)]
#[error("the address takes {allow} only")]
pub(super) struct WrongMethod {
    /// The methods it takes, as the `Allow` header lists them.
    pub(super) allow: String,
}

impl Answer for WrongMethod {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        "method"
    }

    fn sentence(&self) -> Sentence {
        Sentence::of("problem-method-only").with("methods", self.allow.clone())
    }

    fn allow(&self) -> Option<&str> {
        Some(&self.allow)
    }
}

/// The token is valid, but not for this.
#[derive(Clone, Copy, Debug, Error)]
#[error("the token has not the scope {}", scope.name())]
pub(super) struct ScopeMissing {
    /// What it would need.
    pub(super) scope: Scope,
}

impl Answer for ScopeMissing {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        "scope_missing"
    }

    fn sentence(&self) -> Sentence {
        Sentence::of("problem-scope-missing").with("scope", self.scope.name())
    }
}

/// The token acts as one user, and this concerns everybody's sessions.
#[derive(Clone, Copy, Debug, Error)]
#[error("the token is bound to one user")]
pub(super) struct TokenBound;

impl Answer for TokenBound {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        "token_bound"
    }

    fn sentence(&self) -> Sentence {
        Sentence::of("problem-token-bound")
    }
}

//! What the router and its extractors refuse, in words of ours.

use http::StatusCode;
use http::header::CONTENT_TYPE;
use thiserror::Error;

use crate::fault::{Answer, Fault};
use crate::language::Sentence;

/// A request that could not be read as what its address takes.
#[derive(Clone, Copy, Debug, Error)]
#[error("the request was refused with {status}")]
pub struct Unreadable {
    /// What the router made of it.
    pub status: StatusCode,
}

impl Unreadable {
    /// The refusal that this response is, if the router or one of its extractors made it: theirs
    /// are plain text, which no handler of ours answers an error with.
    #[must_use]
    pub fn of(response: &axum::response::Response) -> Option<Self> {
        let kind = response.headers().get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
        let plain = kind.is_none_or(|kind| kind.starts_with(b"text/plain"));
        let status = response.status();
        (status.is_client_error() && plain).then_some(Self { status })
    }
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

    fn sentence(&self) -> Sentence {
        Sentence::of(match self.status {
            StatusCode::METHOD_NOT_ALLOWED => "problem-method",
            StatusCode::PAYLOAD_TOO_LARGE => "problem-body-too-large",
            // The router's own refusals are an open set; all others are malformed input.
            _ => "problem-malformed",
        })
    }
}

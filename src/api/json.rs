//! How documents are answered.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, Response, StatusCode};
use jiff::{Timestamp, Unit};
use serde::Serialize;
use utoipa::ToSchema;

use super::conditional::Text;
use super::repeat::Again;
pub(super) use super::session::document as session;
use crate::body::Body;
use crate::respond;

/// A whole list in one answer, where nothing is left out; what may grow long is a [`super::page::Page`].
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code, reason = "for lists that are short by their nature")]
pub(super) struct Items<T> {
    /// All of them.
    pub(super) items: Vec<T>,
}

/// A document that was asked for.
pub(super) fn read(value: &impl Serialize) -> Response<Body> {
    document(StatusCode::OK, value)
}

/// A document with any status; what it says is true for this reader and this moment only.
pub(super) fn document(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let text = serde_json::to_vec(value).expect("documents are made of texts and numbers");
    let text = Bytes::from(text);
    let mut response = respond::bare(status, String::new());
    *response.body_mut() = Body::full(text.clone());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(Text(text));
    response
}

/// The same of something new, whose own address is `at`, a path.
pub(super) fn located(status: StatusCode, at: &str, value: &impl Serialize) -> Response<Body> {
    let mut response = document(status, value);
    let at = HeaderValue::from_str(at).expect("paths of ours are made of labels, names and ids");
    response.headers_mut().insert(LOCATION, at);
    response
}

/// The same answer of something that is told once: who repeats the request reads `again`.
pub(super) fn told_once(mut response: Response<Body>, again: &impl Serialize) -> Response<Body> {
    let text = serde_json::to_vec(again).expect("documents are made of texts and numbers");
    response.extensions_mut().insert(Again(text.into()));
    response
}

/// Done, and nothing to say.
pub(super) fn nothing() -> Response<Body> {
    respond::bare(StatusCode::NO_CONTENT, String::new())
}

/// A moment as documents tell it where it is reckoned anew each time: to the second, so that the
/// same moment is the same text.
pub(super) fn to_the_second(at: Timestamp) -> Timestamp {
    at.round(Unit::Second).unwrap_or(at)
}

//! Documents that need not be sent again (RFC 9110 §13): an entity tag on whatever `GET` answers with.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use sha2::{Digest, Sha256};

use crate::body::Body;

/// The whole text of a document; put beside it by [`super::json::document`].
#[derive(Clone)]
pub(super) struct Text(pub(super) Bytes);

/// Answers `Not Modified` if whoever asked has the document already. What it says is for this
/// reader alone, and asked for anew each time.
pub(super) fn settle(asked: &Asked, mut response: Response<Body>) -> Response<Body> {
    let text = response.extensions_mut().remove::<Text>();
    let Some(Text(text)) = text.filter(|_| asked.reads && response.status() == StatusCode::OK) else {
        return response;
    };
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(&text)[..12]));
    if asked.knows(&tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(CONTENT_TYPE);
    }
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(ETAG, HeaderValue::from_str(&tag).expect("base64url in quotes"));
    response
}

/// What a request says of the documents that its sender has.
pub(super) struct Asked {
    reads: bool,
    known: Vec<HeaderValue>,
}

impl Asked {
    pub(super) fn of(method: &Method, headers: &HeaderMap) -> Self {
        let reads = matches!(*method, Method::GET | Method::HEAD);
        Self { reads, known: headers.get_all(IF_NONE_MATCH).iter().cloned().collect() }
    }

    /// Whether the sender has what this entity tag stands for (weak comparison).
    pub(super) fn knows(&self, tag: &str) -> bool {
        self.known.iter().any(|list| {
            let list = list.to_str().unwrap_or_default();
            list.split(',')
                .map(str::trim)
                .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
        })
    }
}

//! The WebSocket handshake with the browser: `Upgrade` of HTTP/1.1 (RFC 6455 §4) and extended
//! `CONNECT` of HTTP/2 (RFC 8441).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};
use http_body::Body as HttpBody;
use hyper::ext::Protocol;
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::ProxyError;
use super::headers::lists;
use crate::body::Body;

/// A valid request for a WebSocket.
#[derive(Debug)]
pub(super) struct Handshake {
    /// `Sec-WebSocket-Accept` for HTTP/1.1; HTTP/2 has none.
    accept: Option<HeaderValue>,
}

/// Whether a request asks for a WebSocket, checked strictly. Other protocols in `Upgrade` are
/// ignored, as RFC 9110 §7.8 allows.
///
/// # Errors
/// [`ProxyError::UpgradeInvalid`]; the caller closes the connection, because a client that
/// believed in the upgrade may already have sent bytes that are no HTTP.
pub(super) fn asked<B: HttpBody>(request: &Request<B>) -> Result<Option<Handshake>, ProxyError> {
    if request.method() == Method::CONNECT {
        let protocol = request.extensions().get::<Protocol>().map(Protocol::as_str);
        if protocol != Some("websocket") {
            return Err(ProxyError::UpgradeInvalid("CONNECT is only for websockets"));
        }
        checked_version(request.headers())?;
        return Ok(Some(Handshake { accept: None }));
    }
    let headers = request.headers();
    if request.version() != Version::HTTP_11 || !lists(headers, header::UPGRADE, "websocket") {
        return Ok(None);
    }
    if request.method() != Method::GET || !lists(headers, header::CONNECTION, "upgrade") {
        return Err(ProxyError::UpgradeInvalid("an upgrade needs GET and Connection: upgrade"));
    }
    // The body would be read before, during or after the switch, depending on whom one asks.
    if !request.body().is_end_stream() || headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(ProxyError::UpgradeInvalid("an upgrade has no body"));
    }
    checked_version(headers)?;
    let key = only(headers, &header::SEC_WEBSOCKET_KEY)
        .filter(|key| STANDARD.decode(key.as_bytes()).is_ok_and(|bytes| bytes.len() == 16))
        .ok_or(ProxyError::UpgradeInvalid("Sec-WebSocket-Key is not 16 bytes of base64"))?;
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes())).expect("base64 is visible ASCII");
    Ok(Some(Handshake { accept: Some(accept) }))
}

/// Takes the stream that will exist once the handshake has been answered.
pub(super) fn stream<B>(request: &mut Request<B>) -> OnUpgrade {
    hyper::upgrade::on(request)
}

impl Handshake {
    /// Whether it came over HTTP/2, where any 2xx would mean success.
    pub(super) fn is_connect(&self) -> bool {
        self.accept.is_none()
    }

    /// The answer that opens the WebSocket, with whatever else `headers` says.
    pub(super) fn accepted(self, mut headers: HeaderMap) -> Response<Body> {
        for name in [header::SEC_WEBSOCKET_ACCEPT, header::CONTENT_LENGTH] {
            headers.remove(name);
        }
        let mut response = Response::new(Body::empty());
        if let Some(accept) = self.accept {
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        *response.headers_mut() = headers;
        response
    }

    /// Marks an answer that did not open the WebSocket: what the browser sent after its request
    /// must not be read as another one.
    pub(super) fn refused(&self, mut response: Response<Body>) -> Response<Body> {
        if !self.is_connect() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

fn checked_version(headers: &HeaderMap) -> Result<(), ProxyError> {
    match only(headers, &header::SEC_WEBSOCKET_VERSION) {
        Some(version) if version == "13" => Ok(()),
        Some(_) | None => Err(ProxyError::UpgradeInvalid("the only websocket version is 13")),
    }
}

fn only<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

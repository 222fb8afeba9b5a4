//! The one strict validation of every request, before both planes.
//!
//! hyper frames messages; what it lets pass and a gateway must not (RFC 9110 §7.2, RFC 9112 §3.2
//! and §6, RFC 9113 §8.3, RFC 8441) is refused here. Nothing is repaired: the bytes that are
//! authorised are the bytes that go upstream.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version};
use hyper::ext::Protocol as ConnectProtocol;
use thiserror::Error;

use super::peer::Protocol;
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::session::Label;

/// The most header fields a request may have.
pub(super) const MAX_HEADERS: usize = 100;
/// The most bytes a request's header fields may have.
pub(super) const MAX_HEAD: usize = 64 * 1024;

/// A request that passed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checked {
    /// The host it is for: lower case, without port; an IPv6 address without brackets.
    pub host: String,
    /// The port named after the host.
    pub port: Option<u16>,
    /// Whether it asks to become a WebSocket.
    pub upgrade: Upgrade,
    /// The strictest rule that its path meets. Whoever reads the path asks for
    /// [`PathRule::Own`]; only what a container alone reads may be less.
    pub path: PathRule,
}

/// How far a path may leave room for different readings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PathRule {
    /// None: what the gateway itself reads, to route by it or to answer it.
    Own,
    /// Empty segments and encoded slashes and backslashes, which honest apps have in their paths
    /// (`/api/queues/%2F/x`). The bytes go up as they came. Dot segments in any spelling, also
    /// between encoded slashes, and control characters are as impossible as in one's own.
    Upstream,
}

/// How a request asks to become a WebSocket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Upgrade {
    /// It does not.
    None,
    /// By `Upgrade: websocket` (RFC 6455 §4.1).
    Http1,
    /// By extended CONNECT (RFC 8441 §4).
    Http2,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum Refusal {
    /// CONNECT that is no extended CONNECT for a WebSocket.
    #[error("CONNECT is only for WebSockets over HTTP/2")]
    Connect,
    /// An expectation other than `100-continue`.
    #[error("the expectation is unknown")]
    Expectation,
    /// More than one length, or a length and a transfer coding.
    #[error("the length of the body is ambiguous")]
    Framing,
    /// A header name with an underscore, which some upstreams take for a hyphen.
    #[error("a header name has an underscore")]
    HeaderName,
    /// A header value with spaces around it or a control character in it.
    #[error("a header value has spaces around it or a control character in it")]
    HeaderValue,
    /// Too many header fields, or too large ones.
    #[error("the header fields are too many or too large")]
    HeadTooLarge,
    /// No host, several, a malformed one, or two that disagree.
    #[error("the host is missing, malformed or ambiguous")]
    Host,
    /// A method that is never allowed here.
    #[error("the method is not allowed")]
    MethodNotAllowed,
    /// A method this gateway does not know.
    #[error("the method is not known")]
    MethodUnknown,
    /// The host is not the one of the TLS greeting.
    #[error("the host is not the one this connection was opened for")]
    Misdirected,
    /// A path that two parties could read differently.
    #[error("the path is malformed or ambiguous")]
    Path,
    /// A target that is no path on this host.
    #[error("the request target is not a path on this host")]
    Target,
    /// A transfer coding other than exactly `chunked`.
    #[error("the transfer coding is unknown")]
    TransferEncoding,
    /// A malformed request for a WebSocket.
    #[error("the request for a WebSocket is malformed")]
    Upgrade,
}

impl Refusal {
    /// The status that answers it.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Connect | Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::MethodUnknown => StatusCode::NOT_IMPLEMENTED,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::Framing
            | Self::HeaderName
            | Self::HeaderValue
            | Self::Host
            | Self::Path
            | Self::Target
            | Self::TransferEncoding
            | Self::Upgrade => StatusCode::BAD_REQUEST,
        }
    }
}

impl Answer for Refusal {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Connect => "connect_refused",
            Self::Expectation => "expectation_unknown",
            Self::Framing => "framing_ambiguous",
            Self::HeaderName => "header_name_refused",
            Self::HeaderValue => "header_value_refused",
            Self::HeadTooLarge => "head_too_large",
            Self::Host => "host_refused",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::MethodUnknown => "method_unknown",
            Self::Misdirected => "misdirected",
            Self::Path => "path_refused",
            Self::Target => "target_refused",
            Self::TransferEncoding => "transfer_encoding_refused",
            Self::Upgrade => "upgrade_refused",
        }
    }

    fn sentence(&self) -> Sentence {
        // No browser sends such a request: the reason stays in the words of HTTP.
        Sentence::of("problem-request-refused").with("reason", self.to_string())
    }
}

/// Checks the head of a request that came over `protocol`. `server_name` is the name in the TLS
/// greeting; `None` skips the comparison.
///
/// # Errors
/// The first [`Refusal`] that applies. The connection must be closed after answering it.
pub fn validate(head: &Parts, protocol: Protocol, server_name: Option<&str>) -> Result<Checked, Refusal> {
    headers(&head.headers)?;
    let upgrade = method(head, protocol)?;
    let (host, port) = authority(head, protocol)?;
    let path = path(&head.uri)?;
    framing(head)?;
    expectation(&head.headers)?;
    let upgrade = match upgrade {
        Upgrade::Http2 => extended_connect(head)?,
        Upgrade::None | Upgrade::Http1 => websocket(head, protocol)?,
    };
    // Virtual hosts are told apart by host, never by the greeting: the two must agree (RFC 9110 §7.4).
    if server_name.is_some_and(|name| !name.eq_ignore_ascii_case(&host)) {
        return Err(Refusal::Misdirected);
    }
    Ok(Checked { host, port, upgrade, path })
}

/// Removes what must have no effect: upgrades to anything but a WebSocket, h2c included
/// (RFC 9110 §7.8 lets a server ignore them).
pub fn strip_ignored(headers: &mut HeaderMap, upgrade: Upgrade) {
    headers.remove(HeaderName::from_static("http2-settings"));
    match upgrade {
        Upgrade::Http1 => {}
        Upgrade::None | Upgrade::Http2 => {
            headers.remove(UPGRADE);
        }
    }
}

fn headers(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.len() > MAX_HEADERS {
        return Err(Refusal::HeadTooLarge);
    }
    let mut bytes = 0;
    for (name, value) in headers {
        bytes += name.as_str().len() + value.len() + 4;
        if name.as_str().contains('_') {
            return Err(Refusal::HeaderName);
        }
        let text = value.as_bytes();
        let space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
        let control = |byte: &u8| (*byte < b' ' && *byte != b'\t') || *byte == 0x7f;
        if space(text.first()) || space(text.last()) || text.iter().any(control) {
            return Err(Refusal::HeaderValue);
        }
    }
    if bytes > MAX_HEAD { Err(Refusal::HeadTooLarge) } else { Ok(()) }
}

fn method(head: &Parts, protocol: Protocol) -> Result<Upgrade, Refusal> {
    match head.method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::OPTIONS => Ok(Upgrade::None),
        Method::CONNECT => match (protocol, head.extensions.get::<ConnectProtocol>()) {
            (Protocol::Http2, Some(protocol)) if protocol.as_str() == "websocket" => Ok(Upgrade::Http2),
            (Protocol::Http1 | Protocol::Http2, _) => Err(Refusal::Connect),
        },
        Method::TRACE => Err(Refusal::MethodNotAllowed),
        // Safe, with a body; the `http` crate has no name for it. What does not take it answers 405.
        _ if head.method.as_str() == "QUERY" => Ok(Upgrade::None),
        _ => Err(Refusal::MethodUnknown),
    }
}

/// The host and port, on which everything that names them must agree.
fn authority(head: &Parts, protocol: Protocol) -> Result<(String, Option<u16>), Refusal> {
    let mut lines = head.headers.get_all(HOST).iter();
    let line = lines.next();
    if lines.next().is_some() {
        return Err(Refusal::Host);
    }
    let line = line.map(host_value).transpose()?;
    let target = head.uri.authority().map(|authority| host_and_port(authority.as_str())).transpose()?;
    match (protocol, head.uri.scheme_str()) {
        (Protocol::Http1, None) if target.is_none() => {}
        (Protocol::Http1 | Protocol::Http2, Some("https")) => {}
        (Protocol::Http1 | Protocol::Http2, _) => return Err(Refusal::Target),
    }
    match (protocol, target, line) {
        (Protocol::Http1 | Protocol::Http2, Some(target), Some(line)) if target == line => Ok(target),
        (Protocol::Http1, None, Some(line)) => Ok(line),
        (Protocol::Http2, Some(target), None) => Ok(target),
        (Protocol::Http1 | Protocol::Http2, _, _) => Err(Refusal::Host),
    }
}

fn host_value(value: &HeaderValue) -> Result<(String, Option<u16>), Refusal> {
    host_and_port(value.to_str().map_err(|_| Refusal::Host)?)
}

fn host_and_port(text: &str) -> Result<(String, Option<u16>), Refusal> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or(Refusal::Host)?;
        let address: Ipv6Addr = address.parse().map_err(|_| Refusal::Host)?;
        let port = match port {
            "" => None,
            port => Some(port.strip_prefix(':').ok_or(Refusal::Host).and_then(port_number)?),
        };
        return Ok((address.to_string(), port));
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port_number(port)?)),
        None => (text, None),
    };
    let host = host.to_ascii_lowercase();
    let is_name = host.len() <= 253 && host.split('.').all(|label| Label::check(label).is_ok());
    // "1.2.3.04" or "0x7f.1" would be read as an address by some and as a name by others.
    let last = host.rsplit('.').next().unwrap_or_default();
    let looks_like_address = last.starts_with(|c: char| c.is_ascii_digit());
    if !is_name || (looks_like_address && host.parse::<Ipv4Addr>().is_err()) {
        return Err(Refusal::Host);
    }
    Ok((host, port))
}

fn port_number(text: &str) -> Result<u16, Refusal> {
    let digits = !text.is_empty() && text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().map_err(|_| Refusal::Host) } else { Err(Refusal::Host) }
}

/// The strictest rule that a path meets; refuses paths that meet none.
fn path(uri: &Uri) -> Result<PathRule, Refusal> {
    let path = uri.path();
    if !path.starts_with('/') {
        return Err(Refusal::Target);
    }
    if path.bytes().any(|byte| byte <= b' ' || byte >= 0x7f || matches!(byte, b'\\' | b'#')) {
        return Err(Refusal::Path);
    }
    let mut rule = if path.contains("//") { PathRule::Upstream } else { PathRule::Own };
    for (at, _) in path.match_indices('%') {
        let code = path.get(at + 1..at + 3).filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok()).ok_or(Refusal::Path)?;
        match byte {
            0..b' ' | 0x7f => return Err(Refusal::Path),
            b'/' | b'\\' => rule = PathRule::Upstream,
            _ => {}
        }
    }
    let dots = match rule {
        PathRule::Own => path.split('/').any(is_dots),
        PathRule::Upstream => slashes_decoded(path).split('/').any(is_dots),
    };
    if dots { Err(Refusal::Path) } else { Ok(rule) }
}

/// The path as somebody reads it who takes encoded slashes and backslashes for slashes.
fn slashes_decoded(path: &str) -> String {
    ["%2f", "%2F", "%5c", "%5C"].iter().fold(path.to_owned(), |path, code| path.replace(code, "/"))
}

/// Whether a segment is `.` or `..` in any spelling; some upstreams cut `;…` off first.
fn is_dots(segment: &str) -> bool {
    let dots = segment.split(';').next().unwrap_or_default();
    let mut rest = dots;
    let mut count = 0;
    while !rest.is_empty() {
        let Some(next) =
            rest.strip_prefix('.').or_else(|| rest.strip_prefix("%2e")).or_else(|| rest.strip_prefix("%2E"))
        else {
            return false;
        };
        rest = next;
        count += 1;
    }
    count == 1 || count == 2
}

/// One way to tell the body's length (RFC 9112 §6.3). hyper has removed a Content-Length that
/// stood beside a Transfer-Encoding and closes such a connection after the answer.
fn framing(head: &Parts) -> Result<(), Refusal> {
    let codings: Vec<&HeaderValue> = head.headers.get_all(TRANSFER_ENCODING).iter().collect();
    let lengths = head.headers.get_all(CONTENT_LENGTH).iter().count();
    match codings.as_slice() {
        [] => {}
        [coding]
            if coding.as_bytes().eq_ignore_ascii_case(b"chunked") && head.version == Version::HTTP_11 => {}
        _ => return Err(Refusal::TransferEncoding),
    }
    let digits = |value: &HeaderValue| !value.is_empty() && value.as_bytes().iter().all(u8::is_ascii_digit);
    let all_digits = head.headers.get_all(CONTENT_LENGTH).iter().all(digits);
    if lengths > 1 || !all_digits || (lengths == 1 && !codings.is_empty()) {
        return Err(Refusal::Framing);
    }
    Ok(())
}

fn expectation(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut lines = headers.get_all(EXPECT).iter();
    let known = |line: &HeaderValue| line.as_bytes().eq_ignore_ascii_case(b"100-continue");
    match (lines.next(), lines.next()) {
        (None, _) => Ok(()),
        (Some(line), None) if known(line) => Ok(()),
        (Some(_), _) => Err(Refusal::Expectation),
    }
}

fn has_body(headers: &HeaderMap) -> bool {
    let some = |value: &HeaderValue| value.as_bytes().iter().any(|byte| *byte != b'0');
    headers.contains_key(TRANSFER_ENCODING) || headers.get_all(CONTENT_LENGTH).iter().any(some)
}

fn extended_connect(head: &Parts) -> Result<Upgrade, Refusal> {
    if has_body(&head.headers) { Err(Refusal::Upgrade) } else { Ok(Upgrade::Http2) }
}

fn websocket(head: &Parts, protocol: Protocol) -> Result<Upgrade, Refusal> {
    let mut lines = head.headers.get_all(UPGRADE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return Ok(Upgrade::None) };
    let nominated = head.headers.get_all(CONNECTION).iter().filter_map(|line| line.to_str().ok());
    let nominated =
        nominated.flat_map(|line| line.split(',')).any(|token| token.trim().eq_ignore_ascii_case("upgrade"));
    let asks = line.as_bytes().eq_ignore_ascii_case(b"websocket") && nominated;
    if !asks || protocol == Protocol::Http2 || head.version != Version::HTTP_11 {
        return Ok(Upgrade::None);
    }
    let mut keys = head.headers.get_all("sec-websocket-key").iter();
    let well_formed = |key: &HeaderValue| key.len() == 24 && key.as_bytes().ends_with(b"==");
    let one_key = keys.next().is_some_and(well_formed) && keys.next().is_none();
    if head.method != Method::GET || has_body(&head.headers) || !one_key {
        return Err(Refusal::Upgrade);
    }
    Ok(Upgrade::Http1)
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;

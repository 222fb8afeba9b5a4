//! One line for each request, written when its answer's last byte has gone.

use std::borrow::Cow;
use std::net::IpAddr;

use http::{HeaderValue, Method, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use tokio::time::Instant;
use tracing::{debug, info};
use uuid::Uuid;

use super::peer::{Peer, Protocol};
use crate::telemetry::names;

/// The names of query parameters whose values are secrets.
const SECRET_PARAMETERS: [&str; 5] = ["ticket", "token", "access_token", "password", "code"];

/// Paths that are asked all the time and mean nothing.
const HEARTBEATS: [&str; 2] = ["/health", "/.berth/ping"];

/// What is logged in the place of a capability.
const HIDDEN: &str = "~(hidden)";

/// A request's id: UUID version 7, new for every request; also the answer's `x-request-id`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RequestId(Uuid);

impl RequestId {
    /// Draws one.
    #[must_use]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// As a header's value.
    #[must_use]
    pub fn header(self) -> HeaderValue {
        let mut buffer = Uuid::encode_buffer();
        HeaderValue::from_str(self.0.hyphenated().encode_lower(&mut buffer))
            .expect("a UUID has only hexadecimal digits and hyphens")
    }
}

impl Default for RequestId {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Which edge answered.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Edge {
    /// The portal: pages, API, static files.
    Control,
    /// A session's container, or the viewer's socket to it.
    Data,
    /// None: the request was refused before.
    #[default]
    None,
}

impl Edge {
    /// The stable name used in metrics and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Data => "data",
            Self::None => "none",
        }
    }
}

/// What only the edge knows of a request; it puts this among its response's extensions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AccessFacts {
    /// Which edge answered.
    pub edge: Edge,
    /// The name of the user who asked.
    pub user: Option<String>,
    /// The label of the session it was about.
    pub session: Option<String>,
}

/// A request on its way to its line.
#[derive(Debug)]
pub(super) struct Access {
    id: RequestId,
    begun: Instant,
    method: Method,
    host: String,
    path: String,
    address: IpAddr,
    protocol: Protocol,
    /// Known once the head is answered.
    answer: Option<(StatusCode, AccessFacts)>,
}

impl Access {
    pub(super) fn begin(id: RequestId, method: &Method, host: &str, uri: &Uri, peer: &Peer) -> Self {
        Self {
            id,
            begun: Instant::now(),
            method: method.clone(),
            host: clean(host).into_owned(),
            path: logged_path(uri),
            address: peer.address.ip(),
            protocol: peer.protocol,
            answer: None,
        }
    }

    pub(super) fn answered(&mut self, status: StatusCode, facts: AccessFacts) {
        self.answer = Some((status, facts));
    }

    /// Writes the line. A request that was given up before its answer has status 499, as is the custom.
    pub(super) fn end(self, bytes: u64) {
        let (status, facts) =
            self.answer.map_or((499, AccessFacts::default()), |(status, facts)| (status.as_u16(), facts));
        let duration = self.begun.elapsed();
        let edge = facts.edge.name();
        metrics::counter!(names::REQUESTS, "edge" => edge, "class" => class(status)).increment(1);
        metrics::histogram!(names::REQUEST_SECONDS, "edge" => edge).record(duration.as_secs_f64());
        // Every open page measures its network by these; their lines would drown all others.
        if HEARTBEATS.contains(&self.path.as_str()) {
            debug!(target: "berth::access", request_id = %self.id, path = %self.path, status, "request");
            return;
        }
        info!(
            target: "berth::access",
            request_id = %self.id,
            method = %self.method,
            host = %self.host,
            path = %self.path,
            status,
            bytes,
            duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            peer = %self.address,
            user = facts.user.as_deref().map(clean).as_deref(),
            session = facts.session.as_deref().map(clean).as_deref(),
            protocol = self.protocol.name(),
            edge,
            "request"
        );
    }
}

fn class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

/// Path and query, with the values of secret parameters and every capability left out.
fn logged_path(uri: &Uri) -> String {
    let segments: Vec<Cow<'_, str>> = uri
        .path()
        .split('/')
        .map(|part| if is_capability(part) { HIDDEN.into() } else { clean(part) })
        .collect();
    let mut logged = segments.join("/");
    let Some(query) = uri.query() else { return logged };
    let mut separator = '?';
    for pair in query.split('&') {
        logged.push(separator);
        separator = '&';
        match pair.split_once('=') {
            Some((name, value)) if is_secret(name) || carries_secret(value) => {
                logged.push_str(&clean(name));
                logged.push_str("=(hidden)");
            }
            Some(_) | None => logged.push_str(&clean(pair)),
        }
    }
    logged
}

/// Whether a path's segment is what lets a sandboxed page act for a login (`proxy::capability`):
/// `~` and 16 bytes in base64url. Wherever it stands: better one segment too many is hidden.
fn is_capability(segment: &str) -> bool {
    let base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    segment.strip_prefix('~').is_some_and(|text| text.len() == 22 && text.bytes().all(base64url))
}

fn is_secret(name: &str) -> bool {
    let name = percent_decode_str(name).decode_utf8_lossy();
    SECRET_PARAMETERS.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

/// Whether a value is itself an address with a secret parameter, as `next` of the login page may be.
fn carries_secret(value: &str) -> bool {
    let value = percent_decode_str(value).decode_utf8_lossy();
    let query = value.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter_map(|pair| pair.split_once('=')).any(|(name, _)| is_secret(name))
}

/// The text with control characters written out, so that nothing can break or colour a line.
fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    let written = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(written).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_parameters_are_hidden_in_any_spelling() {
        let logged = |uri: &str| logged_path(&uri.parse().unwrap());
        assert_eq!(logged("/a"), "/a");
        assert_eq!(logged("/a?b=1&ticket=abc&c"), "/a?b=1&ticket=(hidden)&c");
        assert_eq!(logged("/a?t%6Fken=abc&TOKEN=x"), "/a?t%6Fken=(hidden)&TOKEN=(hidden)");
        assert_eq!(logged("/a?tickets=abc"), "/a?tickets=abc");
        assert_eq!(logged("/login?next=/join%3Ftoken%3Dabc"), "/login?next=(hidden)");
        assert_eq!(logged("/login?next=/s/a/%3Fx%3D1"), "/login?next=/s/a/%3Fx%3D1");
    }

    #[test]
    fn capabilities_are_hidden_wherever_they_stand() {
        let logged = |uri: &str| logged_path(&uri.parse().unwrap());
        let capability = "Ab-_5678901234567890Zz";
        assert_eq!(logged(&format!("/s/kx2/~{capability}/a?b=1")), "/s/kx2/~(hidden)/a?b=1");
        assert_eq!(logged(&format!("/s/kx2/~{capability}")), "/s/kx2/~(hidden)");
        assert_eq!(logged(&format!("/a//~{capability}/~{capability}/")), "/a//~(hidden)/~(hidden)/");
        for other in ["/~ann/", "/s/kx2/~Ab/", "/~Ab-_5678901234567890Zzz", "/Ab-_5678901234567890Zz"] {
            assert_eq!(logged(other), other);
        }
    }

    #[test]
    fn control_characters_cannot_break_a_line() {
        assert_eq!(clean("a\nb\x1b[31m\u{9b}"), "a\\nb\\u{1b}[31m\\u{9b}");
        assert_eq!(clean("Zoë ✏️"), "Zoë ✏️");
    }

    #[test]
    fn ids_are_version_7_and_fit_a_header() {
        let id = RequestId::new();
        assert_eq!(id.0.get_version_num(), 7);
        assert_eq!(id.header().to_str().unwrap(), id.to_string());
    }
}

//! Which headers cross the gateway, and how they change: pure functions on a header map.
//!
//! Towards the container: hop-by-hop fields go (RFC 9110 §7.6.1), every claim about who the
//! client is goes and is replaced by what the gateway knows, and so does every secret of ours.
//! Towards the browser: hop-by-hop fields go, and nothing a container says may reach beyond its
//! own origin or prefix. `Via` is left out on purpose: it would tell every container's pages that
//! and where a gateway stands, and loops cannot arise because no container address is routable.

mod cookies;
mod location;

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

pub use self::cookies::confine;
pub use self::location::rewrite;
use crate::auth::cookies::strip_own;

/// What the header rules must know of a request: where the browser believes to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Host and port as the browser sent them; validated by the server.
    pub authority: String,
    /// What precedes the container's own paths: empty on a session's own host, otherwise
    /// `/s/<label>` or `/s/<label>/~<capability>`; no slash at the end.
    pub prefix: String,
    /// Whether the container's pages are kept in an opaque origin.
    pub sandboxed: bool,
    /// Whether the request came from such an origin (`Origin: null` under a capability).
    pub from_sandbox: bool,
    /// The browser's address.
    pub peer: IpAddr,
    /// The container's port.
    pub upstream_port: u16,
}

/// What a sandboxed page may do: everything but share our origin.
pub const SANDBOX: &str =
    "sandbox allow-scripts allow-forms allow-popups allow-modals allow-downloads allow-pointer-lock";

/// The most cookies one response may set; more are how a container would push ours out of the
/// browser's jar.
const MAX_SET_COOKIES: usize = 32;

/// Fields of one hop (RFC 9110 §7.6.1 and what is known to be treated like them).
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Claims about the client that only the gateway may make; all of `x-forwarded-*` besides.
const CLAIMS: [&str; 14] = [
    "cf-connecting-ip",
    "client-ip",
    "forwarded",
    "proxy",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-forwarded",
    "x-host",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
    "x-scheme",
    "x-url-scheme",
];

/// Fields with which a response would speak for the whole host, not for itself.
const HOST_WIDE: [&str; 7] = [
    "alt-svc",
    "clear-site-data",
    "expect-ct",
    "public-key-pins",
    "public-key-pins-report-only",
    "sec-session-registration",
    "strict-transport-security",
];

/// Fields that speak for the origin, which in path mode is the portal's.
const ORIGIN_WIDE: [&str; 5] =
    ["nel", "report-to", "reporting-endpoints", "service-worker-allowed", "accept-ch"];

/// Fields that an opaque origin cannot live with, or that are ours to say for it.
const NOT_FOR_SANDBOX: [&str; 8] = [
    "access-control-allow-credentials",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "referrer-policy",
    "x-content-type-options",
];

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// Whether a `Connection`-like list field has this token (RFC 9110 §5.6.1), in any case.
#[must_use]
pub fn lists(headers: &HeaderMap, field: HeaderName, token: &str) -> bool {
    headers
        .get_all(field)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split(',').any(|item| item.trim().eq_ignore_ascii_case(token)))
}

/// Makes request headers fit for the container.
pub fn to_upstream(headers: &mut HeaderMap, place: &Place) {
    let trailers = only_trailers(headers);
    // Nominated fields go before ours are added: `Connection: X-Forwarded-For` must not strip
    // what the gateway says.
    strip_hop_by_hop(headers);
    strip_claims(headers);
    // hyper has answered or will answer 100; a second hop must not wait for it again.
    headers.remove(header::EXPECT);
    // The body is framed anew from the bytes that arrive, never from a declared length.
    headers.remove(header::CONTENT_LENGTH);
    match strip_own(headers) {
        Some(cookies) => headers.insert(header::COOKIE, cookies),
        None => headers.remove(header::COOKIE),
    };
    if trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
    }
    claim(headers, place);
}

/// Makes response headers fit for the browser.
pub fn to_browser(headers: &mut HeaderMap, place: &Place) {
    strip_hop_by_hop(headers);
    remove_all(headers, &HOST_WIDE);
    for field in [header::LOCATION, header::CONTENT_LOCATION] {
        replace(headers, &field, |value| rewrite(value, place));
    }
    replace(headers, &header::REFRESH, |value| location::rewrite_refresh(value, place));
    cookies::confine_all(headers, place, MAX_SET_COOKIES);
    if !place.prefix.is_empty() {
        remove_all(headers, &ORIGIN_WIDE);
    }
    if place.sandboxed {
        sandbox(headers, place);
    }
}

/// The answer to a preflight from a sandboxed page (Fetch standard, CORS-preflight). Its app
/// believes to be on its own origin and knows nothing of CORS, so the gateway answers.
pub fn preflight(request: &HeaderMap, answer: &mut HeaderMap) {
    for (asked, allowed) in [
        (header::ACCESS_CONTROL_REQUEST_METHOD, header::ACCESS_CONTROL_ALLOW_METHODS),
        (header::ACCESS_CONTROL_REQUEST_HEADERS, header::ACCESS_CONTROL_ALLOW_HEADERS),
    ] {
        if let Some(value) = request.get(asked) {
            answer.insert(allowed, value.clone());
        }
    }
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    share_with_sandbox(answer);
}

/// Keeps the page out of the portal's origin. The policy is added, not replaced: policies of
/// several fields all apply (CSP §8.1), so the container's own can only tighten it.
fn sandbox(headers: &mut HeaderMap, place: &Place) {
    remove_all(headers, &NOT_FOR_SANDBOX);
    headers.append(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // The capability is in the URL.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if place.from_sandbox {
        share_with_sandbox(headers);
    }
}

/// Lets the opaque origin read what it asked for. Every sandboxed page of the world has the
/// origin `null`, but only this session's know the capability in the URL.
fn share_with_sandbox(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("null"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
    headers.append(header::VARY, HeaderValue::from_static("origin"));
}

fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let nominated: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|token| HeaderName::from_bytes(token.trim().as_bytes()).ok())
        // A request cannot be made anonymous to the app by nominating its end-to-end basics.
        .filter(|name| *name != header::HOST && *name != header::COOKIE && *name != header::SET_COOKIE)
        .collect();
    for name in nominated {
        headers.remove(name);
    }
    remove_all(headers, &HOP_BY_HOP);
}

fn strip_claims(headers: &mut HeaderMap) {
    remove_all(headers, &CLAIMS);
    let forwarded: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("x-forwarded-")).cloned().collect();
    for name in forwarded {
        headers.remove(name);
    }
    // Frameworks that read CGI variables take `X_Forwarded_For` for `X-Forwarded-For`.
    let look_alikes: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().contains('_')).cloned().collect();
    for name in look_alikes {
        headers.remove(name);
    }
}

fn claim(headers: &mut HeaderMap, place: &Place) {
    if let Ok(host) = HeaderValue::from_str(&place.authority) {
        headers.insert(header::HOST, host.clone());
        headers.insert(FORWARDED_HOST, host);
    }
    if let Ok(peer) = HeaderValue::from_str(&place.peer.to_canonical().to_string()) {
        headers.insert(FORWARDED_FOR, peer);
    }
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static("https"));
    if let Ok(port) = HeaderValue::from_str(place.port()) {
        headers.insert(FORWARDED_PORT, port);
    }
    // The app believes to be on one origin, and the capability has shown that it is.
    if place.from_sandbox
        && let Ok(origin) = HeaderValue::from_str(&place.origin())
    {
        headers.insert(header::ORIGIN, origin);
    }
    if !place.prefix.is_empty()
        && let Ok(prefix) = HeaderValue::from_str(&place.prefix)
    {
        headers.insert(FORWARDED_PREFIX, prefix);
    }
}

impl Place {
    /// The origin of the gateway as this browser sees it (RFC 6454 §6.2).
    #[must_use]
    pub fn origin(&self) -> String {
        let authority = self.authority.strip_suffix(":443").unwrap_or(&self.authority);
        format!("https://{}", authority.to_ascii_lowercase())
    }

    /// The gateway's port as this browser sees it.
    #[must_use]
    pub fn port(&self) -> &str {
        match self.authority.rsplit_once(':') {
            // The colons of an IPv6 address are inside brackets.
            Some((_, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !port.is_empty() => port,
            Some(_) | None => "443",
        }
    }
}

/// Whether the only transfer coding asked for is `trailers` (RFC 9110 §10.1.4).
fn only_trailers(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::TE).iter();
    values.next().is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"trailers"))
        && values.next().is_none()
}

fn remove_all(headers: &mut HeaderMap, names: &[&str]) {
    for name in names {
        headers.remove(*name);
    }
}

/// Replaces a single-valued field, or removes it if `change` refuses it or it is doubled.
fn replace(headers: &mut HeaderMap, field: &HeaderName, change: impl Fn(&str) -> Option<String>) {
    let mut values = headers.get_all(field).iter();
    let Some(first) = values.next() else { return };
    let doubled = values.next().is_some();
    let changed = first.to_str().ok().filter(|_| !doubled).and_then(&change);
    match changed.and_then(|value| HeaderValue::from_str(&value).ok()) {
        Some(value) => headers.insert(field, value),
        None => headers.remove(field),
    };
}

#[cfg(test)]
mod tests;

//! A container's cookies never reach beyond its place. (Ours are kept back by `auth::cookies`.)

use cookie::Cookie;
use http::header::{self, HeaderMap, HeaderValue};

use super::Place;
use super::location::under;

fn is_prefixed(name: &str) -> bool {
    let starts =
        |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    starts("__host-") || starts("__secure-") || starts("__http-") || starts("__hosthttp-")
}

/// Confines every cookie a response sets, and drops those that cannot be confined.
pub(super) fn confine_all(headers: &mut HeaderMap, place: &Place, most: usize) {
    let confined: Vec<HeaderValue> = headers
        .get_all(header::SET_COOKIE)
        .iter()
        .take(most)
        .filter_map(|value| confine(value.to_str().ok()?, place))
        .filter_map(|value| HeaderValue::from_str(&value).ok())
        .collect();
    headers.remove(header::SET_COOKIE);
    for value in confined {
        headers.append(header::SET_COOKIE, value);
    }
}

/// A container's `Set-Cookie` for the browser: without `Domain`, `Secure`, and in path mode with
/// a `Path` under the prefix. `None` for names that only the gateway may use (RFC 6265bis §4.1.3)
/// and for cookies without a name, whose value browsers take for a name.
#[must_use]
pub fn confine(value: &str, place: &Place) -> Option<String> {
    let mut cookie = Cookie::parse(value).ok()?;
    let token = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&b))
    };
    if !token(cookie.name()) || is_prefixed(cookie.name()) {
        return None;
    }
    cookie.unset_domain();
    cookie.set_secure(true);
    if !place.prefix.is_empty() {
        let path = cookie.path().filter(|path| path.starts_with('/')).unwrap_or("/");
        let confined = under(path, place);
        cookie.set_path(confined);
    }
    Some(cookie.to_string())
}

//! Where a container may send the browser.

use super::Place;

/// The value of `Location` or `Content-Location` for the browser; `None` drops the field.
///
/// Paths stay within the container's prefix. Absolute URLs of the gateway itself, of localhost
/// or of the container's own address mean the container and become paths. Other `http(s)` URLs
/// are left alone: apps redirect to sign-in pages elsewhere. `//host`, `/\host`, other schemes,
/// user names in URLs and control characters are dropped: browsers disagree on what they mean.
#[must_use]
pub fn rewrite(value: &str, place: &Place) -> Option<String> {
    let value = value.trim();
    if value.bytes().any(|b| b.is_ascii_control() || b == b'\\' || b == b' ') {
        return None;
    }
    if value.starts_with("//") {
        return None;
    }
    if value.starts_with('/') {
        return Some(under(value, place));
    }
    let Some((scheme, rest)) = split_scheme(value) else {
        return Some(value.to_owned());
    };
    let rest = rest.strip_prefix("//")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.is_empty() || authority.contains('@') {
        return None;
    }
    if !means_the_container(authority, place) {
        return Some(value.to_owned());
    }
    // `https://localhost//evil` must not become the network path `//evil`.
    let path = format!("/{}", path.trim_start_matches('/'));
    Some(under(&path, place))
}

/// `Refresh: 5; url=/x`: its URL like a `Location`.
pub(super) fn rewrite_refresh(value: &str, place: &Place) -> Option<String> {
    let Some((seconds, target)) = value.split_once([';', ',']) else {
        return Some(value.to_owned());
    };
    let target = target.trim();
    let target = match target.get(..4) {
        Some(name) if name.eq_ignore_ascii_case("url=") => &target[4..],
        Some(_) | None => target,
    };
    let target = target.trim().trim_matches(['"', '\'']);
    Some(format!("{}; url={}", seconds.trim(), rewrite(target, place)?))
}

/// An absolute path within the prefix. One that is there already stays: the app may honour
/// `X-Forwarded-Prefix`.
pub(super) fn under(path: &str, place: &Place) -> String {
    let inside = path
        .strip_prefix(place.prefix.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']));
    if inside || place.prefix.is_empty() { path.to_owned() } else { format!("{}{path}", place.prefix) }
}

/// `scheme` and what follows its colon (RFC 3986 §3.1), if the value has one.
fn split_scheme(value: &str) -> Option<(&str, &str)> {
    let end = value.find([':', '/', '?', '#']).filter(|end| value.as_bytes()[*end] == b':')?;
    Some((&value[..end], &value[end + 1..]))
}

fn means_the_container(authority: &str, place: &Place) -> bool {
    if authority.eq_ignore_ascii_case(&place.authority) {
        return true;
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, port),
        Some(_) | None => (authority, ""),
    };
    let name = host.trim_start_matches('[').trim_end_matches(']');
    // Without a port, or with another one: the app may think that its public port is its own.
    if name.eq_ignore_ascii_case("localhost") || ["127.0.0.1", "0.0.0.0", "::1", "::"].contains(&name) {
        return true;
    }
    let own = place.authority.rsplit_once(':').map_or(place.authority.as_str(), |(host, _)| host);
    let upstream_port = port.parse() == Ok(place.upstream_port);
    // The app took the host from the request and the port from its own configuration, or the
    // address from its own interface.
    (host.eq_ignore_ascii_case(own) && (port.is_empty() || upstream_port))
        || (name.parse::<std::net::IpAddr>().is_ok() && upstream_port)
}

//! Who is on the other end of a downstream connection.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

use super::connection::Activity;
use super::drain::{Drain, UpgradedGuard};

/// What the connection speaks; ALPN alone decides.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// HTTP/1.1 and 1.0 (RFC 9112).
    Http1,
    /// HTTP/2 (RFC 9113).
    Http2,
}

impl Protocol {
    /// The stable name used in logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Http1 => "h1",
            Self::Http2 => "h2",
        }
    }
}

/// The other end of a connection, shared by its requests; behind a trusted proxy each request
/// has its own.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The browser's address. Behind a trusted proxy the port is 0: the proxy does not tell it.
    pub address: SocketAddr,
    /// What the connection speaks.
    pub protocol: Protocol,
    /// The name in the TLS greeting, if there was one.
    pub tls_server_name: Option<String>,
    drain: Drain,
    activity: Activity,
}

impl Peer {
    /// A peer on a connection that `drain` counts.
    #[must_use]
    pub fn new(
        address: SocketAddr,
        protocol: Protocol,
        tls_server_name: Option<String>,
        drain: Drain,
    ) -> Self {
        Self { address, protocol, tls_server_name, drain, activity: Activity::default() }
    }

    /// Taken by whatever takes over a socket after an upgrade, and kept until that socket ends:
    /// the connection is in use and the drain waits for it.
    #[must_use]
    pub fn upgraded(&self) -> UpgradedGuard {
        self.drain.upgraded().keeping(self.activity.enter())
    }

    pub(super) fn activity(&self) -> &Activity {
        &self.activity
    }

    /// The same peer at another address.
    pub(super) fn at(&self, address: IpAddr) -> Self {
        Self { address: SocketAddr::new(address, 0), ..self.clone() }
    }
}

/// The address a request really comes from: the rightmost one of the connection and
/// `X-Forwarded-For` that no network in `trusted` has. What stands left of it anyone may have
/// written. `None` means the connection's own.
#[must_use]
pub fn forwarded_for(connection: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    if !is_trusted(connection, trusted) {
        return None;
    }
    let mut found = None;
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    // A line that is no text is one hop that cannot be read, as is an empty one.
    for hop in lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',')) {
        // Whatever stands left of something unreadable cannot be placed.
        let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
        let address = address.to_canonical();
        found = Some(address);
        if !is_trusted(address, trusted) {
            break;
        }
    }
    found
}

/// Whether one of the networks has the address.
pub(super) fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_rightmost_untrusted_address_counts() {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let from = |connection: &str, lines: &[&str]| {
            forwarded_for(connection.parse().unwrap(), &headers(lines), &trusted)
                .map(|address| address.to_string())
        };
        let is = |address: &str| Some(address.to_owned());
        assert_eq!(from("192.0.2.1", &["1.2.3.4"]), None, "an untrusted peer is not believed");
        assert_eq!(from("10.0.0.1", &[]), None);
        assert_eq!(from("10.0.0.1", &["1.2.3.4"]), is("1.2.3.4"));
        assert_eq!(from("10.0.0.1", &["6.6.6.6, 1.2.3.4"]), is("1.2.3.4"));
        assert_eq!(from("10.0.0.1", &["6.6.6.6", "1.2.3.4, 10.0.0.2"]), is("1.2.3.4"));
        assert_eq!(from("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), is("10.0.0.3"));
        assert_eq!(from("10.0.0.1", &["6.6.6.6, junk, 10.0.0.2"]), is("10.0.0.2"));
        assert_eq!(from("10.0.0.1", &["junk"]), None);
        assert_eq!(from("10.0.0.1", &["6.6.6.6", "", "10.0.0.2"]), is("10.0.0.2"));
        assert_eq!(from("::1", &["2001:db8::1"]), is("2001:db8::1"));
        assert_eq!(from("::1", &["::ffff:1.2.3.4"]), is("1.2.3.4"));
    }

    /// Lines were read from the left up to the first unreadable one, so that its sender could hide
    /// what a proxy had appended, and be taken for whoever the lines left of it named.
    #[test]
    fn an_unreadable_line_hides_nothing_to_its_right() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let mut lines = headers(&["6.6.6.6"]);
        lines.append("x-forwarded-for", http::HeaderValue::from_bytes(b"\xff").unwrap());
        lines.append("x-forwarded-for", "1.2.3.4".parse().unwrap());
        lines.append("x-forwarded-for", "10.0.0.2".parse().unwrap());
        let connection = "10.0.0.1".parse().unwrap();
        let is = |address: &str| Some(address.parse::<IpAddr>().unwrap());
        assert_eq!(forwarded_for(connection, &lines, &trusted), is("1.2.3.4"));
        let mut lines = headers(&["6.6.6.6"]);
        lines.append("x-forwarded-for", http::HeaderValue::from_bytes(b"\xff").unwrap());
        lines.append("x-forwarded-for", "10.0.0.2".parse().unwrap());
        assert_eq!(forwarded_for(connection, &lines, &trusted), is("10.0.0.2"));
    }
}

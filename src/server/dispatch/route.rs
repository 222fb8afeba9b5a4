//! Host and path to an edge: pure, without allocation.

use crate::session::Label;

/// The path prefix of sessions in path mode.
pub const SESSION_PREFIX: &str = "/s/";

/// Where a request goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RouteKey<'a> {
    /// The host is neither the portal nor under it.
    Foreign,
    /// A page, form or API of the portal.
    Portal,
    /// A session in path mode: `/s/<label>/<rest>`.
    SessionPath {
        /// The session's label.
        label: &'a str,
        /// What follows `/s/<label>`: empty, or beginning with `/`.
        rest: &'a str,
    },
    /// A session on its own host: `<label>.<domain>`.
    SessionHost {
        /// The session's label.
        label: &'a str,
    },
    /// Under `/s/` or `<something>.<domain>`, but no label: answered like a missing session.
    NoSession,
}

impl<'a> RouteKey<'a> {
    /// Parses a host (without port, in any case) and a path that were validated before.
    #[must_use]
    pub fn parse(host: &'a str, path: &'a str, domain: &str) -> Self {
        if host.eq_ignore_ascii_case(domain) {
            return Self::on_portal(path);
        }
        let Some(cut) = host.len().checked_sub(domain.len()) else { return Self::Foreign };
        let under = host.is_char_boundary(cut)
            && host[cut..].eq_ignore_ascii_case(domain)
            && host[..cut].ends_with('.');
        if !under {
            return Self::Foreign;
        }
        let label = &host[..cut - 1];
        if Label::check(label).is_ok() { Self::SessionHost { label } } else { Self::NoSession }
    }

    fn on_portal(path: &'a str) -> Self {
        let Some(after) = path.strip_prefix(SESSION_PREFIX) else { return Self::Portal };
        let (label, rest) = after.find('/').map_or((after, ""), |slash| after.split_at(slash));
        if Label::check(label).is_ok() { Self::SessionPath { label, rest } } else { Self::NoSession }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hosts_and_paths_lead_to_one_place_each() {
        let table = [
            ("lab.example", "/", RouteKey::Portal),
            ("LAB.Example", "/login", RouteKey::Portal),
            ("lab.example", "/s", RouteKey::Portal),
            ("lab.example", "/s/abc", RouteKey::SessionPath { label: "abc", rest: "" }),
            ("lab.example", "/s/abc/", RouteKey::SessionPath { label: "abc", rest: "/" }),
            ("lab.example", "/s/abc/rfb", RouteKey::SessionPath { label: "abc", rest: "/rfb" }),
            ("lab.example", "/s/", RouteKey::NoSession),
            ("lab.example", "/s//x", RouteKey::NoSession),
            ("lab.example", "/s/ABC/", RouteKey::NoSession),
            ("lab.example", "/s/%61bc/", RouteKey::NoSession),
            ("lab.example", "/s/../x", RouteKey::NoSession),
            ("lab.example", "/s/a%2fb/", RouteKey::NoSession),
            ("abc.lab.example", "/anything", RouteKey::SessionHost { label: "abc" }),
            ("abc.LAB.example", "/", RouteKey::SessionHost { label: "abc" }),
            ("a.b.lab.example", "/", RouteKey::NoSession),
            ("ABC.lab.example", "/", RouteKey::NoSession),
            (".lab.example", "/", RouteKey::NoSession),
            ("evillab.example", "/", RouteKey::Foreign),
            ("lab.example.evil", "/", RouteKey::Foreign),
            ("example", "/", RouteKey::Foreign),
            ("", "/", RouteKey::Foreign),
            ("127.0.0.1", "/", RouteKey::Foreign),
        ];
        for (host, path, expected) in table {
            assert_eq!(RouteKey::parse(host, path, "lab.example"), expected, "{host} {path}");
        }
        let long = "a".repeat(64);
        let path = format!("/s/{long}/");
        assert_eq!(RouteKey::parse("lab.example", &path, "lab.example"), RouteKey::NoSession);
    }

    proptest! {
        #[test]
        fn any_text_is_routed_and_only_valid_labels_reach_a_session(host in ".{0,80}", path in ".{0,80}") {
            match RouteKey::parse(&host, &path, "lab.example") {
                RouteKey::SessionHost { label } | RouteKey::SessionPath { label, .. } => {
                    prop_assert!(Label::check(label).is_ok());
                }
                RouteKey::Foreign | RouteKey::NoSession | RouteKey::Portal => {}
            }
        }
    }
}

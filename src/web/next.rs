//! Where to go after a login: only ever to a path of our own.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays readable in `?next=`.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The longest `next` that is believed; no path of ours comes near it.
const LONGEST: usize = 1024;

/// A path on this origin that is safe to redirect to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NextPath(String);

impl NextPath {
    /// Takes what a request brought; anything doubtful becomes the dashboard.
    ///
    /// A browser reads `//host`, `/\host` and `/<tab>/host` as another host, so a path starts with
    /// exactly one slash and has no backslash, control character or byte beyond ASCII anywhere.
    /// The query is kept; a fragment never reaches a server.
    pub fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let visible = bytes.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'\\');
        let ours = bytes.first() == Some(&b'/') && bytes.get(1) != Some(&b'/');
        // `/./` and `/../` are resolved by the browser and could leave `//` behind.
        let path = text.split(['?', '#']).next().unwrap_or_default();
        let dotted = path.split('/').any(|part| part == "." || part == "..") || path.contains("//");
        let again = path == "/login" || path == "/logout";
        if visible && ours && !dotted && !again && !encodes_trouble(path) && text.len() <= LONGEST {
            return Self(text.to_owned());
        }
        Self("/".to_owned())
    }

    /// The path, as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The login page that leads here afterwards.
    pub fn login(&self) -> String {
        match self.0.as_str() {
            "/" => "/login".to_owned(),
            path => format!("/login?next={}", utf8_percent_encode(path, KEPT)),
        }
    }
}

/// Whether a path hides a dot, slash, backslash or control character behind an escape. No address
/// of ours has one, and what some hop decodes twice must not become another address.
fn encodes_trouble(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    ["%2e", "%2f", "%5c", "%0", "%1", "%7f", "%25"].iter().any(|escape| lower.contains(escape))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_ours_are_kept() {
        for path in [
            "/",
            "/admin",
            "/s/kx2mbn/",
            "/open/kx2mbn",
            "/sessions/kx2/delete?back=/admin",
            "/s/a/?q=%C3%A9//x",
        ] {
            assert_eq!(NextPath::of(path).as_str(), path);
        }
    }

    #[test]
    fn hostile_values_lead_to_the_dashboard() {
        let long = format!("/{}", "a".repeat(2000));
        for path in [
            "",
            "admin",
            "https://evil.example/",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "/ /evil.example",
            "/a//evil.example",
            "/.//evil.example",
            "/..//evil.example",
            "/x/../..//evil.example",
            "/%2e%2e//evil.example",
            "/%2f%2fevil.example",
            "/%5cevil.example",
            "/%09/evil.example",
            "/%252f/evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "/a\0b",
            "/é",
            "/\u{202e}moc",
            "http:/evil.example",
            "http:evil.example",
            "?next=//evil",
            "#//evil",
            "/login",
            "/login?next=/login",
            "/logout",
            "//",
            "/\u{2f}/evil",
            &long,
        ] {
            assert_eq!(NextPath::of(path).as_str(), "/", "{path:?}");
        }
    }

    #[test]
    fn the_login_page_carries_it_escaped() {
        assert_eq!(NextPath::of("/").login(), "/login");
        assert_eq!(NextPath::of("/s/a/?x=1&next=b").login(), "/login?next=/s/a/%3Fx%3D1%26next%3Db");
    }
}

//! Headers that every answer of the portal carries.

use http::header::{REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue};

/// Sets HSTS of one year (RFC 6797; not on `localhost`, where it would break every other
/// developer's server), and, where the answer says nothing of its own, `nosniff` and a referrer
/// policy that keeps session paths on this origin. What the data plane said stands: a sandboxed
/// page's URL has its capability in it, so its policy is the stricter one.
pub fn apply(headers: &mut HeaderMap, domain: &str) {
    if domain != "localhost" && !domain.ends_with(".localhost") {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_gets_no_hsts() {
        for (domain, hsts) in [("localhost", false), ("a.localhost", false), ("desk.example.org", true)] {
            let mut headers = HeaderMap::new();
            apply(&mut headers, domain);
            assert_eq!(headers.contains_key(STRICT_TRANSPORT_SECURITY), hsts, "{domain}");
            assert_eq!(headers["x-content-type-options"], "nosniff");
            assert_eq!(headers["referrer-policy"], "same-origin");
        }
    }

    /// The sandbox's `no-referrer` was overwritten, and its pages told their own links the capability.
    #[test]
    fn what_an_answer_says_itself_stands() {
        let mut headers = HeaderMap::new();
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        apply(&mut headers, "desk.example.org");
        assert_eq!(headers.get_all(REFERRER_POLICY).iter().collect::<Vec<_>>(), ["no-referrer"]);
    }
}

//! Was this change meant by the person, on a page of ours?
//!
//! Every change needs a token that only our pages can read *and* a request that does not come
//! from another origin. `same-site` is not enough: in subdomain mode hostile pages of containers
//! are on the same site.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::ORIGIN;
use subtle::ConstantTimeEq;

use super::{AuthError, Principal};
use crate::secret::{Secret, random_bytes};

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// The bytes of a secret of ours (`secret::random_token`), and the characters they are written in.
const SECRET_BYTES: usize = 32;
const SECRET_CHARS: usize = 43;

/// Where a request says it comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Provenance<'a> {
    /// `Sec-Fetch-Site`; what is unreadable is the empty text.
    pub site: Option<&'a str>,
    /// `Origin`; what is unreadable or sent twice is the empty text.
    pub origin: Option<&'a str>,
}

impl<'a> Provenance<'a> {
    /// Reads it from a request's headers.
    #[must_use]
    pub fn of(headers: &'a HeaderMap) -> Self {
        let only = |name: &str| {
            let mut values = headers.get_all(name).iter();
            let first = values.next()?;
            Some(if values.next().is_some() { "" } else { first.to_str().unwrap_or("") })
        };
        Self { site: only(SEC_FETCH_SITE), origin: only(ORIGIN.as_str()) }
    }

    /// Whether the request comes from `own` origin (`https://host[:port]`), or does not say. An
    /// absent `Origin` and `Sec-Fetch-Site` pass: old browsers and scripts; the token decides.
    ///
    /// # Errors
    /// [`AuthError::OriginForeign`].
    pub fn is_own(&self, own: &str) -> Result<(), AuthError> {
        let site_fits = self.site.is_none_or(|site| matches!(site, "same-origin" | "none"));
        let origin_fits = self.origin.is_none_or(|origin| origin == own);
        if site_fits && origin_fits { Ok(()) } else { Err(AuthError::OriginForeign) }
    }
}

/// Checks a change made with a login: its origin, and the token of the form or of `X-CSRF-Token`.
///
/// # Errors
/// [`AuthError::OriginForeign`], [`AuthError::CsrfFailed`].
pub fn check(
    principal: &Principal,
    presented: Option<&str>,
    provenance: Provenance<'_>,
    own: &str,
) -> Result<(), AuthError> {
    provenance.is_own(own)?;
    let presented = presented.ok_or(AuthError::CsrfFailed)?;
    same(principal.csrf.expose(), presented)
}

/// Checks a form sent before there is a login (`POST /login`): its origin, and that its token is
/// that of the [`super::cookies::FORM`] cookie. Without it, another site could log a visitor in
/// as somebody else.
///
/// The cookie's `__Host-` prefix keeps other hosts of the domain from planting one.
///
/// # Errors
/// [`AuthError::OriginForeign`], [`AuthError::CsrfFailed`].
pub fn check_form<'a>(
    mut cookies: impl Iterator<Item = &'a str>,
    presented: Option<&str>,
    provenance: Provenance<'_>,
    own: &str,
) -> Result<(), AuthError> {
    provenance.is_own(own)?;
    let presented = presented.filter(|token| !token.is_empty()).ok_or(AuthError::CsrfFailed)?;
    if cookies.any(|cookie| same(cookie, presented).is_ok()) { Ok(()) } else { Err(AuthError::CsrfFailed) }
}

/// A secret as one page has it: a mask of its own, and the secret under that mask. Pages are
/// compressed, and the size of what is compressed would tell of a secret that is always the same
/// (BREACH). Both forms are accepted.
#[must_use]
pub fn masked(secret: &Secret<String>) -> String {
    let mask = random_bytes::<SECRET_BYTES>();
    match bytes(secret.expose()) {
        Some(secret) => {
            let under: [u8; SECRET_BYTES] = std::array::from_fn(|at| secret[at] ^ mask[at]);
            URL_SAFE_NO_PAD.encode(mask) + URL_SAFE_NO_PAD.encode(under).as_str()
        }
        // Not made by us: a test's.
        None => secret.expose().clone(),
    }
}

/// The secret that somebody presents, without its mask.
fn unmasked(presented: &str) -> Cow<'_, str> {
    let halves = presented.split_at_checked(SECRET_CHARS);
    let Some((Some(mask), Some(under))) = halves.map(|(mask, under)| (bytes(mask), bytes(under))) else {
        return presented.into();
    };
    let secret: [u8; SECRET_BYTES] = std::array::from_fn(|at| mask[at] ^ under[at]);
    URL_SAFE_NO_PAD.encode(secret).into()
}

fn bytes(text: &str) -> Option<[u8; SECRET_BYTES]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

fn same(expected: &str, presented: &str) -> Result<(), AuthError> {
    let presented = unmasked(presented);
    let equal: bool = expected.as_bytes().ct_eq(presented.as_bytes()).into();
    if equal && !expected.is_empty() { Ok(()) } else { Err(AuthError::CsrfFailed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract::{sample_login, sample_user};

    const OWN: &str = "https://berth.example";

    fn code(result: Result<(), AuthError>) -> &'static str {
        use crate::fault::Answer;
        result.map_or_else(|error| error.code(), |()| "ok")
    }

    #[test]
    fn origin_and_site_are_both_believed_when_they_say_foreign() {
        let table = [
            (None, None, "ok"),
            (Some("same-origin"), None, "ok"),
            (Some("none"), None, "ok"),
            (Some("same-origin"), Some(OWN), "ok"),
            (None, Some(OWN), "ok"),
            (Some("same-site"), Some(OWN), "origin_foreign"),
            (Some("cross-site"), Some(OWN), "origin_foreign"),
            (Some("cross-site"), None, "origin_foreign"),
            (Some(""), Some(OWN), "origin_foreign"),
            (Some("same-origin"), Some("null"), "origin_foreign"),
            (None, Some("null"), "origin_foreign"),
            (None, Some(""), "origin_foreign"),
            (None, Some("http://berth.example"), "origin_foreign"),
            (None, Some("https://berth.example.evil.example"), "origin_foreign"),
            (None, Some("https://x.berth.example"), "origin_foreign"),
            (None, Some("https://berth.example:8443"), "origin_foreign"),
        ];
        let user = sample_user();
        let principal = Principal::new(&sample_login(user.id), &user);
        let token = principal.csrf.expose().as_str();
        for (site, origin, expected) in table {
            let provenance = Provenance { site, origin };
            assert_eq!(code(check(&principal, Some(token), provenance, OWN)), expected, "{provenance:?}");
            assert_eq!(
                code(check_form(["stale", token].into_iter(), Some(token), provenance, OWN)),
                expected
            );
            assert_ne!(code(check(&principal, None, provenance, OWN)), "ok", "{provenance:?}");
            assert_ne!(code(check(&principal, Some("x"), provenance, OWN)), "ok", "{provenance:?}");
        }
    }

    #[test]
    fn a_form_needs_its_cookie_and_an_empty_one_is_none() {
        let here = Provenance { site: Some("same-origin"), origin: Some(OWN) };
        assert_eq!(code(check_form(["t"].into_iter(), Some("t"), here, OWN)), "ok");
        assert_eq!(code(check_form([""].into_iter(), Some(""), here, OWN)), "csrf_failed");
        assert_eq!(code(check_form(std::iter::empty(), Some("t"), here, OWN)), "csrf_failed");
        assert_eq!(code(check_form(["t"].into_iter(), None, here, OWN)), "csrf_failed");
    }

    #[test]
    fn a_mask_is_another_in_every_page_and_hides_the_same_secret() {
        let secret = crate::secret::random_token();
        let (one, other) = (masked(&secret), masked(&secret));
        assert_ne!(one, other);
        assert!(same(secret.expose(), &one).is_ok() && same(secret.expose(), &other).is_ok());
        assert!(same(secret.expose(), secret.expose()).is_ok());
        assert!(!one.contains(secret.expose().as_str()));
        // Halves of two pages make no secret.
        let mixed = format!("{}{}", &one[..SECRET_CHARS], &other[SECRET_CHARS..]);
        assert!(same(secret.expose(), &mixed).is_err());
        assert!(same(secret.expose(), &one[..80]).is_err());
    }

    #[test]
    fn headers_sent_twice_or_unreadable_are_foreign() {
        let mut headers = HeaderMap::new();
        assert_eq!(Provenance::of(&headers), Provenance { site: None, origin: None });
        headers.append("origin", OWN.parse().unwrap());
        assert_eq!(Provenance::of(&headers).origin, Some(OWN));
        headers.append("origin", OWN.parse().unwrap());
        assert_eq!(Provenance::of(&headers).origin, Some(""));
        headers.insert("origin", http::HeaderValue::from_bytes(b"https://\xff").unwrap());
        assert_eq!(Provenance::of(&headers).origin, Some(""));
    }
}

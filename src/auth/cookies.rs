//! Our cookies: their names and attributes, reading them, and keeping them from containers.
//!
//! `__Host-` cookies belong to one host, travel only over TLS, and cannot be planted by another
//! host of the domain (RFC 6265bis §4.1.3.2).

use std::time::Duration;

use cookie::{Cookie, SameSite};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::language::Language;
use crate::look::Look;
use crate::secret::Secret;
use crate::store::Preferences;

/// The login on the portal.
pub const PORTAL: &str = "__Host-berth";
/// The login on a session's own host.
pub const SESSION: &str = "__Host-berth-session";
/// Binds forms that are sent before there is a login.
pub const FORM: &str = "__Host-berth-form";
/// How whoever uses this browser reads pages, before it is known who they are.
pub const CHOICE: &str = "__Host-berth-choice";
/// What the names of all our cookies begin with; none that does reaches a container.
const OURS: &[u8] = b"__host-berth";

/// A `Set-Cookie` value: `HttpOnly; Secure; Path=/; SameSite=Lax`, no `Domain`.
///
/// # Panics
/// If `token` is none of ours: those need no escaping.
#[must_use]
pub fn set(name: &'static str, token: &Secret<String>, max_age: Duration) -> HeaderValue {
    let seconds = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
    header(name, token.expose(), seconds)
}

/// A `Set-Cookie` value that removes a cookie of ours.
#[must_use]
pub fn clear(name: &'static str) -> HeaderValue {
    header(name, "", 0)
}

/// All values of the cookie `name`, from all `Cookie` headers, in order: HTTP/2 may split the header
/// into crumbs (RFC 9113 §8.2.3), and browsers may hold several cookies of one name.
pub fn tokens<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> + Send {
    crumbs(headers).filter_map(move |crumb| {
        let value = crumb.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        std::str::from_utf8(value).ok()
    })
}

/// How somebody chose to read pages in this browser: a language and a look with a point between.
#[must_use]
pub fn choice(headers: &HeaderMap) -> Preferences {
    let read = |text: &str| {
        let (language, look) = text.split_once('.')?;
        Some(Preferences { language: Language::of_tag(language), look: look.parse().ok() })
    };
    tokens(headers, CHOICE).find_map(read).unwrap_or_default()
}

/// A `Set-Cookie` value that remembers a choice for a year, or forgets that there was one.
#[must_use]
pub fn set_choice(choice: Preferences) -> HeaderValue {
    const YEAR: Duration = Duration::from_secs(365 * 86_400);
    if choice == Preferences::default() {
        return clear(CHOICE);
    }
    let (language, look) = (choice.language.map_or("", Language::tag), choice.look.map_or("", Look::name));
    set(CHOICE, &Secret::new(format!("{language}.{look}")), YEAR)
}

/// The `Cookie` header to send upstream: all crumbs joined in order, without any of ours; `None` if
/// nothing remains.
#[must_use]
pub fn strip_own(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut kept = Vec::new();
    for crumb in crumbs(headers).filter(|crumb| !is_own(crumb)) {
        if !kept.is_empty() {
            kept.extend_from_slice(b"; ");
        }
        kept.extend_from_slice(crumb);
    }
    if kept.is_empty() {
        return None;
    }
    Some(HeaderValue::from_bytes(&kept).expect("parts of header values make a header value"))
}

/// The non-empty parts between semicolons, trimmed. Quotes mean nothing: a quoted semicolon
/// splits too, so that nothing hides in quotes.
fn crumbs(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> + Send {
    let values = headers.get_all(COOKIE).iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .map(<[u8]>::trim_ascii)
        .filter(|crumb| !crumb.is_empty())
}

/// Whether a crumb is ours, in any case, and also behind the signs a lenient parser might skip
/// (a cookie without a name, a quoted one, a second one behind a comma).
fn is_own(crumb: &[u8]) -> bool {
    crumb.split(|byte| *byte == b',').any(|part| {
        let skipped = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'=' | b'"' | b'$');
        let start = part.iter().position(|byte| !skipped(byte)).unwrap_or(part.len());
        part[start..].get(..OURS.len()).is_some_and(|name| name.eq_ignore_ascii_case(OURS))
    })
}

fn header(name: &'static str, value: &str, max_age_s: i64) -> HeaderValue {
    let cookie = Cookie::build((name, value))
        .http_only(true)
        .secure(true)
        .path("/")
        .same_site(SameSite::Lax)
        .max_age(time::Duration::seconds(max_age_s))
        .build();
    cookie.to_string().try_into().expect("our tokens are base64url")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(COOKIE, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_cookie_is_host_only_and_out_of_reach_of_scripts() {
        let set = set(PORTAL, &Secret::new("tok".to_owned()), Duration::from_secs(43_200));
        assert_eq!(set, "__Host-berth=tok; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=43200");
        assert_eq!(
            clear(SESSION),
            "__Host-berth-session=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0"
        );
    }

    #[test]
    fn a_choice_is_read_back_and_nonsense_is_none() {
        for language in [None, Some(Language::English), Some(Language::French)] {
            for look in [None, Some(Look::Light), Some(Look::Dark)] {
                let choice_of = Preferences { language, look };
                let set = set_choice(choice_of);
                let (cookie, _) = set.to_str().unwrap().split_once(';').unwrap();
                assert_eq!(choice(&headers(&[cookie.as_bytes()])), choice_of, "{cookie}");
            }
        }
        assert!(set_choice(Preferences::default()).to_str().unwrap().contains("Max-Age=0"));
        let odd = headers(&[b"__Host-berth-choice=x; __Host-berth-choice=de.pink"]);
        assert_eq!(choice(&odd), Preferences::default());
    }

    #[test]
    fn all_values_of_all_crumbs_are_found() {
        let headers = headers(&[
            b"a=1; __Host-berth=stale",
            b"__Host-berth-session=other;__Host-berth=good ; __host-berth=x",
            b"__Host-berth=\xff; ; x__Host-berth=y; __Host-berth",
        ]);
        assert_eq!(tokens(&headers, PORTAL).collect::<Vec<_>>(), ["stale", "good"]);
        assert_eq!(tokens(&headers, SESSION).collect::<Vec<_>>(), ["other"]);
        assert_eq!(tokens(&HeaderMap::new(), PORTAL).count(), 0);
    }

    #[test]
    fn what_is_not_ours_goes_on_as_it_was() {
        let crumbs: [&[u8]; 3] = [b"a=1; __Host-berth=t;  b=\"x y\"", b"__HOST-BERTH-Session=u", b"c=\xe9;d"];
        assert_eq!(strip_own(&headers(&crumbs)).unwrap().as_bytes(), b"a=1; b=\"x y\"; c=\xe9; d");
        assert_eq!(strip_own(&headers(&[b"__Host-berth=t"])), None);
        assert_eq!(strip_own(&HeaderMap::new()), None);
    }

    fn spelling() -> impl Strategy<Value = String> {
        let name = prop_oneof![Just(PORTAL), Just(SESSION), Just(FORM)];
        let cased = (name, any::<u32>()).prop_map(|(name, bits)| {
            let case = |(index, c): (usize, char)| {
                if bits >> (index % 32) & 1 == 1 { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
            };
            name.char_indices().map(case).collect::<String>()
        });
        ("[ \t;=\",$]{0,3}", cased, "[ \t]{0,2}")
            .prop_map(|(before, name, after)| format!("{before}{name}{after}=SECRET"))
    }

    proptest! {
        #[test]
        fn ours_never_survive_in_any_spelling(
            before in "[a-z=; \t\"]{0,12}",
            own in spelling(),
            after in "[a-zA-Z=;, \"_-]{0,20}",
            joint in any::<bool>(),
        ) {
            let parts = [format!("{before};"), own, format!(";{after}")];
            let joined = parts.concat();
            let headers = if joint {
                headers(&[joined.as_bytes()])
            } else {
                headers(&parts.each_ref().map(|part| part.as_bytes()))
            };
            let kept = strip_own(&headers).map(|kept| kept.as_bytes().to_vec()).unwrap_or_default();
            prop_assert!(!kept.windows(6).any(|window| window == b"SECRET"), "{:?}", String::from_utf8_lossy(&kept));
        }

        #[test]
        fn any_header_is_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let mut headers = HeaderMap::new();
                headers.append(COOKIE, value);
                let _ = strip_own(&headers);
                prop_assert!(tokens(&headers, PORTAL).all(|token| !token.contains(';')));
            }
        }
    }
}

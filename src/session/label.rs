//! Names: the label in URLs, assigned by the gateway, and the name people type.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

/// The alphabet of random labels: no vowels (no words), no look-alikes.
const ALPHABET: &[u8; 24] = b"bcdfghjkmnpqrstvwxz23456";
const RANDOM_LENGTH: usize = 12;
const MAX_LENGTH: usize = 63;

/// Hosts that stand for something else than a user's desktop.
const RESERVED: [&str; 40] = [
    "account",
    "admin",
    "administrator",
    "api",
    "app",
    "assets",
    "auth",
    "autoconfig",
    "autodiscover",
    "berth",
    "broadcasthost",
    "cdn",
    "dns",
    "ftp",
    "gateway",
    "health",
    "help",
    "imap",
    "isatap",
    "localhost",
    "login",
    "mail",
    "mta-sts",
    "ns",
    "ns1",
    "ns2",
    "openpgpkey",
    "pop",
    "portal",
    "root",
    "security",
    "smtp",
    "sso",
    "static",
    "status",
    "support",
    "webmail",
    "wpad",
    "www",
    "www2",
];

/// A session's DNS-safe name in URLs: one host-name label of RFC 1123 §2.1 in lower case.
///
/// 1 to 63 of `a-z`, `0-9` and inner `-`. It is assigned once, stored, and never derived from
/// another name by escaping, so two sessions can never collide on it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(Box<str>);

/// Why a text is no label.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum LabelError {
    /// It is empty or longer than 63 bytes.
    #[error("a label has 1 to 63 characters")]
    Length,
    /// It has a character other than `a-z`, `0-9`, `-`, or a hyphen at an end.
    #[error("a label has only a-z, 0-9 and inner hyphens")]
    Character,
}

impl Label {
    /// Draws a random label of 12 characters (55 bits) from `random` bytes.
    ///
    /// The first character is a letter, so that no label looks like a number or an address.
    #[must_use]
    pub fn from_random(random: &[u8; RANDOM_LENGTH]) -> Self {
        let pick = |(index, byte): (usize, &u8)| {
            let letters = if index == 0 { 19 } else { ALPHABET.len() };
            char::from(ALPHABET[usize::from(*byte) % letters])
        };
        Self(random.iter().enumerate().map(pick).collect::<String>().into_boxed_str())
    }

    /// The label as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nobody may be given this label because of what people or programs take such a host
    /// for: the portal itself, mail and name services, well-known names of local networks, and
    /// names in Punycode, which a browser shows as something else.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        RESERVED.contains(&self.as_str()) || self.0.get(2..4) == Some("--")
    }

    /// Whether `text` is a valid label, without allocating.
    ///
    /// # Errors
    /// [`LabelError`] says what is wrong with it.
    pub fn check(text: &str) -> Result<(), LabelError> {
        let bytes = text.as_bytes();
        if bytes.is_empty() || bytes.len() > MAX_LENGTH {
            return Err(LabelError::Length);
        }
        let allowed = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
        let hyphen_at_end = bytes[0] == b'-' || bytes[bytes.len() - 1] == b'-';
        if hyphen_at_end || !bytes.iter().all(allowed) {
            return Err(LabelError::Character);
        }
        Ok(())
    }
}

impl FromStr for Label {
    type Err = LabelError;

    fn from_str(text: &str) -> Result<Self, LabelError> {
        Self::check(text)?;
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for Label {
    type Error = LabelError;

    fn try_from(text: String) -> Result<Self, LabelError> {
        text.parse()
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0.into()
    }
}

impl std::borrow::Borrow<str> for Label {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an owner calls a session: 1 to 64 characters of any script, no control characters.
///
/// Free text for people; it never becomes part of a URL, a container name or a path.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(
    value_type = String,
    max_length = 64,
    pattern = r"^[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]*[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f\u2066-\u2069\u3000\ufeff][^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]*$"
)]
pub struct SessionName(String);

/// Why a text is no session name.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum SessionNameError {
    /// Nothing is left after trimming white space.
    #[error("a name needs at least one visible character")]
    Empty,
    /// Longer than 64 characters.
    #[error("a name has at most 64 characters")]
    Long,
    /// It has a control or invisible formatting character.
    #[error("a name cannot have control characters")]
    Control,
}

impl SessionName {
    /// The longest name, in characters.
    pub const MAX_CHARS: usize = 64;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SessionName {
    type Err = SessionNameError;

    fn from_str(text: &str) -> Result<Self, SessionNameError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SessionNameError::Empty);
        }
        if text.chars().count() > Self::MAX_CHARS {
            return Err(SessionNameError::Long);
        }
        // Direction overrides could make a name read as something else in an admin's table.
        let hidden = |c: char| {
            c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        };
        if text.chars().any(hidden) {
            return Err(SessionNameError::Control);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for SessionName {
    type Error = SessionNameError;

    fn try_from(text: String) -> Result<Self, SessionNameError> {
        text.parse()
    }
}

impl From<SessionName> for String {
    fn from(name: SessionName) -> Self {
        name.0
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_are_one_lower_case_host_name_label() {
        for good in ["a", "ann", "a-b", "x2", "0a", &"a".repeat(63)] {
            assert_eq!(Label::check(good), Ok(()), "{good}");
        }
        for bad in ["", &"a".repeat(64)] {
            assert_eq!(Label::check(bad), Err(LabelError::Length), "{bad}");
        }
        for bad in ["..", "a.b", "%2f", "A", "-a", "a-", "a_b", "é", "a/b", "a\0", "a b", "аnn"] {
            assert_eq!(Label::check(bad), Err(LabelError::Character), "{bad}");
        }
    }

    #[test]
    fn what_stands_for_something_else_is_reserved() {
        for (text, reserved) in [
            ("www", true),
            ("wpad", true),
            ("xn--ann", true),
            ("ann", false),
            ("ann-www", false),
            ("a", false),
        ] {
            assert_eq!(text.parse::<Label>().unwrap().is_reserved(), reserved, "{text}");
        }
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn names_keep_any_script_and_refuse_what_cannot_be_seen() {
        assert_eq!(
            "  Práctica 1 ✏️ ".parse::<SessionName>().map(|n| n.to_string()),
            Ok("Práctica 1 ✏️".into())
        );
        assert_eq!("<b>x</b>".parse::<SessionName>().map(|n| n.to_string()), Ok("<b>x</b>".into()));
        assert_eq!(" ".parse::<SessionName>(), Err(SessionNameError::Empty));
        assert_eq!("x".repeat(65).parse::<SessionName>(), Err(SessionNameError::Long));
        assert_eq!("a\nb".parse::<SessionName>(), Err(SessionNameError::Control));
        assert_eq!("a\u{202e}b".parse::<SessionName>(), Err(SessionNameError::Control));
    }

    proptest! {
        #[test]
        fn random_labels_are_valid_and_start_with_a_letter(random: [u8; RANDOM_LENGTH]) {
            let label = Label::from_random(&random);
            prop_assert_eq!(Label::check(label.as_str()), Ok(()));
            prop_assert!(label.as_str().as_bytes()[0].is_ascii_lowercase());
        }

        #[test]
        fn checking_any_text_never_panics(text in ".*") {
            let _ = Label::check(&text);
            let _ = text.parse::<SessionName>();
        }
    }
}

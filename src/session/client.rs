//! The id by which a kiosk orchestrator's scripts know a screen.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::SessionName;

/// What a script calls one screen: any text of 1 to 2048 bytes, compared byte by byte.
///
/// It is stored as it came and stands in no URL, container name or path of ours: two ids that only
/// look alike are two screens.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(Box<str>);

/// Why a text is no client id.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum ClientIdError {
    /// There is nothing.
    #[error("an id is missing")]
    Empty,
    /// Longer than 2048 bytes.
    #[error("an id has at most 2048 bytes")]
    Long,
}

impl ClientId {
    /// The longest id, in bytes.
    pub const MAX_BYTES: usize = 2048;

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What people read in place of it: the id itself where a session can be called so, else what
    /// can be seen of its beginning. Several ids may have one name; `distinct` makes it their own.
    ///
    /// # Panics
    /// Never: what is left is a name by construction.
    #[must_use]
    pub fn session_name(&self, distinct: Option<&str>) -> SessionName {
        if distinct.is_none()
            && let Ok(name) = self.0.parse::<SessionName>()
            && name.as_str() == self.as_str()
        {
            return name;
        }
        let seen = |c: &char| c.to_string().parse::<SessionName>().is_ok() || *c == ' ';
        let start: String = self.0.chars().filter(seen).take(40).collect();
        let start = if start.trim().is_empty() { "?" } else { start.trim() };
        let whole = match distinct {
            Some(distinct) => format!("{start} ({})", distinct.chars().take(20).collect::<String>()),
            None => start.to_owned(),
        };
        whole.parse().expect("up to 63 visible characters are a session's name")
    }
}

impl FromStr for ClientId {
    type Err = ClientIdError;

    fn from_str(text: &str) -> Result<Self, ClientIdError> {
        match text.len() {
            0 => Err(ClientIdError::Empty),
            1..=Self::MAX_BYTES => Ok(Self(text.into())),
            _ => Err(ClientIdError::Long),
        }
    }
}

impl TryFrom<String> for ClientId {
    type Error = ClientIdError;

    fn try_from(text: String) -> Result<Self, ClientIdError> {
        text.parse()
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(id: &str) -> String {
        id.parse::<ClientId>().unwrap().session_name(None).to_string()
    }

    #[test]
    fn a_plain_id_is_the_name_and_any_other_has_one_that_can_be_read() {
        assert_eq!(name("kiosk-7"), "kiosk-7");
        assert_eq!(name("salle/été 3"), "salle/été 3");
        assert_eq!(name(" kiosk-7"), "kiosk-7");
        assert_eq!(name("a\u{202e}b\0c"), "abc");
        assert_eq!(name("\u{200b}\n"), "?");
        assert_eq!(name(&"x".repeat(300)), "x".repeat(40));
        let own = " a".parse::<ClientId>().unwrap().session_name(Some("kx2mbn"));
        assert_eq!(own.as_str(), "a (kx2mbn)");
        assert_eq!("".parse::<ClientId>(), Err(ClientIdError::Empty));
        assert_eq!("x".repeat(2049).parse::<ClientId>(), Err(ClientIdError::Long));
    }

    proptest! {
        #[test]
        fn every_id_is_kept_as_it_came_and_has_a_name(text in ".{1,200}", distinct in "[a-z]{0,70}") {
            let id: ClientId = text.parse().unwrap();
            prop_assert_eq!(id.as_str(), text);
            let _ = id.session_name(None);
            let _ = id.session_name(Some(&distinct));
        }
    }
}

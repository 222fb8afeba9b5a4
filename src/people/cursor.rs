//! Where a page of a list of users begins, as text in an address.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::store::UserPlace;

/// A text that is no cursor of ours.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("this is no cursor of a list of users")]
pub struct CursorError;

impl Answer for CursorError {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        "cursor_invalid"
    }

    fn sentence(&self) -> Sentence {
        Sentence::of("problem-cursor-invalid")
    }
}

/// A place as an opaque text.
#[must_use]
pub fn cursor(place: &UserPlace) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}\n{}", place.key, place.name))
}

/// The place that a text means.
///
/// # Errors
/// [`CursorError`].
pub fn place(cursor: &str) -> Result<UserPlace, CursorError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| CursorError)?;
    let text = String::from_utf8(bytes).map_err(|_| CursorError)?;
    let (key, name) = text.split_once('\n').ok_or(CursorError)?;
    Ok(UserPlace { key: key.to_owned(), name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_again_and_nonsense_is_none() {
        let there =
            UserPlace { key: "2026-01-31T08:15:00.000000000Z".to_owned(), name: "Ann «ü»".to_owned() };
        assert_eq!(place(&cursor(&there)), Ok(there));
        for wrong in ["%", "YQ", "_w"] {
            assert_eq!(place(wrong), Err(CursorError), "{wrong}");
        }
    }
}

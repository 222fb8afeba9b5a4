//! What is wrong with a request's own text: which field, and what was expected there.

use std::error::Error;

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::response::IntoResponse;
use http::StatusCode;

use super::Failure;
use crate::clock::LONGEST_S;
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::respond::Unreadable;

/// A field, or a parameter of the address, that is not what it should be.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{field}: {why}")]
pub(super) struct Flaw {
    field: String,
    why: String,
}

impl Flaw {
    /// The field of this path (`a.b[0]`) is not as it should be, because `why`.
    pub(super) fn new(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self { field: field.into(), why: why.into() }
    }

    /// What a parser says, without the place in the text, which is of no use to whoever made it with
    /// a program. A missing or unknown field is named by itself rather than by what it is part of.
    fn parsed(path: &str, said: &str) -> Self {
        let why = said.split(" at line ").next().unwrap_or(said);
        let inner = ["missing field `", "unknown field `"]
            .iter()
            .find_map(|start| why.strip_prefix(start))
            .and_then(|rest| rest.split('`').next());
        let field = match (path, inner) {
            (".", Some(inner)) => inner.to_owned(),
            (".", None) => "(the whole document)".to_owned(),
            // The parser names an unknown field by itself already.
            (path, Some(inner)) if !path.ends_with(inner) => format!("{path}.{inner}"),
            (path, _) => path.to_owned(),
        };
        Self::new(field, why)
    }
}

impl Answer for Flaw {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        "field_invalid"
    }

    fn sentence(&self) -> Sentence {
        Sentence::of("problem-field-invalid").with("field", self.field.clone()).with("why", self.why.clone())
    }

    fn field(&self) -> Option<&str> {
        Some(&self.field)
    }
}

/// Judges for how many seconds something is to last.
///
/// # Errors
/// [`Flaw`] if that is no time at all, or for ever.
pub(super) fn lasting(lasts_s: Option<u64>) -> Result<(), Flaw> {
    if lasts_s.is_none_or(|lasts| (1..=LONGEST_S).contains(&lasts)) {
        return Ok(());
    }
    Err(Flaw::new("lasts_s", format!("expected a number from 1 to {LONGEST_S}")))
}

/// The refusal of a document.
pub(super) fn of_document(refused: JsonRejection) -> Failure {
    match &refused {
        JsonRejection::JsonDataError(error) => match located::<serde_json::Error>(error) {
            Some(flaw) => flaw.into(),
            None => Unreadable { status: StatusCode::UNPROCESSABLE_ENTITY }.into(),
        },
        // An open set: no JSON, another type, too long, broken off.
        _ => Unreadable { status: refused.into_response().status() }.into(),
    }
}

/// The refusal of what stands behind the `?`.
pub(super) fn of_query(refused: QueryRejection) -> Failure {
    match located::<serde::de::value::Error>(&refused) {
        Some(flaw) => flaw.into(),
        None => Unreadable { status: StatusCode::BAD_REQUEST }.into(),
    }
}

/// Looks for the path of the field among the causes.
fn located<E: Error + 'static>(refused: &(dyn Error + 'static)) -> Option<Flaw> {
    let mut next = Some(refused);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<serde_path_to_error::Error<E>>() {
            return Some(Flaw::parsed(&found.path().to_string(), &found.inner().to_string()));
        }
        next = error.source();
    }
    None
}

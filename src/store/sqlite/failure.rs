//! SQLite's errors in the words of the store.

use rusqlite::ErrorCode;

use crate::fault::Answer;
use crate::store::{StoreError, UniqueKey};
use crate::telemetry::names;

/// Extended result codes of constraints (sqlite.org/rescode.html).
const FOREIGN_KEY: i32 = 787;
const PRIMARY_KEY: i32 = 1555;
const UNIQUE: i32 = 2067;

/// Why one piece of work was refused, before it is put into the store's words.
#[derive(Debug)]
pub(super) enum Refusal {
    /// SQLite refused.
    Sql(rusqlite::Error),
    /// The record is not what the caller believed.
    Stale,
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl Refusal {
    /// The store's error; `name` says which database.
    pub(super) fn into_error(self, name: &str) -> StoreError {
        match self {
            Self::Sql(error) => explain(name, &error),
            Self::Stale => StoreError::Stale,
        }
    }
}

/// Puts an SQLite error into the store's words, and counts it if it is the store's fault: a name that is
/// taken is an answer.
pub(super) fn explain(name: &str, error: &rusqlite::Error) -> StoreError {
    let explained = put(name, error);
    if matches!(explained, StoreError::Corrupt { .. } | StoreError::Unavailable { .. }) {
        metrics::counter!(names::STORE_ERRORS, "code" => explained.code()).increment(1);
    }
    explained
}

fn put(name: &str, error: &rusqlite::Error) -> StoreError {
    let corrupt = || StoreError::Corrupt { path: name.to_owned(), detail: error.to_string() };
    match error {
        rusqlite::Error::SqliteFailure(failure, words) => match failure.extended_code {
            FOREIGN_KEY => StoreError::Stale,
            PRIMARY_KEY | UNIQUE => conflict(words.as_deref().unwrap_or_default()),
            _ => match failure.code {
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => corrupt(),
                _ => unavailable(&error.to_string()),
            },
        },
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..) => corrupt(),
        _ => unavailable(&error.to_string()),
    }
}

/// The store cannot work now, in these words.
pub(super) fn unavailable(detail: &str) -> StoreError {
    StoreError::Unavailable { detail: detail.to_owned() }
}

/// SQLite names the columns: `UNIQUE constraint failed: sessions.owner, sessions.name`.
fn conflict(words: &str) -> StoreError {
    if words.contains("grants.session") {
        StoreError::Conflict(UniqueKey::Grant)
    } else if words.contains("guests.") {
        StoreError::Conflict(UniqueKey::Guest)
    } else if words.contains("invitations.id") {
        StoreError::Conflict(UniqueKey::Invitation)
    } else if words.contains("users.") {
        StoreError::Conflict(UniqueKey::UserName)
    } else if words.contains("sessions.owner") {
        StoreError::Conflict(UniqueKey::SessionName)
    } else if words.contains("sessions.") {
        StoreError::Conflict(UniqueKey::Label)
    } else {
        // A token drawn twice: 256 random bits say it is a bug of the caller.
        unavailable(words)
    }
}

//! Rows and columns: how users, logins, tickets and sessions lie in the tables.

use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Params, Row};

use crate::language::Language;
use crate::secret::{Secret, TokenHash};
use crate::session::{Grant, Invitation, InvitationId, Link, LinkAction, Session, UserLimits};
use crate::store::{ApiToken, AuditLine, Guest, KeptAnswer, Login, Preferences, Role, Ticket, User};

/// A time as text of fixed width, so that it sorts.
pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.9}")
}

/// A whole session as it is stored, with this version.
pub(super) fn record(session: &Session, version: u64) -> rusqlite::Result<String> {
    let stored = Session { version, ..session.clone() };
    serde_json::to_string(&stored).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// SQLite's integers are signed; our counters never come near their end.
pub(super) fn signed(number: u64) -> rusqlite::Result<i64> {
    i64::try_from(number).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// Reads a user.
pub(super) fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    let role: String = row.get("role")?;
    Ok(User {
        id: parsed(row, "id")?,
        name: row.get("name")?,
        // The table's CHECK allows these two only.
        role: if role == Role::Admin.name() { Role::Admin } else { Role::User },
        password_hash: Secret::new(row.get("password_hash")?),
        disabled: row.get("disabled")?,
        created_at: parsed(row, "created_at")?,
        last_login_at: parsed_option(row, "last_login_at")?,
        must_change: row.get("must_change")?,
        limits: match row.get::<_, Option<String>>("limits")? {
            Some(limits) => serde_json::from_str(&limits).map_err(unreadable)?,
            None => UserLimits::default(),
        },
        preferences: Preferences {
            language: row.get::<_, Option<String>>("language")?.as_deref().and_then(Language::of_tag),
            look: parsed_option(row, "look")?,
        },
    })
}

/// A user's own limits; none at all are none in the table either.
pub(super) fn limits(limits: &UserLimits) -> rusqlite::Result<Option<String>> {
    let unwritable = |error: serde_json::Error| rusqlite::Error::ToSqlConversionFailure(error.into());
    (!limits.is_empty()).then(|| serde_json::to_string(limits).map_err(unwritable)).transpose()
}

/// Reads a login.
pub(super) fn login(row: &Row<'_>) -> rusqlite::Result<Login> {
    Ok(Login {
        token: token(row)?,
        user: parsed(row, "user")?,
        parent: row.get::<_, Option<[u8; 32]>>("parent")?.map(TokenHash),
        session: parsed_option(row, "session")?,
        csrf: Secret::new(row.get("csrf")?),
        created_at: parsed(row, "created_at")?,
        expires_at: parsed(row, "expires_at")?,
        address: row.get("address")?,
        user_agent: row.get("user_agent")?,
    })
}

/// Reads a ticket.
pub(super) fn ticket(row: &Row<'_>) -> rusqlite::Result<Ticket> {
    Ok(Ticket {
        token: token(row)?,
        login: row.get("login").map(TokenHash)?,
        session: parsed(row, "session")?,
        expires_at: parsed(row, "expires_at")?,
    })
}

/// Reads a grant.
pub(super) fn grant(row: &Row<'_>) -> rusqlite::Result<Grant> {
    Ok(Grant {
        id: parsed(row, "id")?,
        session: parsed(row, "session")?,
        grantee: parsed(row, "grantee")?,
        grantee_name: row.get("grantee_name")?,
        role: parsed(row, "role")?,
        granted_by: row.get("granted_by")?,
        invitation: parsed_option(row, "invitation")?,
        created_at: parsed(row, "created_at")?,
        expires_at: parsed_option(row, "expires_at")?,
    })
}

/// Reads a token of a program.
pub(super) fn api_token(row: &Row<'_>) -> rusqlite::Result<ApiToken> {
    Ok(ApiToken {
        id: parsed(row, "id")?,
        hash: token(row)?,
        name: row.get("name")?,
        scopes: parsed(row, "scopes")?,
        user: parsed_option(row, "user")?,
        created_by: row.get("created_by")?,
        created_at: parsed(row, "created_at")?,
        expires_at: parsed_option(row, "expires_at")?,
        last_used_at: parsed_option(row, "last_used_at")?,
    })
}

/// Reads an answer that was kept.
pub(super) fn kept_answer(row: &Row<'_>) -> rusqlite::Result<KeptAnswer> {
    Ok(KeptAnswer {
        key: row.get("key").map(TokenHash)?,
        request: row.get("request").map(TokenHash)?,
        status: row.get("status")?,
        location: row.get("location")?,
        body: row.get("body")?,
        answered_at: parsed(row, "answered_at")?,
    })
}

/// Reads an invitation.
pub(super) fn invitation(row: &Row<'_>) -> rusqlite::Result<Invitation> {
    Ok(Invitation {
        id: parsed(row, "id")?,
        session: parsed(row, "session")?,
        role: parsed(row, "role")?,
        most: row.get("most")?,
        made_by: row.get("made_by")?,
        created_at: parsed(row, "created_at")?,
        expires_at: parsed(row, "expires_at")?,
    })
}

/// Reads who came by which invitation.
pub(super) fn guest(row: &Row<'_>) -> rusqlite::Result<(InvitationId, Guest)> {
    let guest =
        Guest { user: parsed(row, "user")?, name: row.get("name")?, came_at: parsed(row, "came_at")? };
    Ok((parsed(row, "invitation")?, guest))
}

/// Reads a link.
pub(super) fn link(row: &Row<'_>) -> rusqlite::Result<Link> {
    let action: String = row.get("action")?;
    Ok(Link {
        id: parsed(row, "id")?,
        token: token(row)?,
        action: serde_json::from_str(&action).map_err(unreadable)?,
        uses: row.get("uses")?,
        used: row.get("used")?,
        created_by: row.get("created_by")?,
        created_at: parsed(row, "created_at")?,
        expires_at: parsed(row, "expires_at")?,
    })
}

/// What a link does, as it is stored.
pub(super) fn link_action(action: &LinkAction) -> rusqlite::Result<String> {
    serde_json::to_string(action).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// Reads a token hash.
pub(super) fn token(row: &Row<'_>) -> rusqlite::Result<TokenHash> {
    row.get("token").map(TokenHash)
}

/// Reads a session from its `record`.
pub(super) fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    let record: String = row.get("record")?;
    serde_json::from_str(&record).map_err(unreadable)
}

/// Reads an audit line.
pub(super) fn audit_line(row: &Row<'_>) -> rusqlite::Result<AuditLine> {
    let number: i64 = row.get("number")?;
    Ok(AuditLine { number: number.unsigned_abs(), body: row.get("body")?, hash: row.get("hash")? })
}

/// The first row of a query, if any.
pub(super) fn one<T, P: Params>(
    connection: &Connection,
    sql: &str,
    params: P,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    connection.prepare_cached(sql)?.query_row(params, read).optional()
}

/// All rows of a query.
pub(super) fn all<T, P: Params>(
    connection: &Connection,
    sql: &str,
    params: P,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(params, read)?.collect()
}

/// Runs a statement; returns how many rows it changed itself, without those of cascades.
pub(super) fn run<P: Params>(connection: &Connection, sql: &str, params: P) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql)?.execute(params)
}

fn parsed<T>(row: &Row<'_>, column: &str) -> rusqlite::Result<T>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: String = row.get(column)?;
    text.parse().map_err(unreadable)
}

fn parsed_option<T>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(unreadable)).transpose()
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into())
}

//! Tokens of programs, and answers that are kept for them, in SQL.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::failure::Refusal;
use super::rows::{self, all, one, run, time};
use crate::secret::TokenHash;
use crate::session::UserId;
use crate::store::{ApiToken, KeptAnswer, TokenId};

/// The most answers that are kept; the oldest go first.
const MOST_ANSWERS: i64 = 10_000;

pub(super) fn insert(connection: &Connection, token: &ApiToken) -> Result<(), Refusal> {
    let sql = "INSERT INTO api_tokens
                   (id, token, name, scopes, user, created_by, created_at, expires_at, last_used_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let values = params![
        token.id.to_string(),
        token.hash.0,
        token.name,
        token.scopes.to_string(),
        token.user.map(|user| user.to_string()),
        token.created_by,
        time(token.created_at),
        token.expires_at.map(time),
        token.last_used_at.map(time),
    ];
    run(connection, sql, values)?;
    Ok(())
}

pub(super) fn by_hash(connection: &Connection, hash: TokenHash) -> Result<Option<ApiToken>, Refusal> {
    Ok(one(connection, "SELECT * FROM api_tokens WHERE token = ?1", [hash.0], rows::api_token)?)
}

pub(super) fn list(connection: &Connection) -> Result<Vec<ApiToken>, Refusal> {
    Ok(all(connection, "SELECT * FROM api_tokens ORDER BY created_at, id", [], rows::api_token)?)
}

pub(super) fn remove(connection: &Connection, id: TokenId) -> Result<Option<ApiToken>, Refusal> {
    let sql = "DELETE FROM api_tokens WHERE id = ?1 RETURNING *";
    Ok(one(connection, sql, [id.to_string()], rows::api_token)?)
}

pub(super) fn remove_of(connection: &Connection, user: UserId) -> Result<Vec<ApiToken>, Refusal> {
    let sql = "DELETE FROM api_tokens WHERE user = ?1 RETURNING *";
    Ok(all(connection, sql, [user.to_string()], rows::api_token)?)
}

pub(super) fn note_used(connection: &Connection, id: TokenId, at: Timestamp) -> Result<(), Refusal> {
    let sql = "UPDATE api_tokens SET last_used_at = ?2 WHERE id = ?1";
    run(connection, sql, params![id.to_string(), time(at)])?;
    Ok(())
}

pub(super) fn keep(connection: &Connection, answer: &KeptAnswer) -> Result<(), Refusal> {
    let sql = "INSERT OR REPLACE INTO answers (key, request, status, location, body, answered_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let values = params![
        answer.key.0,
        answer.request.0,
        answer.status,
        answer.location,
        answer.body,
        time(answer.answered_at),
    ];
    run(connection, sql, values)?;
    let surplus = "DELETE FROM answers WHERE answered_at <
                       (SELECT answered_at FROM answers ORDER BY answered_at DESC LIMIT 1 OFFSET ?1)";
    run(connection, surplus, [MOST_ANSWERS])?;
    Ok(())
}

pub(super) fn kept(connection: &Connection, key: TokenHash) -> Result<Option<KeptAnswer>, Refusal> {
    Ok(one(connection, "SELECT * FROM answers WHERE key = ?1", [key.0], rows::kept_answer)?)
}

pub(super) fn purge_answers(connection: &Connection, before: Timestamp) -> Result<usize, Refusal> {
    Ok(run(connection, "DELETE FROM answers WHERE answered_at < ?1", [time(before)])?)
}

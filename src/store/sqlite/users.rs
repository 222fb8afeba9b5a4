//! Users in SQL.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::failure::Refusal;
use super::rows::{self, one, run, time};
use crate::secret::Secret;
use crate::session::UserId;
use crate::store::User;

pub(super) fn insert(connection: &Connection, user: &User) -> Result<(), Refusal> {
    let sql = "INSERT INTO users (id, name, role, password_hash, disabled, created_at, last_login_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    write(connection, sql, user)?;
    Ok(())
}

pub(super) fn update(connection: &Connection, user: &User) -> Result<(), Refusal> {
    let sql = "UPDATE users SET name = ?2, role = ?3, password_hash = ?4, disabled = ?5,
                                created_at = ?6, last_login_at = ?7
               WHERE id = ?1";
    one_row(write(connection, sql, user)?)
}

pub(super) fn by_name(connection: &Connection, name: &str) -> Result<Option<User>, Refusal> {
    Ok(one(connection, "SELECT * FROM users WHERE name = ?1 COLLATE NOCASE", [name], rows::user)?)
}

pub(super) fn by_id(connection: &Connection, id: UserId) -> Result<Option<User>, Refusal> {
    Ok(one(connection, "SELECT * FROM users WHERE id = ?1", [id.to_string()], rows::user)?)
}

pub(super) fn all(connection: &Connection) -> Result<Vec<User>, Refusal> {
    Ok(rows::all(connection, "SELECT * FROM users ORDER BY name COLLATE NOCASE", [], rows::user)?)
}

/// Logins and tickets go by cascade.
pub(super) fn remove(connection: &Connection, id: UserId) -> Result<(), Refusal> {
    run(connection, "DELETE FROM users WHERE id = ?1", [id.to_string()])?;
    Ok(())
}

pub(super) fn note_login(
    connection: &Connection,
    user: UserId,
    at: Timestamp,
    verified: &Secret<String>,
    rehashed: Option<&Secret<String>>,
) -> Result<(), Refusal> {
    let sql = "UPDATE users SET last_login_at = ?2, password_hash = coalesce(?4, password_hash)
               WHERE id = ?1 AND password_hash = ?3 AND NOT disabled";
    let rehashed = rehashed.map(Secret::expose);
    one_row(run(connection, sql, params![user.to_string(), time(at), verified.expose(), rehashed])?)
}

fn write(connection: &Connection, sql: &str, user: &User) -> rusqlite::Result<usize> {
    let values = params![
        user.id.to_string(),
        user.name,
        user.role.name(),
        user.password_hash.expose(),
        user.disabled,
        time(user.created_at),
        user.last_login_at.map(time),
    ];
    run(connection, sql, values)
}

fn one_row(changed: usize) -> Result<(), Refusal> {
    if changed == 1 { Ok(()) } else { Err(Refusal::Stale) }
}

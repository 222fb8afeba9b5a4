//! Links in SQL.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::failure::Refusal;
use super::rows::{self, one, run, time};
use crate::secret::TokenHash;
use crate::session::{Link, LinkId};

pub(super) fn insert(connection: &Connection, link: &Link) -> Result<(), Refusal> {
    let sql = "INSERT INTO links (id, token, action, uses, used, created_by, created_at, expires_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let values = params![
        link.id.to_string(),
        link.token.0,
        rows::link_action(&link.action)?,
        link.uses,
        link.used,
        link.created_by,
        time(link.created_at),
        time(link.expires_at),
    ];
    run(connection, sql, values)?;
    Ok(())
}

pub(super) fn by_token(connection: &Connection, token: TokenHash) -> Result<Option<Link>, Refusal> {
    Ok(one(connection, "SELECT * FROM links WHERE token = ?1", [token.0], rows::link)?)
}

pub(super) fn all(connection: &Connection) -> Result<Vec<Link>, Refusal> {
    Ok(rows::all(connection, "SELECT * FROM links ORDER BY created_at, id", [], rows::link)?)
}

/// One statement, so that of many who come at once each use is had by one.
pub(super) fn take(
    connection: &Connection,
    token: TokenHash,
    now: Timestamp,
) -> Result<Option<Link>, Refusal> {
    let sql = "UPDATE links SET used = used + 1
               WHERE token = ?1 AND used < uses AND expires_at > ?2 RETURNING *";
    Ok(one(connection, sql, params![token.0, time(now)], rows::link)?)
}

pub(super) fn give_back(connection: &Connection, id: LinkId) -> Result<(), Refusal> {
    run(connection, "UPDATE links SET used = used - 1 WHERE id = ?1 AND used > 0", [id.to_string()])?;
    Ok(())
}

pub(super) fn remove(connection: &Connection, id: LinkId) -> Result<Option<Link>, Refusal> {
    Ok(one(connection, "DELETE FROM links WHERE id = ?1 RETURNING *", [id.to_string()], rows::link)?)
}

pub(super) fn purge(connection: &Connection, now: Timestamp) -> Result<usize, Refusal> {
    Ok(run(connection, "DELETE FROM links WHERE expires_at <= ?1", [time(now)])?)
}

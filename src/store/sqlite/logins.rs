//! Logins and tickets in SQL.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::failure::Refusal;
use super::rows::{self, all, one, run, time};
use crate::secret::TokenHash;
use crate::session::UserId;
use crate::store::{Login, Ticket};

pub(super) fn insert(connection: &Connection, login: &Login) -> Result<(), Refusal> {
    let sql =
        "INSERT INTO logins (token, user, parent, session, csrf, created_at, expires_at, address, user_agent)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let values = params![
        login.token.0,
        login.user.to_string(),
        login.parent.map(|parent| parent.0),
        login.session.map(|session| session.to_string()),
        login.csrf.expose(),
        time(login.created_at),
        time(login.expires_at),
        login.address,
        login.user_agent,
    ];
    run(connection, sql, values)?;
    Ok(())
}

pub(super) fn by_token(connection: &Connection, token: TokenHash) -> Result<Option<Login>, Refusal> {
    Ok(one(connection, "SELECT * FROM logins WHERE token = ?1", [token.0], rows::login)?)
}

pub(super) fn of(connection: &Connection, user: UserId) -> Result<Vec<Login>, Refusal> {
    let sql = "SELECT * FROM logins WHERE user = ?1 AND parent IS NULL ORDER BY created_at DESC, token";
    Ok(all(connection, sql, [user.to_string()], rows::login)?)
}

/// The children go by cascade; they are named first.
pub(super) fn remove(connection: &Connection, token: TokenHash) -> Result<Vec<TokenHash>, Refusal> {
    let sql = "WITH RECURSIVE ended (token) AS (
                   SELECT token FROM logins WHERE token = ?1
                   UNION
                   SELECT logins.token FROM logins JOIN ended ON logins.parent = ended.token
               )
               SELECT token FROM ended";
    let ended = all(connection, sql, [token.0], rows::token)?;
    run(connection, "DELETE FROM logins WHERE token = ?1", [token.0])?;
    Ok(ended)
}

pub(super) fn remove_of(connection: &Connection, user: UserId) -> Result<Vec<TokenHash>, Refusal> {
    let user = user.to_string();
    let ended = all(connection, "SELECT token FROM logins WHERE user = ?1", [&user], rows::token)?;
    run(connection, "DELETE FROM logins WHERE user = ?1", [&user])?;
    Ok(ended)
}

pub(super) fn purge(connection: &Connection, now: Timestamp) -> Result<usize, Refusal> {
    let now = time(now);
    run(connection, "DELETE FROM tickets WHERE expires_at < ?1", [&now])?;
    // Counted by difference: what cascades remove is not in the statement's own count.
    let before = count(connection)?;
    run(connection, "DELETE FROM logins WHERE expires_at < ?1", [&now])?;
    Ok(before.saturating_sub(count(connection)?))
}

pub(super) fn insert_ticket(connection: &Connection, ticket: &Ticket) -> Result<(), Refusal> {
    let sql = "INSERT INTO tickets (token, login, session, expires_at) VALUES (?1, ?2, ?3, ?4)";
    let values = params![ticket.token.0, ticket.login.0, ticket.session.to_string(), time(ticket.expires_at)];
    run(connection, sql, values)?;
    Ok(())
}

pub(super) fn take_ticket(connection: &Connection, token: TokenHash) -> Result<Option<Ticket>, Refusal> {
    Ok(one(connection, "DELETE FROM tickets WHERE token = ?1 RETURNING *", [token.0], rows::ticket)?)
}

fn count(connection: &Connection) -> rusqlite::Result<usize> {
    let count: i64 =
        connection.prepare_cached("SELECT count(*) FROM logins")?.query_row([], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or_default())
}

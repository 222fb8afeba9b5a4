//! Sessions in SQL.

use rusqlite::{Connection, params};

use super::failure::Refusal;
use super::rows::{self, one, record, run, signed, time};
use crate::session::{ClientId, Label, Session, SessionId};

pub(super) fn insert(connection: &Connection, session: &Session) -> Result<(), Refusal> {
    let sql = "INSERT INTO sessions (id, label, owner, name, version, created_at, record, client)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let values = params![
        session.id.to_string(),
        session.label.as_str(),
        session.owner.to_string(),
        session.name.as_str(),
        signed(session.version)?,
        time(session.created_at),
        record(session, session.version)?,
        session.client.as_ref().map(ClientId::as_str),
    ];
    run(connection, sql, values)?;
    Ok(())
}

pub(super) fn by_id(connection: &Connection, id: SessionId) -> Result<Option<Session>, Refusal> {
    Ok(one(connection, "SELECT record FROM sessions WHERE id = ?1", [id.to_string()], rows::session)?)
}

pub(super) fn by_label(connection: &Connection, label: &Label) -> Result<Option<Session>, Refusal> {
    Ok(one(connection, "SELECT record FROM sessions WHERE label = ?1", [label.as_str()], rows::session)?)
}

pub(super) fn all(connection: &Connection) -> Result<Vec<Session>, Refusal> {
    Ok(rows::all(connection, "SELECT record FROM sessions ORDER BY created_at, id", [], rows::session)?)
}

pub(super) fn update(connection: &Connection, session: &Session) -> Result<u64, Refusal> {
    let next = session.version + 1;
    let sql =
        "UPDATE sessions SET label = ?2, owner = ?3, name = ?4, version = ?5, created_at = ?6, record = ?7
               WHERE id = ?1 AND version = ?8";
    let values = params![
        session.id.to_string(),
        session.label.as_str(),
        session.owner.to_string(),
        session.name.as_str(),
        signed(next)?,
        time(session.created_at),
        record(session, next)?,
        signed(session.version)?,
    ];
    if run(connection, sql, values)? == 1 { Ok(next) } else { Err(Refusal::Stale) }
}

pub(super) fn remove(connection: &Connection, id: SessionId) -> Result<(), Refusal> {
    run(connection, "DELETE FROM sessions WHERE id = ?1", [id.to_string()])?;
    Ok(())
}

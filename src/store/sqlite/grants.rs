//! Grants in SQL. They go with their session and their grantee by cascade.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::failure::Refusal;
use super::rows::{self, run, time};
use crate::session::{Grant, GrantId};

pub(super) fn insert(connection: &Connection, grant: &Grant) -> Result<(), Refusal> {
    let sql =
        "INSERT INTO grants (id, session, grantee, grantee_name, role, granted_by, created_at, expires_at, invitation)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let values = params![
        grant.id.to_string(),
        grant.session.to_string(),
        grant.grantee.to_string(),
        grant.grantee_name,
        grant.role.name(),
        grant.granted_by,
        time(grant.created_at),
        grant.expires_at.map(time),
        grant.invitation.map(|invitation| invitation.to_string()),
    ];
    run(connection, sql, values)?;
    Ok(())
}

pub(super) fn all(connection: &Connection) -> Result<Vec<Grant>, Refusal> {
    Ok(rows::all(connection, "SELECT * FROM grants ORDER BY created_at, id", [], rows::grant)?)
}

pub(super) fn remove(connection: &Connection, id: GrantId) -> Result<(), Refusal> {
    run(connection, "DELETE FROM grants WHERE id = ?1", [id.to_string()])?;
    Ok(())
}

pub(super) fn purge(connection: &Connection, now: Timestamp) -> Result<usize, Refusal> {
    Ok(run(connection, "DELETE FROM grants WHERE expires_at <= ?1", [time(now)])?)
}

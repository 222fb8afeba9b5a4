//! Invitations in SQL. They go with their session, and their grants with them, by cascade.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::failure::Refusal;
use super::grants;
use super::rows::{self, all, one, run, time};
use crate::secret::TokenHash;
use crate::session::{Grant, Invitation, InvitationId, SessionId};
use crate::store::{Guest, Invited};

pub(super) fn insert(
    connection: &Connection,
    invitation: &Invitation,
    token: TokenHash,
) -> Result<(), Refusal> {
    let sql = "INSERT INTO invitations (id, token, session, role, most, made_by, created_at, expires_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let values = params![
        invitation.id.to_string(),
        token.0,
        invitation.session.to_string(),
        invitation.role.name(),
        invitation.most,
        invitation.made_by,
        time(invitation.created_at),
        time(invitation.expires_at),
    ];
    run(connection, sql, values)?;
    Ok(())
}

pub(super) fn by_token(connection: &Connection, token: TokenHash) -> Result<Option<Invited>, Refusal> {
    let sql = "SELECT * FROM invitations WHERE token = ?1";
    let Some(invitation) = one(connection, sql, [token.0], rows::invitation)? else { return Ok(None) };
    let sql = "SELECT * FROM guests WHERE invitation = ?1 ORDER BY came_at, user";
    let guests = all(connection, sql, [invitation.id.to_string()], rows::guest)?;
    Ok(Some(Invited { invitation, guests: guests.into_iter().map(|(_, guest)| guest).collect() }))
}

pub(super) fn of(connection: &Connection, session: SessionId) -> Result<Vec<Invited>, Refusal> {
    let session = session.to_string();
    let sql = "SELECT * FROM invitations WHERE session = ?1 ORDER BY created_at, id";
    let invitations = all(connection, sql, [&session], rows::invitation)?;
    let sql = "SELECT guests.* FROM guests JOIN invitations ON invitations.id = guests.invitation
               WHERE invitations.session = ?1 ORDER BY guests.came_at, guests.user";
    let mut guests: HashMap<InvitationId, Vec<Guest>> = HashMap::new();
    for (invitation, guest) in all(connection, sql, [&session], rows::guest)? {
        guests.entry(invitation).or_default().push(guest);
    }
    let invited = |invitation: Invitation| {
        let guests = guests.remove(&invitation.id).unwrap_or_default();
        Invited { invitation, guests }
    };
    Ok(invitations.into_iter().map(invited).collect())
}

pub(super) fn remove(connection: &Connection, id: InvitationId) -> Result<(), Refusal> {
    run(connection, "DELETE FROM invitations WHERE id = ?1", [id.to_string()])?;
    Ok(())
}

/// The guest first: that is where the last place is taken, once.
pub(super) fn accept(connection: &Connection, grant: &Grant) -> Result<(), Refusal> {
    let invitation = grant.invitation.ok_or(Refusal::Stale)?;
    let sql = "INSERT INTO guests (invitation, user, name, came_at)
               SELECT id, ?2, ?3, ?4 FROM invitations
               WHERE id = ?1 AND session = ?5 AND expires_at > ?4
                 AND (most IS NULL OR most > (SELECT count(*) FROM guests WHERE invitation = ?1))";
    let values = params![
        invitation.to_string(),
        grant.grantee.to_string(),
        grant.grantee_name,
        time(grant.created_at),
        grant.session.to_string(),
    ];
    if run(connection, sql, values)? == 0 {
        return Err(Refusal::Stale);
    }
    grants::insert(connection, grant)
}

pub(super) fn purge(connection: &Connection, now: Timestamp) -> Result<usize, Refusal> {
    Ok(run(connection, "DELETE FROM invitations WHERE expires_at <= ?1", [time(now)])?)
}

//! May this person do that with this session? `auth::policy` decides; here it is told what the
//! session knows of the person, and the audit is told of refusals. Every edge asks here.

use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderMap;

use crate::auth::policy::{self, Denied, Verb};
use crate::auth::{Auth, AuthError, Principal, cookies};
use crate::broker::Entry;
use crate::session::ViewerRole;

/// Whether `principal` may do that with a session, by right or by a grant in force. No store.
///
/// # Errors
/// [`Denied`].
pub fn allow(principal: &Principal, verb: Verb, entry: &Entry) -> Result<(), Denied> {
    let grant = entry.grant_of(principal.user);
    policy::allow(principal, verb, entry.id, entry.owner, grant.as_ref().map(|live| &live.grant))
}

/// As what `principal` may open a session's screen, by right or by a grant in force. No store.
///
/// # Errors
/// [`Denied`].
pub fn open(principal: &Principal, entry: &Entry) -> Result<ViewerRole, Denied> {
    let grant = entry.grant_of(principal.user);
    policy::open(principal, entry.id, entry.owner, grant.as_ref().map(|live| &live.grant))
}

/// Who asks for a session on the portal's own origin: the person who is logged in, if they may open
/// it, else whoever was let into this one session, else that person all the same. No store for a
/// login that was seen before.
///
/// # Errors
/// [`AuthError::Store`] if a login not seen before cannot be looked up.
pub async fn who(
    auth: &Auth,
    headers: &HeaderMap,
    entry: &Entry,
) -> Result<Option<Arc<Principal>>, AuthError> {
    let opens = |known: &Arc<Principal>| allow(known, Verb::Open, entry).is_ok();
    let person = auth.authenticate(cookies::tokens(headers, cookies::PORTAL)).await?;
    if person.as_ref().is_some_and(opens) {
        return Ok(person);
    }
    let let_in = auth.authenticate(cookies::tokens_at(headers, &entry.label)).await?;
    Ok(let_in.filter(opens).or(person))
}

/// The same as [`allow`] for somebody who asks from `address`; a refusal is in the audit.
///
/// # Errors
/// [`Denied`].
pub async fn check(
    auth: &Auth,
    principal: &Principal,
    address: IpAddr,
    verb: Verb,
    entry: &Entry,
) -> Result<(), Denied> {
    let allowed = allow(principal, verb, entry);
    if allowed.is_err() {
        auth.refused(principal, address, &entry.label).await;
    }
    allowed
}

//! May this person do that with this session? `auth::policy` decides; here it is told what the
//! session knows of the person, and the audit is told of refusals. Every edge asks here.

use std::net::IpAddr;

use crate::auth::policy::{self, Denied, Verb};
use crate::auth::{Auth, Principal};
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

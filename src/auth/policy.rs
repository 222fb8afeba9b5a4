//! May this principal do that? Pure, and the same for every edge.

use thiserror::Error;

use super::Principal;
use crate::fault::{Answer, Fault};
use crate::session::{SessionId, UserId};
use crate::store::Role;

/// What somebody wants to do with a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verb {
    /// Start, stop, rename, remove it.
    Change,
    /// Use its screen or app.
    Open,
    /// Read that it exists, its state and its limits.
    See,
}

/// It may not. The answer is that of a session that does not exist, so that labels cannot be
/// guessed.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("not allowed")]
pub struct Denied;

impl Answer for Denied {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        "session_unknown"
    }

    fn public(&self) -> String {
        "There is no such machine here. It may have been removed; your machines are on the start page."
            .to_owned()
    }
}

/// Whether `principal` may do this with a session of `owner`.
///
/// Owners may do everything with their own. Administrators may see and change all, but open only
/// their own: nobody's screen is watched silently. A login of a session's own host may open that
/// session and nothing else, because hostile pages live on that host.
///
/// # Errors
/// [`Denied`].
pub fn allow(principal: &Principal, verb: Verb, session: SessionId, owner: UserId) -> Result<(), Denied> {
    let owns = principal.user == owner;
    let allowed = match (principal.session, verb) {
        (Some(only), Verb::Open) => only == session && owns,
        (Some(_), Verb::See | Verb::Change) => false,
        (None, Verb::Open) => owns,
        (None, Verb::See | Verb::Change) => owns || principal.role == Role::Admin,
    };
    if allowed { Ok(()) } else { Err(Denied) }
}

/// Whether `principal` may use the portal: pages, API, creating sessions. A login of a session's
/// own host may not.
///
/// # Errors
/// [`Denied`].
pub fn use_portal(principal: &Principal) -> Result<(), Denied> {
    if principal.session.is_none() { Ok(()) } else { Err(Denied) }
}

/// Whether `principal` may administer: users, everyone's sessions, the audit.
///
/// # Errors
/// [`Denied`].
pub fn administer(principal: &Principal) -> Result<(), Denied> {
    use_portal(principal)?;
    if principal.role == Role::Admin { Ok(()) } else { Err(Denied) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract::{sample_login, sample_user};

    #[test]
    fn every_role_owner_host_and_verb() {
        let here = SessionId::random();
        let user = |role, session| {
            let user = crate::store::User { role, ..sample_user() };
            let login = crate::store::Login { session, ..sample_login(user.id) };
            Principal::new(&login, &user)
        };
        // (role, bound to, owns it) -> (open, see, change)
        let table = [
            (Role::User, None, true, (true, true, true)),
            (Role::User, None, false, (false, false, false)),
            (Role::Admin, None, true, (true, true, true)),
            (Role::Admin, None, false, (false, true, true)),
            (Role::User, Some(here), true, (true, false, false)),
            (Role::User, Some(here), false, (false, false, false)),
            (Role::Admin, Some(here), true, (true, false, false)),
            (Role::Admin, Some(here), false, (false, false, false)),
            (Role::User, Some(SessionId::random()), true, (false, false, false)),
            (Role::Admin, Some(SessionId::random()), true, (false, false, false)),
        ];
        for (role, session, owns, (open, see, change)) in table {
            let principal = user(role, session);
            let owner = if owns { principal.user } else { UserId::random() };
            for (verb, expected) in [(Verb::Open, open), (Verb::See, see), (Verb::Change, change)] {
                let allowed = allow(&principal, verb, here, owner).is_ok();
                assert_eq!(allowed, expected, "{role:?} {session:?} owns={owns} {verb:?}");
            }
            assert_eq!(use_portal(&principal).is_ok(), session.is_none());
            assert_eq!(administer(&principal).is_ok(), session.is_none() && role == Role::Admin);
        }
    }
}

//! May this principal do that? Pure, and the same for every edge.

use thiserror::Error;

use super::{Principal, Reach};
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::session::{Grant, SessionId, UserId, ViewerRole};
use crate::store::{Role, Scope, Scopes};

/// What somebody wants to do with a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verb {
    /// Start, stop, rename, remove it.
    Change,
    /// Use its screen or app.
    Open,
    /// Read that it exists, its state and its limits.
    See,
    /// Let others use or watch it.
    Share,
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

    fn sentence(&self) -> Sentence {
        Sentence::of("problem-session-unknown")
    }
}

/// Whether `principal` may do this with a session of `owner`. `grant` is their grant in force for
/// it, if they have one; one that is for another session or user counts for nothing.
///
/// Owners may do everything with their own. Who has a grant may open and see, never change.
/// Administrators may see, change and share all, but open only their own or by a grant: nobody's screen
/// is watched silently. A token for everybody's sessions that is no administrator's shares none: it
/// would let in whoever holds it. A login of a session's own host may open that session and nothing else,
/// because hostile pages live on that host. Who holds a token may do of that what its scopes say.
///
/// # Errors
/// [`Denied`].
pub fn allow(
    principal: &Principal,
    verb: Verb,
    session: SessionId,
    owner: UserId,
    grant: Option<&Grant>,
) -> Result<(), Denied> {
    let owns = principal.user == owner;
    let granted = grant.is_some_and(|grant| grant.session == session && grant.grantee == principal.user);
    let everybodys = principal.reach == Reach::Everybody;
    let allowed = match (principal.session, verb) {
        (Some(only), Verb::Open) => only == session && (owns || granted),
        (Some(_), Verb::See | Verb::Change | Verb::Share) => false,
        (None, Verb::Open) => owns || granted,
        (None, Verb::See) => owns || granted || everybodys,
        (None, Verb::Change) => owns || everybodys,
        (None, Verb::Share) => owns || everybodys && principal.scopes.allow(Scope::Admin),
    };
    let scope = match verb {
        Verb::Open | Verb::See => Scope::SessionsRead,
        Verb::Change | Verb::Share => Scope::SessionsWrite,
    };
    if allowed && principal.scopes.allow(scope) { Ok(()) } else { Err(Denied) }
}

/// As what `principal` may open a session of `owner`.
///
/// # Errors
/// [`Denied`], as [`allow`] with [`Verb::Open`].
pub fn open(
    principal: &Principal,
    session: SessionId,
    owner: UserId,
    grant: Option<&Grant>,
) -> Result<ViewerRole, Denied> {
    allow(principal, Verb::Open, session, owner, grant)?;
    match grant {
        Some(grant) if principal.user != owner => Ok(grant.role.into()),
        Some(_) | None => Ok(ViewerRole::Owner),
    }
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
    within(principal, Scope::Admin)
}

/// Whether `principal` may read and change users.
///
/// # Errors
/// [`Denied`].
pub fn manage_users(principal: &Principal) -> Result<(), Denied> {
    within(principal, Scope::UsersWrite)
}

/// Whether `principal` may change a user who is, or is to be, of this role. Who could make or become
/// an administrator this way would be one.
///
/// # Errors
/// [`Denied`].
pub fn manage_user(principal: &Principal, role: Role) -> Result<(), Denied> {
    match role {
        Role::Admin => administer(principal),
        Role::User => manage_users(principal),
    }
}

/// Whether what `principal` may do has this in it, on the portal.
///
/// # Errors
/// [`Denied`].
pub fn within(principal: &Principal, scope: Scope) -> Result<(), Denied> {
    use_portal(principal)?;
    if principal.scopes.allow(scope) { Ok(()) } else { Err(Denied) }
}

/// Whether `principal` may make sessions for others.
///
/// # Errors
/// [`Denied`].
pub fn make_for_others(principal: &Principal) -> Result<(), Denied> {
    within(principal, Scope::SessionsWrite)?;
    if principal.reach == Reach::Everybody { Ok(()) } else { Err(Denied) }
}

/// Whether `principal` may make a token of these scopes that acts as `user`, or as nobody. An
/// administrator may make any. Who is logged in may make one that acts as themself with their
/// sessions; who holds a token without `admin` makes none.
///
/// # Errors
/// [`Denied`].
pub fn make_token(principal: &Principal, scopes: Scopes, user: Option<UserId>) -> Result<(), Denied> {
    use_portal(principal)?;
    let own = !principal.token && user == Some(principal.user) && scopes.within(Scopes::of_user()) == scopes;
    if administer(principal).is_ok() || own { Ok(()) } else { Err(Denied) }
}

/// Whether `principal` may see and revoke the token that acts as `user`, or as nobody.
///
/// # Errors
/// [`Denied`].
pub fn see_token(principal: &Principal, user: Option<UserId>) -> Result<(), Denied> {
    use_portal(principal)?;
    let own = !principal.token && user == Some(principal.user);
    if administer(principal).is_ok() || own { Ok(()) } else { Err(Denied) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::GrantRole;
    use crate::store::contract::{sample_grant, sample_login, sample_user};

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
                let allowed = allow(&principal, verb, here, owner, None).is_ok();
                assert_eq!(allowed, expected, "{role:?} {session:?} owns={owns} {verb:?}");
            }
            assert_eq!(use_portal(&principal).is_ok(), session.is_none());
            assert_eq!(administer(&principal).is_ok(), session.is_none() && role == Role::Admin);
        }
    }

    #[test]
    fn a_grant_opens_and_shows_one_session_to_one_user_and_changes_nothing() {
        let (here, elsewhere) = (SessionId::random(), SessionId::random());
        let (owner, user) = (UserId::random(), sample_user());
        // (role, bound to, grant for) -> (open, see, change)
        let table = [
            (Role::User, None, here, (true, true, false)),
            (Role::User, None, elsewhere, (false, false, false)),
            (Role::User, Some(here), here, (true, false, false)),
            (Role::User, Some(elsewhere), here, (false, false, false)),
            (Role::User, Some(here), elsewhere, (false, false, false)),
            (Role::Admin, None, here, (true, true, true)),
            (Role::Admin, None, elsewhere, (false, true, true)),
        ];
        for (role, bound_to, granted, (may_open, see, change)) in table {
            let user = crate::store::User { role, ..user.clone() };
            let login = crate::store::Login { session: bound_to, ..sample_login(user.id) };
            let principal = Principal::new(&login, &user);
            for grant_role in [GrantRole::Helper, GrantRole::Observer] {
                let grant = Grant { role: grant_role, ..sample_grant(granted, &user) };
                for (verb, expected) in [(Verb::Open, may_open), (Verb::See, see), (Verb::Change, change)] {
                    let allowed = allow(&principal, verb, here, owner, Some(&grant)).is_ok();
                    assert_eq!(allowed, expected, "{role:?} {bound_to:?} {granted} {verb:?}");
                }
                let opened = open(&principal, here, owner, Some(&grant));
                assert_eq!(opened, if may_open { Ok(grant_role.into()) } else { Err(Denied) });
                // Somebody else's grant is none.
                let others = Grant { grantee: UserId::random(), ..grant.clone() };
                assert_eq!(open(&principal, here, owner, Some(&others)), Err(Denied));
                // An owner stays one whatever they are given.
                let owned = open(&principal, here, user.id, Some(&grant));
                assert_eq!(owned.is_ok(), bound_to.is_none_or(|only| only == here));
                assert!(owned.is_err() || owned == Ok(ViewerRole::Owner));
            }
        }
    }

    #[test]
    fn a_token_for_everybody_s_sessions_lets_nobody_into_them() {
        let user = sample_user();
        let login = Principal::new(&sample_login(user.id), &user);
        let (own, others, here) = (user.id, UserId::random(), SessionId::random());
        let token = |scope, reach| Principal {
            scopes: std::iter::once(scope).collect(),
            reach,
            token: true,
            ..login.clone()
        };
        for (scope, reach, shares_own, shares_others) in [
            (Scope::SessionsWrite, Reach::Everybody, true, false),
            (Scope::SessionsWrite, Reach::Own, true, false),
            (Scope::SessionsRead, Reach::Own, false, false),
            (Scope::Admin, Reach::Everybody, true, true),
        ] {
            let shares = |owner| allow(&token(scope, reach), Verb::Share, here, owner, None).is_ok();
            assert_eq!((shares(own), shares(others)), (shares_own, shares_others), "{scope:?} {reach:?}");
        }
    }

    #[test]
    fn a_token_does_what_its_scopes_say_and_no_more() {
        let user = sample_user();
        let login = Principal::new(&sample_login(user.id), &user);
        let (own, others, here) = (user.id, UserId::random(), SessionId::random());
        // (scopes, reach) -> (see own, see others', change own, change others', administer, users)
        let table = [
            ("", Reach::Own, [false; 6]),
            ("sessions:read", Reach::Own, [true, false, false, false, false, false]),
            ("sessions:read", Reach::Everybody, [true, true, false, false, false, false]),
            ("sessions:write", Reach::Own, [true, false, true, false, false, false]),
            ("sessions:write", Reach::Everybody, [true, true, true, true, false, false]),
            ("users:write", Reach::Everybody, [false, false, false, false, false, true]),
            ("sessions:read users:write", Reach::Own, [true, false, false, false, false, true]),
            ("admin", Reach::Everybody, [true; 6]),
        ];
        for (scopes, reach, expected) in table {
            let holder = Principal { scopes: scopes.parse().unwrap(), reach, token: true, ..login.clone() };
            let may = |verb, owner| allow(&holder, verb, here, owner, None).is_ok();
            let found = [
                may(Verb::See, own),
                may(Verb::See, others),
                may(Verb::Change, own),
                may(Verb::Change, others),
                administer(&holder).is_ok(),
                manage_users(&holder).is_ok(),
            ];
            assert_eq!(manage_user(&holder, Role::User).is_ok(), manage_users(&holder).is_ok());
            assert_eq!(manage_user(&holder, Role::Admin).is_ok(), administer(&holder).is_ok());
            assert_eq!(found, expected, "{scopes} {reach:?}");
            assert!(!may(Verb::Open, others), "nobody's screen is looked at with a token");
            assert_eq!(make_for_others(&holder).is_ok(), found[2] && reach == Reach::Everybody);
            // Only `admin` begets tokens.
            for wanted in [Scopes::of_user(), Scopes::all()] {
                for bound in [None, Some(own), Some(others)] {
                    assert_eq!(make_token(&holder, wanted, bound).is_ok(), scopes == "admin");
                    assert_eq!(see_token(&holder, bound).is_ok(), scopes == "admin");
                }
            }
        }
    }

    #[test]
    fn who_is_logged_in_makes_tokens_for_themself_and_an_administrator_any() {
        for (role, any) in [(Role::User, false), (Role::Admin, true)] {
            let user = crate::store::User { role, ..sample_user() };
            let login = Principal::new(&sample_login(user.id), &user);
            let (own, others) = (Some(user.id), Some(UserId::random()));
            assert!(make_token(&login, Scopes::of_user(), own).is_ok() && see_token(&login, own).is_ok());
            for (scopes, bound) in
                [(Scopes::all(), own), (Scopes::of_user(), others), (Scopes::of_user(), None)]
            {
                assert_eq!(make_token(&login, scopes, bound).is_ok(), any, "{scopes} {bound:?}");
            }
            assert_eq!((see_token(&login, others).is_ok(), see_token(&login, None).is_ok()), (any, any));
        }
    }
}

//! What concerns a user and their sessions at once: looking at both, and removing both.
//!
//! The edges and the command line call it. It knows no HTTP; users are changed by `auth`, sessions
//! by `broker`.

mod cursor;
mod imports;
mod limits;
mod removal;
#[cfg(test)]
mod tests;

pub use self::cursor::{CursorError, cursor, place};
pub use self::imports::{Import, ImportId, Imports, Passwords, Progress};
pub use self::limits::{LimitsError, check_limits};
pub use self::removal::{HomeFate, Outlook, RemovalError, Removed, outlook, remove};
use crate::audit::Actor;
use crate::auth::{Auth, AuthError};
use crate::broker::Broker;
use crate::session::{HomeUse, UserId};
use crate::store::{Store, User};

/// A user, and what can be said of their sessions and their home without asking the engine.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    /// The user.
    pub user: User,
    /// How many sessions they have, in any state.
    pub sessions: usize,
    /// How many of them run.
    pub running: usize,
    /// How full their home was when it was last looked at.
    pub home: Option<HomeUse>,
}

impl Person {
    /// What is known of a user.
    #[must_use]
    pub fn of(broker: &Broker, user: User) -> Self {
        let entries = broker.entries_of(user.id);
        let running = entries.iter().filter(|entry| entry.session().state.occupies()).count();
        let home = broker.owner_home(user.id).and_then(|measured| measured.usage);
        Self { user, sessions: entries.len(), running, home }
    }
}

/// The user of this name or, if nobody has it, of this id: a name with a slash cannot stand in an
/// address.
///
/// # Errors
/// [`AuthError::UserUnknown`], [`AuthError::Store`].
pub async fn find(store: &dyn Store, name: &str) -> Result<User, AuthError> {
    if let Some(user) = store.user_by_name(name).await? {
        return Ok(user);
    }
    let id: UserId = name.parse().map_err(|_| AuthError::UserUnknown)?;
    store.user(id).await?.ok_or(AuthError::UserUnknown)
}

/// Changes whether a user may log in.
///
/// # Errors
/// As for [`Auth::disable_user`] and [`Auth::enable_user`].
pub async fn set_disabled(auth: &Auth, actor: &Actor, user: &User, disabled: bool) -> Result<(), AuthError> {
    match (user.disabled, disabled) {
        (_, true) => auth.disable_user(actor, user.id).await,
        (true, false) => auth.enable_user(actor, user.id).await,
        (false, false) => Ok(()),
    }
}

//! Removing a user: what it would do, said first, and doing it.

use std::time::Duration;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::audit::Actor;
use crate::auth::{Auth, AuthError, Whom};
use crate::broker::{Broker, BrokerError};
use crate::engine::EngineError;
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::revocation::CloseReason;
use crate::session::{Home, HomeUse, Next, StopReason};
use crate::store::User;

/// How long sessions may take to go: SIGTERM, SIGKILL, and an engine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// What becomes of the files of a user who is removed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HomeFate {
    /// Their home stays where it is.
    #[default]
    Keep,
    /// Their home and its copies are removed for good.
    Remove,
}

/// What removing a user would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outlook {
    /// What they call their sessions, which go.
    pub sessions: Vec<String>,
    /// How many of them run.
    pub running: usize,
    /// How many have a home of their own, which goes with them.
    pub own_homes: usize,
    /// Where their home lies: the name of a volume or a path. `None` if they have none, or if the
    /// engine does not say.
    pub home: Option<String>,
    /// Whether the engine could say so.
    pub home_known: bool,
    /// How full it was when it was last looked at.
    pub home_use: Option<HomeUse>,
}

/// What was removed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Removed {
    /// How many sessions.
    pub sessions: usize,
    /// Where their home lies that was kept, if they have one and the engine said so.
    pub kept: Option<String>,
}

/// Why a user was not removed, or not to the end. Doing it again goes on where it stopped.
#[derive(Debug, Error)]
pub enum RemovalError {
    /// The user cannot be changed.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A session or the home cannot be removed.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

impl Answer for RemovalError {
    fn fault(&self) -> Fault {
        match self {
            Self::Auth(error) => error.fault(),
            Self::Broker(error) => error.fault(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Auth(error) => error.code(),
            Self::Broker(error) => error.code(),
        }
    }

    fn sentence(&self) -> Sentence {
        match self {
            Self::Auth(error) => error.sentence(),
            Self::Broker(error) => error.sentence(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Auth(error) => error.retry_after(),
            Self::Broker(error) => error.retry_after(),
        }
    }
}

/// What removing a user would do; asks the engine where their home is.
pub async fn outlook(broker: &Broker, user: &User) -> Outlook {
    let entries = broker.entries_of(user.id);
    let own = |home: Home| home == Home::Session;
    let place = broker.owner_home_place(user).await;
    Outlook {
        sessions: entries.iter().map(|entry| entry.session().name.to_string()).collect(),
        running: entries.iter().filter(|entry| entry.session().state.occupies()).count(),
        own_homes: entries
            .iter()
            .filter(|entry| entry.template.as_ref().is_some_and(|template| own(template.home)))
            .count(),
        home_known: place.is_ok(),
        home: place.ok().flatten(),
        home_use: broker.owner_home(user.id).and_then(|measured| measured.usage),
    }
}

/// Removes a user with their sessions: logins first, so that nobody makes another session meanwhile;
/// then the sessions, the home if it is to go, and the record last, so that what was interrupted can
/// be done again.
///
/// # Errors
/// [`AuthError::LastAdmin`] before anything is changed; later ones leave a disabled user behind.
pub async fn remove(
    auth: &Auth,
    broker: &Broker,
    actor: &Actor,
    user: &User,
    fate: HomeFate,
) -> Result<Removed, RemovalError> {
    let removed = remove_now(auth, broker, actor, user, fate).await;
    auth.told_if_refused(actor, "remove", Whom::Name(&user.name), removed).await
}

async fn remove_now(
    auth: &Auth,
    broker: &Broker,
    actor: &Actor,
    user: &User,
    fate: HomeFate,
) -> Result<Removed, RemovalError> {
    auth.disable_user_now(actor, user.id).await?;
    auth.revoke_user(user.id, CloseReason::LoginEnded).await?;
    let entries = broker.entries_of(user.id);
    let ends = entries.iter().map(async |entry| {
        match broker.stop(entry, StopReason::Admin, Next::Remove, actor).await {
            Ok(()) => timeout(PATIENCE, broker.ended(entry)).await.map_err(|_| slow())?,
            // Somebody else was faster.
            Err(BrokerError::NotFound) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    });
    for ended in join_all(ends).await {
        ended?;
    }
    let kept = match fate {
        HomeFate::Keep => broker.owner_home_place(user).await.ok().flatten(),
        HomeFate::Remove => {
            broker.remove_owner_home(user, actor).await?;
            None
        }
    };
    auth.remove_user_now(actor, user.id).await?;
    broker.forget_grantee(user.id);
    Ok(Removed { sessions: entries.len(), kept })
}

fn slow() -> BrokerError {
    EngineError::Slow { verb: "end a user's sessions".to_owned(), seconds: PATIENCE.as_secs() }.into()
}

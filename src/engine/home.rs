//! Homes as engines keep them: typed verbs that name an owner or a session, never a path or volume.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::EngineError;
use crate::session::{CopyName, HomeKey, HomeUse, SessionId};

/// Most homes in one call of [`Homes::measure_homes`]: one short-lived container looks at them all.
pub const MOST_MEASURED: usize = 16;

/// Which home is meant. Where it lies is the engine side's own configuration.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HomeOrder {
    /// Which store knows its owner.
    pub installation: String,
    /// Whose it is.
    pub key: HomeKey,
    /// The owner's user name: a home in a directory of the host is called after it.
    pub owner_name: String,
}

/// What becomes of the files that outlive containers. Calls may be cancelled: copying goes on then
/// and is joined by the next call for the same home.
///
/// An engine that keeps no homes has nothing to say of them, which is what the defaults do.
#[async_trait]
pub trait Homes: Send + Sync {
    /// How full homes are, in the order of `homes` (at most [`MOST_MEASURED`]); `None` for one that
    /// does not exist or could not be read in time. Bound: 5 min.
    async fn measure_homes(&self, homes: &[HomeOrder]) -> Result<Vec<Option<HomeUse>>, EngineError> {
        Ok(vec![None; homes.len()])
    }

    /// Sets a home's files aside as the copy `copy`, leaves an empty home, and removes all but the
    /// newest `keep` copies. If it fails before the copy is whole the home is as it was. Bound: 1 h.
    ///
    /// # Errors
    /// [`EngineError::HomeInUse`] while a container uses the home.
    async fn set_home_aside(
        &self,
        _home: &HomeOrder,
        _copy: &CopyName,
        _keep: usize,
    ) -> Result<(), EngineError> {
        Err(no_homes())
    }

    /// Puts the files of a copy into an empty home; the copy stays. Bound: 1 h.
    ///
    /// # Errors
    /// [`EngineError::HomeInUse`] while a container uses the home; [`EngineError::Refused`] if there
    /// is no such copy.
    async fn restore_home(&self, _home: &HomeOrder, _copy: &CopyName) -> Result<(), EngineError> {
        Err(no_homes())
    }

    /// The copies of a home, oldest first.
    async fn home_copies(&self, _home: &HomeOrder) -> Result<Vec<CopyName>, EngineError> {
        Ok(Vec::new())
    }

    /// Where a home lies, for people: the name of a volume or a path. `None` if there is none.
    async fn home_place(&self, _home: &HomeOrder) -> Result<Option<String>, EngineError> {
        Ok(None)
    }

    /// Removes a home and its copies for good; absent is success. Bound: 1 h.
    ///
    /// # Errors
    /// [`EngineError::HomeInUse`] while a container uses the home.
    async fn remove_home(&self, _home: &HomeOrder) -> Result<(), EngineError> {
        Ok(())
    }

    /// Removes the home of one session and its copies; absent is success. An owner's home cannot be
    /// named here.
    async fn remove_session_home(&self, _installation: &str, _session: SessionId) -> Result<(), EngineError> {
        Ok(())
    }

    /// The sessions of an installation that have a home of their own, as far as the engine side can
    /// tell without running anything.
    async fn session_homes(&self, _installation: &str) -> Result<Vec<SessionId>, EngineError> {
        Ok(Vec::new())
    }
}

fn no_homes() -> EngineError {
    EngineError::Refused { detail: "this engine keeps no homes".to_owned() }
}

/// What the spawner can be asked about homes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HomeRequest {
    /// How full they are.
    Measure {
        /// Which.
        homes: Vec<HomeOrder>,
    },
    /// Set its files aside.
    SetAside {
        /// Which.
        home: HomeOrder,
        /// What the copy is called.
        copy: CopyName,
        /// How many copies stay.
        keep: usize,
    },
    /// Put a copy back.
    Restore {
        /// Which.
        home: HomeOrder,
        /// The copy.
        copy: CopyName,
    },
    /// Its copies.
    Copies {
        /// Which.
        home: HomeOrder,
    },
    /// Where it lies.
    Place {
        /// Which.
        home: HomeOrder,
    },
    /// Remove an owner's or a session's for good, while nothing uses it.
    Discard {
        /// Which.
        home: HomeOrder,
    },
    /// Remove a session's own.
    Remove {
        /// Which store knows it.
        installation: String,
        /// The session.
        session: SessionId,
    },
    /// Sessions with a home of their own.
    Sessions {
        /// Which store knows them.
        installation: String,
    },
}

/// What the spawner answers about homes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HomeReply {
    /// It is done.
    Done,
    /// How full they are.
    Uses(Vec<Option<HomeUse>>),
    /// The copies.
    Copies(Vec<CopyName>),
    /// Where it lies.
    Place(Option<String>),
    /// The sessions.
    Sessions(Vec<SessionId>),
}

/// Answers a request with an engine's verbs.
///
/// # Errors
/// The engine's.
pub async fn answer(engine: &dyn Homes, request: HomeRequest) -> Result<HomeReply, EngineError> {
    Ok(match request {
        HomeRequest::Measure { homes } => {
            if homes.len() > MOST_MEASURED {
                return Err(EngineError::Refused {
                    detail: format!("more than {MOST_MEASURED} homes at once"),
                });
            }
            HomeReply::Uses(engine.measure_homes(&homes).await?)
        }
        HomeRequest::SetAside { home, copy, keep } => {
            engine.set_home_aside(&home, &copy, keep).await?;
            HomeReply::Done
        }
        HomeRequest::Restore { home, copy } => {
            engine.restore_home(&home, &copy).await?;
            HomeReply::Done
        }
        HomeRequest::Copies { home } => HomeReply::Copies(engine.home_copies(&home).await?),
        HomeRequest::Place { home } => HomeReply::Place(engine.home_place(&home).await?),
        HomeRequest::Discard { home } => {
            engine.remove_home(&home).await?;
            HomeReply::Done
        }
        HomeRequest::Remove { installation, session } => {
            engine.remove_session_home(&installation, session).await?;
            HomeReply::Done
        }
        HomeRequest::Sessions { installation } => {
            HomeReply::Sessions(engine.session_homes(&installation).await?)
        }
    })
}

//! The verbs of homes, asked of the spawner.

use std::time::Duration;

use async_trait::async_trait;

use super::{QUICK, SpawnerEngine, misunderstood};
use crate::engine::EngineError;
use crate::engine::home::{HomeOrder, HomeReply, HomeRequest, Homes};
use crate::session::{CopyName, HomeUse, SessionId};
use crate::spawner::protocol::{Reply, Request};

/// The bound of a measurement, a little above the engine's own.
const MEASURE: Duration = Duration::from_secs(310);
/// The bound of whatever copies or removes files.
const COPY: Duration = Duration::from_secs(3610);

impl SpawnerEngine {
    async fn home(
        &self,
        verb: &str,
        bound: Duration,
        request: HomeRequest,
    ) -> Result<HomeReply, EngineError> {
        match self.ask(verb, bound, Request::Home(request)).await? {
            Reply::Home(reply) => Ok(reply),
            other => Err(misunderstood(&other)),
        }
    }

    async fn home_done(&self, verb: &str, request: HomeRequest) -> Result<(), EngineError> {
        match self.home(verb, COPY, request).await? {
            HomeReply::Done => Ok(()),
            other => Err(misunderstood(&Reply::Home(other))),
        }
    }
}

#[async_trait]
impl Homes for SpawnerEngine {
    async fn measure_homes(&self, homes: &[HomeOrder]) -> Result<Vec<Option<HomeUse>>, EngineError> {
        match self.home("measure homes", MEASURE, HomeRequest::Measure { homes: homes.to_vec() }).await? {
            HomeReply::Uses(uses) if uses.len() == homes.len() => Ok(uses),
            other => Err(misunderstood(&Reply::Home(other))),
        }
    }

    async fn set_home_aside(
        &self,
        home: &HomeOrder,
        copy: &CopyName,
        keep: usize,
    ) -> Result<(), EngineError> {
        let request = HomeRequest::SetAside { home: home.clone(), copy: copy.clone(), keep };
        self.home_done("set a home aside", request).await
    }

    async fn restore_home(&self, home: &HomeOrder, copy: &CopyName) -> Result<(), EngineError> {
        let request = HomeRequest::Restore { home: home.clone(), copy: copy.clone() };
        self.home_done("restore a home", request).await
    }

    async fn home_copies(&self, home: &HomeOrder) -> Result<Vec<CopyName>, EngineError> {
        match self.home("list a home's copies", MEASURE, HomeRequest::Copies { home: home.clone() }).await? {
            HomeReply::Copies(copies) => Ok(copies),
            other => Err(misunderstood(&Reply::Home(other))),
        }
    }

    async fn home_place(&self, home: &HomeOrder) -> Result<Option<String>, EngineError> {
        match self.home("find a home", QUICK, HomeRequest::Place { home: home.clone() }).await? {
            HomeReply::Place(place) => Ok(place),
            other => Err(misunderstood(&Reply::Home(other))),
        }
    }

    async fn remove_home(&self, home: &HomeOrder) -> Result<(), EngineError> {
        self.home_done("remove a home", HomeRequest::Discard { home: home.clone() }).await
    }

    async fn remove_session_home(&self, installation: &str, session: SessionId) -> Result<(), EngineError> {
        let request = HomeRequest::Remove { installation: installation.to_owned(), session };
        self.home_done("remove a session's home", request).await
    }

    async fn session_homes(&self, installation: &str) -> Result<Vec<SessionId>, EngineError> {
        let request = HomeRequest::Sessions { installation: installation.to_owned() };
        match self.home("list sessions' homes", QUICK, request).await? {
            HomeReply::Sessions(sessions) => Ok(sessions),
            other => Err(misunderstood(&Reply::Home(other))),
        }
    }
}

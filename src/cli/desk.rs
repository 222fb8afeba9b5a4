//! Whoever does what a command asks: the gateway of this machine, this process itself where none runs,
//! or a gateway elsewhere.

use std::sync::Arc;

use super::args::RemoteArgs;
use super::failure::Failure;
use super::here;
use super::remote::Remote;
use crate::app;
use crate::config::Config;
use crate::control::{Reply, Request};
use crate::store::AuditLines;

/// Who is asked.
pub(super) enum Desk {
    /// The gateway of this configuration, or its store when it does not run.
    Here(Box<Config>),
    /// A gateway by its address.
    There(Arc<Remote>),
}

impl Desk {
    /// Whoever the command line names. The configuration is read only if that is here.
    pub(super) fn of(
        remote: &RemoteArgs,
        load: impl FnOnce() -> Result<Config, Failure>,
    ) -> Result<Self, Failure> {
        match Remote::of(remote)? {
            Some(remote) => Ok(Self::There(Arc::new(remote))),
            None => Ok(Self::Here(Box::new(load()?))),
        }
    }

    /// The portal's address, with a slash at its end.
    pub(super) fn portal(&self) -> String {
        match self {
            Self::Here(config) => app::portal_url(config),
            Self::There(remote) => remote.portal(),
        }
    }

    /// The audit, to be read: of the store itself, beside a running gateway, or through the API.
    pub(super) fn audit(&self) -> Result<Arc<dyn AuditLines>, Failure> {
        Ok(match self {
            Self::Here(config) => app::open_store(config)?,
            Self::There(remote) => remote.clone(),
        })
    }

    /// Why a gateway elsewhere did not let its audit be read, if that is so.
    pub(super) fn why_unread(&self) -> Option<Failure> {
        match self {
            Self::Here(_) => None,
            Self::There(remote) => remote.why_unread(),
        }
    }

    pub(super) async fn ask(&self, request: Request) -> Result<Reply, Failure> {
        match self {
            Self::Here(config) => here::ask(config, request).await,
            Self::There(remote) => remote.ask(request).await,
        }
    }
}

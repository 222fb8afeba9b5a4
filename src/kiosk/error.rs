//! Why a client has no session.

use std::time::Duration;

use thiserror::Error;

use crate::auth::AuthError;
use crate::broker::BrokerError;
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::session::TemplateName;
use crate::store::StoreError;

/// Why a client's session cannot be made, entered or removed.
#[derive(Debug, Error)]
pub enum KioskError {
    /// The link or ticket is not good, or the owner may not have sessions.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The broker's own refusals and failures.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The template of `[compat]` is not configured.
    #[error("no template {0} is configured, which compat.template names")]
    NoTemplate(TemplateName),
    /// Its sessions would all write to one home.
    #[error("the template {0} keeps one home per owner, and all clients have one owner")]
    SharedHome(TemplateName),
    /// Others made and removed it all the time.
    #[error("the client's session was made and removed by others meanwhile")]
    Unsettled,
}

impl From<StoreError> for KioskError {
    fn from(error: StoreError) -> Self {
        Self::Broker(error.into())
    }
}

impl KioskError {
    fn inner(&self) -> Option<&dyn Answer> {
        match self {
            Self::Auth(error) => Some(error),
            Self::Broker(error) => Some(error),
            Self::NoTemplate(_) | Self::SharedHome(_) | Self::Unsettled => None,
        }
    }
}

impl Answer for KioskError {
    fn fault(&self) -> Fault {
        match self {
            Self::Auth(error) => error.fault(),
            Self::Broker(error) => error.fault(),
            Self::Unsettled => Fault::Engine,
            Self::NoTemplate(_) | Self::SharedHome(_) => Fault::Downstream,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Auth(error) => error.code(),
            Self::Broker(error) => error.code(),
            Self::NoTemplate(_) => "template_unknown",
            Self::SharedHome(_) => "home_shared",
            Self::Unsettled => "unsettled",
        }
    }

    fn sentence(&self) -> Sentence {
        match self {
            Self::Auth(error) => error.sentence(),
            Self::Broker(error) => error.sentence(),
            Self::NoTemplate(name) => Sentence::of("problem-client-template").with("name", name.to_string()),
            Self::SharedHome(name) => Sentence::of("problem-client-home").with("name", name.to_string()),
            Self::Unsettled => Sentence::of("problem-client-unsettled"),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match (self, self.inner()) {
            (Self::Unsettled, _) => Some(Duration::from_secs(5)),
            (_, Some(error)) => error.retry_after(),
            (_, None) => None,
        }
    }
}

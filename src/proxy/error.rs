//! Why a request or socket could not be passed on.

use std::time::Duration;

use thiserror::Error;

use crate::auth::AuthError;
use crate::broker::BrokerError;
use crate::fault::{Answer, Fault};
use crate::language::Sentence;

/// Why the data plane answers by itself.
#[derive(Debug, Error)]
pub enum ProxyError {
    /// Who asks could not be found out.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The browser announced a body and stopped sending it.
    #[error("the request's body stopped arriving")]
    BodyStalled,
    /// The session could not be used.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// A page of another origin tried to open a WebSocket.
    #[error("the websocket was opened by another origin")]
    OriginForeign,
    /// The request to switch protocols is malformed or for something unknown.
    #[error("the upgrade is not valid: {0}")]
    UpgradeInvalid(&'static str),
    /// The upstream ended the connection before it answered.
    #[error("the upstream closed the connection without an answer")]
    UpstreamClosed,
    /// The upstream broke HTTP or switched protocols unasked.
    #[error("the upstream broke the protocol: {0}")]
    UpstreamProtocol(String),
    /// The upstream did not begin to answer in time.
    #[error("the upstream did not answer in time")]
    UpstreamTimeout,
    /// The upstream could not be connected to.
    #[error("the upstream could not be reached: {0}")]
    UpstreamUnreachable(String),
}

impl Answer for ProxyError {
    fn fault(&self) -> Fault {
        match self {
            Self::Auth(error) => error.fault(),
            Self::Broker(error) => error.fault(),
            Self::BodyStalled | Self::OriginForeign | Self::UpgradeInvalid(_) => Fault::Downstream,
            Self::UpstreamClosed
            | Self::UpstreamProtocol(_)
            | Self::UpstreamTimeout
            | Self::UpstreamUnreachable(_) => Fault::Upstream,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Auth(error) => error.code(),
            Self::BodyStalled => "body_stalled",
            Self::Broker(error) => error.code(),
            Self::OriginForeign => "origin_foreign",
            Self::UpgradeInvalid(_) => "upgrade_invalid",
            Self::UpstreamClosed => "upstream_closed",
            Self::UpstreamProtocol(_) => "upstream_protocol",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::UpstreamUnreachable(_) => "upstream_unreachable",
        }
    }

    fn sentence(&self) -> Sentence {
        match self {
            Self::Auth(error) => error.sentence(),
            Self::Broker(error) => error.sentence(),
            Self::BodyStalled => Sentence::of("problem-body-stalled"),
            Self::OriginForeign => Sentence::of("problem-origin-foreign-machine"),
            Self::UpgradeInvalid(_) => Sentence::of("problem-upgrade-invalid"),
            Self::UpstreamClosed | Self::UpstreamProtocol(_) | Self::UpstreamUnreachable(_) => {
                Sentence::of("problem-upstream")
            }
            Self::UpstreamTimeout => Sentence::of("problem-upstream-timeout"),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Auth(error) => error.retry_after(),
            Self::Broker(error) => error.retry_after(),
            Self::UpstreamClosed
            | Self::UpstreamProtocol(_)
            | Self::UpstreamTimeout
            | Self::UpstreamUnreachable(_) => Some(Duration::from_secs(2)),
            Self::BodyStalled | Self::OriginForeign | Self::UpgradeInvalid(_) => None,
        }
    }
}

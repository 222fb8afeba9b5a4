//! Why the broker refuses or fails.

use std::time::Duration;

use thiserror::Error;

use crate::engine::EngineError;
use crate::fault::{Answer, Fault};
use crate::session::{CopyName, Illegal, Label, SessionName, TemplateName};
use crate::store::{StoreError, UniqueKey};

/// Why a session could not be created or changed.
#[derive(Debug, Error)]
pub enum BrokerError {
    /// The change ended without saying how: a bug of ours.
    #[error("the change was broken off")]
    BrokenOff,
    /// There is no such copy of the home.
    #[error("there is no copy {0} of this home")]
    CopyUnknown(CopyName),
    /// The engine refused or failed; the session is as it was.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The session was given as much more time as it may get.
    #[error("the session was put off by {} s in all, the most allowed", limit.as_secs())]
    ExtendSpent {
        /// The most it may get.
        limit: Duration,
    },
    /// Every place for a running session is taken.
    #[error("{running} of {limit} sessions are running")]
    Full {
        /// How many run.
        running: usize,
        /// How many may.
        limit: usize,
    },
    /// The files of the home are being copied.
    #[error("the home is being copied")]
    HomeBusy,
    /// Another session uses the same home.
    #[error("the session {label} uses the same home")]
    HomeInUse {
        /// What its owner calls it.
        name: SessionName,
        /// Its label.
        label: Label,
    },
    /// The event has no meaning in the session's state.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// There is no such session.
    #[error("there is no such session")]
    NotFound,
    /// The store failed, or the name is taken.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No such template is configured.
    #[error("no template {0} is configured")]
    TemplateUnknown(TemplateName),
    /// The owner has as many sessions as they may.
    #[error("the owner has {limit} sessions, the most allowed")]
    TooMany {
        /// How many they may have.
        limit: usize,
    },
}

impl Answer for BrokerError {
    fn fault(&self) -> Fault {
        match self {
            Self::BrokenOff => Fault::Internal,
            Self::Engine(error) => error.fault(),
            Self::Store(error) => error.fault(),
            Self::Full { .. } => Fault::Engine,
            Self::CopyUnknown(_)
            | Self::ExtendSpent { .. }
            | Self::HomeBusy
            | Self::HomeInUse { .. }
            | Self::Illegal(_)
            | Self::NotFound
            | Self::TemplateUnknown(_)
            | Self::TooMany { .. } => Fault::Downstream,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::BrokenOff => "broken_off",
            Self::CopyUnknown(_) => "copy_unknown",
            Self::Engine(error) => error.code(),
            Self::ExtendSpent { .. } => "extend_spent",
            Self::Full { .. } => "full",
            Self::HomeBusy => "home_busy",
            Self::HomeInUse { .. } => "home_in_use",
            Self::Illegal(_) => "wrong_state",
            Self::NotFound => "not_found",
            Self::Store(StoreError::Conflict(UniqueKey::SessionName)) => "name_taken",
            Self::Store(error) => error.code(),
            Self::TemplateUnknown(_) => "template_unknown",
            Self::TooMany { .. } => "too_many_sessions",
        }
    }

    fn public(&self) -> String {
        match self {
            Self::BrokenOff => "That was not your doing. Reload the page and try again.".to_owned(),
            Self::CopyUnknown(copy) => {
                format!("There is no copy {copy} of these files. `berth home list` names those there are.")
            }
            Self::Engine(error) => error.public(),
            Self::ExtendSpent { .. } => {
                "This machine has no more time to give. Save your work; your files are kept when it stops."
                    .to_owned()
            }
            Self::Full { .. } => "All places are taken right now. Try again in a few minutes.".to_owned(),
            Self::HomeBusy => {
                "The files of this machine are being copied. Try again when that is done.".to_owned()
            }
            Self::HomeInUse { name, label } => format!(
                "“{name}” ({label}) is running with the same files, and two machines at once could damage them. Stop it first, or start this one instead of it."
            ),
            Self::Illegal(illegal) => {
                format!(
                    "This machine is {} right now, so that cannot be done. Reload the page.",
                    illegal.state
                )
            }
            Self::NotFound => "There is no such machine, or it is not yours.".to_owned(),
            Self::Store(error) => error.public(),
            Self::TemplateUnknown(name) => {
                format!("There is no machine type “{name}”. Choose one from the list.")
            }
            Self::TooMany { limit } => {
                format!("You have {limit} machines, the most you may have. Delete one to make room.")
            }
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Full { .. } | Self::HomeBusy => Some(Duration::from_secs(60)),
            Self::Store(error) => error.retry_after(),
            Self::Engine(error) => error.retry_after(),
            Self::BrokenOff
            | Self::CopyUnknown(_)
            | Self::ExtendSpent { .. }
            | Self::HomeInUse { .. }
            | Self::Illegal(_)
            | Self::NotFound
            | Self::TemplateUnknown(_)
            | Self::TooMany { .. } => None,
        }
    }
}

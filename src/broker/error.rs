//! Why the broker refuses or fails.

use std::time::Duration;

use thiserror::Error;

use crate::engine::EngineError;
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::session::{CopyName, Excess, Illegal, Label, SessionName, TemplateName};
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
    /// The owner's sessions would take more than they may.
    #[error(transparent)]
    OverLimit(Excess),
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
            Self::CopyUnknown(_)
            | Self::ExtendSpent { .. }
            | Self::Full { .. }
            | Self::HomeBusy
            | Self::HomeInUse { .. }
            | Self::Illegal(_)
            | Self::NotFound
            | Self::OverLimit(_)
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
            Self::OverLimit(Excess::Cpus { .. }) => "cpus_spent",
            Self::OverLimit(Excess::Memory { .. }) => "memory_spent",
            Self::OverLimit(Excess::Template(_)) => "template_not_allowed",
            Self::Store(StoreError::Conflict(UniqueKey::SessionName)) => "name_taken",
            Self::Store(error) => error.code(),
            Self::TemplateUnknown(_) => "template_unknown",
            Self::TooMany { .. } => "too_many_sessions",
        }
    }

    fn sentence(&self) -> Sentence {
        match self {
            Self::BrokenOff => Sentence::of("problem-broken-off"),
            Self::CopyUnknown(copy) => Sentence::of("problem-copy-unknown").with("copy", copy.to_string()),
            Self::Engine(error) => error.sentence(),
            Self::ExtendSpent { .. } => Sentence::of("problem-extend-spent"),
            Self::Full { .. } => Sentence::of("problem-full"),
            Self::HomeBusy => Sentence::of("problem-home-busy"),
            Self::HomeInUse { name, label } => Sentence::of("problem-home-in-use")
                .with("name", name.to_string())
                .with("label", label.to_string()),
            Self::Illegal(illegal) => Sentence::of("problem-wrong-state").with("state", illegal.state.name()),
            Self::NotFound => Sentence::of("problem-machine-unknown"),
            Self::OverLimit(excess) => over_limit(excess),
            Self::Store(error) => error.sentence(),
            Self::TemplateUnknown(name) => {
                Sentence::of("problem-template-unknown").with("name", name.to_string())
            }
            Self::TooMany { limit } => Sentence::of("problem-too-many-sessions").with("limit", *limit),
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
            | Self::OverLimit(_)
            | Self::TemplateUnknown(_)
            | Self::TooMany { .. } => None,
        }
    }

    fn field(&self) -> Option<&str> {
        match self {
            Self::Store(StoreError::Conflict(UniqueKey::SessionName)) => Some("name"),
            Self::TemplateUnknown(_) => Some("template"),
            Self::BrokenOff
            | Self::CopyUnknown(_)
            | Self::Engine(_)
            | Self::ExtendSpent { .. }
            | Self::Full { .. }
            | Self::HomeBusy
            | Self::HomeInUse { .. }
            | Self::Illegal(_)
            | Self::NotFound
            | Self::OverLimit(_)
            | Self::Store(_)
            | Self::TooMany { .. } => None,
        }
    }
}

fn over_limit(excess: &Excess) -> Sentence {
    match excess {
        Excess::Cpus { limit, taken, wanted } => Sentence::of("problem-cpus-spent")
            .with("limit", *limit)
            .with("taken", (taken * 100.0).round() / 100.0)
            .with("wanted", *wanted),
        Excess::Memory { limit, taken, wanted } => Sentence::of("problem-memory-spent")
            .with("limit", *limit)
            .with("taken", *taken)
            .with("wanted", *wanted),
        Excess::Template(name) => Sentence::of("problem-template-not-allowed").with("name", name.to_string()),
    }
}

//! Why a session ended: every ending has one stable code and one text.
//!
//! Pages, API, logs and audit all take both from here, so that an ending reads the same wherever
//! it is read. The sentences speak to the session's owner.

use serde::{Deserialize, Serialize};

use super::Phase;

/// Why a session stopped.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// An administrator stopped it.
    Admin,
    /// Nobody used it for the away limit and then the frozen limit.
    Away,
    /// The day's closing time came.
    ClosingTime,
    /// Its container ended by itself.
    Exited,
    /// Its container is no longer known to the engine.
    Lost,
    /// Its container was killed for using too much memory.
    OutOfMemory,
    /// Its owner stopped it.
    Owner,
    /// It did not run any more when the records were put back from a backup.
    Restored,
    /// Its total lifetime ended.
    Total,
}

impl StopReason {
    /// Every reason.
    pub const ALL: [Self; 9] = [
        Self::Admin,
        Self::Away,
        Self::ClosingTime,
        Self::Exited,
        Self::Lost,
        Self::OutOfMemory,
        Self::Owner,
        Self::Restored,
        Self::Total,
    ];

    /// The stable `snake_case` name used in API, audit and message files; also how it is stored.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Away => "away",
            Self::ClosingTime => "closing_time",
            Self::Exited => "exited",
            Self::Lost => "lost",
            Self::OutOfMemory => "out_of_memory",
            Self::Owner => "owner",
            Self::Restored => "restored",
            Self::Total => "total",
        }
    }

    /// What happened and what it means, in one or two short sentences of English.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Admin => "An administrator stopped it. Your files are kept.",
            Self::Away => "It stopped because nobody used it for a long time. Your files are kept.",
            Self::ClosingTime => "It stopped because it was closing time. Your files are kept.",
            Self::Exited => "It shut itself down. Your files are kept.",
            Self::Lost => {
                "It is gone from the server it ran on. Start it again; the files in its home are kept."
            }
            Self::OutOfMemory => {
                "It ran out of memory and was ended. Your files are kept; close some programs next time."
            }
            Self::Owner => "Its owner stopped it. Your files are kept.",
            Self::Restored => {
                "The server was set up again from a backup, and this was not running any more. Start it again; the \
                 files in its home are as the backup or the server had them."
            }
            Self::Total => "It stopped because its time was up. Your files are kept.",
        }
    }
}

/// Why a start failed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum FailReason {
    /// Its phase took longer than its deadline.
    Deadline {
        /// The phase that took too long.
        phase: Phase,
    },
    /// The container engine refused or failed.
    Engine {
        /// The engine's own words.
        detail: String,
    },
    /// The engine does not answer.
    EngineDown,
    /// The container ended before it was reachable.
    Exited {
        /// Its exit code, where known.
        code: Option<i64>,
        /// The last lines it printed.
        output: String,
    },
    /// The home could not be set aside; it is as it was.
    HomeKept {
        /// The engine's own words.
        detail: String,
    },
    /// Another container uses the same home.
    HomeInUse,
    /// The template's image is not on this machine.
    ImageMissing {
        /// The image.
        image: String,
    },
    /// The start was abandoned inside the gateway (a bug or a shutdown).
    Internal,
    /// The template is no longer configured.
    TemplateGone,
    /// Something answers, but it does not know the session's password.
    Unproven,
}

impl FailReason {
    /// The stable `snake_case` name used in metrics, API, audit and message files.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Deadline { .. } => "deadline",
            Self::Engine { .. } => "engine",
            Self::EngineDown => "engine_down",
            Self::Exited { .. } => "exited",
            Self::HomeInUse => "home_in_use",
            Self::HomeKept { .. } => "home_kept",
            Self::ImageMissing { .. } => "image_missing",
            Self::Internal => "internal",
            Self::TemplateGone => "template_gone",
            Self::Unproven => "unproven",
        }
    }

    /// What happened and what to do, in one or two short sentences of English. A deadline has one
    /// sentence for each phase; every other code has one.
    #[must_use]
    pub fn sentence(&self) -> &'static str {
        match self {
            Self::Deadline { phase: Phase::Queued } => {
                "Its turn did not come in time because very many machines were starting. Try again in a few minutes."
            }
            Self::Deadline { phase: Phase::Creating } => {
                "The server took too long to make it. Nothing is left over; try again."
            }
            Self::Deadline { phase: Phase::Booting } => {
                "It ran, but it was not ready to use in time. Try again; if it keeps happening, tell your administrator."
            }
            Self::Engine { .. } => {
                "The server could not run it. Try again; if it keeps happening, tell your administrator."
            }
            Self::EngineDown => {
                "The server that runs machines does not answer. Try again in a few minutes; your files are safe."
            }
            Self::Exited { .. } => {
                "It ended before it was ready. Try again; if it keeps happening, tell your administrator."
            }
            Self::HomeInUse => {
                "Another machine is still using the same files. Stop that one, then start this one."
            }
            Self::HomeKept { .. } => {
                "The files in its home could not be set aside, so they are as they were. Start it again to go on with them."
            }
            Self::ImageMissing { .. } => {
                "What it is made from is not on the server. Tell your administrator; trying again will not help yet."
            }
            Self::Internal => "The start was broken off on our side. Try again.",
            Self::TemplateGone => {
                "This type of machine is no longer offered. Your files are kept; create a machine of another type."
            }
            Self::Unproven => {
                "Something else answered in its place, so it was not opened. Try again; if it keeps happening, tell your \
                 administrator."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_stop_has_a_code_of_its_own_that_is_also_how_it_is_stored() {
        let codes: BTreeSet<_> = StopReason::ALL.into_iter().map(StopReason::code).collect();
        let sentences: BTreeSet<_> = StopReason::ALL.into_iter().map(StopReason::sentence).collect();
        assert_eq!((codes.len(), sentences.len()), (StopReason::ALL.len(), StopReason::ALL.len()));
        for reason in StopReason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.code());
        }
    }

    #[test]
    fn a_failure_s_code_is_how_it_is_stored() {
        for reason in [
            FailReason::Deadline { phase: Phase::Queued },
            FailReason::Engine { detail: "x".into() },
            FailReason::EngineDown,
            FailReason::Exited { code: None, output: String::new() },
            FailReason::HomeInUse,
            FailReason::HomeKept { detail: "x".into() },
            FailReason::ImageMissing { image: "x".into() },
            FailReason::Internal,
            FailReason::TemplateGone,
            FailReason::Unproven,
        ] {
            assert_eq!(serde_json::to_value(&reason).unwrap()["cause"], reason.code());
            assert!(!reason.sentence().is_empty());
        }
    }
}

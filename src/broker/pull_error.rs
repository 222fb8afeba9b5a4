//! Why a pull is refused.

use std::time::Duration;

use thiserror::Error;

use crate::fault::{Answer, Fault};
use crate::language::Sentence;

/// Why an image is not fetched.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum PullError {
    /// It is made on this machine; what a registry has under its name is somebody else's.
    #[error("{image} is built on this machine")]
    BuiltHere {
        /// The image.
        image: String,
        /// What makes it.
        command: String,
    },
    /// No such template is configured.
    #[error("there is no such template")]
    TemplateUnknown,
}

impl Answer for PullError {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        match self {
            Self::BuiltHere { .. } => "image_built_here",
            Self::TemplateUnknown => "not_found",
        }
    }

    fn sentence(&self) -> Sentence {
        match self {
            Self::BuiltHere { image, command } => Sentence::of("problem-image-built-here")
                .with("image", image.clone())
                .with("command", command.clone()),
            Self::TemplateUnknown => Sentence::of("problem-template-unlisted"),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

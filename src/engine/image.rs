//! Images as an engine knows them, and how far the fetching of one is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::session::TemplateName;

/// An image on the machine.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The engine's id: the hash of its content, `sha256:…`.
    pub id: String,
    /// What it takes on the disk, layers shared with other images included.
    pub size_bytes: u64,
    /// When it was built, where it says so.
    pub created_at: Option<Timestamp>,
    /// Its label `org.opencontainers.image.version`.
    pub version: Option<String>,
    /// The registry's name for this content, `repository@sha256:…`, if it came from one.
    pub digest: Option<String>,
}

impl Image {
    /// As much of its id as people compare: twelve characters.
    #[must_use]
    pub fn short_id(&self) -> &str {
        let hash = self.id.strip_prefix("sha256:").unwrap_or(&self.id);
        hash.get(..12).unwrap_or(hash)
    }
}

/// A template and what its image's name stands for on the machine now.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateImage {
    /// The template.
    pub template: TemplateName,
    /// Its image; `None` if it is not there.
    pub found: Option<Image>,
}

/// How far a pull is. The engine learns of layers and sizes as it goes, so totals grow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PullProgress {
    /// Layers that are complete.
    pub layers_done: u32,
    /// Layers known of.
    pub layers: u32,
    /// Bytes that have arrived.
    pub bytes: u64,
    /// Bytes known to be needed.
    pub total_bytes: u64,
}

/// What a pull says.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PullStep {
    /// It goes on.
    Progress(PullProgress),
    /// The image is there.
    Done(Image),
}

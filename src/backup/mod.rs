//! Backups: one tar archive whose first member says what is in it.
//!
//! The format is meant to outlive its readers: `tar` unpacks it, each member is what the program
//! it belongs to reads by itself (a SQLite file, a `docker save` archive), and new kinds of members
//! can join. Members are streamed; only the manifest, which stands first, is written last.

mod reader;
#[cfg(test)]
mod tests;
mod writer;

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::reader::Archive;
pub use self::writer::{MemberWriter, Writer};

/// The format that this binary writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// The manifest's name in the archive.
const MANIFEST: &str = "manifest.json";

/// What a backup says of itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this format.
    pub format: u32,
    /// The version of Berth that made it.
    pub berth: String,
    /// When.
    pub created_at: Timestamp,
    /// What is in it, in its order.
    pub members: Vec<Member>,
    /// The images in it.
    pub images: Vec<SavedImage>,
}

/// One member of a backup.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Its name in the archive.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// How long it is.
    pub bytes: u64,
    /// Hex SHA-256 of its bytes.
    pub sha256: String,
}

/// What a member is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The store: a SQLite database.
    Store,
    /// Images: one archive as `docker save` writes it.
    Images,
}

impl Kind {
    /// The name of its member.
    #[must_use]
    pub fn member(self) -> &'static str {
        match self {
            Self::Store => "store.sqlite",
            Self::Images => "images.tar",
        }
    }
}

/// An image in a backup.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct SavedImage {
    /// The name by which templates ask for it.
    pub name: String,
    /// The engine's id of it: the hash of its content.
    pub id: String,
    /// What it takes on the disk.
    pub size_bytes: u64,
}

impl Manifest {
    /// A manifest of members that are still to be written.
    #[must_use]
    pub fn of(kinds: &[Kind], images: Vec<SavedImage>, created_at: Timestamp) -> Self {
        // As wide as they can become, so that there is room for the manifest before them.
        let member = |kind: &Kind| Member {
            name: kind.member().to_owned(),
            kind: *kind,
            bytes: u64::MAX,
            sha256: "0".repeat(64),
        };
        Self {
            format: FORMAT,
            berth: env!("CARGO_PKG_VERSION").to_owned(),
            created_at,
            members: kinds.iter().map(member).collect(),
            images,
        }
    }

    /// The member of this kind, if there is one.
    #[must_use]
    pub fn member(&self, kind: Kind) -> Option<&Member> {
        self.members.iter().find(|member| member.kind == kind)
    }
}

/// Why a backup cannot be written or read.
#[derive(Debug, Error)]
pub enum BackupError {
    /// A member is not as it was written.
    #[error("{member} in {path} is damaged")]
    Damaged {
        /// The backup.
        path: PathBuf,
        /// Its member.
        member: String,
    },
    /// There is a file already.
    #[error("{path} exists")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The disk or file system refused.
    #[error("{path} cannot be {verb}")]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried.
        verb: &'static str,
        /// The operating system's words.
        source: io::Error,
    },
    /// It was made by a newer Berth.
    #[error("{path} has format {format}, newer than this binary's {FORMAT}")]
    Newer {
        /// The backup.
        path: PathBuf,
        /// Its format.
        format: u64,
    },
    /// It is something else, or cut off.
    #[error("{path} is no whole backup of Berth: {detail}")]
    Strange {
        /// The file.
        path: PathBuf,
        /// What is strange.
        detail: String,
    },
}

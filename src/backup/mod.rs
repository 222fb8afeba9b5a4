//! Backups: one tar archive whose first member says what is in it.
//!
//! The format is meant to outlive its readers: `tar` unpacks it, each member is what the program
//! it belongs to reads by itself (a SQLite file, a `docker save` archive), and new kinds of members
//! can join. Members are streamed; only the manifest, which stands first, is written last.

mod files;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::session::{CopyName, HomeKey};

pub use self::files::{pack_files, unpack_files};
pub use self::reader::Archive;
pub use self::writer::{MemberWriter, Writer};

/// The format that this binary writes, and the newest that it reads. 2 added the configuration, homes
/// and the store's schema.
pub const FORMAT: u32 = 2;

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
    /// The schema of the store in it; format 1 did not say.
    #[serde(default)]
    pub schema: Option<i64>,
    /// What is in it, in its order.
    pub members: Vec<Member>,
    /// The images in it.
    pub images: Vec<SavedImage>,
    /// The homes in it, each a member of its own.
    #[serde(default)]
    pub homes: Vec<SavedHome>,
}

/// What a backup is to hold beside the store.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// The schema of the store.
    pub schema: i64,
    /// Whether the configuration's files are in it.
    pub config: bool,
    /// The images.
    pub images: Vec<SavedImage>,
    /// The homes.
    pub homes: Vec<SavedHome>,
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
    /// The configuration's files, in a tar archive.
    Config,
    /// Images: one archive as `docker save` writes it.
    Images,
    /// A home or a copy of one: a compressed tar archive.
    Home,
}

impl Kind {
    /// Its name in words for people and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Config => "config",
            Self::Images => "images",
            Self::Home => "homes",
        }
    }

    /// The name of its member; homes have one each.
    fn member(self) -> &'static str {
        match self {
            Self::Store => "store.sqlite",
            Self::Config => "config.tar",
            Self::Images => "images.tar",
            Self::Home => "homes/",
        }
    }
}

/// A home in a backup.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct SavedHome {
    /// The member that holds it.
    pub member: String,
    /// Whose it is.
    pub key: HomeKey,
    /// The owner's name.
    pub owner: String,
    /// The label of the session whose own it is.
    #[serde(default)]
    pub session: Option<String>,
    /// Which copy it is; `None` is the home itself.
    #[serde(default)]
    pub copy: Option<CopyName>,
    /// Whether a session used it while it was saved, so that its files may not all be of one moment.
    pub in_use: bool,
}

impl SavedHome {
    /// The member of the home at this place in the list, from 0.
    #[must_use]
    pub fn member_at(place: usize) -> String {
        format!("homes/{:05}.tar.gz", place + 1)
    }

    /// It in words: whose, and which copy.
    #[must_use]
    pub fn title(&self) -> String {
        let session = self.session.as_ref().map(|label| format!(", session {label}")).unwrap_or_default();
        let copy = self.copy.as_ref().map(|copy| format!(", copy {copy}")).unwrap_or_default();
        format!("home of {}{session}{copy}", self.owner)
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
    pub fn of(contents: Contents, created_at: Timestamp) -> Self {
        let Contents { schema, config, images, homes } = contents;
        // As wide as they can become, so that there is room for the manifest before them.
        let member = |name: &str, kind| Member {
            name: name.to_owned(),
            kind,
            bytes: u64::MAX,
            sha256: "0".repeat(64),
        };
        let whole = |kind: Kind| member(kind.member(), kind);
        let mut members = vec![whole(Kind::Store)];
        members.extend(config.then(|| whole(Kind::Config)));
        members.extend((!images.is_empty()).then(|| whole(Kind::Images)));
        members.extend(homes.iter().map(|home| member(&home.member, Kind::Home)));
        let berth = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT, berth, created_at, schema: Some(schema), members, images, homes }
    }

    /// The first member of this kind, if there is one.
    #[must_use]
    pub fn member(&self, kind: Kind) -> Option<&Member> {
        self.members.iter().find(|member| member.kind == kind)
    }

    /// The member of this name, if there is one.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
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
    /// Another backup is being written to the same place.
    #[error("another backup is being written to {path}")]
    Busy {
        /// The file.
        path: PathBuf,
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

//! How backups and restorations fail, for the person at the terminal.

use std::path::Path;

use crate::app::open::unusable;
use crate::backup::BackupError;
use crate::cli::{Exit, Failure};
use crate::engine::EngineError;
use crate::fault::chain;
use crate::store::StoreError;

pub(super) fn engine_failed(error: &EngineError) -> Failure {
    let todo = "run this as a user who may open engine.socket, with the engine running";
    Failure::new(
        Exit::Missing,
        "the images and homes cannot be reached through the container engine",
        chain(error),
        todo,
    )
}

pub(super) fn home_failed(what: &str, error: &EngineError) -> Failure {
    let todo = "look at the disk's space and at homes.directory, then repeat";
    Failure::new(Exit::Failed, what, chain(error), todo)
}

pub(super) fn store_failed(path: &Path, error: &StoreError) -> Failure {
    unusable(path, error)
}

pub(super) fn unbacked(error: &BackupError) -> Failure {
    let (exit, todo) = match error {
        BackupError::Busy { .. } => (Exit::Refused, "wait for it, or choose another name"),
        BackupError::Exists { .. } => (Exit::Refused, "choose another name, or add --force to replace it"),
        BackupError::Damaged { .. }
        | BackupError::File { .. }
        | BackupError::Newer { .. }
        | BackupError::Strange { .. } => {
            (Exit::Failed, "check the disk's space and permissions, then repeat")
        }
    };
    Failure::new(exit, "the backup was not made", chain(error), todo)
}

pub(super) fn unwritten(error: &std::io::Error) -> Failure {
    let todo = "check the disk's space and permissions, then repeat";
    Failure::new(Exit::Failed, "a file could not be written", chain(error), todo)
}

pub(super) fn unread(error: &BackupError) -> Failure {
    let todo = match error {
        BackupError::Damaged { .. } | BackupError::Strange { .. } => {
            "take another copy of it, or an older backup"
        }
        BackupError::Newer { .. } => "install the version of Berth that made it, or a newer one",
        BackupError::Busy { .. } | BackupError::Exists { .. } | BackupError::File { .. } => {
            "check its path and permissions"
        }
    };
    Failure::new(Exit::Failed, "nothing was restored: the backup cannot be used", chain(error), todo)
}

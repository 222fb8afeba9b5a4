//! Who may use a database file: everybody together, or one that puts another in its place alone; and
//! who may change what its sessions run in: one process at a time.
//!
//! A lock is the operating system's on a file of its own beside the database, so it ends with the
//! process that holds it, however that ends. SQLite's own locks say nothing of a file that is about
//! to be replaced as a whole.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

use super::failure::unavailable;
use crate::store::StoreError;

/// The right to use a database file, held until this is dropped.
#[derive(Debug)]
pub struct StoreLock {
    /// The lock is held as long as this is open.
    _file: File,
}

impl StoreLock {
    /// The right that every open store holds.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while somebody holds it alone.
    pub(super) fn shared(path: &Path) -> Result<Self, StoreError> {
        Self::take(path, ".lock", File::try_lock_shared)
    }

    /// The right to change containers, homes and grants of this store's sessions: that of the gateway
    /// while it runs, or of a command where none does. What one process knows of them another does not.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process has it.
    pub fn sessions(path: &Path) -> Result<Self, StoreError> {
        Self::take(path, ".sessions.lock", File::try_lock)
    }

    /// The right to put another database in the place of this one: while it is held nobody else opens
    /// the store.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while a gateway or a command has it open.
    pub fn alone(path: &Path) -> Result<Self, StoreError> {
        Self::take(path, ".lock", File::try_lock)
    }

    fn take(
        path: &Path,
        ending: &str,
        lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> Result<Self, StoreError> {
        let beside = beside(path, ending);
        let refused =
            |error: &std::io::Error| unavailable(&format!("cannot lock {}: {error}", beside.display()));
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(0o600);
        let fresh = !beside.exists();
        let file = options.open(&beside).map_err(|error| refused(&error))?;
        if let (true, Ok(database)) = (fresh, std::fs::metadata(path)) {
            // An operator who is root must not lock the gateway's own user out.
            let _ = chown(&beside, Some(database.uid()), Some(database.gid()));
        }
        match lock(&file) {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: path.display().to_string() }),
            Err(TryLockError::Error(error)) => Err(refused(&error)),
        }
    }
}

/// It is never removed: a process that waits for it would lock a file that nobody else sees.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_use_a_store_or_one_replaces_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("berth.db");
        let users = [StoreLock::shared(&path).unwrap(), StoreLock::shared(&path).unwrap()];
        assert!(matches!(StoreLock::alone(&path), Err(StoreError::Locked { .. })));
        drop(users);
        let alone = StoreLock::alone(&path).unwrap();
        assert!(matches!(StoreLock::shared(&path), Err(StoreError::Locked { .. })));
        assert!(matches!(StoreLock::alone(&path), Err(StoreError::Locked { .. })));
        drop(alone);
        StoreLock::shared(&path).unwrap();
    }

    #[test]
    fn sessions_are_changed_by_one_process_while_others_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("berth.db");
        let (_reader, changer) = (StoreLock::shared(&path).unwrap(), StoreLock::sessions(&path).unwrap());
        assert!(matches!(StoreLock::sessions(&path), Err(StoreError::Locked { .. })));
        drop(changer);
        StoreLock::sessions(&path).unwrap();
    }
}

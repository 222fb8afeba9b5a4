//! Bringing a schema up to date: forward only, in one transaction, with the database as it was kept
//! beside it.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};
use tracing::{info, warn};

use super::failure::{explain, unavailable};
use super::{backup, open};
use crate::secret::random_bytes;
use crate::store::StoreError;

/// What a copy of an older schema is called after the database's own name; the number of the schema
/// it was made for follows.
const BEFORE: &str = ".before-";

/// A database that is brought up to date.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    /// What it is called in errors.
    pub(super) name: &'a str,
    /// Where a copy of it as it was is kept beside; `None` if nobody would want one.
    pub(super) keep: Option<&'a Path>,
    /// "Bert", which marks the file as ours.
    pub(super) application: i64,
    /// Every step there is, in order.
    pub(super) steps: &'a [&'a str],
}

impl Subject<'_> {
    /// Applies the steps that the database has not seen. Whatever interrupts that leaves it as it was.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::Unavailable`] if no copy can be kept, or SQLite's words.
    pub(super) fn migrate(self, connection: &mut Connection) -> Result<(), StoreError> {
        let sql = |error: rusqlite::Error| explain(self.name, &error);
        // The version is read again inside the transaction: two processes may open at once.
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
        let version = open::user_version(&transaction).map_err(sql)?;
        self.refuse_newer(version)?;
        let applied = usize::try_from(version).unwrap_or(0);
        let kept = match self.keep {
            Some(path) if applied > 0 && applied < self.steps.len() => Some(self.keep_copy(path)?),
            Some(_) | None => None,
        };
        for step in self.steps.iter().skip(applied) {
            transaction.execute_batch(step).map_err(sql)?;
        }
        if applied == 0 {
            let id = uuid::Builder::from_random_bytes(random_bytes()).into_uuid().to_string();
            transaction
                .execute("INSERT INTO meta (key, value) VALUES ('installation', ?1)", [id])
                .map_err(sql)?;
            transaction.pragma_update(None, "application_id", self.application).map_err(sql)?;
        }
        if applied < self.steps.len() {
            transaction.pragma_update(None, "user_version", self.newest()).map_err(sql)?;
        }
        transaction.commit().map_err(sql)?;
        if let (Some(path), Some(kept)) = (self.keep, kept) {
            info!(from = applied, to = self.steps.len(), kept = %kept.display(), "the store's schema was changed");
            forget_older(path, &kept);
        }
        Ok(())
    }

    /// The schema that this binary knows.
    pub(super) fn newest(self) -> i64 {
        i64::try_from(self.steps.len()).expect("there are few migrations")
    }

    /// A schema from the future is left to whoever wrote it.
    pub(super) fn refuse_newer(self, found: i64) -> Result<(), StoreError> {
        let known = self.newest();
        if found > known {
            return Err(StoreError::Newer { path: self.name.to_owned(), found, known });
        }
        Ok(())
    }

    /// Copies the database as it is. Through another connection: the one with the transaction that
    /// changes it may not be read from meanwhile.
    fn keep_copy(self, path: &Path) -> Result<PathBuf, StoreError> {
        let to = with_suffix(path, &format!("{BEFORE}{}", self.newest()));
        let copied = open::reader(path, self.name).and_then(|reader| backup::copy(&reader, &to));
        copied.map_err(|error| {
            unavailable(&format!(
                "its schema has to be changed, and no copy of it as it is can be kept at {}: {error}",
                to.display()
            ))
        })?;
        Ok(to)
    }
}

/// Removes the copies of schemas before the one before. That they take room is no reason to fail.
fn forget_older(path: &Path, kept: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(own) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else { return };
    let is_older = |found: &Path| {
        let name = found.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let number = name.strip_prefix(&own).and_then(|rest| rest.strip_prefix(BEFORE));
        found.file_name() != kept.file_name() && number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    let found = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    for older in found.filter(|found| is_older(found)) {
        if let Err(error) = fs::remove_file(&older) {
            warn!(path = %older.display(), %error, "an old copy of the store could not be removed");
        }
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

//! The store and the audit in it.

use std::path::Path;

use super::{Finding, Findings, Hop};
use crate::app;
use crate::audit::{self, Unverified};
use crate::config::Config;
use crate::fault::chain;
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};

pub(super) async fn examine(config: &Config, found: &mut Findings<'_>) {
    let (store, opened) = opened(config).await;
    found.add(store);
    match opened {
        Some(store) => found.add(audit_of(&store).await),
        None => found.skip(&[Hop::Audit], "it is in the store"),
    }
}

/// The store, if it can be used.
async fn opened(config: &Config) -> (Finding, Option<SqliteStore>) {
    let path = match app::store_path(config) {
        Ok(path) if path.exists() => path,
        Ok(path) => return (unmade(&path), None),
        Err(failure) => return (Finding::broken(Hop::Store, failure.to_string(), "correct store.url"), None),
    };
    let store = match SqliteStore::open(&path) {
        Ok(store) => store,
        Err(error) => return (broken(&error), None),
    };
    match store.check().await {
        Ok(()) => {
            let why = format!("{} is whole and can be written", path.display());
            (Finding::ok(Hop::Store, why), Some(store))
        }
        Err(error) => (broken(&error), None),
    }
}

/// A first start makes it, if its folder can be written.
fn unmade(path: &Path) -> Finding {
    let folder = path.ancestors().skip(1).find(|part| part.exists() || part.as_os_str().is_empty());
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match tried(folder) {
        Ok(()) => Finding::warning(
            Hop::Store,
            format!("{} is not there yet", path.display()),
            "`berth setup` makes it with the first users; after a loss, `berth restore FILE`",
        ),
        Err(error) => Finding::broken(
            Hop::Store,
            format!("{} is not there and cannot be made in {}: {error}", path.display(), folder.display()),
            "let the gateway's user write there, or name another place in store.url",
        ),
    }
}

/// Writes something and takes it away again: permissions alone do not tell of a read-only disk.
fn tried(folder: &Path) -> std::io::Result<()> {
    let probe = folder.join(format!(".berth-doctor-{}", std::process::id()));
    std::fs::OpenOptions::new().create_new(true).write(true).open(&probe)?;
    std::fs::remove_file(probe)
}

fn broken(error: &StoreError) -> Finding {
    let todo = match error {
        StoreError::Corrupt { .. } => {
            "keep the file, and put a backup in its place: `berth restore FILE --replace`"
        }
        StoreError::Newer { .. } => {
            "install the newer Berth again, or restore the backup made before the upgrade"
        }
        StoreError::Locked { .. } => "wait until the restoration is done, then look again",
        StoreError::Conflict(_) | StoreError::Stale | StoreError::Unavailable { .. } => {
            "look at its disk and permissions, and run this as the gateway's own user"
        }
    };
    Finding::broken(Hop::Store, chain(error), todo)
}

async fn audit_of(store: &dyn Store) -> Finding {
    match audit::verify(store).await {
        Ok(audit) if audit.lines() == 0 => Finding::ok(Hop::Audit, "it is empty"),
        Ok(audit) => Finding::ok(Hop::Audit, format!("its {} lines are as they were written", audit.lines())),
        Err(Unverified::Unread { error, .. }) => {
            Finding::broken(Hop::Audit, chain(&error), "look at its disk, then look again")
        }
        Err(error @ Unverified::Broken { .. }) => Finding::broken(
            Hop::Audit,
            chain(&error),
            "compare with a backup; everything before the named line is as it was written",
        ),
    }
}

//! The store and the audit in it.

use std::path::Path;

use super::{Finding, Hop};
use crate::app;
use crate::audit;
use crate::config::Config;
use crate::fault::chain;
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};

pub(super) async fn examine(config: &Config) -> [Finding; 2] {
    let untouched = |store: Finding| [store, Finding::skipped(Hop::Audit, "it is in the store")];
    let path = match app::store_path(config) {
        Ok(path) => path,
        Err(failure) => {
            return untouched(Finding::broken(Hop::Store, failure.to_string(), "correct store.url"));
        }
    };
    if !path.exists() {
        return untouched(unmade(&path));
    }
    let store = match SqliteStore::open(&path) {
        Ok(store) => store,
        Err(error) => return untouched(broken(&error)),
    };
    match store.check().await {
        Ok(()) => {}
        Err(error) => return untouched(broken(&error)),
    }
    let found = Finding::ok(Hop::Store, format!("{} is whole and can be written", path.display()));
    [found, audit_of(&store).await]
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
        Err(error) => Finding::broken(
            Hop::Audit,
            chain(&error),
            "compare with a backup; everything before the named line is as it was written",
        ),
    }
}

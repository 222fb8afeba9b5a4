//! A copy of the database while it is in use.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::failure::{explain, unavailable};
use super::open;
use crate::store::StoreError;

/// Copies the whole database to `to`. All pages are taken in one step and so in one read
/// transaction; in WAL mode writers go on meanwhile.
pub(super) fn copy(from: &Connection, to: &Path) -> Result<(), StoreError> {
    let part = part(to);
    let copied = copy_into(from, &part).and_then(|()| {
        let put = put_in_place(&part, to);
        put.map_err(|error| unavailable(&format!("cannot put the backup at {}: {error}", to.display())))
    });
    if copied.is_err() {
        // Nothing to add to the error if even this fails.
        let _ = fs::remove_file(&part);
    }
    copied
}

fn copy_into(from: &Connection, part: &Path) -> Result<(), StoreError> {
    let name = part.display().to_string();
    let sql = |error: rusqlite::Error| explain(&name, &error);
    // What an interrupted backup left is no database to copy into.
    if let Err(error) = fs::remove_file(part)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(unavailable(&format!("cannot replace {name}: {error}")));
    }
    open::prepare_file(part)?;
    let mut copy = Connection::open(part).map_err(sql)?;
    let step = Backup::new(from, &mut copy).and_then(|backup| backup.step(-1)).map_err(sql)?;
    if step != StepResult::Done {
        return Err(unavailable("the database is busy; try the backup again"));
    }
    // A backup is one file, without a log beside it.
    copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).map_err(sql)?;
    copy.close().map_err(|(_, error)| sql(error))
}

fn put_in_place(part: &Path, to: &Path) -> io::Result<()> {
    fs::rename(part, to)?;
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The rename is durable once the directory is.
    fs::File::open(parent)?.sync_all()
}

fn part(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

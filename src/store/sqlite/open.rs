//! Opening a database file: its mode, its health, its settings and its schema.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::failure::{Refusal, explain, unavailable};
use super::migrate::Subject;
use super::rows;
use crate::clock;
use crate::store::StoreError;

/// "Bert" in ASCII: marks the file as ours, so that no other program's database is migrated.
const APPLICATION: i64 = 0x4265_7274;
/// Forward-only steps; `user_version` counts how many were applied. Never edit one that was
/// released: add another.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("schema/001_first.sql"),
    include_str!("schema/002_grants.sql"),
    include_str!("schema/003_invitations.sql"),
    include_str!("schema/004_stats.sql"),
    include_str!("schema/005_people.sql"),
    include_str!("schema/006_audit_search.sql"),
    include_str!("schema/007_links.sql"),
    include_str!("schema/008_programs.sql"),
];
/// Another process (the command line) may hold the file for a moment.
const BUSY: Duration = Duration::from_secs(5);
/// Above this size a full check would delay the start by seconds; damage then shows on use.
const CHECK_UP_TO_BYTES: u64 = 512 << 20;

/// Makes the parent directory (0700) and the file (0600) if they are missing, and takes the
/// file away from group and others: it holds password hashes and session secrets.
pub(super) fn prepare_file(path: &Path) -> Result<(), StoreError> {
    let refused = |what: &str, error: &io::Error| unavailable(&format!("{what} {}: {error}", path.display()));
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty() && !parent.exists()) {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
            .map_err(|error| refused("cannot make the directory of", &error))?;
    }
    // An existing file is not opened here: closing it would drop the locks that SQLite holds on it
    // in this process (sqlite.org/howtocorrupt.html §2.2).
    match fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            restrict(path).map_err(|error| refused("cannot restrict the mode of", &error))
        }
        Err(error) => Err(refused("cannot make", &error)),
    }
}

fn restrict(path: &Path) -> io::Result<()> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Opens the connection that writes, checks the database and brings its schema up to date; with
/// `keep`, with a copy of it as it was beside it.
pub(super) fn writer(path: &Path, name: &str, keep: bool) -> Result<Connection, StoreError> {
    let connection = Connection::open(path).map_err(|error| explain(name, &error))?;
    let size = fs::metadata(path).map_or(0, |metadata| metadata.len());
    prepare_writer(connection, subject(name, keep.then_some(path)), size <= CHECK_UP_TO_BYTES)
}

/// The same without a file, for tests.
pub(super) fn memory(name: &str) -> Result<Connection, StoreError> {
    let connection = Connection::open_in_memory().map_err(|error| explain(name, &error))?;
    prepare_writer(connection, subject(name, None), false)
}

/// Opens a connection that only reads.
pub(super) fn reader(path: &Path, name: &str) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| explain(name, &error))?;
    connection.busy_timeout(BUSY).map_err(|error| explain(name, &error))?;
    Ok(connection)
}

/// The random identity drawn when the database was made.
pub(super) fn installation(connection: &Connection) -> rusqlite::Result<String> {
    connection.query_row("SELECT value FROM meta WHERE key = 'installation'", [], |row| row.get(0))
}

/// Writes something that differs from what is there, to learn whether writing works.
pub(super) fn touch(connection: &Connection) -> Result<(), Refusal> {
    let sql = "INSERT INTO meta (key, value) VALUES ('checked_at', ?1)
               ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    rows::run(connection, sql, [rows::time(clock::now())])?;
    Ok(())
}

/// The time that is kept under a name, if one is.
pub(super) fn noted(connection: &Connection, key: &str) -> Result<Option<Timestamp>, Refusal> {
    let sql = "SELECT value FROM meta WHERE key = ?1";
    let text: Option<String> = rows::one(connection, sql, [key], |row| row.get(0))?;
    // One that cannot be read is as good as none.
    Ok(text.and_then(|text| text.parse().ok()))
}

/// Keeps a time under a name, or nothing.
pub(super) fn note(connection: &Connection, key: &str, at: Option<Timestamp>) -> Result<(), Refusal> {
    match at {
        None => rows::run(connection, "DELETE FROM meta WHERE key = ?1", [key])?,
        Some(at) => {
            let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2)
                       ON CONFLICT (key) DO UPDATE SET value = excluded.value";
            rows::run(connection, sql, [key, &rows::time(at)])?
        }
    };
    Ok(())
}

fn prepare_writer(
    mut connection: Connection,
    subject: Subject<'_>,
    check: bool,
) -> Result<Connection, StoreError> {
    let name = subject.name;
    let sql = |error: rusqlite::Error| explain(name, &error);
    connection.busy_timeout(BUSY).map_err(sql)?;
    connection.set_prepared_statement_cache_capacity(64);
    // Before anything is changed: is it a database, is it ours, do we know its schema?
    recognise(&connection, subject)?;
    if check {
        examine(&connection, name)?;
    }
    settings(&connection).map_err(sql)?;
    subject.migrate(&mut connection)?;
    Ok(connection)
}

fn settings(connection: &Connection) -> rusqlite::Result<()> {
    // Readers go on while a write commits, and a commit is one sequential append.
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // NORMAL would be faster, but in WAL mode it may lose the last commits on a power cut: a
    // logout that was answered could come undone, and an audit line could vanish.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What is removed is overwritten: ended logins and old password hashes do not linger.
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // After a burst the write-ahead log shrinks again.
    connection.pragma_update_and_check(None, "journal_size_limit", 64 << 20, |_| Ok(()))
}

fn recognise(connection: &Connection, subject: Subject<'_>) -> Result<(), StoreError> {
    let name = subject.name;
    let sql = |error: rusqlite::Error| explain(name, &error);
    let version = user_version(connection).map_err(sql)?;
    let application: i64 =
        connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(sql)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(sql)?;
    if application != APPLICATION && (tables > 0 || version != 0 || application != 0) {
        let detail = "it is a database of another program".to_owned();
        return Err(StoreError::Corrupt { path: name.to_owned(), detail });
    }
    subject.refuse_newer(version)
}

fn examine(connection: &Connection, name: &str) -> Result<(), StoreError> {
    let answer: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| explain(name, &error))?;
    if answer == "ok" {
        return Ok(());
    }
    Err(StoreError::Corrupt { path: name.to_owned(), detail: answer.replace('\n', "; ") })
}

/// The schema that this binary knows.
pub(super) fn newest() -> i64 {
    subject("", None).newest()
}

/// A database by the name it has in errors, with every step that this binary knows.
fn subject<'a>(name: &'a str, keep: Option<&'a Path>) -> Subject<'a> {
    Subject { name, keep, application: APPLICATION, steps: MIGRATIONS }
}

pub(super) fn user_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

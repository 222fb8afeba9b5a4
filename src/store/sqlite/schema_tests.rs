//! Every earlier schema comes forward with its data; nothing halfway, nothing backward.
//!
//! `schema/samples/name.sql` puts rows into what `schema/NNN_name.sql` made, as that version wrote
//! them. A database of schema N is one that lived through all versions up to N, with the rows of each.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use super::migrate::Subject;
use super::open::{MIGRATIONS, user_version};
use super::*;
use crate::audit;
use crate::session::StateKind;
use crate::store::{Role, contract};

const APPLICATION: i64 = 0x4265_7274;

/// The rows that belong to each step, by its number.
fn samples() -> BTreeMap<usize, String> {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/sqlite/schema");
    let names = fs::read_dir(&schema).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let steps = names.filter_map(|name| {
        let (number, name) = name.strip_suffix(".sql")?.split_once('_')?;
        Some((number.parse().unwrap(), fs::read_to_string(schema.join(format!("samples/{name}.sql"))).ok()?))
    });
    steps.collect()
}

/// A database as a Berth of schema `version` left it.
fn database_of(version: usize, path: &Path) {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    let samples = samples();
    for (index, step) in MIGRATIONS.iter().enumerate().take(version) {
        connection.execute_batch(step).unwrap();
        if let Some(rows) = samples.get(&(index + 1)) {
            let filled = connection.execute_batch(rows);
            filled.unwrap_or_else(|error| panic!("the sample of schema {}: {error}", index + 1));
        }
    }
    connection.execute("INSERT INTO meta VALUES ('installation', 'the-same-as-before')", []).unwrap();
    connection.pragma_update(None, "application_id", APPLICATION).unwrap();
    connection.pragma_update(None, "user_version", i64::try_from(version).unwrap()).unwrap();
}

/// How many rows each table has.
fn rows(path: &Path) -> BTreeMap<String, i64> {
    let connection = Connection::open(path).unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let mut names = connection.prepare(sql).unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let count = |name: &String| {
        connection.query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get(0)).unwrap()
    };
    names.iter().map(|name| (name.clone(), count(name))).collect()
}

/// Every table and index with the text that made it.
fn shape(path: &Path) -> Vec<(String, Option<String>)> {
    let connection = Connection::open(path).unwrap();
    let mut all = connection.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").unwrap();
    all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

fn broken_references(path: &Path) -> usize {
    let connection = Connection::open(path).unwrap();
    let mut broken = connection.prepare("PRAGMA foreign_key_check").unwrap();
    broken.query_map([], |_| Ok(())).unwrap().count()
}

#[test]
fn there_is_a_row_of_every_version_in_every_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("berth.db");
    database_of(MIGRATIONS.len(), &path);
    let empty: Vec<_> = rows(&path).into_iter().filter(|(_, count)| *count == 0).collect();
    assert!(empty.is_empty(), "{empty:?}: add rows of the new schema in schema/samples/name.sql");
}

#[tokio::test]
async fn every_earlier_schema_comes_forward_with_its_data() {
    for version in 1..=MIGRATIONS.len() {
        let folder = tempfile::tempdir().unwrap();
        let (path, fresh) = (folder.path().join("berth.db"), folder.path().join("fresh.db"));
        database_of(version, &path);
        let before = rows(&path);
        {
            let store = SqliteStore::open(&path).unwrap();
            assert_eq!(store.installation(), "the-same-as-before");
            check_samples(&store).await;
            contract::run(Arc::new(store)).await;
        }
        let after = rows(&path);
        for (table, count) in before {
            // A table may have been renamed or divided; what is left has lost nothing.
            let kept = after.get(&table).is_none_or(|now| *now >= count);
            assert!(kept, "schema {version}: {table} had {count} rows: {after:?}");
        }
        assert_eq!(broken_references(&path), 0, "schema {version}");
        drop(SqliteStore::open(&fresh).unwrap());
        assert_eq!(shape(&path), shape(&fresh), "schema {version} became what a new store is");
    }
}

/// What schema 1 said is still said.
async fn check_samples(store: &SqliteStore) {
    let users = store.users().await.unwrap();
    let named: Vec<_> = users.iter().map(|user| (user.name.as_str(), user.role, user.disabled)).collect();
    assert_eq!(named, [("Ann", Role::User, false), ("root", Role::Admin, true)]);
    assert!(users[0].password_hash.expose().starts_with("$2b$12$"));
    let sessions = store.sessions().await.unwrap();
    let states: Vec<_> = sessions.iter().map(|session| session.state.kind()).collect();
    assert_eq!(states, [StateKind::Ready, StateKind::Failed]);
    assert_eq!(sessions[0].state.upstream().unwrap().container, "c0ffee");
    let login = store.login(&TokenHash([1; 32])).await.unwrap().unwrap();
    assert_eq!((login.user, login.address.as_str()), (users[0].id, "192.0.2.7"));
    assert_eq!(audit::verify(store).await.unwrap().lines(), 2);
}

#[test]
fn the_database_as_it_was_is_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("berth.db");
    let kept = |number: usize| folder.path().join(format!("berth.db.before-{number}"));
    database_of(1, &path);
    for older in [kept(1), folder.path().join("berth.db.before-the-exam")] {
        fs::write(older, "something else").unwrap();
    }
    drop(SqliteStore::open(&path).unwrap());
    let newest = MIGRATIONS.len();
    assert_eq!(user_version(&Connection::open(kept(newest)).unwrap()).unwrap(), 1);
    assert_eq!(rows(&kept(newest))["users"], 2);
    assert!(!kept(1).exists() && folder.path().join("berth.db.before-the-exam").exists());
    let copied = fs::read(kept(newest)).unwrap();
    drop(SqliteStore::open(&path).unwrap());
    assert_eq!(fs::read(kept(newest)).unwrap(), copied, "an up-to-date store is not copied");

    // A new store has nothing to keep.
    let fresh = folder.path().join("fresh.db");
    drop(SqliteStore::open(&fresh).unwrap());
    assert!(!folder.path().join(format!("fresh.db.before-{newest}")).exists());
}

#[test]
fn a_step_that_fails_leaves_the_schema_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("berth.db");
    database_of(1, &path);
    let (before, there) = (shape(&path), rows(&path));
    let mut steps = MIGRATIONS.to_vec();
    steps.push("CREATE TABLE half (done INTEGER); DELETE FROM users; ALTER TABLE nowhere ADD COLUMN x");
    let subject = Subject { name: "berth.db", keep: Some(&path), application: APPLICATION, steps: &steps };
    let mut connection = Connection::open(&path).unwrap();
    let refused = subject.migrate(&mut connection);
    assert!(
        matches!(&refused, Err(StoreError::Unavailable { detail }) if detail.contains("nowhere")),
        "{refused:?}"
    );
    drop(connection);
    assert_eq!((shape(&path), rows(&path)), (before, there));
    assert_eq!(user_version(&Connection::open(&path).unwrap()).unwrap(), 1);
    drop(SqliteStore::open(&path).unwrap());
}

/// As `kill -9` or a power cut leaves it: what is on the disk while the steps run.
#[test]
fn a_migration_that_is_cut_off_has_not_happened() {
    let folder = tempfile::tempdir().unwrap();
    let (path, left) = (folder.path().join("berth.db"), folder.path().join("left.db"));
    database_of(1, &path);
    let before = rows(&path);
    let mut connection = Connection::open(&path).unwrap();
    // Everything goes to the disk at once, not only at the end.
    connection.pragma_update(None, "cache_spill", 1).unwrap();
    connection.pragma_update(None, "cache_size", 1).unwrap();
    let transaction = connection.transaction().unwrap();
    for step in &MIGRATIONS[1..] {
        transaction.execute_batch(step).unwrap();
    }
    transaction.execute_batch("CREATE TABLE large AS WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 500) SELECT randomblob(4096) FROM n").unwrap();
    for part in ["", "-wal"] {
        let from = folder.path().join(format!("berth.db{part}"));
        fs::copy(from, folder.path().join(format!("left.db{part}"))).unwrap();
    }
    assert!(fs::metadata(folder.path().join("left.db-wal")).unwrap().len() > 1 << 20, "nothing was cut off");
    assert_eq!(rows(&left), before);
    assert_eq!(user_version(&Connection::open(&left).unwrap()).unwrap(), 1);
    drop(SqliteStore::open(&left).unwrap());
}

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use futures_util::future::join_all;
use rusqlite::Connection;

use super::*;
use crate::session::Session;
use crate::store::contract::{self, sample_login, sample_session, sample_user};

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_file_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    contract::run(Arc::new(open(&dir.path().join("berth.db")))).await;
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    contract::run(Arc::new(SqliteStore::in_memory().unwrap())).await;
}

#[tokio::test]
async fn reopening_keeps_everything_and_the_file_is_private() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("var/lib/berth.db");
    let (user, session) = (sample_user(), sample_session(UserId::random()));
    let login = sample_login(user.id);
    let (installation, line) = {
        let store = open(&path);
        store.insert_user(&user).await.unwrap();
        store.insert_login(&login).await.unwrap();
        store.insert_session(&session).await.unwrap();
        let line = store.append_audit("{}".to_owned()).await.unwrap();
        for file in ["berth.db", "berth.db-wal", "berth.db-shm"] {
            assert_eq!(mode(&path.with_file_name(file)), 0o600, "{file}");
        }
        (store.installation(), line)
    };
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert!(!path.with_file_name("berth.db-wal").exists(), "the last one out folds the log into the file");

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let store = open(&path);
    assert_eq!(mode(&path), 0o600);
    assert_eq!(store.installation(), installation);
    assert_eq!(store.users().await.unwrap(), [user]);
    assert_eq!(store.login(&login.token).await.unwrap(), Some(login));
    assert_eq!(store.sessions().await.unwrap(), [session]);
    assert_eq!(store.audit(0, 10).await.unwrap(), [line]);
}

#[tokio::test]
async fn installations_differ() {
    let one = SqliteStore::in_memory().unwrap().installation();
    assert_eq!(one.len(), 36);
    assert_ne!(one, SqliteStore::in_memory().unwrap().installation());
}

#[test]
fn what_is_no_database_is_refused_by_name_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("berth.db");
    let text = "this is a letter, not a database\n".repeat(200);
    fs::write(&path, &text).unwrap();
    let Err(StoreError::Corrupt { path: named, .. }) = SqliteStore::open(&path) else {
        panic!("it was opened")
    };
    assert_eq!(named, path.display().to_string());
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("portal.db");
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE machines (id INTEGER); INSERT INTO machines VALUES (1)").unwrap();
    let refused = SqliteStore::open(&path).err();
    assert!(matches!(refused, Some(StoreError::Corrupt { .. })), "{refused:?}");
    let tables: i64 = other.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 1);
}

#[tokio::test]
async fn a_damaged_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("berth.db");
    {
        let store = open(&path);
        let lines = (0..200).map(|number| store.append_audit(format!("{number:0>400}")));
        join_all(lines).await;
    }
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let refused = SqliteStore::open(&path).err();
    assert!(matches!(refused, Some(StoreError::Corrupt { .. })), "{refused:?}");
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("berth.db");
    drop(open(&path));
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let refused = SqliteStore::open(&path).err();
    assert!(matches!(refused, Some(StoreError::Newer { found: 99, .. })), "{refused:?}");
}

#[test]
fn a_path_that_cannot_be_a_file_is_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let refused = SqliteStore::open(dir.path()).err();
    assert!(matches!(refused, Some(StoreError::Unavailable { .. })), "{refused:?}");
}

/// Fills what there is room for, then frees it: nothing but the refused writes is lost, and the
/// store works again without help.
async fn survives_a_full_disk(store: &SqliteStore, make_room: impl FnOnce()) {
    let user = sample_user();
    store.insert_user(&user).await.unwrap();
    let mut written = 0;
    let refused = loop {
        match store.append_audit("x".repeat(64 << 10)).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 1000, "the disk never filled");
    };
    let StoreError::Unavailable { detail } = &refused else { panic!("{refused:?}") };
    assert!(detail.contains("full") || detail.contains("I/O"), "{detail}");
    // What was answered is there, and reading goes on.
    assert_eq!(store.user(user.id).await.unwrap(), Some(user));
    assert_eq!(store.audit(0, usize::MAX).await.unwrap().len(), written);
    make_room();
    store.check().await.unwrap();
    assert_eq!(store.append_audit("y".repeat(64 << 10)).await.unwrap().number as usize, written + 1);
}

#[tokio::test]
async fn a_full_database_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("berth.db"));
    let limit = |pages: i64| {
        store.write(move |connection| {
            Ok(connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?)
        })
    };
    limit(200).await.unwrap();
    let writes = (0..40).map(|_| store.append_audit("x".repeat(64 << 10)));
    let results = join_all(writes).await;
    let refused =
        results.iter().filter(|result| matches!(result, Err(StoreError::Unavailable { .. }))).count();
    let written = results.iter().filter(|result| result.is_ok()).count();
    assert!(refused > 0 && refused + written == 40);
    assert_eq!(store.audit(0, 100).await.unwrap().len(), written, "exactly what was answered is there");
    limit(100_000).await.unwrap();
    assert_eq!(store.append_audit("y".to_owned()).await.unwrap().number as usize, written + 1);
}

#[tokio::test]
async fn a_full_disk_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(&disk).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        println!("skipped: mounting a small disk needs root");
        return;
    }
    let filler = disk.join("filler");
    fs::write(&filler, vec![0; 1 << 20]).unwrap();
    let store = open(&disk.join("berth.db"));
    survives_a_full_disk(&store, || fs::remove_file(&filler).unwrap()).await;
    drop(store);
    assert!(Command::new("umount").arg(&disk).status().unwrap().success());
}

#[tokio::test]
async fn two_opens_of_one_file_see_each_other_and_race_safely() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("berth.db");
    let stores: Vec<SqliteStore> = std::thread::scope(|scope| {
        let opens: Vec<_> = (0..2).map(|_| scope.spawn(|| open(&path))).collect();
        opens.into_iter().map(|open| open.join().unwrap()).collect()
    });
    assert_eq!(stores[0].installation(), stores[1].installation());

    let session = sample_session(UserId::random());
    stores[0].insert_session(&session).await.unwrap();
    for version in 7..12 {
        let seen = Session { version, ..session.clone() };
        let results = join_all((0..20).map(|racer| stores[racer % 2].update_session(&seen))).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    }
    let appends = (0..40).map(|racer| stores[racer % 2].append_audit(racer.to_string()));
    let mut numbers: Vec<u64> =
        join_all(appends).await.into_iter().map(|line| line.unwrap().number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    assert_eq!(stores[1].audit(0, 100).await.unwrap().len(), 40);
}

#[tokio::test]
async fn a_refused_write_leaves_its_neighbours_in_the_batch_alone() {
    let store = SqliteStore::in_memory().unwrap();
    let users: Vec<_> = (0..30).map(|_| sample_user()).collect();
    let twice = users.iter().chain(&users);
    let results = join_all(twice.map(|user| store.insert_user(user))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 30);
    assert_eq!(store.users().await.unwrap().len(), 30);
}

#[tokio::test]
async fn a_panic_in_a_write_costs_only_that_write() {
    let store = SqliteStore::in_memory().unwrap();
    let work = |connection: &Connection| {
        connection.execute("DELETE FROM meta", []).unwrap();
        if connection.changes() > 0 {
            panic!("a bug")
        }
        Ok(())
    };
    assert!(matches!(store.write(work).await, Err(StoreError::Unavailable { .. })));
    store.check().await.unwrap();
    let rows = store.read(|connection| Ok(open::installation(connection)?)).await.unwrap();
    assert_eq!(rows, store.installation());
}

#[tokio::test]
async fn a_backup_is_the_whole_database_in_one_private_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("berth.db"));
    let user = sample_user();
    store.insert_user(&user).await.unwrap();
    let to = dir.path().join("copy.db");
    fs::write(&to, "an older backup").unwrap();
    store.backup(&to).await.unwrap();
    assert_eq!(mode(&to), 0o600);
    assert!(!dir.path().join("copy.db-wal").exists() && !dir.path().join("copy.db.part").exists());
    let copy = open(&to);
    assert_eq!(copy.users().await.unwrap(), [user]);
    assert_eq!(copy.installation(), store.installation());

    let nowhere = dir.path().join("copy.db/x");
    assert!(matches!(store.backup(&nowhere).await, Err(StoreError::Unavailable { .. })));
    store.check().await.unwrap();
}

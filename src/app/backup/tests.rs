//! Store and configuration, out and back, without an engine.

use std::fs;

use super::*;
use crate::audit;
use crate::clock;
use crate::secret::Secret;
use crate::store::contract::{sample_login, sample_session, sample_user};
use crate::store::sqlite::StoreLock;
use crate::store::{AuditLines, Login, Store, StoreError, User};

/// An installation in a folder of its own.
struct House {
    folder: tempfile::TempDir,
    config: Config,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        let store = folder.path().join("var/berth.db");
        config.store.url = Secret::new(format!("sqlite:{}", store.display()));
        config.server.control = folder.path().join("control.sock");
        fs::create_dir_all(folder.path().join("config/templates.d")).unwrap();
        fs::write(folder.path().join("config/berth.toml"), "[server]\n").unwrap();
        fs::write(folder.path().join("config/templates.d/a.toml"), "# none\n").unwrap();
        Self { folder, config }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.path("var/berth.db")).unwrap()
    }

    /// Somebody with a login and a session.
    async fn people(&self) -> (User, Login) {
        let store = self.open();
        let user = sample_user();
        let login = sample_login(user.id);
        store.insert_user(&user).await.unwrap();
        store.insert_login(&login).await.unwrap();
        store.insert_session(&sample_session(user.id)).await.unwrap();
        store.append_audit("{\"then\":true}".to_owned()).await.unwrap();
        (user, login)
    }

    async fn back_up(&self, to: &Path) -> Result<Manifest, Failure> {
        let extent = Extent { homes: false, images: false, force: false };
        backup(&self.config, &self.path("config/berth.toml"), to, extent, &mut |_| {}).await
    }

    /// What was restored, and what was noted on the way.
    async fn restore(&self, from: &Path, replace: bool) -> (Result<Restored, Failure>, Vec<String>) {
        let wanted = Restoration { only: Vec::new(), replace, existing: Existing::Refuse };
        let mut notes = Vec::new();
        let mut tell = |told| {
            if let Told::Note(note) = told {
                notes.push(note);
            }
        };
        let here = (&self.config, self.path("config/berth.toml"));
        let restored = restore((here.0, &here.1), from, &wanted, &mut tell).await;
        (restored, notes)
    }

    async fn audit(&self) -> String {
        let lines = self.open().audit(0, 1000).await.unwrap();
        lines.into_iter().map(|line| line.body).collect::<Vec<_>>().join("\n")
    }

    fn files(&self, below: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(below)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

#[tokio::test]
async fn a_store_comes_back_with_its_people_and_without_their_logins() {
    let (one, two) = (House::new(), House::new());
    let (user, login) = one.people().await;
    let file = one.path("school.backup");
    let manifest = one.back_up(&file).await.unwrap();
    assert_eq!(parts_of(&manifest), ["store", "config"]);
    assert_eq!(manifest.schema, Some(SqliteStore::schema()));
    assert!(one.audit().await.contains("\"event\":\"backup_made\""));
    assert_eq!(check(&file, &mut |_| {}).unwrap(), look(&file).unwrap());

    let before = clock::now();
    let (restored, notes) = two.restore(&file, false).await;
    assert_eq!(restored.unwrap().parts, ["config", "store"]);
    assert_eq!(notes, Vec::<String>::new(), "the configuration is the same");
    let store = two.open();
    assert_eq!(store.users().await.unwrap(), [user]);
    assert_eq!(store.login(&login.token).await.unwrap(), None);
    assert!(store.sessions().await.unwrap()[0].epoch >= 1 << 20);
    assert!(store.restored_at().await.unwrap().is_some_and(|at| at >= before));
    assert_eq!(store.installation(), one.open().installation());
    audit::verify(&store).await.unwrap();
    let said = two.audit().await;
    assert!(said.contains("\"then\":true") && said.contains("\"event\":\"restored\""), "{said}");
    assert!(said.contains("\"logins_ended\":1") && said.contains("\"outcome\":\"ok\""), "{said}");
    drop(store);
    assert_eq!(two.files("var"), ["berth.db", "berth.db.lock"], "nothing is left of the way there");
}

#[tokio::test]
async fn a_store_in_use_is_replaced_only_when_told_and_kept_beside() {
    let house = House::new();
    let (user, _) = house.people().await;
    let file = house.path("school.backup");
    house.back_up(&file).await.unwrap();
    let late = sample_user();
    house.open().insert_user(&late).await.unwrap();

    let (refused, _) = house.restore(&file, false).await;
    assert!(refused.unwrap_err().to_string().contains("--replace"));
    assert!(house.audit().await.contains("\"event\":\"restore_failed\""));
    {
        let _gateway = house.open();
        let (refused, _) = house.restore(&file, true).await;
        assert!(refused.unwrap_err().to_string().contains("a gateway runs"));
    }
    let lines = house.audit().await.lines().count();
    fs::write(house.path("config/berth.toml"), "[server]\n# changed since\n").unwrap();
    let (restored, notes) = house.restore(&file, true).await;
    restored.unwrap();
    assert_eq!(house.open().users().await.unwrap(), [user]);
    assert!(house.audit().await.contains(&format!("\"replaced\":\"{lines} ")));
    let kept = house.files("var").into_iter().find(|name| name.contains(".replaced-")).unwrap();
    let kept = SqliteStore::open(&house.path("var").join(kept)).unwrap();
    assert!(kept.user(late.id).await.unwrap().is_some());
    assert!(notes.iter().any(|note| note.contains("restored-")), "{notes:?}");
    let beside = house.files("config").into_iter().find(|name| name.starts_with("restored-")).unwrap();
    let text = fs::read_to_string(house.path("config").join(beside).join("berth.toml")).unwrap();
    assert_eq!(text, "[server]\n");
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_is_replaced_and_kept() {
    let house = House::new();
    house.people().await;
    let file = house.path("school.backup");
    house.back_up(&file).await.unwrap();
    fs::write(house.path("var/berth.db"), "no database any more".repeat(100)).unwrap();
    let (refused, _) = house.restore(&file, false).await;
    assert!(refused.is_err());
    let (restored, notes) = house.restore(&file, true).await;
    restored.unwrap();
    assert!(notes.iter().any(|note| note.contains("cannot be opened")), "{notes:?}");
    assert_eq!(house.open().users().await.unwrap().len(), 1);
    let kept: Vec<_> = house.files("var").into_iter().filter(|name| name.contains(".replaced-")).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let text = fs::read_to_string(house.path("var").join(&kept[0])).unwrap();
    assert!(text.starts_with("no database any more"));
}

/// A log beside the restored store would have been taken for its own.
#[tokio::test]
async fn a_log_that_was_left_behind_does_not_meet_the_new_store() {
    let house = House::new();
    let (user, _) = house.people().await;
    let file = house.path("school.backup");
    house.back_up(&file).await.unwrap();
    fs::remove_file(house.path("var/berth.db")).unwrap();
    fs::write(house.path("var/berth.db-wal"), "its log").unwrap();
    let (restored, notes) = house.restore(&file, false).await;
    restored.unwrap();
    assert!(notes.iter().any(|note| note.contains("-wal")), "{notes:?}");
    assert!(!house.path("var/berth.db-wal").exists());
    assert_eq!(house.open().users().await.unwrap(), [user]);
}

#[tokio::test]
async fn a_newer_store_is_refused_in_words_that_help() {
    let house = House::new();
    house.people().await;
    let known = SqliteStore::schema();
    let newer = StoreError::Newer { path: "berth.db".to_owned(), found: known + 1, known };
    let said = store_failed(&house.path("var/berth.db"), &newer).to_string();
    assert!(said.contains("newer Berth") && said.contains("install that version"), "{said}");
    assert!(said.contains(&format!("schema {}", known + 1)) && said.contains(".before-"), "{said}");
}

/// Nobody finds a gap to start a gateway in: the place is held, and is never without a store.
#[tokio::test]
async fn there_is_always_a_store_and_nobody_opens_it_meanwhile() {
    let house = House::new();
    house.people().await;
    let file = house.path("school.backup");
    house.back_up(&file).await.unwrap();
    let store = house.path("var/berth.db");
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let watched = store.clone();
    let watcher = std::thread::spawn(move || {
        let mut absent = 0;
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            absent += usize::from(!watched.exists());
        }
        absent
    });
    for _ in 0..5 {
        let (restored, _) = house.restore(&file, true).await;
        restored.unwrap();
    }
    drop(stop);
    assert_eq!(watcher.join().unwrap(), 0);

    let place = place::Place::hold(&house.config, true, &mut |_| {}).await.unwrap();
    assert!(matches!(SqliteStore::open(&store), Err(StoreError::Locked { .. })));
    assert!(matches!(StoreLock::alone(&store), Err(StoreError::Locked { .. })));
    drop(place);
    drop(house.open());
}

#[tokio::test]
async fn what_is_no_backup_changes_nothing() {
    let house = House::new();
    let file = house.path("school.backup");
    assert!(house.back_up(&file).await.unwrap_err().to_string().contains("nothing to back up"));
    house.people().await;
    house.back_up(&file).await.unwrap();
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 3000]).unwrap();
    assert!(check(&file, &mut |_| {}).is_err());
    let before = house.open().users().await.unwrap();
    let (refused, _) = house.restore(&file, true).await;
    assert!(refused.unwrap_err().to_string().contains("nothing was restored"));
    assert_eq!(house.open().users().await.unwrap(), before);
    assert!(house.audit().await.contains("\"event\":\"restore_failed\""));
    assert!(house.back_up(&file).await.unwrap_err().to_string().contains("--force"));
    assert!(house.audit().await.contains("\"event\":\"backup_failed\""));
}

//! Where a restored store goes: held so that nobody else opens it, and taken in one step.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

use super::failure::{store_failed, unread, unwritten};
use super::{Temporary, Told, pump, with_suffix};
use crate::audit::{self, Actor, Audit, AuditEvent, Record};
use crate::backup::{Archive, Kind};
use crate::cli::{Exit, Failure};
use crate::clock;
use crate::config::Config;
use crate::control;
use crate::store::sqlite::{SqliteStore, StoreLock};
use crate::store::{Store, StoreError};

/// By how much a restoration raises every session's fencing number: containers of starts that the
/// backup does not know must not make later ones look late.
const EPOCHS: u64 = 1 << 20;

/// The place of the store. While this lives no gateway starts on it.
pub(super) struct Place {
    path: PathBuf,
    /// The last audit line of the store that is there, by its number and hash.
    last_line: Option<String>,
    _lock: StoreLock,
}

/// A restored store that is not in its place yet.
pub(super) struct Prepared {
    part: Temporary,
    /// It, opened.
    pub(super) store: std::sync::Arc<SqliteStore>,
    logins_ended: usize,
}

impl Place {
    /// Holds the place of the store, if one may go there.
    pub(super) async fn hold(
        config: &Config,
        replace: bool,
        tell: &mut dyn FnMut(Told),
    ) -> Result<Self, Failure> {
        let path = super::store_path(config)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        if let Some(folder) = folder {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|error| unwritten(&error))?;
        }
        let lock = match StoreLock::alone(&path) {
            Ok(lock) => lock,
            Err(StoreError::Locked { .. }) => return Err(in_use(&format!("{} is open", path.display()))),
            Err(error) => return Err(store_failed(&path, &error)),
        };
        // One of an earlier version holds no lock.
        let runs =
            control::ask(&config.server.control, &control::Request::User(control::UserRequest::List)).await;
        if !matches!(runs, Ok(None)) {
            return Err(in_use(&format!("something answers on {}", config.server.control.display())));
        }
        let last_line = if path.exists() { present(&path, replace, tell).await? } else { None };
        Ok(Self { path, last_line, _lock: lock })
    }

    /// Unpacks the store beside its place, opens it there, where it can do no harm, and makes it fit
    /// to be served: nobody is logged in, and whoever serves it first compares it with what runs.
    pub(super) async fn prepare(
        &self,
        archive: &Archive,
        tell: &mut dyn FnMut(Told),
    ) -> Result<Prepared, Failure> {
        let part = Temporary::beside(&self.path, ".restored");
        for left in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(with_suffix(&part.0, left));
        }
        let member = archive.manifest().member(Kind::Store);
        let member = member.ok_or_else(|| Failure::new(Exit::Refused, "there is no store in it", "", ""))?;
        let mut bytes = archive.bytes_of(member).map_err(|error| unread(&error))?;
        tell(Told::Begins("store".to_owned(), bytes.limit()));
        let mut unpack = || -> io::Result<()> {
            let mut options = fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(&part.0)?;
            pump(&mut bytes, &mut file, tell)?;
            file.sync_all()
        };
        unpack().map_err(|error| unwritten(&error))?;
        let store = SqliteStore::open_alone(&part.0, false);
        let store = store.map_err(|error| store_failed(&part.0, &error))?;
        let logins_ended = make_fit(&store).await.map_err(|error| store_failed(&part.0, &error))?;
        if let Err(broken) = audit::verify(&store).await {
            tell(Told::Note(format!("the backup's own audit is broken: {broken}")));
        }
        Ok(Prepared { part, store: std::sync::Arc::new(store), logins_ended })
    }

    /// Puts it in its place; the store that was there is kept beside it. There is no moment without a
    /// store, and no moment in which it is neither the old nor the new one.
    pub(super) async fn take(
        &self,
        prepared: Prepared,
        (archive, from): (&Archive, &Path),
        parts: Vec<&'static str>,
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), Failure> {
        let Prepared { part, store, logins_ended } = prepared;
        let made_at = archive.manifest().created_at;
        let event = AuditEvent::Restored { made_at, parts, logins_ended, replaced: self.last_line.clone() };
        let record = Record::new(Actor::cli(), event).about(from.display().to_string());
        Audit::new(store.clone()).record(record).await;
        // The last one out folds the log into the file.
        drop(store);
        self.swap(&part.0, tell).map_err(|error| unwritten(&error))
    }

    /// What the store that is there is called from now on; no older one loses its name for it.
    fn free_name(&self) -> PathBuf {
        let stamp = clock::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let nth = |n: u32| if n == 1 { stamp.clone() } else { format!("{stamp}-{n}") };
        let mut names = (1..).map(|n| with_suffix(&self.path, &format!(".replaced-{}", nth(n))));
        names.find(|name| !name.exists()).unwrap_or_else(|| with_suffix(&self.path, ".replaced"))
    }

    fn swap(&self, part: &Path, tell: &mut dyn FnMut(Told)) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        // An operator who is root restores for the gateway's own user.
        let like = if self.path.exists() { &self.path } else { folder };
        for made in [part, &with_suffix(&self.path, ".lock")] {
            give(made, like);
        }
        fs::File::open(part)?.sync_all()?;
        let old = self.free_name();
        // Both names stand for it until the rename. A log beside it was left by one that could not be
        // opened, or is gone, and must not meet the new one.
        for suffix in ["-wal", ""] {
            let there = with_suffix(&self.path, suffix);
            if there.exists() {
                keep(&there, &with_suffix(&old, suffix))?;
                let kept = with_suffix(&old, suffix);
                tell(Told::Note(format!("what was there is kept as {}", kept.display())));
            }
        }
        for suffix in ["-wal", "-shm"] {
            match fs::remove_file(with_suffix(&self.path, suffix)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        fs::rename(part, &self.path)?;
        // The rename is durable once the directory is.
        fs::File::open(folder)?.sync_all()
    }
}

/// Makes a file belong to whoever `like` belongs to, as far as one may.
fn give(path: &Path, like: &Path) {
    if let Ok(like) = fs::metadata(like) {
        // Who may not is mostly that very user.
        let _ = chown(path, Some(like.uid()), Some(like.gid()));
    }
}

/// A second name for a file; where the file system has none, a copy.
fn keep(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop))
}

/// Whether the store that is there may be replaced, and what its audit says last.
async fn present(path: &Path, replace: bool, tell: &mut dyn FnMut(Told)) -> Result<Option<String>, Failure> {
    let store = match SqliteStore::open_alone(path, true) {
        Ok(store) => store,
        Err(error) if replace => {
            tell(Told::Note(format!(
                "the store that is there cannot be opened ({error}); it is kept as it is"
            )));
            return Ok(None);
        }
        Err(error) => return Err(store_failed(path, &error)),
    };
    let counted = async { Ok::<_, StoreError>((store.users().await?.len(), store.sessions().await?.len())) };
    match counted.await {
        Err(error) if replace => {
            tell(Told::Note(format!(
                "the store that is there cannot be read ({error}); it is kept as it is"
            )));
            Ok(None)
        }
        Err(error) => Err(store_failed(path, &error)),
        Ok((users, sessions)) if users + sessions > 0 && !replace => {
            let why = format!("{users} users and {sessions} sessions are in {}", path.display());
            let todo = "add --replace to put the backup in its place (the present one is kept beside it)";
            Err(Failure::new(Exit::Refused, "there is a store in use already", why, todo))
        }
        Ok(_) => Ok(last_line(&store).await),
    }
}

async fn last_line(store: &SqliteStore) -> Option<String> {
    let verified = audit::verify(store).await.ok()?;
    (verified.last > 0).then(|| format!("{} {}", verified.last, verified.hash))
}

/// Ends every login of then, and lifts every session above what may run by now.
async fn make_fit(store: &SqliteStore) -> Result<usize, StoreError> {
    let mut ended = 0;
    for user in store.users().await? {
        ended += store.remove_logins_of(user.id).await?.len();
    }
    for mut session in store.sessions().await? {
        session.epoch = session.epoch.saturating_add(EPOCHS);
        store.update_session(&session).await?;
    }
    store.set_restored_at(Some(clock::now())).await?;
    Ok(ended)
}

fn in_use(why: &str) -> Failure {
    let todo = "stop the gateway, restore, and start it again; --only images leaves the store alone";
    Failure::new(Exit::Refused, "a gateway runs on this store, or a command is using it", why, todo)
}

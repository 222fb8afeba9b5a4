//! Backups of what an installation consists of, and putting them back: the store, and the
//! templates' images through the engine's own socket.
//!
//! No spawner takes part: whoever may hand it an image could put their own in place of a template's.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::unfold;

use super::open::store_path;
use super::spawner::{by_name, settings};
use crate::backup::{Archive, BackupError, Kind, Manifest, SavedImage, Writer};
use crate::cli::{Exit, Failure};
use crate::clock;
use crate::config::Config;
use crate::control;
use crate::engine::EngineError;
use crate::engine::docker::DockerEngine;
use crate::fault::chain;
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, StoreError};

/// How much of a member is read at a time.
const PIECE: usize = 1 << 20;

/// How a backup or restoration goes.
#[derive(Debug)]
pub enum Told {
    /// Something began: what, and how many bytes of it come, as far as anybody knows.
    Begins(&'static str, u64),
    /// So many bytes more.
    Bytes(u64),
    /// Something worth knowing that is no failure.
    Note(String),
}

/// What is to be backed up.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// The templates' images too.
    pub images: bool,
    /// In place of an existing file.
    pub force: bool,
}

/// What is to be put back.
#[derive(Clone, Copy, Debug)]
pub struct Restoration {
    /// This alone; `None` is everything in the backup.
    pub only: Option<Kind>,
    /// The store even in place of one that is in use; that one is kept beside it.
    pub replace: bool,
}

/// Writes a backup to `to`. A running gateway goes on meanwhile.
///
/// # Errors
/// What could not be read or written; nothing is left at `to` then that was not there.
pub async fn backup(
    config: &Config,
    to: &Path,
    extent: Extent,
    tell: &mut dyn FnMut(Told),
) -> Result<Manifest, Failure> {
    if to.exists() && !extent.force {
        return Err(unbacked(&BackupError::Exists { path: to.to_owned() }));
    }
    let (engine, images) = match extent.images {
        true => {
            let engine = engine(config).await?;
            let images = images_of(config, &engine, tell).await?;
            (Some(engine), images)
        }
        false => (None, Vec::new()),
    };
    let kinds: &[Kind] = if images.is_empty() { &[Kind::Store] } else { &[Kind::Store, Kind::Images] };
    let manifest = Manifest::of(kinds, images.clone(), clock::now());
    let mut writer = Writer::create(to, manifest, extent.force).map_err(|error| unbacked(&error))?;
    put_store(config, to, &mut writer, tell).await?;
    if let Some(engine) = engine.filter(|_| !images.is_empty()) {
        put_images(&engine, &images, &mut writer, tell).await?;
    }
    writer.finish().map_err(|error| unbacked(&error))
}

/// The templates' images that are on this machine, each once, and the one that proves isolation:
/// without it nothing is served.
async fn images_of(
    config: &Config,
    engine: &DockerEngine,
    tell: &mut dyn FnMut(Told),
) -> Result<Vec<SavedImage>, Failure> {
    let mut names: BTreeSet<&str> = config.templates.iter().map(|template| template.image.as_str()).collect();
    names.insert(&config.engine.probe_image);
    let mut images = Vec::new();
    for name in names {
        match engine.find_image(name).await.map_err(|error| engine_failed(&error))? {
            Some(image) => {
                images.push(SavedImage { name: name.to_owned(), id: image.id, size_bytes: image.size_bytes });
            }
            None => tell(Told::Note(format!("{name} is not on this machine and is left out"))),
        }
    }
    Ok(images)
}

async fn put_store(
    config: &Config,
    to: &Path,
    writer: &mut Writer,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let copy = Temporary::beside(to, ".store");
    let path = store_path(config)?;
    let store = SqliteStore::open(&path).map_err(|error| store_failed(&path, &error))?;
    store.backup(&copy.0).await.map_err(|error| store_failed(&path, &error))?;
    let put = || -> std::io::Result<()> {
        let mut from = std::fs::File::open(&copy.0)?;
        tell(Told::Begins("store", from.metadata()?.len()));
        let mut member = writer.member(Kind::Store).map_err(std::io::Error::other)?;
        pump(&mut from, &mut member, tell)?;
        member.finish().map_err(std::io::Error::other)
    };
    let mut put = put;
    put().map_err(|error| unwritten(&error))
}

async fn put_images(
    engine: &DockerEngine,
    images: &[SavedImage],
    writer: &mut Writer,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    tell(Told::Begins("images", images.iter().map(|image| image.size_bytes).sum()));
    let names: Vec<String> = images.iter().map(|image| image.name.clone()).collect();
    let mut member = writer.member(Kind::Images).map_err(|error| unbacked(&error))?;
    let mut pieces = engine.save_images(&names);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| engine_failed(&error))?;
        member.write_all(&piece).map_err(|error| unwritten(&error))?;
        tell(Told::Bytes(piece.len() as u64));
    }
    member.finish().map_err(|error| unbacked(&error))
}

/// Puts back what is in the backup at `from`. Everything is checked before anything is changed.
///
/// # Errors
/// It is no whole backup, a gateway runs, the store is in use, or the engine refuses.
pub async fn restore(
    config: &Config,
    from: &Path,
    wanted: Restoration,
    tell: &mut dyn FnMut(Told),
) -> Result<Manifest, Failure> {
    let archive = Archive::open(from).map_err(|error| unread(&error))?;
    let manifest = archive.manifest().clone();
    let takes = |kind| manifest.member(kind).is_some() && wanted.only.is_none_or(|only| only == kind);
    if let Some(only) = wanted.only.filter(|only| !takes(*only)) {
        let why = format!("it was made {} without it", manifest.created_at);
        let todo = "leave out --only to see what is in it, or take another backup";
        return Err(Failure::new(
            Exit::Refused,
            format!("there is no {} in the backup", only.member()),
            why,
            todo,
        ));
    }
    let total = manifest.members.iter().map(|member| member.bytes).sum();
    tell(Told::Begins("checking", total));
    archive.check(|bytes| tell(Told::Bytes(bytes))).map_err(|error| unread(&error))?;
    let place = if takes(Kind::Store) { Some(place_of_store(config, wanted.replace).await?) } else { None };
    if takes(Kind::Images) {
        take_images(config, &archive, tell).await?;
    }
    if let Some(place) = place {
        take_store(&place, &archive, tell).await?;
    }
    Ok(manifest)
}

async fn take_images(config: &Config, archive: &Archive, tell: &mut dyn FnMut(Told)) -> Result<(), Failure> {
    let engine = engine(config).await?;
    let bytes = archive.bytes_of(Kind::Images).map_err(|error| unread(&error))?;
    let Some(bytes) = bytes else { return Ok(()) };
    tell(Told::Begins("images", bytes.limit()));
    let (said, mut told) = tokio::sync::mpsc::unbounded_channel();
    let pieces = unfold((bytes, said), |(mut bytes, said)| async move {
        let mut piece = vec![0; PIECE];
        let read = bytes.read(&mut piece).map(|read| {
            piece.truncate(read);
            Bytes::from(piece)
        });
        match read {
            Ok(piece) if piece.is_empty() => None,
            read => {
                // Nobody counts any more once the engine has answered.
                let _ = said.send(read.as_ref().map_or(0, Bytes::len) as u64);
                Some((read, (bytes, said)))
            }
        }
    });
    let load = engine.load_images(pieces);
    tokio::pin!(load);
    loop {
        tokio::select! {
            loaded = &mut load => break loaded.map_err(|error| engine_failed(&error))?,
            Some(bytes) = told.recv() => tell(Told::Bytes(bytes)),
        }
    }
    check_images(&engine, &archive.manifest().images, tell).await
}

/// What was loaded is what was saved: an image's id is the hash of its content.
async fn check_images(
    engine: &DockerEngine,
    images: &[SavedImage],
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    for image in images {
        let (named, there) = tokio::join!(engine.find_image(&image.name), engine.find_image(&image.id));
        let named = named.map_err(|error| engine_failed(&error))?.is_some_and(|found| found.id == image.id);
        let there = there.map_err(|error| engine_failed(&error))?.is_some();
        match (named, there) {
            (true, _) => {}
            (false, true) => tell(Told::Note(format!(
                "{} is there as {}, but the engine does not know a loaded image by a registry's digest: name it by a \
                 tag in the template, or fetch it",
                image.name, image.id
            ))),
            (false, false) => {
                let why = format!("the engine did not load {} as {}", image.name, image.id);
                let todo = "restore once more; if it stays so, this engine keeps images in another form: fetch or build it";
                return Err(Failure::new(Exit::Failed, "an image is not what was saved", why, todo));
            }
        }
    }
    Ok(())
}

/// Where the store goes, if it may go there.
async fn place_of_store(config: &Config, replace: bool) -> Result<PathBuf, Failure> {
    let path = store_path(config)?;
    let runs =
        control::ask(&config.server.control, &control::Request::User(control::UserRequest::List)).await;
    if !matches!(runs, Ok(None)) {
        let why = format!("something answers on {}", config.server.control.display());
        let todo = "stop the gateway, restore, and start it again; --only images leaves the store alone";
        return Err(Failure::new(Exit::Refused, "a gateway runs on this store", why, todo));
    }
    if !path.exists() || replace {
        return Ok(path);
    }
    let store = SqliteStore::open(&path).map_err(|error| store_failed(&path, &error))?;
    let counted = async { Ok::<_, StoreError>((store.users().await?.len(), store.sessions().await?.len())) };
    match counted.await.map_err(|error| store_failed(&path, &error))? {
        (0, 0) => Ok(path),
        (users, sessions) => {
            let why = format!("{users} users and {sessions} sessions are in {}", path.display());
            let todo = "add --replace to put the backup in its place (the present one is kept beside it)";
            Err(Failure::new(Exit::Refused, "there is a store in use already", why, todo))
        }
    }
}

/// Puts the store in its place once it has been opened; the one that was there is kept.
async fn take_store(place: &Path, archive: &Archive, tell: &mut dyn FnMut(Told)) -> Result<(), Failure> {
    let bytes = archive.bytes_of(Kind::Store).map_err(|error| unread(&error))?;
    let Some(mut bytes) = bytes else { return Ok(()) };
    tell(Told::Begins("store", bytes.limit()));
    let part = Temporary::beside(place, ".restored");
    let mut unpack = || -> std::io::Result<()> {
        use std::os::unix::fs::OpenOptionsExt;
        if let Some(folder) = place.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        let mut options = std::fs::OpenOptions::new();
        let _ = std::fs::remove_file(&part.0);
        let mut file = options.write(true).create_new(true).mode(0o600).open(&part.0)?;
        pump(&mut bytes, &mut file, tell)?;
        file.sync_all()
    };
    unpack().map_err(|error| unwritten(&error))?;
    // Opened once where it can do no harm: is it whole, is it ours, do we know its schema?
    drop(SqliteStore::open(&part.0).map_err(|error| store_failed(&part.0, &error))?);
    let stamp = clock::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut put = || -> std::io::Result<()> {
        if place.exists() {
            let old = with_suffix(place, &format!(".replaced-{stamp}"));
            // With its log, which may hold what a killed gateway wrote last.
            for part in ["-wal", "-shm", ""] {
                let from = with_suffix(place, part);
                if from.exists() {
                    std::fs::rename(from, with_suffix(&old, part))?;
                }
            }
            tell(Told::Note(format!("the store that was there is now {}", old.display())));
        }
        std::fs::rename(&part.0, place)
    };
    put().map_err(|error| unwritten(&error))
}

/// Moves everything from one to the other and tells of it.
fn pump(from: &mut impl Read, to: &mut impl Write, tell: &mut dyn FnMut(Told)) -> std::io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        match from.read(&mut piece)? {
            0 => return Ok(()),
            read => {
                to.write_all(&piece[..read])?;
                tell(Told::Bytes(read as u64));
            }
        }
    }
}

/// A file that is gone when this is dropped, unless it was moved to its place.
struct Temporary(PathBuf);

impl Temporary {
    fn beside(path: &Path, suffix: &str) -> Self {
        Self(with_suffix(path, suffix))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        for part in ["", "-wal", "-shm"] {
            // Mostly it is not there, and nothing could be done about it here.
            let _ = std::fs::remove_file(with_suffix(&self.0, part));
        }
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

async fn engine(config: &Config) -> Result<DockerEngine, Failure> {
    let connected = DockerEngine::connect(settings(config), by_name(&config.templates)).await;
    connected.map_err(|error| engine_failed(&error))
}

fn engine_failed(error: &EngineError) -> Failure {
    let todo = "run this as a user who may open engine.socket, with the engine running";
    Failure::new(
        Exit::Missing,
        "the images cannot be reached through the container engine",
        chain(error),
        todo,
    )
}

fn store_failed(path: &Path, error: &StoreError) -> Failure {
    let todo = "run this as the gateway's own user, and look at its disk and permissions";
    Failure::new(Exit::Missing, format!("the database {} cannot be used", path.display()), chain(error), todo)
}

fn unbacked(error: &BackupError) -> Failure {
    let (exit, todo) = match error {
        BackupError::Exists { .. } => (Exit::Refused, "choose another name, or add --force to replace it"),
        BackupError::Damaged { .. }
        | BackupError::File { .. }
        | BackupError::Newer { .. }
        | BackupError::Strange { .. } => {
            (Exit::Failed, "check the disk's space and permissions, then repeat")
        }
    };
    Failure::new(exit, "the backup was not made", chain(error), todo)
}

fn unread(error: &BackupError) -> Failure {
    let todo = match error {
        BackupError::Damaged { .. } | BackupError::Strange { .. } => {
            "take another copy of it, or an older backup"
        }
        BackupError::Newer { .. } => "install the version of Berth that made it, or a newer one",
        BackupError::Exists { .. } | BackupError::File { .. } => "check its path and permissions",
    };
    Failure::new(Exit::Failed, "nothing was restored: the backup cannot be used", chain(error), todo)
}

fn unwritten(error: &std::io::Error) -> Failure {
    let todo = "check the disk's space and permissions, then repeat";
    Failure::new(Exit::Failed, "a file cannot be written", chain(error), todo)
}

//! Backups of what an installation consists of, and putting them back: the store, the configuration's
//! files, and through the engine's own socket images and homes.
//!
//! `make` writes one, `restore` puts one back, `place` is where the store goes, `homes` and `images`
//! say what of theirs goes where. No spawner takes part: see `images`.

mod failure;
mod homes;
mod images;
mod make;
mod place;
mod restore;
#[cfg(test)]
mod tests;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{Stream, unfold};
use tokio::sync::mpsc;

use self::failure::{engine_failed, store_failed, unread};
use super::open::store_path;
use super::spawner::{by_name, settings};
use crate::audit::{Actor, Audit, AuditEvent, Record};
use crate::backup::{Archive, Kind, Manifest};
use crate::cli::{Exit, Failure};
use crate::config::Config;
use crate::engine::docker::DockerEngine;
use crate::store::sqlite::SqliteStore;

/// How much of a member is read at a time.
const PIECE: usize = 1 << 20;

/// How a backup or restoration goes.
#[derive(Debug)]
pub enum Told {
    /// Something began: what, and how many bytes of it come; 0 if nobody knows.
    Begins(String, u64),
    /// So many bytes more.
    Bytes(u64),
    /// Something worth knowing that is no failure.
    Note(String),
}

/// What is to be backed up beside the store and the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Every home with its copies.
    pub homes: bool,
    /// The templates' images.
    pub images: bool,
    /// In place of an existing file.
    pub force: bool,
}

/// What becomes of homes that are there already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Existing {
    /// They stay as they are, and what the backup has of them is left out.
    Keep,
    /// Nothing is restored at all.
    Refuse,
    /// They become dated copies first.
    SetAside,
}

/// What is to be put back.
#[derive(Clone, Debug)]
pub struct Restoration {
    /// These alone; none is everything in the backup.
    pub only: Vec<Kind>,
    /// The store even in place of one that is in use; that one is kept beside it.
    pub replace: bool,
    /// For homes with files in them, or in use.
    pub existing: Existing,
}

/// What was put back.
#[derive(Debug)]
pub struct Restored {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// What of it, in words.
    pub parts: Vec<&'static str>,
}

/// Writes a backup to `to`. A running gateway goes on meanwhile. Made or not, the store's audit says
/// so.
///
/// # Errors
/// What could not be read or written; nothing is left at `to` then that was not there.
pub async fn backup(
    config: &Config,
    config_path: &Path,
    to: &Path,
    extent: Extent,
    tell: &mut dyn FnMut(Told),
) -> Result<Manifest, Failure> {
    let path = store_path(config)?;
    if !path.exists() {
        let todo = "run this where the gateway runs, or name its configuration with --config";
        return Err(Failure::new(
            Exit::Missing,
            "there is nothing to back up",
            format!("there is no {}", path.display()),
            todo,
        ));
    }
    let store = Arc::new(SqliteStore::open(&path).map_err(|error| store_failed(&path, &error))?);
    let made = make::write((config, config_path), &store, to, extent, tell).await;
    let event = match &made {
        Ok(manifest) => AuditEvent::BackupMade {
            parts: parts_of(manifest),
            bytes: manifest.members.iter().map(|member| member.bytes).sum(),
        },
        Err(failure) => AuditEvent::BackupFailed { detail: failure.detail() },
    };
    Audit::new(store).record(Record::new(Actor::cli(), event).about(to.display().to_string())).await;
    made
}

/// Puts back what is in the backup at `from`. Everything is checked before anything is changed. Done
/// or not, the store's audit says so, if there is a store.
///
/// # Errors
/// It is no whole backup, the store or a home is in use, or the engine refuses.
pub async fn restore(
    (config, config_path): (&Config, &Path),
    from: &Path,
    wanted: &Restoration,
    tell: &mut dyn FnMut(Told),
) -> Result<Restored, Failure> {
    let restored = restore::run((config, config_path), from, wanted, tell).await;
    match &restored {
        // The restored store says it itself.
        Ok(restored) if restored.parts.contains(&Kind::Store.name()) => {}
        Ok(restored) => {
            let (made_at, parts) = (restored.manifest.created_at, restored.parts.clone());
            let event = AuditEvent::Restored { made_at, parts, logins_ended: 0, replaced: None };
            note(config, event, from).await;
        }
        Err(failure) => note(config, AuditEvent::RestoreFailed { detail: failure.detail() }, from).await,
    }
    restored
}

/// Opens a backup and compares every member with its hash.
///
/// # Errors
/// It cannot be read, or is not whole.
pub fn check(from: &Path, tell: &mut dyn FnMut(Told)) -> Result<Manifest, Failure> {
    let archive = opened(from)?;
    whole(&archive, tell)?;
    Ok(archive.manifest().clone())
}

/// What a backup says of itself; its members are not read.
///
/// # Errors
/// It cannot be read, or is no backup.
pub fn look(from: &Path) -> Result<Manifest, Failure> {
    Ok(opened(from)?.manifest().clone())
}

fn opened(from: &Path) -> Result<Archive, Failure> {
    Archive::open(from).map_err(|error| unread(&error))
}

fn whole(archive: &Archive, tell: &mut dyn FnMut(Told)) -> Result<(), Failure> {
    let total = archive.manifest().members.iter().map(|member| member.bytes).sum();
    tell(Told::Begins("checking".to_owned(), total));
    archive.check(|bytes| tell(Told::Bytes(bytes))).map_err(|error| unread(&error))
}

/// Tells the audit of the store that is there; without one there is nothing to tell.
async fn note(config: &Config, event: AuditEvent, from: &Path) {
    let Ok(path) = store_path(config) else { return };
    if path.exists()
        && let Ok(store) = SqliteStore::open(&path)
    {
        let record = Record::new(Actor::cli(), event).about(from.display().to_string());
        Audit::new(Arc::new(store)).record(record).await;
    }
}

fn parts_of(manifest: &Manifest) -> Vec<&'static str> {
    let kinds = [Kind::Store, Kind::Config, Kind::Images, Kind::Home];
    kinds.into_iter().filter(|kind| manifest.member(*kind).is_some()).map(Kind::name).collect()
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

/// A member as a stream, and how much of it was taken.
fn pieces(
    bytes: impl Read + Send + 'static,
) -> (impl Stream<Item = std::io::Result<Bytes>> + Send + 'static, mpsc::UnboundedReceiver<u64>) {
    let (said, told) = mpsc::unbounded_channel();
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
    (pieces, told)
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

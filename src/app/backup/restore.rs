//! Putting a backup back: first everything is checked, then everything is done, the store last.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use super::failure::{store_failed, unread, unwritten};
use super::place::Place;
use super::{Restoration, Restored, Told, engine, homes, images, opened, whole};
use crate::backup::{Archive, Kind, unpack_files};
use crate::cli::{Exit, Failure};
use crate::clock;
use crate::config::Config;
use crate::store::sqlite::SqliteStore;

/// The order in which things are put back.
const ORDER: [Kind; 4] = [Kind::Config, Kind::Images, Kind::Home, Kind::Store];

pub(super) async fn run(
    (config, config_path): (&Config, &Path),
    from: &Path,
    wanted: &Restoration,
    tell: &mut dyn FnMut(Told),
) -> Result<Restored, Failure> {
    let archive = opened(from)?;
    let kinds = kinds(&archive, wanted)?;
    let takes = |kind| kinds.contains(&kind);
    whole(&archive, tell)?;
    let place = match takes(Kind::Store) {
        true => Some(Place::hold(config, wanted.replace, tell).await?),
        false => None,
    };
    let prepared = match &place {
        Some(place) => Some(place.prepare(&archive, tell).await?),
        None => None,
    };
    let engine = match takes(Kind::Images) || takes(Kind::Home) {
        true => Some(engine(config).await?),
        false => None,
    };
    let mut targets = Vec::new();
    if let Some(engine) = engine.as_ref().filter(|_| takes(Kind::Home)) {
        let store = match &prepared {
            Some(prepared) => prepared.store.clone(),
            None => there(config)?,
        };
        targets = homes::targets(engine, &*store, archive.manifest(), wanted.existing, tell).await?;
    }
    // From here on things change.
    if takes(Kind::Config) {
        put_config(&archive, config_path, tell)?;
    }
    if let (Some(engine), Some(member)) = (&engine, archive.manifest().member(Kind::Images))
        && takes(Kind::Images)
    {
        images::take(engine, &archive, member, tell).await?;
    }
    if let Some(engine) = &engine {
        homes::take(engine, &archive, &targets, tell).await?;
    }
    let parts: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
    if let (Some(place), Some(prepared)) = (&place, prepared) {
        place.take(prepared, (&archive, from), parts.clone(), tell).await?;
    }
    Ok(Restored { manifest: archive.manifest().clone(), parts })
}

/// What is to be put back of what is there.
fn kinds(archive: &Archive, wanted: &Restoration) -> Result<Vec<Kind>, Failure> {
    let manifest = archive.manifest();
    let absent = wanted.only.iter().find(|kind| manifest.member(**kind).is_none());
    if let Some(absent) = absent {
        let why = format!("it was made {} without it", manifest.created_at);
        let todo = "leave out --only to see what is in it, or take another backup";
        let what = format!("there is no {} in the backup", absent.name());
        return Err(Failure::new(Exit::Refused, what, why, todo));
    }
    let takes = |kind: &Kind| wanted.only.is_empty() || wanted.only.contains(kind);
    Ok(ORDER.into_iter().filter(|kind| manifest.member(*kind).is_some() && takes(kind)).collect())
}

/// The store that is there, whose users homes are put back for.
fn there(config: &Config) -> Result<Arc<SqliteStore>, Failure> {
    let path = super::store_path(config)?;
    if !path.exists() {
        let why = format!("there is no {}", path.display());
        let todo = "restore the store as well, or make the users first";
        return Err(Failure::new(Exit::Refused, "nobody is known whose homes these could be", why, todo));
    }
    SqliteStore::open(&path).map(Arc::new).map_err(|error| store_failed(&path, &error))
}

/// Writes the configuration of then beside the one in force, unless it is the same.
fn put_config(archive: &Archive, config_path: &Path, tell: &mut dyn FnMut(Told)) -> Result<(), Failure> {
    let Some(member) = archive.manifest().member(Kind::Config) else { return Ok(()) };
    let bytes = archive.bytes_of(member).map_err(|error| unread(&error))?;
    let files = unpack_files(bytes).map_err(|error| unwritten(&error))?;
    let folder = config_path.parent().unwrap_or(Path::new(""));
    if files.iter().all(|(name, bytes)| fs::read(folder.join(name)).is_ok_and(|there| there == *bytes)) {
        return Ok(());
    }
    let beside = folder.join(format!("restored-{}", clock::now().strftime("%Y%m%dT%H%M%SZ")));
    put_files(&beside, &files).map_err(|error| unwritten(&error))?;
    tell(Told::Note(format!(
        "the configuration of then is in {}: compare it with the one in force, which is as it was",
        beside.display()
    )));
    Ok(())
}

fn put_files(folder: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    for (name, bytes) in files {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&path)?;
        io::Write::write_all(&mut file, bytes)?;
    }
    Ok(())
}

//! Writing a backup.

use std::path::Path;

use super::failure::{store_failed, unbacked, unwritten};
use super::{Extent, Temporary, Told, engine, homes, images, pump};
use crate::backup::{BackupError, Contents, Manifest, Writer, pack_files};
use crate::cli::Failure;
use crate::clock;
use crate::config::Config;
use crate::store::sqlite::SqliteStore;

/// Everything that is wanted, in one file at `to`; complete or not there.
pub(super) async fn write(
    (config, config_path): (&Config, &Path),
    store: &SqliteStore,
    to: &Path,
    extent: Extent,
    tell: &mut dyn FnMut(Told),
) -> Result<Manifest, Failure> {
    if to.exists() && !extent.force {
        return Err(unbacked(&BackupError::Exists { path: to.to_owned() }));
    }
    let engine = if extent.images || extent.homes { Some(engine(config).await?) } else { None };
    let (mut saved_images, mut found) = (Vec::new(), Vec::new());
    if let Some(engine) = &engine {
        if extent.images {
            saved_images = images::all(config, engine, tell).await?;
        }
        if extent.homes {
            found = homes::all(engine, store, tell).await?;
        }
    }
    let files = files(config_path)?;
    let contents = Contents {
        schema: SqliteStore::schema(),
        config: !files.is_empty(),
        images: saved_images.clone(),
        homes: found.iter().map(|(saved, _)| saved.clone()).collect(),
    };
    let manifest = Manifest::of(contents, clock::now());
    let mut writer = Writer::create(to, manifest, extent.force).map_err(|error| unbacked(&error))?;
    put_store(store, to, &mut writer, tell).await?;
    put_files(&files, &mut writer)?;
    if let Some(engine) = &engine {
        if !saved_images.is_empty() {
            images::put(engine, &saved_images, &mut writer, tell).await?;
        }
        homes::put(engine, &found, &mut writer, tell).await?;
    }
    writer.finish().map_err(|error| unbacked(&error))
}

async fn put_store(
    store: &SqliteStore,
    to: &Path,
    writer: &mut Writer,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let copy = Temporary::beside(to, ".store");
    store.backup(&copy.0).await.map_err(|error| store_failed(&copy.0, &error))?;
    let mut put = || -> std::io::Result<()> {
        let mut from = std::fs::File::open(&copy.0)?;
        tell(Told::Begins("store".to_owned(), from.metadata()?.len()));
        let mut member = writer.member("store.sqlite").map_err(std::io::Error::other)?;
        pump(&mut from, &mut member, tell)?;
        member.finish().map_err(std::io::Error::other)
    };
    put().map_err(|error| unwritten(&error))
}

/// The configuration's files by their names below its folder.
fn files(config_path: &Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let folder = config_path.parent().unwrap_or(Path::new(""));
    let read = |path: std::path::PathBuf| {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
        std::fs::read(&path).map(|bytes| (name, bytes))
    };
    let read: std::io::Result<Vec<_>> = Config::files(config_path).into_iter().map(read).collect();
    read.map_err(|error| unwritten(&error))
}

fn put_files(files: &[(String, Vec<u8>)], writer: &mut Writer) -> Result<(), Failure> {
    if files.is_empty() {
        return Ok(());
    }
    let mut put = || -> std::io::Result<()> {
        let mut member = writer.member("config.tar").map_err(std::io::Error::other)?;
        pack_files(&mut member, files, clock::now())?;
        member.finish().map_err(std::io::Error::other)
    };
    put().map_err(|error| unwritten(&error))
}

//! The templates' images in a backup, through the engine's own socket.
//!
//! No spawner takes part: whoever may hand it an image could put their own in place of a template's.

use std::collections::BTreeSet;
use std::io::Write;

use futures_util::StreamExt;

use super::failure::{engine_failed, unbacked, unread, unwritten};
use super::{Told, pieces};
use crate::backup::{Archive, Member, SavedImage, Writer};
use crate::cli::{Exit, Failure};
use crate::config::Config;
use crate::engine::docker::DockerEngine;

/// The templates' images that are on this machine, each once, and the one that proves isolation:
/// without it nothing is served.
pub(super) async fn all(
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

/// Writes them into the backup.
pub(super) async fn put(
    engine: &DockerEngine,
    images: &[SavedImage],
    writer: &mut Writer,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    tell(Told::Begins("images".to_owned(), images.iter().map(|image| image.size_bytes).sum()));
    let names: Vec<String> = images.iter().map(|image| image.name.clone()).collect();
    let mut member = writer.member("images.tar").map_err(|error| unbacked(&error))?;
    let mut pieces = engine.save_images(&names);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| engine_failed(&error))?;
        member.write_all(&piece).map_err(|error| unwritten(&error))?;
        tell(Told::Bytes(piece.len() as u64));
    }
    member.finish().map_err(|error| unbacked(&error))
}

/// Loads them into the engine.
pub(super) async fn take(
    engine: &DockerEngine,
    archive: &Archive,
    member: &Member,
    tell: &mut dyn FnMut(Told),
) -> Result<(), Failure> {
    let bytes = archive.bytes_of(member).map_err(|error| unread(&error))?;
    tell(Told::Begins("images".to_owned(), bytes.limit()));
    let (pieces, mut told) = pieces(bytes);
    let load = engine.load_images(pieces);
    tokio::pin!(load);
    loop {
        tokio::select! {
            loaded = &mut load => break loaded.map_err(|error| engine_failed(&error))?,
            Some(bytes) = told.recv() => tell(Told::Bytes(bytes)),
        }
    }
    check_images(engine, &archive.manifest().images, tell).await
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

//! The templates' images: what is on the machine, fetching one, saving and loading them.

use std::collections::BTreeMap;
use std::time::Duration;

use bollard::models::{CreateImageInfo, ImageInspect};
use bollard::query_parameters::{CreateImageOptionsBuilder, ImportImageOptions};
use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, unfold};
use futures_util::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use tokio::time::{Instant, timeout};

use super::DockerEngine;
use super::api::{Api, Failure};
use crate::engine::{EngineError, Image, PullProgress, PullStep, PullSteps, TemplateImage};
use crate::session::{ImageName, TemplateName};

/// The label in which an image says its version (OCI image spec, annotations).
const VERSION: &str = "org.opencontainers.image.version";
/// A pull that says nothing for this long is given up. Large layers are unpacked in silence.
const SILENCE: Duration = Duration::from_mins(5);
/// Time between two words on how far a pull is.
const PACE: Duration = Duration::from_millis(200);

/// What of every template's image is on the machine.
pub(super) async fn of_templates(engine: &DockerEngine) -> Result<Vec<TemplateImage>, EngineError> {
    let mut known: BTreeMap<&str, Option<Image>> = BTreeMap::new();
    let mut images = Vec::with_capacity(engine.templates.len());
    for (name, template) in &engine.templates {
        let found = match known.get(template.image.as_str()) {
            Some(found) => found.clone(),
            None => find(&engine.api, &template.image).await?,
        };
        known.insert(&template.image, found.clone());
        images.push(TemplateImage { template: name.clone(), found });
    }
    Ok(images)
}

async fn find(api: &Api, name: &str) -> Result<Option<Image>, EngineError> {
    Ok(api.image(name).await?.and_then(|found| image_of(found, name)))
}

/// An image in our words; `None` if the engine does not say its id.
fn image_of(found: ImageInspect, name: &str) -> Option<Image> {
    let repository = ImageName::of(name).repository;
    let of_it = |digest: &String| digest.split_once('@').is_some_and(|(of, _)| of == repository);
    let labels = found.config.and_then(|config| config.labels).unwrap_or_default();
    Some(Image {
        id: found.id?,
        size_bytes: found.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
        created_at: found
            .created
            .and_then(|built| Timestamp::from_nanosecond(built.unix_timestamp_nanos()).ok()),
        version: labels.get(VERSION).filter(|version| !version.is_empty()).cloned(),
        digest: found.repo_digests.unwrap_or_default().into_iter().find(of_it),
    })
}

/// `POST /images/create`: fetches the image of a template.
pub(super) fn pull(engine: &DockerEngine, template: &TemplateName) -> Result<PullSteps, EngineError> {
    let gone = || EngineError::TemplateGone { template: template.clone() };
    let name = engine.templates.get(template).ok_or_else(gone)?.image.clone();
    let asked = ImageName::of(&name);
    if asked.built_here().is_some() {
        let detail =
            format!("{name} is built on this machine; a public registry may have another of this name");
        return Err(EngineError::Refused { detail });
    }
    let (from, version) = (asked.repository, asked.version);
    let options = CreateImageOptionsBuilder::default().from_image(from).tag(version).build();
    let lines = engine.api.docker().create_image(Some(options), None, None);
    let pull =
        Pull { api: engine.api.clone(), name, lines: lines.boxed(), layers: Layers::default(), told: None };
    Ok(unfold(Some(pull), next).boxed())
}

/// A pull that is under way.
struct Pull {
    api: Api,
    name: String,
    lines: BoxStream<'static, Result<CreateImageInfo, bollard::errors::Error>>,
    layers: Layers,
    /// When something was said last.
    told: Option<Instant>,
}

/// The next step of a pull; nothing follows the last one.
async fn next(pull: Option<Pull>) -> Option<(Result<PullStep, EngineError>, Option<Pull>)> {
    let mut pull = pull?;
    Some(match pull.step().await {
        Ok(step @ PullStep::Progress(_)) => (Ok(step), Some(pull)),
        last => (last, None),
    })
}

impl Pull {
    async fn step(&mut self) -> Result<PullStep, EngineError> {
        loop {
            let slow =
                || EngineError::Slow { verb: "go on with a pull".to_owned(), seconds: SILENCE.as_secs() };
            match timeout(SILENCE, self.lines.next()).await.map_err(|_| slow())? {
                Some(line) => {
                    self.layers.hear(line.map_err(refused)?)?;
                    if self.told.is_none_or(|told| told.elapsed() >= PACE) {
                        self.told = Some(Instant::now());
                        return Ok(PullStep::Progress(self.layers.progress()));
                    }
                }
                None => {
                    let missing = || EngineError::ImageMissing { image: self.name.clone() };
                    return find(&self.api, &self.name).await?.map(PullStep::Done).ok_or_else(missing);
                }
            }
        }
    }
}

/// Whatever ends a pull early, in the engine's own words.
fn refused(error: bollard::errors::Error) -> EngineError {
    match error {
        bollard::errors::Error::DockerStreamError { error } => EngineError::Refused { detail: error },
        other => Failure::from(other).into(),
    }
}

/// The layers of an image that is being fetched.
#[derive(Debug, Default)]
struct Layers(BTreeMap<String, Layer>);

#[derive(Clone, Copy, Debug, Default)]
struct Layer {
    bytes: u64,
    total: u64,
    done: bool,
}

impl Layers {
    fn hear(&mut self, line: CreateImageInfo) -> Result<(), EngineError> {
        if let Some(message) = line.error_detail.and_then(|error| error.message) {
            return Err(EngineError::Refused { detail: message });
        }
        let status = line.status.unwrap_or_default();
        // Lines about the whole image carry its tag as their id.
        let Some(id) = line.id.filter(|_| !status.starts_with("Pulling from")) else { return Ok(()) };
        let layer = self.0.entry(id).or_default();
        let detail = line.progress_detail.unwrap_or_default();
        let bytes = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        match status.as_str() {
            "Downloading" => {
                layer.bytes = bytes(detail.current).unwrap_or(layer.bytes);
                layer.total = bytes(detail.total).unwrap_or(layer.total);
            }
            "Download complete" | "Extracting" | "Verifying Checksum" => layer.bytes = layer.total,
            "Pull complete" | "Already exists" => *layer = Layer { bytes: layer.total, done: true, ..*layer },
            // An open set: waiting, retrying and whatever a newer engine says.
            _ => {}
        }
        Ok(())
    }

    fn progress(&self) -> PullProgress {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        PullProgress {
            layers_done: count(self.0.values().filter(|layer| layer.done).count()),
            layers: count(self.0.len()),
            bytes: self.0.values().map(|layer| layer.bytes).sum(),
            total_bytes: self.0.values().map(|layer| layer.total).sum(),
        }
    }
}

impl DockerEngine {
    /// `GET /images/get`: these images as one archive, as `docker save` writes it; layers that
    /// several share are in it once. Needs the engine's own socket; no spawner offers it.
    pub fn save_images(&self, names: &[String]) -> BoxStream<'static, Result<Bytes, EngineError>> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.api.docker().export_images(&names).map_err(refused).boxed()
    }

    /// `POST /images/load`: takes such an archive in; what has its names so far loses them.
    ///
    /// # Errors
    /// [`EngineError::Refused`] in the engine's words, or why `archive` could not be read.
    pub async fn load_images(
        &self,
        archive: impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static,
    ) -> Result<(), EngineError> {
        let options = ImportImageOptions { quiet: true, ..ImportImageOptions::default() };
        let mut lines = Box::pin(self.api.docker().import_image_stream(options, archive, None));
        while let Some(line) = lines.next().await {
            if let Some(message) = line.map_err(refused)?.error_detail.and_then(|error| error.message) {
                return Err(EngineError::Refused { detail: message });
            }
        }
        Ok(())
    }

    /// The image of this name or id, if it is on the machine.
    ///
    /// # Errors
    /// The engine's.
    pub async fn find_image(&self, name: &str) -> Result<Option<Image>, EngineError> {
        find(&self.api, name).await
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::{ErrorDetail, ProgressDetail};

    use super::*;

    fn line(id: &str, status: &str, current: i64, total: i64) -> CreateImageInfo {
        CreateImageInfo {
            id: Some(id.to_owned()),
            status: Some(status.to_owned()),
            progress_detail: Some(ProgressDetail { current: Some(current), total: Some(total) }),
            ..CreateImageInfo::default()
        }
    }

    #[test]
    fn layers_add_up() {
        let mut layers = Layers::default();
        for (id, status, current, total) in [
            ("2026", "Pulling from course/web", 0, 0),
            ("a", "Pulling fs layer", 0, 0),
            ("b", "Already exists", 0, 0),
            ("a", "Downloading", 10, 100),
            ("c", "Downloading", 50, 50),
            ("c", "Download complete", 0, 0),
            ("c", "Extracting", 20, 60),
        ] {
            layers.hear(line(id, status, current, total)).unwrap();
        }
        assert_eq!(
            layers.progress(),
            PullProgress { layers_done: 1, layers: 3, bytes: 60, total_bytes: 150 }
        );
        layers.hear(line("a", "Pull complete", 0, 0)).unwrap();
        assert_eq!(
            layers.progress(),
            PullProgress { layers_done: 2, layers: 3, bytes: 150, total_bytes: 150 }
        );
    }

    #[test]
    fn an_error_is_told_in_the_engines_words() {
        let error_detail = Some(ErrorDetail { code: None, message: Some("manifest unknown".to_owned()) });
        let told = Layers::default().hear(CreateImageInfo { error_detail, ..CreateImageInfo::default() });
        assert!(matches!(told, Err(EngineError::Refused { detail }) if detail == "manifest unknown"));
    }
}

//! Images that are only names: which are there, which is the newest, and pulls that go on when told.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use futures_util::stream::{once, unfold};
use tokio::sync::watch;

use super::FakeEngine;
use crate::engine::{EngineError, Image, PullProgress, PullStep, PullSteps, TemplateImage};
use crate::session::Template;

/// What a registry does when it is asked.
#[derive(Clone, Debug, Default)]
pub enum Registry {
    /// It gives a newer image.
    #[default]
    Gives,
    /// It refuses, in these words.
    Refuses(String),
    /// It tells how far it is and nothing more, until the sender says otherwise.
    Stalls(watch::Receiver<bool>),
}

/// The images of a fake engine. All are there, in their first edition, unless told otherwise.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    missing: BTreeSet<String>,
    editions: BTreeMap<String, u32>,
    registry: Registry,
}

impl Shelf {
    pub(super) fn id_of(&self, template: &Template) -> Option<String> {
        let edition = self.editions.get(&template.image).copied().unwrap_or(1);
        (!self.missing.contains(&template.image)).then(|| format!("sha256:{edition:064x}"))
    }

    pub(super) fn look(&self, template: &Template) -> TemplateImage {
        let found = self.id_of(template).map(|id| Image {
            id,
            size_bytes: 555_000_000,
            created_at: None,
            version: Some("1".to_owned()),
            digest: None,
        });
        TemplateImage { template: template.name.clone(), found }
    }
}

impl FakeEngine {
    /// Takes an image off the machine; containers made from it stay.
    pub fn forget_image(&self, image: &str) {
        self.lock().shelf.missing.insert(image.to_owned());
    }

    /// Puts a newer image behind a name, as a build or a pull does.
    pub fn renew_image(&self, image: &str) {
        let shelf = &mut self.lock().shelf;
        shelf.missing.remove(image);
        *shelf.editions.entry(image.to_owned()).or_insert(1) += 1;
    }

    /// What the registry does from now on.
    pub fn set_registry(&self, registry: Registry) {
        self.lock().shelf.registry = registry;
    }
}

pub(super) fn pull(engine: &FakeEngine, template: &Template) -> Result<PullSteps, EngineError> {
    let registry = engine.lock().shelf.registry.clone();
    let halfway = PullProgress { layers_done: 1, layers: 2, bytes: 50, total_bytes: 100 };
    let halfway = once(async move { Ok(PullStep::Progress(halfway)) });
    let (engine, template) = (engine.clone(), template.clone());
    let end = async move {
        match registry {
            Registry::Gives => {}
            Registry::Refuses(detail) => return Err(EngineError::Refused { detail }),
            Registry::Stalls(mut gate) => {
                let opened = gate.wait_for(|open| *open).await;
                drop(opened.map_err(|_| EngineError::Gone)?);
            }
        }
        engine.renew_image(&template.image);
        let image = engine.lock().shelf.look(&template).found.expect("it was just renewed");
        Ok(PullStep::Done(image))
    };
    let end = unfold(Some(end), |end| async move { Some((end?.await, None)) });
    Ok(halfway.chain(end).boxed())
}

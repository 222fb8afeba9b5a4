//! Templates and their images as the command line shows them.

use serde::{Deserialize, Serialize};

use super::{Performer, Reply};
use crate::audit::Actor;
use crate::broker::{Broker, Installed, Pull};
use crate::fault::Answer;
use crate::language::Language;
use crate::session::reap::Policy;
use crate::session::{Home, NetworkPolicy, Template};

/// A template.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct TemplateRow {
    pub name: String,
    pub title: String,
    pub description: String,
    pub icon: String,
    pub cpus: f64,
    pub memory_mib: u64,
    /// In force: the template's own, or the general one.
    pub away_s: u64,
    /// `None` is no limit.
    pub total_s: Option<u64>,
    pub network: NetworkPolicy,
    pub home: Home,
    /// The image's name in the configuration.
    pub image: String,
    /// When it is fetched without being asked for.
    pub pull_policy: String,
    /// `None` while the engine has not said.
    pub installed: Option<bool>,
    /// What is on the machine.
    pub found: Option<ImageRow>,
    /// The command that brings the image to the machine; `None` for whoever may not read it.
    pub command: Option<String>,
    /// The last pull since the gateway started.
    pub pull: Option<PullRow>,
}

/// An image on the machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct ImageRow {
    pub id: String,
    pub size_bytes: u64,
    pub created_at: Option<String>,
    pub version: Option<String>,
    pub digest: Option<String>,
}

/// How a pull goes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct PullRow {
    /// `waiting`, `running`, `done` or `failed`.
    pub state: String,
    pub layers_done: u32,
    pub layers: u32,
    pub bytes: u64,
    pub total_bytes: u64,
    /// The engine's words about a failure.
    pub detail: Option<String>,
}

impl TemplateRow {
    /// The row of a template with what is known of its image.
    #[must_use]
    pub fn of(template: &Template, general: &Policy, installed: &Installed, pull: Option<&Pull>) -> Self {
        let policy = general.with(&template.limits);
        Self {
            name: template.name.to_string(),
            title: template.title.of(Language::default()).to_owned(),
            description: template.description.of(Language::default()).to_owned(),
            icon: template.icon.name().to_owned(),
            cpus: template.cpus,
            memory_mib: template.memory_mib,
            away_s: policy.away.as_secs(),
            total_s: policy.total.map(|total| total.as_secs()),
            network: template.network,
            home: template.home,
            image: template.image.clone(),
            pull_policy: template.pull.name().to_owned(),
            installed: match installed {
                Installed::Unknown => None,
                Installed::Missing => Some(false),
                Installed::Present(_) => Some(true),
            },
            found: installed.image().map(|image| ImageRow {
                id: image.id.clone(),
                size_bytes: image.size_bytes,
                created_at: image.created_at.map(|at| at.to_string()),
                version: image.version.clone(),
                digest: image.digest.clone(),
            }),
            command: Some(template.image_command()),
            pull: pull.map(PullRow::of),
        }
    }
}

impl PullRow {
    fn of(pull: &Pull) -> Self {
        let progress = match pull {
            Pull::Running(progress) => *progress,
            Pull::Waiting | Pull::Done { .. } | Pull::Failed { .. } => Default::default(),
        };
        let detail = match pull {
            Pull::Failed { detail, .. } => Some(detail.clone()),
            Pull::Waiting | Pull::Running(_) | Pull::Done { .. } => None,
        };
        Self {
            state: pull.name().to_owned(),
            layers_done: progress.layers_done,
            layers: progress.layers,
            bytes: progress.bytes,
            total_bytes: progress.total_bytes,
            detail,
        }
    }
}

/// Every template; `fresh` asks the engine first, so that what was just built is seen. An engine
/// that does not answer leaves what is known.
pub(super) async fn list(performer: &Performer, fresh: bool) -> Reply {
    let Some(broker) = &performer.broker else { return Reply::Templates { templates: Vec::new() } };
    if fresh {
        // What is known stands in for an engine that does not answer.
        let _ = broker.look_at_images().await;
    }
    Reply::Templates { templates: rows(broker) }
}

fn rows(broker: &Broker) -> Vec<TemplateRow> {
    let row = |template: &std::sync::Arc<Template>| {
        let pull = broker.pull_of(template);
        let installed = broker.installed(&template.name);
        TemplateRow::of(template, &broker.settings().reap, &installed, pull.as_ref())
    };
    broker.templates().values().map(row).collect()
}

/// Begins a pull; how it goes is asked for with [`super::Request::TemplateProgress`].
pub(super) fn pull(performer: &Performer, name: &str) -> Result<String, Reply> {
    let unknown = || super::perform::unknown("template", name);
    let broker = performer.broker.as_ref().ok_or_else(unknown)?;
    let template = name.parse().map_err(|_| unknown())?;
    broker.pull(&template, &Actor::cli()).map_err(|error| match error.code() {
        "not_found" => unknown(),
        _ => super::perform::refused(error),
    })?;
    Ok(format!("the image of {name} is being fetched"))
}

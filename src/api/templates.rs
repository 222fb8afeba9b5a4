//! `/api/v1/templates`: what sessions can be made from. Administrators also read of the images
//! and have them fetched.

use std::sync::Arc;

use axum::extract::{Path, State};
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::{Administrator, Known, Query};
use super::page::{Page, Paging};
use super::{Failure, Site, json};
use crate::auth::policy;
use crate::body::Body;
use crate::broker::{Installed, Pull};
use crate::language::Language;
use crate::session::{Home, Icon, NetworkPolicy, Protocol, PullPolicy, Template, TemplateName};

/// What sessions can be made from. Names and fields are stable; new ones may be added.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Template)]
struct TemplateDocument {
    /// Its short name.
    #[schema(value_type = String, examples("desktop"))]
    name: TemplateName,
    /// What people read.
    title: String,
    /// One sentence for people choosing.
    description: String,
    /// The picture beside its title.
    icon: Icon,
    /// What its containers speak.
    protocol: Protocol,
    /// Processor cores.
    cpus: f64,
    /// Memory in MiB.
    memory_mib: u64,
    /// Seconds without human input until a session is frozen.
    away_s: u64,
    /// Seconds a session may be reachable in all; `null` is no limit.
    #[schema(required = true)]
    total_s: Option<u64>,
    /// What its containers may reach.
    network: NetworkPolicy,
    /// What becomes of the files.
    home: Home,
    /// Whether its image is on the machine; `null` while the engine has not said.
    #[schema(required = true)]
    installed: Option<bool>,
    /// The image; what follows is for administrators.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<ImageDocument>,
    /// When the gateway fetches it by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pull_policy: Option<PullPolicy>,
    /// How the last pull went or is going; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pull: Option<PullDocument>,
    /// The command that brings the image to the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
}

/// An image; what is not known is `null`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Image)]
struct ImageDocument {
    /// As the template names it.
    name: String,
    /// The engine's id of its content.
    #[schema(required = true)]
    id: Option<String>,
    /// What it takes on the disk.
    #[schema(required = true)]
    size_bytes: Option<u64>,
    /// When it was built.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    created_at: Option<Timestamp>,
    /// Its version, where it says one.
    #[schema(required = true)]
    version: Option<String>,
    /// The registry's name for this content.
    #[schema(required = true)]
    digest: Option<String>,
}

/// A pull.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pull)]
struct PullDocument {
    /// `waiting`, `running`, `done` or `failed`.
    state: &'static str,
    /// How far it is, while it is running.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<ProgressDocument>,
    /// Since when it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    at: Option<Timestamp>,
    /// Why it failed, in the engine's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    detail: Option<String>,
}

/// How far a pull is; totals grow as it goes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PullProgress)]
struct ProgressDocument {
    /// Layers that are complete.
    layers_done: u32,
    /// Layers known of.
    layers: u32,
    /// Bytes that have arrived.
    bytes: u64,
    /// Bytes known to be needed.
    total_bytes: u64,
}

/// What sessions can be made from, in the order of the configuration.
#[utoipa::path(
    get, path = "/api/v1/templates", tag = "templates", operation_id = "list_templates", params(Paging),
    responses((status = 200, description = "A page of them", body = Page<TemplateDocument>)),
)]
pub(super) async fn list(
    State(site): State<Site>,
    Known(known): Known,
    Query(paging): Query<Paging>,
) -> Result<Response<Body>, Failure> {
    let admin = policy::administer(&known).is_ok();
    let page = paging.of(site.broker().templates().values().enumerate(), |(place, _)| *place)?;
    Ok(json::read(&page.map(|(_, template)| shown(&site, template, admin))))
}

/// One template.
#[utoipa::path(
    get, path = "/api/v1/templates/{name}", tag = "templates", operation_id = "read_template",
    params(("name" = String, Path, description = "The template's name")),
    responses((status = 200, description = "The template", body = TemplateDocument)),
)]
pub(super) async fn show(
    State(site): State<Site>,
    Known(known): Known,
    Path(name): Path<String>,
) -> Result<Response<Body>, Failure> {
    let admin = policy::administer(&known).is_ok();
    let template = find(&site, &name)?;
    Ok(json::read(&shown(&site, &template, admin)))
}

/// Begins to fetch its image from the registry, or joins the pull that is under way; `pull` tells from
/// then on how it goes. For administrators.
#[utoipa::path(
    post, path = "/api/v1/templates/{name}/pull", tag = "templates", operation_id = "pull_template",
    params(("name" = String, Path, description = "The template's name")),
    responses((status = 202, description = "It is under way", body = TemplateDocument)),
)]
pub(super) async fn pull(
    State(site): State<Site>,
    Administrator(caller): Administrator,
    Path(name): Path<String>,
) -> Result<Response<Body>, Failure> {
    let template = find(&site, &name)?;
    site.broker().pull(&template.name, &caller.by())?;
    Ok(json::document(StatusCode::ACCEPTED, &shown(&site, &template, true)))
}

fn find(site: &Site, name: &str) -> Result<Arc<Template>, Failure> {
    let name: TemplateName = name.parse().map_err(|_| Failure::not_found())?;
    site.broker().templates().get(&name).cloned().ok_or_else(Failure::not_found)
}

fn shown(site: &Site, template: &Template, admin: bool) -> TemplateDocument {
    let installed = site.broker().installed(&template.name);
    let policy = site.broker().settings().reap.with(&template.limits);
    TemplateDocument {
        name: template.name.clone(),
        title: template.title.of(Language::default()).to_owned(),
        description: template.description.of(Language::default()).to_owned(),
        icon: template.icon,
        protocol: template.protocol,
        cpus: template.cpus,
        memory_mib: template.memory_mib,
        away_s: policy.away.as_secs(),
        total_s: policy.total.map(|total| total.as_secs()),
        network: template.network,
        home: template.home,
        installed: (installed != Installed::Unknown).then_some(!installed.is_missing()),
        image: admin.then(|| image(template, &installed)),
        pull_policy: admin.then_some(template.pull),
        pull: site.broker().pull_of(template).filter(|_| admin).as_ref().map(PullDocument::from),
        command: admin.then(|| template.image_command()),
    }
}

fn image(template: &Template, installed: &Installed) -> ImageDocument {
    let found = installed.image();
    ImageDocument {
        name: template.image.clone(),
        id: found.map(|image| image.id.clone()),
        size_bytes: found.map(|image| image.size_bytes),
        created_at: found.and_then(|image| image.created_at),
        version: found.and_then(|image| image.version.clone()),
        digest: found.and_then(|image| image.digest.clone()),
    }
}

impl From<&Pull> for PullDocument {
    fn from(pull: &Pull) -> Self {
        let shown = Self { state: pull.name(), progress: None, at: None, detail: None };
        match pull {
            Pull::Waiting => shown,
            Pull::Running(progress) => Self {
                progress: Some(ProgressDocument {
                    layers_done: progress.layers_done,
                    layers: progress.layers,
                    bytes: progress.bytes,
                    total_bytes: progress.total_bytes,
                }),
                ..shown
            },
            Pull::Done { at } => Self { at: Some(*at), ..shown },
            Pull::Failed { at, detail } => Self { at: Some(*at), detail: Some(detail.clone()), ..shown },
        }
    }
}

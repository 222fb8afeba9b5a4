//! `/api/v1/templates`: what sessions can be made from. Administrators also read of the images
//! and have them fetched.

use std::sync::Arc;

use axum::extract::{Path, State};
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::gate::{Administrator, Arrival, Known};
use super::{Failure, Site, json as document};
use crate::audit::Actor;
use crate::auth::policy;
use crate::body::Body;
use crate::broker::{Installed, Pull};
use crate::language::Language;
use crate::session::{Template, TemplateName};

/// `GET /api/v1/templates`, in the order of the configuration.
pub(super) async fn list(State(site): State<Site>, Known(known): Known) -> Response<Body> {
    let admin = policy::administer(&known).is_ok();
    let templates = site.broker().templates().values();
    let items: Vec<_> = templates.map(|template| shown(&site, template, admin)).collect();
    document::document(StatusCode::OK, &json!({ "items": items }))
}

/// `GET /api/v1/templates/<name>`
pub(super) async fn show(
    State(site): State<Site>,
    Known(known): Known,
    Path(name): Path<String>,
) -> Result<Response<Body>, Failure> {
    let admin = policy::administer(&known).is_ok();
    let template = find(&site, &name)?;
    Ok(document::document(StatusCode::OK, &shown(&site, &template, admin)))
}

/// `POST /api/v1/templates/<name>/pull`: begins to fetch its image, or joins the pull that is under
/// way, and answers 202 with the template; `pull` tells from then on how it goes.
pub(super) async fn pull(
    State(site): State<Site>,
    arrival: Arrival,
    Administrator(known): Administrator,
    Path(name): Path<String>,
) -> Result<Response<Body>, Failure> {
    let template = find(&site, &name)?;
    site.broker().pull(&template.name, &Actor::user(&known.name, arrival.address))?;
    Ok(document::document(StatusCode::ACCEPTED, &shown(&site, &template, true)))
}

fn find(site: &Site, name: &str) -> Result<Arc<Template>, Failure> {
    let name: TemplateName = name.parse().map_err(|_| Failure::not_found())?;
    site.broker().templates().get(&name).cloned().ok_or_else(Failure::not_found)
}

/// A template as the API shows it. Names and fields are stable; new ones may be added.
fn shown(site: &Site, template: &Template, admin: bool) -> Value {
    let installed = site.broker().installed(&template.name);
    let known = (installed != Installed::Unknown).then_some(!installed.is_missing());
    let mut shown = json!({
        "name": template.name,
        "title": template.title.of(Language::default()),
        "description": template.description.of(Language::default()),
        "icon": template.icon.name(),
        "protocol": template.protocol,
        "cpus": template.cpus,
        "memory_mib": template.memory_mib,
        "away_s": site.broker().settings().reap.with(&template.limits).away.as_secs(),
        "total_s": site.broker().settings().reap.with(&template.limits).total.map(|total| total.as_secs()),
        "network": template.network,
        "home": template.home,
        "installed": known,
    });
    if admin {
        shown["image"] = image(template, &installed);
        shown["pull_policy"] = json!(template.pull);
        shown["pull"] = site.broker().pull_of(template).as_ref().map_or(Value::Null, progress);
        shown["command"] = json!(template.image_command());
    }
    shown
}

fn image(template: &Template, installed: &Installed) -> Value {
    let found = installed.image();
    json!({
        "name": template.image,
        "id": found.map(|image| &image.id),
        "size_bytes": found.map(|image| image.size_bytes),
        "created_at": found.and_then(|image| image.created_at),
        "version": found.and_then(|image| image.version.as_ref()),
        "digest": found.and_then(|image| image.digest.as_ref()),
    })
}

fn progress(pull: &Pull) -> Value {
    let mut shown = json!({ "state": pull.name() });
    match pull {
        Pull::Waiting => {}
        Pull::Running(progress) => shown["progress"] = json!(progress),
        Pull::Done { at } => shown["at"] = json!(at),
        Pull::Failed { at, detail } => {
            shown["at"] = json!(at);
            shown["detail"] = json!(detail);
        }
    }
    shown
}

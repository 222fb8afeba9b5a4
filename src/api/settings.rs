//! `/api/v1/settings`: every key in force, for administrators to read.

use axum::extract::State;
use http::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::gate::Administrator;
use super::json;
use super::{Failure, Site};
use crate::body::Body;
use crate::inventory::{Origin, Setting};
use crate::language::Language;

/// Everything in force.
#[derive(Serialize, ToSchema)]
#[schema(as = Settings)]
pub(super) struct SettingsDocument {
    /// Every key, in the order of the file.
    items: Vec<SettingDocument>,
    /// What weakens security, in one plain sentence each.
    dangers: Vec<String>,
}

/// One key.
#[derive(Serialize, ToSchema)]
#[schema(as = Setting)]
pub(super) struct SettingDocument {
    /// Its table: `limits`, or `template desktop`.
    section: String,
    /// Its name.
    key: String,
    /// Its value as the file would have it (TOML), secrets as `(hidden)`.
    value: String,
    /// What the value counts: `s`, `d`, `MiB`, `%`.
    #[schema(required = true)]
    unit: Option<&'static str>,
    /// Where it comes from: `default`, `environment` or `file`.
    from: &'static str,
    /// The variable, or `path:line`.
    #[schema(required = true)]
    at: Option<String>,
    /// What it means.
    about: String,
    /// Whether it weakens security, set as it is.
    weakens: bool,
}

impl From<&Setting> for SettingDocument {
    fn from(setting: &Setting) -> Self {
        let (from, at) = match &setting.origin {
            Origin::Default => ("default", None),
            Origin::Environment { variable } => ("environment", Some(variable.clone())),
            Origin::File { at } => ("file", Some(at.clone())),
        };
        Self {
            section: setting.section.clone(),
            key: setting.key.clone(),
            value: setting.value.clone(),
            unit: setting.unit,
            from,
            at,
            about: setting.about(Language::English).to_owned(),
            weakens: setting.weakens,
        }
    }
}

/// Every key in force and where its value comes from.
#[utoipa::path(
    get, path = "/api/v1/settings", tag = "settings", operation_id = "read_settings",
    responses((status = 200, description = "All of them", body = SettingsDocument)),
)]
pub(super) async fn list(
    State(site): State<Site>,
    Administrator(_caller): Administrator,
) -> Result<Response<Body>, Failure> {
    let inventory = &site.0.inventory;
    let items = inventory.settings.iter().map(SettingDocument::from).collect();
    let dangers = inventory.dangers.iter().map(|danger| danger.said(Language::English)).collect();
    let document = SettingsDocument { items, dangers };
    Ok(json::read(&document))
}

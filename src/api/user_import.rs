//! `/api/v1/users/import`: a list of users, with a result per row. For administrators.

use axum::extract::State;
use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::gate::{Administrator, Query};
use super::{Failure, Site, json};
use crate::auth::import::{Planned, RowOutcome, RowResult, Tally, sheet};
use crate::body::Body;
use crate::language::Language;
use crate::people::{Passwords, Progress};

/// How a list is taken in.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct How {
    /// Only say what would become of each row.
    #[serde(default)]
    dry_run: bool,
}

/// What became of a list.
#[derive(Serialize, ToSchema)]
pub(super) struct ImportDocument {
    /// Whether nothing was changed.
    dry_run: bool,
    /// How many users were created.
    created: usize,
    /// How many were changed.
    changed: usize,
    /// How many were as their row says.
    exists: usize,
    /// How many rows were refused.
    refused: usize,
    /// Every row, in the order of the list.
    results: Vec<ResultDocument>,
}

/// What became of a row.
#[derive(Serialize, ToSchema)]
pub(super) struct ResultDocument {
    /// Its line in the list.
    line: u64,
    /// The user's name.
    name: String,
    /// `created`, `changed`, `exists` or `refused`.
    #[schema(pattern = "^(created|changed|exists|refused)$")]
    result: &'static str,
    /// What of an existing user changed: `disabled`, `limits`, `role`.
    changed: Vec<&'static str>,
    /// Why it was refused, for programs.
    #[schema(required = true)]
    code: Option<&'static str>,
    /// Why it was refused, for people.
    #[schema(required = true)]
    detail: Option<String>,
    /// The first password that was made. It is told this once.
    #[schema(required = true)]
    password: Option<String>,
}

/// Creates and changes users from a table with a header: `name`, `role`, `password`,
/// `password_hash`, `disabled`, `must_change`, `max_sessions`, `max_cpus`, `max_memory_mib`,
/// `templates`, in any order, with commas, semicolons or tabs. Passwords of existing users are never
/// changed.
#[utoipa::path(
    post, path = "/api/v1/users/import", tag = "users", operation_id = "import_users", params(How),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, description = "What became of each row", body = ImportDocument)),
)]
pub(super) async fn import(
    State(site): State<Site>,
    Administrator(caller): Administrator,
    Query(how): Query<How>,
    sent: Bytes,
) -> Result<Response<Body>, Failure> {
    let planned = site.auth().plan_import(sheet::read(&sent)?, Some(caller.known.user)).await?;
    if how.dry_run {
        let foreseen: Vec<RowResult> = planned.iter().map(Planned::foreseen).collect();
        return Ok(json::read(&shown(true, &foreseen, Vec::new())));
    }
    // It runs to its end even if whoever asked for it goes away.
    let import = site.0.imports.hold(caller.known.user, planned);
    import.begin(site.0.auth.clone(), caller.by(), &site.0.tasks);
    import.ended().await;
    match import.progress() {
        Progress::Ended { results, .. } => {
            let made = import.take_passwords().unwrap_or_default();
            Ok(json::read(&shown(false, &results, made)))
        }
        Progress::Shown | Progress::Running(_) => Err(Failure::not_found()),
    }
}

fn shown(dry_run: bool, results: &[RowResult], made: Passwords) -> ImportDocument {
    let Tally { created, changed, exists, refused } = Tally::of(results);
    // Both are in the order of the list.
    let mut made = made.into_iter().peekable();
    let row = |result: &RowResult| {
        let is_theirs = |(name, _): &(String, _)| *name == result.name;
        let is_new = matches!(result.outcome, RowOutcome::Created { .. });
        let password = made.next_if(|made| is_new && is_theirs(made));
        let (changed, flaw) = match &result.outcome {
            RowOutcome::Changed { fields } => (fields.iter().map(|field| field.name()).collect(), None),
            RowOutcome::Refused(flaw) => (Vec::new(), Some(flaw)),
            RowOutcome::Created { .. } | RowOutcome::Exists => (Vec::new(), None),
        };
        ResultDocument {
            line: result.line,
            name: result.name.clone(),
            result: result.outcome.name(),
            changed,
            code: flaw.map(|flaw| flaw.code()),
            detail: flaw.map(|flaw| flaw.sentence().said(Language::English)),
            password: password.map(|(_, password)| password.expose().clone()),
        }
    };
    ImportDocument { dry_run, created, changed, exists, refused, results: results.iter().map(row).collect() }
}

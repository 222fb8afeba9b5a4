//! `/api/v1/stats` and `/api/v1/capacity`: what the machine and its sessions use, and what there is room for.

use axum::extract::State;
use http::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::gate::{Administrator, Caller, Query};
use super::json::Items;
use super::{Failure, Site, json};
use crate::auth::policy::Verb;
use crate::body::Body;
use crate::capacity::Capacity;
use crate::stats::series::{Metric, Series};
use crate::stats::{HOST_METRICS, Host, SESSION_METRICS, Usage};
use crate::store::{Scope, StatSpan};

/// How far back to look.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Range {
    /// The last hour, in steps of `stats.every_s`.
    #[default]
    Hour,
    /// The last day, in steps of five minutes.
    Day,
    /// The last thirty days, in steps of two hours.
    Month,
}

impl From<Range> for StatSpan {
    fn from(range: Range) -> Self {
        match range {
            Range::Hour => Self::Hour,
            Range::Day => Self::Day,
            Range::Month => Self::Month,
        }
    }
}

/// Which statistics.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Ask {
    /// How far back.
    #[serde(default)]
    range: Range,
    /// The label of a session; without it the machines, for administrators.
    #[param(max_length = 63)]
    session: Option<String>,
}

/// One value over time.
#[derive(Serialize, ToSchema)]
#[schema(as = Series)]
pub(super) struct SeriesDocument {
    /// What it is.
    name: &'static str,
    /// What it is counted in.
    unit: &'static str,
    /// When the first step begins.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// The length of a step, in seconds.
    step_s: i64,
    /// One per step, oldest first; `null` where nothing was measured.
    values: Vec<Option<f32>>,
}

/// A machine, or a session, over time.
#[derive(Serialize, ToSchema)]
#[schema(as = Stats)]
pub(super) struct StatsDocument {
    /// The machine; absent for a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    /// The session's label; absent for a machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    /// How far back it goes.
    range: Range,
    /// What the session uses now; `null` while it does not run, and for a machine.
    #[schema(required = true)]
    usage: Option<Usage>,
    /// Each value.
    series: Vec<SeriesDocument>,
}

/// Statistics of the machines, for administrators, or of one session, for whoever may see it.
#[utoipa::path(
    get, path = "/api/v1/stats", tag = "statistics", operation_id = "read_stats", params(Ask),
    responses((status = 200, description = "One for each machine, or that of the session", body = Items<StatsDocument>)),
)]
pub(super) async fn show(
    State(site): State<Site>,
    caller: Caller,
    Query(ask): Query<Ask>,
) -> Result<Response<Body>, Failure> {
    let span = ask.range.into();
    let items = match &ask.session {
        Some(label) => {
            let entry = site.entry(&caller.known, caller.address, Verb::See, label).await?;
            let series = site.0.stats.session(entry.id, span);
            vec![StatsDocument {
                node: None,
                session: Some(entry.label.to_string()),
                range: ask.range,
                usage: site.0.stats.usage(entry.id),
                series: series.map(|series| documents(&series, &SESSION_METRICS)).unwrap_or_default(),
            }]
        }
        None => {
            caller.needs(Scope::Admin, &site).await?;
            let of = |host: &Host| StatsDocument {
                node: Some(host.node.0.clone()),
                session: None,
                range: ask.range,
                usage: None,
                series: documents(&host.series, &HOST_METRICS),
            };
            site.0.stats.hosts(span).iter().map(of).collect()
        }
    };
    Ok(json::read(&Items { items }))
}

fn documents<const N: usize>(series: &Series<N>, metrics: &[Metric; N]) -> Vec<SeriesDocument> {
    let document = |(nth, metric): (usize, &Metric)| SeriesDocument {
        name: metric.name,
        unit: metric.unit,
        from: Timestamp::from_second(series.from).unwrap_or_default(),
        step_s: series.step,
        values: series.rows.iter().map(|row| Some(row[nth]).filter(|value| value.is_finite())).collect(),
    };
    metrics.iter().enumerate().map(document).collect()
}

/// What there is room for.
#[derive(Serialize, ToSchema)]
#[schema(as = CapacityThen)]
pub(super) struct CapacityDocument {
    /// When the machine was looked at; `null` while it was not yet.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    sampled_at: Option<Timestamp>,
    /// What is left of each resource, and how many more of each template; `null` likewise.
    #[schema(required = true)]
    capacity: Option<Capacity>,
}

/// How many more sessions of each template there is room for, and what bounds them.
#[utoipa::path(
    get, path = "/api/v1/capacity", tag = "statistics", operation_id = "read_capacity",
    responses((status = 200, description = "As the machine was when it was looked at", body = CapacityDocument)),
)]
pub(super) async fn capacity(
    State(site): State<Site>,
    Administrator(_caller): Administrator,
) -> Result<Response<Body>, Failure> {
    let document = CapacityDocument {
        sampled_at: site.0.stats.machine().map(|(_, at)| at),
        capacity: site.0.stats.capacity(),
    };
    Ok(json::read(&document))
}

//! `GET /status`: what is running, for administrators. The first fields and `records` are those of
//! the kiosk orchestrator that Berth replaces; `records` has the sessions of its clients and no others.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use http::Response;
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::gate::Administrator;
use super::json::to_the_second;
use super::kiosk::container_name;
use super::session::SessionDocument;
use super::{Failure, Site, json, session};
use crate::body::Body;
use crate::broker::Entry;
use crate::clock;
use crate::session::{ClientId, State as SessionState, Upstream};

/// Whoever asks takes silence for a no.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is running.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Status)]
struct StatusDocument {
    /// Sessions that have a container or are about to.
    active_containers: usize,
    /// How many there may be.
    max_slots: usize,
    /// The sessions of clients that have one.
    records: Vec<Record>,
    /// The version of the gateway.
    version: &'static str,
    /// The version of the container engine; `null` while it does not answer.
    #[schema(required = true)]
    engine: Option<String>,
    /// Whether a probe has shown that sessions reach nothing they should not.
    isolation_proven: bool,
    /// How many sessions are in each state.
    states: BTreeMap<&'static str, usize>,
    /// All sessions, oldest first.
    sessions: Vec<SessionDocument>,
}

/// A client's session with a container, in the kiosk orchestrator's words.
#[derive(Debug, Serialize, ToSchema)]
struct Record {
    /// Whose session it is.
    #[schema(value_type = String)]
    client_id: ClientId,
    /// The engine's id.
    container_id: String,
    /// The engine's name.
    container_name: String,
    /// When the session was asked for.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When somebody last used it.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last_accessed_at: Option<Timestamp>,
}

/// What is running.
#[utoipa::path(
    get, path = "/status", tag = "status", operation_id = "read_status",
    responses((status = 200, description = "What is running", body = StatusDocument)),
)]
pub(super) async fn show(
    State(site): State<Site>,
    Administrator(caller): Administrator,
) -> Result<Response<Body>, Failure> {
    let broker = site.broker();
    let entries = broker.entries();
    let engine = timeout(PATIENCE, (site.0.engine)()).await.unwrap_or_default();
    Ok(json::read(&StatusDocument {
        active_containers: broker.occupied(),
        max_slots: broker.settings().max_sessions,
        records: entries.iter().filter_map(|entry| record(entry)).collect(),
        version: site.0.version,
        engine: engine.version,
        isolation_proven: engine.isolation_proven,
        states: broker.count_by_state().into_iter().map(|(kind, count)| (kind.name(), count)).collect(),
        sessions: entries.iter().map(|entry| session::document(&site, entry, caller.known.user)).collect(),
    }))
}

fn record(entry: &Entry) -> Option<Record> {
    let session = entry.session();
    let (client, upstream) = (session.client.clone()?, upstream(&session.state)?);
    Some(Record {
        client_id: client,
        container_id: upstream.container.clone(),
        container_name: container_name(entry),
        created_at: session.created_at,
        last_accessed_at: clock::earlier(clock::now(), entry.last_input().0).map(to_the_second),
    })
}

fn upstream(state: &SessionState) -> Option<&Upstream> {
    match state {
        SessionState::Ready { upstream } | SessionState::Paused { upstream } => Some(upstream),
        SessionState::Starting { .. }
        | SessionState::Stopping { .. }
        | SessionState::Stopped { .. }
        | SessionState::Failed { .. } => None,
    }
}

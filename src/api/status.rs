//! `GET /status`: what is running, for administrators. The first fields and `records` are those of
//! the kiosk orchestrator that Berth replaces.

use std::time::Duration;

use axum::extract::State;
use http::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::gate::Administrator;
use super::kiosk::container_name;
use super::{Failure, Site, json};
use crate::body::Body;
use crate::broker::Entry;
use crate::clock;
use crate::session::{ClientId, State as SessionState, Upstream};

/// Whoever asks takes silence for a no.
const PATIENCE: Duration = Duration::from_secs(3);

/// `GET /status`
pub(super) async fn show(
    State(site): State<Site>,
    Administrator(known): Administrator,
) -> Result<Response<Body>, Failure> {
    let broker = site.broker();
    let entries = broker.entries();
    let states: Value = broker
        .count_by_state()
        .into_iter()
        .map(|(kind, count)| (kind.name().to_owned(), json!(count)))
        .collect();
    let engine = timeout(PATIENCE, (site.0.engine)()).await.unwrap_or_default();
    Ok(json::document(
        StatusCode::OK,
        &json!({
            "active_containers": broker.occupied(),
            "max_slots": broker.settings().max_sessions,
            "records": entries.iter().filter_map(|entry| record(entry)).collect::<Vec<_>>(),
            "version": site.0.version,
            "engine": engine.version,
            "isolation_proven": engine.isolation_proven,
            "states": states,
            "sessions": entries.iter().map(|entry| json::session(&site, entry, known.user)).collect::<Vec<_>>(),
        }),
    ))
}

/// A session with a container, in the kiosk orchestrator's words.
fn record(entry: &Entry) -> Option<Value> {
    let session = entry.session();
    let upstream = upstream(&session.state)?;
    let last_accessed = clock::earlier(clock::now(), entry.last_input().0);
    Some(json!({
        "client_id": session.client.as_ref().map_or(session.name.as_str(), ClientId::as_str),
        "container_id": upstream.container,
        "container_name": container_name(entry),
        "created_at": session.created_at,
        "last_accessed_at": last_accessed,
    }))
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

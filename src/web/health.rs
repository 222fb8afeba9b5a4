//! For machines: whether the gateway lives, whether it may serve, and what it serves.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::gate::Known;
use super::{EngineCheck, EngineStatus, Failure, Site};
use crate::auth::policy;
use crate::body::Body;
use crate::broker::{Broker, Entry};
use crate::clock;
use crate::fault::Answer;
use crate::respond;
use crate::session::{State as SessionState, StateKind, Upstream};
use crate::store::Store;

/// A load balancer asks every few seconds and takes silence for a no.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long an answer to `/ready` holds.
const FRESH: Duration = Duration::from_secs(2);

/// `GET /health`: the process answers.
pub(super) async fn alive() -> Response<Body> {
    let mut response = respond::bare(StatusCode::OK, "ok".to_owned());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// The newest answer to whether this gateway may serve. Anyone may ask, and each look writes to the
/// store and asks the engine: so those who ask together share one look, and its answer holds a while.
#[derive(Default)]
pub(super) struct Readiness {
    /// When the newest look began, and that look. No `.await` happens under the lock.
    newest: Mutex<Option<(Instant, Look)>>,
}

type Look = Shared<BoxFuture<'static, Seen>>;

/// What a look found.
#[derive(Clone)]
struct Seen {
    store: &'static str,
    engine: EngineStatus,
}

impl Readiness {
    fn look(&self, state: &super::State) -> Look {
        let mut newest = self.newest.lock().expect("no code panics while it holds the look");
        if let Some((begun, look)) = newest.as_ref() {
            // One that was left half-way, because everyone who asked went away, is joined as well.
            let holds = if look.peek().is_some() { FRESH } else { PATIENCE };
            if begun.elapsed() < holds {
                return look.clone();
            }
        }
        let look = look(state.store.clone(), state.engine.clone()).boxed().shared();
        *newest = Some((Instant::now(), look.clone()));
        look
    }
}

async fn look(store: Arc<dyn Store>, engine: EngineCheck) -> Seen {
    let (store, engine) = tokio::join!(timeout(PATIENCE, store.check()), ask(&engine));
    let store = match store {
        Ok(Ok(())) => "ok",
        Ok(Err(error)) => error.code(),
        Err(_slow) => "slow",
    };
    Seen { store, engine }
}

/// `GET /ready`: it can save changes and run sessions, and sessions are shown to be isolated. A
/// gateway that drains says no at once, so that a load balancer sends nobody more.
pub(super) async fn ready(State(site): State<Site>) -> Response<Body> {
    if site.0.state.draining.is_cancelled() {
        return json_response(StatusCode::SERVICE_UNAVAILABLE, &json!({ "ready": false, "draining": true }));
    }
    let Seen { store, engine } = site.0.readiness.look(&site.0.state).await;
    let isolated = engine.isolation_proven || !engine.isolation_required;
    let ready = store == "ok" && engine.version.is_some() && isolated;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let engine_word = if engine.version.is_some() { "ok" } else { "down" };
    let isolation = if engine.isolation_proven { "proven" } else { "unproven" };
    let found = json!({
        "ready": ready, "draining": false, "store": store, "engine": engine_word, "isolation": isolation,
    });
    json_response(status, &found)
}

/// `GET /status`: what is running, for administrators. The first fields and `records` are those of
/// the kiosk orchestrator that Berth replaces.
pub(super) async fn status(State(site): State<Site>, Known(known): Known) -> Result<Response<Body>, Failure> {
    policy::administer(&known).map_err(|_denied| Failure::not_found())?;
    let broker = site.broker();
    let entries = broker.entries();
    let states: Value = broker
        .count_by_state()
        .into_iter()
        .map(|(kind, count)| (kind.name().to_owned(), json!(count)))
        .collect();
    let engine = ask(&site.0.state.engine).await;
    Ok(json_response(
        StatusCode::OK,
        &json!({
            "active_containers": broker.occupied(),
            "max_slots": broker.settings().max_sessions,
            "records": entries.iter().filter_map(|entry| record(entry)).collect::<Vec<_>>(),
            "version": site.settings().version,
            "engine": engine.version,
            "isolation_proven": engine.isolation_proven,
            "states": states,
            "sessions": entries.iter().map(|entry| session(&site, broker, entry)).collect::<Vec<_>>(),
        }),
    ))
}

async fn ask(engine: &EngineCheck) -> EngineStatus {
    timeout(PATIENCE, engine()).await.unwrap_or_default()
}

/// A session with a container, in the kiosk orchestrator's words.
fn record(entry: &Entry) -> Option<Value> {
    let session = entry.session();
    let upstream = upstream(&session.state)?;
    let last_accessed = clock::earlier(clock::now(), entry.last_input().0);
    Some(json!({
        "client_id": session.name.as_str(),
        "container_id": upstream.container,
        "container_name": format!("berth-{}", session.id),
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

/// A session as the API shows it.
fn session(site: &Site, broker: &Broker, entry: &Entry) -> Value {
    let session = entry.session();
    let expiry = broker.expiry(entry);
    let running = session.state.kind() == StateKind::Ready;
    let (input_ago, source) = entry.last_input();
    json!({
        "id": session.id,
        "label": session.label,
        "owner": session.owner_name,
        "template": session.template,
        "name": session.name,
        "state": session.state.kind(),
        "phase": broker.progress(entry).map(|progress| progress.phase),
        "reason": reason(&session.state),
        "reason_text": reason_text(&session.state),
        "created_at": session.created_at,
        "ready_at": session.ready_at,
        "last_input_at": if running { clock::earlier(clock::now(), input_ago) } else { session.last_input_at },
        "last_input_source": if running { Some(source) } else { session.last_input_source },
        "viewers": entry.viewers(),
        "expires_at": expiry.map(|expiry| clock::later(clock::now(), expiry.remaining)),
        "expires_because": expiry.map(|expiry| expiry.because.name()),
        "extendable": broker.is_extendable(entry),
        "url": format!("{}{}", site.origin(), site.address(entry)),
    })
}

/// Why it stopped or failed, as one stable name.
fn reason(state: &SessionState) -> Value {
    match state {
        SessionState::Stopped { reason } | SessionState::Stopping { reason, .. } => json!(reason.code()),
        SessionState::Failed { reason } => json!(reason.code()),
        SessionState::Starting { .. } | SessionState::Ready { .. } | SessionState::Paused { .. } => {
            Value::Null
        }
    }
}

/// The same as the sentence that people read.
fn reason_text(state: &SessionState) -> Option<&'static str> {
    match state {
        SessionState::Stopped { reason } | SessionState::Stopping { reason, .. } => Some(reason.sentence()),
        SessionState::Failed { reason } => Some(reason.sentence()),
        SessionState::Starting { .. } | SessionState::Ready { .. } | SessionState::Paused { .. } => None,
    }
}

fn json_response(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = respond::bare(status, value.to_string());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

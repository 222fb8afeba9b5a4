//! For machines: whether the gateway lives, and whether it may serve.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::Site;
use crate::body::Body;
use crate::engine::{EngineCheck, EngineStatus};
use crate::fault::Answer;
use crate::respond;
use crate::store::Store;

/// A load balancer asks every few seconds and takes silence for a no.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long an answer to `/ready` holds.
const FRESH: Duration = Duration::from_secs(2);

/// `GET /health`: the process answers, in the words of the kiosk orchestrator.
pub(super) async fn alive() -> Response<Body> {
    json_response(StatusCode::OK, &json!({ "status": "healthy" }))
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

async fn ask(engine: &EngineCheck) -> EngineStatus {
    timeout(PATIENCE, engine()).await.unwrap_or_default()
}

fn json_response(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = respond::bare(status, value.to_string());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

//! `/access`, `/remove` and `/remove-all`, as scripts of the kiosk orchestrator know them.
//!
//! That orchestrator asked nobody who they are. Here a `GET` changes something only for a program
//! with a bearer token, which no browser sends by itself; people get links (`berth link create`).
//! Answers have its words (`status`, `client_id`), errors its `error` beside the problem document.

use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::QueryRejection;
use http::header::{LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use thiserror::Error;

use super::gate::{Caller, Program};
use super::theirs::Kiosks as Failed;
use super::{Failure, Site, json};
use crate::auth::Visitor;
use crate::body::Body;
use crate::broker::Entry;
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::session::{ClientId, ClientIdError};

/// What `/access` and `/remove` are asked with. Other parameters are ignored, as that orchestrator did.
#[derive(Deserialize)]
pub(super) struct Ask {
    id: Option<String>,
}

/// Why nothing was done.
#[derive(Clone, Copy, Debug, Error)]
enum Refusal {
    #[error("the id is missing or no id: {0}")]
    Client(#[from] ClientIdError),
    #[error("only a GET does something here")]
    Method,
    #[error("there is no session of this client")]
    Unknown,
}

impl Answer for Refusal {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Client(_) => "client_id",
            Self::Method => "method",
            Self::Unknown => "client_unknown",
        }
    }

    fn sentence(&self) -> Sentence {
        match self {
            Self::Client(ClientIdError::Empty) => Sentence::of("problem-client-missing"),
            Self::Client(ClientIdError::Long) => Sentence::of("problem-client-long"),
            Self::Method => Sentence::of("problem-get-only"),
            Self::Unknown => Sentence::of("problem-client-unknown"),
        }
    }
}

type Asked = Result<Query<Ask>, QueryRejection>;

/// `GET /access?id=<client>`: makes or finds that client's session, and redirects to it with a
/// ticket that lets one browser in. Answers 303, whose document says the same.
pub(super) async fn access(
    State(site): State<Site>,
    program: Result<Program, Failure>,
    method: Method,
    headers: HeaderMap,
    asked: Asked,
) -> Result<Response<Body>, Failed> {
    let caller = caller(program, &method)?;
    let client = client(asked)?;
    let kiosk = &site.0.kiosk;
    let entry = kiosk.access(&client, &caller.by()).await?;
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let from = Visitor { address: caller.address, user_agent: agent.to_owned() };
    let ticket = kiosk.ticket(&entry, &from).await?;
    let url = format!("{}/enter/{}?ticket={}", site.0.origin, entry.label, ticket.expose());
    let mut response = json::document(
        StatusCode::SEE_OTHER,
        &json!({
            "status": "ok",
            "client_id": client,
            "url": url,
            "label": entry.label,
            "container_name": container_name(&entry),
            "state": entry.session().state.kind(),
            "created_at": entry.session().created_at,
        }),
    );
    let location = HeaderValue::from_str(&url).map_err(|_| Failure::not_found())?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// `GET /remove?id=<client>`
pub(super) async fn remove(
    State(site): State<Site>,
    program: Result<Program, Failure>,
    method: Method,
    asked: Asked,
) -> Result<Response<Body>, Failed> {
    let by = caller(program, &method)?.by();
    let client = client(asked)?;
    if !site.0.kiosk.remove(&client, &by).await? {
        return Err(Refusal::Unknown.into());
    }
    Ok(json::document(StatusCode::OK, &json!({ "status": "removed", "client_id": client, "removed": 1 })))
}

/// `GET /remove-all`: the sessions of clients; nobody else's.
pub(super) async fn remove_all(
    State(site): State<Site>,
    program: Result<Program, Failure>,
    method: Method,
) -> Result<Response<Body>, Failed> {
    let by = caller(program, &method)?.by();
    let removed = site.0.kiosk.remove_all(&by).await?;
    Ok(json::document(StatusCode::OK, &json!({ "status": "removed", "removed": removed })))
}

/// Who asks. A `HEAD` is somebody's look, not a wish.
fn caller(program: Result<Program, Failure>, method: &Method) -> Result<Caller, Failed> {
    let Program(caller) = program?;
    if method != Method::GET {
        return Err(Refusal::Method.into());
    }
    Ok(caller)
}

fn client(asked: Asked) -> Result<ClientId, Refusal> {
    let id = asked.ok().and_then(|Query(ask)| ask.id).unwrap_or_default();
    Ok(id.parse()?)
}

/// The container as the engine calls it.
pub(super) fn container_name(entry: &Entry) -> String {
    format!("berth-{}", entry.id)
}

//! `/access`, `/remove` and `/remove-all`, as scripts of the kiosk orchestrator know them.
//!
//! That orchestrator asked nobody who they are. Here a `GET` changes something only for a program
//! with a bearer token, which no browser sends by itself; people get links (`berth link create`).
//! Answers have its words (`status`, `client_id`); [`super::theirs`] puts its `error` into the errors.

use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::QueryRejection;
use http::header::{LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::{IntoParams, ToSchema};

use super::gate::{Caller, Program};
use super::{Failure, Site, json};
use crate::auth::Visitor;
use crate::body::Body;
use crate::broker::Entry;
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::session::{ClientId, ClientIdError, Label, StateKind};

/// What `/access` and `/remove` are asked with. Other parameters are ignored, as that orchestrator did.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Ask {
    /// Which client: any text of up to 2048 bytes.
    #[param(value_type = String, required = true, min_length = 1, max_length = 2048)]
    id: Option<String>,
}

/// A client's session, and the way into it.
#[derive(Serialize, ToSchema)]
pub(super) struct Accessed {
    /// Always `ok`.
    status: &'static str,
    /// Whose session it is.
    #[schema(value_type = String)]
    client_id: ClientId,
    /// The address that lets one browser in, once and within two minutes.
    #[schema(format = "uri")]
    url: String,
    /// The session's label.
    #[schema(value_type = String)]
    label: Label,
    /// The container as the engine calls it.
    container_name: String,
    /// Where the session is in its life.
    state: StateKind,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A client's session was removed.
#[derive(Serialize, ToSchema)]
pub(super) struct RemovedClient {
    /// Always `removed`.
    status: &'static str,
    /// Whose session it was.
    #[schema(value_type = String)]
    client_id: ClientId,
    /// How many sessions: one.
    removed: usize,
}

/// The sessions of all clients were removed.
#[derive(Serialize, ToSchema)]
pub(super) struct RemovedClients {
    /// Always `removed`.
    status: &'static str,
    /// How many sessions.
    removed: usize,
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

/// Makes or finds a client's session, and redirects to it with a ticket that lets one browser in. The
/// document says the same. For programs; refusals have `error` in them.
#[utoipa::path(
    get, path = "/access", tag = "compat", operation_id = "access_client", params(Ask),
    responses((
        status = 303, description = "Where the session opens", body = Accessed,
        headers(("Location" = String, description = "The document's `url`")),
    )),
)]
pub(super) async fn access(
    State(site): State<Site>,
    program: Result<Program, Failure>,
    method: Method,
    headers: HeaderMap,
    asked: Asked,
) -> Result<Response<Body>, Failure> {
    let caller = caller(program, &method)?;
    let client = client(asked)?;
    let kiosk = &site.0.kiosk;
    let entry = kiosk.access(&client, &caller.by()).await?;
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let from = Visitor { address: caller.address, user_agent: agent.to_owned() };
    let ticket = kiosk.ticket(&entry, &from).await?;
    let url = format!("{}/enter/{}?ticket={}", site.0.origin, entry.label, ticket.expose());
    let location = HeaderValue::from_str(&url).map_err(|_| Failure::not_found())?;
    let (state, created_at) = (entry.session().state.kind(), entry.session().created_at);
    let accessed = Accessed {
        status: "ok",
        client_id: client,
        url,
        label: entry.label.clone(),
        container_name: container_name(&entry),
        state,
        created_at,
    };
    let mut response = json::document(StatusCode::SEE_OTHER, &accessed);
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// Removes a client's session. For programs; refusals have `error` in them.
#[utoipa::path(
    get, path = "/remove", tag = "compat", operation_id = "remove_client", params(Ask),
    responses((status = 200, description = "It is gone, or will be soon", body = RemovedClient)),
)]
pub(super) async fn remove(
    State(site): State<Site>,
    program: Result<Program, Failure>,
    method: Method,
    asked: Asked,
) -> Result<Response<Body>, Failure> {
    let by = caller(program, &method)?.by();
    let client = client(asked)?;
    if !site.0.kiosk.remove(&client, &by).await? {
        return Err(Refusal::Unknown.into());
    }
    let removed = RemovedClient { status: "removed", client_id: client, removed: 1 };
    Ok(json::document(StatusCode::OK, &removed))
}

/// Removes the sessions of all clients, and nobody else's. For programs; refusals have `error` in them.
#[utoipa::path(
    get, path = "/remove-all", tag = "compat", operation_id = "remove_clients",
    responses((status = 200, description = "They are gone, or will be soon", body = RemovedClients)),
)]
pub(super) async fn remove_all(
    State(site): State<Site>,
    program: Result<Program, Failure>,
    method: Method,
) -> Result<Response<Body>, Failure> {
    let by = caller(program, &method)?.by();
    let removed = site.0.kiosk.remove_all(&by).await?;
    Ok(json::document(StatusCode::OK, &RemovedClients { status: "removed", removed }))
}

/// Who asks. A `HEAD` is somebody's look, not a wish.
fn caller(program: Result<Program, Failure>, method: &Method) -> Result<Caller, Failure> {
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

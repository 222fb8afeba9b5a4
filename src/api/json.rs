//! Sessions as documents.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Site;
use crate::body::Body;
use crate::broker::{Entry, HomeView};
use crate::clock;
use crate::respond;
use crate::session::{Grant, GrantId, GrantRole, State, StateKind, UserId};

/// A session as the API shows it. Names and fields are stable; new ones may be added.
pub(super) fn session(site: &Site, entry: &Entry, reader: UserId) -> Value {
    let session = entry.session();
    let broker = site.broker();
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
        "viewers": entry.seen_by(reader),
        "input_seen": entry.input_seen(),
        "expires_at": expiry.map(|expiry| clock::later(clock::now(), expiry.remaining)),
        "expires_because": expiry.map(|expiry| expiry.because.name()),
        "update_ready": entry.update_ready(),
        "extendable": broker.is_extendable(entry),
        "usage": site.0.stats.usage(entry.id),
        "home": broker.home(entry).map(home),
        "url": format!("{}{}", site.0.origin, entry.address(site.0.routing)),
    })
}

/// A session's home; what is not known yet is `null`.
fn home(home: HomeView) -> Value {
    json!({
        "kind": home.kind,
        "used_bytes": home.usage.map(|usage| usage.used_bytes),
        "limit_bytes": home.usage.and_then(|usage| usage.limit_bytes),
        "level": home.usage.map(|_| home.level),
        "measured_at": home.measured_at,
    })
}

/// A whole list in one answer.
#[derive(Serialize, ToSchema)]
pub(super) struct Items<T> {
    /// All of them.
    pub(super) items: Vec<T>,
}

/// The right of one user to open somebody else's session.
#[derive(Serialize, ToSchema)]
pub(super) struct GrantDocument {
    /// Opaque identity.
    #[schema(value_type = String)]
    id: GrantId,
    /// Who has it.
    user: String,
    /// What they may do: `helper` uses the session, `observer` watches.
    #[schema(value_type = String)]
    role: GrantRole,
    /// Who gave it.
    granted_by: String,
    /// Since when it is in force.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it lapses; `null` is until it is withdrawn.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// A grant as the API shows it.
pub(super) fn grant(grant: &Grant) -> GrantDocument {
    GrantDocument {
        id: grant.id,
        user: grant.grantee_name.clone(),
        role: grant.role,
        granted_by: grant.granted_by.clone(),
        created_at: grant.created_at,
        expires_at: grant.expires_at,
    }
}

/// Why it stopped or failed, as one stable name.
fn reason(state: &State) -> Option<&'static str> {
    match state {
        State::Stopped { reason } | State::Stopping { reason, .. } => Some(reason.code()),
        State::Failed { reason } => Some(reason.code()),
        State::Starting { .. } | State::Ready { .. } | State::Paused { .. } => None,
    }
}

/// The same as the sentence that people read.
fn reason_text(state: &State) -> Option<&'static str> {
    match state {
        State::Stopped { reason } | State::Stopping { reason, .. } => Some(reason.sentence()),
        State::Failed { reason } => Some(reason.sentence()),
        State::Starting { .. } | State::Ready { .. } | State::Paused { .. } => None,
    }
}

/// A document; what it says is true for this reader and this moment only.
pub(super) fn document(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let text = serde_json::to_string(value).expect("documents are made of texts and numbers");
    let mut response = respond::bare(status, text);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

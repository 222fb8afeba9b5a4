//! A session as a document.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Site;
use super::json::to_the_second;
use crate::broker::{Entry, HomeView, Seen};
use crate::clock;
use crate::session::reap::Policy;
use crate::session::{
    Home, HomeLevel, InputSource, Label, Phase, SessionId, SessionName, State, StateKind, Template,
    TemplateName, UserId, ViewerRole,
};
use crate::stats::Usage;

/// A session. Names and fields are stable; new ones may be added.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionDocument {
    /// Opaque identity.
    #[schema(value_type = String)]
    id: SessionId,
    /// Its name in addresses.
    #[schema(value_type = String, examples("k3vq8ttwxz2b"))]
    pub(super) label: Label,
    /// The user name of its owner.
    owner: String,
    /// What the reader may open it as; `null` if they only look after it.
    #[schema(required = true)]
    role: Option<ViewerRole>,
    /// What it is made from.
    #[schema(value_type = String, examples("desktop"))]
    template: TemplateName,
    /// What its owner calls it.
    #[schema(value_type = String)]
    name: SessionName,
    /// Where it is in its life.
    state: StateKind,
    /// How far a start is.
    #[schema(required = true)]
    phase: Option<Phase>,
    /// Why it stopped or failed: a stable code.
    #[schema(required = true)]
    reason: Option<&'static str>,
    /// The same as the sentence that people read.
    #[schema(required = true)]
    reason_text: Option<&'static str>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last became reachable.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    ready_at: Option<Timestamp>,
    /// When a human last gave input.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    last_input_at: Option<Timestamp>,
    /// What that input was.
    #[schema(required = true)]
    last_input_source: Option<InputSource>,
    /// Who is attached right now.
    viewers: Vec<ViewerDocument>,
    /// Whether the gateway understands what everybody who is attached sends.
    input_seen: bool,
    /// When a limit ends it.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    expires_at: Option<Timestamp>,
    /// Which limit: `away`, `no_viewer`, `busy`, `total`, `closing_time`, `frozen` or `kept`.
    #[schema(required = true)]
    expires_because: Option<&'static str>,
    /// Whether more time may be asked for.
    extendable: bool,
    /// Whether its image has a successor, which comes with the next start.
    update_ready: bool,
    /// Its home, if it has one.
    #[schema(required = true)]
    home: Option<HomeDocument>,
    /// The address that opens it.
    #[schema(format = "uri")]
    url: String,
    /// What it may use, and how long; `null` when its template is no longer configured.
    #[schema(required = true)]
    limits: Option<LimitsDocument>,
    /// What it uses; `null` while nothing is known.
    #[schema(required = true)]
    usage: Option<Usage>,
}

/// Somebody attached to a session.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Viewer)]
struct ViewerDocument {
    /// Their user name.
    name: String,
    /// What they may do.
    role: ViewerRole,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Whether they are the reader.
    you: bool,
    /// Whether the gateway still understands what they send.
    input_seen: bool,
}

/// A session's home; what is not known yet is `null`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = HomeOfSession)]
struct HomeDocument {
    /// What becomes of its files.
    kind: Home,
    /// What they take on the disk.
    #[schema(required = true)]
    used_bytes: Option<u64>,
    /// What they may take.
    #[schema(required = true)]
    limit_bytes: Option<u64>,
    /// How urgent it is to make room.
    #[schema(required = true)]
    level: Option<HomeLevel>,
    /// When it was last looked at.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    measured_at: Option<Timestamp>,
}

/// What a session may use, and how long it lasts; `null` is no limit.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SessionLimits)]
struct LimitsDocument {
    /// Processor cores.
    cpus: f64,
    /// Memory in MiB.
    memory_mib: u64,
    /// Processes and threads.
    pids: u32,
    /// Seconds without human input until it is frozen.
    away_s: u64,
    /// Seconds without a viewer until it is frozen.
    #[schema(required = true)]
    no_viewer_s: Option<u64>,
    /// Seconds frozen until it is stopped.
    frozen_s: u64,
    /// Seconds it may be reachable in all.
    #[schema(required = true)]
    total_s: Option<u64>,
    /// Seconds stopped until it is removed.
    remove_stopped_s: u64,
}

/// A session as `reader` is told of it.
pub(super) fn document(site: &Site, entry: &Entry, reader: UserId) -> SessionDocument {
    let session = entry.session();
    let broker = site.broker();
    let expiry = broker.expiry(entry);
    let running = session.state.kind() == StateKind::Ready;
    let (input_ago, source) = entry.last_input();
    let last_input_at = if running {
        clock::earlier(clock::now(), input_ago).map(to_the_second)
    } else {
        session.last_input_at
    };
    let policy = broker.settings().reap;
    SessionDocument {
        id: session.id,
        label: session.label.clone(),
        owner: session.owner_name.clone(),
        role: entry.role_of(reader),
        template: session.template.clone(),
        name: session.name.clone(),
        state: session.state.kind(),
        phase: broker.progress(entry).map(|progress| progress.phase),
        reason: reason(&session.state),
        reason_text: reason_text(&session.state),
        created_at: session.created_at,
        ready_at: session.ready_at,
        last_input_at,
        last_input_source: if running { Some(source) } else { session.last_input_source },
        viewers: entry.seen_by(reader).into_iter().map(ViewerDocument::from).collect(),
        input_seen: entry.input_seen(),
        expires_at: expiry.map(|expiry| to_the_second(clock::later(clock::now(), expiry.remaining))),
        expires_because: expiry.map(|expiry| expiry.because.name()),
        extendable: broker.is_extendable(entry),
        update_ready: entry.update_ready(),
        home: broker.home(entry).map(HomeDocument::from),
        url: format!("{}{}", site.0.origin, entry.address(site.0.routing)),
        limits: entry.template.as_ref().map(|template| limits(template, policy)),
        usage: site.0.stats.usage(entry.id),
    }
}

impl From<Seen> for ViewerDocument {
    fn from(seen: Seen) -> Self {
        let Seen { name, role, since, you, input_seen } = seen;
        Self { name, role, since, you, input_seen }
    }
}

impl From<HomeView> for HomeDocument {
    fn from(home: HomeView) -> Self {
        Self {
            kind: home.kind,
            used_bytes: home.usage.map(|usage| usage.used_bytes),
            limit_bytes: home.usage.and_then(|usage| usage.limit_bytes),
            level: home.usage.map(|_| home.level),
            measured_at: home.measured_at,
        }
    }
}

fn limits(template: &Template, policy: Policy) -> LimitsDocument {
    let policy = policy.with(&template.limits);
    LimitsDocument {
        cpus: template.cpus,
        memory_mib: template.memory_mib,
        pids: template.pids,
        away_s: policy.away.as_secs(),
        no_viewer_s: policy.no_viewer.map(|limit| limit.as_secs()),
        frozen_s: policy.frozen.as_secs(),
        total_s: policy.total.map(|limit| limit.as_secs()),
        remove_stopped_s: policy.remove_stopped.as_secs(),
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

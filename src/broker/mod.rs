//! The broker: the only code that changes a session.
//!
//! Edges ask it to create, acquire, stop; the reaper and the reconciler are its own clocks.
//! It knows no HTTP. Every change is one [`Event`](crate::session::Event) applied to the pure state machine, stored by
//! compare-and-set, published to watchers, and followed by the returned [`Action`](crate::session::Action).

mod allowance;
mod apply;
mod change;
mod changes;
mod copies;
mod entry;
mod error;
mod extend;
mod grants;
mod herald;
mod home_list;
mod homes;
mod images;
mod invitations;
mod load;
mod measure;
mod pull_error;
mod queue;
pub mod readiness;
mod reaper;
mod reconcile;
mod record;
mod refusal;
mod restored;
mod start;
mod stop;
#[cfg(test)]
mod tests;
mod viewers;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use dashmap::DashMap;
use indexmap::IndexMap;
use tokio::sync::Notify;

pub use self::change::Wish;
use self::changes::Changes;
pub use self::entry::{Entry, Hold, Route};
pub use self::error::BrokerError;
pub use self::grants::{LiveGrant, Share, ShareError};
use self::herald::Herald;
pub use self::home_list::{HomeListed, KnownHome};
pub use self::homes::HomeSettings;
use self::homes::Homes;
use self::images::Images;
pub use self::images::{Installed, Pull};
pub use self::invitations::{InvitationError, Invite, LONGEST_INVITATION, MadeInvitation, Offer};
pub use self::measure::{HomeView, Measured};
pub use self::pull_error::PullError;
pub use self::queue::Place;
use self::queue::Queue;
pub use self::viewers::{Attendee, Seen, ViewerGuard, Watching};
use crate::audit::{Audit, Quiet};
use crate::clock;
use crate::engine::Engine;
use crate::session::reap::{Expiry, Policy, expiry};
use crate::session::{
    ClientId, ClosingTime, Label, Phase, Session, SessionId, State, StateKind, Template, TemplateName, UserId,
};
use crate::store::Store;
use crate::tasks::Tasks;

/// Bounds of the broker: `[limits]` of the configuration, and `engine.reconcile_s`.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Most sessions that occupy the engine at once. Default 100.
    pub max_sessions: usize,
    /// Most sessions one owner may have, in any state. Default 3. A user's own limits win over this
    /// and the next two.
    pub max_sessions_per_user: usize,
    /// Most CPU cores of all running sessions of one owner. Default none.
    pub cpus_per_user: Option<f64>,
    /// Most memory of all running sessions of one owner, in MiB. Default none.
    pub memory_mib_per_user: Option<u64>,
    /// Most starts at once; others queue. Default 4.
    pub max_parallel_starts: usize,
    /// Bound of each phase after the queue. Default 60 s.
    pub start_deadline: Duration,
    /// Bound of the queue. Default 10 min.
    pub queue_deadline: Duration,
    /// Time between SIGTERM and SIGKILL. Default 10 s.
    pub stop_grace: Duration,
    /// When sessions lapse, unless their template has limits of its own.
    pub reap: Policy,
    /// The time of day at which everybody's sessions stop. Default none.
    pub closing: Option<ClosingTime>,
    /// The time zone of closing times and sessions by its IANA name; empty, the default, is the machine's.
    pub time_zone: String,
    /// Time between two reconciliations. Default 15 s.
    pub reconcile_every: Duration,
    /// How homes are watched and copied.
    pub homes: HomeSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_sessions: 100,
            max_sessions_per_user: 3,
            cpus_per_user: None,
            memory_mib_per_user: None,
            max_parallel_starts: 4,
            start_deadline: Duration::from_mins(1),
            queue_deadline: Duration::from_mins(10),
            stop_grace: Duration::from_secs(10),
            reap: Policy::default(),
            closing: None,
            time_zone: String::new(),
            reconcile_every: Duration::from_secs(15),
            homes: HomeSettings::default(),
        }
    }
}

/// A change that followers of the event stream hear of.
#[derive(Clone, Debug)]
pub enum Change {
    /// The session is new or its record changed.
    Changed(Arc<Session>),
    /// The session is gone.
    Removed(Arc<Session>),
    /// An image came, went, or is being fetched.
    Images,
}

/// What an attempt to use a session led to.
#[derive(Debug)]
pub enum Acquired {
    /// It is reachable.
    Ready(Hold),
    /// It is on its way; watch the entry.
    Pending,
    /// It is not running and was not asked to: stopped, frozen or failed.
    AtRest,
}

/// Whether using a session may wake it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Intent {
    /// A person opens it: start or resume it if need be.
    Open,
    /// A page's own request or socket: use it only if it is reachable.
    Use,
}

/// How far a start is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Progress {
    /// What it waits for.
    pub phase: Phase,
    /// Since the start was asked for.
    pub elapsed: Duration,
    /// Its place in the queue while it is queued.
    pub place: Option<Place>,
}

/// The one service that changes sessions. Clones are the same broker.
#[derive(Clone)]
pub struct Broker(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    engine: Arc<dyn Engine>,
    audit: Audit,
    templates: IndexMap<TemplateName, Arc<Template>>,
    settings: Settings,
    tasks: Tasks,
    by_label: DashMap<Label, Arc<Entry>>,
    by_id: DashMap<SessionId, Arc<Entry>>,
    queue: Queue,
    homes: Homes,
    /// Held while a session is counted and recorded or its start is, so that two requests cannot
    /// share one place.
    creating: tokio::sync::Mutex<()>,
    changes: Changes,
    /// What entries tell the world by.
    herald: Arc<Herald>,
    /// Wakes the clock of lapses when a grant is new.
    grants_changed: Notify,
    /// Whether the store still has to remove grants that lapsed.
    grants_owed: AtomicBool,
    images: Images,
    /// Whether the store was put back from a backup and not compared with the engine since.
    restored: AtomicBool,
    /// Starts that became reachable, and starts that failed.
    starts: [AtomicU64; 2],
    /// Which refusals the audit has heard of lately.
    refusals: Quiet<refusal::Told>,
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").field("sessions", &self.0.by_id.len()).finish_non_exhaustive()
    }
}

impl Broker {
    /// A broker without sessions; call [`Broker::recover`] before the listener opens.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        engine: Arc<dyn Engine>,
        audit: Audit,
        templates: impl IntoIterator<Item = Template>,
        settings: Settings,
        tasks: Tasks,
    ) -> Self {
        let templates = templates.into_iter().map(|t| (t.name.clone(), Arc::new(t))).collect();
        let queue = Queue::new(settings.max_parallel_starts);
        let changes = Changes::new();
        let herald =
            Arc::new(Herald { changes: changes.clone(), audit: audit.clone(), tasks: tasks.clone() });
        Self(Arc::new(Inner {
            store,
            engine,
            audit,
            templates,
            settings,
            tasks,
            by_label: DashMap::new(),
            by_id: DashMap::new(),
            queue,
            homes: Homes::default(),
            creating: tokio::sync::Mutex::new(()),
            changes,
            herald,
            grants_changed: Notify::new(),
            // Grants may have lapsed while no gateway ran.
            grants_owed: AtomicBool::new(true),
            images: Images::default(),
            restored: AtomicBool::new(false),
            starts: Default::default(),
            refusals: Quiet::default(),
        }))
    }

    // --- looking ---------------------------------------------------------------------------

    /// The session behind a label. No allocation, no store.
    #[must_use]
    pub fn find(&self, label: &str) -> Option<Arc<Entry>> {
        self.0.by_label.get(label).map(|entry| entry.clone())
    }

    /// The session of this id.
    #[must_use]
    pub fn entry(&self, id: SessionId) -> Option<Arc<Entry>> {
        self.0.by_id.get(&id).map(|entry| entry.clone())
    }

    /// Every session, oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<Arc<Entry>> {
        let mut entries: Vec<_> = self.0.by_id.iter().map(|entry| entry.clone()).collect();
        entries.sort_by_key(|entry| (entry.session().created_at, entry.id));
        entries
    }

    /// The sessions of one owner, oldest first.
    #[must_use]
    pub fn entries_of(&self, owner: UserId) -> Vec<Arc<Entry>> {
        let mut entries = self.entries();
        entries.retain(|entry| entry.owner == owner);
        entries
    }

    /// The session that a kiosk orchestrator's scripts call so.
    #[must_use]
    pub fn client(&self, client: &ClientId) -> Option<Arc<Entry>> {
        let of = |entry: &Arc<Entry>| entry.session().client.as_ref() == Some(client);
        self.0.by_id.iter().map(|entry| entry.clone()).find(of)
    }

    /// The sessions of all clients, oldest first.
    #[must_use]
    pub fn clients(&self) -> Vec<Arc<Entry>> {
        let mut entries = self.entries();
        entries.retain(|entry| entry.session().client.is_some());
        entries
    }

    /// The configured templates by name, in the order in which they are offered: that of the
    /// configuration.
    #[must_use]
    pub fn templates(&self) -> &IndexMap<TemplateName, Arc<Template>> {
        &self.0.templates
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// How far the start of a session is; `None` if it is not starting.
    #[must_use]
    pub fn progress(&self, entry: &Entry) -> Option<Progress> {
        let session = entry.session();
        let State::Starting { phase, .. } = session.state else { return None };
        Some(Progress {
            phase,
            elapsed: clock::since(session.state_since),
            place: self.0.queue.place(entry.id),
        })
    }

    /// Which limit will end the session, and when.
    #[must_use]
    pub fn expiry(&self, entry: &Entry) -> Option<Expiry> {
        expiry(&entry.facts(), &entry.policy)
    }

    /// How many sessions occupy the engine.
    #[must_use]
    pub fn occupied(&self) -> usize {
        self.0.by_id.iter().filter(|entry| entry.session().state.occupies()).count()
    }

    /// How many starts became reachable and how many failed since this process began.
    #[must_use]
    pub fn tally(&self) -> (u64, u64) {
        let [reached, failed] = &self.0.starts;
        (reached.load(Ordering::Relaxed), failed.load(Ordering::Relaxed))
    }

    /// How many starts wait in line.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.0.queue.waiting()
    }

    /// How many reachable sessions had their last human input less than a minute, ten minutes, an
    /// hour and a day ago, and longer ago.
    #[must_use]
    pub fn count_by_idle(&self) -> [(&'static str, usize); 5] {
        const BOUNDS: [(&str, Duration); 4] = [
            ("1m", Duration::from_mins(1)),
            ("10m", Duration::from_mins(10)),
            ("1h", Duration::from_hours(1)),
            ("1d", Duration::from_hours(24)),
        ];
        let mut counts = [("1m", 0), ("10m", 0), ("1h", 0), ("1d", 0), ("more", 0)];
        for entry in &self.0.by_id {
            if entry.session().state.kind() == StateKind::Ready {
                let idle = entry.last_input().0;
                let bucket = BOUNDS.iter().position(|(_, bound)| idle < *bound).unwrap_or(BOUNDS.len());
                counts[bucket].1 += 1;
            }
        }
        counts
    }

    /// How many sessions are in each state.
    #[must_use]
    pub fn count_by_state(&self) -> BTreeMap<StateKind, usize> {
        let mut counts: BTreeMap<_, _> = StateKind::ALL.into_iter().map(|kind| (kind, 0)).collect();
        for entry in &self.0.by_id {
            *counts.entry(entry.session().state.kind()).or_default() += 1;
        }
        counts
    }
}

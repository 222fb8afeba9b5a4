//! One session in memory: its record, its route, and who is using it.

use std::sync::Arc;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use super::grants::LiveGrant;
use super::herald::Herald;
use super::load::{Load, Rhythm};
use super::viewers::Viewers;
use crate::audit::Actor;
use crate::clock;
use crate::revocation::{CloseReason, Revocation};
use crate::session::reap::{Facts, Policy};
use crate::session::{
    InputSource, Label, Next, Routing, Session, SessionId, State, StateKind, StopReason, Template, Upstream,
    UserId,
};

/// A session in memory. Shared by the routing table, open connections and background work.
#[derive(Debug)]
pub struct Entry {
    /// Opaque identity.
    pub id: SessionId,
    /// Name in URLs.
    pub label: Label,
    /// Who owns it.
    pub owner: UserId,
    /// What it is made from; `None` when the template is no longer configured.
    pub template: Option<Arc<Template>>,
    /// The record as stored; watchers are told of every change.
    record: watch::Sender<Arc<Session>>,
    /// Present exactly while bytes may flow.
    route: ArcSwapOption<Route>,
    /// Held for the whole of a start, stop, pause or resume: one engine operation at a time.
    pub(super) work: Mutex<()>,
    /// Held while one event is applied and stored; never across an engine call.
    pub(super) turn: Mutex<()>,
    /// When it entered its state, on the monotonic clock. No `.await` happens under this lock.
    entered: StdMutex<Instant>,
    activity: Activity,
    /// Who is attached right now.
    pub(super) viewers: Viewers,
    /// Who else may open it; see [`super::grants`].
    pub(super) grants: ArcSwap<Vec<Arc<LiveGrant>>>,
    /// Held while its grants change, across store calls: one change at a time.
    pub(super) sharing: Mutex<()>,
    pub(super) herald: Arc<Herald>,
    /// When it lapses.
    pub(super) policy: Policy,
    /// How hard its container works, while that matters. No `.await` happens under this lock.
    pub(super) load: StdMutex<Load>,
    /// Who wanted the stop that is under way or was the last. No `.await` happens under this lock.
    stoppers: StdMutex<Stoppers>,
    /// The id of the image its container was made from; `None` while it has no known container.
    image: ArcSwapOption<String>,
    /// Whether that image has a successor on the machine.
    outdated: AtomicBool,
}

/// Where the bytes of a reachable session go, until the route is closed.
#[derive(Debug)]
pub struct Route {
    /// The container's port.
    pub upstream: Upstream,
    /// Ends when the session leaves `Ready`; every open socket waits for it.
    pub revocation: Revocation,
}

/// Who wanted a stop.
#[derive(Debug, Default)]
struct Stoppers {
    /// Who asked for it.
    ender: Option<Actor>,
    /// Who asked for what follows it.
    starter: Option<Actor>,
    /// Whether it rested already: a reset from rest stops nothing.
    rested: bool,
}

/// What people do with a session, counted without locks.
#[derive(Debug)]
struct Activity {
    /// Start of this entry's monotonic count.
    origin: Instant,
    /// Milliseconds from `origin` to the last human input.
    input_ms: AtomicU64,
    /// Milliseconds from `origin` to the moment from which the away limit counts if there was no
    /// input since: a restart of the gateway.
    spared_ms: AtomicU64,
    /// Milliseconds from `origin` to the end of the last viewer.
    viewer_left_ms: AtomicU64,
    /// Milliseconds from `origin` to the moment it became reachable.
    ready_ms: AtomicU64,
    /// The last input's source, as an index into [`SOURCES`].
    source: AtomicU8,
}

const SOURCES: [InputSource; 6] = [
    InputSource::Open,
    InputSource::Key,
    InputSource::Pointer,
    InputSource::Clipboard,
    InputSource::Request,
    InputSource::Extend,
];

impl Entry {
    pub(super) fn new(
        session: Session,
        template: Option<Arc<Template>>,
        policy: Policy,
        herald: Arc<Herald>,
    ) -> Self {
        let now = Instant::now();
        let back = |elapsed: Duration| now.checked_sub(elapsed).unwrap_or(now);
        let in_state = clock::since(session.state_since);
        // The total limit counts from when it became reachable, across restarts of the gateway.
        let origin = back(session.ready_at.map(clock::since).unwrap_or_default());
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let now_ms = ms(origin.elapsed());
        // What was stored: the last input is known to the minute.
        let input_ms = session.last_input_at.map_or(0, |at| now_ms.saturating_sub(ms(clock::since(at))));
        let source = session.last_input_source.unwrap_or(InputSource::Open);
        let policy = template.as_ref().map_or(policy, |template| policy.with(&template.limits));
        Self {
            id: session.id,
            label: session.label.clone(),
            owner: session.owner,
            template,
            route: ArcSwapOption::empty(),
            work: Mutex::new(()),
            turn: Mutex::new(()),
            entered: StdMutex::new(back(in_state)),
            activity: Activity {
                origin,
                input_ms: AtomicU64::new(input_ms),
                // Somebody may have come back while no gateway saw it: the limits begin afresh.
                spared_ms: AtomicU64::new(now_ms),
                viewer_left_ms: AtomicU64::new(now_ms),
                ready_ms: AtomicU64::new(0),
                source: AtomicU8::new(index(source)),
            },
            viewers: Viewers::default(),
            grants: ArcSwap::default(),
            sharing: Mutex::new(()),
            herald,
            policy,
            load: StdMutex::default(),
            stoppers: StdMutex::default(),
            image: ArcSwapOption::empty(),
            outdated: AtomicBool::new(false),
            record: watch::Sender::new(Arc::new(session)),
        }
    }

    /// The session as last stored.
    #[must_use]
    pub fn session(&self) -> Arc<Session> {
        self.record.borrow().clone()
    }

    /// Follows the session's record; the present one counts as seen.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Session>> {
        self.record.subscribe()
    }

    /// Where the session lives, if sessions live at `default` unless their template says
    /// otherwise; at `default` too when its template is gone.
    #[must_use]
    pub fn routing(&self, default: Routing) -> Routing {
        self.template.as_ref().map_or(default, |template| template.routing_or(default))
    }

    /// The path on the portal that opens it.
    #[must_use]
    pub fn address(&self, default: Routing) -> String {
        match self.routing(default) {
            Routing::Path => format!("/s/{}/", self.label),
            Routing::Subdomain => format!("/open/{}", self.label),
        }
    }

    /// The open route, if bytes may flow now. Lock-free.
    #[must_use]
    pub fn route(&self) -> Option<Arc<Route>> {
        self.route.load_full()
    }

    /// Records that a human did something just now. Lock-free; called per input message.
    pub fn note_input(&self, source: InputSource) {
        self.activity.source.store(index(source), Ordering::Relaxed);
        self.activity.input_ms.store(self.elapsed_ms(), Ordering::Relaxed);
    }

    /// The last human input: how long ago, and what it was.
    #[must_use]
    pub fn last_input(&self) -> (Duration, InputSource) {
        let source = SOURCES[usize::from(self.activity.source.load(Ordering::Relaxed))];
        (self.ago(&self.activity.input_ms), source)
    }

    /// What the reaper decides by.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let session = self.session();
        let entered = *self.entered.lock().expect("no code panics while it holds this lock");
        let extended = Duration::from_secs(session.extended_s);
        let without_input = self.last_input().0.min(self.ago(&self.activity.spared_ms));
        let without_viewer = match self.viewers.using() {
            0 => without_input.min(self.ago(&self.activity.viewer_left_ms)),
            1.. => Duration::ZERO,
        };
        Facts {
            state: session.state.kind(),
            in_state: entered.elapsed(),
            without_input,
            without_viewer,
            since_ready: self.ago(&self.activity.ready_ms),
            extended,
            until_closing: session.closes_at.map(|at| clock::until(clock::later(at, extended))),
            busy: self.is_busy(),
        }
    }

    /// Whether its container is known to work as hard as its template asks.
    fn is_busy(&self) -> bool {
        let Some(rhythm) = Rhythm::of(&self.policy) else { return false };
        let load = self.load.lock().expect("no code panics while it holds this lock");
        let percent = load.percent(Instant::now(), rhythm);
        percent.is_some_and(|percent| percent >= f64::from(self.policy.busy_cpu_percent))
    }

    /// Remembers, if it is stopping, who asked for that or for what follows it.
    pub(super) fn stopped_by(&self, before: StateKind, by: &Actor) {
        let State::Stopping { next, .. } = self.session().state else { return };
        let mut stoppers = self.stoppers.lock().expect("no code panics while it holds this lock");
        if before != StateKind::Stopping {
            stoppers.rested = matches!(before, StateKind::Stopped | StateKind::Failed);
        }
        if before != StateKind::Stopping || next == Next::Remove {
            stoppers.ender = Some(by.clone());
        }
        stoppers.starter = Some(by.clone());
    }

    /// Who asked for the start that follows a stop; after a restart of the gateway whoever asked for
    /// the stop.
    pub(super) fn starter(&self) -> Actor {
        let stoppers = self.stoppers.lock().expect("no code panics while it holds this lock");
        let known = stoppers.starter.clone();
        drop(stoppers);
        known.unwrap_or_else(|| self.ender())
    }

    /// Whether it rested already when the stop began that was the last; after a restart of the gateway
    /// it counts as one that ran.
    pub(super) fn rested(&self) -> bool {
        self.stoppers.lock().expect("no code panics while it holds this lock").rested
    }

    /// Who asked for the stop that is under way; after a restart of the gateway its reason tells.
    pub(super) fn ender(&self) -> Actor {
        let known = self.stoppers.lock().expect("no code panics while it holds this lock").ender.clone();
        known.unwrap_or_else(|| match self.session().state {
            State::Stopping { reason: StopReason::Owner, .. } => self.owner_actor(),
            State::Starting { .. }
            | State::Ready { .. }
            | State::Paused { .. }
            | State::Stopping { .. }
            | State::Stopped { .. }
            | State::Failed { .. } => Actor::system(),
        })
    }

    /// The id of the image its container was made from, as the engine said last.
    pub(super) fn image(&self) -> Option<Arc<String>> {
        self.image.load_full()
    }

    /// Notes what the engine said of its container's image; an empty id is none.
    pub(super) fn set_image(&self, image: Option<&str>) {
        let known = image.filter(|image| !image.is_empty());
        self.image.store(known.map(|image| Arc::new(image.to_owned())));
    }

    pub(super) fn is_outdated(&self) -> bool {
        self.outdated.load(Ordering::Relaxed)
    }

    /// Notes whether its image has a successor; tells whether that is new.
    pub(super) fn set_outdated(&self, outdated: bool) -> bool {
        self.outdated.swap(outdated, Ordering::Relaxed) != outdated
    }

    /// Its owner, where nobody said from which address they came.
    pub(super) fn owner_actor(&self) -> Actor {
        Actor { name: self.session().owner_name.clone(), address: None }
    }

    /// Publishes a stored record; `entered` tells that it is in a new state.
    pub(super) fn publish(&self, session: Session, entered: bool) {
        if entered {
            *self.entered.lock().expect("no code panics while it holds this lock") = Instant::now();
        }
        self.record.send_replace(Arc::new(session));
    }

    /// Opens the route: from now on holds can be had. Counts as input, so that the away limit
    /// starts afresh.
    pub(super) fn open(&self, upstream: Upstream) {
        self.note_input(InputSource::Open);
        self.activity.ready_ms.store(self.elapsed_ms(), Ordering::Relaxed);
        self.reopen(upstream);
    }

    /// Opens the route of a session that was reachable before: its limits run on.
    pub(super) fn reopen(&self, upstream: Upstream) {
        self.route.store(Some(Arc::new(Route { upstream, revocation: Revocation::new() })));
    }

    /// Closes the route and tells every open socket why.
    pub(super) fn close(&self, reason: CloseReason) {
        if let Some(route) = self.route.swap(None) {
            route.revocation.revoke(reason);
        }
    }

    /// A viewer is about to leave. Said first, so that nobody finds the session without viewers and
    /// without the time that began.
    pub(super) fn viewer_leaves(&self) {
        self.activity.viewer_left_ms.store(self.elapsed_ms(), Ordering::Relaxed);
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.activity.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn ago(&self, stamp_ms: &AtomicU64) -> Duration {
        Duration::from_millis(self.elapsed_ms().saturating_sub(stamp_ms.load(Ordering::Relaxed)))
    }
}

fn index(source: InputSource) -> u8 {
    let index = SOURCES.iter().position(|known| *known == source).unwrap_or_default();
    u8::try_from(index).unwrap_or_default()
}

/// The right to exchange bytes with a reachable session; held until the response body or the
/// socket ends. Cheap to make: two reference counts.
#[derive(Clone, Debug)]
pub struct Hold {
    /// The session.
    pub entry: Arc<Entry>,
    /// Its route when the hold was acquired.
    pub route: Arc<Route>,
}

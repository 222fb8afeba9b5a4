//! The broker over the fake engine and a store in memory: races, illnesses, repairs.

mod allowance;
mod audit;
mod homes;
mod images;
mod limits;
mod restored;

use std::collections::HashSet;

use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::audit::{Actor, Audit};
use crate::engine::Engine;
use crate::engine::StartOrder;
use crate::engine::fake::{FakeEngine, Illness, template};
use crate::revocation::CloseReason;
use crate::session::{FailReason, InputSource, Next, Protocol, SessionName, StopReason};
use crate::store::contract::sample_user;
use crate::store::sqlite::SqliteStore;
use crate::store::{StoreError, User};

const SOON: Duration = Duration::from_secs(10);

/// A broker with everything it needs.
struct Bench {
    broker: Broker,
    engine: FakeEngine,
    store: Arc<dyn Store>,
    ann: User,
}

fn settings() -> Settings {
    let long = Duration::from_secs(3600);
    Settings {
        max_sessions: 10,
        max_sessions_per_user: 5,
        cpus_per_user: None,
        memory_mib_per_user: None,
        max_parallel_starts: 2,
        start_deadline: Duration::from_secs(5),
        queue_deadline: Duration::from_secs(5),
        stop_grace: Duration::from_secs(1),
        reap: Policy { away: long, frozen: long, total: None, remove_stopped: long, ..Policy::default() },
        closing: None,
        time_zone: String::new(),
        reconcile_every: long,
        homes: HomeSettings::default(),
    }
}

fn names() -> (TemplateName, SessionName) {
    ("desktop".parse().expect("a name"), "mine".parse().expect("a name"))
}

/// Who changes things here.
fn by() -> Actor {
    Actor::user("ann", [192, 0, 2, 7].into())
}

impl Bench {
    async fn new(settings: Settings) -> Self {
        let engine = FakeEngine::new([template(names().0, Protocol::Rfb)]);
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().expect("a store in memory"));
        let ann = User { name: "ann".into(), ..sample_user() };
        store.insert_user(&ann).await.expect("a new user");
        let broker = broker(&store, &engine, settings);
        Self { broker, engine, store, ann }
    }

    async fn create(&self) -> Arc<Entry> {
        let (template, name) = names();
        self.broker.create(&self.ann, &template, name).await.expect("it may be created")
    }

    async fn ready(&self) -> Arc<Entry> {
        let entry = self.create().await;
        until(&entry, StateKind::Ready).await;
        entry
    }

    /// The gateway is killed and started again: only store and engine remain.
    async fn reborn(&self, settings: Settings) -> Broker {
        self.broker.0.tasks.stopping().cancel();
        let broker = broker(&self.store, &self.engine, settings);
        broker.recover().await.expect("the store answers");
        broker
    }
}

fn broker(store: &Arc<dyn Store>, engine: &FakeEngine, settings: Settings) -> Broker {
    let templates = [template(names().0, Protocol::Rfb)];
    Broker::new(
        store.clone(),
        Arc::new(engine.clone()),
        Audit::new(store.clone()),
        templates,
        settings,
        Tasks::new(),
    )
}

async fn until(entry: &Entry, kind: StateKind) -> Arc<Session> {
    let mut watch = entry.watch();
    let reached = timeout(SOON, watch.wait_for(|session| session.state.kind() == kind)).await;
    match reached {
        Ok(session) => session.expect("the entry lives").clone(),
        Err(_) => panic!("never {kind}: {:?}", entry.session().state),
    }
}

async fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !so() {
        assert!(Instant::now() < deadline, "still not so: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

fn failure(session: &Session) -> FailReason {
    match &session.state {
        State::Failed { reason } => reason.clone(),
        other => panic!("not failed: {other:?}"),
    }
}

#[tokio::test]
async fn a_start_leads_to_a_reachable_session_with_a_hold() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    let Ok(Acquired::Ready(hold)) = bench.broker.acquire(&entry, Intent::Use).await else {
        panic!("no hold")
    };
    assert_eq!(hold.route.upstream.epoch, 1);
    assert_eq!(bench.engine.containers().len(), 1);
    let stored = bench.store.session(entry.id).await.expect("a store").expect("a record");
    assert_eq!(stored.state, entry.session().state);
    assert!(stored.ready_at.is_some());
}

#[tokio::test]
async fn twenty_callers_share_one_start() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    bench.broker.stop(&entry, StopReason::Owner, Next::Rest, &by()).await.expect("it runs");
    until(&entry, StateKind::Stopped).await;
    let before = bench.engine.calls().start;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (broker, entry) = (bench.broker.clone(), entry.clone());
        callers.spawn(async move { broker.acquire(&entry, Intent::Open).await.expect("a start") });
    }
    callers.join_all().await;
    until(&entry, StateKind::Ready).await;
    assert_eq!(bench.engine.calls().start - before, 1);
    assert_eq!(entry.session().epoch, 2, "each start has its own fencing number");
}

#[tokio::test]
async fn each_illness_fails_with_its_reason_leaves_nothing_and_does_not_block_the_next_start() {
    let short = Settings { start_deadline: Duration::from_millis(400), ..settings() };
    type Expected = fn(&FailReason) -> bool;
    let table: [(Illness, Expected); 5] = [
        (Illness::NeverReady, |r| *r == FailReason::Deadline { phase: Phase::Booting }),
        (Illness::ClosesAtOnce, |r| *r == FailReason::Deadline { phase: Phase::Booting }),
        (Illness::Hangs, |r| *r == FailReason::Deadline { phase: Phase::Creating }),
        (Illness::ImageMissing, |r| matches!(r, FailReason::ImageMissing { .. })),
        (Illness::Exits, |r| matches!(r, FailReason::Exited { .. })),
    ];
    for (illness, expected) in table {
        let bench = Bench::new(short.clone()).await;
        bench.engine.infect_template(&names().0, illness);
        let entry = bench.create().await;
        let reason = failure(&*until(&entry, StateKind::Failed).await);
        assert!(expected(&reason), "{illness:?}: {reason:?}");
        eventually("nothing is left", || bench.engine.containers().is_empty()).await;
        assert!(
            matches!(bench.broker.acquire(&entry, Intent::Open).await, Ok(Acquired::AtRest)),
            "a reload does not retry"
        );

        bench.engine.infect_template(&names().0, Illness::Healthy);
        bench.broker.start(&entry, &by()).await.expect("a failed session may be started again");
        until(&entry, StateKind::Ready).await;
    }
}

#[tokio::test]
async fn a_stop_overtakes_a_start() {
    let bench = Bench::new(settings()).await;
    bench.engine.infect_template(&names().0, Illness::Hangs);
    let entry = bench.create().await;
    eventually("the engine was asked", || bench.engine.calls().start == 1).await;
    bench.broker.stop(&entry, StopReason::Owner, Next::Rest, &by()).await.expect("a start may be stopped");
    until(&entry, StateKind::Stopped).await;
}

#[tokio::test]
async fn freezing_tells_open_sockets_and_resuming_opens_the_same_container() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    let route = entry.route().expect("it is reachable");
    bench.broker.pause(&entry, &by()).await.expect("it may be frozen");
    assert_eq!(route.revocation.revoked().await, CloseReason::Lapsed);
    assert!(entry.route().is_none());
    assert!(
        matches!(bench.broker.acquire(&entry, Intent::Use).await, Ok(Acquired::AtRest)),
        "a socket does not wake it"
    );

    let Ok(Acquired::Ready(hold)) = bench.broker.acquire(&entry, Intent::Open).await else {
        panic!("no hold")
    };
    assert_eq!(hold.route.upstream, route.upstream, "it resumes where it was");
    assert_eq!(bench.engine.calls().start, 1);
}

#[tokio::test]
async fn stop_restart_reset_and_remove_do_what_they_say() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    let route = entry.route().expect("it is reachable");
    let container = |bench: &Bench| bench.engine.containers().first().map(|container| container.id.clone());
    let first = container(&bench);

    bench.broker.stop(&entry, StopReason::Owner, Next::Restart, &by()).await.expect("a restart");
    assert_eq!(route.revocation.revoked().await, CloseReason::Gone);
    eventually("it is reachable again", || entry.route().is_some_and(|route| route.upstream.epoch == 2))
        .await;
    assert_eq!(container(&bench), first);

    bench.broker.stop(&entry, StopReason::Owner, Next::Reset, &by()).await.expect("a reset");
    eventually("it is reachable anew", || entry.route().is_some_and(|route| route.upstream.epoch == 3)).await;
    assert_ne!(container(&bench), first);

    bench.broker.stop(&entry, StopReason::Owner, Next::Remove, &by()).await.expect("a removal");
    bench.broker.ended(&entry).await;
    assert_eq!(container(&bench), None);
    assert!(bench.broker.find(entry.label.as_str()).is_none());
    assert_eq!(bench.store.session(entry.id).await.expect("a store"), None);
}

#[tokio::test]
async fn limits_refuse_and_leave_nothing() {
    let bench = Bench::new(Settings { max_sessions: 2, max_sessions_per_user: 3, ..settings() }).await;
    let (template, name) = names();
    let first = bench.ready().await;
    let twice = bench.broker.create(&bench.ann, &template, name).await;
    assert!(matches!(twice, Err(BrokerError::Store(StoreError::Conflict(_)))), "{twice:?}");
    let second =
        bench.broker.create(&bench.ann, &template, "second".parse().expect("a name")).await.expect("room");
    let full = bench.broker.create(&bench.ann, &template, "third".parse().expect("a name")).await;
    assert!(matches!(full, Err(BrokerError::Full { running: 2, limit: 2 })), "{full:?}");
    bench.broker.stop(&first, StopReason::Owner, Next::Rest, &by()).await.expect("it runs");
    until(&first, StateKind::Stopped).await;
    bench.broker.create(&bench.ann, &template, "third".parse().expect("a name")).await.expect("room again");
    let many = bench.broker.create(&bench.ann, &template, "fourth".parse().expect("a name")).await;
    assert!(matches!(many, Err(BrokerError::TooMany { limit: 3 })), "{many:?}");
    let unknown = bench
        .broker
        .create(&bench.ann, &"nosuch".parse().expect("a name"), "x".parse().expect("a name"))
        .await;
    assert!(matches!(unknown, Err(BrokerError::TemplateUnknown(_))), "{unknown:?}");
    assert_eq!(bench.store.sessions().await.expect("a store").len(), 3);
    drop(second);
}

#[tokio::test]
async fn starts_beyond_the_parallel_limit_queue_and_see_their_place() {
    let bench = Bench::new(Settings { max_parallel_starts: 1, ..settings() }).await;
    bench.engine.infect_template(&names().0, Illness::Hangs);
    let first = bench.create().await;
    eventually("the first is being made", || bench.engine.calls().start == 1).await;
    let second =
        bench.broker.create(&bench.ann, &names().0, "second".parse().expect("a name")).await.expect("room");
    eventually("the second is in the line", || {
        bench
            .broker
            .progress(&second)
            .is_some_and(|progress| progress.place.is_some_and(|place| place.position == 1))
    })
    .await;
    bench.engine.infect_template(&names().0, Illness::Healthy);
    bench.broker.stop(&first, StopReason::Owner, Next::Rest, &by()).await.expect("it starts");
    until(&second, StateKind::Ready).await;
}

#[tokio::test]
async fn the_reaper_freezes_then_stops_the_untouched_and_spares_the_used() {
    let away = Duration::from_millis(300);
    let policy = Policy { away, frozen: away, ..settings().reap };
    let bench = Bench::new(Settings { reap: policy, ..settings() }).await;
    let left = bench.ready().await;
    let used =
        bench.broker.create(&bench.ann, &names().0, "used".parse().expect("a name")).await.expect("room");
    until(&used, StateKind::Ready).await;
    let mut frozen = false;
    let deadline = Instant::now() + SOON;
    while left.session().state.kind() != StateKind::Stopped && Instant::now() < deadline {
        used.note_input(InputSource::Key);
        bench.broker.reap().await;
        frozen |= left.session().state.kind() == StateKind::Paused;
        sleep(Duration::from_millis(20)).await;
    }
    assert!(frozen, "it was frozen first");
    assert_eq!(left.session().state, State::Stopped { reason: StopReason::Away });
    assert_eq!(used.session().state.kind(), StateKind::Ready);
    assert_eq!(used.last_input().1, InputSource::Key);
}

#[tokio::test]
async fn a_crash_is_told_with_its_reason() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    let broker = bench.broker.clone();
    bench.broker.0.tasks.spawn("events", async move { broker.follow_engine_forever().await });
    eventually("someone follows the engine", || bench.engine.calls().events > 0).await;
    let route = entry.route().expect("it is reachable");
    bench.engine.crash(entry.id);
    assert_eq!(until(&entry, StateKind::Stopped).await.state, State::Stopped { reason: StopReason::Exited });
    assert_eq!(route.revocation.revoked().await, CloseReason::Gone);
}

#[tokio::test]
async fn the_reconciler_finds_what_events_did_not_tell() {
    let bench = Bench::new(settings()).await;
    let (lost, crashed) = (bench.ready().await, {
        let entry = bench
            .broker
            .create(&bench.ann, &names().0, "second".parse().expect("a name"))
            .await
            .expect("room");
        until(&entry, StateKind::Ready).await;
        entry
    });
    bench.engine.lose(lost.id);
    bench.engine.crash(crashed.id);
    // Work that is just being finished is left to the next pass.
    let mut repaired = 0;
    while repaired < 2 {
        let found = bench.broker.reconcile(&mut HashSet::new()).await.expect("the engine answers");
        repaired += found.repaired;
        // The engine and the store in memory answer without waiting, so nobody else would ever run.
        tokio::task::yield_now().await;
    }
    assert_eq!(lost.session().state, State::Stopped { reason: StopReason::Lost });
    assert_eq!(crashed.session().state, State::Stopped { reason: StopReason::Exited });
}

#[tokio::test]
async fn a_container_nobody_owns_is_removed_when_it_is_met_again() {
    let bench = Bench::new(settings()).await;
    let foreign = crate::engine::contract::order(&names().0, 1);
    bench.engine.start(&foreign).await.expect("a container of another database");
    let own = bench.store.installation();
    let order = StartOrder { installation: own, ..crate::engine::contract::order(&names().0, 1) };
    bench.engine.start(&order).await.expect("a stray container");
    let mut unknown = HashSet::new();
    let first = bench.broker.reconcile(&mut unknown).await.expect("the engine answers");
    assert_eq!((first.orphans, first.removed), (1, 0), "its record may just be on its way");
    let second = bench.broker.reconcile(&mut unknown).await.expect("the engine answers");
    assert_eq!((second.orphans, second.removed), (0, 1));
    assert_eq!(bench.engine.containers().len(), 1, "another database's container is left alone");
}

#[tokio::test]
async fn a_reborn_gateway_adopts_what_runs() {
    let bench = Bench::new(settings()).await;
    let before = bench.ready().await;
    let broker = bench.reborn(settings()).await;
    let entry = broker.find(before.label.as_str()).expect("it is remembered");
    let route = entry.route().expect("its route is open before anything is served");
    assert_eq!(Some(&route.upstream), before.session().state.upstream());
    assert_eq!(bench.engine.calls().start, 1, "nothing was started again");
}

#[tokio::test]
async fn a_reborn_gateway_takes_up_interrupted_work() {
    let bench = Bench::new(settings()).await;
    bench.engine.infect_template(&names().0, Illness::Hangs);
    let starting = bench.create().await;
    eventually("the engine was asked", || bench.engine.calls().start == 1).await;
    bench.engine.infect_template(&names().0, Illness::Healthy);
    let broker = bench.reborn(settings()).await;
    let entry = broker.find(starting.label.as_str()).expect("it is remembered");
    until(&entry, StateKind::Ready).await;
    assert_eq!(bench.engine.containers().len(), 1);

    bench.engine.set_down(true);
    broker.stop(&entry, StopReason::Owner, Next::Remove, &by()).await.expect("it runs");
    eventually("the engine was asked", || bench.engine.calls().stop > 0).await;
    bench.engine.set_down(false);
    let broker = bench.reborn(settings()).await;
    let entry = broker.find(starting.label.as_str());
    eventually("it is gone", || entry.as_ref().is_none_or(|entry| broker.entry(entry.id).is_none())).await;
    assert!(bench.engine.containers().is_empty());
}

#[tokio::test]
async fn an_engine_that_is_down_fails_starts_and_leaves_open_sessions_alone() {
    let bench = Bench::new(settings()).await;
    let open = bench.ready().await;
    bench.engine.set_down(true);
    let entry =
        bench.broker.create(&bench.ann, &names().0, "second".parse().expect("a name")).await.expect("room");
    assert_eq!(failure(&*until(&entry, StateKind::Failed).await), FailReason::EngineDown);
    assert!(bench.broker.reconcile(&mut HashSet::new()).await.is_err());
    assert!(open.route().is_some(), "what is merely unknown is not ended");
}

#[tokio::test]
async fn changes_reach_followers_and_the_audit() {
    let bench = Bench::new(settings()).await;
    let mut changes = bench.broker.changes();
    let entry = bench.ready().await;
    let mut kinds = Vec::new();
    while let Ok(Change::Changed(session)) = changes.try_recv() {
        kinds.push(session.state.kind());
    }
    kinds.dedup();
    assert_eq!(kinds, [StateKind::Starting, StateKind::Ready]);
    let bodies: Vec<_> =
        bench.store.audit(0, 100).await.expect("a store").into_iter().map(|line| line.body).collect();
    let text = bodies.join("\n");
    for expected in ["session_created", "session_started", "session_ready", entry.label.as_str()] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
}

async fn guest(bench: &Bench, name: &str) -> User {
    let user = User { id: UserId::random(), name: name.into(), ..bench.ann.clone() };
    bench.store.insert_user(&user).await.expect("a new user");
    user
}

fn to_help(with: &User, lasts: Option<Duration>) -> Share {
    Share { with: with.clone(), role: crate::session::GrantRole::Helper, lasts }
}

fn by_ann() -> crate::audit::Actor {
    crate::audit::Actor { name: "ann".into(), address: None }
}

#[tokio::test]
async fn grants_survive_a_restart_and_lapsed_or_removed_ones_do_not() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    let (bob, carol, dave) =
        (guest(&bench, "bob").await, guest(&bench, "carol").await, guest(&bench, "dave").await);
    for (user, lasts) in [(&bob, None), (&carol, Some(Duration::from_millis(1))), (&dave, None)] {
        bench.broker.share(&entry, to_help(user, lasts), by_ann()).await.expect("it may be shared");
    }
    let of_dave = entry.grant_of(dave.id).expect("in force").grant.id;
    bench.broker.withdraw(&entry, of_dave, by_ann()).await.expect("the store answers");
    eventually("carol's has lapsed", || entry.grant_of(carol.id).is_none()).await;

    let reborn = bench.reborn(settings()).await;
    let entry = reborn.entry(entry.id).expect("the session is known");
    let opens = |user: &User| entry.grant_of(user.id).is_some();
    assert_eq!((opens(&bob), opens(&carol), opens(&dave)), (true, false, false));
    assert_eq!(reborn.shared_with(bob.id).len(), 1);
    // What lapsed while no gateway ran is removed by the first pass.
    reborn.lapse_grants().await;
    assert_eq!(bench.store.grants().await.expect("a store").len(), 1);

    reborn.forget_grantee(bob.id);
    assert!(entry.grant_of(bob.id).is_none() && reborn.shared_with(bob.id).is_empty());
}

#[tokio::test]
async fn a_grant_that_cannot_be_stored_is_not_given_and_one_not_removed_stays() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    let bob = guest(&bench, "bob").await;
    let nobody = User { id: UserId::random(), name: "nobody".into(), ..bench.ann.clone() };
    let refused = bench.broker.share(&entry, to_help(&nobody, None), by_ann()).await;
    assert!(matches!(refused, Err(ShareError::Broker(BrokerError::NotFound))), "{refused:?}");
    assert!(entry.grants().is_empty());
    // Twenty at once give one.
    let all = (0..20).map(|_| bench.broker.share(&entry, to_help(&bob, None), by_ann()));
    let given = futures_util::future::join_all(all).await;
    assert_eq!(given.iter().filter(|one| one.is_ok()).count(), 1);
    assert_eq!(entry.grants().len(), 1);
}

#[tokio::test]
async fn a_removed_session_takes_its_grants_along() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    let bob = guest(&bench, "bob").await;
    bench.broker.share(&entry, to_help(&bob, None), by_ann()).await.expect("it may be shared");
    bench.broker.stop(&entry, StopReason::Owner, Next::Remove, &Actor::cli()).await.expect("it runs");
    eventually("it is removed", || bench.broker.entry(entry.id).is_none()).await;
    assert_eq!(bench.store.grants().await.expect("a store"), []);
    assert!(bench.broker.shared_with(bob.id).is_empty());
}

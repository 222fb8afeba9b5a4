//! What every engine promises, as a suite that each implementation runs.
//!
//! Each case makes sessions of its own and removes them, so that cases may run against one
//! engine one after another.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::{Connection, Container, ContainerStatus, Engine, EngineError, Machine, StartOrder, Started};
use crate::secret::random_token;
use crate::session::{SessionId, TemplateName, Upstream, UserId};

/// How long something that must happen may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The grace of a stop.
const GRACE: Duration = Duration::from_secs(2);

/// The templates an engine is configured with for the suite.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Starts and listens.
    pub healthy: TemplateName,
    /// Ends at once with a code other than 0 and a line of output.
    pub exits: TemplateName,
    /// Its image is not on the machine.
    pub image_missing: TemplateName,
    /// Not configured.
    pub unknown: TemplateName,
}

/// A start of a new session of a new owner.
#[must_use]
pub fn order(template: &TemplateName, epoch: u64) -> StartOrder {
    StartOrder {
        installation: "contract".to_owned(),
        session: SessionId::random(),
        owner: UserId::random(),
        owner_name: "ann".to_owned(),
        template: template.clone(),
        title: "A machine".parse().expect("a name"),
        language: None,
        epoch,
        secret: random_token(),
    }
}

/// Asks again and again until the answer is `Some`.
///
/// # Panics
/// After 20 s, with `what` was waited for.
pub async fn eventually<T, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "still not so after {PATIENCE:?}: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Connects as soon as the container listens.
///
/// # Panics
/// When it does not within 20 s, or fails otherwise.
pub async fn reach(engine: &dyn Engine, upstream: &Upstream) -> Connection {
    eventually("the container listens", || async {
        match engine.connect(upstream).await {
            Ok(connection) => Some(connection),
            Err(EngineError::Unreachable { .. }) => None,
            Err(error) => panic!("connect: {error}"),
        }
    })
    .await
}

/// Runs every case.
///
/// # Panics
/// When the engine breaks a promise.
pub async fn all(engine: Arc<dyn Engine>, plan: &Plan) {
    let engine = engine.as_ref();
    engine.ping().await.expect("the engine answers");
    start_is_idempotent(engine, plan).await;
    racing_starts_make_one_container(engine, plan).await;
    a_stopped_container_starts_again(engine, plan).await;
    a_late_start_is_refused(engine, plan).await;
    freezing_and_thawing_repeat(engine, plan).await;
    use_is_counted(engine, plan).await;
    everything_is_sampled_at_once(engine, plan).await;
    removing_repeats(engine, plan).await;
    verbs_on_nothing(engine).await;
    a_start_that_cannot_work_leaves_nothing(engine, plan).await;
    a_container_that_exits_says_why(engine, plan).await;
    ends_are_told(engine, plan).await;
    images_are_known(engine, plan).await;
}

async fn begin(engine: &dyn Engine, order: &StartOrder) -> Started {
    engine.start(order).await.expect("a healthy container starts")
}

async fn remove(engine: &dyn Engine, session: SessionId) {
    engine.remove(session).await.expect("a container is removed");
}

/// The containers of a session.
async fn listed(engine: &dyn Engine, session: SessionId) -> Vec<Container> {
    let mut all = engine.list().await.expect("containers are listed");
    all.retain(|container| container.session == session);
    all
}

async fn status(engine: &dyn Engine, session: SessionId) -> Option<ContainerStatus> {
    listed(engine, session).await.first().map(|container| container.status)
}

async fn start_is_idempotent(engine: &dyn Engine, plan: &Plan) {
    let order = order(&plan.healthy, 1);
    let first = begin(engine, &order).await.upstream;
    reach(engine, &first).await;
    assert_eq!(begin(engine, &order).await.upstream, first);
    let again = begin(engine, &StartOrder { epoch: 2, ..order.clone() }).await.upstream;
    assert_eq!((again.container, again.epoch), (first.container.clone(), 2));
    let containers = listed(engine, order.session).await;
    assert_eq!(containers.len(), 1);
    assert_eq!(containers[0].id, first.container);
    assert_eq!(containers[0].name, format!("berth-{}", order.session));
    assert_eq!((containers[0].epoch, containers[0].status), (1, ContainerStatus::Running));
    remove(engine, order.session).await;
}

async fn racing_starts_make_one_container(engine: &dyn Engine, plan: &Plan) {
    let order = order(&plan.healthy, 1);
    let started = join_all((0..5).map(|_| begin(engine, &order))).await;
    assert!(started.windows(2).all(|pair| pair[0].upstream == pair[1].upstream), "{started:?}");
    assert_eq!(listed(engine, order.session).await.len(), 1);
    remove(engine, order.session).await;
}

async fn a_stopped_container_starts_again(engine: &dyn Engine, plan: &Plan) {
    let order = order(&plan.healthy, 1);
    let first = begin(engine, &order).await.upstream;
    reach(engine, &first).await;
    engine.stop(order.session, GRACE).await.expect("a running container stops");
    engine.stop(order.session, GRACE).await.expect("a stopped container is stopped");
    assert_eq!(status(engine, order.session).await, Some(ContainerStatus::Exited));
    assert_ended(engine, &first).await;
    let second = begin(engine, &StartOrder { epoch: 2, ..order.clone() }).await.upstream;
    assert_eq!(second.container, first.container);
    reach(engine, &second).await;
    remove(engine, order.session).await;
}

async fn assert_ended(engine: &dyn Engine, upstream: &Upstream) {
    let ended = engine.connect(upstream).await.expect_err("nothing runs there");
    assert!(matches!(ended, EngineError::Gone | EngineError::Exited { .. }), "{ended}");
}

async fn a_late_start_is_refused(engine: &dyn Engine, plan: &Plan) {
    let order = order(&plan.healthy, 5);
    begin(engine, &order).await;
    let late = engine.start(&StartOrder { epoch: 4, ..order.clone() }).await;
    assert!(matches!(late, Err(EngineError::Conflict { .. })), "{late:?}");
    assert_eq!(status(engine, order.session).await, Some(ContainerStatus::Running));
    remove(engine, order.session).await;
}

async fn freezing_and_thawing_repeat(engine: &dyn Engine, plan: &Plan) {
    let order = order(&plan.healthy, 1);
    begin(engine, &order).await;
    for _ in 0..2 {
        engine.pause(order.session).await.expect("a container freezes, again too");
        assert_eq!(status(engine, order.session).await, Some(ContainerStatus::Paused));
    }
    for _ in 0..2 {
        engine.resume(order.session).await.expect("a container thaws, again too");
        assert_eq!(status(engine, order.session).await, Some(ContainerStatus::Running));
    }
    engine.pause(order.session).await.expect("a container freezes");
    begin(engine, &order).await;
    assert_eq!(status(engine, order.session).await, Some(ContainerStatus::Running));
    engine.pause(order.session).await.expect("a container freezes");
    engine.stop(order.session, GRACE).await.expect("a frozen container stops");
    assert_eq!(status(engine, order.session).await, Some(ContainerStatus::Exited));
    assert!(matches!(engine.pause(order.session).await, Err(EngineError::Gone)));
    assert!(matches!(engine.resume(order.session).await, Err(EngineError::Gone)));
    remove(engine, order.session).await;
}

async fn use_is_counted(engine: &dyn Engine, plan: &Plan) {
    let order = order(&plan.healthy, 1);
    let upstream = begin(engine, &order).await.upstream;
    reach(engine, &upstream).await;
    let first = engine.stats(order.session).await.expect("a running container's use is known").cpu;
    let later = engine.stats(order.session).await.expect("a running container's use is known").cpu;
    assert!(later >= first, "{later:?} after {first:?}");
    engine.pause(order.session).await.expect("a container freezes");
    let frozen = engine.stats(order.session).await.expect("a frozen container's use is known").cpu;
    assert_eq!(engine.stats(order.session).await.expect("it is known").cpu, frozen, "frozen, it uses none");
    engine.stop(order.session, GRACE).await.expect("a frozen container stops");
    assert!(matches!(engine.stats(order.session).await, Err(EngineError::Gone)));
    remove(engine, order.session).await;
}

async fn everything_is_sampled_at_once(engine: &dyn Engine, plan: &Plan) {
    let orders = [order(&plan.healthy, 1), order(&plan.healthy, 1)];
    for order in &orders {
        let upstream = begin(engine, order).await.upstream;
        reach(engine, &upstream).await;
    }
    engine.pause(orders[1].session).await.expect("a container freezes");
    let sample = engine.sample().await.expect("the engine is sampled");
    for order in &orders {
        let used = sample.containers.iter().filter(|used| used.session == order.session);
        let used: Vec<_> = used.collect();
        assert_eq!(used.len(), 1, "each that runs or is frozen, once");
        assert!(used[0].memory_bytes > 0 && used[0].tasks > 0, "{used:?}");
    }
    let Machine { cores, memory_bytes, memory_available_bytes, addresses, .. } = sample.machine;
    assert!(cores > 0 && memory_available_bytes <= memory_bytes);
    assert!(addresses.internal.taken >= 2 && addresses.internal.taken <= addresses.internal.total);
    for order in &orders {
        engine.stop(order.session, GRACE).await.expect("a container stops");
    }
    let after = engine.sample().await.expect("the engine is sampled").containers;
    assert!(orders.iter().all(|order| after.iter().all(|used| used.session != order.session)));
    for order in &orders {
        remove(engine, order.session).await;
    }
}

async fn removing_repeats(engine: &dyn Engine, plan: &Plan) {
    let order = order(&plan.healthy, 1);
    let upstream = begin(engine, &order).await.upstream;
    engine.pause(order.session).await.expect("a container freezes");
    let both = tokio::join!(engine.remove(order.session), engine.remove(order.session));
    assert!(both.0.is_ok() && both.1.is_ok(), "{both:?}");
    remove(engine, order.session).await;
    assert_eq!(listed(engine, order.session).await, []);
    assert_ended(engine, &upstream).await;
}

async fn verbs_on_nothing(engine: &dyn Engine) {
    let nobody = SessionId::random();
    engine.stop(nobody, GRACE).await.expect("nothing is stopped");
    engine.remove(nobody).await.expect("nothing is removed");
    assert_eq!(engine.output(nobody).await.expect("nothing says nothing"), "");
    assert!(matches!(engine.stats(nobody).await, Err(EngineError::Gone)));
    assert!(matches!(engine.pause(nobody).await, Err(EngineError::Gone)));
    assert!(matches!(engine.resume(nobody).await, Err(EngineError::Gone)));
}

async fn a_start_that_cannot_work_leaves_nothing(engine: &dyn Engine, plan: &Plan) {
    let missing = order(&plan.image_missing, 1);
    let failed = engine.start(&missing).await;
    assert!(matches!(failed, Err(EngineError::ImageMissing { .. })), "{failed:?}");
    assert_eq!(listed(engine, missing.session).await, []);
    let unknown = engine.start(&order(&plan.unknown, 1)).await;
    assert!(matches!(unknown, Err(EngineError::TemplateGone { .. })), "{unknown:?}");
}

async fn a_container_that_exits_says_why(engine: &dyn Engine, plan: &Plan) {
    let order = order(&plan.exits, 1);
    let ended = match engine.start(&order).await {
        Err(error) => error,
        // It may live long enough to be seen running; then the first connection tells.
        Ok(started) => {
            eventually("the container ends", || async {
                engine
                    .connect(&started.upstream)
                    .await
                    .err()
                    .filter(|error| matches!(error, EngineError::Exited { .. }))
            })
            .await
        }
    };
    let EngineError::Exited { code: Some(1..), output } = &ended else { panic!("{ended:?}") };
    assert!(!output.is_empty());
    remove(engine, order.session).await;
}

async fn ends_are_told(engine: &dyn Engine, plan: &Plan) {
    use futures_util::StreamExt;
    let mut events = engine.events().await.expect("events are told");
    let order = order(&plan.healthy, 1);
    let upstream = begin(engine, &order).await.upstream;
    remove(engine, order.session).await;
    let told = async {
        loop {
            let event = events.next().await.expect("the stream goes on");
            if event.session == order.session {
                return event;
            }
        }
    };
    let event = tokio::time::timeout(PATIENCE, told).await.expect("the end is told in time");
    assert_eq!(event.container, upstream.container);
}

async fn images_are_known(engine: &dyn Engine, plan: &Plan) {
    let images = engine.images().await.expect("images are listed");
    let healthy = images.iter().find(|image| image.template == plan.healthy);
    let image = healthy.and_then(|healthy| healthy.found.clone()).expect("what can be started is there");
    assert!(image.id.starts_with("sha256:"), "{image:?}");
    let order = order(&plan.healthy, 1);
    assert_eq!(begin(engine, &order).await.image, image.id);
    assert_eq!(listed(engine, order.session).await[0].image, image.id);
    remove(engine, order.session).await;
    let unknown = match engine.pull(&plan.unknown).await {
        Ok(mut steps) => {
            futures_util::StreamExt::next(&mut steps).await.expect("a pull ends with a word").err()
        }
        Err(error) => Some(error),
    };
    assert!(matches!(unknown, Some(EngineError::TemplateGone { .. })), "{unknown:?}");
}

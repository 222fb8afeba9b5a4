//! Looking at fake desktops: how often, for how long, and what they notice of it.

use tokio::task::JoinSet;

use super::*;
use crate::audit::{Actor, Audit};
use crate::broker::Settings as BrokerSettings;
use crate::engine::fake::{FakeEngine, Illness, template};
use crate::rfb::client::Parser;
use crate::session::reap::Policy;
use crate::session::{Next, StopReason};
use crate::store::contract::sample_user;
use crate::store::sqlite::SqliteStore;
use crate::store::{Store, User};

struct Bench {
    thumbnails: Thumbnails,
    broker: Broker,
    engine: FakeEngine,
    ann: User,
}

impl Bench {
    async fn new() -> Self {
        let templates = [("desktop", Protocol::Rfb), ("app", Protocol::Http)]
            .map(|(name, protocol)| template(name.parse().unwrap(), protocol));
        let engine = FakeEngine::new(templates.clone());
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().unwrap());
        let ann = User { name: "ann".into(), ..sample_user() };
        store.insert_user(&ann).await.unwrap();
        let long = Duration::from_secs(3600);
        let settings = BrokerSettings {
            max_sessions: 10,
            max_sessions_per_user: 10,
            cpus_per_user: None,
            memory_mib_per_user: None,
            max_parallel_starts: 4,
            start_deadline: long,
            queue_deadline: long,
            stop_grace: Duration::from_secs(1),
            reap: Policy { away: long, frozen: long, remove_stopped: long, ..Policy::default() },
            closing: None,
            time_zone: String::new(),
            reconcile_every: long,
            homes: Default::default(),
        };
        let (tasks, engine_too) = (Tasks::new(), Arc::new(engine.clone()));
        let audit = Audit::new(store.clone());
        let broker = Broker::new(store, engine_too.clone(), audit, templates, settings, tasks.clone());
        let thumbnails = Thumbnails::new(&broker, engine_too, tasks, Settings::default());
        Self { thumbnails, broker, engine, ann }
    }

    /// A session that is ready, and nobody looked at yet.
    async fn ready(&self, template: &str, name: &str) -> Arc<Entry> {
        let (template, name) = (template.parse().unwrap(), name.parse().unwrap());
        let entry = self.broker.create(&self.ann, &template, name).await.unwrap();
        until(&entry, StateKind::Ready).await;
        entry
    }

    fn connections(&self) -> usize {
        self.engine.calls().connect
    }
}

async fn until(entry: &Entry, kind: StateKind) {
    entry.watch().wait_for(|session| session.state.kind() == kind).await.unwrap();
}

/// Lets everything that can go on go on: time stands still otherwise.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test]
async fn a_picture_is_the_screen() {
    let bench = Bench::new().await;
    let entry = bench.ready("desktop", "mine").await;
    let thumbnail = bench.thumbnails.of(&entry).await.unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(&thumbnail.png[..])).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((frame.width, frame.height, frame.color_type), (64, 48, png::ColorType::Rgb));
    // The fake screen: red grows to the right, green downwards.
    let at = |x: usize, y: usize| &pixels[3 * (64 * y + x)..][..3];
    assert_eq!(
        [at(0, 0), at(63, 0), at(0, 47), at(10, 20)],
        [[0, 0, 0], [189, 0, 0], [0, 235, 0], [30, 100, 0]]
    );
    assert_eq!(thumbnail.tag.len(), 16);
    assert!(!thumbnail.frozen);
}

#[tokio::test]
async fn all_who_ask_share_one_look_and_it_is_good_for_five_seconds() {
    let bench = Bench::new().await;
    let entry = bench.ready("desktop", "mine").await;
    let before = bench.connections();
    let mut askers = JoinSet::new();
    for _ in 0..10 {
        let (thumbnails, entry) = (bench.thumbnails.clone(), entry.clone());
        askers.spawn(async move { thumbnails.of(&entry).await.unwrap() });
    }
    let pictures = askers.join_all().await;
    assert_eq!(bench.connections() - before, 1);
    assert!(pictures.iter().all(|picture| picture.taken == pictures[0].taken));

    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(4_900)).await;
    assert_eq!(bench.thumbnails.of(&entry).await.unwrap().taken, pictures[0].taken);
    assert_eq!(bench.connections() - before, 1);
    tokio::time::advance(Duration::from_millis(200)).await;
    let later = bench.thumbnails.of(&entry).await.unwrap();
    assert_eq!(bench.connections() - before, 2);
    assert!(later.taken > pictures[0].taken);
    assert_eq!(later.tag, pictures[0].tag, "the same screen has the same tag");
}

#[tokio::test]
async fn a_look_is_no_viewer_and_no_input() {
    let bench = Bench::new().await;
    let entry = bench.ready("desktop", "mine").await;
    let (_, source) = entry.last_input();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(100)).await;
    let (before, viewers) = (entry.last_input().0, entry.viewers());
    bench.thumbnails.of(&entry).await.unwrap();
    assert!(entry.last_input().0 >= before, "the away limit runs on");
    assert_eq!((entry.last_input().1, entry.viewers()), (source, viewers));
    let mut parser = Parser::new();
    let said = bench.engine.received(entry.id);
    assert!(!said.is_empty());
    for piece in parser.pieces(&said) {
        assert!(piece.input.is_none() && piece.kind.is_some_and(|kind| !kind.steers()), "{piece:?}");
    }
}

#[tokio::test]
async fn a_desktop_that_shows_nothing_is_left_alone_for_a_while() {
    let bench = Bench::new().await;
    let entry = bench.ready("desktop", "mine").await;
    bench.engine.infect(entry.id, Illness::NeverDraws);
    let before = bench.connections();
    tokio::time::pause();
    let asked = Instant::now();
    let unseen = bench.thumbnails.of(&entry).await.unwrap_err();
    assert!(matches!(&unseen, ThumbnailError::Unseen { why } if why.contains("too long")), "{unseen}");
    assert_eq!(asked.elapsed().as_secs(), 5);
    tokio::time::advance(Duration::from_secs(29)).await;
    assert_eq!(bench.thumbnails.of(&entry).await.unwrap_err(), unseen);
    assert_eq!(bench.connections() - before, 1);

    bench.engine.infect(entry.id, Illness::Healthy);
    tokio::time::advance(Duration::from_secs(2)).await;
    bench.thumbnails.of(&entry).await.unwrap();
    bench.thumbnails.of(&entry).await.unwrap();
    assert_eq!(bench.connections() - before, 2);
}

#[tokio::test]
async fn a_frozen_desktop_shows_its_last_picture_and_is_not_asked() {
    let bench = Bench::new().await;
    let (seen, unseen) = (bench.ready("desktop", "seen").await, bench.ready("desktop", "unseen").await);
    let picture = bench.thumbnails.of(&seen).await.unwrap();
    let before = bench.connections();
    for entry in [&seen, &unseen] {
        bench.broker.pause(entry, &Actor::cli()).await.unwrap();
    }
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(1000)).await;
    let last = bench.thumbnails.of(&seen).await.unwrap();
    assert_eq!((last.frozen, last.taken, last.tag), (true, picture.taken, picture.tag));
    assert_eq!(bench.thumbnails.of(&unseen).await.unwrap_err(), ThumbnailError::NotSeen);
    assert_eq!(bench.connections(), before);
    assert_eq!(seen.session().state.kind(), StateKind::Paused, "looking wakes nothing");
}

#[tokio::test]
async fn a_stopped_desktop_has_no_picture_and_none_of_an_earlier_start() {
    let bench = Bench::new().await;
    let entry = bench.ready("desktop", "mine").await;
    bench.thumbnails.of(&entry).await.unwrap();
    bench.broker.stop(&entry, StopReason::Owner, Next::Rest, &Actor::cli()).await.unwrap();
    until(&entry, StateKind::Stopped).await;
    assert_eq!(bench.thumbnails.of(&entry).await.unwrap_err(), ThumbnailError::NotRunning);
    let screen = bench.thumbnails.0.screens.get(&entry.id).unwrap().clone();
    tokio::time::timeout(Duration::from_secs(10), async {
        while screen.seen.lock().unwrap().picture.is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("its picture is forgotten");

    bench.broker.start(&entry, &Actor::cli()).await.unwrap();
    until(&entry, StateKind::Ready).await;
    bench.engine.infect(entry.id, Illness::ClosesAtOnce);
    let error = bench.thumbnails.of(&entry).await.unwrap_err();
    assert!(matches!(error, ThumbnailError::Unseen { .. }), "{error}");
    bench.broker.pause(&entry, &Actor::cli()).await.unwrap();
    assert_eq!(bench.thumbnails.of(&entry).await.unwrap_err(), ThumbnailError::NotSeen);

    bench.broker.stop(&entry, StopReason::Owner, Next::Remove, &Actor::cli()).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), async {
        while !bench.thumbnails.0.screens.is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("its screen is forgotten");
}

#[tokio::test]
async fn a_look_ends_with_the_route() {
    let bench = Bench::new().await;
    let entry = bench.ready("desktop", "mine").await;
    bench.engine.infect(entry.id, Illness::NeverDraws);
    let (thumbnails, asking) = (bench.thumbnails.clone(), entry.clone());
    let mut asker = JoinSet::new();
    let before = bench.connections();
    asker.spawn(async move { thumbnails.of(&asking).await });
    while bench.connections() == before {
        tokio::task::yield_now().await;
    }
    bench.broker.pause(&entry, &Actor::cli()).await.unwrap();
    assert_eq!(asker.join_next().await.unwrap().unwrap().unwrap_err(), ThumbnailError::NotRunning);
    // And is no reason to leave the desktop alone once it is back.
    bench.engine.infect(entry.id, Illness::Healthy);
    bench.broker.resume(&entry, &Actor::cli()).await.unwrap();
    bench.thumbnails.of(&entry).await.unwrap();
}

#[tokio::test]
async fn two_desktops_are_looked_at_at_once_and_no_more() {
    let bench = Bench::new().await;
    let mut entries = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let entry = bench.ready("desktop", name).await;
        bench.engine.infect(entry.id, Illness::NeverDraws);
        entries.push(entry);
    }
    let before = bench.connections();
    tokio::time::pause();
    let mut askers = JoinSet::new();
    for entry in entries {
        let thumbnails = bench.thumbnails.clone();
        askers.spawn(async move { thumbnails.of(&entry).await.unwrap_err() });
    }
    settle().await;
    assert_eq!(bench.connections() - before, 2);
    assert!(askers.join_all().await.iter().all(|error| *error != ThumbnailError::NotRunning));
}

#[tokio::test]
async fn whoever_leaves_does_not_break_a_look_off() {
    let bench = Bench::new().await;
    let entry = bench.ready("desktop", "mine").await;
    let before = bench.connections();
    let (thumbnails, asking) = (bench.thumbnails.clone(), entry.clone());
    let mut asker = JoinSet::new();
    asker.spawn(async move { thumbnails.of(&asking).await });
    while bench.connections() == before {
        tokio::task::yield_now().await;
    }
    asker.shutdown().await;
    bench.thumbnails.of(&entry).await.unwrap();
    assert_eq!(bench.connections() - before, 1);
}

#[tokio::test]
async fn an_app_has_no_screen() {
    let bench = Bench::new().await;
    let entry = bench.ready("app", "mine").await;
    let before = bench.connections();
    assert_eq!(bench.thumbnails.of(&entry).await.unwrap_err(), ThumbnailError::NoScreen);
    assert_eq!(bench.connections(), before);
}

//! Images: who would get a newer one, and fetching them.

use tokio::sync::watch;

use super::*;
use crate::engine::fake::Registry;
use crate::session::PullPolicy;

const IMAGE: &str = "fake/desktop";

async fn audited(bench: &Bench, event: &str) -> Vec<serde_json::Value> {
    let lines = bench.store.audit(0, 1000).await.expect("a store");
    let lines = lines.into_iter().map(|line| serde_json::from_str(&line.body).expect("a line is JSON"));
    lines.filter(|line: &serde_json::Value| line["event"] == event).collect()
}

fn pull_state(bench: &Bench) -> Option<Pull> {
    bench.broker.pull_of(&template(names().0, Protocol::Rfb))
}

#[tokio::test]
async fn a_newer_image_is_announced_and_comes_with_the_next_start() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    bench.broker.look_at_images().await.expect("the engine answers");
    assert!(!entry.update_ready());

    let mut changes = bench.broker.changes();
    bench.engine.renew_image(IMAGE);
    bench.broker.look_at_images().await.expect("the engine answers");
    assert!(entry.update_ready());
    let mut told = false;
    while let Ok(change) = changes.try_recv() {
        told |= matches!(change, Change::Changed(session) if session.id == entry.id);
    }
    assert!(told, "open pages are told");

    let before = bench.engine.containers();
    bench.broker.stop(&entry, StopReason::Owner, Next::Rest, &by()).await.expect("it runs");
    until(&entry, StateKind::Stopped).await;
    assert!(entry.update_ready(), "also of one that is stopped");
    bench.broker.start(&entry, &by()).await.expect("it may be started");
    until(&entry, StateKind::Ready).await;
    assert!(!entry.update_ready(), "at once, without another look");
    let after = bench.engine.containers();
    assert_ne!(before[0].image, after[0].image);
    assert_eq!(after.len(), 1);
}

/// A gateway that was started again knew of no update until the session's next start.
#[tokio::test]
async fn a_new_gateway_finds_what_is_outdated() {
    let bench = Bench::new(settings()).await;
    bench.ready().await;
    bench.engine.renew_image(IMAGE);
    let broker = bench.reborn(settings()).await;
    broker.look_at_images().await.expect("the engine answers");
    assert!(broker.entries()[0].update_ready());
}

#[tokio::test]
async fn an_image_that_is_gone_is_no_update_and_what_exists_starts_again() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    bench.engine.forget_image(IMAGE);
    bench.broker.look_at_images().await.expect("the engine answers");
    assert!(bench.broker.installed(&names().0).is_missing());
    assert!(!entry.update_ready());
    bench.broker.stop(&entry, StopReason::Owner, Next::Restart, &by()).await.expect("it runs");
    let mut watch = entry.watch();
    timeout(SOON, watch.wait_for(|session| session.state.kind() == StateKind::Ready && session.epoch == 2))
        .await
        .expect("soon")
        .expect("the entry lives");
    let other = bench.broker.create(&bench.ann, &names().0, "other".parse().expect("a name")).await;
    let other = other.expect("it may be created");
    let failed = until(&other, StateKind::Failed).await;
    assert_eq!(failure(&failed), FailReason::ImageMissing { image: IMAGE.to_owned() });
}

#[tokio::test]
async fn one_pull_serves_everybody_who_asks_and_is_audited() {
    let bench = Bench::new(settings()).await;
    let entry = bench.ready().await;
    let (open, gate) = watch::channel(false);
    bench.engine.set_registry(Registry::Stalls(gate));
    for _ in 0..3 {
        bench.broker.pull(&names().0, &by()).expect("it may be fetched");
    }
    eventually("it is under way", || matches!(pull_state(&bench), Some(Pull::Running(_)))).await;
    let Some(Pull::Running(progress)) = pull_state(&bench) else { panic!("it stalls") };
    assert_eq!((progress.bytes, progress.total_bytes), (50, 100));
    open.send(true).expect("somebody waits");
    eventually("it is done", || matches!(pull_state(&bench), Some(Pull::Done { .. }))).await;
    assert_eq!(bench.engine.calls().pull, 1);
    assert!(entry.update_ready(), "known as soon as it is said to be done");
    let lines = audited(&bench, "image_pulled").await;
    assert_eq!(lines.len(), 1);
    assert_eq!((&lines[0]["actor"], &lines[0]["image"]), (&"ann".into(), &IMAGE.into()));
    assert!(lines[0]["id"].as_str().expect("an id").starts_with("sha256:"));
}

#[tokio::test]
async fn a_pull_that_fails_says_it_in_the_engines_words_and_may_be_repeated() {
    let bench = Bench::new(settings()).await;
    bench.engine.set_registry(Registry::Refuses("manifest unknown".to_owned()));
    bench.broker.pull(&names().0, &by()).expect("it may be tried");
    eventually("it failed", || matches!(pull_state(&bench), Some(Pull::Failed { .. }))).await;
    let Some(Pull::Failed { detail, .. }) = pull_state(&bench) else { panic!("it failed") };
    assert_eq!(detail, "manifest unknown");
    assert_eq!(audited(&bench, "image_not_pulled").await[0]["detail"], "manifest unknown");
    bench.engine.set_registry(Registry::Gives);
    bench.broker.pull(&names().0, &by()).expect("it may be tried again");
    eventually("it is done", || matches!(pull_state(&bench), Some(Pull::Done { .. }))).await;
    assert_eq!(
        bench.broker.pull(&"unheard-of".parse().expect("a name"), &by()),
        Err(PullError::TemplateUnknown)
    );
}

/// A public registry may have something else under the name of an image that is made here.
#[tokio::test]
async fn what_is_built_here_is_never_fetched() {
    let mut own = template(names().0, Protocol::Rfb);
    own.image = "berth/desktop".to_owned();
    own.pull = PullPolicy::Daily;
    let engine = FakeEngine::new([own.clone()]);
    engine.forget_image(&own.image);
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().expect("a store in memory"));
    let audit = Audit::new(store.clone());
    let broker = Broker::new(store, Arc::new(engine.clone()), audit, [own], settings(), Tasks::new());
    broker.look_at_images().await.expect("the engine answers");
    broker.pull_due();
    let refused = broker.pull(&names().0, &by());
    let command = "images/build desktop".to_owned();
    assert_eq!(refused, Err(PullError::BuiltHere { image: "berth/desktop".to_owned(), command }));
    assert_eq!(engine.calls().pull, 0);
}

#[tokio::test]
async fn a_missing_image_is_fetched_by_itself_where_the_template_says_so() {
    for (policy, fetched) in [(PullPolicy::Never, 0), (PullPolicy::Missing, 1), (PullPolicy::Daily, 1)] {
        let mut wanted = template(names().0, Protocol::Rfb);
        wanted.pull = policy;
        let engine = FakeEngine::new([wanted.clone()]);
        engine.forget_image(&wanted.image);
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().expect("a store in memory"));
        let audit = Audit::new(store.clone());
        let broker =
            Broker::new(store, Arc::new(engine.clone()), audit, [wanted.clone()], settings(), Tasks::new());
        broker.pull_due();
        assert_eq!(engine.calls().pull, 0, "nobody knows yet whether it is there");
        broker.look_at_images().await.expect("the engine answers");
        broker.pull_due();
        let ended = || broker.pull_of(&wanted).is_none_or(|pull| !pull.is_under_way());
        eventually("it is done", ended).await;
        broker.pull_due();
        assert_eq!(engine.calls().pull, fetched, "{policy:?}: once is enough");
    }
}

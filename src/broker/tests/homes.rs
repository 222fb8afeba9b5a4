//! Homes: one writer each, measured, set aside, gone with their session.

use super::*;
use crate::session::{CopyName, Home, HomeKey, HomeLevel, HomeUse};

const MIB: u64 = 1024 * 1024;

/// A bench whose two templates keep their files: one per owner, one per session.
struct Homes {
    bench: Bench,
}

impl Homes {
    async fn new() -> Self {
        let templates = templates();
        let engine = FakeEngine::new(templates.clone());
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().expect("a store in memory"));
        let ann = User { name: "ann".into(), ..sample_user() };
        store.insert_user(&ann).await.expect("a new user");
        let broker = over(&store, &engine);
        Self { bench: Bench { broker, engine, store, ann } }
    }

    async fn create(&self, template: &str, name: &str) -> Result<Arc<Entry>, BrokerError> {
        let name = name.parse().expect("a name");
        self.bench.broker.create(&self.bench.ann, &template.parse().expect("a name"), name).await
    }

    async fn ready(&self, template: &str, name: &str) -> Arc<Entry> {
        let entry = self.create(template, name).await.expect("it may be created");
        until(&entry, StateKind::Ready).await;
        entry
    }

    async fn rest(&self, entry: &Arc<Entry>) {
        self.broker().stop(entry, StopReason::Owner, Next::Rest, &by()).await.expect("it runs");
        until(entry, StateKind::Stopped).await;
    }

    fn broker(&self) -> &Broker {
        &self.bench.broker
    }

    fn running(&self) -> usize {
        let running = |c: &crate::engine::Container| c.status == crate::engine::ContainerStatus::Running;
        self.bench.engine.containers().iter().filter(|c| running(c)).count()
    }
}

fn templates() -> Vec<Template> {
    let of = |name: &str, home| Template { home, ..template(name.parse().expect("a name"), Protocol::Rfb) };
    vec![of("kept", Home::Persistent), of("own", Home::Session), of("bare", Home::Ephemeral)]
}

fn over(store: &Arc<dyn Store>, engine: &FakeEngine) -> Broker {
    let audit = Audit::new(store.clone());
    Broker::new(store.clone(), Arc::new(engine.clone()), audit, templates(), settings(), Tasks::new())
}

fn in_use_by(refused: Result<impl Sized, BrokerError>, entry: &Entry) {
    match refused {
        Err(BrokerError::HomeInUse { label, .. }) => assert_eq!(label, entry.label),
        Err(other) => panic!("refused otherwise: {other:?}"),
        Ok(_) => panic!("two sessions share a home"),
    }
}

/// A student had two desktops of one home open, and the browser's profile was damaged.
#[tokio::test]
async fn two_sessions_never_run_with_one_home() {
    let homes = Homes::new().await;
    let first = homes.ready("kept", "first").await;
    in_use_by(homes.create("kept", "second").await, &first);
    assert_eq!(homes.broker().entries().len(), 1, "nothing half-made is left");
    homes.ready("own", "third").await;
    homes.ready("bare", "fourth").await;

    homes.rest(&first).await;
    let second = homes.ready("kept", "second").await;
    in_use_by(homes.broker().start(&first, &by()).await, &second);
    in_use_by(homes.broker().acquire(&first, Intent::Open).await, &second);
    for next in [Next::Reset, Next::ResetHome, Next::Restart] {
        in_use_by(homes.broker().stop(&first, StopReason::Owner, next, &by()).await, &second);
    }
    assert_eq!(first.session().state.kind(), StateKind::Stopped);
    homes.broker().pause(&second, &by()).await.expect("it runs");
    in_use_by(homes.broker().start(&first, &by()).await, &second);
}

#[tokio::test]
async fn of_many_racing_starts_of_one_home_one_wins() {
    let homes = Homes::new().await;
    let first = homes.ready("kept", "first").await;
    homes.rest(&first).await;
    let second = homes.ready("kept", "second").await;
    homes.rest(&second).await;
    for _ in 0..10 {
        let (by, third) = (by(), homes.create("kept", "third"));
        let (a, b, c) =
            tokio::join!(homes.broker().start(&first, &by), homes.broker().start(&second, &by), third);
        let won = usize::from(a.is_ok()) + usize::from(b.is_ok()) + usize::from(c.is_ok());
        assert_eq!(won, 1);
        eventually("one of them runs", || homes.running() == 1).await;
        for entry in homes.broker().entries() {
            if entry.session().state.occupies() {
                until(&entry, StateKind::Ready).await;
                homes.rest(&entry).await;
            }
        }
        if let Ok(third) = c {
            homes.broker().stop(&third, StopReason::Owner, Next::Remove, &by).await.expect("it rests");
            eventually("it is gone", || homes.broker().entry(third.id).is_none()).await;
        }
    }
}

#[tokio::test]
async fn starting_one_instead_of_another_does_both() {
    let homes = Homes::new().await;
    let first = homes.ready("kept", "first").await;
    homes.rest(&first).await;
    let second = homes.ready("kept", "second").await;
    let reason = StopReason::Owner;
    homes.broker().start_instead(&first, &second, reason, &by()).await.expect("both may be done");
    until(&first, StateKind::Ready).await;
    assert_eq!(second.session().state, State::Stopped { reason });

    let stranger = homes.ready("own", "own").await;
    let refused = homes.broker().start_instead(&second, &stranger, reason, &by()).await;
    assert!(matches!(refused, Err(BrokerError::NotFound)), "{refused:?}");
    assert_eq!(stranger.session().state.kind(), StateKind::Ready);

    let wish = Wish::of("kept".parse().expect("a name"), "third".parse().expect("a name"));
    let ann = &homes.bench.ann;
    let third = homes.broker().create_instead(ann, wish, &first, &by()).await.expect("both may be done");
    until(&third, StateKind::Ready).await;
    assert_eq!(first.session().state.kind(), StateKind::Stopped);
}

/// Stopping one desktop and starting another at once was refused although the first was on its way.
#[tokio::test]
async fn a_start_waits_for_whoever_is_just_stopping() {
    let homes = Homes::new().await;
    let first = homes.ready("kept", "first").await;
    homes.broker().stop(&first, StopReason::Owner, Next::Rest, &by()).await.expect("it runs");
    homes.ready("kept", "second").await;
    assert_eq!(first.session().state.kind(), StateKind::Stopped);
}

/// What the broker does not know of is caught by the engine.
#[tokio::test]
async fn the_engine_refuses_what_a_second_store_would_allow() {
    let homes = Homes::new().await;
    let template = "kept".parse().expect("a name");
    let order = StartOrder { owner: homes.bench.ann.id, ..crate::engine::contract::order(&template, 1) };
    homes.bench.engine.start(&order).await.expect("it is the first");
    let entry = homes.create("kept", "mine").await.expect("the broker knows of nobody");
    let failed = until(&entry, StateKind::Failed).await;
    assert_eq!(failure(&failed), FailReason::HomeInUse);
}

#[tokio::test]
async fn a_session_s_own_home_goes_with_it_and_an_owner_s_stays() {
    let homes = Homes::new().await;
    let (kept, own) = (homes.ready("kept", "kept").await, homes.ready("own", "own").await);
    let (of_ann, of_own) = (HomeKey::Owner(homes.bench.ann.id), HomeKey::Session(own.id));
    assert_eq!(homes.bench.engine.homes(), [of_ann, of_own]);
    homes.broker().stop(&own, StopReason::Owner, Next::Reset, &by()).await.expect("it runs");
    until(&own, StateKind::Ready).await;
    assert_eq!(homes.bench.engine.homes(), [of_ann, of_own], "a reset keeps it");
    for entry in [kept, own] {
        homes.broker().stop(&entry, StopReason::Owner, Next::Remove, &by()).await.expect("it runs");
        eventually("it is gone", || homes.broker().entry(entry.id).is_none()).await;
    }
    assert_eq!(homes.bench.engine.homes(), [of_ann]);
}

/// A gateway whose record was lost left homes behind that nobody would ever open again.
#[tokio::test]
async fn homes_of_unknown_sessions_are_removed_when_met_twice() {
    let homes = Homes::new().await;
    let installation = homes.bench.store.installation();
    for (installation, template) in
        [(installation.clone(), "own"), (installation, "kept"), ("other".into(), "own")]
    {
        let template = template.parse().expect("a name");
        let order = StartOrder { installation, ..crate::engine::contract::order(&template, 1) };
        homes.bench.engine.start(&order).await.expect("it starts");
        homes.bench.engine.remove(order.session).await.expect("it is removed");
    }
    let own = homes.ready("own", "own").await;
    let mut unknown = HashSet::new();
    assert_eq!(homes.broker().sweep_homes(&mut unknown).await.expect("it answers"), 1);
    assert_eq!(homes.bench.engine.homes().len(), 4);
    assert_eq!(homes.broker().sweep_homes(&mut unknown).await.expect("it answers"), 0);
    assert_eq!(homes.bench.engine.homes().len(), 3);
    assert!(homes.bench.engine.homes().contains(&HomeKey::Session(own.id)));
}

#[tokio::test]
async fn a_home_is_set_aside_and_put_back() {
    let homes = Homes::new().await;
    let entry = homes.ready("kept", "mine").await;
    let key = HomeKey::Owner(homes.bench.ann.id);
    homes.broker().stop(&entry, StopReason::Owner, Next::ResetHome, &by()).await.expect("it runs");
    until(&entry, StateKind::Ready).await;
    assert_eq!(homes.bench.engine.calls().aside, 1);
    let known = homes.broker().homes(std::slice::from_ref(&homes.bench.ann));
    let listed = homes.broker().look_at_homes(known).await;
    let copies = listed[0].copies.clone().expect("the engine says");
    assert_eq!(copies.len(), 1);

    let ann = &homes.bench.ann;
    in_use_by(homes.broker().restore_home(ann, &copies[0], &by()).await, &entry);
    homes.rest(&entry).await;
    let nowhere: CopyName = "19700101-000000".parse().expect("a copy's name");
    let refused = homes.broker().restore_home(ann, &nowhere, &by()).await;
    assert!(matches!(refused, Err(BrokerError::CopyUnknown(_))), "{refused:?}");
    homes.broker().restore_home(ann, &copies[0], &by()).await.expect("nobody uses it");
    assert!(homes.bench.engine.homes().contains(&key));
    homes.broker().start(&entry, &by()).await.expect("it is free again");
    until(&entry, StateKind::Ready).await;
}

/// A list of a hundred homes waited a hundred times for an engine that was not there.
#[tokio::test]
async fn an_engine_that_does_not_answer_is_not_asked_for_every_home() {
    let homes = Homes::new().await;
    let user = |number| User { name: format!("user {number:02}"), ..sample_user() };
    let users: Vec<User> = (0..40).map(user).collect();
    let names = |listed: Vec<crate::broker::HomeListed>| {
        listed.into_iter().map(|home| (home.owner, home.copies.is_some())).collect::<Vec<_>>()
    };
    let expected = |known| users.iter().map(|user| (user.name.clone(), known)).collect::<Vec<_>>();
    let broker = homes.broker();
    assert_eq!(names(broker.look_at_homes(broker.homes(&users)).await), expected(true), "in their order");
    let asked = homes.bench.engine.calls().copies;
    assert_eq!(asked, 40);
    homes.bench.engine.set_down(true);
    assert_eq!(names(broker.look_at_homes(broker.homes(&users)).await), expected(false));
    let more = homes.bench.engine.calls().copies - asked;
    assert!((1..=8).contains(&more), "{more} questions");
}

/// What is in the home becomes a copy too, and copies beyond the usual number were removed then: at
/// the second attempt that was the one to be put back, and the home was left empty.
#[tokio::test]
async fn the_copy_that_is_put_back_never_makes_room() {
    let homes = Homes::new().await;
    let entry = homes.ready("kept", "mine").await;
    homes.broker().stop(&entry, StopReason::Owner, Next::ResetHome, &by()).await.expect("it runs");
    until(&entry, StateKind::Ready).await;
    homes.rest(&entry).await;
    let ann = &homes.bench.ann;
    let copies = async || {
        let known = homes.broker().homes(std::slice::from_ref(ann));
        let listed = homes.broker().look_at_homes(known).await;
        listed[0].copies.clone().expect("the engine says")
    };
    let first = copies().await.remove(0);
    for _ in 0..5 {
        homes.broker().restore_home(ann, &first, &by()).await.expect("the copy is there");
    }
    assert!(copies().await.contains(&first));
}

#[tokio::test]
async fn a_home_that_cannot_be_set_aside_stays_as_it_is() {
    let homes = Homes::new().await;
    let entry = homes.ready("kept", "mine").await;
    homes.bench.engine.refuse_copies();
    homes.broker().stop(&entry, StopReason::Owner, Next::ResetHome, &by()).await.expect("it runs");
    let failed = until(&entry, StateKind::Failed).await;
    assert!(matches!(failure(&failed), FailReason::HomeKept { detail } if detail.contains("no space")));
    homes.broker().start(&entry, &by()).await.expect("it goes on with its files");
    until(&entry, StateKind::Ready).await;
}

/// The gateway is killed while a home is being set aside.
#[tokio::test]
async fn setting_aside_is_taken_up_after_a_restart() {
    let homes = Homes::new().await;
    let entry = homes.ready("kept", "mine").await;
    homes.bench.engine.set_down(true);
    homes.broker().stop(&entry, StopReason::Owner, Next::ResetHome, &by()).await.expect("it is stored");
    homes.broker().0.tasks.stopping().cancel();
    homes.bench.engine.set_down(false);
    let broker = over(&homes.bench.store, &homes.bench.engine);
    broker.recover().await.expect("the store answers");
    let entry = broker.entry(entry.id).expect("it is known");
    until(&entry, StateKind::Ready).await;
    assert_eq!(homes.bench.engine.calls().aside, 1);
}

#[tokio::test]
async fn a_full_home_is_known_to_its_owner() {
    let homes = Homes::new().await;
    let (kept, bare) = (homes.ready("kept", "kept").await, homes.ready("bare", "bare").await);
    let key = HomeKey::Owner(homes.bench.ann.id);
    assert_eq!(homes.broker().home(&bare), None);
    assert_eq!(homes.broker().home(&kept).expect("it has one").usage, None);
    let mut changes = homes.broker().changes();
    for (used, level) in [(50, HomeLevel::Fine), (95, HomeLevel::Warn), (100, HomeLevel::Full)] {
        let limit_bytes = Some(100 * MIB);
        let usage = HomeUse { used_bytes: used * MIB, limit_bytes, free_bytes: 1000 * MIB };
        homes.bench.engine.fill_home(key, usage);
        homes.broker().measure_homes(true).await.expect("the engine answers");
        let view = homes.broker().home(&kept).expect("it has one");
        assert_eq!((view.usage, view.level), (Some(usage), level));
        let told = changes.try_recv().expect("followers are told");
        assert!(matches!(told, Change::Changed(session) if session.id == kept.id));
    }
    let asked = homes.bench.engine.calls().measure;
    homes.broker().measure_homes(false).await.expect("the engine answers");
    assert_eq!(homes.bench.engine.calls().measure, asked, "nothing began or ended since");
    homes.rest(&kept).await;
    homes.broker().measure_homes(false).await.expect("the engine answers");
    assert_eq!(homes.bench.engine.calls().measure, asked + 1);
}

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::audit::Audit;
use crate::auth::import::{RowOutcome, sheet};
use crate::auth::{self, NewUser};
use crate::broker::{self, BrokerError, Entry};
use crate::engine::fake::{FakeEngine, template};
use crate::fault::Answer;
use crate::secret::Secret;
use crate::session::{Home, HomeKey, Next, Protocol, StateKind, StopReason, Template, UserId};
use crate::store::Role;
use crate::store::sqlite::SqliteStore;
use crate::tasks::Tasks;

struct Desk {
    auth: Arc<Auth>,
    broker: Broker,
    engine: FakeEngine,
    store: Arc<dyn Store>,
}

impl Desk {
    async fn new() -> Self {
        let of = |name: &str, home| Template { home, ..template(name.parse().unwrap(), Protocol::Rfb) };
        let templates = [of("kept", Home::Persistent), of("own", Home::Session)];
        let engine = FakeEngine::new(templates.clone());
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().unwrap());
        let audit = Audit::new(store.clone());
        let settings = auth::Settings { refusal_floor: Duration::ZERO, ..auth::Settings::default() };
        let auth = Arc::new(Auth::new(store.clone(), audit.clone(), settings));
        let broker = Broker::new(
            store.clone(),
            Arc::new(engine.clone()),
            audit,
            templates,
            broker::Settings::default(),
            Tasks::new(),
        );
        let desk = Self { auth, broker, engine, store };
        desk.user("root", Role::Admin).await;
        desk
    }

    async fn user(&self, name: &str, role: Role) -> User {
        let password = Secret::new("a fine password".to_owned());
        let new = NewUser { name: name.to_owned(), role, password };
        self.auth.create_user(&Actor::cli(), new).await.unwrap()
    }

    async fn ready(&self, owner: &User, template: &str) -> Arc<Entry> {
        let name = format!("my {template}").parse().unwrap();
        let entry = self.broker.create(owner, &template.parse().unwrap(), name).await.unwrap();
        entry.watch().wait_for(|session| session.state.kind() == StateKind::Ready).await.unwrap();
        entry
    }

    async fn remove(&self, user: &User, fate: HomeFate) -> Result<Removed, RemovalError> {
        remove(&self.auth, &self.broker, &Actor::cli(), user, fate).await
    }
}

#[tokio::test]
async fn what_a_removal_does_is_what_was_said_before() {
    for fate in [HomeFate::Keep, HomeFate::Remove] {
        let desk = Desk::new().await;
        let ann = desk.user("ann", Role::User).await;
        assert_eq!(outlook(&desk.broker, &ann).await, Outlook { home_known: true, ..Outlook::default() });
        desk.ready(&ann, "kept").await;
        let own = desk.ready(&ann, "own").await;
        desk.broker.stop(&own, StopReason::Owner, Next::Rest, &Actor::cli()).await.unwrap();
        desk.broker.ended(&own).await;
        let person = Person::of(&desk.broker, ann.clone());
        assert_eq!((person.sessions, person.running), (2, 1));

        let said = outlook(&desk.broker, &ann).await;
        let place = said.home.clone().expect("she has a home");
        assert_eq!((said.sessions.len(), said.running, said.own_homes), (2, 1, 1));
        let removed = desk.remove(&ann, fate).await.unwrap();
        let kept = (fate == HomeFate::Keep).then_some(place);
        assert_eq!(removed, Removed { sessions: 2, kept });
        let homes = desk.engine.homes();
        assert_eq!(homes.contains(&HomeKey::Owner(ann.id)), fate == HomeFate::Keep, "{fate:?}");
        assert!(!homes.contains(&HomeKey::Session(own.id)));
        assert!(desk.engine.containers().is_empty());
        assert!(matches!(find(&*desk.store, "ann").await, Err(AuthError::UserUnknown)));
    }
}

#[tokio::test]
async fn the_last_administrator_is_kept_whole_and_a_removal_can_be_done_again() {
    let desk = Desk::new().await;
    let root = find(&*desk.store, "ROOT").await.unwrap();
    let entry = desk.ready(&root, "kept").await;
    let refused = desk.remove(&root, HomeFate::Remove).await;
    assert!(matches!(refused, Err(RemovalError::Auth(AuthError::LastAdmin))), "{refused:?}");
    assert_eq!(entry.session().state.kind(), StateKind::Ready);
    assert!(!find(&*desk.store, "root").await.unwrap().disabled);

    let ann = desk.user("ann", Role::User).await;
    desk.ready(&ann, "kept").await;
    let place = desk.broker.owner_home_place(&ann).await.unwrap();
    assert!(place.is_some());
    let in_use = desk.broker.remove_owner_home(&ann, &Actor::cli()).await;
    assert!(matches!(in_use, Err(BrokerError::HomeInUse { .. })), "{in_use:?}");
    desk.auth.disable_user(&Actor::cli(), ann.id).await.unwrap();
    desk.remove(&ann, HomeFate::Keep).await.unwrap();
    assert!(matches!(
        desk.remove(&ann, HomeFate::Keep).await,
        Err(RemovalError::Auth(AuthError::UserUnknown))
    ));
}

#[tokio::test]
async fn a_removal_that_fails_at_the_home_or_is_refused_is_told_with_the_reason() {
    let desk = Desk::new().await;
    let ann = desk.user("ann", Role::User).await;
    let root = find(&*desk.store, "root").await.unwrap();
    desk.engine.set_down(true);
    let failed = desk.remove(&ann, HomeFate::Remove).await.unwrap_err();
    assert!(matches!(failed, RemovalError::Broker(BrokerError::Engine(_))), "{failed:?}");
    desk.remove(&root, HomeFate::Keep).await.unwrap_err();

    let lines = desk.store.audit(0, 1000).await.unwrap();
    let lines = lines.iter().map(|line| serde_json::from_str(&line.body).unwrap());
    let told: Vec<serde_json::Value> =
        lines.filter(|line: &serde_json::Value| line["event"] == "user_refused").collect();
    let of = |index: usize| {
        ["change", "target", "outcome", "code"].map(|name| told[index][name].as_str().unwrap())
    };
    assert_eq!(of(0), ["remove", "ann", "failed", failed.code()]);
    assert_eq!(of(1), ["remove", "root", "refused", "last_admin"]);
    assert_eq!((told.len(), &told[0]["detail"]), (2, &failed.to_string().into()));
}

#[tokio::test]
async fn an_import_is_carried_out_once_and_its_passwords_are_handed_out_once() {
    let desk = Desk::new().await;
    let (imports, tasks, by) = (Imports::default(), Tasks::new(), UserId::random());
    let rows = sheet::read(b"name,password\nann,\nbob,a fine password\nroot,\n").unwrap();
    let planned = desk.auth.plan_import(rows, None).await.unwrap();
    let import = imports.hold(by, planned);
    assert!(imports.find(import.id, UserId::random()).is_none(), "it is somebody else's");
    assert!(matches!(imports.find(import.id, by).unwrap().progress(), Progress::Shown));
    assert!(import.take_passwords().is_none());
    assert!(import.begin(desk.auth.clone(), Actor::cli(), &tasks));
    assert!(!import.begin(desk.auth.clone(), Actor::cli(), &tasks), "once");
    import.ended().await;
    let Progress::Ended { results, passwords: 1 } = import.progress() else {
        panic!("{:?}", import.progress())
    };
    let outcomes: Vec<_> = results.iter().map(|result| result.outcome.name()).collect();
    assert_eq!(outcomes, ["created", "created", "exists"]);
    assert_eq!(results[0].outcome, RowOutcome::Created { password: None }, "not with the results");
    let made = import.take_passwords().unwrap();
    assert_eq!(made[0].0, "ann");
    assert!(import.take_passwords().is_none(), "nobody gets them twice");
    assert_eq!(import.id.to_string().parse(), Ok(import.id));
}

#[tokio::test(start_paused = true)]
async fn trial_runs_are_forgotten_in_time_and_never_many() {
    let imports = Imports::default();
    let by = UserId::random();
    let first = imports.hold(by, Vec::new()).id;
    for _ in 0..30 {
        let _ = imports.hold(by, Vec::new());
    }
    assert!(imports.find(first, by).is_none(), "the oldest made room");
    let last = imports.hold(by, Vec::new()).id;
    assert!(imports.find(last, by).is_some());
    tokio::time::advance(Duration::from_secs(3601)).await;
    assert!(imports.find(last, by).is_none());
}

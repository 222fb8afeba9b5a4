//! Clients' sessions over a fake engine.

use std::net::Ipv4Addr;

use futures_util::future::join_all;

use super::*;
use crate::audit::Audit;
use crate::auth::{self, AuthError, NewLink};
use crate::broker;
use crate::engine::fake::{FakeEngine, template};
use crate::fault::Answer;
use crate::session::{Label, Protocol, SessionId, StateKind, Template};
use crate::store::sqlite::SqliteStore;
use crate::tasks::Tasks;

struct Bench {
    kiosk: Kiosk,
    broker: Broker,
    auth: Arc<Auth>,
    store: Arc<dyn Store>,
}

impl Bench {
    fn new(home: Home, places: usize) -> Self {
        let kiosk = Template { home, ..template("kiosk".parse().unwrap(), Protocol::Rfb) };
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().unwrap());
        let audit = Audit::new(store.clone());
        let settings =
            broker::Settings { max_sessions: places, max_parallel_starts: 50, ..broker::Settings::default() };
        let broker = Broker::new(
            store.clone(),
            Arc::new(FakeEngine::new(vec![kiosk.clone()])),
            audit.clone(),
            vec![kiosk],
            settings,
            Tasks::new(),
        );
        let auth = Arc::new(Auth::new(store.clone(), audit, auth::Settings::default()));
        let kiosk = Kiosk::new(broker.clone(), auth.clone(), store.clone(), Settings::default());
        Self { kiosk, broker, auth, store }
    }

    async fn link(&self, action: LinkAction, uses: u32) -> String {
        let new = NewLink { action, lasts: NewLink::LASTS, uses };
        let (_, secret) = self.auth.create_link(&by(), new).await.unwrap();
        secret.expose().clone()
    }

    async fn audited(&self, event: &str) -> usize {
        let needle = format!("\"event\":\"{event}\"");
        let lines = self.store.audit(0, 1000).await.unwrap();
        lines.iter().filter(|line| line.body.contains(&needle)).count()
    }
}

fn by() -> Actor {
    Actor::user("token", Ipv4Addr::LOCALHOST.into())
}

fn client(id: &str) -> ClientId {
    id.parse().unwrap()
}

fn visitor() -> Visitor {
    Visitor { address: Ipv4Addr::LOCALHOST.into(), user_agent: "test".to_owned() }
}

async fn until(entry: &Entry, state: StateKind) {
    entry.watch().wait_for(|session| session.state.kind() == state).await.unwrap();
}

/// Ids are compared as they came, and labels say nothing of them.
#[tokio::test]
async fn every_id_has_a_session_of_its_own_under_a_label_that_says_nothing() {
    let bench = Bench::new(Home::Ephemeral, 100);
    let long = "x".repeat(300);
    let ids = [
        "kiosk", "Kiosk", "KIOSK", " kiosk", "kiosk ", "kіosk", "a/b", "a%2Fb", "a.b", "../..", "é",
        "e\u{301}", "\0", &long,
    ];
    let mut labels = std::collections::HashSet::new();
    for id in ids {
        let entry = bench.kiosk.access(&client(id), &by()).await.unwrap();
        assert_eq!(entry.session().client.as_ref().unwrap().as_str(), id);
        assert!(Label::check(entry.label.as_str()).is_ok() && !entry.label.as_str().contains("kiosk"));
        assert!(labels.insert(entry.label.clone()), "{id}");
        let again = bench.kiosk.access(&client(id), &by()).await.unwrap();
        assert_eq!(again.id, entry.id, "{id}");
    }
    assert_eq!(bench.broker.clients().len(), ids.len(), "no bound per user is theirs");
}

#[tokio::test]
async fn fifty_who_ask_at_once_share_one_session() {
    let bench = Bench::new(Home::Ephemeral, 100);
    let asked = (0..50).map(|_| {
        let kiosk = bench.kiosk.clone();
        async move { kiosk.access(&client("one"), &by()).await.map(|entry| entry.id) }
    });
    let ids: Vec<SessionId> = join_all(asked).await.into_iter().map(|id| id.unwrap()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(bench.broker.clients().len(), 1);
}

#[tokio::test]
async fn removing_ends_clients_sessions_and_nobody_elses() {
    let bench = Bench::new(Home::Ephemeral, 100);
    let (one, two) = (client("one"), client("two"));
    let first = bench.kiosk.access(&one, &by()).await.unwrap();
    until(&first, StateKind::Ready).await;
    bench.kiosk.access(&two, &by()).await.unwrap();
    let new = auth::NewUser {
        name: "ann".to_owned(),
        role: Role::User,
        password: Secret::new("a fine password".to_owned()),
    };
    let ann = bench.auth.create_user(&by(), new).await.unwrap();
    let hers = bench.broker.create(&ann, &"kiosk".parse().unwrap(), "one".parse().unwrap()).await.unwrap();

    assert!(bench.kiosk.remove(&one, &by()).await.unwrap());
    assert!(bench.broker.entry(first.id).is_none(), "it is gone when that is answered");
    assert!(!bench.kiosk.remove(&one, &by()).await.unwrap());
    let anew = bench.kiosk.access(&one, &by()).await.unwrap();
    assert_ne!(anew.id, first.id);
    assert_eq!(bench.kiosk.remove_all(&by()).await.unwrap(), 2);
    assert!(bench.broker.clients().is_empty());
    assert!(bench.broker.entry(hers.id).is_some());
}

#[tokio::test]
async fn what_stands_in_the_way_is_said() {
    let bench = Bench::new(Home::Ephemeral, 1);
    bench.kiosk.access(&client("one"), &by()).await.unwrap();
    let full = bench.kiosk.access(&client("two"), &by()).await.unwrap_err();
    assert_eq!((full.code(), full.retry_after().is_some()), ("full", true));
    let shared = Bench::new(Home::Persistent, 9).kiosk.access(&client("one"), &by()).await.unwrap_err();
    assert_eq!(shared.code(), "home_shared");
    let settings = Settings { template: "other".parse().unwrap(), ..Settings::default() };
    let other = Kiosk::new(bench.broker.clone(), bench.auth.clone(), bench.store.clone(), settings);
    let none = other.access(&client("three"), &by()).await.unwrap_err();
    assert!(none.public().contains("compat.template"), "{}", none.public());
}

/// Fifty browsers follow one link at once: one of them is let in.
#[tokio::test]
async fn a_link_is_used_once_however_many_come() {
    let bench = Bench::new(Home::Ephemeral, 100);
    let secret = bench.link(LinkAction::Access(client("one")), 1).await;
    let follow = (0..50).map(|_| {
        let (kiosk, secret) = (bench.kiosk.clone(), secret.clone());
        async move { kiosk.follow_link(&secret, &visitor()).await.map(|_| ()) }
    });
    let done = join_all(follow).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
    assert!(done.iter().flat_map(|done| done.as_ref().err()).all(|error| error.code() == "link_invalid"));
    assert_eq!((bench.audited("link_used").await, bench.audited("link_refused").await), (1, 1));
    assert!(matches!(bench.auth.look_at_link(&secret).await, Err(AuthError::LinkInvalid)));
}

#[tokio::test]
async fn a_link_that_could_not_be_followed_is_good_again() {
    let bench = Bench::new(Home::Ephemeral, 1);
    bench.kiosk.access(&client("one"), &by()).await.unwrap();
    let secret = bench.link(LinkAction::Access(client("two")), 1).await;
    assert_eq!(bench.kiosk.follow_link(&secret, &visitor()).await.unwrap_err().code(), "full");
    bench.kiosk.remove(&client("one"), &by()).await.unwrap();
    assert!(matches!(bench.kiosk.follow_link(&secret, &visitor()).await, Ok(Followed::Access { .. })));
    assert_eq!(bench.kiosk.follow_link(&secret, &visitor()).await.unwrap_err().code(), "link_invalid");
}

#[tokio::test]
async fn links_are_bounded_listed_and_taken_back() {
    let bench = Bench::new(Home::Ephemeral, 1);
    for (lasts, uses) in [
        (Duration::ZERO, 1),
        (Duration::from_hours(24 * 367), 1),
        (NewLink::LASTS, 0),
        (NewLink::LASTS, 10_001),
    ] {
        let new = NewLink { action: LinkAction::RemoveAll, lasts, uses };
        assert_eq!(bench.auth.create_link(&by(), new).await.unwrap_err().code(), "link_unfit");
    }
    let secret = bench.link(LinkAction::RemoveAll, 3).await;
    let listed = bench.auth.links().await.unwrap();
    assert_eq!((listed.len(), listed[0].uses, listed[0].created_by.as_str()), (1, 3, "token"));
    assert!(bench.auth.revoke_link(&by(), listed[0].id).await.unwrap());
    assert!(!bench.auth.revoke_link(&by(), listed[0].id).await.unwrap());
    assert_eq!(bench.kiosk.follow_link(&secret, &visitor()).await.unwrap_err().code(), "link_invalid");
    assert_eq!((bench.audited("link_created").await, bench.audited("link_revoked").await), (1, 1));
}

/// A ticket lets one browser into one session; the login it gets opens nothing else.
#[tokio::test]
async fn a_ticket_lets_one_browser_into_one_session() {
    let bench = Bench::new(Home::Ephemeral, 9);
    let one = bench.kiosk.access(&client("one"), &by()).await.unwrap();
    let two = bench.kiosk.access(&client("two"), &by()).await.unwrap();
    let ticket = bench.kiosk.ticket(&one, &visitor()).await.unwrap();
    let wrong = bench.kiosk.redeem(ticket.expose(), &two, &visitor()).await.unwrap_err();
    assert_eq!(wrong.code(), "ticket_invalid");
    let spent = bench.kiosk.redeem(ticket.expose(), &one, &visitor()).await.unwrap_err();
    assert_eq!(spent.code(), "ticket_invalid", "it is used up even if it is refused");

    let ticket = bench.kiosk.ticket(&one, &visitor()).await.unwrap();
    let login = bench.kiosk.redeem(ticket.expose(), &one, &visitor()).await.unwrap();
    assert_eq!(login.principal.session, Some(one.id));
    assert!(auth::policy::use_portal(&login.principal).is_err());
    assert!(bench.auth.mint(&login.principal, one.id).await.is_err(), "that is for people");
    assert!(bench.auth.mint_onward(&login.principal, two.id).await.is_err());
    assert!(
        bench.auth.mint_onward(&login.principal, one.id).await.is_ok(),
        "its own host, in subdomain mode"
    );
    assert_eq!(bench.audited("entry_given").await, 1);

    // A ticket for the session's own host hangs on the login, and would outlive it here.
    let other = bench.auth.mint_onward(&login.principal, one.id).await.unwrap();
    let refused = bench.kiosk.redeem(other.expose(), &one, &visitor()).await.unwrap_err();
    assert_eq!(refused.code(), "ticket_invalid");
}

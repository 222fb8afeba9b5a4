//! Sessions that are opened by others than their owner: who may, who is seen, and how it ends.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use berth::audit::Actor;
use berth::auth::Visitor;
use berth::broker::{Change, Share, ShareError};
use berth::secret::Secret;
use berth::session::{GrantRole, InputSource, Next, StateKind, StopReason, ViewerRole};
use berth::store::Role;
use tokio::time::{Instant, timeout};

use super::rfb::{KEY, connect, connect_as, desktop};
use super::support::{Guest, HOST, ORIGIN, Stand, UPGRADE, eventually, says};

const HERE: [u8; 4] = [192, 0, 2, 9];

/// The answer's status when somebody asks for the viewer's WebSocket.
async fn asks(stand: &Stand, cookie: &str) -> String {
    let root = stand.root();
    let head = format!(
        "GET {root}/rfb HTTP/1.1\r\nhost: {HOST}\r\norigin: {ORIGIN}\r\ncookie: {cookie}\r\n{UPGRADE}\r\n"
    );
    let mut stream = stand.connect();
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
    let answer = super::support::read_head(&mut stream).await.unwrap();
    answer.split(' ').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn a_grant_opens_a_desktop_by_path_and_on_its_own_host() {
    for stand in
        [Stand::desktop(desktop(Arc::default())).await, Stand::desktop_on_host(desktop(Arc::default())).await]
    {
        for (name, role) in [("bob", GrantRole::Helper), ("carol", GrantRole::Observer)] {
            let guest = stand.guest(name, role, None).await;
            let mut viewer = connect_as(&stand, &guest.cookie).await;
            viewer.open().await;
            let watching = stand.entry.watching();
            assert_eq!((watching.len(), watching[0].name.as_str()), (1, name));
            assert_eq!(watching[0].role, ViewerRole::from(role));
            stand.broker.withdraw(&stand.entry, guest.grant, Actor::cli()).await.unwrap();
            assert_eq!(viewer.close_code().await, Some(4403));
            assert_eq!(asks(&stand, &guest.cookie).await, "404", "like a missing session");
            eventually(|| stand.entry.viewers() == 0).await;
        }
    }
}

#[tokio::test]
async fn nobody_opens_it_without_a_grant_not_even_an_administrator() {
    let stand = Stand::desktop(desktop(Arc::default())).await;
    for (name, role) in [("eve", Role::User), ("root", Role::Admin)] {
        let cookie = stand.log_in(name, role).await;
        assert_eq!(asks(&stand, &cookie).await, "404", "{name}");
    }
    assert_eq!(stand.entry.viewers(), 0);
}

#[tokio::test]
async fn a_helpers_keys_arrive_and_count_an_observers_presence_does_not() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let stand = Stand::desktop(desktop(heard.clone())).await;
    let (bob, carol) = (
        stand.guest("bob", GrantRole::Helper, None).await,
        stand.guest("carol", GrantRole::Observer, None).await,
    );
    let mut watcher = connect_as(&stand, &carol.cookie).await;
    watcher.open().await;
    assert_eq!(stand.entry.last_input().1, InputSource::Open, "watching is no input");
    let mut helper = connect_as(&stand, &bob.cookie).await;
    helper.open().await;
    assert_eq!(helper.hear(200_000).await.len(), 200_000);
    let watched = heard.lock().unwrap().len();
    helper.say(&KEY).await;
    eventually(|| heard.lock().unwrap().len() > watched && heard.lock().unwrap().ends_with(&KEY)).await;
    assert_eq!(stand.entry.last_input().1, InputSource::Key);
}

#[tokio::test]
async fn a_guest_wakes_nothing() {
    let stand = Stand::desktop(desktop(Arc::default())).await;
    let bob = stand.guest("bob", GrantRole::Helper, None).await;
    stand.broker.pause(&stand.entry).await.unwrap();
    assert_eq!(asks(&stand, &bob.cookie).await, "503");
    // Not even when their browser says that they navigate.
    let (root, cookie) = (stand.root(), &bob.cookie);
    let raw = format!(
        "GET {root}/rfb HTTP/1.1\r\nhost: {HOST}\r\norigin: {ORIGIN}\r\ncookie: {cookie}\r\nsec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\n{UPGRADE}\r\n"
    );
    assert!(stand.exchange(&raw).await.contains("x-outcome: at_rest"));
    assert_eq!(stand.entry.session().state.kind(), StateKind::Paused);
}

#[tokio::test]
async fn who_watches_is_listed_told_and_audited() {
    let stand = Stand::desktop(desktop(Arc::default())).await;
    let bob = stand.guest("bob", GrantRole::Observer, None).await;
    let mut first = connect(&stand).await;
    first.open().await;
    let mut second = connect(&stand).await;
    second.open().await;
    let mut changes = stand.broker.changes();
    let joined_at = Instant::now();
    let mut viewer = connect_as(&stand, &bob.cookie).await;
    let change = timeout(Duration::from_secs(2), changes.recv()).await.expect("told at once").unwrap();
    assert!(matches!(change, Change::Changed(session) if session.id == stand.entry.id));
    let listed: Vec<_> = stand.entry.watching().into_iter().map(|one| (one.name, one.role)).collect();
    let owner = || ("ann".to_owned(), ViewerRole::Owner);
    assert_eq!(listed, [("bob".to_owned(), ViewerRole::Observer), owner(), owner()]);
    assert!(joined_at.elapsed() < Duration::from_secs(2));
    viewer.open().await;
    let line = stand.audited("viewer_joined", "bob").await;
    assert_eq!(line["role"], "observer");
    assert_eq!((&line["address"], &line["outcome"]), (&"192.0.2.7".into(), &"ok".into()));
    let _ = viewer.socket.close(None).await;
    let _ = viewer.close_code().await;
    eventually(|| stand.entry.viewers() == 2).await;
    stand.audited("viewer_left", "bob").await;
    timeout(Duration::from_secs(2), changes.recv()).await.expect("told at once").unwrap();
    let of_owner = stand
        .audit()
        .await
        .into_iter()
        .filter(|(event, actor, _)| event.starts_with("viewer_") && actor == "ann");
    assert_eq!(of_owner.count(), 0, "an owner at their own desktop is no event");
}

/// A way in which a right ends, and the close code that a guest's open socket must get.
type Ending = (&'static str, u16);

async fn end(stand: &Stand, guest: &Guest, how: &str) {
    let from = Visitor { address: HERE.into(), user_agent: "test".to_owned() };
    let (auth, broker, entry) = (&stand.auth, &stand.broker, &stand.entry);
    match how {
        "withdrawn" => broker.withdraw(entry, guest.grant, Actor::cli()).await.unwrap(),
        "logged out" => auth.log_out(&guest.principal, HERE.into()).await.unwrap(),
        "disabled" => auth.disable_user(&Actor::cli(), guest.user.id).await.unwrap(),
        "another password" => {
            let new = Secret::new("quite another one".to_owned());
            auth.change_password(&guest.principal, &guest.password, &new, &from).await.unwrap();
        }
        "removed" => auth.remove_user(&Actor::cli(), guest.user.id).await.unwrap(),
        "stopped" => broker.stop(entry, StopReason::Owner, Next::Rest).await.unwrap(),
        "deleted" => broker.stop(entry, StopReason::Owner, Next::Remove).await.unwrap(),
        "frozen" => broker.pause(entry).await.unwrap(),
        other => panic!("no such ending: {other}"),
    }
}

#[tokio::test]
async fn every_end_of_a_right_reaches_an_open_socket_within_a_second() {
    let endings: [Ending; 8] = [
        ("withdrawn", 4403),
        ("logged out", 4401),
        ("disabled", 4401),
        ("another password", 4401),
        ("removed", 4401),
        ("stopped", 4404),
        ("deleted", 4404),
        ("frozen", 4408),
    ];
    for (how, code) in endings {
        for role in [GrantRole::Helper, GrantRole::Observer] {
            let stand = Stand::desktop(desktop(Arc::default())).await;
            let bob = stand.guest("bob", role, None).await;
            let mut guest = connect_as(&stand, &bob.cookie).await;
            guest.open().await;
            let mut owner = connect(&stand).await;
            owner.open().await;
            let closed = timeout(Duration::from_secs(5), guest.close_code());
            let ((told, at), ended) =
                tokio::join!(async { (closed.await.expect(how), Instant::now()) }, async {
                    end(&stand, &bob, how).await;
                    Instant::now()
                },);
            assert_eq!(told, Some(code), "{how}");
            assert!(at.saturating_duration_since(ended) < Duration::from_secs(1), "{how}");
            let stays = matches!(code, 4401 | 4403);
            eventually(|| stand.entry.viewers() == usize::from(stays)).await;
            if stays {
                assert_eq!(owner.hear(200_000).await.len(), 200_000, "{how}: the owner's goes on");
            }
        }
    }
}

#[tokio::test]
async fn a_lapsed_grant_closes_its_sockets_at_its_time() {
    let stand = Stand::desktop(desktop(Arc::default())).await;
    stand.tasks.spawn("grants", stand.broker.clone().lapse_grants_forever());
    let bob = stand.guest("bob", GrantRole::Helper, Some(Duration::from_millis(1500))).await;
    let carol = stand.guest("carol", GrantRole::Observer, None).await;
    let expires_at = stand.entry.grant_of(bob.user.id).unwrap().grant.expires_at.unwrap();
    let (mut viewer, mut other) =
        (connect_as(&stand, &bob.cookie).await, connect_as(&stand, &carol.cookie).await);
    viewer.open().await;
    other.open().await;
    assert_eq!(viewer.close_code().await, Some(4403));
    let late = berth::clock::since(expires_at);
    assert!(late < Duration::from_secs(1), "{late:?} late");
    assert!(berth::clock::now() >= expires_at, "not before its time");
    assert_eq!(asks(&stand, &bob.cookie).await, "404");
    stand.audited("grant_lapsed", "system").await;
    assert_eq!(stand.entry.grants().len(), 1);
    assert_eq!(other.hear(200_000).await.len(), 200_000, "another grant goes on");
    stand.tasks.stopping().cancel();
}

#[tokio::test]
async fn what_cannot_be_shared_is_refused() {
    let stand = Stand::desktop(desktop(Arc::default())).await;
    let bob = stand.guest("bob", GrantRole::Observer, None).await;
    let share =
        |with: &berth::store::User| Share { with: with.clone(), role: GrantRole::Helper, lasts: None };
    let again = stand.broker.share(&stand.entry, share(&bob.user), Actor::cli()).await;
    assert!(matches!(again, Err(ShareError::Granted)));
    let owner = berth::store::Store::user(&*stand.store, stand.entry.owner).await.unwrap().unwrap();
    let own = stand.broker.share(&stand.entry, share(&owner), Actor::cli()).await;
    assert!(matches!(own, Err(ShareError::Own)));

    let app = Stand::app(says("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await;
    let other = app.log_in("bob", Role::User).await;
    let bob = berth::store::Store::user_by_name(&*app.store, "bob").await.unwrap().unwrap();
    let refused = app.broker.share(&app.entry, share(&bob), Actor::cli()).await;
    assert!(matches!(refused, Err(ShareError::NotDesktop)));
    assert!(app.entry.grants().is_empty() && other.starts_with("__Host-"));
}

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;
use tokio::time::timeout;

use super::desk::{Answer, Browser, Desk, until};
use super::streams::{Stream, all};
use crate::audit::Actor;
use crate::broker::{Attendee, Entry, Share, ViewerGuard};
use crate::session::{GrantRole, Routing, StateKind, ViewerRole};
use crate::store::{Role, User};

/// What P12 promises.
const AT_ONCE: Duration = Duration::from_secs(2);

async fn give(browser: &mut Browser<'_>, label: &str, fields: &[(&str, &str)]) -> Answer {
    let csrf = browser.get("/").await.csrf();
    let all: Vec<(&str, &str)> = [("csrf", csrf.as_str())].iter().chain(fields).copied().collect();
    browser.post(&format!("/sessions/{label}/grants"), &all).await
}

async fn share(desk: &Desk, entry: &Arc<Entry>, with: &User, role: GrantRole) {
    let share = Share { with: with.clone(), role, lasts: None };
    desk.broker.share(entry, share, Actor::cli()).await.unwrap();
}

async fn join(entry: &Arc<Entry>, user: &User, role: ViewerRole) -> ViewerGuard {
    let address = [192, 0, 2, 1].into();
    entry.join(Attendee { user: user.id, name: user.name.clone(), role, address }).await
}

#[tokio::test]
async fn somebody_is_let_in_and_what_is_wrong_stands_beside_the_field() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let bob = desk.user("Bob", Role::User).await;
    let gone = desk.user("gone", Role::User).await;
    desk.auth.disable_user(&Actor::cli(), gone.id).await.unwrap();
    let entry = desk.session(&ann, "<Mine>", "desktop", StateKind::Ready).await;
    let app = desk.session(&ann, "App", "lab", StateKind::Ready).await;
    let mut browser = desk.log_in("ann").await;
    let label = entry.label.as_str();
    let dashboard = browser.get("/").await.text;
    assert!(dashboard.contains(&format!("href=\"/sessions/{label}/share\"")), "{dashboard}");
    assert!(!dashboard.contains(&format!("href=\"/sessions/{}/share\"", app.label)), "an app is its owner's");

    for (label, fields, status, words) in [
        (label, [("name", ""), ("role", "helper")], 422, "the name they log in with"),
        (label, [("name", "bobby"), ("role", "helper")], 422, "no user of this name"),
        (label, [("name", "gone"), ("role", "helper")], 422, "no user of this name"),
        (label, [("name", "Bob"), ("role", "owner")], 422, "Choose what they may do"),
        (label, [("name", "ANN"), ("role", "helper")], 409, "theirs already"),
        (app.label.as_str(), [("name", "Bob"), ("role", "helper")], 409, "Only desktops can be shared"),
    ] {
        let answer = give(&mut browser, label, &fields).await;
        assert_eq!(answer.status.as_u16(), status, "{fields:?}");
        assert!(answer.text.contains(words), "{fields:?}: {}", answer.text);
    }
    assert!(entry.grants().is_empty() && app.grants().is_empty());

    let page = format!("/sessions/{label}/share");
    let given = give(&mut browser, label, &[("name", " bob "), ("role", "observer"), ("lasts", "1h")]).await;
    assert_eq!((given.status, given.location()), (StatusCode::SEE_OTHER, page.as_str()));
    assert_eq!(entry.role_of(bob.id), Some(ViewerRole::Observer));
    let shown = browser.get(&page).await.text;
    for words in [
        "<bdi>Bob</bdi>",
        "Observer · ends in <time",
        ">1 hour<",
        "given by <bdi>ann</bdi>",
        "&#60;Mine&#62;",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let again = give(&mut browser, label, &[("name", "bob"), ("role", "helper")]).await;
    assert!(again.status == StatusCode::CONFLICT && again.text.contains("Withdraw that first"));

    let id = entry.grants()[0].grant.id;
    let withdraw = format!("/sessions/{label}/grants/{id}/withdraw");
    assert_eq!(browser.get(&withdraw).await.status, StatusCode::METHOD_NOT_ALLOWED, "GET changes nothing");
    assert_eq!(browser.post(&withdraw, &[]).await.status, StatusCode::FORBIDDEN, "nor does a foreign form");
    assert_eq!(entry.grants().len(), 1);
    for _ in 0..2 {
        // A second press comes too late and is no error.
        let answer = browser.press(&withdraw).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, page.as_str()));
    }
    assert!(entry.grants().is_empty());
}

#[tokio::test]
async fn a_grantee_finds_the_machine_and_nothing_that_changes_it() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let bob = desk.user("bob", Role::User).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let label = entry.label.to_string();
    let mut browser = desk.log_in("bob").await;
    assert!(browser.get("/").await.text.contains("id=\"shared-section\" hidden"));
    share(&desk, &entry, &bob, GrantRole::Observer).await;
    let dashboard = browser.get("/").await.text;
    let (_, section) = dashboard.split_once("id=\"shared-section\"").unwrap();
    for words in ["Shared with you", "Belongs to <bdi>ann</bdi>", &format!("href=\"/s/{label}/\"")] {
        assert!(section.contains(words), "{words}: {section}");
    }
    assert!(!section.contains("<form"), "{section}");
    let csrf = browser.get("/").await.csrf();
    for path in ["stop", "start", "restart", "reset", "pause", "resume", "delete", "grants"] {
        let answer = browser
            .post(
                &format!("/sessions/{label}/{path}"),
                &[("csrf", &csrf), ("name", "bob"), ("role", "helper")],
            )
            .await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(browser.get(&format!("/sessions/{label}/share")).await.status, StatusCode::NOT_FOUND);

    // At rest they are told so, without a button that would not work.
    desk.broker.pause(&entry, &Actor::cli()).await.unwrap();
    let page = browser.get(&format!("/sessions/{label}")).await;
    assert!(page.text.contains("belongs to <bdi>ann</bdi>"), "{}", page.text);
    assert!(!page.text.contains(&format!("/sessions/{label}/resume")), "{}", page.text);
    assert!(browser.get("/").await.text.contains("Not running now"));
    assert_eq!(entry.session().state.kind(), StateKind::Paused);
}

#[tokio::test]
async fn on_its_own_host_a_grantee_enters_with_a_ticket_and_wakes_nothing() {
    let desk = Desk::new(Routing::Subdomain);
    let ann = desk.user("ann", Role::User).await;
    let bob = desk.user("bob", Role::User).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let open = format!("/open/{}", entry.label);
    let mut browser = desk.log_in("bob").await;
    assert_eq!(browser.get(&open).await.status, StatusCode::NOT_FOUND);
    share(&desk, &entry, &bob, GrantRole::Helper).await;
    assert!(browser.get("/").await.text.contains(&format!("href=\"{open}\"")));
    let sent = browser.get(&open).await;
    let (_, path) = sent.location().split_once(":8443").unwrap();
    let mut on_host = desk.browser();
    assert_eq!(on_host.get_on_host(&entry, path).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(on_host.get_on_host(&entry, "/.berth/events").await.status(), StatusCode::OK);

    desk.broker.pause(&entry, &Actor::cli()).await.unwrap();
    assert_eq!(browser.get(&open).await.status, StatusCode::OK);
    assert_eq!(entry.session().state.kind(), StateKind::Paused, "only its owner wakes it");

    let id = entry.grants()[0].grant.id;
    desk.broker.withdraw(&entry, id, Actor::cli()).await.unwrap();
    assert_eq!(browser.get(&open).await.status, StatusCode::NOT_FOUND);
    // The cookie of that host lives on and opens nothing.
    assert_eq!(on_host.get_on_host(&entry, "/.berth/events").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_administrator_watches_only_by_a_grant_that_the_owner_sees() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let root = desk.user("root", Role::Admin).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let label = entry.label.as_str();
    let mut admin = desk.log_in("root").await;
    assert_eq!(admin.get(&format!("/sessions/{label}")).await.status, StatusCode::NOT_FOUND);
    assert!(admin.get("/admin").await.text.contains(&format!("href=\"/sessions/{label}/share\"")));
    let given = give(&mut admin, label, &[("name", "root"), ("role", "observer")]).await;
    assert_eq!(given.status, StatusCode::SEE_OTHER, "{}", given.text);
    assert_eq!(entry.role_of(root.id), Some(ViewerRole::Observer));
    assert_eq!(admin.get(&format!("/sessions/{label}")).await.status, StatusCode::SEE_OTHER);
    let page = desk.log_in("ann").await.get(&format!("/sessions/{label}/share")).await.text;
    assert!(page.contains("<bdi>root</bdi>") && page.contains("given by <bdi>root</bdi>"), "{page}");
}

fn viewers(status: &str) -> Vec<(String, String, bool)> {
    let status: Value = serde_json::from_str(status).unwrap();
    let rows = status["viewers"].as_array().unwrap().iter();
    rows.map(|row| {
        assert!(row["since"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
        let text = |field: &str| row[field].as_str().unwrap().to_owned();
        (text("name"), text("role"), row["you"].as_bool().unwrap())
    })
    .collect()
}

#[tokio::test]
async fn the_owner_sees_at_once_who_comes_and_goes() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let bob = desk.user("bob", Role::User).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let mut browser = desk.log_in("ann").await;
    let events = format!("/events?session={}", entry.label);
    let mut status = Stream::open(&mut browser, &events).await;
    let mut cards = Stream::open(&mut browser, "/events").await;
    assert_eq!(viewers(&status.next().await.unwrap().1), []);
    let own = join(&entry, &ann, ViewerRole::Owner).await;
    let (_, data) = timeout(AT_ONCE, status.next()).await.expect("pushed").unwrap();
    let me = ("ann".to_owned(), "owner".to_owned(), true);
    assert_eq!(viewers(&data), std::slice::from_ref(&me));

    let watching = join(&entry, &bob, ViewerRole::Observer).await;
    let (_, data) = timeout(AT_ONCE, status.next()).await.expect("pushed").unwrap();
    assert_eq!(viewers(&data), [("bob".to_owned(), "observer".to_owned(), false), me.clone()]);
    let seen = cards.find(|_, data| data.contains("<bdi>bob is watching.</bdi>"));
    timeout(AT_ONCE, seen).await.expect("pushed to the card too");
    assert!(browser.get("/").await.text.contains("bob is watching."));
    let page = browser.get(&format!("/sessions/{}/share", entry.label)).await.text;
    assert!(page.contains("<strong><bdi>bob</bdi></strong> <span class=\"kind\">Observer · <time"), "{page}");

    own.input_unseen();
    let (_, data) = timeout(AT_ONCE, status.next()).await.expect("pushed").unwrap();
    assert!(data.contains("\"input_seen\":false"), "{data}");
    drop(own);
    drop(watching);
    let gone = status.find(|_, data| viewers(data).is_empty());
    timeout(AT_ONCE, gone).await.expect("pushed");
    timeout(AT_ONCE, cards.find(|_, data| !data.contains("is watching"))).await.expect("pushed");
}

#[tokio::test]
async fn one_person_cannot_fill_the_list_for_the_others() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let bob = desk.user("bob", Role::User).await;
    let carol = desk.user("carol", Role::User).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let mut all = Vec::new();
    for _ in 0..200 {
        all.push(join(&entry, &bob, ViewerRole::Observer).await);
    }
    all.push(join(&entry, &carol, ViewerRole::Observer).await);
    let mut browser = desk.log_in("ann").await;
    let mut stream = Stream::open(&mut browser, &format!("/events?session={}", entry.label)).await;
    let listed = viewers(&stream.next().await.unwrap().1);
    assert!(listed.len() < 20 && listed.iter().any(|(name, ..)| name == "carol"), "{}", listed.len());
    assert_eq!(entry.viewers(), 201, "counted all the same");
}

#[tokio::test]
async fn streams_of_a_grantee_follow_the_grant() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let bob = desk.user("bob", Role::User).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let other = desk.session(&ann, "Other", "desktop", StateKind::Ready).await;
    let mut browser = desk.log_in("bob").await;
    let mut cards = Stream::open(&mut browser, "/events").await;
    assert_eq!(cards.next().await.unwrap(), all(&[]));
    share(&desk, &entry, &bob, GrantRole::Helper).await;
    let (name, card) = timeout(AT_ONCE, cards.next()).await.expect("pushed").unwrap();
    assert!(
        name == "card" && card.contains("data-shared=\"yes\"") && card.contains("<bdi>Mine</bdi>"),
        "{card}"
    );
    let mut status = Stream::open(&mut browser, &format!("/events?session={}", entry.label)).await;
    assert_eq!(status.next().await.unwrap().0, "status");
    desk.broker.pause(&other, &Actor::cli()).await.unwrap();

    let id = entry.grants()[0].grant.id;
    desk.broker.withdraw(&entry, id, Actor::cli()).await.unwrap();
    let (name, label) = timeout(AT_ONCE, cards.next()).await.expect("pushed").unwrap();
    assert_eq!(
        (name.as_str(), label.as_str()),
        ("removed", entry.label.as_str()),
        "and nothing of the other"
    );
    assert_eq!(timeout(AT_ONCE, status.next()).await.expect("pushed").unwrap().0, "removed");
    assert_eq!(status.next().await, None);
    browser.navigates = false;
    let again = browser.get(&format!("/events?session={}", entry.label)).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_viewer_page_of_each_role_is_made() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let bob = desk.user("bob", Role::User).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    share(&desk, &entry, &bob, GrantRole::Observer).await;
    for name in ["ann", "bob"] {
        let browser = desk.log_in(name).await;
        let tokens = browser.cookies.values().map(String::as_str);
        let principal = desk.auth.authenticate(tokens).await.unwrap().unwrap();
        let page = desk.web.session_page(
            &entry,
            &principal,
            crate::respond::Place::Portal,
            crate::language::Language::English,
        );
        assert_eq!(Answer::read(page).await.status, StatusCode::OK);
    }
    until(&entry, StateKind::Ready).await;
}

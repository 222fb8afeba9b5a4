//! Links that let others in: made once, shown once, taken up once by each, and withdrawn for all.

use http::StatusCode;

use super::desk::{Answer, Browser, Desk};
use crate::revocation::CloseReason;
use crate::session::{Routing, StateKind, ViewerRole};
use crate::store::Role;

const AN_HOUR: [(&str, &str); 2] = [("role", "observer"), ("lasts", "1h")];

async fn make(browser: &mut Browser<'_>, label: &str, fields: &[(&str, &str)]) -> Answer {
    let csrf = browser.get("/").await.csrf();
    let all: Vec<(&str, &str)> = [("csrf", csrf.as_str())].iter().chain(fields).copied().collect();
    browser.post(&format!("/sessions/{label}/invitations"), &all).await
}

/// The link that a page shows, without its origin.
fn link(page: &Answer) -> String {
    let (_, rest) = page.text.split_once("value=\"https://berth.test:8443/join").expect("a link");
    format!("/join{}", rest.split('"').next().unwrap())
}

async fn accept(browser: &mut Browser<'_>, link: &str) -> Answer {
    let csrf = browser.get("/").await.csrf();
    let token = link.split_once("token=").unwrap().1.to_owned();
    browser.post("/join", &[("csrf", &csrf), ("token", &token)]).await
}

async fn audited(desk: &Desk, event: &str) -> Vec<String> {
    let lines = desk.store.audit(0, 1000).await.unwrap();
    let name = format!("\"event\":\"{event}\"");
    lines.into_iter().map(|line| line.body).filter(|body| body.contains(&name)).collect()
}

#[tokio::test]
async fn a_link_lets_somebody_in_after_they_logged_in_and_ends_with_a_press() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let bob = desk.user("bob", Role::User).await;
    let entry = desk.session(&ann, "<Mine>", "desktop", StateKind::Ready).await;
    let (label, mut owner) = (entry.label.as_str(), desk.log_in("ann").await);
    let made = make(&mut owner, label, &AN_HOUR).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let link = link(&made);
    assert!(made.text.contains("only this once") && made.text.contains("share.js"));
    let page = format!("/sessions/{label}/share");
    let share = owner.get(&page).await.text;
    assert!(!share.contains("/join?token"), "it is shown once");
    assert!(share.contains("nobody came by it yet") && share.contains("made by <bdi>ann</bdi>"), "{share}");
    let own = owner.get(&link).await;
    assert_eq!(own.status, StatusCode::OK);
    assert!(own.text.contains("This is your own machine") && !own.text.contains("action=\"/join\""));

    // A browser that is not logged in comes back to the link afterwards.
    let sent = desk.browser().get(&link).await;
    let next = sent.location().to_owned();
    assert!(next.starts_with("/login?next=/join%3Ftoken%3D"), "{next}");
    let mut guest = desk.log_in("bob").await;
    assert_eq!(guest.get(&next).await.location(), link);
    let offer = guest.get(&link).await;
    for words in [
        "You are invited",
        "&#60;Mine&#62;",
        "<bdi>ann</bdi>",
        "what you type or click does not",
        "in 1 hour",
    ] {
        assert!(offer.text.contains(words), "{words}: {}", offer.text);
    }
    assert_eq!(offer.header("referrer-policy"), "strict-origin");
    assert_eq!(entry.role_of(bob.id), None, "looking takes nothing");
    assert_eq!(guest.post("/join", &[("token", "x")]).await.status, StatusCode::FORBIDDEN, "no foreign form");
    let accepted = accept(&mut guest, &link).await;
    assert_eq!((accepted.status, accepted.location()), (StatusCode::SEE_OTHER, &*format!("/s/{label}/")));
    assert_eq!(entry.role_of(bob.id), Some(ViewerRole::Observer));
    let again = guest.get(&link).await;
    assert!(again.status == StatusCode::OK && again.text.contains("You may open it already"));
    let share = owner.get(&page).await.text;
    assert!(share.contains("1 person came by it") && share.contains("<bdi>bob</bdi> (<time"), "{share}");
    assert!(share.contains("given by <bdi>ann</bdi>, by a link"), "{share}");

    let id = desk.broker.invitations(&entry).await.unwrap()[0].invitation.id;
    let revocation = entry.grant_of(bob.id).unwrap().revocation.clone();
    let withdraw = format!("/sessions/{label}/invitations/{id}/withdraw");
    assert_eq!(guest.press(&withdraw).await.status, StatusCode::NOT_FOUND);
    for _ in 0..2 {
        let answer = owner.press(&withdraw).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, page.as_str()));
    }
    assert_eq!(revocation.revoked().await, CloseReason::Withdrawn);
    assert_eq!(entry.role_of(bob.id), None);
    let gone = guest.get(&link).await;
    assert_eq!(gone.status, StatusCode::GONE);
    assert!(gone.text.contains("leads nowhere any more") && gone.text.contains("<h1"), "{}", gone.text);
    assert_eq!(accept(&mut guest, &link).await.status, StatusCode::GONE);
    for (event, count) in [
        ("invitation_created", 1),
        ("invitation_used", 1),
        ("invitation_withdrawn", 1),
        ("invitation_refused", 1),
        ("grant_created", 1),
        ("grant_withdrawn", 1),
    ] {
        let lines = audited(&desk, event).await;
        assert_eq!(lines.len(), count, "{event}: {lines:?}");
        let (_, token) = link.split_once('=').unwrap();
        assert!(lines.iter().all(|line| !line.contains(token)), "{event}");
    }
}

#[tokio::test]
async fn places_are_counted_and_nobody_comes_back_by_the_same_link() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let bob = desk.user("bob", Role::User).await;
    desk.user("carol", Role::User).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let (label, mut owner) = (entry.label.as_str(), desk.log_in("ann").await);
    let made = make(&mut owner, label, &[("role", "helper"), ("lasts", "today"), ("most", "1")]).await;
    let link = link(&made);
    let (mut first, mut second) = (desk.log_in("bob").await, desk.log_in("carol").await);
    assert_eq!(accept(&mut first, &link).await.status, StatusCode::SEE_OTHER);
    assert_eq!(entry.role_of(bob.id), Some(ViewerRole::Helper));
    let late = accept(&mut second, &link).await;
    assert!(late.status == StatusCode::GONE && late.text.contains("As many people"), "{}", late.text);

    let grant = entry.grants()[0].grant.id;
    owner.press(&format!("/sessions/{label}/grants/{grant}/withdraw")).await;
    let back = accept(&mut first, &link).await;
    assert!(back.status == StatusCode::GONE && back.text.contains("your access was ended"), "{}", back.text);
    assert_eq!(entry.role_of(bob.id), None);
    assert!(owner.get(&format!("/sessions/{label}/share")).await.text.contains("1 of 1 came by it"));
    for nonsense in ["/join", "/join?token=", "/join?token=guess"] {
        assert_eq!(first.get(nonsense).await.status, StatusCode::GONE, "{nonsense}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_form_stands_beside_it_and_twice_is_once() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let app = desk.session(&ann, "App", "lab", StateKind::Ready).await;
    let (label, mut owner) = (entry.label.as_str(), desk.log_in("ann").await);
    for (label, fields, status, words) in [
        (label, [("role", "owner"), ("lasts", "1h"), ("most", "")], 422, "Choose what they may do"),
        (label, [("role", "helper"), ("lasts", ""), ("most", "7")], 422, "30 days at most"),
        (label, [("role", "helper"), ("lasts", "1h"), ("most", "0")], 422, "from 1 to 100"),
        (app.label.as_str(), [("role", "helper"), ("lasts", "1h"), ("most", "")], 409, "Only desktops"),
    ] {
        let answer = make(&mut owner, label, &fields).await;
        assert_eq!(answer.status.as_u16(), status, "{fields:?}");
        assert!(answer.text.contains(words), "{words}: {}", answer.text);
    }
    let kept =
        make(&mut owner, label, &[("role", "helper"), ("lasts", "custom"), ("number", "99999999")]).await;
    assert!(kept.text.contains("value=\"99999999\"") && kept.text.contains("value=\"helper\" checked"));
    assert!(desk.broker.invitations(&entry).await.unwrap().is_empty());

    let id = uuid::Uuid::new_v4().to_string();
    let fields = [("id", id.as_str()), AN_HOUR[0], AN_HOUR[1]];
    assert_eq!(make(&mut owner, label, &fields).await.status, StatusCode::CREATED);
    assert_eq!(make(&mut owner, label, &fields).await.status, StatusCode::SEE_OTHER, "a second press");
    assert_eq!(desk.broker.invitations(&entry).await.unwrap().len(), 1);
    for _ in 1..20 {
        assert_eq!(make(&mut owner, label, &AN_HOUR).await.status, StatusCode::CREATED);
    }
    let full = make(&mut owner, label, &AN_HOUR).await;
    assert!(full.status == StatusCode::CONFLICT && full.text.contains("as often as it may be"));
}

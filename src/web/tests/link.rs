//! Links, from their page to the screen.

use http::{Method, StatusCode};

use super::desk::{Desk, until};
use crate::audit::Actor;
use crate::auth::NewLink;
use crate::session::{ClientId, LinkAction, Routing, StateKind};
use crate::store::Role;

pub(super) async fn link(desk: &Desk, action: LinkAction, uses: u32) -> String {
    let new = NewLink { action, lasts: NewLink::LASTS, uses };
    let (_, secret) = desk.auth.create_link(&Actor::cli(), new).await.unwrap();
    format!("/link/{}", secret.expose())
}

fn client(id: &str) -> ClientId {
    id.parse().unwrap()
}

#[tokio::test]
async fn a_link_opens_one_screen_without_a_login_and_nothing_else() {
    let desk = Desk::new(Routing::Path);
    let path = link(&desk, LinkAction::Access(client("Room <7>")), 1).await;
    let mut browser = desk.browser();
    for _ in 0..3 {
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        assert!(
            page.text.contains("<bdi>Room &#60;7&#62;</bdi>") && page.text.contains("Open the screen"),
            "{}",
            page.text
        );
        assert!(desk.broker.clients().is_empty(), "looking does nothing");
    }
    let opened = browser.follow(&path).await;
    let entry = desk.broker.clients().remove(0);
    assert_eq!(
        (opened.status, opened.location()),
        (StatusCode::SEE_OTHER, format!("/s/{}/", entry.label).as_str())
    );
    assert!(browser.cookies.contains_key(&format!("__Host-berth-at-{}", entry.label)));
    until(&entry, StateKind::Ready).await;

    let shown = browser.get(&format!("/sessions/{}", entry.label)).await;
    assert_eq!((shown.status, shown.location()), (StatusCode::SEE_OTHER, opened.location()));
    for path in ["/", "/account", "/admin", "/events"] {
        assert_eq!(browser.get(path).await.status, StatusCode::SEE_OTHER, "{path} needs a login");
    }
    let stop = browser.post(&format!("/sessions/{}/stop", entry.label), &[("csrf", "x")]).await;
    assert_eq!(stop.status, StatusCode::SEE_OTHER, "changing needs a login");
    assert_eq!(entry.session().state.kind(), StateKind::Ready);

    let mut second = desk.browser();
    let answer = second.get(&path).await;
    assert_eq!(answer.status, StatusCode::GONE);
    assert!(answer.text.contains("has been used or is too old"), "{}", answer.text);
    assert_eq!(second.post(&path, &[]).await.status, StatusCode::FORBIDDEN, "no form of ours");
    assert!(second.cookies.is_empty());
}

#[tokio::test]
async fn what_fetches_ahead_or_comes_from_elsewhere_follows_no_link() {
    let desk = Desk::new(Routing::Path);
    let path = link(&desk, LinkAction::Access(client("one")), 1).await;
    let mut browser = desk.browser();
    browser.site = Some("cross-site");
    browser.origin = Some("https://evil.test");
    assert_eq!(browser.follow(&path).await.status, StatusCode::FORBIDDEN);
    let mut preview = desk.browser();
    assert_eq!(preview.send(Method::HEAD, &path, String::new()).await.status(), StatusCode::OK);
    assert!(desk.broker.clients().is_empty());
    assert_eq!(
        browser.get(&path).await.status,
        StatusCode::OK,
        "a link on a foreign page leads to the question"
    );

    let mut program = desk.browser();
    program.navigates = false;
    program.accept = Some("application/json");
    program.purpose = Some("prefetch;prerender");
    assert_eq!(program.get(&path).await.header("content-type"), "text/html; charset=utf-8");
    program.purpose = None;
    let told = program.get(&path).await;
    assert_eq!((told.status, told.header("content-type")), (StatusCode::SEE_OTHER, "application/json"));
    assert!(
        told.location().contains("/enter/") && told.text.contains("\"client_id\":\"one\""),
        "{}",
        told.text
    );
    assert_eq!(program.get(&path).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn a_ticket_lets_one_browser_in_and_a_prefetch_keeps_it() {
    let desk = Desk::new(Routing::Path);
    let path = link(&desk, LinkAction::Access(client("one")), 1).await;
    let mut program = desk.browser();
    program.navigates = false;
    program.accept = Some("application/json");
    let location = program.get(&path).await.location().to_owned();
    let ticket = location.strip_prefix(super::desk::ORIGIN).expect("an address of the portal");
    let entry = desk.broker.clients().remove(0);

    let mut browser = desk.browser();
    browser.purpose = Some("prefetch");
    assert_eq!(browser.get(ticket).await.status, StatusCode::NO_CONTENT);
    browser.purpose = None;
    let entered = browser.get(ticket).await;
    assert_eq!(
        (entered.status, entered.location()),
        (StatusCode::SEE_OTHER, format!("/s/{}/", entry.label).as_str())
    );
    assert_eq!(browser.get(ticket).await.status, StatusCode::SEE_OTHER, "loaded again, it is in already");
    assert_eq!(desk.browser().get(ticket).await.status, StatusCode::GONE, "another browser is not");
}

#[tokio::test]
async fn links_remove_one_client_or_all() {
    let desk = Desk::new(Routing::Path);
    for id in ["one", "two", "three"] {
        let mut browser = desk.browser();
        browser.follow(&link(&desk, LinkAction::Access(client(id)), 1).await).await;
    }
    let mut browser = desk.browser();
    let path = link(&desk, LinkAction::Remove(client("one")), 1).await;
    assert!(browser.get(&path).await.text.contains("Remove this screen"));
    assert!(browser.follow(&path).await.text.contains("is removed"));
    assert_eq!(desk.broker.clients().len(), 2);
    let path = link(&desk, LinkAction::RemoveAll, 1).await;
    browser.language = "fr";
    assert!(browser.get(&path).await.text.contains("Supprimer tous les écrans"));
    assert_eq!(browser.follow(&path).await.status, StatusCode::OK);
    assert!(desk.broker.clients().is_empty());
}

/// On a host of its own a screen is entered by way of the portal, whenever its cookie there is old.
#[tokio::test]
async fn on_its_own_host_a_screen_is_entered_by_way_of_the_portal() {
    let desk = Desk::new(Routing::Subdomain);
    let mut browser = desk.browser();
    let opened = browser.follow(&link(&desk, LinkAction::Access(client("one")), 1).await).await;
    let entry = desk.broker.clients().remove(0);
    assert_eq!(opened.location(), format!("/open/{}", entry.label));
    until(&entry, StateKind::Ready).await;
    let sent = browser.get(opened.location()).await;
    let path =
        sent.location().strip_prefix(&format!("https://{}.berth.test:8443", entry.label)).unwrap().to_owned();
    let mut on_host = desk.browser();
    let entered = on_host.get_on_host(&entry, &path).await;
    assert_eq!(entered.status(), StatusCode::SEE_OTHER);
    assert!(on_host.cookies.contains_key("__Host-berth-session"));
}

/// A teacher who follows a link keeps their own login.
#[tokio::test]
async fn a_link_leaves_the_reader_s_own_login_alone() {
    let desk = Desk::new(Routing::Path);
    desk.user("ann", Role::User).await;
    let mut ann = desk.log_in("ann").await;
    ann.follow(&link(&desk, LinkAction::Access(client("one")), 1).await).await;
    let entry = desk.broker.clients().remove(0);
    assert_eq!(ann.get("/").await.status, StatusCode::OK);
    until(&entry, StateKind::Ready).await;
    assert_eq!(ann.get(&format!("/sessions/{}", entry.label)).await.status, StatusCode::SEE_OTHER);
    assert_eq!(
        desk.log_in("ann").await.get(&format!("/sessions/{}", entry.label)).await.status,
        StatusCode::NOT_FOUND
    );
}

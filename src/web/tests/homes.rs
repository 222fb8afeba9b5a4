//! Homes in the browser: what is offered when one is in use, how full it is, how it is emptied.

use http::StatusCode;

use super::desk::{Desk, until};
use crate::engine::fake::template;
use crate::session::{Home, HomeKey, HomeUse, Protocol, Routing, StateKind, Template};
use crate::store::Role;

fn desk() -> Desk {
    let desktop = template("desktop".parse().unwrap(), Protocol::Rfb);
    Desk::with(Routing::Path, vec![Template { home: Home::Persistent, ..desktop }])
}

/// A second desktop was started beside the first, and their common profile was damaged.
#[tokio::test]
async fn whoever_starts_a_second_machine_is_offered_to_stop_the_first() {
    let desk = desk();
    let ann = desk.user("ann", Role::User).await;
    let first = desk.session(&ann, "First <b>", "desktop", StateKind::Ready).await;
    let mut browser = desk.log_in("ann").await;
    let csrf = browser.get("/").await.csrf();
    let wish = [("csrf", csrf.as_str()), ("template", "desktop"), ("name", "Second")];
    let offer = browser.post("/sessions", &wish).await;
    assert_eq!(offer.status, StatusCode::CONFLICT);
    assert!(offer.text.contains("Stop “First &#60;b&#62;” and start this one"), "{}", offer.text);
    assert_eq!(desk.broker.entries().len(), 1);
    let instead = ("instead_of", first.label.as_str());
    let made = browser.post("/sessions", &[&wish[..], &[instead]].concat()).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text);
    assert_eq!(first.session().state.kind(), StateKind::Stopped);
    let second = desk.broker.entries_of(ann.id)[1].clone();
    until(&second, StateKind::Ready).await;

    let start = format!("/sessions/{}/start", first.label);
    let offer = browser.press(&start).await;
    assert_eq!(offer.status, StatusCode::CONFLICT);
    assert!(offer.text.contains("“Second” is running with the same files"), "{}", offer.text);
    let fields = [("csrf", csrf.as_str()), ("instead_of", second.label.as_str())];
    assert_eq!(browser.post(&start, &fields).await.status, StatusCode::SEE_OTHER);
    until(&first, StateKind::Ready).await;
    assert_eq!(second.session().state.kind(), StateKind::Stopped);
    browser.language = "fr";
    let offer = browser.press(&format!("/sessions/{}/start", second.label)).await;
    assert!(offer.text.contains("démarrer celle-ci"), "{}", offer.text);
}

#[tokio::test]
async fn a_home_is_emptied_only_by_whoever_says_so_twice() {
    let desk = desk();
    let ann = desk.user("ann", Role::User).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let mut browser = desk.log_in("ann").await;
    let page = browser.get(&format!("/sessions/{}/reset", entry.label)).await;
    assert!(page.text.contains("files in the home folder are kept"), "{}", page.text);
    let further = format!("/sessions/{}/reset-home", entry.label);
    assert!(page.text.contains(&further), "{}", page.text);
    let asked = browser.get(&further).await;
    assert!(asked.text.contains("name=\"sure\"") && asked.text.contains("dated copy"), "{}", asked.text);
    let unsure = browser.press(&further).await;
    assert_eq!(unsure.status, StatusCode::OK, "it is asked again");
    assert_eq!(desk.engine.calls().aside, 0);
    let csrf = asked.csrf();
    let sure = browser.post(&further, &[("csrf", &csrf), ("sure", "yes")]).await;
    assert_eq!(sure.status, StatusCode::SEE_OTHER);
    entry.watch().wait_for(|session| session.epoch == 2).await.unwrap();
    until(&entry, StateKind::Ready).await;
    assert_eq!(desk.engine.calls().aside, 1);
}

#[tokio::test]
async fn a_full_home_says_so_to_owner_and_administrator() {
    let desk = desk();
    let ann = desk.user("ann", Role::User).await;
    desk.user("root", Role::Admin).await;
    desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let limit_bytes = Some(100 << 20);
    let full = HomeUse { used_bytes: 100 << 20, limit_bytes, free_bytes: 1 << 30 };
    desk.engine.fill_home(HomeKey::Owner(ann.id), full);
    desk.broker.measure_homes(true).await.unwrap();
    for (name, path) in [("ann", "/"), ("root", "/admin")] {
        let page = desk.log_in(name).await.get(path).await;
        assert!(page.text.contains("Files: 100 MB of 100 MB"), "{}", page.text);
        assert!(page.text.contains("empty the trash"), "{}", page.text);
    }
}

#[tokio::test]
async fn an_administrator_puts_a_copy_back_once_no_machine_runs_with_the_home() {
    let desk = desk();
    let ann = desk.user("ann", Role::User).await;
    desk.user("root", Role::Admin).await;
    let entry = desk.session(&ann, "Mine <b>", "desktop", StateKind::Ready).await;
    let copy = desk.home_with_a_copy(&ann);
    desk.broker.measure_homes(true).await.unwrap();
    let (mut root, mut browser) = (desk.log_in("root").await, desk.log_in("ann").await);
    let restore = format!("/admin/users/ann/home/{copy}");
    let page = root.get("/admin/users/ann").await.text;
    assert!(page.contains("95 MB of 100 MB") && page.contains("2026-01-31 08:15:00 UTC"), "{page}");
    assert!(page.contains(&format!("href=\"{restore}\"")), "{page}");

    let asked = root.get(&restore).await;
    assert!(
        asked.text.contains("“Mine &#60;b&#62;” (") && asked.text.contains("Stop it first"),
        "{}",
        asked.text
    );
    assert!(!asked.text.contains(&format!("action=\"{restore}\"")), "{}", asked.text);
    let refused = root.press(&restore).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text.contains("role=\"alert\""), "{}", refused.text);
    assert_eq!(desk.engine.calls().aside, 0);

    browser.press(&format!("/sessions/{}/stop", entry.label)).await;
    until(&entry, StateKind::Stopped).await;
    let asked = root.get(&restore).await;
    assert!(asked.text.contains("becomes a copy itself") && !asked.text.contains("role=\"alert\""));
    assert_eq!(browser.press(&restore).await.status, StatusCode::NOT_FOUND, "for administrators");
    let done = root.press(&restore).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/admin/users/ann?done=restored"));
    assert_eq!(desk.engine.calls().aside, 1, "what was in the home is a copy");
    let page = root.get(done.location()).await.text;
    assert!(page.contains("The copy was put back") && page.matches("Put back…").count() == 2, "{page}");
    for event in ["home_not_restored", "home_restored"] {
        let log = root.get(&format!("/admin/log?event={event}&target=ann&actor=root")).await.text;
        assert!(log.contains(&format!("\"copy\":\"{copy}\"").replace('"', "&#34;")), "{event}: {log}");
    }
}

#[tokio::test]
async fn a_copy_that_is_gone_is_not_asked_about_and_the_page_shows_without_the_engine() {
    let desk = desk();
    let ann = desk.user("ann", Role::User).await;
    desk.user("root", Role::Admin).await;
    let copy = desk.home_with_a_copy(&ann);
    let mut root = desk.log_in("root").await;
    for gone in ["20200101-000000", "yesterday"] {
        let path = format!("/admin/users/ann/home/{gone}");
        assert_eq!(root.get(&path).await.status, StatusCode::NOT_FOUND, "{gone}");
        assert_eq!(root.press(&path).await.status, StatusCode::NOT_FOUND, "{gone}");
    }
    desk.engine.set_down(true);
    let page = root.get("/admin/users/ann").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("does not say at the moment which copies"), "{}", page.text);
    let refused = root.press(&format!("/admin/users/ann/home/{copy}")).await;
    assert!(refused.status.is_server_error() && refused.text.contains("role=\"alert\""), "{}", refused.text);
}

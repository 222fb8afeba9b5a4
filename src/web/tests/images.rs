//! What pages say of templates and images.

use http::{Method, StatusCode};
use tokio::sync::watch;

use super::desk::{Answer, Desk};
use super::streams::Stream;
use crate::engine::fake::{Registry, template};
use crate::session::{Protocol, Routing, StateKind};
use crate::store::Role;

#[tokio::test]
async fn a_template_is_chosen_by_picture_and_description() {
    let desk = Desk::new(Routing::Path);
    desk.user("ann", Role::User).await;
    let page = desk.log_in("ann").await.get("/").await.text;
    for part in [
        "href=\"#icon-desktop\"",
        "id=\"icon-desktop\"",
        "A calm desktop with a browser",
        "<span>1 core</span><span>256 MiB of memory</span><span>no internet</span><span>home kept with the machine</span>",
        "<input type=\"radio\" name=\"template\" value=\"desktop\" checked required>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

/// Sorted by name, a new student's first choice was whatever came first in the alphabet.
#[tokio::test]
async fn templates_are_offered_in_the_order_of_the_configuration() {
    let named = |name: &str| template(name.parse().unwrap(), Protocol::Rfb);
    let desk = Desk::with(Routing::Path, vec![named("zoo"), named("ant")]);
    desk.user("ann", Role::User).await;
    let page = desk.log_in("ann").await.get("/").await.text;
    let at = |part: &str| page.find(part).unwrap_or_else(|| panic!("{part}: {page}"));
    assert!(at("value=\"zoo\" checked") < at("value=\"ant\""));
}

#[tokio::test]
async fn what_is_not_installed_is_offered_to_nobody_and_shown_to_who_can_install_it() {
    let desk = Desk::new(Routing::Path);
    desk.user("ann", Role::User).await;
    desk.user("root", Role::Admin).await;
    desk.engine.forget_image("fake/desktop");
    desk.broker.look_at_images().await.unwrap();
    let page = desk.log_in("ann").await.get("/").await.text;
    assert!(!page.contains("value=\"desktop\""), "{page}");
    assert!(page.contains("value=\"lab\" checked"), "another one is chosen: {page}");
    let page = desk.log_in("root").await.get("/").await.text;
    assert!(page.contains("value=\"desktop\" disabled"), "{page}");
    assert!(page.contains("<code>berth template pull desktop</code>"), "{page}");

    // Where nothing is, whoever was told to take it reads why they cannot.
    desk.engine.forget_image("fake/lab");
    desk.broker.look_at_images().await.unwrap();
    let page = desk.log_in("ann").await.get("/").await.text;
    assert!(page.contains("value=\"desktop\" disabled"), "{page}");
    assert!(page.contains("Not installed on the server yet") && !page.contains("berth template pull"));
}

#[tokio::test]
async fn a_newer_image_is_said_on_the_card_and_to_the_viewer() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    desk.user("root", Role::Admin).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let mut browser = desk.log_in("ann").await;
    desk.broker.look_at_images().await.unwrap();
    assert!(!browser.get("/").await.text.contains("A new version is ready"));
    let mut cards = Stream::open(&mut browser, "/events").await;
    let mut status = Stream::open(&mut browser, &format!("/events?session={}", entry.label)).await;

    desk.engine.renew_image("fake/desktop");
    desk.broker.look_at_images().await.unwrap();
    let news = "A new version is ready. It comes with the next start or restart: the files in the home";
    cards.find(|name, data| name == "card" && data.contains(news)).await;
    status.find(|name, data| name == "status" && data.contains(news)).await;
    let page = browser.get("/").await.text;
    assert!(page.contains(news) && page.contains("Restart with the new version"), "{page}");
    let mut root = desk.log_in("root").await;
    assert!(root.get("/admin").await.text.contains("new image ready"));
}

#[tokio::test]
async fn only_administrators_see_and_fetch_images() {
    let desk = Desk::new(Routing::Path);
    desk.user("ann", Role::User).await;
    let mut ann = desk.log_in("ann").await;
    assert_eq!(ann.get("/admin/images").await.status, StatusCode::NOT_FOUND);
    assert_eq!(ann.press("/admin/images/desktop/pull").await.status, StatusCode::NOT_FOUND);
    let stream = ann.send(Method::GET, "/events?images=all", String::new()).await;
    assert_eq!(stream.status(), StatusCode::NOT_FOUND);
    assert_eq!(desk.engine.calls().pull, 0);
}

#[tokio::test]
async fn a_pull_is_followed_on_the_page() {
    let desk = Desk::new(Routing::Path);
    desk.user("root", Role::Admin).await;
    let mut root = desk.log_in("root").await;
    desk.engine.forget_image("fake/desktop");
    desk.broker.look_at_images().await.unwrap();
    let Answer { status, text, .. } = root.get("/admin/images").await;
    assert_eq!(status, StatusCode::OK);
    for part in
        ["not installed", "<code>berth template pull desktop</code>", "<code>fake/lab</code>", "529 MB"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let mut stream = Stream::open(&mut root, "/events?images=all").await;
    let (open, gate) = watch::channel(false);
    desk.engine.set_registry(Registry::Stalls(gate));
    assert_eq!(root.press("/admin/images/desktop/pull").await.location(), "/admin/images");
    let half = stream.find(|name, data| name == "image" && data.contains("1 of 2 layers")).await.1;
    assert!(half.contains("value=\"50\"") && half.contains("id=\"image-desktop\""), "{half}");
    open.send(true).unwrap();
    let done = stream.find(|name, data| name == "image" && data.contains("Fetched at")).await.1;
    assert!(done.contains("000000000002"), "what came is there: {done}");
    assert_eq!(root.press("/admin/images/nothing/pull").await.status, StatusCode::NOT_FOUND);
}

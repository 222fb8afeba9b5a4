use http::{Method, StatusCode};
use http_body_util::BodyExt;

use super::desk::{Browser, Desk, until};
use crate::audit::Actor;
use crate::body::Body;
use crate::engine::fake::Illness;
use crate::session::{Routing, StateKind};
use crate::store::Role;

/// An event stream, read event by event.
pub(super) struct Stream {
    body: Body,
    rest: String,
}

impl Stream {
    pub(super) async fn open(browser: &mut Browser<'_>, path: &str) -> Self {
        browser.navigates = false;
        let response = browser.send(Method::GET, path, String::new()).await;
        browser.navigates = true;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self { body: response.into_body(), rest: String::new() }
    }

    /// The next named event and its data; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<(String, String)> {
        loop {
            while let Some((event, rest)) = self.rest.split_once("\n\n") {
                let field = |name: &str| {
                    let lines = event.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    lines.collect::<Vec<_>>().join("\n")
                };
                let (name, data) = (field("event"), field("data"));
                self.rest = rest.to_owned();
                if !name.is_empty() {
                    return Some((name, data));
                }
            }
            let frame = self.body.frame().await?.unwrap();
            self.rest.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }

    /// Skips to the first event for which `wanted` holds.
    pub(super) async fn find(&mut self, wanted: impl Fn(&str, &str) -> bool) -> (String, String) {
        loop {
            let (name, data) = self.next().await.expect("the stream goes on");
            if wanted(&name, &data) {
                return (name, data);
            }
        }
    }
}

/// The event that names the cards there are when a page begins to follow. A machine that went between
/// the page and its stream stayed on the page for ever.
pub(super) fn all(labels: &[&str]) -> (String, String) {
    ("all".to_owned(), serde_json::to_string(labels).unwrap())
}

#[tokio::test]
async fn cards_follow_ones_own_machines() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let bob = desk.user("bob", Role::User).await;
    let first = desk.session(&ann, "First", "desktop", StateKind::Ready).await;
    let mut browser = desk.log_in("ann").await;
    let mut stream = Stream::open(&mut browser, "/events").await;
    let (name, card) = stream.next().await.unwrap();
    assert!(name == "card" && card.contains("<bdi>First</bdi>") && card.contains("name=\"csrf\""), "{card}");

    assert_eq!(stream.next().await.unwrap(), all(&[first.label.as_str()]));

    desk.session(&bob, "Not mine", "desktop", StateKind::Ready).await;
    let second = desk.session(&ann, "<b>Second</b>", "desktop", StateKind::Ready).await;
    let of_second = |data: &str| data.contains(&format!("id=\"card-{}\"", second.label));
    let (_, card) = stream.find(|_, data| of_second(data) && data.contains("data-state=\"ready\"")).await;
    assert!(card.contains("&#60;b&#62;Second"), "{card}");

    let label = first.label.to_string();
    browser.press(&format!("/sessions/{label}/delete")).await;
    let (_, data) = stream.find(|name, data| name == "removed" || data.contains("Not mine")).await;
    assert_eq!(data, label);
}

#[tokio::test]
async fn a_stream_ends_with_the_login_and_when_the_drain_begins() {
    let desk = Desk::new(Routing::Path);
    desk.user("ann", Role::User).await;
    let mut browser = desk.log_in("ann").await;
    let mut stream = Stream::open(&mut browser, "/events").await;
    assert_eq!(stream.next().await.unwrap(), all(&[]));
    browser.press("/logout").await;
    assert_eq!(stream.next().await.unwrap().0, "login_ended");
    assert_eq!(stream.next().await, None);

    let mut browser = desk.log_in("ann").await;
    // Streams once ended with the background tasks, which are stopped after the drain, which waits
    // for the streams: every restart took the whole grace period.
    let mut stream = Stream::open(&mut browser, "/events").await;
    assert_eq!(stream.next().await.unwrap(), all(&[]));
    desk.draining.cancel();
    assert_eq!(stream.next().await, None);
    assert!(!desk.tasks.stopping().is_cancelled());
}

#[tokio::test]
async fn a_waiting_page_hears_each_step_and_the_end() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    desk.engine.infect_template(&"lab".parse().unwrap(), Illness::Hangs);
    let hanging = desk.session(&ann, "Hanging", "lab", StateKind::Starting).await;
    let queued = desk.session(&ann, "Queued", "desktop", StateKind::Starting).await;
    let mut browser = desk.log_in("ann").await;
    let mut stream = Stream::open(&mut browser, &format!("/events?session={}", queued.label)).await;
    let (_, status) = stream.find(|_, data| data.contains("You are next")).await;
    assert!(status.contains("\"page\":\"waiting\"") && status.contains("\"phase\":\"queued\""), "{status}");
    browser.press(&format!("/sessions/{}/stop", hanging.label)).await;
    stream.find(|_, data| data.contains("\"page\":\"open\"")).await;
    until(&queued, StateKind::Ready).await;
    browser.press(&format!("/sessions/{}/delete", queued.label)).await;
    stream.find(|name, _| name == "removed").await;
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn who_falls_behind_is_told_to_load_the_page_again() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let entry = desk.session(&ann, "Busy", "desktop", StateKind::Ready).await;
    let mut browser = desk.log_in("ann").await;
    let mut stream = Stream::open(&mut browser, "/events").await;
    stream.next().await.unwrap();
    assert_eq!(stream.next().await.unwrap(), all(&[entry.label.as_str()]));
    for _ in 0..150 {
        desk.broker.pause(&entry, &Actor::system()).await.unwrap();
        desk.broker.resume(&entry, &Actor::system()).await.unwrap();
    }
    assert_eq!(stream.next().await.unwrap().0, "reload");
    assert_eq!(stream.next().await, None);
}

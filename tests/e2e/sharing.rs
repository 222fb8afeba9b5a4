//! A desktop that is shared: the owner sees who watches, and a right that ends closes the socket.

use std::time::{Duration, Instant};

use futures_util::StreamExt;

use crate::gateway::{DESKTOP, Gateway, Student};
use crate::viewer::Viewer;

/// What P12 promises of who watches, and P7 of rights that end.
const SEEN_WITHIN: Duration = Duration::from_secs(2);
const CUT_WITHIN: Duration = Duration::from_secs(1);

/// Waits until the status stream of a session has told of viewers like these.
async fn told(student: &Student<'_>, label: &str, wanted: impl Fn(&str) -> bool) {
    let url = student.gateway.url(&format!("/events?session={label}"));
    let answer =
        student.client.get(url).header("accept", "text/event-stream").send().await.expect("a stream");
    assert!(answer.status().is_success(), "{}", answer.status());
    let mut stream = answer.bytes_stream();
    let mut text = String::new();
    while let Some(Ok(bytes)) = stream.next().await {
        text.push_str(&String::from_utf8_lossy(&bytes));
        if text.lines().filter_map(|line| line.strip_prefix("data: ")).any(&wanted) {
            return;
        }
    }
    panic!("the stream ended: {text}");
}

async fn share(owner: &Student<'_>, label: &str, with: &str, role: &str) {
    let fields = [("name", with), ("role", role), ("lasts", "1h")];
    let answer = owner.post(&format!("/sessions/{label}/grants"), &fields).await;
    assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap_or_default());
}

/// The address that withdraws the first grant on the share page.
async fn withdrawal(owner: &Student<'_>, label: &str) -> String {
    let page = owner.page(&format!("/sessions/{label}/share")).await;
    let (before, _) = page.split_once("/withdraw\"").expect("a grant");
    let (_, path) = before.rsplit_once("action=\"").expect("a form");
    format!("{path}/withdraw")
}

#[tokio::test]
async fn the_owner_sees_a_watcher_at_once_and_a_right_that_ends_closes_the_socket_at_once() {
    let gateway = Gateway::builder().template(DESKTOP).start().await;
    let (ann, bob) = (gateway.login("ann").await, gateway.login("bob").await);
    let label = ann.create("desktop", "mine").await;
    ann.until(&label, "ready").await;

    for role in ["observer", "helper"] {
        share(&ann, &label, "bob", role).await;
        assert!(bob.page("/").await.contains(&format!("href=\"/s/{label}/\"")), "on the dashboard of bob");
        let seen = told(&ann, &label, |status| {
            status.contains(&format!("{{\"name\":\"bob\",\"role\":\"{role}\""))
                && status.contains("\"you\":false")
        });
        let (watcher, seen) = tokio::join!(Viewer::open(&bob, &label), async {
            seen.await;
            Instant::now()
        });
        let opened = Instant::now();
        assert!(seen.saturating_duration_since(opened) < SEEN_WITHIN);
        assert!(watcher.width() > 0, "the picture is there");
        assert!(ann.page("/").await.contains("bob"), "on the card too");

        let path = withdrawal(&ann, &label).await;
        let closed = tokio::join!(watcher.closed(), async {
            assert_eq!(ann.post(&path, &[]).await.status(), 303);
            Instant::now()
        });
        assert_eq!(closed.0, Some(4403));
        assert!(closed.1.elapsed() < CUT_WITHIN, "{:?}", closed.1.elapsed());
        assert_eq!(bob.client.get(gateway.url(&format!("/s/{label}/"))).send().await.unwrap().status(), 404);
    }

    share(&ann, &label, "bob", "observer").await;
    let watcher = Viewer::open(&bob, &label).await;
    gateway.berth(&["user", "disable", "bob"], None);
    let disabled = Instant::now();
    assert_eq!(watcher.closed().await, Some(4401));
    assert!(disabled.elapsed() < CUT_WITHIN, "{:?}", disabled.elapsed());
    let audit = gateway.berth(&["audit", "verify"], None);
    assert!(!audit.is_empty());
}

/// The text between two marks of a page.
fn between<'a>(page: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = page.split_once(before).unwrap_or_else(|| panic!("{before} in {page}"));
    rest.split_once(after).unwrap_or_else(|| panic!("{after} in {page}")).0
}

#[tokio::test]
async fn a_link_lets_somebody_in_and_closes_their_socket_when_it_is_withdrawn() {
    let gateway = Gateway::builder().template(DESKTOP).start().await;
    let (ann, bob) = (gateway.login("ann").await, gateway.login("bob").await);
    let label = ann.create("desktop", "mine").await;
    ann.until(&label, "ready").await;
    let form = [("role", "observer"), ("lasts", "10m"), ("most", "1")];
    let made = ann.post(&format!("/sessions/{label}/invitations"), &form).await;
    assert_eq!(made.status(), 201);
    let made = made.text().await.expect("a page");
    let token = between(&made, "/join?token=", "\"");
    assert_eq!(bob.post("/join", &[("token", token)]).await.status(), 303);
    let watcher = Viewer::open(&bob, &label).await;
    assert!(watcher.width() > 0, "the picture is there");

    let page = ann.page(&format!("/sessions/{label}/share")).await;
    let id = between(&page, &format!("/sessions/{label}/invitations/"), "/withdraw");
    let path = format!("/sessions/{label}/invitations/{id}/withdraw");
    let closed = tokio::join!(watcher.closed(), async {
        assert_eq!(ann.post(&path, &[]).await.status(), 303);
        Instant::now()
    });
    assert_eq!(closed.0, Some(4403));
    assert!(closed.1.elapsed() < CUT_WITHIN, "{:?}", closed.1.elapsed());
    let gone = bob.client.get(gateway.url(&format!("/join?token={token}"))).send().await.expect("an answer");
    assert_eq!(gone.status(), 410);
    assert!(!gateway.log().contains(token), "the log has no link");
}

//! Thumbnails: what a desktop shows, for its owner's eyes only, without anybody watching.

use std::collections::BTreeSet;
use std::io::Cursor;

use reqwest::StatusCode;

use crate::browser::Browser;
use crate::gateway::{DESKTOP, Gateway, Student, eventually, illness};

/// A picture as its receiver decodes it.
struct Picture {
    width: u32,
    height: u32,
    colours: usize,
}

impl Picture {
    fn decode(file: &[u8]) -> Self {
        let mut reader = png::Decoder::new(Cursor::new(file)).read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a small picture")];
        let frame = reader.next_frame(&mut pixels).expect("a whole PNG");
        let colours = pixels.chunks_exact(frame.color_type.samples()).collect::<BTreeSet<_>>().len();
        Self { width: frame.width, height: frame.height, colours }
    }
}

async fn ask(student: &Student<'_>, label: &str) -> reqwest::Response {
    let url = student.gateway.url(&format!("/api/v1/sessions/{label}/screenshot"));
    let request = student.client.get(url).header("sec-fetch-mode", "no-cors").header("accept", "image/*");
    request.send().await.expect("an answer")
}

async fn code(answer: reqwest::Response) -> String {
    let problem: serde_json::Value = answer.json().await.expect("a problem document");
    problem["code"].as_str().expect("a code").to_owned()
}

/// The session as its owner sees it in the API.
async fn session(student: &Student<'_>, label: &str) -> serde_json::Value {
    let answer = student.client.get(student.gateway.url(&format!("/api/v1/sessions/{label}")));
    answer.send().await.expect("an answer").json().await.expect("a document")
}

#[tokio::test]
async fn the_owner_sees_the_desktop_and_nobody_else_does() {
    let app = illness("app", "http", "web");
    let gateway = Gateway::builder().template(DESKTOP).template(&app).start().await;
    let ann = gateway.login("ann").await;
    let label = ann.create("desktop", "My desktop").await;
    ann.until(&label, "ready").await;
    let input = session(&ann, &label).await["last_input_at"].clone();

    // The desktop paints itself while the gateway looks.
    let (headers, picture) = eventually("the picture shows a desktop", || async {
        let answer = ask(&ann, &label).await;
        assert_eq!(answer.status(), StatusCode::OK, "{}", answer.text().await.unwrap_or_default());
        let headers = answer.headers().clone();
        let picture = Picture::decode(&answer.bytes().await.ok()?);
        (picture.colours > 8).then_some((headers, picture))
    })
    .await;
    assert_eq!((picture.width, picture.height), (480, 300), "the proportions of 1280 by 800");
    assert_eq!(headers["content-type"], "image/png");
    assert_eq!(headers["cache-control"], "private, max-age=5");
    let seen = session(&ann, &label).await;
    assert_eq!(seen["viewers"], serde_json::json!([]));
    let moment = |value: &serde_json::Value| value.as_str().and_then(|text| text.parse().ok());
    let (before, after): (Option<jiff::Timestamp>, _) = (moment(&input), moment(&seen["last_input_at"]));
    let moved = after.expect("a time").duration_since(before.expect("a time"));
    assert!(moved.as_millis().abs() < 500, "a look is no input, but it moved by {moved:?}");

    for user in ["bob", "root"] {
        let other = gateway.login(user).await;
        let (theirs, none) = (ask(&other, &label).await, ask(&other, "kx2mbnqrwz34").await);
        assert_eq!(
            (theirs.status(), none.status()),
            (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND),
            "{user}"
        );
        assert_eq!(code(theirs).await, code(none).await, "{user}");
    }

    // The dashboard shows it.
    let mut browser = Browser::open(1280, 900).await;
    browser.log_in(&gateway, "ann").await;
    eventually("the card has its picture", || async {
        let script = "const i = document.querySelector('.card .screen img'); return i ? i.naturalWidth : 0;";
        let width = browser.driver.execute(script, vec![]).await.ok()?;
        (width.json().as_u64() == Some(480)).then_some(())
    })
    .await;
    browser.screenshot("dashboard-ready").await;
    // And looks again after a while, which has passed as soon as the page's clock says so.
    let later = "const now = Date.now.bind(Date); Date.now = () => now() + 20000;";
    browser.driver.execute(later, vec![]).await.expect("a script");
    eventually("the card has a newer picture", || async {
        let script = "const i = document.querySelector('.card .screen img');\
                      return i.src.startsWith('blob:') && i.complete ? i.naturalWidth : 0;";
        let width = browser.driver.execute(script, vec![]).await.ok()?;
        (width.json().as_u64() == Some(480)).then_some(())
    })
    .await;

    ann.post(&format!("/sessions/{label}/pause"), &[]).await;
    ann.until(&label, "paused").await;
    let frozen = ask(&ann, &label).await;
    assert_eq!(frozen.status(), StatusCode::OK, "the last picture stays");
    assert!(Picture::decode(&frozen.bytes().await.expect("a body")).colours > 8);
    browser.wait_for(".card[data-state=paused] .screen img").await;
    browser.screenshot("dashboard-frozen").await;

    ann.post(&format!("/sessions/{label}/stop"), &[]).await;
    ann.until(&label, "stopped").await;
    let stopped = ask(&ann, &label).await;
    assert_eq!(stopped.status(), StatusCode::CONFLICT);
    assert_eq!(code(stopped).await, "not_running");

    let app = ann.create("app", "My app").await;
    ann.until(&app, "ready").await;
    let answer = ask(&ann, &app).await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    assert_eq!(code(answer).await, "no_screen");
    browser.screenshot("dashboard-states").await;
}

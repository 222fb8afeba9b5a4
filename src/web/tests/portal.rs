use std::sync::atomic::Ordering;
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use super::desk::{Answer, Desk, until};
use crate::audit::Actor;
use crate::broker::Entry;
use crate::engine::fake::Illness;
use crate::session::{Routing, StateKind};
use crate::store::Role;

#[tokio::test]
async fn a_machine_is_created_and_what_is_wrong_stands_beside_the_field() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let mut browser = desk.log_in("ann").await;
    let csrf = browser.get("/").await.csrf();
    let made =
        browser.post("/sessions", &[("csrf", &csrf), ("template", "desktop"), ("name", "My <first>")]).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER);
    let entry = desk.broker.entries_of(ann.id).remove(0);
    assert_eq!(made.location(), format!("/s/{}/", entry.label));

    let long = "x".repeat(65);
    for (template, name, status, words) in [
        ("desktop", "", 422, "Give it a name"),
        ("desktop", long.as_str(), 422, "at most 64"),
        ("desktop", "a\u{202e}b", 422, "invisible"),
        ("desktop", "My <first>", 409, "Choose another name"),
        ("nothing", "Second", 422, "no machine type"),
        ("../..", "Second", 422, "no machine type"),
    ] {
        let answer =
            browser.post("/sessions", &[("csrf", &csrf), ("template", template), ("name", name)]).await;
        assert_eq!(answer.status.as_u16(), status, "{template} {name}");
        assert!(answer.text.contains(words), "{template} {name}: {}", answer.text);
        if status == 409 {
            assert!(
                answer.text.contains("value=\"My &#60;first&#62;\""),
                "what was typed is kept: {}",
                answer.text
            );
        }
    }
    assert_eq!(desk.broker.entries_of(ann.id).len(), 1);
}

#[tokio::test]
async fn buttons_change_a_machine_and_lead_back() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let mut browser = desk.log_in("ann").await;
    let label = entry.label.as_str().to_owned();
    for (verb, state) in [
        ("pause", StateKind::Paused),
        ("resume", StateKind::Ready),
        ("stop", StateKind::Stopped),
        ("stop", StateKind::Stopped),
        ("start", StateKind::Ready),
        ("restart", StateKind::Ready),
    ] {
        let answer = browser.press(&format!("/sessions/{label}/{verb}")).await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::SEE_OTHER, "/"),
            "{verb}: {}",
            answer.text
        );
        until(&entry, state).await;
    }
    let csrf = browser.get("/").await.csrf();
    let back = [("csrf", csrf.as_str()), ("back", "//evil.test")];
    assert_eq!(browser.post(&format!("/sessions/{label}/stop"), &back).await.location(), "/");
    let asked = browser.get(&format!("/sessions/{label}/delete?back=/admin")).await;
    assert!(asked.text.contains("Delete <bdi>Mine</bdi>?") && asked.text.contains("every file in it"));
    assert!(desk.broker.find(&label).is_some(), "asking deletes nothing");
    assert_eq!(browser.press(&format!("/sessions/{label}/delete")).await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.press(&format!("/sessions/{label}/explode")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_change_needs_the_secret_of_this_login() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    desk.user("bob", Role::User).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let bobs = desk.log_in("bob").await.get("/").await.csrf();
    let mut browser = desk.log_in("ann").await;
    for verb in ["start", "stop", "restart", "reset", "pause", "resume", "delete"] {
        let path = format!("/sessions/{}/{verb}", entry.label);
        for token in ["", "guess", &bobs] {
            assert_eq!(
                browser.post(&path, &[("csrf", token)]).await.status,
                StatusCode::FORBIDDEN,
                "{verb} {token}"
            );
        }
        assert_eq!(browser.post(&path, &[]).await.status, StatusCode::FORBIDDEN, "{verb}");
        assert_ne!(browser.get(&path).await.status, StatusCode::SEE_OTHER, "{verb}: GET changes nothing");
    }
    let csrf = browser.get("/").await.csrf();
    browser.origin = Some("https://x.berth.test:8443");
    let path = format!("/sessions/{}/stop", entry.label);
    assert_eq!(
        browser.post(&path, &[("csrf", &csrf)]).await.status,
        StatusCode::FORBIDDEN,
        "a session's own page"
    );
    assert_eq!(entry.session().state.kind(), StateKind::Ready);
}

#[tokio::test]
async fn a_machine_of_somebody_else_looks_like_none() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    desk.user("bob", Role::User).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let mut bob = desk.log_in("bob").await;
    let csrf = bob.get("/").await.csrf();
    for what in ["", "/delete", "/reset"] {
        let theirs = bob.get(&format!("/sessions/{}{what}", entry.label)).await;
        let none = bob.get(&format!("/sessions/kx2mbn{what}")).await;
        assert_eq!(theirs.status, StatusCode::NOT_FOUND);
        assert_eq!(theirs.text, none.text, "{what}");
    }
    for what in ["stop", "delete", "start"] {
        let theirs = bob.post(&format!("/sessions/{}/{what}", entry.label), &[("csrf", &csrf)]).await;
        assert_eq!(theirs.status, StatusCode::NOT_FOUND);
    }
    bob.navigates = false;
    let theirs = bob.get(&format!("/events?session={}", entry.label)).await;
    assert_eq!(
        (theirs.status, theirs.header("content-type")),
        (StatusCode::NOT_FOUND, "application/problem+json")
    );
    assert_eq!(entry.session().state.kind(), StateKind::Ready);
}

#[tokio::test]
async fn admin_pages_exist_for_admins_only() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    desk.user("root", Role::Admin).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let mut user = desk.log_in("ann").await;
    assert_eq!(user.get("/admin").await.status, StatusCode::NOT_FOUND);
    let mut admin = desk.log_in("root").await;
    let page = admin.get("/admin").await;
    assert!(page.text.contains("<bdi>Mine</bdi>") && page.text.contains("<bdi>ann</bdi>"), "{}", page.text);
    assert_eq!(admin.press(&format!("/sessions/{}/stop", entry.label)).await.status, StatusCode::SEE_OTHER);
    until(&entry, StateKind::Stopped).await;
    assert!(user.get("/").await.text.contains("An administrator stopped it."));
    assert_eq!(
        admin.get(&format!("/sessions/{}", entry.label)).await.status,
        StatusCode::NOT_FOUND,
        "nobody looks into a machine that is not theirs"
    );
}

#[tokio::test]
async fn cards_show_the_screens_that_can_be_seen_and_nobody_elses() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let root = desk.user("root", Role::Admin).await;
    let ready = desk.session(&ann, "Week <5>", "desktop", StateKind::Ready).await;
    let frozen = desk.session(&ann, "Frozen", "desktop", StateKind::Ready).await;
    let stopped = desk.session(&ann, "Stopped", "desktop", StateKind::Ready).await;
    let app = desk.session(&ann, "App", "lab", StateKind::Ready).await;
    let own = desk.session(&root, "Own", "desktop", StateKind::Ready).await;
    desk.broker.pause(&frozen, &Actor::cli()).await.unwrap();
    let mut browser = desk.log_in("ann").await;
    browser.press(&format!("/sessions/{}/stop", stopped.label)).await;
    until(&stopped, StateKind::Stopped).await;

    let source = |entry: &Entry| format!("src=\"/api/v1/sessions/{}/screenshot\"", entry.label);
    let page = browser.get("/").await.text;
    for (entry, shown) in [(&ready, true), (&frozen, true), (&stopped, false), (&app, false), (&own, false)] {
        assert_eq!(page.contains(&source(entry)), shown, "{}: {page}", entry.session().name);
    }
    assert!(page.contains("alt=\"Screen of Week &#60;5&#62;\""), "{page}");
    // Whoever may see that a machine exists sees nothing of what is on it.
    let page = desk.log_in("root").await.get("/admin").await.text;
    for (entry, shown) in [(&ready, false), (&frozen, false), (&own, true)] {
        assert_eq!(page.contains(&source(entry)), shown, "{}: {page}", entry.session().name);
    }
}

#[tokio::test]
async fn the_page_of_a_session_shows_how_it_is_without_waking_it() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let ready = desk.session(&ann, "Ready", "desktop", StateKind::Ready).await;
    let mut browser = desk.log_in("ann").await;
    let path = format!("/sessions/{}", ready.label);
    assert_eq!(browser.get(&path).await.location(), format!("/s/{}/", ready.label));
    browser.press(&format!("{path}/stop")).await;
    until(&ready, StateKind::Stopped).await;
    let page = browser.get(&path).await;
    assert!(
        page.text.contains("Its owner stopped it.") && page.text.contains(">Start</button>"),
        "{}",
        page.text
    );
    assert_eq!(ready.session().state.kind(), StateKind::Stopped);

    desk.engine.infect_template(&"lab".parse().unwrap(), Illness::Exits);
    let failed = desk.session(&ann, "Failed", "lab", StateKind::Failed).await;
    let page = browser.get(&format!("/sessions/{}", failed.label)).await;
    assert!(page.text.contains("It ended before it was ready") && page.text.contains("Try again"));
    assert!(page.text.contains("<code>exited</code>"), "a word to tell a teacher: {}", page.text);
    assert!(!page.text.contains("it did not feel well"), "the engine's words are for administrators");

    desk.engine.infect_template(&"lab".parse().unwrap(), Illness::Hangs);
    let slow = desk.session(&ann, "Slow", "lab", StateKind::Starting).await;
    let queued = desk.session(&ann, "Queued", "desktop", StateKind::Starting).await;
    let page = browser.get(&format!("/sessions/{}", slow.label)).await;
    assert!(
        page.text.contains("Cancel the start") && page.text.contains("aria-current=\"step\""),
        "{}",
        page.text
    );
    browser.press(&format!("/sessions/{}/stop", slow.label)).await;
    until(&slow, StateKind::Stopped).await;
    until(&queued, StateKind::Ready).await;
}

#[tokio::test]
async fn a_session_on_its_own_host_is_entered_with_a_ticket_once() {
    let desk = Desk::new(Routing::Subdomain);
    let ann = desk.user("ann", Role::User).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let other = desk.session(&ann, "Other", "desktop", StateKind::Ready).await;
    let mut browser = desk.log_in("ann").await;
    assert!(browser.get("/").await.text.contains(&format!("href=\"/open/{}\"", entry.label)));
    let sent = browser.get(&format!("/open/{}", entry.label)).await;
    let root = format!("https://{}.berth.test:8443", entry.label);
    let path = sent.location().strip_prefix(&root).expect("the session's host").to_owned();
    assert!(path.starts_with("/.berth/enter?ticket="), "{path}");

    let mut on_host = desk.browser();
    let entered = Answer::read(on_host.get_on_host(&entry, &path).await).await;
    assert_eq!((entered.status, entered.location()), (StatusCode::SEE_OTHER, "/"));
    assert!(on_host.cookies.contains_key("__Host-berth-session"));
    let again = Answer::read(on_host.get_on_host(&entry, &path).await).await;
    assert_eq!(again.status, StatusCode::GONE, "a ticket works once");

    let sent = browser.get(&format!("/open/{}", entry.label)).await;
    let path = sent.location().strip_prefix(&root).unwrap().to_owned();
    assert_eq!(on_host.get_on_host(&other, &path).await.status(), StatusCode::GONE, "and for one session");

    assert_eq!(on_host.get_on_host(&entry, "/.berth/events").await.status(), StatusCode::OK);
    assert_eq!(on_host.get_on_host(&other, "/.berth/events").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(desk.browser().get_on_host(&entry, "/.berth/events").await.status(), StatusCode::UNAUTHORIZED);
    let page = on_host.get("/").await;
    assert_eq!(page.location(), "/login", "the host's cookie opens nothing on the portal");

    browser.press(&format!("/sessions/{}/stop", entry.label)).await;
    until(&entry, StateKind::Stopped).await;
    let page = browser.get(&format!("/sessions/{}", entry.label)).await;
    assert!(page.text.contains(&format!("name=\"back\" value=\"/open/{}\"", entry.label)), "{}", page.text);
}

#[tokio::test]
async fn a_ticket_on_a_foreign_page_logs_nobody_in() {
    // Whoever puts a link with a ticket of their own on a page would have its readers work, unaware,
    // in a machine of theirs.
    let desk = Desk::new(Routing::Subdomain);
    let ann = desk.user("ann", Role::User).await;
    let entry = desk.session(&ann, "<Mine>", "desktop", StateKind::Ready).await;
    let mut browser = desk.log_in("ann").await;
    let open = format!("/open/{}", entry.label);
    for (from, status) in [
        (Some("cross-site"), StatusCode::FORBIDDEN),
        (Some(""), StatusCode::FORBIDDEN),
        (Some("same-site"), StatusCode::SEE_OTHER),
        (Some("same-origin"), StatusCode::SEE_OTHER),
        (Some("none"), StatusCode::SEE_OTHER),
        (None, StatusCode::SEE_OTHER),
    ] {
        let sent = browser.get(&open).await;
        let (_, path) = sent.location().split_once(":8443").unwrap();
        let mut on_host = desk.browser();
        on_host.site = from;
        let entered = on_host.get_on_host(&entry, path).await;
        assert_eq!(entered.status(), status, "{from:?}");
        assert_eq!(on_host.cookies.is_empty(), status == StatusCode::FORBIDDEN, "{from:?}");
    }

    // A link on a course page to one's own machine still leads there, by way of a page of ours.
    browser.site = Some("cross-site");
    let page = browser.get(&open).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains(&format!("content=\"0; url={open}\"")), "{}", page.text);
    assert!(
        page.text.contains("<bdi>&#60;Mine&#62;</bdi>") && !page.text.contains("ticket"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn machines_can_ask_how_it_is() {
    let desk = Desk::new(Routing::Path);
    let mut probe = desk.browser();
    probe.navigates = false;
    let alive = probe.get("/health").await;
    assert_eq!((alive.status, alive.text.as_str()), (StatusCode::OK, "{\"status\":\"healthy\"}"));
    let ready = probe.get("/ready").await;
    assert_eq!(ready.status, StatusCode::OK, "{}", ready.text);
    assert_eq!(serde_json::from_str::<Value>(&ready.text).unwrap()["isolation"], "proven");
    let refused = probe.get("/admin").await;
    assert_eq!(
        (refused.status, refused.header("content-type")),
        (StatusCode::UNAUTHORIZED, "application/problem+json")
    );
}

#[tokio::test]
async fn whoever_asks_for_readiness_again_gets_the_same_answer_for_a_while() {
    let desk = Desk::new(Routing::Path);
    let ask = async || {
        let mut probe = desk.browser();
        probe.navigates = false;
        probe.get("/ready").await.status
    };
    let asked = || desk.engine_asked.load(Ordering::SeqCst);
    let together = tokio::join!(ask(), ask(), ask());
    assert_eq!(together, (StatusCode::OK, StatusCode::OK, StatusCode::OK));
    assert_eq!((ask().await, asked()), (StatusCode::OK, 1));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(2)).await;
    tokio::time::resume();
    assert_eq!((ask().await, asked()), (StatusCode::OK, 2));

    desk.draining.cancel();
    let mut probe = desk.browser();
    let answer = probe.get("/ready").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(serde_json::from_str::<Value>(&answer.text).unwrap()["draining"], true);
    assert_eq!((asked(), probe.get("/health").await.status), (2, StatusCode::OK));
}

#[tokio::test]
async fn requests_that_make_no_sense_get_one_sentence() {
    let desk = Desk::new(Routing::Path);
    desk.user("ann", Role::User).await;
    let mut browser = desk.log_in("ann").await;
    for (path, status) in [
        ("/nothing", 404),
        ("/assets/1/nothing.js", 404),
        ("/assets/novnc/1/core/../x", 404),
        ("/logout", 405),
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert!(answer.text.contains("Go to your machines"), "{path}: {}", answer.text);
    }
    let csrf = browser.get("/").await.csrf();
    let huge = "x".repeat(40_000);
    let answer = browser.post("/sessions", &[("csrf", &csrf), ("name", &huge)]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    browser.navigates = false;
    let problem: Value = serde_json::from_str(&browser.get("/nothing").await.text).unwrap();
    assert_eq!((&problem["code"], &problem["status"]), (&Value::from("not_found"), &Value::from(404)));
}

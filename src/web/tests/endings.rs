//! One reason, one text: limits, more time, and what everybody reads of an ending.

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use super::desk::{Desk, until};
use crate::engine::fake::{Illness, template};
use crate::session::{FailReason, InputSource, Protocol, Routing, StateKind, StopReason};
use crate::store::Role;

async fn audited(desk: &Desk, event: &str) -> Vec<Value> {
    let lines = desk.store.audit(0, 1000).await.unwrap();
    let lines = lines.iter().map(|line| serde_json::from_str::<Value>(&line.body).unwrap());
    lines.filter(|line| line["event"] == event).collect()
}

#[tokio::test]
async fn an_ending_reads_the_same_for_its_owner_an_admin_and_the_audit() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    desk.user("root", Role::Admin).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let mut admin = desk.log_in("root").await;
    admin.press(&format!("/sessions/{}/stop", entry.label)).await;
    until(&entry, StateKind::Stopped).await;
    desk.engine.infect_template(&"lab".parse().unwrap(), Illness::Exits);
    let failed = desk.session(&ann, "Failed", "lab", StateKind::Failed).await;

    let exited = FailReason::Exited { code: None, output: String::new() };
    let mut user = desk.log_in("ann").await;
    for (entry, text) in [(&entry, StopReason::Admin.sentence()), (&failed, exited.sentence())] {
        let page = user.get(&format!("/sessions/{}", entry.label)).await.text;
        assert!(page.contains(text), "{page}");
        assert!(user.get("/").await.text.contains(text));
        assert!(admin.get("/admin").await.text.contains(text));
    }
    let stopped = &audited(&desk, "session_stopped").await[0];
    assert_eq!((&stopped["reason"], &stopped["actor"]), (&"admin".into(), &"root".into()));
    assert_eq!(stopped["text"], StopReason::Admin.sentence());
    assert!(stopped["address"].is_string(), "{stopped}");
    let failure = &audited(&desk, "session_failed").await[0];
    assert_eq!((&failure["code"], &failure["text"]), (&"exited".into(), &exited.sentence().into()));
}

#[tokio::test]
async fn more_time_is_one_press_away_while_there_is_any() {
    let mut desktop = template("desktop".parse().unwrap(), Protocol::Rfb);
    desktop.limits.total = Some(Duration::from_secs(600));
    desktop.limits.away = Some(Duration::from_hours(24));
    let desk = Desk::with(Routing::Path, vec![desktop]);
    let ann = desk.user("ann", Role::User).await;
    desk.user("root", Role::Admin).await;
    desk.user("bob", Role::User).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let press = format!("/sessions/{}/extend", entry.label);
    let left = || desk.broker.is_extendable(&entry);
    assert!(left());
    let stranger = desk.log_in("bob").await.press(&press).await;
    assert_eq!(stranger.status, StatusCode::NOT_FOUND);
    let mut browser = desk.log_in("ann").await;
    // The shipped limits: half an hour each time, two hours in all.
    for pressed in 1..=4 {
        assert_eq!(browser.press(&press).await.status, StatusCode::SEE_OTHER);
        assert_eq!(entry.session().extended_s, 1800 * pressed);
    }
    assert!(!left());
    let spent = browser.press(&press).await;
    assert_eq!(spent.status, StatusCode::CONFLICT);
    assert!(spent.text.contains("no more time to give"), "{}", spent.text);
    assert_eq!(browser.get(&press).await.status, StatusCode::METHOD_NOT_ALLOWED, "a link changes nothing");
}

#[tokio::test]
async fn the_admin_s_table_tells_the_last_input() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    desk.user("root", Role::Admin).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    entry.note_input(InputSource::Pointer);
    let page = desk.log_in("root").await.get("/admin").await.text;
    assert!(page.contains("just now</time><small>pointer</small>"), "{page}");
    assert_eq!(desk.broker.count_by_idle()[0], ("1m", 1));
}

#[tokio::test]
async fn a_refusal_is_in_the_audit_once_however_often_it_is_asked_for() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    desk.user("bob", Role::User).await;
    let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    let mut bob = desk.log_in("bob").await;
    for _ in 0..20 {
        assert_eq!(bob.get(&format!("/sessions/{}", entry.label)).await.status, StatusCode::NOT_FOUND);
        bob.get("/sessions/nothing").await;
    }
    let refused = audited(&desk, "access_refused").await;
    assert_eq!(refused.len(), 1, "{refused:?}");
    let (target, actor) = (&refused[0]["target"], &refused[0]["actor"]);
    assert_eq!((target, actor), (&entry.label.as_str().into(), &"bob".into()));
    assert_eq!(refused[0]["outcome"], "refused");
}

//! Where a login leads.

use http::StatusCode;

use super::desk::{Browser, Desk, PASSWORD, until};
use crate::audit::Actor;
use crate::engine::fake::{Illness, template};
use crate::language::Language;
use crate::session::{Home, LimitsChange, Protocol, Routing, Setting, StateKind, Template, Wording};
use crate::store::Role;
use crate::web::Landing;

fn desktop() -> Template {
    let mut desktop = template("desktop".parse().unwrap(), Protocol::Rfb);
    desktop.title = Wording::from([(Language::English, "Desktop"), (Language::French, "Bureau")]);
    desktop.home = Home::Session;
    desktop
}

fn desk(templates: Vec<Template>) -> Desk {
    Desk::landing(Routing::Path, templates, Landing::Desktop)
}

/// Where the login of `name` leads.
async fn landed(browser: &mut Browser<'_>, name: &str, next: &str) -> String {
    browser.cookies.clear();
    let csrf = browser.get("/login").await.csrf();
    let form = [("csrf", csrf.as_str()), ("name", name), ("password", PASSWORD), ("next", next)];
    let answer = browser.post("/login", &form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    answer.location().to_owned()
}

#[tokio::test]
async fn a_student_lands_in_the_same_machine_each_time() {
    let desk = desk(vec![desktop()]);
    let ann = desk.user("ann", Role::User).await;
    desk.user("root", Role::Admin).await;
    let mut browser = desk.browser();
    browser.language = "fr";
    let first = landed(&mut browser, "ann", "").await;
    let entry = desk.broker.entries_of(ann.id).remove(0);
    assert_eq!((first.as_str(), entry.session().name.as_str()), (&*format!("/s/{}/", entry.label), "Bureau"));
    until(&entry, StateKind::Ready).await;
    assert_eq!(landed(&mut browser, "ann", "/").await, first);
    assert_eq!(desk.broker.entries_of(ann.id).len(), 1);
    assert!(browser.get("/").await.text.contains("<bdi>Bureau</bdi>"), "the dashboard is one address away");
    assert_eq!(landed(&mut browser, "ann", "/account").await, "/account", "what was asked for wins");
    assert_eq!(landed(&mut browser, "root", "").await, "/", "administrators look after others");

    // Of several the one that was used last, and never one that goes away.
    let second = desk.session(&ann, "Second", "desktop", StateKind::Ready).await;
    assert_eq!(landed(&mut browser, "ann", "").await, format!("/s/{}/", second.label));
    browser.press(&format!("/sessions/{}/delete", second.label)).await;
    assert_eq!(landed(&mut browser, "ann", "").await, first);
}

#[tokio::test]
async fn what_does_not_start_leads_to_the_dashboard_and_no_further() {
    let desk = desk(vec![desktop()]);
    let ann = desk.user("ann", Role::User).await;
    desk.engine.infect_template(&"desktop".parse().unwrap(), Illness::Exits);
    let mut browser = desk.browser();
    landed(&mut browser, "ann", "").await;
    let entry = desk.broker.entries_of(ann.id).remove(0);
    until(&entry, StateKind::Failed).await;
    let page = browser.get(&format!("/sessions/{}", entry.label)).await;
    assert_eq!((page.status, page.location()), (StatusCode::SEE_OTHER, "/"));
    let card = browser.get("/").await;
    assert_eq!(card.status, StatusCode::OK);
    assert!(card.text.contains("It ended before it was ready") && card.text.contains("<code>exited</code>"));
    assert_eq!(landed(&mut browser, "ann", "").await, "/", "and not into another attempt");
    assert_eq!(desk.broker.entries_of(ann.id).len(), 1);
}

#[tokio::test]
async fn where_all_places_are_taken_the_dashboard_says_so() {
    let desk = desk(vec![desktop()]);
    let ann = desk.user("ann", Role::User).await;
    for number in 0..4 {
        let other = desk.user(&format!("other{number}"), Role::User).await;
        for nth in 0..5 {
            desk.session(&other, &nth.to_string(), "desktop", StateKind::Ready).await;
        }
    }
    let mut browser = desk.browser();
    let landed = landed(&mut browser, "ann", "").await;
    assert_eq!(landed, "/?refused=full");
    let page = browser.get(&landed).await;
    assert!(page.status == StatusCode::OK && page.text.contains("All places are taken right now."));
    assert!(browser.get("/?refused=%3Cb%3E").await.text.contains("could not be started just now"));
    assert!(desk.broker.entries_of(ann.id).is_empty());
}

/// Others have a choice here; whom an administrator left one machine type lands in it.
#[tokio::test]
async fn whoever_may_use_one_of_several_lands_in_it() {
    let desk = desk(vec![desktop(), template("lab".parse().unwrap(), Protocol::Http)]);
    let ann = desk.user("ann", Role::User).await;
    let only = LimitsChange {
        templates: Setting::Own(["desktop".parse().unwrap()].into()),
        ..LimitsChange::default()
    };
    desk.auth.set_limits(&Actor::cli(), ann.id, &only).await.unwrap();
    let landed = landed(&mut desk.browser(), "ann", "").await;
    let entry = desk.broker.entries_of(ann.id).remove(0);
    assert_eq!((landed, entry.session().template.as_str()), (format!("/s/{}/", entry.label), "desktop"));
}

#[tokio::test]
async fn with_a_choice_or_by_default_people_land_on_the_dashboard() {
    let several = desk(vec![desktop(), template("lab".parse().unwrap(), Protocol::Http)]);
    let usual = Desk::with(Routing::Path, vec![desktop()]);
    for desk in [several, usual] {
        let ann = desk.user("ann", Role::User).await;
        assert_eq!(landed(&mut desk.browser(), "ann", "").await, "/");
        assert!(desk.broker.entries_of(ann.id).is_empty());
        let entry = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
        assert_eq!(landed(&mut desk.browser(), "ann", "").await, "/");
        desk.broker.pause(&entry, &Actor::cli()).await.unwrap();
        let mut browser = desk.log_in("ann").await;
        assert_eq!(browser.get(&format!("/sessions/{}", entry.label)).await.status, StatusCode::OK);
    }
}

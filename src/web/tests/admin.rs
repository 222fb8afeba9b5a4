//! The administrators' table: found, sorted, paged, followed, and changed together.

use std::sync::Arc;
use std::time::Instant;

use http::StatusCode;

use super::desk::{Browser, Desk, until};
use super::streams::Stream;
use crate::broker::Entry;
use crate::engine::fake::Illness;
use crate::session::{Routing, Session, State, StateKind, StopReason, UserId};
use crate::store::Role;
use crate::store::contract::sample_session;

/// The names in the order of the rows.
fn names(page: &str) -> Vec<String> {
    let rows = page.split("<tbody id=\"rows\"").nth(1).unwrap_or_default();
    let cells = rows.split("<th scope=\"row\">").skip(1);
    cells.filter_map(|cell| Some(cell.split("<bdi>").nth(1)?.split("</bdi>").next()?.to_owned())).collect()
}

fn link(page: &str, rel: &str) -> Option<String> {
    let before =
        page.split(&format!("\" rel=\"{rel}\"")).next().filter(|before| before.len() < page.len())?;
    Some(before.rsplit("href=\"").next()?.replace("&#38;", "&"))
}

/// So many sessions at rest in the store, as after a restart.
async fn at_rest(desk: &Desk, count: usize) {
    for number in 0..count {
        let session = sample_session(UserId::random());
        let session = Session {
            name: format!("machine {number:04}").parse().unwrap(),
            owner_name: format!("student {:03}", number / 3),
            template: "desktop".parse().unwrap(),
            state: State::Stopped { reason: StopReason::Away },
            ..session
        };
        desk.store.insert_session(&session).await.unwrap();
    }
    desk.broker.load().await.unwrap();
}

async fn a_few(desk: &Desk) -> [Arc<Entry>; 4] {
    let (ann, bob) = (desk.user("ann", Role::User).await, desk.user("bob", Role::User).await);
    let zoo = desk.session(&bob, "Zoo", "desktop", StateKind::Ready).await;
    let lab = desk.session(&ann, "lab 1", "lab", StateKind::Ready).await;
    let mine = desk.session(&ann, "Mine", "desktop", StateKind::Ready).await;
    desk.engine.infect_template(&"lab".parse().unwrap(), Illness::Exits);
    let failed = desk.session(&bob, "broken", "lab", StateKind::Failed).await;
    [zoo, lab, mine, failed]
}

#[tokio::test]
async fn what_is_looked_for_is_found_and_sorted_by_its_address() {
    let desk = Desk::new(Routing::Path);
    desk.user("root", Role::Admin).await;
    let [zoo, _, mine, _] = a_few(&desk).await;
    let mut root = desk.log_in("root").await;
    let mut shown = async |query: &str| names(&root.get(&format!("/admin?{query}")).await.text);
    assert_eq!(shown("sort=name").await, ["broken", "lab 1", "Mine", "Zoo"]);
    assert_eq!(shown("sort=-name").await, ["Zoo", "Mine", "lab 1", "broken"]);
    for column in ["owner", "template", "state", "since", "input", "viewers", "home", "nonsense"] {
        assert_eq!(shown(&format!("sort={column}")).await.len(), 4, "{column}");
    }
    assert_eq!(shown("sort=state").await.last().unwrap(), "broken");
    assert_eq!(shown("q=ZOO").await, ["Zoo"]);
    assert_eq!(shown(&format!("q={}", mine.label)).await, ["Mine"]);
    assert_eq!(shown("q=ann&sort=name").await, ["lab 1", "Mine"]);
    assert_eq!(shown("q=web+lab&sort=name").await, ["broken", "lab 1"], "by the title of its template");
    assert_eq!(shown("q=ann&template=desktop").await, ["Mine"]);
    assert_eq!(shown("state=failed").await, ["broken"]);
    assert_eq!(shown("reason=exited").await, ["broken"]);
    assert!(shown("reason=owner").await.is_empty());
    desk.broker
        .stop(&zoo, StopReason::Admin, crate::session::Next::Rest, &crate::audit::Actor::system())
        .await
        .unwrap();
    until(&zoo, StateKind::Stopped).await;
    assert_eq!(shown("reason=admin").await, ["Zoo"]);

    let page = root.get("/admin?sort=name&q=%3Cb%3E%22&state=ready").await.text;
    assert!(page.contains("No machine fits") && page.contains("value=\"&#60;b&#62;&#34;\""), "{page}");
    let sorted = root.get("/admin?sort=name").await.text;
    assert!(sorted.contains("aria-sort=\"ascending\"><a href=\"/admin?sort=%2Dname\""), "{sorted}");
}

#[tokio::test]
async fn a_thousand_machines_are_paged_within_the_budgets() {
    let desk = Desk::new(Routing::Path);
    desk.user("root", Role::Admin).await;
    at_rest(&desk, 1000).await;
    let mut root = desk.log_in("root").await;
    let began = Instant::now();
    let mut page = root.get("/admin?sort=name").await.text;
    let took = began.elapsed();
    // Five milliseconds of the built product are far less than this of a build for tests.
    assert!(took.as_millis() < 500, "{took:?}");
    let (mut seen, mut longest) = (Vec::new(), 0);
    loop {
        longest = longest.max(page.len());
        seen.extend(names(&page));
        let Some(next) = link(&page, "next") else { break };
        page = root.get(&next).await.text;
    }
    assert!(longest <= 100 * 1024, "{longest} bytes");
    assert_eq!(seen.len(), 1000);
    assert!(seen.is_sorted());
    let mut back = names(&page);
    while let Some(previous) = link(&page, "prev") {
        page = root.get(&previous).await.text;
        back.splice(0..0, names(&page));
    }
    assert_eq!(back, seen, "the same pages lead back");
    // Rows of one key, and a cursor that nobody gave.
    assert_eq!(names(&root.get("/admin?sort=-template").await.text).len(), 50);
    assert_eq!(names(&root.get("/admin?sort=name&after=nonsense").await.text)[0], "machine 0000");
}

async fn chosen(root: &mut Browser<'_>, verb: &str, labels: &[&str], sure: bool) -> super::desk::Answer {
    let csrf = root.get("/admin").await.csrf();
    let mut fields = vec![("csrf", csrf.as_str()), ("do", verb), ("back", "/admin?sort=name")];
    fields.extend(labels.iter().map(|label| ("label", *label)));
    if sure {
        fields.push(("sure", "yes"));
    }
    root.post("/admin/sessions", &fields).await
}

#[tokio::test]
async fn many_are_changed_at_once_after_it_was_said_what_that_does() {
    let desk = Desk::new(Routing::Path);
    desk.user("root", Role::Admin).await;
    let [zoo, lab, mine, failed] = a_few(&desk).await;
    let mut root = desk.log_in("root").await;
    let labels: Vec<&str> = [&zoo, &lab, &failed].iter().map(|entry| entry.label.as_str()).collect();
    let asked = chosen(&mut root, "stop", &[labels[0], labels[1], labels[2], "gone<b>"], false).await;
    assert_eq!(asked.status, StatusCode::OK);
    for words in [
        "Stop these 3 machines?",
        "Open programs end",
        "nothing happens",
        "gone&#60;b&#62;",
        "Stop 3 machines",
    ] {
        assert!(asked.text.contains(words), "{words}: {}", asked.text);
    }
    assert_eq!(zoo.session().state.kind(), StateKind::Ready, "asking changes nothing");

    let done = chosen(&mut root, "stop", &labels, true).await;
    assert!(done.text.contains("What was stopped") && done.text.matches("data-outcome=\"ok\"").count() == 3);
    for entry in [&zoo, &lab] {
        until(entry, StateKind::Stopped).await;
    }
    assert_eq!(mine.session().state.kind(), StateKind::Ready, "what was not chosen goes on");
    let asked = chosen(&mut root, "delete", &[labels[0]], false).await.text;
    assert!(asked.contains("Delete this machine?") && asked.contains("every file in it"), "{asked}");
    chosen(&mut root, "delete", &labels, true).await;
    for entry in [&zoo, &lab, &failed] {
        desk.broker.ended(entry).await;
        assert!(desk.broker.find(entry.label.as_str()).is_none(), "{}", entry.label);
    }
    let again = chosen(&mut root, "restart", &[mine.label.as_str()], true).await.text;
    assert!(again.contains("What was restarted"), "{again}");
    until(&mine, StateKind::Ready).await;
    assert!(chosen(&mut root, "stop", &[], true).await.text.contains("Nothing was chosen"));
    assert_eq!(
        chosen(&mut root, "explode", &[mine.label.as_str()], true).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_refused_change_is_said_beside_its_machine_and_in_the_audit() {
    let desk = Desk::new(Routing::Path);
    desk.user("root", Role::Admin).await;
    let [zoo, ..] = a_few(&desk).await;
    let mut root = desk.log_in("root").await;
    chosen(&mut root, "stop", &[zoo.label.as_str()], true).await;
    until(&zoo, StateKind::Stopped).await;
    let mut bob = desk.log_in("bob").await;
    let twice = bob.press(&format!("/sessions/{}/pause", zoo.label)).await;
    assert_eq!(twice.status, StatusCode::SEE_OTHER);
    let lines = desk.store.audit(0, 1000).await.unwrap();
    let line = lines.iter().find(|line| line.body.contains("session_not_changed")).expect("it is told");
    for part in [
        "\"change\":\"pause\"",
        "\"code\":\"wrong_state\"",
        "\"outcome\":\"refused\"",
        "\"address\":\"127.0.0.1\"",
    ] {
        assert!(line.body.contains(part), "{part}: {}", line.body);
    }
}

#[tokio::test]
async fn only_administrators_have_these_pages_and_asking_for_them_is_told() {
    let desk = Desk::new(Routing::Path);
    desk.user("ann", Role::User).await;
    let mut ann = desk.log_in("ann").await;
    for path in [
        "/admin",
        "/admin/images",
        "/admin/log",
        "/admin/log/export",
        "/admin/settings",
        "/admin/sessions/events",
    ] {
        assert_eq!(ann.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(chosen_as_nobody(&mut ann).await, StatusCode::NOT_FOUND);
    let lines = desk.store.audit(0, 1000).await.unwrap();
    let told = lines.iter().filter(|line| line.body.contains("\"code\":\"admin_only\"")).count();
    assert_eq!(told, 7);
}

async fn chosen_as_nobody(ann: &mut Browser<'_>) -> StatusCode {
    let csrf = ann.get("/").await.csrf();
    ann.post("/admin/sessions", &[("csrf", &csrf), ("do", "delete"), ("label", "x")]).await.status
}

#[tokio::test]
async fn rows_follow_what_happens_and_never_move() {
    let desk = Desk::new(Routing::Path);
    desk.user("root", Role::Admin).await;
    let [zoo, _, mine, _] = a_few(&desk).await;
    let mut root = desk.log_in("root").await;
    let mut stream = Stream::open(&mut root, "/admin/sessions/events?q=desktop").await;
    let of = |entry: &Arc<Entry>| format!("id=\"row-{}\"", entry.label);
    let (zoo_row, mine_row) = (of(&zoo), of(&mine));
    stream.find(|name, data| name == "row" && data.contains(&zoo_row)).await;
    root.press(&format!("/sessions/{}/stop", zoo.label)).await;
    let stopped = |data: &str| data.contains(&zoo_row) && data.contains("data-state=\"stopped\"");
    let (_, row) = stream.find(|name, data| name == "row" && stopped(data)).await;
    assert!(row.contains("An administrator stopped it") && !row.contains("csrf"), "{row}");
    stream.find(|name, data| name == "figures" && data.contains("Stopped")).await;

    let bob = desk.store.user_by_name("bob").await.unwrap().unwrap();
    desk.session(&bob, "Another", "desktop", StateKind::Ready).await;
    stream.find(|name, data| name == "others" && data == "1").await;
    root.press(&format!("/sessions/{}/delete", mine.label)).await;
    let seen =
        stream.find(|name, data| name == "gone" || data.contains("Another") || data.contains("lab 1")).await;
    assert_eq!(seen, ("gone".to_owned(), mine.label.to_string()));
    assert!(!mine_row.is_empty());
}

/// Deleting led back to the first page without its filter.
#[tokio::test]
async fn deleting_leads_back_to_the_part_of_the_table_that_one_read() {
    let desk = Desk::new(Routing::Path);
    desk.user("root", Role::Admin).await;
    at_rest(&desk, 120).await;
    let mut root = desk.log_in("root").await;
    let first = root.get("/admin?q=machine+0&sort=name").await.text;
    let second = link(&first, "next").unwrap();
    let page = root.get(&second).await.text;
    let (_, rest) = page.split_once("/delete?back=").unwrap();
    let (before, _) = page.split_once("/delete?back=").unwrap();
    let label = before.rsplit('/').next().unwrap();
    let question = format!("/sessions/{label}/delete?back={}", rest.split('"').next().unwrap());
    let asked = root.get(&question.replace("&#38;", "&")).await;
    let leads_back = format!("href=\"{}\"", second.replace('&', "&#38;"));
    assert!(asked.text.contains(&leads_back), "{second}: {}", asked.text);
    let csrf = asked.csrf();
    let path = format!("/sessions/{label}/delete");
    let done = root.post(&path, &[("csrf", &csrf), ("back", &second)]).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, second.as_str()));
    let forged = root.get(&format!("{path}?back=//evil.example/")).await.text;
    assert!(!forged.contains("evil"), "{forged}");
}

//! The page of kiosk links: seen, made and revoked by administrators alone.

use std::time::Duration;

use http::StatusCode;

use super::desk::{Browser, Desk, ORIGIN};
use crate::audit::Actor;
use crate::auth::NewLink;
use crate::session::{LinkAction, Routing};
use crate::store::Role;

const PAGE: &str = "/admin/links";

async fn fill(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> (StatusCode, String) {
    let csrf = browser.get(PAGE).await.csrf();
    let answer = browser.post(PAGE, &[&[("csrf", csrf.as_str())], fields].concat()).await;
    (answer.status, answer.text)
}

/// The path of the link that a page shows.
fn made(page: &str) -> Option<String> {
    let start = page.find(&format!("value=\"{ORIGIN}/link/"))? + 7 + ORIGIN.len();
    page[start..].split('"').next().map(str::to_owned)
}

#[tokio::test]
async fn an_administrator_makes_a_link_sees_its_address_once_and_revokes_it() {
    let desk = Desk::new(Routing::Path);
    desk.user("root", Role::Admin).await;
    let mut root = desk.log_in("root").await;
    let wish = [("action", "access"), ("client", "Room <7>"), ("lasts", "28800"), ("uses", "2")];
    let (status, page) = fill(&mut root, &wish).await;
    assert_eq!(status, StatusCode::OK);
    let path = made(&page).expect("it is shown");
    let page = root.get(PAGE).await.text;
    assert!(page.contains("Room &#60;7&#62;") && made(&page).is_none(), "once: {page}");
    assert!(
        page.contains("0 of 2") && page.contains("8 hours") && page.contains("<bdi>root</bdi>"),
        "{page}"
    );

    assert_eq!(desk.browser().follow(&path).await.status, StatusCode::SEE_OTHER);
    assert!(root.get(PAGE).await.text.contains("1 of 2"));
    assert_eq!(desk.browser().follow(&path).await.status, StatusCode::SEE_OTHER);
    assert!(root.get(PAGE).await.text.contains("used up"));
    let id = desk.auth.links().await.unwrap()[0].id;
    let revoke = format!("{PAGE}/{id}/revoke");
    let csrf = root.get("/").await.csrf();
    let done = root.post(&revoke, &[("csrf", &csrf), ("back", "/admin/links?after=x")]).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/admin/links?after=x"));
    let again = root.press(&revoke).await;
    assert_eq!((again.status, again.location()), (StatusCode::SEE_OTHER, PAGE), "gone already is no error");
    assert!(desk.auth.links().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_form_that_is_refused_keeps_what_was_typed_and_says_why_beside_the_field() {
    let desk = Desk::new(Routing::Path);
    desk.user("root", Role::Admin).await;
    let mut root = desk.log_in("root").await;
    let long = "x".repeat(2049);
    for (fields, problem) in [
        ([("action", ""), ("client", "lobby"), ("uses", "1")], "link-action-problem"),
        ([("action", "access"), ("client", ""), ("uses", "1")], "link-client-problem"),
        ([("action", "remove"), ("client", &long), ("uses", "1")], "link-client-problem"),
        ([("action", "access"), ("client", "lobby"), ("uses", "0")], "link-uses-problem"),
        ([("action", "remove_all"), ("client", ""), ("uses", "10001")], "link-uses-problem"),
    ] {
        let (status, page) = fill(&mut root, &fields).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        assert!(page.contains(&format!("id=\"{problem}\"")) && made(&page).is_none(), "{page}");
        for (name, typed) in fields.into_iter().filter(|(_, typed)| !typed.is_empty()) {
            assert!(page.contains(&format!("value=\"{typed}\"")), "{name} is kept: {page}");
        }
    }
    assert!(desk.auth.links().await.unwrap().is_empty());
}

#[tokio::test]
async fn nobody_but_an_administrator_sees_makes_or_revokes_a_link() {
    let desk = Desk::new(Routing::Path);
    desk.user("ann", Role::User).await;
    let new = NewLink { action: LinkAction::RemoveAll, lasts: NewLink::LASTS, uses: 1 };
    let (link, _) = desk.auth.create_link(&Actor::cli(), new).await.unwrap();
    let mut ann = desk.log_in("ann").await;
    assert_eq!(ann.get(PAGE).await.status, StatusCode::NOT_FOUND);
    let csrf = ann.get("/").await.csrf();
    let wish = [("csrf", csrf.as_str()), ("action", "remove_all"), ("uses", "1")];
    assert_eq!(ann.post(PAGE, &wish).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ann.press(&format!("{PAGE}/{}/revoke", link.id)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(desk.auth.links().await.unwrap().len(), 1);
}

#[tokio::test]
async fn many_links_are_read_part_by_part_and_back() {
    let desk = Desk::new(Routing::Path);
    desk.user("root", Role::Admin).await;
    for number in 0..120 {
        let action = LinkAction::Access(format!("room {number:03}").parse().unwrap());
        let new = NewLink { action, lasts: Duration::from_hours(1), uses: 1 };
        desk.auth.create_link(&Actor::cli(), new).await.unwrap();
    }
    let mut root = desk.log_in("root").await;
    let rooms = |page: &str| -> Vec<String> {
        let cells = page.split("<bdi title=\"room ").skip(1);
        cells.map(|cell| cell[..3].to_owned()).collect()
    };
    let link = |page: &str, rel: &str| {
        let (before, _) = page.split_once(&format!("\" rel=\"{rel}\""))?;
        Some(before.rsplit("href=\"").next()?.replace("&#38;", "&"))
    };
    let (mut page, mut seen) = (root.get(PAGE).await.text, Vec::new());
    loop {
        seen.extend(rooms(&page));
        let Some(next) = link(&page, "next") else { break };
        page = root.get(&next).await.text;
    }
    assert_eq!(seen.len(), 120);
    assert!(seen.is_sorted_by(|newer, older| newer > older), "{seen:?}");
    let mut back = rooms(&page);
    while let Some(previous) = link(&page, "prev") {
        page = root.get(&previous).await.text;
        back.splice(0..0, rooms(&page));
    }
    assert_eq!(back, seen, "the same parts lead back");
    assert_eq!(rooms(&root.get("/admin/links?after=nonsense").await.text).len(), 50);
}

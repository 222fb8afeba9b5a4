//! Path mode: pages kept out of the portal's origin, and the capability that stands in for it.

use super::support::{HOST, ORIGIN, Stand, field, says};

const PAGE: &str =
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nset-cookie: a=1; Path=/\r\nlocation: /n\r\n\r\nhi";
const TAB: &str = "sec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\n";
const FETCH: &str = "sec-fetch-mode: cors\r\norigin: null\r\n";

/// Navigates to a session and returns the prefix it was sent on to.
async fn enter(stand: &Stand) -> String {
    let answer = stand.get("/x?y=1", TAB).await;
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    assert_eq!(field(&answer, "cache-control"), Some("no-store"));
    let location = field(&answer, "location").unwrap();
    location.strip_suffix("/x?y=1").unwrap().to_owned()
}

/// A request without any cookie.
async fn anonymous(stand: &Stand, path: &str, lines: &str) -> String {
    stand.exchange(&format!("GET {path} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n{lines}\r\n")).await
}

#[tokio::test]
async fn a_navigation_gets_a_capability_under_which_its_page_can_ask_for_more() {
    let stand = Stand::path_app(says(PAGE), false).await;
    let prefix = enter(&stand).await;
    assert_eq!(prefix, enter(&stand).await, "reloading makes no new one");

    let raw = format!(
        "GET {prefix}/x HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\ncookie: {}\r\n{TAB}\r\n",
        stand.cookie
    );
    let page = stand.exchange(&raw).await;
    assert!(page.ends_with("hi"), "{page}");
    assert!(field(&page, "content-security-policy").unwrap().starts_with("sandbox allow-scripts"));
    assert_eq!(field(&page, "location").unwrap(), format!("{prefix}/n"));
    assert_eq!(field(&page, "set-cookie").unwrap(), format!("a=1; Secure; Path={prefix}/"));
    assert_eq!(field(&page, "access-control-allow-origin"), None);

    let fetched = anonymous(&stand, &format!("{prefix}/api?z"), FETCH).await;
    assert!(fetched.ends_with("hi"), "{fetched}");
    assert_eq!(field(&fetched, "access-control-allow-origin"), Some("null"));
    let head = stand.last_head();
    assert!(head.starts_with("GET /api?z HTTP/1.1\r\n"), "{head}");
    assert_eq!(field(&head, "x-forwarded-prefix"), Some(prefix.as_str()));
    assert_eq!(field(&head, "origin"), Some(ORIGIN));
}

#[tokio::test]
async fn without_a_capability_only_a_person_gets_further() {
    let stand = Stand::path_app(says(PAGE), false).await;
    assert_eq!(field(&stand.get("/api", "sec-fetch-mode: cors\r\n").await, "x-outcome"), Some("not_found"));
    let root = stand.root();
    assert_eq!(field(&anonymous(&stand, &format!("{root}/"), TAB).await, "x-outcome"), Some("login"));
    assert!(stand.engine.heads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_capability_in_a_link_does_not_let_someone_else_in() {
    let stand = Stand::path_app(says(PAGE), false).await;
    let prefix = enter(&stand).await;
    let answer = anonymous(&stand, &format!("{prefix}/x"), TAB).await;
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    assert_eq!(field(&answer, "location").unwrap(), format!("{}/", stand.root()));
}

#[tokio::test]
async fn a_guessed_capability_opens_nothing() {
    let stand = Stand::path_app(says(PAGE), false).await;
    let guessed = format!("{}/~{}/", stand.root(), "A".repeat(22));
    assert_eq!(field(&anonymous(&stand, &guessed, FETCH).await, "x-outcome"), Some("not_found"));
}

#[tokio::test]
async fn a_capability_ends_with_its_login() {
    let stand = Stand::path_app(says(PAGE), false).await;
    let prefix = enter(&stand).await;
    stand.auth.log_out(&stand.principal, [192, 0, 2, 7].into()).await.unwrap();
    assert_eq!(field(&anonymous(&stand, &format!("{prefix}/"), FETCH).await, "x-outcome"), Some("not_found"));
}

#[tokio::test]
async fn preflights_of_a_sandboxed_page_are_answered_for_its_app() {
    let stand = Stand::path_app(says(PAGE), false).await;
    let prefix = enter(&stand).await;
    let raw = format!(
        "OPTIONS {prefix}/api HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\norigin: null\r\naccess-control-request-method: PUT\r\naccess-control-request-headers: x-a\r\n\r\n"
    );
    let answer = stand.exchange(&raw).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert_eq!(field(&answer, "access-control-allow-methods"), Some("PUT"));
    assert_eq!(field(&answer, "access-control-allow-headers"), Some("x-a"));
    assert!(stand.engine.heads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_template_that_shares_the_origin_uses_plain_cookies() {
    let stand = Stand::path_app(says(PAGE), true).await;
    let page = stand.get("/x", TAB).await;
    assert!(page.ends_with("hi"), "{page}");
    assert_eq!(field(&page, "content-security-policy"), None);
    assert_eq!(field(&page, "location").unwrap(), format!("{}/n", stand.root()));
}

#[tokio::test]
async fn a_session_without_its_slash_gets_one() {
    let stand = Stand::path_app(says(PAGE), true).await;
    let answer = stand.get("?q", TAB).await;
    assert_eq!(field(&answer, "location").unwrap(), format!("{}/?q", stand.root()));
}

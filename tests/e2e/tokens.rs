//! Tokens of programs, from the page where they are made to the API that they open.

use reqwest::{Method, StatusCode};
use serde_json::Value;
use thirtyfour::prelude::*;

use crate::browser::Browser;
use crate::gateway::{DESKTOP, Gateway};

/// What the API answers to whoever has this token.
async fn ask(gateway: &Gateway, token: &str, method: Method, path: &str) -> (StatusCode, Value) {
    let request = gateway.client().request(method, gateway.url(path)).bearer_auth(token);
    let answer = request.header("accept", "application/json").send().await.expect("an answer");
    (answer.status(), answer.json().await.expect("a document"))
}

async fn open(browser: &Browser, gateway: &Gateway) {
    browser.driver.goto(gateway.url("/admin/tokens")).await.expect("the page");
    browser.wait_for("#new-title").await;
}

/// Fills in the form and presses its button.
async fn make(browser: &Browser, name: &str, scope: &str) {
    let field = browser.wait_for("#token-name").await;
    field.clear().await.expect("a field");
    field.send_keys(name).await.expect("typing");
    browser.click(&format!(".choice:has([name={scope}])")).await;
    browser.click("form[action='/admin/tokens'] button[type=submit]").await;
}

/// The names of the tokens on the page.
async fn listed(browser: &Browser) -> Vec<String> {
    let script = "return [...document.querySelectorAll('tbody th bdi')].map((name) => name.textContent)";
    serde_json::from_value(browser.script(script).await).expect("texts")
}

#[tokio::test]
async fn an_administrator_makes_a_token_uses_it_and_revokes_it() {
    let gateway = Gateway::builder().template(DESKTOP).start().await;
    let mut browser = Browser::open(1280, 900).await;
    browser.log_in(&gateway, "root").await;
    open(&browser, &gateway).await;
    browser.screenshot("tokens-empty").await;
    make(&browser, "Timetable", "sessions_read").await;
    let field = browser.wait_for("#made-secret").await;
    let token = field.prop("value").await.expect("a value").expect("the token");
    assert!(token.starts_with("berth_"), "a token of ours");
    browser.until("document.activeElement.id === 'made-secret'").await;
    browser.screenshot("tokens-made").await;

    // Once: neither the page nor anything else has it again.
    open(&browser, &gateway).await;
    assert_eq!(listed(&browser).await, ["Timetable"]);
    assert!(!browser.driver.source().await.expect("the page").contains(&token));
    assert!(!gateway.log().contains(&token) && !gateway.berth(&["token", "list"], None).contains(&token));

    let (status, sessions) = ask(&gateway, &token, Method::GET, "/api/v1/sessions").await;
    assert_eq!((status, sessions["items"].as_array().map(Vec::len)), (StatusCode::OK, Some(0)));
    let (status, problem) = ask(&gateway, &token, Method::GET, "/api/v1/users").await;
    assert_eq!(status, StatusCode::FORBIDDEN, "it may read machines, no more: {problem}");
    open(&browser, &gateway).await;
    browser.wait_for("tbody td:nth-child(6) time").await;
    browser.screenshot("tokens-used").await;

    // Another one stays as it is when the first is revoked.
    make(&browser, "Backup", "admin").await;
    let field = browser.wait_for("#made-secret").await;
    let other = field.prop("value").await.expect("a value").expect("the token");
    open(&browser, &gateway).await;
    let revoke = browser.driver.find(By::XPath("//tr[.//bdi='Timetable']//button")).await;
    revoke.expect("a button").click().await.expect("a click");
    browser.until("document.querySelectorAll('tbody tr').length === 1").await;
    assert_eq!(listed(&browser).await, ["Backup"]);
    browser.screenshot("tokens-revoked").await;
    let (status, problem) = ask(&gateway, &token, Method::GET, "/api/v1/sessions").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{problem}");
    assert_eq!(ask(&gateway, &other, Method::GET, "/api/v1/users").await.0, StatusCode::OK);
    let audit = gateway.berth(&["audit", "tail", "-n", "50"], None);
    assert!(!audit.contains(&token), "the audit has no token");
}

//! Scripts that were written for the systems Berth replaces.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::gateway::{DESKTOP, Gateway, TOKEN, docker, eventually};

/// What a script posts, and the answer.
async fn post(gateway: &Gateway, path: &str, document: &Value) -> (StatusCode, Value) {
    let request = gateway.client().post(gateway.url(path)).header("authorization", format!("Bearer {TOKEN}"));
    let answer = request
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .body(document.to_string())
        .send()
        .await
        .expect("an answer");
    (answer.status(), answer.json().await.expect("a document"))
}

/// The manager's callers choose a VNC password. The container gets it, the gateway proves the
/// container with it (or the session would never be ready), and no page has it.
#[tokio::test]
async fn a_spawned_desktop_has_the_password_that_its_script_chose() {
    let template = format!("{DESKTOP}password_env = \"VNC_PW\"\n");
    let gateway = Gateway::builder().template(&template).start().await;
    let wish = json!({ "username": "ann", "vncPassword": "hunter22" });
    let (status, spawned) = post(&gateway, "/api/v1/spawn", &wish).await;
    assert_eq!(status, StatusCode::CREATED, "{spawned}");
    let label = spawned["session"]["label"].as_str().expect("a label").to_owned();
    let ann = gateway.login("ann").await;
    ann.until(&label, "ready").await;
    let container = gateway.container(&label);
    assert_eq!(docker(&["exec", &container, "printenv", "VNC_PW"]), "hunter22");
    let page = ann.page(&format!("/s/{label}/")).await;
    assert!(page.contains("id=\"viewer\"") && !page.contains("hunter22"), "{page}");

    let (status, again) = post(&gateway, "/api/v1/spawn", &wish).await;
    assert_eq!((status, &again["session"]["label"]), (StatusCode::OK, &json!(label)));
    let (status, _) = post(&gateway, "/api/v1/remove", &json!({ "username": "ann" })).await;
    assert_eq!(status, StatusCode::OK);
    eventually("the desktop is gone", || async { gateway.containers().is_empty().then_some(()) }).await;
}

//! Statistics and capacity, with real sessions and a real browser.

use serde_json::Value;

use crate::browser::Browser;
use crate::gateway::{DESKTOP, Gateway, TOKEN, eventually};

/// An API document, as an administrator's program reads it.
async fn api(gateway: &Gateway, path: &str) -> Value {
    let answer = gateway.client().get(gateway.url(path)).bearer_auth(TOKEN).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.json().await.expect("JSON")
}

fn json(gateway: &Gateway, arguments: &[&str]) -> Value {
    serde_json::from_str(&gateway.berth(arguments, None)).expect("JSON was asked for")
}

/// The metrics a gateway shows, by name without suffixes of histograms.
async fn exported(gateway: &Gateway) -> String {
    let url = format!("http://127.0.0.1:{}/metrics", gateway.metrics);
    reqwest::get(url).await.expect("an answer").text().await.expect("text")
}

#[tokio::test]
async fn an_administrator_sees_what_is_used_and_what_there_is_room_for() {
    let mut gateway = Gateway::builder().template(DESKTOP).limits("[stats]\nevery_s = 1").start().await;
    let ann = gateway.login("ann").await;
    let label = ann.create("desktop", "Statistics").await;
    ann.until(&label, "ready").await;
    drop(ann);

    // The numbers are the engine's: a desktop that runs has memory and processes.
    let usage = eventually("the session's use is known", || async {
        let session = api(&gateway, &format!("/api/v1/sessions/{label}")).await;
        session["usage"]["cpu_percent"].is_number().then(|| session["usage"].clone())
    })
    .await;
    assert!(usage["memory_bytes"].as_u64().expect("bytes") > 20 << 20, "{usage}");
    assert!(usage["processes"].as_u64().expect("a number") > 3, "{usage}");
    assert!(usage["network_sent"].is_number(), "the spawner sees its network: {usage}");

    let capacity = json(&gateway, &["capacity", "--json"]);
    let room = &capacity["templates"][0];
    assert_eq!(room["template"], "desktop");
    let line = |name: &str| {
        let lines = capacity["resources"].as_array().expect("resources");
        lines.iter().find(|line| line["resource"] == name).expect("a resource").clone()
    };
    assert_eq!(line("sessions")["reserved"], 1.0);
    assert_eq!(line("memory")["reserved"], 2_147_483_648.0);
    assert!(line("addresses_internal")["total"].as_f64().expect("a number") > 100.0);
    assert!(gateway.berth(&["capacity"], None).contains("BOUND BY"));
    let stats = json(&gateway, &["stats", "--json"]);
    assert_eq!(stats["sessions"][0]["label"], Value::String(label.clone()));
    assert!(gateway.berth(&["stats"], None).contains(&label));

    look_at_the_pages(&gateway, &label).await;
    every_metric_of_the_rules_is_exported(&exported(&gateway).await);

    // Killed and started again, it goes on with the same pictures.
    let before = api(&gateway, "/api/v1/stats?range=hour").await;
    assert!(gateway.terminate(), "it drains and ends");
    gateway.serve().await;
    let known = |stats: &Value| {
        let series = &stats["items"][0]["series"][0]["values"];
        series.as_array().map_or(0, |values| values.iter().filter(|value| value.is_number()).count())
    };
    let (had, has) = (known(&before), known(&api(&gateway, "/api/v1/stats?range=hour").await));
    assert!(had > 2 && has + 1 >= had, "{has} of {had} points are left");
}

async fn look_at_the_pages(gateway: &Gateway, label: &str) {
    let mut browser = Browser::open(1280, 900).await;
    browser.log_in(gateway, "root").await;
    browser.driver.goto(gateway.url("/admin/stats")).await.expect("the page");
    browser.wait_for("figure.chart svg path.l-1").await;
    browser.until("document.querySelectorAll('figure.chart svg[role=img] title').length === 5").await;
    // It refreshes itself: what the reader has opened stays open.
    browser.script("window.kept = document.getElementById('live'); document.querySelector('.chart details').open = true").await;
    browser.until("document.getElementById('live') !== window.kept").await;
    browser.until("document.querySelector('.chart details').open").await;
    let size = browser.script("return document.documentElement.outerHTML.length").await;
    assert!(size.as_u64().expect("a length") < 100 * 1024, "{size}");
    browser.screenshot("stats").await;
    browser.cdp("Emulation.setEmulatedMedia", dark()).await;
    browser.screenshot("stats-dark").await;
    browser.driver.goto(gateway.url(&format!("/admin/stats/{label}?range=hour"))).await.expect("the page");
    browser.wait_for("figure.chart").await;
    browser.screenshot("stats-session-dark").await;
    browser.driver.goto(gateway.url("/admin/capacity")).await.expect("the page");
    browser.wait_for(".bars svg").await;
    browser.screenshot("capacity-dark").await;
    browser.cdp("Emulation.setEmulatedMedia", serde_json::json!({ "features": [] })).await;
    browser.screenshot("capacity").await;
    browser.pretend(390, 844).await;
    browser.wait_for(".bars svg").await;
    fits(&browser).await;
    browser.screenshot("capacity-390").await;
    browser.driver.goto(gateway.url("/admin/stats?range=day")).await.expect("the page");
    browser.wait_for("figure.chart").await;
    fits(&browser).await;
    browser.screenshot("stats-390").await;
}

/// Nothing is wider than the telephone, but tables within their own frames.
async fn fits(browser: &Browser) {
    let wide = browser.script("return document.documentElement.scrollWidth - innerWidth").await;
    assert!(wide.as_i64().expect("a number") <= 0, "the page is {wide} pixels too wide");
}

fn dark() -> Value {
    serde_json::json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] })
}

/// What `config/alerts.yml` and the dashboard ask for is there to be asked for.
fn every_metric_of_the_rules_is_exported(page: &str) {
    let shipped =
        [include_str!("../../config/alerts.yml"), include_str!("../../config/grafana-dashboard.json")];
    let mut missing = Vec::new();
    for name in shipped.iter().flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')) {
        let is_metric = name.starts_with("berth_");
        // A label's filter stands apart from the name, so what is split is the name alone.
        if is_metric && !page.contains(&format!("\n{name}")) && !missing.contains(&name) {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "not exported: {missing:?}\n{page}");
}

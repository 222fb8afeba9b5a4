//! What an administrator does with everybody's sessions, the audit and the settings, in a real
//! browser; and the same audit at the command line.

use std::process::{Command, Stdio};

use crate::browser::Browser;
use crate::gateway::{Gateway, TOKEN, eventually, illness};

/// Three machines of two users, and a browser in which the administrator is logged in.
async fn a_class() -> (Gateway, Vec<String>, Browser) {
    let gateway = Gateway::builder()
        .template(&illness("web", "http", "web"))
        .template(&illness("kiosk", "http", "web"))
        .limits("stop_grace_s = 1")
        .start()
        .await;
    let (ann, bob) = (gateway.login("ann").await, gateway.login("bob").await);
    let mut labels = Vec::new();
    for (student, template, name) in
        [(&ann, "web", "Networks"), (&ann, "kiosk", "Quiz"), (&bob, "web", "Algorithms")]
    {
        let label = student.create(template, name).await;
        student.until(&label, "ready").await;
        labels.push(label);
    }
    let mut browser = Browser::open(1400, 900).await;
    browser.log_in(&gateway, "root").await;
    (gateway, labels, browser)
}

async fn open(browser: &Browser, gateway: &Gateway, path: &str) {
    browser.driver.goto(gateway.url(path)).await.expect("a page");
}

/// The names in the order of the rows.
async fn names(browser: &Browser) -> String {
    let script =
        "return [...document.querySelectorAll('#rows th bdi')].map((name) => name.textContent).join(' ')";
    browser.script(script).await.as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_administrator_finds_sorts_and_changes_many_machines() {
    let (gateway, labels, browser) = a_class().await;
    open(&browser, &gateway, "/admin?sort=name").await;
    assert_eq!(names(&browser).await, "Algorithms Networks Quiz");
    browser.until("!document.getElementById('all').hidden").await;
    browser.screenshot("admin-sessions").await;
    browser.click("thead th:first-of-type a").await;
    browser.until("document.querySelector('#rows th bdi').textContent === 'Quiz'").await;
    assert_eq!(names(&browser).await, "Quiz Networks Algorithms");
    browser.wait_for("#q").await.send_keys("ann").await.expect("typing");
    browser.click(".filters button").await;
    browser.until("document.querySelectorAll('#rows tr').length === 2").await;
    browser.screenshot("admin-sessions-found").await;

    // A row changes while one watches, and what is chosen stays chosen.
    browser.click(&format!("input[value=\"{}\"]", labels[0])).await;
    browser.until("document.getElementById('picked').textContent.startsWith('1 ')").await;
    gateway.berth(&["session", "stop", &labels[0]], None);
    browser.until(&format!("document.querySelector('#row-{} [data-state=stopped]')", labels[0])).await;
    browser.until(&format!("document.querySelector('input[value=\"{}\"]').checked", labels[0])).await;

    browser.click(&format!("input[value=\"{}\"]", labels[1])).await;
    browser.click("#bulk button[value=stop]").await;
    browser.until("document.querySelector('h1').textContent.includes('Stop these 2')").await;
    browser.screenshot("admin-bulk-stop").await;
    browser.click("main form button").await;
    browser.until("document.querySelectorAll('[data-outcome=ok]').length === 2").await;
    browser.screenshot("admin-bulk-stopped").await;
    gateway.login("ann").await.until(&labels[1], "stopped").await;

    open(&browser, &gateway, "/admin").await;
    for label in &labels[..2] {
        browser.click(&format!("input[value=\"{label}\"]")).await;
    }
    browser.click("#bulk button[value=delete]").await;
    browser.until("document.body.textContent.includes('every file in it')").await;
    browser.screenshot("admin-bulk-delete").await;
    browser.pretend(390, 844).await;
    browser.screenshot("admin-bulk-delete-phone").await;
    browser.click("main form button.danger").await;
    eventually("they are gone", || async { (gateway.containers().len() == 1).then_some(()) }).await;
    eventually("their rows are gone", || async {
        open(&browser, &gateway, "/admin").await;
        (names(&browser).await == "Algorithms").then_some(())
    })
    .await;
    browser.screenshot("admin-sessions-phone").await;
}

#[tokio::test]
async fn an_administrator_watches_the_log_and_reads_the_settings() {
    let (gateway, labels, browser) = a_class().await;
    open(&browser, &gateway, "/admin/log").await;
    browser.until("document.getElementById('live').textContent.includes('New lines')").await;
    browser.screenshot("admin-log").await;
    open(&browser, &gateway, &format!("/admin/log?event=session_stopped&target={}", labels[2])).await;
    browser.until("document.getElementById('live').textContent.includes('New lines')").await;
    assert_eq!(browser.script("return document.querySelectorAll('#lines tr').length").await, 0);
    gateway.berth(&["session", "stop", &labels[0]], None);
    gateway.berth(&["session", "stop", &labels[2]], None);
    browser.until("document.querySelectorAll('#lines tr').length === 1").await;
    browser.click("#lines summary").await;
    browser.screenshot("admin-log-live").await;
    let row = browser.script("return document.querySelector('#lines tr').textContent").await.to_string();
    assert!(row.contains(&labels[2]) && row.contains("An administrator stopped it"), "{row}");
    browser.pretend(390, 844).await;
    browser.screenshot("admin-log-phone").await;
    browser.pretend(1400, 900).await;

    open(&browser, &gateway, "/admin/settings").await;
    browser.wait_for("#dangers").await;
    let dark = serde_json::json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
    browser.screenshot("admin-settings").await;
    browser.cdp("Emulation.setEmulatedMedia", dark).await;
    browser.screenshot("admin-settings-dark").await;
    let page = browser.driver.source().await.expect("the page");
    assert!(page.contains("config/berth.toml:") && page.contains("stop_grace_s"), "origins are shown");
    assert!(!page.contains(TOKEN), "and no secret");
    open(&browser, &gateway, "/admin/log").await;
    browser.screenshot("admin-log-dark").await;
    open(&browser, &gateway, "/admin").await;
    browser.screenshot("admin-sessions-dark").await;
}

#[tokio::test]
async fn the_audit_is_read_followed_proven_and_taken_away_at_the_command_line() {
    let gateway = Gateway::builder().template(&illness("web", "http", "web")).start().await;
    let ann = gateway.login("ann").await;
    let label = ann.create("web", "mine").await;
    ann.until(&label, "ready").await;
    ann.post("/sessions", &[("template", "web"), ("name", "mine")]).await;
    let tail = |arguments: &[&str]| gateway.berth(&[&["audit", "tail"], arguments].concat(), None);
    let refused = tail(&["--event", "session_not_created", "--since", "1h"]);
    for words in ["refused", "ann", "code=name_taken", "from=127.0.0.1"] {
        assert!(refused.contains(words), "{words}: {refused}");
    }
    assert_eq!(refused.lines().count(), 1);
    let created = tail(&["--event", "session_created", "--target", &label, "--json"]);
    let line: serde_json::Value = serde_json::from_str(&created).expect("one line of JSON");
    assert_eq!((&line["actor"], &line["address"]), (&"ann".into(), &"127.0.0.1".into()));
    let nothing = gateway.try_berth(&["audit", "tail", "--event", "reboot"], None);
    assert_eq!(nothing.status.code(), Some(2));

    let mut following = Command::new(env!("CARGO_BIN_EXE_berth"))
        .args(["audit", "tail", "-n", "0", "--follow", "--outcome", "ok", "--event", "session_stopped"])
        .env("BERTH_TEST_TOKEN", TOKEN)
        .current_dir(gateway.path("."))
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary under test runs");
    let mut out = std::io::BufReader::new(following.stdout.take().expect("it was piped"));
    gateway.berth(&["session", "stop", &label], None);
    let read = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut out, &mut line).map(|_| line)
    });
    let followed = read.await.expect("it reads").expect("a line");
    assert!(followed.contains("session_stopped") && followed.contains(&label), "{followed}");
    let _ = following.kill();
    let _ = following.wait();

    assert!(gateway.berth(&["audit", "verify"], None).contains("unbroken"));
    for file in ["audit.jsonl", "audit.csv"] {
        gateway.berth(&["audit", "export", file], None);
        let proven = gateway.berth(&["audit", "verify", "--export", file], None);
        assert!(proven.contains("the export is unbroken"), "{proven}");
        let path = gateway.path(file);
        let text = std::fs::read_to_string(&path).expect("the export");
        std::fs::write(&path, text.replacen("\"ann\"", "\"bob\"", 1).replacen(",ann,", ",bob,", 1))
            .expect("writable");
        let refused = gateway.try_berth(&["audit", "export", file], None);
        assert_eq!(refused.status.code(), Some(1), "it replaces nothing");
    }
    let forged = gateway.try_berth(&["audit", "verify", "--export", "audit.jsonl"], None);
    let words = String::from_utf8_lossy(&forged.stderr).into_owned();
    assert!(forged.status.code() == Some(1) && words.contains("its hash does not match"), "{words}");

    let client = gateway.client();
    let api = async |path: &str| -> serde_json::Value {
        let answer = client.get(gateway.url(path)).bearer_auth(TOKEN).header("accept", "application/json");
        answer.send().await.expect("an answer").json().await.expect("JSON")
    };
    let first = api("/api/v1/audit?limit=2").await;
    assert_eq!(first["items"].as_array().map(Vec::len), Some(2));
    let cursor = first["next"].as_str().expect("more than two lines");
    let next = api(&format!("/api/v1/audit?limit=2&cursor={cursor}")).await;
    assert_eq!(next["items"][0]["number"].as_u64(), first["items"][1]["number"].as_u64().map(|n| n - 1));
    assert_eq!(api("/api/v1/audit?event=reboot").await["code"], "field_invalid");
    let settings = api("/api/v1/settings").await;
    let token =
        settings["items"].as_array().expect("keys").iter().find(|key| key["key"] == "api_tokens_from_env");
    assert_eq!(token.expect("the key")["value"], "\"BERTH_TEST_TOKEN\"");
    assert!(!settings.to_string().contains(TOKEN));
    let checked = gateway.berth(&["check-config", "--json"], None);
    let checked: serde_json::Value = serde_json::from_str(&checked).expect("JSON");
    assert!(checked["settings"].as_array().is_some_and(|keys| keys.len() > 70));
}

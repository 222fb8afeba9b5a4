//! The kiosk orchestrator's scripts and links: from an address to a screen, without a login.

use std::process::Command;

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::Value;

use crate::browser::Browser;
use crate::desktop::painted;
use crate::gateway::{Builder, Gateway, TOKEN, docker, eventually, hidden_fields};

/// The shipped kiosk, with a page of its own that needs no network, and little memory.
fn kiosk() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/templates.d/kiosk.toml");
    let text = std::fs::read_to_string(path).expect("the shipped template");
    text.lines().filter(|line| !line.starts_with("env =")).collect::<Vec<_>>().join("\n") + "\n"
}

fn builder() -> Builder {
    Gateway::builder().template(&kiosk())
}

/// What `curl` prints, as an operator's script runs it.
fn curl(gateway: &Gateway, arguments: &[&str]) -> String {
    let ca = gateway.path("certs/ca.pem").display().to_string();
    let output = Command::new("curl").args(["-sS", "--cacert", &ca]).args(arguments).output();
    let output = output.expect("curl is installed");
    assert!(output.status.success(), "curl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A script's `GET` with its token: what came back as JSON.
fn ask(gateway: &Gateway, path: &str) -> Value {
    let header = format!("Authorization: Bearer {TOKEN}");
    serde_json::from_str(&curl(gateway, &["-H", &header, &gateway.url(path)])).expect("a document")
}

/// A link as `berth link create` prints it.
fn link(gateway: &Gateway, arguments: &[&str]) -> String {
    let told = gateway.berth(&[&["link", "create"][..], arguments].concat(), None);
    told.trim().to_owned()
}

/// The old scripts, with one header more: a screen for a client, its state, its end.
#[tokio::test]
async fn an_orchestrator_s_scripts_get_a_screen_and_see_and_remove_it() {
    let gateway = builder().limits("max_sessions = 1\nmax_sessions_per_user = 1\n").start().await;
    let header = format!("Authorization: Bearer {TOKEN}");
    let access = gateway.url("/access?id=room%2F7");
    let url = curl(&gateway, &["-o", "/dev/null", "-w", "%{redirect_url}", "-H", &header, &access]);
    let label = url.split(['/', '?']).nth(4).expect("a label").to_owned();
    eventually("the screen is there", || async {
        let status = ask(&gateway, "/status");
        (status["records"][0]["client_id"] == "room/7").then_some(())
    })
    .await;
    let status = ask(&gateway, "/status");
    assert_eq!((&status["active_containers"], &status["max_slots"]), (&1.into(), &1.into()));
    let name = status["records"][0]["container_name"].as_str().expect("a name").to_owned();
    assert_eq!(docker(&["inspect", "-f", "{{.State.Running}}", &name]), "true");

    // The browser that gets the address is let in; whoever has it later is not.
    let jar = gateway.path("jar").display().to_string();
    let page = curl(&gateway, &["-L", "-c", &jar, "-b", &jar, "-H", "Accept: text/html", &url]);
    assert!(page.contains("id=\"viewer\""), "{page}");
    let again = curl(&gateway, &["-o", "/dev/null", "-w", "%{http_code}", "-H", "Accept: text/html", &url]);
    assert_eq!(again, "410");
    let own = curl(&gateway, &["-b", &jar, "-H", "Accept: text/html", &gateway.url(&format!("/s/{label}/"))]);
    assert!(own.contains("id=\"viewer\""), "{own}");
    let portal = curl(&gateway, &["-b", &jar, "-o", "/dev/null", "-w", "%{redirect_url}", &gateway.url("/")]);
    assert!(portal.is_empty() || portal.contains("/login"), "{portal}");

    // Every place is taken, and it says so in both languages of errors.
    let full = ask(&gateway, "/access?id=room-8");
    assert_eq!((&full["code"], &full["status"]), (&"full".into(), &429.into()));
    assert_eq!(full["error"], full["detail"]);
    let head =
        curl(&gateway, &["-o", "/dev/null", "-D", "-", "-H", &header, &gateway.url("/access?id=room-8")]);
    assert!(head.to_lowercase().contains("retry-after:"), "{head}");

    assert_eq!(ask(&gateway, "/remove?id=room%2F7")["status"], "removed");
    assert!(gateway.containers().is_empty(), "it is gone when that is answered");
    assert_eq!(ask(&gateway, "/remove?id=room%2F7")["code"], "client_unknown");
    assert_eq!(ask(&gateway, "/access?id=room-8")["status"], "ok");
    assert_eq!(ask(&gateway, "/remove-all")["removed"], 1);
    assert_eq!(ask(&gateway, "/health")["status"], "healthy");
}

/// An old script in Python, and an old browser bookmark: the first works, the second changes nothing.
#[tokio::test]
async fn a_python_script_works_and_a_browser_s_get_changes_nothing() {
    let gateway = builder().start().await;
    let script = r#"
import json, os, ssl, urllib.request
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments): return None
context = ssl.create_default_context(cafile=os.environ["CA"])
opener = urllib.request.build_opener(Stay, urllib.request.HTTPSHandler(context=context))
def ask(path, token=os.environ["TOKEN"]):
    request = urllib.request.Request(os.environ["BASE"] + path)
    if token: request.add_header("Authorization", "Bearer " + token)
    try:
        answer = opener.open(request)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, json.load(answer)
status, told = ask("/access?id=caf%C3%A9")
assert status == 303 and told["client_id"] == "café" and told["status"] == "ok", (status, told)
status, refused = ask("/access?id=caf%C3%A9", token=None)
assert status == 401 and "Bearer" in refused["error"], (status, refused)
status, gone = ask("/remove-all")
assert (status, gone["removed"]) == (200, 1), (status, gone)
print("fine")
"#;
    let output = Command::new("python3")
        .args(["-c", script])
        .env("CA", gateway.path("certs/ca.pem"))
        .env("TOKEN", TOKEN)
        .env("BASE", gateway.url(""))
        .output()
        .expect("python3 is installed");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "fine\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let root = gateway.login("root").await;
    for path in ["/access?id=x", "/remove-all"] {
        let answer = root.client.get(gateway.url(path)).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path}");
        assert!(answer.text().await.expect("a page").contains("Nothing was done"), "{path}");
    }
    assert!(gateway.containers().is_empty());
}

/// Fifty browsers press the button of one link at once.
#[tokio::test]
async fn of_fifty_who_follow_a_link_at_once_one_is_let_in() {
    let gateway = builder().start().await;
    let url = link(&gateway, &["--access", "lobby"]);
    let origin = format!("https://localhost:{}", gateway.port);
    let mut ready = Vec::new();
    for _ in 0..50 {
        let client = gateway.client();
        let page = client.get(&url).send().await.expect("the link's page").text().await.expect("a page");
        ready.push((client, hidden_fields(&page)));
    }
    let press = ready.into_iter().map(|(client, form)| {
        let request = client.post(&url).header("origin", &origin).header("sec-fetch-site", "same-origin");
        async move { request.form(&form).send().await.expect("an answer").status() }
    });
    let statuses = join_all(press).await;
    let count = |wanted: StatusCode| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(StatusCode::SEE_OTHER), count(StatusCode::GONE)), (1, 49), "{statuses:?}");
    assert_eq!(
        gateway.berth(&["audit", "tail", "--event", "link_used"], None).matches("link_used").count(),
        1
    );
    assert_eq!(ask(&gateway, "/remove-all")["removed"], 1);
}

/// The cells of the table of links, row by row.
async fn listed(browser: &Browser) -> Vec<String> {
    let script =
        "return [...document.querySelectorAll('tbody tr > :not(.actions)')].map((cell) => cell.innerText)";
    serde_json::from_value(browser.script(script).await).expect("texts")
}

/// An administrator makes a link on the page for that, and is shown its address once.
async fn make_link(root: &Browser, gateway: &Gateway, client: &str) -> String {
    root.driver.goto(gateway.url("/admin")).await.expect("a page");
    root.click(".admin-pages [href='/admin/links']").await;
    root.wait_for("main .empty").await;
    root.click(".choice:has([value=access])").await;
    root.click("form[action='/admin/links'] button[type=submit]").await;
    root.wait_for("#link-client-problem").await;
    root.screenshot("links-refused").await;
    root.wait_for("#link-client").await.send_keys(client).await.expect("typing");
    root.script("document.querySelector('#link-lasts [value=\"28800\"]').selected = true").await;
    root.click("form[action='/admin/links'] button[type=submit]").await;
    let url = root.wait_for("#made-url").await.prop("value").await.expect("a value").expect("an address");
    root.until("document.activeElement.id === 'made-url'").await;
    root.screenshot("links-made").await;
    root.driver.goto(gateway.url("/admin/links")).await.expect("the page");
    assert_eq!(listed(root).await[1..4], [client, "0 of 1", "8 hours"]);
    let secret = url.rsplit('/').next().expect("a secret");
    assert!(
        !root.driver.source().await.expect("the page").contains(secret) && !gateway.log().contains(secret)
    );
    url
}

/// Once it has been used the page says so, and it can be cleared away.
async fn used_and_revoked(root: &Browser, gateway: &Gateway) {
    root.driver.goto(gateway.url("/admin/links")).await.expect("the page");
    let cells = listed(root).await;
    assert!(cells[2].starts_with("1 of 1") && cells[2].contains("used up"), "{cells:?}");
    root.screenshot("links-used").await;
    root.click("form[action$='/revoke'] button").await;
    root.wait_for("main .empty").await;
    let audit = gateway.berth(&["audit", "tail", "--event", "link_revoked"], None);
    assert!(audit.contains("root"), "{audit}");
}

/// A person gets a link in a mail: a page, a button, the screen.
#[tokio::test]
async fn a_link_that_an_administrator_made_opens_the_screen_in_a_browser_without_a_login() {
    let gateway = builder().start().await;
    let mut root = Browser::open(1280, 900).await;
    root.log_in(&gateway, "root").await;
    let url = make_link(&root, &gateway, "Salle d’été 7").await;
    let mut browser = Browser::open(1280, 800).await;
    browser.reach(&gateway).await;
    browser.driver.goto(&url).await.expect("the link");
    browser.wait_for("form[method=post] button").await;
    browser.screenshot("link").await;
    browser.pretend(390, 844).await;
    browser.wait_for("form[method=post] button").await;
    browser.screenshot("link-phone").await;
    browser.prefer("dark").await;
    browser.screenshot("link-phone-dark").await;
    browser.pretend(1280, 800).await;
    browser.screenshot("link-dark").await;
    assert!(gateway.containers().is_empty(), "looking, four times, did nothing");

    browser.click("form[method=post] button").await;
    browser.wait_for("[data-state=connected] #screen canvas").await;
    painted(&browser.driver, "#screen canvas").await;
    browser.screenshot("link-screen").await;
    // The page is only this screen's: no way to a portal that its reader has no login for.
    let links =
        browser.script("return [...document.querySelectorAll('a:not([hidden])')].map(a => a.href)").await;
    assert_eq!(links, serde_json::json!([]));
    browser.driver.refresh().await.expect("the page again");
    browser.wait_for("[data-state=connected] #screen canvas").await;

    browser.driver.goto(&url).await.expect("the link again");
    browser.wait_for(".panel").await;
    let text = browser.script("return document.body.innerText").await.to_string();
    assert!(text.contains("has been used or is too old"), "{text}");
    browser.screenshot("link-used").await;
    used_and_revoked(&root, &gateway).await;
}

/// The same where screens have hosts of their own.
#[tokio::test]
async fn a_link_opens_the_screen_on_its_own_host() {
    let gateway = builder().routing("subdomain").start().await;
    let mut browser = Browser::open(1280, 800).await;
    browser.reach(&gateway).await;
    browser.driver.goto(&link(&gateway, &["--access", "lobby"])).await.expect("the link");
    browser.click("form[method=post] button").await;
    browser.wait_for("[data-state=connected] #screen canvas").await;
    let url = browser.driver.current_url().await.expect("a page");
    assert!(url.host_str().is_some_and(|host| host.ends_with(".localhost")), "{url}");
    painted(&browser.driver, "#screen canvas").await;
}

//! Users in a real browser: an administrator creates, imports, resets, disables and deletes them;
//! people see and end their logins, and choose the language and the look of their pages.

use std::time::{Duration, Instant};

use thirtyfour::prelude::*;

use crate::browser::Browser;
use crate::gateway::{DESKTOP, Gateway, PASSWORD};
use crate::viewer::Viewer;

/// What P7 promises of rights that end.
const CUT_WITHIN: Duration = Duration::from_secs(1);

async fn type_into(browser: &Browser, css: &str, text: &str) {
    let field = browser.wait_for(css).await;
    field.clear().await.expect("a field");
    field.send_keys(text).await.expect("typing");
}

async fn text_of(browser: &Browser, css: &str) -> String {
    browser.wait_for(css).await.text().await.expect("its text")
}

async fn go(browser: &Browser, gateway: &Gateway, path: &str) {
    browser.driver.goto(gateway.url(path)).await.expect("the page");
}

/// The same page in light and dark and on a telephone, for looking at.
async fn pictures(browser: &Browser, name: &str) {
    browser.screenshot(name).await;
    browser.script("document.documentElement.dataset.look = 'dark'").await;
    browser.screenshot(&format!("{name}-dark")).await;
    browser.pretend(390, 844).await;
    browser.screenshot(&format!("{name}-narrow")).await;
    browser.cdp("Emulation.clearDeviceMetricsOverride", serde_json::json!({})).await;
    browser.cdp("Emulation.setTouchEmulationEnabled", serde_json::json!({ "enabled": false })).await;
    browser.driver.refresh().await.expect("the page");
}

#[tokio::test]
async fn an_administrator_manages_users_from_the_first_to_the_last() {
    let gateway = Gateway::builder().template(DESKTOP).start().await;
    let mut browser = Browser::open(1280, 900).await;
    browser.log_in(&gateway, "root").await;

    go(&browser, &gateway, "/admin/users").await;
    browser.click("#create summary").await;
    type_into(&browser, "#new-user", "zoé").await;
    browser.click("#create form > button").await;
    let password = text_of(&browser, "#made").await;
    assert_eq!(password.len(), 19, "{password}");
    browser.screenshot("users-made").await;
    go(&browser, &gateway, "/admin/users").await;
    pictures(&browser, "users").await;

    go(&browser, &gateway, "/admin/user-import").await;
    let list = "name;role;password;max_sessions\nyann;user;;2\nzoé;user;;\nxav;teacher;;\nroot;user;;\n";
    type_into(&browser, "#text", list).await;
    pictures(&browser, "import").await;
    type_into(&browser, "#text", list).await;
    browser.click("form.stack button.primary").await;
    browser.wait_for("[data-result=refused]").await;
    browser.screenshot("import-trial").await;
    let users = gateway.berth(&["user", "list"], None);
    assert!(!users.contains("yann"), "a trial run changes nothing");
    browser.click("form button.primary").await;
    browser.wait_for("form[action$='/passwords'] button").await;
    browser.screenshot("import-done").await;
    assert!(gateway.berth(&["user", "show", "yann"], None).contains("sessions 2"));

    go(&browser, &gateway, "/admin/users/zo%C3%A9").await;
    pictures(&browser, "user").await;
    browser.click("#password button").await;
    let again = text_of(&browser, "#made").await;
    assert_ne!(again, password);
    browser.click(".row .primary").await;
    role_limits_and_logins(&browser, &gateway).await;
    go(&browser, &gateway, "/admin/users/zo%C3%A9").await;
    browser.click("#access .danger").await;
    browser.wait_for("#access form[action$='/enable']").await;
    browser.screenshot("user-disabled").await;
    browser.click("#delete .danger").await;
    browser.wait_for("form[action$='/delete']").await;
    pictures(&browser, "user-delete").await;
    browser.click("form[action$='/delete'] .danger").await;
    let notice = text_of(&browser, ".notice").await;
    assert!(notice.contains("zoé"), "{notice}");
    assert!(!gateway.berth(&["user", "list"], None).contains("zoé"));
    assert!(!gateway.berth(&["audit", "verify"], None).is_empty());
}

/// Whether `berth user show` says all of this of somebody.
fn shows(gateway: &Gateway, user: &str, words: &[&str]) -> bool {
    let shown = gateway.berth(&["user", "show", user], None);
    words.iter().all(|word| shown.contains(word))
}

/// Another role, limits of their own, and logins that end: one of them, then all.
async fn role_limits_and_logins(browser: &Browser, gateway: &Gateway) {
    browser.click("#access [name=role][value=admin]").await;
    browser.click("#access form[action$='/role'] button").await;
    browser.until("document.querySelector('.notice')?.textContent.includes('role was changed')").await;
    assert!(shows(gateway, "zoé", &["admin"]));
    type_into(browser, "#max_sessions", "many").await;
    browser.click("#limits button").await;
    browser.wait_for("#limits .problem").await;
    assert_eq!(
        browser.wait_for("#max_sessions").await.value().await.expect("a field").as_deref(),
        Some("many")
    );
    type_into(browser, "#max_sessions", "3").await;
    type_into(browser, "#max_cpus", "1.5").await;
    browser.click("#limits button").await;
    browser.wait_for(".notice").await;
    browser.screenshot("user-limits").await;
    assert!(shows(gateway, "zoé", &["sessions 3", "1.5"]));

    let logins = [gateway.login("ann").await, gateway.login("ann").await, gateway.login("ann").await];
    let still_in = async || {
        let mut count = 0;
        for login in &logins {
            count += usize::from(!login.page("/account").await.is_empty());
        }
        count
    };
    assert_eq!(still_in().await, 3);
    go(browser, gateway, "/admin/users/ann").await;
    browser.click("#logins li:first-child button").await;
    browser.wait_for(".notice").await;
    browser.until("document.querySelectorAll('#logins li').length === 2").await;
    assert_eq!(still_in().await, 2);
    browser.click("#logins button.danger").await;
    browser.wait_for("#logins .empty").await;
    browser.screenshot("user-logins-ended").await;
    assert_eq!(still_in().await, 0);
}

/// The rows of an import as its page has them: who, and what becomes of them.
async fn rows(browser: &Browser) -> Vec<(String, String)> {
    let script = "return [...document.querySelectorAll('tbody tr')]\
        .map((row) => [row.querySelector('th').textContent, row.querySelector('.result').dataset.result])";
    serde_json::from_value(browser.script(script).await).expect("pairs of texts")
}

#[tokio::test]
async fn a_list_that_is_uploaded_is_tried_then_taken_in_and_its_users_log_in() {
    let gateway = Gateway::builder().template(DESKTOP).start().await;
    // As a spreadsheet on another system saves it.
    let list = format!(
        "\u{feff}name;role;password;max_sessions\r\nZoé Müller;user;{PASSWORD};2\r\nyann;user;;\r\n\
         bob;admin;;\r\nxav;teacher;;\r\nann;user;;\r\n"
    );
    let file = gateway.path("class.csv");
    std::fs::write(&file, list).expect("the test's own directory");
    let mut browser = Browser::open(1280, 900).await;
    browser.log_in(&gateway, "root").await;
    go(&browser, &gateway, "/admin/user-import").await;
    let field = browser.wait_for("#file").await;
    field.send_keys(file.display().to_string()).await.expect("a file is chosen");
    browser.click("form.stack button.primary").await;
    browser.wait_for("[data-result=refused]").await;
    let foreseen = rows(&browser).await;
    let of = |name: &str, result: &str| (name.to_owned(), result.to_owned());
    let expected = [
        of("xav", "refused"),
        of("Zoé Müller", "created"),
        of("yann", "created"),
        of("bob", "changed"),
        of("ann", "exists"),
    ];
    assert_eq!(foreseen, expected);
    browser.screenshot("import-file-trial").await;
    let users = gateway.berth(&["user", "list"], None);
    assert!(!users.contains("yann") && !users.contains("Zoé"), "a trial run changes nothing: {users}");

    browser.click("main form button.primary").await;
    browser.wait_for("form[action$='/passwords'] button").await;
    assert_eq!(rows(&browser).await, expected, "done as it was shown");
    let counts = text_of(&browser, ".figures").await;
    browser.screenshot("import-file-done").await;
    assert_eq!(counts.matches(char::is_numeric).collect::<String>(), "2111", "{counts}");
    assert!(gateway.berth(&["user", "show", "Zoé Müller"], None).contains("sessions 2"));
    assert!(gateway.berth(&["user", "show", "bob"], None).contains("admin"));

    let mut hers = Browser::open(1280, 900).await;
    hers.log_in(&gateway, "Zoé Müller").await;
    assert_eq!(text_of(&hers, ".person-name").await, "Zoé Müller");
    hers.screenshot("import-file-logged-in").await;
}

#[tokio::test]
async fn a_first_password_is_changed_before_anything_else() {
    let gateway = Gateway::builder().template(DESKTOP).start().await;
    let (given, own) = ("given to zoé", "a password of hers");
    let add = ["user", "add", "zoé", "--password-stdin", "--must-change"];
    gateway.berth(&add, Some(&format!("{given}\n")));
    let mut browser = Browser::open(1280, 900).await;
    browser.meet(&gateway).await;
    let log_in = async |password: &str| {
        type_into(&browser, "[name=name]", "zoé").await;
        type_into(&browser, "[name=password]", password).await;
        browser.click("form[action='/login'] button[type=submit]").await;
    };
    go(&browser, &gateway, "/login").await;
    log_in(given).await;
    browser.wait_for("#present").await;
    go(&browser, &gateway, "/").await;
    browser.wait_for("#present").await;
    browser.screenshot("account-first-password").await;

    // What is wrong stands beside its field, and the present one is asked for again.
    for (field, text) in [("#present", given), ("#new", own), ("#again", "another")] {
        type_into(&browser, field, text).await;
    }
    browser.click("form[action='/account'] button[type=submit]").await;
    browser.wait_for("#again-problem").await;
    for (field, text) in [("#present", given), ("#new", own), ("#again", own)] {
        type_into(&browser, field, text).await;
    }
    browser.click("form[action='/account'] button[type=submit]").await;
    browser.wait_for("form[action='/login']").await;
    log_in(given).await;
    browser.wait_for("#problem").await;
    log_in(own).await;
    browser.wait_for("#create").await;
}

#[tokio::test]
async fn a_login_that_is_ended_elsewhere_closes_its_sockets_at_once() {
    let gateway = Gateway::builder().template(DESKTOP).start().await;
    let elsewhere = gateway.login("ann").await;
    let label = elsewhere.create("desktop", "mine").await;
    elsewhere.until(&label, "ready").await;
    let viewer = Viewer::open(&elsewhere, &label).await;
    let mut browser = Browser::open(1280, 900).await;
    browser.log_in(&gateway, "ann").await;
    go(&browser, &gateway, "/account").await;
    assert_eq!(browser.driver.find_all(By::Css("#logins .badge")).await.expect("a page").len(), 1);
    pictures(&browser, "account").await;
    browser.wait_for("#logins li button").await;
    let (closed, pressed) = tokio::join!(viewer.closed(), async {
        browser.click("#logins li button").await;
        Instant::now()
    });
    assert_eq!(closed, Some(4401));
    // The click returns once the next page is there, which is later than the end of the login.
    assert!(pressed.elapsed() < CUT_WITHIN, "{:?}", pressed.elapsed());
    assert!(elsewhere.page("/account").await.is_empty(), "it is sent to log in");
    assert!(!gateway.login("ann").await.page("/").await.is_empty());
}

#[tokio::test]
async fn language_and_look_are_chosen_without_a_script_and_hold_everywhere() {
    let gateway = Gateway::builder().template(DESKTOP).start().await;
    let mut browser = Browser::open(1280, 900).await;
    browser.log_in(&gateway, "ann").await;
    let off = serde_json::json!({ "value": true });
    browser.cdp("Emulation.setScriptExecutionDisabled", off).await;
    go(&browser, &gateway, "/account").await;
    browser.click("button[name=look][value=dark]").await;
    browser.wait_for("html[data-look=dark] .notice").await;
    browser.click("button[name=language][value=fr]").await;
    browser.wait_for("html[lang=fr][data-look=dark] .notice").await;
    browser.screenshot("account-french-dark").await;
    go(&browser, &gateway, "/").await;
    browser.wait_for("html[lang=fr][data-look=dark]").await;
    browser.click("form[action='/logout'] button").await;
    browser.wait_for("html[lang=fr][data-look=dark] form[action='/login']").await;
    browser.screenshot("login-french-dark").await;
    browser.click("button[name=language][value=en]").await;
    browser.click("button[name=look][value=light]").await;
    browser.wait_for("html[lang=en][data-look=light] form[action='/login']").await;
    browser.screenshot("login-english-light").await;

    // Another device, where nothing was chosen: what she chose for herself holds.
    let elsewhere = gateway.login("ann").await;
    assert!(elsewhere.page("/").await.contains("<html lang=\"fr\" data-look=\"dark\""));
}

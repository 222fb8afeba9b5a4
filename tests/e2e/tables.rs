//! The administrators' tables where they are longer than a page: what is looked for, the parts and back,
//! and where one is after a change.

use serde_json::json;
use thirtyfour::By;

use crate::browser::Browser;
use crate::gateway::{Gateway, eventually, illness};

/// A part has fifty rows.
const MANY: usize = 52;

/// The texts of these elements of the page.
async fn texts(browser: &Browser, css: &str) -> Vec<String> {
    let script = format!("return [...document.querySelectorAll({})].map((e) => e.textContent)", json!(css));
    serde_json::from_value(browser.script(&script).await).expect("texts")
}

/// Waits until the page has so many rows, and tells the first and the last of them.
async fn rows(browser: &Browser, count: usize) -> (String, String) {
    browser.until(&format!("document.querySelectorAll('tbody tr').length === {count}")).await;
    let mut names = texts(browser, "tbody th bdi").await;
    let last = names.pop().expect("a row");
    (names.into_iter().next().unwrap_or_else(|| last.clone()), last)
}

fn pair(first: &str, last: &str) -> (String, String) {
    (first.to_owned(), last.to_owned())
}

async fn choose(browser: &Browser, css: &str) {
    browser.script(&format!("document.querySelector({}).selected = true", json!(css))).await;
}

#[tokio::test]
async fn users_are_looked_for_and_read_part_by_part_and_back() {
    let gateway = Gateway::builder().template(&illness("web", "http", "web")).start().await;
    // A hash, so that none has to be made.
    let hash = "$2b$04$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie";
    let row = |number| format!("pupil {number:02},{hash},{}\n", if number == 7 { "yes" } else { "no" });
    let list: String = (0..MANY).map(row).collect();
    let file = gateway.path("pupils.csv");
    std::fs::write(&file, format!("name,password_hash,disabled\n{list}")).expect("the test's own directory");
    gateway.berth(&["user", "import", "--csv", &file.display().to_string()], None);
    let mut browser = Browser::open(1280, 900).await;
    browser.log_in(&gateway, "root").await;
    browser.driver.goto(gateway.url("/admin/users")).await.expect("the page");
    let search = browser.wait_for("#search").await;
    search.send_keys("PUPIL").await.expect("typing");
    browser.click(".filters button").await;
    // The page before has as many rows.
    browser.until("location.search.includes('search=PUPIL')").await;
    assert_eq!(rows(&browser, 50).await, pair("pupil 00", "pupil 49"));
    assert!(browser.driver.find_all(By::Css("main [rel=prev]")).await.expect("a page").is_empty());
    browser.click("main [rel=next]").await;
    assert_eq!(rows(&browser, 2).await, pair("pupil 50", "pupil 51"));
    browser.screenshot("users-part").await;
    browser.click("main [rel=prev]").await;
    assert_eq!(rows(&browser, 50).await, pair("pupil 00", "pupil 49"));

    choose(&browser, "#state [value=disabled]").await;
    browser.click(".filters button").await;
    assert_eq!(rows(&browser, 1).await, pair("pupil 07", "pupil 07"));
    browser.until("document.querySelector('#search').value === 'PUPIL'").await;
    browser.wait_for("#search").await.clear().await.expect("a field");
    choose(&browser, "#state [value='']").await;
    choose(&browser, "#role [value=admin]").await;
    browser.click(".filters button").await;
    assert_eq!(rows(&browser, 2).await, pair("admin", "root"));
}

#[tokio::test]
async fn a_machine_is_deleted_from_a_later_part_of_the_table_which_is_there_again_afterwards() {
    // The first never becomes ready and has the one place to start in; the others wait behind it.
    let gateway = Gateway::builder()
        .template(&illness("slow", "http", "silent"))
        .limits(
            "max_sessions = 60\nmax_sessions_per_user = 60\nmax_parallel_starts = 1\nstart_deadline_s = 900",
        )
        .start()
        .await;
    let ann = gateway.login("ann").await;
    for number in 0..MANY {
        ann.create("slow", &format!("Machine {number:02}")).await;
    }
    let mut browser = Browser::open(1400, 900).await;
    browser.log_in(&gateway, "root").await;
    browser.driver.goto(gateway.url("/admin?q=machine&sort=name")).await.expect("the page");
    assert_eq!(rows(&browser, 50).await, pair("Machine 00", "Machine 49"));
    browser.click(".pages [rel=next]").await;
    assert_eq!(rows(&browser, 2).await, pair("Machine 50", "Machine 51"));
    browser.screenshot("admin-sessions-part").await;

    browser.click("#rows tr:first-child [data-key=delete]").await;
    browser.wait_for("form[action$='/delete'] button.danger").await;
    browser.click(".panel a.quiet").await;
    assert_eq!(rows(&browser, 2).await, pair("Machine 50", "Machine 51"));
    browser.click("#rows tr:first-child [data-key=delete]").await;
    browser.click("form[action$='/delete'] button.danger").await;
    // It may still be going when the table is back.
    eventually("it is gone from the part that one read", || async {
        browser.driver.refresh().await.expect("the page");
        (texts(&browser, "tbody th bdi").await == ["Machine 51"]).then_some(())
    })
    .await;
    browser.click(".pages [rel=prev]").await;
    assert_eq!(rows(&browser, 50).await, pair("Machine 00", "Machine 49"));
    assert_eq!(browser.script("return document.querySelector('#q').value").await, "machine");
}

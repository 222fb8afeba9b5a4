//! Web development: a student changes a page and sees it served.

use crate::desktop::type_line;
use crate::gateway::{Gateway, eventually};
use crate::images::{at_a_session, run, shipped};
use crate::viewer_page::at_a_terminal;

const SITE: &str = "curl -sf http://localhost:8080";

#[tokio::test]
async fn a_student_changes_a_page_and_sees_it_served() {
    let gateway = Gateway::builder().template(&shipped("webdev")).start().await;
    let (browser, container) = at_a_session(&gateway, "webdev").await;

    // The example site runs: PHP, and a file as it is.
    let first =
        eventually("the example site is served", || async { run(&container, &format!("{SITE}/")) }).await;
    assert!(first.contains("Your site is running") && first.contains("(PHP 8."), "{first}");
    let file = run(&container, &format!("{SITE}/page.html")).expect("the page without PHP");
    assert!(file.contains("nginx sends the file"), "{file}");
    let hidden =
        run(&container, &format!("mkdir -p ~/www/.git && touch ~/www/.git/config && {SITE}/.git/config"));
    assert_eq!(hidden, None, "version control is no part of a site");

    at_a_terminal(&browser, &container).await;
    type_line(&browser.driver, "sed -i 's/Your site is running/Ann was here/' www/index.php").await;
    eventually("nginx serves the new text", || async {
        run(&container, &format!("{SITE}/")).filter(|page| page.contains("<h1>Ann was here</h1>"))
    })
    .await;

    // And she sees it herself. The browser asks for the stylesheet once it has read the page.
    type_line(&browser.driver, "firefox-esr http://localhost:8080/ &").await;
    eventually("her browser shows it", || async {
        let log = run(&container, "cat /tmp/site/access.log")?;
        log.lines().any(|line| line.contains("GET /style.css") && line.contains("Firefox")).then_some(())
    })
    .await;
    browser.screenshot("image-webdev").await;

    for tool in [
        "node --version",
        "corepack --version",
        "python3 -m venv /tmp/venv",
        "git --version",
        "php --version",
        "geany --version",
    ] {
        assert!(run(&container, tool).is_some(), "{tool}");
    }
}

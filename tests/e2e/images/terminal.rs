//! A shell in the browser: keys arrive, the shell outlives its page, and its history outlives its container.

use super::{App, run, shipped};
use crate::browser::Browser;
use crate::desktop::type_line;
use crate::gateway::{Gateway, eventually};

async fn a_student_types_in_the_terminal(routing: &'static str) {
    let gateway = Gateway::builder().routing(routing).template(&shipped("terminal")).start().await;
    let ann = gateway.login("ann").await;
    let mut browser = Browser::open(1100, 700).await;
    let app = App::open(&gateway, &mut browser, &ann, "terminal").await;
    browser.wait_for("body[data-state=connected] .xterm-screen").await;
    browser.click(".xterm-screen").await;
    type_line(&browser.driver, "kept=$RANDOM; echo \"$kept\" > proof; ls --color=always -a; git --version")
        .await;
    let proof = eventually("the typed line has run", || async {
        Some(run(&app.container, "cat proof").unwrap_or_default()).filter(|proof| !proof.is_empty())
    })
    .await;
    browser.screenshot(&format!("{routing}-terminal")).await;

    // Another page, the same shell: its variable is still there.
    browser.driver.refresh().await.expect("the page");
    browser.wait_for("body[data-state=connected] .xterm-screen").await;
    browser.click(".xterm-screen").await;
    type_line(&browser.driver, "echo \"$kept\" > again").await;
    eventually("the shell is the one of before", || async {
        (run(&app.container, "cat again").unwrap_or_default() == proof).then_some(())
    })
    .await;

    ann.post(&format!("/sessions/{}/stop", app.label), &[]).await;
    ann.until(&app.label, "stopped").await;
    ann.post(&format!("/sessions/{}/start", app.label), &[]).await;
    ann.until(&app.label, "ready").await;
    let history = run(&gateway.container(&app.label), "cat .bash_history").unwrap_or_default();
    assert!(history.contains("> again"), "the history is kept: {history}");
}

#[tokio::test]
async fn a_shell_in_the_browser_works_in_path_mode() {
    a_student_types_in_the_terminal("path").await;
}

#[tokio::test]
async fn a_shell_in_the_browser_works_in_subdomain_mode() {
    a_student_types_in_the_terminal("subdomain").await;
}

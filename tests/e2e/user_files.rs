//! What becomes of a user's files: a copy is put back on the administrator's page, and all of them go
//! with the user.

use crate::browser::Browser;
use crate::gateway::{Gateway, docker, eventually, illness};

/// Volumes of the gateway's network: homes and copies.
fn volumes(gateway: &Gateway) -> Vec<String> {
    let filter = format!("label=berth.network={}", gateway.network);
    docker(&["volume", "ls", "-q", "--filter", &filter]).lines().map(str::to_owned).collect()
}

/// What lies in the home of a machine that runs.
fn files(container: &str) -> String {
    docker(&["exec", container, "sh", "-c", "cd /home/user && ls *.txt 2>/dev/null || true"])
}

fn write(container: &str, name: &str) {
    docker(&["exec", container, "sh", "-c", &format!("echo {name} > /home/user/{name}.txt && sync")]);
}

async fn text_of(browser: &Browser, css: &str) -> String {
    browser.wait_for(css).await.text().await.expect("its text")
}

#[tokio::test]
async fn a_copy_is_put_back_on_the_page_of_the_user_and_the_files_go_with_the_user() {
    let kept = illness("kept", "http", "web").replace("\"ephemeral\"", "\"persistent\"");
    let gateway = Gateway::builder()
        .template(&kept)
        .limits("stop_grace_s = 1\n[homes]\nmeasure_s = 1\nquota_mib = 64")
        .start()
        .await;
    let ann = gateway.login("ann").await;
    let label = ann.create("kept", "Mine").await;
    ann.until(&label, "ready").await;
    write(&gateway.container(&label), "essay");
    let mut browser = Browser::open(1280, 900).await;
    browser.log_in(&gateway, "root").await;
    let page = gateway.url("/admin/users/ann");
    browser.driver.goto(&page).await.expect("the page");
    assert!(text_of(&browser, "#home .empty").await.contains("There are none"));

    // She empties her home, as her page offers it, and goes on with other files.
    let reset = ann.post(&format!("/sessions/{label}/reset-home"), &[("sure", "yes")]).await;
    assert_eq!(reset.status(), 303);
    eventually("a copy is kept", || async { (volumes(&gateway).len() == 2).then_some(()) }).await;
    ann.until(&label, "ready").await;
    assert_eq!(files(&gateway.container(&label)), "");
    write(&gateway.container(&label), "notes");
    eventually("the page says how full the home is", || async {
        browser.driver.goto(&page).await.expect("the page");
        text_of(&browser, "#home p").await.contains("of 64 MB").then_some(())
    })
    .await;
    browser.screenshot("user-home").await;
    browser.click("#home li a").await;
    let refused = text_of(&browser, ".problem").await;
    assert!(refused.contains("“Mine”") && refused.contains("Stop it first"), "{refused}");
    browser.screenshot("user-home-in-use").await;
    browser.click(".panel .row a:first-child").await;
    browser.until(&format!("document.querySelector('#rows tr')?.id === 'row-{label}'")).await;
    browser.click("#rows [formaction$='/stop']").await;
    ann.until(&label, "stopped").await;

    browser.driver.goto(&page).await.expect("the page");
    browser.click("#home li a").await;
    assert!(text_of(&browser, "main").await.contains("becomes a copy itself"));
    browser.screenshot("user-home-restore").await;
    browser.click("form[action*='/home/'] button").await;
    assert!(text_of(&browser, ".notice").await.contains("The copy was put back"));
    browser.until("document.querySelectorAll('#home li').length === 2").await;
    ann.post(&format!("/sessions/{label}/start"), &[]).await;
    ann.until(&label, "ready").await;
    assert_eq!(files(&gateway.container(&label)), "essay.txt");

    browser.driver.goto(gateway.url("/admin/users/ann/delete")).await.expect("the page");
    browser.click(".choice:has([value=remove])").await;
    browser.screenshot("user-delete-with-files").await;
    browser.click("form[action$='/delete'] button.danger").await;
    assert!(text_of(&browser, ".notice").await.contains("ann was deleted"));
    assert_eq!((volumes(&gateway), gateway.containers()), (Vec::new(), Vec::new()));
    assert!(!gateway.berth(&["user", "list"], None).contains("ann"));
}

//! The same day for those who use no mouse, and for those whose browser runs no script.

use serde_json::json;
use thirtyfour::prelude::*;

use crate::browser::Browser;
use crate::desktop::{label_of, painted};
use crate::gateway::{DESKTOP, Gateway, PASSWORD, eventually};

/// The most presses of Tab that lead anywhere.
const FAR: usize = 60;

async fn press(browser: &Browser, keys: impl Into<String>) {
    browser.driver.action_chain().send_keys(keys.into()).perform().await.expect("key events");
}

/// Walks by Tab to the element; on every stop of the way something shows where one is.
async fn tab_to(browser: &Browser, css: &str) {
    let here = format!("return document.activeElement.matches({})", json!(css));
    for _ in 0..FAR {
        press(browser, String::from(Key::Tab.value())).await;
        let seen = browser
            .script(
                "const e = document.activeElement; const marked = e.closest('.choice') ?? e;\
                 const style = getComputedStyle(marked);\
                 return e === document.body || style.outlineStyle !== 'none' || style.boxShadow !== 'none'",
            )
            .await;
        assert_eq!(seen, true, "the focus is seen on the way to {css}");
        if browser.script(&here).await == true {
            return;
        }
    }
    browser.screenshot("gave-up").await;
    panic!("no Tab leads to {css}");
}

/// Ctrl+Alt+Shift, pressed and released: the way out of the desktop.
async fn leave_desktop(browser: &Browser) {
    let keys = browser.driver.action_chain().key_down(Key::Control).key_down(Key::Alt).key_down(Key::Shift);
    let keys = keys.key_up(Key::Shift).key_up(Key::Alt).key_up(Key::Control);
    keys.perform().await.expect("key events");
}

#[tokio::test]
async fn keys_alone_lead_from_the_login_to_the_desktop_and_out_again() {
    let gateway = Gateway::builder().template(DESKTOP).start().await;
    let mut browser = Browser::open(1280, 900).await;
    browser.meet(&gateway).await;
    browser.driver.goto(gateway.url("/login")).await.expect("the login page");
    browser.until("document.activeElement.name === 'name'").await;
    press(&browser, "ann").await;
    tab_to(&browser, "[name=password]").await;
    press(&browser, PASSWORD).await;
    press(&browser, String::from(Key::Enter.value())).await;
    browser.wait_for("#empty:not([hidden])").await;

    // The first stop of a page skips what every page begins with.
    press(&browser, String::from(Key::Tab.value())).await;
    browser.until("document.activeElement.matches('.skip')").await;
    browser.screenshot("student-keyboard-skip").await;
    press(&browser, String::from(Key::Enter.value())).await;
    tab_to(&browser, "[name=template]:checked").await;
    browser.screenshot("student-keyboard-create").await;
    tab_to(&browser, "#new-name").await;
    press(&browser, String::from(Key::Enter.value())).await;
    browser.wait_for("[data-state=connected] #screen canvas").await;
    let label = label_of(&browser, false).await;
    painted(&browser.driver, "#screen canvas").await;

    // The desktop has the keyboard and keeps Tab; the way out is said under Help, and to screen readers.
    browser.until("document.getElementById('screen').contains(document.activeElement)").await;
    press(&browser, String::from(Key::Tab.value())).await;
    browser.until("document.getElementById('screen').contains(document.activeElement)").await;
    let said = browser.wait_for("#screen").await.attr("aria-label").await.expect("a name");
    assert!(said.is_some_and(|said| said.contains("Ctrl+Alt+Shift")));
    leave_desktop(&browser).await;
    browser.until("document.getElementById('tools').contains(document.activeElement)").await;
    press(&browser, String::from(Key::End.value())).await;
    browser.until("document.activeElement.id === 'help'").await;
    press(&browser, String::from(Key::Enter.value())).await;
    browser.wait_for("#panel-help:not([hidden])").await;
    browser.screenshot("student-keyboard-help").await;
    press(&browser, String::from(Key::Escape.value())).await;
    browser
        .until("document.getElementById('panel-help').hidden && document.activeElement.id === 'help'")
        .await;
    press(&browser, String::from(Key::Home.value())).await;
    press(&browser, String::from(Key::Enter.value())).await;

    browser.wait_for(&format!("#card-{label} .state[data-state=ready]")).await;
    tab_to(&browser, "[data-key=more]").await;
    press(&browser, String::from(Key::Enter.value())).await;
    browser.wait_for("details.more[open]").await;
    tab_to(&browser, "[data-key=stop]").await;
    press(&browser, String::from(Key::Escape.value())).await;
    browser.until("!document.querySelector('details.more[open]')").await;
    browser.until("document.activeElement.dataset.key === 'more'").await;
    browser.driver.refresh().await.expect("the page");
    tab_to(&browser, "form[action='/logout'] button").await;
    press(&browser, String::from(Key::Enter.value())).await;
    browser.wait_for("form[action='/login']").await;
}

/// Follows the page as its reader does: it looks again by itself.
async fn until_text(browser: &Browser, css: &str, text: &str) {
    eventually(&format!("{css} says {text}"), || async {
        let found = browser.driver.find(By::Css(css.to_owned())).await.ok()?;
        found.text().await.ok().filter(|said| said.contains(text)).map(|_| ())
    })
    .await;
}

#[tokio::test]
async fn everything_but_the_desktop_itself_works_without_javascript() {
    let gateway = Gateway::builder().template(DESKTOP).start().await;
    let mut browser = Browser::open(1280, 900).await;
    browser.cdp("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    browser.meet(&gateway).await;
    browser.driver.goto(gateway.url("/login")).await.expect("the login page");
    browser.fill_in_login("ann").await;
    until_text(&browser, "h1", "Your machines").await;
    let name = browser.wait_for("#new-name").await;
    name.clear().await.expect("an input");
    name.send_keys("No script").await.expect("typing");
    browser.click("form[action='/sessions'] button[type=submit]").await;
    // The waiting page loads itself again until there is something to see, which says what it needs.
    until_text(&browser, "noscript .panel", "JavaScript").await;
    browser.screenshot("student-no-script-viewer").await;
    let label = label_of(&browser, false).await;
    browser.click("noscript .panel a").await;
    until_text(&browser, &format!("#card-{label} .state"), "Ready").await;

    browser.click(&format!("#card-{label} .more summary")).await;
    browser.screenshot("student-no-script-menu").await;
    browser.click(&format!("#card-{label} [data-key=share]")).await;
    browser.click("form[action$='/invitations'] button[type=submit]").await;
    let link = browser.wait_for("#invite-url").await.attr("value").await.expect("a value").expect("a link");
    assert!(link.contains("/join?token="), "{link}");
    browser.screenshot("student-no-script-link").await;
    browser.wait_for("#share-name").await.send_keys("bob").await.expect("typing");
    browser.click("form[action$='/grants'] button[type=submit]").await;
    until_text(&browser, ".people", "bob").await;

    browser.driver.goto(gateway.url("/")).await.expect("the dashboard");
    browser.click(&format!("#card-{label} .more summary")).await;
    browser.click(&format!("#card-{label} [data-key=stop]")).await;
    until_text(&browser, &format!("#card-{label} .state"), "Stop").await;
    browser.click(&format!("#card-{label} .more summary")).await;
    browser.click(&format!("#card-{label} [data-key=delete]")).await;
    browser.click("form[action$='/delete'] button").await;
    until_text(&browser, "#empty", "no machine yet").await;
    browser.click("form[action='/logout'] button").await;
    browser.wait_for("form[action='/login']").await;
}

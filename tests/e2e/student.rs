//! A student's day in a real browser: a machine is made, used, found again, shown to others and
//! deleted. What the pages look like is kept as pictures, which the README uses.

use std::time::{Duration, Instant};

use serde_json::json;
use thirtyfour::prelude::*;

use crate::browser::Browser;
use crate::desktop::{create, label_of, open_terminal, painted, runs};
use crate::gateway::{DESKTOP, Gateway, docker, eventually, illness};

const CANVAS: &str = "#screen canvas";

/// What P7 promises of rights that end.
const CUT_WITHIN: Duration = Duration::from_secs(1);

/// Several kinds of machine; only the desktop is started.
fn kinds() -> String {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/config/templates.d");
    let read =
        |name: &str| std::fs::read_to_string(format!("{shipped}/{name}.toml")).expect("a shipped template");
    let others = ["webdev", "database", "security"].map(read);
    let desktop = r#"
[[template]]
name = "desktop"
title = { en = "Desktop", fr = "Bureau" }
description.en = "A Linux desktop with a browser, an editor and a terminal."
description.fr = "Un bureau Linux avec un navigateur, un éditeur et un terminal."
image = "berth/desktop"
home = "session"
"#;
    format!("{desktop}{}", others.concat())
}

/// Chooses whether pages are light or dark.
async fn look(browser: &Browser, scheme: &str) {
    let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
    browser.cdp("Emulation.setEmulatedMedia", features).await;
}

/// Pictures of the present page: wide and light, wide and dark, as on a telephone.
async fn pictures(browser: &Browser, name: &str) {
    for (scheme, suffix) in [("light", ""), ("dark", "-dark")] {
        look(browser, scheme).await;
        browser.screenshot(&format!("{name}{suffix}")).await;
    }
    look(browser, "light").await;
    browser.pretend(390, 844).await;
    browser.until("document.readyState === 'complete'").await;
    browser.screenshot(&format!("{name}-phone")).await;
    let wide = browser.script("return document.documentElement.scrollWidth").await;
    assert!(wide.as_u64().is_some_and(|wide| wide <= 390), "{name}: nothing sticks out, {wide}");
    browser.pretend(1280, 800).await;
    browser.until("document.readyState === 'complete'").await;
}

async fn go(browser: &Browser, gateway: &Gateway, path: &str) {
    browser.driver.goto(gateway.url(path)).await.expect("a page");
}

async fn text_of(browser: &Browser, css: &str) -> String {
    browser.wait_for(css).await.text().await.expect("a text")
}

#[tokio::test]
async fn a_student_makes_a_machine_uses_it_and_deletes_it() {
    let gateway = Gateway::builder().template(&kinds()).limits("max_sessions_per_user = 8").start().await;
    let mut browser = Browser::open(1280, 900).await;
    browser.log_in(&gateway, "ann").await;
    browser.wait_for("#empty:not([hidden])").await;
    pictures(&browser, "student-create").await;

    // A name that is no name: what was typed is kept, and the reason stands beside it.
    create(&browser, "security", "").await;
    let typed = "\u{1f6a2}".repeat(70);
    browser.script(&format!("document.getElementById('new-name').value = '{typed}'")).await;
    browser.script("document.getElementById('new-name').form.submit()").await;
    browser.wait_for("#new-name-problem").await;
    browser.until("document.querySelector('[value=security]').checked").await;
    browser.until("document.getElementById('new-name').value.length === 140").await;
    browser.screenshot("student-create-refused").await;

    create(&browser, "desktop", "My desktop").await;
    browser.wait_for("#wait, [data-state=connected]").await;
    browser.screenshot("student-waiting").await;
    browser.wait_for("[data-state=connected] #screen canvas").await;
    let label = label_of(&browser, false).await;
    painted(&browser.driver, CANVAS).await;
    browser.screenshot("student-viewer").await;

    go(&browser, &gateway, "/").await;
    let card = format!("#card-{label}");
    browser.wait_for(&format!("{card} .state[data-state=ready]")).await;
    browser.until(&format!("document.querySelector('{card} .screen img').complete")).await;
    eventually("the thumbnail is painted", || async {
        let drawn =
            browser.script(&format!("return document.querySelector('{card} img').naturalWidth")).await;
        drawn.as_u64().filter(|width| *width > 100).map(|_| ())
    })
    .await;
    assert!(text_of(&browser, &format!("{card} .used")).await.starts_with("Last used"));
    browser.click(&format!("{card} .more summary")).await;
    pictures(&browser, "student-dashboard").await;

    in_a_tab_and_on_the_whole_screen(&browser, &gateway, &label).await;
    stopped_and_deleted(&browser, &gateway, &label).await;
}

async fn in_a_tab_and_on_the_whole_screen(browser: &Browser, gateway: &Gateway, label: &str) {
    let card = format!("#card-{label}");
    browser.click(&format!("{card} [data-key=tab]")).await;
    let tabs = eventually("a second tab opens", || async {
        browser.driver.windows().await.ok().filter(|tabs| tabs.len() == 2)
    })
    .await;
    let first = browser.driver.window().await.expect("a window");
    let second = tabs.into_iter().find(|tab| *tab != first).expect("another tab");
    browser.driver.switch_to_window(second).await.expect("the other tab");
    browser.wait_for("[data-state=connected] #screen canvas").await;
    browser.driver.close_window().await.expect("a tab closes");
    browser.driver.switch_to_window(first).await.expect("the first tab");

    go(browser, gateway, "/").await;
    browser.click(&format!("{card} [data-key=full]")).await;
    browser.wait_for("#offer:not([hidden])").await;
    browser.wait_for("[data-state=connected] #screen canvas").await;
    browser.until("document.activeElement.id === 'offer-full'").await;
    browser.screenshot("student-full-screen").await;
    browser.driver.action_chain().send_keys(String::from(Key::Enter.value())).perform().await.expect("a key");
    browser.until("document.fullscreenElement !== null").await;
    browser.until("location.hash === ''").await;
    browser.script("document.exitFullscreen()").await;
    browser.until("document.fullscreenElement === null").await;
}

async fn stopped_and_deleted(browser: &Browser, gateway: &Gateway, label: &str) {
    let card = format!("#card-{label}");
    browser.click("#power").await;
    browser.screenshot("student-viewer-machine").await;
    browser.click("#panel-power form[action$='/stop'] button").await;
    browser.wait_for(&format!("{card} .state[data-state=stopped]")).await;
    browser.screenshot("student-dashboard-stopped").await;
    browser.click(&format!("{card} .more summary")).await;
    browser.click(&format!("{card} [data-key=delete]")).await;
    let asked = text_of(browser, "main").await;
    assert!(asked.contains("This deletes the machine"), "{asked}");
    browser.screenshot("student-delete").await;
    browser.click("form[action$='/delete'] button").await;
    browser.wait_for("#empty:not([hidden])").await;
    assert!(gateway.containers().is_empty(), "nothing is left of it");
}

/// When the container of a session was made and began to run.
fn began(gateway: &Gateway, label: &str) -> (String, String) {
    let container = gateway.container(label);
    let of = |field: &str| docker(&["inspect", "--format", field, &container]);
    (of("{{.Created}}"), of("{{.State.StartedAt}}"))
}

#[tokio::test]
async fn a_machine_is_stopped_started_restarted_and_reset_from_its_card() {
    let limits = "stop_grace_s = 1\n";
    let gateway = Gateway::builder().template(&illness("web", "http", "web")).limits(limits).start().await;
    let ann = gateway.login("ann").await;
    let label = ann.create("web", "Course").await;
    ann.until(&label, "ready").await;
    let mut browser = Browser::open(1280, 800).await;
    browser.log_in(&gateway, "ann").await;
    let card = format!("#card-{label}");
    let from_menu = async |key: &str| {
        go(&browser, &gateway, "/").await;
        browser.click(&format!("{card} .more summary")).await;
        browser.click(&format!("{card} [data-key={key}]")).await;
    };
    let runs_anew = async |before: &(String, String)| {
        eventually("another container runs", || async {
            (ann.state(&label).await? == "ready" && began(&gateway, &label) != *before).then_some(())
        })
        .await;
        began(&gateway, &label)
    };

    from_menu("stop").await;
    browser.wait_for(&format!("{card} .state[data-state=stopped]")).await;
    browser.screenshot("student-card-stopped").await;
    browser.click(&format!("{card} [data-key=primary]")).await;
    ann.until(&label, "ready").await;
    let started = began(&gateway, &label);
    from_menu("restart").await;
    let restarted = runs_anew(&started).await;
    from_menu("reset").await;
    let asked = text_of(&browser, "main").await;
    assert!(asked.contains("Course"), "{asked}");
    browser.screenshot("student-reset").await;
    browser.click("form[action$='/reset'] button").await;
    let reset = runs_anew(&restarted).await;
    assert_ne!(reset.0, restarted.0, "a reset makes another container");
}

#[tokio::test]
async fn many_machines_are_found_again() {
    let gateway = Gateway::builder()
        .template(&kinds())
        .limits("max_sessions_per_user = 8\nmax_parallel_starts = 1")
        .start()
        .await;
    let ann = gateway.login("ann").await;
    for name in ["Essay", "Notes", "Networks", "Algebra", "Physics", "Chess"] {
        // Cancelled at once: a machine that rests is a card too.
        let label = ann.create("desktop", name).await;
        ann.post(&format!("/sessions/{label}/stop"), &[]).await;
    }
    let mut browser = Browser::open_in("fr", 1280, 900).await;
    browser.log_in(&gateway, "ann").await;
    let shown =
        "[...document.querySelectorAll('#cards .card:not([hidden]) h2')].map((h) => h.textContent).join()";
    let names = async || browser.script(&format!("return {shown}")).await.as_str().map(str::to_owned);
    assert_eq!(names().await.as_deref(), Some("Essay,Notes,Networks,Algebra,Physics,Chess"));
    let find = browser.wait_for("#find").await;
    find.send_keys("NE").await.expect("typing");
    browser.until(&format!("{shown} === 'Networks'")).await;
    find.send_keys("xt").await.expect("typing");
    browser.wait_for("#unfound:not([hidden])").await;
    go(&browser, &gateway, "/?sort=name").await;
    assert_eq!(names().await.as_deref(), Some("Algebra,Chess,Essay,Networks,Notes,Physics"));
    // The stream's first cards replace those of the page where they are.
    browser.until("document.querySelectorAll('#cards .card').length === 6").await;
    assert_eq!(names().await.as_deref(), Some("Algebra,Chess,Essay,Networks,Notes,Physics"));
    pictures(&browser, "student-many").await;
    go(&browser, &gateway, "/?find=phys").await;
    assert_eq!(names().await.as_deref(), Some("Physics"), "also without a script");

    // A name that is taken: the reason stands beside the field, and what was chosen is kept.
    go(&browser, &gateway, "/?new=yes").await;
    create(&browser, "desktop", "Chess").await;
    let problem = text_of(&browser, "#new-name-problem").await;
    assert!(problem.contains("déjà une machine de ce nom"), "{problem}");
    let field = browser.wait_for("#new-name[aria-describedby=new-name-problem]").await;
    assert_eq!(field.value().await.expect("a field").as_deref(), Some("Chess"));
    browser.screenshot("student-name-taken").await;
}

#[tokio::test]
async fn a_machine_is_shown_to_somebody_by_a_link() {
    let gateway = Gateway::builder().template(DESKTOP).start().await;
    let mut owner = Browser::open(1280, 900).await;
    owner.log_in(&gateway, "ann").await;
    create(&owner, "desktop", "My desktop").await;
    owner.wait_for("[data-state=connected] #screen canvas").await;
    let label = label_of(&owner, false).await;
    let share = format!("/sessions/{label}/share");
    go(&owner, &gateway, &share).await;
    pictures(&owner, "student-share").await;
    owner.click("form[action$='/invitations'] button[type=submit]").await;
    let link = owner.wait_for("#invite-url").await.prop("value").await.expect("a value").expect("a link");
    look(&owner, "light").await;
    owner.screenshot("student-share-link").await;

    // Somebody who is not logged in comes back to the link afterwards.
    let mut guest = Browser::open(1280, 900).await;
    guest.meet(&gateway).await;
    guest.driver.goto(&link).await.expect("a page");
    guest.wait_for("form[action='/login']").await;
    guest.fill_in_login("bob").await;
    guest.wait_for("form[action='/join']").await;
    guest.screenshot("student-invited").await;
    guest.click("form[action='/join'] button").await;
    guest.wait_for("[data-state=connected] .strip.watching").await;
    painted(&guest.driver, CANVAS).await;
    guest.screenshot("student-watching").await;

    go(&owner, &gateway, &share).await;
    let page = text_of(&owner, "main").await;
    assert!(page.contains("bob") && page.contains("1 person came by it"), "{page}");
    owner.screenshot("student-share-used").await;
    owner.click("form[action*='/invitations/'] button").await;
    let withdrawn = Instant::now();
    guest.wait_for("[data-state=ended]").await;
    let took = withdrawn.elapsed();
    // A second for the socket; the two browsers on a busy machine take their time too.
    assert!(took < CUT_WITHIN * 3, "{took:?}");
    guest.driver.goto(&link).await.expect("a page");
    assert!(text_of(&guest, "h1").await.contains("leads nowhere any more"));
    guest.screenshot("student-link-gone").await;
    somebody_helps_by_a_link(&gateway, &owner, &guest, &label).await;
}

/// Another link to the same machine: whoever comes by this one may use it.
async fn somebody_helps_by_a_link(gateway: &Gateway, owner: &Browser, guest: &Browser, label: &str) {
    go(owner, gateway, &format!("/sessions/{label}/share")).await;
    owner.click("form[action$='/invitations'] .choice:has([value=helper])").await;
    owner.click("form[action$='/invitations'] button[type=submit]").await;
    let link = owner.wait_for("#invite-url").await.prop("value").await.expect("a value").expect("a link");
    guest.driver.goto(&link).await.expect("a page");
    guest.click("form[action='/join'] button").await;
    guest.wait_for("[data-state=connected] #screen canvas").await;
    painted(&guest.driver, CANVAS).await;
    guest.until("!document.querySelector('.strip.watching')").await;
    guest.click(CANVAS).await;
    let container = gateway.container(label);
    eventually("what the helper presses reaches the desktop", || async {
        if !runs(&container, "xfce4-terminal") {
            open_terminal(&guest.driver).await;
        }
        runs(&container, "xfce4-terminal").then_some(())
    })
    .await;
    guest.screenshot("student-helping").await;
    let joined = gateway.berth(&["audit", "tail", "--event", "viewer_joined"], None);
    assert!(joined.lines().any(|line| line.contains("bob") && line.contains("helper")), "{joined}");
    go(owner, gateway, &format!("/sessions/{label}/share")).await;
    assert!(text_of(owner, "main").await.contains("Helper"));
}

#[tokio::test]
async fn with_one_template_a_student_lands_in_their_machine() {
    let gateway = Gateway::builder().template(DESKTOP).limits("\n[web]\nlanding = \"desktop\"").start().await;
    let mut browser = Browser::open(1280, 900).await;
    browser.meet(&gateway).await;
    go(&browser, &gateway, "/login").await;
    browser.fill_in_login("ann").await;
    browser.wait_for("[data-state=connected] #screen canvas").await;
    assert_eq!(text_of(&browser, ".bar-name").await, "Desktop");
    browser.click("#tools a").await;
    browser.wait_for("#cards .card").await;
    browser.click("form[action='/logout'] button").await;
    browser.fill_in_login("ann").await;
    browser.wait_for("[data-state=connected] #screen canvas").await;
    assert_eq!(gateway.containers().len(), 1, "the same machine again");

    let mut admin = Browser::open(1280, 900).await;
    admin.log_in(&gateway, "root").await;
    admin.wait_for("#empty:not([hidden])").await;
}

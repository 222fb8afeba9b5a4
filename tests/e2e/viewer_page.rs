//! The viewer page in real browsers: what is typed and pasted arrives, whatever the alphabet; it
//! fits every screen, speaks French, comes back by itself, and knows whose fault a silence is.

use std::process::Command;
use std::time::Duration;

use serde_json::json;
use thirtyfour::prelude::*;

use crate::browser::Browser;
use crate::desktop::{create, label_of, open_terminal, painted, runs, type_line};
use crate::gateway::{DESKTOP, Gateway, docker, eventually};

const CANVAS: &str = "#screen canvas";
const SCRIPTS: &str = "日本語 🚀 é";

/// A browser with a desktop of ann's open in it: the browser, the desktop's label, its container.
async fn at_a_desktop(gateway: &Gateway, languages: &str, subdomain: bool) -> (Browser, String, String) {
    let mut browser = Browser::open_in(languages, 1280, 800).await;
    browser.log_in(gateway, "ann").await;
    create(&browser, "desktop", "My desktop").await;
    browser.wait_for("[data-state=connected] #screen canvas").await;
    let label = label_of(&browser, subdomain).await;
    painted(&browser.driver, CANVAS).await;
    let container = gateway.container(&label);
    (browser, label, container)
}

/// A terminal on the desktop, with the keyboard in it.
pub async fn at_a_terminal(browser: &Browser, container: &str) {
    eventually("the panel runs", || async { runs(container, "xfce4-panel").then_some(()) }).await;
    focus(browser).await;
    eventually("a terminal opens", || async {
        if !runs(container, "xfce4-terminal") {
            open_terminal(&browser.driver).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        (runs(container, "xfce4-terminal") && runs(container, "bash")).then_some(())
    })
    .await;
    eventually("the terminal listens", || async {
        type_line(&browser.driver, "echo > listens").await;
        read(container, "listens")
    })
    .await;
}

/// Gives the keyboard to the desktop without a click on anything there.
pub async fn focus(browser: &Browser) {
    browser.script("document.querySelector('#screen canvas').focus()").await;
}

/// A file in the desktop's home, once it is there.
pub fn read(container: &str, file: &str) -> Option<String> {
    let path = format!("/home/user/{file}");
    let output =
        Command::new("docker").args(["exec", "-u", "1000:1000", container, "cat", &path]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

pub async fn arrives(container: &str, file: &str, expected: &str) {
    eventually(&format!("{expected:?} arrives in {file}"), || async {
        read(container, file).filter(|text| text.trim_end() == expected)
    })
    .await;
}

/// Waits until `cat` reads the terminal: keys that come before it does may be the shell's.
async fn cat_waits(container: &str) {
    eventually("cat reads the terminal", || async {
        let processes = docker(&["top", container, "-eo", "pid,comm"]);
        processes.lines().any(|line| line.split_whitespace().nth(1) == Some("cat")).then_some(())
    })
    .await;
}

/// Ends `cat` in the terminal.
async fn end_of_input(browser: &Browser) {
    control_key(browser, 'd').await;
}

async fn control_key(browser: &Browser, key: char) {
    let keys = browser.driver.action_chain().key_down(Key::Control).key_down(key).key_up(key);
    keys.key_up(Key::Control).perform().await.expect("key events");
}

/// Holds Ctrl and Shift and presses a key: how terminals copy, paste and select.
async fn terminal_key(browser: &Browser, key: char) {
    let keys = browser.driver.action_chain().key_down(Key::Control).key_down(Key::Shift);
    let keys = keys.key_down(key).key_up(key).key_up(Key::Shift).key_up(Key::Control);
    keys.perform().await.expect("key events");
}

/// Types characters of the third level as a keyboard with AltGr does.
async fn type_with_alt_gr(browser: &Browser, keys: &[(&str, &str)]) {
    let alt_gr = |kind: &str| json!({ "type": kind, "key": "AltGraph", "code": "AltRight", "windowsVirtualKeyCode": 225, "location": 2 });
    browser.cdp("Input.dispatchKeyEvent", alt_gr("rawKeyDown")).await;
    for (key, code) in keys {
        for kind in ["keyDown", "keyUp"] {
            let event = json!({ "type": kind, "key": key, "code": code, "text": if kind == "keyDown" { *key } else { "" } });
            browser.cdp("Input.dispatchKeyEvent", event).await;
        }
    }
    browser.cdp("Input.dispatchKeyEvent", alt_gr("keyUp")).await;
}

/// What is typed with AltGr in one browser and pasted in another arrives, and comes back.
async fn text_goes_both_ways(routing: &'static str) {
    let gateway = Gateway::builder().routing(routing).template(DESKTOP).start().await;
    let (first, label, container) = at_a_desktop(&gateway, "en", routing == "subdomain").await;
    at_a_terminal(&first, &container).await;

    type_line(&first.driver, "cat > typed").await;
    cat_waits(&container).await;
    type_with_alt_gr(&first, &[("€", "KeyE"), ("@", "KeyQ"), ("{", "Digit7"), ("~", "BracketRight")]).await;
    type_line(&first.driver, "é").await;
    end_of_input(&first).await;
    arrives(&container, "typed", "€@{~é").await;

    // The second device of the same person: the same desktop, and the clipboard panel.
    let mut second = Browser::open(1280, 800).await;
    second.log_in(&gateway, "ann").await;
    let start = if routing == "path" { format!("/s/{label}/") } else { format!("/open/{label}") };
    second.driver.goto(gateway.url(&start)).await.expect("the session's page");
    second.wait_for("[data-state=connected] #screen canvas").await;
    painted(&second.driver, CANVAS).await;
    second.click("#clip").await;
    second.script(&format!("document.getElementById('cliptext').value = '{SCRIPTS}'")).await;
    second.screenshot(&format!("{routing}-viewer-clipboard")).await;
    second.click("#clipsend").await;
    second.click("#panel-clip .sheet-close").await;
    focus(&second).await;
    // The desktop fetches the text from the browser only now, so what follows must not overtake it:
    // without line discipline the file has it as it comes, and no key is needed to end the line.
    type_line(&second.driver, "stty -icanon; cat > pasted").await;
    cat_waits(&container).await;
    terminal_key(&second, 'v').await;
    second.screenshot(&format!("{routing}-viewer-pasted")).await;
    arrives(&container, "pasted", SCRIPTS).await;
    control_key(&second, 'c').await;

    // And back, to both: what is copied on the desktop stands in each one's panel.
    type_line(&second.driver, "clear; cat pasted").await;
    for browser in [&first, &second] {
        browser.script("document.getElementById('cliptext').value = ''").await;
    }
    eventually("what was copied on the desktop comes to the browsers", || async {
        terminal_key(&second, 'a').await;
        terminal_key(&second, 'c').await;
        let mut held = Vec::new();
        for browser in [&first, &second] {
            held.push(browser.script("return document.getElementById('cliptext').value").await);
        }
        held.iter().all(|text| text.as_str().unwrap_or_default().contains(SCRIPTS)).then_some(())
    })
    .await;
    second.screenshot(&format!("{routing}-viewer-scripts")).await;
}

#[tokio::test]
async fn text_goes_both_ways_in_path_mode() {
    text_goes_both_ways("path").await;
}

#[tokio::test]
async fn text_goes_both_ways_in_subdomain_mode() {
    text_goes_both_ways("subdomain").await;
}

fn screen_process(container: &str) -> String {
    let processes = docker(&["top", container, "-eo", "pid,comm"]);
    processes.lines().find(|line| line.contains("Xtigervnc")).expect("a screen").trim().to_owned()
}

async fn size(browser: &Browser) -> serde_json::Value {
    browser.script("const c = document.querySelector('#screen canvas'); return [c.width, c.height]").await
}

/// Resizing, the whole screen, the on-screen keyboard, and a gateway that dies under it all.
async fn the_page_holds(routing: &'static str) {
    let mut gateway = Gateway::builder().routing(routing).template(DESKTOP).start().await;
    let (browser, label, container) = at_a_desktop(&gateway, "en", routing == "subdomain").await;
    at_a_terminal(&browser, &container).await;

    let before = size(&browser).await;
    browser.driver.set_window_rect(0, 0, 1024, 700).await.expect("another size");
    browser.until("innerWidth < 1100").await;
    assert_eq!(size(&browser).await, before, "scaled, the desktop keeps its size");
    browser.click("#display").await;
    browser.click(".choice:has(#resize)").await;
    browser.until("document.querySelector('#screen canvas').width === document.getElementById('screen').clientWidth").await;
    assert_ne!(size(&browser).await, before, "resized, it has that of the window");
    browser.click("#panel-display .sheet-close").await;
    browser.screenshot(&format!("{routing}-viewer-resized")).await;

    browser.click("#full").await;
    browser.until("document.fullscreenElement?.id === 'viewer'").await;
    browser.until("document.getElementById('full').getAttribute('aria-pressed') === 'true'").await;
    browser.screenshot(&format!("{routing}-viewer-full")).await;
    browser.click("#full").await;
    browser.until("document.fullscreenElement === null").await;

    // As the keyboard of a telephone does: no key events, only a field that has changed.
    focus(&browser).await;
    type_line(&browser.driver, "cat > touched").await;
    cat_waits(&container).await;
    browser.click("#keys").await;
    browser.click("#touch-too").await;
    for text in ["typo", "日"] {
        let change = format!(
            "const f = document.activeElement; f.value = f.value.replace(/typo$/, '') + '{text}';\
             f.dispatchEvent(new InputEvent('input')); return f.id"
        );
        assert_eq!(browser.script(&change).await, "touch-field");
    }
    focus(&browser).await;
    type_line(&browser.driver, "").await;
    end_of_input(&browser).await;
    arrives(&container, "touched", "日").await;

    let process = screen_process(&container);
    gateway.kill();
    browser.until("document.documentElement.dataset.state === 'stale'").await;
    browser.screenshot(&format!("{routing}-viewer-reconnecting")).await;
    gateway.serve().await;
    browser.until("document.documentElement.dataset.state === 'connected'").await;
    assert_eq!(screen_process(&container), process, "{label} goes on as it was");
    focus(&browser).await;
    eventually("the same terminal listens", || async {
        type_line(&browser.driver, "echo > again").await;
        read(&container, "again")
    })
    .await;
}

#[tokio::test]
async fn the_page_holds_in_path_mode() {
    the_page_holds("path").await;
}

#[tokio::test]
async fn the_page_holds_in_subdomain_mode() {
    the_page_holds("subdomain").await;
}

/// Waits for the desktop and the limits after a reload.
async fn at_the_desktop_again(browser: &Browser) {
    browser.wait_for("[data-state=connected] #screen canvas").await;
    browser.wait_for("#left:not([hidden])").await;
    painted(&browser.driver, CANVAS).await;
}

/// What must fit into the window, whatever its size: every visible tool and the open panel.
const OUTSIDE: &str = "const outside = (e) => { const b = e.getBoundingClientRect(); \
     return b.width && (b.left < 0 || b.top < 0 || b.right > innerWidth + 1 || b.bottom > innerHeight + 1); };\
     return [...document.querySelectorAll('#tools a, #tools button, #tools .bar-left, #fold, .sheet:not([hidden]), .strip')]\
       .filter(outside).map((e) => e.id || e.className)";

/// Somebody watches, as the event stream would say it.
const WATCHED: &str = "const done = arguments[0]; const base = document.querySelector('script[type=module]').src;\
     import(new URL('viewer/people.js', base)).then(({ present }) => { present([\
       { name: 'ann', role: 'owner', since: '2026-11-22T08:00:00Z', you: true },\
       { name: 'Ben', role: 'observer', since: '2026-11-22T08:05:00Z', you: false },\
       { name: 'Eva', role: 'helper', since: '2026-11-22T08:06:00Z', you: false }]); done(); });";

async fn fits(browser: &Browser, name: &str) {
    browser.screenshot(name).await;
    assert_eq!(browser.script(OUTSIDE).await, json!([]), "{name}");
}

#[tokio::test]
async fn the_page_fits_every_screen_and_speaks_french() {
    let gateway = Gateway::builder().template(DESKTOP).limits("away_s = 500").start().await;
    let (browser, _, _) = at_a_desktop(&gateway, "fr-CH,fr,en", false).await;
    assert_eq!(browser.script("return document.documentElement.lang").await, "fr");
    browser.until("/^encore [89].min$/.test(document.getElementById('left').textContent)").await;
    browser.until("document.getElementById('banner-text').textContent.includes('Elle se fige dans')").await;
    browser.until("document.querySelector('#display').title === 'Taille et qualité de l’image'").await;

    for (width, height) in [(360, 640), (1280, 800), (3840, 2160)] {
        browser.pretend(width, height).await;
        at_the_desktop_again(&browser).await;
        fits(&browser, &format!("viewer-{width}")).await;
        for panel in ["display", "keys", "help"] {
            browser.click(&format!("#{panel}")).await;
            browser.until(&format!("!document.getElementById('panel-{panel}').hidden")).await;
            fits(&browser, &format!("viewer-{width}-{panel}")).await;
            browser.click(&format!("#panel-{panel} .sheet-close")).await;
        }
    }

    // Whoever watches is named, even when the tools are folded away.
    browser.pretend(360, 640).await;
    at_the_desktop_again(&browser).await;
    browser.driver.execute_async(WATCHED, vec![]).await.expect("the script runs");
    browser.click("#people").await;
    fits(&browser, "viewer-360-people").await;
    browser.click("#fold").await;
    browser.until("document.getElementById('tools').offsetParent === null").await;
    browser.until("document.getElementById('watched').offsetParent !== null").await;
    let named = browser.script("return document.getElementById('watched').textContent").await;
    assert_eq!(named, "Ben regarde · Eva peut utiliser ce bureau avec vous");
    fits(&browser, "viewer-360-folded").await;
}

#[tokio::test]
async fn the_page_is_used_by_keyboard() {
    let gateway = Gateway::builder().template(DESKTOP).start().await;
    let (browser, _, _) = at_a_desktop(&gateway, "en", false).await;
    let focused = "return document.activeElement.id || document.activeElement.tagName.toLowerCase()";
    let press = async |key: Key| {
        browser.driver.action_chain().key_down(key.clone()).key_up(key).perform().await.expect("key events");
    };
    let chord = async || {
        let keys = browser.driver.action_chain();
        let keys = keys.key_down(Key::Control).key_down(Key::Alt).key_down(Key::Shift);
        let keys = keys.key_up(Key::Shift).key_up(Key::Alt).key_up(Key::Control);
        keys.perform().await.expect("key events");
    };
    focus(&browser).await;
    assert_eq!(browser.script(focused).await, "canvas");
    chord().await;
    browser.until("document.getElementById('tools').contains(document.activeElement)").await;
    press(Key::End).await;
    assert_eq!(browser.script(focused).await, "help");
    press(Key::Enter).await;
    browser.until("!document.getElementById('panel-help').hidden").await;
    press(Key::Escape).await;
    browser.until("document.getElementById('panel-help').hidden").await;
    assert_eq!(browser.script(focused).await, "help", "Escape leads back to the tool");
    press(Key::Right).await;
    assert_eq!(browser.script(focused).await, "a", "the arrows go round");
    chord().await;
    browser.until("document.getElementById('screen').contains(document.activeElement)").await;
}

/// The screen's own process, told to stand still or to go on.
fn signal(container: &str, signal: &str) {
    docker(&["exec", container, "pkill", signal, "Xtigervnc"]);
}

#[tokio::test]
async fn a_slow_network_and_a_frozen_desktop_are_told_apart() {
    let gateway = Gateway::builder().template(DESKTOP).start().await;
    let (browser, _, container) = at_a_desktop(&gateway, "en", false).await;
    let cause = |name: &str| format!("document.getElementById('trouble').dataset.cause === '{name}'");
    browser.until(&cause("")).await;

    signal(&container, "-STOP");
    focus(&browser).await;
    type_line(&browser.driver, "anybody there?").await;
    browser.until(&cause("frozen-desktop")).await;
    browser.screenshot("viewer-frozen-desktop").await;
    signal(&container, "-CONT");
    browser.until(&cause("")).await;

    let slow = |latency: u32| json!({ "offline": false, "latency": latency, "downloadThroughput": -1, "uploadThroughput": -1 });
    browser.cdp("Network.enable", json!({})).await;
    browser.cdp("Network.emulateNetworkConditions", slow(1500)).await;
    browser.until(&cause("slow-network")).await;
    browser.screenshot("viewer-slow-network").await;
    browser.cdp("Network.emulateNetworkConditions", slow(0)).await;
    browser.until(&cause("")).await;
}

/// The end is announced ten minutes before, and more time is one press away.
#[tokio::test]
async fn a_hard_limit_is_announced_and_put_off_by_a_button() {
    let limits = "total_s = 500\nextend_s = 900\nextend_max_s = 900";
    let gateway = Gateway::builder().template(DESKTOP).limits(limits).start().await;
    let (browser, label, _container) = at_a_desktop(&gateway, "en", false).await;
    let expires = async || {
        let url = gateway.url(&format!("/api/v1/sessions/{label}"));
        let answer = gateway.login("ann").await.client.get(url).send().await.expect("an answer");
        let session: serde_json::Value = answer.json().await.expect("a document");
        session["expires_at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok()).expect("a time")
    };
    let before = expires().await;
    let banner = browser.wait_for("#banner:not([hidden])").await;
    let text = banner.text().await.expect("a text");
    assert!(text.contains("its time is up then") && text.contains("minutes"), "{text}");
    browser.screenshot("viewer-time-is-up-soon").await;
    browser.wait_for("#extend:not([hidden])").await.click().await.expect("a click");
    // The limit is a quarter of an hour away now, too far to speak of.
    browser.wait_for("#banner[hidden]").await;
    let gained = expires().await.duration_since(before).as_secs();
    assert!((890..=910).contains(&gained), "{gained} s");
    browser.screenshot("viewer-more-time").await;
}

//! The kiosk: one page, whatever a student tries.

use thirtyfour::prelude::*;

use crate::browser::Browser;
use crate::desktop::type_line;
use crate::gateway::{Gateway, eventually};
use crate::images::{CANVAS, at_a_session, put, run, shipped};

/// A web server inside the kiosk. Its page says twice a second how large it is, whether it is seen and has the keyboard, and
/// what was typed into it; all requests are noted.
const SERVER: &str = include_str!("kiosk.pl");

/// Lets the kiosk's page be served from now on.
fn serve(container: &str) {
    put(container, "/tmp/serve.pl", SERVER);
    crate::gateway::docker(&["exec", "-d", container, "perl", "/tmp/serve.pl"]);
}

/// Waits until the page says this about itself, in words it has not used before.
async fn says(container: &str, what: &str) {
    let count = || run(container, &format!("grep -cF '{what}' /tmp/requests || true"));
    let before = count();
    eventually(&format!("the page says {what:?}"), || async { (count()? != before.clone()?).then_some(()) })
        .await;
}

/// What people try: `^` is Ctrl, `~` Alt, `+` Shift, `4`, `0`, `1` and `2` the function keys 4 and 10 to 12, `<` Left, `|` Tab.
const WAYS_OUT: &[&str] = &[
    "^t", "^n", "^+p", "^w", "^q", "~4", "1", "2", "^+i", "^+k", "^u", "^o", "^s", "^p", "^j", "^f", "+0",
    "~f", "~<", "~|", "^l",
];

/// Presses keys together, as [`WAYS_OUT`] writes them.
async fn press(browser: &Browser, way: &str) {
    let keys: Vec<char> = way
        .chars()
        .map(|letter| match letter {
            '^' => Key::Control.into(),
            '~' => Key::Alt.into(),
            '+' => Key::Shift.into(),
            '4' => Key::F4.into(),
            '0' => Key::F10.into(),
            '1' => Key::F11.into(),
            '2' => Key::F12.into(),
            '<' => Key::Left.into(),
            '|' => Key::Tab.into(),
            letter => letter,
        })
        .collect();
    let mut chain = browser.driver.action_chain();
    for key in &keys {
        chain = chain.key_down(*key);
    }
    for key in keys.iter().rev() {
        chain = chain.key_up(*key);
    }
    chain.perform().await.expect("key events");
}

/// Clicks at a place of the kiosk's screen, which is 1024 wide and shown smaller.
async fn click_at(browser: &Browser, x: i64, y: i64, right: bool) {
    let canvas = browser.driver.find(By::Css(CANVAS)).await.expect("a canvas");
    let box_ = canvas.rect().await.expect("a place");
    let shown = |at: i64| (at as f64 * box_.width / 1024.0) as i64;
    let (x, y) = (box_.x as i64 + shown(x), box_.y as i64 + shown(y));
    let chain = browser.driver.action_chain().move_to(x, y);
    let chain = if right { chain.context_click() } else { chain.click() };
    chain.perform().await.expect("a click");
}

#[tokio::test]
async fn a_student_sees_the_page_and_finds_no_way_out() {
    let page = "env = { KIOSK_URL = \"http://127.0.0.1:8000/\", WIDTH = \"1024\", HEIGHT = \"768\" }";
    let gateway = Gateway::builder().template(&shipped("kiosk").replace("env = { }", page)).start().await;
    let (browser, container) = at_a_session(&gateway, "kiosk").await;
    // It was there before its page: the kiosk asks again by itself.
    serve(&container);
    says(&container, "GET /alive?1024x768 visible true").await;
    browser.screenshot("image-kiosk").await;
    let process = eventually("the browser runs", || async { run(&container, "pgrep -o firefox-esr") }).await;

    browser.script("document.querySelector('#screen canvas').focus()").await;
    let here = "GET /alive?1024x768 visible true hello";
    eventually("the page takes what is typed", || async {
        press(&browser, "^a").await;
        type_line(&browser.driver, "hello").await;
        run(&container, &format!("tail -n 3 /tmp/requests | grep -F '{here}'"))
    })
    .await;

    for way in WAYS_OUT {
        press(&browser, way).await;
    }
    type_line(&browser.driver, "about:config").await;
    // Whatever was typed went to the page, which is as it was.
    says(&container, &format!("{here}about:config")).await;
    click_at(&browser, 500, 500, true).await;
    browser.screenshot("image-kiosk-locked").await;
    click_at(&browser, 40, 140, false).await;
    says(&container, &format!("{here}about:config")).await;
    assert_eq!(
        run(&container, "pgrep -o firefox-esr"),
        Some(process.clone()),
        "the same browser all the time"
    );

    // Links to other windows stay in this one; a download is none.
    let (link, download) = ((30, 190), (200, 190));
    click_at(&browser, download.0, download.1, false).await;
    eventually("the download was asked for", || async {
        run(&container, "grep -F 'GET /file.bin' /tmp/requests")
    })
    .await;
    click_at(&browser, link.0, link.1, false).await;
    eventually("the link was followed", || async { run(&container, "grep -F 'GET /other' /tmp/requests") })
        .await;
    says(&container, "GET /alive?1024x768 visible true").await;
    assert_eq!(
        run(&container, "find /tmp /home -name 'file*.bin*'"),
        Some(String::new()),
        "nothing was saved"
    );

    // Killed, it comes back by itself, with the first page, as if it had never run.
    run(&container, "pkill -KILL firefox-esr; : > /tmp/requests").expect("it was running");
    says(&container, "GET /alive?1024x768 visible true").await;
    assert_ne!(run(&container, "pgrep -o firefox-esr"), Some(process));

    // It fills the window of whoever looks.
    browser.click("#display").await;
    browser.click(".choice:has(#resize)").await;
    let size = browser
        .script("const s = document.getElementById('screen'); return `${s.clientWidth}x${s.clientHeight}`")
        .await;
    says(&container, &format!("GET /alive?{} visible", size.as_str().expect("a size"))).await;
    browser.screenshot("image-kiosk-resized").await;
}

#[tokio::test]
async fn without_an_address_the_kiosk_says_how_to_set_one() {
    let gateway = Gateway::builder().template(&shipped("kiosk")).start().await;
    let (browser, container) = at_a_session(&gateway, "kiosk").await;
    eventually("the page is shown", || async {
        run(&container, "pgrep -f 'file:// Content' || pgrep -f 'isForBrowser'").map(|_| ())
    })
    .await;
    crate::desktop::painted(&browser.driver, CANVAS).await;
    browser.screenshot("image-kiosk-without").await;
}

//! The main job: one URL, a login, a painted desktop, a hand on its keyboard.

use std::time::Duration;

use thirtyfour::prelude::*;

use crate::browser::Browser;
use crate::gateway::{CLASSIC, DESKTOP, Gateway, docker, eventually};

/// Creates a session through the dashboard's form and returns its label once the viewer is there.
pub async fn create(browser: &Browser, template: &str, name: &str) {
    let driver = &browser.driver;
    let choice = browser.wait_for(&format!("input[name=template][value={template}]")).await;
    let _ = driver.execute("arguments[0].checked = true", vec![choice.to_json().expect("an element")]).await;
    let input = driver.find(By::Css("form[action='/sessions'] [name=name]")).await.expect("a name field");
    input.clear().await.expect("an input");
    input.send_keys(name).await.expect("typing");
    let button =
        driver.find(By::Css("form[action='/sessions'] button[type=submit]")).await.expect("a button");
    button.click().await.expect("a click");
}

/// How many different colours a sample of the desktop's canvas has: an unpainted one has one.
async fn colours(driver: &WebDriver, canvas: &str) -> Option<u64> {
    let script = format!(
        "const c = document.querySelector('{canvas}'); if (!c || !c.width) return 0;\
         const p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; const s = new Set();\
         for (let i = 0; i < p.length; i += 4 * 997) s.add(p[i] << 16 | p[i + 1] << 8 | p[i + 2]); return s.size;"
    );
    driver.execute(&script, vec![]).await.ok()?.json().as_u64()
}

pub async fn painted(driver: &WebDriver, canvas: &str) {
    eventually("the desktop is painted", || async {
        colours(driver, canvas).await.filter(|count| *count > 8)
    })
    .await;
}

/// Holds Ctrl and Alt and presses T: the desktop's shortcut for a terminal.
pub async fn open_terminal(driver: &WebDriver) {
    let keys = driver.action_chain().key_down(Key::Control).key_down(Key::Alt).key_down('t');
    keys.key_up('t').key_up(Key::Alt).key_up(Key::Control).perform().await.expect("key events");
}

/// Types a line as key events to whatever has the focus.
pub async fn type_line(driver: &WebDriver, text: &str) {
    driver
        .action_chain()
        .send_keys(text)
        .key_down(Key::Enter)
        .key_up(Key::Enter)
        .perform()
        .await
        .expect("key events");
}

/// Whether the container runs a program of this name.
pub fn runs(container: &str, program: &str) -> bool {
    docker(&["top", container, "-eo", "pid,comm"]).lines().any(|line| line.contains(program))
}

/// Opens a terminal by keyboard, types the proof, and finds it in the container.
async fn leave_proof(browser: &Browser, container: &str, canvas: &str) {
    let driver = &browser.driver;
    driver.find(By::Css(canvas)).await.expect("a canvas").click().await.expect("a click");
    eventually("a terminal opens", || async {
        if !runs(container, "xfce4-terminal") {
            open_terminal(driver).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        (runs(container, "xfce4-terminal") && runs(container, "bash")).then_some(())
    })
    .await;
    eventually("the typed proof is in the container", || async {
        type_line(driver, "echo berth > proof").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let read = std::process::Command::new("docker")
            .args(["exec", container, "cat", "/home/user/proof"])
            .output()
            .ok()?;
        (read.stdout == b"berth\n").then_some(())
    })
    .await;
}

pub async fn label_of(browser: &Browser, subdomain: bool) -> String {
    eventually("the session has a URL", || async {
        let url = browser.driver.current_url().await.ok()?;
        if subdomain {
            let host = url.host_str()?.strip_suffix(".localhost")?;
            return Some(host.to_owned());
        }
        url.path().strip_prefix("/s/")?.split('/').next().map(str::to_owned).filter(|label| !label.is_empty())
    })
    .await
}

async fn student_reaches_a_desktop(routing: &'static str) {
    let gateway = Gateway::builder().routing(routing).template(DESKTOP).start().await;
    let mut browser = Browser::open(1280, 800).await;
    browser.log_in(&gateway, "ann").await;
    browser.screenshot(&format!("{routing}-dashboard")).await;
    create(&browser, "desktop", "My desktop").await;

    // The waiting page tells what is going on until the desktop is there.
    browser.wait_for("#wait, #viewer").await;
    browser.screenshot(&format!("{routing}-waiting")).await;
    let label = label_of(&browser, routing == "subdomain").await;
    browser.wait_for("[data-state=connected] #screen canvas").await;
    painted(&browser.driver, "#screen canvas").await;
    let container = gateway.container(&label);
    eventually("panel and desktop run", || async {
        (runs(&container, "xfce4-panel") && runs(&container, "xfdesktop")).then_some(())
    })
    .await;
    leave_proof(&browser, &container, "#screen canvas").await;
    browser.screenshot(&format!("{routing}-desktop")).await;

    let inspect = docker(&[
        "inspect",
        "--format",
        "{{json .HostConfig.PortBindings}} {{json .NetworkSettings.Ports}}",
        &container,
    ]);
    assert!(!inspect.contains("HostPort"), "no container port is ever published: {inspect}");
}

#[tokio::test]
async fn a_student_types_on_a_real_desktop_in_path_mode() {
    student_reaches_a_desktop("path").await;
}

#[tokio::test]
async fn a_student_types_on_a_real_desktop_in_subdomain_mode() {
    student_reaches_a_desktop("subdomain").await;
}

/// A container that brings its own noVNC and websockify on 6080, as the replaced systems' do.
async fn student_reaches_a_classic_desktop(routing: &'static str) {
    let gateway = Gateway::builder().routing(routing).template(CLASSIC).start().await;
    let mut browser = Browser::open(1280, 800).await;
    browser.log_in(&gateway, "ann").await;
    create(&browser, "classic", "Classic").await;
    let label = label_of(&browser, routing == "subdomain").await;
    let container = gateway.container(&label);
    let ann = gateway.login("ann").await;
    ann.until(&label, "ready").await;

    let start = if routing == "path" {
        gateway.url(&format!("/s/{label}/"))
    } else {
        gateway.url(&format!("/open/{label}"))
    };
    browser.driver.goto(&start).await.expect("the session's page");
    let here = eventually("the session's own page opens", || async {
        let url = browser.driver.current_url().await.ok()?;
        let own = url.path().contains("/~") || url.host_str() == Some(&format!("{label}.localhost"));
        own.then_some(url)
    })
    .await;
    let viewer = here.join("vnc.html?autoconnect=true").expect("a URL");
    browser.driver.goto(viewer.as_str()).await.expect("the container's viewer");
    browser.wait_for("#noVNC_container canvas").await;
    eventually("the classic desktop is painted", || async {
        colours(&browser.driver, "#noVNC_container canvas").await.filter(|count| *count > 1)
    })
    .await;
    browser
        .driver
        .find(By::Css("#noVNC_container canvas"))
        .await
        .expect("a canvas")
        .click()
        .await
        .expect("a click");
    eventually("the typed proof is in the container", || async {
        type_line(&browser.driver, "echo berth > /tmp/proof").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let read = std::process::Command::new("docker")
            .args(["exec", &container, "cat", "/tmp/proof"])
            .output()
            .ok()?;
        (read.stdout == b"berth\n").then_some(())
    })
    .await;
    browser.screenshot(&format!("{routing}-classic")).await;
}

#[tokio::test]
async fn a_container_with_its_own_novnc_works_in_path_mode() {
    student_reaches_a_classic_desktop("path").await;
}

#[tokio::test]
async fn a_container_with_its_own_novnc_works_in_subdomain_mode() {
    student_reaches_a_classic_desktop("subdomain").await;
}

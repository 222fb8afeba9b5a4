//! What each image is for, done by a student in a browser, with the templates that are shipped.

mod classic;
mod database;
mod kiosk;
mod machine;
mod notebook;
mod security;
mod terminal;
mod webdev;

use std::io::Write;
use std::process::{Command, Stdio};

use crate::browser::Browser;
use crate::desktop::{create, label_of, painted};
use crate::gateway::{Gateway, Student, eventually};

const CANVAS: &str = "#screen canvas";

/// The template of the shipped configuration, from `config/templates.d`.
fn shipped(name: &str) -> String {
    let path = format!("{}/config/templates.d/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A browser in which ann sees a new session of a template: the browser and the session's container.
async fn at_a_session(gateway: &Gateway, template: &str) -> (Browser, String) {
    let mut browser = Browser::open(1280, 800).await;
    browser.log_in(gateway, "ann").await;
    create(&browser, template, "Lesson").await;
    browser.wait_for(&format!("[data-state=connected] {CANVAS}")).await;
    let label = label_of(&browser, false).await;
    painted(&browser.driver, CANVAS).await;
    let container = gateway.container(&label);
    (browser, container)
}

/// What a shell command in a container prints, run as its user; `None` if it fails.
fn run(container: &str, command: &str) -> Option<String> {
    let output = Command::new("docker")
        .args(["exec", "-u", "1000:1000", container, "sh", "-c", command])
        .output()
        .ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Puts a file into a container.
fn put(container: &str, path: &str, text: &str) {
    let mut shell = Command::new("docker")
        .args(["exec", "-i", "-u", "1000:1000", container, "sh", "-c", &format!("cat > {path}")])
        .stdin(Stdio::piped())
        .spawn()
        .expect("docker is installed");
    let mut input = shell.stdin.take().expect("it was piped");
    input.write_all(text.as_bytes()).expect("the container takes it");
    drop(input);
    assert!(shell.wait().expect("docker ends").success(), "{path}");
}

/// A session of an `http` template, open in the browser on its own page.
struct App {
    label: String,
    container: String,
}

impl App {
    async fn open(gateway: &Gateway, browser: &mut Browser, ann: &Student<'_>, template: &str) -> Self {
        browser.log_in(gateway, "ann").await;
        let label = ann.create(template, template).await;
        ann.until(&label, "ready").await;
        let container = gateway.container(&label);
        browser.driver.goto(gateway.url(&format!("/open/{label}"))).await.expect("the session's page");
        eventually("the app's own page opens", || async {
            let url = browser.driver.current_url().await.ok()?;
            let own = url.path().contains("/~") || url.host_str() == Some(&format!("{label}.localhost"));
            own.then_some(())
        })
        .await;
        Self { label, container }
    }
}

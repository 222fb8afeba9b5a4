//! What each image is for, done by a student in a browser, with the templates that are shipped.

mod database;
mod kiosk;
mod security;
mod webdev;

use std::io::Write;
use std::process::{Command, Stdio};

use crate::browser::Browser;
use crate::desktop::{create, label_of, painted};
use crate::gateway::Gateway;

const CANVAS: &str = "#screen canvas";

/// A shipped template as a test takes it: its home goes with the session.
fn template(shipped: &str) -> String {
    shipped
        .replace("home = \"persistent\"", "home = \"ephemeral\"")
        .replace("home = \"session\"", "home = \"ephemeral\"")
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

/// What a command in a container prints, once it succeeds.
fn run(container: &str, command: &str) -> Option<String> {
    let output = Command::new("docker").args(["exec", container, "sh", "-c", command]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Puts a file into a container.
fn put(container: &str, path: &str, text: &str) {
    let mut shell = Command::new("docker")
        .args(["exec", "-i", container, "sh", "-c", &format!("cat > {path}")])
        .stdin(Stdio::piped())
        .spawn()
        .expect("docker is installed");
    let mut input = shell.stdin.take().expect("it was piped");
    input.write_all(text.as_bytes()).expect("the container takes it");
    drop(input);
    assert!(shell.wait().expect("docker ends").success(), "{path}");
}

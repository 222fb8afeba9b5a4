//! One test per image, as a student: through the gateway and a real browser, what the image is for.
//!
//! Each test runs the template that ships for its image.

mod classic;
mod machine;
mod notebook;
mod terminal;

use crate::browser::Browser;
use crate::gateway::{Gateway, Student, eventually};

/// The template of the shipped configuration, from `config/templates.d`.
fn shipped(name: &str) -> String {
    let path = format!("{}/config/templates.d/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
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

/// Runs a shell command in a container as its user and returns what it printed, empty if it failed.
fn inside(container: &str, command: &str) -> String {
    let output = std::process::Command::new("docker").args(["exec", container, "sh", "-c", command]).output();
    let output = output.expect("docker is installed");
    if output.status.success() { String::from_utf8_lossy(&output.stdout).into_owned() } else { String::new() }
}

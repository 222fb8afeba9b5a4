//! A real headless Chromium, driven through chromedriver.

use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use thirtyfour::prelude::*;

use crate::gateway::{Gateway, PASSWORD, eventually, free_port, patience};
use crate::quiet_network::QuietNetwork;

/// A browser of the test's own; closed when dropped.
pub struct Browser {
    /// Never dropped by itself: it would wait two minutes for a chromedriver that is gone by then.
    pub driver: ManuallyDrop<WebDriver>,
    process: Child,
    network: QuietNetwork,
    profile: TempDir,
}

impl Browser {
    /// Starts chromedriver and one browser window of this size.
    pub async fn open(width: u32, height: u32) -> Self {
        let profile =
            tempfile::Builder::new().prefix("berth-browser").tempdir().expect("a temporary directory");
        let port = free_port();
        std::fs::create_dir_all(artefacts()).expect("the target directory is writable");
        let mut chromedriver = Command::new("chromedriver");
        chromedriver
            .arg(format!("--port={port}"))
            .arg(format!("--log-path={}", artefacts().join(format!("chromedriver-{port}.log")).display()));
        let (mut network, process) = QuietNetwork::start(&chromedriver, profile.path()).await;
        network.let_in(port).await;
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            // On a starved machine the watchdogs kill a browser that is merely slow.
            "--disable-gpu-watchdog",
            "--disable-hang-monitor",
            "--ignore-certificate-errors",
            &format!("--window-size={width},{height}"),
            &format!("--user-data-dir={}", profile.path().display()),
        ] {
            capabilities.add_arg(argument).expect("a browser argument");
        }
        let server = format!("http://127.0.0.1:{port}");
        let driver = eventually("a browser opens", || async {
            WebDriver::new(&server, capabilities.clone()).await.ok()
        })
        .await;
        Self { driver: ManuallyDrop::new(driver), process, network, profile }
    }

    /// Logs in through the login page of a gateway, which this browser can reach from now on.
    pub async fn log_in(&mut self, gateway: &Gateway, user: &str) {
        self.network.let_out(gateway.port).await;
        self.driver.goto(gateway.url("/login")).await.expect("the login page");
        let field = |name: &str| self.driver.find(By::Name(name.to_owned()));
        field("name").await.expect("a name field").send_keys(user).await.expect("typing");
        field("password").await.expect("a password field").send_keys(PASSWORD).await.expect("typing");
        self.driver
            .find(By::Css("form button[type=submit]"))
            .await
            .expect("a button")
            .click()
            .await
            .expect("a click");
        eventually("the dashboard opens", || async {
            let url = self.driver.current_url().await.ok()?;
            (url.path() == "/").then_some(())
        })
        .await;
    }

    /// Waits for an element; what the browser showed instead is kept as an artefact.
    pub async fn wait_for(&self, css: &str) -> WebElement {
        let deadline = Instant::now() + patience();
        loop {
            if let Ok(element) = self.driver.find(By::Css(css.to_owned())).await {
                return element;
            }
            if Instant::now() > deadline {
                let png = self.driver.screenshot_as_png().await.unwrap_or_default();
                let page = self.driver.source().await.unwrap_or_default();
                let _ = std::fs::write(artefacts().join("gave-up.png"), png);
                let _ = std::fs::write(artefacts().join("gave-up.html"), page);
                panic!("gave up waiting: {css} appears");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Keeps a screenshot as a test artefact and returns it.
    pub async fn screenshot(&self, name: &str) -> Vec<u8> {
        let png = self.driver.screenshot_as_png().await.expect("a screenshot");
        let folder = artefacts();
        std::fs::create_dir_all(&folder).expect("the target directory is writable");
        std::fs::write(folder.join(format!("{name}.png")), &png).expect("the target directory is writable");
        png
    }
}

/// Where screenshots are kept.
pub fn artefacts() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots")
}

impl Drop for Browser {
    fn drop(&mut self) {
        // chromedriver leaves its browser behind when it is killed, so both are: by the profile
        // directory, which is this test's own and stands on the command line of every process.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let profile = self.profile.path().display().to_string();
        for process in std::fs::read_dir("/proc").expect("a process table").flatten() {
            let id = process.file_name().to_string_lossy().into_owned();
            let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&command).contains(&profile) {
                let _ = Command::new("kill").args(["-9", &id]).stderr(Stdio::null()).status();
            }
        }
    }
}

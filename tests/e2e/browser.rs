//! A real headless Chromium, driven through chromedriver.

use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use thirtyfour::error::WebDriverErrorInner;
use thirtyfour::prelude::*;

use crate::gateway::{Gateway, PASSWORD, Student, eventually, free_port, patience};
use crate::quiet_network::QuietNetwork;

/// A browser of the test's own; closed when dropped.
pub struct Browser {
    /// Never dropped by itself: it would wait two minutes for a chromedriver that is gone by then.
    pub driver: ManuallyDrop<WebDriver>,
    process: Child,
    network: QuietNetwork,
    /// The ports that it can reach.
    reached: Vec<u16>,
    profile: TempDir,
}

impl Browser {
    /// Starts chromedriver and one browser window of this size.
    pub async fn open(width: u32, height: u32) -> Self {
        Self::open_in("en", width, height).await
    }

    /// The same for a reader of other languages, as `Accept-Language` lists them.
    pub async fn open_in(languages: &str, width: u32, height: u32) -> Self {
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
            &format!("--accept-lang={languages}"),
            &format!("--user-data-dir={}", profile.path().display()),
        ] {
            capabilities.add_arg(argument).expect("a browser argument");
        }
        let server = format!("http://127.0.0.1:{port}");
        let driver = eventually("a browser opens", || async {
            WebDriver::new(&server, capabilities.clone()).await.ok()
        })
        .await;
        Self { driver: ManuallyDrop::new(driver), process, network, reached: Vec::new(), profile }
    }

    /// Gives it the login of somebody who is logged in already, beside what else it carries.
    pub async fn carry(&self, student: &Student<'_>) {
        for pair in student.cookie().split("; ") {
            let (name, value) = pair.split_once('=').expect("a cookie");
            let cookie = json!({ "name": name, "value": value, "url": student.gateway.url("/"), "secure": true, "path": "/" });
            self.cdp("Network.setCookie", cookie).await;
        }
    }

    /// From now on its reader likes this language best.
    pub async fn speak(&self, language: &str) {
        let agent = self.script("return navigator.userAgent").await;
        let likes = json!({ "userAgent": agent, "acceptLanguage": language });
        self.cdp("Emulation.setUserAgentOverride", likes).await;
    }

    /// Shows the page as it is, in `light` or `dark`, in a window this wide.
    pub async fn look(&self, colours: &str, width: u32) {
        let feature = json!({ "name": "prefers-color-scheme", "value": colours });
        self.cdp("Emulation.setEmulatedMedia", json!({ "features": [feature] })).await;
        let height = if width < 500 { 844 } else { 900 };
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.cdp("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Lets this browser reach a gateway from now on.
    pub async fn reach(&mut self, gateway: &Gateway) {
        self.network.let_out(gateway.port).await;
    }

    /// What its reader likes, light or dark.
    pub async fn prefer(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.cdp("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Logs in through the login page of a gateway, which this browser can reach from now on.
    pub async fn log_in(&mut self, gateway: &Gateway, user: &str) {
        self.reach(gateway).await;
        self.driver.goto(gateway.url("/login")).await.expect("the login page");
        self.fill_in_login(user).await;
        eventually("the dashboard opens", || async {
            let url = self.driver.current_url().await.ok()?;
            (url.path() == "/").then_some(())
        })
        .await;
    }

    /// Lets this browser reach a gateway.
    pub async fn meet(&mut self, gateway: &Gateway) {
        if !self.reached.contains(&gateway.port) {
            self.network.let_out(gateway.port).await;
            self.reached.push(gateway.port);
        }
    }

    /// Fills in the form of the login page that is open, and sends it.
    pub async fn fill_in_login(&self, user: &str) {
        self.wait_for("form[action='/login']").await;
        let field = |name: &str| self.driver.find(By::Name(name.to_owned()));
        field("name").await.expect("a name field").send_keys(user).await.expect("typing");
        field("password").await.expect("a password field").send_keys(PASSWORD).await.expect("typing");
        self.driver
            .find(By::Css("form[action='/login'] button[type=submit]"))
            .await
            .expect("a button")
            .click()
            .await
            .expect("a click");
    }

    /// Pretends to be a device with a screen of this size, down to a telephone with touch. Loads the
    /// page again, as another device would.
    pub async fn pretend(&self, width: u32, height: u32) {
        let touch = width < 500;
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": touch });
        self.cdp("Emulation.setDeviceMetricsOverride", size).await;
        self.cdp("Emulation.setTouchEmulationEnabled", json!({ "enabled": touch })).await;
        self.driver.refresh().await.expect("the page");
    }

    /// A command of the Chrome DevTools Protocol, for what WebDriver has no word for.
    pub async fn cdp(&self, method: &str, parameters: serde_json::Value) {
        self.driver.cdp().send_raw(method, parameters).await.expect("the browser does as it is told");
    }

    /// The value of a script.
    pub async fn script(&self, script: &str) -> serde_json::Value {
        self.driver.execute(script, vec![]).await.expect("the script runs").json().clone()
    }

    /// Waits until an expression is true.
    pub async fn until(&self, expression: &str) {
        let script = format!("return Boolean({expression})");
        let seen = eventually_or(|| async { (self.script(&script).await == true).then_some(()) }).await;
        if seen.is_none() {
            self.screenshot("gave-up").await;
            panic!("gave up waiting: {expression}");
        }
    }

    /// Clicks an element.
    pub async fn click(&self, css: &str) {
        // What a live page draws anew between finding and clicking is looked for again.
        let clicked = eventually_or(|| async {
            match self.wait_for(css).await.click().await {
                Ok(()) => Some(()),
                Err(error) if matches!(*error, WebDriverErrorInner::StaleElementReference(_)) => None,
                Err(error) => panic!("clicking {css}: {error}"),
            }
        });
        assert!(clicked.await.is_some(), "clicking {css}: it is drawn anew all the time");
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

/// The probe's value, unless patience ends first.
async fn eventually_or<T, F>(mut probe: impl FnMut() -> F) -> Option<T>
where
    F: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + patience();
    while Instant::now() < deadline {
        if let Some(value) = probe().await {
            return Some(value);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    None
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

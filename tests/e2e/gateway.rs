//! A gateway of the test's own: temporary directory, free ports, its own container network.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Certificate, Client, ClientBuilder};
use tempfile::TempDir;

/// The binary under test.
const BERTH: &str = env!("CARGO_BIN_EXE_berth");

/// How long [`eventually`] is patient; slower machines set `BERTH_TEST_PATIENCE_S`.
pub fn patience() -> Duration {
    let seconds = std::env::var("BERTH_TEST_PATIENCE_S").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(60))
}

/// Asks again and again until `probe` gives a value; panics with `what` when patience ends.
pub async fn eventually<T, F>(what: &str, probe: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    within(patience(), what, probe).await
}

/// The same with a patience of its own.
pub async fn within<T, F>(patience: Duration, what: &str, mut probe: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + patience;
    loop {
        if let Some(value) = probe().await {
            return value;
        }
        assert!(Instant::now() < deadline, "gave up waiting: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What a test wants of its gateway.
#[derive(Clone, Debug)]
pub struct Builder {
    routing: &'static str,
    limits: String,
    engine: String,
    templates: String,
    users: Vec<(&'static str, &'static str)>,
}

/// The password of every user a test makes.
pub const PASSWORD: &str = "correct horse battery";

/// The token with which a test's program administers.
pub const TOKEN: &str = "a token of at least thirty-two characters";

/// The desktop template of the shipped configuration.
pub const DESKTOP: &str = r#"
[[template]]
name = "desktop"
title = "Desktop"
image = "berth/desktop"
protocol = "rfb"
port = 5900
home = "ephemeral"
"#;

/// A desktop that brings its own noVNC and websockify.
pub const CLASSIC: &str = r#"
[[template]]
name = "classic"
title = "Classic"
image = "berth/novnc-classic"
protocol = "http"
port = 6080
home = "ephemeral"
"#;

/// A template of the image that misbehaves as told.
pub fn illness(name: &str, protocol: &str, illness: &str) -> String {
    format!(
        "[[template]]\nname = \"{name}\"\ntitle = \"{name}\"\nimage = \"berth-test/illness\"\n\
         protocol = \"{protocol}\"\nport = 8080\nmemory_mib = 128\nshm_mib = 16\nhome = \"ephemeral\"\n\
         env = {{ ILLNESS = \"{illness}\" }}\n"
    )
}

impl Builder {
    pub fn routing(mut self, routing: &'static str) -> Self {
        self.routing = routing;
        self
    }

    /// Lines of the `[limits]` section.
    pub fn limits(mut self, lines: &str) -> Self {
        self.limits = lines.to_owned();
        self
    }

    /// Further lines of the `[engine]` section.
    pub fn engine(mut self, lines: &str) -> Self {
        self.engine = lines.to_owned();
        self
    }

    pub fn template(mut self, toml: &str) -> Self {
        self.templates.push_str(toml);
        self
    }

    /// Sets everything up and starts the gateway; returns when it serves.
    pub async fn start(self) -> Gateway {
        let mut gateway = self.prepare();
        gateway.serve().await;
        gateway
    }

    /// Sets everything up without starting the gateway.
    pub fn prepare(self) -> Gateway {
        let _ = rustls_provider();
        let dir = tempfile::Builder::new().prefix("berth-e2e").tempdir().expect("a temporary directory");
        let number = free_port();
        let gateway = Gateway {
            port: number,
            metrics: free_port(),
            network: format!("berth-t{number}"),
            env: Vec::new(),
            dir,
            child: None,
        };
        gateway.write_config(&self);
        gateway.berth(&["setup"], None);
        for (name, role) in &self.users {
            gateway.berth(&["user", "add", name, "--role", role, "--password-stdin"], Some(PASSWORD));
        }
        gateway
    }
}

fn rustls_provider() -> Result<(), ()> {
    rustls::crypto::aws_lc_rs::default_provider().install_default().map_err(|_| ())
}

/// A port nobody listens on right now and nobody else will take.
///
/// A port that the kernel gave was another test's outgoing connection by the time the gateway came to
/// listen on it. Those come from 32768 on (`net.ipv4.ip_local_port_range`), so these stay below (and above 10080,
/// which browsers refuse), and every process tries ports of its own first.
pub fn free_port() -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    loop {
        let nth = std::process::id() % 900 * 20 + TAKEN.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(12_000 + nth % 18_000).expect("a number below 30000");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// A running gateway; killed and cleaned up when dropped.
#[derive(Debug)]
pub struct Gateway {
    pub port: u16,
    pub metrics: u16,
    pub network: String,
    /// Further variables of every process of its own.
    pub env: Vec<(String, String)>,
    dir: TempDir,
    child: Option<Child>,
}

impl Gateway {
    pub fn builder() -> Builder {
        Builder {
            routing: "path",
            limits: String::new(),
            engine: String::new(),
            templates: String::new(),
            users: vec![("ann", "user"), ("bob", "user"), ("root", "admin")],
        }
    }

    fn write_config(&self, builder: &Builder) {
        // One /24 per test, picked by the port, which is its own: ports are below 32768, so no two
        // of them share one.
        let subnet = format!("10.{}.{}.0/24", 64 + (self.port >> 8 & 0x7f), self.port & 0xff);
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let config = format!(
            "[server]\nlisten = [\"127.0.0.1:{port}\"]\ndomain = \"localhost\"\nrouting = \"{routing}\"\n\
             metrics = \"127.0.0.1:{metrics}\"\n\
             [viewer]\nnovnc = \"{novnc}\"\n\
             [auth]\napi_tokens_from_env = \"BERTH_TEST_TOKEN\"\n\
             [engine]\nnetwork = \"{network}\"\nsubnet = \"{subnet}\"\n{engine}\n\
             [limits]\n{limits}\n{templates}",
            port = self.port,
            metrics = self.metrics,
            routing = builder.routing,
            novnc = root.join("var/novnc").display(),
            network = self.network,
            engine = builder.engine,
            limits = builder.limits,
            templates = builder.templates,
        );
        std::fs::create_dir_all(self.dir.path().join("config")).expect("the test's own directory");
        std::fs::write(self.path("config/berth.toml"), config).expect("the test's own directory");
    }

    /// A path below the gateway's working directory.
    pub fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// Runs a subcommand and returns what it said; panics if it failed.
    pub fn berth(&self, arguments: &[&str], input: Option<&str>) -> String {
        let output = self.try_berth(arguments, input);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "berth {arguments:?}: {}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// A subcommand that was not begun yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BERTH);
        command.args(arguments).env("BERTH_TEST_TOKEN", TOKEN).current_dir(self.dir.path());
        command.envs(self.env.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        command
    }

    /// Begins a subcommand without waiting for it.
    pub fn begin(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::null()).spawn().expect("the binary under test runs")
    }

    /// Runs a subcommand to its end.
    pub fn try_berth(&self, arguments: &[&str], input: Option<&str>) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary under test runs");
        let mut stdin = child.stdin.take().expect("it was piped");
        let _ = stdin.write_all(format!("{}\n", input.unwrap_or_default()).as_bytes());
        drop(stdin);
        child.wait_with_output().expect("the binary under test ends")
    }

    /// Starts the gateway and waits until it is ready.
    pub async fn serve(&mut self) {
        self.launch();
        let client = self.client();
        let url = self.url("/ready");
        eventually("the gateway is ready", || async {
            client.get(&url).send().await.ok().filter(|answer| answer.status().is_success()).map(|_| ())
        })
        .await;
    }

    /// Starts the gateway without waiting for it; its log goes to `gateway.log`.
    pub fn launch(&mut self) {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("gateway.log"))
            .expect("the test's own directory");
        let child = self
            .command(&["serve"])
            .stdout(log.try_clone().expect("a file handle"))
            .stderr(log)
            .spawn()
            .expect("the binary under test runs");
        self.child = Some(child);
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the gateway runs").id()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends SIGTERM and returns whether it ended well.
    pub fn terminate(&mut self) -> bool {
        let Some(mut child) = self.child.take() else { return false };
        let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        child.wait().expect("a child can be waited for").success()
    }

    /// The gateway's log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("gateway.log")).unwrap_or_default()
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    pub fn ca(&self) -> Vec<u8> {
        std::fs::read(self.path("certs/ca.pem")).expect("setup made a development CA")
    }

    /// A browser without cookies that follows no redirect.
    pub fn client(&self) -> Client {
        self.client_builder().build().expect("a client with one CA")
    }

    /// The same, for whoever wants something else of it.
    pub fn client_builder(&self) -> ClientBuilder {
        Client::builder()
            .tls_certs_only([Certificate::from_pem(&self.ca()).expect("a CA certificate")])
            .cookie_store(true)
            .default_headers(
                [(reqwest::header::ACCEPT, "text/html".parse().expect("a value"))].into_iter().collect(),
            )
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
    }

    /// A browser that is logged in as `user`.
    pub async fn login(&self, user: &str) -> Student<'_> {
        self.login_with(self.client(), user, PASSWORD).await
    }

    /// Logs a browser in.
    pub async fn login_with(&self, client: Client, user: &str, password: &str) -> Student<'_> {
        let page = client.get(self.url("/login")).send().await.expect("a login page");
        let page = page.text().await.expect("a login page");
        // The first form: those of the language and the look have secrets of their own.
        let form = hidden_fields(page.split("</form>").next().unwrap_or_default());
        let mut fields =
            vec![("name".to_owned(), user.to_owned()), ("password".to_owned(), password.to_owned())];
        fields.extend(form);
        let answer = client
            .post(self.url("/login"))
            .header("origin", format!("https://localhost:{}", self.port))
            .header("sec-fetch-site", "same-origin")
            .form(&fields)
            .send()
            .await
            .expect("an answer to the login");
        assert_eq!(answer.status(), 303, "the login of {user}");
        let cookies = answer.headers().get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
        let cookie = cookies.filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ");
        Student { gateway: self, client, cookie }
    }

    /// The container of a session, by its label.
    pub fn container(&self, label: &str) -> String {
        let rows = self.berth(&["session", "list", "--json"], None);
        let rows: serde_json::Value = serde_json::from_str(&rows).expect("JSON was asked for");
        rows.as_array()
            .and_then(|rows| rows.iter().find(|row| row["label"] == label))
            .and_then(|row| row["container"].as_str())
            .unwrap_or_else(|| panic!("no session {label} in {rows}"))
            .to_owned()
    }

    /// Names of all containers of this gateway's network, in any state.
    pub fn containers(&self) -> Vec<String> {
        let filter = format!("label=berth.network={}", self.network);
        docker(&["ps", "-a", "--filter", &filter, "--format", "{{.Names}}"])
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<_> = log.lines().rev().take(120).collect();
            eprintln!(
                "--- the gateway's last lines\n{}",
                tail.into_iter().rev().collect::<Vec<_>>().join("\n")
            );
        }
        self.kill();
        for container in self.containers() {
            let _ = Command::new("docker").args(["rm", "-f", "-v", &container]).output();
        }
        let ours = format!("label=berth.network={}", self.network);
        for kind in ["volume", "network"] {
            for id in docker(&[kind, "ls", "-q", "--filter", &ours]).lines() {
                let _ = Command::new("docker").args([kind, "rm", id]).output();
            }
        }
        let table = format!("berth_{}", self.network.replace('-', "_"));
        for family in ["inet", "arp"] {
            let _ = Command::new("nft").args(["delete", "table", family, &table]).output();
        }
    }
}

/// A logged-in browser.
#[derive(Debug)]
pub struct Student<'a> {
    pub gateway: &'a Gateway,
    pub client: Client,
    cookie: String,
}

impl Student<'_> {
    /// The login cookie as a request header.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    pub async fn page(&self, path: &str) -> String {
        let answer = self.client.get(self.gateway.url(path)).send().await.expect("an answer");
        answer.text().await.expect("a page")
    }

    /// Posts a form of the portal with its CSRF token; returns the answer.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> reqwest::Response {
        let dashboard = self.page("/").await;
        let mut form: Vec<(String, String)> =
            fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        form.extend(hidden_fields(&dashboard).into_iter().filter(|(name, _)| name == "csrf").take(1));
        self.client
            .post(self.gateway.url(path))
            .header("origin", format!("https://localhost:{}", self.gateway.port))
            .header("sec-fetch-site", "same-origin")
            .form(&form)
            .send()
            .await
            .expect("an answer")
    }

    /// Creates a session and returns its label.
    pub async fn create(&self, template: &str, name: &str) -> String {
        let answer = self.post("/sessions", &[("template", template), ("name", name)]).await;
        assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap_or_default());
        let location = answer.headers()["location"].to_str().expect("a location").to_owned();
        let label = location.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        assert!(!label.is_empty(), "no label in {location}");
        label.to_owned()
    }

    /// The state of a session as the status page tells it.
    pub async fn state(&self, label: &str) -> Option<String> {
        let rows = self.gateway.berth(&["session", "list", "--json"], None);
        let rows: serde_json::Value = serde_json::from_str(&rows).ok()?;
        let row = rows.as_array()?.iter().find(|row| row["label"] == label)?;
        row["state"].as_str().map(str::to_owned)
    }

    /// Waits until a session is in a state.
    pub async fn until(&self, label: &str, state: &str) {
        eventually(&format!("session {label} is {state}"), || async {
            self.state(label).await.filter(|now| now == state).map(|_| ())
        })
        .await;
    }
}

/// Runs `docker` and returns what it printed; panics if it failed.
pub fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().expect("docker is installed");
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Hidden inputs of a page as (name, value).
pub fn hidden_fields(page: &str) -> Vec<(String, String)> {
    page.split("<input")
        .filter(|tag| tag.contains("type=\"hidden\""))
        .filter_map(|tag| {
            let attribute = |name: &str| {
                let from = tag.find(&format!("{name}=\""))? + name.len() + 2;
                let length = tag[from..].find('"')?;
                Some(tag[from..from + length].to_owned())
            };
            Some((attribute("name")?, attribute("value")?))
        })
        .collect()
}

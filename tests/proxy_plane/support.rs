//! A gateway in memory, containers by illness, and browsers.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use berth::audit::{Actor, Audit};
use berth::auth::{self, Auth, NewUser, Principal, Visitor};
use berth::body::Body;
use berth::broker::{self, Broker, Entry, Share};
use berth::engine::{
    Connection, Container, Engine, EngineError, EngineEvent, EngineVersion, PullSteps, StartOrder, Started,
    Stats, TemplateImage,
};
use berth::fault::Answer;
use berth::proxy::{Outcome, Proxy, Settings, Surface, Target};
use berth::respond;
use berth::secret::Secret;
use berth::session::reap::Policy;
use berth::session::{
    GrantId, GrantRole, Home, Icon, NetworkPolicy, NodeName, Protocol, PullPolicy, SessionId, State,
    Template, TemplateLimits, TemplateName, Upstream,
};
use berth::store::sqlite::SqliteStore;
use berth::store::{AuditLines, Role, User};
use berth::tasks::Tasks;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_util::sync::CancellationToken;

pub const HOST: &str = "lab.example:8443";
/// With which a program administers.
pub const TOKEN: &str = "a token of at least thirty-two characters";
pub const ORIGIN: &str = "https://lab.example:8443";

/// The lines that ask for a WebSocket.
pub const UPGRADE: &str = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// What a container does with one connection, after its first request head was read.
pub type Script = Arc<dyn Fn(String, DuplexStream) -> BoxFuture<'static, ()> + Send + Sync>;

/// Makes a script of an async function.
pub fn script<F, Fut>(act: F) -> Script
where
    F: Fn(String, DuplexStream) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    Arc::new(move |head, stream| act(head, stream).boxed())
}

/// A container that answers every connection with these bytes and hangs up.
pub fn says(answer: &'static str) -> Script {
    script(move |_, mut stream| async move {
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
        // Until the gateway has read it all and hung up too.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
}

#[derive(Clone)]
pub enum Kind {
    Http(Script),
    Raw(Script),
}

/// An engine whose containers run in this process.
pub struct FakeEngine {
    kind: Kind,
    tasks: Tasks,
    pub secret: Mutex<String>,
    /// Every request head a container got, readiness probes excepted.
    pub heads: Arc<Mutex<Vec<String>>>,
    /// Panics of scripts, which would otherwise end only their own task.
    faults: Arc<Mutex<Vec<String>>>,
    /// Connections whose script has not ended.
    running: Arc<AtomicUsize>,
}

impl FakeEngine {
    /// Runs one connection's script, and keeps its panic for the test to find.
    fn run(&self, conversation: impl Future<Output = ()> + Send + 'static) {
        let (faults, running) = (self.faults.clone(), self.running.clone());
        running.fetch_add(1, Ordering::SeqCst);
        self.tasks.spawn("container", async move {
            if let Err(panic) = AssertUnwindSafe(conversation).catch_unwind().await {
                let text = panic.downcast_ref::<String>().cloned();
                faults.lock().unwrap().push(text.unwrap_or_else(|| "a script panicked".to_owned()));
            }
            running.fetch_sub(1, Ordering::SeqCst);
        });
    }

    /// Waits until every script has ended, then fails for what they found.
    pub async fn settled(&self) {
        eventually(|| self.running.load(Ordering::SeqCst) == 0).await;
        assert_eq!(*self.faults.lock().unwrap(), [""; 0]);
    }
}

impl berth::engine::Homes for FakeEngine {}

#[async_trait]
impl Engine for FakeEngine {
    async fn start(&self, order: &StartOrder) -> Result<Started, EngineError> {
        *self.secret.lock().unwrap() = order.secret.expose().clone();
        let node = NodeName("here".to_owned());
        Ok(Started {
            upstream: Upstream { node, container: order.session.to_string(), port: 3000, epoch: order.epoch },
            image: String::new(),
        })
    }

    async fn connect(&self, _: &Upstream) -> Result<Connection, EngineError> {
        let (ours, theirs) = duplex(64 << 10);
        match &self.kind {
            Kind::Raw(act) => self.run(act(self.secret.lock().unwrap().clone(), theirs)),
            Kind::Http(act) => {
                self.run(converse(act.clone(), theirs, self.heads.clone()));
            }
        }
        Ok(Connection::Memory(ours))
    }

    async fn stop(&self, _: SessionId, _: Duration) -> Result<(), EngineError> {
        Ok(())
    }
    async fn pause(&self, _: SessionId) -> Result<(), EngineError> {
        Ok(())
    }
    async fn resume(&self, _: SessionId) -> Result<(), EngineError> {
        Ok(())
    }
    async fn remove(&self, _: SessionId) -> Result<(), EngineError> {
        Ok(())
    }
    async fn list(&self) -> Result<Vec<Container>, EngineError> {
        Err(EngineError::Down { detail: "not asked".to_owned() })
    }
    async fn events(&self) -> Result<BoxStream<'static, EngineEvent>, EngineError> {
        Ok(futures_util::stream::pending().boxed())
    }
    async fn ping(&self) -> Result<EngineVersion, EngineError> {
        Err(EngineError::Down { detail: "not asked".to_owned() })
    }
    async fn stats(&self, _: SessionId) -> Result<Stats, EngineError> {
        Err(EngineError::Gone)
    }

    async fn sample(&self) -> Result<berth::engine::Sample, EngineError> {
        Err(EngineError::Gone)
    }
    async fn images(&self) -> Result<Vec<TemplateImage>, EngineError> {
        Ok(Vec::new())
    }
    async fn pull(&self, template: &TemplateName) -> Result<PullSteps, EngineError> {
        Err(EngineError::TemplateGone { template: template.clone() })
    }
    async fn output(&self, _: SessionId) -> Result<String, EngineError> {
        Ok(String::new())
    }
}

/// Reads a request head; answers a readiness probe itself and leaves all else to the script.
async fn converse(act: Script, mut stream: DuplexStream, heads: Arc<Mutex<Vec<String>>>) {
    let Some(head) = read_head(&mut stream).await else { return };
    if head.starts_with("HEAD / HTTP/1.1\r\nHost: localhost\r\n") {
        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
        return;
    }
    heads.lock().unwrap().push(head.clone());
    act(head, stream).await;
}

/// Everything up to and with the empty line.
pub async fn read_head(stream: &mut DuplexStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

/// The value of a header field in a raw head.
pub fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// A gateway with one logged-in owner of one reachable session.
pub struct Stand {
    pub proxy: Proxy,
    pub broker: Broker,
    pub auth: Arc<Auth>,
    pub engine: Arc<FakeEngine>,
    pub entry: Arc<Entry>,
    pub principal: Arc<Principal>,
    pub store: Arc<SqliteStore>,
    pub cookie: String,
    pub surface: Surface,
    pub tasks: Tasks,
    pub drain: CancellationToken,
}

impl Drop for Stand {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(*self.engine.faults.lock().unwrap(), [""; 0]);
        }
    }
}

impl Stand {
    /// A session of an app on its own host, which is the plain case.
    pub async fn app(act: Script) -> Self {
        Self::new(Kind::Http(act), Protocol::Http, Surface::Host, false, policy()).await
    }

    /// A session of an app in path mode, with or without the sandbox.
    pub async fn path_app(act: Script, share_origin: bool) -> Self {
        Self::new(Kind::Http(act), Protocol::Http, Surface::Path, share_origin, policy()).await
    }

    /// A desktop in path mode.
    pub async fn desktop(act: Script) -> Self {
        Self::desktop_under(act, policy()).await
    }

    /// A desktop on its own host.
    pub async fn desktop_on_host(act: Script) -> Self {
        Self::new(Kind::Raw(act), Protocol::Rfb, Surface::Host, false, policy()).await
    }

    /// A desktop in path mode with limits of its own.
    pub async fn desktop_under(act: Script, reap: Policy) -> Self {
        Self::new(Kind::Raw(act), Protocol::Rfb, Surface::Path, false, reap).await
    }

    async fn new(kind: Kind, protocol: Protocol, surface: Surface, share_origin: bool, reap: Policy) -> Self {
        let store = Arc::new(SqliteStore::in_memory().unwrap());
        let tasks = Tasks::new();
        let engine = Arc::new(FakeEngine {
            kind,
            tasks: tasks.clone(),
            secret: Mutex::default(),
            heads: Arc::default(),
            faults: Arc::default(),
            running: Arc::default(),
        });
        let auth_settings = auth::Settings {
            bootstrap_token: Some(Secret::new(TOKEN.to_owned())),
            ..auth::Settings::default()
        };
        let auth = Arc::new(Auth::new(store.clone(), Audit::new(store.clone()), auth_settings));
        let template = template(protocol, share_origin);
        let broker = Broker::new(
            store.clone(),
            engine.clone(),
            Audit::new(store.clone()),
            [template],
            broker_settings(reap),
            tasks.clone(),
        );
        let password = Secret::new("correct horse".to_owned());
        let new = NewUser { name: "ann".to_owned(), role: Role::User, password: password.clone() };
        let user = auth.create_user(&Actor::cli(), new).await.unwrap();
        let from = Visitor { address: [192, 0, 2, 7].into(), user_agent: "test".to_owned() };
        let login = auth.log_in("ann", &password, &from).await.unwrap();
        let entry = broker.create(&user, &"it".parse().unwrap(), "one".parse().unwrap()).await.unwrap();
        let mut watch = entry.watch();
        watch.wait_for(|session| matches!(session.state, State::Ready { .. })).await.unwrap();
        // The record is published just before the route opens.
        eventually(|| entry.route().is_some()).await;
        let (principal, token, name) = match surface {
            Surface::Path => (login.principal, login.token, "__Host-berth"),
            Surface::Host => {
                let ticket = auth.mint(&login.principal, entry.id).await.unwrap();
                let login = auth.redeem(ticket.expose(), entry.id).await.unwrap();
                (login.principal, login.token, "__Host-berth-session")
            }
        };
        let cookie = format!("{name}={}", token.expose());
        let drain = CancellationToken::new();
        let proxy = Proxy::new(
            broker.clone(),
            auth.clone(),
            engine.clone(),
            settings(),
            tasks.clone(),
            drain.clone(),
        );
        Self { proxy, broker, auth, engine, entry, principal, store, cookie, surface, tasks, drain }
    }

    /// Logs a new user in on the portal; returns their cookie.
    pub async fn log_in(&self, name: &str, role: Role) -> String {
        let password = Secret::new("battery staple".to_owned());
        let new = NewUser { name: name.to_owned(), role, password: password.clone() };
        self.auth.create_user(&Actor::cli(), new).await.unwrap();
        let from = Visitor { address: [192, 0, 2, 8].into(), user_agent: "test".to_owned() };
        let login = self.auth.log_in(name, &password, &from).await.unwrap();
        format!("__Host-berth={}", login.token.expose())
    }

    /// A new user who may open the session by a grant, logged in where the session lives.
    pub async fn guest(&self, name: &str, role: GrantRole, lasts: Option<Duration>) -> Guest {
        let password = Secret::new("battery staple".to_owned());
        let new = NewUser { name: name.to_owned(), role: Role::User, password: password.clone() };
        let user = self.auth.create_user(&Actor::cli(), new).await.unwrap();
        let share = Share { with: user.clone(), role, lasts };
        let live = self.broker.share(&self.entry, share, Actor::cli()).await.unwrap();
        let from = Visitor { address: [192, 0, 2, 9].into(), user_agent: "test".to_owned() };
        let login = self.auth.log_in(name, &password, &from).await.unwrap();
        let principal = login.principal.clone();
        let (token, cookie) = match self.surface {
            Surface::Path => (login.token, "__Host-berth"),
            Surface::Host => {
                let ticket = self.auth.mint(&login.principal, self.entry.id).await.unwrap();
                let login = self.auth.redeem(ticket.expose(), self.entry.id).await.unwrap();
                (login.token, "__Host-berth-session")
            }
        };
        Guest {
            user,
            principal,
            password,
            grant: live.grant.id,
            cookie: format!("{cookie}={}", token.expose()),
        }
    }

    /// The events of the audit so far, as (event, actor, whole line).
    pub async fn audit(&self) -> Vec<(String, String, serde_json::Value)> {
        let lines = self.store.audit(0, 1000).await.unwrap();
        let read = |body: &str| {
            let line: serde_json::Value = serde_json::from_str(body).unwrap();
            let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
            (text("event"), text("actor"), line.clone())
        };
        lines.iter().map(|line| read(&line.body)).collect()
    }

    /// Waits for a line of the audit and returns it.
    pub async fn audited(&self, event: &str, actor: &str) -> serde_json::Value {
        let all = async {
            loop {
                let found = self.audit().await.into_iter().find(|(e, a, _)| e == event && a == actor);
                if let Some((.., line)) = found {
                    return line;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), all).await.expect("the audit never told of it")
    }

    /// The path at which the session's root is.
    pub fn root(&self) -> String {
        match self.surface {
            Surface::Path => format!("/s/{}", self.entry.label),
            Surface::Host => String::new(),
        }
    }

    /// A browser's HTTP/1.1 connection.
    pub fn connect(&self) -> DuplexStream {
        let (browser, gateway) = duplex(64 << 10);
        let (proxy, target) = (self.proxy.clone(), self.target());
        self.tasks.spawn("connection", async move {
            let service = service_fn(move |request| serve(proxy.clone(), target.clone(), request));
            let mut builder = hyper::server::conn::http1::Builder::new();
            builder.timer(TokioTimer::new()).half_close(false);
            let _ = builder.serve_connection(TokioIo::new(gateway), service).with_upgrades().await;
        });
        browser
    }

    /// A browser's HTTP/2 connection.
    pub async fn connect_h2(
        &self,
    ) -> hyper::client::conn::http2::SendRequest<http_body_util::Empty<bytes::Bytes>> {
        let (browser, gateway) = duplex(256 << 10);
        let (proxy, target) = (self.proxy.clone(), self.target());
        self.tasks.spawn("connection", async move {
            let service = service_fn(move |request| serve(proxy.clone(), target.clone(), request));
            let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            builder.enable_connect_protocol();
            let _ = builder.serve_connection(TokioIo::new(gateway), service).await;
        });
        let (sender, driver) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(browser)).await.unwrap();
        self.tasks.spawn("browser", async move {
            let _ = driver.await;
        });
        sender
    }

    /// Sends a raw request and reads until the gateway closes; the request should ask for that.
    pub async fn exchange(&self, raw: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(raw.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A GET below the session's root with more header lines, by the logged-in owner.
    pub async fn get(&self, path: &str, lines: &str) -> String {
        let (root, cookie) = (self.root(), &self.cookie);
        let head = format!("GET {root}{path} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n");
        self.exchange(&format!("{head}cookie: {cookie}\r\n{lines}\r\n")).await
    }

    /// The last request head a container got.
    pub fn last_head(&self) -> String {
        self.engine.heads.lock().unwrap().last().cloned().expect("the container was asked")
    }

    fn target(&self) -> Target {
        Target { entry: self.entry.clone(), surface: self.surface }
    }
}

/// Somebody whom the session is shared with.
pub struct Guest {
    pub user: User,
    /// Their login on the portal.
    pub principal: Arc<Principal>,
    pub password: Secret<String>,
    pub grant: GrantId,
    pub cookie: String,
}

/// Turns outcomes into statuses, as dispatch does, with the outcome's name in a header.
async fn serve(
    proxy: Proxy,
    target: Target,
    request: Request<Incoming>,
) -> Result<Response<Body>, std::convert::Infallible> {
    let (status, name) = match proxy.serve(request, target, [192, 0, 2, 7].into(), None).await {
        Outcome::Response(response) => return Ok(response),
        Outcome::Login => (StatusCode::UNAUTHORIZED, "login"),
        Outcome::Waiting(_) => (StatusCode::SERVICE_UNAVAILABLE, "waiting"),
        Outcome::AtRest(_) => (StatusCode::SERVICE_UNAVAILABLE, "at_rest"),
        Outcome::NotFound => (StatusCode::NOT_FOUND, "not_found"),
        Outcome::Error(error) => (respond::status(&error), error.code()),
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert("x-outcome", name.parse().unwrap());
    response.headers_mut().insert("connection", "close".parse().unwrap());
    Ok(response)
}

/// The metrics of this process.
pub fn metrics() -> metrics_exporter_prometheus::PrometheusHandle {
    static PAGE: OnceLock<metrics_exporter_prometheus::PrometheusHandle> = OnceLock::new();
    PAGE.get_or_init(|| berth::telemetry::install_metrics().unwrap()).clone()
}

/// Waits until something is so, for as long as a loaded machine may take.
pub async fn eventually(is_so: impl Fn() -> bool) {
    let all = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all).await.expect("it never became so");
}

fn settings() -> Settings {
    Settings {
        head_timeout: Duration::from_millis(600),
        body_stall: Duration::from_millis(300),
        ping_every: Duration::from_millis(200),
    }
}

fn policy() -> Policy {
    let long = Duration::from_secs(3600);
    Policy { away: long, frozen: long, remove_stopped: long, ..Policy::default() }
}

fn broker_settings(reap: Policy) -> broker::Settings {
    broker::Settings {
        max_sessions: 9,
        max_sessions_per_user: 9,
        cpus_per_user: None,
        memory_mib_per_user: None,
        max_parallel_starts: 4,
        start_deadline: Duration::from_secs(20),
        queue_deadline: Duration::from_secs(20),
        stop_grace: Duration::from_millis(10),
        reap,
        closing: None,
        time_zone: String::new(),
        reconcile_every: Duration::from_secs(3600),
        homes: Default::default(),
    }
}

fn template(protocol: Protocol, danger_share_origin: bool) -> Template {
    Template {
        name: "it".parse().unwrap(),
        title: "It".into(),
        description: String::new().into(),
        icon: Icon::Desktop,
        image: "it".to_owned(),
        pull: PullPolicy::Never,
        protocol,
        port: 3000,
        routing: None,
        cpus: 1.0,
        memory_mib: 64,
        pids: 64,
        shm_mib: 64,
        network: NetworkPolicy::Internal,
        home: Home::Ephemeral,
        home_dir: "/home".to_owned(),
        env: [].into(),
        password_env: None,
        read_only: false,
        capabilities: Vec::new(),
        volumes: Vec::new(),
        danger_share_origin,
        limits: TemplateLimits::default(),
    }
}

//! A portal for tests, and a browser that keeps cookies.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use http::header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio_util::sync::CancellationToken;

use crate::audit::{Actor, Audit};
use crate::auth::{self, Auth, NewUser};
use crate::body::Body;
use crate::broker::{self, Broker, Entry};
use crate::capacity;
use crate::config::{Config, DEFAULT_PATH};
use crate::engine::EngineStatus;
use crate::engine::fake::{FakeEngine, template};
use crate::kiosk::{self, Kiosk};
use crate::secret::Secret;
use crate::session::reap::Policy;
use crate::session::{CopyName, Home, HomeKey, HomeUse, Protocol, Routing, StateKind, Template};
use crate::stats::{self, Stats};
use crate::store::sqlite::SqliteStore;
use crate::store::{Role, Store, User};
use crate::tasks::Tasks;
use crate::web::{Landing, Settings, State, Web};

pub const PASSWORD: &str = "a fine password";
pub const ORIGIN: &str = "https://berth.test:8443";
/// What stands between the parts of a form with a file.
const BOUNDARY: &str = "berth-boundary";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A whole portal over fakes.
pub struct Desk {
    pub web: Web,
    pub broker: Broker,
    pub auth: Arc<Auth>,
    pub engine: FakeEngine,
    pub stats: Stats,
    pub store: Arc<dyn Store>,
    pub audit: Audit,
    pub tasks: Tasks,
    pub draining: CancellationToken,
    /// How often the engine was asked how it is.
    pub engine_asked: Arc<AtomicUsize>,
    _novnc: tempfile::TempDir,
}

impl Desk {
    pub fn new(routing: Routing) -> Self {
        let mut desktop = template("desktop".parse().unwrap(), Protocol::Rfb);
        desktop.title = "Desktop".into();
        desktop.description = "A calm desktop with a browser, a terminal and an editor.".into();
        // Each keeps its files for itself, so that one owner may run several.
        desktop.home = Home::Session;
        let mut lab = template("lab".parse().unwrap(), Protocol::Http);
        lab.title = "Web lab".into();
        lab.description = "A notebook in the browser, with a database beside it.".into();
        Self::with(routing, vec![desktop, lab])
    }

    pub fn with(routing: Routing, templates: Vec<Template>) -> Self {
        Self::landing(routing, templates, Landing::Dashboard)
    }

    /// The same, where people land who log in.
    pub fn landing(routing: Routing, templates: Vec<Template>, landing: Landing) -> Self {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().unwrap());
        let engine = FakeEngine::new(templates.clone());
        let (tasks, draining) = (Tasks::new(), CancellationToken::new());
        let audit = Audit::new(store.clone());
        let broker = Broker::new(
            store.clone(),
            Arc::new(engine.clone()),
            audit.clone(),
            templates,
            broker_settings(),
            tasks.clone(),
        );
        let auth_settings = auth::Settings { refusal_floor: Duration::ZERO, ..auth::Settings::default() };
        let auth = Arc::new(Auth::new(store.clone(), audit.clone(), auth_settings));
        let novnc = novnc();
        let settings = Settings {
            domain: "berth.test".to_owned(),
            routing,
            public_port: 8443,
            landing,
            novnc: novnc.path().to_owned(),
        };
        let status = EngineStatus {
            version: Some("fake".to_owned()),
            isolation_proven: true,
            isolation_required: true,
        };
        let sources = stats::Sources {
            broker: broker.clone(),
            engine: Arc::new(engine.clone()),
            store: store.clone(),
            store_path: "/".into(),
        };
        let stats = Stats::new(sources, stats::Settings::default(), capacity::Settings::default());
        let engine_asked = Arc::new(AtomicUsize::new(0));
        let asked = engine_asked.clone();
        let (_, inventory) = Config::load_all(Path::new(DEFAULT_PATH), std::iter::empty()).unwrap();
        let state = State {
            tasks: tasks.clone(),
            audit: audit.clone(),
            inventory: Arc::new(inventory),
            broker: broker.clone(),
            kiosk: Kiosk::new(broker.clone(), auth.clone(), store.clone(), clients()),
            auth: auth.clone(),
            store: store.clone(),
            engine: Arc::new(move || {
                asked.fetch_add(1, Ordering::SeqCst);
                futures_util::future::ready(status.clone()).boxed()
            }),
            stats: stats.clone(),
            draining: draining.clone(),
            settings,
        };
        Self {
            web: Web::new(state).unwrap(),
            broker,
            auth,
            engine,
            stats,
            store,
            audit,
            tasks,
            draining,
            engine_asked,
            _novnc: novnc,
        }
    }

    pub async fn user(&self, name: &str, role: Role) -> User {
        let new = NewUser { name: name.to_owned(), role, password: Secret::new(PASSWORD.to_owned()) };
        self.auth.create_user(&Actor::cli(), new).await.unwrap()
    }

    /// A browser in which `name` is logged in.
    pub async fn log_in(&self, name: &str) -> Browser<'_> {
        let mut browser = self.browser();
        let form = browser.get("/login").await;
        let csrf = form.csrf();
        let answer = browser.post("/login", &[("csrf", &csrf), ("name", name), ("password", PASSWORD)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        browser
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser {
            desk: self,
            cookies: BTreeMap::new(),
            navigates: true,
            origin: Some(ORIGIN),
            site: None,
            language: "en",
            accept: None,
            purpose: None,
        }
    }

    /// Gives `owner` a home with something in it and one copy, and tells what the copy is called.
    pub fn home_with_a_copy(&self, owner: &User) -> CopyName {
        let (key, copy) = (HomeKey::Owner(owner.id), CopyName::at("2026-01-31T08:15:00Z".parse().unwrap()));
        let full = HomeUse { used_bytes: 95 << 20, limit_bytes: Some(100 << 20), free_bytes: 1 << 30 };
        self.engine.fill_home(key, full);
        self.engine.add_copy(key, copy.clone());
        copy
    }

    /// A session of `owner`, as soon as it is in `state`.
    pub async fn session(&self, owner: &User, name: &str, template: &str, state: StateKind) -> Arc<Entry> {
        let entry =
            self.broker.create(owner, &template.parse().unwrap(), name.parse().unwrap()).await.unwrap();
        until(&entry, state).await;
        entry
    }
}

/// Clients' sessions are desktops here.
fn clients() -> kiosk::Settings {
    kiosk::Settings { template: "desktop".parse().unwrap(), ..kiosk::Settings::default() }
}

/// Waits for a state; the test runner bounds the wait.
pub async fn until(entry: &Entry, state: StateKind) {
    entry.watch().wait_for(|session| session.state.kind() == state).await.unwrap();
}

fn broker_settings() -> broker::Settings {
    broker::Settings {
        max_sessions: 20,
        max_sessions_per_user: 8,
        cpus_per_user: None,
        memory_mib_per_user: None,
        max_parallel_starts: 1,
        start_deadline: Duration::from_secs(60),
        queue_deadline: Duration::from_secs(600),
        stop_grace: Duration::from_secs(1),
        reap: Policy {
            away: Duration::from_secs(3600),
            frozen: Duration::from_secs(86_400),
            total: None,
            remove_stopped: Duration::from_secs(604_800),
            ..Policy::default()
        },
        closing: None,
        time_zone: String::new(),
        reconcile_every: Duration::from_secs(15),
        homes: Default::default(),
    }
}

fn novnc() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("core")).unwrap();
    fs::write(dir.path().join("core/rfb.js"), "export default class RFB {}").unwrap();
    dir
}

/// A browser: cookies, and the headers that browsers send of their own.
pub struct Browser<'a> {
    desk: &'a Desk,
    pub cookies: BTreeMap<String, String>,
    pub navigates: bool,
    pub origin: Option<&'static str>,
    /// What it says of where its requests come from.
    pub site: Option<&'static str>,
    /// The languages it likes, as it says them.
    pub language: &'static str,
    /// What it can read, where it does not navigate.
    pub accept: Option<&'static str>,
    /// Why it fetches something that nobody asked for yet.
    pub purpose: Option<&'static str>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Browser<'_> {
    pub async fn get(&mut self, path: &str) -> Answer {
        Answer::read(self.send(Method::GET, path, String::new()).await).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        Answer::read(self.send(Method::POST, path, form(fields)).await).await
    }

    /// Posts a list of users as a file, as the page for that does.
    pub async fn post_list(&mut self, path: &str, csrf: &str, list: &str) -> Answer {
        let part = |name: &str, value: &str| {
            let file = if name == "file" { "; filename=\"list.csv\"" } else { "" };
            format!(
                "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n"
            )
        };
        let body =
            format!("{}{}{}--{BOUNDARY}--\r\n", part("csrf", csrf), part("file", list), part("text", ""));
        Answer::read(self.send(Method::POST, path, body).await).await
    }

    /// Posts with the secret of the login's forms, as any page of ours would.
    pub async fn press(&mut self, path: &str) -> Answer {
        let csrf = self.get("/").await.csrf();
        self.post(path, &[("csrf", &csrf)]).await
    }

    /// Opens a link's page and presses its button.
    pub async fn follow(&mut self, path: &str) -> Answer {
        let csrf = self.get(path).await.csrf();
        self.post(path, &[("csrf", &csrf)]).await
    }

    pub async fn send(&mut self, method: Method, path: &str, body: String) -> http::Response<Body> {
        let request = self.request(method, path, body);
        let response = self.desk.web.handle(request, HERE, "request-1").await;
        self.keep(response.headers());
        response
    }

    /// How many bytes a page or file is on its way to a browser that takes gzip.
    pub async fn weigh(&self, path: &str) -> usize {
        self.weigh_answer(self.request(Method::GET, path, String::new())).await
    }

    /// The same for the answer to a form.
    pub async fn weigh_posted(&self, path: &str, fields: &[(&str, &str)]) -> usize {
        self.weigh_answer(self.request(Method::POST, path, form(fields))).await
    }

    async fn weigh_answer(&self, mut request: Request<Full<bytes::Bytes>>) -> usize {
        request.headers_mut().insert(ACCEPT_ENCODING, "gzip".parse().unwrap());
        let response = self.desk.web.handle(request, HERE, "request-3").await;
        response.into_body().collect().await.unwrap().to_bytes().len()
    }

    pub async fn get_on_host(&mut self, entry: &Arc<Entry>, path: &str) -> http::Response<Body> {
        let request = self.request(Method::GET, path, String::new());
        let response = self.desk.web.handle_on_session_host(&request, Some(entry), "request-2").await;
        self.keep(response.headers());
        response
    }

    fn request(&self, method: Method, path: &str, body: String) -> Request<Full<bytes::Bytes>> {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder().method(&method).uri(path).header(COOKIE, cookies.join("; "));
        request = request.header(ACCEPT_LANGUAGE, self.language);
        if self.navigates {
            request = request.header(ACCEPT, "text/html").header("sec-fetch-mode", "navigate");
        }
        if let Some(accept) = self.accept {
            request = request.header(ACCEPT, accept);
        }
        if let Some(purpose) = self.purpose {
            request = request.header("sec-purpose", purpose);
        }
        if let Some(site) = self.site {
            request = request.header("sec-fetch-site", site);
        }
        if method == Method::POST {
            let parts = format!("multipart/form-data; boundary={BOUNDARY}");
            let list = body.starts_with(&format!("--{BOUNDARY}"));
            let kind = if list { parts.as_str() } else { "application/x-www-form-urlencoded" };
            request = request.header(CONTENT_TYPE, kind);
            if let Some(origin) = self.origin {
                request = request.header("origin", origin);
            }
        }
        request.body(Full::from(body)).unwrap()
    }

    fn keep(&mut self, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE) {
            let (pair, attributes) = header.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// The body that a form is sent as.
fn form(fields: &[(&str, &str)]) -> String {
    let escape = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    fields.join("&")
}

impl Answer {
    pub async fn read(response: http::Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn location(&self) -> &str {
        self.header(LOCATION.as_str())
    }

    /// The secret of the first form.
    pub fn csrf(&self) -> String {
        let start = self.text.find("name=\"csrf\" value=\"").expect("a form") + 19;
        self.text[start..].split('"').next().unwrap().to_owned()
    }
}

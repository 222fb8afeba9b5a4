//! What it costs to make a page: every page of the portal for an administrator with fifty machines, on a
//! gateway with a hundred more.
//!
//! `cargo bench --bench pages` prints time and size of each and fails if one takes longer than its budget;
//! with `-- --test` it makes each a few times and judges the quickest, which says little of a busy machine
//! and much of the page: four times the budget where nothing is optimised.
//! `docs/benchmarks.md` has the budgets.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use berth::audit::Audit;
use berth::auth::{self, Auth, cookies};
use berth::broker::{self, Broker};
use berth::capacity;
use berth::config::{Config, DEFAULT_PATH};
use berth::engine::EngineStatus;
use berth::engine::fake::{FakeEngine, template};
use berth::kiosk::{self, Kiosk};
use berth::secret::{TokenHash, random_token};
use berth::session::{Home, Protocol, Routing, Session, State, StopReason};
use berth::stats::{self, Stats};
use berth::store::contract::{sample_login, sample_session, sample_user};
use berth::store::sqlite::SqliteStore;
use berth::store::{Login, Role, Store, User};
use berth::tasks::Tasks;
use berth::web::{self, Landing, Web};
use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{ACCEPT, ACCEPT_ENCODING, COOKIE};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};

/// What is made, by the list that the tests read too.
const PAGES: &str = include_str!("../tests/pages.txt");

/// The reader's own machines, and everybody else's.
const OWN: usize = 50;
const OTHERS: usize = 100;

/// The most a page may take on the server, and the most allocations.
const BUDGET: Duration = Duration::from_millis(5);
const MOST_ALLOCATIONS: u64 = 10_000;

fn main() {
    let smoke = std::env::args().any(|argument| argument == "--test");
    let times = if smoke { 20 } else { 300 };
    let unoptimised = if cfg!(debug_assertions) { 4 } else { 1 };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let stand = runtime.block_on(Stand::new());
    let mut over = Vec::new();
    println!("{:<16}{:>10}{:>12}{:>12}{:>14}", "page", "KiB", "median ms", "p95 ms", "allocations");
    for (name, address) in stand.addresses() {
        let page = || runtime.block_on(stand.get(&address));
        let bytes = page();
        let allocated = allocation_counter::measure(|| _ = page()).count_total;
        let mut took: Vec<_> = (0..times)
            .map(|_| {
                let began = Instant::now();
                page();
                began.elapsed()
            })
            .collect();
        took.sort_unstable();
        let (median, p95) = (took[times / 2], took[times * 95 / 100]);
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let kib = bytes as f64 / 1024.0;
        println!("{name:<16}{kib:>10.1}{:>12.3}{:>12.3}{allocated:>14}", ms(median), ms(p95));
        let judged = if smoke { took[0] / unoptimised } else { median };
        if allocated > MOST_ALLOCATIONS || judged > BUDGET {
            over.push(name);
        }
    }
    assert!(over.is_empty(), "over the budget of {BUDGET:?} or {MOST_ALLOCATIONS} allocations: {over:?}");
}

/// A gateway's memory and its pages.
struct Stand {
    web: Web,
    cookie: String,
    machines: Vec<(&'static str, String)>,
    _novnc: tempfile::TempDir,
}

impl Stand {
    async fn new() -> Self {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().expect("a store in memory"));
        let root = User { name: "root".to_owned(), role: Role::Admin, ..sample_user() };
        store.insert_user(&root).await.expect("the store works");
        let token = random_token();
        let login = Login { token: TokenHash::of(token.expose()), ..sample_login(root.id) };
        store.insert_login(&login).await.expect("the store works");
        let machines = machines(&*store, &root).await;
        let mut desktop = template("desktop".parse().expect("a valid name"), Protocol::Rfb);
        // Each keeps its files, which there is a page about.
        desktop.home = Home::Session;
        let settings = broker::Settings { max_sessions: 1_000, ..broker::Settings::default() };
        let audit = Audit::new(store.clone());
        let engine = Arc::new(FakeEngine::new([desktop.clone()]));
        let tasks = Tasks::new();
        let broker =
            Broker::new(store.clone(), engine.clone(), audit.clone(), [desktop], settings, tasks.clone());
        broker.load().await.expect("the store works");
        let novnc = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(novnc.path().join("core")).expect("a folder of our own");
        std::fs::write(novnc.path().join("core/rfb.js"), "").expect("a folder of our own");
        let status = EngineStatus { version: None, isolation_proven: true, isolation_required: true };
        let sources =
            stats::Sources { broker: broker.clone(), engine, store: store.clone(), store_path: "/".into() };
        let stats = Stats::new(sources, stats::Settings::default(), capacity::Settings::default());
        let (_, inventory) =
            Config::load_all(Path::new(DEFAULT_PATH), std::iter::empty()).expect("the shipped configuration");
        let auth = Arc::new(Auth::new(store.clone(), audit.clone(), auth::Settings::default()));
        let kiosk = Kiosk::new(broker.clone(), auth.clone(), store.clone(), kiosk::Settings::default());
        let state = web::State {
            broker,
            kiosk,
            auth,
            store,
            stats,
            tasks,
            audit,
            inventory: Arc::new(inventory),
            engine: Arc::new(move || futures_util::future::ready(status.clone()).boxed()),
            draining: tokio_util::sync::CancellationToken::new(),
            settings: web::Settings {
                domain: "lab.example".to_owned(),
                routing: Routing::Path,
                public_port: 443,
                landing: Landing::Dashboard,
                novnc: novnc.path().to_owned(),
            },
        };
        let cookie = format!("{}={}", cookies::PORTAL, token.expose());
        Self { web: Web::new(state).expect("noVNC is there"), cookie, machines, _novnc: novnc }
    }

    /// The pages that show something to this reader, with machines in their addresses.
    fn addresses(&self) -> Vec<(&'static str, String)> {
        let lines = PAGES.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let read = lines.filter(|words| matches!(words[..], ["owner" | "admin", ..]));
        let fill = |address: &str| {
            let put = |address: String, (state, label): &(_, String)| {
                address.replace(&format!("{{{state}}}"), label)
            };
            self.machines.iter().fold(address.to_owned(), put)
        };
        read.map(|words| (words[1], fill(words[2]))).filter(|(_, address)| !address.contains('{')).collect()
    }

    /// Makes a page and tells its size on the way to a browser.
    async fn get(&self, address: &str) -> usize {
        let request = Request::get(address).header(ACCEPT, "text/html").header(COOKIE, &self.cookie);
        let request = request.header(ACCEPT_ENCODING, "gzip").body(Empty::<Bytes>::new()).expect("a request");
        let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let response = self.web.handle(request.map(|body| body.map_err(unreached)), from, "bench").await;
        let expected = matches!(response.status(), StatusCode::OK | StatusCode::NOT_FOUND);
        assert!(expected, "{address}: {}", response.status());
        response.into_body().collect().await.expect("a page").to_bytes().len()
    }
}

fn unreached(never: Infallible) -> berth::body::BodyError {
    match never {}
}

/// Fills the store; returns one label for each state that pages are about.
async fn machines(store: &dyn Store, root: &User) -> Vec<(&'static str, String)> {
    let other = User { name: "bob".to_owned(), ..sample_user() };
    store.insert_user(&other).await.expect("the store works");
    let mut labels = Vec::new();
    for number in 0..OWN + OTHERS {
        let owner = if number < OWN { root } else { &other };
        let (name, state) = match number % 3 {
            0 => ("stopped", Some(State::Stopped { reason: StopReason::Away })),
            _ => ("ready", None),
        };
        let sample = sample_session(owner.id);
        let session = Session {
            owner_name: owner.name.clone(),
            name: format!("Week {number}: a desktop for the databases").parse().expect("a valid name"),
            state: state.unwrap_or_else(|| sample.state.clone()),
            ..sample
        };
        store.insert_session(&session).await.expect("the store works");
        if number < 3 {
            labels.push((name, session.label.to_string()));
        }
    }
    labels
}

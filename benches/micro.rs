//! What one request, one message and one pass of the reaper cost inside the gateway.
//!
//! Names follow `<part>_<pattern>_<size>`. `cargo bench --bench micro -- --test` runs each once, on
//! a small stand; `docs/benchmarks.md` has the budgets.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use berth::audit::Audit;
use berth::auth::policy;
use berth::auth::{self, Auth, cookies};
use berth::broker::{self, Broker, Entry};
use berth::clock;
use berth::engine::fake::{FakeEngine, template};
use berth::rfb::client::{Filter, Parser, Understood};
use berth::rfb::server::Watcher;
use berth::secret::{TokenHash, random_token};
use berth::server::dispatch::RouteKey;
use berth::session::reap::{Facts, Policy, decide};
use berth::session::{
    Event, Next, NodeName, Phase, Protocol, SessionId, State, StateKind, StopReason, Template, Upstream,
};
use berth::store::contract::{sample_login, sample_session, sample_user};
use berth::store::sqlite::SqliteStore;
use berth::store::{Login, Store};
use berth::tasks::Tasks;
use criterion::{BatchSize, Criterion, Throughput};
use futures_util::{FutureExt, StreamExt, stream};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use tokio::runtime::Runtime;

/// The portal's host on the stand.
const DOMAIN: &str = "lab.example";

/// The shipped bound of sessions per user.
const SESSIONS_PER_OWNER: usize = 3;

/// Writes and reads of the store that are under way at once while a stand is filled.
const AT_ONCE: usize = 256;

/// The shipped limits.
const POLICY: Policy = Policy {
    away: Duration::from_secs(3600),
    frozen: Duration::from_secs(86_400),
    total: None,
    remove_stopped: Duration::from_secs(604_800),
};

fn main() {
    // Criterion's own switch for "once each, to see that they work".
    let smoke = std::env::args().any(|argument| argument == "--test");
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = Runtime::new().expect("a runtime");
    route_resolve(&mut criterion, &runtime, if smoke { 1_000 } else { 100_000 });
    broker_passes(&mut criterion, &runtime, if smoke { 100 } else { 10_000 });
    rfb_parse(&mut criterion);
    reap_decide(&mut criterion);
    state_life(&mut criterion);
    criterion.final_summary();
}

// === route, login, policy ===

/// A gateway's memory: logged-in owners and their reachable sessions.
struct Stand {
    auth: Auth,
    broker: Broker,
    /// What arrives, in an order that no cache foresees.
    requests: Vec<Arriving>,
}

/// What the lookup reads of one request.
struct Arriving {
    host: String,
    path: String,
    headers: HeaderMap,
}

impl Stand {
    async fn new(sessions: usize) -> Self {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().expect("a store in memory"));
        let auth = Auth::new(store.clone(), Audit::new(store.clone()), auth::Settings::default());
        let owners = stream::iter(0..sessions.div_ceil(SESSIONS_PER_OWNER));
        let requests = owners
            .map(|_| owner(&*store, &auth))
            .buffer_unordered(AT_ONCE)
            .flat_map(stream::iter)
            .collect::<Vec<_>>()
            .await;
        let broker = empty_broker(&store);
        broker.load().await.expect("the store works");
        Self { auth, broker, requests: shuffled(requests) }
    }
}

/// A user with their sessions, and a login that the gateway has in memory.
async fn owner(store: &dyn Store, auth: &Auth) -> Vec<Arriving> {
    let user = sample_user();
    store.insert_user(&user).await.expect("the store works");
    let token = random_token();
    let login = Login { token: TokenHash::of(token.expose()), ..sample_login(user.id) };
    store.insert_login(&login).await.expect("the store works");
    let known = auth.authenticate([token.expose().as_str()].into_iter()).await.expect("the store works");
    assert!(known.is_some(), "a login that was just stored");
    let mut requests = Vec::new();
    for _ in 0..SESSIONS_PER_OWNER {
        let session = sample_session(user.id);
        store.insert_session(&session).await.expect("the store works");
        // As a browser sends it: a cookie of the app's own stands before ours.
        let cookie = format!("theme=dark; {}={}", cookies::PORTAL, token.expose());
        let cookie = HeaderValue::from_str(&cookie).expect("tokens are base64url");
        requests.push(Arriving {
            host: DOMAIN.to_owned(),
            path: format!("/s/{}/assets/app.js", session.label),
            headers: HeaderMap::from_iter([(COOKIE, cookie)]),
        });
    }
    requests
}

fn empty_broker(store: &Arc<dyn Store>) -> Broker {
    let settings = broker::Settings {
        max_sessions: 1_000_000,
        max_sessions_per_user: SESSIONS_PER_OWNER,
        max_parallel_starts: 4,
        start_deadline: Duration::from_secs(60),
        queue_deadline: Duration::from_mins(10),
        stop_grace: Duration::from_secs(10),
        reap: POLICY,
        reconcile_every: Duration::from_secs(15),
    };
    let engine = Arc::new(FakeEngine::new([desktop()]));
    Broker::new(store.clone(), engine, Audit::new(store.clone()), [desktop()], settings, Tasks::new())
}

fn desktop() -> Template {
    template("desktop".parse().expect("a valid name"), Protocol::Rfb)
}

/// In another order, the same one in every run.
fn shuffled<T>(mut items: Vec<T>) -> Vec<T> {
    let mut random = Lcg(1);
    for last in (1..items.len()).rev() {
        items.swap(last, random.below(last + 1));
    }
    items
}

/// What `server::dispatch` and `proxy` ask of memory before a byte goes to a container.
fn resolve(stand: &Stand, request: &Arriving) -> Arc<Entry> {
    let RouteKey::SessionPath { label, .. } = RouteKey::parse(&request.host, &request.path, DOMAIN) else {
        panic!("the path of a session")
    };
    let tokens = cookies::tokens(&request.headers, cookies::PORTAL);
    let known = stand.auth.authenticate(tokens).now_or_never().expect("answered from memory");
    let principal = known.expect("no store is asked").expect("a live login");
    let entry = stand.broker.find(label).expect("a session");
    let grant = entry.grant_of(principal.user);
    policy::open(&principal, entry.id, entry.owner, grant.as_ref().map(|live| &live.grant))
        .expect("its owner");
    assert!(black_box(entry.route()).is_some(), "it is reachable");
    entry
}

fn route_resolve(criterion: &mut Criterion, runtime: &Runtime, sessions: usize) {
    let stand = runtime.block_on(Stand::new(sessions));
    let allocated = allocation_counter::measure(|| {
        for request in stand.requests.iter().take(1_000) {
            black_box(resolve(&stand, request));
        }
    });
    println!("route_resolve: {} allocations in 1000 lookups (budget: none)", allocated.count_total);
    assert_eq!(allocated.count_total, 0, "the lookup of a request allocates");

    let mut requests = stand.requests.iter().cycle();
    let mut next = || requests.next().expect("it goes round");
    criterion.bench_function("route_resolve_100k", |bencher| {
        bencher.iter(|| resolve(&stand, next()));
    });
    // The two halves that cost something, each alone.
    criterion.bench_function("login_lookup_33k", |bencher| {
        bencher.iter(|| {
            let tokens = cookies::tokens(&next().headers, cookies::PORTAL);
            stand.auth.authenticate(tokens).now_or_never()
        });
    });
    criterion.bench_function("session_find_100k", |bencher| {
        bencher.iter(|| match RouteKey::parse(DOMAIN, &next().path, DOMAIN) {
            RouteKey::SessionPath { label, .. } => stand.broker.find(label),
            _ => None,
        });
    });
}

// === the broker over many sessions ===

fn broker_passes(criterion: &mut Criterion, runtime: &Runtime, sessions: usize) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let store = SqliteStore::open(&folder.path().join("berth.db")).expect("a store");
    let store: Arc<dyn Store> = Arc::new(store);
    runtime.block_on(async {
        let user = sample_user();
        store.insert_user(&user).await.expect("the store works");
        let sessions = (0..sessions).map(|_| sample_session(user.id)).collect::<Vec<_>>();
        let inserts = sessions.iter().map(|session| store.insert_session(session));
        stream::iter(inserts)
            .buffer_unordered(AT_ONCE)
            .for_each(async |inserted| inserted.expect("the store works"))
            .await;
    });
    let mut group = criterion.benchmark_group("broker");
    group.sample_size(20);
    group.bench_function("load_10k", |bencher| {
        let load = |broker: Broker| {
            runtime.block_on(broker.load()).expect("the store works");
            broker
        };
        bencher.iter_batched(|| empty_broker(&store), load, BatchSize::PerIteration);
    });
    let broker = empty_broker(&store);
    runtime.block_on(broker.load()).expect("the store works");
    group.bench_function("reap_10k", |bencher| bencher.iter(|| runtime.block_on(broker.reap())));
    group.finish();
}

// === what viewers say ===

fn rfb_parse(criterion: &mut Criterion) {
    let moves = pointer_moves(1_000);
    let mixed = mixed_stream(64 << 10);
    let cuts = pieces(&mixed);
    let mut group = criterion.benchmark_group("rfb");

    group.throughput(Throughput::Elements(1_000));
    group.bench_function("parse_pointer_1k", |bencher| {
        bencher.iter(|| {
            let mut parser = Parser::new();
            moves.iter().filter(|one| parser.push(black_box(&one[..])).input.is_some()).count()
        });
    });
    group.throughput(Throughput::Bytes(mixed.len() as u64));
    group.bench_function("parse_mixed_64kb", |bencher| {
        bencher.iter(|| {
            let mut parser = Parser::new();
            for piece in &cuts {
                black_box(parser.push(black_box(piece)));
            }
            assert_eq!(parser.understood(), Understood::Yes);
        });
    });
    group.bench_function("filter_mixed_64kb", |bencher| {
        let mut passed = Vec::with_capacity(mixed.len());
        bencher.iter(|| {
            let mut filter = Filter::new();
            passed.clear();
            for piece in &cuts {
                black_box(filter.pass(black_box(piece), &mut passed));
            }
            passed.len()
        });
    });
    let screen = screen(1920, 1080);
    group.throughput(Throughput::Bytes(screen.len() as u64));
    group.sample_size(20);
    group.bench_function("thumbnail_1080p", |bencher| {
        bencher.iter(|| {
            let mut watcher = Watcher::new();
            for read in screen.chunks(32 << 10) {
                watcher.push(black_box(read)).expect("a well-behaved desktop");
            }
            watcher.picture().expect("a whole screen")
        });
    });
    group.finish();
}

/// What a desktop says to whoever looks at it: ServerInit, and the screen in strips as Xvnc sends it.
fn screen(width: u16, height: u16) -> Vec<u8> {
    const STRIP: u16 = 30;
    let mut stream = [width.to_be_bytes(), height.to_be_bytes()].concat();
    stream.extend([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    stream.extend([&[0, 0][..], &(height / STRIP).to_be_bytes()].concat());
    for strip in 0..height / STRIP {
        stream.extend([0, strip * STRIP, width, STRIP].map(u16::to_be_bytes).concat());
        stream.extend([0; 4]);
        stream.extend((0..u32::from(width) * u32::from(STRIP)).flat_map(u32::to_le_bytes));
    }
    stream
}

/// A hand that draws: each message is another place.
fn pointer_moves(count: u16) -> Vec<[u8; 6]> {
    (0..count)
        .map(|step| {
            let ([x1, x2], [y1, y2]) = (step.to_be_bytes(), (step / 2).to_be_bytes());
            [5, u8::from(step % 100 < 50), x1, x2, y1, y2]
        })
        .collect()
}

/// What noVNC sends, in about the proportions of somebody at work, `length` bytes of it.
fn mixed_stream(length: usize) -> Vec<u8> {
    let update = [&[3, 1][..], &[0; 4], &1920_u16.to_be_bytes(), &1080_u16.to_be_bytes()].concat();
    let key = |down| [&[4, down, 0, 0][..], &0x61_u32.to_be_bytes()].concat();
    let qemu_key = [&[255, 0, 0, 1][..], &0x61_u32.to_be_bytes(), &30_u32.to_be_bytes()].concat();
    let encodings = [&[2, 0, 0, 9][..], &[0, 0, 0, 7].repeat(9)].concat();
    let fence = [&[248, 0, 0, 0, 0, 0, 0, 1, 8][..], &[0; 8]].concat();
    let pasted = [&[6, 0, 0, 0][..], &200_u32.to_be_bytes(), &[b'x'; 200]].concat();
    let moves = pointer_moves(5_000).concat();
    let mut moves = moves.chunks_exact(12).cycle();
    let mut stream = encodings;
    while stream.len() < length {
        for message in [&update, &key(1), &key(0), &update, &qemu_key, &fence, &update, &pasted] {
            stream.extend_from_slice(message);
            for _ in 0..4 {
                stream.extend_from_slice(moves.next().expect("it goes round"));
            }
        }
    }
    stream.truncate(length);
    stream
}

/// Cut where messages do not end: in sizes from a byte to a packet.
fn pieces(stream: &[u8]) -> Vec<&[u8]> {
    let mut random = Lcg(7);
    let mut rest = stream;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(1 + random.below(1_448)));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

// === the pure heart ===

fn reap_decide(criterion: &mut Criterion) {
    let mut random = Lcg(3);
    let facts = (0..10_000)
        .map(|index| {
            let mut elapsed = || Duration::from_secs(random.below(8_000) as u64);
            Facts {
                state: StateKind::ALL[index % StateKind::ALL.len()],
                in_state: elapsed(),
                without_input: elapsed(),
                since_ready: elapsed(),
            }
        })
        .collect::<Vec<_>>();
    let mut group = criterion.benchmark_group("reap");
    group.throughput(Throughput::Elements(10_000));
    group.bench_function("decide_10k", |bencher| {
        bencher.iter(|| {
            for facts in &facts {
                black_box(decide(black_box(facts), &POLICY));
            }
        });
    });
    group.finish();
}

/// A whole life: started, used, frozen, thawed, stopped.
fn state_life(criterion: &mut Criterion) {
    let deadline = clock::later(clock::now(), Duration::from_secs(60));
    let upstream = Upstream {
        node: NodeName("here".to_owned()),
        container: SessionId::random().to_string(),
        port: 5900,
        epoch: 1,
    };
    let life = [
        Event::Start { deadline },
        Event::Enter { phase: Phase::Creating, deadline },
        Event::Enter { phase: Phase::Booting, deadline },
        Event::Reached { upstream },
        Event::Pause,
        Event::Resume,
        Event::Stop { reason: StopReason::Owner, next: Next::Rest },
        Event::Ended { deadline },
    ];
    let mut group = criterion.benchmark_group("state");
    group.throughput(Throughput::Elements(life.len() as u64));
    group.bench_function("life_8_transitions", |bencher| {
        bencher.iter_batched(
            || life.clone(),
            |life| {
                let mut state = State::Stopped { reason: StopReason::Owner };
                for event in life {
                    (state, _) = state.on(event).expect("each follows from the one before");
                }
                state
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

/// Numbers that look random and are the same in every run (Knuth's constants).
struct Lcg(u64);

impl Lcg {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}

//! The door with both edges behind it, and raw requests.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use futures_util::FutureExt;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio_util::sync::CancellationToken;

use super::super::{Drain, Peer, RequestId, validate};
use super::*;
use crate::api::{self, Api};
use crate::audit::{Actor, Audit};
use crate::auth::{self, NewUser, Visitor};
use crate::broker;
use crate::capacity;
use crate::engine::EngineStatus;
use crate::engine::fake::{FakeEngine, template};
use crate::kiosk::{self, Kiosk};
use crate::proxy;
use crate::secret::Secret;
use crate::session::reap::Policy;
use crate::session::{StateKind, Template};
use crate::stats::{self, Stats};
use crate::store::sqlite::SqliteStore;
use crate::store::{Role, Store, User};
use crate::tasks::Tasks;
use crate::thumbnail::{self, Thumbnails};
use crate::web;

const DOMAIN: &str = "berth.test";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A door over fakes: the templates `desk` (rfb) and `app` (http) by path, `wide` (http) by host.
struct Door {
    dispatch: Arc<Dispatch>,
    auth: Arc<Auth>,
    broker: Broker,
    tasks: Tasks,
    _novnc: tempfile::TempDir,
}

impl Door {
    fn new() -> Self {
        let app = template("app".parse().unwrap(), Protocol::Http);
        let wide =
            Template { name: "wide".parse().unwrap(), routing: Some(Routing::Subdomain), ..app.clone() };
        let templates = vec![template("desk".parse().unwrap(), Protocol::Rfb), app, wide];
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().unwrap());
        let (tasks, audit) = (Tasks::new(), Audit::new(store.clone()));
        let engine = Arc::new(FakeEngine::new(templates.clone()));
        let broker = Broker::new(
            store.clone(),
            engine.clone(),
            audit.clone(),
            templates,
            broker_settings(),
            tasks.clone(),
        );
        let quick = auth::Settings { refusal_floor: Duration::ZERO, ..auth::Settings::default() };
        let auth = Arc::new(Auth::new(store.clone(), audit.clone(), quick));
        let novnc = tempfile::tempdir().unwrap();
        fs::create_dir(novnc.path().join("core")).unwrap();
        fs::write(novnc.path().join("core/rfb.js"), "export default class RFB {}").unwrap();
        let sources = stats::Sources {
            broker: broker.clone(),
            engine: engine.clone(),
            store: store.clone(),
            store_path: "/".into(),
        };
        let stats = Stats::new(sources, stats::Settings::default(), capacity::Settings::default());
        let kiosk = Kiosk::new(broker.clone(), auth.clone(), store.clone(), kiosk::Settings::default());
        let web = Web::new(web::State {
            stats: stats.clone(),
            tasks: tasks.clone(),
            audit: audit.clone(),
            inventory: Arc::default(),
            kiosk: kiosk.clone(),
            broker: broker.clone(),
            auth: auth.clone(),
            store: store.clone(),
            engine: Arc::new(|| futures_util::future::ready(EngineStatus::default()).boxed()),
            draining: tokio_util::sync::CancellationToken::new(),
            settings: web::Settings {
                landing: web::Landing::default(),
                domain: DOMAIN.to_owned(),
                routing: Routing::Path,
                public_port: 443,
                novnc: novnc.path().to_owned(),
            },
        })
        .unwrap();
        let proxy = Proxy::new(
            broker.clone(),
            auth.clone(),
            engine.clone(),
            proxy::Settings::default(),
            tasks.clone(),
            CancellationToken::new(),
        );
        let settings = Settings { domain: DOMAIN.to_owned(), ..Settings::default() };
        let api = Api::new(api::State {
            stats,
            tasks: tasks.clone(),
            imports: Default::default(),
            inventory: Arc::default(),
            kiosk,
            broker: broker.clone(),
            auth: auth.clone(),
            store,
            engine: Arc::new(|| futures_util::future::ready(EngineStatus::default()).boxed()),
            thumbnails: Thumbnails::new(&broker, engine, tasks.clone(), thumbnail::Settings::default()),
            draining: CancellationToken::new(),
            origin: web.origin().to_owned(),
            routing: Routing::Path,
            version: "0.0.0-test",
        });
        let dispatch = Arc::new(Dispatch::new(
            (web, api, proxy),
            auth.clone(),
            broker.clone(),
            (&settings, tasks.clone()),
        ));
        Self { dispatch, auth, broker, tasks, _novnc: novnc }
    }

    /// A user, and the cookie of their login on the portal.
    async fn user(&self, name: &str) -> (User, String) {
        let password = Secret::new("a fine password".to_owned());
        let new = NewUser { name: name.to_owned(), role: Role::User, password: password.clone() };
        let user = self.auth.create_user(&Actor::cli(), new).await.unwrap();
        let from = Visitor { address: HERE, user_agent: "test".to_owned() };
        let login = self.auth.log_in(name, &password, &from).await.unwrap();
        (user, format!("cookie: {}={}\r\n", cookies::PORTAL, login.token.expose()))
    }

    /// The label of a reachable session.
    async fn session(&self, owner: &User, template: &str) -> String {
        let name = template.parse().unwrap();
        let entry = self.broker.create(owner, &template.parse().unwrap(), name).await.unwrap();
        entry.watch().wait_for(|session| session.state.kind() == StateKind::Ready).await.unwrap();
        entry.label.to_string()
    }

    fn connect(&self) -> DuplexStream {
        let (browser, gateway) = duplex(64 << 10);
        let dispatch = self.dispatch.clone();
        self.tasks.spawn("connection", async move {
            let service = service_fn(move |request| serve(dispatch.clone(), request));
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(gateway), service)
                .await;
        });
        browser
    }

    /// Sends a raw request and reads until the gateway closes.
    async fn exchange(&self, raw: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(raw.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A GET; its status and where it leads.
    async fn get(&self, host: &str, path: &str, lines: &str) -> (u16, String) {
        let head = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{lines}\r\n");
        let answer = self.exchange(&head).await;
        let to = answer.lines().find_map(|line| line.strip_prefix("location: ")).unwrap_or_default();
        (status(&answer), to.to_owned())
    }
}

async fn serve(
    dispatch: Arc<Dispatch>,
    request: Request<Incoming>,
) -> Result<Response<Body>, std::convert::Infallible> {
    let (head, body) = request.into_parts();
    let checked = validate(&head, Wire::Http1, None).expect("the test's request is valid");
    let request = Request::from_parts(head, body);
    let address = std::net::SocketAddr::new(HERE, 1);
    let peer = Arc::new(Peer::new(address, Wire::Http1, None, Drain::new()));
    Ok(dispatch.handle(request, Arrival { peer, id: RequestId::new(), checked }).await)
}

fn broker_settings() -> broker::Settings {
    let hour = Duration::from_hours(1);
    broker::Settings {
        max_sessions: 10,
        max_sessions_per_user: 10,
        cpus_per_user: None,
        memory_mib_per_user: None,
        max_parallel_starts: 4,
        start_deadline: Duration::from_mins(1),
        queue_deadline: hour,
        stop_grace: Duration::ZERO,
        reap: Policy { away: hour, frozen: hour, total: None, remove_stopped: hour, ..Policy::default() },
        closing: None,
        time_zone: String::new(),
        reconcile_every: Duration::from_secs(15),
        homes: Default::default(),
    }
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

/// Anybody could hold connections for ever by `POST /login` with a body that never came.
#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_given_up() {
    let door = Door::new();
    let login = format!(
        "POST /login HTTP/1.1\r\nhost: {DOMAIN}\r\ncontent-type: application/x-www-form-urlencoded\r\n"
    );
    for rest in ["content-length: 10\r\n\r\nname=", "transfer-encoding: chunked\r\n\r\n5\r\nname=\r\n"] {
        let begun = tokio::time::Instant::now();
        let answer = door.exchange(&format!("{login}{rest}")).await;
        assert_eq!(status(&answer), 408, "{answer}");
        assert!(answer.contains("body_stalled"), "{answer}");
        assert!((15..20).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_body_beyond_all_bounds_is_refused_unread() {
    let door = Door::new();
    let answer = door
        .exchange(&format!("POST /login HTTP/1.1\r\nhost: {DOMAIN}\r\ncontent-length: 1048577\r\n\r\n"))
        .await;
    assert_eq!(status(&answer), 413, "{answer}");
    assert!(answer.contains("body_too_large"), "{answer}");
    // The router's own bound is the smaller one.
    let answer = door
        .exchange(&format!(
            "POST /login HTTP/1.1\r\nhost: {DOMAIN}\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 20000\r\n\r\n{}",
            "a".repeat(20_000)
        ))
        .await;
    assert_eq!(status(&answer), 413, "{answer}");
}

const PAGE: &str = "sec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\n";
const SOCKET: &str = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
     sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// What somebody sees of `/s/<label>…` must not tell whether there is such a session: without a
/// slash it did (308), and so did the place of a capability (303 against 404).
#[tokio::test]
async fn a_path_tells_nobody_which_sessions_exist() {
    let door = Door::new();
    let (ann, anns) = door.user("ann").await;
    let (_, bobs) = door.user("bob").await;
    let labels =
        [door.session(&ann, "desk").await, door.session(&ann, "app").await, door.session(&ann, "wide").await];
    let stale = format!("/~{}", "A".repeat(22));
    let missing = "nosuch";
    for rest in ["", "/", "/x", "/rfb", "/~x", "/~x/", &stale, &format!("{stale}/"), &format!("{stale}/x?y")]
    {
        for who in ["", &bobs] {
            for how in [PAGE, "", SOCKET] {
                let lines = format!("{who}{how}");
                let expected = door.get(DOMAIN, &format!("/s/{missing}{rest}"), &lines).await;
                for label in &labels {
                    let (status, to) = door.get(DOMAIN, &format!("/s/{label}{rest}"), &lines).await;
                    assert_eq!((status, to.replace(label.as_str(), missing)), expected, "{rest} {lines}");
                }
                let known = !who.is_empty();
                assert!(
                    [303, 401, 404].contains(&expected.0) && (!known || expected.0 == 404),
                    "{expected:?}"
                );
            }
        }
    }
    assert_eq!(door.get(DOMAIN, &format!("/s/{}", labels[1]), &anns).await.0, 308);
    assert_eq!(door.get(DOMAIN, &format!("/s/{}/", labels[0]), &format!("{anns}{PAGE}")).await.0, 200);
    // Its page is on another gateway's capability, or on one of before: it begins again.
    let begins_again = door.get(DOMAIN, &format!("/s/{}{stale}/", labels[1]), PAGE).await;
    assert_eq!(begins_again, (303, format!("/s/{}/", labels[1])));
}

/// The same for hosts, where a session's own answered 303 and all others 404.
#[tokio::test]
async fn a_host_tells_nobody_which_sessions_exist() {
    let door = Door::new();
    let (ann, _) = door.user("ann").await;
    let wide = door.session(&ann, "wide").await;
    let by_path = door.session(&ann, "app").await;
    let missing = "nosuch";
    for path in
        ["/", "/x", "/rfb", "/.berth/enter?ticket=x", "/.berth/events", "/.berth/assets/x", "/.berth/x"]
    {
        for how in [PAGE, "", SOCKET] {
            let expected = door.get(&format!("{missing}.{DOMAIN}"), path, how).await;
            for label in [&wide, &by_path] {
                let (status, to) = door.get(&format!("{label}.{DOMAIN}"), path, how).await;
                assert_eq!((status, to.replace(label.as_str(), missing)), expected, "{path} {how}");
            }
        }
    }
    let to = format!("https://{DOMAIN}/open/{missing}");
    assert_eq!(door.get(&format!("{missing}.{DOMAIN}"), "/", PAGE).await, (303, to));
    assert_eq!(door.get(&format!("{missing}.{DOMAIN}"), "/", "").await.0, 401);
}

/// RabbitMQ's `%2F`, Jupyter's and GitLab's encoded paths were refused before their app saw them.
#[tokio::test]
async fn only_an_app_may_be_asked_for_paths_with_encoded_slashes() {
    let door = Door::new();
    let (ann, anns) = door.user("ann").await;
    let desk = door.session(&ann, "desk").await;
    let app = door.session(&ann, "app").await;
    let wide = door.session(&ann, "wide").await;
    let page = format!("{anns}{PAGE}");
    for rest in ["//", "/a//b", "/api/queues/%2F/x", "/a%5cb"] {
        let (status, to) = door.get(DOMAIN, &format!("/s/{app}{rest}?q=//"), &page).await;
        assert!(status == 303 && to.ends_with(&format!("{rest}?q=//")), "{rest} {status} {to}");
        assert!(to.starts_with(&format!("/s/{app}/~")), "{to}");
        let beneath = to.trim_end_matches("?q=//");
        assert_ne!(door.get(DOMAIN, beneath, "origin: null\r\n").await.0, 400, "under its capability");
        for own in ["", &format!("/s/{desk}"), &format!("/s/{wide}"), "/s/", "/login"] {
            assert_eq!(door.get(DOMAIN, &format!("{own}{rest}"), &page).await.0, 400, "{own}{rest}");
        }
        assert_eq!(door.get(&format!("x.y.{DOMAIN}"), rest, "").await.0, 400);
        let alive = format!("GET {rest} HTTP/1.1\r\nhost: {DOMAIN}\r\n\r\n");
        assert!(
            door.exchange(&alive).await.contains("connection: close\r\n"),
            "and nothing behind it is read"
        );
        assert_eq!(door.get(&format!("{wide}.{DOMAIN}"), &format!("/.berth{rest}"), "").await.0, 400);
        // Whoever may not open a session does not learn what it would read.
        for label in [&desk, &app, &wide, "nosuch"] {
            assert_eq!(door.get(DOMAIN, &format!("/s/{label}{rest}"), "").await.0, 401, "{label}");
            assert_eq!(door.get(&format!("{label}.{DOMAIN}"), rest, "").await.0, 401, "{label}");
        }
    }
    let entry = door.broker.find(&wide).unwrap();
    let portal = door
        .auth
        .authenticate([anns.trim_end().split_once('=').unwrap().1].into_iter())
        .await
        .unwrap()
        .unwrap();
    let ticket = door.auth.mint(&portal, entry.id).await.unwrap();
    let login = door.auth.redeem(ticket.expose(), entry.id).await.unwrap();
    let cookie = format!("cookie: {}={}\r\n", cookies::SESSION, login.token.expose());
    assert_eq!(door.get(&format!("{wide}.{DOMAIN}"), "//a%2Fb", &cookie).await.0, 200);
}

#[tokio::test]
async fn the_api_answers_programs_and_sends_people_to_log_in() {
    let door = Door::new();
    let (_, cookie) = door.user("ann").await;
    assert_eq!(door.get(DOMAIN, "/api/v1/sessions", &cookie).await.0, 200);
    assert_eq!(door.get(DOMAIN, "/api/v1/sessions", "").await.0, 401);
    assert_eq!(door.get(DOMAIN, "/api/v1/nothing", &cookie).await.0, 404);
    let person = door.get(DOMAIN, "/status", "accept: text/html\r\n").await;
    assert_eq!(person, (303, "/login?next=/status".to_owned()));
}

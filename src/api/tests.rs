//! The API over fakes: who may read what, and the documents' shape.

mod admins;
mod kiosks;
mod making;
mod programs;
mod repeats;
mod shape;
mod spawning;
mod streams;
mod users;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, IF_NONE_MATCH};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Api, State};
use crate::audit::{Actor, Audit};
use crate::auth::{self, Auth, NewUser, Principal, Visitor, cookies};
use crate::broker::{self, Attendee, Broker, Entry};
use crate::capacity;
use crate::engine::EngineStatus;
use crate::engine::fake::{FakeEngine, template};
use crate::kiosk::{self, Kiosk};
use crate::respond;
use crate::secret::Secret;
use crate::session::{Next, Protocol, Routing, StateKind, StopReason, ViewerRole};
use crate::stats::{self, Stats};
use crate::store::sqlite::SqliteStore;
use crate::store::{Role, Store, User};
use crate::tasks::Tasks;
use crate::thumbnail::{self, Thumbnails};

const ORIGIN: &str = "https://berth.test:8443";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

struct Desk {
    api: Api,
    auth: Arc<Auth>,
    broker: Broker,
    stats: Stats,
    store: Arc<dyn Store>,
    draining: CancellationToken,
}

/// Clients' sessions are desktops here.
fn clients() -> kiosk::Settings {
    kiosk::Settings { template: "desktop".parse().unwrap(), ..kiosk::Settings::default() }
}

struct Login {
    token: String,
    principal: Arc<Principal>,
    user: User,
}

impl Desk {
    fn new() -> Self {
        let tasks = Tasks::new();
        let templates = vec![
            template("desktop".parse().unwrap(), Protocol::Rfb),
            template("app".parse().unwrap(), Protocol::Http),
        ];
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().unwrap());
        let audit = Audit::new(store.clone());
        let engine = Arc::new(FakeEngine::new(templates.clone()));
        let broker = Broker::new(
            store.clone(),
            engine.clone(),
            audit.clone(),
            templates,
            broker::Settings::default(),
            tasks.clone(),
        );
        let quick = auth::Settings {
            refusal_floor: Duration::ZERO,
            bootstrap_token: Some(Secret::new(TOKEN.to_owned())),
            ..auth::Settings::default()
        };
        let auth = Arc::new(Auth::new(store.clone(), audit, quick));
        let sources = stats::Sources {
            broker: broker.clone(),
            engine: engine.clone(),
            store: store.clone(),
            store_path: "/".into(),
        };
        let stats = Stats::new(sources, stats::Settings::default(), capacity::Settings::default());
        let status = EngineStatus { version: Some("fake".to_owned()), ..EngineStatus::default() };
        let kiosk = Kiosk::new(broker.clone(), auth.clone(), store.clone(), clients());
        let draining = CancellationToken::new();
        let api = Api::new(State {
            tasks: tasks.clone(),
            imports: Default::default(),
            inventory: Arc::default(),
            kiosk,
            broker: broker.clone(),
            auth: auth.clone(),
            store: store.clone(),
            engine: Arc::new(move || futures_util::future::ready(status.clone()).boxed()),
            stats: stats.clone(),
            thumbnails: Thumbnails::new(&broker, engine, tasks, thumbnail::Settings::default()),
            draining: draining.clone(),
            origin: ORIGIN.to_owned(),
            routing: Routing::Path,
            version: "0.0.0-test",
        });
        Self { api, auth, broker, stats, store, draining }
    }

    async fn log_in(&self, name: &str, role: Role) -> Login {
        let password = Secret::new("a fine password".to_owned());
        let new = NewUser { name: name.to_owned(), role, password: password.clone() };
        let user = self.auth.create_user(&Actor::cli(), new).await.unwrap();
        let from = Visitor { address: std::net::Ipv4Addr::LOCALHOST.into(), user_agent: "test".to_owned() };
        let login = self.auth.log_in(name, &password, &from).await.unwrap();
        Login { token: login.token.expose().clone(), principal: login.principal, user }
    }

    async fn session(&self, owner: &User, name: &str) -> Arc<Entry> {
        self.session_of("desktop", owner, name).await
    }

    async fn session_of(&self, template: &str, owner: &User, name: &str) -> Arc<Entry> {
        let template = template.parse().unwrap();
        let entry = self.broker.create(owner, &template, name.parse().unwrap()).await.unwrap();
        until(&entry, StateKind::Ready).await;
        entry
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        login: Option<&Login>,
        csrf: bool,
    ) -> (StatusCode, Value) {
        self.send(method, path, login, csrf, &Value::Null).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        login: Option<&Login>,
        csrf: bool,
        document: &Value,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(login) = login {
            request = request.header(COOKIE, format!("{}={}", cookies::PORTAL, login.token));
            if csrf {
                request = request.header("x-csrf-token", login.principal.csrf.expose());
            }
        }
        let body = if document.is_null() {
            Full::<Bytes>::default()
        } else {
            request = request.header(CONTENT_TYPE, "application/json");
            Full::from(document.to_string())
        };
        self.answer(request.body(body).unwrap()).await
    }

    /// The same with a bearer token and a document.
    async fn program(
        &self,
        method: Method,
        path: &str,
        token: &str,
        document: &Value,
    ) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(CONTENT_TYPE, "application/json");
        self.answer(request.body(Full::from(document.to_string())).unwrap()).await
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> (StatusCode, Value) {
        match self.api.handle(request, [192, 0, 2, 7].into()).await {
            Ok(response) => {
                let status = response.status();
                let body = response.into_body().collect().await.unwrap().to_bytes();
                let document =
                    if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
                (status, document)
            }
            Err(error) => (respond::status(error.as_ref()), Value::from(error.code())),
        }
    }

    async fn get(&self, path: &str, login: &Login) -> (StatusCode, Value) {
        self.ask(Method::GET, path, Some(login), false).await
    }
}

async fn until(entry: &Entry, state: StateKind) {
    entry.watch().wait_for(|session| session.state.kind() == state).await.unwrap();
}

#[tokio::test]
async fn a_session_is_read_by_its_owner_and_administrators_only() {
    let desk = Desk::new();
    let (ann, bob, root) = (
        desk.log_in("ann", Role::User).await,
        desk.log_in("bob", Role::User).await,
        desk.log_in("root", Role::Admin).await,
    );
    let entry = desk.session(&ann.user, "Mine").await;
    let path = format!("/api/v1/sessions/{}", entry.label);
    for login in [&ann, &root] {
        let (status, session) = desk.get(&path, login).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(session["url"], format!("{ORIGIN}/s/{}/", entry.label));
        for field in
            ["id", "label", "owner", "template", "name", "state", "created_at", "ready_at", "last_input_at"]
        {
            assert!(session[field].is_string(), "{field}: {session}");
        }
        assert_eq!(
            (&session["expires_because"], &session["last_input_source"]),
            (&"away".into(), &"open".into())
        );
    }
    assert_eq!(desk.get(&path, &bob).await, (StatusCode::NOT_FOUND, "session_unknown".into()));
    assert_eq!(desk.get("/api/v1/sessions/nosuchlabel", &ann).await.0, StatusCode::NOT_FOUND);
    assert_eq!(desk.get("/api/v1/sessions", &bob).await.1["items"], Value::Array(Vec::new()));
    let anonymous = desk.ask(Method::GET, &path, None, false).await;
    assert_eq!(anonymous, (StatusCode::UNAUTHORIZED, "login_required".into()));
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let desk = Desk::new();
    let ann = desk.log_in("ann", Role::User).await;
    for name in ["One", "Two", "Three"] {
        desk.session(&ann.user, name).await;
    }
    let (_, first) = desk.get("/api/v1/sessions?limit=2", &ann).await;
    let names = |page: &Value| {
        page["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&first), ["One", "Two"]);
    let next = first["next"].as_str().unwrap();
    let (_, second) = desk.get(&format!("/api/v1/sessions?limit=2&cursor={next}"), &ann).await;
    assert_eq!((names(&second), &second["next"]), (vec!["Three".into()], &Value::Null));
    for flawed in ["limit=many", "cursor=x", "sort=name"] {
        let (status, _) = desk.get(&format!("/api/v1/sessions?{flawed}"), &ann).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{flawed}");
    }
}

#[tokio::test]
async fn a_change_needs_the_secret_of_the_login() {
    let desk = Desk::new();
    let ann = desk.log_in("ann", Role::User).await;
    let entry = desk.session(&ann.user, "Mine").await;
    let path = format!("/api/v1/sessions/{}/pause", entry.label);
    let refused = desk.ask(Method::POST, &path, Some(&ann), false).await;
    assert_eq!(refused, (StatusCode::FORBIDDEN, "csrf_failed".into()));
    let (status, session) = desk.ask(Method::POST, &path, Some(&ann), true).await;
    assert_eq!((status, &session["state"]), (StatusCode::ACCEPTED, &"paused".into()));
    let unknown = format!("/api/v1/sessions/{}/explode", entry.label);
    assert_eq!(desk.ask(Method::POST, &unknown, Some(&ann), true).await.0, StatusCode::NOT_FOUND);
    let (method, _) = desk.ask(Method::DELETE, &path, Some(&ann), true).await;
    assert_eq!(method, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_status_is_for_administrators_in_the_words_of_the_kiosk_orchestrator() {
    let desk = Desk::new();
    let (ann, root) = (desk.log_in("ann", Role::User).await, desk.log_in("root", Role::Admin).await);
    let entry = desk.session(&ann.user, "Mine").await;
    assert_eq!(desk.get("/status", &ann).await.0, StatusCode::NOT_FOUND);
    let (_, status) = desk.get("/status", &root).await;
    assert_eq!((&status["active_containers"], &status["max_slots"]), (&Value::from(1), &Value::from(100)));
    assert_eq!(status["records"], json!([]), "ann's is no client's");
    let session = &status["sessions"][0];
    assert_eq!(session["label"], entry.label.as_str());
    assert_eq!((&session["state"], &session["owner"]), (&"ready".into(), &"ann".into()));
}

#[tokio::test]
async fn grants_are_given_listed_and_withdrawn_by_whoever_may_change_the_session() {
    let desk = Desk::new();
    let (ann, bob, root) = (
        desk.log_in("ann", Role::User).await,
        desk.log_in("bob", Role::User).await,
        desk.log_in("root", Role::Admin).await,
    );
    let entry = desk.session(&ann.user, "Mine").await;
    let path = format!("/api/v1/sessions/{}/grants", entry.label);
    let to = |user: &str, role: &str| serde_json::json!({ "user": user, "role": role, "lasts_s": 60 });
    let give = async |login: &Login, document: Value| {
        desk.send(Method::POST, &path, Some(login), true, &document).await
    };
    assert_eq!(give(&bob, to("bob", "helper")).await.0, StatusCode::NOT_FOUND);
    for (document, status) in [
        (to("nobody", "helper"), StatusCode::UNPROCESSABLE_ENTITY),
        (to("ann", "helper"), StatusCode::CONFLICT),
        (to("bob", "owner"), StatusCode::UNPROCESSABLE_ENTITY),
        (serde_json::json!({ "user": "bob" }), StatusCode::UNPROCESSABLE_ENTITY),
        (serde_json::json!({ "user": "bob", "role": "helper", "for": 1 }), StatusCode::UNPROCESSABLE_ENTITY),
        (Value::Null, StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        assert_eq!(give(&ann, document.clone()).await.0, status, "{document}");
    }
    let unsigned = desk.send(Method::POST, &path, Some(&ann), false, &to("bob", "helper")).await;
    assert_eq!(unsigned, (StatusCode::FORBIDDEN, "csrf_failed".into()));
    let (status, grant) = give(&root, to("bob", "observer")).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!((&grant["user"], &grant["role"]), (&"bob".into(), &"observer".into()));
    assert_eq!((&grant["granted_by"], grant["expires_at"].is_string()), (&"root".into(), true));
    assert_eq!(give(&ann, to("bob", "helper")).await, (StatusCode::CONFLICT, "grant_exists".into()));

    let (_, listed) = desk.get(&path, &ann).await;
    assert_eq!(listed["items"], Value::Array(vec![grant.clone()]), "the owner sees who gave it");
    assert_eq!(desk.get(&path, &bob).await.0, StatusCode::NOT_FOUND, "a grantee does not");
    let session = format!("/api/v1/sessions/{}", entry.label);
    assert_eq!(desk.get(&session, &bob).await.0, StatusCode::OK, "but sees the session");
    let pause = desk.ask(Method::POST, &format!("{session}/pause"), Some(&bob), true).await;
    assert_eq!(pause.0, StatusCode::NOT_FOUND, "and changes nothing");

    let one = format!("{path}/{}", grant["id"].as_str().unwrap());
    assert_eq!(desk.ask(Method::DELETE, &one, Some(&bob), true).await.0, StatusCode::NOT_FOUND);
    for _ in 0..2 {
        assert_eq!(desk.ask(Method::DELETE, &one, Some(&ann), true).await.0, StatusCode::NO_CONTENT);
    }
    assert_eq!(desk.get(&session, &bob).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn invitations_are_made_listed_and_withdrawn_by_whoever_may_change_the_session() {
    let desk = Desk::new();
    let (ann, bob) = (desk.log_in("ann", Role::User).await, desk.log_in("bob", Role::User).await);
    let entry = desk.session(&ann.user, "Mine").await;
    let path = format!("/api/v1/sessions/{}/invitations", entry.label);
    let wish = serde_json::json!({ "role": "observer", "lasts_s": 600, "most": 2 });
    let make = async |login: &Login, document: &Value| {
        desk.send(Method::POST, &path, Some(login), true, document).await
    };
    assert_eq!(make(&bob, &wish).await.0, StatusCode::NOT_FOUND);
    for document in [
        serde_json::json!({ "role": "observer" }),
        serde_json::json!({ "role": "owner", "lasts_s": 600 }),
        serde_json::json!({ "role": "observer", "lasts_s": 0 }),
        serde_json::json!({ "role": "observer", "lasts_s": 2_592_001 }),
        serde_json::json!({ "role": "observer", "lasts_s": 600, "most": 0 }),
        serde_json::json!({ "role": "observer", "lasts_s": 600, "forever": true }),
    ] {
        let status = make(&ann, &document).await.0;
        assert!(status.is_client_error() && status != StatusCode::NOT_FOUND, "{document}: {status}");
    }
    let (status, made) = make(&ann, &wish).await;
    assert_eq!(status, StatusCode::CREATED);
    let url = made["url"].as_str().unwrap();
    let token = url.strip_prefix(&format!("{ORIGIN}/join?token=")).unwrap();
    let by = Actor::user("bob", std::net::Ipv4Addr::LOCALHOST.into());
    desk.broker.accept(token, bob.user.id, by).await.unwrap();

    let (_, listed) = desk.get(&path, &ann).await;
    let item = &listed["items"][0];
    assert_eq!((&item["id"], &item["most"], &item["made_by"]), (&made["id"], &2.into(), &"ann".into()));
    assert_eq!(item["guests"][0]["user"], "bob");
    assert!(item.get("url").is_none(), "nobody reads the link again");
    assert_eq!(desk.get(&path, &bob).await.0, StatusCode::NOT_FOUND);
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(desk.ask(Method::DELETE, &one, Some(&ann), true).await.0, StatusCode::NO_CONTENT);
    }
    assert!(entry.grants().is_empty());
    assert_eq!(desk.get(&path, &ann).await.1["items"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn a_session_says_who_watches_it() {
    let desk = Desk::new();
    let (ann, bob) = (desk.log_in("ann", Role::User).await, desk.log_in("bob", Role::User).await);
    let entry = desk.session(&ann.user, "Mine").await;
    let path = format!("/api/v1/sessions/{}", entry.label);
    assert_eq!(desk.get(&path, &ann).await.1["viewers"], Value::Array(Vec::new()));
    let join = async |login: &Login, role| {
        let address = std::net::Ipv4Addr::LOCALHOST.into();
        let who = Attendee { user: login.user.id, name: login.user.name.clone(), role, address };
        entry.join(who).await
    };
    let _owner = join(&ann, ViewerRole::Owner).await;
    let _watching = join(&bob, ViewerRole::Observer).await;
    let (_, session) = desk.get(&path, &ann).await;
    let rows: Vec<_> = session["viewers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            assert!(row["since"].is_string() && row["input_seen"] == true, "{row}");
            (row["name"].as_str().unwrap(), row["role"].as_str().unwrap(), row["you"].as_bool().unwrap())
        })
        .collect();
    assert_eq!(rows, [("bob", "observer", false), ("ann", "owner", true)]);
    assert_eq!(session["input_seen"], true);
}

#[tokio::test]
async fn a_program_with_the_bootstrap_token_administers_without_a_form_secret() {
    let desk = Desk::new();
    let ann = desk.log_in("ann", Role::User).await;
    let entry = desk.session(&ann.user, "Mine").await;
    assert_eq!(desk.program(Method::GET, "/status", TOKEN, &Value::Null).await.0, StatusCode::OK);
    let path = format!("/api/v1/sessions/{}/pause", entry.label);
    assert_eq!(desk.program(Method::POST, &path, TOKEN, &Value::Null).await.0, StatusCode::ACCEPTED);
    for wrong in ["", "0123456789abcdef0123456789abcdeF"] {
        let refused = desk.program(Method::GET, "/status", wrong, &Value::Null).await;
        assert_eq!(refused, (StatusCode::UNAUTHORIZED, "token_invalid".into()));
    }
}

#[tokio::test]
async fn a_screen_is_seen_by_its_owner_alone() {
    let desk = Desk::new();
    let (ann, bob, root) = (
        desk.log_in("ann", Role::User).await,
        desk.log_in("bob", Role::User).await,
        desk.log_in("root", Role::Admin).await,
    );
    let entry = desk.session(&ann.user, "Mine").await;
    let path = format!("/api/v1/sessions/{}/screenshot", entry.label);
    let ask = async |known: &str| {
        let cookie = format!("{}={}", cookies::PORTAL, ann.token);
        let request = Request::get(&path).header(COOKIE, cookie).header(IF_NONE_MATCH, known);
        desk.api
            .handle(request.body(Full::<Bytes>::default()).unwrap(), std::net::Ipv4Addr::LOCALHOST.into())
            .await
    };
    let (head, body) = ask("").await.unwrap().into_parts();
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(head.headers["content-type"], "image/png");
    assert_eq!(head.headers["age"], "0");
    assert_eq!(head.headers["cache-control"], "private, max-age=5");
    assert!(body.collect().await.unwrap().to_bytes().starts_with(b"\x89PNG\r\n\x1a\n"));

    let tag = head.headers["etag"].to_str().unwrap();
    for known in [tag, &format!("\"x\", W/{tag}"), "*"] {
        let same = ask(known).await.unwrap();
        assert_eq!(
            (same.status(), &same.headers()["etag"]),
            (StatusCode::NOT_MODIFIED, &head.headers["etag"])
        );
        assert!(same.into_body().collect().await.unwrap().to_bytes().is_empty());
    }
    assert_eq!(ask("\"other\"").await.unwrap().status(), StatusCode::OK);

    // Seeing that it exists is not seeing what is on it.
    for login in [&bob, &root] {
        assert_eq!(desk.get(&path, login).await, (StatusCode::NOT_FOUND, "session_unknown".into()));
    }
    let none = desk.get("/api/v1/sessions/nosuchlabel/screenshot", &ann).await;
    assert_eq!(none, (StatusCode::NOT_FOUND, "session_unknown".into()));
    assert_eq!(desk.ask(Method::GET, &path, None, false).await.0, StatusCode::UNAUTHORIZED);

    desk.broker.pause(&entry, &Actor::cli()).await.unwrap();
    assert_eq!(ask("").await.unwrap().status(), StatusCode::OK, "a frozen desktop keeps its last picture");
    let app = desk.session_of("app", &ann.user, "App").await;
    let path = format!("/api/v1/sessions/{}/screenshot", app.label);
    assert_eq!(desk.get(&path, &ann).await, (StatusCode::CONFLICT, "no_screen".into()));
}

#[tokio::test]
async fn an_ending_has_the_text_that_people_read_and_a_name_in_the_audit() {
    let desk = Desk::new();
    let (ann, root) = (desk.log_in("ann", Role::User).await, desk.log_in("root", Role::Admin).await);
    let entry = desk.session(&ann.user, "one").await;
    let path = format!("/api/v1/sessions/{}", entry.label);
    let (_, session) = desk.get(&path, &ann).await;
    assert_eq!((&session["extendable"], &session["expires_because"]), (&true.into(), &"away".into()));
    let (status, session) = desk.ask(Method::POST, &format!("{path}/extend"), Some(&ann), true).await;
    assert_eq!((status, &session["last_input_source"]), (StatusCode::ACCEPTED, &"extend".into()));

    let by = Actor::user("root", [192, 0, 2, 7].into());
    desk.broker.stop(&entry, StopReason::Admin, Next::Rest, &by).await.unwrap();
    until(&entry, StateKind::Stopped).await;
    let (_, session) = desk.get(&path, &root).await;
    assert_eq!(session["reason"], StopReason::Admin.code());
    assert_eq!(session["reason_text"], StopReason::Admin.sentence());
    assert_eq!((&session["extendable"], &session["expires_because"]), (&false.into(), &"kept".into()));

    desk.ask(Method::POST, &format!("{path}/start"), Some(&root), true).await;
    until(&entry, StateKind::Ready).await;
    let bob = desk.log_in("bob", Role::User).await;
    for _ in 0..5 {
        assert_eq!(desk.get(&path, &bob).await.0, StatusCode::NOT_FOUND);
    }
    let lines = desk.store.audit(0, 100).await.unwrap();
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(&line.body).unwrap()).collect();
    let of = |event: &str| lines.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
    assert_eq!(of("session_stopped")[0]["actor"], "root");
    assert_eq!(of("session_started").last().unwrap()["address"], "192.0.2.7");
    assert_eq!((of("access_refused").len(), &of("access_refused")[0]["actor"]), (1, &"bob".into()));
}

#[tokio::test]
async fn a_script_of_the_desktop_manager_spawns_and_removes_a_user_s_desktop() {
    let desk = Desk::new();
    let ask = async |path: &str, document: Value| desk.program(Method::POST, path, TOKEN, &document).await;
    let wish = serde_json::json!({ "username": "Léa", "vncPassword": "hunter22" });
    let (status, spawned) = ask("/api/v1/spawn", wish.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{spawned}");
    let label = spawned["session"]["label"].as_str().unwrap();
    assert_eq!(spawned["url"], format!("{ORIGIN}/s/{label}/"));
    let entry = desk.broker.find(label).unwrap();
    until(&entry, StateKind::Ready).await;
    assert_eq!(entry.session().owner_name, "Léa");
    assert_eq!(entry.session().secret.expose(), "hunter22", "the container must know it");

    // The script made it, not the user whose it is.
    let lines = desk.store.audit(0, 100).await.unwrap();
    for event in ["session_created", "session_started"] {
        let event = format!("\"event\":\"{event}\"");
        let line = lines.iter().find(|line| line.body.contains(&event)).expect("it is in the audit");
        assert!(line.body.contains("\"actor\":\"token\""), "{}", line.body);
    }

    let (status, again) = ask("/api/v1/spawn", wish).await;
    assert_eq!((status, &again["session"]["id"]), (StatusCode::OK, &spawned["session"]["id"]));
    for flawed in ["short", "with a space", &"x".repeat(65), "mot-de-passé"] {
        let wish = serde_json::json!({ "username": "bob", "vncPassword": flawed });
        let (status, _) = ask("/api/v1/spawn", wish).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{flawed}");
    }
    assert_eq!(ask("/api/v1/spawn", serde_json::json!({})).await.0, StatusCode::UNPROCESSABLE_ENTITY);

    let lea = serde_json::json!({ "username": "Léa" });
    let (status, removed) = ask("/api/v1/remove", lea.clone()).await;
    assert_eq!((status, &removed["removed"]), (StatusCode::OK, &true.into()));
    entry.watch().wait_for(|session| session.state.kind() == StateKind::Stopping).await.unwrap();
    let nobody = ask("/api/v1/remove", serde_json::json!({ "username": "nobody" })).await;
    assert_eq!(nobody, (StatusCode::NOT_FOUND, "user_unknown".into()));
}

#[tokio::test]
async fn nobody_but_an_administrator_spawns_desktops_for_others() {
    let desk = Desk::new();
    let ann = desk.log_in("ann", Role::User).await;
    for path in ["/api/v1/spawn", "/api/v1/remove"] {
        let wish = serde_json::json!({ "username": "bob" });
        let refused = desk.send(Method::POST, path, Some(&ann), true, &wish).await;
        assert_eq!(refused.0, StatusCode::NOT_FOUND, "{path}");
        let wrong = desk.program(Method::POST, path, "wrong", &wish).await;
        assert_eq!(wrong.0, StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn everybody_reads_templates_and_administrators_their_images() {
    let desk = Desk::new();
    let (ann, root) = (desk.log_in("ann", Role::User).await, desk.log_in("root", Role::Admin).await);
    let (status, all) = desk.get("/api/v1/templates", &ann).await;
    assert_eq!(status, StatusCode::OK);
    let items = all["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    let desktop = &items[0];
    assert_eq!((&desktop["name"], &desktop["icon"]), (&"desktop".into(), &"desktop".into()));
    assert_eq!((&desktop["network"], &desktop["home"]), (&"internal".into(), &"ephemeral".into()));
    assert!(desktop["installed"].is_null() && desktop["image"].is_null(), "{desktop}");

    desk.broker.look_at_images().await.unwrap();
    let (_, desktop) = desk.get("/api/v1/templates/desktop", &root).await;
    assert_eq!((&desktop["installed"], &desktop["image"]["name"]), (&true.into(), &"fake/desktop".into()));
    assert!(desktop["image"]["id"].as_str().unwrap().starts_with("sha256:"), "{desktop}");
    assert_eq!(desk.get("/api/v1/templates/nothing", &root).await.0, StatusCode::NOT_FOUND);

    let pull = "/api/v1/templates/desktop/pull";
    let refused = desk.ask(Method::POST, pull, Some(&ann), true).await;
    assert_eq!(refused, (StatusCode::NOT_FOUND, "not_found".into()));
    assert_eq!(desk.ask(Method::POST, pull, Some(&root), false).await.0, StatusCode::FORBIDDEN);
    let (status, begun) = desk.ask(Method::POST, pull, Some(&root), true).await;
    assert_eq!((status, &begun["pull"]["state"]), (StatusCode::ACCEPTED, &"waiting".into()));
    let mut changes = desk.broker.changes();
    while desk.get("/api/v1/templates/desktop", &root).await.1["pull"]["state"] != "done" {
        changes.recv().await.unwrap();
    }
    assert!(desk.get("/api/v1/templates/desktop", &ann).await.1["pull"].is_null());
}

#[tokio::test]
async fn statistics_are_the_administrators_and_a_sessions_its_owners() {
    let desk = Desk::new();
    let (ann, bob) = (desk.log_in("ann", Role::User).await, desk.log_in("bob", Role::User).await);
    let root = desk.log_in("root", Role::Admin).await;
    let entry = desk.session(&ann.user, "mine").await;
    let nothing = desk.ask(Method::GET, "/api/v1/capacity", Some(&root), false).await;
    assert_eq!(nothing, (StatusCode::OK, json!({ "sampled_at": null, "capacity": null })));
    desk.stats.sample_once().await;
    desk.stats.sample_once().await;
    let of_session = format!("/api/v1/stats?range=day&session={}", entry.label);
    for (login, path, status) in [
        (&root, "/api/v1/stats", StatusCode::OK),
        (&ann, "/api/v1/stats", StatusCode::NOT_FOUND),
        (&ann, "/api/v1/capacity", StatusCode::NOT_FOUND),
        (&ann, of_session.as_str(), StatusCode::OK),
        (&root, of_session.as_str(), StatusCode::OK),
        (&bob, of_session.as_str(), StatusCode::NOT_FOUND),
    ] {
        assert_eq!(desk.ask(Method::GET, path, Some(login), false).await.0, status, "{path}");
    }
    let strange = desk.ask(Method::GET, "/api/v1/stats?range=year", Some(&root), false).await.0;
    assert_eq!(strange, StatusCode::UNPROCESSABLE_ENTITY);

    let (_, hosts) = desk.ask(Method::GET, "/api/v1/stats", Some(&root), false).await;
    let host = &hosts["items"][0];
    assert_eq!((&host["node"], &host["range"]), (&json!("fake"), &json!("hour")));
    let ready = host["series"].as_array().unwrap().iter().find(|series| series["name"] == "sessions_ready");
    let ready = ready.expect("the number of sessions");
    assert_eq!((&ready["unit"], &ready["step_s"]), (&json!("sessions"), &json!(15)));
    let values = ready["values"].as_array().unwrap();
    let last = values.iter().rev().find(|value| value.is_number());
    assert_eq!((values.len(), last), (240, Some(&json!(1.0))));
    assert_eq!(values[0], Value::Null);

    let (_, session) = desk.ask(Method::GET, &of_session, Some(&ann), false).await;
    assert_eq!(session["items"][0]["usage"]["memory_bytes"], 100 << 20);
    let (_, document) =
        desk.ask(Method::GET, &format!("/api/v1/sessions/{}", entry.label), Some(&ann), false).await;
    assert_eq!(document["usage"]["processes"], 10);
    let (_, capacity) = desk.ask(Method::GET, "/api/v1/capacity", Some(&root), false).await;
    let room = &capacity["capacity"]["templates"][0];
    assert!(room["more"].as_u64().unwrap() > 0, "{capacity}");
    assert_eq!(room["bound_by"], "cpu", "{capacity}");
}

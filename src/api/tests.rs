//! The API over fakes: who may read what, and the documents' shape.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::COOKIE;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::Value;

use super::{Api, State};
use crate::audit::{Actor, Audit};
use crate::auth::{self, Auth, NewUser, Principal, Visitor, cookies};
use crate::broker::{self, Broker, Entry};
use crate::engine::EngineStatus;
use crate::engine::fake::{FakeEngine, template};
use crate::respond;
use crate::secret::Secret;
use crate::session::{Protocol, Routing, StateKind};
use crate::store::sqlite::SqliteStore;
use crate::store::{Role, Store, User};
use crate::tasks::Tasks;

const ORIGIN: &str = "https://berth.test:8443";

struct Desk {
    api: Api,
    auth: Arc<Auth>,
    broker: Broker,
}

struct Login {
    token: String,
    principal: Arc<Principal>,
    user: User,
}

impl Desk {
    fn new() -> Self {
        let templates = vec![template("desktop".parse().unwrap(), Protocol::Rfb)];
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().unwrap());
        let audit = Audit::new(store.clone());
        let engine = Arc::new(FakeEngine::new(templates.clone()));
        let broker = Broker::new(
            store.clone(),
            engine,
            audit.clone(),
            templates,
            broker::Settings::default(),
            Tasks::new(),
        );
        let quick = auth::Settings { refusal_floor: Duration::ZERO, ..auth::Settings::default() };
        let auth = Arc::new(Auth::new(store, audit, quick));
        let status = EngineStatus { version: Some("fake".to_owned()), ..EngineStatus::default() };
        let api = Api::new(State {
            broker: broker.clone(),
            auth: auth.clone(),
            engine: Arc::new(move || futures_util::future::ready(status.clone()).boxed()),
            origin: ORIGIN.to_owned(),
            routing: Routing::Path,
            version: "0.0.0-test",
        });
        Self { api, auth, broker }
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
        let template = "desktop".parse().unwrap();
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
        let mut request = Request::builder().method(method).uri(path);
        if let Some(login) = login {
            request = request.header(COOKIE, format!("{}={}", cookies::PORTAL, login.token));
            if csrf {
                request = request.header("x-csrf-token", login.principal.csrf.expose());
            }
        }
        match self.api.handle(request.body(Full::<Bytes>::default()).unwrap()).await {
            Ok(response) => {
                let status = response.status();
                let body = response.into_body().collect().await.unwrap().to_bytes();
                (status, serde_json::from_slice(&body).unwrap())
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
        assert_eq!(status, StatusCode::BAD_REQUEST, "{flawed}");
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
    for field in ["client_id", "container_id", "container_name", "created_at", "last_accessed_at"] {
        assert!(status["records"][0][field].is_string(), "{field}: {status}");
    }
    let session = &status["sessions"][0];
    assert_eq!(session["label"], entry.label.as_str());
    assert_eq!((&session["state"], &session["owner"]), (&"ready".into(), &"ann".into()));
}

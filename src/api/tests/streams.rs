//! Event streams of programs: what they tell, going on where one ended, and their end.

use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::{Desk, TOKEN};
use crate::audit::Actor;
use crate::body::Body;
use crate::session::{Next, StopReason};
use crate::store::Role;

/// A stream that is read event by event.
struct Follower {
    body: Body,
    text: String,
}

/// One event: its name, its id, its document.
#[derive(Debug)]
struct Told {
    name: String,
    id: String,
    document: Value,
}

impl Follower {
    async fn of(desk: &Desk, path: &str, token: &str, last: Option<&str>) -> Self {
        let mut request = Request::get(path).header(AUTHORIZATION, format!("Bearer {token}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let response = desk.api.handle(request, Ipv4Addr::LOCALHOST.into()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name: &str| {
                    let start = format!("{name}: ");
                    event.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default().to_owned()
                };
                if field("event").is_empty() {
                    continue;
                }
                let document = serde_json::from_str(&field("data")).unwrap();
                return Some(Told { name: field("event"), id: field("id"), document });
            }
            let frame = tokio::time::timeout(Duration::from_secs(10), self.body.frame()).await;
            let frame = frame.expect("the stream says something")?.unwrap();
            self.text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }

    async fn until(&mut self, name: &str) -> Told {
        loop {
            let told = self.next().await.expect("the stream goes on");
            if told.name == name {
                return told;
            }
        }
    }
}

#[tokio::test]
async fn a_follower_who_comes_back_is_told_what_they_missed() {
    let desk = Desk::new();
    let ann = desk.log_in("ann", Role::User).await;
    let (first, second) = (desk.session(&ann.user, "One").await, desk.session(&ann.user, "Two").await);
    let mut follower = Follower::of(&desk, "/api/v1/events", TOKEN, None).await;
    for name in ["One", "Two"] {
        let told = follower.next().await.unwrap();
        assert_eq!((told.name.as_str(), &told.document["name"]), ("session", &name.into()));
    }
    let ready = follower.next().await.unwrap();
    assert_eq!(ready.name, "ready");
    desk.broker.pause(&first, &Actor::cli()).await.unwrap();
    let paused = follower.until("session").await;
    assert_eq!(
        (&paused.document["label"], &paused.document["state"]),
        (&first.label.as_str().into(), &"paused".into())
    );
    drop(follower);

    desk.broker.resume(&first, &Actor::cli()).await.unwrap();
    desk.broker.stop(&second, StopReason::Admin, Next::Remove, &Actor::cli()).await.unwrap();
    desk.broker.ended(&second).await;
    let mut follower = Follower::of(&desk, "/api/v1/events", TOKEN, Some(&paused.id)).await;
    let (one, two) = (follower.next().await.unwrap(), follower.next().await.unwrap());
    assert_eq!((one.name.as_str(), &one.document["state"]), ("session", &"ready".into()));
    assert_eq!((two.name.as_str(), &two.document["label"]), ("removed", &second.label.as_str().into()));

    for forgotten in ["0-1", "nonsense", &format!("{}-99999", desk.broker.run())] {
        let mut follower = Follower::of(&desk, "/api/v1/events", TOKEN, Some(forgotten)).await;
        let names = [follower.next().await, follower.next().await, follower.next().await];
        let names = names.map(|told| told.unwrap().name);
        assert_eq!(names, ["resync", "session", "ready"], "{forgotten}");
    }
}

#[tokio::test]
async fn a_stream_of_one_session_ends_with_it() {
    let desk = Desk::new();
    let (ann, bob) = (desk.log_in("ann", Role::User).await, desk.log_in("bob", Role::User).await);
    let (entry, _other) = (desk.session(&ann.user, "One").await, desk.session(&ann.user, "Two").await);
    let path = format!("/api/v1/sessions/{}/events", entry.label);
    assert_eq!(desk.get(&path, &bob).await, (StatusCode::NOT_FOUND, "session_unknown".into()));
    let mut follower = Follower::of(&desk, &path, TOKEN, None).await;
    assert_eq!(follower.next().await.unwrap().document["name"], "One");
    assert_eq!(follower.next().await.unwrap().name, "ready");
    desk.broker.stop(&entry, StopReason::Admin, Next::Remove, &Actor::cli()).await.unwrap();
    assert_eq!(follower.until("removed").await.document["label"], entry.label.as_str());
    assert!(follower.next().await.is_none());
}

/// The stream told of a session that somebody shares, and the list did not have it.
#[tokio::test]
async fn a_list_has_what_the_stream_tells() {
    let desk = Desk::new();
    let (ann, bob) = (desk.log_in("ann", Role::User).await, desk.log_in("bob", Role::User).await);
    let root = desk.log_in("root", Role::Admin).await;
    let (shared, _kept) = (desk.session(&ann.user, "Shared").await, desk.session(&ann.user, "Kept").await);
    desk.session(&bob.user, "Own").await;
    let grants = format!("/api/v1/sessions/{}/grants", shared.label);
    let wish = json!({ "user": "bob", "role": "observer", "lasts_s": 60 });
    let (status, grant) = desk.send(Method::POST, &grants, Some(&ann), true, &wish).await;
    assert_eq!(status, StatusCode::CREATED, "{grant}");
    let token = async |user: Value, scope: &str| {
        let wish = json!({ "name": "ci", "scopes": [scope], "user": user });
        let (_, made) = desk.send(Method::POST, "/api/v1/tokens", Some(&root), true, &wish).await;
        made["secret"].as_str().unwrap().to_owned()
    };
    for (user, expected) in [
        (json!("bob"), vec![("Shared", json!("observer")), ("Own", json!("owner"))]),
        (json!("ann"), vec![("Shared", json!("owner")), ("Kept", json!("owner"))]),
        (json!("root"), vec![]),
        (Value::Null, vec![("Shared", Value::Null), ("Kept", Value::Null), ("Own", Value::Null)]),
    ] {
        let token = token(user.clone(), "sessions:read").await;
        let (_, listed) = desk.program(Method::GET, "/api/v1/sessions", &token, &Value::Null).await;
        let listed = listed["items"].as_array().unwrap().clone();
        let rows: Vec<_> =
            listed.iter().map(|item| (item["name"].as_str().unwrap(), item["role"].clone())).collect();
        assert_eq!(rows, expected, "{user}");
        let mut follower = Follower::of(&desk, "/api/v1/events", &token, None).await;
        for item in &listed {
            let told = follower.next().await.unwrap();
            assert_eq!((told.name.as_str(), &told.document["id"]), ("session", &item["id"]), "{user}");
        }
        assert_eq!(follower.next().await.unwrap().name, "ready", "{user}");
    }
    let blind = token(json!("bob"), "users:write").await;
    assert_eq!(
        desk.program(Method::GET, "/api/v1/sessions", &blind, &Value::Null).await.0,
        StatusCode::FORBIDDEN
    );
    let (_, of_ann) = desk.get("/api/v1/sessions?owner=ann", &bob).await;
    assert_eq!(of_ann["items"].as_array().map(Vec::len), Some(1), "what is asked for can still be narrowed");

    let one = format!("{grants}/{}", grant["id"].as_str().unwrap());
    desk.ask(Method::DELETE, &one, Some(&ann), true).await;
    let (_, left) = desk.get("/api/v1/sessions", &bob).await;
    assert_eq!(left["items"].as_array().map(Vec::len), Some(1), "{left}");
}

#[tokio::test]
async fn streams_end_with_their_token_and_with_the_gateway() {
    let desk = Desk::new();
    let wish = json!({ "name": "ci", "scopes": ["sessions:read"] });
    let (_, made) = desk.program(Method::POST, "/api/v1/tokens", TOKEN, &wish).await;
    let mut by_token = Follower::of(&desk, "/api/v1/events", made["secret"].as_str().unwrap(), None).await;
    let mut forever = Follower::of(&desk, "/api/v1/events", TOKEN, None).await;
    let at = format!("/api/v1/tokens/{}", made["token"]["id"].as_str().unwrap());
    desk.program(Method::DELETE, &at, TOKEN, &Value::Null).await;
    assert_eq!(by_token.until("end").await.document["because"], "login_ended");
    assert!(by_token.next().await.is_none());

    desk.draining.cancel();
    assert_eq!(forever.until("end").await.document["because"], "drain");
    assert!(forever.next().await.is_none());
}

//! Requests that come again under one idempotency key.

use std::net::Ipv4Addr;

use bytes::Bytes;
use futures_util::future::join_all;
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::{Desk, TOKEN};
use crate::fault::Answer;
use crate::store::Role;

fn post(path: &str, token: &str, key: &str, document: &Value) -> Request<Full<Bytes>> {
    Request::post(path)
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .header(CONTENT_TYPE, "application/json")
        .header("idempotency-key", key)
        .body(Full::from(document.to_string()))
        .unwrap()
}

/// Status, `Location`, whether it was given before, and the document; or the refusal's code.
type Told = Result<(StatusCode, String, bool, Value), &'static str>;

async fn ask(desk: &Desk, request: Request<Full<Bytes>>) -> Told {
    let response =
        desk.api.handle(request, Ipv4Addr::LOCALHOST.into()).await.map_err(|error| error.code())?;
    let (head, body) = response.into_parts();
    let location = head.headers.get(LOCATION).map_or("", |at| at.to_str().unwrap()).to_owned();
    let replayed = head.headers.contains_key("idempotency-replayed");
    let body = body.collect().await.unwrap().to_bytes();
    Ok((head.status, location, replayed, serde_json::from_slice(&body).unwrap()))
}

#[tokio::test]
async fn what_comes_again_is_carried_out_once() {
    let desk = Desk::new();
    desk.log_in("ann", Role::User).await;
    desk.log_in("bob", Role::User).await;
    let wish = json!({ "template": "app", "owner": "ann" });
    let sessions = "/api/v1/sessions";
    let first = ask(&desk, post(sessions, TOKEN, "one", &wish)).await.unwrap();
    assert_eq!((first.0, first.2), (StatusCode::ACCEPTED, false));
    let again = ask(&desk, post(sessions, TOKEN, "one", &wish)).await.unwrap();
    assert_eq!((again.0, &again.1, again.2, &again.3), (first.0, &first.1, true, &first.3));
    assert_eq!(desk.broker.entries().len(), 1);

    let other = json!({ "template": "app", "owner": "bob" });
    assert_eq!(ask(&desk, post(sessions, TOKEN, "one", &other)).await, Err("idempotency_reused"));
    ask(&desk, post(sessions, TOKEN, "two", &other)).await.unwrap();
    assert_eq!(desk.broker.entries().len(), 2);
    // A refusal changed nothing, so it is judged anew.
    let taken = json!({ "template": "app", "owner": "bob", "name": first.3["name"] });
    let named = json!({ "template": "app", "owner": "ann", "name": first.3["name"] });
    assert_eq!(ask(&desk, post(sessions, TOKEN, "three", &named)).await, Err("name_taken"));
    assert_eq!(ask(&desk, post(sessions, TOKEN, "three", &taken)).await, Err("name_taken"));
    for key in ["", "two words", "é", &"x".repeat(256)] {
        assert_eq!(ask(&desk, post(sessions, TOKEN, key, &wish)).await, Err("field_invalid"), "{key}");
    }
    assert_eq!(ask(&desk, post(sessions, "wrong", "one", &wish)).await, Err("token_invalid"));
}

#[tokio::test]
async fn of_many_at_once_one_is_carried_out() {
    let desk = Desk::new();
    desk.log_in("ann", Role::User).await;
    let wish = json!({ "template": "app", "owner": "ann" });
    let all = (0..8).map(|_| ask(&desk, post("/api/v1/sessions", TOKEN, "one", &wish)));
    for told in join_all(all).await {
        match told {
            Ok((status, ..)) => assert_eq!(status, StatusCode::ACCEPTED),
            Err(code) => assert_eq!(code, "idempotency_busy"),
        }
    }
    assert_eq!(desk.broker.entries().len(), 1);
    assert!(super::super::repeat::RepeatError::Busy.retry_after().is_some(), "{RETRY_AFTER} is answered");
}

#[tokio::test]
async fn what_is_told_once_is_not_kept() {
    let desk = Desk::new();
    let wish = json!({ "name": "ci", "scopes": ["sessions:read"] });
    let first = ask(&desk, post("/api/v1/tokens", TOKEN, "one", &wish)).await.unwrap();
    let secret = first.3["secret"].as_str().unwrap().to_owned();
    let again = ask(&desk, post("/api/v1/tokens", TOKEN, "one", &wish)).await.unwrap();
    assert_eq!((again.0, again.2, &again.3["secret"]), (StatusCode::CREATED, true, &Value::Null));
    assert_eq!((&again.1, &again.3["token"]), (&first.1, &first.3["token"]));
    assert_eq!(desk.store.api_tokens().await.unwrap().len(), 1);
    assert!(!again.3.to_string().contains(&secret));
}

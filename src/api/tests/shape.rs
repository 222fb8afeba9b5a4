//! What is true of every address: descriptions, entity tags, refusals.

use std::net::Ipv4Addr;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_NONE_MATCH};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::{Desk, TOKEN};
use crate::store::Role;

async fn described(desk: &Desk) -> Value {
    desk.program(Method::GET, "/api/v1/openapi.json", TOKEN, &Value::Null).await.1
}

#[tokio::test]
async fn every_operation_is_described_whole() {
    let desk = Desk::new();
    let document = described(&desk).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    let mut names = std::collections::BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap().to_owned();
            assert!(names.insert(name), "{method} {path} has the name of another");
            assert!(operation["summary"].is_string(), "{method} {path} says nothing");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with(['2', '3'])), "{method} {path}");
            for range in ["4XX", "5XX"] {
                let problem = &responses[range]["content"]["application/problem+json"];
                assert!(problem.is_object(), "{method} {path} {range}");
            }
            for (status, response) in responses {
                let said = response["description"].as_str().unwrap_or_default();
                assert!(!said.is_empty(), "{method} {path} {status} says nothing");
            }
        }
    }
}

/// Scripts of replaced systems are described too, and what these ignored is still ignored.
#[tokio::test]
async fn addresses_of_replaced_systems_are_described_as_they_are() {
    let document = described(&Desk::new()).await;
    for (path, method, status) in [
        ("/access", "get", "303"),
        ("/remove", "get", "200"),
        ("/remove-all", "get", "200"),
        ("/api/v1/spawn", "post", "201"),
        ("/api/v1/remove", "post", "200"),
    ] {
        let operation = &document["paths"][path][method];
        assert_eq!(operation["tags"], json!(["compat"]), "{path}");
        assert!(operation["responses"][status]["content"]["application/json"].is_object(), "{path}");
        let tags = operation["responses"]["304"].is_object();
        assert!(!tags, "{path}: what changes something is not read again");
    }
    assert!(document["components"]["schemas"]["Spawn"]["additionalProperties"].is_null());
    assert_eq!(document["components"]["schemas"]["NewUser"]["additionalProperties"], false);
}

#[tokio::test]
async fn whatever_the_description_points_at_is_in_it() {
    fn check(within: &Value, document: &Value) {
        match within {
            Value::Object(fields) => {
                if let Some(at) = fields.get("$ref").and_then(Value::as_str) {
                    assert!(document.pointer(at.trim_start_matches('#')).is_some(), "{at}");
                }
                fields.values().for_each(|inner| check(inner, document));
            }
            Value::Array(items) => items.iter().for_each(|inner| check(inner, document)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document = described(&Desk::new()).await;
    check(&document, &document);
}

#[tokio::test]
async fn a_document_that_is_known_is_not_sent_again() {
    let desk = Desk::new();
    let ann = desk.log_in("ann", Role::User).await;
    desk.session(&ann.user, "Mine").await;
    let ask = async |path: &str, known: &str| {
        let request = Request::get(path)
            .header(AUTHORIZATION, format!("Bearer {TOKEN}"))
            .header(IF_NONE_MATCH, known)
            .body(Full::<Bytes>::default())
            .unwrap();
        desk.api.handle(request, Ipv4Addr::LOCALHOST.into()).await.unwrap()
    };
    for path in ["/api/v1/templates", "/api/v1/templates/app", "/api/v1/openapi.json"] {
        let first = ask(path, "").await;
        assert_eq!(first.headers()["cache-control"], "private, no-cache");
        let tag = first.headers()["etag"].to_str().unwrap().to_owned();
        let again = ask(path, &format!("\"other\", W/{tag}")).await;
        assert_eq!(
            (again.status(), &again.headers()["etag"]),
            (StatusCode::NOT_MODIFIED, &first.headers()["etag"])
        );
        assert!(again.headers().get(CONTENT_TYPE).is_none());
        assert!(again.into_body().collect().await.unwrap().to_bytes().is_empty());
    }
    let tag = ask("/api/v1/sessions", "").await.headers()["etag"].clone();
    desk.session(&ann.user, "Another").await;
    assert_eq!(ask("/api/v1/sessions", tag.to_str().unwrap()).await.status(), StatusCode::OK);
}

async fn refusal(
    desk: &Desk,
    request: Request<Full<Bytes>>,
) -> (u16, &'static str, Option<String>, Option<String>) {
    let error = desk.api.handle(request, Ipv4Addr::LOCALHOST.into()).await.unwrap_err();
    let status = crate::respond::status(error.as_ref()).as_u16();
    (status, error.code(), error.field().map(str::to_owned), error.allow().map(str::to_owned))
}

#[tokio::test]
async fn a_refusal_names_what_is_wrong() {
    let desk = Desk::new();
    let ask = |method: Method, path: &str, kind: &str, body: String| {
        Request::builder()
            .method(method)
            .uri(path)
            .header(AUTHORIZATION, format!("Bearer {TOKEN}"))
            .header(CONTENT_TYPE, kind)
            .body(Full::from(body))
            .unwrap()
    };
    const JSON: &str = "application/json";
    let (sessions, none) = ("/api/v1/sessions", String::new);
    let field = |name: &str| Some(name.to_owned());
    for (request, expected) in [
        (ask(Method::GET, "/api/v1/nothing", JSON, none()), (404, "not_found", None, None)),
        (ask(Method::PUT, sessions, JSON, none()), (405, "method", None, field("GET, HEAD, POST"))),
        (ask(Method::POST, sessions, "text/plain", "{}".to_owned()), (415, "media_type", None, None)),
        (ask(Method::POST, sessions, JSON, "{".to_owned()), (400, "malformed", None, None)),
        (
            ask(Method::POST, sessions, JSON, "[]".to_owned()),
            (422, "field_invalid", field("(the whole document)"), None),
        ),
        (ask(Method::POST, sessions, JSON, "{}".to_owned()), (422, "field_invalid", field("template"), None)),
        (ask(Method::POST, sessions, JSON, " ".repeat(70_000)), (413, "body_too_large", None, None)),
        (
            ask(Method::GET, "/api/v1/sessions?sort=up", JSON, none()),
            (422, "field_invalid", field("sort"), None),
        ),
        (
            ask(Method::GET, "/api/v1/sessions?limit=x", JSON, none()),
            (422, "field_invalid", field("limit"), None),
        ),
        (
            ask(Method::GET, "/api/v1/sessions?limit=0", JSON, none()),
            (422, "field_invalid", field("limit"), None),
        ),
        (
            ask(Method::GET, "/api/v1/sessions?state=on", JSON, none()),
            (422, "field_invalid", field("state"), None),
        ),
        (ask(Method::GET, "/status?limit=1", JSON, none()), (422, "field_invalid", field("limit"), None)),
    ] {
        let asked = format!("{} {}", request.method(), request.uri());
        assert_eq!(refusal(&desk, request).await, expected, "{asked}");
    }
    let deep = json!({ "template": "app", "owner": ["x"] }).to_string();
    let found = refusal(&desk, ask(Method::POST, sessions, JSON, deep)).await;
    assert_eq!(found.2.as_deref(), Some("owner"));
}

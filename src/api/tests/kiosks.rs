//! What scripts of the kiosk orchestrator and of the desktop manager ask, and what they get.

use http::HeaderMap;
use http::header::LOCATION;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::*;
use crate::fault::Answer;

impl Desk {
    /// A `GET` as a script sends it: status, headers, document. A failure is the error itself.
    async fn script(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
    ) -> Result<(StatusCode, HeaderMap, Value), Arc<dyn Answer + Send + Sync>> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let response = self.api.handle(request, [192, 0, 2, 7].into()).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Ok((head.status, head.headers, serde_json::from_slice(&body).unwrap_or_default()))
    }

    async fn access(&self, id: &str) -> Value {
        let id = utf8_percent_encode(id, NON_ALPHANUMERIC);
        let (status, headers, told) =
            self.script(Method::GET, &format!("/access?id={id}"), Some(TOKEN)).await.unwrap();
        assert_eq!(
            (status, headers[LOCATION].to_str().unwrap()),
            (StatusCode::SEE_OTHER, told["url"].as_str().unwrap())
        );
        told
    }
}

#[tokio::test]
async fn a_client_is_found_again_listed_and_removed_in_the_orchestrator_s_words() {
    let desk = Desk::new();
    let told = desk.access("salle/été 7").await;
    assert_eq!((&told["status"], &told["client_id"]), (&"ok".into(), &"salle/été 7".into()));
    let start = format!("{ORIGIN}/enter/{}?ticket=", told["label"].as_str().unwrap());
    assert!(told["url"].as_str().unwrap().starts_with(&start), "{told}");
    assert_eq!(desk.access("salle/été 7").await["label"], told["label"]);
    assert_ne!(desk.access("Salle/été 7").await["label"], told["label"], "case counts");
    let entry = desk.broker.find(told["label"].as_str().unwrap()).unwrap();
    until(&entry, StateKind::Ready).await;

    let (_, _, status) = desk.script(Method::GET, "/status", Some(TOKEN)).await.unwrap();
    let record = status["records"]
        .as_array()
        .unwrap()
        .iter()
        .find(|record| record["client_id"] == "salle/été 7")
        .unwrap();
    assert_eq!(record["container_name"], told["container_name"]);
    for field in ["client_id", "container_id", "container_name", "created_at", "last_accessed_at"] {
        assert!(record[field].is_string(), "{field}: {status}");
    }

    let id = utf8_percent_encode("salle/été 7", NON_ALPHANUMERIC);
    let remove = format!("/remove?id={id}");
    let (status, _, removed) = desk.script(Method::GET, &remove, Some(TOKEN)).await.unwrap();
    assert_eq!((status, &removed["status"]), (StatusCode::OK, &"removed".into()));
    let unknown = desk.script(Method::GET, &remove, Some(TOKEN)).await.unwrap_err();
    assert_eq!(
        (respond::status(unknown.as_ref()), unknown.code()),
        (StatusCode::NOT_FOUND, "client_unknown")
    );
    assert_eq!(unknown.members(), [("error", Value::from(unknown.public()))]);
    let (_, _, removed) = desk.script(Method::GET, "/remove-all", Some(TOKEN)).await.unwrap();
    assert_eq!(removed, json!({ "status": "removed", "removed": 1 }));
}

/// Whichever part of the gateway refuses: the handler, what stands before it, or the router.
#[tokio::test]
async fn every_refusal_has_the_orchestrator_s_word_in_it() {
    let desk = Desk::new();
    for (method, path, token, code) in [
        (Method::GET, "/status", None, "login_required"),
        (Method::GET, "/status", Some("wrong"), "token_invalid"),
        (Method::GET, "/status?id=one", Some(TOKEN), "field_invalid"),
        (Method::POST, "/status", Some(TOKEN), "method"),
        (Method::GET, "/access", Some(TOKEN), "client_id"),
        (Method::PUT, "/remove", Some(TOKEN), "method"),
        (Method::GET, "/remove?id=one", Some(TOKEN), "client_unknown"),
        (Method::GET, "/remove-all", Some("wrong"), "token_invalid"),
    ] {
        let refused = desk.script(method.clone(), path, token).await.unwrap_err();
        assert_eq!(refused.code(), code, "{method} {path}");
        assert_eq!(refused.members(), [("error", Value::from(refused.public()))], "{method} {path}");
        assert_eq!(refused.allow().is_some(), code == "method", "{method} {path}");
    }
    let other = desk.script(Method::GET, "/api/v1/sessions", None).await.unwrap_err();
    assert!(other.members().is_empty());
}

/// Whatever a page, a mail or a preview makes a browser fetch changes nothing.
#[tokio::test]
async fn a_get_without_a_token_changes_nothing() {
    let desk = Desk::new();
    let root = desk.log_in("root", Role::Admin).await;
    desk.access("one").await;
    for path in ["/access?id=two", "/remove?id=one", "/remove-all"] {
        let (status, code) = desk.get(path, &root).await;
        assert_eq!((status, code), (StatusCode::FORBIDDEN, "get_changes_nothing".into()), "{path}");
        let nobody = desk.script(Method::GET, path, None).await.unwrap_err();
        assert_eq!(
            (respond::status(nobody.as_ref()), nobody.code()),
            (StatusCode::UNAUTHORIZED, "token_required")
        );
        assert!(nobody.members()[0].1.as_str().unwrap().contains("Bearer"), "{path}");
        for method in [Method::HEAD, Method::POST] {
            let refused = desk.script(method.clone(), path, Some(TOKEN)).await;
            let status = refused.map_or_else(|error| respond::status(error.as_ref()), |(status, ..)| status);
            assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
        let wrong = desk.script(Method::GET, path, Some("wrong")).await.unwrap_err();
        assert_eq!(wrong.code(), "token_invalid");
    }
    assert_eq!(desk.broker.clients().len(), 1);
}

#[tokio::test]
async fn an_id_is_any_text_but_none_and_too_much() {
    let desk = Desk::new();
    for path in ["/access", "/access?id=", "/access?name=one", &format!("/access?id={}", "x".repeat(2049))] {
        let refused = desk.script(Method::GET, path, Some(TOKEN)).await.unwrap_err();
        assert_eq!(
            (respond::status(refused.as_ref()), refused.code()),
            (StatusCode::BAD_REQUEST, "client_id"),
            "{path}"
        );
    }
    let (long, odd) = ("x".repeat(300), "../..\0\u{202e}<b>'\"%2F");
    for id in [long.as_str(), odd, "kiosk", "kіosk"] {
        assert_eq!(desk.access(id).await["client_id"], id);
    }
    assert_eq!(desk.broker.clients().len(), 4);
}

#[tokio::test]
async fn links_are_made_listed_and_revoked_by_administrators() {
    let desk = Desk::new();
    let ann = desk.log_in("ann", Role::User).await;
    let wish = json!({ "action": "access", "client_id": "one", "expires_s": 60 });
    assert_eq!(
        desk.send(Method::POST, "/api/v1/links", Some(&ann), true, &wish).await.0,
        StatusCode::NOT_FOUND
    );
    let (status, link) = desk.program(Method::POST, "/api/v1/links", TOKEN, &wish).await;
    assert_eq!(status, StatusCode::CREATED, "{link}");
    assert!(link["url"].as_str().unwrap().starts_with(&format!("{ORIGIN}/link/")));
    assert_eq!((&link["action"], &link["uses"], &link["used"]), (&"access".into(), &1.into(), &0.into()));
    let (_, all) = desk.program(Method::GET, "/api/v1/links", TOKEN, &Value::Null).await;
    assert!(all["items"][0]["url"].is_null() && all["items"][0]["id"] == link["id"], "{all}");
    for flawed in [
        json!({ "action": "access" }),
        json!({ "action": "remove_all", "client_id": "one" }),
        json!({ "action": "explode", "client_id": "one" }),
        json!({ "action": "access", "client_id": "" }),
        json!({ "action": "access", "client_id": "one", "more": 1 }),
    ] {
        let (status, _) = desk.program(Method::POST, "/api/v1/links", TOKEN, &flawed).await;
        assert!(status == StatusCode::BAD_REQUEST || status == StatusCode::UNPROCESSABLE_ENTITY, "{flawed}");
    }
    let unfit = json!({ "action": "remove_all", "expires_s": 0 });
    let refused = desk.program(Method::POST, "/api/v1/links", TOKEN, &unfit).await;
    assert_eq!(refused, (StatusCode::UNPROCESSABLE_ENTITY, "link_unfit".into()));
    let path = format!("/api/v1/links/{}", link["id"].as_str().unwrap());
    assert_eq!(desk.program(Method::DELETE, &path, TOKEN, &Value::Null).await.0, StatusCode::NO_CONTENT);
    let (_, none) = desk.program(Method::GET, "/api/v1/links", TOKEN, &Value::Null).await;
    assert!(none["items"].as_array().unwrap().is_empty());
}

/// `https://<username>.<domain>/` is the user's, and nobody else gets it first.
#[tokio::test]
async fn a_spawned_desktop_is_at_its_user_s_name_where_that_can_be_a_label() {
    let desk = Desk::new();
    let spawn = async |name: &str| {
        let (_, told) =
            desk.program(Method::POST, "/api/v1/spawn", TOKEN, &json!({ "username": name })).await;
        assert_eq!(told["success"], true, "{told}");
        (told["session"]["label"].as_str().unwrap().to_owned(), told["url"].as_str().unwrap().to_owned())
    };
    assert_eq!(spawn("ann").await, ("ann".to_owned(), format!("{ORIGIN}/s/ann/")));
    assert_eq!(spawn("Bob-2").await.0, "bob-2");
    for name in ["www", "Admin", "xn--nn-mia", "léa", "a.b", "a b", "-x", &"y".repeat(64)] {
        let (label, _) = spawn(name).await;
        assert_eq!(label.len(), 12, "{name} got {label}");
    }
    // Somebody has the label: a session that was made when nobody was called so.
    let eve = desk.log_in("eve", Role::User).await;
    let taken = desk.session(&eve.user, "Mine").await.label.to_string();
    let (label, _) = spawn(&taken).await;
    assert!(label != taken && label.len() == 12, "{label}");

    let refused = desk.program(Method::POST, "/api/v1/spawn", "wrong", &json!({ "username": "x" })).await;
    assert_eq!(refused.0, StatusCode::UNAUTHORIZED);
}

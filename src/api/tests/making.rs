//! Making sessions, and what is done with them.

use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use super::{Desk, TOKEN, until};
use crate::session::StateKind;
use crate::store::Role;

const SESSIONS: &str = "/api/v1/sessions";

#[tokio::test]
async fn a_session_is_made_for_oneself_and_by_administrators_for_others() {
    let desk = Desk::new();
    let ann = desk.log_in("ann", Role::User).await;
    let (_bob, root) = (desk.log_in("bob", Role::User).await, desk.log_in("root", Role::Admin).await);
    let wish = json!({ "template": "desktop" });
    let (status, first) = desk.send(Method::POST, SESSIONS, Some(&ann), true, &wish).await;
    assert_eq!((status, &first["owner"]), (StatusCode::ACCEPTED, &"ann".into()), "{first}");
    assert_eq!(first["limits"]["away_s"], 3600);
    let (_, second) = desk.send(Method::POST, SESSIONS, Some(&ann), true, &wish).await;
    assert_eq!(second["name"], format!("{} 2", first["name"].as_str().unwrap()), "a free name is found");

    let named = json!({ "template": "desktop", "name": first["name"] });
    let taken = desk.send(Method::POST, SESSIONS, Some(&ann), true, &named).await;
    assert_eq!(taken, (StatusCode::CONFLICT, "name_taken".into()));
    for (wish, code) in [
        (json!({ "template": "nothing" }), "template_unknown"),
        (json!({ "template": "desktop", "name": " " }), "field_invalid"),
        (json!({ "template": "desktop", "nme": "x" }), "field_invalid"),
        (json!({ "template": 7 }), "field_invalid"),
        (json!({}), "field_invalid"),
    ] {
        let refused = desk.send(Method::POST, SESSIONS, Some(&ann), true, &wish).await;
        assert_eq!(refused, (StatusCode::UNPROCESSABLE_ENTITY, code.into()), "{wish}");
    }

    let for_bob = json!({ "template": "app", "name": "Lesson", "owner": "bob" });
    let foreign = desk.send(Method::POST, SESSIONS, Some(&ann), true, &for_bob).await;
    assert_eq!(foreign, (StatusCode::FORBIDDEN, "owner_foreign".into()));
    let (status, made) = desk.send(Method::POST, SESSIONS, Some(&root), true, &for_bob).await;
    assert_eq!(
        (status, &made["owner"], &made["name"]),
        (StatusCode::ACCEPTED, &"bob".into(), &"Lesson".into())
    );
    // Whoever has the bootstrap token is nobody who could own one.
    let unowned = desk.program(Method::POST, SESSIONS, TOKEN, &wish).await;
    assert_eq!(unowned, (StatusCode::UNPROCESSABLE_ENTITY, "field_invalid".into()));
    let nobody = json!({ "template": "app", "owner": "nobody" });
    let unknown = desk.program(Method::POST, SESSIONS, TOKEN, &nobody).await;
    assert_eq!(unknown, (StatusCode::UNPROCESSABLE_ENTITY, "grantee_unknown".into()));
}

#[tokio::test]
async fn what_was_made_says_where_it_is() {
    let desk = Desk::new();
    desk.log_in("ann", Role::User).await;
    let request = Request::post(SESSIONS)
        .header(AUTHORIZATION, format!("Bearer {TOKEN}"))
        .header(CONTENT_TYPE, "application/json")
        .body(Full::from(json!({ "template": "app", "owner": "ann" }).to_string()))
        .unwrap();
    let made = desk.api.handle(request, std::net::Ipv4Addr::LOCALHOST.into()).await.unwrap();
    let at = made.headers()[LOCATION].to_str().unwrap().to_owned();
    let (status, session) = desk.program(Method::GET, &at, TOKEN, &Value::Null).await;
    assert_eq!((status, at), (StatusCode::OK, format!("{SESSIONS}/{}", session["label"].as_str().unwrap())));
}

#[tokio::test]
async fn the_verbs_do_what_the_buttons_do() {
    let desk = Desk::new();
    let ann = desk.log_in("ann", Role::User).await;
    let entry = desk.session(&ann.user, "Mine").await;
    let path = format!("{SESSIONS}/{}", entry.label);
    let press =
        async |verb: &str| desk.ask(Method::POST, &format!("{path}/{verb}"), Some(&ann), true).await.0;
    assert_eq!(press("stop").await, StatusCode::ACCEPTED);
    until(&entry, StateKind::Stopped).await;
    assert_eq!(press("stop").await, StatusCode::CONFLICT, "it rests already");
    for verb in ["restart", "reset"] {
        assert_eq!(press(verb).await, StatusCode::ACCEPTED, "{verb}");
        until(&entry, StateKind::Ready).await;
    }
    let sure = json!({ "home": true });
    let unsure = desk.send(Method::POST, &format!("{path}/reset"), Some(&ann), true, &sure).await;
    assert_eq!(unsure, (StatusCode::CONFLICT, "unconfirmed".into()));

    assert_eq!(desk.ask(Method::DELETE, &path, Some(&ann), true).await.0, StatusCode::NO_CONTENT);
    assert!(desk.broker.find(entry.label.as_str()).is_none());
    assert_eq!(desk.get(&path, &ann).await, (StatusCode::NOT_FOUND, "session_unknown".into()));
}

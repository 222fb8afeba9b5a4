//! Tokens of programs: what each may be used for, and how they end.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Desk, Login, TOKEN};
use crate::audit::Actor;
use crate::store::Role;

const TOKENS: &str = "/api/v1/tokens";
const SESSIONS: &str = "/api/v1/sessions";

/// Makes a token and returns its text and address.
async fn made(desk: &Desk, by: &Login, wish: Value) -> (String, String) {
    let (status, made) = desk.send(Method::POST, TOKENS, Some(by), true, &wish).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let id = made["token"]["id"].as_str().unwrap();
    (made["secret"].as_str().unwrap().to_owned(), format!("{TOKENS}/{id}"))
}

async fn get(desk: &Desk, path: &str, token: &str) -> (StatusCode, Value) {
    desk.program(Method::GET, path, token, &Value::Null).await
}

#[tokio::test]
async fn a_token_may_be_used_for_what_its_scopes_say() {
    let desk = Desk::new();
    let (ann, root) = (desk.log_in("ann", Role::User).await, desk.log_in("root", Role::Admin).await);
    let entry = desk.session(&ann.user, "Mine").await;
    let pause = format!("{SESSIONS}/{}/pause", entry.label);
    // (scopes, user) -> (sessions seen, pause, status, tokens)
    let (ok, done, none) = (StatusCode::OK, StatusCode::ACCEPTED, StatusCode::FORBIDDEN);
    for (scopes, user, seen, paused, status) in [
        (json!(["sessions:read"]), Value::Null, Some(1), none, none),
        (json!(["sessions:read"]), json!("ann"), Some(1), none, none),
        (json!(["sessions:read"]), json!("root"), Some(0), none, none),
        (json!(["sessions:write"]), json!("root"), Some(0), StatusCode::NOT_FOUND, none),
        (json!(["sessions:write"]), json!("ann"), Some(1), done, none),
        (json!(["users:write"]), Value::Null, None, none, none),
        // Being bound gives nothing that its user does not have.
        (json!(["admin", "sessions:read"]), json!("ann"), Some(1), none, none),
        (json!(["admin"]), json!("root"), Some(1), done, ok),
        (json!(["admin"]), Value::Null, Some(1), done, ok),
    ] {
        let wish = json!({ "name": "ci", "scopes": scopes, "user": user });
        let (token, _) = made(&desk, &root, wish.clone()).await;
        let (listed, sessions) = get(&desk, SESSIONS, &token).await;
        let items = sessions["items"].as_array().map(Vec::len);
        assert_eq!((listed == ok, items), (seen.is_some(), seen), "{wish}");
        assert_eq!(desk.program(Method::POST, &pause, &token, &Value::Null).await.0, paused, "{wish}");
        assert_eq!(get(&desk, "/status", &token).await.0, status, "{wish}");
        assert_eq!(get(&desk, TOKENS, &token).await.0, status, "{wish}");
        let more = json!({ "name": "more", "scopes": ["sessions:read"] });
        let begotten = desk.program(Method::POST, TOKENS, &token, &more).await.0;
        assert_eq!(begotten == StatusCode::CREATED, status == ok, "{wish}");
        desk.broker.resume(&entry, &Actor::cli()).await.unwrap();
    }
    let lines = desk.store.audit(0, 1000).await.unwrap();
    assert!(lines.iter().any(|line| line.body.contains("\"token_refused\"")));
}

#[tokio::test]
async fn everybody_makes_tokens_for_themself_and_sees_no_others() {
    let desk = Desk::new();
    let (ann, root) = (desk.log_in("ann", Role::User).await, desk.log_in("root", Role::Admin).await);
    for wish in [
        json!({ "name": "x", "scopes": ["admin"] }),
        json!({ "name": "x", "scopes": ["sessions:read", "users:write"] }),
        json!({ "name": "x", "scopes": ["sessions:read"], "user": "root" }),
    ] {
        let refused = desk.send(Method::POST, TOKENS, Some(&ann), true, &wish).await;
        assert_eq!(refused, (StatusCode::FORBIDDEN, "token_denied".into()), "{wish}");
    }
    for (wish, code) in [
        (json!({ "name": "x", "scopes": [] }), "field_invalid"),
        (json!({ "name": "x", "scopes": ["all"] }), "field_invalid"),
        (json!({ "name": "x", "scopes": ["sessions:read"], "lasts_s": 0 }), "field_invalid"),
        (json!({ "name": "", "scopes": ["sessions:read"] }), "name_invalid"),
        (json!({ "name": "x", "scopes": ["sessions:read"], "user": "nobody" }), "grantee_unknown"),
    ] {
        let refused = desk.send(Method::POST, TOKENS, Some(&root), true, &wish).await;
        assert_eq!(refused, (StatusCode::UNPROCESSABLE_ENTITY, code.into()), "{wish}");
    }
    let (token, at) =
        made(&desk, &ann, json!({ "name": "mine", "scopes": ["sessions:read"], "lasts_s": 60 })).await;
    let (_, other) = made(&desk, &root, json!({ "name": "theirs", "scopes": ["admin"] })).await;
    assert!(token.starts_with("berth_"));
    assert_eq!(get(&desk, SESSIONS, &token).await.0, StatusCode::OK);

    let names = async |login: &Login| {
        let (_, page) = desk.get(TOKENS, login).await;
        let names = page["items"].as_array().unwrap().iter();
        names.map(|token| token["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&ann).await, ["mine"]);
    assert_eq!(names(&root).await, ["mine", "theirs"]);
    let (_, page) = desk.get(TOKENS, &ann).await;
    let mine = &page["items"][0];
    assert_eq!((&mine["user"], &mine["created_by"]), (&"ann".into(), &"ann".into()));
    assert!(mine["expires_at"].is_string() && mine["last_used_at"].is_string(), "{mine}");
    assert!(!page.to_string().contains(&token), "its text is told once");

    assert_eq!(desk.ask(Method::DELETE, &other, Some(&ann), true).await.0, StatusCode::NOT_FOUND);
    assert_eq!(desk.ask(Method::DELETE, &at, Some(&ann), true).await.0, StatusCode::NO_CONTENT);
    assert_eq!(get(&desk, SESSIONS, &token).await, (StatusCode::UNAUTHORIZED, "token_invalid".into()));
}

#[tokio::test]
async fn tokens_die_with_their_user() {
    let desk = Desk::new();
    let (ann, bob, root) = (
        desk.log_in("ann", Role::User).await,
        desk.log_in("bob", Role::User).await,
        desk.log_in("root", Role::Admin).await,
    );
    let read = |user: Value| json!({ "name": "x", "scopes": ["sessions:read"], "user": user });
    let (of_ann, _) = made(&desk, &ann, read(Value::Null)).await;
    let (of_bob, _) = made(&desk, &root, read(json!("bob"))).await;
    let (free, _) = made(&desk, &root, read(Value::Null)).await;
    for token in [&of_ann, &of_bob, &free] {
        assert_eq!(get(&desk, SESSIONS, token).await.0, StatusCode::OK);
    }
    desk.auth.disable_user(&Actor::cli(), ann.user.id).await.unwrap();
    desk.auth.remove_user(&Actor::cli(), bob.user.id).await.unwrap();
    for (token, status) in
        [(&of_ann, StatusCode::UNAUTHORIZED), (&of_bob, StatusCode::UNAUTHORIZED), (&free, StatusCode::OK)]
    {
        assert_eq!(get(&desk, SESSIONS, token).await.0, status);
    }
    // It does not come back with them.
    desk.auth.enable_user(&Actor::cli(), ann.user.id).await.unwrap();
    assert_eq!(get(&desk, SESSIONS, &of_ann).await.0, StatusCode::UNAUTHORIZED);
    let (_, left) = get(&desk, TOKENS, TOKEN).await;
    assert_eq!(left["items"].as_array().unwrap().len(), 1, "{left}");
}

#[tokio::test]
async fn a_token_that_another_process_revoked_is_refused_after_the_next_look() {
    let desk = Desk::new();
    let root = desk.log_in("root", Role::Admin).await;
    let (token, _) = made(&desk, &root, json!({ "name": "x", "scopes": ["sessions:read"] })).await;
    assert_eq!(get(&desk, SESSIONS, &token).await.0, StatusCode::OK);
    let stored = desk.store.api_tokens().await.unwrap();
    desk.store.remove_api_token(stored[0].id).await.unwrap();
    desk.auth.resync().await.unwrap();
    assert_eq!(get(&desk, SESSIONS, &token).await.0, StatusCode::UNAUTHORIZED);
}

/// Scripts of the systems that Berth replaces need no administrator's token.
#[tokio::test]
async fn what_is_asked_for_clients_needs_everybody_s_sessions_and_no_more() {
    let desk = Desk::new();
    let root = desk.log_in("root", Role::Admin).await;
    desk.log_in("ann", Role::User).await;
    let (ok, created, no) = (StatusCode::OK, StatusCode::CREATED, StatusCode::FORBIDDEN);
    // (scopes, user) -> (remove-all, spawn for a user, for one who is to be created, its code)
    for (scopes, user, removed, known, new, code) in [
        (json!(["sessions:write"]), Value::Null, ok, created, no, "scope_missing"),
        (json!(["sessions:write", "users:write"]), Value::Null, ok, ok, created, ""),
        (json!(["users:write"]), Value::Null, no, no, no, "scope_missing"),
        (json!(["sessions:read"]), Value::Null, no, no, no, "scope_missing"),
        (json!(["sessions:write"]), json!("ann"), no, no, no, "token_bound"),
    ] {
        let wish = json!({ "name": "script", "scopes": scopes, "user": user });
        let (token, _) = made(&desk, &root, wish.clone()).await;
        assert_eq!(get(&desk, "/remove-all", &token).await.0, removed, "{wish}");
        let spawn = async |name: &str| {
            let asked = json!({ "username": name });
            desk.program(Method::POST, "/api/v1/spawn", &token, &asked).await
        };
        assert_eq!(spawn("ann").await.0, known, "{wish}");
        let (status, told) = spawn("new").await;
        assert_eq!((status, told.as_str().unwrap_or_default()), (new, code), "{wish}");
    }
}

//! Users whom a script of the desktop manager makes with their desktops.

use super::*;

const SPAWN: &str = "/api/v1/spawn";

impl Desk {
    async fn spawn(&self, name: &str, key: Option<&str>) -> (StatusCode, Value) {
        let mut request = Request::post(SPAWN)
            .header(AUTHORIZATION, format!("Bearer {TOKEN}"))
            .header(CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        // That manager ignored what it did not know.
        let wish = json!({ "username": name, "resolution": "1280x800" });
        self.answer(request.body(Full::from(wish.to_string())).unwrap()).await
    }

    async fn lines(&self) -> String {
        self.store.audit(0, 1000).await.unwrap().into_iter().map(|line| line.body).collect()
    }
}

#[tokio::test]
async fn whoever_is_made_is_told_a_first_password_once() {
    let desk = Desk::new();
    let (status, told) = desk.spawn("zoe", Some("one")).await;
    assert_eq!(status, StatusCode::CREATED, "{told}");
    let first = told["first_password"].as_str().unwrap().to_owned();
    let from = Visitor { address: std::net::Ipv4Addr::LOCALHOST.into(), user_agent: String::new() };
    let login = desk.auth.log_in("zoe", &Secret::new(first.clone()), &from).await.unwrap();
    assert!(login.principal.must_change, "it is for the first login only");

    let (status, again) = desk.spawn("zoe", Some("one")).await;
    assert_eq!((status, &again["first_password"]), (StatusCode::CREATED, &Value::Null));
    assert_eq!(again["session"]["id"], told["session"]["id"]);
    let (status, there) = desk.spawn("zoe", None).await;
    assert_eq!((status, &there["first_password"]), (StatusCode::OK, &Value::Null));
    assert!(!desk.lines().await.contains(&first));

    desk.log_in("ann", Role::User).await;
    let (status, known) = desk.spawn("ann", None).await;
    assert_eq!((status, &known["first_password"]), (StatusCode::CREATED, &Value::Null));
}

/// Their password was told to nobody, and the next attempt found them there already.
#[tokio::test]
async fn whoever_was_made_for_a_desktop_that_is_refused_is_made_anew() {
    let desk = Desk::new();
    let script = async |path: String| desk.program(Method::GET, &path, TOKEN, &Value::Null).await.0;
    for number in 0..desk.broker.settings().max_sessions {
        assert_eq!(script(format!("/access?id={number}")).await, StatusCode::SEE_OTHER);
    }
    let refused = desk.spawn("zoe", None).await;
    assert_eq!(refused, (StatusCode::TOO_MANY_REQUESTS, "full".into()));
    assert!(desk.store.user_by_name("zoe").await.unwrap().is_none());
    assert_eq!(script("/remove?id=0".to_owned()).await, StatusCode::OK);
    let (status, told) = desk.spawn("zoe", None).await;
    assert_eq!(status, StatusCode::CREATED, "{told}");
    assert!(told["first_password"].is_string(), "{told}");
}

#[tokio::test]
async fn every_refusal_has_the_manager_s_words_in_it() {
    let desk = Desk::new();
    for (method, path, text, code) in [
        (Method::POST, SPAWN, r#"{"username": ""}"#, "name_invalid"),
        (Method::POST, SPAWN, r#"["zoe"]"#, "field_invalid"),
        (Method::POST, SPAWN, "{", "malformed"),
        (Method::GET, SPAWN, "", "method"),
        (Method::POST, "/api/v1/remove", r#"{"username": "nobody"}"#, "user_unknown"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(AUTHORIZATION, format!("Bearer {TOKEN}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::<Bytes>::from(text))
            .unwrap();
        let refused = desk.api.handle(request, [192, 0, 2, 7].into()).await.unwrap_err();
        assert_eq!(refused.code(), code, "{path} {text}");
        let words = [("success", Value::from(false)), ("error", Value::from(refused.public()))];
        assert_eq!(refused.members(), words, "{path} {text}");
    }
}

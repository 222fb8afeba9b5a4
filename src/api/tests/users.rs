//! Users, their logins and lists of them.

use serde_json::json;

use super::*;

#[tokio::test]
async fn users_are_for_administrators_from_creation_to_removal() {
    let desk = Desk::new();
    let (ann, root) = (desk.log_in("ann", Role::User).await, desk.log_in("root", Role::Admin).await);
    assert_eq!(desk.get("/api/v1/users", &ann).await.0, StatusCode::NOT_FOUND);
    let send = async |method, path: &str, document: Value| {
        desk.send(method, path, Some(&root), true, &document).await
    };
    let new = json!({ "name": "bob", "must_change": true, "limits": { "max_sessions": 5, "templates": ["desktop"] } });
    let (status, created) = send(Method::POST, "/api/v1/users", new.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{created}");
    assert_eq!(created["password"].as_str().map(str::len), Some(19), "it is made, and told this once");
    assert_eq!(created["user"]["limits"]["templates"], json!(["desktop"]));
    assert_eq!(send(Method::POST, "/api/v1/users", new).await, (StatusCode::CONFLICT, "user_taken".into()));

    let change = json!({ "role": "admin", "disabled": true, "limits": { "max_cpus": 1.5 } });
    let (status, changed) = send(Method::PATCH, "/api/v1/users/bob", change).await;
    assert_eq!(
        (status, &changed["role"], &changed["disabled"]),
        (StatusCode::OK, &"admin".into(), &true.into())
    );
    assert_eq!(
        changed["limits"],
        json!({ "max_sessions": null, "max_cpus": 1.5, "max_memory_mib": null, "templates": null })
    );
    let last = send(Method::PATCH, "/api/v1/users/root", json!({ "role": "user" })).await;
    assert_eq!(last, (StatusCode::CONFLICT, "last_admin".into()));
    let wild = send(Method::PATCH, "/api/v1/users/bob", json!({ "limits": { "max_cpus": 1e9 } })).await;
    assert_eq!(wild, (StatusCode::UNPROCESSABLE_ENTITY, "limits_invalid".into()));
    let unknown = send(Method::PATCH, "/api/v1/users/bob", json!({ "name": "bert" })).await;
    assert_eq!(unknown, (StatusCode::UNPROCESSABLE_ENTITY, "field_invalid".into()));

    let (_, page) = desk.get("/api/v1/users?limit=2", &root).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    let next = page["next"].as_str().unwrap();
    let (_, rest) = desk.get(&format!("/api/v1/users?limit=2&cursor={next}"), &root).await;
    assert_eq!((&rest["items"][0]["name"], &rest["next"]), (&"root".into(), &Value::Null));
    let (_, disabled) = desk.get("/api/v1/users?disabled=true&sort=created&search=B", &root).await;
    assert_eq!(disabled["items"][0]["name"], "bob");
    assert_eq!(desk.get("/api/v1/users?cursor=%21", &root).await.1, "field_invalid");

    desk.session(&ann.user, "Mine").await;
    let (status, removed) = send(Method::DELETE, "/api/v1/users/ann?home=remove", Value::Null).await;
    assert_eq!((status, removed), (StatusCode::OK, json!({ "sessions": 1, "home_kept": null })));
    assert_eq!(desk.get("/api/v1/users/ann", &root).await.1, "user_unknown");
    assert!(ann.principal.revocation.is_revoked());
}

#[tokio::test]
async fn logins_are_listed_and_ended_and_a_first_password_opens_nothing() {
    let desk = Desk::new();
    let (ann, root) = (desk.log_in("ann", Role::User).await, desk.log_in("root", Role::Admin).await);
    let (_, logins) = desk.get("/api/v1/users/ann/logins", &root).await;
    let id = logins["items"][0]["id"].as_str().unwrap();
    assert_eq!(logins["items"][0]["address"], "127.0.0.1");
    let end = async |path: &str| desk.ask(Method::DELETE, path, Some(&root), true).await.0;
    assert_eq!(end(&format!("/api/v1/users/ann/logins/{id}")).await, StatusCode::NO_CONTENT);
    assert!(ann.principal.revocation.is_revoked());
    assert_eq!(end(&format!("/api/v1/users/ann/logins/{id}")).await, StatusCode::NO_CONTENT, "also fine");
    assert_eq!(end("/api/v1/users/ann/logins/x").await, StatusCode::NOT_FOUND);
    assert_eq!(end("/api/v1/users/ann/logins").await, StatusCode::NO_CONTENT);

    let path = "/api/v1/users/ann/password";
    let (_, set) = desk.send(Method::POST, path, Some(&root), true, &json!({ "must_change": true })).await;
    let password = Secret::new(set["password"].as_str().unwrap().to_owned());
    let from = Visitor { address: std::net::Ipv4Addr::LOCALHOST.into(), user_agent: String::new() };
    let login = desk.auth.log_in("ann", &password, &from).await.unwrap();
    let ann = Login { token: login.token.expose().clone(), principal: login.principal, user: ann.user };
    let refused = desk.get("/api/v1/sessions", &ann).await;
    assert_eq!(refused, (StatusCode::FORBIDDEN, "password_change_required".into()));
}

#[tokio::test]
async fn a_list_is_tried_and_then_taken_in() {
    let desk = Desk::new();
    let root = desk.log_in("root", Role::Admin).await;
    let list = "name,role,password\nann,,\nbob,teacher,\ncyd,user,a fine password\n";
    let import = async |query: &str, list: &str| {
        let request = Request::post(format!("/api/v1/users/import{query}"))
            .header(COOKIE, format!("{}={}", cookies::PORTAL, root.token))
            .header("x-csrf-token", root.principal.csrf.expose())
            .header(CONTENT_TYPE, "text/csv");
        desk.answer(request.body(Full::from(list.to_owned())).unwrap()).await
    };
    let (status, tried) = import("?dry_run=true", list).await;
    assert_eq!((status, &tried["created"], &tried["refused"]), (StatusCode::OK, &2.into(), &1.into()));
    assert_eq!(tried["results"][1]["code"], "cell_invalid");
    assert_eq!(desk.store.users().await.unwrap().len(), 1);
    let (_, done) = import("", list).await;
    assert_eq!((&done["created"], &done["dry_run"]), (&2.into(), &false.into()));
    assert!(done["results"][0]["password"].is_string() && done["results"][2]["password"].is_null(), "{done}");
    let (_, again) = import("", list).await;
    assert_eq!(again["exists"], 2);
    assert_eq!(import("", "nom\nann\n").await.1, "column_unknown");
    let long = format!("name\n{}", "x".repeat(100 * 1024));
    assert_eq!(
        import("?dry_run=true", &long).await.1["results"][0]["code"],
        "name_invalid",
        "more than a document"
    );
}

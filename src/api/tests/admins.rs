//! What is for administrators alone: homes, the outlook of a removal, the audit.

use super::*;

#[tokio::test]
async fn homes_and_the_outlook_of_a_removal_are_for_administrators() {
    let desk = Desk::new();
    let (ann, root) = (desk.log_in("ann", Role::User).await, desk.log_in("root", Role::Admin).await);
    desk.session(&ann.user, "My private name").await;
    let wish = json!({ "name": "keeper", "scopes": ["users:write"] });
    let (_, made) = desk.send(Method::POST, "/api/v1/tokens", Some(&root), true, &wish).await;
    let keeper = made["secret"].as_str().unwrap();
    let copy = json!({ "copy": "20260131-081500" });
    let (restore, removal) = ("/api/v1/users/ann/home/restore", "/api/v1/users/ann/removal");
    // (method, path, document) -> (for administrators, for a keeper of users)
    for (method, path, document, admin, kept) in [
        (Method::GET, "/api/v1/homes", &Value::Null, StatusCode::OK, StatusCode::FORBIDDEN),
        (Method::POST, restore, &copy, StatusCode::NOT_FOUND, StatusCode::FORBIDDEN),
        (Method::GET, removal, &Value::Null, StatusCode::OK, StatusCode::OK),
    ] {
        let refused = desk.send(method.clone(), path, Some(&ann), true, document).await;
        assert_eq!(refused, (StatusCode::NOT_FOUND, "not_found".into()), "{path}");
        let anonymous = desk.send(method.clone(), path, None, false, document).await;
        assert_eq!(anonymous, (StatusCode::UNAUTHORIZED, "login_required".into()), "{path}");
        assert_eq!(desk.program(method.clone(), path, keeper, document).await.0, kept, "{path}");
        let (status, told) = desk.send(method, path, Some(&root), true, document).await;
        assert_eq!(status, admin, "{path}: {told}");
        assert_ne!(told, Value::from("not_found"), "{path}");
    }
    // Whoever keeps users may not read sessions: how many there are, not what they are called.
    let (_, outlook) = desk.program(Method::GET, removal, keeper, &Value::Null).await;
    assert_eq!((&outlook["sessions"], &outlook["running"]), (&1.into(), &1.into()));
    assert!(!outlook.to_string().contains("private"), "{outlook}");
}

/// A page goes on where the one before ended, and never beyond the bounds that were given with it.
#[tokio::test]
async fn the_audit_is_read_in_pages_between_bounds_from_either_end() {
    let desk = Desk::new();
    let root = desk.log_in("root", Role::Admin).await;
    for name in ["ann", "bob", "cyd", "dan", "eve"] {
        desk.log_in(name, Role::User).await;
    }
    let read = async |query: &str| {
        let mut numbers = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/api/v1/audit?limit=3{query}{cursor}");
            let (status, page) = desk.get(&path, &root).await;
            assert_eq!(status, StatusCode::OK, "{path}: {page}");
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= 3, "{path}");
            numbers.extend(items.iter().map(|item| item["number"].as_u64().unwrap()));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return numbers,
            }
        }
    };
    let (rising, falling) = (|from, to| (from..=to).collect(), |from, to| (from..=to).rev().collect());
    let oldest = "&order=oldest_first";
    for (query, expected) in [
        ("&after=2&before=11".to_owned(), falling(3, 10)),
        ("&after=2&before=11&order=newest_first".to_owned(), falling(3, 10)),
        (format!("&after=2&before=11{oldest}"), rising(3, 10)),
        (format!("&after=7&before=9{oldest}"), rising(8, 8)),
        ("&before=5".to_owned(), falling(1, 4)),
        (format!("&before=5{oldest}"), rising(1, 4)),
        ("&after=9&before=10".to_owned(), Vec::new()),
    ] {
        let read: Vec<u64> = read(&query).await;
        assert_eq!(read, expected, "{query}");
    }
    let flawed = desk.get("/api/v1/audit?order=sideways", &root).await;
    assert_eq!(flawed, (StatusCode::UNPROCESSABLE_ENTITY, "field_invalid".into()));
}

//! Tokens of programs on pages.

use http::StatusCode;

use super::desk::{Browser, Desk};
use crate::session::Routing;
use crate::store::Role;

/// The text of the token that a page shows.
fn secret(page: &str) -> Option<String> {
    let start = page.find("value=\"berth_")? + 7;
    page[start..].split('"').next().map(str::to_owned)
}

async fn fill(browser: &mut Browser<'_>, page: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
    let csrf = browser.get(page).await.csrf();
    let mut all = vec![("csrf", csrf.as_str())];
    all.extend(fields);
    let answer = browser.post(page, &all).await;
    (answer.status, answer.text)
}

#[tokio::test]
async fn a_user_makes_a_token_sees_it_once_and_revokes_it() {
    let desk = Desk::new(Routing::Path);
    desk.user("ann", Role::User).await;
    let mut ann = desk.log_in("ann").await;
    let own = "/account/tokens";
    let wish = [("name", "Timetable"), ("sessions_write", "yes"), ("lasts", "30")];
    let (status, page) = fill(&mut ann, own, &wish).await;
    assert_eq!(status, StatusCode::OK);
    let token = secret(&page).expect("it is shown");
    let holder = desk.auth.bearer(&token).await.unwrap();
    assert_eq!((holder.name.as_str(), holder.scopes.to_string()), ("ann", "sessions:write".to_owned()));
    let page = ann.get(own).await.text;
    assert!(page.contains("<bdi>Timetable</bdi>") && secret(&page).is_none(), "once: {page}");

    let id = desk.store.api_tokens().await.unwrap()[0].id;
    let answer = ann.press(&format!("{own}/{id}/revoke")).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, own));
    assert!(desk.auth.bearer(&token).await.is_err() && holder.revocation.is_revoked());
    let again = ann.press(&format!("{own}/{id}/revoke")).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER, "gone already is no error");
}

#[tokio::test]
async fn a_form_that_is_refused_keeps_what_was_typed_and_says_why_beside_the_field() {
    let desk = Desk::new(Routing::Path);
    desk.user("root", Role::Admin).await;
    let mut root = desk.log_in("root").await;
    for (fields, problem) in [
        (vec![("name", "A name")], "token-scopes-problem"),
        (vec![("name", " "), ("admin", "yes")], "token-name-problem"),
        (vec![("name", "A name"), ("admin", "yes"), ("user", "nobody")], "token-user-problem"),
    ] {
        let (status, page) = fill(&mut root, "/admin/tokens", &fields).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        assert!(page.contains(&format!("id=\"{problem}\"")), "{fields:?}: {page}");
        for (name, typed) in fields.iter().filter(|(name, _)| *name != "admin") {
            assert!(page.contains(&format!("value=\"{typed}\"")), "{name} is kept: {page}");
        }
        assert_eq!(page.contains(" checked"), fields.iter().any(|(name, _)| *name == "admin"));
    }
    assert!(desk.store.api_tokens().await.unwrap().is_empty());
}

#[tokio::test]
async fn nobody_but_an_administrator_sees_or_makes_what_is_not_their_own() {
    let desk = Desk::new(Routing::Path);
    desk.user("ann", Role::User).await;
    desk.user("root", Role::Admin).await;
    let (mut ann, mut root) = (desk.log_in("ann").await, desk.log_in("root").await);
    assert_eq!(ann.get("/admin/tokens").await.status, StatusCode::NOT_FOUND);
    let wish = [("name", "Everything"), ("admin", "yes"), ("user", "ann"), ("lasts", "0")];
    let (status, page) = fill(&mut root, "/admin/tokens", &wish).await;
    assert_eq!(status, StatusCode::OK);
    let token = secret(&page).expect("it is shown");
    // Being bound gives nothing that its user does not have.
    assert_eq!(desk.auth.bearer(&token).await.unwrap().role, Role::User);
    let csrf = ann.get("/").await.csrf();
    for path in ["/admin/tokens", "/account/tokens"] {
        let forged = [("csrf", csrf.as_str()), ("name", "Mine"), ("admin", "yes"), ("user", "root")];
        let refused = ann.post(path, &forged).await;
        assert!(refused.status.is_client_error() && secret(&refused.text).is_none(), "{path}");
    }
    let (_, page) = fill(&mut root, "/admin/tokens", &[("name", "Free"), ("sessions_read", "yes")]).await;
    assert!(page.contains("<bdi>Everything</bdi>") && page.contains("<bdi>Free</bdi>"), "{page}");
    let own = ann.get("/account/tokens").await.text;
    assert!(own.contains("<bdi>Everything</bdi>") && !own.contains("<bdi>Free</bdi>"), "{own}");
    let free = desk.store.api_tokens().await.unwrap().into_iter().find(|token| token.user.is_none()).unwrap();
    let refused = ann.press(&format!("/account/tokens/{}/revoke", free.id)).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let done = root.press(&format!("/admin/tokens/{}/revoke", free.id)).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/admin/tokens"));
}

use http::StatusCode;

use super::desk::{Desk, ORIGIN, PASSWORD};
use crate::session::Routing;
use crate::store::Role;

#[tokio::test]
async fn somebody_logs_in_sees_the_dashboard_and_logs_out() {
    let desk = Desk::new(Routing::Path);
    desk.user("ann", Role::User).await;
    let mut browser = desk.browser();

    let turned_away = browser.get("/s/x?a=1").await;
    assert_eq!(turned_away.status, StatusCode::NOT_FOUND, "sessions are the data plane's");
    let turned_away = browser.get("/sessions/kx2").await;
    assert_eq!(
        (turned_away.status, turned_away.location()),
        (StatusCode::SEE_OTHER, "/login?next=/sessions/kx2")
    );

    let form = browser.get("/login?next=/admin").await;
    let csrf = form.csrf();
    let fields = [("csrf", csrf.as_str()), ("next", "/admin"), ("name", "Ann"), ("password", PASSWORD)];
    let entered = browser.post("/login", &fields).await;
    assert_eq!((entered.status, entered.location()), (StatusCode::SEE_OTHER, "/admin"));
    assert!(
        browser.cookies.contains_key("__Host-berth") && !browser.cookies.contains_key("__Host-berth-form")
    );

    let dashboard = browser.get("/").await;
    assert_eq!(dashboard.status, StatusCode::OK);
    assert!(dashboard.text.contains("Your machines") && dashboard.text.contains("<bdi>ann</bdi>"));
    assert_eq!(browser.get("/login").await.location(), "/", "who is logged in needs no form");

    let login = browser.cookies.clone();
    let out = browser.press("/logout").await;
    assert_eq!((out.status, out.location()), (StatusCode::SEE_OTHER, "/login?out=yes"));
    assert!(browser.cookies.is_empty());
    browser.cookies = login;
    assert_eq!(browser.get("/").await.location(), "/login", "the login ended on our side too");
}

#[tokio::test]
async fn a_wrong_password_keeps_the_name_and_says_nothing_more() {
    let desk = Desk::new(Routing::Path);
    desk.user("ann", Role::User).await;
    let mut browser = desk.browser();
    let csrf = browser.get("/login").await.csrf();
    let mut answers = Vec::new();
    for name in ["ann", "bob"] {
        let answer =
            browser.post("/login", &[("csrf", &csrf), ("name", name), ("password", "not it at all")]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.text.contains(&format!("value=\"{name}\"")) && !answer.text.contains("not it at all"));
        // Its mask is another on every page.
        let csrf = answer.csrf();
        answers.push(answer.text.replace(&format!("\"{name}\""), "").replace(&csrf, ""));
    }
    assert_eq!(answers[0], answers[1], "an unknown name looks like a wrong password");
}

#[tokio::test]
async fn a_login_form_of_another_site_is_refused() {
    let desk = Desk::new(Routing::Path);
    desk.user("ann", Role::User).await;
    let fields = |csrf: &str| {
        [("csrf", csrf.to_owned()), ("name", "ann".to_owned()), ("password", PASSWORD.to_owned())]
    };
    for origin in [None, Some(ORIGIN), Some("https://evil.test"), Some("https://x.berth.test:8443")] {
        for with_token in [true, false] {
            let mut browser = desk.browser();
            let csrf = browser.get("/login").await.csrf();
            browser.origin = origin;
            let form = fields(if with_token { &csrf } else { "" });
            let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
            let answer = browser.post("/login", &form).await;
            let ours = with_token && origin.is_none_or(|origin| origin == ORIGIN);
            let expected = if ours { StatusCode::SEE_OTHER } else { StatusCode::FORBIDDEN };
            assert_eq!(answer.status, expected, "{origin:?} {with_token}");
            assert_eq!(browser.cookies.contains_key("__Host-berth"), ours);
        }
    }
}

#[tokio::test]
async fn a_login_leads_only_to_our_own_pages() {
    let desk = Desk::new(Routing::Path);
    desk.user("ann", Role::User).await;
    for next in ["//evil.test", "/\\evil.test", "https://evil.test", "/a\r\nSet-Cookie: x=1", "/.//evil.test"]
    {
        let mut browser = desk.browser();
        let csrf = browser.get("/login").await.csrf();
        let fields = [("csrf", csrf.as_str()), ("next", next), ("name", "ann"), ("password", PASSWORD)];
        assert_eq!(browser.post("/login", &fields).await.location(), "/", "{next}");
    }
}

#[tokio::test]
async fn somebody_changes_their_password_and_every_login_ends() {
    let desk = Desk::new(Routing::Path);
    desk.user("annabelle", Role::User).await;
    let mut elsewhere = desk.log_in("annabelle").await;
    let mut browser = desk.log_in("annabelle").await;
    let page = browser.get("/account").await;
    assert!(page.text.contains("href=\"/account\"") && page.text.contains("<bdi>annabelle</bdi>"));
    let csrf = page.csrf();
    let fresh = "another fine one";
    for (csrf, present, new, again, status, words) in [
        (csrf.as_str(), PASSWORD, "short", "short", 422, "id=\"new-problem\""),
        (&csrf, PASSWORD, "AnnaBelle", "AnnaBelle", 422, "same as the name"),
        (&csrf, PASSWORD, fresh, "another fine two", 422, "id=\"again-problem\""),
        (&csrf, PASSWORD, PASSWORD, PASSWORD, 422, "Choose another one"),
        (&csrf, "not it at all", fresh, fresh, 422, "id=\"present-problem\""),
        ("guess", PASSWORD, fresh, fresh, 403, "open for too long"),
    ] {
        let fields = [("csrf", csrf), ("present", present), ("new", new), ("again", again)];
        let answer = browser.post("/account", &fields).await;
        assert_eq!(answer.status.as_u16(), status, "{new}: {}", answer.text);
        assert!(answer.text.contains(words) && !answer.text.contains(fresh), "{new}: {}", answer.text);
    }
    assert_eq!(elsewhere.get("/").await.status, StatusCode::OK, "a refusal ends nothing");

    let fields = [("csrf", csrf.as_str()), ("present", PASSWORD), ("new", fresh), ("again", fresh)];
    let changed = browser.post("/account", &fields).await;
    assert_eq!((changed.status, changed.location()), (StatusCode::SEE_OTHER, "/login?changed=yes"));
    assert!(!browser.cookies.contains_key("__Host-berth"));
    assert_eq!(elsewhere.get("/").await.location(), "/login", "whoever knew the old one is out");
    let form = browser.get(changed.location()).await;
    assert!(form.text.contains("Your password is changed"), "{}", form.text);
    let csrf = form.csrf();
    for (password, status) in [(PASSWORD, StatusCode::UNAUTHORIZED), (fresh, StatusCode::SEE_OTHER)] {
        let fields = [("csrf", csrf.as_str()), ("name", "annabelle"), ("password", password)];
        assert_eq!(browser.post("/login", &fields).await.status, status);
    }
}

#[tokio::test]
async fn a_login_left_open_is_no_place_to_guess_the_password() {
    let desk = Desk::new(Routing::Path);
    desk.user("ann", Role::User).await;
    let mut browser = desk.log_in("ann").await;
    let csrf = browser.get("/account").await.csrf();
    let new = "another fine one";
    let mut last = StatusCode::OK;
    for guess in 0..12 {
        let guess = format!("a wrong guess {guess}");
        let fields = [("csrf", csrf.as_str()), ("present", &guess), ("new", new), ("again", new)];
        last = browser.post("/account", &fields).await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

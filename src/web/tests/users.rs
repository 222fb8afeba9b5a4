//! The admin's pages of users, and one's own account.

use http::StatusCode;

use super::desk::{Desk, PASSWORD};
use crate::language::Language;
use crate::respond::Place;
use crate::revocation::CloseReason;
use crate::session::{Routing, StateKind};
use crate::store::Role;

/// The password that a page shows, this once.
fn made(text: &str) -> String {
    let (_, rest) = text.split_once("<code id=\"made\">").expect("a password");
    rest.split('<').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_administrator_creates_changes_and_removes_a_user() {
    let desk = Desk::new(Routing::Path);
    desk.user("root", Role::Admin).await;
    let mut admin = desk.log_in("root").await;
    let csrf = admin.get("/admin/users").await.csrf();
    let typed = [("csrf", csrf.as_str()), ("name", "Zoé é."), ("role", "user"), ("max_sessions", "7")];
    let page = admin.post("/admin/users", &typed).await;
    let password = made(&page.text);
    let again = admin.post("/admin/users", &typed).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.text.contains("value=\"Zoé é.\"") && again.text.contains("new-user-problem"));
    let weak = [("csrf", csrf.as_str()), ("name", "bob"), ("password", "short"), ("must_change", "yes")];
    let weak = admin.post("/admin/users", &weak).await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(weak.text.contains("new-password-problem") && !weak.text.contains("value=\"short\""));

    let address = "/admin/users/Zo%C3%A9%20%C3%A9%2E";
    assert!(admin.get("/admin/users").await.text.contains(address));
    let page = admin.get(address).await;
    assert!(page.text.contains("name=\"max_sessions\" type=\"text\" inputmode=\"numeric\" value=\"7\""));
    let wrong = admin.post(&format!("{address}/limits"), &[("csrf", &csrf), ("templates", "nosuch")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("value=\"nosuch\""));
    let limits = [("csrf", csrf.as_str()), ("max_cpus", "1,5"), ("templates", "desktop")];
    assert_eq!(admin.post(&format!("{address}/limits"), &limits).await.status, StatusCode::SEE_OTHER);
    let zoe = desk.store.user_by_name("zoé é.").await.unwrap().unwrap();
    assert_eq!((zoe.limits.max_sessions, zoe.limits.max_cpus), (None, Some(1.5)));

    let mut theirs = desk.browser();
    let form = theirs.get("/login").await.csrf();
    let login = [("csrf", form.as_str()), ("name", "zoé é."), ("password", password.as_str())];
    assert_eq!(theirs.post("/login", &login).await.status, StatusCode::SEE_OTHER);
    let page = theirs.get("/").await.text;
    assert!(page.contains("value=\"desktop\"") && !page.contains("value=\"lab\""), "{page}");
    assert_eq!(theirs.get("/admin/users").await.status, StatusCode::NOT_FOUND);
    admin.press(&format!("{address}/disable")).await;
    assert_eq!(theirs.get("/").await.location(), "/login");
    assert!(admin.get(address).await.text.contains(&format!("{address}/enable")));

    let own = admin.post("/admin/users/root/role", &[("csrf", &csrf), ("role", "user")]).await;
    assert_eq!(own.status, StatusCode::CONFLICT);
    assert!(own.text.contains("role=\"alert\""), "it says why on the page");
    let gone = admin.post(&format!("{address}/delete"), &[("csrf", &csrf), ("home", "keep")]).await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER);
    assert!(admin.get(gone.location()).await.text.contains("Zoé é. was deleted"));
    assert_eq!(admin.get(address).await.status, StatusCode::NOT_FOUND);

    // The door lets no encoded slash pass.
    let slashed = desk.user("a/b", Role::User).await;
    let address = format!("/admin/users/{}", slashed.id);
    assert!(admin.get("/admin/users").await.text.contains(&format!("href=\"{address}\"")));
    assert!(admin.get(&address).await.text.contains("a/b"));
}

#[tokio::test]
async fn the_table_is_searched_filtered_and_read_part_by_part() {
    let desk = Desk::new(Routing::Path);
    desk.user("root", Role::Admin).await;
    let mut admin = desk.log_in("root").await;
    let csrf = admin.get("/admin/users").await.csrf();
    let names: Vec<String> = (10..70).map(|number| format!("pupil {number}")).collect();
    // Hashes of their own would take seconds.
    let hash = "$2b$04$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie";
    let rows = names.iter().map(|name| format!("{name},{hash}\n")).collect::<String>();
    let trial = admin.post_list("/admin/user-import", &csrf, &format!("name,password_hash\n{rows}")).await;
    let page = admin.get(trial.location()).await;
    assert!(
        page.text.contains("Nothing has been changed yet") && desk.store.users().await.unwrap().len() == 1
    );
    admin.press(trial.location()).await;
    let ended = loop {
        let page = admin.get(trial.location()).await;
        if page.text.contains("data-result=\"created\"") {
            break page;
        }
        assert!(page.text.contains("http-equiv=\"refresh\""), "{}", page.text);
        tokio::task::yield_now().await;
    };
    assert!(!ended.text.contains("/passwords\""), "no password was made");

    let first = admin.get("/admin/users?search=PUPIL&sort=name").await.text;
    assert!(first.contains("60 users") && first.contains("pupil 59") && !first.contains("pupil 60"));
    let next = first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let second = admin.get(&next.replace("&#38;", "&")).await.text;
    assert!(second.contains("pupil 60") && !second.contains("pupil 59") && !second.contains("rel=\"next\""));
    let previous = second.split("rel=\"prev\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let back = admin.get(&previous.replace("&#38;", "&")).await.text;
    assert!(back.contains("pupil 10") && back.contains("pupil 59") && !back.contains("pupil 60"), "{back}");
    assert!(
        back.contains("rel=\"next\"") && !back.contains("rel=\"prev\"") && !first.contains("rel=\"prev\"")
    );
    assert_eq!(admin.get("/admin/users?cursor=nonsense%21").await.status, StatusCode::BAD_REQUEST);
    let admins = admin.get("/admin/users?role=admin").await.text;
    assert!(admins.contains("1 user<") && admins.contains("value=\"admin\" selected"));
    let export = admin.get("/admin/users.csv").await;
    assert!(export.header("content-disposition").contains("berth-users.csv"));
    assert_eq!(export.text.lines().count(), 62);
}

#[tokio::test]
async fn passwords_that_an_import_made_are_fetched_once_by_whoever_asked_for_it() {
    let desk = Desk::new(Routing::Path);
    desk.user("root", Role::Admin).await;
    desk.user("other", Role::Admin).await;
    let mut admin = desk.log_in("root").await;
    let csrf = admin.get("/admin/users").await.csrf();
    let wrong = admin.post_list("/admin/user-import", "", "name\nann\n").await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    let trial = admin.post_list("/admin/user-import", &csrf, "name,role\nann,\nbob,teacher\nann,\n").await;
    let page = admin.get(trial.location()).await.text;
    assert!(
        page.contains("The role must be admin or user.") && page.contains("Line 2 is about the same user.")
    );
    let file = admin.get(&format!("{}/results", trial.location())).await;
    let lines: Vec<&str> = file.text.lines().collect();
    assert_eq!(lines[..2], ["line,name,result,changed,code,detail", "2,ann,created,,,"]);
    assert!(lines.len() == 4 && lines[3].starts_with("4,ann,refused,,repeated,"), "{lines:?}");
    let mut other = desk.log_in("other").await;
    assert_eq!(other.get(trial.location()).await.location(), "/admin/user-import?gone=yes");
    admin.press(trial.location()).await;
    while !admin.get(trial.location()).await.text.contains("/passwords\"") {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let fetch = format!("{}/passwords", trial.location());
    let fetched = admin.post(&fetch, &[("csrf", &csrf)]).await;
    let password = fetched.text.strip_prefix("name,password\nann,").unwrap().trim().to_owned();
    assert_eq!(admin.post(&fetch, &[("csrf", &csrf)]).await.status, StatusCode::SEE_OTHER);
    let mut ann = desk.browser();
    let form = ann.get("/login").await.csrf();
    let login = [("csrf", form.as_str()), ("name", "ann"), ("password", password.as_str())];
    assert_eq!(ann.post("/login", &login).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_first_password_opens_nothing_until_it_is_changed() {
    let desk = Desk::new(Routing::Path);
    desk.user("root", Role::Admin).await;
    let ann = desk.user("ann", Role::User).await;
    let entry = desk.session(&ann, "mine", "desktop", StateKind::Ready).await;
    let mut admin = desk.log_in("root").await;
    let csrf = admin.get("/").await.csrf();
    let reset = admin.post("/admin/users/ann/password", &[("csrf", &csrf), ("must_change", "yes")]).await;
    let password = made(&reset.text);
    let mut browser = desk.browser();
    let form = browser.get("/login").await.csrf();
    browser.post("/login", &[("csrf", &form), ("name", "ann"), ("password", &password)]).await;
    for path in ["/", &format!("/sessions/{}", entry.label), "/admin"] {
        assert_eq!(browser.get(path).await.location(), "/account?must=yes", "{path}");
    }
    browser.navigates = false;
    let stream = browser.get("/events").await;
    assert_eq!(stream.status, StatusCode::FORBIDDEN);
    assert!(stream.text.contains("password_change_required"));
    browser.navigates = true;
    let account = browser.get("/account").await;
    assert!(account.text.contains("chosen for you") && !account.text.contains("id=\"logins\""));
    let csrf = account.csrf();
    let new =
        [("csrf", csrf.as_str()), ("present", password.as_str()), ("new", PASSWORD), ("again", PASSWORD)];
    assert_eq!(browser.post("/account", &new).await.location(), "/login?changed=yes");
    assert_eq!(desk.log_in("ann").await.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn people_see_their_logins_and_end_them() {
    let desk = Desk::new(Routing::Path);
    desk.user("ann", Role::User).await;
    let (mut here, there, third) =
        (desk.log_in("ann").await, desk.log_in("ann").await, desk.log_in("ann").await);
    let tokens = |browser: &super::desk::Browser<'_>| browser.cookies.values().cloned().collect::<Vec<_>>();
    let mut revocations = Vec::new();
    for browser in [&there, &third] {
        let tokens = tokens(browser);
        let known = desk.auth.authenticate(tokens.iter().map(String::as_str)).await.unwrap().unwrap();
        revocations.push(known.revocation.clone());
    }
    let page = here.get("/account").await;
    assert_eq!(page.text.matches("class=\"badge\"").count(), 1, "this one is marked");
    assert!(page.text.contains("End the 2 others"));
    let path =
        page.text.split("action=\"/account/logins/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let csrf = page.csrf();
    let ended = here.post(&format!("/account/logins/{path}"), &[("csrf", &csrf)]).await;
    assert_eq!(ended.location(), "/account?ended=yes");
    assert_eq!(revocations.iter().filter(|revocation| revocation.is_revoked()).count(), 1);
    here.post("/account/logins/end-others", &[("csrf", &csrf)]).await;
    for revocation in &revocations {
        let reason = tokio::time::timeout(std::time::Duration::from_secs(1), revocation.revoked()).await;
        assert_eq!(reason.unwrap(), CloseReason::LoginEnded);
    }
    assert_eq!(here.get("/account").await.status, StatusCode::OK);
    assert!(!here.get("/account").await.text.contains("end-others"));
}

#[tokio::test]
async fn language_and_look_are_chosen_before_a_login_and_for_every_device() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let entry = desk.session(&ann, "mine", "desktop", StateKind::Ready).await;
    let mut stranger = desk.browser();
    let form = stranger.get("/login").await;
    assert!(form.text.contains("<html lang=\"en\" ") && form.text.contains("content=\"light dark\""));
    let csrf = form.csrf();
    let chosen =
        stranger.post("/choices", &[("csrf", &csrf), ("language", "fr"), ("back", "/account")]).await;
    assert_eq!(chosen.location(), "/login?next=/account");
    stranger.post("/choices", &[("csrf", &csrf), ("look", "dark"), ("back", "/")]).await;
    let form = stranger.get("/login").await.text;
    assert!(form.contains("<html lang=\"fr\" data-look=\"dark\"") && form.contains("content=\"dark\""));
    let forged = stranger.post("/choices", &[("csrf", "x"), ("look", "light")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);

    // Another device, where nothing was chosen.
    let (mut one, mut other) = (desk.log_in("ann").await, desk.log_in("ann").await);
    let csrf = one.get("/").await.csrf();
    for choice in [("language", "fr"), ("look", "light")] {
        let chosen = one.post("/account/choices", &[("csrf", &csrf), choice]).await;
        assert_eq!(chosen.location(), "/account?chosen=yes");
    }
    for path in ["/", "/account", "/nowhere"] {
        let page = other.get(path).await.text;
        assert!(page.contains("<html lang=\"fr\" data-look=\"light\""), "{path}: {page}");
    }
    let tokens: Vec<String> = other.cookies.values().cloned().collect();
    let known = desk.auth.authenticate(tokens.iter().map(String::as_str)).await.unwrap().unwrap();
    let viewer = desk.web.session_page(&entry, &known, Place::Portal, Language::English);
    let viewer = super::desk::Answer::read(viewer).await.text;
    assert!(viewer.contains("<html lang=\"fr\" data-look=\"light\" class=\"viewing\""), "{viewer}");
    one.post("/account/choices", &[("csrf", &csrf), ("language", ""), ("look", "")]).await;
    assert!(other.get("/").await.text.contains("<html lang=\"en\" "));
}

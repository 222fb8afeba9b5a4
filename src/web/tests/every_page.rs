//! Makes every kind of page, with names that would like to be markup.

use http::StatusCode;

use super::desk::{Answer, Browser, Desk, PASSWORD, until};
use super::pages::with_labels;
use crate::audit::Actor;
use crate::broker::Share;
use crate::engine::fake::{Illness, template};
use crate::language::Language;
use crate::respond::Place;
use crate::session::{GrantRole, Home, LinkAction, Protocol, Routing, StateKind, Template};
use crate::store::Role;

pub const MARKUP: &str = "\"><script>alert(1)</script><b title='";
pub const RIGHT_TO_LEFT: &str = "حاسوبي الجديد للدرس";

/// Every kind of page in a language, each with a name for it.
pub async fn every_page(language: Language) -> Vec<(String, Answer)> {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("Ann <i>Admin</i>", Role::Admin).await;
    let long = "W".repeat(64);
    let mut browser = desk.log_in("Ann <i>Admin</i>").await;
    browser.language = language.tag();
    let mut pages = vec![("empty".to_owned(), browser.get("/").await)];
    let ready = desk.session(&ann, MARKUP, "desktop", StateKind::Ready).await;
    let frozen = desk.session(&ann, RIGHT_TO_LEFT, "desktop", StateKind::Ready).await;
    desk.broker.pause(&frozen, &Actor::system()).await.unwrap();
    let stopped = desk.session(&ann, &long, "lab", StateKind::Ready).await;
    browser.press(&format!("/sessions/{}/stop", stopped.label)).await;
    until(&stopped, StateKind::Stopped).await;
    desk.engine.infect_template(&"lab".parse().unwrap(), Illness::Exits);
    let failed = desk.session(&ann, "Databases", "lab", StateKind::Failed).await;
    desk.engine.infect_template(&"lab".parse().unwrap(), Illness::Hangs);
    let starting = desk.session(&ann, "Web lab", "lab", StateKind::Starting).await;
    let queued = desk.session(&ann, "Week 5 <b>", "desktop", StateKind::Starting).await;
    let bob = desk.user("bob", Role::User).await;
    let copy = desk.home_with_a_copy(&bob);
    let guest = desk.user("Bob <b>", Role::User).await;
    let share = Share { with: guest, role: GrantRole::Helper, lasts: None };
    desk.broker.share(&ready, share, Actor::user(MARKUP, [192, 0, 2, 1].into())).await.unwrap();
    // Two, so that there are rates.
    desk.stats.sample_once().await;
    desk.stats.sample_once().await;
    let entries = [&ready, &frozen, &stopped, &failed, &starting, &queued];
    let states = ["ready", "frozen", "stopped", "failed", "starting", "queued"];
    let machines: Vec<_> = states.into_iter().zip(entries.map(|entry| entry.label.as_str())).collect();
    let words = [&machines[..], &[("copy", copy.as_str())]].concat();
    for (name, path) in with_labels(&["owner", "admin"], &words) {
        assert!(!path.contains('{'), "{name}: no machine is {path}");
        pages.push((name, browser.get(&path).await));
    }
    let csrf = browser.get("/").await.csrf();
    let twice = [("csrf", csrf.as_str()), ("template", "lab"), ("name", MARKUP)];
    let hour = [("csrf", csrf.as_str()), ("role", "observer"), ("lasts", "1h")];
    let made = browser.post(&format!("/sessions/{}/invitations", ready.label), &hour).await;
    let link = made.text.split_once("/join?").unwrap().1.split('"').next().unwrap().to_owned();
    pages.push(("share-link".to_owned(), made));
    pages.push(("join-own".to_owned(), browser.get(&format!("/join?{link}")).await));
    pages.push(("create-refused".to_owned(), browser.post("/sessions", &twice).await));

    pages.extend(pages_of_users(&mut browser, &csrf).await);
    pages.extend(pages_of_tokens(&mut browser, &csrf).await);
    pages.extend(pages_of_kiosk_links(&mut browser, &csrf).await);
    pages.extend(pages_of_many(&mut browser, &csrf, &machines).await);
    pages.extend(pages_of_a_home_in_use(language).await);
    let typed = [("csrf", csrf.as_str()), ("present", PASSWORD), ("new", "short"), ("again", "short")];
    pages.push(("account-refused".to_owned(), browser.post("/account", &typed).await));

    let principal =
        desk.auth.authenticate(browser.cookies.values().map(String::as_str)).await.unwrap().unwrap();
    for (name, place) in [("viewer", Place::Portal), ("viewer-on-host", Place::SessionHost)] {
        let page = desk.web.session_page(&ready, &principal, place, language);
        pages.push((name.to_owned(), Answer::read(page).await));
    }
    let mut guest = desk.log_in("Bob <b>").await;
    guest.language = language.tag();
    pages.push(("shared".to_owned(), guest.get("/").await));
    pages.push(("join-granted".to_owned(), guest.get(&format!("/join?{link}")).await));
    pages.push(("join-gone".to_owned(), guest.get("/join?token=none").await));
    desk.user("Carol", Role::User).await;
    let mut invited = desk.log_in("Carol").await;
    invited.language = language.tag();
    pages.push(("join".to_owned(), invited.get(&format!("/join?{link}")).await));
    let mut stranger = desk.browser();
    stranger.language = language.tag();
    for (name, path) in with_labels(&["anyone"], &machines) {
        pages.push((name, stranger.get(&path).await));
    }
    let csrf = stranger.get("/login").await.csrf();
    let wrong =
        [("csrf", csrf.as_str()), ("name", MARKUP), ("password", "wrong password"), ("next", "/admin")];
    pages.push(("login-refused".to_owned(), stranger.post("/login", &wrong).await));
    pages.extend(pages_of_links(&desk, &mut stranger).await);
    pages
}

/// Where the links to screens lead, and what pressing the button of one says.
async fn pages_of_links(desk: &Desk, stranger: &mut Browser<'_>) -> Vec<(String, Answer)> {
    let mut pages = Vec::new();
    for (name, action) in [
        ("link-access", LinkAction::Access(MARKUP.parse().unwrap())),
        ("link-remove", LinkAction::Remove(RIGHT_TO_LEFT.parse().unwrap())),
        ("link-remove-all", LinkAction::RemoveAll),
    ] {
        let path = super::link::link(desk, action, 3).await;
        pages.push((name.to_owned(), stranger.get(&path).await));
        if name == "link-remove-all" {
            pages.push(("link-done".to_owned(), stranger.follow(&path).await));
        }
    }
    pages
}

/// Those of the admin's pages of users that an address alone does not lead to.
async fn pages_of_users(browser: &mut Browser<'_>, csrf: &str) -> Vec<(String, Answer)> {
    let bob = "/admin/users/Bob%20%3Cb%3E";
    let wrong = [("csrf", csrf), ("name", "Bob <b>"), ("role", "user"), ("max_cpus", "many")];
    let right = [("csrf", csrf), ("name", "Cy <b>"), ("role", "user")];
    let list = format!("name;role\n\"{}\";\nDee <b>;teacher\nBob <b>;admin\n", MARKUP.replace('"', "\"\""));
    let trial = browser.post_list("/admin/user-import", csrf, &list).await;
    let shown = browser.get(trial.location()).await;
    browser.press(trial.location()).await;
    let done = loop {
        let page = browser.get(trial.location()).await;
        if page.text.contains("/passwords\"") {
            break page;
        }
        tokio::task::yield_now().await;
    };
    let pages = [
        ("user-marked", browser.get(bob).await),
        ("user-marked-delete", browser.get(&format!("{bob}/delete")).await),
        ("user-refused", browser.post("/admin/users", &wrong).await),
        ("user-made", browser.post("/admin/users", &right).await),
        ("user-import-trial", shown),
        ("user-import-done", done),
        ("user-import-refused", browser.post_list("/admin/user-import", csrf, "nom\n").await),
    ];
    pages.map(|(name, page)| (name.to_owned(), page)).into()
}

/// The page of all tokens, with one just made, and with a form that was refused.
async fn pages_of_tokens(browser: &mut Browser<'_>, csrf: &str) -> Vec<(String, Answer)> {
    let right = [("csrf", csrf), ("name", MARKUP), ("user", "Bob <b>"), ("sessions_read", "yes")];
    let wrong = [("csrf", csrf), ("name", MARKUP), ("user", MARKUP), ("admin", "yes")];
    let pages = [
        ("token-made", browser.post("/admin/tokens", &right).await),
        ("token-refused", browser.post("/admin/tokens", &wrong).await),
    ];
    pages.map(|(name, page)| (name.to_owned(), page)).into()
}

/// The page of kiosk links with one just made, and with forms that were refused.
async fn pages_of_kiosk_links(browser: &mut Browser<'_>, csrf: &str) -> Vec<(String, Answer)> {
    let mut pages = Vec::new();
    for (name, action, client, uses) in [
        ("kiosk-link-made", "access", MARKUP, "3"),
        ("kiosk-link-made-for-all", "remove_all", "", "1"),
        ("kiosk-link-refused", "remove", "", "1"),
        ("kiosk-link-refused-uses", "access", MARKUP, MARKUP),
        ("kiosk-link-refused-action", MARKUP, RIGHT_TO_LEFT, "1"),
    ] {
        let typed = [("csrf", csrf), ("action", action), ("client", client), ("uses", uses)];
        pages.push((name.to_owned(), browser.post("/admin/links", &typed).await));
    }
    pages
}

/// One change to many machines: asked for each verb, done where it does nothing, and with none chosen.
async fn pages_of_many(
    browser: &mut Browser<'_>,
    csrf: &str,
    machines: &[(&str, &str)],
) -> Vec<(String, Answer)> {
    let chosen = |states: &[&str]| -> Vec<(&str, &str)> {
        machines
            .iter()
            .filter(|(state, _)| states.contains(state))
            .map(|(_, label)| ("label", *label))
            .collect()
    };
    let all = chosen(&["ready", "frozen", "stopped", "failed", "starting", "queued"]);
    let resting = [chosen(&["stopped", "failed"]), vec![("sure", "yes"), ("label", MARKUP)]].concat();
    let mut pages = Vec::new();
    for (name, verb, further) in [
        ("bulk-delete", "delete", all.clone()),
        ("bulk-restart", "restart", all.clone()),
        ("bulk-stop", "stop", all),
        ("bulk-stop-done", "stop", resting),
        ("bulk-nothing", "stop", Vec::new()),
    ] {
        let fields = [vec![("csrf", csrf), ("do", verb), ("back", "/admin?q=a&sort=name")], further].concat();
        pages.push((name.to_owned(), browser.post("/admin/sessions", &fields).await));
    }
    pages
}

/// What is offered to whoever wants a second machine with the files of the first.
async fn pages_of_a_home_in_use(language: Language) -> Vec<(String, Answer)> {
    let desktop = template("desktop".parse().unwrap(), Protocol::Rfb);
    let desk = Desk::with(Routing::Path, vec![Template { home: Home::Persistent, ..desktop }]);
    let ann = desk.user("Ann <i>Admin</i>", Role::Admin).await;
    let first = desk.session(&ann, "First <b>", "desktop", StateKind::Ready).await;
    let mut browser = desk.log_in("Ann <i>Admin</i>").await;
    browser.language = language.tag();
    let csrf = browser.get("/").await.csrf();
    let wish = [("csrf", csrf.as_str()), ("template", "desktop"), ("name", MARKUP)];
    let created = browser.post("/sessions", &wish).await;
    browser.post("/sessions", &[&wish[..], &[("instead_of", first.label.as_str())]].concat()).await;
    let started = browser.press(&format!("/sessions/{}/start", first.label)).await;
    assert_eq!((created.status, started.status), (StatusCode::CONFLICT, StatusCode::CONFLICT));
    let copy = desk.home_with_a_copy(&ann);
    let restore = format!("/admin/users/{}/home/{copy}", ann.id);
    let restored = browser.post(&restore, &[("csrf", csrf.as_str())]).await;
    assert_eq!(restored.status, StatusCode::CONFLICT);
    vec![
        ("home-in-use-create".to_owned(), created),
        ("home-in-use-start".to_owned(), started),
        ("home-in-use-restore".to_owned(), restored),
    ]
}

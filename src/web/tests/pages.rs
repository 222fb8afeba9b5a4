//! Every page, with names that would like to be markup.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{env, fs};

use http::StatusCode;

use super::desk::{Answer, Browser, Desk, PASSWORD, until};
use super::markup;
use crate::audit::Actor;
use crate::broker::Share;
use crate::engine::fake::{Illness, template};
use crate::language::Language;
use crate::respond::Place;
use crate::session::{GrantRole, Home, LinkAction, Protocol, Routing, StateKind, Template};
use crate::store::Role;

const MARKUP: &str = "\"><script>alert(1)</script><b title='";
const RIGHT_TO_LEFT: &str = "حاسوبي الجديد للدرس";
const EMOJI: &str = "👩‍💻";

/// The pages of the portal, with who reads them and their addresses; a browser visits the same.
const PAGES: &str = include_str!("../../../tests/pages.txt");

/// Who reads a page, what it is called, and its address.
fn listed() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let lines = PAGES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        let mut words = line.split_whitespace();
        let mut next = || words.next().unwrap_or_else(|| panic!("who, name, address: {line}"));
        (next(), next(), next())
    })
}

/// The listed pages of these readers, with the labels of machines in their addresses.
pub fn with_labels(readers: &[&str], machines: &[(&str, &str)]) -> Vec<(String, String)> {
    let fill =
        |address: String, (state, label): &(&str, &str)| address.replace(&format!("{{{state}}}"), label);
    let pages = listed().filter(|(who, ..)| readers.contains(who));
    pages.map(|(_, name, path)| (name.to_owned(), machines.iter().fold(path.to_owned(), fill))).collect()
}

/// Every kind of page in a language, each with a name for it.
async fn every_page(language: Language) -> Vec<(String, Answer)> {
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
    desk.user("bob", Role::User).await;
    let guest = desk.user("Bob <b>", Role::User).await;
    let share = Share { with: guest, role: GrantRole::Helper, lasts: None };
    desk.broker.share(&ready, share, Actor::user(MARKUP, [192, 0, 2, 1].into())).await.unwrap();
    // Two, so that there are rates.
    desk.stats.sample_once().await;
    desk.stats.sample_once().await;
    let entries = [&ready, &frozen, &stopped, &failed, &starting, &queued];
    let states = ["ready", "frozen", "stopped", "failed", "starting", "queued"];
    let machines: Vec<_> = states.into_iter().zip(entries.map(|entry| entry.label.as_str())).collect();
    for (name, path) in with_labels(&["owner", "admin"], &machines) {
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
    vec![("home-in-use-create".to_owned(), created), ("home-in-use-start".to_owned(), started)]
}

#[tokio::test]
async fn every_page_is_escaped_strict_and_signed() {
    let pages = every_page(Language::English).await;
    for (name, page) in &pages {
        let text = &page.text;
        assert!(
            page.status != StatusCode::SEE_OTHER && text.starts_with("<!doctype html>"),
            "{name}: {page:?}"
        );
        assert!(!text.contains("<script>") && !text.contains("<i>Admin") && !text.contains("<b>"), "{name}");
        assert!(!text.contains("<b title"), "{name}");
        check_no_inline(name, text);
        check_headers(name, page);
        check_forms(name, text);
        check_markup(name, text, Language::English);
    }
    check_titles(&pages);
    write_gallery(&pages, Language::English);
}

#[tokio::test]
async fn a_french_reader_reads_no_english() {
    let english: Vec<_> = include_str!("../messages/en.ftl")
        .lines()
        .filter_map(|line| line.split_once(" = ")?.1.split('{').next())
        .filter(|text| text.trim().split(' ').count() > 2)
        .map(|text| text.trim().replace('\'', "&#39;"))
        .collect();
    let pages = every_page(Language::French).await;
    for (name, page) in &pages {
        let read = without_marked_english(&page.text);
        for text in &english {
            assert!(!read.contains(text), "{name} says: {text}");
        }
        check_no_inline(name, &page.text);
        check_markup(name, &page.text, Language::French);
    }
    write_gallery(&pages, Language::French);
}

/// A page without the elements that say of themselves that they are English: a line of the audit as
/// it is stored, the words of an engine, the comments of the shipped configuration.
fn without_marked_english(text: &str) -> String {
    let mut parts = text.split(" lang=\"en\"");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push_str(part.split_once("</").map_or("", |(_, rest)| rest));
    }
    kept
}

#[tokio::test]
async fn names_are_shown_whole_and_apart_from_the_text_around_them() {
    let desk = Desk::new(Routing::Path);
    let ann = desk.user("ann", Role::User).await;
    let mut browser = desk.log_in("ann").await;
    for name in [MARKUP, RIGHT_TO_LEFT, EMOJI, &"é".repeat(64), "&amp;", "{{ 7*7 }}", "'\"`"] {
        // The joiner in an emoji sequence is invisible by itself, and refused like the rest of them.
        let Ok(parsed) = name.parse() else { continue };
        let entry = desk.broker.create(&ann, &"desktop".parse().unwrap(), parsed).await.unwrap();
        until(&entry, StateKind::Ready).await;
        let page = browser.get("/").await.text;
        let escaped: String = name
            .chars()
            .map(|c| if "<>&\"'".contains(c) { format!("&#{};", u32::from(c)) } else { c.to_string() })
            .collect();
        assert!(page.contains(&format!("<bdi>{escaped}</bdi>")), "{name}: {page}");
    }
}

fn check_no_inline(name: &str, text: &str) {
    for tag in text.split('<').skip(1).map(|tag| tag.split('>').next().unwrap_or_default()) {
        assert!(!tag.starts_with("style"), "{name}: {tag}");
        assert!(!tag.starts_with("script") || tag.contains(" src=\"/"), "{name}: {tag}");
        // Values are text, and may say anything: what stands outside the quotes are names.
        let names = tag.split('"').step_by(2).flat_map(str::split_whitespace);
        for attribute in names {
            assert!(!attribute.starts_with("style=") && !attribute.starts_with("on"), "{name}: {tag}");
        }
        assert!(!tag.contains("javascript:"), "{name}: {tag}");
    }
}

fn check_headers(name: &str, page: &Answer) {
    let policy = page.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self';",
        "style-src 'self';",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    ] {
        assert!(policy.contains(part), "{name}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{name}");
    for (header, value) in [
        ("x-content-type-options", "nosniff"),
        // The address of an invitation has a secret in it, which pages opened from there do not read.
        ("referrer-policy", if name.starts_with("join") { "strict-origin" } else { "same-origin" }),
        ("cross-origin-opener-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("content-type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(page.header(header), value, "{name} {header}");
    }
}

fn check_forms(name: &str, text: &str) {
    for form in text.split("<form").skip(1) {
        let form = form.split("</form>").next().unwrap_or_default();
        // What only looks for something carries no secret: it would stand in the address.
        if form.contains("method=\"get\"") {
            assert!(form.contains("role=\"search\"") && !form.contains("csrf"), "{name}: {form}");
            continue;
        }
        assert!(form.contains("method=\"post\""), "{name}: {form}");
        let token = form.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        assert!(token.is_some_and(|token| token.len() == 86), "{name}: {form}");
    }
}

/// What a strict parser, assistive technology and the browser's title bar need.
fn check_markup(name: &str, text: &str, language: Language) {
    let flaws = markup::flaws(text, language.tag());
    assert!(flaws.is_empty(), "{name}:\n{}\n{text}", flaws.join("\n"));
}

/// Whoever has several pages open tells them apart by their tabs.
fn check_titles(pages: &[(String, Answer)]) {
    let mut titles = BTreeMap::new();
    let listed: BTreeSet<_> = listed().filter(|(who, ..)| *who != "guest").map(|(_, name, _)| name).collect();
    for (name, page) in pages.iter().filter(|(name, _)| listed.contains(name.as_str())) {
        let title = page.text.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next());
        let other = titles.insert(title.unwrap_or_default(), name);
        assert!(other.is_none(), "{name} and {other:?} have one title: {title:?}");
    }
}

#[test]
fn every_route_of_a_page_is_listed() {
    let mut sources = String::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "rs") {
            sources.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    let segments = |path: &'static str| path.split('?').next().unwrap_or_default().split('/');
    for route in sources.split(".route(").skip(1) {
        let (path, handlers) = route.trim_start()[1..].split_once('"').unwrap();
        if !handlers.split("\n        .").next().unwrap_or_default().contains("get(") {
            continue;
        }
        let parts: Vec<_> = path.split('/').collect();
        let same = |(_, _, address): &(_, _, &'static str)| {
            let listed: Vec<_> = segments(address).collect();
            let fits = |(part, of): (&&str, &&str)| part.starts_with('{') || part == of;
            listed.len() == parts.len() && parts.iter().zip(&listed).all(fits)
        };
        assert!(listed().any(|page| same(&page)), "{path}: no line in tests/pages.txt");
    }
}

/// Writes the pages to `$BERTH_GALLERY` for looking at them, with the static files beside them.
fn write_gallery(pages: &[(String, Answer)], language: Language) {
    let Some(dir) = env::var_os("BERTH_GALLERY") else { return };
    let dir = Path::new(&dir);
    fs::create_dir_all(dir).unwrap();
    for (name, page) in pages {
        let assets = page.text.split("href=\"").find_map(|rest| {
            rest.split("/mark.svg").next().filter(|a| a.contains("assets/") && a.len() < 60)
        });
        let text = page.text.replace(assets.unwrap(), "static");
        fs::write(dir.join(format!("{name}.{}.html", language.tag())), text).unwrap();
    }
}

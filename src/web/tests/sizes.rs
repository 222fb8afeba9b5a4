//! How much a page takes from the network, with everything that a browser loads for it.

use std::collections::BTreeSet;

use super::desk::{Browser, Desk};
use super::pages;
use crate::session::{Routing, Session, State, StopReason};
use crate::store::contract::sample_session;
use crate::store::{Role, User};

/// The most a page may take in all.
const MOST_BYTES: usize = 100 * 1024;

/// Machines of the reader, and of everybody else.
const OWN: usize = 50;
const OTHERS: usize = 100;

/// The addresses of our own files that a text names in quotes. noVNC is counted apart.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let addresses = text.split('"').filter(|literal| literal.starts_with("/assets/"));
    addresses.filter(|address| !address.contains("/novnc/") && address.contains('.'))
}

/// The modules that a script imports, as addresses.
fn imported(address: &str, script: &str) -> Vec<String> {
    let folder = address.rsplit_once('/').map_or("", |(folder, _)| folder);
    let lines = script.lines().filter(|line| line.starts_with("import") || line.starts_with("} from"));
    let paths = lines.filter_map(|line| line.split('"').nth(1)?.strip_prefix("./"));
    paths.map(|path| format!("{folder}/{path}")).collect()
}

/// The bytes of everything that a page loads.
async fn loaded(browser: &mut Browser<'_>, page: &str) -> usize {
    let mut wanted: Vec<String> = named(page).map(str::to_owned).collect();
    let (mut seen, mut bytes) = (BTreeSet::new(), 0);
    while let Some(address) = wanted.pop() {
        if !seen.insert(address.clone()) {
            continue;
        }
        let file = browser.get(&address).await;
        assert!(file.status.is_success(), "{address}: {}", file.status);
        bytes += browser.weigh(&address).await;
        wanted.extend(imported(&address, &file.text));
    }
    bytes
}

/// Many machines, some at work and some at rest, as after a restart of the gateway.
async fn fill(desk: &Desk, root: &User) -> (String, String) {
    let other = desk.user("bob", Role::User).await;
    let (mut ready, mut stopped) = (String::new(), String::new());
    for number in 0..OWN + OTHERS {
        let owner = if number < OWN { root } else { &other };
        let sample = sample_session(owner.id);
        let (label, state) = match number % 3 {
            0 => (&mut stopped, State::Stopped { reason: StopReason::Away }),
            _ => (&mut ready, sample.state.clone()),
        };
        let name = format!("Week {number}: a desktop for the databases").parse().unwrap();
        let session = Session { owner_name: owner.name.clone(), name, state, ..sample };
        if number < OWN {
            *label = session.label.to_string();
        }
        desk.store.insert_session(&session).await.unwrap();
    }
    desk.broker.load().await.unwrap();
    (ready, stopped)
}

/// The question before as many machines as one form may name are deleted: its bytes, and those of
/// what it loads.
async fn question_about_all(desk: &Desk, browser: &mut Browser<'_>) -> (usize, usize) {
    let csrf = browser.get("/admin").await.csrf();
    let labels: Vec<_> = desk.broker.entries().iter().map(|entry| entry.label.to_string()).collect();
    let mut fields = vec![("csrf", csrf.as_str()), ("do", "delete"), ("back", "/admin")];
    fields.extend(labels.iter().map(|label| ("label", label.as_str())));
    let page = browser.post("/admin/sessions", &fields).await.text;
    assert_eq!(page.matches("<tr>").count(), OTHERS + 1, "a row for each, and the headings");
    (browser.weigh_posted("/admin/sessions", &fields).await, loaded(browser, &page).await)
}

#[tokio::test]
async fn a_full_page_and_all_it_loads_stay_light() {
    let desk = Desk::new(Routing::Path);
    let root = desk.user("root", Role::Admin).await;
    let (ready, stopped) = fill(&desk, &root).await;
    let mut browser = desk.log_in("root").await;
    let mut heavy = Vec::new();
    for (name, address) in
        pages::with_labels(&["owner", "admin"], &[("ready", &ready), ("stopped", &stopped)])
    {
        if address.contains('{') {
            continue;
        }
        let page = browser.get(&address).await.text;
        let (html, rest) = (browser.weigh(&address).await, loaded(&mut browser, &page).await);
        println!("{name}: {html} bytes ({} unsqueezed), and {rest} of what it loads", page.len());
        if html + rest > MOST_BYTES {
            heavy.push(format!("{name}: {html} bytes, and {rest} of what it loads"));
        }
    }
    let (html, rest) = question_about_all(&desk, &mut browser).await;
    println!("bulk: {html} bytes, and {rest} of what it loads");
    if html + rest > MOST_BYTES {
        heavy.push(format!("bulk: {html} bytes, and {rest} of what it loads"));
    }
    assert!(heavy.is_empty(), "over {MOST_BYTES} bytes:\n{}", heavy.join("\n"));
}

//! Every page of the portal, by the list that the unit tests read too, with machines in every state.

use crate::browser::Browser;
use crate::gateway::{Gateway, TOKEN, docker, eventually, illness};

const PAGES: &str = include_str!("../pages.txt");

/// A desktop whose files are its own, so that every page about it is there.
const DESKTOP: &str = r#"
[[template]]
name = "desktop"
title = "Desktop"
description = "A calm desktop with a browser, a terminal and an editor."
image = "berth/desktop"
protocol = "rfb"
port = 5900
home = "session"
"#;

/// What the copies of homes are called.
const COPY: &str = "20260131-081500";

/// Makes a copy of somebody's home, with nothing in it, as the engine keeps them.
async fn copy_home(gateway: &Gateway, user: &str) {
    let url = gateway.url(&format!("/api/v1/users/{user}"));
    let answer = gateway.client().get(url).bearer_auth(TOKEN).header("accept", "application/json");
    let shown: serde_json::Value = answer.send().await.expect("an answer").json().await.expect("JSON");
    let id = shown["id"].as_str().expect("an id").replace('-', "");
    let (of, network) = (format!("berth.copy_of=owner-{id}"), format!("berth.network={}", gateway.network));
    let copy = format!("berth.copy={COPY}");
    let mut order = vec!["volume", "create"];
    for label in [&of, &network, &copy] {
        order.extend(["--label", label]);
    }
    let name = format!("berth-home-{id}-{COPY}");
    order.push(&name);
    docker(&order);
}

/// A page: what it is called in artefacts, and its address.
#[derive(Clone, Debug)]
pub struct Page {
    pub name: &'static str,
    pub address: String,
}

/// A portal in use: ann owns a machine in every state, and bob may watch one of them.
pub struct Portal {
    pub gateway: Gateway,
    /// What stands for the words in braces: the labels of the machines, and the links of
    /// [`Self::make_links`].
    words: Vec<(&'static str, String)>,
}

impl Portal {
    pub async fn start() -> Self {
        let gateway = Gateway::builder()
            .template(DESKTOP)
            .template(&illness("app", "http", "web"))
            .template(&illness("broken", "http", "exits"))
            // Its files are those of every machine of its kind, so that there can be no second one.
            .template(&illness("slow", "http", "silent").replace("\"ephemeral\"", "\"persistent\""))
            .limits("max_sessions_per_user = 8\nstop_grace_s = 1\nstart_deadline_s = 900")
            .start()
            .await;
        let ann = gateway.login("ann").await;
        let mut machines = Vec::new();
        for (state, template, name) in [
            ("ready", "desktop", "Computer science"),
            ("frozen", "desktop", "حاسوبي الجديد للدرس"),
            ("stopped", "app", "A very long name for one machine, as long as a name may ever be"),
            ("failed", "broken", "Databases"),
            ("starting", "slow", "Web lab"),
        ] {
            machines.push((state, ann.create(template, name).await));
        }
        let label = |state: &str| {
            let found = machines.iter().find(|(of, _)| *of == state);
            found.map(|(_, label)| label.clone()).unwrap_or_else(|| panic!("no machine is {state}"))
        };
        for state in ["ready", "frozen", "stopped"] {
            ann.until(&label(state), "ready").await;
        }
        ann.until(&label("failed"), "failed").await;
        ann.post(&format!("/sessions/{}/stop", label("stopped")), &[]).await;
        ann.until(&label("stopped"), "stopped").await;
        // The engine may be too busy with the other machines to freeze one at once.
        let frozen = label("frozen");
        eventually("a machine is frozen", || async {
            let answer = ann.post(&format!("/sessions/{frozen}/pause"), &[]).await;
            let said = (answer.status(), answer.text().await.unwrap_or_default());
            let state = ann.state(&frozen).await;
            if state.as_deref() != Some("paused") {
                eprintln!("not frozen yet: {state:?} {said:?}");
            }
            state.filter(|now| now == "paused")
        })
        .await;
        let with = [("name", "bob"), ("role", "observer"), ("lasts", "1h")];
        let shared = ann.post(&format!("/sessions/{}/grants", label("ready")), &with).await;
        assert_eq!(shared.status(), 303, "the desktop is shared with bob");
        for user in ["ann", "bob"] {
            copy_home(&gateway, user).await;
        }
        machines.push(("copy", COPY.to_owned()));
        Self { gateway, words: machines }
    }

    /// Makes the links that somebody is sent: to machines that bob may not open yet and may open
    /// already, and to screens.
    pub async fn make_links(&mut self) {
        let ann = self.gateway.login("ann").await;
        let mut made = Vec::new();
        for (word, state) in [("invitation", "{frozen}"), ("granted", "{ready}")] {
            let to = format!("/sessions/{}/invitations", self.fill(state));
            let answer = ann.post(&to, &[("role", "observer"), ("lasts", "1h")]).await;
            let page = answer.text().await.expect("a page");
            let (_, rest) = page.split_once("/join?token=").expect("a link");
            made.push((word, rest.split('"').next().unwrap_or_default().to_owned()));
        }
        let often = ["--uses", "9", "--expires", "12h"];
        for (word, what) in [
            ("access", &["--access", "Salle d’été 7"][..]),
            ("remove", &["--remove", "lobby"]),
            ("remove-all", &["--remove-all"]),
        ] {
            let told = self.gateway.berth(&[&["link", "create"], what, &often].concat(), None);
            made.push((word, told.trim().rsplit('/').next().unwrap_or_default().to_owned()));
        }
        self.words.extend(made);
    }

    /// The pages of a kind of reader.
    pub fn pages(&self, reader: &str) -> Vec<Page> {
        let lines = PAGES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let words = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
        let of_reader = words.filter(|words| words[0] == reader);
        of_reader.map(|words| Page { name: words[1], address: self.fill(words[2]) }).collect()
    }

    /// A text with the labels of machines and the secrets of links in it.
    pub fn fill(&self, address: &str) -> String {
        let put = |address: String, (word, of): &(&str, String)| address.replace(&format!("{{{word}}}"), of);
        let address = self.words.iter().fold(address.to_owned(), put);
        assert!(!address.contains('{'), "nothing is as {address} wants it");
        address
    }

    /// Makes the browser that of one of the readers of `pages.txt`.
    pub async fn become_reader(&self, browser: &mut Browser, reader: &str) {
        browser.meet(&self.gateway).await;
        browser.driver.delete_all_cookies().await.expect("cookies can be forgotten");
        let user = match reader {
            "anyone" => return,
            "owner" | "viewer" => "ann",
            "guest" => "bob",
            "admin" => "root",
            other => panic!("pages.txt names nobody {other}"),
        };
        browser.carry(&self.gateway.login(user).await).await;
    }
}

//! The same commands beside the gateway, from afar through its API, and on its store when it rests.

use berth::store::sqlite::StoreLock;
use serde_json::Value;

use crate::gateway::{DESKTOP, Gateway, TOKEN, eventually};

/// The command line from one place.
struct Place<'a> {
    gateway: &'a Gateway,
    /// What every command carries there.
    words: Vec<String>,
}

impl<'a> Place<'a> {
    fn here(gateway: &'a Gateway) -> Self {
        Self { gateway, words: Vec::new() }
    }

    fn afar(gateway: &'a Gateway) -> Self {
        let token = gateway.path("token").display().to_string();
        std::fs::write(&token, TOKEN).expect("the test's own directory");
        let ca = gateway.path("certs/ca.pem").display().to_string();
        let words = ["--url", &gateway.url(""), "--token-file", &token, "--ca-file", &ca].map(str::to_owned);
        Self { gateway, words: words.to_vec() }
    }

    /// A command as it is typed there.
    fn whole<'b>(&'b self, arguments: &[&'b str]) -> Vec<&'b str> {
        arguments.iter().copied().chain(self.words.iter().map(String::as_str)).collect()
    }

    fn run(&self, arguments: &[&str]) -> String {
        self.gateway.berth(&self.whole(arguments), None)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[arguments, &["--json"]].concat())).expect("JSON was asked for")
    }

    /// With which code it ended, and what it said about that.
    fn failed(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.gateway.try_berth(&self.whole(arguments), None);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn refused(&self, arguments: &[&str]) -> String {
        let (code, words) = self.failed(arguments);
        assert_eq!(code, Some(5), "{arguments:?}: {words}");
        words
    }
}

fn owners(rows: &Value, key: &str) -> Vec<String> {
    let rows = rows.as_array().expect("a list").iter();
    rows.map(|row| row[key].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn every_command_reaches_near_and_far_and_the_store_at_rest() {
    let mut gateway = Gateway::builder().template(&DESKTOP.replace("ephemeral", "persistent")).start().await;
    let copy;
    {
        let ann = gateway.login("ann").await;
        let here = Place::here(&gateway);
        let made = here.json(&["session", "create", "desktop", "mine", "--owner", "ann"]);
        let label = made["label"].as_str().expect("a label").to_owned();
        ann.until(&label, "ready").await;
        eventually("it was looked at", || async {
            let sessions = here.json(&["stats"])["sessions"].take();
            (owners(&sessions, "label") == [label.as_str()]).then_some(())
        })
        .await;
        for place in [&here, &Place::afar(&gateway)] {
            shared(place, &label);
            invited(place, &label).await;
            looked_at(place, &label);
            people(place);
            audited(place);
        }
        here.run(&["session", "reset", &label, "--home", "--yes"]);
        ann.until(&label, "ready").await;
        copy = copies(&here).remove(0);
        here.run(&["session", "stop", &label]);
        let restored = Place::afar(&gateway).run(&["home", "restore", "ann", &copy]);
        assert!(restored.contains("as it was"), "{restored}");
        here.run(&["session", "start", &label]);
        ann.until(&label, "ready").await;
        let paused = here.json(&["session", "pause", &label]);
        assert_eq!((&paused[0]["label"], &paused[0]["code"]), (&label.as_str().into(), &Value::Null));
    }
    assert!(gateway.terminate());
    let rest = Place::here(&gateway);
    let label = owners(&rest.json(&["session", "list"]), "label").remove(0);
    assert!(rest.run(&["session", "resume", &label]).contains("goes on"));
    shared(&rest, &label);
    people(&rest);
    audited(&rest);
    let (code, words) = rest.failed(&["session", "start", &label]);
    assert!(code == Some(4) && words.contains("no gateway runs"), "{words}");
    assert!(rest.refused(&["home", "restore", "ann", &copy]).contains("mine"));
    rest.run(&["session", "stop", &label]);
    assert!(rest.refused(&["home", "restore", "ann", "20260131-081500"]).contains("20260131-081500"));
    assert!(rest.run(&["home", "restore", "ann", &copy]).contains("as it was"));
    one_at_a_time(&gateway, &label);
    assert!(owners(&rest.json(&["home", "list"]), "owner").contains(&"ann".to_owned()));
}

/// The copies of ann's home.
fn copies(place: &Place<'_>) -> Vec<String> {
    let homes = place.json(&["home", "list"]);
    let of_ann = homes.as_array().expect("a list").iter().find(|home| home["owner"] == "ann");
    let copies = of_ann.and_then(|home| home["copies"].as_array()).expect("the engine says");
    copies.iter().map(|copy| copy.as_str().expect("a name").to_owned()).collect()
}

/// While one process works on the sessions, no other does, and no gateway starts.
fn one_at_a_time(gateway: &Gateway, label: &str) {
    let _turn = StoreLock::sessions(&gateway.path("var/berth.db")).expect("nobody has it");
    for arguments in [&["session", "remove", label, "--yes"][..], &["serve"]] {
        let (code, words) = Place::here(gateway).failed(arguments);
        assert!(code == Some(4) && words.contains("another process works on these sessions"), "{words}");
    }
    assert!(
        Place::here(gateway).run(&["session", "list"]).contains(label),
        "who only reads is not in the way"
    );
}

/// By name, and back.
fn shared(place: &Place<'_>, label: &str) {
    let given = place.run(&["grant", "create", label, "bob", "--role", "helper", "--expires", "1h"]);
    assert!(given.contains("bob may open session") && given.contains("as helper"), "{given}");
    assert!(place.refused(&["grant", "create", label, "nobody"]).to_lowercase().contains("no user"));
    let grants = place.json(&["grant", "list", label]);
    assert_eq!((&grants[0]["user"], &grants[0]["role"]), (&"bob".into(), &"helper".into()));
    assert!(grants[0]["expires_at"].is_string(), "{grants}");
    assert!(place.run(&["grant", "withdraw", label, "BOB"]).contains("may no longer open"));
    assert!(place.refused(&["grant", "withdraw", label, "bob"]).contains("has no grant"));
    assert_eq!(place.json(&["grant", "list", label]), Value::Array(Vec::new()));
}

/// By a link that works, and back.
async fn invited(place: &Place<'_>, label: &str) {
    let url = place.run(&["invitation", "create", label, "--expires", "10m", "--people", "2"]);
    let path = url.trim().strip_prefix(&place.gateway.url("")).expect("an address of the portal").to_owned();
    let bob = place.gateway.login("bob").await;
    assert!(bob.page(&path).await.contains("mine"), "who has the link is asked whether they want in");
    let invitations = place.json(&["invitation", "list", label]);
    assert_eq!((&invitations[0]["most"], &invitations[0]["role"]), (&2.into(), &"observer".into()));
    let id = invitations[0]["id"].as_str().expect("an id");
    place.run(&["invitation", "withdraw", label, id]);
    assert!(place.run(&["invitation", "list", label]).contains("no invitation to it"));
}

/// What runs, on what, made from what, with which files.
fn looked_at(place: &Place<'_>, label: &str) {
    let stats = place.json(&["stats"]);
    assert_eq!(owners(&stats["sessions"], "label"), [label]);
    assert!(stats["hosts"][0]["memory_bytes"].is_number(), "{stats}");
    assert_eq!(place.json(&["template", "list"])[0]["installed"], true);
    assert!(owners(&place.json(&["home", "list"]), "owner").contains(&"ann".to_owned()));
    let used = place.refused(&["home", "restore", "ann", "20260131-081500"]);
    assert!(used.contains("mine"), "{used}");
    assert!(place.refused(&["template", "pull", "desktop"]).contains("built"));
}

/// Somebody comes and goes, and nobody goes by a slip.
fn people(place: &Place<'_>) {
    let made = place.json(&["user", "add", "eve"]);
    assert!(made["password"].as_str().is_some_and(|password| password.len() >= 8), "{made}");
    let list = place.run(&["user", "export"]);
    assert!(list.starts_with("name,role,disabled") && list.contains("\neve,user,no"), "{list}");
    let outlook = place.json(&["user", "remove", "eve", "--dry-run"]);
    assert_eq!((&outlook["name"], &outlook["running"]), (&"eve".into(), &0.into()));
    let question = place.refused(&["user", "remove", "eve"]);
    assert!(question.contains("would remove 0 sessions") && question.contains("--yes"), "{question}");
    assert!(place.run(&["user", "remove", "eve", "--yes"]).contains("eve and 0 sessions removed"));
}

/// What was done is told, proven, and taken away.
fn audited(place: &Place<'_>) {
    let told = place.run(&["audit", "tail", "-n", "2", "--event", "user_removed"]);
    assert!(told.contains("eve"), "{told}");
    let proven = place.json(&["audit", "verify"]);
    assert!(proven["lines"].as_u64() > Some(10), "{proven}");
    let file = place.gateway.path("audit.jsonl");
    let name = file.display().to_string();
    place.run(&["audit", "export", &name, "--since", "1h"]);
    let export = place.gateway.berth(&["audit", "verify", "--export", &name, "--json"], None);
    let export: Value = serde_json::from_str(&export).expect("JSON");
    assert!(export["lines"].as_u64() >= proven["lines"].as_u64(), "{export}");
    std::fs::remove_file(&file).expect("the test's own file");
}

//! Images: missing ones, fetching them from a registry, and what an update does to a session.
//!
//! On more than one thread: the wire to the registry has to go on while a command is waited for.

use std::process::Command;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::browser::Browser;
use crate::gateway::{Gateway, TOKEN, docker, eventually, illness};
use crate::registry::Registry;

const MIB: u64 = 1024 * 1024;

/// A template with a home that is kept, of an image of the registry.
fn template(name: &str, image: &str) -> String {
    illness(name, "http", "web")
        .replace("\"berth-test/illness\"", &format!("{image:?}"))
        .replace("\"ephemeral\"", "\"persistent\"")
}

async fn api(gateway: &Gateway, method: Method, path: &str) -> (StatusCode, Value) {
    let request = gateway.client().request(method, gateway.url(path));
    let request =
        request.header("authorization", format!("Bearer {TOKEN}")).header("accept", "application/json");
    let answer = request.send().await.expect("an answer");
    (answer.status(), answer.json().await.expect("a document"))
}

async fn shown(gateway: &Gateway, template: &str) -> Value {
    api(gateway, Method::GET, &format!("/api/v1/templates/{template}")).await.1
}

/// How the pull of a template's image ended.
async fn pulled(gateway: &Gateway, template: &str) -> Value {
    eventually("the pull ends", || async {
        let pull = shown(gateway, template).await["pull"].clone();
        ["done", "failed"].contains(&pull["state"].as_str()?).then_some(pull)
    })
    .await
}

async fn update_ready(gateway: &Gateway, label: &str) -> bool {
    let session = api(gateway, Method::GET, &format!("/api/v1/sessions/{label}")).await.1;
    session["update_ready"].as_bool().expect("it is said of every session")
}

fn id_of(image: &str) -> String {
    docker(&["image", "inspect", "--format", "{{.Id}}", image])
}

fn made_from(container: &str) -> (String, String) {
    let format = "{{.Id}} {{index .Config.Labels \"berth.image\"}} {{.Image}}";
    let said = docker(&["inspect", "--format", format, container]);
    let parts: Vec<_> = said.split(' ').collect();
    assert_eq!(parts[1], parts[2], "the label is the engine's own word");
    (parts[0].to_owned(), parts[1].to_owned())
}

/// Removes the homes that a test made, by name, after its gateway.
struct Homes(String);

impl Drop for Homes {
    fn drop(&mut self) {
        let filter = format!("label=berth.network={}", self.0);
        let listed = Command::new("docker").args(["volume", "ls", "-q", "--filter", &filter]).output();
        for home in String::from_utf8_lossy(&listed.expect("docker runs").stdout).split_whitespace() {
            let _ = Command::new("docker").args(["volume", "rm", home]).output();
        }
    }
}

/// The whole story of an image: not there, fetched, used, updated under a session's feet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_comes_with_the_next_start_and_keeps_the_home() {
    let Some(mut registry) = Registry::start().await else { return };
    let first = registry.push("course/web", "1", MIB);
    let image = registry.name("course/web:latest");
    let pinned = registry.name(&format!("course/web@{first}"));
    let gone = registry.name("course/web:gone");
    let templates = [("web", &image), ("pinned", &pinned), ("gone", &gone)];
    let mut builder = Gateway::builder();
    for (name, image) in templates {
        builder = builder.template(&template(name, image));
    }
    let mut gateway = builder.prepare();
    let _homes = Homes(gateway.network.clone());
    gateway.serve().await;

    // Nothing is fetched by a start, and the refusal names the command.
    eventually("the missing image is known", || async {
        (shown(&gateway, "web").await["installed"] == false).then_some(())
    })
    .await;
    let ann = gateway.login("ann").await;
    let label = ann.create("web", "mine").await;
    ann.until(&label, "failed").await;
    let root = gateway.login("root").await;
    assert!(root.page("/admin").await.contains("berth template pull web"));
    assert!(docker(&["image", "ls", "-q", &image]).is_empty());

    // The command line fetches through the running gateway.
    let said = gateway.berth(&["template", "pull", "web", "pinned"], None);
    assert!(said.contains("web: ") && said.contains("is there"), "{said}");
    let old = id_of(&image);
    assert_eq!(shown(&gateway, "web").await["image"]["id"], old.as_str());
    let digest = shown(&gateway, "web").await["image"]["digest"].to_string();
    assert!(digest.contains(&first), "{digest}");
    let built = docker(&["image", "inspect", "--format", "{{.Created}}", &image]);
    let said = shown(&gateway, "web").await["image"]["created_at"].to_string();
    assert!(said.contains(&built[..19]), "{said} is not {built}");
    let refused = gateway.try_berth(&["template", "pull", "gone"], None);
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1));
    assert!(words.contains("manifest") && words.contains("do:"), "{words}");
    let listed = gateway.berth(&["template", "list"], None);
    assert!(
        listed.contains(&old[7..19]) && listed.contains("install it with: berth template pull gone"),
        "{listed}"
    );

    ann.post(&format!("/sessions/{label}/start"), &[]).await;
    ann.until(&label, "ready").await;
    let container = gateway.container(&label);
    let before = made_from(&container);
    assert_eq!(before.1, old);
    docker(&["exec", &container, "sh", "-c", "echo mine > /home/user/file; echo mine > /tmp/file"]);
    let bob = gateway.login("bob").await;
    let fixed = bob.create("pinned", "fixed").await;
    bob.until(&fixed, "ready").await;
    assert!(!update_ready(&gateway, &label).await);

    // Another image under the same tag: the session goes on, and says so.
    registry.push("course/web", "2", MIB);
    assert_eq!(id_of(&image), old, "what is in the registry is not on this machine yet");
    let (status, _) = api(&gateway, Method::POST, "/api/v1/templates/web/pull").await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(pulled(&gateway, "web").await["state"], "done");
    let new = id_of(&image);
    assert_ne!(new, old);
    assert_eq!(shown(&gateway, "web").await["image"]["version"], "2");
    assert!(update_ready(&gateway, &label).await && !update_ready(&gateway, &fixed).await);
    assert!(ann.page("/").await.contains("Restart with the new version"));
    assert_eq!(made_from(&container), before, "nothing happened to the session that runs");

    ann.post(&format!("/sessions/{label}/restart"), &[]).await;
    eventually("it runs in the new image", || async {
        (!update_ready(&gateway, &label).await).then_some(())
    })
    .await;
    ann.until(&label, "ready").await;
    let after = made_from(&container);
    assert_ne!(after.0, before.0);
    assert_eq!(after.1, new);
    let file =
        docker(&["exec", &container, "sh", "-c", "cat /home/user/file; stat -c %u:%g /home/user/file"]);
    assert_eq!(file, "mine\n1000:1000");
    assert_eq!(docker(&["exec", &container, "sh", "-c", "ls /tmp/file 2>/dev/null || echo none"]), "none");
    let audit = gateway.berth(&["audit", "tail", "-n", "100", "--json"], None);
    let pulled = audit.lines().filter(|line| line.contains("\"image_pulled\"")).count();
    assert!(pulled == 3 && audit.contains("image_not_pulled") && audit.contains(&new), "{audit}");
}

/// The connection to the registry breaks in the middle of a layer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_that_breaks_off_changes_nothing_and_can_be_repeated() {
    let Some(mut registry) = Registry::start().await else { return };
    registry.push("course/big:1", "1", 8 * MIB);
    let image = registry.name("course/big:1");
    let gateway = Gateway::builder().template(&template("big", &image)).start().await;
    let _homes = Homes(gateway.network.clone());
    registry.cut_after(2 * 1024 * 1024);
    let (status, begun) = api(&gateway, Method::POST, "/api/v1/templates/big/pull").await;
    assert_eq!((status, &begun["pull"]["state"]), (StatusCode::ACCEPTED, &"waiting".into()));
    let progress = eventually("bytes arrive", || async {
        let pull = shown(&gateway, "big").await["pull"].clone();
        (pull["progress"]["bytes"].as_u64()? > 0).then(|| pull["progress"].clone())
    })
    .await;
    assert!(progress["total_bytes"].as_u64() >= Some(8 * MIB), "{progress}");
    // The engine itself tries five times, for about a minute.
    let failed = crate::gateway::within(3 * crate::gateway::patience(), "the engine gives up", || async {
        let pull = shown(&gateway, "big").await["pull"].clone();
        (pull["state"] == "failed").then_some(pull)
    })
    .await;
    assert!(!failed["detail"].as_str().expect("the engine's words").is_empty());
    assert!(docker(&["image", "ls", "-q", &image]).is_empty());

    registry.mend();
    gateway.berth(&["template", "pull", "--all"], None);
    assert_eq!(shown(&gateway, "big").await["installed"], true);
    let ann = gateway.login("ann").await;
    let label = ann.create("big", "mine").await;
    ann.until(&label, "ready").await;
}

/// The administrator's page, while one watches: nothing there, how far it is, there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_images_shows_how_far_a_pull_is_and_that_it_is_there() {
    let Some(mut registry) = Registry::start().await else { return };
    registry.push("course/big:1", "7.1", 8 * MIB);
    let image = registry.name("course/big:1");
    let gateway = Gateway::builder().template(&template("big", &image)).start().await;
    eventually("the missing image is known", || async {
        (shown(&gateway, "big").await["installed"] == false).then_some(())
    })
    .await;
    let mut browser = Browser::open(1280, 900).await;
    browser.log_in(&gateway, "root").await;
    browser.driver.goto(gateway.url("/admin/images")).await.expect("the page");
    let row = browser.wait_for("#image-big").await.text().await.expect("a text");
    assert!(row.contains("not installed") && row.contains("berth template pull big"), "{row}");
    browser.screenshot("images-missing").await;

    registry.slow_down();
    browser.script("document.body.dataset.page = 'before'").await;
    browser.click("#image-big [data-key=pull]").await;
    // The page that follows is not loaded again: what changes on it comes by itself.
    browser.until("!document.body.dataset.page && document.querySelector('#image-big progress')").await;
    browser.script("document.body.dataset.page = 'after'").await;
    browser.until("document.querySelector('#image-big progress')?.value > 0").await;
    browser.until("document.querySelector('#image-big [data-key=pull]').disabled").await;
    let first = browser.script("return document.querySelector('#image-big progress')?.value").await;
    browser.screenshot("images-pull").await;
    let further = format!("document.querySelector('#image-big progress')?.value > {first}");
    browser.until(&further).await;
    let row = browser.wait_for("#image-big").await.text().await.expect("a text");
    assert!(row.contains("Being fetched: "), "{row}");

    registry.mend();
    browser.until("document.querySelector('#image-big').textContent.includes('Fetched at')").await;
    let row = browser.wait_for("#image-big").await.text().await.expect("a text");
    for part in ["installed", "version 7.1", &id_of(&image)[7..19]] {
        assert!(row.contains(part), "{part}: {row}");
    }
    assert!(!row.contains("not installed"), "{row}");
    browser.until("!document.querySelector('#image-big progress')").await;
    browser.until("!document.querySelector('#image-big [data-key=pull]').disabled").await;
    assert_eq!(browser.script("return document.body.dataset.page").await, "after");
    browser.screenshot("images-installed").await;
}

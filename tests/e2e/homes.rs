//! Homes: one writer each, kept over a new container, shown when they are full.

use crate::gateway::{Gateway, TOKEN, docker, eventually};

/// A container that holds files and serves pages; small and quick to start.
fn app(name: &str, home: &str) -> String {
    format!(
        "[[template]]\nname = \"{name}\"\ntitle = \"{name}\"\nimage = \"berth-test/illness\"\nprotocol = \"http\"\n\
         port = 8080\nmemory_mib = 128\nshm_mib = 16\nhome = \"{home}\"\nenv = {{ ILLNESS = \"web\" }}\n"
    )
}

/// Volumes of the gateway's network.
fn volumes(gateway: &Gateway) -> Vec<String> {
    let filter = format!("label=berth.network={}", gateway.network);
    docker(&["volume", "ls", "-q", "--filter", &filter]).lines().map(str::to_owned).collect()
}

async fn home(gateway: &Gateway, label: &str) -> serde_json::Value {
    let url = gateway.url(&format!("/api/v1/sessions/{label}"));
    let answer = gateway.client().get(url).bearer_auth(TOKEN).send().await.expect("an answer");
    let session: serde_json::Value = answer.json().await.expect("JSON");
    session["home"].clone()
}

#[tokio::test]
async fn files_outlive_the_container_and_only_one_machine_has_them() {
    let gateway = Gateway::builder()
        .template(&app("kept", "persistent"))
        .template(&app("own", "session"))
        .limits("stop_grace_s = 1\n[homes]\nmeasure_s = 1\nquota_mib = 1")
        .start()
        .await;
    let ann = gateway.login("ann").await;
    let label = ann.create("kept", "mine").await;
    ann.until(&label, "ready").await;
    let container = gateway.container(&label);
    docker(&["exec", &container, "sh", "-c", "head -c 2000000 /dev/zero > /home/user/file"]);
    eventually("the API says that it is full", || async {
        (home(&gateway, &label).await["level"] == "full").then_some(())
    })
    .await;
    assert!(ann.page("/").await.contains("empty the trash"));

    let refused = ann.post("/sessions", &[("template", "kept"), ("name", "second")]).await;
    assert_eq!(refused.status(), 409);
    assert!(refused.text().await.expect("a page").contains("mine"));

    ann.post(&format!("/sessions/{label}/stop"), &[]).await;
    ann.until(&label, "stopped").await;
    // As after an image update: the container of the old image is gone.
    docker(&["rm", &container]);
    ann.post(&format!("/sessions/{label}/start"), &[]).await;
    ann.until(&label, "ready").await;
    assert_eq!(docker(&["exec", &container, "stat", "-c", "%u %s", "/home/user/file"]), "1000 2000000");

    gateway.berth(&["session", "reset", &label, "--home", "--yes"], None);
    eventually("the home is empty and a copy is kept", || async {
        let listed = gateway.berth(&["home", "list", "--json"], None);
        let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
        let of_ann = listed.as_array()?.iter().find(|home| home["owner"] == "ann")?;
        (of_ann["copies"].as_array()?.len() == 1).then_some(())
    })
    .await;
    ann.until(&label, "ready").await;
    assert_eq!(docker(&["exec", &container, "sh", "-c", "ls /home/user | grep -c file || true"]), "0");

    let own = ann.create("own", "own").await;
    ann.until(&own, "ready").await;
    let before = volumes(&gateway).len();
    ann.post(&format!("/sessions/{own}/delete"), &[]).await;
    eventually("its home is gone with it", || async {
        (volumes(&gateway).len() == before - 1).then_some(())
    })
    .await;
}

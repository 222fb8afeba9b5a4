//! What becomes of a session: frozen, stopped, restarted, adopted, removed, failed.

use crate::gateway::{DESKTOP, Gateway, docker, eventually, illness};
use crate::viewer::Viewer;

fn status(container: &str) -> String {
    docker(&["inspect", "--format", "{{.State.Status}}", container])
}

/// Host process id and start time of the container's first process: another process, another value.
fn process(container: &str) -> String {
    docker(&["inspect", "--format", "{{.State.Pid}} {{.State.StartedAt}}", container])
}

#[tokio::test]
async fn an_untouched_session_is_frozen_then_stopped_and_one_with_key_events_is_not() {
    let limits = "away_s = 5\nfrozen_s = 5";
    let gateway = Gateway::builder().template(DESKTOP).limits(limits).start().await;
    let (ann, bob) = (gateway.login("ann").await, gateway.login("bob").await);
    let left = ann.create("desktop", "left").await;
    let used = bob.create("desktop", "used").await;
    ann.until(&left, "ready").await;
    bob.until(&used, "ready").await;

    // Both have an open viewer that asks for updates all the time; only one has a human.
    let watcher = Viewer::open(&ann, &left).await;
    let worker = Viewer::open(&bob, &used).await;
    let typing = worker.type_a_key_every_second();
    let (left_box, used_box) = (gateway.container(&left), gateway.container(&used));

    eventually("the untouched one is frozen", || async { (status(&left_box) == "paused").then_some(()) })
        .await;
    assert_eq!(ann.state(&left).await.as_deref(), Some("paused"));
    assert_eq!(watcher.closed().await, Some(4408), "its socket is told that it lapsed");
    eventually("the untouched one is stopped", || async { (status(&left_box) == "exited").then_some(()) })
        .await;
    ann.until(&left, "stopped").await;
    assert_eq!(status(&used_box), "running");
    assert_eq!(bob.state(&used).await.as_deref(), Some("ready"));
    typing.abort();
}

#[tokio::test]
async fn after_kill_9_and_restart_the_desktop_is_the_same_process() {
    let mut gateway = Gateway::builder().template(DESKTOP).start().await;
    let label = {
        let ann = gateway.login("ann").await;
        let label = ann.create("desktop", "mine").await;
        ann.until(&label, "ready").await;
        label
    };
    let container = gateway.container(&label);
    let before = process(&container);
    gateway.kill();
    assert_eq!(process(&container), before, "a gateway's death is not felt by the container");
    gateway.serve().await;
    let ann = gateway.login("ann").await;
    assert_eq!(ann.state(&label).await.as_deref(), Some("ready"));
    let viewer = Viewer::open(&ann, &label).await;
    assert!(viewer.width() > 0, "the desktop answers after the restart");
    assert_eq!(process(&container), before);
}

#[tokio::test]
async fn a_start_that_is_killed_in_the_middle_is_taken_up_or_removed() {
    let mut gateway = Gateway::builder().template(DESKTOP).start().await;
    for round in 0..4 {
        let label = {
            let ann = gateway.login("ann").await;
            ann.create("desktop", &format!("round {round}")).await
        };
        // Different points of the start: before, during and after the container is made.
        tokio::time::sleep(std::time::Duration::from_millis(90 * round)).await;
        gateway.kill();
        gateway.serve().await;
        let ann = gateway.login("ann").await;
        ann.until(&label, "ready").await;
        assert_eq!(gateway.containers().len(), 1, "exactly one container per session");
        ann.post(&format!("/sessions/{label}/delete"), &[]).await;
        eventually("nothing is left", || async { gateway.containers().is_empty().then_some(()) }).await;
    }
}

#[tokio::test]
async fn sigterm_in_the_middle_of_a_start_loses_nothing() {
    let mut gateway = Gateway::builder().template(DESKTOP).start().await;
    let label = {
        let ann = gateway.login("ann").await;
        ann.create("desktop", "mine").await
    };
    assert!(gateway.terminate(), "the gateway ends well:\n{}", gateway.log());
    gateway.serve().await;
    let ann = gateway.login("ann").await;
    ann.until(&label, "ready").await;
    assert_eq!(gateway.containers().len(), 1);
}

#[tokio::test]
async fn failed_starts_say_why_leave_nothing_and_do_not_block_the_next() {
    let missing = "[[template]]\nname = \"missing\"\ntitle = \"Missing\"\nimage = \"berth-test/no-such-image\"\nprotocol = \"rfb\"\nport = 5900\n";
    let gateway = Gateway::builder()
        .template(&illness("exits", "rfb", "exits"))
        .template(&illness("silent", "rfb", "silent"))
        .template(&illness("closes", "rfb", "closes"))
        .template(&illness("web", "http", "web"))
        .template(missing)
        .limits("start_deadline_s = 6\nmax_sessions_per_user = 9")
        .start()
        .await;
    // An administrator's own machines show the technical reason too.
    let ann = gateway.login("root").await;
    for (template, says) in [
        ("missing", "berth-test/no-such-image"),
        ("exits", "ended"),
        ("silent", "in time"),
        ("closes", "in time"),
    ] {
        let label = ann.create(template, template).await;
        ann.until(&label, "failed").await;
        let page = ann.page(&format!("/s/{label}/")).await;
        assert!(page.contains(says), "{template}: {page}");
    }
    assert_eq!(gateway.containers(), Vec::<String>::new(), "failed starts leave nothing behind");
    let label = ann.create("web", "works").await;
    ann.until(&label, "ready").await;
}

#[tokio::test]
async fn stop_start_restart_reset_and_delete_do_what_they_say() {
    let gateway = Gateway::builder().template(DESKTOP).start().await;
    let ann = gateway.login("ann").await;
    let label = ann.create("desktop", "mine").await;
    ann.until(&label, "ready").await;
    let container = gateway.container(&label);
    let id = || docker(&["inspect", "--format", "{{.Id}}", &container]);
    let first = id();
    docker(&["exec", &container, "touch", "/home/user/kept"]);

    let viewer = Viewer::open(&ann, &label).await;
    ann.post(&format!("/sessions/{label}/stop"), &[]).await;
    assert_eq!(viewer.closed().await, Some(4404));
    ann.until(&label, "stopped").await;
    assert_eq!(status(&container), "exited");
    ann.post(&format!("/sessions/{label}/start"), &[]).await;
    ann.until(&label, "ready").await;
    assert_eq!(id(), first, "a start finds the same container");
    docker(&["exec", &container, "test", "-e", "/home/user/kept"]);

    let before = process(&container);
    ann.post(&format!("/sessions/{label}/restart"), &[]).await;
    eventually("it runs again as another process", || async {
        (status(&container) == "running" && process(&container) != before).then_some(())
    })
    .await;
    ann.until(&label, "ready").await;
    assert_eq!(id(), first);

    ann.post(&format!("/sessions/{label}/reset"), &[]).await;
    eventually("a reset makes a new container", || async {
        let now = std::process::Command::new("docker")
            .args(["inspect", "--format", "{{.Id}}", &container])
            .output()
            .ok()?;
        let now = String::from_utf8_lossy(&now.stdout).trim().to_owned();
        (!now.is_empty() && now != first).then_some(())
    })
    .await;
    ann.until(&label, "ready").await;

    ann.post(&format!("/sessions/{label}/delete"), &[]).await;
    eventually("nothing is left", || async { gateway.containers().is_empty().then_some(()) }).await;
    let gone = ann.client.get(gateway.url(&format!("/s/{label}/"))).send().await.expect("an answer");
    assert_eq!(gone.status(), 404);
}

#[tokio::test]
async fn ended_rights_close_open_sockets() {
    let gateway = Gateway::builder().template(DESKTOP).start().await;
    let ann = gateway.login("ann").await;
    let label = ann.create("desktop", "mine").await;
    ann.until(&label, "ready").await;
    let viewer = Viewer::open(&ann, &label).await;
    ann.post("/logout", &[]).await;
    assert_eq!(viewer.closed().await, Some(4401), "logging out closes the desktop's socket");

    let again = gateway.login("ann").await;
    let viewer = Viewer::open(&again, &label).await;
    gateway.berth(&["user", "disable", "ann"], None);
    assert_eq!(viewer.closed().await, Some(4401), "disabling a user closes the desktop's socket");
}

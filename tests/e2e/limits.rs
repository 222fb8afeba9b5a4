//! Limits on real containers: who counts as a human, what work is worth, and what a frozen desktop
//! is when its owner comes back.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::gateway::{DESKTOP, Gateway, docker, eventually};
use crate::viewer::Viewer;

fn status(container: &str) -> String {
    docker(&["inspect", "--format", "{{.State.Status}}", container])
}

/// Waits until the engine says that a container is frozen; tells when that was.
async fn frozen(container: &str) -> Instant {
    eventually("the desktop is frozen", || async { (status(container) == "paused").then(Instant::now) }).await
}

/// Process ids of the programs that make a desktop, by name.
fn programs(container: &str) -> BTreeMap<String, String> {
    let table = docker(&["top", container, "-eo", "pid,comm"]);
    let rows = table.lines().filter_map(|line| line.trim().split_once(char::is_whitespace));
    let lasting = ["Xtigervnc", "xfwm4", "xfce4-panel", "xfdesktop"];
    rows.map(|(pid, name)| (name.trim().to_owned(), pid.to_owned()))
        .filter(|(name, _)| lasting.contains(&name.as_str()))
        .collect()
}

/// Waits for all of them.
async fn whole(container: &str) -> BTreeMap<String, String> {
    eventually("the desktop is whole", || async {
        Some(programs(container)).filter(|programs| programs.len() == 4)
    })
    .await
}

/// Waits so long for something that may not come.
async fn within_if(patience: Duration, so: impl Fn() -> bool) -> Option<()> {
    let began = Instant::now();
    while !so() {
        if began.elapsed() > patience {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Some(())
}

/// Fills the screen with a terminal whose first character blinks at 10 Hz.
fn repaint(container: &str) {
    let blink = "while :; do printf '\\033[H\\342\\226\\210'; sleep 0.1; printf '\\033[H '; sleep 0.1; done";
    docker(&[
        "exec",
        "-d",
        "-e",
        "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus",
        container,
        "xfce4-terminal",
        "--disable-server",
        "--fullscreen",
        "--hide-menubar",
        "--hide-scrollbar",
        "-x",
        "sh",
        "-c",
        blink,
    ]);
}

#[tokio::test]
async fn a_desktop_that_repaints_is_frozen_at_its_limit_while_keys_keep_another() {
    const AWAY: Duration = Duration::from_secs(25);
    let gateway = Gateway::builder().template(DESKTOP).limits("away_s = 25").start().await;
    let (ann, bob) = (gateway.login("ann").await, gateway.login("bob").await);
    let used = bob.create("desktop", "used").await;
    bob.until(&used, "ready").await;
    let worker = Viewer::open(&bob, &used).await;
    let typing = worker.type_a_key_every(AWAY - Duration::from_secs(10));

    let left = ann.create("desktop", "left").await;
    ann.until(&left, "ready").await;
    let ready = Instant::now();
    let container = gateway.container(&left);
    let watcher = Viewer::open(&ann, &left).await;
    whole(&container).await;
    // A terminal that is opened while the desktop is still being painted ends up below it.
    while within_if(Duration::from_secs(3), || watcher.updates() > 20).await.is_none() {
        assert!(ready.elapsed() < AWAY, "it does not repaint");
        repaint(&container);
    }
    let painted = watcher.updates();
    let at = frozen(&container).await - ready;
    println!("frozen {at:?} after it was ready, {} repaints seen", watcher.updates());
    assert!(at.abs_diff(AWAY) <= Duration::from_secs(5), "{at:?}");
    assert!(watcher.updates() > painted + 10, "it went on repainting until then");
    assert_eq!(watcher.closed().await, Some(4408));

    let other = gateway.container(&used);
    while ready.elapsed() < AWAY * 3 {
        assert_eq!(status(&other), "running");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    typing.abort();
    frozen(&other).await;
}

#[tokio::test]
async fn a_frozen_desktop_goes_on_with_the_same_processes_when_its_owner_opens_it() {
    let gateway = Gateway::builder().template(DESKTOP).start().await;
    let ann = gateway.login("ann").await;
    let label = ann.create("desktop", "mine").await;
    ann.until(&label, "ready").await;
    let container = gateway.container(&label);
    let before = whole(&container).await;
    for _ in 0..3 {
        ann.post(&format!("/sessions/{label}/pause"), &[]).await;
        assert_eq!(status(&container), "paused");
        let opened = Instant::now();
        let page = ann.page(&format!("/s/{label}/")).await;
        let took = opened.elapsed();
        println!("resumed in {took:?}");
        assert!(page.contains(&format!("/s/{label}/rfb")) && took < Duration::from_secs(1), "{took:?}");
        assert_eq!(status(&container), "running");
        let viewer = Viewer::open(&ann, &label).await;
        println!("its screen was there {:?} after it was opened", opened.elapsed());
        assert!(viewer.width() > 0);
        assert_eq!(programs(&container), before, "the same processes");
    }
}

#[tokio::test]
async fn a_container_at_work_is_frozen_later_but_not_never() {
    // Far below a whole core, because others may want the cores too, and far above a desktop at rest; and
    // a limit so long that a sample which comes late is still one of several.
    let busy = format!("{DESKTOP}away_s = 20\nbusy_cpu_percent = 5\nbusy_max_s = 12\n");
    let gateway = Gateway::builder().template(&busy).start().await;
    let ann = gateway.login("ann").await;
    let label = ann.create("desktop", "mine").await;
    ann.until(&label, "ready").await;
    let ready = Instant::now();
    let container = gateway.container(&label);
    docker(&["exec", "-d", &container, "sh", "-c", "while :; do :; done"]);
    let root = gateway.login("root").await;
    eventually("the reason shows itself", || async {
        root.page("/status").await.contains("\"expires_because\":\"busy\"").then_some(())
    })
    .await;
    let at = frozen(&container).await - ready;
    assert!(at.abs_diff(Duration::from_secs(32)) <= Duration::from_secs(5), "{at:?}");
}

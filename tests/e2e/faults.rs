//! Bad luck: what the machine does to the gateway.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::gateway::{DESKTOP, Gateway, docker, eventually, illness};
use crate::viewer::Viewer;

fn said(gateway: &Gateway, arguments: &[&str]) -> (bool, String) {
    let output = gateway.try_berth(arguments, None);
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let gateway = Gateway::builder().template(&illness("web", "http", "web")).prepare();
    let _taken = TcpListener::bind(gateway.address()).expect("the port is free");
    let (fine, text) = said(&gateway, &["serve"]);
    assert!(!fine);
    assert!(text.contains(&gateway.port.to_string()) && text.contains("in use"), "{text}");
}

#[tokio::test]
async fn unreadable_and_mismatched_keys_are_named() {
    let gateway = Gateway::builder().template(&illness("web", "http", "web")).prepare();
    let other = Gateway::builder().template(&illness("web", "http", "web")).prepare();
    let key = gateway.path("certs/key.pem");
    let own = std::fs::read(&key).expect("setup made a key");
    // As with an operator's own certificate: nothing is issued in its place.
    let config = gateway.path("config/berth.toml");
    let text = std::fs::read_to_string(&config).expect("the test's own file");
    std::fs::write(&config, format!("[tls]\ndev_ca = false\n{text}")).expect("the test's own file");

    std::fs::write(&key, std::fs::read(other.path("certs/key.pem")).expect("a key")).expect("writing");
    let (fine, text) = said(&gateway, &["serve"]);
    assert!(!fine && text.contains("key.pem") && text.contains("match"), "{text}");

    std::fs::write(&key, "no key at all").expect("writing");
    let (fine, text) = said(&gateway, &["serve"]);
    assert!(!fine && text.contains("key.pem"), "{text}");

    std::fs::remove_file(&key).expect("removing");
    let (fine, text) = said(&gateway, &["serve"]);
    assert!(!fine && text.contains("key.pem"), "{text}");
    std::fs::write(&key, own).expect("writing");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("the test's own file");
}

#[tokio::test]
async fn a_damaged_or_newer_database_is_named_and_left_alone() {
    let gateway = Gateway::builder().template(&illness("web", "http", "web")).prepare();
    let database = gateway.path("var/berth.db");
    let own = std::fs::read(&database).expect("setup made a database");
    for file in ["berth.db-wal", "berth.db-shm"] {
        let _ = std::fs::remove_file(gateway.path("var").join(file));
    }
    std::fs::write(&database, b"this is no database, but something the owner may need").expect("writing");
    let (fine, text) = said(&gateway, &["serve"]);
    assert!(!fine && text.contains("berth.db"), "{text}");
    assert!(
        std::fs::read(&database).expect("still there").starts_with(b"this is no database"),
        "no silent reset"
    );

    std::fs::write(&database, own).expect("writing");
    let bump = Command::new("python3")
        .args(["-c", "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute('PRAGMA user_version=9999'); c.commit()"])
        .arg(&database)
        .status()
        .expect("python3 is installed");
    assert!(bump.success());
    let (fine, text) = said(&gateway, &["serve"]);
    assert!(!fine && text.contains("9999") && text.contains("newer"), "{text}");
}

#[tokio::test]
async fn configuration_errors_come_all_at_once_with_their_lines() {
    let gateway = Gateway::builder().template(&illness("web", "http", "web")).prepare();
    let path = gateway.path("config/berth.toml");
    let wrong = "[server]\nlissten = [\"127.0.0.1:1\"]\nrouting = \"sideways\"\n[limits]\naway_s = \"soon\"\n[nonsense]\nx = 1\n";
    std::fs::write(&path, wrong).expect("writing");
    let (fine, text) = said(&gateway, &["check-config"]);
    assert!(!fine);
    for expected in
        ["berth.toml:2", "lissten", "listen", "berth.toml:3", "routing", "berth.toml:5", "away_s", "nonsense"]
    {
        assert!(text.contains(expected), "{expected} is not in:\n{text}");
    }
}

#[tokio::test]
async fn an_engine_that_is_down_at_start_is_said_and_survived() {
    let mut gateway =
        Gateway::builder().template(DESKTOP).engine("socket = \"var/no-such-engine.sock\"").prepare();
    gateway.launch();
    let client = gateway.client();
    let ready =
        eventually("the gateway answers", || async { client.get(gateway.url("/ready")).send().await.ok() })
            .await;
    assert_eq!(ready.status(), 503);
    assert!(ready.text().await.expect("a body").contains("engine"));
    let ann = gateway.login("ann").await;
    let label = ann.create("desktop", "mine").await;
    ann.until(&label, "failed").await;
    let page = ann.page(&format!("/s/{label}/")).await;
    assert!(page.contains("does not answer"), "{page}");
}

/// The engine hangs (here: its spawner is stopped) while a desktop is open: the desktop goes on,
/// and a new start is refused honestly.
#[tokio::test]
async fn an_engine_that_is_lost_while_running_leaves_open_desktops_alone() {
    let gateway = Gateway::builder().template(DESKTOP).limits("start_deadline_s = 5").start().await;
    let (ann, bob) = (gateway.login("ann").await, gateway.login("bob").await);
    let label = ann.create("desktop", "mine").await;
    ann.until(&label, "ready").await;
    let viewer = Viewer::open(&ann, &label).await;

    let spawner = spawner_of(gateway.pid());
    signal("STOP", &spawner);
    let before = viewer.updates();
    let second = Viewer::open(&ann, &label).await;
    assert!(second.width() > 0, "even a new viewer of an open desktop works");
    let waiting = bob.create("desktop", "later").await;
    bob.until(&waiting, "failed").await;
    signal("CONT", &spawner);
    eventually("starts work again", || async {
        bob.post(&format!("/sessions/{waiting}/start"), &[]).await;
        (bob.state(&waiting).await.as_deref() == Some("ready")).then_some(())
    })
    .await;
    assert!(viewer.updates() >= before);
    assert_eq!(ann.state(&label).await.as_deref(), Some("ready"));
}

fn spawner_of(gateway: u32) -> String {
    let children = format!("/proc/{gateway}/task/{gateway}/children");
    let all = std::fs::read_dir(format!("/proc/{gateway}/task"))
        .expect("the gateway runs")
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok())
        .collect::<String>();
    all.split_whitespace().next().unwrap_or_else(|| panic!("no child in {children}")).to_owned()
}

fn signal(name: &str, pid: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), pid]).status().expect("kill runs");
    assert!(status.success());
}

#[tokio::test]
async fn a_container_that_dies_is_told_and_can_be_started_again() {
    let gateway = Gateway::builder().template(DESKTOP).start().await;
    let ann = gateway.login("ann").await;
    let label = ann.create("desktop", "mine").await;
    ann.until(&label, "ready").await;
    let viewer = Viewer::open(&ann, &label).await;
    docker(&["kill", &gateway.container(&label)]);
    ann.until(&label, "stopped").await;
    assert!(matches!(viewer.closed().await, Some(4404 | 1013)), "the viewer is told");
    ann.post(&format!("/sessions/{label}/start"), &[]).await;
    ann.until(&label, "ready").await;
}

/// The record of a running session is lost; its container belongs to nobody and is removed, while
/// one of another database on the same network is left alone.
#[tokio::test]
async fn a_container_nobody_owns_is_removed() {
    let mut gateway = Gateway::builder().template(DESKTOP).engine("reconcile_s = 1").start().await;
    {
        let ann = gateway.login("ann").await;
        let label = ann.create("desktop", "mine").await;
        ann.until(&label, "ready").await;
    }
    let foreign = format!("berth-foreign-{}", gateway.port);
    let network = format!("berth.network={}", gateway.network);
    let session = "berth.session=00000000000000000000000000000001";
    docker(&[
        "run",
        "-d",
        "--name",
        &foreign,
        "--label",
        session,
        "--label",
        "berth.installation=another",
        "--label",
        &network,
        "--entrypoint",
        "sleep",
        "berth/desktop",
        "600",
    ]);
    gateway.kill();
    forget_sessions(&gateway);
    gateway.serve().await;
    eventually("only the foreign container is left", || async {
        (gateway.containers() == [foreign.clone()]).then_some(())
    })
    .await;
}

/// A container with a network of its own and unnamed volumes vanishes behind everybody's back, and
/// another's record is lost: both networks and all volumes are gone within a minute, without a restart.
#[tokio::test]
async fn networks_and_volumes_without_a_session_are_removed() {
    let confined = DESKTOP.replace("\"desktop\"", "\"packets\"")
        + "read_only = true\ncapabilities = [\"NET_RAW\"]\nmemory_mib = 1024\n";
    let mut gateway = Gateway::builder().template(&confined).engine("reconcile_s = 1").start().await;
    let filter = format!("label=berth.network={}", gateway.network);
    let left = |kind: &str| docker(&[kind, "ls", "-q", "--filter", &filter]).lines().count();
    {
        let ann = gateway.login("ann").await;
        let (lost, forgotten) =
            (ann.create("packets", "lost").await, ann.create("packets", "forgotten").await);
        for label in [&lost, &forgotten] {
            ann.until(label, "ready").await;
        }
        assert_eq!((left("network"), left("volume")), (3, 4), "the shared network, and two of each session");
        let told = docker(&["exec", &gateway.container(&lost), "printenv", "TITLE", "LANG"]);
        assert_eq!(told, "lost\nen_US.UTF-8");
        docker(&["rm", "-f", &gateway.container(&lost)]);
        ann.until(&lost, "stopped").await;
    }
    eventually("what the lost container left is gone", || async {
        ((left("network"), left("volume")) == (2, 2)).then_some(())
    })
    .await;
    gateway.kill();
    forget_sessions(&gateway);
    gateway.serve().await;
    eventually("what the forgotten session left is gone", || async {
        ((left("network"), left("volume")) == (1, 0)).then_some(())
    })
    .await;
}

fn forget_sessions(gateway: &Gateway) {
    let forget = Command::new("python3")
        .args(["-c", "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute('DELETE FROM sessions'); c.commit()"])
        .arg(gateway.path("var/berth.db"))
        .status()
        .expect("python3 is installed");
    assert!(forget.success());
}

/// The store's disk is full: nothing new is made, reading goes on, and it recovers by itself.
#[tokio::test]
async fn a_full_disk_under_the_store_refuses_changes_and_recovers() {
    let mut gateway = Gateway::builder().template(&illness("web", "http", "web")).prepare();
    let var = gateway.path("var");
    let backup = gateway.path("var.before");
    std::fs::rename(&var, &backup).expect("renaming");
    std::fs::create_dir(&var).expect("a mount point");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(&var).status();
    assert!(mounted.is_ok_and(|status| status.success()), "this test needs to mount a small tmpfs");
    let _unmount = Unmount(&var);
    for file in std::fs::read_dir(&backup).expect("readable") {
        let file = file.expect("readable");
        if file.file_type().is_ok_and(|kind| kind.is_file()) {
            std::fs::copy(file.path(), var.join(file.file_name())).expect("copying");
        }
    }
    gateway.serve().await;
    let ann = gateway.login("ann").await;
    let filler = var.join("filler");
    let _ = Command::new("dd").args(["if=/dev/zero", "bs=64k", &format!("of={}", filler.display())]).output();
    let refused = ann.post("/sessions", &[("template", "web"), ("name", "full")]).await;
    assert_eq!(refused.status(), 503);
    assert_eq!(gateway.containers(), Vec::<String>::new(), "nothing was made");
    assert_eq!(ann.client.get(gateway.url("/")).send().await.expect("an answer").status(), 200);
    std::fs::remove_file(&filler).expect("removing");
    let label = ann.create("web", "fits").await;
    ann.until(&label, "ready").await;
    gateway.kill();
}

struct Unmount<'a>(&'a Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l"]).arg(self.0).status();
    }
}

#[tokio::test]
async fn no_port_of_a_container_is_published() {
    let gateway = Gateway::builder().template(DESKTOP).start().await;
    let ann = gateway.login("ann").await;
    let before = listening();
    let label = ann.create("desktop", "mine").await;
    ann.until(&label, "ready").await;
    let new: Vec<_> = listening().into_iter().filter(|port| !before.contains(port)).collect();
    let container = gateway.container(&label);
    let bindings = docker(&[
        "inspect",
        "--format",
        "{{json .HostConfig.PortBindings}} {{.HostConfig.PublishAllPorts}}",
        &container,
    ]);
    assert!(bindings == "{} false" || bindings == "null false", "{bindings}");
    assert!(new.iter().all(|line| !line.ends_with(":5900")), "a VNC port is published: {new:?}");
    let hardening = docker(&[
        "inspect",
        "--format",
        "{{json .HostConfig.CapDrop}} {{json .HostConfig.SecurityOpt}} {{.HostConfig.PidsLimit}} {{.HostConfig.Init}} {{.Config.User}}",
        &container,
    ]);
    assert!(
        hardening.contains("ALL") && hardening.contains("no-new-privileges") && hardening.contains("true"),
        "{hardening}"
    );
    assert!(!hardening.ends_with(" root") && !hardening.ends_with(" 0"), "{hardening}");
}

/// Local addresses with a listening TCP socket.
fn listening() -> Vec<String> {
    let output = Command::new("ss").args(["-Hltn"]).output().expect("ss is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter_map(|line| line.split_whitespace().nth(3).map(str::to_owned)).collect()
}

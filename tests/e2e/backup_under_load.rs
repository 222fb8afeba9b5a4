//! A backup while a class works, everything wiped, and everything back.

use std::process::Child;

use crate::gateway::{DESKTOP, Gateway, PASSWORD, Student, TOKEN, docker, eventually, illness};
use crate::viewer::Viewer;

/// What outlives containers, in an app that is quick to start.
fn kept() -> String {
    illness("kept", "http", "web").replace("home = \"ephemeral\"", "home = \"persistent\"")
}

/// States in which nothing is under way.
const RESTS: [&str; 3] = ["ready", "stopped", "failed"];

/// Sessions come and go and people log in until the backup is done.
async fn work_until_done(gateway: &Gateway, worker: &Student<'_>, backup: &mut Child) -> usize {
    let mut rounds = 0;
    while backup.try_wait().expect("a child can be waited for").is_none() || rounds < 2 {
        let name = format!("round {rounds}");
        let label = worker.create("passing", &name).await;
        let (_ann, _bob) = tokio::join!(gateway.login("ann"), gateway.login("bob"));
        if rounds % 2 == 0 {
            worker.until(&label, "ready").await;
            worker.post(&format!("/sessions/{label}/stop"), &[]).await;
        }
        worker.post(&format!("/sessions/{label}/delete"), &[]).await;
        rounds += 1;
    }
    rounds
}

async fn session(gateway: &Gateway, label: &str) -> serde_json::Value {
    let url = gateway.url(&format!("/api/v1/sessions/{label}"));
    let answer = gateway.client().get(url).bearer_auth(TOKEN).send().await.expect("an answer");
    answer.json().await.expect("JSON")
}

fn pid(container: &str) -> String {
    docker(&["inspect", "--format", "{{.State.Pid}}", container])
}

/// The home of a container's session, by the volume it mounts.
fn volume(container: &str) -> String {
    docker(&["inspect", "--format", "{{range .Mounts}}{{.Name}}{{end}}", container])
}

/// As after the loss of the disk, but for what still runs.
fn wipe(gateway: &Gateway, containers: &[&str]) {
    for file in ["berth.db", "berth.db-wal", "berth.db-shm"] {
        let _ = std::fs::remove_file(gateway.path("var").join(file));
    }
    for container in containers {
        let home = volume(container);
        docker(&["rm", "-f", container]);
        docker(&["volume", "rm", &home]);
    }
}

#[tokio::test]
async fn a_backup_under_load_brings_everybody_back() {
    let desktop = DESKTOP.replace("home = \"ephemeral\"", "home = \"persistent\"");
    let mut gateway = Gateway::builder()
        .template(&desktop)
        .template(&kept())
        .template(&illness("passing", "http", "web"))
        .limits("stop_grace_s = 1\nmax_sessions_per_user = 50")
        .start()
        .await;
    gateway.berth(&["user", "add", "worker", "--password-stdin"], Some(PASSWORD));
    let file = gateway.path("class.backup").display().to_string();
    let (of_ann, of_bob, of_root, running, rested, lost, cookie, rounds);
    {
        let (ann, bob) = (gateway.login("ann").await, gateway.login("bob").await);
        let (root, worker) = (gateway.login("root").await, gateway.login("worker").await);
        // One that runs on, one at rest, and one that will be lost.
        of_ann = ann.create("desktop", "runs on").await;
        of_bob = bob.create("kept", "rests").await;
        of_root = root.create("kept", "will be lost").await;
        for (who, label) in [(&ann, &of_ann), (&bob, &of_bob), (&root, &of_root)] {
            who.until(label, "ready").await;
        }
        running = gateway.container(&of_ann);
        rested = gateway.container(&of_bob);
        lost = gateway.container(&of_root);
        docker(&["exec", &running, "sh", "-c", "echo of-ann > ~/file"]);
        docker(&["exec", &rested, "sh", "-c", "echo of-bob > ~/file; chmod 0600 ~/file; ln -s file ~/link"]);
        docker(&[
            "exec",
            &lost,
            "sh",
            "-c",
            "head -c 20000000 /dev/urandom > ~/large; echo of-root > ~/file",
        ]);
        bob.post(&format!("/sessions/{of_bob}/stop"), &[]).await;
        bob.until(&of_bob, "stopped").await;
        cookie = ann.cookie().to_owned();

        let mut backup = gateway.begin(&["backup", &file, "--homes"]);
        rounds = work_until_done(&gateway, &worker, &mut backup).await;
        assert!(backup.wait().expect("it has ended").success(), "{}", gateway.log());
    }
    assert!(rounds >= 2);
    let said = gateway.berth(&["backup", "--check", &file], None);
    assert!(said.contains("is whole") && said.contains("3 homes and copies"), "{said}");
    let listed = gateway.berth(&["backup", "--list", &file], None);
    assert!(listed.contains("home of ann (in use)") && listed.contains("home of bob\n"), "{listed}");
    assert!(gateway.berth(&["audit", "tail"], None).contains("backup_made"));

    let process = pid(&running);
    gateway.kill();
    wipe(&gateway, &[&rested, &lost]);
    let refused = gateway.try_berth(&["restore", &file], None);
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(5), "{words}");
    assert!(words.contains("home of ann: a session uses it"), "{words}");
    assert!(!gateway.path("var/berth.db").exists(), "nothing was changed");
    let said = gateway.berth(&["restore", &file, "--existing-homes", "keep"], None);
    assert!(said.contains("everybody logs in again"), "{said}");

    gateway.serve().await;
    let of_then = gateway.client().get(gateway.url("/")).header("cookie", cookie).send().await;
    assert_ne!(of_then.expect("an answer").status(), 200, "the logins of then have ended");
    let (ann, bob, root) =
        (gateway.login("ann").await, gateway.login("bob").await, gateway.login("root").await);
    ann.until(&of_ann, "ready").await;
    assert_eq!(pid(&running), process, "the same desktop");
    assert!(Viewer::open(&ann, &of_ann).await.width() > 0, "and it is reached");
    assert_eq!(docker(&["exec", &running, "sh", "-c", "cat ~/file"]), "of-ann");

    root.until(&of_root, "stopped").await;
    let told = session(&gateway, &of_root).await;
    assert_eq!(told["reason"], "restored", "{told}");
    root.post(&format!("/sessions/{of_root}/start"), &[]).await;
    root.until(&of_root, "ready").await;
    let look = "cat ~/file; stat -c %s ~/large";
    assert_eq!(docker(&["exec", &lost, "sh", "-c", look]), "of-root\n20000000");
    assert_eq!(bob.state(&of_bob).await.as_deref(), Some("stopped"));
    bob.post(&format!("/sessions/{of_bob}/start"), &[]).await;
    bob.until(&of_bob, "ready").await;
    let look = "cat ~/link; stat -c '%u %a' ~/file";
    assert_eq!(docker(&["exec", &rested, "sh", "-c", look]), "of-bob\n1000 600");

    leaves_nothing_open(&gateway, &file).await;
}

/// Everything rests, the audit is whole, and nothing of the backup is left.
async fn leaves_nothing_open(gateway: &Gateway, file: &str) {
    eventually("what was on its way then has come to rest", || async {
        let rows: serde_json::Value =
            serde_json::from_str(&gateway.berth(&["session", "list", "--json"], None)).ok()?;
        let settled =
            |row: &serde_json::Value| row["state"].as_str().is_some_and(|state| RESTS.contains(&state));
        rows.as_array()?.iter().all(settled).then_some(())
    })
    .await;
    assert!(gateway.berth(&["audit", "verify"], None).contains("unbroken"));
    assert!(gateway.berth(&["audit", "tail", "--event", "restored"], None).contains("restored"));
    // The lock keeps a second store away from a gateway that runs.
    let refused = gateway.try_berth(&["restore", file, "--only", "store", "--replace"], None);
    assert_eq!(refused.status.code(), Some(5));
    // Homes in use are measured by errands of their own now and then; none of them stays.
    eventually("no container of the backup or the restoration is left", || async {
        gateway.containers().iter().all(|name| !name.contains("errand")).then_some(())
    })
    .await;
}

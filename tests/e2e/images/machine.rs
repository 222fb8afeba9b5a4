//! A machine boots the disk it is lent, takes keys, and finds what it wrote after a stop; the disk stays as it was.

use std::path::PathBuf;

use thirtyfour::prelude::*;

use crate::browser::Browser;
use crate::gateway::{Gateway, Student, docker, eventually};

/// The disk with a small Linux, from its image.
fn disk(folder: &std::path::Path) -> PathBuf {
    let (container, path) =
        (docker(&["create", "berth-test/machine-disk", "true"]), folder.join("disk.qcow2"));
    docker(&["cp", &format!("{container}:/disk.qcow2"), &path.display().to_string()]);
    docker(&["rm", &container]);
    path
}

/// The shipped template, which is commented out, with this disk.
fn template(disk: &std::path::Path) -> String {
    let shipped = super::shipped("machine");
    let lines = shipped.lines().skip_while(|line| *line != "# [[template]]");
    let lines = lines.map(|line| line.strip_prefix("# ").expect("the whole template is commented out"));
    let text = lines.collect::<Vec<_>>().join("\n") + "\n";
    let text = text.replace("/srv/disks/machine.qcow2", &disk.display().to_string());
    text.replace("memory_mib = 4608 ", "memory_mib = 1024 ")
}

/// Types a line key by key: an emulated keyboard holds few, and an emulated processor takes its time. Keys go to the
/// machine as positions, so Shift is pressed where a US keyboard needs it.
async fn type_line(browser: &Browser, text: &str) {
    for key in text.chars().chain([Key::Enter.value()]) {
        let keys = browser.driver.action_chain();
        let keys = match key {
            '>' => keys.key_down(Key::Shift).key_down('.').key_up('.').key_up(Key::Shift),
            'S' => keys.key_down(Key::Shift).key_down('s').key_up('s').key_up(Key::Shift),
            other => keys.key_down(other).key_up(other),
        };
        keys.perform().await.expect("a key event");
    }
}

/// How often the proof has come over the machine's serial line.
fn proofs(container: &str) -> usize {
    docker(&["logs", container]).matches("kept-4711").count()
}

/// How often the machine has said on its serial line that it is up.
fn boots(container: &str) -> usize {
    docker(&["logs", container]).matches("machine: up").count()
}

async fn open(gateway: &Gateway, browser: &Browser, ann: &Student<'_>, label: &str, boot: usize) -> String {
    ann.until(label, "ready").await;
    browser.driver.goto(gateway.url(&format!("/s/{label}/"))).await.expect("the viewer");
    browser.wait_for("[data-state=connected] #screen canvas").await;
    let container = gateway.container(label);
    eventually("the machine has booted", || async { (boots(&container) >= boot).then_some(()) }).await;
    browser.click("#screen canvas").await;
    container
}

#[tokio::test]
async fn a_machine_keeps_what_it_wrote() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let disk = disk(folder.path());
    let before = std::fs::read(&disk).expect("the disk");
    let gateway = Gateway::builder().template(&template(&disk)).start().await;
    let ann = gateway.login("ann").await;
    let mut browser = Browser::open(1280, 900).await;
    browser.log_in(&gateway, "ann").await;
    let label = ann.create("machine", "Machine").await;
    let container = open(&gateway, &browser, &ann, &label, 1).await;
    eventually("the typed line has run in the machine", || async {
        type_line(&browser, "echo kept-4711 > proof; sync; cat proof > /dev/ttyS0").await;
        browser.screenshot("machine").await;
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        (proofs(&container) > 0).then_some(())
    })
    .await;

    ann.post(&format!("/sessions/{label}/stop"), &[]).await;
    ann.until(&label, "stopped").await;
    assert_eq!(docker(&["inspect", "--format", "{{.State.ExitCode}}", &container]), "0");
    assert!(docker(&["logs", &container]).contains("machine: off"), "the power button was pressed");

    ann.post(&format!("/sessions/{label}/start"), &[]).await;
    let container = open(&gateway, &browser, &ann, &label, 2).await;
    let told = proofs(&container);
    eventually("the file is still there", || async {
        type_line(&browser, "cat proof > /dev/ttyS0").await;
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        (proofs(&container) > told).then_some(())
    })
    .await;
    assert!(before == std::fs::read(&disk).expect("the disk"), "the operator's disk was written to");
}

#[tokio::test]
async fn a_missing_disk_is_said_in_words() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let nothing = folder.path().join("disk.qcow2");
    std::fs::create_dir(&nothing).expect("a directory where the disk should be");
    let gateway = Gateway::builder().template(&template(&nothing)).start().await;
    // An administrator's own machines show the technical reason too.
    let root = gateway.login("root").await;
    let label = root.create("machine", "Machine").await;
    root.until(&label, "failed").await;
    let page = root.page(&format!("/s/{label}/")).await;
    assert!(page.contains("is not a file that user 1000 may read"), "{page}");
}

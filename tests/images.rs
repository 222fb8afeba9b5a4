//! Every image keeps the contract of `docs/images.md`, judged by `images/contract`.
//!
//! Needs the engine, Python and the images (`images/build`). The time limits are meant for a machine with nothing else to
//! do, where `make images` measures. Other tests run beside these, so `BERTH_CONTRACT_PATIENCE` stretches the limits by 6
//! unless it is set: here only what never comes is late.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn keeps_the_contract(image: &str) {
    let mut suite = Command::new("python3");
    suite.args(["images/contract", image]).current_dir(ROOT);
    if std::env::var_os("BERTH_CONTRACT_PATIENCE").is_none() {
        suite.env("BERTH_CONTRACT_PATIENCE", "6");
    }
    let said = suite.output().expect("python3 runs");
    let (points, broken) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(
        said.status.success(),
        "the image '{image}' breaks the contract of docs/images.md:\n{points}{broken}"
    );
}

#[test]
fn base() {
    keeps_the_contract("base");
}

#[test]
fn screen() {
    keeps_the_contract("screen");
}

#[test]
fn browser() {
    keeps_the_contract("browser");
}

#[test]
fn desktop() {
    keeps_the_contract("desktop");
}

#[test]
fn webdev() {
    keeps_the_contract("webdev");
}

#[test]
fn database() {
    keeps_the_contract("database");
}

#[test]
fn security() {
    keeps_the_contract("security");
}

#[test]
fn kiosk() {
    keeps_the_contract("kiosk");
}

#[test]
fn notebook() {
    keeps_the_contract("notebook");
}

#[test]
fn terminal() {
    keeps_the_contract("terminal");
}

#[test]
fn machine() {
    keeps_the_contract("machine");
}

#[test]
fn novnc_classic() {
    keeps_the_contract("novnc-classic");
}

#[test]
fn novnc() {
    keeps_the_contract("novnc");
}

#[test]
fn every_product_image_of_this_tree_has_a_test_here() {
    let list =
        Command::new("images/build").arg("--list").current_dir(ROOT).output().expect("images/build runs");
    let list = String::from_utf8(list.stdout).expect("names are ASCII");
    let untested: Vec<&str> = list
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| {
            words[3] == "product"
                && !include_str!("images.rs").contains(&format!("contract(\"{}\")", words[0]))
        })
        .map(|words| words[0])
        .collect();
    assert!(untested.is_empty(), "without a test: {untested:?}");
}

/// A `docker` that runs what it is given right here, and an apt that knows two packages with newer versions.
const FAKES: &[(&str, &str)] = &[
    (
        "docker",
        "#!/bin/sh\ncase $1 in\n  run) while [ \"$1\" != -c ]; do shift; done; exec sh \"$@\" ;;\n  image) echo 2026-01-02T03:04:05Z ;;\nesac\n",
    ),
    ("apt-get", "#!/bin/sh\nexit 0\n"),
    (
        "apt-cache",
        "#!/bin/sh\ncat <<'TEXT'\n\
bash:
  Installed: 5.2-1
  Candidate: 5.2-1
  Version table:
 *** 5.2-1 500
        500 http://mirror/debian trixie/main amd64 Packages
        100 /var/lib/dpkg/status
libc6:
  Installed: 2.41-1
  Candidate: 2.41-2
  Version table:
     2.41-2 500
        500 http://mirror/debian-security trixie-security/main amd64 Packages
 *** 2.41-1 500
        500 http://mirror/debian trixie/main amd64 Packages
tzdata:
  Installed: 2026a-1
  Candidate: 2026b-1
  Version table:
     2026b-1 500
        500 http://mirror/debian trixie-updates/main amd64 Packages
     2025a-0 500
        500 http://mirror/debian-security trixie-security/main amd64 Packages
 *** 2026a-1 100
        100 /var/lib/dpkg/status
TEXT
",
    ),
];

#[test]
fn the_audit_names_outdated_packages_and_marks_security() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("audit");
    fs::create_dir_all(&folder).expect("a folder under target");
    for (name, script) in FAKES {
        let file = folder.join(name);
        fs::write(&file, script).expect("a script");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("executable");
    }
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("a path"));
    let said = Command::new("images/audit")
        .arg("base")
        .env("PATH", path)
        .current_dir(ROOT)
        .output()
        .expect("images/audit runs");
    let lines = String::from_utf8_lossy(&said.stdout);
    assert_eq!(said.status.code(), Some(1), "{lines}{}", String::from_utf8_lossy(&said.stderr));
    assert!(lines.starts_with("base (2026-01-02T03:04:05Z): 2 outdated, 1 of them for security"), "{lines}");
    let rows: Vec<String> =
        lines.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(rows, ["libc6 2.41-1 -> 2.41-2 security", "tzdata 2026a-1 -> 2026b-1"]);
}

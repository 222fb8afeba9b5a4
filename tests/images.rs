//! Every image keeps the contract of `docs/images.md`, judged by `images/contract`.
//!
//! Needs the engine, Python and the images (`images/build`). The time limits are meant for a machine with nothing else to
//! do; `BERTH_CONTRACT_PATIENCE` stretches them, and is 3 here unless set, because other tests run beside.

use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn keeps_the_contract(image: &str) {
    let mut suite = Command::new("python3");
    suite.args(["images/contract", image]).current_dir(ROOT);
    if std::env::var_os("BERTH_CONTRACT_PATIENCE").is_none() {
        suite.env("BERTH_CONTRACT_PATIENCE", "3");
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

//! What the operator's book and the files beside it say is so.
#![allow(missing_docs)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All source text, as one line per string that was broken over several.
fn sources(folder: &Path, found: &mut String) {
    for entry in fs::read_dir(folder).expect("src/ is readable").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push_str(&fs::read_to_string(&path).expect("a source file is UTF-8"));
        }
    }
}

fn code() -> String {
    let mut found = String::new();
    sources(&root().join("src"), &mut found);
    found
}

/// The names of metrics in a text.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    // What a histogram is exported as has the same name with an ending.
    let bare = |name| {
        ["_bucket", "_sum", "_count"].iter().find_map(|end| str::strip_suffix(name, end)).unwrap_or(name)
    };
    words.filter(|word| word.starts_with("berth_") && !word.ends_with('_')).map(bare).collect()
}

#[test]
fn every_message_of_the_book_is_in_the_code() {
    let (book, code) = (text("docs/operations.md"), code());
    let table = book.split("## Log messages").nth(1).expect("a chapter of log messages");
    let table = table.split("\n## ").next().expect("it ends");
    let messages: Vec<&str> =
        table.lines().filter_map(|line| line.strip_prefix("| `")?.split("` |").next()).collect();
    assert!(messages.len() > 20, "{messages:?}");
    let unknown: Vec<_> = messages.iter().filter(|message| !code.contains(**message)).collect();
    assert!(unknown.is_empty(), "nobody says {unknown:?}");
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        assert_eq!(line.split('|').count(), 6, "means, cause and action: {line}");
    }
}

#[test]
fn every_metric_of_rules_dashboard_and_book_is_one_of_ours() {
    let names = text("src/telemetry/names.rs");
    let known = metrics_in(&names);
    for file in ["config/alerts.yml", "config/grafana-dashboard.json", "docs/operations.md"] {
        let text = text(file);
        let unknown: Vec<_> = metrics_in(&text).difference(&known).copied().collect();
        assert!(unknown.is_empty(), "{file}: there is no {unknown:?}");
    }
    let book = text("docs/operations.md");
    let untold: Vec<_> = known.difference(&metrics_in(&book)).copied().collect();
    assert!(untold.is_empty(), "docs/operations.md says nothing of {untold:?}");
}

#[test]
fn every_metric_has_a_help_text() {
    let names = text("src/telemetry/names.rs");
    let constants = names.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    let undescribed: Vec<_> = constants.filter(|name| !names.contains(&format!("!({name},"))).collect();
    assert!(undescribed.is_empty(), "{undescribed:?}");
}

#[test]
fn every_alert_says_what_it_means_and_what_to_do() {
    let rules = text("config/alerts.yml");
    let alerts: Vec<&str> = rules.split("- alert: ").skip(1).collect();
    assert!(alerts.len() > 15);
    for alert in alerts {
        for key in ["expr: ", "severity: ", "summary: ", "meaning: ", "action: "] {
            assert_eq!(alert.matches(&format!(" {key}")).count(), 1, "{key} in {alert}");
        }
    }
    // Where Prometheus' own judge is installed it has the last word.
    if let Ok(judged) =
        Command::new("promtool").args(["check", "rules"]).arg(root().join("config/alerts.yml")).output()
    {
        assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
    }
}

#[test]
fn the_dashboard_can_be_imported() {
    let dashboard: serde_json::Value =
        serde_json::from_str(&text("config/grafana-dashboard.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let ids: BTreeSet<_> = panels.iter().filter_map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "each has an id of its own");
    for panel in panels {
        let targets = panel["targets"].as_array().expect("targets");
        assert!(!targets.is_empty() && targets.iter().all(|target| target["expr"].is_string()), "{panel}");
        assert!(panel["title"].is_string() && panel["gridPos"]["w"].as_u64() <= Some(24), "{panel}");
    }
}

#[test]
fn the_units_keep_apart_what_is_apart() {
    let (gateway, spawner) = (text("config/berth.service"), text("config/berth-spawner.service"));
    assert!(gateway.contains("\nUser=berth\n") && spawner.contains("\nGroup=berth\n"));
    for part in
        ["NoNewPrivileges=yes", "ProtectSystem=", "RestrictAddressFamilies=", "CapabilityBoundingSet="]
    {
        assert!(gateway.contains(part) && spawner.contains(part), "{part}");
    }
    assert!(
        gateway.contains("CapabilityBoundingSet=CAP_NET_BIND_SERVICE\n") && !gateway.contains("docker.sock")
    );
    let socket = "/run/berth/spawner.sock";
    assert!(gateway.contains(socket) && spawner.contains(socket));
    // Drains and starts under way are let finish.
    assert!(gateway.contains("TimeoutStopSec=45") && spawner.contains("TimeoutStopSec=75"));
    let folder = tempfile::tempdir().expect("a temporary directory");
    let unit = |name: &str, text: &str| {
        let path = folder.path().join(name);
        // The judge wants the program to be there.
        fs::write(&path, text.replace("/usr/local/bin/berth", "/bin/true"))
            .expect("the test's own directory");
        path
    };
    let units = [unit("berth.service", &gateway), unit("berth-spawner.service", &spawner)];
    if let Ok(judged) = Command::new("systemd-analyze").arg("verify").args(&units).output() {
        let said = String::from_utf8_lossy(&judged.stderr).into_owned();
        // Where there is no Docker unit, that alone is said.
        let ours: Vec<&str> =
            said.lines().filter(|line| line.contains("berth") && !line.contains("docker.service")).collect();
        assert!(judged.status.success() && ours.is_empty(), "{said}");
    }
}

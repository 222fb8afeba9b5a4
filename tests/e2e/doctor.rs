//! `berth doctor` names the broken hop: one thing is broken at a time.

use std::fs;
use std::net::TcpListener;

use serde_json::Value;

use crate::gateway::{Gateway, free_port, illness};

fn app() -> String {
    illness("app", "http", "web")
}

/// What the doctor says: whether it is content, the first broken hop, and the verdicts by hop.
fn examine(gateway: &Gateway) -> Value {
    let output = gateway.try_berth(&["doctor", "--json"], None);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let report: Value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(output.status.success(), report["healthy"] == true, "the exit code says the same: {report:#}");
    report
}

fn verdict(report: &Value, hop: &str) -> String {
    let found = report["findings"].as_array().expect("findings").iter().find(|found| found["hop"] == hop);
    found
        .and_then(|found| found["verdict"].as_str())
        .unwrap_or_else(|| panic!("{hop}: {report:#}"))
        .to_owned()
}

/// The finding of the hop that alone is broken.
fn broken(gateway: &Gateway, hop: &str) -> String {
    let report = examine(gateway);
    let all = report["findings"].as_array().expect("findings");
    let broken: Vec<&Value> = all.iter().filter(|found| found["verdict"] == "broken").collect();
    assert_eq!(report["broken"], hop, "{report:#}");
    assert_eq!(broken.len(), 1, "nothing else is blamed: {report:#}");
    assert!(broken[0]["todo"].as_str().is_some_and(|todo| todo.len() > 10), "it says what to do: {report:#}");
    format!("{} {}", broken[0]["why"], broken[0]["todo"])
}

/// Changes the configuration file.
fn change(gateway: &Gateway, from: &str, to: &str) {
    let path = gateway.path("config/berth.toml");
    let text = fs::read_to_string(&path).expect("the test's own file");
    assert!(text.contains(from), "{from} in {text}");
    fs::write(path, text.replacen(from, to, 1)).expect("the test's own file");
}

#[tokio::test]
async fn a_healthy_installation_is_healthy_whether_it_runs_or_not() {
    let mut gateway = Gateway::builder().template(&app()).prepare();
    let stopped = examine(&gateway);
    assert_eq!(stopped["healthy"], true, "{stopped:#}");
    for hop in ["store", "audit", "certificate", "engine", "isolation", "images", "name"] {
        assert_eq!(verdict(&stopped, hop), "ok", "{hop}: {stopped:#}");
    }
    assert_eq!(verdict(&stopped, "gateway"), "skipped");
    gateway.serve().await;
    let running = examine(&gateway);
    assert_eq!(running["healthy"], true, "{running:#}");
    for hop in ["spawner", "engine", "gateway", "listener", "name", "port", "tls", "health", "web_socket"] {
        assert_eq!(verdict(&running, hop), "ok", "{hop}: {running:#}");
    }
    let text = gateway.berth(&["doctor"], None);
    assert!(text.contains("nothing is broken") && text.contains("public WebSocket"), "{text}");
}

#[tokio::test]
async fn each_broken_hop_is_named_while_the_gateway_rests() {
    let gateway = Gateway::builder().template(&app()).prepare();
    let config = gateway.path("config/berth.toml");
    let original = fs::read_to_string(&config).expect("the test's own file");
    let restore = || fs::write(&config, &original).expect("the test's own file");

    change(&gateway, "[engine]\n", "[engine]\nsocket = \"/nonexistent/docker.sock\"\n");
    assert!(broken(&gateway, "engine").contains("/nonexistent/docker.sock"));
    restore();

    change(&gateway, "berth-test/illness", "berth-test/nobody-built-this");
    assert!(broken(&gateway, "images").contains("app"));
    restore();

    // Even root cannot write there.
    change(&gateway, "[engine]\n", "[store]\nurl = \"sqlite:/proc/berth/berth.db\"\n[engine]\n");
    assert!(broken(&gateway, "store").contains("/proc"));
    restore();

    change(&gateway, "domain = \"localhost\"", "domain = \"desk.invalid\"");
    let report = examine(&gateway);
    // The certificate is for another name too; the name itself cannot be looked up.
    assert_eq!(
        (verdict(&report, "certificate"), verdict(&report, "name")),
        ("broken".into(), "broken".into())
    );
    restore();

    change(&gateway, "[server]\n", "[server]\nlisten_on = 1\n");
    assert!(broken(&gateway, "configuration").contains("listen_on"));
    restore();

    let key = gateway.path("certs/key.pem");
    let text = fs::read(&key).expect("setup made a key");
    fs::copy(gateway.path("certs/ca.pem"), &key).expect("the test's own file");
    assert!(broken(&gateway, "certificate").contains("key.pem"));
    fs::write(&key, text).expect("the test's own file");

    let database = gateway.path("var/berth.db");
    let mut bytes = fs::read(&database).expect("setup made a database");
    let middle = bytes.len() / 2;
    bytes[4096..middle].fill(0xa5);
    fs::write(&database, &bytes).expect("the test's own file");
    broken(&gateway, "store");
}

#[tokio::test]
async fn each_broken_hop_of_the_public_address_is_named() {
    let gateway = Gateway::builder().template(&app()).start().await;
    let config = gateway.path("config/berth.toml");
    let original = fs::read_to_string(&config).expect("the test's own file");
    let restore = || fs::write(&config, &original).expect("the test's own file");

    // Nobody forwards the port that browsers are told.
    let closed = free_port();
    change(&gateway, "[server]\n", &format!("[server]\npublic_port = {closed}\n"));
    assert!(broken(&gateway, "port").contains(&closed.to_string()));
    restore();

    // Something else has it.
    let other = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let taken = other.local_addr().expect("an address").port();
    let answering = std::thread::spawn(move || {
        for stream in other.incoming().flatten().take(1) {
            use std::io::Write;
            let mut stream = stream;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    change(&gateway, "[server]\n", &format!("[server]\npublic_port = {taken}\n"));
    broken(&gateway, "tls");
    answering.join().expect("it answered");
    restore();
}

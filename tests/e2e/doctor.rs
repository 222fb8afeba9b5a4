//! `berth doctor` names the broken hop: one thing is broken at a time.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::gateway::{Gateway, TOKEN, docker, eventually, free_port, illness};

/// The user that owns nothing.
const NOBODY: u32 = 65534;

pub fn app() -> String {
    illness("app", "http", "web")
}

/// What the doctor says: whether it is content, the first broken hop, and the verdicts by hop.
pub fn examine(gateway: &Gateway) -> Value {
    report(&gateway.try_berth(&["doctor", "--json"], None))
}

fn report(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let report: Value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(output.status.success(), report["healthy"] == true, "the exit code says the same: {report:#}");
    report
}

pub fn verdict(report: &Value, hop: &str) -> String {
    let found = report["findings"].as_array().expect("findings").iter().find(|found| found["hop"] == hop);
    found
        .and_then(|found| found["verdict"].as_str())
        .unwrap_or_else(|| panic!("{hop}: {report:#}"))
        .to_owned()
}

/// What is said of the hop that alone is broken.
pub fn broken(gateway: &Gateway, hop: &str) -> String {
    blamed(&examine(gateway), hop)
}

fn blamed(report: &Value, hop: &str) -> String {
    let all = report["findings"].as_array().expect("findings");
    let broken: Vec<&Value> = all.iter().filter(|found| found["verdict"] == "broken").collect();
    assert_eq!(report["broken"], hop, "{report:#}");
    assert_eq!(broken.len(), 1, "nothing else is blamed: {report:#}");
    assert!(broken[0]["todo"].as_str().is_some_and(|todo| todo.len() > 10), "it says what to do: {report:#}");
    format!("{} {}", broken[0]["why"], broken[0]["todo"])
}

#[track_caller]
pub fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

/// The configuration file of a gateway; what a test changes in it is for the doctor alone, because a gateway
/// that runs has read it already.
pub struct ConfigFile<'a> {
    gateway: &'a Gateway,
    original: String,
}

impl<'a> ConfigFile<'a> {
    pub fn of(gateway: &'a Gateway) -> Self {
        let original = fs::read_to_string(gateway.path("config/berth.toml")).expect("the test's own file");
        Self { gateway, original }
    }

    /// Changes one place of the file as it was first.
    pub fn change(&self, from: &str, to: &str) {
        assert!(self.original.contains(from), "{from} in {}", self.original);
        self.write(&self.original.replacen(from, to, 1));
    }

    pub fn restore(&self) {
        self.write(&self.original);
    }

    fn write(&self, text: &str) {
        fs::write(self.gateway.path("config/berth.toml"), text).expect("the test's own file");
    }
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
    for hop in [
        "spawner",
        "engine",
        "network",
        "isolation",
        "gateway",
        "listener",
        "name",
        "port",
        "tls",
        "health",
        "web_socket",
    ] {
        assert_eq!(verdict(&running, hop), "ok", "{hop}: {running:#}");
    }
    let text = gateway.berth(&["doctor"], None);
    assert!(text.contains("nothing is broken") && text.contains("public WebSocket"), "{text}");
}

#[tokio::test]
async fn each_broken_hop_is_named_while_the_gateway_rests() {
    let gateway = Gateway::builder().template(&app()).prepare();
    let config = ConfigFile::of(&gateway);

    config.change("[engine]\n", "[engine]\nsocket = \"/nonexistent/docker.sock\"\n");
    assert!(broken(&gateway, "engine").contains("/nonexistent/docker.sock"));
    config.restore();

    config.change("berth-test/illness", "berth-test/nobody-built-this");
    assert!(broken(&gateway, "images").contains("app"));
    config.restore();

    // Even root cannot write there.
    config.change("[engine]\n", "[store]\nurl = \"sqlite:/proc/berth/berth.db\"\n[engine]\n");
    assert!(broken(&gateway, "store").contains("/proc"));
    config.restore();

    config.change("domain = \"localhost\"", "domain = \"desk.invalid\"");
    let report = examine(&gateway);
    // The certificate is for another name too; the name itself cannot be looked up.
    assert_eq!(
        (verdict(&report, "certificate"), verdict(&report, "name")),
        ("broken".into(), "broken".into())
    );
    config.restore();

    config.change("[server]\n", "[server]\nlisten_on = 1\n");
    assert!(broken(&gateway, "configuration").contains("listen_on"));
    config.restore();

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
    let config = ConfigFile::of(&gateway);

    // Nobody forwards the port that browsers are told.
    let closed = free_port();
    config.change("[server]\n", &format!("[server]\npublic_port = {closed}\n"));
    assert!(broken(&gateway, "port").contains(&closed.to_string()));
    config.restore();

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
    config.change("[server]\n", &format!("[server]\npublic_port = {taken}\n"));
    broken(&gateway, "tls");
    answering.join().expect("it answered");
    config.restore();
}

#[tokio::test]
async fn each_broken_hop_of_the_machine_is_named() {
    let gateway = Gateway::builder().template(&app()).start().await;
    let config = ConfigFile::of(&gateway);

    let written = |at: SystemTime| {
        let certificate = fs::File::options().append(true).open(gateway.path("certs/fullchain.pem"));
        certificate.and_then(|file| file.set_modified(at)).expect("the test's own file");
    };
    written(SystemTime::now() + Duration::from_hours(24));
    says(&broken(&gateway, "clock"), &["fullchain.pem", "was written at", "set the clock"]);
    written(SystemTime::now());

    let library = gateway.path("novnc");
    let elsewhere = format!("novnc = \"{}\"\n", library.display());
    config.change("[viewer]\nnovnc", &format!("[viewer]\n{elsewhere}#"));
    for state in ["missing", "empty", "without its entry"] {
        match state {
            "missing" => {}
            "empty" => fs::create_dir(&library).expect("the test's own directory"),
            _ => fs::create_dir(library.join("core")).expect("the test's own directory"),
        }
        let text = broken(&gateway, "viewer");
        says(&text, &[&library.display().to_string(), "there is no core/rfb.js", "images/build novnc"]);
    }
    config.restore();

    let database = rusqlite::Connection::open(gateway.path("var/berth.db")).expect("setup made it");
    let change = |statement: &str| {
        assert_eq!(database.execute(statement, ()).expect("it is allowed"), 1, "{statement}");
    };
    change("UPDATE audit SET body = json_set(body, '$.actor', 'somebody') WHERE number = 3");
    let text = broken(&gateway, "audit");
    says(&text, &["line 3 of the audit is not as it was written", "its hash does not match", "backup"]);
    change("DELETE FROM audit WHERE number = 2");
    says(&broken(&gateway, "audit"), &["line 2 of the audit", "it is missing", "backup"]);
}

#[tokio::test]
async fn an_isolation_that_cannot_be_proven_is_named() {
    let gateway = Gateway::builder().template(&app()).prepare();
    let config = ConfigFile::of(&gateway);
    config.change("[engine]\n", "[engine]\nprobe_image = \"berth-test/nobody-built-this\"\n");
    says(&broken(&gateway, "isolation"), &["berth-test/nobody-built-this", "mend what is named", "nft"]);

    config.change("[engine]\n", "[engine]\ndanger_skip_isolation = true\n");
    let report = examine(&gateway);
    assert_eq!(report["healthy"], true, "{report:#}");
    assert_eq!(verdict(&report, "isolation"), "warning", "{report:#}");
    says(&report.to_string(), &["it is not proven", "take engine.danger_skip_isolation back"]);
}

#[tokio::test]
async fn what_is_gone_while_the_spawner_runs_is_named() {
    let mut gateway = Gateway::builder().template(&app()).start().await;
    docker(&["network", "rm", &gateway.network]);
    says(&broken(&gateway, "network"), &[&gateway.network, "restart the spawner"]);
    assert!(gateway.terminate(), "it ends well");
    gateway.serve().await;
    assert_eq!(verdict(&examine(&gateway), "network"), "ok", "a start made it");

    let table = format!("berth_{}", gateway.network.replace('-', "_"));
    // The spawner puts it back every 30 s, and may be faster than the doctor.
    eventually("the doctor sees that the packet filter is gone", || async {
        let gone = Command::new("nft").args(["delete", "table", "inet", &table]).status();
        assert!(gone.is_ok_and(|status| status.success()), "the test's own table is there");
        let report = examine(&gateway);
        (verdict(&report, "isolation") == "broken").then(|| {
            says(&blamed(&report, "isolation"), &["packet filter", "gone or were changed", "nft"]);
        })
    })
    .await;
}

#[test]
fn a_spawner_that_does_not_answer_is_named() {
    let gateway = Gateway::builder().template(&app()).prepare();
    ConfigFile::of(&gateway).change("[engine]\n", "[engine]\nspawner = \"var/other.sock\"\n");
    let socket = gateway.path("var/other.sock");
    says(&broken(&gateway, "spawner"), &["var/other.sock", "No such file", "start it"]);
    drop(UnixListener::bind(&socket).expect("a socket"));
    says(&broken(&gateway, "spawner"), &["var/other.sock", "Connection refused", "start it"]);

    fs::remove_file(&socket).expect("the test's own file");
    let _of_another_user = UnixListener::bind(&socket).expect("a socket");
    let report = as_nobody(&gateway);
    says(&blamed(&report, "spawner"), &["var/other.sock", "Permission denied", "open its socket"]);
    for hop in ["engine", "network", "isolation", "images"] {
        assert_eq!(verdict(&report, hop), "skipped", "{report:#}");
    }
}

/// Everything but the spawner's socket is given to a user without rights, who then asks the doctor.
fn as_nobody(gateway: &Gateway) -> Value {
    let below = |path: &str| gateway.path(path);
    // Where the binary and noVNC are, another user may not be let in.
    fs::copy(env!("CARGO_BIN_EXE_berth"), below("berth")).expect("a copy of the binary under test");
    fs::create_dir_all(below("novnc/core")).expect("the test's own directory");
    fs::write(below("novnc/core/rfb.js"), "").expect("the test's own file");
    give_away(&below(""));
    let mut command = Command::new(below("berth"));
    command.args(["doctor", "--json"]).current_dir(below("")).uid(NOBODY).gid(NOBODY);
    command.env("BERTH_TEST_TOKEN", TOKEN).env("BERTH__VIEWER__NOVNC", "novnc");
    report(&command.output().expect("the binary under test runs"))
}

fn give_away(path: &Path) {
    if path.ends_with("other.sock") {
        return;
    }
    chown(path, Some(NOBODY), Some(NOBODY)).expect("tests that start containers may do that");
    if path.is_dir() {
        for below in fs::read_dir(path).expect("the test's own directory") {
            give_away(&below.expect("the test's own directory").path());
        }
    }
}

/// Nobody should have to wait for the last hop to hear of the first.
#[test]
fn people_hear_of_each_hop_when_it_was_looked_at() {
    let gateway = Gateway::builder().template(&app()).prepare();
    ConfigFile::of(&gateway).change("[engine]\n", "[engine]\nspawner = \"var/other.sock\"\n");
    let spawner = UnixListener::bind(gateway.path("var/other.sock")).expect("a socket");
    let mut doctor = gateway.command(&["doctor"]);
    let mut doctor = doctor.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
    let mut told = BufReader::new(doctor.stdout.take().expect("it was piped"));
    let mut line = String::new();
    while !line.contains("viewer library") {
        line.clear();
        assert_ne!(told.read_line(&mut line).expect("text"), 0, "the viewer's library was not looked at");
    }
    // It was told of while the spawner still had the word, and only now hangs up.
    drop(spawner.accept().expect("the doctor asks"));
    let mut rest = String::new();
    told.read_to_string(&mut rest).expect("text");
    assert!(!doctor.wait().expect("it ends").success());
    says(&rest, &["BROKEN   spawner", "var/other.sock", "\nbroken: spawner\n"]);
    assert!(!rest.contains("takes questions"), "it did not wait in vain: {rest}");
}

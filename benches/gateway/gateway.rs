//! The gateway under measurement: the real binary, set up and logged into as a person would.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use berth::auth::cookies;
use berth::tasks::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::door::Door;
use super::process::Process;
use super::upstream::Upstreams;
use super::{Subject, spawner};

/// The binary, built with the bench's own profile.
const BERTH: &str = env!("CARGO_BIN_EXE_berth");

/// The portal's name. Verifiers refuse wildcards right below a name of one label, such as
/// `*.localhost`.
pub const DOMAIN: &str = "bench.localhost";

const PASSWORD: &str = "correct-horse-battery";

/// Starts a gateway with one user, one app on a host of its own and one desktop by path.
pub async fn start(folder: &Path, upstreams: &Upstreams, pinned: bool, tasks: &Tasks) -> Subject {
    let port = free_port();
    write_files(folder, port, upstreams);
    berth(folder, &["setup"], "");
    berth(folder, &["user", "add", "ann", "--role", "user", "--password-stdin"], PASSWORD);
    let servers =
        HashMap::from([("app".to_owned(), upstreams.app), ("desktop".to_owned(), upstreams.desktop)]);
    spawner::serve(&folder.join("spawner.sock"), servers, tasks);

    let process = Process::start("berth", Path::new(BERTH), &["serve"], folder, pinned);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let portal = Door::tls(address, DOMAIN, &folder.join("certs/ca.pem"));
    let portal = until("the gateway serves", || async {
        let answer = ask(&portal, "GET", "/ready", "").await?;
        answer.starts_with("HTTP/1.1 200 ").then(|| portal.clone())
    })
    .await;
    let portal = log_in(portal).await;
    let app = enter(&portal, &create(&portal, "app").await).await;
    let label = create(&portal, "desktop").await;
    let desktop = portal.clone().below(format!("/s/{label}"));
    until("the desktop is ready", || async {
        let answer = ask(&portal, "GET", &format!("/sessions/{label}"), "").await?;
        answer.starts_with("HTTP/1.1 303 ").then_some(())
    })
    .await;
    Subject { name: "berth", process: Some(process), app, desktop: Some(desktop) }
}

/// A port nobody listens on right now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has free ports");
    listener.local_addr().expect("a bound socket has an address").port()
}

fn write_files(folder: &Path, port: u16, upstreams: &Upstreams) {
    let config = format!(
        "[server]\nlisten = [\"127.0.0.1:{port}\"]\ndomain = \"{DOMAIN}\"\nmetrics = \"127.0.0.1:{metrics}\"\n\
         [viewer]\nnovnc = \"novnc\"\n\
         [engine]\nspawner = \"spawner.sock\"\n\
         [[template]]\nname = \"app\"\nimage = \"none\"\nprotocol = \"http\"\nport = {app}\nrouting = \"subdomain\"\nhome = \"ephemeral\"\n\
         [[template]]\nname = \"desktop\"\nimage = \"none\"\nprotocol = \"rfb\"\nport = {desktop}\nhome = \"ephemeral\"\n",
        metrics = free_port(),
        app = upstreams.app.port(),
        desktop = upstreams.desktop.port(),
    );
    for path in ["config", "novnc/core"] {
        fs::create_dir_all(folder.join(path)).expect("the bench's own directory");
    }
    fs::write(folder.join("config/berth.toml"), config).expect("the bench's own directory");
    // No viewer page is shown here, so any script will do.
    fs::write(folder.join("novnc/core/rfb.js"), "export default class {}")
        .expect("the bench's own directory");
}

/// Runs a subcommand to its end.
fn berth(folder: &Path, arguments: &[&str], input: &str) {
    let mut child = Command::new(BERTH)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary under measurement runs");
    let mut stdin = child.stdin.take().expect("it was piped");
    let _ = writeln!(stdin, "{input}");
    drop(stdin);
    assert!(child.wait().is_ok_and(|status| status.success()), "berth {arguments:?} failed");
}

/// The portal's door with a login's cookie.
async fn log_in(portal: Door) -> Door {
    let page = ask(&portal, "GET", "/login", "").await.expect("a login page");
    let portal = portal.with_cookie(cookie(&page, cookies::FORM));
    let form = format!("csrf={}&next=&name=ann&password={PASSWORD}", hidden(&page, "csrf"));
    let answer = ask(&portal, "POST", "/login", &form).await.expect("an answer to the login");
    let cookie = cookie(&answer, cookies::PORTAL);
    assert!(cookie.is_some(), "the login was refused: {answer}");
    portal.with_cookie(cookie)
}

/// Makes a session of a template; returns its label.
async fn create(portal: &Door, template: &str) -> String {
    let page = ask(portal, "GET", "/", "").await.expect("a dashboard");
    let form = format!("csrf={}&template={template}&name={template}", hidden(&page, "csrf"));
    let answer = ask(portal, "POST", "/sessions", &form).await.expect("an answer");
    let location = field(&answer, "location").unwrap_or_else(|| panic!("no session was made: {answer}"));
    location.trim_end_matches('/').rsplit('/').next().expect("a path has a last part").to_owned()
}

/// The door to a session's own host, by way of the portal's ticket.
async fn enter(portal: &Door, label: &str) -> Door {
    let host = portal.named(&format!("{label}.{DOMAIN}")).with_cookie(None);
    let ticket = until("the app is ready", || async {
        let answer = ask(portal, "GET", &format!("/open/{label}"), "").await?;
        Some(field(&answer, "location")?.split_once("/.berth/")?.1.to_owned())
    })
    .await;
    let answer = ask(&host, "GET", &format!("/.berth/{ticket}"), "").await.expect("an answer");
    let cookie = cookie(&answer, cookies::SESSION);
    assert!(cookie.is_some(), "the ticket was refused: {answer}");
    host.with_cookie(cookie)
}

/// One request on a connection of its own; the whole answer as text.
async fn ask(door: &Door, method: &str, path: &str, form: &str) -> Option<String> {
    let mut stream = door.connect().await.ok()?;
    let cookie = door.cookie.as_ref().map(|cookie| format!("cookie: {cookie}\r\n")).unwrap_or_default();
    let body = match form {
        "" => String::new(),
        form => {
            format!("content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n", form.len())
        }
    };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\norigin: https://{host}\r\nsec-fetch-site: same-origin\r\n\
         accept: text/html\r\nconnection: close\r\n{cookie}{body}\r\n{form}",
        host = door.host,
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    Some(String::from_utf8_lossy(&answer).into_owned())
}

/// Asks every 50 ms, for 15 s.
async fn until<T, F>(what: &str, probe: impl Fn() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    for _ in 0..300 {
        if let Some(value) = probe().await {
            return value;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("gave up waiting: {what}");
}

fn field<'a>(answer: &'a str, name: &'a str) -> Option<&'a str> {
    fields(answer, name).next()
}

fn fields<'a>(answer: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    answer.lines().take_while(|line| !line.is_empty()).filter_map(move |line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// A cookie that an answer sets, as `name=value`.
fn cookie(answer: &str, name: &str) -> Option<String> {
    fields(answer, "set-cookie")
        .filter_map(|value| value.split(';').next())
        .find(|pair| pair.split_once('=').is_some_and(|(found, value)| found == name && !value.is_empty()))
        .map(str::to_owned)
}

/// The value of a hidden input of a page.
fn hidden(page: &str, name: &str) -> String {
    page.split("<input")
        .find(|tag| tag.contains(&format!("name=\"{name}\"")))
        .and_then(|tag| tag.split("value=\"").nth(1)?.split('"').next())
        .unwrap_or_else(|| panic!("no field {name} in {page}"))
        .to_owned()
}

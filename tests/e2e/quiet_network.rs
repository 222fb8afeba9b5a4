//! A network of the browser's own, in which nothing changes.
//!
//! The story: now and then a page in a test lost a handful of its scripts, always while a container
//! started or stopped nearby. Chromium had closed its HTTP/2 connections with `ERR_NETWORK_CHANGED`:
//! it does so when any address or interface of its machine comes or goes, and the engine makes and
//! removes interfaces with every container. People's browsers run on other machines than their
//! containers; so does a test's, as far as it can tell.
//!
//! The browser gets an empty network namespace. What it may reach, and what reaches it, passes
//! through Unix sockets, which network namespaces do not divide.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::gateway::eventually;

/// The namespace of one process and the ways in and out; gone when dropped.
pub struct QuietNetwork {
    /// `nsenter` and its arguments.
    enter: Vec<String>,
    folder: PathBuf,
    relays: Vec<Child>,
}

/// How a new namespace is made here: as root at once, else in a user namespace.
fn unshare() -> Vec<&'static str> {
    let as_root = vec!["--net"];
    let works = |arguments: &[&str]| {
        let probe = Command::new("unshare").args(arguments).arg("true").stderr(Stdio::null()).status();
        probe.is_ok_and(|status| status.success())
    };
    if works(&as_root) { as_root } else { vec!["--user", "--map-root-user", "--net"] }
}

impl QuietNetwork {
    /// Starts `command` in a network of its own; its sockets are kept in `folder`.
    pub async fn start(command: &Command, folder: &Path) -> (Self, Child) {
        let how = unshare();
        let process = Command::new("unshare")
            .args(&how)
            .args(["sh", "-c", "ip link set lo up && exec \"$@\"", "sh"])
            .arg(command.get_program())
            .args(command.get_args())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("unshare is installed (util-linux)");
        let id = process.id().to_string();
        let outside = std::fs::read_link("/proc/self/ns/net").expect("a process has a network");
        eventually("the browser has a network of its own", || async {
            let inside = std::fs::read_link(format!("/proc/{id}/ns/net")).ok()?;
            (inside != outside).then_some(())
        })
        .await;
        let mut enter = vec!["nsenter".to_owned(), format!("--target={id}"), "--net".to_owned()];
        if how.contains(&"--user") {
            enter.extend(["--user".to_owned(), "--preserve-credentials".to_owned()]);
        }
        (Self { enter, folder: folder.to_owned(), relays: Vec::new() }, process)
    }

    /// Lets the browser reach this loopback port of ours at the same port of its own.
    pub async fn let_out(&mut self, port: u16) {
        let socket = self.socket(&format!("out-{port}"));
        self.relay(false, &listen_unix(&socket), &connect_tcp(port)).await;
        self.relay(true, &listen_tcp(port), &connect_unix(&socket)).await;
    }

    /// Lets us reach this loopback port of the browser's network at the same port of ours.
    pub async fn let_in(&mut self, port: u16) {
        let socket = self.socket(&format!("in-{port}"));
        self.relay(true, &listen_unix(&socket), &connect_tcp(port)).await;
        self.relay(false, &listen_tcp(port), &connect_unix(&socket)).await;
    }

    fn socket(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.sock"))
    }

    /// Relays connections until dropped; returns when it listens.
    async fn relay(&mut self, inside: bool, from: &str, to: &str) {
        let enter: &[String] = if inside { &self.enter } else { &[] };
        // One side may have said all while the other still answers.
        let socat = ["socat", "-t", "30"].map(str::to_owned);
        let line: Vec<&String> = enter.iter().chain(&socat).collect();
        let child = Command::new(line[0])
            .args(&line[1..])
            .args([from, to])
            .stderr(Stdio::null())
            .spawn()
            .expect("socat is installed (make test installs it)");
        let id = child.id();
        self.relays.push(child);
        eventually("a relay listens", || async { listens(id, from).then_some(()) }).await;
    }
}

/// Whether the process listens where it was told to: on a socket in the file system, or on a port
/// of its own network.
fn listens(process: u32, address: &str) -> bool {
    let (kind, rest) = address.split_once(':').expect("an address has a kind");
    let place = rest.split(',').next().unwrap_or_default();
    if kind == "UNIX-LISTEN" {
        return Path::new(place).exists();
    }
    let port: u16 = place.parse().expect("an address has a port");
    // Local address 127.0.0.1 and state LISTEN, as the kernel writes them.
    let line = format!(" 0100007F:{port:04X} 00000000:0000 0A ");
    std::fs::read_to_string(format!("/proc/{process}/net/tcp")).is_ok_and(|table| table.contains(&line))
}

fn listen_unix(socket: &Path) -> String {
    format!("UNIX-LISTEN:{},fork", socket.display())
}

fn connect_unix(socket: &Path) -> String {
    format!("UNIX-CONNECT:{}", socket.display())
}

fn listen_tcp(port: u16) -> String {
    format!("TCP4-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork")
}

fn connect_tcp(port: u16) -> String {
    format!("TCP4:127.0.0.1:{port}")
}

impl Drop for QuietNetwork {
    fn drop(&mut self) {
        for relay in &mut self.relays {
            let _ = relay.kill();
            let _ = relay.wait();
        }
    }
}

//! An image registry of the test's own, on loopback, behind a wire that can be cut.
//!
//! The engine takes a registry on `localhost` without TLS. Images are pushed under `127.0.0.1`, so
//! that a push does not move the tag that a template has on this machine.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::gateway::{docker, eventually, free_port};

/// What the images are made from.
const BASE: &str = "berth-test/illness";

/// A registry; stopped and cleaned up when dropped.
pub struct Registry {
    child: Child,
    direct: u16,
    wire: u16,
    /// Bytes that may still come through the wire before it is cut; below zero everything may.
    allowance: Arc<AtomicI64>,
    images: Vec<String>,
    _dir: TempDir,
}

impl Registry {
    /// Starts one; `None`, with a word, where the package `docker-registry` is not installed.
    pub async fn start() -> Option<Self> {
        let program = ["/usr/bin/docker-registry", "/usr/local/bin/registry"].map(PathBuf::from);
        let Some(program) = program.into_iter().find(|program| program.exists()) else {
            eprintln!("skipped: the package docker-registry is not installed");
            return None;
        };
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (direct, config) = (free_port(), dir.path().join("config.yml"));
        let text = format!(
            "version: 0.1\nlog: {{ level: error }}\nstorage:\n  filesystem: {{ rootdirectory: {} }}\n\
             http: {{ addr: \"127.0.0.1:{direct}\" }}\n",
            dir.path().join("data").display()
        );
        std::fs::write(&config, text).expect("the test's own directory");
        let child = Command::new(program)
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the registry runs");
        let allowance = Arc::new(AtomicI64::new(-1));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
        let wire = listener.local_addr().expect("a bound socket has an address").port();
        tokio::spawn(relay(listener, direct, allowance.clone()));
        let registry = Self { child, direct, wire, allowance, images: Vec::new(), _dir: dir };
        eventually("the registry listens", || async {
            TcpStream::connect(("127.0.0.1", direct)).await.ok().map(drop)
        })
        .await;
        Some(registry)
    }

    /// What a template calls an image of this registry, whose bytes come through the wire.
    pub fn name(&mut self, image: &str) -> String {
        let name = format!("localhost:{}/{image}", self.wire);
        self.images.push(name.clone());
        name
    }

    /// Makes an image with `bytes` of its own and pushes it; its digest.
    pub fn push(&mut self, image: &str, version: &str, bytes: u64) -> String {
        let name = format!("127.0.0.1:{}/{image}", self.direct);
        let maker = format!("berth-t-maker-{}", self.direct);
        let fill = format!("head -c {bytes} /dev/urandom > /tmp/filling");
        docker(&["run", "--name", &maker, "--network", "none", "--entrypoint", "sh", BASE, "-c", &fill]);
        let label = format!("LABEL org.opencontainers.image.version={version}");
        // The maker's command is not the image's.
        let entry = docker(&["image", "inspect", "--format", "{{json .Config.Entrypoint}}", BASE]);
        let command = docker(&["image", "inspect", "--format", "{{json .Config.Cmd}}", BASE]);
        let mut commit = vec!["commit".to_owned(), "--change".to_owned(), label];
        for (what, value) in [("ENTRYPOINT", entry), ("CMD", command)] {
            if value != "null" {
                commit.extend(["--change".to_owned(), format!("{what} {value}")]);
            }
        }
        commit.extend([maker.clone(), name.clone()]);
        docker(&commit.iter().map(String::as_str).collect::<Vec<_>>());
        docker(&["rm", &maker]);
        docker(&["push", "-q", &name]);
        let digests = docker(&["image", "inspect", "--format", "{{join .RepoDigests \" \"}}", &name]);
        docker(&["rmi", &name]);
        digests.split('@').nth(1).expect("a pushed image has a digest").to_owned()
    }

    /// Cuts the wire after so many further bytes towards the engine.
    pub fn cut_after(&self, bytes: i64) {
        self.allowance.store(bytes, Ordering::SeqCst);
    }

    /// Makes the wire slow, and cuts nothing.
    pub fn slow_down(&self) {
        self.cut_after(i64::MAX);
    }

    /// Mends the wire.
    pub fn mend(&self) {
        self.cut_after(-1);
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for image in &self.images {
            let _ = Command::new("docker").args(["rmi", "-f", image]).output();
        }
    }
}

async fn relay(listener: TcpListener, to: u16, allowance: Arc<AtomicI64>) {
    while let Ok((near, _)) = listener.accept().await {
        if allowance.load(Ordering::SeqCst) == 0 {
            continue;
        }
        let allowance = allowance.clone();
        tokio::spawn(async move {
            let Ok(far) = TcpStream::connect(("127.0.0.1", to)).await else { return };
            let (mut from_near, mut to_near) = near.into_split();
            let (mut from_far, mut to_far) = far.into_split();
            let up = async { tokio::io::copy(&mut from_near, &mut to_far).await.map(drop) };
            let down = async {
                let mut bytes = [0; 16 * 1024];
                loop {
                    let read = from_far.read(&mut bytes).await?;
                    let left = allowance.load(Ordering::SeqCst);
                    if read == 0 || left == 0 {
                        return Ok::<_, std::io::Error>(());
                    }
                    if left > 0 {
                        let passed = i64::try_from(read).unwrap_or(i64::MAX);
                        allowance.store((left - passed).max(0), Ordering::SeqCst);
                        // A slow network, about a megabyte a second: the engine tells progress by time.
                        tokio::time::sleep(std::time::Duration::from_millis(15)).await;
                    }
                    to_near.write_all(&bytes[..read]).await?;
                }
            };
            tokio::select! {
                _ = up => {}
                _ = down => {}
            }
        });
    }
}

//! A viewer that stops reading while its desktop floods: the real gateway, a desktop and a spawner
//! of the test's own, and `/proc` as the judge of the gateway's memory.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::disallowed_methods, missing_docs)]

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use berth::engine::{Container, ContainerStatus, EngineVersion, StartOrder, Started};
use berth::rfb::security;
use berth::session::{NodeName, Upstream};
use berth::spawner::protocol::{self, Reply, Request};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Certificate, Client};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const BERTH: &str = env!("CARGO_BIN_EXE_berth");
const PASSWORD: &str = "correct horse battery";

/// How long the viewer reads nothing, and how much the gateway may grow meanwhile.
const STOPPED: Duration = Duration::from_secs(60);
const MOST_KIB: u64 = 1024;

/// What the viewer reads first, so that every buffer on the way has its size.
const WARM_UP: usize = 64 << 20;

type Socket = WebSocketStream<TlsStream<TcpStream>>;

/// A desktop that paints as fast as anyone reads, and the spawner that "runs" it.
struct Desktop {
    port: u16,
    /// Bytes that were taken off its hands.
    painted: AtomicU64,
    secret: Mutex<String>,
    container: Mutex<Option<Container>>,
}

impl Desktop {
    async fn start(socket: &Path) -> Arc<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let desktop = Arc::new(Self {
            port,
            painted: AtomicU64::new(0),
            secret: Mutex::default(),
            container: Mutex::default(),
        });
        let painting = desktop.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let desktop = painting.clone();
                tokio::spawn(async move { desktop.paint(stream).await });
            }
        });
        let (spawner, answering) = (UnixListener::bind(socket).unwrap(), desktop.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = spawner.accept().await {
                let desktop = answering.clone();
                tokio::spawn(async move { desktop.answer(stream).await });
            }
        });
        desktop
    }

    /// The opening of RFB 3.8 with VncAuth, then an endless flood.
    async fn paint(&self, mut stream: TcpStream) -> Option<()> {
        stream.write_all(security::VERSION).await.ok()?;
        stream.read_exact(&mut [0; 12]).await.ok()?;
        stream.write_all(&[1, security::VNC_AUTH]).await.ok()?;
        stream.read_u8().await.ok()?;
        stream.write_all(&[5; 16]).await.ok()?;
        let mut answer = [0; 16];
        stream.read_exact(&mut answer).await.ok()?;
        let secret = self.secret.lock().unwrap().clone();
        assert_eq!(answer, security::answer(&[5; 16], &secret));
        stream.write_all(&[0; 4]).await.ok()?;
        stream.read_u8().await.ok()?;
        let picture = vec![7; 64 << 10];
        loop {
            let written = stream.write(&picture).await.ok()?;
            self.painted.fetch_add(written as u64, Ordering::Relaxed);
        }
    }

    async fn answer(&self, mut stream: UnixStream) -> Option<()> {
        let (reading, mut writing) = stream.split();
        let mut reading = BufReader::new(reading);
        let request = protocol::read::<Request>(&mut reading).await.ok()??;
        let reply = match request {
            Request::Start(order) => self.begin(&order),
            Request::Address { .. } => Reply::Address(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            Request::Ping => {
                Reply::Version(EngineVersion { version: "none".to_owned(), api: "0".to_owned() })
            }
            Request::List => {
                let container = self.container.lock().unwrap().clone();
                if let Some(container) = container {
                    protocol::write(&mut writing, &Reply::Container(container)).await.ok()?;
                }
                Reply::Done
            }
            Request::Events => {
                protocol::write(&mut writing, &Reply::Done).await.ok()?;
                // Nothing ever ends here, until the gateway does.
                reading.read_to_end(&mut Vec::new()).await.ok()?;
                return None;
            }
            Request::Home(_) => Reply::Home(berth::engine::home::HomeReply::Sessions(Vec::new())),
            _ => Reply::Done,
        };
        protocol::write(&mut writing, &reply).await.ok()
    }

    fn begin(&self, order: &StartOrder) -> Reply {
        *self.secret.lock().unwrap() = order.secret.expose().clone();
        let container = Container {
            installation: order.installation.clone(),
            session: order.session,
            id: format!("{:0>64}", order.session.to_string()),
            name: format!("berth-{}", order.session),
            epoch: order.epoch,
            spec: String::new(),
            image: String::new(),
            status: ContainerStatus::Running,
        };
        let upstream = Upstream {
            node: NodeName("here".to_owned()),
            container: container.id.clone(),
            port: self.port,
            epoch: order.epoch,
        };
        *self.container.lock().unwrap() = Some(container);
        Reply::Started(Started { upstream, image: String::new() })
    }
}

/// The real binary in a directory of its own, killed when dropped.
struct Gateway {
    dir: TempDir,
    port: u16,
    process: Child,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.dir.path().join("gateway.log")).unwrap_or_default();
            eprintln!("--- the gateway's log\n{log}");
        }
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn berth(dir: &Path, arguments: &[&str], input: &str) {
    let mut child = Command::new(BERTH)
        .args(arguments)
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let _ = writeln!(child.stdin.take().unwrap(), "{input}");
    assert!(child.wait().unwrap().success(), "berth {arguments:?}");
}

impl Gateway {
    fn start(dir: TempDir) -> Self {
        let port = free_port();
        for folder in ["config", "novnc/core"] {
            std::fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        // No viewer page is shown here, so any script will do.
        std::fs::write(dir.path().join("novnc/core/rfb.js"), "export default class {}").unwrap();
        let config = format!(
            "[server]\nlisten = [\"127.0.0.1:{port}\"]\ndomain = \"localhost\"\nmetrics = \"127.0.0.1:{}\"\n\
             [viewer]\nnovnc = \"novnc\"\n[engine]\nspawner = \"spawner.sock\"\n\
             [[template]]\nname = \"desktop\"\ntitle = \"Desktop\"\nimage = \"none\"\nprotocol = \"rfb\"\nport = 5900\nhome = \"ephemeral\"\n",
            free_port()
        );
        std::fs::write(dir.path().join("config/berth.toml"), config).unwrap();
        berth(dir.path(), &["setup"], "");
        berth(dir.path(), &["user", "add", "ann", "--role", "user", "--password-stdin"], PASSWORD);
        let log = std::fs::File::create(dir.path().join("gateway.log")).unwrap();
        let process = Command::new(BERTH)
            .arg("serve")
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { dir, port, process }
    }

    fn origin(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    fn ca(&self) -> Vec<u8> {
        std::fs::read(self.dir.path().join("certs/ca.pem")).unwrap()
    }

    /// Resident memory in KiB, without the pages of the binary's own file, which are no growth.
    fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        line.trim().split(' ').next().unwrap().parse().unwrap()
    }
}

async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut probe: impl FnMut() -> F) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(Instant::now() < deadline, "gave up waiting: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).expect("a form");
    rest.split('"').next().unwrap().to_owned()
}

/// Logs in and makes a desktop; returns the login's cookie and the desktop's label.
async fn prepare(gateway: &Gateway) -> (String, String) {
    let client = Client::builder()
        .tls_certs_only([Certificate::from_pem(&gateway.ca()).unwrap()])
        .cookie_store(true)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let origin = gateway.origin();
    let get = async |path: &str| {
        let request = client.get(format!("{origin}{path}")).header("accept", "text/html");
        request.send().await.ok()?.text().await.ok()
    };
    let post = async |path: &str, fields: &[(&str, &str)]| {
        let request = client.post(format!("{origin}{path}")).header("origin", &origin).form(fields);
        request.header("accept", "text/html").send().await.unwrap()
    };
    let page = eventually("the gateway serves", || get("/login")).await;
    let fields = [("csrf", hidden(&page, "csrf")), ("name", "ann".into()), ("password", PASSWORD.into())];
    let answer = post("/login", &fields.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let csrf = hidden(&get("/").await.unwrap(), "csrf");
    let made = post("/sessions", &[("csrf", &csrf), ("template", "desktop"), ("name", "one")]).await;
    let location = made.headers()["location"].to_str().unwrap().to_owned();
    let label = location.trim_end_matches('/').rsplit('/').next().unwrap().to_owned();
    eventually("the desktop is ready", || async {
        let page = get("/").await?;
        page.contains("data-state=\"ready\"").then_some(())
    })
    .await;
    (cookie, label)
}

/// Opens the viewer's WebSocket and goes through the RFB opening.
async fn open(gateway: &Gateway, cookie: &str, label: &str) -> Socket {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&gateway.ca()).unwrap()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, gateway.port));
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let mut request =
        format!("wss://localhost:{}/s/{label}/rfb", gateway.port).into_client_request().unwrap();
    request.headers_mut().insert("origin", gateway.origin().parse().unwrap());
    request.headers_mut().insert("sec-websocket-protocol", "binary".parse().unwrap());
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    assert_eq!(hear(&mut socket, 12).await, 12);
    socket.send(Message::binary(security::VERSION.to_vec())).await.unwrap();
    assert_eq!(hear(&mut socket, 2).await, 2);
    socket.send(Message::binary(vec![security::NONE])).await.unwrap();
    assert_eq!(hear(&mut socket, 4).await, 4);
    socket.send(Message::binary(vec![1])).await.unwrap();
    socket
}

/// Reads messages until they held so many bytes; returns how many they held.
async fn hear(socket: &mut Socket, count: usize) -> usize {
    let mut heard = 0;
    while heard < count {
        if let Message::Binary(bytes) = socket.next().await.unwrap().unwrap() {
            heard += bytes.len();
        }
    }
    heard
}

#[tokio::test]
async fn a_reader_that_stops_for_a_minute_costs_the_gateway_nothing() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let dir = tempfile::Builder::new().prefix("berth-flood").tempdir().unwrap();
    let desktop = Desktop::start(&dir.path().join("spawner.sock")).await;
    let gateway = Gateway::start(dir);
    let (cookie, label) = prepare(&gateway).await;
    let mut socket = open(&gateway, &cookie, &label).await;
    hear(&mut socket, WARM_UP).await;
    let before = gateway.resident();

    // The reader stops; what is in the kernel's buffers is soon all there is.
    let stopped = Instant::now();
    let (mut most, mut settled) = (before, None);
    while stopped.elapsed() < STOPPED {
        tokio::time::sleep(Duration::from_millis(250)).await;
        most = most.max(gateway.resident());
        if settled.is_none() && stopped.elapsed() > Duration::from_secs(5) {
            settled = Some(desktop.painted.load(Ordering::Relaxed));
        }
    }
    let painted = desktop.painted.load(Ordering::Relaxed);
    println!("resident: {before} KiB before, at most {most} KiB in {} s", STOPPED.as_secs());
    assert_eq!(settled, Some(painted), "the flood is held back at its source");
    assert!(most <= before + MOST_KIB, "from {before} KiB to {most} KiB");
    drop(socket);
}

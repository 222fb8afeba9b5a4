//! The server over real sockets, with real TLS clients.

use std::future::{pending, poll_fn};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::tls::Certificates;
use super::*;
use crate::body::Body;
use crate::tasks::Tasks;

const PATIENCE: Duration = Duration::from_secs(20);

const UPGRADE: &str = "GET /socket HTTP/1.1\r\nhost: desk.example.org\r\nupgrade: websocket\r\n\
     connection: upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Answers by path: `/` says the protocol, `/wait` when told to, `/panic` not at all, `/socket`
/// upgrades and echoes until the drain begins.
struct Answers {
    entered: mpsc::UnboundedSender<&'static str>,
    go: Arc<Notify>,
    drain: Drain,
}

impl Handler for Answers {
    async fn handle(&self, mut request: Request<Incoming>, arrival: Arrival) -> Response<Body> {
        let facts = AccessFacts { edge: Edge::Control, user: Some("ann\n".to_owned()), session: None };
        let mut response = match request.uri().path() {
            "/wait" => {
                let _ = self.entered.send("wait");
                self.go.notified().await;
                Response::new(Body::full("done"))
            }
            "/panic" => panic!("asked to"),
            "/address" => Response::new(Body::full(arrival.peer.address.ip().to_string())),
            "/body" => Response::new(Body::full(request.into_body().collect().await.unwrap().to_bytes())),
            "/socket" => {
                let guard = arrival.peer.upgraded();
                let upgraded = hyper::upgrade::on(&mut request);
                let (entered, drain) = (self.entered.clone(), self.drain.clone());
                tokio::spawn(async move {
                    let mut socket = TokioIo::new(upgraded.await.unwrap());
                    let _ = entered.send("socket");
                    let _guard = guard;
                    drain.draining().await;
                    socket.write_all(b"bye").await.unwrap();
                    socket.shutdown().await.unwrap();
                });
                let mut response = Response::new(Body::empty());
                *response.status_mut() = match arrival.checked.upgrade {
                    Upgrade::Http1 => StatusCode::SWITCHING_PROTOCOLS,
                    Upgrade::Http2 => StatusCode::OK,
                    Upgrade::None => StatusCode::BAD_REQUEST,
                };
                if arrival.checked.upgrade == Upgrade::Http1 {
                    response.headers_mut().insert("upgrade", "websocket".parse().unwrap());
                    response.headers_mut().insert("connection", "upgrade".parse().unwrap());
                }
                response
            }
            _ => Response::new(Body::full(arrival.peer.protocol.name())),
        };
        response.extensions_mut().insert(facts);
        response
    }
}

struct TestServer {
    address: SocketAddr,
    certificates: Arc<Certificates>,
    paths: dev_ca::DevPaths,
    drain: Drain,
    tasks: Tasks,
    entered: mpsc::UnboundedReceiver<&'static str>,
    go: Arc<Notify>,
    _directory: TempDir,
}

fn start_with(change: impl FnOnce(&mut Settings)) -> TestServer {
    let directory = TempDir::new().unwrap();
    let paths = dev_ca::ensure(directory.path(), "desk.example.org").unwrap().paths;
    let certificates = Certificates::load(&paths.certificate, &paths.key).unwrap();
    let mut settings = Settings { listen: vec![(Ipv4Addr::LOCALHOST, 0).into()], ..Settings::default() };
    change(&mut settings);
    let (send, entered) = mpsc::unbounded_channel();
    let (drain, tasks, go) = (Drain::new(), Tasks::new(), Arc::new(Notify::new()));
    let answers = Answers { entered: send, go: go.clone(), drain: drain.clone() };
    let addresses = listen(settings, certificates.clone(), answers, &drain, &tasks).unwrap();
    TestServer {
        address: addresses[0],
        certificates,
        paths,
        drain,
        tasks,
        entered,
        go,
        _directory: directory,
    }
}

fn start() -> TestServer {
    start_with(|_| {})
}

fn client(ca: &PathBuf, protocols: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(tls::provider());
    let mut config = builder
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Arc::new(config)
}

impl TestServer {
    async fn connect(&self, protocols: &[&str]) -> TlsStream<TcpStream> {
        self.connect_with(client(&self.paths.ca, protocols)).await
    }

    async fn connect_with(&self, config: Arc<ClientConfig>) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("desk.example.org").unwrap();
        TlsConnector::from(config).connect(name, stream).await.unwrap()
    }

    /// Sends raw bytes over HTTP/1 and reads until the server closes.
    async fn raw(&self, request: &str) -> String {
        let mut stream = self.connect(&["http/1.1"]).await;
        // The server may close before it has read everything.
        let _ = stream.write_all(request.as_bytes()).await;
        read_all(&mut stream).await
    }

    async fn h2(&self) -> hyper::client::conn::http2::SendRequest<Full<Bytes>> {
        let io = TokioIo::new(self.connect(&["h2"]).await);
        let (send, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        send
    }
}

async fn read_all(stream: &mut TlsStream<TcpStream>) -> String {
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the server closes");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn read_until(stream: &mut TlsStream<TcpStream>, end: &str) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(end.as_bytes()) {
        answer.push(timeout(PATIENCE, stream.read_u8()).await.expect("the server answers").unwrap());
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: desk.example.org\r\n\r\n")
}

fn request(path: &str) -> Request<Full<Bytes>> {
    Request::get(format!("https://desk.example.org{path}")).body(Full::default()).unwrap()
}

async fn text(response: Response<Incoming>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn alpn_chooses_the_protocol_and_nothing_else_does() {
    let server = start();
    for (offered, chosen) in
        [(&["h2", "http/1.1"][..], Some(&b"h2"[..])), (&["http/1.1"], Some(b"http/1.1")), (&[], None)]
    {
        let stream = server.connect(offered).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), chosen, "{offered:?}");
    }
    let response = server.h2().await.send_request(request("/")).await.unwrap();
    assert!(response.headers().contains_key("x-request-id"));
    assert_eq!(text(response).await, "h2");
    let mut stream = server.connect(&["http/1.1"]).await;
    stream.write_all(get("/").as_bytes()).await.unwrap();
    assert!(read_until(&mut stream, "h1").await.starts_with("HTTP/1.1 200"));
    // HTTP/2 on a connection that agreed on HTTP/1.1 is not HTTP/2.
    let answer = server.raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
}

#[tokio::test]
async fn tickets_resume_and_survive_a_reload() {
    let server = start();
    for versions in [&[&rustls::version::TLS13][..], &[&rustls::version::TLS12]] {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&server.paths.ca).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(tls::provider()).with_protocol_versions(versions);
        let mut config = builder.unwrap().with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let config = Arc::new(config);
        let mut kinds = Vec::new();
        for round in 0..3 {
            if round == 2 {
                server.certificates.reload().unwrap();
            }
            let mut stream = server.connect_with(config.clone()).await;
            stream.write_all(get("/").as_bytes()).await.unwrap();
            read_until(&mut stream, "h1").await;
            kinds.push(stream.get_ref().1.handshake_kind().unwrap());
        }
        assert_ne!(kinds[0], HandshakeKind::Resumed, "{versions:?}");
        assert_eq!(kinds[1..], [HandshakeKind::Resumed, HandshakeKind::Resumed], "{versions:?}");
    }
}

#[tokio::test]
async fn a_reload_drops_no_connection_and_serves_the_new_certificate() {
    let server = start();
    let mut open = server.connect(&["http/1.1"]).await;
    let served = |stream: &TlsStream<TcpStream>| stream.get_ref().1.peer_certificates().unwrap()[0].clone();
    let first = served(&open);
    std::fs::remove_file(&server.paths.certificate).unwrap();
    dev_ca::ensure(server.paths.ca.parent().unwrap(), "desk.example.org").unwrap();
    server.certificates.reload().unwrap();
    assert_ne!(served(&server.connect(&["http/1.1"]).await), first);
    open.write_all(get("/").as_bytes()).await.unwrap();
    assert!(read_until(&mut open, "h1").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn slow_handshakes_and_slow_heads_are_cut() {
    let server = start_with(|settings| {
        settings.handshake = Duration::from_millis(100);
        settings.header = Duration::from_millis(100);
    });
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(timeout(PATIENCE, silent.read(&mut [0])).await.unwrap().unwrap_or(0), 0);
    assert!(!server.raw("GET / HTTP/1.1\r\nhost: desk").await.contains("200"));
    assert_eq!(server.raw("").await, "");
    // A connection that agreed on HTTP/2 and then says nothing, or half of its greeting.
    for words in ["", "PRI * HTTP/2.0\r\n"] {
        let mut stream = server.connect(&["h2"]).await;
        stream.write_all(words.as_bytes()).await.unwrap();
        read_all(&mut stream).await;
    }
    assert!(server.raw(&get("/").repeat(2)).await.contains("h1"), "others are served meanwhile");
}

#[tokio::test]
async fn header_floods_are_refused() {
    let server = start();
    let many: String = (0..200).map(|number| format!("x-{number}: y\r\n")).collect();
    let answer = server.raw(&format!("GET / HTTP/1.1\r\nhost: desk.example.org\r\n{many}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let large = "y".repeat(200_000);
    let answer = server.raw(&format!("GET / HTTP/1.1\r\nhost: desk.example.org\r\nx: {large}\r\n\r\n")).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn what_hyper_lets_pass_is_refused_and_the_connection_closed() {
    let server = start();
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", 400),
        ("GET https://other.example/ HTTP/1.1\r\nhost: desk.example.org\r\n\r\n", 400),
        ("GET http://desk.example.org/ HTTP/1.1\r\nhost: desk.example.org\r\n\r\n", 400),
        ("GET /a/../b HTTP/1.1\r\nhost: desk.example.org\r\n\r\n", 400),
        ("GET /a%2f..%2fb HTTP/1.1\r\nhost: desk.example.org\r\n\r\n", 400),
        ("GET /a\\b HTTP/1.1\r\nhost: desk.example.org\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: desk.example.org\r\nx_y: z\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: other.example\r\n\r\n", 421),
        ("TRACE / HTTP/1.1\r\nhost: desk.example.org\r\n\r\n", 405),
        ("CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n", 405),
        ("get / HTTP/1.1\r\nhost: desk.example.org\r\n\r\n", 501),
        ("OPTIONS * HTTP/1.1\r\nhost: desk.example.org\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nhost: desk.example.org\r\nexpect: a\r\ncontent-length: 1\r\n\r\n", 417),
        (
            "POST / HTTP/1.1\r\nhost: desk.example.org\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nhost: desk.example.org\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        ("POST / HTTP/1.0\r\nhost: desk.example.org\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (
            "POST / HTTP/1.1\r\nhost: desk.example.org\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
            400,
        ),
    ] {
        // The smuggled second request must never be answered.
        let answer = server.raw(&format!("{request}{}", get("/"))).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}"))
                || answer.starts_with(&format!("HTTP/1.0 {status}")),
            "{request}\n{answer}"
        );
        assert_eq!(answer.matches("HTTP/1.").count(), 1, "{request}\n{answer}");
    }
}

/// Not ours to see: hyper drops a Content-Length beside a Transfer-Encoding. What must hold is
/// that the body is the chunked one and that nothing behind it on the connection is served.
#[tokio::test]
async fn a_length_beside_chunked_ends_the_connection() {
    let server = start();
    for headers in
        ["content-length: 3\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 3"]
    {
        let post =
            format!("POST /body HTTP/1.1\r\nhost: desk.example.org\r\n{headers}\r\n\r\n2\r\nab\r\n0\r\n\r\n");
        let answer = server.raw(&format!("{post}{}", get("/"))).await;
        assert!(answer.ends_with("\r\n\r\nab"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    }
}

#[tokio::test]
async fn a_panic_answers_500_and_ends_nothing_else() {
    let server = start();
    let mut h2 = server.h2().await;
    assert_eq!(h2.send_request(request("/panic")).await.unwrap().status(), 500);
    assert_eq!(text(h2.send_request(request("/")).await.unwrap()).await, "h2");
}

#[tokio::test]
async fn a_trusted_proxy_tells_the_address() {
    let server = start_with(|settings| settings.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]);
    let mut h2 = server.h2().await;
    let mut forwarded = request("/address");
    forwarded.headers_mut().insert("x-forwarded-for", "6.6.6.6, 192.0.2.7".parse().unwrap());
    assert_eq!(text(h2.send_request(forwarded).await.unwrap()).await, "192.0.2.7");
    let untrusting = start();
    let mut forged = request("/address");
    forged.headers_mut().insert("x-forwarded-for", "192.0.2.7".parse().unwrap());
    assert_eq!(text(untrusting.h2().await.send_request(forged).await.unwrap()).await, "127.0.0.1");
}

#[tokio::test]
async fn a_drain_finishes_open_requests_on_both_protocols() {
    let mut server = start();
    let mut h2 = server.h2().await;
    let waiting = tokio::spawn(h2.send_request(request("/wait")));
    let mut h1 = server.connect(&["http/1.1"]).await;
    h1.write_all(get("/wait").as_bytes()).await.unwrap();
    let mut idle = server.connect(&["http/1.1"]).await;
    for _ in 0..2 {
        assert_eq!(timeout(PATIENCE, server.entered.recv()).await.unwrap(), Some("wait"));
    }
    let finish = server.drain.finish(PATIENCE, pending());
    tokio::pin!(finish);
    assert!(futures_util::poll!(&mut finish).is_pending());
    assert_eq!(read_all(&mut idle).await, "", "an idle connection is closed at once");
    server.go.notify_waiters();
    server.go.notify_one();
    assert_eq!(text(waiting.await.unwrap().unwrap()).await, "done");
    assert!(read_all(&mut h1).await.ends_with("done"));
    drop(h2);
    assert_eq!(timeout(PATIENCE, finish).await.unwrap(), Drained::Finished);
    timeout(PATIENCE, server.tasks.drain()).await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_drain_tells_upgraded_sockets_and_waits_for_them() {
    let mut server = start();
    let mut h1 = server.connect(&["http/1.1"]).await;
    h1.write_all(UPGRADE.as_bytes()).await.unwrap();
    assert!(read_until(&mut h1, "\r\n\r\n").await.starts_with("HTTP/1.1 101"));

    let mut h2 = server.h2().await;
    poll_fn(|cx| h2.poll_ready(cx)).await.unwrap();
    let mut connect = Request::connect("https://desk.example.org/socket").body(Full::default()).unwrap();
    connect.extensions_mut().insert(hyper::ext::Protocol::from_static("websocket"));
    // The server's settings, which allow this, may come after the first request.
    h2.send_request(request("/")).await.unwrap();
    let response = h2.send_request(connect).await.unwrap();
    assert_eq!(response.status(), 200);
    let mut tunnel = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    for _ in 0..2 {
        assert_eq!(timeout(PATIENCE, server.entered.recv()).await.unwrap(), Some("socket"));
    }
    let finish = server.drain.finish(PATIENCE, pending());
    tokio::pin!(finish);
    let mut told = [0; 3];
    tokio::select! {
        _ = &mut finish => panic!("the drain waits for sockets"),
        read = tunnel.read_exact(&mut told) => { read.unwrap(); }
    }
    assert_eq!(&told, b"bye");
    assert_eq!(read_all(&mut h1).await, "bye");
    drop((tunnel, h2));
    assert_eq!(timeout(PATIENCE, finish).await.unwrap(), Drained::Finished);
}

#[tokio::test]
async fn a_drain_cuts_what_does_not_finish() {
    let mut server = start();
    let mut h1 = server.connect(&["http/1.1"]).await;
    h1.write_all(get("/wait").as_bytes()).await.unwrap();
    assert_eq!(timeout(PATIENCE, server.entered.recv()).await.unwrap(), Some("wait"));
    assert_eq!(server.drain.finish(Duration::from_millis(20), pending()).await, Drained::Cut(1));
    assert_eq!(read_all(&mut h1).await, "");
    timeout(PATIENCE, server.tasks.drain()).await.unwrap();
}

/// An upgraded socket outlives the task of its connection and still counts.
#[tokio::test]
async fn no_more_connections_are_open_than_allowed() {
    for (first_request, answer) in [(get("/wait"), ""), (UPGRADE.to_owned(), "\r\n\r\n")] {
        let mut server = start_with(|settings| settings.max_connections = 1);
        let mut first = server.connect(&["http/1.1"]).await;
        first.write_all(first_request.as_bytes()).await.unwrap();
        read_until(&mut first, answer).await;
        assert!(timeout(PATIENCE, server.entered.recv()).await.unwrap().is_some());
        let second = server.connect(&["http/1.1"]);
        tokio::pin!(second);
        assert!(timeout(Duration::from_millis(50), &mut second).await.is_err(), "it waits in the backlog");
        server.go.notify_one();
        if answer.is_empty() {
            read_until(&mut first, "done").await;
            drop(first);
            timeout(PATIENCE, second).await.unwrap();
        }
    }
}

#[test]
#[ignore = "played by access_lines_are_one_json_object_with_every_fact in a process of its own"]
fn access_lines() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_writer({
            let lines = lines.clone();
            move || lines.clone()
        })
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = start();
            server
                .raw("GET /x?ticket=abc&a=1 HTTP/1.1\r\nhost: desk.example.org\r\nconnection: close\r\n\r\n")
                .await;
            timeout(PATIENCE, server.tasks.drain()).await.unwrap();
        });
    });
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let line = text.lines().find(|line| line.contains("berth::access")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["path"], "/x?ticket=(hidden)&a=1");
    assert_eq!(line["user"], "ann\\n");
    assert_eq!((&line["status"], &line["bytes"]), (&200.into(), &2.into()));
    assert_eq!(
        (&line["protocol"], &line["edge"], &line["peer"]),
        (&"h1".into(), &"control".into(), &"127.0.0.1".into())
    );
    assert_eq!((&line["method"], &line["host"]), (&"GET".into(), &"desk.example.org".into()));
    assert!(line["duration_ms"].is_u64() && line["request_id"].is_string());
}

#[derive(Clone, Default)]
struct Lines(Arc<std::sync::Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn idle_connections_end_and_busy_ones_stay() {
    let mut server = start_with(|settings| settings.idle = Duration::from_millis(100));
    let mut busy = server.h2().await;
    let waiting = tokio::spawn(busy.send_request(request("/wait")));
    assert_eq!(timeout(PATIENCE, server.entered.recv()).await.unwrap(), Some("wait"));
    // Opened later and closed for idleness: by then the busy one has outlived the limit.
    for protocol in ["h2", "http/1.1"] {
        let io = server.connect(&[protocol]).await;
        if protocol == "h2" {
            let (mut send, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(io)).await.unwrap();
            let ended = tokio::spawn(connection);
            text(send.send_request(request("/")).await.unwrap()).await;
            timeout(PATIENCE, ended).await.expect("it ends").unwrap().unwrap();
        } else {
            let mut io = io;
            io.write_all(get("/").as_bytes()).await.unwrap();
            assert!(read_all(&mut io).await.ends_with("h1"));
        }
    }
    server.go.notify_one();
    assert_eq!(text(waiting.await.unwrap().unwrap()).await, "done");
}

/// Runs one ignored test of this file in a process of its own, after `first`.
fn play(first: &str, test: &str) {
    let script = format!("{first} && exec \"$0\" --exact server::tests::{test} --ignored");
    let binary = std::env::current_exe().unwrap();
    let played = std::process::Command::new("sh").arg("-c").arg(script).arg(binary).output().unwrap();
    let said = String::from_utf8_lossy(&played.stdout);
    assert!(played.status.success() && said.contains("1 passed"), "{said}");
}

/// A naive accept loop ends at EMFILE. Descriptors are a limit of the whole process.
#[test]
fn an_accept_without_descriptors_is_tried_again() {
    play("ulimit -n 128", "without_descriptors");
}

/// Which lines are written is cached for the whole process, so other tests would interfere.
#[test]
fn access_lines_are_one_json_object_with_every_fact() {
    play("true", "access_lines");
}

#[tokio::test]
#[ignore = "played by an_accept_without_descriptors_is_tried_again in a process of its own"]
async fn without_descriptors() {
    let metrics = crate::telemetry::install_metrics().unwrap();
    let server = start();
    let config = client(&server.paths.ca, &["http/1.1"]);
    // One thread: the loop cannot accept before the descriptors are gone.
    let stream = std::net::TcpStream::connect(server.address).unwrap();
    let hoard: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
    let failed = async {
        while !metrics.render().contains("berth_accept_errors_total{cause=\"descriptors\"}") {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, failed).await.expect("the accept fails");
    drop(hoard);
    stream.set_nonblocking(true).unwrap();
    let stream = TcpStream::from_std(stream).unwrap();
    let name = ServerName::try_from("desk.example.org").unwrap();
    let connect = TlsConnector::from(config).connect(name, stream);
    let mut stream = timeout(PATIENCE, connect).await.expect("it is accepted later").unwrap();
    stream.write_all(get("/").as_bytes()).await.unwrap();
    read_until(&mut stream, "h1").await;
}

//! The way of a browser, hop by hop: the process, its own address, the domain's name, the port, TLS, HTTP,
//! WebSocket. Only what is public is asked.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Finding, Findings, Hop, Verdict, name};
use crate::app;
use crate::config::Config;
use crate::control::{self, AskError, Reply};
use crate::server::inspect::{self, Facts};

/// Whoever takes longer for any of these takes too long for a person.
const PATIENCE: Duration = Duration::from_secs(5);
/// The head of an answer of ours is shorter.
const MOST_BYTES: usize = 16 * 1024;
/// A WebSocket's key is not secret; this one is the RFC's own (RFC 6455 §1.3), with the answer to it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const NOT_RUNNING: &str = "no gateway runs";

/// What lies beyond the name.
const BEYOND: [Hop; 4] = [Hop::Port, Hop::Tls, Hop::Health, Hop::WebSocket];

/// Whether a gateway runs here.
pub(super) async fn gateway(config: &Config) -> Finding {
    let path = &config.server.control;
    let asked = timeout(PATIENCE, control::ask(path, &control::Request::TemplateProgress)).await.ok();
    judge_gateway(path, asked)
}

/// How it answered on its control socket, if it did in time.
fn judge_gateway(path: &Path, asked: Option<Result<Option<Reply>, AskError>>) -> Finding {
    let shown = path.display();
    let silent = |why: String| {
        let todo = "look at its log, and restart it: a gateway that hangs answers nobody, one of another version not this";
        Finding::broken(
            Hop::Gateway,
            format!("it listens on {shown}, but does not answer there: {why}"),
            todo,
        )
    };
    match asked {
        Some(Ok(Some(_))) => Finding::ok(Hop::Gateway, format!("it answers on {shown}")),
        Some(Ok(None)) => {
            Finding::skipped(Hop::Gateway, format!("{NOT_RUNNING} here: nothing answers on {shown}"))
        }
        Some(Err(AskError::Unanswered(error))) => silent(error.to_string()),
        Some(Err(error @ AskError::Unreachable(_))) => Finding::warning(
            Hop::Gateway,
            format!("whether it runs cannot be told: {error}"),
            "run this as the gateway's own user, in its working directory",
        ),
        None => silent(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// The rest of the way.
pub(super) async fn examine(config: &Config, gateway: Finding, found: &mut Findings<'_>) {
    let own = Facts::read(&config.tls.certificate).ok();
    let mut way = Way { config, runs: Runs::of(&gateway), own };
    let hangs = gateway.verdict == Verdict::Broken;
    found.add(gateway);
    let listener = if hangs {
        Finding::skipped(Hop::Listener, "the gateway does not answer")
    } else {
        way.listener().await
    };
    let closed = hangs || listener.verdict == Verdict::Broken;
    if way.runs == Runs::Unknown && listener.verdict == Verdict::Ok {
        way.runs = Runs::Yes;
    }
    found.add(listener);
    match name::look_up(config, way.port()).await {
        Ok((name, addresses)) => {
            found.add(name);
            if closed {
                found.skip(&BEYOND, "the gateway's own address does not answer");
            } else {
                way.beyond(&addresses, found).await;
            }
        }
        Err(unnamed) => {
            found.add(unnamed);
            found.skip(&BEYOND, "the name has no address");
        }
    }
}

/// Whether a gateway runs here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Runs {
    /// It does, though it may not answer.
    Yes,
    /// None does.
    No,
    /// Its control socket may not be opened.
    Unknown,
}

impl Runs {
    fn of(gateway: &Finding) -> Self {
        match gateway.verdict {
            Verdict::Ok | Verdict::Broken => Self::Yes,
            Verdict::Skipped => Self::No,
            Verdict::Warning => Self::Unknown,
        }
    }

    /// Why what does not answer is nobody's fault, unless one runs.
    fn excuse(self) -> Option<&'static str> {
        match self {
            Self::Yes => None,
            Self::No => Some(NOT_RUNNING),
            Self::Unknown => Some("whether a gateway runs cannot be told"),
        }
    }
}

struct Way<'a> {
    config: &'a Config,
    runs: Runs,
    /// The certificate that the gateway should present.
    own: Option<Facts>,
}

impl Way<'_> {
    fn domain(&self) -> &str {
        &self.config.server.domain
    }

    fn port(&self) -> u16 {
        app::portal_port(self.config)
    }

    /// The first address that the gateway listens on, from this machine.
    async fn listener(&self) -> Finding {
        let Some(address) = self.config.server.listen.first().map(local) else {
            return Finding::skipped(Hop::Listener, "server.listen is empty");
        };
        let tried = match (dial(&[address]).await, self.runs.excuse()) {
            (Ok(stream), _) => self.health_over(stream).await,
            (Err(_), Some(excuse)) => return Finding::skipped(Hop::Listener, excuse),
            (Err(error), None) => Err(error.to_string()),
        };
        self.judge_listener(address, tried)
    }

    fn judge_listener(&self, address: SocketAddr, tried: Result<(), String>) -> Finding {
        match (self.runs, tried) {
            (Runs::Yes | Runs::Unknown, Ok(())) => {
                Finding::ok(Hop::Listener, format!("{address} answers over TLS"))
            }
            (Runs::Yes, Err(why)) => Finding::broken(
                Hop::Listener,
                format!("the gateway runs, but {address} does not answer as it should: {why}"),
                "look at its log; restart it if server.listen has changed; a firewall of this machine may be in the way",
            ),
            (Runs::Unknown, Err(why)) => Finding::broken(
                Hop::Listener,
                format!("{address} does not answer as Berth does: {why}"),
                "run this as the gateway's own user; if it is not the gateway that listens there, stop what does",
            ),
            (Runs::No, Ok(())) => Finding::warning(
                Hop::Listener,
                format!(
                    "{address} answers, although no gateway is found at {}",
                    self.config.server.control.display()
                ),
                "run this in the gateway's working directory, with its configuration",
            ),
            (Runs::No, Err(why)) => Finding::broken(
                Hop::Listener,
                format!("{address} is taken, so no gateway can start, by something that is none: {why}"),
                "stop what listens there, or change server.listen",
            ),
        }
    }

    async fn health_over(&self, stream: TcpStream) -> Result<(), String> {
        let (mut stream, _) =
            secured(stream, self.domain()).await.map_err(|error| format!("TLS: {error}"))?;
        healthy(ask(&mut stream, &self.request("")).await)
    }

    /// From the port to the WebSocket.
    async fn beyond(&self, addresses: &[SocketAddr], found: &mut Findings<'_>) {
        let port = self.port();
        let stream = match (dial(addresses).await, self.runs.excuse()) {
            (Ok(stream), _) => stream,
            (Err(_), Some(excuse)) => return found.skip(&BEYOND, excuse),
            (Err(error), None) => {
                let why = format!("{}:{port} does not accept connections: {error}", self.domain());
                let todo =
                    "open it in the firewall, forward it where there is a NAT, or correct server.public_port";
                found.add(Finding::broken(Hop::Port, why, todo));
                return found.skip(&[Hop::Tls, Hop::Health, Hop::WebSocket], "the port is closed");
            }
        };
        found.add(Finding::ok(Hop::Port, format!("{port} accepts connections")));
        let mut stream = match secured(stream, self.domain()).await {
            Ok((stream, presented)) => {
                found.add(self.judge(&presented));
                stream
            }
            Err(error) => {
                let why = format!("whoever listens on port {port} does not speak TLS with us: {error}");
                let todo = "another program has the port, or a proxy in front speaks plain HTTP: Berth itself speaks TLS";
                found.add(Finding::broken(Hop::Tls, why, todo));
                return found.skip(&[Hop::Health, Hop::WebSocket], "there is no TLS");
            }
        };
        match (healthy(ask(&mut stream, &self.request("")).await), self.runs.excuse()) {
            (Ok(()), _) => {
                found.add(Finding::ok(Hop::Health, "GET /health is answered"));
                found.add(web_socket(self.upgraded(addresses).await));
            }
            // That nobody is behind a proxy is no news then.
            (Err(_), Some(excuse)) => found.skip(&[Hop::Health, Hop::WebSocket], excuse),
            (Err(why), None) => {
                found.add(unhealthy(&why));
                found.skip(&[Hop::WebSocket], "it is not Berth that answers");
            }
        }
    }

    /// Whose certificate is presented: the gateway's own, or that of something in front of it.
    fn judge(&self, presented: &Facts) -> Finding {
        let domain = self.domain();
        if !presented.covers(domain) {
            let why =
                format!("a certificate for {} is presented, not for {domain}", presented.names.join(", "));
            let todo = "another program or proxy answers there: send the port to Berth, or give it a certificate for it";
            return Finding::broken(Hop::Tls, why, todo);
        }
        if presented.expires_at < crate::clock::now() {
            let why = format!("the certificate that is presented expired on {}", presented.expires_at);
            return Finding::broken(Hop::Tls, why, "renew it where TLS ends");
        }
        match &self.own {
            Some(own) if own.is(presented) => Finding::ok(Hop::Tls, "Berth's own certificate is presented"),
            Some(_) | None => Finding::warning(
                Hop::Tls,
                format!("a certificate of {} is presented, which is not the one in [tls]", presented.issuer),
                "fine if a proxy stands in front (then see server.trusted_proxies); else reload with SIGHUP",
            ),
        }
    }

    async fn upgraded(&self, addresses: &[SocketAddr]) -> Result<(), String> {
        let stream = dial(addresses).await.map_err(|error| error.to_string())?;
        let (mut stream, _) = secured(stream, self.domain()).await.map_err(|error| error.to_string())?;
        let upgrade = format!(
            "upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: {KEY}\r\n"
        );
        let answer = ask(&mut stream, &self.request(&upgrade)).await.map_err(|error| error.to_string())?;
        let accepted = answer.to_ascii_lowercase().contains(&ACCEPT.to_ascii_lowercase());
        if answer.starts_with("HTTP/1.1 101") && accepted { Ok(()) } else { Err(first_line(&answer)) }
    }

    fn request(&self, more: &str) -> String {
        let close = if more.is_empty() { "connection: close\r\n" } else { "" };
        let host = match self.port() {
            443 => self.domain().to_owned(),
            port => format!("{}:{port}", self.domain()),
        };
        format!("GET /health HTTP/1.1\r\nhost: {host}\r\nuser-agent: berth-doctor\r\n{close}{more}\r\n")
    }
}

/// Whether it was Berth that answered `GET /health`, or else what was answered.
fn healthy(answer: io::Result<String>) -> Result<(), String> {
    let answer = answer.map_err(|error| error.to_string())?;
    let status = first_line(&answer);
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    match status.strip_prefix("HTTP/1.1 200") {
        Some(_) if body.contains(r#""healthy""#) => Ok(()),
        Some(_) => Err(format!("{status}, with a page of something else: {}", first_line(body))),
        None => Err(status),
    }
}

fn unhealthy(why: &str) -> Finding {
    // So says a proxy that does not reach what it stands in front of (RFC 9110 §15.6.3 to 15.6.5).
    let of_proxy = ["502", "503", "504"].iter().any(|code| why.starts_with(&format!("HTTP/1.1 {code}")));
    let todo = if of_proxy {
        "let the proxy in front reach one of server.listen, over TLS: look at its log"
    } else {
        "something else answers at this address: look at what stands in front of Berth"
    };
    Finding::broken(Hop::Health, format!("GET /health is not answered as Berth does: {why}"), todo)
}

fn web_socket(upgraded: Result<(), String>) -> Finding {
    match upgraded {
        Ok(()) => Finding::ok(Hop::WebSocket, "an upgrade comes through"),
        Err(why) => Finding::broken(
            Hop::WebSocket,
            format!("desktops cannot be opened: an upgrade does not come through: {why}"),
            "let the proxy in front pass `Upgrade` and `Connection` on, and not buffer",
        ),
    }
}

/// "Everywhere" is no address to go to.
fn local(listen: &SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// The first of the addresses that accepts.
async fn dial(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    bounded(TcpStream::connect(addresses)).await
}

async fn secured(
    stream: TcpStream,
    domain: &str,
) -> io::Result<(impl AsyncRead + AsyncWrite + Unpin + use<>, Facts)> {
    bounded(inspect::connect(stream, domain)).await
}

/// Sends a request and reads the head of the answer, or all of it if the connection ends.
async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> io::Result<String> {
    let exchange = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        let mut answer = Vec::new();
        let mut piece = [0; 1024];
        while answer.len() < MOST_BYTES && !answer.starts_with(b"HTTP/1.1 101") {
            match stream.read(&mut piece).await {
                Ok(0) => break,
                Ok(read) => answer.extend_from_slice(&piece[..read]),
                // Not everybody says goodbye.
                Err(_) if !answer.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(answer)
    };
    let answer = bounded(exchange).await?;
    if answer.is_empty() {
        return Err(io::Error::other("the connection was closed without an answer"));
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

async fn bounded<T>(call: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let slow = |_| Err(io::Error::new(io::ErrorKind::TimedOut, "no answer within 5 s"));
    timeout(PATIENCE, call).await.unwrap_or_else(slow)
}

fn first_line(answer: &str) -> String {
    answer.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever may not open the control socket was told that the gateway runs, and that it is broken.
    #[tokio::test]
    async fn a_closed_address_is_nobody_s_fault_while_it_cannot_be_told_whether_a_gateway_runs() {
        let free = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let mut config = Config::default();
        config.server.listen = vec![free];
        let denied = AskError::Unreachable(io::ErrorKind::PermissionDenied.into());
        let gateway = judge_gateway(Path::new("var/control.sock"), Some(Err(denied)));
        assert_eq!((gateway.verdict, Runs::of(&gateway)), (Verdict::Warning, Runs::Unknown));
        for (runs, verdict) in
            [(Runs::Unknown, Verdict::Skipped), (Runs::No, Verdict::Skipped), (Runs::Yes, Verdict::Broken)]
        {
            let found = Way { config: &config, runs, own: None }.listener().await;
            assert_eq!(found.verdict, verdict, "{runs:?}: {found}");
        }
    }
}

//! Sockets that are listened on, and the loop that accepts. Nothing a peer does, and no want of
//! descriptors, ends the loop.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{debug, info, warn};

use super::connection::{self, Context, Handler};
use super::drain::Drain;
use super::held::Held;
use super::peer::Peer;
use super::settings::Settings;
use super::tls::{Certificates, Tls};
use crate::tasks::Tasks;
use crate::telemetry::names;

/// Connections that may wait in the kernel.
const BACKLOG: i32 = 1024;
/// Half-open sockets are noticed after 30 + 3 × 15 s.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);
const KEEPALIVE_PROBES: u32 = 3;
/// A peer that takes none of our bytes for this long is cut.
const UNACKNOWLEDGED: Duration = Duration::from_mins(1);
/// The waits after an accept for which there were no descriptors.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));
/// Descriptors kept for engine, store and logs.
const RESERVED_DESCRIPTORS: usize = 64;

/// Why an address cannot be listened on.
#[derive(Debug, Error)]
pub enum ListenError {
    /// The operating system refused.
    #[error("cannot listen on {address}: {source}; {advice}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The operating system's words.
        source: io::Error,
        /// What to do.
        advice: &'static str,
    },
    /// TLS cannot begin.
    #[error("TLS cannot begin: {0}")]
    Tls(#[source] io::Error),
}

/// Serves `handler` on every address of `settings` until `drain` begins. Returns the bound
/// addresses; the rest happens in `tasks`.
///
/// # Errors
/// [`ListenError`] says which address and what to do; nothing is listened on then.
pub fn listen<H: Handler>(
    settings: Settings,
    certificates: Arc<Certificates>,
    handler: H,
    drain: &Drain,
    tasks: &Tasks,
) -> Result<Vec<SocketAddr>, ListenError> {
    let tls = Tls::new(certificates).map_err(ListenError::Tls)?;
    let sockets = settings
        .listen
        .iter()
        .map(|address| bind(*address, &settings.listen))
        .collect::<Result<Vec<TcpListener>, _>>()?;
    let bound: Vec<SocketAddr> = sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect();
    let slots = Arc::new(Semaphore::new(slots(settings.max_connections)));
    let context = Arc::new(Context { settings, handler, drain: drain.clone(), tasks: tasks.clone() });
    for socket in sockets {
        let accept = Accept { context: context.clone(), tls: tls.clone(), slots: slots.clone() };
        tasks.spawn("listener", accept.run(socket));
    }
    info!(addresses = ?bound, "listening");
    Ok(bound)
}

/// Binds one address. An IPv6 wildcard takes IPv4 too, unless IPv4 has a socket of its own.
fn bind(address: SocketAddr, all: &[SocketAddr]) -> Result<TcpListener, ListenError> {
    let listening = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        if address.is_ipv6() {
            let ports: HashSet<u16> =
                all.iter().filter(|other| other.is_ipv4()).map(SocketAddr::port).collect();
            socket.set_only_v6(ports.contains(&address.port()))?;
        }
        // Lets a restart bind while connections of the old process linger.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        TcpListener::from_std(socket.into())
    };
    listening().map_err(|source| ListenError::Bind { address, advice: advice(&source), source })
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another process has this port: stop it (`ss -ltnp` names it) or change server.listen"
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need the capability CAP_NET_BIND_SERVICE; or choose a higher one in server.listen"
        }
        io::ErrorKind::AddrNotAvailable => "this machine has no such address; change server.listen",
        _ => "change server.listen",
    }
}

/// How many connections may be open: what is configured, but no more than there are descriptors
/// for when each connection needs one downstream and one upstream.
fn slots(configured: usize) -> usize {
    let limit = allow_descriptors(configured.saturating_mul(2).saturating_add(RESERVED_DESCRIPTORS));
    let affordable = (limit.saturating_sub(RESERVED_DESCRIPTORS) / 2).max(1);
    if affordable < configured {
        warn!(
            configured,
            affordable,
            "the limit of open files allows fewer connections than server.max_connections; raise it (LimitNOFILE, ulimit -n)"
        );
    }
    configured.min(affordable)
}

/// Raises the soft limit of open files to `needed`, or as far as the hard one lets it. Returns
/// what is allowed then.
fn allow_descriptors(needed: usize) -> usize {
    let count = |limit: Option<u64>| limit.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
    let limit = getrlimit(Resource::Nofile);
    if count(limit.current) >= needed {
        return count(limit.current);
    }
    let raised = u64::try_from(needed.min(count(limit.maximum))).ok();
    match setrlimit(Resource::Nofile, Rlimit { current: raised, maximum: limit.maximum }) {
        Ok(()) => count(raised),
        Err(_) => count(limit.current),
    }
}

/// What accepting needs.
struct Accept<H> {
    context: Arc<Context<H>>,
    tls: Tls,
    slots: Arc<Semaphore>,
}

impl<H: Handler> Accept<H> {
    async fn run(self, socket: TcpListener) {
        let drain = self.context.drain.clone();
        tokio::select! {
            () = drain.draining() => {}
            () = self.context.tasks.stopping().cancelled_owned() => {}
            () = self.accept_all(&socket) => {}
        }
    }

    async fn accept_all(&self, socket: &TcpListener) {
        let mut back_off = BACK_OFF.0;
        // The semaphore is never closed.
        while let Ok(slot) = self.slots.clone().acquire_owned().await {
            match socket.accept().await {
                Ok((stream, address)) => {
                    back_off = BACK_OFF.0;
                    self.begin(stream, address, slot);
                }
                Err(error) if is_scarcity(&error) => {
                    metrics::counter!(names::ACCEPT_ERRORS, "cause" => "descriptors").increment(1);
                    warn!(%error, wait_ms = back_off.as_millis(), "cannot accept: out of descriptors or memory");
                    tokio::time::sleep(back_off).await;
                    back_off = (back_off * 2).min(BACK_OFF.1);
                }
                // The peer went away before it was accepted.
                Err(error) => {
                    metrics::counter!(names::ACCEPT_ERRORS, "cause" => "other").increment(1);
                    debug!(%error, "accepting a connection failed");
                }
            }
        }
    }

    fn begin(&self, stream: TcpStream, address: SocketAddr, slot: OwnedSemaphorePermit) {
        metrics::counter!(names::CONNECTIONS_TOTAL).increment(1);
        if let Err(error) = tune(&stream) {
            debug!(%error, "a connection cannot be tuned");
        }
        let (context, tls) = (self.context.clone(), self.tls.clone());
        let counted = (slot, context.drain.connection(), OpenConnection::new());
        let stream = Held::new(stream, counted);
        self.context.tasks.spawn("connection", async move { serve(context, &tls, stream, address).await });
    }
}

/// The gauge of open connections, kept right on every way out.
struct OpenConnection;

impl OpenConnection {
    fn new() -> Self {
        metrics::gauge!(names::CONNECTIONS).increment(1.0);
        Self
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        metrics::gauge!(names::CONNECTIONS).decrement(1.0);
    }
}

async fn serve<H: Handler, S>(context: Arc<Context<H>>, tls: &Tls, stream: S, address: SocketAddr)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let address = SocketAddr::new(address.ip().to_canonical(), address.port());
    let handshake = tls.handshake(stream, context.settings.handshake);
    let secured = tokio::select! {
        secured = handshake => secured,
        () = context.drain.draining() => return,
    };
    match secured {
        Ok(secured) => {
            let peer = Peer::new(address, secured.protocol, secured.server_name, context.drain.clone());
            connection::serve(context, secured.stream, peer).await;
        }
        Err(error) => {
            metrics::counter!(names::HANDSHAKES_FAILED, "cause" => error.cause()).increment(1);
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            debug!(%error, cause, peer = %address, "a TLS handshake failed");
        }
    }
}

fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_EVERY)
        .with_retries(KEEPALIVE_PROBES);
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))
}

/// Whether the operating system has run out of something that may come back.
fn is_scarcity(error: &io::Error) -> bool {
    // Linux: ENOMEM, ENFILE, EMFILE, ENOBUFS.
    matches!(error.raw_os_error(), Some(12 | 23 | 24 | 105))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_says_what_why_and_what_to_do() {
        let first = bind("127.0.0.1:0".parse().unwrap(), &[]).unwrap();
        let address = first.local_addr().unwrap();
        let error = bind(address, &[]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot listen on {address}: ")), "{error}");
        assert!(error.contains("another process has this port"), "{error}");
    }

    #[tokio::test]
    async fn an_ipv6_wildcard_stands_beside_an_ipv4_one() {
        let Ok(six) = bind("[::]:0".parse().unwrap(), &[]) else { return };
        let port = six.local_addr().unwrap().port();
        drop(six);
        let all = [format!("0.0.0.0:{port}").parse().unwrap(), format!("[::]:{port}").parse().unwrap()];
        let both: Vec<_> = all.iter().map(|address| bind(*address, &all)).collect();
        assert!(both.iter().all(Result::is_ok), "{both:?}");
    }

    #[test]
    fn connections_never_outnumber_the_descriptors_for_them() {
        assert_eq!(slots(1), 1);
        assert!(slots(usize::MAX) < usize::MAX);
    }
}

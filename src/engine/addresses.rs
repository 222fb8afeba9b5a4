//! From container id to network address, and the dial: shared by the engines that reach
//! containers over a local bridge.
//!
//! The engine hands a dead container's address to the next one at once, so an address is used
//! without asking only while an event stream would have told of the container's end since it was
//! asked for. Otherwise the engine is asked again. An engine that does not answer starts no
//! containers either, so then the last known address is still right: what is open, and what
//! opens, keeps working while the engine is away.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, unfold};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::{EngineError, EngineEvent, EngineEventKind};
use crate::session::Upstream;

/// How long a container may take to accept.
const DIAL: Duration = Duration::from_secs(3);
/// How long the engine may take to say where a container is.
const RESOLVE: Duration = Duration::from_secs(1);

/// Addresses of running containers, by container id.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    known: DashMap<String, Known>,
    watch: Arc<Mutex<Watch>>,
}

/// Where a container was when the engine was last asked.
#[derive(Clone, Copy, Debug)]
struct Known {
    epoch: u64,
    address: IpAddr,
    round: Round,
}

/// The event streams now open. The lock is never held over an await.
#[derive(Debug, Default)]
struct Watch {
    streams: usize,
    round: u64,
}

/// The uninterrupted watch during which an address was asked for; `None` if nobody watched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Round(Option<u64>);

/// Held by an event stream for as long as it would report the end of a container.
#[derive(Debug)]
pub(crate) struct Watching(Arc<Mutex<Watch>>);

impl Drop for Watching {
    fn drop(&mut self) {
        let mut watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        watch.streams -= 1;
        watch.round += 1;
    }
}

impl Addresses {
    /// Declares that the end of every container is now passed to [`Addresses::forget`].
    pub(crate) fn watch(&self) -> Watching {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        watch.streams += 1;
        watch.round += 1;
        Watching(self.watch.clone())
    }

    /// Drops what is known of a container that ended.
    pub(crate) fn forget(&self, container: &str) {
        self.known.remove(container);
    }

    /// Has every address confirmed before its next use: some container is about to end.
    pub(crate) fn doubt(&self) {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).round += 1;
    }

    /// Opens a TCP connection to `upstream`; `resolve` asks the engine for the address of a
    /// container that runs.
    ///
    /// # Errors
    /// What `resolve` answers, except that an engine which is down or slow is passed over when
    /// the address is known; [`EngineError::Unreachable`] when nothing accepts within 3 s.
    pub(crate) async fn connect<F>(&self, upstream: &Upstream, resolve: F) -> Result<TcpStream, EngineError>
    where
        F: Future<Output = Result<IpAddr, EngineError>>,
    {
        let address = match self.confirmed(upstream) {
            Some(address) => address,
            None => self.resolved(upstream, resolve).await?,
        };
        let dialed = dial(SocketAddr::new(address, upstream.port)).await;
        if let Err(Undialed::Lost(_)) = &dialed {
            self.forget(&upstream.container);
        }
        dialed.map_err(EngineError::from)
    }

    fn round(&self) -> Round {
        let watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        Round((watch.streams > 0).then_some(watch.round))
    }

    fn confirmed(&self, upstream: &Upstream) -> Option<IpAddr> {
        let round = self.round();
        let known = self.known.get(&upstream.container)?;
        (known.epoch == upstream.epoch && round.0.is_some() && known.round == round).then_some(known.address)
    }

    async fn resolved<F>(&self, upstream: &Upstream, resolve: F) -> Result<IpAddr, EngineError>
    where
        F: Future<Output = Result<IpAddr, EngineError>>,
    {
        // Taken before asking: an end reported while the answer travels must outdate the answer.
        let round = self.round();
        let slow = EngineError::Slow { verb: "find a container".into(), seconds: RESOLVE.as_secs() };
        match timeout(RESOLVE, resolve).await.unwrap_or(Err(slow)) {
            Ok(address) => {
                self.learn(upstream, address, round);
                Ok(address)
            }
            Err(error @ (EngineError::Down { .. } | EngineError::Slow { .. })) => {
                let known = self.known.get(&upstream.container).map(|known| *known);
                let known = known.filter(|known| known.epoch == upstream.epoch).ok_or(error)?;
                warn!(
                    container = upstream.container,
                    "the engine does not answer: using the last known address"
                );
                Ok(known.address)
            }
            Err(error) => {
                self.forget(&upstream.container);
                Err(error)
            }
        }
    }

    fn learn(&self, upstream: &Upstream, address: IpAddr, round: Round) {
        self.known.retain(|container, known| known.address != address || *container == upstream.container);
        self.known.insert(upstream.container.clone(), Known { epoch: upstream.epoch, address, round });
    }
}

/// Passes events on and forgets the address of every container that ended. Until the stream ends
/// or is dropped, addresses are used without asking, so the caller polls it without pause.
pub(crate) fn watched(
    events: BoxStream<'static, EngineEvent>,
    addresses: Arc<Addresses>,
) -> BoxStream<'static, EngineEvent> {
    let watching = addresses.watch();
    let next = move |(mut events, watching): (BoxStream<'static, EngineEvent>, Watching)| {
        let addresses = addresses.clone();
        async move {
            let event = events.next().await?;
            match event.kind {
                EngineEventKind::Died { .. } => addresses.forget(&event.container),
                EngineEventKind::OutOfMemory => {}
            }
            Some((event, (events, watching)))
        }
    };
    unfold((events, watching), next).boxed()
}

/// Why a dial failed.
enum Undialed {
    /// The host answered: nothing listens (yet).
    Refused(String),
    /// No answer: the address may belong to nobody.
    Lost(String),
}

impl From<Undialed> for EngineError {
    fn from(undialed: Undialed) -> Self {
        match undialed {
            Undialed::Refused(detail) | Undialed::Lost(detail) => Self::Unreachable { detail },
        }
    }
}

async fn dial(address: SocketAddr) -> Result<TcpStream, Undialed> {
    let stream = match timeout(DIAL, TcpStream::connect(address)).await {
        Err(_) => return Err(Undialed::Lost(format!("no answer within {} s", DIAL.as_secs()))),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            return Err(Undialed::Refused(error.to_string()));
        }
        Ok(Err(error)) => return Err(Undialed::Lost(error.to_string())),
        Ok(Ok(stream)) => stream,
    };
    // Without keep-alive a viewer of a container that vanished silently would hang for ever.
    let probes = TcpKeepalive::new()
        .with_time(Duration::from_secs(30))
        .with_interval(Duration::from_secs(10))
        .with_retries(3);
    let tuned = stream.set_nodelay(true).and_then(|()| SockRef::from(&stream).set_tcp_keepalive(&probes));
    if let Err(error) = tuned {
        debug!(%error, "a socket option was refused");
    }
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;
    use crate::session::NodeName;

    async fn listening() -> (TcpListener, Upstream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, Upstream { node: NodeName("here".into()), container: "c1".into(), port, epoch: 1 })
    }

    async fn here() -> Result<IpAddr, EngineError> {
        Ok(Ipv4Addr::LOCALHOST.into())
    }

    async fn down() -> Result<IpAddr, EngineError> {
        Err(EngineError::Down { detail: "test".into() })
    }

    async fn gone() -> Result<IpAddr, EngineError> {
        Err(EngineError::Gone)
    }

    async fn unasked() -> Result<IpAddr, EngineError> {
        panic!("the engine must not be asked")
    }

    #[tokio::test]
    async fn a_watched_address_is_used_without_asking_until_the_container_ends() {
        let (_listener, upstream) = listening().await;
        let addresses = Addresses::default();
        let watching = addresses.watch();
        addresses.connect(&upstream, here()).await.unwrap();
        addresses.connect(&upstream, unasked()).await.unwrap();
        addresses.forget("c1");
        assert!(matches!(addresses.connect(&upstream, gone()).await, Err(EngineError::Gone)));
        drop(watching);
    }

    #[tokio::test]
    async fn an_unwatched_or_doubted_address_is_confirmed_before_use() {
        let (_listener, upstream) = listening().await;
        let addresses = Addresses::default();
        addresses.connect(&upstream, here()).await.unwrap();
        assert!(matches!(addresses.connect(&upstream, gone()).await, Err(EngineError::Gone)));

        let watching = addresses.watch();
        addresses.connect(&upstream, here()).await.unwrap();
        addresses.doubt();
        assert!(matches!(addresses.connect(&upstream, gone()).await, Err(EngineError::Gone)));

        addresses.connect(&upstream, here()).await.unwrap();
        drop(watching);
        assert!(matches!(addresses.connect(&upstream, gone()).await, Err(EngineError::Gone)));
    }

    #[tokio::test]
    async fn the_last_known_address_serves_while_the_engine_is_away() {
        let (_listener, upstream) = listening().await;
        let addresses = Addresses::default();
        assert!(matches!(addresses.connect(&upstream, down()).await, Err(EngineError::Down { .. })));
        addresses.connect(&upstream, here()).await.unwrap();
        addresses.connect(&upstream, down()).await.unwrap();
        let later = Upstream { epoch: 2, ..upstream };
        assert!(matches!(addresses.connect(&later, down()).await, Err(EngineError::Down { .. })));
    }

    #[tokio::test]
    async fn an_address_given_to_another_container_is_forgotten_for_the_first() {
        let (_listener, first) = listening().await;
        let addresses = Addresses::default();
        let _watching = addresses.watch();
        addresses.connect(&first, here()).await.unwrap();
        let second = Upstream { container: "c2".into(), ..first.clone() };
        addresses.connect(&second, here()).await.unwrap();
        assert!(matches!(addresses.connect(&first, gone()).await, Err(EngineError::Gone)));
    }

    #[tokio::test]
    async fn a_closed_port_is_unreachable() {
        let (listener, upstream) = listening().await;
        drop(listener);
        let refused = Addresses::default().connect(&upstream, here()).await;
        assert!(matches!(refused, Err(EngineError::Unreachable { .. })));
    }

    #[tokio::test]
    async fn a_dialed_socket_is_kept_alive_and_sends_at_once() {
        let (listener, upstream) = listening().await;
        let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), upstream.port);
        let Ok(stream) = dial(address).await else { panic!("it listens") };
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap() && stream.nodelay().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(30));
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(10));
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
        drop(listener);
    }
}

//! HTTP connections to containers.
//!
//! A container is a desync partner (RELIABILITY fact 5), so connections are reused only where
//! nothing can be smuggled: per route and per user, and only for requests without a body. All
//! else gets a connection of its own that is closed afterwards. A pool ends with its route.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use dashmap::DashMap;
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use http_body::Body as HttpBody;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection as ReportsConnected};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::time::timeout;
use tower_service::Service;

use super::ProxyError;
use crate::body::BodyError;
use crate::broker::Hold;
use crate::engine::{Connection, Engine, EngineError};
use crate::fault::chain;
use crate::session::{SessionId, Upstream, UserId};
use crate::tasks::Tasks;

/// Bound of connecting to a container.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an unused connection is kept: less than the 5 s after which Node closes its end.
const IDLE: Duration = Duration::from_secs(4);

/// Unused connections kept per route and user; browsers use about six at once.
const MAX_IDLE: usize = 8;

/// The largest response head, in bytes.
const MAX_HEAD: usize = 64 << 10;

/// The most header fields in a response.
const MAX_HEADERS: usize = 256;

/// One route's use by one user.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct PoolKey {
    session: SessionId,
    epoch: u64,
    user: UserId,
}

type Pool = Client<Dial, Empty<Bytes>>;

/// The way to containers. Clones share the same pools.
#[derive(Clone)]
pub(super) struct Upstreams(Arc<Inner>);

struct Inner {
    engine: Arc<dyn Engine>,
    tasks: Tasks,
    pools: DashMap<PoolKey, Pool>,
}

impl Upstreams {
    pub(super) fn new(engine: Arc<dyn Engine>, tasks: Tasks) -> Self {
        Self(Arc::new(Inner { engine, tasks, pools: DashMap::new() }))
    }

    /// Opens a byte stream to a container. Bound: 10 s.
    pub(super) async fn connect(&self, upstream: &Upstream) -> Result<Connection, ProxyError> {
        match timeout(CONNECT, self.0.engine.connect(upstream)).await {
            Ok(connected) => Ok(connected?),
            Err(_) => Err(ProxyError::UpstreamUnreachable("it does not accept connections".to_owned())),
        }
    }

    /// Sends a request without a body over a connection of this user's pool. A connection that
    /// turns out to be closed before the request was written is replaced.
    pub(super) async fn send_pooled(
        &self,
        mut request: Request<Empty<Bytes>>,
        hold: &Hold,
        user: UserId,
    ) -> Result<Response<Incoming>, ProxyError> {
        let mut uri = std::mem::take(request.uri_mut()).into_parts();
        uri.scheme = Some(Scheme::HTTP);
        uri.authority = Some(Authority::from_static("upstream"));
        *request.uri_mut() = Uri::from_parts(uri).expect("scheme, authority and path make a URI");
        Ok(self.pool(hold, user).request(request).await?)
    }

    /// Sends a request over a connection of its own, which ends with the response or with the
    /// protocol it switched to.
    pub(super) async fn send_alone<B>(
        &self,
        request: Request<B>,
        hold: &Hold,
    ) -> Result<Response<Incoming>, ProxyError>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let connection = self.connect(&hold.route.upstream).await?;
        let (mut sender, driver) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .handshake(TokioIo::new(connection))
            .await
            .map_err(protocol)?;
        let driver = driver.with_upgrades();
        self.0.tasks.spawn("upstream", async move {
            // Its failure is also the request's or the body's, which tell it.
            let _ = driver.await;
        });
        sender.send_request(request).await.map_err(protocol)
    }

    /// The pool of this route and user; made on first use, dropped when the route closes.
    fn pool(&self, hold: &Hold, user: UserId) -> Pool {
        let upstream = &hold.route.upstream;
        let key = PoolKey { session: hold.entry.id, epoch: upstream.epoch, user };
        if let Some(pool) = self.0.pools.get(&key) {
            return pool.clone();
        }
        let dial = Dial { engine: self.0.engine.clone(), upstream: upstream.clone() };
        let pool = Client::builder(OnTasks(self.0.tasks.clone()))
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(MAX_IDLE)
            .http1_max_buf_size(MAX_HEAD)
            .http1_max_headers(MAX_HEADERS)
            .set_host(false)
            .build(dial);
        self.0.pools.insert(key, pool.clone());
        let (all, route, stopping) = (self.clone(), hold.route.clone(), self.0.tasks.stopping());
        self.0.tasks.spawn("pool", async move {
            tokio::select! {
                _ = route.revocation.revoked() => {}
                () = stopping.cancelled() => {}
            }
            all.0.pools.remove(&key);
        });
        pool
    }
}

/// What hyper's client says, in our words.
#[allow(clippy::needless_pass_by_value)]
fn protocol(error: hyper::Error) -> ProxyError {
    if is_closed(&error) { ProxyError::UpstreamClosed } else { ProxyError::UpstreamProtocol(chain(&error)) }
}

/// Whether the connection ended before a whole head arrived.
fn is_closed(error: &hyper::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<std::io::Error>());
    error.is_incomplete_message() || error.is_canceled() || error.is_closed() || cause.is_some()
}

impl From<hyper_util::client::legacy::Error> for ProxyError {
    fn from(error: hyper_util::client::legacy::Error) -> Self {
        let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<hyper::Error>());
        match cause {
            _ if error.is_connect() => Self::UpstreamUnreachable(chain(&error)),
            Some(cause) if is_closed(cause) => Self::UpstreamClosed,
            Some(_) | None => Self::UpstreamProtocol(chain(&error)),
        }
    }
}

impl From<EngineError> for ProxyError {
    fn from(error: EngineError) -> Self {
        Self::UpstreamUnreachable(error.to_string())
    }
}

/// Connects one pool to its one container, whatever the URI says.
#[derive(Clone)]
struct Dial {
    engine: Arc<dyn Engine>,
    upstream: Upstream,
}

impl Service<Uri> for Dial {
    type Response = TokioIo<Connection>;
    type Error = EngineError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, EngineError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), EngineError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Self { engine, upstream } = self.clone();
        Box::pin(async move {
            match timeout(CONNECT, engine.connect(&upstream)).await {
                Ok(connected) => connected.map(TokioIo::new),
                Err(_) => {
                    Err(EngineError::Unreachable { detail: "it does not accept connections".to_owned() })
                }
            }
        })
    }
}

impl ReportsConnected for Connection {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// Runs hyper's own tasks among ours.
#[derive(Clone)]
struct OnTasks(Tasks);

impl<F> hyper::rt::Executor<F> for OnTasks
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.0.spawn("upstream", task);
    }
}

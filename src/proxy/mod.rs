//! The data plane: from an authenticated browser to a session's container and back.
//!
//! `server::dispatch` calls [`Proxy::serve`] with a request it validated (Host, target, framing)
//! and the session that host or path name. What comes back is a response, or an [`Outcome`] for
//! which the caller picks a page or a problem document: this module knows no pages.
//!
//! The container is hostile (it is some student's root shell), so is whoever wrote the page in
//! the browser; the gateway's own right to stand between them is what everything here guards.

mod ask;
mod capability;
mod copy;
mod error;
mod frames;
mod hands;
pub mod headers;
mod http;
mod pulse;
mod rfb_relay;
mod upgrade;
mod upstream;
mod visit;
mod websocket;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ::http::header::{self, HeaderMap, HeaderValue};
use ::http::{Method, Request, Response, StatusCode};
use http_body::Body as HttpBody;
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;

use self::ask::{Ask, Navigation};
use self::capability::Capabilities;
pub use self::error::ProxyError;
use self::upgrade::Handshake;
use self::upstream::Upstreams;
pub use self::visit::SocketGuard;
use self::visit::Visit;
use self::websocket::Ground;
use crate::access;
use crate::auth::{Auth, Principal, cookies, policy, tokens};
use crate::body::Body;
use crate::broker::{Acquired, Broker, Entry, Hold, Intent};
use crate::engine::Engine;
use crate::session::{Protocol, SessionId};
use crate::tasks::Tasks;

/// Bounds of the data plane.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// How long a container may take to begin its answer. Default 60 s.
    pub head_timeout: Duration,
    /// How long a browser may send nothing of a body it announced. Default 30 s.
    pub body_stall: Duration,
    /// Time between two pings to a viewer. Default 20 s.
    pub ping_every: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            head_timeout: Duration::from_secs(60),
            body_stall: Duration::from_secs(30),
            ping_every: Duration::from_secs(20),
        }
    }
}

/// Which session a request is for, as its host or path said.
#[derive(Clone, Debug)]
pub struct Target {
    /// The session.
    pub entry: Arc<Entry>,
    /// How it was named.
    pub surface: Surface,
}

/// How a request names its session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Surface {
    /// `https://<domain>/s/<label>/…`
    Path,
    /// `https://<label>.<domain>/…`
    Host,
}

/// What became of a request.
#[derive(Debug)]
pub enum Outcome {
    /// Answered. Send it as it is.
    Response(Response<Body>),
    /// Nobody is logged in here: show the login, or fetch one from the portal.
    Login,
    /// The session is on its way: show the waiting page, or 503 with `Retry-After`.
    Waiting(Arc<Entry>),
    /// The session rests and this request does not wake it.
    AtRest(Arc<Entry>),
    /// No such session or path, or none that this person may see.
    NotFound,
    /// It went wrong. A refused WebSocket also needs `Connection: close` over HTTP/1.1.
    Error(ProxyError),
}

/// The data plane. Clones are the same.
#[derive(Clone)]
pub struct Proxy(Arc<Inner>);

struct Inner {
    broker: Broker,
    auth: Arc<Auth>,
    upstreams: Upstreams,
    capabilities: Capabilities,
    settings: Settings,
    tasks: Tasks,
    drain: CancellationToken,
}

impl Proxy {
    /// A data plane without connections. `drain` ends every open WebSocket with 1001.
    #[must_use]
    pub fn new(
        broker: Broker,
        auth: Arc<Auth>,
        engine: Arc<dyn Engine>,
        settings: Settings,
        tasks: Tasks,
        drain: CancellationToken,
    ) -> Self {
        let upstreams = Upstreams::new(engine, tasks.clone());
        let capabilities = Capabilities::new(tasks.clone());
        Self(Arc::new(Inner { broker, auth, upstreams, capabilities, settings, tasks, drain }))
    }

    /// Serves one request for a session. `peer` is the browser's address; `socket` is kept until
    /// the socket ends if the request becomes one.
    ///
    /// **Cancel safety**: dropped when the browser leaves; the container's connection is then
    /// closed, never reused.
    pub async fn serve(
        &self,
        request: Request<Incoming>,
        target: Target,
        peer: IpAddr,
        socket: Option<SocketGuard>,
    ) -> Outcome {
        self.try_serve(request, target, peer, socket).await.unwrap_or_else(|early| *early)
    }

    /// Opens a WebSocket that carries nothing and ends at once, so that whoever looks after an installation
    /// can see whether upgrades come through; `None` for a request that asks for none.
    #[must_use]
    pub fn greet<B: HttpBody>(request: &Request<B>) -> Option<Response<Body>> {
        let handshake = upgrade::asked(request).ok().flatten()?;
        Some(handshake.accepted(HeaderMap::new()))
    }

    /// Whether `rest`, what follows `/s/<label>` in a path, begins with something that looks like
    /// a capability. That is no right yet.
    #[must_use]
    pub fn has_capability(rest: &str) -> bool {
        capability::split(rest).is_some()
    }

    /// Whether `rest` begins with a capability that is in force for `session`.
    #[must_use]
    pub fn recognises(&self, rest: &str, session: SessionId) -> bool {
        capability::split(rest)
            .is_some_and(|(text, _)| self.0.capabilities.principal(text, session).is_some())
    }

    async fn try_serve(
        &self,
        mut request: Request<Incoming>,
        target: Target,
        peer: IpAddr,
        socket: Option<SocketGuard>,
    ) -> Result<Outcome, Early> {
        // Strictly first: a malformed upgrade must not be taken for a plain request by anyone.
        let handshake = upgrade::asked(&request)?;
        let ask = Ask::of(&request, &target, peer)?;
        // Who: the cookie's login, or under a capability the login that it stands for.
        let principal = self.authenticate(&request, &target, &ask).await?;
        // May they: the answer is that of a missing session, before anything of it is touched.
        let entry = &target.entry;
        let grant = entry.grant_of(principal.user);
        let given = grant.as_ref().map(|live| &live.grant);
        let Ok(role) = policy::open(&principal, entry.id, entry.owner, given) else {
            self.0.auth.refused(&principal, peer, &entry.label).await;
            return Err(Outcome::NotFound.into());
        };
        // Relative links of a page at `/s/<label>` would leave the session.
        if let Some(slashed) = ask.slashed(&request) {
            return Ok(Outcome::Response(see_other(&slashed)));
        }
        // Cookies travel with a foreign page's WebSocket too; only the Origin tells (RFC 6455 §10.2).
        if handshake.is_some() {
            ask.check_origin(request.headers())?;
        }
        // A sandboxed page's preflight: its app knows nothing of CORS.
        if ask.is_preflight(&request) {
            return Ok(Outcome::Response(preflight(request.headers())));
        }
        // A script that follows our redirects sends its token along; the container gets none of ours.
        self.keep_own_token(request.headers_mut());
        // Only now may the session be woken, and only by its owner who opens it.
        let hold = self.acquire(&target.entry, ask.intent(role)).await?;
        // Its pages get their own prefix before the container sees a byte of a sandboxed visit.
        if ask.wants_capability() {
            return Ok(Outcome::Response(self.enter_sandbox(&ask, &principal, &hold)?));
        }
        let visit = Visit {
            principal: principal.clone(),
            role,
            grant,
            hold,
            place: ask.place,
            path: ask.path,
            _socket: socket,
        };
        let mut response = self.pass(request, handshake, ask.protocol, visit).await?;
        // For the access log of whoever called.
        response.extensions_mut().insert(principal);
        Ok(Outcome::Response(response))
    }

    /// Forwards or relays, by what the container speaks and the browser asked for.
    async fn pass(
        &self,
        request: Request<Incoming>,
        handshake: Option<Handshake>,
        protocol: Protocol,
        visit: Visit,
    ) -> Result<Response<Body>, Early> {
        let inner = &self.0;
        let ground = Ground {
            upstreams: &inner.upstreams,
            settings: &inner.settings,
            tasks: &inner.tasks,
            drain: &inner.drain,
        };
        match (protocol, handshake) {
            (Protocol::Rfb, Some(handshake)) if visit.path.path() == "/rfb" => {
                Ok(rfb_relay::relay(ground, request, handshake, visit))
            }
            // Everything else of a desktop are pages of ours, served elsewhere.
            (Protocol::Rfb, Some(_) | None) => Err(Outcome::NotFound.into()),
            (Protocol::Http, Some(handshake)) => {
                Ok(websocket::relay(ground, request, handshake, visit).await?)
            }
            (Protocol::Http, None) => {
                Ok(http::forward(ground.upstreams, ground.settings, request, visit).await?)
            }
        }
    }

    async fn authenticate(
        &self,
        request: &Request<Incoming>,
        target: &Target,
        ask: &Ask,
    ) -> Result<Arc<Principal>, Early> {
        let (auth, headers) = (&self.0.auth, request.headers());
        let by_cookie = || async move {
            let known = match target.surface {
                Surface::Path => access::who(auth, headers, &target.entry).await,
                Surface::Host => auth.authenticate(cookies::tokens(headers, cookies::SESSION)).await,
            };
            known.map_err(ProxyError::from)
        };
        let Some(capability) = &ask.capability else {
            return Ok(by_cookie().await?.ok_or(Outcome::Login)?);
        };
        let Some(principal) = self.0.capabilities.principal(capability, target.entry.id) else {
            return Err(ask.without_capability().into());
        };
        if ask.navigation == Navigation::Top && request.method() != Method::POST {
            let same = by_cookie().await?.is_some_and(|cookie| cookie.login == principal.login);
            if !same {
                return Err(ask.without_capability().into());
            }
        }
        Ok(principal)
    }

    /// Takes a bearer token of ours out of a request; any other is the app's own business.
    fn keep_own_token(&self, headers: &mut HeaderMap) {
        let values = headers.get_all(header::AUTHORIZATION).iter();
        let mut tokens = values.filter_map(tokens::bearer_of);
        if tokens.any(|token| self.0.auth.issued(token)) {
            headers.remove(header::AUTHORIZATION);
        }
    }

    async fn acquire(&self, entry: &Arc<Entry>, intent: Intent) -> Result<Hold, Early> {
        match self.0.broker.acquire(entry, intent).await.map_err(ProxyError::from)? {
            Acquired::Ready(hold) => Ok(hold),
            Acquired::Pending => Err(Outcome::Waiting(entry.clone()).into()),
            Acquired::AtRest => Err(Outcome::AtRest(entry.clone()).into()),
        }
    }

    /// Sends a person's navigation on to the prefix under which its pages may ask for more.
    fn enter_sandbox(
        &self,
        ask: &Ask,
        principal: &Arc<Principal>,
        hold: &Hold,
    ) -> Result<Response<Body>, Early> {
        if ask.navigation == Navigation::None {
            return Err(Outcome::NotFound.into());
        }
        let capability = self.0.capabilities.grant(principal, hold);
        Ok(see_other(&format!("{}/~{capability}{}", ask.place.prefix, ask.path)))
    }
}

/// An outcome that ends the steps of [`Proxy::serve`]; boxed, because most requests have none.
type Early = Box<Outcome>;

impl From<ProxyError> for Early {
    fn from(error: ProxyError) -> Self {
        Self::new(Outcome::Error(error))
    }
}

fn see_other(location: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    // The capability in the URL is this login's; no cache may keep it.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn preflight(request: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    headers::preflight(request, response.headers_mut());
    response
}

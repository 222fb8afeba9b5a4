//! Host and path to an edge: the portal's pages, a session's data, or a plain refusal.
//!
//! Sessions by path and by host meet here in one way of serving, so that neither can have a
//! check that the other lacks.

mod control;
mod form;
mod refusal;
mod route;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::header::CONNECTION;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use self::control::{Asking, Control};
use self::refusal::{Misdirected, NotReachable};
pub use self::route::RouteKey;
use super::access_log::{AccessFacts, Edge};
use super::connection::{Arrival, Handler};
use super::settings::Settings;
use super::validate::{PathRule, Refusal, Upgrade};
use super::{Protocol as Wire, security_headers};
use crate::access;
use crate::api::Api;
use crate::auth::{Auth, AuthError, Principal, cookies};
use crate::body::Body;
use crate::broker::{Broker, Entry, Intent};
use crate::fault::Answer;
use crate::language::Language;
use crate::look::Look;
use crate::proxy::{Outcome, Proxy, SocketGuard, Surface, Target};
use crate::respond::{self, Asker, Place, Wants};
use crate::session::{Protocol, Routing, ViewerRole};
use crate::tasks::Tasks;
use crate::telemetry::names;
use crate::web::Web;

/// Where whoever watches this gateway asks whether it lives.
const HEALTH: &str = "/health";
/// The path of our own files on a session's host.
const OWN_PATH: &str = "/.berth/";

/// Both edges behind one door.
pub struct Dispatch {
    web: Web,
    control: Control,
    proxy: Proxy,
    auth: Arc<Auth>,
    broker: Broker,
    domain: String,
    routing: Routing,
}

/// A request on its way, with what an answer to it needs.
struct Errand<B = Incoming> {
    request: Request<B>,
    arrival: Arrival,
    wants: Wants,
    id: String,
}

impl Dispatch {
    /// The door to `web`, `api` and `proxy`.
    #[must_use]
    pub fn new(
        (web, api, proxy): (Web, Api, Proxy),
        auth: Arc<Auth>,
        broker: Broker,
        (settings, tasks): (&Settings, Tasks),
    ) -> Self {
        let control = Control { web: web.clone(), api, tasks };
        Self { web, control, proxy, auth, broker, domain: settings.domain.clone(), routing: settings.routing }
    }

    async fn route(&self, errand: Errand) -> Response<Body> {
        let host = errand.arrival.checked.host.clone();
        let path = errand.request.uri().path().to_owned();
        match RouteKey::parse(&host, &path, &self.domain) {
            RouteKey::Portal | RouteKey::NoSession | RouteKey::Foreign if is_ambiguous(&errand) => {
                self.ambiguous(&errand, Place::Portal)
            }
            RouteKey::Portal => self.portal(errand).await,
            RouteKey::SessionPath { label, rest } => self.by_path(errand, label, rest).await,
            RouteKey::SessionHost { label } => self.by_host(errand, label).await,
            RouteKey::NoSession => self.not_found(&errand, Place::Portal),
            RouteKey::Foreign => respond::failure(&Misdirected, &self.asker(&errand, Place::Portal)),
        }
    }

    async fn portal(&self, errand: Errand) -> Response<Body> {
        let address = errand.arrival.peer.address.ip();
        let principal = self.who(&errand, cookies::PORTAL).await.ok().flatten();
        let language = language(&errand);
        // `berth doctor` asks whether upgrades come through; nobody need be known for that.
        let asks = errand.request.uri().path() == HEALTH && errand.arrival.checked.upgrade != Upgrade::None;
        if let Some(greeted) = Some(&errand.request).filter(|_| asks).and_then(Proxy::greet) {
            return told(greeted, Edge::Control, None, None);
        }
        let Errand { request, wants, id, .. } = errand;
        let (head, body) = request.into_parts();
        let response = match form::read(body).await {
            Ok(form) => {
                let asking = Asking { address, wants, id };
                self.control.answer(Request::from_parts(head, form), asking).await
            }
            Err(error) => self.control.failed(&error, (wants, &id, language)),
        };
        told(response, Edge::Control, principal.as_deref(), None)
    }

    /// `/s/<label>/…`: the session here, or the way to its own host.
    async fn by_path(&self, errand: Errand, label: &str, rest: &str) -> Response<Body> {
        let entry = self.broker.find(label);
        let principal = match self.who_at(&errand, entry.as_deref()).await {
            Ok(principal) => principal,
            Err(error) => return respond::failure(&error, &self.asker(&errand, Place::Portal)),
        };
        if principal.as_ref().is_some_and(|principal| principal.must_change) {
            return self.must_change(&errand, Place::Portal);
        }
        // A sandboxed page has no cookie; the proxy knows it by the capability in its path.
        let vouched = entry.as_ref().is_some_and(|entry| self.proxy.recognises(rest, entry.id));
        let entry = match (entry, &principal) {
            (Some(entry), _) if vouched => entry,
            // Who is not logged in learns nothing about which labels exist.
            (_, None) => return self.unknown_person(&errand, label, rest),
            (Some(entry), Some(principal)) if may_open(principal, &entry) => entry,
            (Some(entry), Some(principal)) => {
                return self.refused(&errand, principal, &entry, Place::Portal).await;
            }
            (None, Some(_)) => return self.not_found(&errand, Place::Portal),
        };
        if is_ambiguous(&errand) && (is_rfb(&entry) || self.routing_of(&entry) == Routing::Subdomain) {
            return self.ambiguous(&errand, Place::Portal);
        }
        if rest.is_empty() {
            return moved(&format!("{}/", errand.request.uri().path()));
        }
        if self.routing_of(&entry) == Routing::Subdomain {
            return self.web.way_in(label);
        }
        let page = rest == "/" && is_rfb(&entry);
        self.session(errand, entry, Surface::Path, page).await
    }

    /// No login and no capability in force: the login first, unless the URL has what was a
    /// capability. Its page begins again, which the login's own cookie decides then.
    fn unknown_person(&self, errand: &Errand, label: &str, rest: &str) -> Response<Body> {
        match (Proxy::has_capability(rest), errand.wants) {
            (false, _) => self.log_in_first(errand),
            (true, Wants::Page) => see_other(&format!("/s/{label}/")),
            (true, Wants::Problem) => self.not_found(errand, Place::Portal),
        }
    }

    /// `<label>.<domain>`: our own files, or the session. A host without a session answers like
    /// one with somebody else's.
    async fn by_host(&self, errand: Errand, label: &str) -> Response<Body> {
        let by_host = |entry: &Arc<Entry>| self.routing_of(entry) == Routing::Subdomain;
        let entry = self.broker.find(label).filter(by_host);
        if errand.request.uri().path().starts_with(OWN_PATH) {
            if is_ambiguous(&errand) {
                return self.ambiguous(&errand, Place::SessionHost);
            }
            return self.web.handle_on_session_host(&errand.request, entry.as_ref(), &errand.id).await;
        }
        let principal = match self.who(&errand, cookies::SESSION).await {
            Ok(Some(principal)) => principal,
            Ok(None) => return self.way_in(&errand, label, Surface::Host),
            Err(error) => return respond::failure(&error, &self.asker(&errand, Place::SessionHost)),
        };
        if principal.must_change {
            return self.must_change(&errand, Place::SessionHost);
        }
        let Some(entry) = entry else { return self.not_found(&errand, Place::SessionHost) };
        if !may_open(&principal, &entry) {
            return self.refused(&errand, &principal, &entry, Place::SessionHost).await;
        }
        if is_ambiguous(&errand) && is_rfb(&entry) {
            return self.ambiguous(&errand, Place::SessionHost);
        }
        let page = errand.request.uri().path() == "/" && is_rfb(&entry);
        self.session(errand, entry, Surface::Host, page).await
    }

    /// One session's request, wherever it lives: the viewer's page is ours, everything else is
    /// for the container.
    async fn session(
        &self,
        errand: Errand,
        entry: Arc<Entry>,
        surface: Surface,
        page: bool,
    ) -> Response<Body> {
        let upgrade = errand.arrival.checked.upgrade != Upgrade::None;
        if page && !upgrade && errand.request.method() == Method::GET {
            return self.viewer(&errand, &entry, surface).await;
        }
        let Errand { request, arrival, wants, id } = errand;
        let head = head_of(&request);
        let target = Target { entry: entry.clone(), surface };
        // Whatever takes over the socket keeps the connection in use and the drain waiting.
        let socket = upgrade.then(|| Box::new(arrival.peer.upgraded()) as SocketGuard);
        let outcome = self.proxy.serve(request, target, arrival.peer.address.ip(), socket).await;
        let errand = Errand { request: head, arrival, wants, id };
        self.answer(outcome, &errand, &entry, surface).await
    }

    /// The page of a desktop; its owner's opening it wakes the session.
    async fn viewer<B: Sync>(
        &self,
        errand: &Errand<B>,
        entry: &Arc<Entry>,
        surface: Surface,
    ) -> Response<Body> {
        let place = place(surface);
        let principal = match self.who_opens(errand, entry, surface).await {
            Ok(Some(principal)) => principal,
            Ok(None) => return self.way_in(errand, entry.label.as_str(), surface),
            Err(error) => return respond::failure(&error, &self.asker(errand, place)),
        };
        let intent = match access::open(&principal, entry) {
            Ok(ViewerRole::Owner) => Intent::Open,
            Ok(ViewerRole::Helper | ViewerRole::Observer) => Intent::Use,
            Err(_denied) => return self.refused(errand, &principal, entry, place).await,
        };
        if let Err(error) = self.broker.acquire(entry, intent).await {
            let page = self.web.home_in_use(&error, entry, &principal, place, language(errand));
            if let Some(page) = page.filter(|_| errand.wants == Wants::Page) {
                return told(page, Edge::Control, Some(&principal), Some(entry));
            }
            return respond::failure(&error, &self.asker(errand, place));
        }
        let page = self.web.session_page(entry, &principal, place, language(errand));
        told(page, Edge::Control, Some(&principal), Some(entry))
    }

    async fn answer<B: Sync>(
        &self,
        outcome: Outcome,
        errand: &Errand<B>,
        entry: &Arc<Entry>,
        surface: Surface,
    ) -> Response<Body> {
        let asker = self.asker(errand, place(surface));
        match outcome {
            Outcome::Response(response) => data(response, entry),
            Outcome::Login => self.way_in(errand, entry.label.as_str(), surface),
            Outcome::NotFound => respond::failure(&respond::NotFound, &asker),
            Outcome::Error(error) => respond::failure(&error, &asker),
            Outcome::Waiting(_) | Outcome::AtRest(_) => {
                match (errand.wants, self.who_opens(errand, entry, surface).await) {
                    (Wants::Page, Ok(Some(principal))) => {
                        self.web.session_page(entry, &principal, place(surface), language(errand))
                    }
                    (Wants::Page | Wants::Problem, _) => respond::failure(&NotReachable, &asker),
                }
            }
        }
    }

    /// Whoever the cookie says, if anyone.
    async fn who<B: Sync>(
        &self,
        errand: &Errand<B>,
        cookie: &str,
    ) -> Result<Option<Arc<Principal>>, AuthError> {
        self.auth.authenticate(cookies::tokens(errand.request.headers(), cookie)).await
    }

    /// Whoever asks on the portal's origin for this session, if there is one.
    async fn who_at<B: Sync>(
        &self,
        errand: &Errand<B>,
        entry: Option<&Entry>,
    ) -> Result<Option<Arc<Principal>>, AuthError> {
        match entry {
            Some(entry) => access::who(&self.auth, errand.request.headers(), entry).await,
            None => self.who(errand, cookies::PORTAL).await,
        }
    }

    /// Whoever asks for this session, wherever it lives.
    async fn who_opens<B: Sync>(
        &self,
        errand: &Errand<B>,
        entry: &Entry,
        surface: Surface,
    ) -> Result<Option<Arc<Principal>>, AuthError> {
        match surface {
            Surface::Path => self.who_at(errand, Some(entry)).await,
            Surface::Host => self.who(errand, cookies::SESSION).await,
        }
    }

    /// A person is sent to log in; a program is told to.
    fn way_in<B: Sync>(&self, errand: &Errand<B>, label: &str, surface: Surface) -> Response<Body> {
        match (errand.wants, surface) {
            (Wants::Page, Surface::Host) => self.web.way_in(label),
            (Wants::Page, Surface::Path) | (Wants::Problem, _) => self.log_in_first(errand),
        }
    }

    fn log_in_first<B: Sync>(&self, errand: &Errand<B>) -> Response<Body> {
        match errand.wants {
            Wants::Page => self.web.log_in_first(errand.request.uri()),
            Wants::Problem => respond::failure(&AuthError::LoginRequired, &self.asker(errand, Place::Portal)),
        }
    }

    /// Their password is only for the first login: they choose another one before anything else.
    fn must_change<B: Sync>(&self, errand: &Errand<B>, place: Place) -> Response<Body> {
        match errand.wants {
            Wants::Page => see_other(&self.web.surface(place).portal("/account?must=yes")),
            Wants::Problem => respond::failure(&AuthError::MustChange, &self.asker(errand, place)),
        }
    }

    fn not_found<B: Sync>(&self, errand: &Errand<B>, place: Place) -> Response<Body> {
        respond::failure(&respond::NotFound, &self.asker(errand, place))
    }

    /// A session that is somebody else's looks like none; only the audit learns of it.
    async fn refused<B: Sync>(
        &self,
        errand: &Errand<B>,
        principal: &Principal,
        entry: &Entry,
        place: Place,
    ) -> Response<Body> {
        self.auth.refused(principal, errand.arrival.peer.address.ip(), &entry.label).await;
        self.not_found(errand, place)
    }

    /// The path could be read differently by another reader than its container.
    fn ambiguous<B: Sync>(&self, errand: &Errand<B>, place: Place) -> Response<Body> {
        let refusal = Refusal::Path;
        metrics::counter!(names::REQUESTS_REFUSED, "cause" => refusal.code()).increment(1);
        let mut response = respond::failure(&refusal, &self.asker(errand, place));
        if errand.arrival.peer.protocol == Wire::Http1 {
            // As after every refused head.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    fn asker<'a, B>(&'a self, errand: &'a Errand<B>, place: Place) -> Asker<'a> {
        let surface = self.web.surface(place);
        Asker { wants: errand.wants, request_id: &errand.id, surface, language: language(errand) }
    }

    fn routing_of(&self, entry: &Entry) -> Routing {
        entry.routing(self.routing)
    }
}

impl Handler for Dispatch {
    async fn handle(&self, request: Request<Incoming>, arrival: Arrival) -> Response<Body> {
        let (wants, id) = (Wants::of(request.headers()), arrival.id.to_string());
        let upgrade = arrival.checked.upgrade;
        let look = cookies::choice(request.headers()).look;
        let mut response = Look::around(look, self.route(Errand { request, arrival, wants, id })).await;
        if upgrade == Upgrade::Http1 && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            // The browser may already have sent bytes of the protocol it asked for.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        security_headers::apply(response.headers_mut(), &self.domain);
        response
    }
}

/// Whether the path is one that only an app in a container may be asked for.
fn is_ambiguous<B>(errand: &Errand<B>) -> bool {
    errand.arrival.checked.path != PathRule::Own
}

fn is_rfb(entry: &Entry) -> bool {
    // A session whose template is gone has a page that says so.
    entry.template.as_ref().is_none_or(|template| template.protocol == Protocol::Rfb)
}

fn may_open(principal: &Principal, entry: &Entry) -> bool {
    access::open(principal, entry).is_ok()
}

/// What whoever asks reads; pages for somebody who is known follow what they chose for themselves.
fn language<B>(errand: &Errand<B>) -> Language {
    let headers = errand.request.headers();
    cookies::choice(headers).language.unwrap_or_else(|| Language::of(headers))
}

fn place(surface: Surface) -> Place {
    match surface {
        Surface::Path => Place::Portal,
        Surface::Host => Place::SessionHost,
    }
}

/// A request's head without its body, for what comes after the body was given away.
fn head_of<B>(request: &Request<B>) -> Request<()> {
    let mut head = Request::new(());
    *head.method_mut() = request.method().clone();
    *head.uri_mut() = request.uri().clone();
    *head.headers_mut() = request.headers().clone();
    head
}

fn moved(to: &str) -> Response<Body> {
    redirect(StatusCode::PERMANENT_REDIRECT, to)
}

fn see_other(to: &str) -> Response<Body> {
    redirect(StatusCode::SEE_OTHER, to)
}

fn redirect(status: StatusCode, to: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(http::header::LOCATION, to);
    }
    response
}

/// Tells the access log whose request it was, and about which session.
fn told(
    mut response: Response<Body>,
    edge: Edge,
    principal: Option<&Principal>,
    entry: Option<&Entry>,
) -> Response<Body> {
    response.extensions_mut().insert(AccessFacts {
        edge,
        user: principal.map(|principal| principal.name.clone()),
        session: entry.map(|entry| entry.label.to_string()),
    });
    response
}

/// The same for what the data plane answered, which says itself for whom.
fn data(mut response: Response<Body>, entry: &Entry) -> Response<Body> {
    let principal = response.extensions_mut().remove::<Arc<Principal>>();
    told(response, Edge::Data, principal.as_deref(), Some(entry))
}

//! The control plane's pages: login, dashboard, the pages around a session, and static files.
//!
//! One seam: [`Web::handle`] takes a request for the portal, [`Web::handle_on_session_host`] one
//! for our own paths on a session's host, and [`Web::session_page`] makes the page that stands in
//! for a session. Handlers return failures; `respond` alone turns them into answers.

mod account;
mod admin;
mod assets;
mod browsers;
mod capacity;
mod card;
mod chart;
mod choices;
mod dashboard;
mod events;
mod failure;
mod gate;
mod health;
mod homes;
mod host;
mod images;
mod invitations;
mod join;
mod landing;
mod link;
mod links;
mod log;
mod login;
mod next;
pub mod novnc;
mod person;
mod pictures;
mod session_page;
mod sessions;
mod settings_page;
mod share;
mod shared;
mod stats;
mod template_words;
#[cfg(test)]
mod tests;
mod tokens;
mod users;
mod words;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State as Shared};
use axum::middleware;
use axum::routing::{get, post};
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, Request, Response, Uri};
use http_body::Body as HttpBody;
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use self::assets::Assets;
use self::failure::Failure;
use self::gate::Arrival;
use self::health::Readiness;
pub use self::landing::Landing;
use self::next::NextPath;
use self::novnc::Novnc;
pub use self::novnc::NovncError;
use self::person::Person;
use crate::access;
use crate::audit::Audit;
use crate::auth::policy::{self, Denied, Verb};
use crate::auth::{Auth, AuthError, Principal, cookies};
use crate::body::{Body, BodyError};
use crate::broker::{Broker, BrokerError, Entry};
use crate::engine::EngineCheck;
use crate::inventory::Inventory;
use crate::kiosk::Kiosk;
use crate::language::Language;
use crate::look::Look;
use crate::people::Imports;
use crate::respond::{self, Asker, Place, Surface, Unreadable, Wants, encoding};
use crate::session::Routing;
use crate::stats::Stats;
use crate::store::{Preferences, Store};
use crate::tasks::Tasks;

/// No form of ours comes near it.
const MOST_FORM_BYTES: usize = 16 * 1024;

/// How the portal is reached, and where its parts are.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The portal's host name; session hosts are one label below it.
    pub domain: String,
    /// Where sessions live unless their template says otherwise.
    pub routing: Routing,
    /// The port browsers use; 443 is left out of addresses.
    pub public_port: u16,
    /// Where somebody goes who logs in.
    pub landing: Landing,
    /// The directory of noVNC. Default `var/novnc` if it is there, else `/usr/share/novnc`.
    pub novnc: PathBuf,
}

/// What the pages work on; all of it is shared with other parts of the gateway.
#[derive(Clone)]
pub struct State {
    /// Finds and changes sessions.
    pub broker: Broker,
    /// The sessions of a kiosk orchestrator's clients.
    pub kiosk: Kiosk,
    /// Knows who is asking.
    pub auth: Arc<Auth>,
    /// Asked whether it can write, and for the record of whoever creates a session.
    pub store: Arc<dyn Store>,
    /// Knows what is used.
    pub stats: Stats,
    /// Asked how the engine is.
    pub engine: EngineCheck,
    /// Where a change goes on when whoever asked for it goes away.
    pub tasks: Tasks,
    /// Cancelled when the gateway begins to drain: event streams end then, because the drain waits
    /// for their bodies.
    pub draining: CancellationToken,
    /// Read by the log's page, and told of what is asked for and refused.
    pub audit: Audit,
    /// What is in force, for administrators to read.
    pub inventory: Arc<Inventory>,
    /// How the portal is reached.
    pub settings: Settings,
}

/// The pages of one gateway. Clones share everything.
#[derive(Clone)]
pub struct Web {
    site: Site,
    router: Router,
}

/// What handlers share.
#[derive(Clone)]
struct Site(Arc<Inner>);

struct Inner {
    state: State,
    assets: Assets,
    novnc: Assets,
    portal: Surface,
    host: Surface,
    origin: String,
    readiness: Readiness,
    imports: Imports,
}

impl Web {
    /// The pages over `state`.
    ///
    /// # Errors
    /// [`NovncError`] if the viewer library is not where the settings say.
    pub fn new(state: State) -> Result<Self, NovncError> {
        let (assets, novnc) = (Assets::embedded(), novnc::read(&state.settings.novnc)?);
        let origin = format!("https://{}{}", state.settings.domain, port(&state.settings));
        let portal = surface(Place::Portal, &assets, &novnc, &state.settings, &origin);
        let host = surface(Place::SessionHost, &assets, &novnc, &state.settings, &origin);
        let site = Site(Arc::new(Inner {
            state,
            assets,
            novnc: novnc.files,
            portal,
            host,
            origin,
            readiness: Readiness::default(),
            imports: Imports::default(),
        }));
        let before = middleware::from_fn_with_state(site.clone(), gate::administrators);
        let router = routes().route_layer(before).with_state(site.clone());
        Ok(Self { site, router })
    }

    /// Answers a request for the portal. `request_id` is the one in the log.
    pub async fn handle<B>(
        &self,
        mut request: Request<B>,
        address: IpAddr,
        request_id: &str,
    ) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let chosen = self.site.chosen(request.uri().path(), request.headers(), cookies::PORTAL).await;
        choices::put_into(chosen.language, request.headers_mut());
        request.extensions_mut().insert(Arrival { address });
        Look::around(chosen.look, self.answer(request, request_id)).await
    }

    async fn answer<B>(&self, request: Request<B>, request_id: &str) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let (wants, language) = (Wants::of(request.headers()), Language::of(request.headers()));
        let squeeze = encoding::takes_gzip(request.headers());
        let routed = self.router.clone().call(request).await;
        let mut response = routed.unwrap_or_else(|never| match never {});
        let asker = Asker { wants, request_id, surface: self.site.portal(), language };
        if let Some(failure) = response.extensions_mut().remove::<Failure>() {
            return answer(&failure, &asker);
        }
        if let Some(unreadable) = Unreadable::of(&response) {
            return respond::failure(&unreadable, &asker);
        }
        let response = response.map(Body::from);
        if squeeze { encoding::squeeze(response).await } else { response }
    }

    /// Answers a request for one of our own paths (`/.berth/…`) on a session's host; without an
    /// `entry` like on the host of a session that is somebody else's.
    pub async fn handle_on_session_host<B>(
        &self,
        request: &Request<B>,
        entry: Option<&Arc<Entry>>,
        request_id: &str,
    ) -> Response<Body> {
        let wants = Wants::of(request.headers());
        let chosen = self.site.chosen(request.uri().path(), request.headers(), cookies::SESSION).await;
        let language = chosen.language.unwrap_or_else(|| Language::of(request.headers()));
        let asker = Asker { wants, request_id, surface: &self.site.0.host, language };
        match host::handle(&self.site, request.uri(), request.headers(), entry).await {
            Ok(response) => response,
            Err(failure) => Look::during(chosen.look, || answer(&failure, &asker)),
        }
    }

    /// The page that stands in for a session: the viewer of a reachable one, else where it is on
    /// its way or why it rests, in `language`. Whether `principal` may open it has been asked.
    #[must_use]
    pub fn session_page(
        &self,
        entry: &Entry,
        principal: &Principal,
        place: Place,
        language: Language,
    ) -> Response<Body> {
        let chosen = principal.preferences;
        let person = Person::of(principal, chosen.language.unwrap_or(language));
        Look::during(chosen.look.or(Look::chosen()), || self.site.session_page(entry, &person, place))
    }

    /// The page for somebody whose opening of a session was refused because another machine uses
    /// its home; `None` for every other refusal.
    #[must_use]
    pub fn home_in_use(
        &self,
        error: &BrokerError,
        entry: &Entry,
        principal: &Principal,
        place: Place,
        language: Language,
    ) -> Option<Response<Body>> {
        let chosen = principal.preferences;
        let person = Person::of(principal, chosen.language.unwrap_or(language));
        Look::during(chosen.look.or(Look::chosen()), || {
            homes::refused_open(&self.site, error, entry, &person, place)
        })
    }

    /// Sends a browser that has no login on a session's host to the portal, which sends it back
    /// with a ticket, by way of the login page if need be.
    #[must_use]
    pub fn way_in(&self, label: &str) -> Response<Body> {
        session_page::see_other(&self.site.0.host.portal(&format!("/open/{label}")))
    }

    /// Sends a browser to the login page, which sends it back to where it wanted to be.
    #[must_use]
    pub fn log_in_first(&self, wanted: &Uri) -> Response<Body> {
        let next = NextPath::of(wanted.path_and_query().map_or("/", PathAndQuery::as_str));
        session_page::see_other(&self.site.portal().portal(&next.login()))
    }

    /// The portal's origin as browsers name it: `https://`, the domain, and the port unless it is 443.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.site.origin()
    }

    /// The addresses of an origin, for error pages that others make.
    #[must_use]
    pub fn surface(&self, place: Place) -> &Surface {
        self.site.surface(place)
    }
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Web").field("settings", &self.site.0.state.settings).finish_non_exhaustive()
    }
}

impl Site {
    fn broker(&self) -> &Broker {
        &self.0.state.broker
    }

    fn auth(&self) -> &Auth {
        &self.0.state.auth
    }

    fn stats(&self) -> &Stats {
        &self.0.state.stats
    }

    fn kiosk(&self) -> &Kiosk {
        &self.0.state.kiosk
    }

    fn settings(&self) -> &Settings {
        &self.0.state.settings
    }

    /// How whoever asks reads pages: as they chose for themselves, else as it was chosen in this
    /// browser. Files are the same for everybody.
    async fn chosen(&self, path: &str, headers: &HeaderMap, cookie: &str) -> Preferences {
        let here = cookies::choice(headers);
        if ["/assets/", "/.berth/assets/", "/health", "/ready"].iter().any(|files| path.starts_with(files)) {
            return here;
        }
        // Whoever cannot be asked for now is answered with the failure in the browser's own language.
        let known = self.auth().authenticate(cookies::tokens(headers, cookie)).await.ok().flatten();
        let own = known.map(|known| known.preferences).unwrap_or_default();
        Preferences { language: own.language.or(here.language), look: own.look.or(here.look) }
    }

    /// The portal's own origin, as browsers name it.
    fn origin(&self) -> &str {
        &self.0.origin
    }

    fn portal(&self) -> &Surface {
        &self.0.portal
    }

    fn surface(&self, place: Place) -> &Surface {
        match place {
            Place::Portal => &self.0.portal,
            Place::SessionHost => &self.0.host,
        }
    }

    /// The session of this label, if `principal`, who asks from `address`, may do that with it.
    async fn entry(
        &self,
        principal: &Principal,
        address: IpAddr,
        verb: Verb,
        label: &str,
    ) -> Result<Arc<Entry>, Denied> {
        let entry = self.broker().find(label).ok_or(Denied)?;
        access::check(self.auth(), principal, address, verb, &entry).await?;
        Ok(entry)
    }

    /// The session of this label and whoever was let into it alone, if nobody is logged in who may
    /// open it.
    async fn let_in(
        &self,
        headers: &HeaderMap,
        label: &str,
    ) -> Result<Option<(Arc<Principal>, Arc<Entry>)>, AuthError> {
        let Some(entry) = self.broker().find(label) else { return Ok(None) };
        let known = access::who(self.auth(), headers, &entry).await?;
        let bound = known.filter(|known| known.session == Some(entry.id));
        let bound = bound.filter(|known| access::allow(known, Verb::Open, &entry).is_ok());
        Ok(bound.map(|known| (known, entry)))
    }

    /// The session of this label and who opens it: the person who is logged in, or whoever was let
    /// into this one session.
    async fn opener(
        &self,
        (headers, uri): (&HeaderMap, &Uri),
        address: IpAddr,
        label: &str,
    ) -> Result<(Arc<Principal>, Arc<Entry>), Failure> {
        if let Some(found) = self.let_in(headers, label).await? {
            return Ok(found);
        }
        let person = self.auth().authenticate(cookies::tokens(headers, cookies::PORTAL)).await?;
        let person = person.filter(|person| policy::use_portal(person).is_ok());
        let here = NextPath::of(uri.path_and_query().map_or("/", PathAndQuery::as_str));
        let person = person.ok_or(Failure::LoginNeeded(here))?;
        if person.must_change {
            return Err(Failure::PasswordNeeded);
        }
        let entry = self.entry(&person, address, Verb::Open, label).await?;
        Ok((person, entry))
    }

    /// The page of a session on the portal, which wakes it.
    fn address(&self, entry: &Entry) -> String {
        entry.address(self.settings().routing)
    }

    fn session_page(&self, entry: &Entry, person: &Person, place: Place) -> Response<Body> {
        let surface = self.surface(place);
        let address = surface.portal(&self.address(entry));
        session_page::render(self.broker(), entry, person, surface, &address)
    }
}

fn routes() -> Router<Site> {
    Router::new()
        .route("/", get(dashboard::show))
        .route("/login", get(login::show).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/account", get(account::show).post(account::change))
        .route("/account/tokens", get(tokens::show_own).post(tokens::make_own))
        .route("/account/tokens/{id}/revoke", post(tokens::revoke_own))
        .route("/account/choices", post(choices::mine))
        .route("/account/logins/{id}/end", post(account::end_login))
        .route("/account/logins/end-others", post(account::end_others))
        .route("/choices", post(choices::here))
        .route("/sessions", post(dashboard::create))
        .route("/sessions/{label}", get(sessions::show))
        .route("/sessions/{label}/share", get(share::show))
        .route("/sessions/{label}/grants", post(share::give))
        .route("/sessions/{label}/grants/{id}/withdraw", post(share::withdraw))
        .route("/sessions/{label}/invitations", post(invitations::make))
        .route("/sessions/{label}/invitations/{id}/withdraw", post(invitations::withdraw))
        .route("/join", get(join::show).post(join::accept))
        .route("/sessions/{label}/{verb}", get(sessions::confirm).post(sessions::change))
        .route("/open/{label}", get(sessions::open))
        .route("/enter/{label}", get(link::enter))
        .route("/link/{secret}", get(link::show).post(link::follow))
        .route("/events", get(events::follow))
        .route("/admin", get(admin::show))
        .merge(users::routes())
        .route("/admin/sessions", post(admin::change))
        .route("/admin/sessions/events", get(admin::follow))
        .route("/admin/log", get(log::show))
        .route("/admin/log/events", get(log::follow))
        .route("/admin/log/export", get(log::export))
        .route("/admin/settings", get(settings_page::show))
        .route("/admin/images", get(images::show))
        .route("/admin/images/{template}/pull", post(images::pull))
        .route("/admin/tokens", get(tokens::show_all).post(tokens::make_any))
        .route("/admin/tokens/{id}/revoke", post(tokens::revoke_any))
        .route("/admin/links", get(links::show).post(links::make))
        .route("/admin/links/{id}/revoke", post(links::revoke))
        .route("/admin/stats", get(stats::show))
        .route("/admin/stats/{label}", get(stats::show_session))
        .route("/admin/capacity", get(capacity::show))
        .route("/health", get(health::alive))
        .route("/ready", get(health::ready))
        .route("/assets/novnc/{version}/{*path}", get(novnc_file))
        .route("/assets/{version}/{*path}", get(own_file))
        .fallback(async || Failure::not_found())
        .layer(DefaultBodyLimit::max(MOST_FORM_BYTES))
}

async fn own_file(
    Shared(site): Shared<Site>,
    Path((version, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Failure> {
    site.0.assets.get(&version, &path, &headers).ok_or_else(Failure::not_found)
}

async fn novnc_file(
    Shared(site): Shared<Site>,
    Path((version, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Failure> {
    site.0.novnc.get(&version, &path, &headers).ok_or_else(Failure::not_found)
}

/// Answers a failure: with the login page where that helps, else as `respond` says.
fn answer(failure: &Failure, asker: &Asker<'_>) -> Response<Body> {
    match (failure, asker.wants) {
        (Failure::PasswordNeeded, Wants::Page) => {
            session_page::see_other(&asker.surface.portal("/account?must=yes"))
        }
        (Failure::PasswordNeeded, Wants::Problem) => respond::failure(&AuthError::MustChange, asker),
        (Failure::LoginNeeded(next), Wants::Page) => {
            session_page::see_other(&asker.surface.portal(&next.login()))
        }
        (Failure::LoginNeeded(_), Wants::Problem) => respond::failure(&AuthError::LoginRequired, asker),
        (Failure::Error(error), Wants::Page | Wants::Problem) => respond::failure(error.as_ref(), asker),
    }
}

fn port(settings: &Settings) -> String {
    if settings.public_port == 443 { String::new() } else { format!(":{}", settings.public_port) }
}

fn surface(place: Place, assets: &Assets, novnc: &Novnc, settings: &Settings, origin: &str) -> Surface {
    let (root, home, form_action) = match place {
        // Opening a session may lead from a form through redirects to its host.
        Place::Portal => {
            ("/assets", "/".to_owned(), format!("https://*.{}{}", settings.domain, port(settings)))
        }
        Place::SessionHost => ("/.berth/assets", format!("{origin}/"), String::new()),
    };
    Surface {
        place,
        assets: format!("{root}/{}", assets.version()),
        novnc: format!("{root}/novnc/{}/{}", novnc.files.version(), novnc.entry),
        login: format!("{home}login"),
        home,
        form_action,
    }
}

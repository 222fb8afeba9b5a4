//! The control plane for programs: `/api/v1` and `/status`, in JSON.
//!
//! One seam: [`Api::handle`] takes a request for the portal's API. What goes wrong is handed back
//! as an error, for which the caller picks the answer: this module knows no pages.

mod audit;
mod compat;
mod conditional;
mod events;
mod failure;
mod flaw;
mod gate;
mod grants;
mod guard;
mod homes;
mod invitations;
mod json;
mod kiosk;
mod links;
mod logins;
mod openapi;
mod page;
mod repeat;
mod screenshot;
mod session;
mod sessions;
mod settings;
mod stats;
mod status;
mod templates;
#[cfg(test)]
mod tests;
mod theirs;
mod tokens;
mod user;
mod user_import;
mod users;
mod verbs;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use bytes::Bytes;
use http::header::ALLOW;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body::Body as HttpBody;
use http_body_util::{BodyExt, Limited};
use tokio_util::sync::CancellationToken;
use tower_service::Service;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::conditional::Asked;
use self::failure::{Failure, WrongMethod};
use self::gate::Arrival;
use self::repeat::{Repeatable, UnderWay};
use crate::access;
use crate::auth::import::sheet;
use crate::auth::policy::{Denied, Verb};
use crate::auth::{Auth, Principal};
use crate::body::{Body, BodyError};
use crate::broker::{Broker, BrokerError, Entry};
use crate::engine::EngineCheck;
use crate::fault::Answer;
use crate::inventory::Inventory;
use crate::kiosk::Kiosk;
use crate::people::Imports;
use crate::respond::Unreadable;
use crate::session::Routing;
use crate::stats::Stats;
use crate::store::Store;
use crate::tasks::Tasks;
use crate::thumbnail::Thumbnails;

/// No document of ours comes near it.
const MOST_BYTES: usize = 64 * 1024;

/// What the API works on; all of it is shared with other parts of the gateway.
#[derive(Clone)]
pub struct State {
    /// Finds and changes sessions.
    pub broker: Broker,
    /// The sessions of a kiosk orchestrator's clients.
    pub kiosk: Kiosk,
    /// Knows who is asking.
    pub auth: Arc<Auth>,
    /// Asked for the user whom a session is shared with.
    pub store: Arc<dyn Store>,
    /// Asked how the engine is.
    pub engine: EngineCheck,
    /// Knows what is used.
    pub stats: Stats,
    /// Looks at desktops.
    pub thumbnails: Thumbnails,
    /// Where a change goes on when whoever asked for it goes away.
    pub tasks: Tasks,
    /// Cancelled when the gateway begins to drain: event streams end then.
    pub draining: CancellationToken,
    /// Imports of users on their way.
    pub imports: Imports,
    /// What is in force, for administrators to read.
    pub inventory: Arc<Inventory>,
    /// The portal's origin as browsers name it, for the addresses of sessions.
    pub origin: String,
    /// Where sessions live unless their template says otherwise.
    pub routing: Routing,
    /// The version of this binary.
    pub version: &'static str,
}

/// The API of one gateway. Clones share everything.
#[derive(Clone)]
pub struct Api {
    router: Router,
    site: Site,
    under_way: UnderWay,
}

/// The error of a request, for which the caller picks the answer.
type Refusal = Arc<dyn Answer + Send + Sync>;

/// What handlers share.
#[derive(Clone)]
struct Site(Arc<State>);

impl Api {
    /// The API over `state`.
    #[must_use]
    pub fn new(state: State) -> Self {
        let site = Site(Arc::new(state));
        Self { router: described().with_state(site.clone()), site, under_way: UnderWay::default() }
    }

    /// Whether a path of the portal is the API's.
    #[must_use]
    pub fn owns(path: &str) -> bool {
        matches!(path, "/access" | "/remove" | "/remove-all" | "/status") || path.starts_with("/api/")
    }

    /// Answers a request from a browser or program at `address`.
    ///
    /// # Errors
    /// Whatever the handler failed with; nobody logged in is [`crate::auth::AuthError::LoginRequired`].
    pub async fn handle<B>(&self, request: Request<B>, address: IpAddr) -> Result<Response<Body>, Refusal>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        let path = request.uri().path().to_owned();
        self.answer(request, address).await.map_err(|error| theirs::worded(&path, error))
    }

    async fn answer<B>(&self, mut request: Request<B>, address: IpAddr) -> Result<Response<Body>, Refusal>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        request.extensions_mut().insert(Arrival { address });
        let asked = Asked::of(request.method(), request.headers());
        let (parts, body) = request.into_parts();
        let response = match Repeatable::key(&parts) {
            Ok(None) => self.route(Request::from_parts(parts, axum::body::Body::new(body))).await?,
            Ok(Some(key)) => {
                let text = Limited::new(body, sheet::MOST_BYTES).collect().await;
                let text = text.map_err(|_| Unreadable { status: StatusCode::PAYLOAD_TOO_LARGE });
                self.once(&key, parts, text.map_err(refusal)?.to_bytes()).await?
            }
            Err(flaw) => return Err(Arc::new(flaw)),
        };
        Ok(conditional::settle(&asked, response))
    }

    /// Carries a request out unless it was before; to its end, even if nobody waits for it any more.
    async fn once(&self, key: &str, parts: Parts, body: Bytes) -> Result<Response<Body>, Refusal> {
        let known =
            gate::who(&parts.method, &parts.headers, &self.site).await.map_err(|Failure(error)| error)?;
        let asked = Repeatable::of(&known, &parts, key, &body);
        let turn = self.under_way.enter(&asked).map_err(refusal)?;
        let store = self.site.0.store.clone();
        if let Some(before) = repeat::kept(&*store, &asked).await.map_err(refusal)?.map_err(refusal)? {
            return Ok(before);
        }
        let api = self.clone();
        let carried = self.site.0.tasks.carry("repeatable request", async move {
            let response = api.route(Request::from_parts(parts, body.into())).await;
            if let Some(answer) = response.as_ref().ok().and_then(|response| asked.answered(response)) {
                repeat::keep(&*store, &answer).await;
            }
            drop(turn);
            response
        });
        carried.await.unwrap_or_else(|| Err(Arc::new(BrokerError::BrokenOff)))
    }

    async fn route(&self, request: Request<axum::body::Body>) -> Result<Response<Body>, Refusal> {
        let routed = self.router.clone().call(request).await;
        let mut response = routed.unwrap_or_else(|never| match never {});
        if let Some(Failure(error)) = response.extensions_mut().remove::<Failure>() {
            return Err(error);
        }
        if response.status() == StatusCode::METHOD_NOT_ALLOWED {
            let allow = response.headers().get(ALLOW).and_then(|allow| allow.to_str().ok());
            return Err(Arc::new(WrongMethod { allow: allow.unwrap_or_default().replace(',', ", ") }));
        }
        match Unreadable::of(&response) {
            Some(unreadable) => Err(Arc::new(unreadable)),
            None => Ok(response.map(Body::from)),
        }
    }
}

fn refusal(error: impl Answer + Send + Sync + 'static) -> Refusal {
    Arc::new(error)
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

impl Site {
    fn broker(&self) -> &Broker {
        &self.0.broker
    }

    fn auth(&self) -> &Auth {
        &self.0.auth
    }

    /// The session of this label, if `principal`, who asks from `address`, may do that with it, by
    /// right or by a grant.
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
}

/// Every address of the API. What is added with `routes!` is described in the OpenAPI document from
/// the attributes of its handler; methods of one address go into one `routes!`.
fn routes() -> OpenApiRouter<Site> {
    OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(events::all))
        .routes(routes!(events::one))
        .routes(routes!(grants::list, grants::give))
        .routes(routes!(grants::withdraw))
        .routes(routes!(homes::list))
        .routes(routes!(homes::restore))
        .routes(routes!(screenshot::show))
        .routes(routes!(sessions::list, sessions::create))
        .routes(routes!(sessions::show, sessions::remove))
        .routes(routes!(status::show))
        .routes(routes!(templates::list))
        .routes(routes!(templates::pull))
        .routes(routes!(templates::show))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(verbs::extend))
        .routes(routes!(verbs::pause))
        .routes(routes!(verbs::reset))
        .routes(routes!(verbs::restart))
        .routes(routes!(verbs::resume))
        .routes(routes!(verbs::start))
        .routes(routes!(verbs::stop))
        .routes(routes!(invitations::list, invitations::make))
        .routes(routes!(invitations::withdraw))
        .routes(routes!(stats::show))
        .routes(routes!(stats::capacity))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::show, users::update, users::remove))
        .routes(routes!(users::removal))
        .routes(routes!(users::set_password))
        .routes(routes!(logins::list, logins::end_all))
        .routes(routes!(logins::end))
        .merge(lists())
        .routes(routes!(audit::list))
        .routes(routes!(settings::list))
        .routes(routes!(links::list, links::create))
        .routes(routes!(links::revoke))
        .routes(routes!(kiosk::access))
        .routes(routes!(kiosk::remove))
        .routes(routes!(kiosk::remove_all))
        .routes(routes!(compat::spawn))
        .routes(routes!(compat::remove))
}

/// What takes more than a document.
fn lists() -> OpenApiRouter<Site> {
    OpenApiRouter::new().routes(routes!(user_import::import)).layer(DefaultBodyLimit::max(sheet::MOST_BYTES))
}

/// The same with its description beside it, a guard before it, and an answer for every other address.
fn described() -> Router<Site> {
    let (router, document) = routes().split_for_parts();
    let document = openapi::complete(&document);
    let addresses = Arc::new(guard::addresses(&document));
    router
        .layer(middleware::from_fn_with_state(addresses, guard::check))
        .merge(openapi::route(&document))
        .fallback(async || Failure::not_found())
        .layer(DefaultBodyLimit::max(MOST_BYTES))
}

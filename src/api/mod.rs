//! The control plane for programs: `/api/v1` and `/status`, in JSON.
//!
//! One seam: [`Api::handle`] takes a request for the portal's API. What goes wrong is handed back
//! as an error, for which the caller picks the answer: this module knows no pages.

mod audit;
mod compat;
mod failure;
mod gate;
mod grants;
mod invitations;
mod json;
mod logins;
mod openapi;
mod screenshot;
mod sessions;
mod settings;
mod stats;
mod status;
mod templates;
#[cfg(test)]
mod tests;
mod user_import;
mod users;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as HttpBody;
use tower_service::Service;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::failure::Failure;
use self::gate::Arrival;
use crate::access;
use crate::auth::import::sheet;
use crate::auth::policy::{Denied, Verb};
use crate::auth::{Auth, Principal};
use crate::body::{Body, BodyError};
use crate::broker::{Broker, Entry};
use crate::engine::EngineCheck;
use crate::fault::Answer;
use crate::inventory::Inventory;
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
}

/// What handlers share.
#[derive(Clone)]
struct Site(Arc<State>);

impl Api {
    /// The API over `state`.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self { router: described().with_state(Site(Arc::new(state))) }
    }

    /// Whether a path of the portal is the API's.
    #[must_use]
    pub fn owns(path: &str) -> bool {
        path == "/status" || path.starts_with("/api/")
    }

    /// Answers a request from a browser or program at `address`.
    ///
    /// # Errors
    /// Whatever the handler failed with; nobody logged in is [`crate::auth::AuthError::LoginRequired`].
    pub async fn handle<B>(
        &self,
        mut request: Request<B>,
        address: IpAddr,
    ) -> Result<Response<Body>, Arc<dyn Answer + Send + Sync>>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BodyError>,
    {
        request.extensions_mut().insert(Arrival { address });
        let routed = self.router.clone().call(request).await;
        let mut response = routed.unwrap_or_else(|never| match never {});
        if let Some(Failure(error)) = response.extensions_mut().remove::<Failure>() {
            return Err(error);
        }
        if let Some(unreadable) = Unreadable::of(&response) {
            return Err(Arc::new(unreadable));
        }
        Ok(response.map(Body::from))
    }
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
        .routes(routes!(grants::list, grants::give))
        .routes(routes!(grants::withdraw))
        .routes(routes!(invitations::list, invitations::make))
        .routes(routes!(invitations::withdraw))
        .routes(routes!(stats::show))
        .routes(routes!(stats::capacity))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::show, users::update, users::remove))
        .routes(routes!(users::set_password))
        .routes(routes!(logins::list, logins::end_all))
        .routes(routes!(logins::end))
        .merge(lists())
        .routes(routes!(audit::list))
        .routes(routes!(settings::list))
        .route("/status", get(status::show))
        .route("/api/v1/spawn", post(compat::spawn))
        .route("/api/v1/remove", post(compat::remove))
        .route("/api/v1/sessions", get(sessions::list))
        .route("/api/v1/sessions/{label}", get(sessions::show))
        .route("/api/v1/sessions/{label}/screenshot", get(screenshot::show))
        .route("/api/v1/sessions/{label}/{verb}", post(sessions::change))
        .route("/api/v1/templates", get(templates::list))
        .route("/api/v1/templates/{name}", get(templates::show))
        .route("/api/v1/templates/{name}/pull", post(templates::pull))
}

/// What takes more than a document.
fn lists() -> OpenApiRouter<Site> {
    OpenApiRouter::new().routes(routes!(user_import::import)).layer(DefaultBodyLimit::max(sheet::MOST_BYTES))
}

/// The same with its description beside it, and an answer for every other address.
fn described() -> Router<Site> {
    let (router, document) = routes().split_for_parts();
    router
        .merge(openapi::route(&document))
        .fallback(async || Failure::not_found())
        .layer(DefaultBodyLimit::max(MOST_BYTES))
}

//! The description of the API, generated from the handlers: OpenAPI 3.1.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

use super::Site;
use crate::body::Body;
use crate::respond;

/// What went wrong (RFC 9457, `application/problem+json`).
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "the schema of what `respond` writes")]
pub(super) struct Problem {
    /// `about:blank`, or a URN that ends in the code.
    #[serde(rename = "type")]
    kind: String,
    /// The status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What happened, for people.
    detail: String,
    /// The stable code of what happened, for programs.
    code: String,
    /// The request as it is called in the log.
    request_id: String,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Berth",
        description = "Sessions, users and what an administrator looks after. Errors are problem documents \
                       (RFC 9457). Lists come in pages: pass `next` of one page as `cursor` of the following.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(Problem)),
    security(("token" = []), ("login" = [], "csrf" = [])),
    modifiers(&Ways),
)]
struct Frame;

/// The ways to say who asks.
struct Ways;

impl Modify for Ways {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_with(Default::default);
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        let login = ApiKey::Cookie(ApiKeyValue::new(crate::auth::cookies::PORTAL));
        components.add_security_scheme("login", SecurityScheme::ApiKey(login));
        let csrf = ApiKey::Header(ApiKeyValue::new("X-CSRF-Token"));
        components.add_security_scheme("csrf", SecurityScheme::ApiKey(csrf));
    }
}

/// The document without paths.
pub(super) fn frame() -> Document {
    Frame::openapi()
}

/// `GET /api/v1/openapi.json`: the description itself, for everybody.
pub(super) fn route(document: &Document) -> Router<Site> {
    let text: Arc<str> = document.to_json().expect("the description is made of texts").into();
    let show = move || {
        let text = text.clone();
        async move { answer(&text) }
    };
    Router::new().route("/api/v1/openapi.json", get(show))
}

fn answer(text: &str) -> Response<Body> {
    let mut response = respond::bare(StatusCode::OK, text.to_owned());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

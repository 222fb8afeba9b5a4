//! The description of the API, generated from the handlers: OpenAPI 3.1.
//!
//! What is true of every operation is said here once, in [`complete`]: its errors, the entity tags of
//! what is read.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

use super::Site;
use super::json;

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
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened, for people.
    detail: String,
    /// The stable code of what happened, for programs.
    #[schema(pattern = "^[a-z0-9_]+$")]
    code: String,
    /// The field or parameter that is not what it should be, by its path in the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    field: Option<String>,
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

/// The description of the handlers with what is true of all of them.
pub(super) fn complete(document: &Document) -> Value {
    let mut document = serde_json::to_value(document).expect("the description is made of texts");
    let mut named = Vec::new();
    let paths = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    for (method, operation) in paths.filter_map(Value::as_object_mut).flatten() {
        describe_errors(operation);
        if !is_lenient(operation) {
            named.extend(sent(operation).map(str::to_owned));
        }
        match method.as_str() {
            "get" if !is_lenient(operation) => describe_tags(operation),
            "post" => describe_repeats(operation),
            _ => {}
        }
    }
    for at in &named {
        document.pointer_mut(at).map(close);
    }
    document
}

/// Whether it is asked by scripts of a replaced system: what that did not know it ignored, and it changed
/// things with `GET`.
pub(super) fn is_lenient(operation: &Value) -> bool {
    operation["tags"].as_array().is_some_and(|tags| tags.iter().any(|tag| tag == "compat"))
}

/// Where the description of the document stands that an operation takes.
fn sent(operation: &Value) -> impl Iterator<Item = &str> {
    let schema = operation.pointer("/requestBody/content/application~1json/schema");
    let at = schema.and_then(|schema| schema["$ref"].as_str());
    at.into_iter().map(|at| at.trim_start_matches('#'))
}

/// A document that is sent has no fields but those described, whichever of its forms it is in.
fn close(schema: &mut Value) {
    if let Some(forms) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        return forms.iter_mut().for_each(close);
    }
    schema["additionalProperties"] = false.into();
}

/// Every operation may be refused or fail, and says so in one form.
fn describe_errors(operation: &mut Value) {
    let problem = json!({ "schema": { "$ref": "#/components/schemas/Problem" } });
    for (range, description) in [("4XX", "Refused"), ("5XX", "It did not work; worth trying again")] {
        operation["responses"][range] =
            json!({ "description": description, "content": { "application/problem+json": problem } });
    }
}

/// What is read has an entity tag.
fn describe_tags(operation: &mut Value) {
    if operation.pointer("/responses/200/content/application~1json").is_none() {
        return;
    }
    let tag = json!({ "description": "Changes with the document", "schema": { "type": "string" } });
    operation["responses"]["200"]["headers"]["ETag"] = tag.clone();
    operation["responses"]["304"] =
        json!({ "description": "As in the answer with this tag", "headers": { "ETag": tag } });
    let parameter = json!({
        "name": "If-None-Match",
        "in": "header",
        "description": "The entity tag of the document that the asker has",
        "schema": { "type": "string" },
    });
    add_parameter(operation, parameter);
}

/// What is posted may be posted again.
fn describe_repeats(operation: &mut Value) {
    let replayed = json!({
        "description": "`true` on the answer to a repeated request; what is told once is `null` then",
        "schema": { "type": "string", "enum": ["true"] },
    });
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        if status.starts_with('2') {
            response["headers"]["Idempotency-Replayed"] = replayed.clone();
        }
    }
    let parameter = json!({
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A name for this request, so that sending it again does not carry it out again; \
                        remembered for 24 hours",
        "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
    });
    add_parameter(operation, parameter);
}

fn add_parameter(operation: &mut Value, parameter: Value) {
    match operation["parameters"].as_array_mut() {
        Some(parameters) => parameters.push(parameter),
        None => operation["parameters"] = json!([parameter]),
    }
}

/// `GET /api/v1/openapi.json`: the description itself, for everybody.
pub(super) fn route(document: &Value) -> Router<Site> {
    let document = Arc::new(document.clone());
    let show = move || {
        let document = document.clone();
        async move { json::read(document.as_ref()) }
    };
    Router::new().route("/api/v1/openapi.json", get(show))
}

//! The one place where an error becomes a status with a page or a problem document.
//!
//! Every edge hands its errors here as [`Answer`]s. Nothing else decides on a status, sets
//! `Retry-After` or logs a failed request. Browsers that navigate get a page (one title, one
//! sentence, one next step), everyone else RFC 9457 `application/problem+json`.

pub mod encoding;
pub mod follow;
mod headers;
mod surface;
mod unreadable;

use std::borrow::Cow;
use std::time::Duration;

use askama::Template;
use http::header::{ACCEPT, ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde_json::json;
use tracing::{debug, error, warn};

pub use self::headers::{bare, page};
pub use self::surface::{Place, Surface};
pub use self::unreadable::Unreadable;
use crate::body::Body;
use crate::fault::{Answer, Fault, chain};
use crate::language::{Language, Sentence};

/// What the asker can read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wants {
    /// A browser that navigates: a page for people.
    Page,
    /// A script or a program: a problem document.
    Problem,
}

impl Wants {
    /// Reads it off a request. `Sec-Fetch-*` is the browser's own word and wins over `Accept`.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(mode) = text("sec-fetch-mode") {
            return if mode == "navigate" { Self::Page } else { Self::Problem };
        }
        match text(ACCEPT.as_str()) {
            Some(accept) if accept.contains("text/html") => Self::Page,
            Some(_) | None => Self::Problem,
        }
    }
}

/// Who asked, and where the answer is shown.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// What they can read.
    pub wants: Wants,
    /// The id of their request, as in the log.
    pub request_id: &'a str,
    /// The origin they see it on.
    pub surface: &'a Surface,
    /// What they read. Problem documents are English: programs read them.
    pub language: Language,
}

/// The answer to an error, and its one line in the log with the chain of causes.
pub fn failure(error: &dyn Answer, asker: &Asker<'_>) -> Response<Body> {
    let status = status(error);
    log(error, status, asker.request_id);
    let mut response = match asker.wants {
        Wants::Page => error_page(error, status, asker),
        Wants::Problem => problem(error, status, asker.request_id),
    };
    if let Some(after) = error.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, seconds(after));
    }
    if let Some(allow) = error.allow().and_then(|allow| HeaderValue::from_str(allow).ok()) {
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}

/// There is no such address. (Sessions that are missing or forbidden have a refusal of their own.)
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("there is nothing at this address")]
pub struct NotFound;

impl Answer for NotFound {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        "not_found"
    }

    fn sentence(&self) -> Sentence {
        Sentence::of("problem-not-found")
    }
}

/// The status of an error: by its code where one status says it best, else by its fault.
#[must_use]
pub fn status(error: &dyn Answer) -> StatusCode {
    match (error.fault(), error.code()) {
        (Fault::Downstream, code) => downstream_status(code),
        (Fault::Upstream, "upstream_timeout") => StatusCode::GATEWAY_TIMEOUT,
        // What was asked for is the gateway's own to give, and may be there in a moment.
        (Fault::Upstream, "screen_unseen") => StatusCode::SERVICE_UNAVAILABLE,
        (Fault::Upstream, _) => StatusCode::BAD_GATEWAY,
        (Fault::Engine | Fault::Store, _) => StatusCode::SERVICE_UNAVAILABLE,
        (Fault::Internal, _) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn downstream_status(code: &str) -> StatusCode {
    match code {
        "client_unknown" | "copy_unknown" | "not_found" | "session_unknown" | "user_unknown" => {
            StatusCode::NOT_FOUND
        }
        "credentials_wrong" | "login_required" | "token_invalid" | "token_required" => {
            StatusCode::UNAUTHORIZED
        }
        "csrf_failed"
        | "get_changes_nothing"
        | "origin_foreign"
        | "owner_foreign"
        | "password_change_required"
        | "scope_missing"
        | "token_bound"
        | "token_denied" => StatusCode::FORBIDDEN,
        "host_foreign" => StatusCode::MISDIRECTED_REQUEST,
        "body_stalled" => StatusCode::REQUEST_TIMEOUT,
        "method" => StatusCode::METHOD_NOT_ALLOWED,
        "cpus_spent"
        | "extend_spent"
        | "grant_exists"
        | "grant_own"
        | "home_busy"
        | "home_shared"
        | "home_in_use"
        | "idempotency_busy"
        | "image_built_here"
        | "invitation_made"
        | "last_admin"
        | "memory_spent"
        | "name_taken"
        | "no_screen"
        | "not_running"
        | "not_seen"
        | "not_shareable"
        | "taken"
        | "too_many_grants"
        | "too_many_invitations"
        | "too_many_sessions"
        | "too_many_tokens"
        | "unconfirmed"
        | "user_taken"
        | "wrong_state" => StatusCode::CONFLICT,
        "invitation_gone"
        | "invitation_returned"
        | "invitation_spent"
        | "link_invalid"
        | "ticket_invalid" => StatusCode::GONE,
        "body_too_large" => StatusCode::PAYLOAD_TOO_LARGE,
        "media_type" => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "field_invalid"
        | "grantee_unknown"
        | "idempotency_reused"
        | "limits_invalid"
        | "link_unfit"
        | "name_invalid"
        | "password_weak"
        | "template_not_allowed"
        | "template_unknown" => StatusCode::UNPROCESSABLE_ENTITY,
        "full" | "throttled" | "too_many_streams" => StatusCode::TOO_MANY_REQUESTS,
        // Codes of other modules without a status of their own.
        _ => StatusCode::BAD_REQUEST,
    }
}

/// What people and programs may read; of our own bugs, nothing but where to find them.
fn sentence(error: &dyn Answer, language: Language) -> String {
    match error.fault() {
        Fault::Internal => language.text("error-internal-text").into_owned(),
        Fault::Downstream | Fault::Upstream | Fault::Engine | Fault::Store => error.sentence().said(language),
    }
}

fn title(status: StatusCode, language: Language) -> Cow<'static, str> {
    language.text(match status {
        StatusCode::NOT_FOUND => "error-not-found",
        StatusCode::UNAUTHORIZED => "error-unauthorized",
        StatusCode::FORBIDDEN => "error-forbidden",
        StatusCode::GONE => "error-gone",
        StatusCode::CONFLICT => "error-conflict",
        StatusCode::TOO_MANY_REQUESTS => "error-too-many",
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => "error-upstream",
        StatusCode::SERVICE_UNAVAILABLE => "error-unavailable",
        StatusCode::INTERNAL_SERVER_ERROR => "error-internal",
        // A `StatusCode` is an open set; the rest are requests we could not read.
        _ => "error-unread",
    })
}

/// The problem document of an error, for whoever refuses before there is an [`Asker`].
#[must_use]
pub fn problem(error: &dyn Answer, status: StatusCode, request_id: &str) -> Response<Body> {
    let mut json = json!({
        "type": format!("urn:berth:problem:{}", error.code()),
        "title": title(status, Language::English),
        "status": status.as_u16(),
        "code": error.code(),
        "detail": sentence(error, Language::English),
        "request_id": request_id,
    });
    for (name, value) in error.members() {
        json[name] = value;
    }
    if let Some(field) = error.field() {
        json["field"] = field.into();
    }
    let mut response = bare(status, json.to_string());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if status == StatusCode::UNAUTHORIZED {
        // RFC 9110 §15.5.2 wants one. No browser asks its user for a token.
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    surface: &'a Surface,
    language: Language,
    title: Cow<'static, str>,
    sentence: String,
    request_id: Option<&'a str>,
    href: &'a str,
    next: Cow<'static, str>,
}

fn error_page(error: &dyn Answer, status: StatusCode, asker: &Asker<'_>) -> Response<Body> {
    let login = status == StatusCode::UNAUTHORIZED;
    let shown = ErrorPage {
        surface: asker.surface,
        language: asker.language,
        title: title(status, asker.language),
        sentence: sentence(error, asker.language),
        request_id: status.is_server_error().then_some(asker.request_id),
        href: if login { &asker.surface.login } else { &asker.surface.home },
        next: asker.language.text(if login { "log-in" } else { "error-home" }),
    };
    page(asker.surface, status, &shown)
}

/// Once per failed request, with the chain. Refusals are the asker's business, not an alarm.
fn log(error: &dyn Answer, status: StatusCode, request_id: &str) {
    let (code, status, chain) = (error.code(), status.as_u16(), chain(error));
    match error.fault() {
        Fault::Downstream => debug!(request_id, code, status, chain, "request.refused"),
        Fault::Upstream | Fault::Engine | Fault::Store => {
            warn!(request_id, code, status, chain, "request.failed")
        }
        Fault::Internal => error!(request_id, code, status, chain, "request.failed"),
    }
}

fn seconds(after: Duration) -> HeaderValue {
    HeaderValue::from(after.as_secs().max(1))
}

#[cfg(test)]
mod tests;

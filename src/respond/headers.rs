//! The headers of every page of our own: one strict policy, made in one place.

use askama::Template;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use tracing::error;

use super::Surface;
use crate::body::Body;

const CROSS_ORIGIN_OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

/// A page of ours. It is never stored by a browser or a cache: what it shows is someone's own,
/// and it carries the secret of their forms.
pub fn page(surface: &Surface, status: StatusCode, template: &impl Template) -> Response<Body> {
    let (status, html) = match template.render() {
        Ok(html) => (status, html),
        Err(cause) => {
            error!(%cause, "a page could not be rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, String::new())
        }
    };
    let mut response = bare(status, html);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, policy(surface));
    headers.insert(CROSS_ORIGIN_OPENER, HeaderValue::from_static("same-origin"));
    headers.insert(
        PERMISSIONS,
        HeaderValue::from_static(
            "clipboard-read=(self), clipboard-write=(self), fullscreen=(self), camera=(), geolocation=(), \
             microphone=(), payment=(), usb=()",
        ),
    );
    response
}

/// An answer with a body and the headers that everything of ours has; the caller sets the type.
pub fn bare(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::full(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// The Content-Security-Policy: only our own files, nothing inline.
///
/// noVNC needs no exception but `data:` images (JPEG tiles and the cursor): it sets styles through
/// the CSSOM, which `style-src` does not govern, and `'self'` covers `wss:` to our own host.
fn policy(surface: &Surface) -> HeaderValue {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; \
         font-src 'self'; form-action 'self'{}{}; frame-ancestors 'self'; base-uri 'none'",
        if surface.form_action.is_empty() { "" } else { " " },
        surface.form_action
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

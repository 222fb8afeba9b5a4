//! `/api/v1/sessions/<label>/screenshot`

use axum::extract::{Path, State};
use http::header::{AGE, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::gate::Known;
use super::{Failure, Site};
use crate::auth::policy::{self, Denied, Verb};
use crate::body::Body;
use crate::respond;
use crate::thumbnail::Thumbnail;

/// `GET /api/v1/sessions/<label>/screenshot`: a small picture of the session's screen, for its
/// owner and nobody else. `Age` tells how many seconds old it is; of a frozen
/// session it is the last one that was taken.
pub(super) async fn show(
    State(site): State<Site>,
    Known(known): Known,
    Path(label): Path<String>,
    headers: HeaderMap,
) -> Result<Response<Body>, Failure> {
    let entry = site.broker().find(&label).ok_or(Denied)?;
    // Seeing that a session exists is not seeing what is on its screen; and a guest who looks is a
    // viewer, whom the owner sees. Nobody sees a picture being fetched.
    policy::allow(&known, Verb::Open, entry.id, entry.owner, None)?;
    let thumbnail = site.0.thumbnails.of(&entry).await?;
    Ok(picture(&thumbnail, &headers))
}

fn picture(thumbnail: &Thumbnail, asked: &HeaderMap) -> Response<Body> {
    let tag = format!("\"{}\"", thumbnail.tag);
    let mut response = respond::bare(StatusCode::OK, String::new());
    if asked.get_all(IF_NONE_MATCH).iter().any(|known| names(known, &tag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        *response.body_mut() = Body::full(thumbnail.png.clone());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("image/png"));
    }
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=5"));
    headers.insert(AGE, HeaderValue::from(thumbnail.taken.elapsed().as_secs()));
    headers.insert(ETAG, HeaderValue::from_str(&tag).expect("hexadecimal digits in quotes"));
    response
}

/// Whether a list of entity tags has this one (RFC 9110 §13.1.2, weak comparison).
fn names(list: &HeaderValue, tag: &str) -> bool {
    let list = list.to_str().unwrap_or_default();
    list.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

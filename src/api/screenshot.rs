//! `/api/v1/sessions/<label>/screenshot`

use axum::extract::{Path, State};
use http::header::{AGE, CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::conditional::Asked;
use super::gate::Caller;
use super::{Failure, Site};
use crate::auth::policy::{self, Denied, Verb};
use crate::body::Body;
use crate::respond;
use crate::thumbnail::Thumbnail;

/// A small picture of its screen, for its owner and nobody else. `Age` tells how many seconds old it
/// is; of a frozen session it is the last one that was taken.
#[utoipa::path(
    get, path = "/api/v1/sessions/{label}/screenshot", tag = "sessions", operation_id = "read_screenshot",
    params(("label" = String, Path, description = "The session's label")),
    responses(
        (status = 200, description = "The picture", content_type = "image/png", body = Vec<u8>,
            headers(("ETag" = String, description = "Changes with the picture"))),
        (status = 304, description = "As in the answer with this tag"),
    ),
)]
pub(super) async fn show(
    State(site): State<Site>,
    caller: Caller,
    Path(label): Path<String>,
    headers: HeaderMap,
) -> Result<Response<Body>, Failure> {
    let entry = site.broker().find(&label).ok_or(Denied)?;
    // Seeing that a session exists is not seeing what is on its screen; and a guest who looks is a
    // viewer, whom the owner sees. Nobody sees a picture being fetched.
    if let Err(denied) = policy::allow(&caller.known, Verb::Open, entry.id, entry.owner, None) {
        site.auth().refused(&caller.known, caller.address, &entry.label).await;
        return Err(denied.into());
    }
    let thumbnail = site.0.thumbnails.of(&entry).await?;
    Ok(picture(&thumbnail, &Asked::of(&Method::GET, &headers)))
}

fn picture(thumbnail: &Thumbnail, asked: &Asked) -> Response<Body> {
    let tag = format!("\"{}\"", thumbnail.tag);
    let mut response = respond::bare(StatusCode::OK, String::new());
    if asked.knows(&tag) {
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

//! gzip for pages and static files, where whoever asks takes it.
//!
//! What is squeezed together with a secret can tell of it by its size (BREACH), so the secrets of
//! forms are masked anew in every page (`auth::csrf`), and nothing but our own pages and files is
//! ever squeezed: what a container sends passes as it is.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::BodyExt;

use super::bare;
use crate::body::Body;

/// Below it a packet is a packet.
const LEAST_BYTES: usize = 1024;

/// Whether whoever asks takes gzip.
///
/// **Source**: RFC 9110 §12.5.3. Nobody says `*` or weights but to refuse; both are honoured.
#[must_use]
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let listed = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|list| list.to_str().ok());
    listed.flat_map(|list| list.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=")).unwrap_or("1");
        name.eq_ignore_ascii_case("gzip") && weight.parse().is_ok_and(|weight: f32| weight > 0.0)
    })
}

/// As small as it gets, for what is squeezed once and sent often.
#[must_use]
pub fn gzip_small(content: &[u8]) -> Bytes {
    gzip(content, Compression::best())
}

fn gzip(content: &[u8], how: Compression) -> Bytes {
    let mut squeezed = GzEncoder::new(Vec::with_capacity(content.len() / 4), how);
    // A vector takes whatever is written to it.
    let written = squeezed.write_all(content).and_then(|()| squeezed.finish());
    written.unwrap_or_default().into()
}

/// A page as gzip; everything else as it is.
pub async fn squeeze(response: Response<Body>) -> Response<Body> {
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if !kind.is_some_and(|kind| kind.starts_with(b"text/html")) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let Ok(page) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return bare(StatusCode::INTERNAL_SERVER_ERROR, String::new());
    };
    head.headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if page.len() < LEAST_BYTES {
        return Response::from_parts(head, Body::full(page));
    }
    head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    head.headers.remove(CONTENT_LENGTH);
    // Quick rather than small: a page is made for one reader.
    Response::from_parts(head, Body::full(gzip(&page, Compression::fast())))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn gzip_is_for_whoever_takes_it() {
        for (header, takes) in [
            ("gzip, deflate, br, zstd", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip;q=nonsense", false),
            ("identity", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(header));
            assert_eq!(takes_gzip(&headers), takes, "{header}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn a_page_comes_out_as_it_went_in_and_nothing_else_is_touched() {
        let text = "<p>Your machines</p>".repeat(500);
        let answer = |kind: &'static str| {
            let mut response = Response::new(Body::full(text.clone()));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            response
        };
        let page = squeeze(answer("text/html; charset=utf-8")).await;
        assert_eq!(page.headers()[CONTENT_ENCODING], "gzip");
        let sent = page.into_body().collect().await.expect("a body").to_bytes();
        assert!(sent.len() < text.len() / 10, "{}", sent.len());
        let mut read = String::new();
        GzDecoder::new(&*sent).read_to_string(&mut read).expect("gzip");
        assert_eq!(read, text);
        let stream = squeeze(answer("text/event-stream")).await;
        assert!(!stream.headers().contains_key(CONTENT_ENCODING));
    }
}

//! Static files: ours, embedded in the binary, and noVNC's, read once from its directory.
//!
//! Every address carries the version of its content, so browsers keep the files for good and
//! fetch them anew after an update.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use sha2::{Digest, Sha256};

use crate::body::Body;
use crate::respond::encoding;

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

#[derive(rust_embed::Embed)]
#[folder = "src/web/static/"]
struct Embedded;

/// A set of files and the version they have together. Held for the life of the process; a path is
/// looked up in it and never reaches a file system.
#[derive(Debug)]
pub struct Assets {
    version: String,
    files: HashMap<String, File>,
}

#[derive(Debug)]
struct File {
    content: Bytes,
    /// The same as gzip, where that is less; made when it is first asked for.
    squeezed: OnceLock<Option<Bytes>>,
    kind: HeaderValue,
    etag: HeaderValue,
}

impl Assets {
    /// The files that belong to this binary.
    pub fn embedded() -> Self {
        let content =
            |path: Cow<'static, str>| Some((path.to_string(), Embedded::get(&path)?.data.into_owned()));
        Self::of(Embedded::iter().filter_map(content))
    }

    /// A set of the given files, by path.
    pub fn of(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort();
        let mut all = Sha256::new();
        let mut map = HashMap::new();
        for (path, content) in files {
            let hash = Sha256::digest(&content);
            all.update(path.as_bytes());
            all.update(hash);
            // Weak: the same content, squeezed or not.
            let etag =
                HeaderValue::from_str(&format!("W/\"{}\"", hex(&hash[..12]))).expect("hex is a header value");
            let file = File { content: content.into(), squeezed: OnceLock::new(), kind: kind(&path), etag };
            map.insert(path, file);
        }
        Self { version: hex(&all.finalize()[..6]), files: map }
    }

    /// The version of all files together; part of their addresses.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Answers a request for `path`; `None` if there is no such file. A page of another version
    /// gets the present file, but nobody keeps it under that address.
    pub fn get(&self, version: &str, path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
        let file = self.files.get(path)?;
        let fresh = headers.get_all(IF_NONE_MATCH).iter().any(|tag| names(tag, &file.etag));
        let squeezed = if encoding::takes_gzip(headers) { file.squeezed() } else { None };
        let content = squeezed.unwrap_or(&file.content).clone();
        let body = if fresh { Body::empty() } else { Body::full(content) };
        let mut response = Response::new(body);
        if fresh {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let keep = if version == self.version { "public, max-age=31536000, immutable" } else { "no-cache" };
        let squeezed = squeezed.is_some() && !fresh;
        let headers = response.headers_mut();
        if squeezed {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(CONTENT_TYPE, file.kind.clone());
        headers.insert(ETAG, file.etag.clone());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
        Some(response)
    }
}

impl File {
    fn squeezed(&self) -> Option<&Bytes> {
        let squeeze =
            || Some(encoding::gzip_small(&self.content)).filter(|less| less.len() < self.content.len());
        self.squeezed.get_or_init(squeeze).as_ref()
    }
}

/// Whether `If-None-Match` names this tag (RFC 9110 §13.1.2, weak comparison).
fn names(header: &HeaderValue, etag: &HeaderValue) -> bool {
    let Ok(header) = header.to_str() else { return false };
    header
        .split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || etag.as_bytes().strip_prefix(b"W/") == Some(tag.as_bytes()))
}

/// The type of a file by its name. Scripts must be served as JavaScript or no browser runs them.
fn kind(path: &str) -> HeaderValue {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let text = if kind.type_() == "text" { format!("{kind}; charset=utf-8") } else { kind.to_string() };
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(response: &Response<Body>, name: HeaderName) -> &str {
        response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    #[test]
    fn files_have_a_type_a_tag_and_are_kept_for_good() {
        let assets = Assets::embedded();
        for (path, kind) in [
            ("berth.css", "text/css; charset=utf-8"),
            ("viewer.js", "text/javascript; charset=utf-8"),
            ("mark.svg", "image/svg+xml"),
        ] {
            let response = assets.get(assets.version(), path, &HeaderMap::new()).expect(path);
            assert_eq!(header(&response, CONTENT_TYPE), kind);
            assert!(header(&response, CACHE_CONTROL).contains("immutable"));
            assert_eq!(header(&response, X_CONTENT_TYPE_OPTIONS), "nosniff");
        }
        assert!(assets.get(assets.version(), "../Cargo.toml", &HeaderMap::new()).is_none());
    }

    #[test]
    fn an_older_version_is_served_but_not_kept() {
        let response =
            Assets::embedded().get("000000000000", "berth.css", &HeaderMap::new()).expect("the file");
        assert_eq!(header(&response, CACHE_CONTROL), "no-cache");
    }

    #[test]
    fn whoever_takes_gzip_gets_it() {
        let assets = Assets::embedded();
        let mut headers = HeaderMap::new();
        headers.insert(http::header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br"));
        let response = assets.get(assets.version(), "berth.css", &headers).expect("the file");
        assert_eq!(header(&response, CONTENT_ENCODING), "gzip");
        assert_eq!(header(&response, VARY), "accept-encoding");
        let plain = assets.get(assets.version(), "berth.css", &HeaderMap::new()).expect("the file");
        assert_eq!(header(&plain, CONTENT_ENCODING), "");
        assert_eq!(header(&plain, ETAG), header(&response, ETAG));
    }

    #[test]
    fn a_known_tag_is_answered_without_the_content() {
        let assets = Assets::of([("a.js".to_owned(), b"1".to_vec())]);
        let get = |headers: &HeaderMap| assets.get(assets.version(), "a.js", headers).expect("the file");
        let etag = header(&get(&HeaderMap::new()), ETAG).to_owned();
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, format!("\"x\", W/{etag}").parse().expect("a header"));
        assert_eq!(get(&headers).status(), StatusCode::NOT_MODIFIED);
        headers.insert(IF_NONE_MATCH, HeaderValue::from_static("\"x\""));
        assert_eq!(get(&headers).status(), StatusCode::OK);
    }
}

//! What stands before every handler, by the description of the API: which parameters an address takes,
//! and that a document is an object.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::flaw::Flaw;
use super::{Failure, MOST_BYTES};
use crate::respond::Unreadable;

/// What each described method of an address takes.
pub(super) type Addresses = HashMap<(Method, String), Address>;

/// What one of them takes.
#[derive(Debug)]
pub(super) struct Address {
    /// The names of the parameters behind the `?`.
    parameters: BTreeSet<String>,
    /// Whether it takes a document, which is an object.
    object: bool,
}

/// Reads it off the description.
pub(super) fn addresses(document: &Value) -> Addresses {
    let mut found = Addresses::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let Ok(method) = method.to_ascii_uppercase().parse::<Method>() else { continue };
            let of_query = |parameter: &&Value| parameter["in"] == "query";
            let all = operation["parameters"].as_array().into_iter().flatten();
            let names = all.filter(of_query).filter_map(|parameter| parameter["name"].as_str());
            let document = operation.pointer("/requestBody/content/application~1json/schema");
            let address = Address {
                parameters: names.map(str::to_owned).collect(),
                object: document.is_some_and(|schema| schema["type"] != "array"),
            };
            found.insert((method, path.clone()), address);
        }
    }
    found
}

/// Refuses a parameter that its address does not take, or takes once: what somebody believes to be a
/// filter shall not be passed over in silence. And a list where an object belongs, which the parser
/// would take for the object's fields in their order.
pub(super) async fn check(State(addresses): State<Arc<Addresses>>, request: Request, next: Next) -> Response {
    let method = if request.method() == Method::HEAD { Method::GET } else { request.method().clone() };
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let Some(address) = path.and_then(|path| addresses.get(&(method, path))) else {
        return next.run(request).await;
    };
    if let Some(flaw) = flaw(&address.parameters, request.uri().query().unwrap_or_default()) {
        return Failure::from(flaw).into_response();
    }
    if !address.object {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(text) = to_bytes(body, MOST_BYTES).await else {
        return Failure::from(Unreadable { status: StatusCode::PAYLOAD_TOO_LARGE }).into_response();
    };
    if text.trim_ascii_start().starts_with(b"[") {
        return Failure::from(Flaw::new("(the whole document)", "expected an object")).into_response();
    }
    next.run(Request::from_parts(parts, Body::from(text))).await
}

fn flaw(taken: &BTreeSet<String>, query: &str) -> Option<Flaw> {
    let mut seen = BTreeSet::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let name = pair.split('=').next().unwrap_or_default().replace('+', " ");
        let name = percent_decode_str(&name).decode_utf8_lossy().into_owned();
        if !taken.contains(&name) {
            let expected: Vec<&str> = taken.iter().map(String::as_str).collect();
            let expected = if expected.is_empty() { "none".to_owned() } else { expected.join(", ") };
            return Some(Flaw::new(name, format!("an unknown parameter; this address takes {expected}")));
        }
        if !seen.insert(name.clone()) {
            return Some(Flaw::new(name, "it is there more than once"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_address_does_not_take_is_named() {
        let taken = BTreeSet::from(["limit".to_owned(), "cursor".to_owned()]);
        for fine in ["", "&", "limit=1", "cursor=a&limit=", "%6cimit=1"] {
            assert!(flaw(&taken, fine).is_none(), "{fine}");
        }
        for (query, field) in [("x", "x"), ("limit=1&a+b=2", "a b"), ("limit=1&limit=2", "limit"), ("=1", "")]
        {
            let found = flaw(&taken, query).expect(query);
            assert_eq!(crate::fault::Answer::field(&found), Some(field));
        }
    }
}

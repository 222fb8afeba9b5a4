//! What stands before every handler, by the description of the API: which parameters an address takes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::Method;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::Failure;
use super::flaw::Flaw;

/// The names of the parameters behind the `?`, of every described method and address.
pub(super) type Parameters = HashMap<(Method, String), BTreeSet<String>>;

/// Reads them off the description.
pub(super) fn parameters(document: &Value) -> Parameters {
    let mut found = Parameters::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let Ok(method) = method.to_ascii_uppercase().parse::<Method>() else { continue };
            let of_query = |parameter: &&Value| parameter["in"] == "query";
            let all = operation["parameters"].as_array().into_iter().flatten();
            let names = all.filter(of_query).filter_map(|parameter| parameter["name"].as_str());
            found.insert((method, path.clone()), names.map(str::to_owned).collect());
        }
    }
    found
}

/// Refuses a parameter that its address does not take, or takes once: what somebody believes to be a
/// filter shall not be passed over in silence.
pub(super) async fn check(
    State(parameters): State<Arc<Parameters>>,
    request: Request,
    next: Next,
) -> Response {
    let method = if request.method() == Method::HEAD { Method::GET } else { request.method().clone() };
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let taken = path.and_then(|path| parameters.get(&(method, path)));
    match taken.and_then(|taken| flaw(taken, request.uri().query().unwrap_or_default())) {
        Some(flaw) => Failure::from(flaw).into_response(),
        None => next.run(request).await,
    }
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

//! What stands before every handler, by the description of the API: which parameters an address takes,
//! and which parts of a document are objects.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::flaw::Flaw;
use super::{Failure, MOST_BYTES, openapi};
use crate::respond::Unreadable;

/// What each described method of an address takes.
pub(super) type Addresses = HashMap<(Method, String), Address>;

/// What one of them takes.
#[derive(Debug)]
pub(super) struct Address {
    /// The names of the parameters behind the `?`, unless it ignores what it does not know.
    parameters: Option<BTreeSet<String>>,
    /// Where the document that it takes has objects: the whole, and its parts by their names. Empty if
    /// it takes none.
    objects: Vec<String>,
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
            let sent = operation.pointer("/requestBody/content/application~1json/schema");
            let strict = !openapi::is_lenient(operation);
            let address = Address {
                parameters: strict.then(|| names.map(str::to_owned).collect()),
                objects: sent.map(|schema| objects(document, schema)).unwrap_or_default(),
            };
            found.insert((method, path.clone()), address);
        }
    }
    found
}

/// Where a document of this schema has objects; deeper than its own fields there are none.
fn objects(document: &Value, schema: &Value) -> Vec<String> {
    let parts = named(document, schema)["properties"].as_object().into_iter().flatten();
    let parts = parts.filter(|(_, part)| named(document, part)["properties"].is_object());
    std::iter::once(String::new()).chain(parts.map(|(name, _)| name.clone())).collect()
}

/// The schema that this one is the name of, also where `null` may stand for it.
fn named<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let forms = schema["oneOf"].as_array().into_iter().flatten();
    let name = std::iter::once(schema).chain(forms).find_map(|form| form["$ref"].as_str());
    name.and_then(|at| document.pointer(at.trim_start_matches('#'))).unwrap_or(schema)
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
    let query = request.uri().query().unwrap_or_default();
    if let Some(flaw) = address.parameters.as_ref().and_then(|taken| flaw(taken, query)) {
        return Failure::from(flaw).into_response();
    }
    if address.objects.is_empty() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(text) = to_bytes(body, MOST_BYTES).await else {
        return Failure::from(Unreadable { status: StatusCode::PAYLOAD_TOO_LARGE }).into_response();
    };
    match settled(&address.objects, text) {
        Ok(text) => next.run(Request::from_parts(parts, Body::from(text))).await,
        Err(flaw) => Failure::from(flaw).into_response(),
    }
}

/// The document as the parser takes it as it is meant. What is no JSON is the handler's to refuse.
fn settled(objects: &[String], text: Bytes) -> Result<Bytes, Flaw> {
    let Ok(mut document) = serde_json::from_slice::<Value>(&text) else { return Ok(text) };
    for name in objects {
        let (part, field) = match name.as_str() {
            "" => (Some(&document), "(the whole document)"),
            name => (document.get(name), name),
        };
        if part.is_some_and(Value::is_array) {
            return Err(Flaw::new(field, "expected an object"));
        }
    }
    Ok(if make_whole(&mut document) { document.to_string().into() } else { text })
}

/// Writes whole numbers without a point (JSON Schema 2020-12, validation §6.1.1: `1.0` is an integer).
/// Whether there was one.
fn make_whole(document: &mut Value) -> bool {
    match document {
        Value::Array(items) => items.iter_mut().map(make_whole).filter(|found| *found).count() > 0,
        Value::Object(fields) => fields.values_mut().map(make_whole).filter(|found| *found).count() > 0,
        Value::Number(number) if number.is_f64() => {
            let whole = number.as_f64().filter(|number| number.fract() == 0.0);
            // Up to 2^53 every whole number is one that both kinds can be.
            let whole = whole.filter(|number| number.abs() <= 9_007_199_254_740_992.0);
            // Written without a point, and so read as what it is. Zero has no sign then.
            let whole = whole.and_then(|number| format!("{:.0}", number + 0.0).parse().ok());
            whole.is_some_and(|whole| {
                *number = whole;
                true
            })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
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

    #[test]
    fn a_list_is_no_object_and_a_whole_number_needs_no_point() {
        let objects = [String::new(), "limits".to_owned()];
        let settled = |text: &'static str| settled(&objects, Bytes::from_static(text.as_bytes()));
        for (list, field) in
            [("[1]", "(the whole document)"), (" [", ""), (r#"{"limits": [null]}"#, "limits")]
        {
            let refused = settled(list).err();
            let named = refused.as_ref().and_then(crate::fault::Answer::field).unwrap_or_default();
            assert_eq!(named, field, "{list}");
        }
        for (sent, read) in [
            (r#"{"limits": null, "a": [1.5, 1e300, -0.5]}"#, r#"{"limits": null, "a": [1.5, 1e300, -0.5]}"#),
            (r#"{"a":{"b":[288.0,2.5,-0.0]}}"#, r#"{"a":{"b":[288,2.5,0]}}"#),
            ("no json", "no json"),
        ] {
            assert_eq!(settled(sent).unwrap(), read.as_bytes());
        }
    }
}

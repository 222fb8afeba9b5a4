//! Requests that are sent again because nobody knows whether the first arrived: a `POST` that names an
//! `Idempotency-Key` is carried out once, and answered the same however often it comes.
//!
//! Only answers of success are kept: a refusal changed nothing, and may be another one next time.
//! Neither the key nor what was sent is stored, only hashes; and of an answer nothing that is told once.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dashmap::DashMap;
use http::header::{CONTENT_TYPE, LOCATION};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use serde_json::Value;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tracing::warn;

use super::conditional::Text;
use super::flaw::Flaw;
use crate::auth::Principal;
use crate::body::Body;
use crate::clock;
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::respond;
use crate::secret::TokenHash;
use crate::store::{KeptAnswer, Store, StoreError};

/// In which a program names what it does, so that doing it twice is doing it once.
pub(super) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Answers are kept this long.
const KEPT: Duration = Duration::from_hours(24);

/// The longest key.
const LONGEST_KEY: usize = 255;

/// No document of ours that is answered to a `POST` comes near it.
const LONGEST_BODY: usize = 256 * 1024;

/// What is kept in place of an answer that tells something once.
#[derive(Clone)]
pub(super) struct Again(pub(super) Bytes);

/// Why a repeated request is not carried out.
#[derive(Clone, Copy, Debug, Error)]
pub(super) enum RepeatError {
    /// The first is still under way.
    #[error("the same request is being carried out")]
    Busy,
    /// Something else was asked for under this key.
    #[error("the key was used for another request")]
    Reused,
}

impl Answer for RepeatError {
    fn fault(&self) -> Fault {
        Fault::Downstream
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Busy => "idempotency_busy",
            Self::Reused => "idempotency_reused",
        }
    }

    fn sentence(&self) -> Sentence {
        Sentence::of(match self {
            Self::Busy => "problem-idempotency-busy",
            Self::Reused => "problem-idempotency-reused",
        })
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy => Some(Duration::from_secs(1)),
            Self::Reused => None,
        }
    }
}

/// One request that may come again.
pub(super) struct Repeatable {
    key: TokenHash,
    request: TokenHash,
}

impl Repeatable {
    /// The key of a request, if it names one where one counts.
    ///
    /// # Errors
    /// [`Flaw`] if it is no key.
    pub(super) fn key(parts: &Parts) -> Result<Option<String>, Flaw> {
        let mut named = parts.headers.get_all(&KEY).iter();
        let Some(first) = named.next().filter(|_| parts.method == Method::POST) else { return Ok(None) };
        let expected = || {
            Flaw::new(
                "Idempotency-Key",
                format!("expected one of 1 to {LONGEST_KEY} visible ASCII characters"),
            )
        };
        let key = first.to_str().map_err(|_| expected())?;
        let fits = (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        if fits && named.next().is_none() { Ok(Some(key.to_owned())) } else { Err(expected()) }
    }

    /// What `known` asks for under this key.
    pub(super) fn of(known: &Principal, parts: &Parts, key: &str, body: &[u8]) -> Self {
        // A login may be another one by the time its user asks again; a token is itself.
        let who = if known.token { known.login.0.to_vec() } else { known.user.0.as_bytes().to_vec() };
        let kind = parts.headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
        Self {
            key: hash(&[&who, parts.method.as_str().as_bytes(), target.as_bytes(), key.as_bytes()]),
            // With the key, which is not stored, nobody can guess at what was sent.
            request: hash(&[key.as_bytes(), kind, body]),
        }
    }

    /// What is kept of its answer, if that is one of success.
    pub(super) fn answered(&self, response: &Response<Body>) -> Option<KeptAnswer> {
        let extensions = response.extensions();
        let text = extensions.get::<Again>().map(|Again(text)| text);
        let text = text.or_else(|| extensions.get::<Text>().map(|Text(text)| text));
        let body = text.map_or_else(String::new, |text| without_secrets(text));
        let location = response.headers().get(LOCATION).and_then(|at| at.to_str().ok());
        let answer = KeptAnswer {
            key: self.key,
            request: self.request,
            status: response.status().as_u16(),
            location: location.map(str::to_owned),
            body,
            answered_at: clock::now(),
        };
        (response.status().is_success() && answer.body.len() <= LONGEST_BODY).then_some(answer)
    }
}

/// The document with `null` for whatever is told once, however deep it stands.
fn without_secrets(text: &[u8]) -> String {
    fn redact(document: &mut Value) {
        match document {
            Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| match name.as_str() {
                "password" | "secret" => *value = Value::Null,
                _ => redact(value),
            }),
            Value::Array(items) => items.iter_mut().for_each(redact),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let Ok(mut document) = serde_json::from_slice(text) else { return String::new() };
    redact(&mut document);
    document.to_string()
}

/// Every part with its length before it, so that no two lists are the same text.
fn hash(parts: &[&[u8]]) -> TokenHash {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    TokenHash(hash.finalize().into())
}

/// The requests that are under way in this process.
#[derive(Clone, Debug, Default)]
pub(super) struct UnderWay(Arc<DashMap<TokenHash, ()>>);

/// One of them, until it is dropped.
pub(super) struct Turn {
    under_way: UnderWay,
    key: TokenHash,
}

impl UnderWay {
    /// Takes the turn for a request.
    ///
    /// # Errors
    /// [`RepeatError::Busy`] while another has it.
    pub(super) fn enter(&self, asked: &Repeatable) -> Result<Turn, RepeatError> {
        match self.0.insert(asked.key, ()) {
            None => Ok(Turn { under_way: self.clone(), key: asked.key }),
            Some(()) => Err(RepeatError::Busy),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.under_way.0.remove(&self.key);
    }
}

/// The answer that was given before, if one is kept.
///
/// # Errors
/// [`RepeatError::Reused`] if that was to another request; the store's.
pub(super) async fn kept(
    store: &dyn Store,
    asked: &Repeatable,
) -> Result<Result<Option<Response<Body>>, RepeatError>, StoreError> {
    let Some(kept) = store.kept_answer(&asked.key).await? else { return Ok(Ok(None)) };
    if clock::since(kept.answered_at) >= KEPT {
        return Ok(Ok(None));
    }
    if kept.request != asked.request {
        return Ok(Err(RepeatError::Reused));
    }
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    let mut response = respond::bare(status, String::new());
    let headers = response.headers_mut();
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    if let Some(at) = kept.location.as_deref().and_then(|at| HeaderValue::from_str(at).ok()) {
        headers.insert(LOCATION, at);
    }
    if !kept.body.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *response.body_mut() = Body::full(kept.body);
    }
    Ok(Ok(Some(response)))
}

/// Keeps an answer, and forgets what is too old. A store that cannot write does not take the answer
/// from whoever waits for it.
pub(super) async fn keep(store: &dyn Store, answer: &KeptAnswer) {
    let kept = async {
        store.keep_answer(answer).await?;
        match clock::earlier(answer.answered_at, KEPT) {
            Some(before) => store.purge_answers(before).await.map(drop),
            None => Ok(()),
        }
    };
    if let Err(error) = kept.await {
        warn!(%error, "an answer could not be kept for whoever repeats its request");
    }
}

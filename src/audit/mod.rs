//! The audit: who did what, to what, and with which outcome; refusals too.
//!
//! A closed list of events, each stored as one line of JSON in a hash chain: changing or
//! removing a line breaks every hash after it. (Cutting off the newest lines does not; the
//! operator's copy of the last hash, as `berth audit verify` prints it, shows that.) The audit
//! is not a log: it is for people who ask later what happened.

mod chain;
mod event;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;
use tracing::error;

pub use self::chain::{GENESIS, chain};
pub use self::event::{AuditEvent, LoginRefusal, Outcome};
use crate::clock;
use crate::store::{Store, StoreError};

/// The version of the lines' form; raised when a field changes its meaning.
const VERSION: u8 = 1;
const VERIFY_PAGE: usize = 1000;

/// Who did something.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Actor {
    /// A user's name, or one of the names no user may have: `system`, `cli`, `token`,
    /// `anonymous`.
    #[serde(rename = "actor")]
    pub name: String,
    /// Where they did it from, if over the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
}

impl Actor {
    /// The names that stand for no user; nobody may be called so.
    pub const RESERVED: [&str; 4] = ["anonymous", "cli", "system", Self::TOKEN];

    /// The name of whoever holds the bootstrap token.
    pub const TOKEN: &str = "token";

    /// What the names of tokens begin with that act as nobody; no user may be called so.
    pub const OF_TOKENS: &str = "token ";

    /// A user at an address.
    #[must_use]
    pub fn user(name: &str, address: IpAddr) -> Self {
        Self { name: name.to_owned(), address: Some(address) }
    }

    /// Somebody at an address who did not prove who they are.
    #[must_use]
    pub fn anonymous(address: IpAddr) -> Self {
        Self { name: "anonymous".to_owned(), address: Some(address) }
    }

    /// The gateway by itself.
    #[must_use]
    pub fn system() -> Self {
        Self { name: "system".to_owned(), address: None }
    }

    /// An operator at the command line.
    #[must_use]
    pub fn cli() -> Self {
        Self { name: "cli".to_owned(), address: None }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Record {
    /// What.
    #[serde(flatten)]
    pub event: AuditEvent,
    /// Who.
    #[serde(flatten)]
    pub actor: Actor,
    /// To whom or what: a user name or a session label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

impl Record {
    /// An event without a target.
    #[must_use]
    pub fn new(actor: Actor, event: AuditEvent) -> Self {
        Self { event, actor, target: None }
    }

    /// The same with a target.
    #[must_use]
    pub fn about(self, target: impl Into<String>) -> Self {
        Self { target: Some(target.into()), ..self }
    }
}

/// What is stored: JSON, so that no control character reaches the line unescaped.
#[derive(Serialize)]
struct Line<'a> {
    v: u8,
    at: Timestamp,
    outcome: Outcome,
    #[serde(flatten)]
    record: &'a Record,
}

/// Where events are recorded. Clones share the store and the count.
#[derive(Clone)]
pub struct Audit(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    lost: AtomicU64,
}

impl Audit {
    /// Records into this store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self(Arc::new(Inner { store, lost: AtomicU64::new(0) }))
    }

    /// Records what happened, durably once it returns.
    ///
    /// It never fails its caller: what happened has happened. A line that cannot be stored is
    /// logged as an error, whole, and counted as `berth_audit_lost_total`.
    pub async fn record(&self, record: Record) {
        let line = Line { v: VERSION, at: clock::now(), outcome: record.event.outcome(), record: &record };
        let body = escaped(&serde_json::to_string(&line).expect("an audit line has only texts and numbers"));
        if let Err(error) = self.0.store.append_audit(body.clone()).await {
            self.0.lost.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("berth_audit_lost_total").increment(1);
            error!(%error, line = body, "an audit line could not be stored");
        }
    }

    /// How many lines could not be stored since the start.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }
}

/// JSON escapes the control characters below space; this escapes the others too (DEL, C1,
/// direction overrides), which a terminal would obey. They occur only inside JSON's strings.
fn escaped(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            line.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            line.push(c);
        }
    }
    line
}

/// The first line that does not fit the chain, or why the lines could not be read.
#[derive(Debug, Error)]
#[error("line {number} of the audit is not as it was written: {why}")]
pub struct Broken {
    /// The first line that does not fit.
    pub number: u64,
    /// What does not fit.
    pub why: String,
}

/// Checks every line's number and hash; returns how many there are.
///
/// # Errors
/// [`Broken`] names the first line that was changed, removed, or cannot be read.
pub async fn verify(store: &dyn Store) -> Result<u64, Broken> {
    let (mut last, mut prev) = (0, GENESIS.to_owned());
    loop {
        let next = last + 1;
        let unread = |error: StoreError| Broken { number: next, why: error.to_string() };
        let lines = store.audit(last, VERIFY_PAGE).await.map_err(unread)?;
        if lines.is_empty() {
            return Ok(last);
        }
        for line in lines {
            let broken = |why: &str| Broken { number: last + 1, why: why.to_owned() };
            if line.number != last + 1 {
                return Err(broken("it is missing"));
            }
            if line.hash != chain(&prev, &line.body) {
                return Err(broken("its hash does not match"));
            }
            (last, prev) = (line.number, line.hash);
        }
    }
}

#[cfg(test)]
mod tests;

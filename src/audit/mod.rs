//! The audit: who did what, to what, and with which outcome; refusals too.
//!
//! A closed list of events, each stored as one line of JSON in a hash chain: changing or
//! removing a line breaks every hash after it. (Cutting off the newest lines does not; the
//! operator's copy of the last hash, as `berth audit verify` prints it, shows that.) The audit
//! is not a log: it is for people who ask later what happened.

mod chain;
mod event;
mod export;
mod kind;
mod outcome;
mod quiet;
mod reading;
mod refusal;
mod retention;
mod verify;
mod visible;
mod when;
mod whose;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::watch;
use tracing::error;

pub use self::chain::{GENESIS, chain};
pub use self::event::AuditEvent;
pub use self::export::{Export, Format, Proven, Unproven, inert, prove};
pub use self::kind::{EventKind, UnknownEvent};
pub use self::outcome::{Outcome, Reason, UnknownOutcome};
pub use self::quiet::Quiet;
pub use self::reading::Reading;
pub use self::refusal::{LinkRefusal, LoginRefusal};
pub use self::retention::Settings;
pub use self::verify::{Unverified, Verified, verify, verify_telling};
pub use self::visible::{is_obeyed, visible};
pub use self::when::{UnknownTime, when};
pub use self::whose::Whose;
use crate::clock;
use crate::store::{AuditLine, Store};
use crate::telemetry::names;

/// The version of the lines' form; raised when a field changes its meaning.
const VERSION: u8 = 1;

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
    /// The number of the newest line written here; followers wait for it to rise.
    newest: watch::Sender<u64>,
}

impl Audit {
    /// Records into this store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self(Arc::new(Inner { store, lost: AtomicU64::new(0), newest: watch::Sender::new(0) }))
    }

    /// Records what happened, durably once it returns.
    ///
    /// It never fails its caller: what happened has happened. A line that cannot be stored is
    /// logged as an error, whole, and counted as `berth_audit_lost_total`.
    pub async fn record(&self, record: Record) {
        let body = body_of(&record);
        match self.0.store.append_audit(body.clone()).await {
            Ok(line) => self.heard(&line),
            Err(error) => {
                self.0.lost.fetch_add(1, Ordering::Relaxed);
                metrics::counter!(names::AUDIT_LOST).increment(1);
                error!(%error, line = body, "an audit line could not be stored");
            }
        }
    }

    /// Follows the number of the newest line. What other processes write is not heard of here.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<u64> {
        self.0.newest.subscribe()
    }

    fn heard(&self, line: &AuditLine) {
        // Two lines may be heard of in the other order.
        self.0.newest.send_if_modified(|newest| {
            let news = line.number > *newest;
            *newest = line.number.max(*newest);
            news
        });
    }

    fn store(&self) -> &dyn Store {
        &*self.0.store
    }

    /// How many lines could not be stored since the start.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }
}

/// What is stored of a record. JSON escapes the control characters below space; the others that a
/// terminal or a page would obey are escaped too. They occur only inside JSON's strings.
fn body_of(record: &Record) -> String {
    let line = Line { v: VERSION, at: clock::now(), outcome: record.event.outcome(), record };
    visible(&serde_json::to_string(&line).expect("an audit line has only texts and numbers"))
}

#[cfg(test)]
mod tests;

//! What was asked for and not done, on its way to the audit: with the engine's own words where it
//! was the engine.

use super::{Broker, BrokerError, Entry};
use crate::audit::{Actor, AuditEvent, Reason, Record};
use crate::fault::Answer;
use crate::session::{Next, SessionId, State};
use crate::store::User;

/// Who was told what about which change of which session; the same again within a minute is no news.
pub(super) type Told = (SessionId, String, &'static str, &'static str);

/// What a stop is called that this is to follow.
pub(super) fn verb(next: Next) -> &'static str {
    match next {
        Next::Remove => "remove",
        Next::Reset => "reset",
        Next::ResetHome => "reset_home",
        Next::Rest => "stop",
        Next::Restart => "restart",
    }
}

impl Broker {
    /// Hands on how a change of a session ended; one that was not done is in the audit then, once a
    /// minute however often it is asked for: a page that reloads itself is no flood.
    pub(super) async fn told<T>(
        &self,
        entry: &Entry,
        change: &'static str,
        by: &Actor,
        outcome: Result<T, BrokerError>,
    ) -> Result<T, BrokerError> {
        if let Err(error) = &outcome
            && self.0.refusals.is_news((entry.id, by.name.clone(), change, error.code()))
        {
            let event = AuditEvent::SessionNotChanged { change, reason: Reason::of(error) };
            self.record(entry, event, by.clone()).await;
        }
        outcome
    }

    /// Puts into the audit why the end of a session did not work, once a minute however often it is
    /// tried again.
    pub(super) async fn not_ended<E: Answer>(&self, entry: &Entry, error: &E) {
        let session = entry.session();
        let next = if let State::Stopping { next, .. } = session.state { next } else { Next::Remove };
        if self.0.refusals.is_news((entry.id, String::new(), "end", "")) {
            let event = AuditEvent::SessionNotEnded { change: verb(next), reason: Reason::of(error) };
            self.record(entry, event, entry.ender()).await;
        }
    }

    /// Hands on how the creation of a session for `owner` ended; one that was not created is in the audit
    /// then.
    pub(super) async fn told_of_new<T>(
        &self,
        owner: &User,
        (template, name): (String, String),
        by: &Actor,
        outcome: Result<T, BrokerError>,
    ) -> Result<T, BrokerError> {
        if let Err(error) = &outcome {
            let event = AuditEvent::SessionNotCreated { template, name, reason: Reason::of(error) };
            self.0.audit.record(Record::new(by.clone(), event).about(&owner.name)).await;
        }
        outcome
    }
}

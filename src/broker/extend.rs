//! More time for whoever asks.

use std::sync::Arc;
use std::time::Duration;

use tracing::info;

use super::{Broker, BrokerError, Change, Entry};
use crate::audit::{Actor, AuditEvent};
use crate::session::reap::{Extension, extension};
use crate::session::{Illegal, InputSource};

impl Broker {
    /// Gives a reachable session more time. Total and closing time are put off when one of them
    /// comes first, by `extend` each time and `extend_max` in all for one start; otherwise it is
    /// input like any other. What was granted survives a restart of the gateway.
    ///
    /// # Errors
    /// [`BrokerError::ExtendSpent`] when it got all it may, [`BrokerError::Illegal`] if it is not
    /// reachable, or the store's refusal.
    pub async fn extend(&self, entry: &Arc<Entry>, by: &Actor) -> Result<(), BrokerError> {
        let (broker, entry, by) = (self.clone(), entry.clone(), by.clone());
        self.whole(async move {
            let extended = broker.extend_now(&entry, by.clone()).await;
            broker.told(&entry, "extend", &by, extended).await
        })
        .await
    }

    async fn extend_now(&self, entry: &Arc<Entry>, by: Actor) -> Result<(), BrokerError> {
        let _turn = entry.turn.lock().await;
        let granted = match extension(&entry.facts(), &entry.policy) {
            Extension::Grant(granted) => granted,
            Extension::Renew => Duration::ZERO,
            Extension::Spent => return Err(BrokerError::ExtendSpent { limit: entry.policy.extend_max }),
            Extension::Unfit => {
                return Err(Illegal { state: entry.session().state.kind(), event: "extend" }.into());
            }
        };
        if !granted.is_zero() {
            let mut session = (*entry.session()).clone();
            session.extended_s += granted.as_secs();
            self.save(entry, session, false).await?;
            info!(session = %entry.id, by_s = granted.as_secs(), "session.extended");
            self.record(entry, AuditEvent::SessionExtended { by_s: granted.as_secs() }, by).await;
        }
        entry.note_input(InputSource::Extend);
        self.0.changes.send(Change::Changed(entry.session()));
        Ok(())
    }

    /// Whether [`Broker::extend`] would do something now.
    #[must_use]
    pub fn is_extendable(&self, entry: &Entry) -> bool {
        match extension(&entry.facts(), &entry.policy) {
            Extension::Grant(_) | Extension::Renew => true,
            Extension::Spent | Extension::Unfit => false,
        }
    }
}

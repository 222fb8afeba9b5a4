//! The copies of an owner's home: which there are, and putting one back.

use tracing::info;

use super::homes::Homes;
use super::{Broker, BrokerError};
use crate::audit::{Actor, AuditEvent, Reason, Record};
use crate::clock;
use crate::engine::EngineError;
use crate::session::{CopyName, HomeKey, UserId};
use crate::store::User;

impl Broker {
    /// The copies of an owner's home, oldest first. Asks the engine.
    ///
    /// # Errors
    /// The engine's.
    pub async fn owner_copies(&self, owner: &User) -> Result<Vec<CopyName>, EngineError> {
        self.0.engine.home_copies(&self.home_of_owner(owner)).await
    }

    /// Whether a copy is being put back into the home of an owner just now. Asks no engine.
    #[must_use]
    pub fn is_restoring(&self, owner: UserId) -> bool {
        self.0.homes.restoring.contains(&HomeKey::Owner(owner))
    }

    /// Puts a copy back into an owner's home; what is in the home becomes a copy itself. Returns
    /// when that is done, which may take minutes.
    ///
    /// # Errors
    /// [`BrokerError::HomeInUse`] while a session of theirs uses it; the engine's.
    pub async fn restore_home(&self, owner: &User, copy: &CopyName, by: &Actor) -> Result<(), BrokerError> {
        let (broker, owner, copy, by) = (self.clone(), owner.clone(), copy.clone(), by.clone());
        self.whole(async move {
            let restored = broker.restore_now(&owner, &copy, &by).await;
            if let Err(error) = &restored {
                let event = AuditEvent::HomeNotRestored { copy: copy.to_string(), reason: Reason::of(error) };
                broker.0.audit.record(Record::new(by, event).about(&owner.name)).await;
            }
            restored
        })
        .await
    }

    async fn restore_now(&self, owner: &User, copy: &CopyName, by: &Actor) -> Result<(), BrokerError> {
        let key = HomeKey::Owner(owner.id);
        let turn = self.home_turn(Some(key), None).await?;
        let _restoring = Restoring::begin(&self.0.homes, key);
        drop(turn);
        let home = self.home_of_owner(owner);
        let copies = self.0.engine.home_copies(&home).await?;
        if !copies.contains(copy) {
            return Err(BrokerError::CopyUnknown(copy.clone()));
        }
        // Every copy stays: the wanted one must not be what makes room for what is in the home now.
        self.0.engine.set_home_aside(&home, &CopyName::at(clock::now()), copies.len() + 1).await?;
        self.0.engine.restore_home(&home, copy).await?;
        self.0.homes.known.remove(&key);
        info!(home = %key, %copy, "home.restored");
        let event = AuditEvent::HomeRestored { copy: copy.to_string() };
        self.0.audit.record(Record::new(by.clone(), event).about(&owner.name)).await;
        Ok(())
    }
}

/// A home into which a copy is being put, until this is dropped.
struct Restoring<'a> {
    homes: &'a Homes,
    key: HomeKey,
}

impl<'a> Restoring<'a> {
    fn begin(homes: &'a Homes, key: HomeKey) -> Self {
        homes.restoring.insert(key);
        Self { homes, key }
    }
}

impl Drop for Restoring<'_> {
    fn drop(&mut self) {
        self.homes.restoring.remove(&self.key);
    }
}

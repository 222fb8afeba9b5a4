//! One writer per home: who uses which, who has to wait, and what becomes of homes nobody owns.
//!
//! A session uses its home from the moment it is asked to start until its container has ended; a
//! home that is being copied is in use as well. Whoever wants to begin holds the home's turn while
//! it looks and records, so that of two that want to begin only one does.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use dashmap::{DashMap, DashSet};
use tokio::sync::{Mutex, Notify, OwnedMutexGuard};
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{info, warn};

use super::measure::Measured;
use super::{Broker, BrokerError, Entry, Wish};
use crate::audit::{Actor, AuditEvent, Record};
use crate::clock;
use crate::engine::{EngineError, HomeOrder};
use crate::session::{CopyName, Home, HomeKey, Next, SessionId, State, StateKind, StopReason, UserId};
use crate::store::User;

/// How homes are watched and copied: the broker's part of `[homes]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HomeSettings {
    /// From this share of its limit on a home counts as nearly full. Default 90 %.
    pub warn_percent: u8,
    /// Time between two measurements of the homes in use. Default 5 min.
    pub measure_every: Duration,
    /// How many copies a reset of the home leaves. Default 3.
    pub keep_copies: usize,
}

impl Default for HomeSettings {
    fn default() -> Self {
        Self { warn_percent: 90, measure_every: Duration::from_mins(5), keep_copies: 3 }
    }
}

/// What the broker knows of homes.
#[derive(Debug, Default)]
pub(super) struct Homes {
    turns: DashMap<HomeKey, Arc<Mutex<()>>>,
    /// Homes into which a copy is being put; changed under their turn.
    pub(super) restoring: DashSet<HomeKey>,
    pub(super) known: DashMap<HomeKey, Measured>,
    /// Wakes the measuring when a session came to run or to rest.
    pub(super) wanted: Notify,
}

impl Entry {
    /// The home it uses; `None` if its files go with its container, or its template is gone.
    #[must_use]
    pub fn home_key(&self) -> Option<HomeKey> {
        self.template.as_ref()?.home.key(self.owner, self.id)
    }
}

/// Whether a session is on its way to a state in which its home is free.
fn is_leaving(entry: &Entry) -> bool {
    matches!(entry.session().state, State::Stopping { next: Next::Rest | Next::Remove, .. })
}

impl Broker {
    /// The home of a session as engines are asked about it.
    pub(super) fn home_order(&self, entry: &Entry) -> Option<HomeOrder> {
        Some(HomeOrder {
            installation: self.0.store.installation(),
            key: entry.home_key()?,
            owner_name: entry.session().owner_name.clone(),
        })
    }

    /// The session that uses a home now, other than `except`.
    #[must_use]
    pub fn home_user(&self, key: HomeKey, except: Option<SessionId>) -> Option<Arc<Entry>> {
        let uses = |entry: &Arc<Entry>| {
            Some(entry.id) != except && entry.session().state.occupies() && entry.home_key() == Some(key)
        };
        self.0.by_id.iter().map(|entry| entry.clone()).find(uses)
    }

    /// The right to begin using a home, for a moment: whoever holds it records that they do.
    ///
    /// A session that is just stopping is waited for, as long as a stop may take.
    ///
    /// # Errors
    /// [`BrokerError::HomeInUse`], [`BrokerError::HomeBusy`].
    pub(super) async fn home_turn(
        &self,
        key: Option<HomeKey>,
        except: Option<SessionId>,
    ) -> Result<Option<OwnedMutexGuard<()>>, BrokerError> {
        let Some(key) = key else { return Ok(None) };
        let deadline = Instant::now() + self.longest_stop();
        loop {
            let lock = self.0.homes.turns.entry(key).or_default().clone();
            let turn = lock.lock_owned().await;
            if self.0.homes.restoring.contains(&key) {
                return Err(BrokerError::HomeBusy);
            }
            let Some(user) = self.home_user(key, except) else { return Ok(Some(turn)) };
            drop(turn);
            if !is_leaving(&user) || timeout_at(deadline, self.ended(&user)).await.is_err() {
                let session = user.session();
                return Err(BrokerError::HomeInUse { name: session.name.clone(), label: user.label.clone() });
            }
        }
    }

    /// The same for a session that is about to leave its rest; one that does not rest has its home.
    pub(super) async fn own_home_turn(
        &self,
        entry: &Entry,
    ) -> Result<Option<OwnedMutexGuard<()>>, BrokerError> {
        if entry.session().state.occupies() {
            return Ok(None);
        }
        self.home_turn(entry.home_key(), Some(entry.id)).await
    }

    /// How long a stop takes at most: SIGTERM, SIGKILL, and an engine that is busy.
    fn longest_stop(&self) -> Duration {
        self.0.settings.stop_grace + Duration::from_secs(10)
    }

    /// Stops the session `of`, which uses the home that `entry` needs, and starts `entry`. Returns
    /// when that start is under way. `reason` is why `of` stops.
    ///
    /// # Errors
    /// [`BrokerError::NotFound`] if the two share no home; what stopping or starting is refused with.
    pub async fn start_instead(
        &self,
        entry: &Arc<Entry>,
        of: &Arc<Entry>,
        reason: StopReason,
        by: &Actor,
    ) -> Result<(), BrokerError> {
        if entry.id == of.id || entry.home_key().is_none() || entry.home_key() != of.home_key() {
            return Err(BrokerError::NotFound);
        }
        let (broker, entry, of, by) = (self.clone(), entry.clone(), of.clone(), by.clone());
        self.whole(async move {
            broker.vacate(&of, reason, &by).await?;
            broker.start(&entry, &by).await
        })
        .await
    }

    /// The same for a session that is still to be created.
    ///
    /// # Errors
    /// As for [`Broker::create_for`] and [`Broker::start_instead`].
    pub async fn create_instead(
        &self,
        owner: &User,
        wish: Wish,
        of: &Arc<Entry>,
        by: &Actor,
    ) -> Result<Arc<Entry>, BrokerError> {
        if of.owner != owner.id || of.home_key() != Some(HomeKey::Owner(owner.id)) {
            return Err(BrokerError::NotFound);
        }
        let (broker, owner, of, by) = (self.clone(), owner.clone(), of.clone(), by.clone());
        self.whole(async move {
            broker.vacate(&of, StopReason::Owner, &by).await?;
            broker.create_for(&owner, wish, &by).await
        })
        .await
    }

    /// Stops a session and waits until it rests, as long as that may take.
    async fn vacate(&self, of: &Arc<Entry>, reason: StopReason, by: &Actor) -> Result<(), BrokerError> {
        if of.session().state.occupies() {
            match self.stop(of, reason, Next::Rest, by).await {
                // It came to rest by itself.
                Ok(()) | Err(BrokerError::Illegal(_)) => {}
                Err(error) => return Err(error),
            }
            // Whoever begins afterwards looks again, so being late is no danger.
            let _ = timeout(self.longest_stop(), self.ended(of)).await;
        }
        Ok(())
    }

    /// Sets the home of a session that is stopping aside as a dated copy.
    pub(super) async fn set_home_aside(&self, entry: &Arc<Entry>) -> Result<(), EngineError> {
        let Some(home) = self.home_order(entry) else { return Ok(()) };
        let copy = CopyName::at(clock::now());
        self.0.engine.set_home_aside(&home, &copy, self.0.settings.homes.keep_copies).await?;
        self.0.homes.known.remove(&home.key);
        info!(session = %entry.id, home = %home.key, %copy, "home.set_aside");
        self.record(entry, AuditEvent::HomeSetAside { copy: copy.to_string() }, entry.ender()).await;
        Ok(())
    }

    /// Where the home of an owner lies, for people; `None` if they have none. Asks the engine.
    ///
    /// # Errors
    /// The engine's.
    pub async fn owner_home_place(&self, owner: &User) -> Result<Option<String>, EngineError> {
        self.0.engine.home_place(&self.home_of_owner(owner)).await
    }

    /// How full the home of an owner was when it was last looked at. Asks no engine.
    #[must_use]
    pub fn owner_home(&self, owner: UserId) -> Option<Measured> {
        self.0.homes.known.get(&HomeKey::Owner(owner)).map(|known| *known)
    }

    /// Removes the home of an owner and its copies for good.
    ///
    /// # Errors
    /// [`BrokerError::HomeInUse`] while a session of theirs uses it; the engine's.
    pub async fn remove_owner_home(&self, owner: &User, by: &Actor) -> Result<(), BrokerError> {
        let (broker, owner, by) = (self.clone(), owner.clone(), by.clone());
        self.whole(async move {
            let key = HomeKey::Owner(owner.id);
            let _turn = broker.home_turn(Some(key), None).await?;
            broker.0.engine.remove_home(&broker.home_of_owner(&owner)).await?;
            broker.0.homes.known.remove(&key);
            info!(home = %key, "home.removed");
            broker.0.audit.record(Record::new(by, AuditEvent::HomeRemoved).about(&owner.name)).await;
            Ok(())
        })
        .await
    }

    /// The home of an owner as engines are asked about it.
    pub(super) fn home_of_owner(&self, owner: &User) -> HomeOrder {
        let (installation, key) = (self.0.store.installation(), HomeKey::Owner(owner.id));
        HomeOrder { installation, key, owner_name: owner.name.clone() }
    }

    /// Removes the homes of sessions that nobody knows, when they are met a second time; `unknown`
    /// carries them from pass to pass. Homes of owners are never touched. Tells how many are left.
    ///
    /// # Errors
    /// The engine's, when it cannot list them; nothing was changed then.
    pub async fn sweep_homes(&self, unknown: &mut HashSet<SessionId>) -> Result<usize, EngineError> {
        let installation = self.0.store.installation();
        let homes = self.0.engine.session_homes(&installation).await?;
        let orphans: HashSet<_> = homes.into_iter().filter(|id| self.entry(*id).is_none()).collect();
        let mut left = 0;
        for id in &orphans {
            if !unknown.contains(id) {
                left += 1;
                continue;
            }
            match self.0.engine.remove_session_home(&installation, *id).await {
                Ok(()) => warn!(session = %id, "the home of an unknown session was removed"),
                Err(error) => {
                    left += 1;
                    warn!(session = %id, %error, "the home of an unknown session could not be removed");
                }
            }
        }
        *unknown = orphans;
        Ok(left)
    }

    /// Removes what a session's own home holds, if it has one.
    pub(super) async fn remove_own_home(&self, entry: &Entry) -> Result<(), EngineError> {
        let own = entry.template.as_ref().is_none_or(|template| template.home == Home::Session);
        if own {
            self.0.engine.remove_session_home(&self.0.store.installation(), entry.id).await?;
        }
        let key = HomeKey::Session(entry.id);
        self.0.homes.turns.remove(&key);
        self.0.homes.known.remove(&key);
        Ok(())
    }

    /// Whether a session's home is worth looking at again: it began or ended to be used.
    pub(super) fn home_changed(&self, kind: StateKind) {
        if matches!(kind, StateKind::Ready | StateKind::Stopped | StateKind::Failed) {
            self.0.homes.wanted.notify_one();
        }
    }
}

//! Grants: who else may open a session, from being given to being withdrawn or lapsing.
//!
//! Every grant in force is held by its session's [`Entry`], so that a request asks no store. Open
//! sockets hold its [`Revocation`]: they end the moment it does.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::time::sleep;
use tracing::{info, warn};

use super::{Broker, BrokerError, Entry};
use crate::audit::{Actor, AuditEvent, Reason, Record};
use crate::clock;
use crate::fault::{Answer, Fault};
use crate::language::Sentence;
use crate::revocation::{CloseReason, Revocation};
use crate::session::{Grant, GrantId, GrantRole, Protocol, UserId, ViewerRole};
use crate::store::{StoreError, UniqueKey, User};

/// The most grants one session may have.
pub(super) const MOST: usize = 100;

/// How long the clock of lapses sleeps at most: the wall clock may be set meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// A grant in force.
#[derive(Debug)]
pub struct LiveGrant {
    /// The grant as stored.
    pub grant: Grant,
    /// Ends with it; every socket that was opened by it waits for this.
    pub revocation: Revocation,
}

/// What somebody is to be given.
#[derive(Clone, Debug)]
pub struct Share {
    /// Who is to get it.
    pub with: User,
    /// What they may do.
    pub role: GrantRole,
    /// How long; `None` until it is withdrawn.
    pub lasts: Option<Duration>,
}

/// Why a session is not shared.
#[derive(Debug, Error)]
pub enum ShareError {
    /// The broker's own refusals and failures.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The user has a grant already.
    #[error("the user has a grant for this session already")]
    Granted,
    /// Only desktops can be shared: the gateway cannot tell watching from using in an app.
    #[error("only rfb sessions can be shared")]
    NotDesktop,
    /// The user owns it.
    #[error("the user owns this session")]
    Own,
    /// The session has as many grants as it may.
    #[error("the session has {MOST} grants, the most allowed")]
    TooMany,
}

impl Answer for ShareError {
    fn fault(&self) -> Fault {
        match self {
            Self::Broker(error) => error.fault(),
            Self::Granted | Self::NotDesktop | Self::Own | Self::TooMany => Fault::Downstream,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Broker(error) => error.code(),
            Self::Granted => "grant_exists",
            Self::NotDesktop => "not_shareable",
            Self::Own => "grant_own",
            Self::TooMany => "too_many_grants",
        }
    }

    fn sentence(&self) -> Sentence {
        match self {
            Self::Broker(error) => error.sentence(),
            Self::Granted => Sentence::of("problem-grant-exists"),
            Self::NotDesktop => Sentence::of("problem-not-shareable"),
            Self::Own => Sentence::of("problem-grant-own"),
            Self::TooMany => Sentence::of("problem-too-many-grants").with("most", MOST),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Broker(error) => error.retry_after(),
            Self::Granted | Self::NotDesktop | Self::Own | Self::TooMany => None,
        }
    }
}

impl Entry {
    /// Whether it may be shared: only where the gateway itself can hold a viewer to watching.
    #[must_use]
    pub fn is_shareable(&self) -> bool {
        self.template.as_ref().is_some_and(|template| template.protocol == Protocol::Rfb)
    }

    /// Every grant in force, oldest first.
    #[must_use]
    pub fn grants(&self) -> Arc<Vec<Arc<LiveGrant>>> {
        self.grants.load_full()
    }

    /// The grant by which `user` may open it now. Lock-free, no store.
    #[must_use]
    pub fn grant_of(&self, user: UserId) -> Option<Arc<LiveGrant>> {
        let grants = self.grants.load();
        let live = grants.iter().find(|live| live.grant.grantee == user)?;
        let in_force = !live.revocation.is_revoked() && !live.grant.has_lapsed(clock::now());
        // A template may have become an app's since it was given.
        (in_force && self.is_shareable()).then(|| live.clone())
    }

    /// What `user` may do with its screen: as its owner, or by a grant in force.
    #[must_use]
    pub fn role_of(&self, user: UserId) -> Option<ViewerRole> {
        if user == self.owner {
            return Some(ViewerRole::Owner);
        }
        self.grant_of(user).map(|live| live.grant.role.into())
    }

    /// Takes a stored grant into force.
    pub(super) fn put_grant(&self, grant: Grant) -> Arc<LiveGrant> {
        let live = Arc::new(LiveGrant { grant, revocation: Revocation::new() });
        self.grants.rcu(|grants| grants.iter().chain([&live]).cloned().collect::<Vec<_>>());
        live
    }

    /// Takes grants out of force and tells their sockets; returns them.
    fn drop_grants(&self, over: impl Fn(&Grant) -> bool) -> Vec<Arc<LiveGrant>> {
        let before = self.grants();
        let ended: Vec<_> = before.iter().filter(|live| over(&live.grant)).cloned().collect();
        if !ended.is_empty() {
            let stays = |live: &&Arc<LiveGrant>| !ended.iter().any(|ended| Arc::ptr_eq(ended, live));
            self.grants.rcu(|grants| grants.iter().filter(stays).cloned().collect::<Vec<_>>());
            // Out of the list first: whoever looks from now on finds none.
            for live in &ended {
                live.revocation.revoke(CloseReason::Withdrawn);
            }
            self.herald.changed(self);
        }
        ended
    }
}

impl Broker {
    /// Lets somebody into a session that is not theirs. Whether `by` may do that has been asked.
    ///
    /// **Cancel safety**: it runs to its end when the caller goes away.
    ///
    /// # Errors
    /// [`ShareError`]; nothing has changed then.
    pub async fn share(
        &self,
        entry: &Arc<Entry>,
        share: Share,
        by: Actor,
    ) -> Result<Arc<LiveGrant>, ShareError> {
        let (broker, entry) = (self.clone(), entry.clone());
        self.whole(async move {
            let grantee = share.with.name.clone();
            let shared = broker.share_now(&entry, share, by.clone()).await;
            if let Err(error) = &shared {
                let event = AuditEvent::GrantNotCreated { grantee, reason: Reason::of(error) };
                broker.record(&entry, event, by).await;
            }
            Ok(shared)
        })
        .await?
    }

    async fn share_now(
        &self,
        entry: &Arc<Entry>,
        share: Share,
        by: Actor,
    ) -> Result<Arc<LiveGrant>, ShareError> {
        let Share { with, role, lasts } = share;
        let _one_at_a_time = entry.sharing.lock().await;
        self.lapse_grants().await;
        if with.id == entry.owner {
            return Err(ShareError::Own);
        }
        if !entry.is_shareable() {
            return Err(ShareError::NotDesktop);
        }
        if entry.grants().len() >= MOST {
            return Err(ShareError::TooMany);
        }
        let created_at = clock::now();
        let grant = Grant {
            id: GrantId::random(),
            session: entry.id,
            grantee: with.id,
            grantee_name: with.name.clone(),
            role,
            granted_by: by.name.clone(),
            invitation: None,
            created_at,
            expires_at: lasts.map(|lasts| clock::later(created_at, lasts)),
        };
        self.0.store.insert_grant(&grant).await.map_err(|error| match error {
            StoreError::Conflict(UniqueKey::Grant) => ShareError::Granted,
            // The session or the user went away meanwhile.
            StoreError::Stale => BrokerError::NotFound.into(),
            error => BrokerError::from(error).into(),
        })?;
        let (grantee, expires_at) = (with.name, grant.expires_at);
        info!(session = %entry.id, grantee, role = role.name(), by = by.name, "grant.created");
        let live = entry.put_grant(grant);
        self.0.grants_changed.notify_one();
        entry.herald.changed(entry);
        let event = AuditEvent::GrantCreated { grantee, role, expires_at };
        self.0.audit.record(Record::new(by, event).about(entry.label.as_str())).await;
        Ok(live)
    }

    /// Takes a grant back; the sockets opened by it close with [`CloseReason::Withdrawn`]. One
    /// that has ended already is success. Whether `by` may do that has been asked.
    ///
    /// **Cancel safety**: it runs to its end when the caller goes away.
    ///
    /// # Errors
    /// [`BrokerError::Store`]; the grant is in force then.
    pub async fn withdraw(&self, entry: &Arc<Entry>, id: GrantId, by: Actor) -> Result<(), BrokerError> {
        let (broker, entry) = (self.clone(), entry.clone());
        self.whole(async move { broker.withdraw_now(&entry, id, by).await }).await
    }

    async fn withdraw_now(&self, entry: &Arc<Entry>, id: GrantId, by: Actor) -> Result<(), BrokerError> {
        let _one_at_a_time = entry.sharing.lock().await;
        if !entry.grants().iter().any(|live| live.grant.id == id) {
            return Ok(());
        }
        // Stored first: a right that comes back after a restart was not withdrawn.
        self.0.store.remove_grant(id).await?;
        self.end_grants(entry, |grant| grant.id == id, &by).await;
        Ok(())
    }

    /// Takes grants that the store has no more out of force, with a line in the audit for each.
    pub(super) async fn end_grants(&self, entry: &Entry, over: impl Fn(&Grant) -> bool, by: &Actor) {
        for live in entry.drop_grants(over) {
            let (grantee, role) = (live.grant.grantee_name.clone(), live.grant.role);
            info!(session = %entry.id, grantee, role = role.name(), by = by.name, "grant.withdrawn");
            let event = AuditEvent::GrantWithdrawn { grantee, role };
            self.0.audit.record(Record::new(by.clone(), event).about(entry.label.as_str())).await;
        }
    }

    /// The sessions of others that `user` may open by a grant, oldest first.
    #[must_use]
    pub fn shared_with(&self, user: UserId) -> Vec<Arc<Entry>> {
        let mut entries = self.entries();
        entries.retain(|entry| entry.grant_of(user).is_some());
        entries
    }

    /// Forgets the grants of a user whose record was removed, which removed them from the store.
    pub fn forget_grantee(&self, user: UserId) {
        for entry in self.entries() {
            entry.drop_grants(|grant| grant.grantee == user);
        }
    }

    /// Ends grants at their time, until the process stops.
    pub async fn lapse_grants_forever(self) {
        let stopping = self.0.tasks.stopping();
        loop {
            self.lapse_grants().await;
            tokio::select! {
                () = stopping.cancelled() => return,
                () = self.0.grants_changed.notified() => {}
                () = sleep(self.until_next_lapse()) => {}
            }
        }
    }

    /// Ends every grant whose time is up: in this process at once, and in the store. One that the
    /// store keeps because it cannot write now opens nothing; it is removed at the next pass.
    pub async fn lapse_grants(&self) {
        let now = clock::now();
        let mut any = false;
        for entry in self.entries() {
            for live in entry.drop_grants(|grant| grant.has_lapsed(now)) {
                any = true;
                let (grantee, role) = (live.grant.grantee_name.clone(), live.grant.role);
                info!(session = %entry.id, grantee, role = role.name(), "grant.lapsed");
                let event = AuditEvent::GrantLapsed { grantee, role };
                self.0.audit.record(Record::new(Actor::system(), event).about(entry.label.as_str())).await;
            }
        }
        let owed = &self.0.grants_owed;
        if !any && !owed.load(std::sync::atomic::Ordering::Relaxed) {
            return;
        }
        let purged = self.0.store.purge_grants(now).await;
        if let Err(error) = &purged {
            warn!(%error, "lapsed grants could not be removed yet");
        }
        owed.store(purged.is_err(), std::sync::atomic::Ordering::Relaxed);
    }

    fn until_next_lapse(&self) -> Duration {
        let now = clock::now();
        let ends = self.entries().into_iter().flat_map(|entry| {
            entry.grants().iter().filter_map(|live| live.grant.expires_at).collect::<Vec<_>>()
        });
        let next = ends.min().map(|end| Duration::try_from(end.duration_since(now)).unwrap_or_default());
        next.unwrap_or(LOOK_AGAIN).min(LOOK_AGAIN)
    }
}

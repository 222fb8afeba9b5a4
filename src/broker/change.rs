//! What edges and operators ask for: create, acquire, start, stop, pause, resume.
//!
//! Each change runs as a task of its own, so that a browser that leaves in the middle does not
//! leave half of it behind.

use std::sync::Arc;

use tokio::sync::{MutexGuard, broadcast};
use tracing::{info, warn};

use super::record::new_session;
use super::refusal::verb;
use super::{Acquired, Broker, BrokerError, Change, Entry, Hold, Intent};
use crate::audit::{Actor, AuditEvent, Whose};
use crate::clock;
use crate::engine::EngineError;
use crate::language::Language;
use crate::revocation::CloseReason;
use crate::secret::Secret;
use crate::session::{
    Action, ClientId, Event, Home, HomeKey, InputSource, Label, Next, Session, SessionName, StateKind,
    StopReason, TemplateName,
};
use crate::store::{StoreError, UniqueKey, User};

/// What a session is to be.
#[derive(Clone, Debug)]
pub struct Wish {
    /// What it is made from.
    pub template: TemplateName,
    /// What its owner calls it.
    pub name: SessionName,
    /// The password the container must know, of which VNC uses eight bytes (RFC 6143 §7.2.2);
    /// `None` is a random one.
    pub password: Option<Secret<String>>,
    /// The language its programs are to speak; `None` is the image's own.
    pub language: Option<Language>,
    /// The label it gets if that is free; `None` is a random one.
    pub label: Option<Label>,
    /// What a kiosk orchestrator's scripts call it. Such sessions have one owner for all of them, so
    /// the bound per user is not theirs.
    pub client: Option<ClientId>,
}

impl Wish {
    /// A session with nothing said that need not be.
    #[must_use]
    pub fn of(template: TemplateName, name: SessionName) -> Self {
        Self { template, name, password: None, language: None, label: None, client: None }
    }
}

impl Broker {
    /// Creates a session and starts it.
    ///
    /// # Errors
    /// [`BrokerError::TemplateUnknown`], [`BrokerError::TooMany`], [`BrokerError::OverLimit`],
    /// [`BrokerError::Full`],
    /// [`BrokerError::HomeInUse`] while another session of the owner uses the same home, or the
    /// store's conflict when the owner has a session of this name. Nothing is left behind.
    pub async fn create(
        &self,
        owner: &User,
        template: &TemplateName,
        name: SessionName,
    ) -> Result<Arc<Entry>, BrokerError> {
        let by = Actor { name: owner.name.clone(), address: None };
        self.create_for(owner, Wish::of(template.clone(), name), &by).await
    }

    /// The same with everything that may be wished for; `by` is who asked for it.
    ///
    /// # Errors
    /// As for [`Broker::create`].
    pub async fn create_for(&self, owner: &User, wish: Wish, by: &Actor) -> Result<Arc<Entry>, BrokerError> {
        let (broker, owner, by) = (self.clone(), owner.clone(), by.clone());
        self.whole(async move {
            let wished = (wish.template.to_string(), wish.name.to_string());
            let created = broker.create_now(&owner, wish, &by).await;
            broker.told_of_new(&owner, wished, &by, created).await
        })
        .await
    }

    async fn create_now(&self, owner: &User, wish: Wish, by: &Actor) -> Result<Arc<Entry>, BrokerError> {
        let (inner, template) = (&self.0, &wish.template);
        let Some(made_from) = inner.templates.get(template) else {
            return Err(BrokerError::TemplateUnknown(template.clone()));
        };
        // Not under the lock of all creations: it may wait for a session that is just stopping. The
        // home of a session of its own is nobody else's.
        let home = (made_from.home == Home::Persistent).then_some(HomeKey::Owner(owner.id));
        let _home = self.home_turn(home, None).await?;
        let creating = inner.creating.lock().await;
        // Whoever was disabled or removed a moment ago gets nothing any more.
        let known = inner.store.user(owner.id).await?.filter(|user| !user.disabled);
        let own = known.ok_or(BrokerError::NotFound)?.limits;
        let limit = self.allowance(&own).max_sessions;
        if wish.client.is_none() && self.entries_of(owner.id).len() >= limit {
            return Err(BrokerError::TooMany { limit });
        }
        self.fits(owner.id, &own, made_from, None)?;
        self.admit()?;
        // The intent is stored before anything is made: a crash from here on leaves a record
        // that says what to clean up.
        let session = self.record_new(owner, &wish).await?;
        let entry = Entry::new(session, Some(made_from.clone()), inner.settings.reap, inner.herald.clone());
        let entry = Arc::new(entry);
        self.remember(&entry);
        info!(session = %entry.id, owner = %owner.name, template = %template, "session.created");
        let whose = Whose::of(&entry.session());
        let event = AuditEvent::SessionCreated { template: template.to_string(), whose };
        self.record(&entry, event, by.clone()).await;
        let begun = self.begin(&entry, by).await;
        drop(creating);
        if let Err(error) = begun {
            self.erase(&entry).await;
            return Err(error);
        }
        Ok(entry)
    }

    /// Stores a new session. A wish for a label gives way to whoever has it, and the name of a
    /// client's session to another client's.
    async fn record_new(&self, owner: &User, wish: &Wish) -> Result<Session, BrokerError> {
        let mut wish = wish.clone();
        loop {
            let session = new_session(owner, wish.clone());
            match self.0.store.insert_session(&session).await {
                Ok(()) => return Ok(session),
                Err(StoreError::Conflict(UniqueKey::Label)) if wish.label.is_some() => wish.label = None,
                Err(StoreError::Conflict(UniqueKey::SessionName)) => {
                    let renamed =
                        wish.client.as_ref().map(|client| client.session_name(Some(session.label.as_str())));
                    match renamed.filter(|name| *name != wish.name) {
                        Some(name) => (wish.name, wish.label) = (name, Some(session.label)),
                        None => return Err(StoreError::Conflict(UniqueKey::SessionName).into()),
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Uses a session: a hold if it is reachable; with [`Intent::Open`] wakes it otherwise. The
    /// audit takes waking for its owner's doing: nobody else may open a session that rests.
    ///
    /// # Errors
    /// The refusal of a start or resume.
    pub async fn acquire(&self, entry: &Arc<Entry>, intent: Intent) -> Result<Acquired, BrokerError> {
        if let Some(route) = entry.route() {
            return Ok(Acquired::Ready(Hold { entry: entry.clone(), route }));
        }
        let kind = entry.session().state.kind();
        match (kind, intent) {
            (StateKind::Starting, _) => Ok(Acquired::Pending),
            (StateKind::Stopping | StateKind::Stopped, Intent::Open) => {
                self.start(entry, &entry.owner_actor()).await?;
                Ok(Acquired::Pending)
            }
            (StateKind::Paused | StateKind::Ready, Intent::Open) => {
                self.resume(entry, &entry.owner_actor()).await?;
                Ok(match entry.route() {
                    Some(route) => Acquired::Ready(Hold { entry: entry.clone(), route }),
                    None => Acquired::Pending,
                })
            }
            // A failed start is tried again only when a person asks for it, never by a reload.
            (StateKind::Failed, Intent::Open) => Ok(Acquired::AtRest),
            (
                StateKind::Ready
                | StateKind::Paused
                | StateKind::Stopping
                | StateKind::Stopped
                | StateKind::Failed,
                Intent::Use,
            ) => Ok(Acquired::AtRest),
        }
    }

    /// Starts a session that rests, joins a start in flight, resumes a frozen one. `by` is who the
    /// audit names, here and below.
    ///
    /// # Errors
    /// [`BrokerError::Full`], [`BrokerError::OverLimit`], [`BrokerError::HomeInUse`], or the store's
    /// refusal.
    pub async fn start(&self, entry: &Arc<Entry>, by: &Actor) -> Result<(), BrokerError> {
        let (broker, entry, by) = (self.clone(), entry.clone(), by.clone());
        self.whole(async move {
            let done = broker.start_now(&entry, &by).await;
            broker.told(&entry, "start", &by, done).await
        })
        .await
    }

    async fn start_now(&self, entry: &Arc<Entry>, by: &Actor) -> Result<(), BrokerError> {
        if entry.session().state.kind() == StateKind::Paused {
            return self.resume_now(entry, by).await;
        }
        let _home = self.own_home_turn(entry).await?;
        let _creating = self.leave_to_begin(entry).await?;
        self.begin(entry, by).await
    }

    /// The right to record a start from rest, if there is a place for it and its owner may; one
    /// that does not rest has its place.
    async fn leave_to_begin(&self, entry: &Entry) -> Result<Option<MutexGuard<'_, ()>>, BrokerError> {
        let creating = self.0.creating.lock().await;
        if entry.session().state.occupies() {
            return Ok(None);
        }
        self.admit()?;
        self.may_begin(entry).await?;
        Ok(Some(creating))
    }

    /// Records the start of a session whose home is free, and sets it going.
    pub(super) async fn begin(&self, entry: &Arc<Entry>, by: &Actor) -> Result<(), BrokerError> {
        let deadline = clock::later(clock::now(), self.0.settings.queue_deadline);
        let action = self.apply(entry, Event::Start { deadline }, by).await?;
        self.follow(entry, action);
        Ok(())
    }

    /// Stops a session, then does what `next` says. Returns when the stop is under way.
    ///
    /// # Errors
    /// [`BrokerError::Illegal`] if it rests already and nothing is to follow;
    /// [`BrokerError::HomeInUse`] if it rests, is to start again, and another uses its home.
    pub async fn stop(
        &self,
        entry: &Arc<Entry>,
        reason: StopReason,
        next: Next,
        by: &Actor,
    ) -> Result<(), BrokerError> {
        let (broker, entry, by) = (self.clone(), entry.clone(), by.clone());
        self.whole(async move {
            let done = broker.stop_now(&entry, reason, next, &by).await;
            broker.told(&entry, verb(next), &by, done).await
        })
        .await
    }

    async fn stop_now(
        &self,
        entry: &Arc<Entry>,
        reason: StopReason,
        next: Next,
        by: &Actor,
    ) -> Result<(), BrokerError> {
        if next == Next::Restart && !entry.session().state.occupies() {
            return self.start_now(entry, by).await;
        }
        let _home = match next {
            // From rest these lead to a start.
            Next::Reset | Next::ResetHome => self.own_home_turn(entry).await?,
            Next::Remove | Next::Rest | Next::Restart => None,
        };
        let _creating = match next {
            Next::Reset | Next::ResetHome => self.leave_to_begin(entry).await?,
            Next::Remove | Next::Rest | Next::Restart => None,
        };
        let action = self.apply(entry, Event::Stop { reason, next }, by).await?;
        self.follow(entry, action);
        Ok(())
    }

    /// Freezes a reachable session; its sockets are closed with [`CloseReason::Lapsed`].
    ///
    /// # Errors
    /// [`BrokerError::Illegal`] if it is not reachable.
    pub async fn pause(&self, entry: &Arc<Entry>, by: &Actor) -> Result<(), BrokerError> {
        let (broker, entry, by) = (self.clone(), entry.clone(), by.clone());
        self.whole(async move {
            let done = broker.pause_now(&entry, &by).await;
            broker.told(&entry, "pause", &by, done).await
        })
        .await
    }

    async fn pause_now(&self, entry: &Arc<Entry>, by: &Actor) -> Result<(), BrokerError> {
        let _work = entry.work.lock().await;
        let action = self.apply(entry, Event::Pause, by).await?;
        if action == Action::Freeze
            && let Err(error) = self.0.engine.pause(entry.id).await
        {
            warn!(session = %entry.id, %error, "the engine did not freeze a session; it goes on");
            self.undo_pause(entry, &error).await?;
            let _ = self.told::<()>(entry, "pause", by, Err(error.into())).await;
        }
        Ok(())
    }

    /// Thaws a frozen session and waits until it may be used.
    ///
    /// # Errors
    /// [`BrokerError::Illegal`] if it is neither frozen nor reachable.
    pub async fn resume(&self, entry: &Arc<Entry>, by: &Actor) -> Result<(), BrokerError> {
        let (broker, entry, by) = (self.clone(), entry.clone(), by.clone());
        self.whole(async move {
            let done = broker.resume_now(&entry, &by).await;
            broker.told(&entry, "resume", &by, done).await
        })
        .await
    }

    async fn resume_now(&self, entry: &Arc<Entry>, by: &Actor) -> Result<(), BrokerError> {
        let _work = entry.work.lock().await;
        let action = self.apply(entry, Event::Resume, by).await?;
        if action != Action::Thaw {
            return Ok(());
        }
        match self.0.engine.resume(entry.id).await {
            Ok(()) => {
                entry.note_input(InputSource::Open);
                self.reopen(entry).await;
                Ok(())
            }
            Err(EngineError::Gone) => {
                self.apply(entry, Event::Gone { reason: StopReason::Lost }, &Actor::system()).await.map(drop)
            }
            Err(error) => {
                warn!(session = %entry.id, %error, "the engine did not thaw a session");
                self.apply(entry, Event::Pause, &Actor::system()).await?;
                Err(error.into())
            }
        }
    }

    /// Waits until a stop that is under way is complete: the session rests or is gone.
    pub async fn ended(&self, entry: &Arc<Entry>) {
        let mut changes = self.changes();
        while self.entry(entry.id).is_some() && entry.session().state.kind() == StateKind::Stopping {
            // Lagging is fine: the state itself is looked at again.
            if matches!(changes.recv().await, Err(broadcast::error::RecvError::Closed)) {
                return;
            }
        }
    }

    /// Runs a change to its end even if whoever asked for it goes away in the middle.
    pub(super) async fn whole<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T, BrokerError>> + Send + 'static,
    ) -> Result<T, BrokerError> {
        self.0.tasks.carry("change", change).await.unwrap_or(Err(BrokerError::BrokenOff))
    }

    /// Refuses when every place is taken.
    fn admit(&self) -> Result<(), BrokerError> {
        let (running, limit) = (self.occupied(), self.0.settings.max_sessions);
        if running >= limit { Err(BrokerError::Full { running, limit }) } else { Ok(()) }
    }

    pub(super) fn remember(&self, entry: &Arc<Entry>) {
        self.0.by_id.insert(entry.id, entry.clone());
        self.0.by_label.insert(entry.label.clone(), entry.clone());
    }

    /// Forgets a removed session and tells followers.
    pub(super) fn forget(&self, entry: &Arc<Entry>) {
        entry.close(CloseReason::Gone);
        self.0.by_label.remove(&entry.label);
        self.0.by_id.remove(&entry.id);
        self.0.changes.send(Change::Removed(entry.session()));
    }
}

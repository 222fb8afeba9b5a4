//! What a kiosk orchestrator's scripts ask for: a session for each client, found again by its id.
//!
//! All of them belong to one user, whom nobody logs in as. The edges ask who may; here it is done.

mod error;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

pub use self::error::KioskError;
use crate::audit::Actor;
use crate::auth::{Auth, NewLogin, Visitor};
use crate::broker::{Broker, BrokerError, Entry, Wish};
use crate::secret::Secret;
use crate::session::{ClientId, Home, Link, LinkAction, Next, State, StopReason, TemplateName};
use crate::store::{Role, Store, StoreError, UniqueKey, User};

/// No password fits it: nobody logs in as the user who owns the clients' sessions.
const NO_PASSWORD: &str = "!";

/// How long a removal is waited for; it goes on when nobody waits any more.
const REMOVAL: Duration = Duration::from_secs(20);

/// How often it is looked again when somebody else was faster.
const ATTEMPTS: usize = 10;

/// `[compat]` of the configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// What clients' sessions are made from. Default `kiosk`.
    pub template: TemplateName,
    /// The user they belong to, made when first needed. Default `kiosk`.
    pub owner: String,
    /// How long a browser that was let in may come back. Default 30 days.
    pub entry_ttl: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            template: "kiosk".parse().expect("a plain word is a template's name"),
            owner: "kiosk".to_owned(),
            entry_ttl: Duration::from_hours(24 * 30),
        }
    }
}

/// The sessions of clients. Clones share everything.
#[derive(Clone)]
pub struct Kiosk {
    broker: Broker,
    auth: Arc<Auth>,
    store: Arc<dyn Store>,
    settings: Arc<Settings>,
}

impl std::fmt::Debug for Kiosk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kiosk").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Kiosk {
    /// The clients' sessions among those of `broker`.
    #[must_use]
    pub fn new(broker: Broker, auth: Arc<Auth>, store: Arc<dyn Store>, settings: Settings) -> Self {
        Self { broker, auth, store, settings: Arc::new(settings) }
    }

    /// The session of a client, made or woken if need be. Whoever asks together gets the same one.
    ///
    /// # Errors
    /// [`KioskError`]; with every place taken it is the broker's own.
    pub async fn access(&self, client: &ClientId, by: &Actor) -> Result<Arc<Entry>, KioskError> {
        for _ in 0..ATTEMPTS {
            let Some(entry) = self.broker.client(client) else {
                match self.create(client, by).await {
                    // Somebody was faster: theirs is found now.
                    Err(KioskError::Broker(BrokerError::Store(StoreError::Conflict(UniqueKey::Client)))) => {
                        continue;
                    }
                    made => return made,
                }
            };
            if matches!(entry.session().state, State::Stopping { next: Next::Remove, .. }) {
                self.ended(&entry).await;
                continue;
            }
            self.broker.start(&entry, by).await?;
            entry.note_input(crate::session::InputSource::Open);
            return Ok(entry);
        }
        Err(KioskError::Unsettled)
    }

    async fn create(&self, client: &ClientId, by: &Actor) -> Result<Arc<Entry>, KioskError> {
        let name = &self.settings.template;
        let template =
            self.broker.templates().get(name).ok_or_else(|| KioskError::NoTemplate(name.clone()))?;
        if template.home == Home::Persistent {
            return Err(KioskError::SharedHome(name.clone()));
        }
        let owner = self.owner(by).await?;
        let wish = Wish {
            template: name.clone(),
            name: client.session_name(None),
            password: None,
            language: None,
            label: None,
            client: Some(client.clone()),
        };
        Ok(self.broker.create_for(&owner, wish, by).await?)
    }

    /// Removes the session of a client and waits for it; `false` if there is none.
    ///
    /// # Errors
    /// The broker's refusal.
    pub async fn remove(&self, client: &ClientId, by: &Actor) -> Result<bool, KioskError> {
        let Some(entry) = self.broker.client(client) else { return Ok(false) };
        self.broker.stop(&entry, StopReason::Admin, Next::Remove, by).await?;
        self.ended(&entry).await;
        Ok(true)
    }

    /// Removes the sessions of all clients, and nobody else's; returns how many.
    ///
    /// # Errors
    /// The broker's first refusal; the others are removed all the same.
    pub async fn remove_all(&self, by: &Actor) -> Result<usize, KioskError> {
        let entries = self.broker.clients();
        let mut refused = None;
        for entry in &entries {
            if let Err(error) = self.broker.stop(entry, StopReason::Admin, Next::Remove, by).await {
                refused.get_or_insert(error);
            }
        }
        // All of them are on their way: one bound for all.
        let all = async {
            for entry in &entries {
                self.broker.ended(entry).await;
            }
        };
        let _ = timeout(REMOVAL, all).await;
        refused.map_or(Ok(entries.len()), |error| Err(error.into()))
    }

    /// A ticket with which one browser enters a client's session on the portal.
    ///
    /// # Errors
    /// The store's failure, or the owner is disabled.
    pub async fn ticket(&self, entry: &Entry, from: &Visitor) -> Result<Secret<String>, KioskError> {
        let owner = self.owner_of(entry).await?;
        Ok(self.auth.mint_entrance(&owner, entry.id, from).await?)
    }

    /// Lets the browser that asks into a client's session.
    ///
    /// # Errors
    /// As for [`Kiosk::ticket`].
    pub async fn let_in(&self, entry: &Entry, from: &Visitor) -> Result<NewLogin, KioskError> {
        let owner = self.owner_of(entry).await?;
        Ok(self.auth.let_in(&owner, &entry.session(), self.settings.entry_ttl, from).await?)
    }

    /// Lets in the browser that presents a ticket.
    ///
    /// # Errors
    /// [`AuthError::TicketInvalid`](crate::auth::AuthError::TicketInvalid), or the store's failure.
    pub async fn redeem(&self, ticket: &str, entry: &Entry, from: &Visitor) -> Result<NewLogin, KioskError> {
        Ok(self.auth.redeem_entrance(ticket, &entry.session(), self.settings.entry_ttl, from).await?)
    }

    /// How long a browser that was let in may come back: the cookie's `Max-Age`.
    #[must_use]
    pub fn entry_ttl(&self) -> Duration {
        self.settings.entry_ttl
    }

    /// Uses a link and does what it says. If that cannot be done, the use is given back.
    ///
    /// # Errors
    /// [`AuthError::LinkInvalid`](crate::auth::AuthError::LinkInvalid) if it is unknown, used or
    /// lapsed; else what stood in the way.
    pub async fn follow_link(&self, secret: &str, from: &Visitor) -> Result<Followed, KioskError> {
        let link = self.auth.take_link(secret, from.address).await?;
        let (id, done) = (link.id, self.perform(link, from).await);
        if done.is_err() {
            self.auth.give_link_back(id).await?;
        }
        done
    }

    async fn perform(&self, link: Link, from: &Visitor) -> Result<Followed, KioskError> {
        // The audit of the link says who made it; this is where it was used.
        let by = Actor { name: link.created_by, address: Some(from.address) };
        match link.action {
            LinkAction::Access(client) => {
                let entry = self.access(&client, &by).await?;
                Ok(Followed::Access { entry, client })
            }
            LinkAction::Remove(client) => {
                let removed = self.remove(&client, &by).await?;
                Ok(Followed::Removed { client: Some(client), count: usize::from(removed) })
            }
            LinkAction::RemoveAll => {
                Ok(Followed::Removed { client: None, count: self.remove_all(&by).await? })
            }
        }
    }

    async fn ended(&self, entry: &Arc<Entry>) {
        // Who waits in vain is answered all the same: the removal is recorded.
        let _ = timeout(REMOVAL, self.broker.ended(entry)).await;
    }

    async fn owner_of(&self, entry: &Entry) -> Result<User, KioskError> {
        Ok(self.store.user(entry.owner).await?.ok_or(BrokerError::NotFound)?)
    }

    /// The user who owns clients' sessions; two who make them at once find the same one.
    async fn owner(&self, by: &Actor) -> Result<User, KioskError> {
        let name = &self.settings.owner;
        if let Some(user) = self.store.user_by_name(name).await? {
            return Ok(user);
        }
        let nobody_s = Secret::new(NO_PASSWORD.to_owned());
        match self.auth.import_user(by, name, Role::User, nobody_s).await {
            Ok((user, _never_usable)) => Ok(user),
            Err(error) => match self.store.user_by_name(name).await? {
                Some(user) => Ok(user),
                None => Err(error.into()),
            },
        }
    }
}

/// What a link did.
#[derive(Debug)]
pub enum Followed {
    /// There is a session to enter.
    Access {
        /// It.
        entry: Arc<Entry>,
        /// Whose it is.
        client: ClientId,
    },
    /// Sessions are gone.
    Removed {
        /// The one client, or all of them.
        client: Option<ClientId>,
        /// How many there were.
        count: usize,
    },
}

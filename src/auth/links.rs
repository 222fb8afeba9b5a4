//! Links: addresses that do one thing for whoever holds them, a few times and not for long.
//!
//! A link is a random secret, of which the store keeps the hash, and not a signed text: that it
//! works once has to be stored anyway, it can be taken back, and there is no key to keep.

use std::net::IpAddr;
use std::time::Duration;

use tracing::info;

use super::{Auth, AuthError};
use crate::audit::{Actor, AuditEvent, LinkRefusal, Record};
use crate::clock;
use crate::secret::{Secret, TokenHash, random_token};
use crate::session::{Link, LinkAction, LinkId};

/// The longest that a link may last.
const LONGEST: Duration = Duration::from_hours(24 * 366);

/// How many links there may be at once.
const MOST: usize = 100_000;

/// A link to be made.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// What it does.
    pub action: LinkAction,
    /// How long it is good, at most 366 days.
    pub lasts: Duration,
    /// How often, at most 10 000 times.
    pub uses: u32,
}

impl NewLink {
    /// How long a link is good unless somebody says otherwise.
    pub const LASTS: Duration = Duration::from_mins(10);

    /// How often a link may be used at most.
    pub const MOST_USES: u32 = 10_000;
}

impl Auth {
    /// Makes a link; the secret of its address is told here and never again.
    ///
    /// # Errors
    /// [`AuthError::LinkUnfit`] if it is to last or to be used beyond the bounds, [`AuthError::Store`].
    pub async fn create_link(&self, by: &Actor, new: NewLink) -> Result<(Link, Secret<String>), AuthError> {
        if new.lasts.is_zero() || new.lasts > LONGEST {
            return Err(AuthError::LinkUnfit { why: "it may last from a second to 366 days" });
        }
        if new.uses == 0 || new.uses > NewLink::MOST_USES {
            return Err(AuthError::LinkUnfit { why: "it may be used from 1 to 10000 times" });
        }
        if self.store.links().await?.len() >= MOST {
            return Err(AuthError::LinkUnfit { why: "there are too many links; revoke some first" });
        }
        let (secret, created_at) = (random_token(), clock::now());
        let link = Link {
            id: LinkId::random(),
            token: TokenHash::of(secret.expose()),
            action: new.action,
            uses: new.uses,
            used: 0,
            created_by: by.name.clone(),
            created_at,
            expires_at: clock::later(created_at, new.lasts),
        };
        self.store.insert_link(&link).await?;
        info!(link = %link.id, action = link.action.name(), by = by.name, "link.created");
        let event = AuditEvent::LinkCreated {
            action: link.action.clone(),
            uses: link.uses,
            expires_at: link.expires_at,
        };
        self.audit.record(Record::new(by.clone(), event).about(link.id.to_string())).await;
        Ok((link, secret))
    }

    /// Every link that has not lapsed, oldest first.
    ///
    /// # Errors
    /// [`AuthError::Store`].
    pub async fn links(&self) -> Result<Vec<Link>, AuthError> {
        let mut links = self.store.links().await?;
        links.retain(|link| clock::now() < link.expires_at);
        Ok(links)
    }

    /// Takes a link back; `false` if there is none of this id.
    ///
    /// # Errors
    /// [`AuthError::Store`]; it is still good then.
    pub async fn revoke_link(&self, by: &Actor, id: LinkId) -> Result<bool, AuthError> {
        let Some(link) = self.store.remove_link(id).await? else { return Ok(false) };
        let event = AuditEvent::LinkRevoked { action: link.action };
        self.audit.record(Record::new(by.clone(), event).about(id.to_string())).await;
        Ok(true)
    }

    /// What the link of this secret would do, without using it.
    ///
    /// # Errors
    /// [`AuthError::LinkInvalid`] if it is unknown, used or lapsed, [`AuthError::Store`].
    pub async fn look_at_link(&self, secret: &str) -> Result<Link, AuthError> {
        let link = self.store.link(&TokenHash::of(secret)).await?;
        link.filter(|link| link.is_good(clock::now())).ok_or(AuthError::LinkInvalid)
    }

    /// Uses a link once; whoever fails to do what it says gives it back.
    ///
    /// # Errors
    /// [`AuthError::LinkInvalid`] if it is unknown, used or lapsed, [`AuthError::Store`].
    pub async fn take_link(&self, secret: &str, from: IpAddr) -> Result<Link, AuthError> {
        let token = TokenHash::of(secret);
        let by = Actor::anonymous(from);
        if let Some(link) = self.store.take_link(&token, clock::now()).await? {
            let event = AuditEvent::LinkUsed { action: link.action.clone() };
            self.audit.record(Record::new(by, event).about(link.id.to_string())).await;
            return Ok(link);
        }
        // What was never a link is nobody's: anyone could fill the audit with it.
        if let Some(link) = self.store.link(&token).await?
            && self.refusals.is_news((token, "link".to_owned()))
        {
            let spent = link.used >= link.uses;
            let reason = if spent { LinkRefusal::Used } else { LinkRefusal::Lapsed };
            let event = AuditEvent::LinkRefused { action: link.action, reason };
            self.audit.record(Record::new(by, event).about(link.id.to_string())).await;
        }
        Err(AuthError::LinkInvalid)
    }

    /// Gives a use of a link back, because what it says could not be done.
    ///
    /// # Errors
    /// [`AuthError::Store`]; the use is spent then.
    pub async fn give_link_back(&self, id: LinkId) -> Result<(), AuthError> {
        Ok(self.store.give_link_back(id).await?)
    }
}

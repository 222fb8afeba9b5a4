//! Which homes there are, and which copies of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::stream::{StreamExt, iter};

use super::measure::Measured;
use super::{Broker, Entry};
use crate::engine::{EngineError, HomeOrder};
use crate::session::{CopyName, Home, HomeKey};
use crate::store::User;

/// Of how many homes the engine is asked at once.
const AT_ONCE: usize = 8;

/// A home that somebody or some session has, or may have.
#[derive(Clone, Debug)]
pub struct KnownHome {
    key: HomeKey,
    /// Whose it is.
    pub owner: String,
    /// The session it belongs to, if it is one session's own.
    pub session: Option<String>,
}

/// A home as it is listed.
#[derive(Clone, Debug)]
pub struct HomeListed {
    /// Whose it is.
    pub owner: String,
    /// The session it belongs to, if it is one session's own.
    pub session: Option<String>,
    /// What it is.
    pub kind: Home,
    /// How full it was.
    pub measured: Option<Measured>,
    /// Its copies, oldest first; `None` if the engine did not say.
    pub copies: Option<Vec<CopyName>>,
}

impl Broker {
    /// The homes that these users and their sessions have, or may have. Asks no engine.
    #[must_use]
    pub fn homes(&self, users: &[User]) -> Vec<KnownHome> {
        let persistent = self.0.templates.values().any(|template| template.home == Home::Persistent);
        let of_user =
            |user: &User| KnownHome { key: HomeKey::Owner(user.id), owner: user.name.clone(), session: None };
        let names: HashMap<_, _> = users.iter().map(|user| (user.id, &user.name)).collect();
        let of_session = |entry: &Arc<Entry>| {
            let key = entry.home_key().filter(|key| matches!(key, HomeKey::Session(_)))?;
            let owner = (*names.get(&entry.owner)?).clone();
            Some(KnownHome { key, owner, session: Some(entry.label.to_string()) })
        };
        let of_users = users.iter().filter(|_| persistent).map(of_user);
        of_users.chain(self.entries().iter().filter_map(of_session)).collect()
    }

    /// Asks the engine which copies of these homes there are, of a few at once, and tells how full they
    /// were. Once it does not answer it is asked no more: each question would wait as long as the first.
    pub async fn look_at_homes(&self, homes: Vec<KnownHome>) -> Vec<HomeListed> {
        let silent = Arc::new(AtomicBool::new(false));
        let looks = homes.into_iter().map(|home| self.clone().look_at_home(home, silent.clone()));
        iter(looks).buffered(AT_ONCE).collect().await
    }

    async fn look_at_home(self, home: KnownHome, silent: Arc<AtomicBool>) -> HomeListed {
        let KnownHome { key, owner, session } = home;
        let installation = self.0.store.installation();
        let order = HomeOrder { installation, key, owner_name: owner.clone() };
        let asked = match silent.load(Ordering::Relaxed) {
            true => None,
            false => Some(self.0.engine.home_copies(&order).await),
        };
        if let Some(Err(EngineError::Down { .. } | EngineError::Slow { .. })) = asked {
            silent.store(true, Ordering::Relaxed);
        }
        HomeListed {
            owner,
            kind: if session.is_some() { Home::Session } else { Home::Persistent },
            session,
            measured: self.0.homes.known.get(&key).map(|known| *known),
            copies: asked.and_then(Result::ok),
        }
    }
}

//! Homes in memory: as full as a test says, with copies that are only names.

use async_trait::async_trait;

use super::{FakeEngine, State};
use crate::engine::{ContainerStatus, EngineError, HomeOrder, Homes, StartOrder};
use crate::session::{CopyName, HomeKey, HomeUse, SessionId, Template};

/// A home that was used at least once.
#[derive(Clone, Debug)]
pub(super) struct FakeHome {
    installation: String,
    usage: HomeUse,
    copies: Vec<CopyName>,
}

const EMPTY: HomeUse = HomeUse { used_bytes: 0, limit_bytes: None, free_bytes: 1 << 40 };

impl FakeEngine {
    /// Makes a home as full as `usage` says, whether or not it was there.
    pub fn fill_home(&self, key: HomeKey, usage: HomeUse) {
        let mut state = self.lock();
        let home = FakeHome { installation: String::new(), usage: EMPTY, copies: Vec::new() };
        state.homes.entry(key).or_insert(home).usage = usage;
    }

    /// Adds a copy to a home that is there.
    pub fn add_copy(&self, key: HomeKey, copy: CopyName) {
        if let Some(home) = self.lock().homes.get_mut(&key) {
            home.copies.push(copy);
        }
    }

    /// Makes every later attempt to set a home aside fail, as a full disk would.
    pub fn refuse_copies(&self) {
        self.lock().copies_fail = true;
    }

    /// Every home there is.
    #[must_use]
    pub fn homes(&self) -> Vec<HomeKey> {
        self.lock().homes.keys().copied().collect()
    }
}

impl State {
    /// Refuses a start whose home another running container uses; makes the home otherwise.
    pub(super) fn take_home(
        &mut self,
        order: &StartOrder,
        template: &Template,
    ) -> Result<Option<HomeKey>, EngineError> {
        let Some(key) = template.home.key(order.owner, order.session) else { return Ok(None) };
        if self.uses(key, Some(order.session)) {
            return Err(EngineError::HomeInUse);
        }
        let home = FakeHome { installation: order.installation.clone(), usage: EMPTY, copies: Vec::new() };
        self.homes.entry(key).or_insert(home);
        Ok(Some(key))
    }

    fn uses(&self, key: HomeKey, except: Option<SessionId>) -> bool {
        self.containers.values().any(|fake| {
            let runs = matches!(fake.container.status, ContainerStatus::Running | ContainerStatus::Paused);
            runs && fake.home == Some(key) && Some(fake.container.session) != except
        })
    }
}

#[async_trait]
impl Homes for FakeEngine {
    async fn measure_homes(&self, homes: &[HomeOrder]) -> Result<Vec<Option<HomeUse>>, EngineError> {
        let state = self.called(|calls| calls.measure += 1)?;
        Ok(homes.iter().map(|home| state.homes.get(&home.key).map(|home| home.usage)).collect())
    }

    async fn set_home_aside(
        &self,
        home: &HomeOrder,
        copy: &CopyName,
        keep: usize,
    ) -> Result<(), EngineError> {
        let mut state = self.called(|calls| calls.aside += 1)?;
        if state.uses(home.key, None) {
            return Err(EngineError::HomeInUse);
        }
        if state.copies_fail {
            return Err(EngineError::Refused { detail: "no space left on device".to_owned() });
        }
        let Some(kept) = state.homes.get_mut(&home.key) else { return Ok(()) };
        kept.usage = EMPTY;
        kept.copies.push(copy.clone());
        let surplus = kept.copies.len().saturating_sub(keep.max(1));
        kept.copies.drain(..surplus);
        Ok(())
    }

    async fn restore_home(&self, home: &HomeOrder, copy: &CopyName) -> Result<(), EngineError> {
        let state = self.called(|_| ())?;
        if state.uses(home.key, None) {
            return Err(EngineError::HomeInUse);
        }
        let known = state.homes.get(&home.key).is_some_and(|home| home.copies.contains(copy));
        let refused = || EngineError::Refused { detail: "there is no such copy".to_owned() };
        if known { Ok(()) } else { Err(refused()) }
    }

    async fn home_copies(&self, home: &HomeOrder) -> Result<Vec<CopyName>, EngineError> {
        let state = self.called(|calls| calls.copies += 1)?;
        Ok(state.homes.get(&home.key).map(|home| home.copies.clone()).unwrap_or_default())
    }

    async fn home_place(&self, home: &HomeOrder) -> Result<Option<String>, EngineError> {
        let state = self.called(|_| ())?;
        Ok(state.homes.contains_key(&home.key).then(|| format!("fake-{}", home.key)))
    }

    async fn remove_home(&self, home: &HomeOrder) -> Result<(), EngineError> {
        let mut state = self.called(|_| ())?;
        if state.uses(home.key, None) {
            return Err(EngineError::HomeInUse);
        }
        state.homes.remove(&home.key);
        Ok(())
    }

    async fn remove_session_home(&self, _installation: &str, session: SessionId) -> Result<(), EngineError> {
        self.called(|_| ())?.homes.remove(&HomeKey::Session(session));
        Ok(())
    }

    async fn session_homes(&self, installation: &str) -> Result<Vec<SessionId>, EngineError> {
        let state = self.called(|_| ())?;
        let own = state.homes.iter().filter(|(_, home)| home.installation == installation);
        Ok(own
            .filter_map(|(key, _)| match key {
                HomeKey::Session(session) => Some(*session),
                HomeKey::Owner(_) => None,
            })
            .collect())
    }
}

//! What one user's sessions may take, and whether one more fits.

use std::sync::Arc;

use super::{Broker, BrokerError, Entry};
use crate::session::{Allowance, SessionId, Taken, Template, UserId, UserLimits};

impl Broker {
    /// What is in force for a user with these limits of their own.
    #[must_use]
    pub fn allowance(&self, own: &UserLimits) -> Allowance {
        let settings = &self.0.settings;
        let general = Allowance {
            max_sessions: settings.max_sessions_per_user,
            max_cpus: settings.cpus_per_user,
            max_memory_mib: settings.memory_mib_per_user,
            templates: None,
        };
        general.with(own)
    }

    /// What a user with these limits of their own may make sessions from, in the order of the
    /// configuration.
    pub fn offered(&self, own: &UserLimits) -> impl Iterator<Item = &Arc<Template>> {
        let only = self.allowance(own).templates;
        let may =
            move |template: &&Arc<Template>| only.as_ref().is_none_or(|names| names.contains(&template.name));
        self.templates().values().filter(may)
    }

    /// Of those, what something can be started from now: the others have no image here. If none has one,
    /// all of them.
    #[must_use]
    pub fn at_hand(&self, own: &UserLimits) -> Vec<&Arc<Template>> {
        let here = |template: &&Arc<Template>| !self.installed(&template.name).is_missing();
        let found: Vec<_> = self.offered(own).filter(here).collect();
        if found.is_empty() { self.offered(own).collect() } else { found }
    }

    /// What the sessions of an owner that occupy the engine take together. One whose template is
    /// gone takes what nobody knows any more, and counts for nothing.
    #[must_use]
    pub fn taken(&self, owner: UserId) -> Taken {
        self.taken_beside(owner, None)
    }

    fn taken_beside(&self, owner: UserId, except: Option<SessionId>) -> Taken {
        let counts = |entry: &Entry| {
            entry.owner == owner && Some(entry.id) != except && entry.session().state.occupies()
        };
        let running = self.entries().into_iter().filter(|entry| counts(entry));
        let templates = running.filter_map(|entry| entry.template.clone());
        templates.fold(Taken::default(), |taken, template| taken.and(&template))
    }

    /// Whether a session of `template` may begin to run for `owner`. Call it with `creating` held,
    /// until the start is recorded.
    pub(super) fn fits(
        &self,
        owner: UserId,
        own: &UserLimits,
        template: &Template,
        except: Option<SessionId>,
    ) -> Result<(), BrokerError> {
        let taken = self.taken_beside(owner, except);
        self.allowance(own).fits(taken, template).map_err(BrokerError::OverLimit)
    }

    /// The same for a session that is to leave its rest. Its owner's limits are read afresh, so that
    /// a change of them holds from the next start on; an owner nobody knows has none of their own.
    pub(super) async fn may_begin(&self, entry: &Entry) -> Result<(), BrokerError> {
        // A start without a template fails by itself, and says so.
        let Some(template) = &entry.template else { return Ok(()) };
        let owner = self.0.store.user(entry.owner).await?;
        let own = owner.map(|owner| owner.limits).unwrap_or_default();
        self.fits(entry.owner, &own, template, Some(entry.id))
    }
}

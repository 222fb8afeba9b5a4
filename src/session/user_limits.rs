//! What all sessions of one user may take together, and whether one more fits.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Template, TemplateName};

/// Limits of one user in place of the configuration's; what is `None` follows the configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserLimits {
    /// Most sessions, in any state; at least 0.
    pub max_sessions: Option<u32>,
    /// Most CPU cores of all their sessions that run.
    pub max_cpus: Option<f64>,
    /// Most memory of all their sessions that run, in MiB.
    pub max_memory_mib: Option<u64>,
    /// The only templates they may use.
    pub templates: Option<BTreeSet<TemplateName>>,
}

/// What becomes of one of a user's limits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It follows the configuration.
    Follow,
    /// It becomes this.
    Own(T),
}

/// What becomes of a user's limits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsChange {
    /// Of [`UserLimits::max_sessions`].
    pub max_sessions: Setting<u32>,
    /// Of [`UserLimits::max_cpus`].
    pub max_cpus: Setting<f64>,
    /// Of [`UserLimits::max_memory_mib`].
    pub max_memory_mib: Setting<u64>,
    /// Of [`UserLimits::templates`].
    pub templates: Setting<BTreeSet<TemplateName>>,
}

/// What is in force for one user.
#[derive(Clone, Debug, PartialEq)]
pub struct Allowance {
    /// Most sessions, in any state.
    pub max_sessions: usize,
    /// Most CPU cores of all their sessions that run; `None` for no limit.
    pub max_cpus: Option<f64>,
    /// Most memory of all their sessions that run, in MiB; `None` for no limit.
    pub max_memory_mib: Option<u64>,
    /// The only templates they may use; `None` for all.
    pub templates: Option<BTreeSet<TemplateName>>,
}

/// What sessions take together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Taken {
    /// CPU cores.
    pub cpus: f64,
    /// Memory in MiB.
    pub memory_mib: u64,
}

/// What one more session would exceed.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum Excess {
    /// Their cores.
    #[error("{taken} of {limit} cores are taken, and this takes {wanted}")]
    Cpus {
        /// How many they may have.
        limit: f64,
        /// How many their sessions have.
        taken: f64,
        /// How many this one has.
        wanted: f64,
    },
    /// Their memory.
    #[error("{taken} of {limit} MiB of memory are taken, and this takes {wanted}")]
    Memory {
        /// How much they may have, in MiB.
        limit: u64,
        /// How much their sessions have.
        taken: u64,
        /// How much this one has.
        wanted: u64,
    },
    /// Their templates.
    #[error("the template {0} is not allowed")]
    Template(TemplateName),
}

impl UserLimits {
    /// Whether everything follows the configuration.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl<T: Clone> Setting<T> {
    /// What a limit becomes.
    #[must_use]
    pub fn of(&self, before: &Option<T>) -> Option<T> {
        match self {
            Self::Keep => before.clone(),
            Self::Follow => None,
            Self::Own(limit) => Some(limit.clone()),
        }
    }
}

impl LimitsChange {
    /// What limits become.
    #[must_use]
    pub fn of(&self, before: &UserLimits) -> UserLimits {
        UserLimits {
            max_sessions: self.max_sessions.of(&before.max_sessions),
            max_cpus: self.max_cpus.of(&before.max_cpus),
            max_memory_mib: self.max_memory_mib.of(&before.max_memory_mib),
            templates: self.templates.of(&before.templates),
        }
    }
}

impl Taken {
    /// The same with one session of `template` more.
    #[must_use]
    pub fn and(self, template: &Template) -> Self {
        let memory_mib = self.memory_mib.saturating_add(template.memory_mib);
        Self { cpus: self.cpus + template.cpus, memory_mib }
    }
}

impl Allowance {
    /// This, with a user's own limits in place of what they say otherwise.
    #[must_use]
    pub fn with(self, own: &UserLimits) -> Self {
        Self {
            max_sessions: own.max_sessions.map_or(self.max_sessions, |most| most as usize),
            max_cpus: own.max_cpus.or(self.max_cpus),
            max_memory_mib: own.max_memory_mib.or(self.max_memory_mib),
            templates: own.templates.clone().or(self.templates),
        }
    }

    /// Whether a session of `template` may run beside those that take `taken`.
    ///
    /// # Errors
    /// [`Excess`] says what it would exceed.
    pub fn fits(&self, taken: Taken, template: &Template) -> Result<(), Excess> {
        // Sums of tenths are not exact.
        const HAIR: f64 = 1e-6;
        if self.templates.as_ref().is_some_and(|allowed| !allowed.contains(&template.name)) {
            return Err(Excess::Template(template.name.clone()));
        }
        let with = taken.and(template);
        match (self.max_cpus, self.max_memory_mib) {
            (Some(limit), _) if with.cpus > limit + HAIR => {
                Err(Excess::Cpus { limit, taken: taken.cpus, wanted: template.cpus })
            }
            (_, Some(limit)) if with.memory_mib > limit => {
                Err(Excess::Memory { limit, taken: taken.memory_mib, wanted: template.memory_mib })
            }
            (_, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fake::template;
    use crate::session::Protocol;

    fn desktop() -> Template {
        let mut desktop = template("desktop".parse().unwrap(), Protocol::Rfb);
        (desktop.cpus, desktop.memory_mib) = (0.1, 512);
        desktop
    }

    fn unbounded() -> Allowance {
        Allowance { max_sessions: 3, max_cpus: None, max_memory_mib: None, templates: None }
    }

    #[test]
    fn ones_own_limits_stand_in_place_of_the_configurations() {
        let general = Allowance { max_cpus: Some(2.0), max_memory_mib: Some(4096), ..unbounded() };
        assert_eq!(general.clone().with(&UserLimits::default()), general);
        let own = UserLimits {
            max_sessions: Some(7),
            max_memory_mib: Some(1024),
            templates: Some(["lab".parse().unwrap()].into()),
            ..UserLimits::default()
        };
        let expected = Allowance {
            max_sessions: 7,
            max_cpus: Some(2.0),
            max_memory_mib: Some(1024),
            templates: own.templates.clone(),
        };
        assert_eq!(general.with(&own), expected);
        assert!(UserLimits::default().is_empty() && !own.is_empty());
    }

    #[test]
    fn a_change_says_of_each_limit_what_becomes_of_it() {
        let before = UserLimits { max_sessions: Some(2), max_cpus: Some(1.0), ..UserLimits::default() };
        let change = LimitsChange {
            max_cpus: Setting::Follow,
            max_memory_mib: Setting::Own(512),
            ..LimitsChange::default()
        };
        let after = UserLimits { max_sessions: Some(2), max_memory_mib: Some(512), ..UserLimits::default() };
        assert_eq!(change.of(&before), after);
        assert_eq!(LimitsChange::default().of(&before), before);
    }

    #[test]
    fn what_just_fits_fits() {
        let desktop = desktop();
        let limited = Allowance { max_cpus: Some(0.3), max_memory_mib: Some(1536), ..unbounded() };
        let two = Taken::default().and(&desktop).and(&desktop);
        assert_eq!(limited.fits(two, &desktop), Ok(()), "a tenth three times is three tenths");
        let three = two.and(&desktop);
        assert!(matches!(limited.fits(three, &desktop), Err(Excess::Cpus { limit, .. }) if limit == 0.3));
        let memory = Allowance { max_cpus: None, ..limited };
        let excess = Excess::Memory { limit: 1536, taken: 1536, wanted: 512 };
        assert_eq!(memory.fits(three, &desktop), Err(excess));
        assert_eq!(unbounded().fits(three, &desktop), Ok(()));
    }

    #[test]
    fn a_template_that_is_not_allowed_is_said_first() {
        let only = Allowance {
            templates: Some(["lab".parse().unwrap()].into()),
            max_cpus: Some(0.0),
            ..unbounded()
        };
        assert_eq!(
            only.fits(Taken::default(), &desktop()),
            Err(Excess::Template("desktop".parse().unwrap()))
        );
        let none = Allowance { templates: Some(BTreeSet::new()), ..unbounded() };
        assert!(none.fits(Taken::default(), &desktop()).is_err());
    }
}

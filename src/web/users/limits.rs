//! A user's own limits as fields of a form.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::auth::import::sheet;
use crate::broker::Broker;
use crate::session::{LimitsChange, Setting, UserLimits};

/// What stands in the fields; what is empty follows the configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LimitFields {
    pub(super) max_sessions: String,
    pub(super) max_cpus: String,
    pub(super) max_memory_mib: String,
    pub(super) templates: String,
}

impl LimitFields {
    /// The fields of these limits.
    pub(super) fn of(limits: &UserLimits) -> Self {
        let names = |names: &BTreeSet<_>| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            if names.is_empty() { "-".to_owned() } else { names.join(" ") }
        };
        Self {
            max_sessions: limits.max_sessions.map(|most| most.to_string()).unwrap_or_default(),
            max_cpus: limits.max_cpus.map(|most| most.to_string()).unwrap_or_default(),
            max_memory_mib: limits.max_memory_mib.map(|most| most.to_string()).unwrap_or_default(),
            templates: limits.templates.as_ref().map(names).unwrap_or_default(),
        }
    }

    /// The change that makes these all of a user's limits, or the message of what is wrong.
    pub(super) fn change(&self, broker: &Broker) -> Result<LimitsChange, &'static str> {
        let templates = own(&self.templates, sheet::templates).ok_or("limits-templates-wrong")?;
        if let Setting::Own(names) = &templates
            && names.iter().any(|name| !broker.templates().contains_key(name))
        {
            return Err("limits-templates-unknown");
        }
        Ok(LimitsChange {
            max_sessions: own(&self.max_sessions, sheet::max_sessions).ok_or("limits-sessions-wrong")?,
            max_cpus: own(&self.max_cpus, sheet::max_cpus).ok_or("limits-cpus-wrong")?,
            max_memory_mib: own(&self.max_memory_mib, sheet::max_memory_mib).ok_or("limits-memory-wrong")?,
            templates,
        })
    }
}

fn own<T>(text: &str, parse: fn(&str) -> Option<T>) -> Option<Setting<T>> {
    match text.trim() {
        "" => Some(Setting::Follow),
        text => sheet::setting(text, parse),
    }
}

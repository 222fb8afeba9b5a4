//! Tells followers and the audit what happens to a session outside its state machine.

use std::fmt;

use super::changes::Changes;
use super::{Change, Entry};
use crate::audit::Audit;
use crate::tasks::Tasks;

/// What an entry tells the world by. Every entry of a broker shares one.
#[derive(Clone)]
pub(super) struct Herald {
    pub(super) changes: Changes,
    pub(super) audit: Audit,
    pub(super) tasks: Tasks,
}

impl Herald {
    /// Tells followers to look at the session again.
    pub(super) fn changed(&self, entry: &Entry) {
        self.changes.send(Change::Changed(entry.session()));
    }
}

impl fmt::Debug for Herald {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Herald").finish_non_exhaustive()
    }
}

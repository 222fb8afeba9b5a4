//! How long lines are kept: cutting the audit from the front, never silently.
//!
//! A cut is one step of the store: the line `audit_trimmed` is appended, which says how many lines
//! went and carries the hash of the last of them, and those lines are removed. So the rest can
//! still be proven, and nobody finds fewer lines without finding why.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Actor, Audit, AuditEvent, Record, body_of};
use crate::clock;
use crate::store::{AuditOrder, AuditSearch, StoreError};

/// Once a day is enough for days, and makes one line a day.
const EVERY: Duration = Duration::from_hours(24);

/// So many lines go in one step at most: others wait for the store meanwhile.
const MOST: u64 = 10_000;

/// `[audit]` of the configuration.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Settings {
    /// Lines older than this many days are cut. Default 0: they are kept for ever.
    pub keep_days: u32,
}

impl Settings {
    fn keep(&self) -> Option<Duration> {
        (self.keep_days > 0).then(|| Duration::from_hours(24 * u64::from(self.keep_days)))
    }
}

impl Audit {
    /// Cuts what is older than it has to be; returns how many lines went.
    ///
    /// # Errors
    /// The store fails; whole steps were done until then.
    pub async fn trim(&self, settings: &Settings) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let went = self.trim_once(settings).await?;
            gone += went;
            if went < MOST {
                return Ok(gone);
            }
        }
    }

    async fn trim_once(&self, settings: &Settings) -> Result<u64, StoreError> {
        let store = self.store();
        let Some(keep) = settings.keep() else { return Ok(0) };
        let Some(since) = clock::earlier(clock::now(), keep) else { return Ok(0) };
        let Some(first) = store.audit(0, 1).await?.pop() else { return Ok(0) };
        let recent = AuditSearch { since: Some(since), ..AuditSearch::default() };
        // From the front in whole: up to the first line that is young enough, whatever a clock
        // that was set back wrote behind it.
        let kept = store.find_audit(&recent, AuditOrder::OldestFirst, 1).await?.pop();
        let through = match kept {
            Some(line) => line.number - 1,
            None => {
                let newest = store.find_audit(&AuditSearch::default(), AuditOrder::NewestFirst, 1).await?;
                newest.first().map_or(0, |line| line.number)
            }
        };
        let through = through.min(first.number + MOST - 1);
        if through < first.number {
            return Ok(0);
        }
        let Some(last) = store.audit(through - 1, 1).await?.pop() else { return Ok(0) };
        let lines = through + 1 - first.number;
        let event = AuditEvent::AuditTrimmed {
            lines,
            first: first.number,
            through,
            hash: last.hash,
            keep_days: settings.keep_days,
        };
        let told = store.trim_audit(first.number, through, body_of(&Record::new(Actor::system(), event)));
        self.heard(&told.await?);
        info!(lines, through, "audit.trimmed");
        Ok(lines)
    }

    /// Trims now and every day.
    pub async fn trim_forever(self, settings: Settings, stop: CancellationToken) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = self.trim(&settings).await {
                warn!(%error, "old lines of the audit could not be cut; that is tried again tomorrow");
            }
        }
    }
}

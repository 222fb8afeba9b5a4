//! The highest start of each session that was seen, so that a late one does not come to life.
//!
//! A container's label fences while the container is there; this remembers after it was removed.

use std::time::Duration;

use dashmap::DashMap;
use tokio::time::Instant;

use crate::engine::EngineError;
use crate::session::SessionId;

/// No start is under way for longer, so what is older than this fences nothing.
const REMEMBERED: Duration = Duration::from_hours(1);
/// Below this many nothing is forgotten.
const FEW: usize = 1024;

/// What was seen of each session. Changed only by whoever has the session's turn.
#[derive(Debug, Default)]
pub(super) struct Fences(DashMap<SessionId, (u64, Instant)>);

impl Fences {
    /// Remembers that start `epoch` was seen.
    pub(super) fn raise(&self, session: SessionId, epoch: u64) {
        if self.0.len() >= FEW {
            self.0.retain(|_, (_, seen)| seen.elapsed() < REMEMBERED);
        }
        let mut fence = self.0.entry(session).or_insert((epoch, Instant::now()));
        *fence = (fence.0.max(epoch), Instant::now());
    }

    /// Lets start `epoch` through unless a later one was seen.
    pub(super) fn admit(&self, session: SessionId, epoch: u64) -> Result<(), EngineError> {
        let highest = self.0.get(&session).map_or(0, |fence| fence.0);
        if highest > epoch {
            let detail = format!("start {epoch} came too late: start {highest} was seen already");
            return Err(EngineError::Conflict { detail });
        }
        self.raise(session, epoch);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_older_start_is_refused_and_the_past_forgotten() {
        let (fences, one) = (Fences::default(), SessionId::random());
        fences.admit(one, 2).unwrap();
        fences.admit(one, 2).unwrap();
        assert!(matches!(fences.admit(one, 1), Err(EngineError::Conflict { .. })));
        fences.raise(one, 5);
        fences.raise(one, 3);
        assert!(fences.admit(one, 4).is_err());
        fences.admit(SessionId::random(), 1).unwrap();
        tokio::time::advance(REMEMBERED).await;
        (0..=FEW).for_each(|_| fences.raise(SessionId::random(), 1));
        assert!(!fences.0.contains_key(&one));
    }
}

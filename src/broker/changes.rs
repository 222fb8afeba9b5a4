//! Telling followers what changes: at once to who listens, and by number to who comes back.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex as StdMutex;

use tokio::sync::broadcast;

use super::{Broker, Change};
use crate::secret::random_bytes;

/// A follower may fall this far behind before it has to look at everything again.
const MOST_WAITING: usize = 256;
/// This many changes are remembered for whoever comes back.
const MOST_REMEMBERED: usize = 4096;

/// The changes of one process. Clones are the same ones.
#[derive(Clone)]
pub(super) struct Changes(Arc<Inner>);

struct Inner {
    listeners: broadcast::Sender<Change>,
    /// The changes that are remembered. No `.await` happens under this lock.
    past: StdMutex<Past>,
    /// Tells this process's numbers from another's.
    run: String,
}

#[derive(Default)]
struct Past {
    /// The number of the newest; numbers begin at 1.
    latest: u64,
    newest_last: VecDeque<Change>,
}

impl Changes {
    pub(super) fn new() -> Self {
        let run = random_bytes::<6>().map(|byte| format!("{byte:02x}")).concat();
        let listeners = broadcast::Sender::new(MOST_WAITING);
        Self(Arc::new(Inner { listeners, past: StdMutex::default(), run }))
    }

    /// Tells everybody. It has its number before anybody hears of it.
    pub(super) fn send(&self, change: Change) {
        let mut past = self.0.past.lock().expect("no code panics while it holds this lock");
        past.latest += 1;
        if past.newest_last.len() == MOST_REMEMBERED {
            past.newest_last.pop_front();
        }
        past.newest_last.push_back(change.clone());
        // Nobody may follow. Under the lock, so that who is told in order is told of all.
        let _ = self.0.listeners.send(change);
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.0.listeners.subscribe()
    }

    fn latest(&self) -> u64 {
        self.0.past.lock().expect("no code panics while it holds this lock").latest
    }

    fn since(&self, after: u64) -> Option<Vec<(u64, Change)>> {
        let past = self.0.past.lock().expect("no code panics while it holds this lock");
        let forgotten = past.latest - past.newest_last.len() as u64;
        if after < forgotten || after > past.latest {
            return None;
        }
        let skip = usize::try_from(after - forgotten).unwrap_or(usize::MAX);
        Some((after + 1..).zip(past.newest_last.iter().skip(skip).cloned()).collect())
    }
}

impl Broker {
    /// Follows every change of every session. A follower that falls behind by 256 is told so and
    /// should read everything again.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.0.changes.subscribe()
    }

    /// The number of the newest change; 0 if there was none.
    #[must_use]
    pub fn latest_change(&self) -> u64 {
        self.0.changes.latest()
    }

    /// The changes behind this one with their numbers, oldest first; `None` if some are forgotten.
    #[must_use]
    pub fn changes_since(&self, after: u64) -> Option<Vec<(u64, Change)>> {
        self.0.changes.since(after)
    }

    /// Tells the numbers of this process's changes from those of another.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.0.changes.0.run
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_remembered_by_number_until_too_many_came() {
        let changes = Changes::new();
        let numbers = |after| {
            changes.since(after).map(|found| found.into_iter().map(|(number, _)| number).collect::<Vec<_>>())
        };
        assert_eq!((changes.latest(), numbers(0), numbers(1)), (0, Some(vec![]), None));
        for _ in 0..3 {
            changes.send(Change::Images);
        }
        assert_eq!((numbers(0), numbers(2), numbers(3)), (Some(vec![1, 2, 3]), Some(vec![3]), Some(vec![])));
        for _ in 0..MOST_REMEMBERED {
            changes.send(Change::Images);
        }
        assert_eq!(numbers(2), None, "the third is forgotten");
        assert_eq!(numbers(3).map(|found| found.len()), Some(MOST_REMEMBERED));
    }
}

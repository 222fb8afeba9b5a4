//! The start queue: so many starts at once, the rest wait in order and can see their place.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::session::SessionId;

/// A fair queue in front of the engine.
#[derive(Debug)]
pub(super) struct Queue {
    slots: Arc<Semaphore>,
    parallel: usize,
    /// Who waits, first come first; no `.await` happens under this lock.
    line: Mutex<Line>,
}

#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<SessionId>,
    /// Moving average of how long a start holds its slot.
    typical: Option<Duration>,
}

/// A start slot; free again when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    _permit: OwnedSemaphorePermit,
}

/// A place in the queue, as the waiting page shows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// 1 is next.
    pub position: usize,
    /// How long until its start begins, judged by recent starts; `None` before the first.
    pub wait: Option<Duration>,
}

impl Queue {
    pub(super) fn new(parallel: usize) -> Self {
        Self { slots: Arc::new(Semaphore::new(parallel)), parallel, line: Mutex::default() }
    }

    /// Waits for a slot. **Cancel safety**: dropping the future leaves the line.
    pub(super) async fn enter(&self, session: SessionId) -> Slot {
        if let Ok(permit) = self.slots.clone().try_acquire_owned() {
            return Slot { _permit: permit };
        }
        self.lock().waiting.push_back(session);
        let _leave = Leave { queue: self, session };
        let permit = self.slots.clone().acquire_owned().await;
        Slot { _permit: permit.expect("the queue's semaphore is never closed") }
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    pub(super) fn place(&self, session: SessionId) -> Option<Place> {
        let line = self.lock();
        let index = line.waiting.iter().position(|waiting| *waiting == session)?;
        let rounds = u32::try_from(index / self.parallel + 1).unwrap_or(u32::MAX);
        Some(Place { position: index + 1, wait: line.typical.map(|typical| typical.saturating_mul(rounds)) })
    }

    /// Learns how long a start held its slot.
    pub(super) fn learn(&self, took: Duration) {
        let mut line = self.lock();
        line.typical = Some(line.typical.map_or(took, |typical| (typical * 3 + took) / 4));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Line> {
        self.line.lock().expect("no code panics while it holds the line")
    }
}

struct Leave<'a> {
    queue: &'a Queue,
    session: SessionId,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.queue.lock().waiting.retain(|waiting| *waiting != self.session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn starts_wait_in_order_and_see_their_place() {
        let queue = Queue::new(1);
        let ids = [SessionId::random(), SessionId::random(), SessionId::random()];
        let running = queue.enter(ids[0]).await;
        assert_eq!(queue.place(ids[0]), None);

        let mut second = Box::pin(queue.enter(ids[1]));
        let mut third = Box::pin(queue.enter(ids[2]));
        assert!(futures_util::poll!(&mut second).is_pending());
        assert!(futures_util::poll!(&mut third).is_pending());
        assert_eq!(queue.place(ids[1]).map(|p| p.position), Some(1));
        assert_eq!(queue.place(ids[2]), Some(Place { position: 2, wait: None }));

        queue.learn(Duration::from_secs(4));
        assert_eq!(queue.place(ids[2]).and_then(|p| p.wait), Some(Duration::from_secs(8)));
        drop(running);
        let running = second.await;
        assert_eq!(queue.place(ids[2]).map(|p| p.position), Some(1));
        drop(running);
        let _last = third.await;
        assert_eq!(queue.waiting(), 0);
    }

    #[tokio::test]
    async fn whoever_gives_up_leaves_the_line() {
        let queue = Queue::new(1);
        let _running = queue.enter(SessionId::random()).await;
        let gone = SessionId::random();
        let mut waiting = Box::pin(queue.enter(gone));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        assert_eq!(queue.waiting(), 1);
        drop(waiting);
        assert_eq!(queue.place(gone), None);
        assert_eq!(queue.waiting(), 0);
    }
}

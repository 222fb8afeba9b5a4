//! Whether a viewer is still there: pings, what came back, and how long it took.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use tokio::time::Instant;

use crate::telemetry::names;

/// Pings in a row that may stay without any sign of life.
const MISSED_PINGS: u32 = 2;

/// The pulse of one socket, shared by whoever pings and whoever hears.
#[derive(Debug)]
pub(super) struct Pulse {
    /// Pings since the last sign of life.
    silent: AtomicU32,
    /// The ping whose pong is awaited: its number, and when it was sent. No `.await` happens under
    /// this lock.
    awaited: Mutex<Awaited>,
    round_trips: metrics::Histogram,
}

#[derive(Debug, Default)]
struct Awaited {
    number: u64,
    sent_at: Option<Instant>,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self {
            silent: AtomicU32::new(0),
            awaited: Mutex::default(),
            round_trips: metrics::histogram!(names::PING_RTT_SECONDS),
        }
    }

    /// The payload of the next ping, which its pong repeats (RFC 6455 §5.5.3); `None` once too many
    /// have gone without any sign of life.
    pub(super) fn next(&self) -> Option<Bytes> {
        if self.silent.fetch_add(1, Ordering::Relaxed) >= MISSED_PINGS {
            return None;
        }
        let mut awaited = self.lock();
        awaited.number += 1;
        awaited.sent_at = Some(Instant::now());
        Some(Bytes::copy_from_slice(&awaited.number.to_be_bytes()))
    }

    /// Anything at all came from the browser.
    pub(super) fn alive(&self) {
        self.silent.store(0, Ordering::Relaxed);
    }

    /// A pong came. One for an older ping, or for none, tells no time.
    pub(super) fn pong(&self, payload: &[u8]) {
        let mut awaited = self.lock();
        if payload == awaited.number.to_be_bytes()
            && let Some(sent_at) = awaited.sent_at.take()
        {
            self.round_trips.record(sent_at.elapsed());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Awaited> {
        self.awaited.lock().expect("no code panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pings_may_stay_without_an_answer() {
        let pulse = Pulse::new();
        let first = pulse.next().unwrap();
        assert_ne!(first, pulse.next().unwrap(), "each ping is known by its payload");
        assert_eq!(pulse.next(), None);
        pulse.alive();
        assert!(pulse.next().is_some() && pulse.next().is_some());
        assert_eq!(pulse.next(), None);
    }

    #[test]
    fn only_the_awaited_pong_tells_a_time_and_only_once() {
        let pulse = Pulse::new();
        let (first, second) = (pulse.next().unwrap(), pulse.next().unwrap());
        for stranger in [&first[..], b"", b"12345678", &[0; 125]] {
            pulse.pong(stranger);
            assert!(pulse.lock().sent_at.is_some());
        }
        pulse.pong(&second);
        assert!(pulse.lock().sent_at.is_none());
        pulse.pong(&second);
    }
}

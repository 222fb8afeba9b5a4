//! Who watches or uses a session right now. Nobody is attached without being listed here: the
//! relays take their place from [`Entry::join`] before a byte flows.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;
use tracing::info;

use super::Entry;
use crate::audit::{Actor, AuditEvent, Record};
use crate::clock;
use crate::session::{UserId, ViewerRole};
use crate::telemetry::names;

/// Attempts of one viewer to do what it may not share a line of the audit for this long.
const ATTEMPTS_EVERY: Duration = Duration::from_secs(60);

/// The most viewers of one person that are listed.
const MOST_OF_ONE: usize = 8;

/// Somebody who is about to watch or use a session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attendee {
    /// Who.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: ViewerRole,
    /// The browser's address.
    pub address: IpAddr,
}

/// A viewer that is attached, as everyone who may see the session is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Watching {
    /// Who.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: ViewerRole,
    /// Since when.
    pub since: Timestamp,
    /// Whether the gateway still understands what they send, and so knows input from silence.
    pub input_seen: bool,
}

/// A viewer as one reader is told of it. Every edge shows this, so that none can leave anybody out.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Seen {
    /// Who.
    pub name: String,
    /// What they may do.
    pub role: ViewerRole,
    /// Since when.
    pub since: Timestamp,
    /// Whether they are the reader.
    pub you: bool,
    /// Whether the gateway still understands what they send.
    pub input_seen: bool,
}

/// The viewers of one session. No `.await` happens under the lock; it is taken when one comes,
/// goes or is listed, never for a message.
#[derive(Debug, Default)]
pub(super) struct Viewers(StdMutex<Seats>);

#[derive(Debug, Default)]
struct Seats {
    taken: BTreeMap<u64, Arc<Seat>>,
    next: u64,
}

/// One viewer's place; shared by the list and the guard.
#[derive(Debug)]
struct Seat {
    who: Attendee,
    since: Timestamp,
    /// The same on the monotonic clock.
    began: Instant,
    input_seen: AtomicBool,
    attempts: StdMutex<Attempts>,
}

/// What a viewer tried and may not. No `.await` happens under its lock.
#[derive(Debug, Default)]
struct Attempts {
    /// Not in the audit yet.
    unrecorded: u64,
    last_line: Option<Instant>,
}

impl Attempts {
    /// Adds some; how many the audit is to be told of now.
    fn add(&mut self, count: u64, now: Instant) -> Option<u64> {
        self.unrecorded += count;
        let due = self.last_line.is_none_or(|last| now.duration_since(last) >= ATTEMPTS_EVERY);
        if !due {
            return None;
        }
        self.last_line = Some(now);
        self.rest()
    }

    /// What is left to be told at the end.
    fn rest(&mut self) -> Option<u64> {
        Some(std::mem::take(&mut self.unrecorded)).filter(|count| *count > 0)
    }
}

impl Viewers {
    fn lock(&self) -> std::sync::MutexGuard<'_, Seats> {
        self.0.lock().expect("no code panics while it holds this lock")
    }

    fn seat(&self, who: Attendee) -> (u64, Arc<Seat>) {
        let seat = Arc::new(Seat {
            who,
            since: clock::now(),
            began: Instant::now(),
            input_seen: AtomicBool::new(true),
            attempts: StdMutex::default(),
        });
        let mut seats = self.lock();
        let number = seats.next;
        seats.next += 1;
        seats.taken.insert(number, seat.clone());
        (number, seat)
    }

    fn leave(&self, number: u64) {
        self.lock().taken.remove(&number);
    }

    /// How many are attached.
    pub(super) fn count(&self) -> usize {
        self.lock().taken.len()
    }

    fn list(&self) -> Vec<Watching> {
        let mut list: Vec<Watching> = self.lock().taken.values().map(|seat| seat.watching()).collect();
        // Who is not the owner is what the owner wants to know. The sort is stable: by arrival.
        list.sort_by_key(|watching| watching.role == ViewerRole::Owner);
        list
    }
}

impl Seat {
    fn watching(&self) -> Watching {
        Watching {
            user: self.who.user,
            name: self.who.name.clone(),
            role: self.who.role,
            since: self.since,
            input_seen: self.input_seen.load(Ordering::Relaxed),
        }
    }

    fn actor(&self) -> Actor {
        Actor::user(&self.who.name, self.who.address)
    }
}

impl Entry {
    /// How many viewers and upgraded connections are open.
    #[must_use]
    pub fn viewers(&self) -> usize {
        self.viewers.count()
    }

    /// Who they are: first those who are not its owner, each in the order they came.
    #[must_use]
    pub fn watching(&self) -> Vec<Watching> {
        self.viewers.list()
    }

    /// The same as `reader` is told. Of one person eight are listed, so that nobody can fill the
    /// list for the others.
    #[must_use]
    pub fn seen_by(&self, reader: UserId) -> Vec<Seen> {
        let mut of_each = HashMap::new();
        let mut few = |watching: &Watching| {
            let count = of_each.entry(watching.user).or_insert(0);
            *count += 1;
            *count <= MOST_OF_ONE
        };
        let seen = |watching: Watching| Seen {
            you: watching.user == reader,
            name: watching.name,
            role: watching.role,
            since: watching.since,
            input_seen: watching.input_seen,
        };
        self.watching().into_iter().filter(|watching| few(watching)).map(seen).collect()
    }

    /// Whether the gateway understands what every viewer sends; if not, it cannot tell that nobody
    /// is at work.
    #[must_use]
    pub fn input_seen(&self) -> bool {
        self.watching().iter().all(|watching| watching.input_seen)
    }

    /// Lists a viewer until the returned guard drops, and tells everyone who follows the session.
    /// One that is not the owner's is in the audit when this returns.
    ///
    /// **Cancel safety**: dropped half-way, the viewer has come and gone.
    pub async fn join(self: &Arc<Self>, who: Attendee) -> ViewerGuard {
        let role = who.role;
        let (number, seat) = self.viewers.seat(who);
        metrics::gauge!(names::VIEWERS, "role" => role.name()).increment(1.0);
        let guard = ViewerGuard { entry: self.clone(), number, seat };
        self.herald.changed(self);
        if role != ViewerRole::Owner {
            info!(session = %self.id, viewer = guard.seat.who.name, role = role.name(), "viewer.joined");
            let record = Record::new(guard.seat.actor(), AuditEvent::ViewerJoined { role });
            self.herald.audit.record(record.about(self.label.as_str())).await;
        }
        guard
    }
}

/// One open viewer; it is off the list when this drops, and the audit is told.
#[derive(Debug)]
pub struct ViewerGuard {
    entry: Arc<Entry>,
    number: u64,
    seat: Arc<Seat>,
}

impl ViewerGuard {
    /// What it may do.
    #[must_use]
    pub fn role(&self) -> ViewerRole {
        self.seat.who.role
    }

    /// The gateway no longer understands what it sends: it is connected, and nothing more is
    /// known. Said once; everyone who follows the session is told.
    pub fn input_unseen(&self) {
        if self.seat.input_seen.swap(false, Ordering::Relaxed) {
            self.entry.herald.changed(&self.entry);
        }
    }

    /// `count` messages of it were dropped because it may only watch. The audit is told of the
    /// first at once, of more at most once a minute, and of the rest at its end.
    pub fn attempted(&self, count: u64) {
        let due = self.attempts().add(count, Instant::now());
        if let Some(count) = due {
            self.record([AuditEvent::ViewOnlyAttempt { count }].into());
        }
    }

    fn attempts(&self) -> std::sync::MutexGuard<'_, Attempts> {
        self.seat.attempts.lock().expect("no code panics while it holds this lock")
    }

    /// Writes these into the audit in the background, in order.
    fn record(&self, events: Vec<AuditEvent>) {
        let (audit, actor, label) =
            (self.entry.herald.audit.clone(), self.seat.actor(), self.entry.label.clone());
        self.entry.herald.tasks.spawn("viewer audit", async move {
            for event in events {
                audit.record(Record::new(actor.clone(), event).about(label.as_str())).await;
            }
        });
    }
}

impl Drop for ViewerGuard {
    fn drop(&mut self) {
        let role = self.role();
        self.entry.viewers.leave(self.number);
        metrics::gauge!(names::VIEWERS, "role" => role.name()).decrement(1.0);
        self.entry.herald.changed(&self.entry);
        if role != ViewerRole::Owner {
            info!(session = %self.entry.id, viewer = self.seat.who.name, role = role.name(), "viewer.left");
            let rest = self.attempts().rest().map(|count| AuditEvent::ViewOnlyAttempt { count });
            let left = AuditEvent::ViewerLeft { role, after_s: self.seat.began.elapsed().as_secs() };
            self.record(rest.into_iter().chain([left]).collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_told_first_then_once_a_minute_then_at_the_end() {
        let mut attempts = Attempts::default();
        let start = Instant::now();
        assert_eq!(attempts.add(1, start), Some(1));
        assert_eq!(attempts.add(3, start + Duration::from_secs(59)), None);
        assert_eq!(attempts.add(4, start + Duration::from_secs(60)), Some(7));
        assert_eq!(attempts.add(2, start + Duration::from_secs(61)), None);
        assert_eq!(attempts.rest(), Some(2));
        assert_eq!(attempts.rest(), None);
    }
}

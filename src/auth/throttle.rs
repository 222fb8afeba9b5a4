//! How often a login may fail. Only failed attempts cost.
//!
//! | counted by | failures at once | then one per | counts |
//! |---|---|---|---|
//! | name and address | 10 | 30 s | always |
//! | address | 300 | 1 s | where the pair is not known |
//! | name | 30 | 60 s | where the pair is not known |
//!
//! A pair of name and address is *known* once a login from there succeeded, for 30 days. So:
//! - a class of 200 behind one address logs in at once, though each mistypes once;
//! - a stranger who hammers one name uses up the name's budget for strangers, and its owner still
//!   logs in from where they always do; an attack from many addresses gets 30 guesses, then 1440 a day;
//! - whoever hammers from the *same* address as the owner can make the owner wait there; that is
//!   the price of not letting them guess, and ends 30 s after they stop.
//!
//! An IPv6 address counts as its /64 network, which one person owns. Counts are kept in memory:
//! a restart forgets them.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use dashmap::DashMap;
use governor::clock::{Clock, DefaultClock, Reference};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::secret::TokenHash;

const KNOWN_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// After this much peace, the next refusal is told again.
const SIEGE_OVER: Duration = Duration::from_secs(600);
/// A bound on memory (some 10 MB); beyond it nothing new becomes known.
const KNOWN_AT_MOST: usize = 100_000;

/// Name (hashed: of fixed size, whatever is typed) and address.
type Pair = (TokenHash, IpAddr);

/// The counts of failed logins.
pub(super) struct Throttle<C: Clock = DefaultClock> {
    clock: C,
    pairs: Limit<Pair, C>,
    addresses: Limit<IpAddr, C>,
    names: Limit<TokenHash, C>,
    known: DashMap<Pair, C::Instant>,
}

/// An attempt that is refused unseen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Throttled {
    /// When the next is accepted.
    pub(super) retry_after: Duration,
    /// Whether this is the first one refused since the limit was reached; the audit has one line
    /// for it, not one per attempt.
    pub(super) first: bool,
}

impl Throttle {
    /// Nothing has failed yet.
    pub(super) fn new() -> Self {
        Self::with_clock(DefaultClock::default())
    }
}

impl<C: Clock + Clone> Throttle<C> {
    fn with_clock(clock: C) -> Self {
        Self {
            pairs: Limit::new(10, Duration::from_secs(30), &clock),
            addresses: Limit::new(300, Duration::from_secs(1), &clock),
            names: Limit::new(30, Duration::from_secs(60), &clock),
            known: DashMap::new(),
            clock,
        }
    }

    /// Whether an attempt may be made now; costs nothing.
    pub(super) fn check(&self, name: &str, address: IpAddr) -> Result<(), Throttled> {
        let pair = pair(name, address);
        let now = self.clock.now();
        let mut refused = self.pairs.refusal(&pair, now);
        if !self.is_known(&pair, now) {
            refused = longest(refused, self.addresses.refusal(&pair.1, now));
            refused = longest(refused, self.names.refusal(&pair.0, now));
        }
        refused.map_or(Ok(()), Err)
    }

    /// An attempt failed.
    pub(super) fn failed(&self, name: &str, address: IpAddr) {
        let pair = pair(name, address);
        let now = self.clock.now();
        self.pairs.charge(pair, now);
        if !self.is_known(&pair, now) {
            self.addresses.charge(pair.1, now);
            self.names.charge(pair.0, now);
        }
    }

    /// This user is at home at this address.
    pub(super) fn know(&self, name: &str, address: IpAddr) {
        let pair = pair(name, address);
        if self.known.contains_key(&pair) || self.known.len() < KNOWN_AT_MOST {
            self.known.insert(pair, self.clock.now());
        }
    }

    /// Forgets what no longer matters; called on a timer.
    pub(super) fn forget_old(&self) {
        let now = self.clock.now();
        self.pairs.forget_old(now);
        self.addresses.forget_old(now);
        self.names.forget_old(now);
        self.known.retain(|_, since| is_recent(*since, now));
    }

    fn is_known(&self, pair: &Pair, now: C::Instant) -> bool {
        self.known.get(pair).is_some_and(|since| is_recent(*since, now))
    }
}

/// One budget per key. `governor` counts failures; `until` remembers who has none left, because
/// asking `governor` would cost.
struct Limit<K: Clone + Eq + std::hash::Hash, C: Clock> {
    budget: RateLimiter<K, DashMapStateStore<K>, C, StateInformationMiddleware>,
    until: DashMap<K, (C::Instant, bool)>,
    refill: Duration,
}

impl<K: Clone + Eq + std::hash::Hash, C: Clock + Clone> Limit<K, C> {
    fn new(burst: u32, refill: Duration, clock: &C) -> Self {
        let burst = NonZeroU32::new(burst).expect("a budget is not zero");
        let quota = Quota::with_period(refill).expect("a period is not zero").allow_burst(burst);
        let budget = RateLimiter::dashmap_with_clock(quota, clock.clone()).with_middleware();
        Self { budget, until: DashMap::new(), refill }
    }

    fn refusal(&self, key: &K, now: C::Instant) -> Option<Throttled> {
        let mut entry = self.until.get_mut(key)?;
        let (until, told) = *entry;
        if until <= now {
            return None;
        }
        entry.1 = true;
        Some(Throttled { retry_after: until.duration_since(now).into(), first: !told })
    }

    fn charge(&self, key: K, now: C::Instant) {
        let left = self.budget.check_key(&key).map_or(0, |state| state.remaining_burst_capacity());
        if left == 0 {
            let until = now + self.refill.into();
            self.until.entry(key).and_modify(|entry| entry.0 = until).or_insert((until, false));
        }
    }

    fn forget_old(&self, now: C::Instant) {
        self.budget.retain_recent();
        // Kept a while longer, so that a siege that goes on is told once and not after each refill.
        let over = now.saturating_sub(SIEGE_OVER.into());
        self.until.retain(|_, (until, _)| *until > over);
    }
}

fn pair(name: &str, address: IpAddr) -> Pair {
    let network = match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    };
    (TokenHash::of(&name.trim().to_ascii_lowercase()), network)
}

fn longest(one: Option<Throttled>, other: Option<Throttled>) -> Option<Throttled> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Throttled {
            retry_after: one.retry_after.max(other.retry_after),
            first: one.first || other.first,
        }),
        (one, other) => one.or(other),
    }
}

fn is_recent<I: Reference>(since: I, now: I) -> bool {
    Duration::from(now.duration_since(since)) < KNOWN_FOR
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    const SCHOOL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 9));

    fn throttle() -> (Throttle<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Throttle::with_clock(clock.clone()), clock)
    }

    #[test]
    fn ten_failures_then_one_per_half_minute_told_once() {
        let (throttle, clock) = throttle();
        for _ in 0..10 {
            assert_eq!(throttle.check("ann", SCHOOL), Ok(()));
            throttle.failed("ann", SCHOOL);
        }
        let refused = throttle.check(" ANN", SCHOOL).unwrap_err();
        assert_eq!(refused, Throttled { retry_after: Duration::from_secs(30), first: true });
        assert!(!throttle.check("ann", SCHOOL).unwrap_err().first);
        assert_eq!(throttle.check("bob", SCHOOL), Ok(()));
        clock.advance(Duration::from_secs(30));
        assert_eq!(throttle.check("ann", SCHOOL), Ok(()));
        throttle.failed("ann", SCHOOL);
        assert!(!throttle.check("ann", SCHOOL).unwrap_err().first, "the same siege");
        clock.advance(Duration::from_secs(700));
        throttle.forget_old();
        assert_eq!(throttle.check("ann", SCHOOL), Ok(()));
        assert!(
            throttle.pairs.until.is_empty() && throttle.pairs.budget.is_empty(),
            "nothing is kept for ever"
        );
    }

    #[test]
    fn a_class_behind_one_address_logs_in_though_each_mistypes_once() {
        let (throttle, _) = throttle();
        for student in 0..200 {
            let name = format!("student{student}");
            assert_eq!(throttle.check(&name, SCHOOL), Ok(()));
            throttle.failed(&name, SCHOOL);
            assert_eq!(throttle.check(&name, SCHOOL), Ok(()));
            throttle.know(&name, SCHOOL);
        }
    }

    #[test]
    fn a_stranger_cannot_lock_the_owner_out_where_they_are_known() {
        let (throttle, _) = throttle();
        throttle.know("ann", SCHOOL);
        for host in 0..=255 {
            let address = IpAddr::from([203, 0, 113, host]);
            for _ in 0..10 {
                throttle.failed("ann", address);
            }
        }
        assert!(throttle.check("ann", STRANGER).is_err(), "strangers have used up their budget for ann");
        assert_eq!(throttle.check("ann", SCHOOL), Ok(()));
        assert_eq!(throttle.check("bob", STRANGER), Ok(()));
    }

    #[test]
    fn a_stranger_cannot_try_many_names_but_the_known_behind_the_same_address_go_on() {
        let (throttle, _) = throttle();
        throttle.know("ann", SCHOOL);
        for guess in 0..300 {
            throttle.failed(&format!("guess{guess}"), SCHOOL);
        }
        assert!(throttle.check("guess", SCHOOL).is_err());
        assert_eq!(throttle.check("ann", SCHOOL), Ok(()));
    }

    #[test]
    fn an_ipv6_network_is_one_place_and_so_is_a_mapped_address() {
        let (throttle, _) = throttle();
        for host in 0..10_u8 {
            throttle.failed("ann", format!("2001:db8::{host:x}").parse().unwrap());
            throttle.failed("bob", "::ffff:192.0.2.1".parse().unwrap());
        }
        assert!(throttle.check("ann", "2001:db8::ffff:1".parse().unwrap()).is_err());
        assert_eq!(throttle.check("ann", "2001:db8:0:1::1".parse().unwrap()), Ok(()));
        assert!(throttle.check("bob", SCHOOL).is_err());
    }

    #[test]
    fn a_place_is_known_for_thirty_days() {
        let (throttle, clock) = throttle();
        throttle.know("ann", SCHOOL);
        clock.advance(KNOWN_FOR);
        throttle.forget_old();
        for _ in 0..30 {
            throttle.failed("ann", STRANGER);
        }
        assert!(throttle.check("ann", SCHOOL).is_err());
    }
}

//! Facts on their way to the audit that may come in floods: each is told, no flood of them is.

use std::hash::Hash;
use std::time::Duration;

use dashmap::DashMap;
use tokio::time::Instant;
use tracing::warn;

/// The same fact makes at most one line in this time.
const QUIET: Duration = Duration::from_secs(60);

/// The most facts that are remembered.
const MOST: usize = 10_000;

/// Which facts the audit has heard of lately.
#[derive(Debug)]
pub struct Quiet<K: Eq + Hash>(DashMap<K, Instant>);

impl<K: Eq + Hash> Default for Quiet<K> {
    fn default() -> Self {
        Self(DashMap::new())
    }
}

impl<K: Eq + Hash> Quiet<K> {
    /// Whether this one is news; it is remembered then.
    pub fn is_news(&self, fact: K) -> bool {
        let now = Instant::now();
        let lately = |at: &Instant| now.duration_since(*at) < QUIET;
        if self.0.len() >= MOST {
            self.0.retain(|_, at| lately(at));
        }
        if self.0.len() >= MOST {
            warn!("very many refusals within a minute; not all of them are in the audit");
            return false;
        }
        let mut news = false;
        self.0
            .entry(fact)
            .and_modify(|at| {
                if !lately(at) {
                    (*at, news) = (now, true);
                }
            })
            .or_insert_with(|| {
                news = true;
                now
            });
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_line_a_minute_for_each_fact() {
        let quiet = Quiet::default();
        assert!(quiet.is_news(("ann", 1)) && quiet.is_news(("ann", 2)) && quiet.is_news(("bob", 1)));
        for _ in 0..1000 {
            assert!(!quiet.is_news(("ann", 1)));
        }
        tokio::time::advance(QUIET).await;
        assert!(quiet.is_news(("ann", 1)) && !quiet.is_news(("ann", 1)));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let quiet = Quiet::default();
        for number in 0..MOST + 50 {
            quiet.is_news(number);
        }
        assert_eq!(quiet.0.len(), MOST);
        tokio::time::advance(QUIET).await;
        assert!(quiet.is_news(MOST + 100));
        assert_eq!(quiet.0.len(), 1);
    }
}

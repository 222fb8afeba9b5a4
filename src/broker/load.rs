//! How hard a container works, by samples of its CPU time.
//!
//! Only sessions whose template asks for it are sampled, and only while their away limit is near:
//! everybody else costs nothing.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::session::reap::Policy;

/// Over how long use is averaged, unless the limit itself is shorter than twice that.
const WINDOW: Duration = Duration::from_secs(60);

/// A sample may always be this old: the reaper looks once a second.
const STALE: Duration = Duration::from_secs(3);

/// How a session is watched while its limit is near.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Rhythm {
    /// Watched while this much of the limit is left; also over how long use is averaged.
    pub(super) window: Duration,
    /// Between two samples.
    every: Duration,
}

impl Rhythm {
    /// The rhythm of a policy; `None` if it does not ask how hard containers work.
    pub(super) fn of(policy: &Policy) -> Option<Self> {
        let limit = policy.no_viewer.map_or(policy.away, |no_viewer| no_viewer.min(policy.away));
        let window = WINDOW.min(limit / 2);
        (policy.busy_cpu_percent > 0).then_some(Self { window, every: window / 4 })
    }
}

/// The latest samples of one container.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// CPU time used so far, oldest first.
    samples: VecDeque<(Instant, Duration)>,
    asked: Option<Instant>,
}

impl Load {
    /// Whether it is time for a sample; the caller then takes one.
    pub(super) fn is_due(&mut self, now: Instant, rhythm: Rhythm) -> bool {
        let due = self.asked.is_none_or(|asked| now.duration_since(asked) >= rhythm.every);
        if due {
            self.asked = Some(now);
        }
        due
    }

    /// Takes a sample in.
    pub(super) fn note(&mut self, now: Instant, cpu: Duration, rhythm: Rhythm) {
        self.samples.push_back((now, cpu));
        // One that is older than the window stays, so that the newest are compared with it.
        while self.samples.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= rhythm.window) {
            self.samples.pop_front();
        }
    }

    /// Forgets everything: the session is in use, or is another container's.
    pub(super) fn clear(&mut self) {
        self.samples.clear();
        self.asked = None;
    }

    /// Average use over the window in percent of one core; `None` while it is not known, because
    /// there are fewer than two samples or the last is long ago.
    pub(super) fn percent(&self, now: Instant, rhythm: Rhythm) -> Option<f64> {
        let ((first, before), (last, after)) = (self.samples.front()?, self.samples.back()?);
        let over = last.duration_since(*first);
        if over.is_zero() || now.duration_since(*last) > (rhythm.every * 3).max(STALE) {
            return None;
        }
        // A container that was restarted counts from zero again.
        Some(after.saturating_sub(*before).as_secs_f64() / over.as_secs_f64() * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn use_is_the_average_of_the_window() {
        let policy = Policy { away: secs(3600), busy_cpu_percent: 50, ..Policy::default() };
        let rhythm = Rhythm::of(&policy).expect("it asks");
        assert_eq!(rhythm, Rhythm { window: secs(60), every: secs(15) });
        let (start, mut load) = (Instant::now(), Load::default());
        assert!(load.is_due(start, rhythm) && !load.is_due(start + secs(14), rhythm));
        load.note(start, secs(100), rhythm);
        assert_eq!(load.percent(start, rhythm), None, "one sample says nothing");
        // A minute at full speed, a minute at none.
        for step in 1..=8 {
            load.note(start + secs(15 * step), secs(100 + 15 * step.min(4)), rhythm);
            let percent = load.percent(start + secs(15 * step), rhythm).expect("two samples");
            let expected = if step <= 4 { 100.0 } else { 100.0 * (8 - step) as f64 / 4.0 };
            assert!((percent - expected).abs() < 0.01, "{step}: {percent}");
        }
        assert_eq!(load.percent(start + secs(120 + 46), rhythm), None, "the last is too old");
        load.note(start + secs(135), secs(1), rhythm);
        assert_eq!(load.percent(start + secs(135), rhythm), Some(0.0), "it was restarted");
        load.clear();
        assert!(load.is_due(start + secs(136), rhythm));
    }

    #[test]
    fn a_short_limit_is_watched_for_its_second_half() {
        let policy = Policy { away: secs(20), busy_cpu_percent: 1, ..Policy::default() };
        assert_eq!(Rhythm::of(&policy).map(|rhythm| rhythm.window), Some(secs(10)));
        let sooner = Policy { no_viewer: Some(secs(8)), ..policy };
        assert_eq!(Rhythm::of(&sooner).map(|rhythm| rhythm.window), Some(secs(4)));
        assert_eq!(Rhythm::of(&Policy { busy_cpu_percent: 0, ..policy }), None);
    }
}

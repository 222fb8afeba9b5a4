//! The drain: stop accepting, finish what is open, within a grace period.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::{info, warn};

use super::connection::Open;

/// The one drain of a process. Clones are the same: listeners and connections watch it, open
/// connections and upgraded sockets are counted by it.
#[derive(Clone, Debug, Default)]
pub struct Drain {
    begun: CancellationToken,
    cut: CancellationToken,
    open: TaskTracker,
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Drained {
    /// Everything that was open has finished.
    Finished,
    /// The grace period passed, or a second signal came: this many were cut.
    Cut(usize),
}

impl Drain {
    /// A drain that has not begun.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until the drain begins. **Cancel safety**: may be dropped and called again.
    pub async fn draining(&self) {
        self.begun.cancelled().await;
    }

    /// Counts an upgraded socket until the guard is dropped. Requests that know their peer take
    /// [`super::Peer::upgraded`] instead, which also keeps the connection in use.
    #[must_use]
    pub fn upgraded(&self) -> UpgradedGuard {
        UpgradedGuard { _counted: self.open.token(), _open: None }
    }

    /// Counts a connection until the token is dropped.
    pub(super) fn connection(&self) -> TaskTrackerToken {
        self.open.token()
    }

    /// Waits until what is still open must end now.
    pub(super) async fn cut(&self) {
        self.cut.cancelled().await;
    }

    /// Begins the drain and waits until everything has finished, `grace` has passed, or `hurry`
    /// comes. What is open then is cut.
    pub async fn finish(&self, grace: Duration, hurry: impl Future<Output = ()>) -> Drained {
        self.begun.cancel();
        self.open.close();
        let outcome = tokio::select! {
            () = self.open.wait() => Drained::Finished,
            () = tokio::time::sleep(grace) => Drained::Cut(self.open.len()),
            () = hurry => Drained::Cut(self.open.len()),
        };
        self.cut.cancel();
        outcome
    }

    /// Waits for SIGTERM or SIGINT, then drains for at most `grace`; a second signal ends the
    /// drain at once.
    ///
    /// # Errors
    /// When the process cannot listen to signals.
    pub async fn on_signal(&self, grace: Duration) -> io::Result<Drained> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        next().await;
        info!(
            grace_s = grace.as_secs(),
            open = self.open.len(),
            "draining: no new connections, finishing what is open"
        );
        let outcome = self.finish(grace, next()).await;
        match outcome {
            Drained::Finished => info!("drained: everything has finished"),
            Drained::Cut(open) => warn!(open, "drained: cut what was still open"),
        }
        Ok(outcome)
    }
}

/// An upgraded socket that is open. Whoever relays it watches [`Drain::draining`] and then tells the browser to connect again (close code 1001).
#[derive(Debug)]
pub struct UpgradedGuard {
    _counted: TaskTrackerToken,
    _open: Option<Open>,
}

impl UpgradedGuard {
    pub(super) fn keeping(self, open: Open) -> Self {
        Self { _open: Some(open), ..self }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_drain_waits_for_upgraded_sockets() {
        let drain = Drain::new();
        let guard = drain.upgraded();
        let finish = drain.finish(Duration::from_secs(30), pending());
        tokio::pin!(finish);
        assert!(futures_util::poll!(&mut finish).is_pending());
        drain.draining().await;
        drop(guard);
        assert_eq!(finish.await, Drained::Finished);
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_is_bounded_and_a_second_signal_ends_it() {
        let drain = Drain::new();
        let _guard = drain.upgraded();
        assert_eq!(drain.finish(Duration::from_secs(30), pending()).await, Drained::Cut(1));
        let drain = Drain::new();
        let _guard = drain.upgraded();
        let begun = tokio::time::Instant::now();
        assert_eq!(drain.finish(Duration::from_secs(30), async {}).await, Drained::Cut(1));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        drain.cut().await;
    }

    #[tokio::test]
    async fn a_signal_begins_the_drain_and_a_second_one_ends_it() {
        let send = |signal: &str| {
            let sent =
                std::process::Command::new("kill").args([signal, &std::process::id().to_string()]).status();
            assert!(sent.unwrap().success());
        };
        let drain = Drain::new();
        let _guard = drain.upgraded();
        let ended = drain.on_signal(Duration::from_mins(1));
        tokio::pin!(ended);
        assert!(futures_util::poll!(&mut ended).is_pending(), "from here on signals are caught");
        send("-TERM");
        tokio::select! {
            _ = &mut ended => panic!("a socket is open"),
            () = drain.draining() => {}
        }
        send("-INT");
        assert_eq!(ended.await.unwrap(), Drained::Cut(1));
    }
}

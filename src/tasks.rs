//! Background tasks: named, drained at the end, their panics reported.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, error, error_span};

/// The tasks of one process. Clones share the same set and the same stop signal.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `task` in the background until it ends by itself; it should watch [`Tasks::stopping`].
    /// A panic is logged under `name` and ends only this task.
    #[allow(clippy::disallowed_methods)]
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let guarded = async move {
            if let Err(panic) = AssertUnwindSafe(task).catch_unwind().await {
                let what = panic
                    .downcast_ref::<&str>()
                    .map(ToString::to_string)
                    .or_else(|| panic.downcast_ref::<String>().cloned());
                error!(task = name, panic = what.as_deref().unwrap_or("?"), "a background task panicked");
            }
        };
        self.tracker.spawn(guarded.instrument(error_span!(parent: None, "task", name)));
    }

    /// Runs `task` to its end, also if whoever waits for it here goes away; `None` if it panicked.
    ///
    /// **Cancel safety**: dropping this leaves the task running.
    pub async fn carry<T, F>(&self, name: &'static str, task: F) -> Option<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        self.spawn(name, async move {
            let _ = tell.send(task.await);
        });
        told.await.ok()
    }

    /// The signal that tells every task to finish.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Tells every task to finish and waits until all have. The caller bounds the wait.
    pub async fn drain(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// How many tasks are running.
    #[must_use]
    pub fn running(&self) -> usize {
        self.tracker.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[tokio::test]
    async fn what_is_carried_ends_without_whoever_waited() {
        let (tasks, done) = (Tasks::new(), Arc::new(AtomicBool::new(false)));
        let (go, gone) = oneshot::channel::<()>();
        let carried = tasks.carry("change", {
            let done = done.clone();
            async move {
                let _ = gone.await;
                done.store(true, Ordering::SeqCst);
            }
        });
        assert!(carried.now_or_never().is_none(), "it was begun, and nobody waits for it now");
        let _ = go.send(());
        tasks.drain().await;
        assert!(done.load(Ordering::SeqCst));
        assert_eq!(tasks.carry("change", async { panic!("a bug") }).await, None::<()>);
    }
}

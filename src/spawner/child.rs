//! The spawner as a child of the gateway, for one machine and one person: `berth serve` starts
//! `berth spawner` and the two end together.

use std::future::pending;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use thiserror::Error;
use tokio::net::UnixStream;
use tokio::process::{self, ChildStdin, Command};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::engine::spawner::SpawnerEngine;
use crate::engine::{Engine, EngineError};

/// How long a new spawner may take until it answers; it proves the isolation first.
const READY: Duration = Duration::from_secs(30);
/// How long a spawner that cannot go on takes to end.
const ENDING: Duration = Duration::from_secs(1);
/// How often a new spawner is asked.
const POLL: Duration = Duration::from_millis(50);
/// The first and the longest pause before a crashed spawner is started again.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// Why the spawner did not come up.
#[derive(Debug, Error)]
pub enum ChildError {
    /// The program could not be run.
    #[error("the spawner could not be started: {0}")]
    Launch(#[from] io::Error),
    /// It ended before it answered; its own words stand above this line.
    #[error("the spawner ended before it was ready ({0}); its own message stands above")]
    Ended(ExitStatus),
    /// It did not answer in time.
    #[error("the spawner did not answer within {0} s")]
    Slow(u64),
}

/// A running spawner. Dropping it ends the process, because its standard input closes.
#[derive(Debug)]
pub struct Child {
    executable: PathBuf,
    config: PathBuf,
    socket: PathBuf,
    process: process::Child,
    /// Held open for as long as the process is wanted. Not left in `process`, because waiting for
    /// a process closes the standard input that is still in it.
    lifeline: Option<ChildStdin>,
}

impl Child {
    /// Starts `executable spawner --config … --socket … --exit-with-parent` and waits until the
    /// engine answers through it, at most 30 s. Its standard error is ours.
    ///
    /// # Errors
    /// [`ChildError`] says how far it came. Cancelling ends the process.
    pub async fn launch(executable: &Path, config: &Path, socket: &Path) -> Result<Self, ChildError> {
        let mut process = Command::new(executable)
            .arg("spawner")
            .arg("--config")
            .arg(config)
            .arg("--socket")
            .arg(socket)
            .arg("--exit-with-parent")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()?;
        let (executable, config) = (executable.to_owned(), config.to_owned());
        let lifeline = process.stdin.take();
        let mut child = Self { executable, config, socket: socket.to_owned(), process, lifeline };
        child.ready().await?;
        Ok(child)
    }

    /// Keeps a spawner running until `stop`, then ends it: one that crashes is started again,
    /// after a pause that doubles from a quarter of a second to 30 s while it keeps failing.
    pub async fn keep_running(mut self, stop: CancellationToken) {
        let mut pause = BACK_OFF.0;
        loop {
            let ended = tokio::select! {
                () = stop.cancelled() => return self.end().await,
                ended = self.process.wait() => ended,
            };
            warn!(?ended, "the spawner ended; starting it again");
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = sleep(pause) => {}
                }
                match Self::launch(&self.executable, &self.config, &self.socket).await {
                    Ok(child) => {
                        self = child;
                        pause = BACK_OFF.0;
                        break;
                    }
                    Err(error) => {
                        pause = (pause * 2).min(BACK_OFF.1);
                        warn!(%error, next_try_ms = pause.as_millis(), "the spawner did not start");
                    }
                }
            }
        }
    }

    /// Asks the process to end by closing its standard input, and waits 10 s before killing it.
    pub async fn end(mut self) {
        drop(self.lifeline.take());
        let ended = tokio::time::timeout(Duration::from_secs(10), self.process.wait()).await;
        if !matches!(ended, Ok(Ok(_))) {
            warn!("the spawner did not end by itself and is killed");
            let _ = self.process.kill().await;
        }
    }

    async fn ready(&mut self) -> Result<(), ChildError> {
        let engine = SpawnerEngine::new(self.socket.clone());
        let deadline = Instant::now() + READY;
        let mut told = Instant::now();
        while Instant::now() < deadline {
            if let Some(status) = self.process.try_wait()? {
                return Err(ChildError::Ended(status));
            }
            if UnixStream::connect(&self.socket).await.is_ok() {
                match engine.ping().await {
                    Ok(_) => return Ok(()),
                    Err(error) => return self.down_or_ended(&error).await,
                }
            }
            if told.elapsed() > Duration::from_secs(2) {
                info!("waiting for the spawner");
                told = Instant::now();
            }
            sleep(POLL).await;
        }
        Err(ChildError::Slow(READY.as_secs()))
    }

    /// A spawner that answers for an engine that is down is one to go on with: pages are served
    /// and starts refused until the engine is back. One that is about to end is not.
    async fn down_or_ended(&mut self, error: &EngineError) -> Result<(), ChildError> {
        match tokio::time::timeout(ENDING, self.process.wait()).await {
            Ok(ended) => Err(ChildError::Ended(ended?)),
            Err(_) => {
                warn!(%error, "no session can be started yet");
                Ok(())
            }
        }
    }
}

/// Returns when standard input ends: the parent process is gone, however it went. This is what
/// `--exit-with-parent` waits for.
pub async fn parent_gone() {
    let (tell, told) = oneshot::channel();
    // A thread of its own: the runtime would wait for its blocking threads when it ends.
    let watch = move || {
        let mut ignored = [0; 64];
        while matches!(io::stdin().read(&mut ignored), Ok(1..)) {}
        let _ = tell.send(());
    };
    if let Err(error) = std::thread::Builder::new().name("parent".into()).spawn(watch) {
        warn!(%error, "the parent process cannot be watched");
        return pending().await;
    }
    let _ = told.await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_spawner_that_ends_at_once_is_not_waited_for() {
        let nowhere = Path::new("/nonexistent/berth.sock");
        let ended = Child::launch(Path::new("/bin/false"), Path::new("x"), nowhere).await;
        assert!(matches!(ended, Err(ChildError::Ended(_))), "{ended:?}");
        let absent = Child::launch(Path::new("/nonexistent/berth"), Path::new("x"), nowhere).await;
        assert!(matches!(absent, Err(ChildError::Launch(_))), "{absent:?}");
    }
}

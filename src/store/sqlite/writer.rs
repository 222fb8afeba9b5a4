//! The one thread that writes.
//!
//! Writes wait in a queue; all that wait share one transaction and so one flush to disk, each in a
//! savepoint of its own: a refused one leaves no trace and does not disturb its neighbours.
//! Nobody is answered before the commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;

use rusqlite::{Connection, ffi};
use tokio::sync::oneshot;
use tracing::{error, warn};

use super::failure::{Refusal, explain, unavailable};
use crate::store::StoreError;

/// How many writes share one transaction at most.
const BATCH: usize = 128;

/// The queue to the writing thread; dropping it finishes what is queued and joins the thread.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<thread::JoinHandle<()>>,
    name: Arc<str>,
}

impl Writer {
    /// Starts the thread, which owns the connection.
    pub(super) fn start(connection: Connection, name: Arc<str>) -> Result<Self, StoreError> {
        let (queue, jobs) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("berth-store".to_owned())
            .spawn(move || serve(&connection, &jobs))
            .map_err(|error| unavailable(&format!("cannot start the writing thread: {error}")))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), name })
    }

    /// Runs `work` in a transaction and answers once it is durable.
    ///
    /// **Cancel safety**: a write that was queued happens even if nobody waits for its answer.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
    {
        let gone = || unavailable("the writing thread has ended");
        let (reply, answer) = oneshot::channel();
        let write = Write { work: Some(work), result: None, reply, name: self.name.clone() };
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        queue.send(Box::new(write)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            error!("the store's writing thread panicked");
        }
    }
}

/// A queued write, without its types.
trait Job: Send {
    /// Does the work; says whether to keep what it did.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Answers the caller; `broken` is why the whole transaction failed.
    fn reply(self: Box<Self>, broken: Option<&rusqlite::Error>);
}

struct Write<T, F> {
    work: Option<F>,
    result: Option<Result<T, Refusal>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
    name: Arc<str>,
}

impl<T, F> Job for Write<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, Refusal> + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        let Some(work) = self.work.take() else { return false };
        // A bug in one piece of work must not end the thread that serves all.
        self.result = catch_unwind(AssertUnwindSafe(|| work(connection))).ok();
        matches!(self.result, Some(Ok(_)))
    }

    fn reply(self: Box<Self>, broken: Option<&rusqlite::Error>) {
        let answer = match (self.result, broken) {
            (Some(Err(refusal)), _) => Err(refusal.into_error(&self.name)),
            (_, Some(broken)) => Err(explain(&self.name, broken)),
            (Some(Ok(value)), None) => Ok(value),
            (None, None) => Err(unavailable("the write panicked")),
        };
        // The caller may have gone away.
        let _ = self.reply.send(answer);
    }
}

fn serve(connection: &Connection, jobs: &mpsc::Receiver<Box<dyn Job>>) {
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        batch.extend(jobs.try_iter().take(BATCH - 1));
        let outcome = commit(connection, &mut batch);
        if let Err(error) = &outcome {
            warn!(%error, writes = batch.len(), "the store could not write");
            // After some errors SQLite has rolled back already.
            if !connection.is_autocommit()
                && let Err(error) = connection.execute_batch("ROLLBACK")
            {
                error!(%error, "the store could not roll back");
            }
        }
        for job in batch {
            job.reply(outcome.as_ref().err());
        }
    }
}

fn commit(connection: &Connection, batch: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    for job in batch {
        connection.execute_batch("SAVEPOINT one")?;
        let keep = job.run(connection);
        if connection.is_autocommit() {
            // A full disk made SQLite roll back everything, also what the neighbours did.
            let words = "the transaction was rolled back: a write beside this one failed".to_owned();
            return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_FULL), Some(words)));
        }
        connection.execute_batch(if keep { "RELEASE one" } else { "ROLLBACK TO one; RELEASE one" })?;
    }
    connection.execute_batch("COMMIT")
}

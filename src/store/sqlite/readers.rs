//! A few connections that only read, beside the writer.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::failure::{Refusal, unavailable};
use super::open;
use crate::store::StoreError;

/// Reads take tens of microseconds: a few connections keep a disk and several cores busy.
const CONNECTIONS: usize = 3;

/// The pool; a permit stands for one idle connection.
pub(super) struct Readers {
    permits: Arc<Semaphore>,
    idle: Arc<Idle>,
    name: Arc<str>,
}

/// Guards the idle connections; held only to push or pop, never over an `.await` or a query.
struct Idle(Mutex<Vec<Connection>>);

/// A connection on loan; returns to the pool when dropped, also by a panic.
struct Loan {
    connection: Option<Connection>,
    idle: Arc<Idle>,
}

impl Readers {
    /// Opens the connections.
    pub(super) fn open(path: &Path, name: &Arc<str>) -> Result<Self, StoreError> {
        let connections =
            (0..CONNECTIONS).map(|_| open::reader(path, name)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            permits: Arc::new(Semaphore::new(CONNECTIONS)),
            idle: Arc::new(Idle(Mutex::new(connections))),
            name: name.clone(),
        })
    }

    /// Runs `work` on an idle connection, on a thread that may block.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
    {
        let permit = self.permits.clone().acquire_owned().await.expect("the semaphore is never closed");
        let idle = self.idle.clone();
        let read = tokio::task::spawn_blocking(move || {
            // Declared first, so dropped last: after the connection is back.
            let _permit = permit;
            let loan = Loan { connection: idle.pop(), idle: idle.clone() };
            work(loan.connection.as_ref().expect("a permit stands for an idle connection"))
        });
        let result = read.await.map_err(|error| unavailable(&format!("a read was given up: {error}")))?;
        result.map_err(|refusal| refusal.into_error(&self.name))
    }
}

impl Idle {
    fn pop(&self) -> Option<Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn push(&self, connection: Connection) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.idle.push(connection);
        }
    }
}

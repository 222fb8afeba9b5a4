//! Imports on their way: shown as a trial run, carried out once, their passwords handed out once.
//!
//! They live in memory: what was shown is what is carried out, without the list being sent twice.
//! An import that has begun runs to its end whoever goes away.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::audit::Actor;
use crate::auth::Auth;
use crate::auth::import::{Planned, RowOutcome, RowResult};
use crate::secret::Secret;
use crate::session::UserId;
use crate::tasks::Tasks;

/// How long an import is remembered after it was shown or came to its end.
const KEPT: Duration = Duration::from_secs(3600);
/// The most that are remembered; the oldest that does not run makes room.
const MOST: usize = 20;

/// Names and the passwords that were made for them.
pub type Passwords = Vec<(String, Secret<String>)>;

/// An import's opaque name in addresses.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ImportId(Uuid);

impl fmt::Display for ImportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

impl FromStr for ImportId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// The imports of one gateway. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Imports(Arc<Held>);

#[derive(Debug, Default)]
struct Held {
    imports: DashMap<ImportId, Arc<Import>>,
    /// How many there ever were.
    count: AtomicUsize,
}

/// One import.
#[derive(Debug)]
pub struct Import {
    /// Its name.
    pub id: ImportId,
    by: UserId,
    /// How many there were before it.
    nth: usize,
    planned: Vec<Planned>,
    done: AtomicUsize,
    /// Guards where it is; held for a moment, never over an `.await`.
    stage: Mutex<Stage>,
    ended: watch::Sender<bool>,
}

#[derive(Debug)]
enum Stage {
    Shown { at: Instant },
    Running,
    Ended { at: Instant, results: Arc<Vec<RowResult>>, passwords: Option<Passwords> },
}

/// Where an import is.
#[derive(Clone, Debug)]
pub enum Progress {
    /// It was shown and not begun.
    Shown,
    /// So many rows are done.
    Running(usize),
    /// It is over.
    Ended {
        /// What became of each row; without passwords.
        results: Arc<Vec<RowResult>>,
        /// For how many users a password was made that nobody has fetched yet.
        passwords: usize,
    },
}

impl Imports {
    /// Remembers a trial run that `by` is shown.
    #[must_use]
    pub fn hold(&self, by: UserId, planned: Vec<Planned>) -> Arc<Import> {
        let imports = &self.0.imports;
        imports.retain(|_, import| !import.is_over());
        while imports.len() >= MOST {
            let resting = imports.iter().filter(|import| import.rests_since().is_some());
            let Some((_, oldest)) = resting.map(|import| (import.nth, import.id)).min_by_key(|(nth, _)| *nth)
            else {
                break;
            };
            imports.remove(&oldest);
        }
        let import = Arc::new(Import {
            id: ImportId(Uuid::new_v4()),
            by,
            nth: self.0.count.fetch_add(1, Ordering::Relaxed),
            planned,
            done: AtomicUsize::new(0),
            stage: Mutex::new(Stage::Shown { at: Instant::now() }),
            ended: watch::Sender::new(false),
        });
        imports.insert(import.id, import.clone());
        import
    }

    /// The import of this name, if it was shown to `by`.
    #[must_use]
    pub fn find(&self, id: ImportId, by: UserId) -> Option<Arc<Import>> {
        let import = self.0.imports.get(&id)?.clone();
        (import.by == by && !import.is_over()).then_some(import)
    }
}

impl Import {
    /// What is to become of each row.
    #[must_use]
    pub fn planned(&self) -> &[Planned] {
        &self.planned
    }

    /// Carries it out in the background; `false` if that was asked for before.
    pub fn begin(self: &Arc<Self>, auth: Arc<Auth>, actor: Actor, tasks: &Tasks) -> bool {
        {
            let mut stage = self.lock();
            if !matches!(*stage, Stage::Shown { .. }) {
                return false;
            }
            *stage = Stage::Running;
        }
        let import = self.clone();
        tasks.spawn("user import", async move {
            let note = |done| import.done.store(done, Ordering::Relaxed);
            let results = auth.carry_out_all(&actor, &import.planned, note).await;
            let (results, passwords) = apart(results);
            *import.lock() = Stage::Ended {
                at: Instant::now(),
                results: Arc::new(results),
                passwords: Some(passwords).filter(|made| !made.is_empty()),
            };
            import.ended.send_replace(true);
        });
        true
    }

    /// Waits until it is over.
    pub async fn ended(&self) {
        // The sender is this import's own, so it is there.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Where it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        match &*self.lock() {
            Stage::Shown { .. } => Progress::Shown,
            Stage::Running => Progress::Running(self.done.load(Ordering::Relaxed)),
            Stage::Ended { results, passwords, .. } => Progress::Ended {
                results: results.clone(),
                passwords: passwords.as_ref().map_or(0, Vec::len),
            },
        }
    }

    /// The passwords that were made, for the one who fetches them first.
    #[must_use]
    pub fn take_passwords(&self) -> Option<Passwords> {
        match &mut *self.lock() {
            Stage::Ended { passwords, .. } => passwords.take(),
            Stage::Shown { .. } | Stage::Running => None,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rests_since(&self) -> Option<Instant> {
        match *self.lock() {
            Stage::Shown { at } | Stage::Ended { at, .. } => Some(at),
            Stage::Running => None,
        }
    }

    fn is_over(&self) -> bool {
        self.rests_since().is_some_and(|at| at.elapsed() > KEPT)
    }
}

/// Results without passwords, and the passwords.
fn apart(results: Vec<RowResult>) -> (Vec<RowResult>, Passwords) {
    let mut made = Passwords::new();
    let results = results.into_iter().map(|mut result| {
        if let RowOutcome::Created { password } = &mut result.outcome
            && let Some(password) = password.take()
        {
            made.push((result.name.clone(), password));
        }
        result
    });
    (results.collect(), made)
}

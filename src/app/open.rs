//! Opening what both the gateway and the command line need.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::audit::Audit;
use crate::auth::{self, Auth};
use crate::broker::Broker;
use crate::cli::{Exit, Failure};
use crate::config::{AuthSettings, Config};
use crate::engine::Engine;
use crate::engine::docker::DockerEngine;
use crate::fault::chain;
use crate::secret::Secret;
use crate::stats::{self, Stats};
use crate::store::sqlite::{SqliteStore, StoreLock};
use crate::store::{Store, StoreError};
use crate::tasks::Tasks;

/// Opens the configured store.
///
/// # Errors
/// It is damaged, newer than this binary, or cannot be written; it is left as it was.
pub fn open_store(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    let path = store_path(config)?;
    let store = SqliteStore::open(&path).map_err(|error| unusable(&path, &error))?;
    Ok(Arc::new(store))
}

/// Why a database cannot be used, and what to do about it. It was left as it is.
pub(super) fn unusable(path: &Path, error: &StoreError) -> Failure {
    let todo = match error {
        StoreError::Newer { known, .. } => {
            format!(
                "a newer Berth wrote it and no older one can read it; it was left as it is: install that version \
                 again, or go back to the copy made before the upgrade ({}.before-… of schema {known} or older, or a \
                 backup)",
                path.display()
            )
        }
        StoreError::Locked { .. } => "wait until the restoration is done, then try again".to_owned(),
        StoreError::Conflict(_)
        | StoreError::Corrupt { .. }
        | StoreError::Stale
        | StoreError::Unavailable { .. } => {
            "it was left as it is: mend its disk or permissions, restore a backup, or name another in store.url"
                .to_owned()
        }
    };
    Failure::new(Exit::Missing, format!("the database {} cannot be used", path.display()), chain(error), todo)
}

/// The file of the configured store.
///
/// # Errors
/// It is of a kind that this version does not have.
pub fn store_path(config: &Config) -> Result<PathBuf, Failure> {
    let url = config.store.url.expose();
    url.strip_prefix("sqlite:").map(|path| Path::new(path).to_owned()).ok_or_else(|| {
        Failure::new(
            Exit::Config,
            "store.url names a store that this version does not have",
            "only sqlite: is built in so far",
            "set store.url = \"sqlite:var/berth.db\"",
        )
    })
}

/// The login rules in the module's own words.
///
/// # Errors
/// A bootstrap token is configured, but not there or too short.
pub(super) fn auth_settings(settings: &AuthSettings) -> Result<auth::Settings, Failure> {
    let from_env = settings.api_tokens_from_env.as_deref().map(bootstrap_token).transpose()?;
    let from_file = settings.api_token_file.as_deref().map(token_of_file).transpose()?;
    let bootstrap_token = from_env.or(from_file);
    Ok(auth::Settings { login_ttl: settings.login_ttl, bootstrap_token, ..auth::Settings::default() })
}

fn bootstrap_token(variable: &str) -> Result<Secret<String>, Failure> {
    let failed = |why: String| {
        Failure::new(
            Exit::Config,
            format!("auth.api_tokens_from_env names {variable}, which holds no token that could be used"),
            why,
            "set it to a random text (`openssl rand -hex 32`), or auth.api_tokens_from_env to \"\"",
        )
    };
    let token = std::env::var(variable).map_err(|error| failed(error.to_string()))?;
    if token.len() < auth::SHORTEST_TOKEN {
        return Err(failed(format!("it is shorter than {} characters", auth::SHORTEST_TOKEN)));
    }
    Ok(Secret::new(token))
}

fn token_of_file(path: &Path) -> Result<Secret<String>, Failure> {
    let failed = |why: String| {
        Failure::new(
            Exit::Config,
            format!("auth.api_token_file names {}, which holds no token that could be used", path.display()),
            why,
            "write a random text into it (`openssl rand -hex 32`), or set auth.api_token_file to \"\"",
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let token = text.lines().next().unwrap_or_default().trim();
    if token.len() < auth::SHORTEST_TOKEN {
        return Err(failed(format!("its first line is shorter than {} characters", auth::SHORTEST_TOKEN)));
    }
    Ok(Secret::new(token.to_owned()))
}

/// The right to change sessions, which one process has at a time.
///
/// # Errors
/// Another has it.
pub fn sessions_turn(config: &Config) -> Result<StoreLock, Failure> {
    StoreLock::sessions(&store_path(config)?).map_err(|error| {
        Failure::new(
            Exit::Missing,
            "another process works on these sessions",
            chain(&error),
            "a gateway is starting or stopping, or a command is at work: wait until it is done, and try again",
        )
    })
}

/// What the command line works on when no gateway runs.
pub struct Offline {
    /// Users and logins.
    pub auth: Arc<Auth>,
    /// The store itself.
    pub store: Arc<dyn Store>,
    /// Background work of the broker.
    pub tasks: Tasks,
    /// Held while it changes sessions.
    turn: OnceLock<StoreLock>,
}

impl Offline {
    /// Opens the store and what works on it.
    ///
    /// # Errors
    /// As for [`open_store`].
    pub fn open(config: &Config) -> Result<Self, Failure> {
        let store = open_store(config)?;
        let auth = Auth::new(store.clone(), Audit::new(store.clone()), auth::Settings::default());
        Ok(Self { auth: Arc::new(auth), store, tasks: Tasks::new(), turn: OnceLock::new() })
    }

    /// A broker on the engine itself, for commands that change sessions, homes or grants. Until this is
    /// dropped no gateway starts, and no other such command.
    ///
    /// # Errors
    /// The engine does not answer, the store fails, or a gateway is starting or stopping.
    pub async fn broker(&self, config: &Config) -> Result<Broker, Failure> {
        let turn = sessions_turn(config)?;
        let _ = self.turn.set(turn);
        self.onlooker(config).await
    }

    /// The same for commands that only look.
    ///
    /// # Errors
    /// The engine does not answer, or the store fails.
    pub async fn onlooker(&self, config: &Config) -> Result<Broker, Failure> {
        Ok(self.broker_and_engine(config).await?.0)
    }

    /// The same with statistics, which have what was stored and no sample yet.
    ///
    /// # Errors
    /// As for [`Offline::broker`].
    pub async fn stats(&self, config: &Config) -> Result<(Broker, Stats), Failure> {
        let (broker, engine) = self.broker_and_engine(config).await?;
        let sources = stats::Sources {
            broker: broker.clone(),
            engine,
            store: self.store.clone(),
            store_path: store_path(config)?,
        };
        let stats = Stats::new(sources, config.stats.clone(), config.capacity);
        // Without a past there is still a present.
        let _ = stats.restore().await;
        Ok((broker, stats))
    }

    async fn broker_and_engine(&self, config: &Config) -> Result<(Broker, Arc<dyn Engine>), Failure> {
        let templates = super::spawner::by_name(&config.templates);
        let failed = |error: &dyn std::error::Error| {
            Failure::new(
                Exit::Missing,
                "no gateway runs, and the container engine cannot be asked directly",
                chain(error),
                "start the gateway or the engine and try again",
            )
        };
        let engine = DockerEngine::connect(super::spawner::settings(config), templates)
            .await
            .map_err(|error| failed(&error))?;
        let engine: Arc<dyn Engine> = Arc::new(engine);
        let broker = Broker::new(
            self.store.clone(),
            engine.clone(),
            Audit::new(self.store.clone()),
            config.templates.clone(),
            config.limits.clone(),
            self.tasks.clone(),
        );
        broker.load().await.map_err(|error| failed(&error))?;
        Ok((broker, engine))
    }
}

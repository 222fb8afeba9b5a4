//! The privileged process: engine, networks, packet filter, proof of isolation, socket.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::io::AsyncReadExt;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;
use tracing::{info, warn};

use crate::cli::{Exit, Failure};
use crate::config::Config;
use crate::engine::EngineError;
use crate::engine::docker::{self, DockerEngine};
use crate::fault::chain;
use crate::session::{Template, TemplateName};
use crate::spawner::protocol::{self, Reply};
use crate::spawner::{child, server};
use crate::tasks::Tasks;

/// Where a spawner of its own listens when nothing else is configured.
pub const DEFAULT_SOCKET: &str = "var/spawner.sock";

/// Time between two attempts to reach an engine that does not answer.
const RETRY: Duration = Duration::from_secs(2);

/// Time between two looks at the packet filter.
const FILTER_CHECK: Duration = Duration::from_secs(30);

/// Time between two searches for networks and volumes that a crash left behind.
const SWEEP: Duration = Duration::from_secs(30);

/// Runs the spawner until a signal, or, with `exit_with_parent`, until standard input closes.
///
/// # Errors
/// The socket cannot be opened, or the engine answers but sessions would not be isolated.
pub async fn spawner(config: Config, socket: Option<PathBuf>, exit_with_parent: bool) -> Result<(), Failure> {
    let socket = socket.or_else(|| config.engine.spawner.clone()).unwrap_or_else(|| DEFAULT_SOCKET.into());
    let tasks = Tasks::new();
    let listener = server::bind(&socket).await.map_err(|error| {
        Failure::new(
            Exit::Missing,
            format!("the spawner cannot listen on {}", socket.display()),
            error,
            "stop the other spawner, or choose another path with --socket",
        )
    })?;
    let stop = tasks.stopping();
    let asked = stop.clone();
    tasks.spawn("end", async move {
        asked_to_end(exit_with_parent).await;
        asked.cancel();
    });
    let engine = tokio::select! {
        engine = prepared(&config, &listener) => Arc::new(engine?),
        () = stop.cancelled() => return Ok(()),
    };
    keep_filter(&engine, &tasks);
    keep_swept(&engine, &tasks);
    server::serve(listener, engine, &tasks, stop).await;
    let _ = std::fs::remove_file(&socket);
    // Requests under way finish; a start may take a minute.
    let _ = tokio::time::timeout(Duration::from_secs(10), tasks.drain()).await;
    Ok(())
}

/// Waits for the engine, then prepares networks and filter and proves the isolation. Whoever asks
/// meanwhile is told that the engine is down.
async fn prepared(config: &Config, listener: &UnixListener) -> Result<DockerEngine, Failure> {
    let mut told = false;
    loop {
        let detail = match prepare(config).await {
            Ok(engine) => return Ok(engine),
            Err(EngineError::Down { detail }) => detail,
            Err(error @ EngineError::Slow { .. }) => error.to_string(),
            Err(error) => return Err(not_prepared(&error)),
        };
        if !told {
            warn!(detail, "the container engine does not answer; trying again every 2 s");
            told = true;
        }
        let again = sleep(RETRY);
        tokio::pin!(again);
        loop {
            tokio::select! {
                () = &mut again => break,
                () = refuse_one(listener, &detail) => {}
            }
        }
    }
}

fn not_prepared(error: &EngineError) -> Failure {
    Failure::new(
        Exit::Missing,
        "sessions cannot be run safely on this machine",
        chain(error),
        "mend what is named; engine.danger_skip_isolation = true serves without the proof, at your own risk",
    )
}

/// Connects to the engine, makes the networks and the packet filter, and proves the isolation unless that is
/// to be skipped.
///
/// # Errors
/// [`EngineError::Down`] when nothing answers, [`EngineError::Refused`] with what is not as it must be.
pub async fn prepare(config: &Config) -> Result<DockerEngine, EngineError> {
    let engine = DockerEngine::connect(settings(config), by_name(&config.templates)).await?;
    engine.sweep().await?;
    engine.ensure_network().await?;
    let filtered = match engine.firewall() {
        Ok(firewall) => firewall.apply().await,
        Err(error) => Err(error),
    };
    if config.engine.danger_skip_isolation {
        if let Err(error) = filtered {
            warn!(%error, "sessions can reach this machine: there is no packet filter");
        }
        return Ok(engine);
    }
    filtered?;
    let isolation = engine.isolation().await?;
    if !isolation.proven {
        let detail = format!("a session can reach what it must not: {}", isolation.leaks.join(", "));
        return Err(EngineError::Refused { detail });
    }
    info!("{}", docker::Quota::of(&config.homes));
    info!("isolation proven: sessions reach neither each other nor this machine");
    Ok(engine)
}

/// Someone else may flush the machine's packet filters; ours are put back and the operator told.
fn keep_filter(engine: &Arc<DockerEngine>, tasks: &Tasks) {
    let (engine, stop) = (engine.clone(), tasks.stopping());
    tasks.spawn("packet filter", async move {
        while stop.run_until_cancelled(sleep(FILTER_CHECK)).await.is_some() {
            let Ok(firewall) = engine.firewall() else { continue };
            if !matches!(firewall.verify().await, Ok(true)) {
                warn!("the packet filter is not as it was; putting it back");
                if let Err(error) = firewall.apply().await {
                    warn!(%error, "the packet filter could not be put back");
                }
            }
        }
    });
}

/// A crash leaves networks and volumes without a container; they are gone within a minute.
fn keep_swept(engine: &Arc<DockerEngine>, tasks: &Tasks) {
    let (engine, stop) = (engine.clone(), tasks.stopping());
    tasks.spawn("sweep", async move {
        while stop.run_until_cancelled(sleep(SWEEP)).await.is_some() {
            if let Err(error) = engine.sweep().await {
                warn!(%error, "networks without a container could not be removed");
            }
        }
    });
}

/// The engine's parts of the configuration in the engine's own words.
pub fn settings(config: &Config) -> docker::Settings {
    let engine = &config.engine;
    docker::Settings {
        socket: engine.socket.clone(),
        network: engine.network.clone(),
        subnet: engine.subnet,
        probe_image: engine.probe_image.clone(),
        time_zone: time_zone(&config.limits.time_zone),
        homes: config.homes.clone(),
    }
}

/// The name that programs know a time zone by: the configured one's, or else this machine's.
fn time_zone(configured: &str) -> Option<String> {
    let zone = if configured.is_empty() { TimeZone::try_system() } else { TimeZone::get(configured) };
    zone.ok()?.iana_name().map(ToOwned::to_owned)
}

/// Templates by their names.
pub fn by_name(templates: &[Template]) -> BTreeMap<TemplateName, Template> {
    templates.iter().map(|template| (template.name.clone(), template.clone())).collect()
}

/// Answers one request with "down".
async fn refuse_one(listener: &UnixListener, detail: &str) {
    let Ok((mut stream, _)) = listener.accept().await else { return };
    let reply = Reply::Failed(EngineError::Down { detail: detail.to_owned() });
    let _ = tokio::time::timeout(Duration::from_secs(1), async {
        // The request is read first: closing with unread bytes would discard the reply.
        let _ = stream.read(&mut [0; 4096]).await;
        protocol::write(&mut stream, &reply).await
    })
    .await;
}

async fn asked_to_end(exit_with_parent: bool) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    if exit_with_parent {
        // An interrupt from the terminal is the parent's business: it drains first.
        tokio::select! {
            _ = terminate.recv() => {}
            () = child::parent_gone() => {}
        }
    } else {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

//! The spawner, the engine behind it, the isolation, and the images.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::{Finding, Hop};
use crate::app;
use crate::config::Config;
use crate::engine::docker::DockerEngine;
use crate::engine::spawner::SpawnerEngine;
use crate::engine::{Engine, EngineError};
use crate::fault::chain;

/// Preparing networks, filter and proof takes a few seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// What the spawner itself cannot be reached for begins like this; else it speaks of the engine.
const OF_SPAWNER: &str = "the spawner at ";

pub(super) async fn examine(config: &Config, gateway_runs: bool) -> Vec<Finding> {
    match (&config.engine.spawner, gateway_runs) {
        (Some(socket), _) => through(config, socket).await,
        (None, true) => through(config, Path::new(app::DEFAULT_SOCKET)).await,
        (None, false) => directly(config).await,
    }
}

/// A spawner that answers has prepared everything: it refuses until it has.
async fn through(config: &Config, socket: &Path) -> Vec<Finding> {
    let engine = Arc::new(SpawnerEngine::new(socket.to_owned()));
    let shown = socket.display();
    let found = match engine.ping().await {
        Ok(version) => {
            let mut found = vec![
                Finding::ok(Hop::Spawner, format!("it answers on {shown}")),
                Finding::ok(Hop::Engine, format!("{} answers, API {}", version.version, version.api)),
                isolation(
                    config,
                    "the spawner proved it when it started, and keeps the packet filter in place",
                ),
            ];
            found.push(images(&*engine).await);
            return found;
        }
        Err(EngineError::Down { detail }) if detail.starts_with(OF_SPAWNER) => Finding::broken(
            Hop::Spawner,
            detail,
            "start it (`berth spawner`, or its unit or container) and let the gateway's user open its socket",
        ),
        Err(error) => {
            let answers = Finding::ok(Hop::Spawner, format!("it answers on {shown}"));
            return [vec![answers, dead(config, &error)], after_engine()].concat();
        }
    };
    let engine = Finding::skipped(Hop::Engine, "only the spawner can ask it");
    [vec![found, engine], after_engine()].concat()
}

/// No spawner runs, so this process looks as one that starts would.
async fn directly(config: &Config) -> Vec<Finding> {
    let spawner = Finding::ok(Hop::Spawner, "the gateway starts one as its child");
    let connected =
        DockerEngine::connect(app::engine_settings(config), app::by_name(&config.templates)).await;
    let engine = match connected {
        Ok(engine) => engine,
        Err(error) => return [vec![spawner, dead(config, &error)], after_engine()].concat(),
    };
    let answers = match engine.ping().await {
        Ok(version) => Finding::ok(Hop::Engine, format!("{} answers, API {}", version.version, version.api)),
        Err(error) => return [vec![spawner, dead(config, &error)], after_engine()].concat(),
    };
    let images = images(&engine).await;
    let isolation = match timeout(PATIENCE, app::prepare(config)).await {
        Ok(Ok(_prepared)) => isolation(config, "a probe reached neither another session nor this machine"),
        Ok(Err(error)) => unproven(&chain(&error)),
        Err(_slow) => unproven("the proof took longer than 90 s"),
    };
    vec![spawner, answers, isolation, images]
}

fn after_engine() -> Vec<Finding> {
    let skipped = |hop| Finding::skipped(hop, "the engine cannot be asked");
    vec![skipped(Hop::Isolation), skipped(Hop::Images)]
}

fn dead(config: &Config, error: &EngineError) -> Finding {
    let todo = format!(
        "start the container engine, and let whoever runs the spawner open {} (engine.socket)",
        config.engine.socket.display()
    );
    Finding::broken(Hop::Engine, chain(error), todo)
}

fn isolation(config: &Config, why: &str) -> Finding {
    if config.engine.danger_skip_isolation {
        let todo = "take engine.danger_skip_isolation back as soon as the machine allows it";
        return Finding::warning(Hop::Isolation, "it is not proven, because the configuration says so", todo);
    }
    Finding::ok(Hop::Isolation, why)
}

fn unproven(why: &str) -> Finding {
    let todo = "mend what is named; the spawner needs root's rights over networks and packet filter (nft)";
    Finding::broken(Hop::Isolation, why, todo)
}

async fn images(engine: &dyn Engine) -> Finding {
    let images = match engine.images().await {
        Ok(images) => images,
        Err(error) => return Finding::broken(Hop::Images, chain(&error), "look at the engine's own log"),
    };
    let missing: Vec<String> =
        images.iter().filter(|image| image.found.is_none()).map(|image| image.template.to_string()).collect();
    if missing.is_empty() {
        return Finding::ok(Hop::Images, format!("those of all {} templates are here", images.len()));
    }
    let todo = "`berth template list` shows the command that installs it; or take the template out";
    let what = format!("the image of {} is not on this machine", missing.join(", "));
    // Students are offered what is here; where nothing is, they are offered nothing.
    let find = if missing.len() < images.len() { Finding::warning } else { Finding::broken };
    find(Hop::Images, what, todo)
}

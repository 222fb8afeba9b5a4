//! Short work on homes in a container of its own: no network, a fixed script, the least of
//! capabilities. The spawner itself need neither be root nor see the files.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{ContainerCreateBody, Mount, MountType};
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt;
use tokio::time::timeout;
use tracing::warn;

use super::api::Failure;
use super::homes::{COPY, HOME};
use super::make::{Limits, NETWORK, hardened};
use super::{DockerEngine, label, status};
use crate::engine::{ContainerStatus, EngineError};
use crate::session::{CopyName, HomeKey, NetworkPolicy};

/// What kind of errand a container is on.
pub(super) const ERRAND: &str = "berth.errand";
const LIMITS: Limits = Limits { cpus: 0.5, memory_mib: 256, pids: 32, shm_mib: 1 };
/// What is kept of what a script says.
const MOST_SAID: usize = 16 * 1024;

/// Work to do.
#[derive(Debug)]
pub(super) struct Errand {
    /// Its stable name.
    pub(super) kind: &'static str,
    /// The container is called `berth-errand-<network>-<about>`, so that there is one at a time.
    pub(super) about: String,
    /// Run by bash with `arguments`.
    pub(super) script: &'static str,
    pub(super) arguments: Vec<String>,
    pub(super) mounts: Vec<Mount>,
    pub(super) capabilities: &'static [&'static str],
    /// The home that it changes. Such work is never begun twice: a container that is on it
    /// already is joined.
    pub(super) changes: Option<(HomeKey, Option<CopyName>)>,
    pub(super) bound: Duration,
}

/// How it went.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The script's exit code.
    pub(super) code: i64,
    /// What it said.
    pub(super) text: String,
    /// The copy it worked on: that of the errand that was joined, if one was.
    pub(super) copy: Option<CopyName>,
}

impl Outcome {
    /// Whether the script said this line.
    pub(super) fn said(&self, line: &str) -> bool {
        self.text.lines().any(|said| said == line)
    }

    /// Turns a script that failed into the engine's refusal.
    pub(super) fn check(self, what: &str) -> Result<Self, EngineError> {
        if self.code == 0 {
            return Ok(self);
        }
        let last = self.text.lines().last().unwrap_or("it said nothing").to_owned();
        Err(EngineError::Refused { detail: format!("{what}: {last}") })
    }
}

/// A mount for a script.
pub(super) fn mounted(place: &super::homes::Place, target: &str, read_only: bool) -> Mount {
    let typ = match place {
        super::homes::Place::Volume(_) => MountType::VOLUME,
        super::homes::Place::Directory { .. } => MountType::BIND,
    };
    Mount {
        typ: Some(typ),
        source: Some(place.source()),
        target: Some(target.to_owned()),
        read_only: Some(read_only),
        ..Mount::default()
    }
}

/// The name of the container that is on the errand `about`.
pub(super) fn container_name(engine: &DockerEngine, about: &str) -> String {
    format!("berth-errand-{}-{about}", engine.settings.network)
}

/// Forgets an errand that changed a home and that nobody will join any more, and ends it if it is
/// still under way.
pub(super) async fn forget(engine: &DockerEngine, home: HomeKey) -> Result<(), EngineError> {
    Ok(engine.api.remove(&container_name(engine, &home.to_string())).await?)
}

/// Runs an errand to its end, or joins the one under way.
pub(super) async fn run(engine: &DockerEngine, errand: Errand) -> Result<Outcome, EngineError> {
    let name = container_name(engine, &errand.about);
    let (id, copy) = begin(engine, &name, &errand).await?;
    let Ok(text) = timeout(errand.bound, said(engine, &id)).await else {
        if errand.changes.is_none() {
            engine.remove_container(&id).await?;
        }
        return Err(EngineError::Slow { verb: errand.kind.to_owned(), seconds: errand.bound.as_secs() });
    };
    let text = text?;
    let ended = engine.api.inspect(&id).await?.ok_or(EngineError::Gone)?;
    let code = ended.state.as_ref().and_then(|state| state.exit_code).unwrap_or(-1);
    engine.remove_container(&id).await?;
    Ok(Outcome { code, text, copy })
}

/// The container that is on the errand, and the copy it works on.
async fn begin(
    engine: &DockerEngine,
    name: &str,
    errand: &Errand,
) -> Result<(String, Option<CopyName>), EngineError> {
    if let Some(existing) = engine.api.inspect(name).await? {
        let id = existing.id.clone().filter(|_| engine.is_ours(&existing));
        let id = id.ok_or_else(|| EngineError::Conflict { detail: format!("{name} is not ours") })?;
        let begun = status(&existing) != ContainerStatus::Created;
        let same = label(&existing, ERRAND).is_some_and(|kind| kind == errand.kind);
        match (&errand.changes, begun) {
            (Some(_), true) if same => {
                let copy = label(&existing, COPY).and_then(|copy| copy.parse().ok());
                return Ok((id, copy));
            }
            (Some(_), true) if status(&existing) == ContainerStatus::Running => {
                return Err(EngineError::HomeInUse);
            }
            (_, _) => {
                warn!(name, "removing a container that an earlier spawner left behind");
                engine.remove_container(&id).await?;
            }
        }
    }
    let id = match engine.api.create(name, body(engine, errand)?).await {
        Ok(id) => id,
        Err(failure) if failure.is_missing_source() => return Err(no_directory(engine)),
        Err(failure) => return Err(failure.into()),
    };
    if let Err(failure) = engine.api.start(&id).await {
        engine.remove_container(&id).await?;
        return Err(failure.into());
    }
    Ok((id, errand.changes.as_ref().and_then(|(_, copy)| copy.clone())))
}

/// What is wrong when a directory of homes cannot be mounted.
pub(super) fn no_directory(engine: &DockerEngine) -> EngineError {
    let directory = engine.settings.homes.directory.clone().unwrap_or_default();
    EngineError::Refused {
        detail: format!(
            "homes.directory = {} is not on the engine's machine; make it there",
            directory.display()
        ),
    }
}

/// The container of an errand.
pub(super) fn body(engine: &DockerEngine, errand: &Errand) -> Result<ContainerCreateBody, EngineError> {
    let mut host = hardened(LIMITS, &engine.bridge(NetworkPolicy::Internal)?, NetworkPolicy::Internal);
    host.network_mode = Some("none".to_owned());
    (host.dns, host.dns_options) = (None, None);
    host.cap_add = Some(errand.capabilities.iter().map(|name| (*name).to_owned()).collect());
    host.readonly_rootfs = Some(true);
    // Last in line for the processor, behind every desktop.
    host.cpu_shares = Some(64);
    host.mounts = Some(errand.mounts.clone());
    let mut labels = HashMap::from([
        (NETWORK.to_owned(), engine.settings.network.clone()),
        (ERRAND.to_owned(), errand.kind.to_owned()),
    ]);
    if let Some((key, copy)) = &errand.changes {
        labels.insert(HOME.to_owned(), key.to_string());
        labels.extend(copy.as_ref().map(|copy| (COPY.to_owned(), copy.to_string())));
    }
    let command = ["-c", errand.script, "errand"].map(ToOwned::to_owned).into_iter();
    Ok(ContainerCreateBody {
        image: Some(engine.settings.probe_image.clone()),
        user: Some("0:0".to_owned()),
        entrypoint: Some(vec!["bash".to_owned()]),
        cmd: Some(command.chain(errand.arguments.iter().cloned()).collect()),
        working_dir: Some("/".to_owned()),
        labels: Some(labels),
        host_config: Some(host),
        ..ContainerCreateBody::default()
    })
}

/// Everything a container says until it ends.
async fn said(engine: &DockerEngine, id: &str) -> Result<String, EngineError> {
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true).follow(true).build();
    let mut lines = engine.api.docker().logs(id, Some(options));
    let mut text = String::new();
    while let Some(chunk) = lines.next().await {
        let chunk = chunk.map_err(Failure::from)?;
        if text.len() < MOST_SAID {
            text.push_str(&chunk.to_string());
        }
    }
    Ok(text)
}

//! The one way a container comes to run: make it or adopt it, give it its password, start it.

use std::sync::Arc;
use std::time::Duration;

use bollard::models::ContainerInspectResponse;
use tokio::sync::OwnedMutexGuard;
use tracing::{info, warn};

use super::make::{self, EPOCH, SESSION, SPEC, container_name};
use super::network::Bridge;
use super::{DockerEngine, Failure, archive, confine, label, own_network, status};
use crate::engine::{ContainerStatus, EngineError, StartOrder, Started, vnc_password};
use crate::session::{Protocol, SessionId, Template, Upstream};

/// A container that is there, not yet known to run.
struct Standing {
    id: String,
    status: ContainerStatus,
    /// Made by this call, and so removed again if this call fails.
    fresh: bool,
}

/// Makes and starts the container of `order`, or starts the one that exists; undoes that when it
/// fails or `abandoned` comes first.
pub(super) async fn start(
    engine: &DockerEngine,
    order: &StartOrder,
    abandoned: impl Future<Output = ()> + Send,
) -> Result<Started, EngineError> {
    tokio::pin!(abandoned);
    let template = engine.templates.get(&order.template);
    let template = template.ok_or_else(|| EngineError::TemplateGone { template: order.template.clone() })?;
    let _turn = tokio::select! {
        turn = Turn::take(engine, order.session) => turn,
        () = &mut abandoned => return Err(EngineError::Gone),
    };
    engine.fences.admit(order.session, order.epoch)?;
    // Not cut off: nobody could tell then whether the engine makes the container all the same.
    let standing = stand(engine, template, order).await?;
    let started = tokio::select! {
        started = run(engine, template, order, &standing) => started,
        () = &mut abandoned => Err(EngineError::Gone),
    };
    if let Err(error) = &started {
        undo(engine, order.session, &standing, error).await?;
    }
    started
}

/// Leaves the container as this start found it: none, at rest, or running.
async fn undo(
    engine: &DockerEngine,
    session: SessionId,
    standing: &Standing,
    error: &EngineError,
) -> Result<(), EngineError> {
    if standing.fresh {
        warn!(%session, %error, "removing the container of a failed start");
        engine.remove_container(&standing.id).await?;
        return own_network::remove(engine, session).await;
    }
    match standing.status {
        ContainerStatus::Running | ContainerStatus::Paused => Ok(()),
        ContainerStatus::Created | ContainerStatus::Exited => {
            warn!(%session, %error, "stopping the container of a failed start");
            Ok(engine.api.stop(&standing.id, Duration::ZERO).await?)
        }
    }
}

/// Finds the session's container or makes one.
async fn stand(
    engine: &DockerEngine,
    template: &Template,
    order: &StartOrder,
) -> Result<Standing, EngineError> {
    let name = container_name(order.session);
    if let Some(existing) = engine.api.inspect(&name).await?
        && let Some(adopted) = adopt(engine, template, order, &existing).await?
    {
        return Ok(adopted);
    }
    match make(engine, template, order).await {
        Ok(id) => Ok(Standing { id, status: ContainerStatus::Created, fresh: true }),
        // Another process made it since we looked.
        Err(Failure::Status { code: 409, message }) => {
            let conflict = EngineError::Conflict { detail: message };
            let existing = engine.api.inspect(&name).await?.ok_or(conflict.clone())?;
            adopt(engine, template, order, &existing).await?.ok_or(conflict)
        }
        Err(failure) => Err(failure.into()),
    }
}

/// `None` if the existing container was of another make and has been removed.
async fn adopt(
    engine: &DockerEngine,
    template: &Template,
    order: &StartOrder,
    existing: &ContainerInspectResponse,
) -> Result<Option<Standing>, EngineError> {
    let name = container_name(order.session);
    let ours = engine.is_ours(existing) && label(existing, SESSION) == Some(&order.session.to_string());
    let id = existing.id.clone().filter(|_| ours);
    let id = id.ok_or_else(|| EngineError::Conflict {
        detail: format!("{name} was not made by this installation"),
    })?;
    let epoch = label(existing, EPOCH).and_then(|epoch| epoch.parse::<u64>().ok()).unwrap_or_default();
    if epoch > order.epoch {
        let detail = format!("start {} came too late: {name} belongs to start {epoch}", order.epoch);
        return Err(EngineError::Conflict { detail });
    }
    let status = status(existing);
    let running = matches!(status, ContainerStatus::Running | ContainerStatus::Paused);
    // A desktop that runs is never replaced under its user: it is at its next start.
    if running || label(existing, SPEC) == Some(&template.spec_hash()) {
        info!(session = %order.session, ?status, "adopting a container");
        return Ok(Some(Standing { id, status, fresh: false }));
    }
    info!(session = %order.session, "replacing a container of an older make");
    engine.remove_container(&id).await?;
    own_network::remove(engine, order.session).await?;
    Ok(None)
}

async fn make(engine: &DockerEngine, template: &Template, order: &StartOrder) -> Result<String, Failure> {
    let missing = || Failure::Other(EngineError::ImageMissing { image: template.image.clone() });
    let image = engine.api.image(&template.image).await?.ok_or_else(missing)?;
    let bridge = bridge(engine, template, order).await.map_err(Failure::Other)?;
    let body = make::session(&engine.settings, template, &bridge, order, &image.config.unwrap_or_default());
    let made = engine.api.create(&container_name(order.session), body).await;
    // Unless somebody else made the container, the network is of no use to anyone.
    if bridge.session.is_some() && made.as_ref().is_err_and(|failure| !failure.is(409)) {
        own_network::remove(engine, order.session).await.map_err(Failure::Other)?;
    }
    made
}

/// The network of a new container.
async fn bridge(
    engine: &DockerEngine,
    template: &Template,
    order: &StartOrder,
) -> Result<Bridge, EngineError> {
    if confine::makes_packets(template) {
        return own_network::ensure(engine, order.session, template.network).await;
    }
    let shared = engine.bridge(template.network)?;
    shared.ensure(&engine.api).await?;
    Ok(shared)
}

async fn run(
    engine: &DockerEngine,
    template: &Template,
    order: &StartOrder,
    standing: &Standing,
) -> Result<Started, EngineError> {
    match standing.status {
        ContainerStatus::Running => {}
        ContainerStatus::Paused => engine.api.unpause(&standing.id).await?,
        ContainerStatus::Created | ContainerStatus::Exited => {
            // Written again at every start: the user owns the file and may have changed it.
            give_password(engine, template, order, &standing.id).await?;
            let started = engine.api.start(&standing.id).await.map_err(EngineError::from);
            started.map_err(|error| confine::explain(template, error))?;
            if confine::makes_packets(template) {
                own_network::calm(engine, order.session).await?;
            }
        }
    }
    let now = engine.api.inspect(&standing.id).await?.ok_or(EngineError::Gone)?;
    match status(&now) {
        ContainerStatus::Running | ContainerStatus::Paused => Ok(Started {
            upstream: Upstream {
                node: engine.node.clone(),
                container: standing.id.clone(),
                port: template.port,
                epoch: order.epoch,
            },
        }),
        ContainerStatus::Created | ContainerStatus::Exited => Err(engine.exited(&standing.id, &now).await),
    }
}

async fn give_password(
    engine: &DockerEngine,
    template: &Template,
    order: &StartOrder,
    container: &str,
) -> Result<(), EngineError> {
    let file = vnc_password::obfuscate(order.secret.expose());
    let (folder, archive) = match (template.protocol, template.read_only) {
        (Protocol::Http, _) => return Ok(()),
        (Protocol::Rfb, false) => ("/", archive::with_password(file)),
        (Protocol::Rfb, true) => (confine::PASSWORD_FOLDER, archive::password_alone(file)),
    };
    Ok(engine.api.upload(container, folder, archive).await?)
}

/// The right to start, stop or remove one session, held by one call at a time.
pub(super) struct Turn<'a> {
    engine: &'a DockerEngine,
    session: SessionId,
    guard: Option<OwnedMutexGuard<()>>,
}

impl<'a> Turn<'a> {
    pub(super) async fn take(engine: &'a DockerEngine, session: SessionId) -> Self {
        let lock = engine.turns.entry(session).or_default().clone();
        // Made before waiting, so that a caller who gives up also leaves the table.
        let mut turn = Self { engine, session, guard: None };
        turn.guard = Some(lock.lock_owned().await);
        turn
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.guard = None;
        self.engine.turns.remove_if(&self.session, |_, lock| Arc::strong_count(lock) == 1);
    }
}

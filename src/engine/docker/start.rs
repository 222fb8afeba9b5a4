//! The one way a container comes to run: make it or adopt it, give it its password, start it.

use std::sync::Arc;
use std::time::Duration;

use bollard::models::{ContainerCreateBody, ContainerInspectResponse, ImageInspect};
use tokio::sync::OwnedMutexGuard;
use tracing::{info, warn};

use super::make::{self, EPOCH, IMAGE, SESSION, SPEC, container_name};
use super::network::Bridge;
use super::{DockerEngine, Failure, archive, confine, errand, homes, label, own_network, ownership, status};
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
    let _home = free_home(engine, template, order).await?;
    // Not cut off: nobody could tell then whether the engine makes the container all the same.
    let standing = stand(engine, template, order).await?;
    if let Some(home) = homes::order_of(template, order) {
        engine.quota.apply(&engine.settings.homes, &home).await;
    }
    let started = tokio::select! {
        started = run(engine, template, order, &standing) => started,
        () = &mut abandoned => Err(EngineError::Gone),
    };
    if let Err(error) = &started {
        undo(engine, order.session, &standing, error).await?;
    }
    started
}

/// The right to use the session's home, held until its container runs; then the container itself
/// tells. Refused while another one uses the home.
async fn free_home(
    engine: &DockerEngine,
    template: &Template,
    order: &StartOrder,
) -> Result<Option<OwnedMutexGuard<()>>, EngineError> {
    let Some(home) = homes::order_of(template, order) else { return Ok(None) };
    let turn = engine.home_turn(home.key).await?;
    if homes::in_use(engine, home.key, order.session).await? {
        return Err(EngineError::HomeInUse);
    }
    // One that ended before this start says nothing of what comes after it.
    errand::forget(engine, home.key).await?;
    Ok(Some(turn))
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
    // What the name stands for now; it may have been built or fetched anew since the last start.
    let image = engine.api.image(&template.image).await?;
    let wanted = Wanted { template, image: image.as_ref() };
    if let Some(existing) = engine.api.inspect(&name).await?
        && let Some(adopted) = adopt(engine, wanted, order, &existing).await?
    {
        return Ok(adopted);
    }
    match make(engine, wanted, order).await {
        Ok(id) => Ok(Standing { id, status: ContainerStatus::Created, fresh: true }),
        // Another process made it since we looked.
        Err(Failure::Status { code: 409, message }) => {
            let conflict = EngineError::Conflict { detail: message };
            let existing = engine.api.inspect(&name).await?.ok_or(conflict.clone())?;
            adopt(engine, wanted, order, &existing).await?.ok_or(conflict)
        }
        Err(failure) => Err(failure.into()),
    }
}

/// What a session's container is to be made from.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    template: &'a Template,
    /// `None` if it is not on the machine: then a container that is there serves on.
    image: Option<&'a ImageInspect>,
}

impl Wanted<'_> {
    /// Whether a container would be made the same way today.
    fn is_make_of(&self, existing: &ContainerInspectResponse) -> bool {
        let newest = self.image.and_then(|image| image.id.as_deref());
        label(existing, SPEC) == Some(&self.template.spec_hash())
            && newest.is_none_or(|newest| image_of(existing) == newest)
    }
}

/// The id of the image that a container was made from; the engine's own word for containers that
/// were made before they were labelled with it.
fn image_of(existing: &ContainerInspectResponse) -> &str {
    label(existing, IMAGE).or(existing.image.as_ref()).map_or("", String::as_str)
}

/// `None` if the existing container was of another make and has been removed.
async fn adopt(
    engine: &DockerEngine,
    wanted: Wanted<'_>,
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
    let current =
        wanted.is_make_of(existing) && homes::is_current(&engine.settings, wanted.template, order, existing);
    if running || current {
        info!(session = %order.session, ?status, "adopting a container");
        return Ok(Some(Standing { id, status, fresh: false }));
    }
    info!(session = %order.session, "replacing a container of an older make");
    engine.remove_container(&id).await?;
    own_network::remove(engine, order.session).await?;
    Ok(None)
}

async fn make(engine: &DockerEngine, wanted: Wanted<'_>, order: &StartOrder) -> Result<String, Failure> {
    let template = wanted.template;
    let missing = || Failure::Other(EngineError::ImageMissing { image: template.image.clone() });
    let image = wanted.image.ok_or_else(missing)?;
    let bridge = bridge(engine, template, order).await.map_err(Failure::Other)?;
    let body = make::session(&engine.settings, template, &bridge, order, image);
    let user = image.config.as_ref().and_then(|config| config.user.as_deref());
    // It begins as root where it may make packets, and is somebody else at once.
    let runs = if confine::makes_packets(template) {
        make::UNPRIVILEGED
    } else {
        ownership::runs_as(body.user.as_deref(), user)
    };
    let owner = runs.to_owned();
    let made = create(engine, template, order, body, &owner).await;
    // Unless somebody else made the container, the network is of no use to anyone.
    if bridge.session.is_some() && made.as_ref().is_err_and(|failure| !failure.is(409)) {
        own_network::remove(engine, order.session).await.map_err(Failure::Other)?;
    }
    made
}

/// Makes the container, and its home right for whoever runs in it.
async fn create(
    engine: &DockerEngine,
    template: &Template,
    order: &StartOrder,
    body: ContainerCreateBody,
    owner: &str,
) -> Result<String, Failure> {
    let mount = homes::mount(&engine.settings, template, order);
    let name = container_name(order.session);
    let id = match (engine.api.create(&name, body.clone()).await, homes::order_of(template, order)) {
        (Err(failure), Some(home)) if failure.is_missing_source() => {
            let laid = engine.lay_home(&home, &ownership::provisional(owner)).await;
            laid.map_err(Failure::Other)?;
            engine.api.create(&name, body).await?
        }
        (made, _) => made?,
    };
    if let Some(mount) = mount
        && let Err(error) = ownership::settle(engine, template, order, &id, (&mount, owner)).await
    {
        engine.remove_container(&id).await.map_err(Failure::Other)?;
        return Err(Failure::Other(error));
    }
    Ok(id)
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
            image: image_of(&now).to_owned(),
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

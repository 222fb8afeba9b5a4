//! What the engine says of containers, in our words.

use std::collections::HashMap;

use bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum, ContainerSummary, ContainerSummaryStateEnum,
};

use super::make::{EPOCH, IMAGE, INSTALLATION, SESSION, SPEC};
use crate::engine::{Container, ContainerStatus};

/// A label of an inspected container.
pub(super) fn label<'a>(found: &'a ContainerInspectResponse, key: &str) -> Option<&'a String> {
    found.config.as_ref()?.labels.as_ref()?.get(key)
}

/// A label of a container of the engine's list.
pub(super) fn label_of<'a>(row: &'a ContainerSummary, key: &str) -> Option<&'a String> {
    row.labels.as_ref()?.get(key)
}

/// What an inspected container is doing.
pub(super) fn status(found: &ContainerInspectResponse) -> ContainerStatus {
    use ContainerStateStatusEnum as Engine;
    match found.state.as_ref().and_then(|state| state.status) {
        Some(Engine::RUNNING | Engine::RESTARTING | Engine::STOPPING) => ContainerStatus::Running,
        Some(Engine::PAUSED) => ContainerStatus::Paused,
        Some(Engine::CREATED | Engine::EMPTY) | None => ContainerStatus::Created,
        Some(Engine::EXITED | Engine::DEAD | Engine::REMOVING) => ContainerStatus::Exited,
    }
}

/// What a container of the engine's list is doing.
pub(super) fn listed_status(row: &ContainerSummary) -> ContainerStatus {
    use ContainerSummaryStateEnum as Engine;
    match row.state {
        Some(Engine::RUNNING | Engine::RESTARTING | Engine::STOPPING) => ContainerStatus::Running,
        Some(Engine::PAUSED) => ContainerStatus::Paused,
        Some(Engine::CREATED | Engine::EMPTY) | None => ContainerStatus::Created,
        Some(Engine::EXITED | Engine::DEAD | Engine::REMOVING) => ContainerStatus::Exited,
    }
}

/// A row of the engine's list; `None`, and so left out, if it is not labelled as a session.
pub(super) fn listed(row: ContainerSummary) -> Option<Container> {
    let empty = HashMap::new();
    let labels = row.labels.as_ref().unwrap_or(&empty);
    let status = listed_status(&row);
    Some(Container {
        session: labels.get(SESSION)?.parse().ok()?,
        id: row.id?,
        name: row.names.unwrap_or_default().first().map(|name| name.trim_start_matches('/').to_owned())?,
        installation: labels.get(INSTALLATION).cloned().unwrap_or_default(),
        epoch: labels.get(EPOCH).and_then(|epoch| epoch.parse().ok()).unwrap_or_default(),
        spec: labels.get(SPEC).cloned().unwrap_or_default(),
        image: labels.get(IMAGE).cloned().or(row.image_id).unwrap_or_default(),
        status,
    })
}

//! The calls of the Docker Engine API that Berth makes, each with a bound.
//!
//! Nothing here decides: it turns HTTP statuses and broken connections into a [`Failure`] and
//! leaves their meaning to the caller.

use std::collections::HashMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, ContainerStatsResponse, ContainerSummary, ImageInspect,
    Network, NetworkCreateRequest, NetworkInspect, Volume, VolumeCreateRequest,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, DownloadFromContainerOptionsBuilder, InspectContainerOptions,
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveVolumeOptions, StatsOptionsBuilder, StopContainerOptionsBuilder,
    UploadToContainerOptionsBuilder,
};
use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::{sleep, timeout};

use crate::engine::{EngineError, EngineVersion};
use crate::fault::chain;

/// The bound of a call that should be quick.
pub(super) const QUICK: Duration = Duration::from_secs(10);
/// The bound of a call that makes or starts something on a busy machine.
pub(super) const PATIENT: Duration = Duration::from_secs(50);
/// Above every bound of ours, so that only ours count.
const CLIENT_TIMEOUT_S: u64 = 24 * 3600;

/// How often a freeze is tried, and how long after the last.
const FREEZES: u32 = 4;
const BETWEEN_FREEZES: Duration = Duration::from_millis(300);

/// Why a call failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The engine answered with an error.
    Status {
        /// The HTTP status.
        code: u16,
        /// The engine's words.
        message: String,
    },
    /// It needs no translation: no answer, a late one, or an unreadable one.
    Other(EngineError),
}

impl Failure {
    /// Whether the engine answered with this HTTP status.
    pub(super) fn is(&self, status: u16) -> bool {
        matches!(self, Self::Status { code, .. } if *code == status)
    }
}

impl From<Failure> for EngineError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Status { message, .. } => Self::Refused { detail: message },
            Failure::Other(error) => error,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::DockerResponseServerError { status_code, message } => {
                Self::Status { code: status_code, message }
            }
            Error::JsonDataError { .. } | Error::JsonSerdeError { .. } | Error::DockerStreamError { .. } => {
                Self::Other(EngineError::Refused { detail: chain(&error) })
            }
            // A foreign enum: everything else bollard reports on a Unix socket is a failed connection.
            other => Self::Other(EngineError::Down { detail: chain(&other) }),
        }
    }
}

/// A Docker Engine behind a Unix socket.
#[derive(Clone, Debug)]
pub(super) struct Api {
    docker: Docker,
}

impl Api {
    /// Connects and agrees on the newest API version both sides know.
    pub(super) async fn connect(socket: &Path) -> Result<Self, EngineError> {
        let path = socket.to_string_lossy();
        let docker =
            Docker::connect_with_unix(&path, CLIENT_TIMEOUT_S, API_DEFAULT_VERSION).map_err(Failure::from)?;
        let docker = bounded("agree on a version", QUICK, docker.negotiate_version()).await?;
        // bollard 0.21 negotiates but never sends the version (fussybeaver/bollard#736).
        let prefix = format!("/v{}", docker.client_version());
        Ok(Self { docker: docker.with_request_modifier(move |request| versioned(&prefix, request)) })
    }

    /// The client itself, for streams that bound themselves.
    pub(super) fn docker(&self) -> &Docker {
        &self.docker
    }

    /// `GET /version`
    pub(super) async fn version(&self) -> Result<EngineVersion, Failure> {
        let version = bounded("say its version", QUICK, self.docker.version()).await?;
        let number = version.version.unwrap_or_default();
        Ok(EngineVersion {
            version: format!("Docker {number}"),
            api: self.docker.client_version().to_string(),
        })
    }

    /// `GET /info`: the machine's name, and where the engine keeps images and containers.
    pub(super) async fn node(&self) -> Result<(String, PathBuf), Failure> {
        let info = bounded("describe itself", QUICK, self.docker.info()).await?;
        let name = info.name.unwrap_or_else(|| "local".to_owned());
        Ok((name, info.docker_root_dir.unwrap_or_else(|| "/var/lib/docker".to_owned()).into()))
    }

    /// `GET /images/{name}/json`; `None` if there is none.
    pub(super) async fn image(&self, image: &str) -> Result<Option<ImageInspect>, Failure> {
        found(bounded("inspect an image", QUICK, self.docker.inspect_image(image)).await)
    }

    /// `GET /containers/{id}/json`; `None` if there is none.
    pub(super) async fn inspect(&self, container: &str) -> Result<Option<ContainerInspectResponse>, Failure> {
        let call = self.docker.inspect_container(container, None::<InspectContainerOptions>);
        found(bounded("inspect a container", QUICK, call).await)
    }

    /// `GET /containers/json?all=1` with these labels.
    pub(super) async fn list(&self, labels: Vec<String>) -> Result<Vec<ContainerSummary>, Failure> {
        let filters = HashMap::from([("label".to_owned(), labels)]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        bounded("list containers", QUICK, self.docker.list_containers(Some(options))).await
    }

    /// `GET /containers/json?all=1` on a network: whether there is any, in whatever state.
    pub(super) async fn has_containers(&self, network: &str) -> Result<bool, Failure> {
        let filters = HashMap::from([("network".to_owned(), vec![network.to_owned()])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let listed = bounded("list containers", QUICK, self.docker.list_containers(Some(options))).await?;
        Ok(!listed.is_empty())
    }

    /// `POST /containers/create`: the new container's id.
    pub(super) async fn create(&self, name: &str, body: ContainerCreateBody) -> Result<String, Failure> {
        let options = CreateContainerOptionsBuilder::default().name(name).build();
        let call = self.docker.create_container(Some(options), body);
        Ok(bounded("create a container", PATIENT, call).await?.id)
    }

    /// `POST /containers/{id}/start`; one that runs already is success.
    pub(super) async fn start(&self, container: &str) -> Result<(), Failure> {
        done(
            bounded("start a container", PATIENT, self.docker.start_container(container, None)).await,
            &[304],
        )
    }

    /// `POST /containers/{id}/stop`; one that is stopped or absent is success. Bound: `grace` + 10 s.
    pub(super) async fn stop(&self, container: &str, grace: Duration) -> Result<(), Failure> {
        let seconds = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::default().t(seconds).build();
        let call = self.docker.stop_container(container, Some(options));
        done(bounded("stop a container", grace.saturating_add(QUICK), call).await, &[304, 404])
    }

    /// `POST /containers/{id}/pause`. A busy machine may not stop every process of a container in the
    /// moment that the runtime gives it (`unable to freeze`): that is tried again, a few times.
    pub(super) async fn pause(&self, container: &str) -> Result<(), Failure> {
        let unfrozen = |failure: &Failure| matches!(failure, Failure::Status { message, .. } if message.contains("unable to freeze"));
        let mut tried = 1;
        loop {
            match bounded("freeze a container", QUICK, self.docker.pause_container(container)).await {
                Err(failure) if unfrozen(&failure) && tried < FREEZES => tried += 1,
                done => return done,
            }
            sleep(BETWEEN_FREEZES).await;
        }
    }

    /// `POST /containers/{id}/unpause`
    pub(super) async fn unpause(&self, container: &str) -> Result<(), Failure> {
        bounded("thaw a container", QUICK, self.docker.unpause_container(container)).await
    }

    /// `DELETE /containers/{id}?force=1&v=1`; an absent one is success.
    pub(super) async fn remove(&self, container: &str) -> Result<(), Failure> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let call = self.docker.remove_container(container, Some(options));
        done(bounded("remove a container", QUICK, call).await, &[404])
    }

    /// `GET /containers/{id}/stats?stream=0&one-shot=1`; `None` if there is none.
    pub(super) async fn stats(&self, container: &str) -> Result<Option<ContainerStatsResponse>, Failure> {
        let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
        let mut answers = self.docker.stats(container, Some(options));
        let first = async { answers.next().await.transpose() };
        found(bounded("say what a container uses", QUICK, first).await).map(Option::flatten)
    }

    /// `PUT /containers/{id}/archive`: unpacks a tar archive in a folder.
    pub(super) async fn upload(&self, container: &str, folder: &str, tar: Vec<u8>) -> Result<(), Failure> {
        let options = UploadToContainerOptionsBuilder::default().path(folder).build();
        let call =
            self.docker.upload_to_container(container, Some(options), bollard::body_full(Bytes::from(tar)));
        bounded("write into a container", PATIENT, call).await
    }

    /// `GET /containers/{id}/archive`: the first `most` bytes or a little more; `None` if there is no
    /// such path.
    pub(super) async fn archive(
        &self,
        container: &str,
        path: &str,
        most: usize,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
        let mut chunks = self.docker.download_from_container(container, Some(options));
        let read = async {
            let mut tar = Vec::new();
            while tar.len() < most
                && let Some(chunk) = chunks.next().await
            {
                tar.extend_from_slice(&chunk?);
            }
            Ok(tar)
        };
        found(bounded("read from a container", QUICK, read).await)
    }

    /// `GET /volumes/{name}`; `None` if there is none.
    pub(super) async fn volume(&self, name: &str) -> Result<Option<Volume>, Failure> {
        found(bounded("inspect a volume", QUICK, self.docker.inspect_volume(name)).await)
    }

    /// `GET /volumes` with these labels.
    pub(super) async fn volumes(&self, labels: Vec<String>) -> Result<Vec<Volume>, Failure> {
        let filters = HashMap::from([("label".to_owned(), labels)]);
        let options = ListVolumesOptionsBuilder::default().filters(&filters).build();
        let listed = bounded("list volumes", QUICK, self.docker.list_volumes(Some(options))).await?;
        Ok(listed.volumes.unwrap_or_default())
    }

    /// `POST /volumes/create`; one that exists stays as it is.
    pub(super) async fn create_volume(&self, request: VolumeCreateRequest) -> Result<(), Failure> {
        bounded("create a volume", QUICK, self.docker.create_volume(request)).await.map(drop)
    }

    /// `DELETE /volumes/{name}`; an absent one is success.
    pub(super) async fn remove_volume(&self, name: &str) -> Result<(), Failure> {
        let call = self.docker.remove_volume(name, None::<RemoveVolumeOptions>);
        done(bounded("remove a volume", PATIENT, call).await, &[404])
    }

    /// `GET /networks/{id}`; `None` if there is none.
    pub(super) async fn network(&self, name: &str) -> Result<Option<NetworkInspect>, Failure> {
        found(bounded("inspect a network", QUICK, self.docker.inspect_network(name, None)).await)
    }

    /// `POST /networks/create`
    pub(super) async fn create_network(&self, request: NetworkCreateRequest) -> Result<(), Failure> {
        bounded("create a network", QUICK, self.docker.create_network(request)).await.map(drop)
    }

    /// `GET /networks`
    pub(super) async fn networks(&self) -> Result<Vec<Network>, Failure> {
        let options = ListNetworksOptionsBuilder::default().build();
        bounded("list networks", QUICK, self.docker.list_networks(Some(options))).await
    }

    /// `GET /volumes` with this label, of those that no container has.
    pub(super) async fn unused_volumes(&self, labels: Vec<String>) -> Result<Vec<String>, Failure> {
        let dangling = ("dangling".to_owned(), vec!["true".to_owned()]);
        let filters = HashMap::from([("label".to_owned(), labels), dangling]);
        let options = ListVolumesOptionsBuilder::default().filters(&filters).build();
        let listed = bounded("list volumes", QUICK, self.docker.list_volumes(Some(options))).await?;
        Ok(listed.volumes.unwrap_or_default().into_iter().map(|volume| volume.name).collect())
    }

    /// `DELETE /networks/{id}`; an absent one is success.
    pub(super) async fn remove_network(&self, name: &str) -> Result<(), Failure> {
        done(bounded("remove a network", QUICK, self.docker.remove_network(name)).await, &[404])
    }
}

/// Waits for a call for at most `bound`.
pub(super) async fn bounded<T>(
    verb: &'static str,
    bound: Duration,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    match timeout(bound, call).await {
        Ok(answer) => answer.map_err(Failure::from),
        Err(_) => Err(Failure::Other(EngineError::Slow { verb: verb.to_owned(), seconds: bound.as_secs() })),
    }
}

/// Turns "no such thing" into `None`.
fn found<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(thing) => Ok(Some(thing)),
        Err(failure) if failure.is(404) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Turns statuses that mean "already so" into success.
fn done(answer: Result<(), Failure>, already: &[u16]) -> Result<(), Failure> {
    match answer {
        Err(Failure::Status { code, .. }) if already.contains(&code) => Ok(()),
        other => other,
    }
}

/// Prefixes the path with the API version, unless one stands there.
fn versioned(prefix: &str, mut request: BollardRequest) -> BollardRequest {
    let path = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let has_version =
        path.strip_prefix("/v").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if has_version {
        return request;
    }
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = format!("{prefix}{path}").parse().ok();
    if let Ok(uri) = http::Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(path: &str) -> String {
        let mut request = BollardRequest::new(bollard::body_full(Bytes::new()));
        *request.uri_mut() = format!("unix://2f72756e/{path}").parse().unwrap();
        versioned("/v1.41", request).uri().path_and_query().unwrap().to_string()
    }

    #[test]
    fn the_version_is_sent_once() {
        assert_eq!(sent("containers/json?all=true"), "/v1.41/containers/json?all=true");
        assert_eq!(sent("v1.41/containers/json"), "/v1.41/containers/json");
        assert_eq!(sent("volumes/create"), "/v1.41/volumes/create");
    }

    #[test]
    fn statuses_that_mean_already_so_are_success() {
        let status = |code| Err(Failure::Status { code, message: String::new() });
        assert!(done(status(304), &[304, 404]).is_ok());
        assert!(done(status(409), &[304, 404]).is_err());
        assert!(matches!(found::<()>(status(404).map(drop)), Ok(None)));
    }
}

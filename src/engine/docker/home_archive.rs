//! Homes as archives: read out of and put into volumes and directories without either being seen by
//! whoever asks.
//!
//! A container of its own packs or unpacks, as for every errand, and what it says flows through the
//! engine's connection: nothing of it touches a disk on the way, not even the engine's log. Like
//! saving images this needs the engine's own socket; no spawner offers it.

use std::collections::HashMap;
use std::pin::Pin;
use std::time::Duration;

use bollard::container::{AttachContainerResults, LogOutput};
use bollard::models::{HostConfigLogConfig, VolumeCreateRequest};
use bollard::query_parameters::AttachContainerOptionsBuilder;
use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, unfold};
use futures_util::{StreamExt, pin_mut};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::api::Failure;
use super::errand::{self, Errand, mounted};
use super::home_verbs::{LAY_DIRECTORY, READS, WRITES};
use super::homes::{self, COPY, COPY_OF, HOME, Place, below, copies_below, copy_volume_name};
use super::make::{INSTALLATION, NETWORK, OWNER};
use super::{DockerEngine, label};
use crate::engine::home::MOST_MEASURED;
use crate::engine::{EngineError, HomeOrder};
use crate::session::{CopyName, HomeKey};

/// The bound of looking into several homes.
const LOOK: Duration = Duration::from_secs(120);
/// An archive of which nothing moves for this long is given up.
const SILENCE: Duration = Duration::from_mins(10);
/// Beside every desktop, but not for ever.
const CPUS: i64 = 2_000_000_000;
/// What is kept of a script's complaints.
const MOST_SAID: usize = 4096;
/// The exit code of [`PACK`] that says that files changed while they were read.
const CHANGED: i64 = 1;

/// One word per home.
const FILL_SCRIPT: &str = r#"
for home in "$@"; do
    if [ ! -d "$home" ]; then echo absent
    elif [ -z "$(ls -A -- "$home" | head -c 1)" ]; then echo empty
    else echo filled; fi
done
"#;

/// Holes stay holes, and what a name or a time may be is what POSIX's own format can say.
const PACK: &str = r#"
tar --create --format=posix --sparse --numeric-owner --xattrs --directory=/home-now . | gzip -1
codes=("${PIPESTATUS[@]}")
[ "${codes[1]}" -eq 0 ] && [ "${codes[0]}" -le 1 ] || exit 2
exit "${codes[0]}"
"#;

/// How many bytes come. An archive that ends early or cannot be unpacked leaves the home empty, as it
/// was; so does whoever sends it and dies.
const UNPACK: &str = r#"
set -o pipefail
[ -z "$(ls -A /home-now | head -c 1)" ] || { echo "the home is not empty" >&2; exit 1; }
head -c "$1" | gzip -dc | tar --extract --preserve-permissions --same-owner --numeric-owner \
    --xattrs --xattrs-include='user.*' --delay-directory-restore --directory=/home-now && sync -f /home-now && exit 0
find /home-now -mindepth 1 -delete
echo "it was emptied again" >&2
exit 1
"#;

/// Whether there is anything in a home.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HomeFill {
    /// There is no such home.
    Absent,
    /// It is there, without a file.
    Empty,
    /// It has files.
    Filled,
}

/// A home or one of its copies.
#[derive(Clone, Debug)]
pub struct HomePart {
    /// Which home.
    pub home: HomeOrder,
    /// The copy that is meant; `None` is the home itself.
    pub copy: Option<CopyName>,
}

/// A piece of an archive, or its end.
#[derive(Debug)]
pub enum Packed {
    /// Some of its bytes.
    Bytes(Bytes),
    /// It is whole; whether files changed while they were read, so that they may be half old and half new.
    Done {
        /// Some did.
        changed: bool,
    },
}

impl HomePart {
    fn place(&self, engine: &DockerEngine) -> Place {
        match (&engine.settings.homes.directory, &self.copy) {
            (_, None) => Place::of(&engine.settings.homes, &self.home),
            (None, Some(copy)) => Place::Volume(copy_volume_name(self.home.key, copy)),
            (Some(base), Some(_)) => Place::Directory { base: base.clone(), below: self.below() },
        }
    }

    fn below(&self) -> String {
        match &self.copy {
            None => below(&self.home),
            Some(copy) => format!("{}/{copy}", copies_below(&self.home)),
        }
    }

    fn about(&self, what: &str) -> String {
        let copy = self.copy.as_ref().map(|copy| format!("-{copy}")).unwrap_or_default();
        format!("{what}-{}{copy}", self.home.key)
    }

    fn labels(&self, network: &str) -> HashMap<String, String> {
        let key = self.home.key;
        let mut labels = HashMap::from([
            (INSTALLATION.to_owned(), self.home.installation.clone()),
            (NETWORK.to_owned(), network.to_owned()),
        ]);
        match &self.copy {
            Some(copy) => {
                labels.insert(COPY.to_owned(), copy.to_string());
                labels.insert(COPY_OF.to_owned(), key.to_string());
            }
            None => {
                labels.insert(HOME.to_owned(), key.to_string());
                if let HomeKey::Owner(owner) = key {
                    labels.insert(OWNER.to_owned(), owner.to_string());
                }
            }
        }
        labels
    }
}

impl DockerEngine {
    /// Whether there is anything in these homes and copies, in their order.
    ///
    /// # Errors
    /// The engine's.
    pub async fn home_fills(&self, parts: &[HomePart]) -> Result<Vec<HomeFill>, EngineError> {
        let mut fills = Vec::with_capacity(parts.len());
        for chunk in parts.chunks(MOST_MEASURED) {
            fills.extend(self.fills_of(chunk).await?);
        }
        Ok(fills)
    }

    async fn fills_of(&self, parts: &[HomePart]) -> Result<Vec<HomeFill>, EngineError> {
        let (mut arguments, mut mounts) = (Vec::new(), Vec::new());
        if self.settings.homes.directory.is_some() {
            arguments.extend(parts.iter().map(|part| format!("/homes/{}", part.below())));
            mounts.push(self.directory_mount(true)?);
        } else {
            for (at, part) in parts.iter().enumerate() {
                let (path, place) = (format!("/homes-{at}"), part.place(self));
                // One that is not there is not mounted: that would make it.
                if self.api.volume(&place.source()).await?.is_some() {
                    mounts.push(mounted(&place, &path, true));
                }
                arguments.push(path);
            }
        }
        if mounts.is_empty() {
            return Ok(vec![HomeFill::Absent; parts.len()]);
        }
        let errand = Errand {
            kind: "look into homes",
            about: "fill".to_owned(),
            script: FILL_SCRIPT,
            arguments,
            mounts,
            capabilities: READS,
            changes: None,
            bound: LOOK,
        };
        let said = errand::run(self, errand).await?.check("homes cannot be looked into")?;
        let mut fills: Vec<_> = said.text.lines().map(fill).collect();
        fills.resize(parts.len(), HomeFill::Absent);
        Ok(fills)
    }

    /// Whether a session's container runs or is frozen with a home.
    ///
    /// # Errors
    /// The engine's.
    pub async fn home_in_use(&self, key: HomeKey) -> Result<bool, EngineError> {
        homes::in_use_by_session(self, key).await
    }

    /// A home or copy as a compressed tar archive, while it may be in use. The stream ends with
    /// [`Packed::Done`] or an error, and fails by itself when nothing moved for ten minutes.
    ///
    /// # Errors
    /// The engine's; a home that is not there among them.
    pub async fn pack_home(
        &self,
        part: &HomePart,
    ) -> Result<BoxStream<'static, Result<Packed, EngineError>>, EngineError> {
        let errand = Errand {
            kind: "pack a home",
            about: part.about("pack"),
            script: PACK,
            arguments: Vec::new(),
            mounts: vec![mounted(&part.place(self), "/home-now", true)],
            capabilities: READS,
            changes: None,
            bound: SILENCE,
        };
        let (id, attached) = self.attached(&errand, false).await?;
        let packing =
            Packing { engine: self.api.clone(), id, output: attached.output, complaints: String::new() };
        Ok(unfold(Some(packing), next).boxed())
    }

    /// Unpacks such an archive of `length` bytes into an empty home or copy, which is made if it is
    /// not there. If that fails the home is as it was.
    ///
    /// # Errors
    /// [`EngineError::HomeInUse`] while a container uses the home; [`EngineError::Refused`] if it has
    /// files, or in the words of whoever could not unpack it.
    pub async fn unpack_home(
        &self,
        part: &HomePart,
        length: u64,
        archive: impl Stream<Item = std::io::Result<Bytes>> + Send,
    ) -> Result<(), EngineError> {
        let _turn = self.home_turn(part.home.key).await?;
        if part.copy.is_none() && self.home_in_use(part.home.key).await? {
            return Err(EngineError::HomeInUse);
        }
        let made = self.lay(part).await?;
        let unpacked = self.unpack(part, length, archive).await;
        if unpacked.is_err()
            && let Some(volume) = made
        {
            self.api.remove_volume(&volume).await?;
        }
        unpacked
    }

    /// Makes the place of a home; the volume's name if there was none.
    async fn lay(&self, part: &HomePart) -> Result<Option<String>, EngineError> {
        match part.place(self) {
            Place::Directory { .. } => {
                // The archive says whose it is.
                let arguments = vec![part.below(), "0:0".to_owned()];
                let laid = self.in_directory("lay", part.about("lay"), LAY_DIRECTORY, arguments).await?;
                laid.check("a home cannot be made")?;
                Ok(None)
            }
            Place::Volume(name) => {
                if self.api.volume(&name).await?.is_some() {
                    return Ok(None);
                }
                let labels = Some(part.labels(&self.settings.network));
                let request = VolumeCreateRequest {
                    name: Some(name.clone()),
                    labels,
                    ..VolumeCreateRequest::default()
                };
                self.api.create_volume(request).await?;
                Ok(Some(name))
            }
        }
    }

    async fn unpack(
        &self,
        part: &HomePart,
        length: u64,
        archive: impl Stream<Item = std::io::Result<Bytes>> + Send,
    ) -> Result<(), EngineError> {
        let errand = Errand {
            kind: "unpack a home",
            about: part.about("unpack"),
            script: UNPACK,
            arguments: vec![length.to_string()],
            mounts: vec![mounted(&part.place(self), "/home-now", false)],
            capabilities: WRITES,
            changes: Some((part.home.key, None)),
            bound: SILENCE,
        };
        let (id, attached) = self.attached(&errand, true).await?;
        let (mut output, mut input) = (attached.output, attached.input);
        let mut said = String::new();
        let told = async {
            // The output ends when the script does, whether or not it took everything.
            while let Some(Ok(piece)) = output.next().await {
                hear(&mut said, &piece);
            }
        };
        // What cannot be sent to its end is ended here too, or the script would wait for the rest.
        let sending = async move {
            let sent = send(&mut input, archive).await;
            drop(input);
            sent
        };
        let (sent, ()) = tokio::join!(sending, told);
        let code = self.ended(&id).await?;
        // What cannot be read is why the script was cut short.
        sent.map_err(|error| EngineError::Refused { detail: error.to_string() })?;
        if code == 0 {
            return Ok(());
        }
        let why = said.trim().lines().collect::<Vec<_>>().join("; ");
        Err(EngineError::Refused { detail: format!("a home cannot be unpacked: {why}") })
    }

    /// Starts the container of an errand and takes hold of what it says and, with `input`, of what it
    /// is told.
    async fn attached(
        &self,
        errand: &Errand,
        input: bool,
    ) -> Result<(String, AttachContainerResults), EngineError> {
        let name = errand::container_name(self, &errand.about);
        if let Some(left) = self.api.inspect(&name).await? {
            let ours = self.is_ours(&left) && label(&left, errand::ERRAND).is_some();
            let id = left.id.filter(|_| ours);
            let id = id.ok_or_else(|| EngineError::Conflict { detail: format!("{name} is not ours") })?;
            self.remove_container(&id).await?;
        }
        let mut body = errand::body(self, errand)?;
        (body.attach_stdin, body.open_stdin, body.stdin_once) = (Some(input), Some(input), Some(input));
        if let Some(host) = &mut body.host_config {
            // Its output is the archive: the engine's log would keep all of it.
            host.log_config = Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None });
            host.nano_cpus = Some(CPUS);
        }
        let id = match self.api.create(&name, body).await {
            Ok(id) => id,
            Err(failure) if failure.is_missing_source() => return Err(errand::no_directory(self)),
            Err(failure) => return Err(failure.into()),
        };
        let options =
            AttachContainerOptionsBuilder::default().stream(true).stdin(input).stdout(true).stderr(true);
        let attached = self.api.docker().attach_container(&id, Some(options.build())).await;
        let begun = match attached.map_err(Failure::from) {
            Ok(attached) => self.api.start(&id).await.map(|()| attached),
            Err(failure) => Err(failure),
        };
        match begun {
            Ok(attached) => Ok((id, attached)),
            Err(failure) => {
                self.remove_container(&id).await?;
                Err(failure.into())
            }
        }
    }

    /// Waits for the end of a container whose output has ended, and removes it; its exit code.
    async fn ended(&self, id: &str) -> Result<i64, EngineError> {
        let code = exit_code(&self.api, id).await;
        self.remove_container(id).await?;
        Ok(code?)
    }
}

/// An archive that is being read.
struct Packing {
    engine: super::api::Api,
    id: String,
    output: Pin<Box<dyn Stream<Item = Result<LogOutput, bollard::errors::Error>> + Send>>,
    complaints: String,
}

async fn next(packing: Option<Packing>) -> Option<(Result<Packed, EngineError>, Option<Packing>)> {
    let mut packing = packing?;
    Some(match packing.step().await {
        Ok(Packed::Bytes(bytes)) => (Ok(Packed::Bytes(bytes)), Some(packing)),
        last => (last, None),
    })
}

impl Packing {
    async fn step(&mut self) -> Result<Packed, EngineError> {
        loop {
            let slow = || EngineError::Slow { verb: "pack a home".to_owned(), seconds: SILENCE.as_secs() };
            match timeout(SILENCE, self.output.next()).await.map_err(|_| slow())? {
                Some(Ok(LogOutput::StdOut { message })) => return Ok(Packed::Bytes(message)),
                Some(Ok(LogOutput::Console { .. })) => {
                    return Err(EngineError::Down {
                        detail: "the engine broke off within an archive".to_owned(),
                    });
                }
                Some(Ok(piece)) => hear(&mut self.complaints, &piece),
                Some(Err(error)) => return Err(Failure::from(error).into()),
                None => return self.end().await,
            }
        }
    }

    async fn end(&mut self) -> Result<Packed, EngineError> {
        let code = exit_code(&self.engine, &self.id).await;
        self.engine.remove(&self.id).await?;
        match code? {
            code @ (0 | CHANGED) => Ok(Packed::Done { changed: code == CHANGED }),
            _ => {
                let why = self.complaints.trim().lines().collect::<Vec<_>>().join("; ");
                Err(EngineError::Refused { detail: format!("a home cannot be read: {why}") })
            }
        }
    }
}

async fn exit_code(api: &super::api::Api, id: &str) -> Result<i64, Failure> {
    let codes = api.docker().wait_container(id, None);
    pin_mut!(codes);
    match timeout(super::api::PATIENT, codes.next()).await {
        Ok(Some(Ok(ended))) => Ok(ended.status_code),
        Ok(Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. }))) => Ok(code),
        Ok(Some(Err(error))) => Err(error.into()),
        Ok(None) => Err(Failure::Other(EngineError::Gone)),
        Err(_) => Err(Failure::Other(EngineError::Slow {
            verb: "end an errand".to_owned(),
            seconds: super::api::PATIENT.as_secs(),
        })),
    }
}

/// Passes an archive on; only what cannot be read is an error. That the script hangs up is told by its
/// exit code.
async fn send(
    input: &mut (impl AsyncWrite + Unpin + ?Sized),
    archive: impl Stream<Item = std::io::Result<Bytes>>,
) -> std::io::Result<()> {
    pin_mut!(archive);
    while let Some(piece) = archive.next().await {
        if input.write_all(&piece?).await.is_err() {
            return Ok(());
        }
    }
    let _ = input.shutdown().await;
    Ok(())
}

fn hear(said: &mut String, piece: &LogOutput) {
    if said.len() < MOST_SAID {
        said.push_str(&String::from_utf8_lossy(piece.as_ref()));
    }
}

fn fill(word: &str) -> HomeFill {
    match word {
        "filled" => HomeFill::Filled,
        "empty" => HomeFill::Empty,
        _ => HomeFill::Absent,
    }
}

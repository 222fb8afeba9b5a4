//! The engine as the gateway sees it: every verb is a request to the spawner.
//!
//! Only the verbs go there. The bytes of a session do not: the gateway asks for a container's
//! address once, dials it itself, and needs no spawner again while the session stays open.

mod homes;

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, unfold};
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::time::timeout;
use tracing::{debug, warn};

use super::addresses::{Addresses, watched};
use super::docker::Boundaries;
use super::{
    Connection, Container, Engine, EngineError, EngineEvent, EngineVersion, PullStep, PullSteps, Sample,
    StartOrder, Started, Stats, TemplateImage,
};
use crate::fault::Answer;
use crate::session::{SessionId, TemplateName, Upstream};
use crate::spawner::protocol::{self, Reply, Request};
use crate::telemetry::names;

/// The bound of a quick verb: the engine's own 10 s and a little, so that its answer wins.
pub const QUICK: Duration = Duration::from_secs(12);
/// The bound of a start.
const START: Duration = Duration::from_secs(62);

/// The verbs of an engine, asked of the spawner behind a Unix socket.
#[derive(Debug)]
pub struct SpawnerEngine {
    socket: PathBuf,
    addresses: Arc<Addresses>,
}

impl SpawnerEngine {
    /// An engine behind the spawner's socket at `socket`; nothing is connected yet.
    #[must_use]
    pub fn new(socket: PathBuf) -> Self {
        Self { socket, addresses: Arc::default() }
    }

    /// Sends `request` and returns the reader of its replies.
    async fn open(&self, request: &Request) -> Result<BufReader<UnixStream>, EngineError> {
        let sent = async {
            let mut stream = UnixStream::connect(&self.socket).await?;
            protocol::write(&mut stream, request).await?;
            Ok(BufReader::new(stream))
        };
        sent.await.map_err(|error| self.down(&error))
    }

    async fn next(&self, replies: &mut BufReader<UnixStream>) -> Result<Reply, EngineError> {
        match protocol::read(replies).await {
            Ok(Some(Reply::Failed(error))) => Err(error),
            Ok(Some(reply)) => Ok(reply),
            Ok(None) => Err(self.down(&io::ErrorKind::UnexpectedEof.into())),
            Err(error) => Err(self.down(&error)),
        }
    }

    async fn ask(&self, verb: &str, bound: Duration, request: Request) -> Result<Reply, EngineError> {
        let exchange = async {
            let mut replies = self.open(&request).await?;
            self.next(&mut replies).await
        };
        counted(timeout(bound, exchange).await.unwrap_or_else(|_| Err(slow(verb, bound))))
    }

    async fn done(&self, verb: &str, bound: Duration, request: Request) -> Result<(), EngineError> {
        match self.ask(verb, bound, request).await? {
            Reply::Done => Ok(()),
            other => Err(misunderstood(&other)),
        }
    }

    async fn address(&self, container: &str) -> Result<IpAddr, EngineError> {
        match self
            .ask("find a container", QUICK, Request::Address { container: container.to_owned() })
            .await?
        {
            Reply::Address(address) => Ok(address),
            other => Err(misunderstood(&other)),
        }
    }

    /// Everything a request with many replies is answered with; `read` takes the one kind it expects.
    async fn collect<T>(
        &self,
        request: Request,
        read: impl Fn(&Reply) -> Option<T> + Send,
    ) -> Result<Vec<T>, EngineError> {
        let mut replies = self.open(&request).await?;
        let mut items = Vec::new();
        loop {
            match self.next(&mut replies).await? {
                Reply::Done => return Ok(items),
                other => items.push(read(&other).ok_or_else(|| misunderstood(&other))?),
            }
        }
    }

    /// Whether packet filter and networks are in place now, where the spawner is.
    ///
    /// # Errors
    /// The engine's, and [`EngineError::Refused`] by a spawner of another version.
    pub async fn boundaries(&self) -> Result<Boundaries, EngineError> {
        match self.ask("say how sessions are held apart", QUICK, Request::Boundaries).await? {
            Reply::Boundaries(boundaries) => Ok(boundaries),
            other => Err(misunderstood(&other)),
        }
    }

    fn down(&self, error: &io::Error) -> EngineError {
        EngineError::Down { detail: format!("the spawner at {}: {error}", self.socket.display()) }
    }
}

#[async_trait]
impl Engine for SpawnerEngine {
    async fn start(&self, order: &StartOrder) -> Result<Started, EngineError> {
        match self.ask("start a session", START, Request::Start(order.clone())).await? {
            Reply::Started(started) => Ok(started),
            other => Err(misunderstood(&other)),
        }
    }

    async fn connect(&self, upstream: &Upstream) -> Result<Connection, EngineError> {
        let resolve = self.address(&upstream.container);
        Ok(Connection::Tcp(self.addresses.connect(upstream, resolve).await?))
    }

    async fn stop(&self, session: SessionId, grace: Duration) -> Result<(), EngineError> {
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        self.addresses.doubt();
        let stopped = self
            .done("stop a session", grace.saturating_add(QUICK), Request::Stop { session, grace_ms })
            .await;
        self.addresses.doubt();
        stopped
    }

    async fn pause(&self, session: SessionId) -> Result<(), EngineError> {
        self.done("freeze a session", QUICK, Request::Pause { session }).await
    }

    async fn resume(&self, session: SessionId) -> Result<(), EngineError> {
        self.done("thaw a session", QUICK, Request::Resume { session }).await
    }

    async fn remove(&self, session: SessionId) -> Result<(), EngineError> {
        self.addresses.doubt();
        let removed = self.done("remove a session", QUICK, Request::Remove { session }).await;
        self.addresses.doubt();
        removed
    }

    async fn list(&self) -> Result<Vec<Container>, EngineError> {
        let read = |reply: &Reply| match reply {
            Reply::Container(container) => Some(container.clone()),
            _ => None,
        };
        let listed = timeout(QUICK, self.collect(Request::List, read)).await;
        counted(listed.unwrap_or_else(|_| Err(slow("list sessions", QUICK))))
    }

    async fn images(&self) -> Result<Vec<TemplateImage>, EngineError> {
        let read = |reply: &Reply| match reply {
            Reply::Image(image) => Some(image.clone()),
            _ => None,
        };
        let listed = timeout(QUICK, self.collect(Request::Images, read)).await;
        listed.unwrap_or_else(|_| Err(slow("list images", QUICK)))
    }

    async fn pull(&self, template: &TemplateName) -> Result<PullSteps, EngineError> {
        let replies = self.open(&Request::Pull { template: template.clone() }).await?;
        Ok(unfold(Some(replies), next_step).boxed())
    }

    async fn events(&self) -> Result<BoxStream<'static, EngineEvent>, EngineError> {
        let subscribed = async {
            let mut replies = self.open(&Request::Events).await?;
            self.next(&mut replies).await.map(|reply| (reply, replies))
        };
        let listening = timeout(QUICK, subscribed).await.unwrap_or_else(|_| Err(slow("tell events", QUICK)));
        match listening? {
            (Reply::Done, replies) => {
                Ok(watched(unfold(replies, next_event).boxed(), self.addresses.clone()))
            }
            (other, _) => Err(misunderstood(&other)),
        }
    }

    async fn ping(&self) -> Result<EngineVersion, EngineError> {
        match self.ask("answer", QUICK, Request::Ping).await? {
            Reply::Version(version) => Ok(version),
            other => Err(misunderstood(&other)),
        }
    }

    async fn stats(&self, session: SessionId) -> Result<Stats, EngineError> {
        match self.ask("say what a session uses", QUICK, Request::Stats { session }).await? {
            Reply::Stats(stats) => Ok(stats),
            other => Err(misunderstood(&other)),
        }
    }

    async fn sample(&self) -> Result<Sample, EngineError> {
        let asked = async {
            let mut replies = self.open(&Request::Sample).await?;
            let machine = match self.next(&mut replies).await? {
                Reply::Machine(machine) => machine,
                other => return Err(misunderstood(&other)),
            };
            let mut containers = Vec::new();
            loop {
                match self.next(&mut replies).await? {
                    Reply::Use(used) => containers.push(used),
                    Reply::Done => return Ok(Sample { machine, containers }),
                    other => return Err(misunderstood(&other)),
                }
            }
        };
        counted(timeout(QUICK, asked).await.unwrap_or_else(|_| Err(slow("say what is used", QUICK))))
    }

    async fn output(&self, session: SessionId) -> Result<String, EngineError> {
        match self.ask("read output", QUICK, Request::Output { session }).await? {
            Reply::Output(output) => Ok(output),
            other => Err(misunderstood(&other)),
        }
    }
}

/// The next step of a pull; nothing follows the last one.
async fn next_step(
    replies: Option<BufReader<UnixStream>>,
) -> Option<(Result<PullStep, EngineError>, Option<BufReader<UnixStream>>)> {
    let mut replies = replies?;
    Some(match protocol::read(&mut replies).await {
        Ok(Some(Reply::Pull(step @ PullStep::Progress(_)))) => (Ok(step), Some(replies)),
        Ok(Some(Reply::Pull(step @ PullStep::Done(_)))) => (Ok(step), None),
        Ok(Some(Reply::Failed(error))) => (Err(error), None),
        Ok(Some(other)) => (Err(misunderstood(&other)), None),
        Ok(None) => (Err(broken_off("the spawner ended the pull")), None),
        Err(error) => (Err(broken_off(&error.to_string())), None),
    })
}

fn broken_off(detail: &str) -> EngineError {
    EngineError::Down { detail: detail.to_owned() }
}

async fn next_event(mut replies: BufReader<UnixStream>) -> Option<(EngineEvent, BufReader<UnixStream>)> {
    match protocol::read(&mut replies).await {
        Ok(Some(Reply::Event(event))) => Some((event, replies)),
        Ok(None) => None,
        Ok(Some(other)) => {
            warn!(?other, "the spawner's event stream ended: it said something else");
            None
        }
        Err(error) => {
            debug!(%error, "the spawner's event stream ended");
            None
        }
    }
}

/// Counts what is the engine's fault: that a container is gone or an image missing is an answer.
fn counted<T>(answer: Result<T, EngineError>) -> Result<T, EngineError> {
    if let Err(error) = &answer {
        match error {
            EngineError::Conflict { .. }
            | EngineError::Down { .. }
            | EngineError::Refused { .. }
            | EngineError::Slow { .. } => {
                metrics::counter!(names::ENGINE_ERRORS, "code" => error.code()).increment(1);
            }
            EngineError::Exited { .. }
            | EngineError::HomeInUse
            | EngineError::ImageMissing { .. }
            | EngineError::Gone
            | EngineError::TemplateGone { .. }
            | EngineError::Unreachable { .. } => {}
        }
    }
    answer
}

fn slow(verb: &str, bound: Duration) -> EngineError {
    EngineError::Slow { verb: verb.to_owned(), seconds: bound.as_secs() }
}

/// The spawner is of another version than this gateway.
fn misunderstood(reply: &Reply) -> EngineError {
    debug!(?reply, "a reply to another question");
    EngineError::Refused { detail: "the spawner and the gateway are of different versions".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_absent_spawner_is_a_down_engine() {
        let engine = SpawnerEngine::new("/nonexistent/spawner.sock".into());
        assert!(matches!(engine.ping().await, Err(EngineError::Down { .. })));
        assert!(matches!(engine.list().await, Err(EngineError::Down { .. })));
        assert!(engine.events().await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_spawner_is_slow() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spawner.sock");
        let _silent = tokio::net::UnixListener::bind(&path).unwrap();
        let engine = SpawnerEngine::new(path);
        assert!(matches!(engine.ping().await, Err(EngineError::Slow { .. })));
    }
}

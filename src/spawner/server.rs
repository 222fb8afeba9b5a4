//! The spawner's side of the socket.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::protocol::{self, Reply, Request};
use crate::engine::docker::DockerEngine;
use crate::engine::{Engine, EngineError, home};
use crate::session::TemplateName;
use crate::tasks::Tasks;
use crate::unix_socket;

/// Most requests at once; more wait in the socket's queue.
const CONCURRENT: usize = 256;
/// How long a request may take to arrive, and a reply to be taken.
const PROMPT: Duration = Duration::from_secs(5);

/// Opens the socket at `path`, for its owner and group alone (mode 0660), replacing a stale one.
///
/// # Errors
/// `AddrInUse` when another spawner answers there; otherwise the file system's.
pub async fn bind(path: &Path) -> io::Result<UnixListener> {
    unix_socket::bind(path, 0o660).await
}

/// Answers requests until `stop`. Requests under way are tasks of `tasks` and are not cut off.
pub async fn serve(
    listener: UnixListener,
    engine: Arc<DockerEngine>,
    tasks: &Tasks,
    stop: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(CONCURRENT));
    info!("the spawner is ready");
    loop {
        let next = async {
            let slot = slots.clone().acquire_owned().await;
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            () = stop.cancelled() => return,
            next = next => next,
        };
        match accepted {
            Ok((stream, _)) => {
                let (engine, stop) = (engine.clone(), stop.clone());
                tasks.spawn("spawner request", async move {
                    let _slot = slot;
                    if let Err(error) = answer(stream, &engine, &stop).await {
                        debug!(%error, "a request was not answered");
                    }
                });
            }
            Err(error) => {
                warn!(%error, "the spawner cannot accept a connection");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn answer(stream: UnixStream, engine: &DockerEngine, stop: &CancellationToken) -> io::Result<()> {
    let (reading, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reading);
    let request = match timeout(PROMPT, protocol::read::<Request>(&mut reader)).await? {
        Ok(Some(request)) => request,
        Ok(None) => return Ok(()),
        Err(error) => {
            warn!(%error, "a request was not understood");
            let detail = format!("the spawner does not understand: {error}");
            return send(&mut writer, &Reply::Failed(EngineError::Refused { detail })).await;
        }
    };
    match request {
        Request::Events => tokio::select! {
            () = stop.cancelled() => Ok(()),
            () = hung_up(reader) => Ok(()),
            told = tell_events(&mut writer, engine) => told,
        },
        Request::List => list(&mut writer, engine).await,
        Request::Images => images(&mut writer, engine).await,
        Request::Sample => sample(&mut writer, engine).await,
        // Nobody waits for it any more: broken off, what is complete is kept for the next one.
        Request::Pull { template } => tokio::select! {
            () = stop.cancelled() => Ok(()),
            () = hung_up(reader) => Ok(()),
            told = tell_pull(&mut writer, engine, &template) => told,
        },
        // Whoever gave up waiting does not know of what comes to run later.
        Request::Start(order) => {
            let started = engine.start_unless(&order, hung_up(reader)).await;
            send(&mut writer, &started.map_or_else(Reply::Failed, Reply::Started)).await
        }
        other => send(&mut writer, &one(other, engine).await.unwrap_or_else(Reply::Failed)).await,
    }
}

/// The requests with one reply.
async fn one(request: Request, engine: &DockerEngine) -> Result<Reply, EngineError> {
    Ok(match request {
        Request::Stop { session, grace_ms } => {
            engine.stop(session, Duration::from_millis(grace_ms)).await?;
            Reply::Done
        }
        Request::Pause { session } => {
            engine.pause(session).await?;
            Reply::Done
        }
        Request::Resume { session } => {
            engine.resume(session).await?;
            Reply::Done
        }
        Request::Remove { session } => {
            engine.remove(session).await?;
            Reply::Done
        }
        Request::Ping => Reply::Version(engine.ping().await?),
        Request::Stats { session } => Reply::Stats(engine.stats(session).await?),
        Request::Output { session } => Reply::Output(engine.output(session).await?),
        Request::Home(request) => Reply::Home(home::answer(engine, request).await?),
        Request::Boundaries => Reply::Boundaries(engine.boundaries().await?),
        Request::Address { container } => Reply::Address(engine.address(&container).await?),
        // Answered by the caller: with many lines, or until the requester hangs up.
        Request::List
        | Request::Images
        | Request::Sample
        | Request::Pull { .. }
        | Request::Events
        | Request::Start(_) => Reply::Done,
    })
}

async fn list(writer: &mut OwnedWriteHalf, engine: &DockerEngine) -> io::Result<()> {
    match engine.list().await {
        Ok(containers) => {
            for container in containers {
                send(writer, &Reply::Container(container)).await?;
            }
            send(writer, &Reply::Done).await
        }
        Err(error) => send(writer, &Reply::Failed(error)).await,
    }
}

async fn images(writer: &mut OwnedWriteHalf, engine: &DockerEngine) -> io::Result<()> {
    match engine.images().await {
        Ok(images) => {
            for image in images {
                send(writer, &Reply::Image(image)).await?;
            }
            send(writer, &Reply::Done).await
        }
        Err(error) => send(writer, &Reply::Failed(error)).await,
    }
}

async fn sample(writer: &mut OwnedWriteHalf, engine: &DockerEngine) -> io::Result<()> {
    match engine.sample().await {
        Ok(sample) => {
            send(writer, &Reply::Machine(sample.machine)).await?;
            for used in sample.containers {
                send(writer, &Reply::Use(used)).await?;
            }
            send(writer, &Reply::Done).await
        }
        Err(error) => send(writer, &Reply::Failed(error)).await,
    }
}

async fn tell_pull(
    writer: &mut OwnedWriteHalf,
    engine: &DockerEngine,
    template: &TemplateName,
) -> io::Result<()> {
    let mut steps = match engine.pull(template).await {
        Ok(steps) => steps,
        Err(error) => return send(writer, &Reply::Failed(error)).await,
    };
    while let Some(step) = steps.next().await {
        send(writer, &step.map_or_else(Reply::Failed, Reply::Pull)).await?;
    }
    Ok(())
}

async fn tell_events(writer: &mut OwnedWriteHalf, engine: &DockerEngine) -> io::Result<()> {
    let mut events = match engine.events().await {
        Ok(events) => events,
        Err(error) => return send(writer, &Reply::Failed(error)).await,
    };
    send(writer, &Reply::Done).await?;
    while let Some(event) = events.next().await {
        send(writer, &Reply::Event(event)).await?;
    }
    Ok(())
}

async fn send(writer: &mut OwnedWriteHalf, reply: &Reply) -> io::Result<()> {
    timeout(PROMPT, protocol::write(writer, reply)).await?
}

/// Waits until the other side closes; whatever it still says is ignored.
async fn hung_up(mut reader: BufReader<OwnedReadHalf>) {
    let mut ignored = [0; 64];
    while matches!(reader.read(&mut ignored).await, Ok(1..)) {}
}

//! One JSON line each way over a Unix socket.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::{info, warn};

use super::{Performer, Reply, Request, UserRequest, perform};
use crate::tasks::Tasks;
use crate::unix_socket;

/// Longest request line.
const MAX_LINE: u64 = 64 * 1024;

/// Bound of one request, asked or answered; removing sessions waits for their containers.
const BOUND: Duration = Duration::from_secs(60);

/// Bound of a request that copies files or looks at many homes.
const LONG: Duration = Duration::from_secs(2 * 3600);

/// Why nobody answered a request.
#[derive(Debug, Error)]
pub enum AskError {
    /// A gateway took it, and may have done it.
    #[error("the answer did not arrive: {0}")]
    Unanswered(#[source] io::Error),
    /// The socket is there, but it cannot be connected to.
    #[error("the control socket cannot be connected to: {0}")]
    Unreachable(#[source] io::Error),
}

/// Answers requests on `path` until the process stops.
///
/// # Errors
/// The socket cannot be made: another process listens on it, or the directory is not writable.
pub async fn serve(path: PathBuf, performer: Performer, tasks: Tasks) -> io::Result<()> {
    let listener = unix_socket::bind(&path, 0o600).await?;
    let stopping = tasks.stopping();
    let spawner = tasks.clone();
    tasks.spawn("control", async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stopping.cancelled() => break,
            };
            let Ok((stream, _)) = accepted else { continue };
            let (performer, tasks) = (performer.clone(), spawner.clone());
            spawner.spawn("control-request", async move {
                if let Err(error) = timeout(LONG, answer(stream, performer, tasks)).await.unwrap_or(Ok(())) {
                    warn!(%error, "a control request broke off");
                }
            });
        }
        let _ = std::fs::remove_file(&path);
    });
    Ok(())
}

async fn answer(mut stream: UnixStream, performer: Performer, tasks: Tasks) -> io::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut line = String::new();
    timeout(BOUND, BufReader::new(reader.take(MAX_LINE)).read_line(&mut line)).await??;
    let reply = match serde_json::from_str::<Request>(&line) {
        Ok(request) => {
            info!(ask = request.name(), "control.request");
            finish(performer, request, &tasks).await?
        }
        Err(error) => Reply::Refused { code: "request_invalid".to_owned(), text: error.to_string() },
    };
    let mut text = serde_json::to_string(&reply).map_err(io::Error::other)?;
    text.push('\n');
    writer.write_all(text.as_bytes()).await
}

/// Performs a request in a task of its own: whoever asked may hang up or be cut off, what they
/// asked for is done to its end all the same.
async fn finish(performer: Performer, request: Request, tasks: &Tasks) -> io::Result<Reply> {
    let (tell, told) = oneshot::channel();
    tasks.spawn("control-perform", async move {
        let _ = tell.send(perform(&performer, request).await);
    });
    told.await.map_err(io::Error::other)
}

/// Asks a running gateway; `None` if none answers on `path`.
///
/// # Errors
/// [`AskError::Unreachable`] when it cannot be told whether a gateway runs; [`AskError::Unanswered`]
/// when one took the request but its answer did not arrive or made no sense.
pub async fn ask(path: &Path, request: &Request) -> Result<Option<Reply>, AskError> {
    match UnixStream::connect(path).await {
        Ok(stream) => exchange(stream, request).await.map(Some).map_err(AskError::Unanswered),
        // No socket, or one that a killed gateway left behind. Anything else may well be a gateway
        // that runs, beside which nothing may be changed.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            Ok(None)
        }
        Err(error) => Err(AskError::Unreachable(error)),
    }
}

fn bound(request: &Request) -> Duration {
    match request {
        Request::HomeList
        | Request::HomeRestore { .. }
        | Request::User(UserRequest::Import { .. } | UserRequest::Remove { .. }) => LONG,
        Request::Capacity
        | Request::LinkCreate { .. }
        | Request::LinkList
        | Request::LinkRevoke { .. }
        | Request::SessionChange { .. }
        | Request::SessionCreate { .. }
        | Request::SessionList
        | Request::SessionShow { .. }
        | Request::Sharing(_)
        | Request::Stats
        | Request::TemplateList
        | Request::TemplateProgress
        | Request::TemplatePull { .. }
        | Request::TokenCreate { .. }
        | Request::TokenList
        | Request::TokenRevoke { .. }
        | Request::User(_) => BOUND,
    }
}

async fn exchange(mut stream: UnixStream, request: &Request) -> io::Result<Reply> {
    let mut line = serde_json::to_string(request).map_err(io::Error::other)?;
    line.push('\n');
    stream.write_all(line.as_bytes()).await?;
    let mut reply = String::new();
    timeout(bound(request), BufReader::new(stream).read_line(&mut reply)).await??;
    serde_json::from_str(&reply).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Any failure to connect was taken for "no gateway runs", and the command then worked on the
    /// store beside the one that did.
    #[tokio::test]
    async fn only_an_absent_gateway_is_no_gateway() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        assert!(matches!(ask(&path, &Request::User(UserRequest::List)).await, Ok(None)));
        drop(crate::unix_socket::bind(&path, 0o600).await.unwrap());
        assert!(
            matches!(ask(&path, &Request::User(UserRequest::List)).await, Ok(None)),
            "left behind by a killed one"
        );
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let below = ask(&file.join("control.sock"), &Request::User(UserRequest::List)).await;
        assert!(matches!(below, Err(AskError::Unreachable(_))), "{below:?}");
    }
}

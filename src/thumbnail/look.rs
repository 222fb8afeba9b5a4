//! One look at a desktop: connect, prove it, see the screen once, leave.

use std::io;

use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::broker::readiness::{self, Unready};
use crate::engine::{Engine, EngineError};
use crate::rfb::picture::Picture;
use crate::rfb::server::{Garbled, Watcher};
use crate::session::Upstream;

/// How much is read at once.
const CHUNK: usize = 32 << 10;

/// Why a desktop could not be seen.
#[derive(Debug, Error)]
pub(super) enum Unseen {
    /// It shows something that nobody asked for.
    #[error("it draws what nobody asked for")]
    Garbled(#[from] Garbled),
    /// The connection broke off.
    #[error("the connection broke off")]
    Io(#[from] io::Error),
    /// It is not the session's desktop, or refuses viewers.
    #[error("it did not let the gateway in")]
    Unready(#[from] Unready),
    /// It could not be reached.
    #[error("it could not be reached")]
    Unreachable(#[from] EngineError),
    /// It took too long.
    #[error("it took too long to show its screen")]
    Slow,
}

/// Sees the whole screen once. The caller bounds the wait. **Cancel safety**: may be dropped at any
/// time, which closes the connection.
pub(super) async fn look(engine: &dyn Engine, upstream: &Upstream, secret: &str) -> Result<Picture, Unseen> {
    let mut stream = engine.connect(upstream).await?;
    readiness::prove_rfb(&mut stream, secret).await?;
    // Shared: whoever is watching must not be thrown out (RFC 6143 §7.3.1).
    stream.write_all(&[1]).await?;
    let mut watcher = Watcher::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        watcher.push(&buffer[..read])?;
        if let Some(picture) = watcher.picture() {
            return Ok(picture);
        }
        stream.write_all(&watcher.to_say()).await?;
    }
}

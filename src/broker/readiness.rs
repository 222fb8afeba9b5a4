//! Whether an upstream is reachable, and whether it is the right one.
//!
//! `rfb`: the greeting is read and the session's password proven, because a reused address could
//! lead to another desktop. `http`: any answer that begins like HTTP. Polled in tens of
//! milliseconds until the phase's deadline; nothing sleeps a fixed time.

use std::io;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::engine::{Engine, EngineError};
use crate::rfb::security;
use crate::session::{Protocol, Upstream};

/// Time between two attempts.
const POLL: Duration = Duration::from_millis(25);

/// Bound of one attempt.
const ATTEMPT: Duration = Duration::from_secs(5);

/// Why an attempt did not prove the upstream.
#[derive(Debug, Error)]
pub enum Unready {
    /// It speaks, but does not know the session's password or speaks something else.
    #[error("the upstream did not prove itself: {0}")]
    Unproven(String),
    /// Not reachable (yet).
    #[error("the upstream is not reachable")]
    Engine(#[from] EngineError),
    /// The connection broke off (it may still be starting).
    #[error("the connection broke off")]
    Io(#[from] io::Error),
}

/// Waits until the upstream is reachable and proven. The caller bounds the wait.
/// **Cancel safety**: may be dropped at any time.
///
/// # Errors
/// What cannot get better by waiting: the container is gone, or speaks without the password.
pub async fn wait(
    engine: &dyn Engine,
    upstream: &Upstream,
    protocol: Protocol,
    secret: &str,
) -> Result<(), Unready> {
    let mut refusals = 0;
    loop {
        match timeout(ATTEMPT, attempt(engine, upstream, protocol, secret)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(Unready::Engine(ended @ (EngineError::Gone | EngineError::Exited { .. })))) => {
                return Err(ended.into());
            }
            // A server may refuse while it is still reading its password file; give it a few tries.
            Ok(Err(Unready::Unproven(why))) if refusals >= 3 => return Err(Unready::Unproven(why)),
            Ok(Err(Unready::Unproven(_))) => refusals += 1,
            Ok(Err(Unready::Engine(_) | Unready::Io(_))) | Err(_) => {}
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn attempt(
    engine: &dyn Engine,
    upstream: &Upstream,
    protocol: Protocol,
    secret: &str,
) -> Result<(), Unready> {
    let mut stream = engine.connect(upstream).await?;
    match protocol {
        Protocol::Rfb => prove_rfb(&mut stream, secret).await,
        Protocol::Http => prove_http(&mut stream).await,
    }
}

/// Opens RFB towards a container: version, security, password, up to and including a good
/// SecurityResult (RFC 6143 §7.1). The next byte to send is ClientInit.
///
/// # Errors
/// [`Unready::Unproven`] if it is no RFB server or refuses the password, [`Unready::Io`] if the
/// connection breaks off.
pub async fn prove_rfb<S>(stream: &mut S, secret: &str) -> Result<(), Unready>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut greeting = [0; 12];
    stream.read_exact(&mut greeting).await?;
    if !security::is_greeting(&greeting) {
        return Err(Unready::Unproven("it does not greet like an RFB server".to_owned()));
    }
    stream.write_all(security::VERSION).await?;
    let count = stream.read_u8().await?;
    if count == 0 {
        return Err(Unready::Unproven(refusal(stream).await?));
    }
    let mut offered = vec![0; usize::from(count)];
    stream.read_exact(&mut offered).await?;
    // An upstream that asks for no password proves nothing, so it is not accepted.
    if !offered.contains(&security::VNC_AUTH) {
        return Err(Unready::Unproven("it does not ask for the session's password".to_owned()));
    }
    stream.write_u8(security::VNC_AUTH).await?;
    let mut challenge = [0; 16];
    stream.read_exact(&mut challenge).await?;
    stream.write_all(&security::answer(&challenge, secret)).await?;
    match stream.read_u32().await? {
        0 => Ok(()),
        _ => Err(Unready::Unproven(refusal(stream).await.unwrap_or_else(|_| "wrong password".to_owned()))),
    }
}

/// The reason an RFB server gives for a refusal, bounded and printable.
async fn refusal<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<String> {
    let length = stream.read_u32().await?.min(200);
    let mut text = vec![0; length as usize];
    stream.read_exact(&mut text).await?;
    Ok(String::from_utf8_lossy(&text).chars().filter(|c| !c.is_control()).collect())
}

async fn prove_http<S>(stream: &mut S) -> Result<(), Unready>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await?;
    if &answer == b"HTTP/" {
        Ok(())
    } else {
        Err(Unready::Unproven("it does not answer like an HTTP server".to_owned()))
    }
}

//! Bytes one way, with a buffer that grows under load and shrinks when idle.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What an idle socket pays for.
const SMALL: usize = 4 << 10;

/// What a busy socket may read at once.
const LARGE: usize = 32 << 10;

/// Short reads in a row after which a large buffer is given back.
const PATIENCE: u32 = 16;

/// What the copy tells whoever watches it.
pub(super) trait Watch {
    /// These bytes were read and are about to be written.
    fn before(&mut self, bytes: &[u8]);
    /// They were written.
    fn after(&mut self);
}

/// Copies until `from` ends, then ends `to` (half-close). Back-pressure is that of `to`.
///
/// # Errors
/// Those of either side.
pub(super) async fn copy<R, W>(from: &mut R, to: &mut W, watch: &mut impl Watch) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut buffer = vec![0; SMALL];
    let mut short_reads = 0;
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        watch.before(&buffer[..read]);
        to.write_all(&buffer[..read]).await?;
        to.flush().await?;
        watch.after();
        short_reads = if read < SMALL { short_reads + 1 } else { 0 };
        if read == buffer.len() && read < LARGE {
            buffer = vec![0; LARGE.min(read * 4)];
        } else if short_reads > PATIENCE && buffer.len() > SMALL {
            buffer = vec![0; SMALL];
        }
    }
}

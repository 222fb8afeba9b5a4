//! What a viewer of a desktop does: its messages on their way to the container.
//!
//! An owner's and a helper's are passed on as they are, and the human in them is noted. An
//! observer's pass through the view-only filter: nothing that changes the desktop gets through,
//! and nothing counts as somebody at work.

use bytes::BytesMut;
use futures_util::StreamExt;
use futures_util::stream::SplitStream;
use tokio::io::{AsyncWriteExt, WriteHalf};
use tokio_tungstenite::tungstenite::Message;
use tracing::warn;

use super::pulse::Pulse;
use super::rfb_relay::{End, Socket};
use crate::broker::{Entry, ViewerGuard};
use crate::engine::Connection;
use crate::rfb::client::{Filter, Parser, Understood};
use crate::session::ViewerRole;
use crate::telemetry::names;

/// The bytes of the viewer's messages, whose borders mean nothing to RFB.
pub(super) struct Speech<'a> {
    from: &'a mut SplitStream<Socket>,
    pulse: &'a Pulse,
    pending: BytesMut,
}

impl<'a> Speech<'a> {
    pub(super) fn new(from: &'a mut SplitStream<Socket>, pulse: &'a Pulse) -> Self {
        Self { from, pulse, pending: BytesMut::new() }
    }

    /// The next `N` bytes.
    pub(super) async fn take<const N: usize>(&mut self) -> Result<[u8; N], End> {
        while self.pending.len() < N {
            self.more().await?;
        }
        let taken = self.pending.split_to(N);
        Ok(taken.as_ref().try_into().expect("exactly N bytes were split off"))
    }

    /// Waits for the next message; any is a sign of life.
    async fn more(&mut self) -> Result<(), End> {
        let message = self.from.next().await;
        self.pulse.alive();
        match message {
            Some(Ok(Message::Binary(bytes))) => {
                self.pending.extend_from_slice(&bytes);
                Ok(())
            }
            Some(Ok(Message::Pong(payload))) => {
                self.pulse.pong(&payload);
                Ok(())
            }
            Some(Ok(Message::Ping(_))) => Ok(()),
            Some(Ok(Message::Text(_))) => Err(End::Garbled),
            Some(Ok(Message::Close(_) | Message::Frame(_)) | Err(_)) | None => Err(End::BrowserLeft),
        }
    }
}

/// How a viewer's messages are taken, by its role.
enum Hands {
    /// They reach the desktop.
    Steering(Parser),
    /// Only those that change nothing do; the rest of the buffer's content is what may pass.
    Watching(Filter, Vec<u8>),
}

/// Passes on what the viewer may say, until it leaves or the container no longer listens. What the
/// viewer said before it left has been written.
pub(super) async fn pass_on(
    mut speech: Speech<'_>,
    to_upstream: &mut WriteHalf<Connection>,
    entry: &Entry,
    viewer: &ViewerGuard,
) -> End {
    let mut hands = Hands::of(viewer.role());
    let relayed = metrics::counter!(names::RELAYED_BYTES, "direction" => "to_container");
    loop {
        if !speech.pending.is_empty() {
            let bytes = speech.pending.split();
            let (passing, refused) = hands.take(&bytes, entry, viewer);
            relayed.increment(passing.len() as u64);
            if !passing.is_empty() && to_upstream.write_all(passing).await.is_err() {
                return End::UpstreamLeft;
            }
            if let Some(end) = refused {
                return end;
            }
        }
        if let Err(end) = speech.more().await {
            return end;
        }
    }
}

impl Hands {
    fn of(role: ViewerRole) -> Self {
        if role.may_steer() {
            Self::Steering(Parser::new())
        } else {
            Self::Watching(Filter::new(), Vec::new())
        }
    }

    /// What of these bytes may pass, and whether the viewer's socket ends after them.
    fn take<'a>(
        &'a mut self,
        bytes: &'a [u8],
        entry: &Entry,
        viewer: &ViewerGuard,
    ) -> (&'a [u8], Option<End>) {
        match self {
            Self::Steering(parser) => {
                note(parser, bytes, entry, viewer);
                (bytes, None)
            }
            Self::Watching(filter, passing) => {
                passing.clear();
                let understood = sift(filter, bytes, passing, viewer);
                // What cannot be understood cannot be held to watching.
                let end = (understood == Understood::No).then(|| {
                    warn!(session = %entry.id, "a view-only viewer spoke an unknown message; it is closed");
                    fell_back(viewer);
                    End::Garbled
                });
                (passing, end)
            }
        }
    }
}

fn note(parser: &mut Parser, bytes: &[u8], entry: &Entry, viewer: &ViewerGuard) {
    let followed = parser.understood();
    let scan = parser.push(bytes);
    if let Some(source) = scan.input {
        metrics::counter!(names::INPUT_EVENTS, "source" => source.name()).increment(1);
        entry.note_input(source);
    }
    if followed == Understood::Yes && scan.understood == Understood::No {
        warn!(session = %entry.id, "a viewer speaks an unknown message; its input is no longer seen");
        fell_back(viewer);
        viewer.input_unseen();
    }
}

fn sift(filter: &mut Filter, bytes: &[u8], passing: &mut Vec<u8>, viewer: &ViewerGuard) -> Understood {
    let mut attempts = 0;
    let understood = filter.pass_telling(bytes, passing, |dropped| {
        metrics::counter!(names::INPUT_DROPPED, "kind" => dropped.kind.name()).increment(1);
        attempts += u64::from(dropped.deliberate);
    });
    if attempts > 0 {
        viewer.attempted(attempts);
    }
    understood
}

fn fell_back(viewer: &ViewerGuard) {
    metrics::counter!(names::PARSE_FALLBACKS, "role" => viewer.role().name()).increment(1);
}

//! One authorised use of one reachable session.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;

use http::uri::PathAndQuery;
use tokio_util::sync::CancellationToken;

use super::headers::Place;
use crate::auth::Principal;
use crate::broker::Hold;
use crate::revocation::{CloseReason, Revocation};

/// Something that its owner wants dropped when a socket ends, and not before.
pub type SocketGuard = Box<dyn Any + Send + Sync>;

/// What forwarding and relaying need to know: who, where to, and until when.
#[derive(Debug)]
pub(super) struct Visit {
    /// Who it is.
    pub(super) principal: Arc<Principal>,
    /// The reachable session.
    pub(super) hold: Hold,
    /// Where the browser believes to be.
    pub(super) place: Place,
    /// Path and query as the container knows them.
    pub(super) path: PathAndQuery,
    /// What the server wants kept for as long as an upgraded socket is open.
    pub(super) _socket: Option<SocketGuard>,
}

impl Visit {
    /// Waits for the end of the login or of the route, whichever comes first.
    pub(super) fn ended(&self) -> impl Future<Output = CloseReason> + Send + 'static {
        let (login, route) = (self.principal.revocation.clone(), self.hold.route.revocation.clone());
        async move { first(&login, &route).await }
    }

    /// The same for a socket, which also ends when the gateway drains.
    pub(super) fn cut(
        &self,
        drain: &CancellationToken,
    ) -> impl Future<Output = CloseReason> + Send + 'static {
        let (ended, drain) = (self.ended(), drain.clone());
        async move {
            tokio::select! {
                reason = ended => reason,
                () = drain.cancelled() => CloseReason::Drain,
            }
        }
    }
}

async fn first(login: &Revocation, route: &Revocation) -> CloseReason {
    tokio::select! {
        reason = login.revoked() => reason,
        reason = route.revoked() => reason,
    }
}

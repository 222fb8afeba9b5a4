//! One authorised use of one reachable session.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;

use http::uri::PathAndQuery;
use tokio_util::sync::CancellationToken;

use super::headers::Place;
use crate::auth::Principal;
use crate::broker::{Attendee, Hold, LiveGrant};
use crate::revocation::{CloseReason, Revocation};
use crate::session::ViewerRole;

/// Something that its owner wants dropped when a socket ends, and not before.
pub type SocketGuard = Box<dyn Any + Send + Sync>;

/// What forwarding and relaying need to know: who, where to, and until when.
#[derive(Debug)]
pub(super) struct Visit {
    /// Who it is.
    pub(super) principal: Arc<Principal>,
    /// What they may do with it.
    pub(super) role: ViewerRole,
    /// What lets them, if it is not theirs.
    pub(super) grant: Option<Arc<LiveGrant>>,
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
    /// Who this is, for the list of those who watch.
    pub(super) fn attendee(&self) -> Attendee {
        Attendee {
            user: self.principal.user,
            name: self.principal.name.clone(),
            role: self.role,
            address: self.place.peer,
        }
    }

    /// Waits for the end of the login, of the grant or of the route, whichever comes first.
    pub(super) fn ended(&self) -> impl Future<Output = CloseReason> + Send + 'static {
        let (login, route) = (self.principal.revocation.clone(), self.hold.route.revocation.clone());
        let grant = self.grant.as_ref().map(|live| live.revocation.clone());
        async move { first(&login, grant.as_ref(), &route).await }
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

/// Where several ended at once, the first of these is told: it is what the browser has to act on.
async fn first(login: &Revocation, grant: Option<&Revocation>, route: &Revocation) -> CloseReason {
    let withdrawn = async {
        match grant {
            Some(grant) => grant.revoked().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        reason = login.revoked() => reason,
        reason = withdrawn => reason,
        reason = route.revoked() => reason,
    }
}

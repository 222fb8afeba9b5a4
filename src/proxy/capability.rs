//! Capabilities: how a sandboxed page is recognised in path mode.
//!
//! In path mode every container shares the portal's origin, so its pages are served under
//! `Content-Security-Policy: sandbox` without `allow-same-origin`. Their origin is opaque: what
//! they fetch, import or open carries no login cookie and `Origin: null`. So the right stands in
//! the URL: a person's navigation to `/s/<label>/…` is redirected to
//! `/s/<label>/~<capability>/…`, and whatever asks under that prefix acts for the login that
//! navigated, towards that one session's container and nothing else.
//!
//! A capability is 16 random bytes, kept in this process only. It ends with its login and with
//! the session's route. The page itself can give it away, but what it opens is only the
//! container that the page came from. A person who follows such a link must have the cookie of
//! the same login too (checked on GET navigations to a top-level page: from inside the sandbox a
//! form's POST cannot carry the cookie).
//!
//! Another gateway does not know it: a navigation there gets a new one, and a page's own request
//! gets 404. Gateways behind one address need client affinity for `http` sessions in path mode.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dashmap::DashMap;

use crate::auth::Principal;
use crate::broker::Hold;
use crate::secret::{TokenHash, random_bytes};
use crate::session::SessionId;
use crate::tasks::Tasks;

/// The text of a capability: 22 characters of base64url.
const TEXT_LENGTH: usize = 22;

type Bytes = [u8; 16];

/// The capabilities of one process. Clones share the same set.
#[derive(Clone, Debug)]
pub struct Capabilities(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    granted: DashMap<Bytes, Granted>,
    /// The newest capability of a login and session, so that reloading a page makes no new one.
    newest: DashMap<(TokenHash, SessionId), Bytes>,
    tasks: Tasks,
}

/// What a capability stands for.
#[derive(Clone, Debug)]
struct Granted {
    principal: Arc<Principal>,
    session: SessionId,
}

impl Capabilities {
    /// An empty set; expiry runs on `tasks`.
    #[must_use]
    pub fn new(tasks: Tasks) -> Self {
        Self(Arc::new(Inner { granted: DashMap::new(), newest: DashMap::new(), tasks }))
    }

    /// The capability with which pages of this session act for `principal`, as text.
    #[must_use]
    pub fn grant(&self, principal: &Arc<Principal>, hold: &Hold) -> String {
        let key = (principal.login, hold.entry.id);
        if let Some(known) = self.0.newest.get(&key) {
            return URL_SAFE_NO_PAD.encode(*known);
        }
        let bytes = random_bytes();
        let granted = Granted { principal: principal.clone(), session: hold.entry.id };
        self.0.granted.insert(bytes, granted);
        self.0.newest.insert(key, bytes);
        self.forget_at_end(bytes, key, principal, hold);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Who acts under this capability of this session, if it is in force.
    #[must_use]
    pub fn principal(&self, capability: &str, session: SessionId) -> Option<Arc<Principal>> {
        let bytes: Bytes = URL_SAFE_NO_PAD.decode(capability).ok()?.try_into().ok()?;
        let granted = self.0.granted.get(&bytes)?;
        let valid = granted.session == session && !granted.principal.revocation.is_revoked();
        valid.then(|| granted.principal.clone())
    }

    fn forget_at_end(
        &self,
        bytes: Bytes,
        key: (TokenHash, SessionId),
        principal: &Arc<Principal>,
        hold: &Hold,
    ) {
        let (all, principal, route) = (self.clone(), principal.clone(), hold.route.clone());
        let stopping = self.0.tasks.stopping();
        self.0.tasks.spawn("capability", async move {
            tokio::select! {
                _ = principal.revocation.revoked() => {}
                _ = route.revocation.revoked() => {}
                () = stopping.cancelled() => {}
            }
            all.0.granted.remove(&bytes);
            all.0.newest.remove_if(&key, |_, newest| *newest == bytes);
        });
    }
}

/// Splits `/~<capability>/rest` into the capability and `/rest`; `None` if the path does not
/// begin with what looks like one.
#[must_use]
pub fn split(path: &str) -> Option<(&str, &str)> {
    let after = path.strip_prefix("/~")?;
    let (capability, rest) = after.split_at(after.find('/').unwrap_or(after.len()));
    let base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (capability.len() == TEXT_LENGTH && capability.bytes().all(base64url)).then_some((capability, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_a_capability_is_taken_for_one() {
        let cap = "A".repeat(22);
        assert_eq!(split(&format!("/~{cap}/x/y")), Some((cap.as_str(), "/x/y")));
        assert_eq!(split(&format!("/~{cap}")), Some((cap.as_str(), "")));
        for other in [
            "/",
            "/~ann/",
            "/x",
            "",
            &format!("/~{cap}A/"),
            &format!("/{cap}/"),
            &format!("/~{}!/", &cap[1..]),
        ] {
            assert_eq!(split(other), None, "{other}");
        }
    }
}

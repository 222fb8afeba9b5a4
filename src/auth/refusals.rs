//! Refusals on their way to the audit: each is told, no flood of them is.

use std::net::IpAddr;

use super::policy::Denied;
use super::{Auth, Principal};
use crate::audit::{Actor, AuditEvent, Quiet, Reason, Record};
use crate::fault::Answer;
use crate::secret::TokenHash;
use crate::session::{Label, UserId};
use crate::store::Scope;

/// What stands for all links in the place of a label, which has no such character.
const LINKS: &str = "/join";

/// Which refusals the audit has heard of lately: one login's of one thing make one line a minute.
pub(super) type Refusals = Quiet<(TokenHash, String)>;

/// Who was told what about which change of which user.
pub(super) type OfUsers = Quiet<(String, &'static str, String, &'static str)>;

/// The user whom a change is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whom<'a> {
    /// By an id that somebody has or had.
    Id(UserId),
    /// By a name that perhaps nobody has.
    Name(&'a str),
}

/// The most characters of a name that is told; users' own are not longer.
const NAME: usize = 64;

/// The stable code of a refusal to whoever asks for what administrators have.
const ADMIN_ONLY: &str = "admin_only";

/// So much of an address is told; none of ours is longer.
const LONGEST: usize = 100;

impl Auth {
    /// Records that `known`, at `address`, asked for a session that [`policy`](super::policy) does
    /// not allow them: once a minute for each login and session, however often they ask.
    pub async fn refused(&self, known: &Principal, address: IpAddr, label: &Label) {
        if self.refusals.is_news((known.login, label.to_string())) {
            self.tell(known, address, Denied.code(), label.as_str()).await;
        }
    }

    /// The same of somebody who asked for a page or a list of administrators, at `path`: once a minute
    /// for each login and `route`, of which there are few, so that guessing at addresses fills nothing.
    pub async fn refused_admin(&self, known: &Principal, address: IpAddr, (route, path): (&str, &str)) {
        let path: String = path.chars().take(LONGEST).collect();
        if self.refusals.is_news((known.login, route.to_owned())) {
            self.tell(known, address, ADMIN_ONLY, &path).await;
        }
    }

    async fn tell(&self, known: &Principal, address: IpAddr, code: &'static str, what: &str) {
        let event = AuditEvent::AccessRefused { code };
        self.audit.record(Record::new(Actor::user(&known.name, address), event).about(what)).await;
    }

    /// Records that `known`, at `address`, was not let in by a link, to the session of this label if
    /// it leads anywhere: once a minute for each login, however often they try.
    pub async fn invitation_refused(
        &self,
        known: &Principal,
        address: IpAddr,
        label: Option<&Label>,
        code: &'static str,
    ) {
        if self.refusals.is_news((known.login, LINKS.to_owned())) {
            let event = AuditEvent::InvitationRefused { code };
            let record = Record::new(Actor::user(&known.name, address), event);
            self.audit.record(Record { target: label.map(ToString::to_string), ..record }).await;
        }
    }
}

impl Auth {
    /// Records that a token was used for what it is not, once a minute for each token and scope.
    pub async fn scope_refused(&self, known: &Principal, address: IpAddr, scope: Scope) {
        if self.refusals.is_news((known.login, scope.name().to_owned())) {
            let event = AuditEvent::TokenRefused { scopes: scope.name().to_owned() };
            self.audit.record(Record::new(Actor::user(&known.name, address), event)).await;
        }
    }
}

impl Auth {
    /// Hands on how a change of a user ended; one that was not made, or not to the end, is in the audit
    /// then, once a minute however often it is asked for.
    pub(crate) async fn told_if_refused<T, E: Answer>(
        &self,
        actor: &Actor,
        change: &'static str,
        whom: Whom<'_>,
        outcome: Result<T, E>,
    ) -> Result<T, E> {
        if let Err(error) = &outcome {
            let name: String = match whom {
                Whom::Id(id) => self.known_user(id).await.map(|user| user.name).unwrap_or_default(),
                Whom::Name(name) => name.trim().chars().take(NAME).collect(),
            };
            let fact = (actor.name.clone(), change, name.clone(), error.code());
            if self.refusals_of_users.is_news(fact) {
                let event = AuditEvent::UserRefused { change, reason: Reason::of(error) };
                let target = Some(name).filter(|name| !name.is_empty());
                self.audit.record(Record { target, ..Record::new(actor.clone(), event) }).await;
            }
        }
        outcome
    }
}

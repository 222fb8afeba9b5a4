//! Refusals on their way to the audit: each is told, no flood of them is.

use std::net::IpAddr;
use std::time::Duration;

use dashmap::DashMap;
use tokio::time::Instant;
use tracing::warn;

use super::policy::Denied;
use super::{Auth, Principal};
use crate::audit::{Actor, AuditEvent, Record};
use crate::fault::Answer;
use crate::secret::TokenHash;
use crate::session::Label;
use crate::store::Scope;

/// One login's refusals at one session make at most one line in this time.
const QUIET: Duration = Duration::from_secs(60);

/// The most pairs of login and session that are remembered.
const MOST: usize = 10_000;

/// Which refusals the audit has heard of lately.
#[derive(Debug, Default)]
pub(super) struct Refusals(DashMap<(TokenHash, Label), Instant>);

impl Refusals {
    /// Whether this one is news; it is remembered then.
    fn is_news(&self, login: TokenHash, label: &Label) -> bool {
        let now = Instant::now();
        let lately = |at: &Instant| now.duration_since(*at) < QUIET;
        if self.0.len() >= MOST {
            self.0.retain(|_, at| lately(at));
        }
        if self.0.len() >= MOST {
            warn!("very many refusals within a minute; not all of them are in the audit");
            return false;
        }
        let mut news = false;
        self.0
            .entry((login, label.clone()))
            .and_modify(|at| {
                if !lately(at) {
                    (*at, news) = (now, true);
                }
            })
            .or_insert_with(|| {
                news = true;
                now
            });
        news
    }
}

impl Auth {
    /// Records that `known`, at `address`, asked for a session that [`policy`](super::policy) does
    /// not allow them: once a minute for each login and session, however often they ask.
    pub async fn refused(&self, known: &Principal, address: IpAddr, label: &Label) {
        if self.refusals.is_news(known.login, label) {
            let event = AuditEvent::AccessRefused { code: Denied.code() };
            let record = Record::new(Actor::user(&known.name, address), event);
            self.audit.record(record.about(label.as_str())).await;
        }
    }
}

impl Auth {
    /// Records that a token was used for what it is not, once a minute for each token and scope.
    pub async fn scope_refused(&self, known: &Principal, address: IpAddr, scope: Scope) {
        let of_scope: Option<Label> = scope.name().replace(':', "-").parse().ok();
        if of_scope.is_some_and(|scope| self.refusals.is_news(known.login, &scope)) {
            let event = AuditEvent::TokenRefused { scopes: scope.name().to_owned() };
            self.audit.record(Record::new(Actor::user(&known.name, address), event)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_line_a_minute_for_each_login_and_session() {
        let refusals = Refusals::default();
        let (ann, bob) = (TokenHash([1; 32]), TokenHash([2; 32]));
        let (one, two): (Label, Label) = ("one".parse().unwrap(), "two".parse().unwrap());
        assert!(refusals.is_news(ann, &one) && refusals.is_news(ann, &two) && refusals.is_news(bob, &one));
        for _ in 0..1000 {
            assert!(!refusals.is_news(ann, &one));
        }
        tokio::time::advance(QUIET).await;
        assert!(refusals.is_news(ann, &one) && !refusals.is_news(ann, &one));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let (refusals, label) = (Refusals::default(), "one".parse().unwrap());
        for number in 0..u64::try_from(MOST).unwrap() + 50 {
            let mut token = [0; 32];
            token[..8].copy_from_slice(&number.to_be_bytes());
            refusals.is_news(TokenHash(token), &label);
        }
        assert_eq!(refusals.0.len(), MOST);
        tokio::time::advance(QUIET).await;
        assert!(refusals.is_news(TokenHash([9; 32]), &label));
        assert_eq!(refusals.0.len(), 1);
    }
}

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

/// One login's refusals at one session, or by links, make at most one line in this time.
const QUIET: Duration = Duration::from_secs(60);

/// What stands for all links in the place of a label, which has no such character.
const LINKS: &str = "/join";

/// The most pairs of login and session that are remembered.
const MOST: usize = 10_000;

/// Which refusals the audit has heard of lately.
#[derive(Debug, Default)]
pub(super) struct Refusals(DashMap<(TokenHash, Box<str>), Instant>);

impl Refusals {
    /// Whether this one is news; it is remembered then.
    fn is_news(&self, login: TokenHash, about: &str) -> bool {
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
            .entry((login, about.into()))
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
        if self.refusals.is_news(known.login, label.as_str()) {
            let event = AuditEvent::AccessRefused { code: Denied.code() };
            let record = Record::new(Actor::user(&known.name, address), event);
            self.audit.record(record.about(label.as_str())).await;
        }
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
        if self.refusals.is_news(known.login, LINKS) {
            let event = AuditEvent::InvitationRefused { code };
            let record = Record::new(Actor::user(&known.name, address), event);
            self.audit.record(Record { target: label.map(ToString::to_string), ..record }).await;
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
        let (one, two) = ("one", LINKS);
        assert!(refusals.is_news(ann, one) && refusals.is_news(ann, two) && refusals.is_news(bob, one));
        for _ in 0..1000 {
            assert!(!refusals.is_news(ann, one));
        }
        tokio::time::advance(QUIET).await;
        assert!(refusals.is_news(ann, one) && !refusals.is_news(ann, one));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let (refusals, label) = (Refusals::default(), "one");
        for number in 0..u64::try_from(MOST).unwrap() + 50 {
            let mut token = [0; 32];
            token[..8].copy_from_slice(&number.to_be_bytes());
            refusals.is_news(TokenHash(token), label);
        }
        assert_eq!(refusals.0.len(), MOST);
        tokio::time::advance(QUIET).await;
        assert!(refusals.is_news(TokenHash([9; 32]), label));
        assert_eq!(refusals.0.len(), 1);
    }
}

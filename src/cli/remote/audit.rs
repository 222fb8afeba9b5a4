//! The audit of a gateway elsewhere.

use async_trait::async_trait;
use http::Method;
use serde_json::Value;

use super::{Remote, another_version, each, segment};
use crate::cli::failure::Failure;
use crate::cli::show::refusal;
use crate::store::{AuditLine, AuditLines, AuditOrder, AuditSearch, StoreError};

/// The most that the API puts on one page.
const PAGE: usize = 100;

#[async_trait]
impl AuditLines for Remote {
    async fn find_audit(
        &self,
        search: &AuditSearch,
        order: AuditOrder,
        limit: usize,
    ) -> Result<Vec<AuditLine>, StoreError> {
        let (mut lines, mut search) = (Vec::new(), search.clone());
        while lines.len() < limit {
            let wanted = PAGE.min(limit - lines.len());
            let page = self.page(&search, order, wanted).await?;
            let Some(last) = page.last().map(|line| line.number) else { break };
            let bound = match order {
                AuditOrder::NewestFirst => &mut search.before,
                AuditOrder::OldestFirst => &mut search.after,
            };
            // A page that does not move on would come again without an end.
            if bound.replace(last) == Some(last) {
                return Err(self.unreadable(another_version()));
            }
            let ended = page.len() < wanted;
            lines.extend(page);
            if ended {
                break;
            }
        }
        Ok(lines)
    }
}

impl Remote {
    async fn page(
        &self,
        search: &AuditSearch,
        order: AuditOrder,
        limit: usize,
    ) -> Result<Vec<AuditLine>, StoreError> {
        let path = format!("/api/v1/audit?limit={limit}{}", query(search, order));
        let page = match self.call(Method::GET, &path, None).await {
            Ok(Ok(page)) => page,
            Ok(Err(refused)) => return Err(self.unreadable(refusal(refused))),
            Err(failure) => return Err(self.unreadable(failure)),
        };
        let lines = page.get("items").and_then(Value::as_array).ok_or_else(another_version);
        lines.and_then(|items| each(items, line)).map_err(|failure| self.unreadable(failure))
    }

    /// Keeps the failure for whoever tells of it; a store's error has no room for it.
    fn unreadable(&self, failure: Failure) -> StoreError {
        let detail = failure.detail();
        *self.unread.lock().expect("no code panics while it holds this lock") = Some(failure);
        StoreError::Unavailable { detail }
    }
}

fn line(item: &Value) -> Option<AuditLine> {
    let text = |key: &str| Some(item.get(key)?.as_str()?.to_owned());
    Some(AuditLine { number: item.get("number")?.as_u64()?, body: text("text")?, hash: text("hash")? })
}

/// A search as the API is asked for it, to be put behind something.
fn query(search: &AuditSearch, order: AuditOrder) -> String {
    let AuditSearch { events, actor, target, outcome, since, until, after, before } = search;
    let events: Vec<_> = events.iter().map(|event| event.name()).collect();
    let order = match order {
        AuditOrder::NewestFirst => "newest_first",
        AuditOrder::OldestFirst => "oldest_first",
    };
    let terms = [
        ("order", Some(order.to_owned())),
        ("event", Some(events.join(",")).filter(|events| !events.is_empty())),
        ("actor", actor.clone()),
        ("target", target.clone()),
        ("outcome", outcome.map(|outcome| outcome.name().to_owned())),
        ("since", since.map(|time| time.to_string())),
        ("until", until.map(|time| time.to_string())),
        ("after", after.map(|number| number.to_string())),
        ("before", before.map(|number| number.to_string())),
    ];
    let terms = terms.into_iter().filter_map(|(name, value)| Some(format!("&{name}={}", segment(&value?))));
    terms.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{EventKind, Outcome};

    #[test]
    fn a_search_is_asked_for_as_the_api_names_it() {
        let search = AuditSearch {
            events: vec![EventKind::LoginOk, EventKind::LoginRefused],
            actor: Some("token room & board".to_owned()),
            outcome: Some(Outcome::Refused),
            after: Some(7),
            ..AuditSearch::default()
        };
        assert_eq!(
            query(&search, AuditOrder::OldestFirst),
            "&order=oldest_first&event=login_ok%2Clogin_refused&actor=token%20room%20%26%20board&outcome=refused&after=7"
        );
        assert_eq!(query(&AuditSearch::default(), AuditOrder::NewestFirst), "&order=newest_first");
    }
}

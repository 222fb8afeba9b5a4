//! The log as it is written: every new line under the filters of the page, as an event.
//!
//! An event's id is its line's number, so that a browser that comes back misses nothing.

use std::collections::VecDeque;
use std::time::Duration;

use axum::response::sse::Event;
use tokio::sync::watch;

use super::line::LogRow;
use crate::auth::Principal;
use crate::language::Language;
use crate::respond::follow::{self, Life, Wake};
use crate::revocation::CloseReason;
use crate::store::{AuditOrder, AuditSearch};
use crate::web::Site;
use crate::web::events::last_word;

/// So many lines are read at once.
const PAGE: usize = 50;

/// A command line beside this gateway writes without telling it; it is looked for this often.
const OTHERS: Duration = Duration::from_secs(5);

/// Who follows the log, and what of it.
pub(super) struct Feed {
    site: Site,
    life: Life,
    search: AuditSearch,
    language: Language,
    news: watch::Receiver<u64>,
    pending: VecDeque<Event>,
    over: bool,
}

impl Feed {
    /// The lines that fit `search` from here on.
    pub(super) fn of(site: &Site, reader: &Principal, search: AuditSearch, language: Language) -> Self {
        let life = Life::of(&reader.revocation, &site.0.state.draining);
        let news = site.0.state.audit.news();
        Self { site: site.clone(), life, search, language, news, pending: VecDeque::new(), over: false }
    }

    fn end(&mut self, because: CloseReason) {
        self.over = true;
        self.pending = last_word(because).into_iter().collect();
    }

    /// What was written since the last look. A store that fails is asked again at the next one.
    async fn look(&mut self) {
        let store = &self.site.0.state.store;
        let found = store.find_audit(&self.search, AuditOrder::OldestFirst, PAGE).await;
        for line in found.unwrap_or_default() {
            self.search.after = Some(line.number);
            let html = LogRow::of(&line, self.language).html(self.language);
            self.pending.push_back(Event::default().event("line").id(line.number.to_string()).data(html));
        }
    }
}

impl follow::Feed for Feed {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.over {
                return self.pending.pop_front();
            }
            // Before every line, because there may be many, and of a slow reader more all the time.
            if let Some(because) = self.life.ended() {
                self.end(because);
                continue;
            }
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            self.look().await;
            if !self.pending.is_empty() {
                continue;
            }
            match self.life.wait(OTHERS, self.news.changed()).await {
                Wake::News(Ok(())) | Wake::Tick => {}
                Wake::News(Err(_closed)) => return None,
                Wake::Heartbeat => return Some(follow::still_here()),
                Wake::Ended(because) => self.end(because),
            }
        }
    }
}

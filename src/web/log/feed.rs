//! The log as it is written: every new line under the filters of the page, as an event.
//!
//! An event's id is its line's number, so that a browser that comes back misses nothing.

use std::time::Duration;

use axum::response::sse::Event;
use tokio::sync::watch;

use super::line::LogRow;
use crate::auth::Principal;
use crate::language::Language;
use crate::respond::follow::{self, Crowded, Life, Told, Wake};
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
    told: Told,
}

impl Feed {
    /// The lines that fit `search` from here on.
    pub(super) fn of(
        site: &Site,
        reader: &Principal,
        search: AuditSearch,
        language: Language,
    ) -> Result<Self, Crowded> {
        let life = Life::of(&reader.revocation, &site.0.state.draining)?;
        let news = site.0.state.audit.news();
        Ok(Self { site: site.clone(), life, search, language, news, told: Told::default() })
    }

    fn end(&mut self, because: CloseReason) {
        self.told.over = true;
        self.told.pending = last_word(because).into_iter().collect();
    }

    /// What was written since the last look. A store that fails is asked again at the next one.
    async fn look(&mut self) {
        let store = &self.site.0.state.store;
        let found = store.find_audit(&self.search, AuditOrder::OldestFirst, PAGE).await;
        for line in found.unwrap_or_default() {
            self.search.after = Some(line.number);
            let html = LogRow::of(&line, self.language).html(self.language);
            self.told
                .pending
                .push_back(Event::default().event("line").id(line.number.to_string()).data(html));
        }
    }
}

impl follow::Feed for Feed {
    fn told(&mut self) -> &mut Told {
        &mut self.told
    }

    async fn listen(&mut self) {
        self.look().await;
        if !self.told.pending.is_empty() {
            return;
        }
        match self.life.wait(OTHERS, self.news.changed()).await {
            Wake::News(Ok(())) | Wake::Tick => {}
            Wake::News(Err(_closed)) => self.told.over = true,
            Wake::Heartbeat => self.told.pending.push_back(follow::still_here()),
            Wake::Ended(because) => self.end(because),
        }
    }

    // Its right is looked at before every line, because there may be many, and of a slow reader more
    // all the time.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(because) = self.life.ended().filter(|_| !self.told.over) {
                self.end(because);
            }
            if let Some(event) = self.told.pending.pop_front() {
                return Some(event);
            }
            if self.told.over {
                return None;
            }
            self.listen().await;
        }
    }
}

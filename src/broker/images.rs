//! The templates' images: which are there, which sessions would get a newer one, and fetching them.
//!
//! Level-triggered: what is known is compared with the engine as often as the reconciler looks, and
//! after every pull. Requests read what is known and never ask. Images of unknown state (the engine
//! has not answered yet) count as there: a start finds out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tracing::{info, warn};

use super::pull_error::PullError;
use super::{Broker, Change, Entry};
use crate::audit::{Actor, AuditEvent, Record};
use crate::clock;
use crate::engine::{EngineError, Image, PullProgress, PullStep};
use crate::session::{ImageName, PullPolicy, StateKind, Template, TemplateName};

/// Most images fetched at once; more wait.
const AT_ONCE: usize = 2;
/// A pull that takes longer is broken off; what is complete is kept for the next one.
const LONGEST: Duration = Duration::from_hours(2);
/// Time between two words to followers on how far a pull is.
const PACE: Duration = Duration::from_millis(500);
/// Time between two looks at what is due to be fetched.
const DUE_EVERY: Duration = Duration::from_mins(1);
/// Wait before an image that could not be fetched is tried again without being asked for.
const AGAIN: Duration = Duration::from_mins(15);
const DAY: Duration = Duration::from_hours(24);

/// Whether a template's image is on the machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Installed {
    /// The engine has not said yet.
    Unknown,
    /// It is not: nothing can be started from the template.
    Missing,
    /// It is.
    Present(Image),
}

impl Installed {
    /// Whether the engine said that it is not there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    /// The image, if it is known to be there.
    #[must_use]
    pub fn image(&self) -> Option<&Image> {
        match self {
            Self::Present(image) => Some(image),
            Self::Unknown | Self::Missing => None,
        }
    }
}

/// How the last pull of an image goes or went, since the gateway started.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Pull {
    /// Others come first.
    Waiting,
    /// It goes on.
    Running(PullProgress),
    /// It is there.
    Done {
        /// Since when.
        at: Timestamp,
    },
    /// It could not be fetched.
    Failed {
        /// Since when.
        at: Timestamp,
        /// The engine's own words.
        detail: String,
    },
}

impl Pull {
    /// Whether it is still to end.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        matches!(self, Self::Waiting | Self::Running(_))
    }

    /// Its stable name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running(_) => "running",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
        }
    }

    fn ended_at(&self) -> Option<Timestamp> {
        match self {
            Self::Waiting | Self::Running(_) => None,
            Self::Done { at } | Self::Failed { at, .. } => Some(*at),
        }
    }
}

/// What is known of the templates' images.
#[derive(Debug)]
pub(super) struct Images {
    /// What the engine said last; `None` before it has.
    known: ArcSwapOption<BTreeMap<TemplateName, Option<Image>>>,
    /// By the image's name, because templates may share one. No `.await` happens under this lock.
    pulls: StdMutex<BTreeMap<String, Pull>>,
    room: Semaphore,
}

impl Default for Images {
    fn default() -> Self {
        Self { known: ArcSwapOption::empty(), pulls: StdMutex::default(), room: Semaphore::new(AT_ONCE) }
    }
}

impl Images {
    fn of(&self, template: &TemplateName) -> Installed {
        match self.known.load().as_ref().and_then(|known| known.get(template)) {
            None => Installed::Unknown,
            Some(None) => Installed::Missing,
            Some(Some(image)) => Installed::Present(image.clone()),
        }
    }

    fn pull(&self, image: &str) -> Option<Pull> {
        self.pulls.lock().expect("no code panics while it holds this lock").get(image).cloned()
    }

    fn set_pull(&self, image: &str, pull: Pull) {
        self.pulls.lock().expect("no code panics while it holds this lock").insert(image.to_owned(), pull);
    }

    /// Takes the one place a pull of this image has; `false` if somebody has it.
    fn claim(&self, image: &str) -> bool {
        let mut pulls = self.pulls.lock().expect("no code panics while it holds this lock");
        if pulls.get(image).is_some_and(Pull::is_under_way) {
            return false;
        }
        pulls.insert(image.to_owned(), Pull::Waiting);
        true
    }
}

impl Broker {
    /// Whether a template's image is on the machine, as the engine said last.
    #[must_use]
    pub fn installed(&self, template: &TemplateName) -> Installed {
        self.0.images.of(template)
    }

    /// How the last pull of a template's image goes or went; `None` if there was none.
    #[must_use]
    pub fn pull_of(&self, template: &Template) -> Option<Pull> {
        self.0.images.pull(&template.image)
    }

    /// Asks the engine what is there, and tells followers what changed by it.
    ///
    /// # Errors
    /// The engine's; what was known stays.
    pub async fn look_at_images(&self) -> Result<(), EngineError> {
        let listed = self.0.engine.images().await?;
        let now: BTreeMap<_, _> = listed.into_iter().map(|image| (image.template, image.found)).collect();
        let before = self.0.images.known.swap(Some(Arc::new(now.clone())));
        if before.is_none_or(|before| *before != now) {
            self.tell_of_images();
        }
        for entry in self.entries() {
            self.judge_image(&entry);
        }
        Ok(())
    }

    /// Looks at the images until the process stops.
    pub async fn watch_images_forever(self) {
        let stopping = self.0.tasks.stopping();
        let mut ticks = interval(self.0.settings.reconcile_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
            let looked = self.look_at_images().await;
            if let (Err(error), false) = (&looked, failing) {
                warn!(%error, "the images could not be looked at");
            }
            failing = looked.is_err();
        }
    }

    /// Fetches, until the process stops, what templates say is to be fetched by itself.
    pub async fn pull_due_forever(self) {
        let stopping = self.0.tasks.stopping();
        let mut ticks = interval(DUE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stopping.run_until_cancelled(ticks.tick()).await.is_some() {
            self.pull_due();
        }
    }

    /// Begins every pull that is due.
    pub(super) fn pull_due(&self) {
        for template in self.0.templates.values() {
            let last = self.pull_of(template);
            if is_due(template.pull, &self.installed(&template.name), last.as_ref(), clock::now()) {
                // What is built here is no error to the background; `config` refuses the combination.
                let _ = self.pull(&template.name, &Actor::system());
            }
        }
    }

    /// Begins to fetch the image of a template, or joins a pull of it that is under way. Returns at
    /// once; how it goes is told by [`Broker::pull_of`]. It goes on without whoever asked.
    ///
    /// # Errors
    /// [`PullError::TemplateUnknown`], or [`PullError::BuiltHere`] for an image of this project.
    pub fn pull(&self, template: &TemplateName, by: &Actor) -> Result<(), PullError> {
        let template = self.0.templates.get(template).ok_or(PullError::TemplateUnknown)?.clone();
        if ImageName::of(&template.image).built_here().is_some() {
            let command = template.image_command();
            let refused = PullError::BuiltHere { image: template.image.clone(), command };
            // By itself it asks again and again, and whoever configured that was told.
            if *by != Actor::system() {
                self.tell_of_refused(&template, &refused, by);
            }
            return Err(refused);
        }
        if self.0.images.claim(&template.image) {
            self.tell_of_images();
            let (broker, by) = (self.clone(), by.clone());
            self.0.tasks.spawn("pull", async move { broker.fetch(&template, by).await });
        }
        Ok(())
    }

    fn tell_of_refused(&self, template: &Template, refused: &PullError, by: &Actor) {
        let (template, image) = (template.name.to_string(), template.image.clone());
        let event = AuditEvent::ImageNotPulled { template, image, detail: refused.to_string() };
        let (audit, record) = (self.0.audit.clone(), Record::new(by.clone(), event));
        self.0.tasks.spawn("audit", async move { audit.record(record).await });
    }

    async fn fetch(&self, template: &Template, by: Actor) {
        let stopping = self.0.tasks.stopping();
        let fetched = timeout(LONGEST, self.follow_pull(template));
        // The drain waits for nobody's download: broken off, it is taken up by the next one.
        let Some(fetched) = stopping.run_until_cancelled(fetched).await else { return };
        let slow = || EngineError::Slow { verb: "fetch an image".to_owned(), seconds: LONGEST.as_secs() };
        let (name, image, at) = (template.name.to_string(), template.image.clone(), clock::now());
        let (pull, event) = match fetched.unwrap_or_else(|_| Err(slow())) {
            Ok(got) => {
                info!(template = %name, %image, id = got.short_id(), "image.pulled");
                (
                    Pull::Done { at },
                    AuditEvent::ImagePulled { template: name, image, id: got.id, digest: got.digest },
                )
            }
            Err(error) => {
                let detail = words_of(error);
                warn!(template = %name, %image, detail, "image.not_pulled");
                let event = AuditEvent::ImageNotPulled { template: name, image, detail: detail.clone() };
                (Pull::Failed { at, detail }, event)
            }
        };
        self.0.audit.record(Record::new(by, event)).await;
        // Known before it is said to be done, so that whoever waits for that finds the image.
        if let Err(error) = self.look_at_images().await {
            warn!(%error, "the images could not be looked at after a pull");
        }
        self.0.images.set_pull(&template.image, pull);
        self.tell_of_images();
    }

    async fn follow_pull(&self, template: &Template) -> Result<Image, EngineError> {
        let _room = self.0.images.room.acquire().await;
        let mut steps = self.0.engine.pull(&template.name).await?;
        let mut told: Option<Instant> = None;
        while let Some(step) = steps.next().await {
            match step? {
                PullStep::Done(image) => return Ok(image),
                PullStep::Progress(progress) => {
                    self.0.images.set_pull(&template.image, Pull::Running(progress));
                    if told.is_none_or(|told| told.elapsed() >= PACE) {
                        told = Some(Instant::now());
                        self.tell_of_images();
                    }
                }
            }
        }
        Err(EngineError::Down { detail: "the pull ended without a word".to_owned() })
    }

    fn tell_of_images(&self) {
        // Nobody may follow.
        self.0.changes.send(Change::Images);
    }

    /// Decides whether a session would get another image at its next start, and tells followers if
    /// that is new.
    pub(super) fn judge_image(&self, entry: &Entry) {
        let ready = match (entry.image(), self.installed(&entry.session().template)) {
            (Some(made_from), Installed::Present(newest)) => *made_from != newest.id,
            (_, Installed::Unknown | Installed::Missing) | (None, _) => false,
        };
        if entry.set_outdated(ready) {
            entry.herald.changed(entry);
        }
    }
}

impl Entry {
    /// Whether the session was made from an image that has a successor on the machine: it gets that
    /// at its next start. Only of one that runs, is frozen or stopped.
    #[must_use]
    pub fn update_ready(&self) -> bool {
        let shown = match self.session().state.kind() {
            StateKind::Ready | StateKind::Paused | StateKind::Stopped => true,
            StateKind::Starting | StateKind::Stopping | StateKind::Failed => false,
        };
        shown && self.is_outdated()
    }
}

/// An engine's refusal without our frame around it: people get its own words.
fn words_of(error: EngineError) -> String {
    match error {
        EngineError::Refused { detail } => detail,
        other => other.to_string(),
    }
}

/// Whether an image is to be fetched without being asked for.
fn is_due(policy: PullPolicy, installed: &Installed, last: Option<&Pull>, now: Timestamp) -> bool {
    if last.is_some_and(Pull::is_under_way) || *installed == Installed::Unknown {
        return false;
    }
    let ago = |at: Timestamp| Duration::try_from(now.duration_since(at)).unwrap_or_default();
    let failed = matches!(last, Some(Pull::Failed { .. }));
    let rested = last.and_then(Pull::ended_at).map(ago);
    match policy {
        PullPolicy::Never => false,
        PullPolicy::Missing => installed.is_missing() && rested.is_none_or(|rested| rested >= AGAIN),
        PullPolicy::Daily => {
            let wait = if failed || installed.is_missing() { AGAIN } else { DAY };
            rested.is_none_or(|rested| rested >= wait)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_depends_on_policy_and_on_what_was_tried() {
        let now: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
        let ago = |minutes: u64| clock::earlier(now, Duration::from_mins(minutes)).unwrap();
        let done = |minutes| Some(Pull::Done { at: ago(minutes) });
        let failed = |minutes| Some(Pull::Failed { at: ago(minutes), detail: String::new() });
        let there = || {
            let id = "sha256:00".to_owned();
            Installed::Present(Image { id, size_bytes: 0, created_at: None, version: None, digest: None })
        };
        use PullPolicy::{Daily, Missing, Never};
        for (policy, installed, last, due) in [
            (Never, Installed::Missing, None, false),
            (Missing, Installed::Unknown, None, false),
            (Missing, Installed::Missing, None, true),
            (Missing, Installed::Missing, Some(Pull::Waiting), false),
            (Missing, Installed::Missing, failed(14), false),
            (Missing, Installed::Missing, failed(15), true),
            (Missing, there(), None, false),
            (Daily, there(), None, true),
            (Daily, there(), done(60), false),
            (Daily, there(), done(24 * 60), true),
            (Daily, there(), failed(15), true),
            (Daily, Installed::Missing, done(15), true),
        ] {
            assert_eq!(
                is_due(policy, &installed, last.as_ref(), now),
                due,
                "{policy:?} {installed:?} {last:?}"
            );
        }
    }
}

//! The life of a session as a pure state machine.
//!
//! ```text
//!            Start                    Reached               Pause
//! Stopped ─────────▶ Starting ──────────────────▶ Ready ───────────▶ Paused
//!    ▲                │  │ ▲                       │ ▲               │  │
//!    │         Fail   │  │ │ Start                 │ └───────────────┘  │
//!    │                ▼  │ │                       │      Resume        │
//!    │              Failed │ Stop                  │ Stop               │ Stop
//!    │  Ended            ▼ │                       ▼                    │
//!    └────────────────── Stopping ◀──────────────────────────────────────
//! ```
//!
//! `Gone` (the container ended by itself) leads from `Ready` and `Paused` to `Stopped`, and from
//! `Starting` to `Failed`. Data lives in the variants; there are no flags beside the enum.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use super::{FailReason, StopReason};

/// The machine a container runs on.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeName(pub String);

/// Where a session's bytes go: always by container id, never by a bare address, because the
/// engine hands a dead container's address to the next one at once.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
pub struct Upstream {
    /// The machine it runs on.
    pub node: NodeName,
    /// The engine's full container id.
    pub container: String,
    /// The TCP port inside the container.
    pub port: u16,
    /// The start this upstream belongs to: the same container started again is another upstream.
    pub epoch: u64,
}

/// Where a session is in its life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// On its way to being reachable.
    Starting {
        /// What it is waiting for.
        phase: Phase,
        /// When this phase is given up.
        deadline: Timestamp,
    },
    /// Reachable.
    Ready {
        /// Where its bytes go.
        upstream: Upstream,
    },
    /// Frozen by the engine: no CPU, memory kept, resumes where it was.
    Paused {
        /// Where its bytes will go again.
        upstream: Upstream,
    },
    /// Being stopped.
    Stopping {
        /// Why.
        reason: StopReason,
        /// What follows.
        next: Next,
    },
    /// Not running; files kept.
    Stopped {
        /// Why.
        reason: StopReason,
    },
    /// The start did not work; nothing runs.
    Failed {
        /// Why.
        reason: FailReason,
    },
}

/// The steps of a start, in order.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Waiting for a free start slot.
    Queued,
    /// The engine makes the container.
    Creating,
    /// The container runs; its desktop or app does not answer yet.
    Booting,
}

/// What follows a stop.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// Nothing: it stays stopped.
    Rest,
    /// It starts again in the same container.
    Restart,
    /// Its container is removed, then it starts in a new one; the home is kept.
    Reset,
    /// As a reset, and its home is set aside as a dated copy, so that it starts with an empty one.
    ResetHome,
    /// Its container and its record are removed; so is a home of its own;
    /// an owner's home is kept.
    Remove,
}

/// What can happen to a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Someone wants it to run; the first phase ends at `deadline`.
    Start {
        /// When the queue is given up.
        deadline: Timestamp,
    },
    /// The start reached its next phase.
    Enter {
        /// That phase.
        phase: Phase,
        /// When it is given up.
        deadline: Timestamp,
    },
    /// The upstream answered.
    Reached {
        /// Where it answered.
        upstream: Upstream,
    },
    /// The start did not work.
    Fail {
        /// Why.
        reason: FailReason,
    },
    /// Freeze it.
    Pause,
    /// Thaw it.
    Resume,
    /// End it.
    Stop {
        /// Why.
        reason: StopReason,
        /// What follows.
        next: Next,
    },
    /// Its container ended without being asked to.
    Gone {
        /// Why.
        reason: StopReason,
    },
    /// The stop is complete, and the container removed if that was to follow. A start that
    /// follows leaves the queue at `deadline`.
    Ended {
        /// When the queue is given up.
        deadline: Timestamp,
    },
}

/// What the broker does after a transition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// Queue and run a start.
    Launch,
    /// Open the route.
    Open,
    /// Remove what a failed start made.
    Clean,
    /// Close the route, then freeze the container.
    Freeze,
    /// Thaw the container, then open the route.
    Thaw,
    /// Close the route, then stop the container and remove it if a reset or removal follows.
    Halt,
    /// Close the route: the container is gone already.
    Close,
    /// Remove the record.
    Erase,
}

/// An event that has no meaning in the present state; nothing changed.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("a session that is {state} cannot take {event}")]
pub struct Illegal {
    /// The state it is in.
    pub state: StateKind,
    /// The event's name.
    pub event: &'static str,
}

/// A state without its data: what counters, filters and pages show.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum StateKind {
    Starting,
    Ready,
    Paused,
    Stopping,
    Stopped,
    Failed,
}

impl StateKind {
    /// Every kind, in the order of a life.
    pub const ALL: [Self; 6] =
        [Self::Starting, Self::Ready, Self::Paused, Self::Stopping, Self::Stopped, Self::Failed];

    /// The stable `snake_case` name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Paused => "paused",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for StateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Event {
    /// The event's name, for refusals and logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Start { .. } => "start",
            Self::Enter { .. } => "enter",
            Self::Reached { .. } => "reached",
            Self::Fail { .. } => "fail",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Stop { .. } => "stop",
            Self::Gone { .. } => "gone",
            Self::Ended { .. } => "ended",
        }
    }
}

impl State {
    /// The state without its data.
    #[must_use]
    pub fn kind(&self) -> StateKind {
        match self {
            Self::Starting { .. } => StateKind::Starting,
            Self::Ready { .. } => StateKind::Ready,
            Self::Paused { .. } => StateKind::Paused,
            Self::Stopping { .. } => StateKind::Stopping,
            Self::Stopped { .. } => StateKind::Stopped,
            Self::Failed { .. } => StateKind::Failed,
        }
    }

    /// Where its bytes go, when it is reachable now.
    #[must_use]
    pub fn upstream(&self) -> Option<&Upstream> {
        match self {
            Self::Ready { upstream } => Some(upstream),
            Self::Starting { .. }
            | Self::Paused { .. }
            | Self::Stopping { .. }
            | Self::Stopped { .. }
            | Self::Failed { .. } => None,
        }
    }

    /// Whether a container may exist and use memory.
    #[must_use]
    pub fn occupies(&self) -> bool {
        match self {
            Self::Starting { .. } | Self::Ready { .. } | Self::Paused { .. } | Self::Stopping { .. } => true,
            Self::Stopped { .. } | Self::Failed { .. } => false,
        }
    }

    /// Takes an event: the next state and what the broker must then do.
    ///
    /// # Errors
    /// [`Illegal`] when the event has no meaning here; the caller keeps the old state.
    pub fn on(self, event: Event) -> Result<(Self, Action), Illegal> {
        let kind = self.kind();
        match self {
            Self::Starting { phase, deadline } => on_starting(phase, deadline, event),
            Self::Ready { upstream } => on_ready(upstream, event),
            Self::Paused { upstream } => on_paused(upstream, event),
            Self::Stopping { reason, next } => on_stopping(reason, next, event),
            Self::Stopped { .. } | Self::Failed { .. } => on_at_rest(event),
        }
        .map_err(|event| Illegal { state: kind, event })
    }
}

/// The next state and action, or the name of the refused event.
type Outcome = Result<(State, Action), &'static str>;

fn starting(deadline: Timestamp) -> State {
    State::Starting { phase: Phase::Queued, deadline }
}

fn stopping(reason: StopReason, next: Next) -> (State, Action) {
    (State::Stopping { reason, next }, Action::Halt)
}

fn on_starting(phase: Phase, deadline: Timestamp, event: Event) -> Outcome {
    match event {
        // A second caller joins the start in flight.
        Event::Start { .. } => Ok((State::Starting { phase, deadline }, Action::Nothing)),
        Event::Enter { phase: later, deadline } if later > phase => {
            Ok((State::Starting { phase: later, deadline }, Action::Nothing))
        }
        Event::Reached { upstream } => Ok((State::Ready { upstream }, Action::Open)),
        Event::Fail { reason } => Ok((State::Failed { reason }, Action::Clean)),
        Event::Stop { reason, next } => Ok(stopping(reason, next)),
        Event::Enter { .. } | Event::Pause | Event::Resume | Event::Gone { .. } | Event::Ended { .. } => {
            Err(event.name())
        }
    }
}

fn on_ready(upstream: Upstream, event: Event) -> Outcome {
    match event {
        Event::Start { .. } | Event::Resume => Ok((State::Ready { upstream }, Action::Nothing)),
        Event::Pause => Ok((State::Paused { upstream }, Action::Freeze)),
        Event::Stop { reason, next } => Ok(stopping(reason, next)),
        Event::Gone { reason } => Ok((State::Stopped { reason }, Action::Close)),
        Event::Enter { .. } | Event::Reached { .. } | Event::Fail { .. } | Event::Ended { .. } => {
            Err(event.name())
        }
    }
}

fn on_paused(upstream: Upstream, event: Event) -> Outcome {
    match event {
        Event::Start { .. } | Event::Resume => Ok((State::Ready { upstream }, Action::Thaw)),
        Event::Pause => Ok((State::Paused { upstream }, Action::Nothing)),
        Event::Stop { reason, next } => Ok(stopping(reason, next)),
        Event::Gone { reason } => Ok((State::Stopped { reason }, Action::Close)),
        Event::Enter { .. } | Event::Reached { .. } | Event::Fail { .. } | Event::Ended { .. } => {
            Err(event.name())
        }
    }
}

fn on_stopping(reason: StopReason, next: Next, event: Event) -> Outcome {
    match event {
        // Removal outranks everything asked before it; other repeats change nothing.
        Event::Stop { reason: later, next: Next::Remove } => {
            Ok((State::Stopping { reason: later, next: Next::Remove }, Action::Nothing))
        }
        // So does wanting more than rest; the rest changes nothing.
        Event::Stop { next: later @ (Next::Restart | Next::Reset | Next::ResetHome), .. }
            if next == Next::Rest =>
        {
            Ok((State::Stopping { reason, next: later }, Action::Nothing))
        }
        // The home could not be set aside: it is as it was, and nothing runs.
        Event::Fail { reason } if next == Next::ResetHome => Ok((State::Failed { reason }, Action::Nothing)),
        Event::Stop { .. } | Event::Gone { .. } => Ok((State::Stopping { reason, next }, Action::Nothing)),
        // Opening a session that is just stopping starts it again afterwards, unless it is removed.
        Event::Start { .. } => {
            let next = if next == Next::Rest { Next::Restart } else { next };
            Ok((State::Stopping { reason, next }, Action::Nothing))
        }
        Event::Ended { deadline } => Ok(match next {
            Next::Rest => (State::Stopped { reason }, Action::Nothing),
            // At once, so that nobody can take its place or start it in between.
            Next::Restart | Next::Reset | Next::ResetHome => (starting(deadline), Action::Launch),
            // Stays `Stopping` until the record is gone, so that a crash in between is picked up again.
            Next::Remove => (State::Stopping { reason, next }, Action::Erase),
        }),
        Event::Enter { .. } | Event::Reached { .. } | Event::Fail { .. } | Event::Pause | Event::Resume => {
            Err(event.name())
        }
    }
}

fn on_at_rest(event: Event) -> Outcome {
    match event {
        Event::Start { deadline } => Ok((starting(deadline), Action::Launch)),
        // Stop with something to follow (restart, reset, remove) works from rest as well.
        Event::Stop { reason, next: Next::Restart | Next::Rest } => {
            Err(Event::Stop { reason, next: Next::Rest }.name())
        }
        Event::Stop { reason, next } => Ok(stopping(reason, next)),
        Event::Enter { .. }
        | Event::Reached { .. }
        | Event::Fail { .. }
        | Event::Pause
        | Event::Resume
        | Event::Gone { .. }
        | Event::Ended { .. } => Err(event.name()),
    }
}

#[cfg(test)]
mod tests;

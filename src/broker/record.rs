//! The record of a session through its transitions: pure but for the clock.

use crate::audit::AuditEvent;
use crate::broker::{Entry, Wish};
use crate::clock;
use crate::engine::EngineError;
use crate::revocation::CloseReason;
use crate::secret::{Secret, random_bytes};
use crate::session::{
    Action, ClosingTime, FailReason, Label, Next, Session, SessionId, State, StateKind, StopReason,
};
use crate::store::User;

/// A fresh record, resting until its first start; without a `password` it gets a random one.
pub(super) fn new_session(
    owner: &User,
    Wish { template, name, password, language, label, client }: Wish,
) -> Session {
    let now = clock::now();
    Session {
        id: SessionId::random(),
        label: label.unwrap_or_else(|| Label::from_random(&random_bytes())),
        owner: owner.id,
        owner_name: owner.name.clone(),
        template,
        name,
        client,
        language,
        state: State::Stopped { reason: StopReason::Owner },
        epoch: 0,
        version: 1,
        created_at: now,
        state_since: now,
        ready_at: None,
        last_input_at: None,
        last_input_source: None,
        closes_at: None,
        extended_s: 0,
        secret: password.unwrap_or_else(|| Secret::new(vnc_password())),
    }
}

/// Eight characters, all that VNC authentication uses (RFC 6143 §7.2.2): 37 bits, guessed only
/// through the gateway.
fn vnc_password() -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    random_bytes::<8>().iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect()
}

/// The record after a transition.
pub(super) fn advance(
    entry: &Entry,
    before: &Session,
    state: State,
    action: Action,
    closing: Option<&ClosingTime>,
) -> Session {
    let now = clock::now();
    let changed = state.kind() != before.state.kind();
    let (input_ago, input_source) = entry.last_input();
    let reached = action == Action::Open;
    Session {
        epoch: before.epoch + u64::from(action == Action::Launch),
        state_since: if changed { now } else { before.state_since },
        ready_at: if reached { Some(now) } else { before.ready_at },
        last_input_at: before
            .state
            .upstream()
            .and_then(|_| clock::earlier(now, input_ago))
            .or(before.last_input_at),
        last_input_source: before.state.upstream().map(|_| input_source).or(before.last_input_source),
        closes_at: match action {
            // A restart on the same day has until the same closing time.
            Action::Open => closing.and_then(|closing| closing.next_after(now)),
            Action::Launch => None,
            Action::Clean
            | Action::Close
            | Action::Erase
            | Action::Freeze
            | Action::Halt
            | Action::Nothing
            | Action::Thaw => before.closes_at,
        },
        extended_s: if action == Action::Launch { 0 } else { before.extended_s },
        state,
        ..before.clone()
    }
}

/// What open sockets are told when a transition closes the route.
pub(super) fn close_reason(state: &State, action: Action) -> Option<CloseReason> {
    match action {
        Action::Freeze => Some(CloseReason::Lapsed),
        Action::Halt | Action::Close => Some(match state {
            State::Stopping { reason: StopReason::Away, .. } => CloseReason::Lapsed,
            State::Starting { .. }
            | State::Ready { .. }
            | State::Paused { .. }
            | State::Stopping { .. }
            | State::Stopped { .. }
            | State::Failed { .. } => CloseReason::Gone,
        }),
        Action::Clean | Action::Erase | Action::Launch | Action::Nothing | Action::Open | Action::Thaw => {
            None
        }
    }
}

/// What the audit says when a stop is accepted that this is to follow, if anything: that it stopped is
/// said when it did.
pub(super) fn accepted(next: Next) -> Option<AuditEvent> {
    match next {
        Next::Restart => Some(AuditEvent::SessionRestarted),
        Next::Reset => Some(AuditEvent::SessionReset { home: false }),
        Next::ResetHome => Some(AuditEvent::SessionReset { home: true }),
        Next::Remove | Next::Rest => None,
    }
}

/// What the audit says of a transition, if anything.
pub(super) fn audited(before: StateKind, state: &State) -> Option<AuditEvent> {
    match state {
        State::Starting { .. } => Some(AuditEvent::SessionStarted),
        State::Ready { .. } if before == StateKind::Paused => Some(AuditEvent::SessionResumed),
        State::Ready { .. } => Some(AuditEvent::SessionReady),
        State::Paused { .. } => Some(AuditEvent::SessionPaused),
        State::Stopping { .. } => None,
        State::Stopped { reason } => Some(AuditEvent::stopped(*reason)),
        State::Failed { reason } => Some(AuditEvent::failed(reason)),
    }
}

/// The fail reason that an engine error stands for.
pub(super) fn fail_reason(error: EngineError) -> FailReason {
    match error {
        EngineError::Down { .. } => FailReason::EngineDown,
        EngineError::Exited { code, output } => FailReason::Exited { code, output },
        EngineError::HomeInUse => FailReason::HomeInUse,
        EngineError::ImageMissing { image } => FailReason::ImageMissing { image },
        EngineError::TemplateGone { .. } => FailReason::TemplateGone,
        EngineError::Gone => FailReason::Exited { code: None, output: String::new() },
        EngineError::Conflict { .. }
        | EngineError::Refused { .. }
        | EngineError::Slow { .. }
        | EngineError::Unreachable { .. } => FailReason::Engine { detail: error.to_string() },
    }
}

//! What people read of a line: one sentence, and beside it the words of whoever refused or failed.

use std::borrow::Cow;
use std::time::Duration;

use crate::audit::{EventKind, Outcome, Reading};
use crate::language::{Language, Value};
use crate::session::StopReason;
use crate::web::words;

/// How it ended, as one word.
pub(in crate::web) fn outcome(language: Language, outcome: Outcome) -> Cow<'static, str> {
    language.text(match outcome {
        Outcome::Failed => "log-outcome-failed",
        Outcome::Ok => "log-outcome-ok",
        Outcome::Refused => "log-outcome-refused",
    })
}

/// What happened, as one sentence. Names in it are isolated, so that one that runs the other way
/// turns nothing around it.
pub(super) fn sentence(language: Language, reading: &Reading) -> String {
    let isolated = |text: String| format!("\u{2068}{text}\u{2069}");
    let own = |name: &str| isolated(reading.text(name));
    let length = |name: &str| words::remaining(language, Duration::from_secs(reading.number(name)));
    let arguments: Vec<(&'static str, Value<'_>)> = vec![
        ("actor", isolated(actor(language, &reading.text("actor"))).into()),
        ("target", own("target").into()),
        ("event", own("event").into()),
        ("copy", own("copy").into()),
        ("count", reading.number("count").into()),
        ("days", reading.number("keep_days").into()),
        ("grantee", own("grantee").into()),
        ("image", own("image").into()),
        ("key", own("key").into()),
        ("lines", reading.number("lines").into()),
        ("name", own("name").into()),
        ("template", own("template").into()),
        // Chosen by, never shown.
        ("change", reading.text("change").into()),
        ("reason", reading.text("reason").into()),
        ("role", reading.text("role").into()),
        ("time", length(if reading.kind == Some(EventKind::ViewerLeft) { "after_s" } else { "by_s" }).into()),
        ("why", why(language, reading).into()),
    ];
    language.say(reading.kind.map_or("log-unknown", id), &arguments)
}

/// Who did it, as a sentence begins.
fn actor(language: Language, name: &str) -> String {
    match name {
        "anonymous" => language.text("log-actor-anonymous").into_owned(),
        "cli" => language.text("log-actor-cli").into_owned(),
        "system" => language.text("log-actor-system").into_owned(),
        "token" => language.text("log-actor-token").into_owned(),
        name => name.to_owned(),
    }
}

/// Why a session ended, in the reader's own language.
fn why(language: Language, reading: &Reading) -> Cow<'static, str> {
    let (reason, text) = (reading.text("reason"), reading.text("text"));
    let stopped = StopReason::ALL.into_iter().find(|stop| stop.code() == reason);
    let failed = || words::failures().into_iter().find(|failure| failure.sentence() == text);
    match (stopped, reading.kind) {
        (Some(stop), Some(EventKind::SessionStopped)) => words::stopped(language, stop),
        (_, Some(EventKind::SessionFailed)) => {
            failed().map_or(text.clone().into(), |failure| words::failed(language, &failure))
        }
        (_, _) => text.into(),
    }
}

/// The words of the engine, the store or the rule that said no: as they are, so English.
pub(super) fn note(reading: &Reading) -> Option<String> {
    let (text, detail) = (reading.text("text"), reading.text("detail"));
    let told = match reading.kind? {
        EventKind::BackupFailed
        | EventKind::ImageNotPulled
        | EventKind::RestoreFailed
        | EventKind::SessionFailed => detail,
        EventKind::GrantNotCreated
        | EventKind::HomeNotRestored
        | EventKind::InvitationNotCreated
        | EventKind::SessionNotChanged
        | EventKind::SessionNotCreated => {
            if detail.is_empty() || detail == text {
                text
            } else {
                format!("{text} ({detail})")
            }
        }
        _ => return None,
    };
    Some(told).filter(|told| !told.is_empty())
}

fn id(kind: EventKind) -> &'static str {
    match kind {
        EventKind::AccessRefused => "log-access-refused",
        EventKind::AuditExported => "log-audit-exported",
        EventKind::AuditTrimmed => "log-audit-trimmed",
        EventKind::BackupFailed => "log-backup-failed",
        EventKind::BackupMade => "log-backup-made",
        EventKind::ConfigDanger => "log-config-danger",
        EventKind::EntryGiven => "log-entry-given",
        EventKind::GatewayStarted => "log-gateway-started",
        EventKind::GatewayStopped => "log-gateway-stopped",
        EventKind::GrantCreated => "log-grant-created",
        EventKind::GrantLapsed => "log-grant-lapsed",
        EventKind::GrantNotCreated => "log-grant-not-created",
        EventKind::GrantWithdrawn => "log-grant-withdrawn",
        EventKind::HomeRemoved => "log-home-removed",
        EventKind::HomeNotRestored => "log-home-not-restored",
        EventKind::HomeRestored => "log-home-restored",
        EventKind::HomeSetAside => "log-home-set-aside",
        EventKind::ImageNotPulled => "log-image-not-pulled",
        EventKind::ImagePulled => "log-image-pulled",
        EventKind::InvitationCreated => "log-invitation-created",
        EventKind::InvitationNotCreated => "log-invitation-not-created",
        EventKind::InvitationRefused => "log-invitation-refused",
        EventKind::InvitationUsed => "log-invitation-used",
        EventKind::InvitationWithdrawn => "log-invitation-withdrawn",
        EventKind::LinkCreated => "log-link-created",
        EventKind::LinkRefused => "log-link-refused",
        EventKind::LinkRevoked => "log-link-revoked",
        EventKind::LinkUsed => "log-link-used",
        EventKind::LoginEnded => "log-login-ended",
        EventKind::LoginOk => "log-login-ok",
        EventKind::LoginRefused => "log-login-refused",
        EventKind::Logout => "log-logout",
        EventKind::RestoreFailed => "log-restore-failed",
        EventKind::Restored => "log-restored",
        EventKind::SessionCreated => "log-session-created",
        EventKind::SessionExtended => "log-session-extended",
        EventKind::SessionFailed => "log-session-failed",
        EventKind::SessionNotChanged => "log-session-not-changed",
        EventKind::SessionNotCreated => "log-session-not-created",
        EventKind::SessionPaused => "log-session-paused",
        EventKind::SessionReady => "log-session-ready",
        EventKind::SessionRemoved => "log-session-removed",
        EventKind::SessionResumed => "log-session-resumed",
        EventKind::SessionStarted => "log-session-started",
        EventKind::SessionStopped => "log-session-stopped",
        EventKind::TokenCreated => "log-token-created",
        EventKind::TokenRefused => "log-token-refused",
        EventKind::TokenRevoked => "log-token-revoked",
        EventKind::UserCreated => "log-user-created",
        EventKind::UserDisabled => "log-user-disabled",
        EventKind::UserEnabled => "log-user-enabled",
        EventKind::UserLimitsChanged => "log-user-limits-changed",
        EventKind::UserPasswordChanged => "log-user-password-changed",
        EventKind::UserRefused => "log-user-refused",
        EventKind::UserRemoved => "log-user-removed",
        EventKind::UserRoleChanged => "log-user-role-changed",
        EventKind::UsersImported => "log-users-imported",
        EventKind::ViewOnlyAttempt => "log-view-only-attempt",
        EventKind::ViewerJoined => "log-viewer-joined",
        EventKind::ViewerLeft => "log-viewer-left",
    }
}

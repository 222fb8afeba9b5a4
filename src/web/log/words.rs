//! What people read of a line: one sentence, and beside it the words of whoever refused or failed.

use std::borrow::Cow;
use std::time::Duration;

use super::kinds::sentence_of;
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
        ("changed", reading.number("changed").into()),
        ("client", own("client_id").into()),
        ("copy", own("copy").into()),
        ("count", reading.number("count").into()),
        ("created", reading.number("created").into()),
        ("days", reading.number("keep_days").into()),
        ("grantee", own("grantee").into()),
        ("image", own("image").into()),
        ("key", own("key").into()),
        ("limits", isolated(limits(language, reading)).into()),
        ("lines", reading.number("lines").into()),
        ("name", own("name").into()),
        ("owner", own("owner").into()),
        ("parts", parts(language, reading).into()),
        ("refused", reading.number("refused").into()),
        ("scopes", own("scopes").into()),
        ("size", words::size(language, reading.number("bytes")).into()),
        ("template", own("template").into()),
        ("user", own("user").into()),
        ("uses", reading.number("uses").into()),
        // Chosen by, never shown.
        ("action", reading.text("action").into()),
        ("bound", if reading.text("user").is_empty() { "no" } else { "yes" }.into()),
        ("change", reading.text("change").into()),
        ("code", reading.text("code").into()),
        ("home", reading.text("home").into()),
        ("reason", reading.text("reason").into()),
        ("role", reading.text("role").into()),
        ("whose", whose(reading).into()),
        ("time", length(if reading.kind == Some(EventKind::ViewerLeft) { "after_s" } else { "by_s" }).into()),
        ("why", why(language, reading).into()),
    ];
    language.say(reading.kind.map_or("log-unknown", sentence_of), &arguments)
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

/// Whose a session is; lines of before do not say.
fn whose(reading: &Reading) -> &'static str {
    let owner = reading.text("owner");
    if owner.is_empty() {
        "unknown"
    } else if !reading.text("client_id").is_empty() {
        "client"
    } else if owner == reading.text("actor") {
        "own"
    } else {
        "other"
    }
}

/// What a backup has in it.
fn parts(language: Language, reading: &Reading) -> String {
    let part = |part: String| match part.as_str() {
        "config" => language.text("log-part-config").into_owned(),
        "homes" => language.text("log-part-homes").into_owned(),
        "images" => language.text("log-part-images").into_owned(),
        "store" => language.text("log-part-store").into_owned(),
        _ => part,
    };
    reading.list("parts").into_iter().map(part).collect::<Vec<_>>().join(", ")
}

/// A user's own limits; what they do not say follows the configuration.
fn limits(language: Language, reading: &Reading) -> String {
    let general = || language.text("log-limits-general").into_owned();
    let of = |name: &str| reading.within("limits", name).unwrap_or_else(general);
    let templates = match reading.within("limits", "templates") {
        Some(none) if none.is_empty() => language.text("log-limits-none").into_owned(),
        named => named.unwrap_or_else(general),
    };
    let arguments = [
        ("sessions", of("max_sessions").into()),
        ("cpus", of("max_cpus").into()),
        ("memory", of("max_memory_mib").into()),
        ("templates", templates.into()),
    ];
    language.say("log-limits", &arguments)
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

/// The words of the engine, the store or the rule that said no: as they are, so English. Where there
/// are none, the code of the rule.
pub(super) fn note(reading: &Reading) -> Option<String> {
    let (text, detail) = (reading.text("text"), reading.text("detail"));
    let told = match reading.kind? {
        EventKind::BackupFailed
        | EventKind::ImageNotPulled
        | EventKind::RestoreFailed
        | EventKind::SessionFailed => detail,
        EventKind::AccessRefused | EventKind::InvitationRefused => reading.text("code"),
        // Lines of before have the code alone.
        EventKind::UserRefused if text.is_empty() => reading.text("code"),
        EventKind::GrantNotCreated
        | EventKind::HomeNotRestored
        | EventKind::InvitationNotCreated
        | EventKind::SessionNotChanged
        | EventKind::SessionNotCreated
        | EventKind::SessionNotEnded
        | EventKind::UserRefused => {
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

//! What people read about a session: its state as a word, one sentence, and how long it has.
//!
//! Every page, the dashboard's cards and the event stream take their words from here, so that a
//! session's ending reads the same wherever it is read, each in the reader's own language.

use std::borrow::Cow;
use std::time::Duration;

use crate::broker::Place;
use crate::language::{Language, Value};
use crate::session::reap::{Expiry, Limit};
use crate::session::{
    FailReason, GrantRole, InputSource, Next, Phase, State, StopReason, TemplateName, ViewerRole,
};

/// A text that stands in the binary as it is.
pub type Text = Cow<'static, str>;

/// The state as one word.
pub fn word(language: Language, state: &State) -> Text {
    language.text(match state {
        State::Starting { phase: Phase::Queued, .. } => "state-queued",
        State::Starting { phase: Phase::Creating | Phase::Booting, .. } => "state-starting",
        State::Ready { .. } => "state-ready",
        State::Paused { .. } => "state-frozen",
        State::Stopping { .. } => "state-stopping",
        State::Stopped { .. } => "state-stopped",
        State::Failed { .. } => "state-failed",
    })
}

/// What happened and what it means, in one or two short sentences.
pub fn sentence(language: Language, state: &State, place: Option<Place>) -> String {
    match state {
        State::Starting { phase, .. } => starting(language, *phase, place),
        State::Ready { .. } => language.text("now-ready").into_owned(),
        State::Paused { .. } => language.text("now-frozen").into_owned(),
        State::Stopping { next, .. } => stopping(language, *next).into_owned(),
        State::Stopped { reason } => stopped(language, *reason).into_owned(),
        State::Failed { reason } => failed(language, reason).into_owned(),
    }
}

fn starting(language: Language, phase: Phase, place: Option<Place>) -> String {
    match (phase, place) {
        (Phase::Queued, Some(place)) => {
            language.say("now-queued-line", &[("line", line(language, place).into())])
        }
        (Phase::Queued, None) => language.text("now-queued").into_owned(),
        (Phase::Creating, _) => language.text("now-creating").into_owned(),
        (Phase::Booting, _) => language.text("now-booting").into_owned(),
    }
}

/// A place in the queue, and how long it will take as far as anyone can tell.
pub fn line(language: Language, place: Place) -> String {
    let time = place.wait.map(|wait| remaining(language, wait.max(Duration::from_secs(1))));
    let position = ("position", Value::from(place.position));
    match (place.position, time) {
        (1, None) => language.text("line-next").into_owned(),
        (1, Some(time)) => language.say("line-next-time", &[("time", time.into())]),
        (_, None) => language.say("line-number", &[position]),
        (_, Some(time)) => language.say("line-number-time", &[position, ("time", time.into())]),
    }
}

fn stopping(language: Language, next: Next) -> Text {
    language.text(match next {
        Next::Rest => "now-stopping",
        Next::Restart => "now-restarting",
        Next::Reset => "now-resetting",
        Next::ResetHome => "now-resetting-home",
        Next::Remove => "now-removing",
    })
}

/// Why it stopped.
pub fn stopped(language: Language, reason: StopReason) -> Text {
    language.text(match reason {
        StopReason::Admin => "stopped-admin",
        StopReason::Away => "stopped-away",
        StopReason::ClosingTime => "stopped-closing-time",
        StopReason::Exited => "stopped-exited",
        StopReason::Lost => "stopped-lost",
        StopReason::OutOfMemory => "stopped-out-of-memory",
        StopReason::Owner => "stopped-owner",
        StopReason::Restored => "stopped-restored",
        StopReason::Total => "stopped-total",
    })
}

/// Why it did not start, and what to do.
pub fn failed(language: Language, reason: &FailReason) -> Text {
    language.text(match reason {
        FailReason::Deadline { phase: Phase::Queued } => "failed-queue",
        FailReason::Deadline { phase: Phase::Creating } => "failed-creating",
        FailReason::Deadline { phase: Phase::Booting } => "failed-booting",
        FailReason::Engine { .. } => "failed-engine",
        FailReason::EngineDown => "failed-engine-down",
        FailReason::Exited { .. } => "failed-exited",
        FailReason::HomeInUse => "failed-home-in-use",
        FailReason::HomeKept { .. } => "failed-home-kept",
        FailReason::ImageMissing { .. } => "failed-image-missing",
        FailReason::Internal => "failed-internal",
        FailReason::TemplateGone => "failed-template-gone",
        FailReason::Unproven => "failed-unproven",
    })
}

/// One failure of each sentence.
pub fn failures() -> [FailReason; 12] {
    let detail = String::new;
    [
        FailReason::Deadline { phase: Phase::Queued },
        FailReason::Deadline { phase: Phase::Creating },
        FailReason::Deadline { phase: Phase::Booting },
        FailReason::Engine { detail: detail() },
        FailReason::EngineDown,
        FailReason::Exited { code: None, output: detail() },
        FailReason::HomeInUse,
        FailReason::HomeKept { detail: detail() },
        FailReason::ImageMissing { image: detail() },
        FailReason::Internal,
        FailReason::TemplateGone,
        FailReason::Unproven,
    ]
}

/// The technical reason of a failure, for administrators.
pub fn detail(language: Language, reason: &FailReason, template: &TemplateName) -> Option<String> {
    match reason {
        FailReason::Engine { detail } | FailReason::HomeKept { detail } => Some(detail.clone()),
        FailReason::Exited { code, output } => {
            let code = code.map_or_else(
                || language.text("detail-code-unknown").into_owned(),
                |code| language.say("detail-code", &[("code", code.into())]),
            );
            Some(if output.is_empty() { code } else { format!("{code}\n{output}") })
        }
        FailReason::ImageMissing { image } => {
            let command = crate::session::image_command(image, template);
            Some(
                language
                    .say("detail-image", &[("image", image.as_str().into()), ("command", command.into())]),
            )
        }
        FailReason::Deadline { .. }
        | FailReason::EngineDown
        | FailReason::HomeInUse
        | FailReason::Internal
        | FailReason::TemplateGone
        | FailReason::Unproven => None,
    }
}

/// What the last human input was.
pub fn input(language: Language, source: InputSource) -> Text {
    language.text(match source {
        InputSource::Clipboard => "input-clipboard",
        InputSource::Extend => "input-extend",
        InputSource::Key => "input-key",
        InputSource::Open => "input-open",
        InputSource::Pointer => "input-pointer",
        InputSource::Request => "input-request",
    })
}

/// What a limit will do; `time` says how long it still takes, or `{}` for a script to fill in.
pub fn left(language: Language, expiry: &Expiry, time: &str) -> String {
    let id = match expiry.because {
        Limit::Away => "left-away",
        Limit::Busy => "left-busy",
        Limit::ClosingTime => "left-closing-time",
        Limit::Frozen => "left-frozen",
        Limit::Kept => "left-kept",
        Limit::NoViewer => "left-no-viewer",
        Limit::Total => "left-total",
    };
    language.say(id, &[("time", time.into())])
}

/// That somebody other than the owner is connected.
pub fn watching(language: Language, name: &str, role: ViewerRole) -> Option<String> {
    let id = match role {
        ViewerRole::Owner => return None,
        ViewerRole::Helper => "here-helper",
        ViewerRole::Observer => "here-observer",
    };
    Some(language.say(id, &[("name", name.into())]))
}

/// What a role of a grant is called, and what it lets somebody do.
pub fn role(language: Language, role: GrantRole) -> (Text, Text) {
    match role {
        GrantRole::Helper => (language.text("role-helper"), language.text("role-helper-may")),
        GrantRole::Observer => (language.text("role-observer"), language.text("role-observer-may")),
    }
}

/// What somebody may do with a session of another person, said to them.
pub fn role_of_yours(language: Language, role: GrantRole) -> Text {
    language.text(match role {
        GrantRole::Helper => "role-helper-yours",
        GrantRole::Observer => "role-observer-yours",
    })
}

/// A time that is left, the way people say it: rounded to the nearest unit, so that a limit of an
/// hour that has just begun reads as one hour.
pub fn remaining(language: Language, time: Duration) -> String {
    spoken(language, time, |seconds, unit| (seconds + unit / 2) / unit)
}

/// A time in the largest unit that fits, as many of them as `units` makes of the seconds.
fn spoken(language: Language, time: Duration, units: fn(u64, u64) -> u64) -> String {
    let units = |unit| units(time.as_secs(), unit);
    let (id, number) = match (units(1), units(60), units(3600)) {
        (seconds @ 0..60, _, _) => ("time-seconds", seconds),
        (_, minutes @ 0..60, _) => ("time-minutes", minutes),
        (_, _, hours @ 0..48) => ("time-hours", hours),
        (_, _, _) => ("time-days", units(86_400)),
    };
    language.say(id, &[("number", number.into())])
}

/// A time that has passed: whole units only.
fn past(language: Language, time: Duration) -> String {
    spoken(language, time, |seconds, unit| seconds / unit)
}

/// How long ago something was, the way people say it.
pub fn ago(language: Language, time: Duration) -> String {
    if time < Duration::from_secs(10) {
        return language.text("time-now").into_owned();
    }
    language.say("time-ago", &[("time", past(language, time).into())])
}

/// An elapsed time to the second, for a page that counts; its units are those of every language.
pub fn elapsed(time: Duration) -> String {
    let (minutes, seconds) = (time.as_secs() / 60, time.as_secs() % 60);
    if minutes > 0 { format!("{minutes} min {seconds} s") } else { format!("{seconds} s") }
}

/// A size the way people say it: one decimal from gigabytes on, of 1024 each.
pub fn size(language: Language, bytes: u64) -> String {
    const KIB: u64 = 1024;
    let whole = |unit: u64| ((bytes + unit / 2) / unit).to_string();
    let (id, number) = match bytes {
        0..0x10_0000 => ("size-kb", whole(KIB)),
        0x10_0000..0x4000_0000 => ("size-mb", whole(KIB * KIB)),
        _ => {
            // In tenths of a gigabyte, rounded.
            let tenths = bytes / (KIB * KIB) * 10 / KIB;
            let point = language.text("size-point");
            ("size-gb", format!("{}{point}{}", tenths / 10, tenths % 10))
        }
    };
    language.say(id, &[("number", number.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_the_way_people_say_them() {
        let (english, french) = (Language::English, Language::French);
        for (bytes, said) in [
            (0, "0 KB"),
            (1 << 20, "1 MB"),
            (900 << 20, "900 MB"),
            (1 << 30, "1.0 GB"),
            ((5 << 30) + (1 << 29), "5.5 GB"),
        ] {
            assert_eq!(size(english, bytes), said);
        }
        assert_eq!(size(french, (5 << 30) + (1 << 29)), "5,5\u{a0}Go");
    }

    #[test]
    fn the_viewer_has_words_for_every_limit_of_a_session_that_runs() {
        let script = include_str!("static/viewer/limits.js");
        for limit in [Limit::Away, Limit::Busy, Limit::ClosingTime, Limit::NoViewer, Limit::Total] {
            let name = limit.name();
            assert!(script.contains(&format!("  {name}: (args) => ")), "{name}");
        }
    }

    #[test]
    fn an_ending_reads_on_the_pages_as_in_the_api_and_the_audit() {
        for reason in StopReason::ALL {
            assert_eq!(stopped(Language::English, reason), reason.sentence());
        }
        for reason in failures() {
            assert_eq!(failed(Language::English, &reason), reason.sentence());
        }
    }

    #[test]
    fn times_are_said_the_way_people_say_them() {
        let language = Language::English;
        // (seconds, passed, left); `dashboard.js` says the same.
        for (seconds, passed, left) in [
            (0, "0 seconds", "0 seconds"),
            (1, "1 second", "1 second"),
            (59, "59 seconds", "59 seconds"),
            (60, "1 minute", "1 minute"),
            (89, "1 minute", "1 minute"),
            (90, "1 minute", "2 minutes"),
            (3569, "59 minutes", "59 minutes"),
            (3570, "59 minutes", "1 hour"),
            (3599, "59 minutes", "1 hour"),
            (3600, "1 hour", "1 hour"),
            (86_399, "23 hours", "24 hours"),
            (170_999, "47 hours", "47 hours"),
            (172_799, "47 hours", "2 days"),
            (172_800, "2 days", "2 days"),
            (604_799, "6 days", "7 days"),
        ] {
            let time = Duration::from_secs(seconds);
            assert_eq!(
                (past(language, time).as_str(), remaining(language, time).as_str()),
                (passed, left),
                "{seconds}"
            );
        }
        assert_eq!(ago(language, Duration::from_secs(3)), "just now");
        assert_eq!(elapsed(Duration::from_secs(75)), "1 min 15 s");
    }

    #[test]
    fn a_place_in_the_queue_says_the_place_and_the_time() {
        let place = |position, wait: Option<u64>| Place { position, wait: wait.map(Duration::from_secs) };
        assert_eq!(line(Language::English, place(1, None)), "You are next.");
        assert_eq!(
            line(Language::English, place(4, Some(12))),
            "You are number 4 in the queue, about 12 seconds to go."
        );
    }

    #[test]
    fn french_readers_read_french() {
        let french = Language::French;
        for (seconds, left) in [(0, "0 seconde"), (1, "1 seconde"), (120, "2 minutes"), (7200, "2 heures")] {
            let left = left.replace(' ', "\u{a0}");
            assert_eq!(remaining(french, Duration::from_secs(seconds)), left);
        }
        assert_eq!(ago(french, Duration::from_secs(60)), "il y a 1\u{a0}minute");
        assert_eq!(
            stopped(french, StopReason::Owner),
            "Son propriétaire l’a arrêtée. Vos fichiers sont conservés."
        );
    }
}

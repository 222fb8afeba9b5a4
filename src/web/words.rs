//! What people read about a session: its state as a word, one sentence, and how long it has.
//!
//! Every page, the dashboard's cards and the event stream take their words from here, so that a
//! session's ending reads the same wherever it is read.

use std::time::Duration;

use crate::broker::Place;
use crate::session::reap::{Expiry, Limit};
use crate::session::{FailReason, GrantRole, InputSource, Next, Phase, State, StopReason, ViewerRole};

/// The state as one word.
pub fn word(state: &State) -> &'static str {
    match state {
        State::Starting { phase: Phase::Queued, .. } => "In the queue",
        State::Starting { phase: Phase::Creating | Phase::Booting, .. } => "Starting",
        State::Ready { .. } => "Ready",
        State::Paused { .. } => "Frozen",
        State::Stopping { .. } => "Stopping",
        State::Stopped { .. } => "Stopped",
        State::Failed { .. } => "Did not start",
    }
}

/// What happened and what it means, in one or two short sentences.
pub fn sentence(state: &State, place: Option<Place>) -> String {
    match state {
        State::Starting { phase, .. } => starting(*phase, place),
        State::Ready { .. } => "Running and ready to use.".to_owned(),
        State::Paused { .. } => {
            "Frozen where you left it. Nothing is lost; it goes on when you resume it.".to_owned()
        }
        State::Stopping { next, .. } => stopping(*next).to_owned(),
        State::Stopped { reason } => stopped(*reason).to_owned(),
        State::Failed { reason } => failed(reason),
    }
}

fn starting(phase: Phase, place: Option<Place>) -> String {
    match (phase, place) {
        (Phase::Queued, Some(place)) => format!("Many machines are starting right now. {}", line(place)),
        (Phase::Queued, None) => "It starts in a moment.".to_owned(),
        (Phase::Creating, _) => "The machine is being made.".to_owned(),
        (Phase::Booting, _) => "The machine runs and is getting ready to use.".to_owned(),
    }
}

/// A place in the queue, and how long it will take as far as anyone can tell.
pub fn line(place: Place) -> String {
    let position = match place.position {
        1 => "You are next".to_owned(),
        position => format!("You are number {position} in the queue"),
    };
    match place.wait {
        Some(wait) => format!("{position}, about {} to go.", remaining(wait.max(Duration::from_secs(1)))),
        None => format!("{position}."),
    }
}

fn stopping(next: Next) -> &'static str {
    match next {
        Next::Rest => "It is being shut down.",
        Next::Restart => "It is being shut down, then it starts again.",
        Next::Reset => "It is being made anew, then it starts again.",
        Next::Remove => "It is being deleted.",
    }
}

/// Why it stopped.
pub fn stopped(reason: StopReason) -> &'static str {
    reason.sentence()
}

/// Why it did not start, and what to do.
pub fn failed(reason: &FailReason) -> String {
    reason.sentence().to_owned()
}

/// The technical reason of a failure, for administrators.
pub fn detail(reason: &FailReason) -> Option<String> {
    match reason {
        FailReason::Engine { detail } => Some(detail.clone()),
        FailReason::Exited { code, output } => {
            let code =
                code.map_or_else(|| "exit code unknown".to_owned(), |code| format!("exit code {code}"));
            Some(if output.is_empty() { code } else { format!("{code}\n{output}") })
        }
        FailReason::ImageMissing { image } => Some(format!(
            "The image {image} is not on the server. Build it (make images) or fetch it (docker pull {image}), then try again."
        )),
        FailReason::Deadline { .. }
        | FailReason::EngineDown
        | FailReason::Internal
        | FailReason::TemplateGone
        | FailReason::Unproven => None,
    }
}

/// What the last human input was.
pub fn input(source: InputSource) -> &'static str {
    match source {
        InputSource::Clipboard => "clipboard",
        InputSource::Extend => "more time asked for",
        InputSource::Key => "key",
        InputSource::Open => "opened",
        InputSource::Pointer => "pointer",
        InputSource::Request => "request",
    }
}

/// What a limit will do; `{}` stands for the time that is left.
pub fn left(expiry: &Expiry) -> &'static str {
    match expiry.because {
        Limit::Away => "Freezes in {} if nobody uses it.",
        Limit::Busy => "It is at work; freezes in {} if nobody uses it.",
        Limit::ClosingTime => "Stops in {}: closing time.",
        Limit::Frozen => "Stops in {} if nobody resumes it.",
        Limit::NoViewer => "Freezes in {} if nobody opens it.",
        Limit::Total => "Stops in {}.",
        Limit::Kept => "Deleted in {} if nobody starts it.",
    }
}

/// That somebody other than the owner is connected.
pub fn watching(name: &str, role: ViewerRole) -> Option<String> {
    match role {
        ViewerRole::Owner => None,
        ViewerRole::Helper => Some(format!("{name} is connected and can use it.")),
        ViewerRole::Observer => Some(format!("{name} is watching.")),
    }
}

/// What a role of a grant is called, and what it lets somebody do.
pub fn role(role: GrantRole) -> (&'static str, &'static str) {
    match role {
        GrantRole::Helper => {
            ("Helper", "Sees the screen and can use keyboard, mouse and clipboard, as you can.")
        }
        GrantRole::Observer => {
            ("Observer", "Only sees the screen. Nothing they type or click reaches the machine.")
        }
    }
}

/// What somebody may do with a session of another person, said to them.
pub fn role_of_yours(role: GrantRole) -> &'static str {
    match role {
        GrantRole::Helper => "You see its screen, and can use it. Its owner sees that you are there.",
        GrantRole::Observer => {
            "You see its screen; what you type or click does not reach it. Its owner sees that you are there."
        }
    }
}

/// A time that is left, the way people say it: rounded to the nearest unit, so that a limit of an
/// hour that has just begun reads as one hour.
pub fn remaining(time: Duration) -> String {
    spoken(time, |seconds, unit| (seconds + unit / 2) / unit)
}

/// A time in the largest unit that fits, as many of them as `units` makes of the seconds.
fn spoken(time: Duration, units: fn(u64, u64) -> u64) -> String {
    let units = |unit| units(time.as_secs(), unit);
    match (units(1), units(60), units(3600)) {
        (seconds @ 0..60, _, _) => count(seconds, "second"),
        (_, minutes @ 0..60, _) => count(minutes, "minute"),
        (_, _, hours @ 0..48) => count(hours, "hour"),
        (_, _, _) => count(units(86_400), "day"),
    }
}

/// A time that has passed: whole units only.
fn past(time: Duration) -> String {
    spoken(time, |seconds, unit| seconds / unit)
}

/// How long ago something was, the way people say it.
pub fn ago(time: Duration) -> String {
    if time < Duration::from_secs(10) { "just now".to_owned() } else { format!("{} ago", past(time)) }
}

/// An elapsed time to the second, for a page that counts.
pub fn elapsed(time: Duration) -> String {
    let (minutes, seconds) = (time.as_secs() / 60, time.as_secs() % 60);
    if minutes > 0 { format!("{minutes} min {seconds} s") } else { format!("{seconds} s") }
}

fn count(number: u64, unit: &str) -> String {
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_the_way_people_say_them() {
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
            assert_eq!((past(time).as_str(), remaining(time).as_str()), (passed, left), "{seconds}");
        }
        assert_eq!(ago(Duration::from_secs(3)), "just now");
        assert_eq!(elapsed(Duration::from_secs(75)), "1 min 15 s");
    }

    #[test]
    fn a_place_in_the_queue_says_the_place_and_the_time() {
        let place = |position, wait: Option<u64>| Place { position, wait: wait.map(Duration::from_secs) };
        assert_eq!(line(place(1, None)), "You are next.");
        assert_eq!(line(place(4, Some(12))), "You are number 4 in the queue, about 12 seconds to go.");
    }
}

//! Points in time as people write them.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use thiserror::Error;

/// This names no time.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error(
    "{0:?} is no time: write 2026-01-31, 2026-01-31T08:15 (both UTC), 2026-01-31T08:15:00+01:00, or how long ago: 30m, 12h, 7d"
)]
pub struct UnknownTime(pub String);

/// The time that `text` names, as of `now`: a date or a time of UTC, a time with its offset, or how
/// long ago.
///
/// # Errors
/// [`UnknownTime`] says what may be written.
pub fn when(text: &str, now: Timestamp) -> Result<Timestamp, UnknownTime> {
    let text = text.trim();
    let unknown = || UnknownTime(text.to_owned());
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let civil = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(DateTime::from));
    if let Ok(civil) = civil {
        return civil.to_zoned(TimeZone::UTC).map(|at| at.timestamp()).map_err(|_| unknown());
    }
    let unit = text.chars().next_back().ok_or_else(unknown)?;
    let number: i64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| unknown())?;
    let seconds = match unit {
        's' => Some(number),
        'm' => number.checked_mul(60),
        'h' => number.checked_mul(3600),
        'd' => number.checked_mul(86_400),
        _ => None,
    };
    let seconds = seconds.filter(|seconds| (0..=3_155_760_000).contains(seconds)).ok_or_else(unknown)?;
    now.checked_sub(Span::new().seconds(seconds)).map_err(|_| unknown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_the_way_people_write_them() {
        let now: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        for (text, at) in [
            ("2026-01-31", "2026-01-31T00:00:00Z"),
            ("2026-01-31T08:15", "2026-01-31T08:15:00Z"),
            (" 2026-01-31T08:15:30 ", "2026-01-31T08:15:30Z"),
            ("2026-01-31T08:15:00+01:00", "2026-01-31T07:15:00Z"),
            ("30m", "2026-01-31T11:30:00Z"),
            ("12h", "2026-01-31T00:00:00Z"),
            ("7d", "2026-01-24T12:00:00Z"),
        ] {
            assert_eq!(when(text, now), Ok(at.parse().unwrap()), "{text}");
        }
        for text in ["", "soon", "-3h", "3 weeks", "2026-02-31", "99999999999999999999d", "4é"] {
            assert!(when(text, now).is_err(), "{text}");
        }
    }
}

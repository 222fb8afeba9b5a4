//! Closing time: a time of day at which everybody's sessions stop.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use thiserror::Error;

/// A time of day in a time zone.
///
/// The zone's rules come in as a value, so that asking for the next closing time is pure.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClosingTime {
    at: Time,
    zone: TimeZone,
    name: String,
}

/// Why a text is no closing time.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum ClosingTimeError {
    /// It is not two digits, a colon, two digits.
    #[error("a time of day is written HH:MM, for example \"18:30\"")]
    Form,
    /// There is no such hour or minute.
    #[error("a day has hours 00 to 23 and minutes 00 to 59")]
    Range,
}

impl ClosingTime {
    /// The time of day `text` (`HH:MM`, 24 hours) in `zone`; `name` is what the zone was called
    /// where it was configured.
    ///
    /// # Errors
    /// [`ClosingTimeError`] says what is wrong with the text.
    pub fn new(text: &str, zone: TimeZone, name: &str) -> Result<Self, ClosingTimeError> {
        let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let (hour, minute) = text
            .split_once(':')
            .filter(|(hour, minute)| digits(hour) && digits(minute))
            .ok_or(ClosingTimeError::Form)?;
        let number = |part: &str| part.parse::<i8>().map_err(|_| ClosingTimeError::Form);
        let at = Time::new(number(hour)?, number(minute)?, 0, 0).map_err(|_| ClosingTimeError::Range)?;
        Ok(Self { at, zone, name: name.to_owned() })
    }

    /// The time of day as it is configured: `HH:MM`.
    #[must_use]
    pub fn time(&self) -> String {
        format!("{:02}:{:02}", self.at.hour(), self.at.minute())
    }

    /// What the zone was called where it was configured.
    #[must_use]
    pub fn zone_name(&self) -> &str {
        &self.name
    }

    /// The first closing time after `then`. Where clocks are put forward over it, it comes as much
    /// later (02:30 becomes 03:30); where they are put back over it, its first time counts.
    ///
    /// `None` at the end of representable time.
    #[must_use]
    pub fn next_after(&self, then: Timestamp) -> Option<Timestamp> {
        let today = then.to_zoned(self.zone.clone()).date();
        // Yesterday's may still lie ahead where a zone leaves out hours around midnight.
        (-1..=2)
            .filter_map(|days| {
                let date = today.checked_add(days.days()).ok()?;
                let closing = date.to_datetime(self.at).to_zoned(self.zone.clone()).ok()?;
                Some(closing.timestamp())
            })
            .filter(|closing| *closing > then)
            .min()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn closing(text: &str, zone: &str) -> ClosingTime {
        ClosingTime::new(text, TimeZone::get(zone).unwrap(), zone).unwrap()
    }

    fn next(text: &str, zone: &str, then: &str) -> String {
        let then: Timestamp = then.parse().unwrap();
        closing(text, zone).next_after(then).unwrap().to_string()
    }

    #[test]
    fn a_time_of_day_is_two_digits_twice() {
        for bad in ["", "6pm", "18", "18:3", "8:30", "18:30:00", "+1:30", "18-30", "１８:３０"] {
            assert_eq!(ClosingTime::new(bad, TimeZone::UTC, ""), Err(ClosingTimeError::Form), "{bad}");
        }
        for bad in ["24:00", "18:60", "99:99"] {
            assert_eq!(ClosingTime::new(bad, TimeZone::UTC, ""), Err(ClosingTimeError::Range), "{bad}");
        }
        assert_eq!(closing("08:05", "UTC").time(), "08:05");
    }

    #[test]
    fn the_next_one_is_today_s_or_tomorrow_s_in_the_zone() {
        assert_eq!(next("18:00", "Europe/Paris", "2026-01-15T16:59:59Z"), "2026-01-15T17:00:00Z");
        // At closing time itself the next day's counts: a session started then has a day.
        assert_eq!(next("18:00", "Europe/Paris", "2026-01-15T17:00:00Z"), "2026-01-16T17:00:00Z");
        assert_eq!(next("00:00", "Asia/Tokyo", "2026-01-15T14:00:00Z"), "2026-01-15T15:00:00Z");
        assert_eq!(next("09:00", "America/New_York", "2026-07-01T00:00:00Z"), "2026-07-01T13:00:00Z");
    }

    #[test]
    fn clocks_that_are_put_forward_or_back_do_not_lose_it() {
        // Paris leaves out 02:00 to 03:00 on 29 March 2026 and has it twice on 25 October.
        assert_eq!(next("02:30", "Europe/Paris", "2026-03-29T00:00:00Z"), "2026-03-29T01:30:00Z");
        assert_eq!(next("02:30", "Europe/Paris", "2026-10-25T00:00:00Z"), "2026-10-25T00:30:00Z");
        assert_eq!(next("02:30", "Europe/Paris", "2026-10-25T00:30:00Z"), "2026-10-26T01:30:00Z");
    }

    proptest! {
        #[test]
        fn it_lies_ahead_and_never_more_than_two_days(second in 0_i64..4_000_000_000, hour in 0_u8..24) {
            for zone in ["UTC", "Europe/Paris", "Pacific/Apia", "America/St_Johns"] {
                let then = Timestamp::from_second(second).unwrap();
                let next = closing(&format!("{hour:02}:15"), zone).next_after(then).unwrap();
                prop_assert!(next > then);
                // Apia once left out a whole day.
                prop_assert!(next.duration_since(then).as_hours() < 49, "{zone} {then} {next}");
            }
        }
    }
}

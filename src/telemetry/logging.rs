//! Log lines on standard error, as text or JSON.

use std::io::IsTerminal;

use thiserror::Error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::util::TryInitError;

use super::{Format, Settings};

/// The environment variable that wins over the configured filter.
const FILTER_VARIABLE: &str = "BERTH_LOG";

/// Why logging cannot begin.
#[derive(Debug, Error)]
pub enum LoggingError {
    /// The filter cannot be read.
    #[error("the log filter {filter:?} cannot be read: {why}")]
    Filter {
        /// The filter as given.
        filter: String,
        /// What is wrong with it.
        why: String,
    },
    /// Something in this process logs already.
    #[error("logging has begun already")]
    Twice(#[source] TryInitError),
}

/// Whether `filter` can be read, for the configuration to say so with its place.
///
/// # Errors
/// Says what is wrong with it.
pub fn check_filter(filter: &str) -> Result<(), String> {
    filter.parse::<EnvFilter>().map(drop).map_err(|error| error.to_string())
}

/// Begins to write log lines to standard error, for the whole process. The filter is
/// `BERTH_LOG` if that is set, else `settings.filter`.
///
/// # Errors
/// [`LoggingError::Filter`] when `BERTH_LOG` cannot be read, [`LoggingError::Twice`] on a second call.
pub fn init_logging(settings: &Settings) -> Result<(), LoggingError> {
    let text = std::env::var(FILTER_VARIABLE).ok().filter(|text| !text.is_empty());
    let text = text.unwrap_or_else(|| settings.filter.clone());
    let filter: EnvFilter =
        text.parse().map_err(|why| LoggingError::Filter { filter: text.clone(), why: format!("{why}") })?;
    // Colours are for people: in a file or a journal they are noise in every line.
    let colours = std::io::stderr().is_terminal();
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    match settings.format {
        Format::Text => lines.finish().try_init(),
        // Fields of the event and of its spans stand at the top, where log collectors look.
        Format::Json => lines.json().flatten_event(true).with_span_list(false).finish().try_init(),
    }
    .map_err(LoggingError::Twice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_checked_before_they_are_used() {
        assert_eq!(check_filter("info,berth::broker=debug"), Ok(()));
        assert!(check_filter("berth=loud").is_err());
    }
}

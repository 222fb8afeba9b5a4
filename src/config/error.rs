//! What is wrong with a configuration, all of it, in words an operator can act on.

use std::fmt;

/// One thing that is wrong: where, which key, which value, why, and what to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    at: String,
    key: String,
    value: Option<String>,
    why: String,
    advice: String,
}

impl ConfigError {
    /// Builds one. `at` is `path:line` or an environment variable's name; `value` is already safe
    /// to show.
    pub(super) fn new(at: &str, key: &str, value: Option<String>, why: String, advice: String) -> Self {
        Self { at: at.to_owned(), key: key.to_owned(), value, why, advice }
    }

    /// The full key (`limits.away_s`), or empty if a whole file is meant.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.at.is_empty() {
            write!(f, "{}: ", self.at)?;
        }
        match (&self.key, &self.value) {
            (key, Some(value)) => write!(f, "{key} = {value}: ")?,
            (key, None) if !key.is_empty() => write!(f, "{key}: ")?,
            (_, None) => {}
        }
        write!(f, "{}\n    {}", self.why, self.advice)
    }
}

/// Everything that is wrong with a configuration, in the order of its reading.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigErrors(pub(super) Vec<ConfigError>);

impl ConfigErrors {
    /// The errors one by one; never empty.
    #[must_use]
    pub fn errors(&self) -> &[ConfigError] {
        &self.0
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        writeln!(f, "the configuration has {count} error{}", if count == 1 { "" } else { "s" })?;
        for error in &self.0 {
            writeln!(f, "  {error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

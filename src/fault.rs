//! What every error of the gateway can answer: whose fault, which code, what to tell people.

use std::time::Duration;

use serde_json::Value;

use crate::language::{Language, Sentence};

/// Whose fault an error is; decides the default status and whether to retry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The browser sent something wrong, or may not do what it asked.
    Downstream,
    /// The container misbehaved or is unreachable.
    Upstream,
    /// The container engine failed or does not answer.
    Engine,
    /// The store failed or does not answer.
    Store,
    /// A bug of ours.
    Internal,
}

/// The questions `respond` asks of an error.
pub trait Answer: std::error::Error {
    /// Whose fault it is.
    fn fault(&self) -> Fault;
    /// A stable `snake_case` name for API, metrics and audit.
    fn code(&self) -> &'static str;
    /// What people are told, safe to show to anyone: a message of `web/messages`.
    fn sentence(&self) -> Sentence;
    /// The same in English, as API, command line and log say it. Nobody writes this one anew.
    fn public(&self) -> String {
        self.sentence().said(Language::English)
    }
    /// When it makes sense to try again.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
    /// What stands in the problem document beside its own members: the words of a system whose
    /// scripts read it.
    fn members(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
    /// Which field of what was sent is not as it should be, by its path.
    fn field(&self) -> Option<&str> {
        None
    }
    /// Where a method is refused: those the address takes, as the `Allow` header lists them.
    fn allow(&self) -> Option<&str> {
        None
    }
}

/// An error and its causes on one line, outermost first; a cause that the line ends with already
/// is left out.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    for text in causes.map(ToString::to_string) {
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Link(&'static str, #[source] Option<Box<Link>>);

    #[test]
    fn a_chain_names_every_cause_once() {
        let inner = Box::new(Link("b", Some(Box::new(Link("c", None)))));
        assert_eq!(chain(&Link("a", Some(inner))), "a: b: c");
        let repeated = Link("a: b", Some(Box::new(Link("b", Some(Box::new(Link("c", None)))))));
        assert_eq!(chain(&repeated), "a: b: c");
    }
}
